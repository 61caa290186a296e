//! Wheels that other machines built of the same commit, taken into what is released.

use super::*;
use crate::effects::python;

impl Run<'_> {
    /// Adds the wheels of one package to its files, where there is a folder of wheels. A wheel
    /// that was built here for this Linux alone gives way: an index would refuse it.
    ///
    /// # Errors
    /// A wheel has the name of one that was built here and other bytes, or cannot be copied.
    pub(super) fn collect(&self, id: PackageId) -> Result<Option<String>> {
        let Some(folder) = self.release.wheels else { return Ok(None) };
        let (name, version) =
            (self.distribution(id).name().in_file_name(), &self.package(id).version);
        let mut ledger = self.ledger(id)?;
        let mut added = Vec::new();
        for path in wheels_below(folder)? {
            let wheel = python::build::artifact(&path)?;
            if version_in_file_name(&wheel.name, &name).as_ref() != Some(version) {
                continue;
            }
            match ledger.files.iter().find(|file| file.name == wheel.name) {
                Some(own) if *own == wheel => continue,
                Some(_) => {
                    bail!("{} is not the file of that name that was built here", path.display())
                }
                None => {}
            }
            copy(&path, &self.dir(id).join(&wheel.name))?;
            // Signed where it was built, or where the wheels were brought together.
            let signed = twine::attestation_of(&path);
            if signed.is_file() {
                copy(&signed, &twine::attestation_of(&self.dir(id).join(&wheel.name)))?;
            }
            added.push(wheel);
        }
        if added.is_empty() {
            return Ok(None);
        }
        let (bound, kept): (Vec<Artifact>, Vec<Artifact>) =
            ledger.files.into_iter().partition(|file| is_bound_to_this_linux(&file.name));
        ledger.files = kept.into_iter().chain(added.iter().cloned()).collect();
        sort(&mut ledger.files);
        let names: Vec<&str> = added.iter().map(|file| file.name.as_str()).collect();
        ledger::record(&self.dir(id), &mut ledger, format!("collected {}", names.join(", ")))?;
        // The ledger comes first: a file that it does not name is nobody's.
        for file in bound {
            fs::remove_file(self.dir(id).join(&file.name))?;
        }
        self.state(id).ledger = Some(ledger);
        let plural = if added.len() == 1 { "" } else { "s" };
        Ok(Some(format!("{} wheel{plural} collected", added.len())))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy {}", from.display()))
}

/// `linux_x86_64` and the like say nothing about which Linux (PEP 513, PEP 600 do).
fn is_bound_to_this_linux(file: &str) -> bool {
    let platform = file.strip_suffix(".whl").and_then(|stem| stem.rsplit('-').next());
    platform.is_some_and(|platform| platform.starts_with("linux_"))
}

/// Every wheel in a folder and below: artifacts of several jobs are a folder each.
fn wheels_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut wheels = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        if entry.path().extension().is_some_and(|extension| extension == "whl") {
            wheels.push(entry.into_path());
        }
    }
    Ok(wheels)
}

#[cfg(test)]
mod tests {
    use crate::effects::release::collect_wheels::is_bound_to_this_linux;

    #[test]
    fn platforms() {
        assert!(is_bound_to_this_linux("a-1-cp312-cp312-linux_x86_64.whl"));
        assert!(!is_bound_to_this_linux("a-1-cp312-cp312-manylinux_2_28_x86_64.whl"));
        assert!(!is_bound_to_this_linux("a-1-py3-none-any.whl"));
        assert!(!is_bound_to_this_linux("a-1.tar.gz"));
    }
}
