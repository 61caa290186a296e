//! Adds wheels that other machines built from the same commit to a package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::PackageId;
use domain::release::content;
use domain::release::plan::{Artifact, version_in_file_name};
use domain::release::preflight::Check;
use domain::text::words::plural;

use crate::effects::index::twine;
use crate::effects::python;
use crate::effects::release::ledger;
use crate::effects::release::run::Run;

impl Run<'_> {
    /// Adds the wheels of one package to its files, where there is a folder of wheels. They replace
    /// a wheel that was built here for a bare `linux_*` platform, which an index would refuse.
    ///
    /// # Errors
    /// A wheel has the name of one that was built here and other contents, or cannot be copied.
    pub(super) fn collect_wheels(&self, id: PackageId) -> Result<Option<String>> {
        let Some(folder) = self.release.wheels else { return Ok(None) };
        let dir = self.dir(id);
        let mut ledger = self.ledger(id)?;
        let added = self.copy_wheels(id, folder, &ledger.files)?;
        if added.is_empty() {
            return Ok(None);
        }
        self.refuse_stale(id, folder, &ledger.files, &added)?;
        let (unusable, kept): (Vec<Artifact>, Vec<Artifact>) =
            ledger.files.into_iter().partition(|file| has_bare_linux_platform(&file.name));
        ledger.files = kept.into_iter().chain(added.iter().cloned()).collect();
        ledger.files.sort();
        let names: Vec<&str> = added.iter().map(|file| file.name.as_str()).collect();
        ledger::record(&dir, &mut ledger, format!("collected {}", names.join(", ")))?;
        // After the ledger is written: a file that the ledger does not name may be missing.
        for file in unusable {
            fs::remove_file(dir.join(&file.name))?;
        }
        self.state(id).ledger = Some(ledger);
        Ok(Some(format!("{} collected", plural(added.len(), "wheel"))))
    }

    /// Compares the pure Python of collected wheels with that of the wheel built here: one release
    /// never has two contents. Only tracked files: a build may write others for each platform.
    fn refuse_stale(
        &self,
        id: PackageId,
        folder: &Path,
        built: &[Artifact],
        added: &[Artifact],
    ) -> Result<()> {
        let dir = self.dir(id);
        let all: Vec<PathBuf> = built
            .iter()
            .filter(|file| file.name.ends_with(".whl"))
            .chain(added)
            .map(|file| dir.join(&file.name))
            .collect();
        let archives = python::build::inspect(self.release.tools, &all)?;
        let Some((ours, theirs)) = archives.split_first() else { return Ok(()) };
        let tracked = self.tracked(id)?;
        for wheel in theirs {
            let generated = &self.distribution(id).manifest.config.content.generated;
            let Some(member) = content::stale_member(ours, wheel, &tracked, generated) else {
                continue;
            };
            // The next run must not take it for one of its own.
            fs::remove_file(dir.join(&wheel.file))?;
            let message = format!(
                "`{}` in `{}` was built from other sources: `{member}` differs from that of `{}`, which was built here",
                wheel.file,
                folder.display(),
                ours.file
            );
            let hint = "build the wheels again, from the commit that is released";
            return Err(Refusal::from(Finding::error(Rule::Files, message).hint(hint)).into());
        }
        Ok(())
    }

    /// Copies the wheels of one package that are not among its files yet.
    fn copy_wheels(
        &self,
        id: PackageId,
        folder: &Path,
        built: &[Artifact],
    ) -> Result<Vec<Artifact>> {
        let name = self.distribution(id).name().in_file_name();
        let dir = self.dir(id);
        let mut added = Vec::new();
        for path in wheels_below(folder)? {
            let wheel = python::build::artifact(&path)?;
            let version = version_in_file_name(&wheel.name, &name);
            if version.as_ref() != Some(&self.package(id).version) || built.contains(&wheel) {
                continue;
            }
            if built.iter().any(|file| file.name == wheel.name) {
                bail!("`{}` differs from the file of that name built here", path.display());
            }
            copy(&path, &dir.join(&wheel.name))?;
            // It was signed on the machine that built it, or where the wheels were brought together.
            let attestation = twine::attestation_of(&path);
            if attestation.is_file() {
                copy(&attestation, &twine::attestation_of(&dir.join(&wheel.name)))?;
            }
            added.push(wheel);
        }
        Ok(added)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy `{}`", from.display()))
}

/// Whether a wheel is for `linux_x86_64` and the like, which do not say for which Linux (PEP 513 and
/// PEP 600 do).
fn has_bare_linux_platform(file: &str) -> bool {
    let platform = file.strip_suffix(".whl").and_then(|stem| stem.rsplit('-').next());
    platform.is_some_and(|platform| platform.starts_with("linux_"))
}

/// The check of `--wheels`, before anything is built: the folder is there, and has a wheel of one of
/// these distributions, each given by its name in file names and its version.
pub(crate) fn check(folder: &Path, released: &[(String, String)]) -> Check {
    let shown = folder.display();
    let hint = "pass the folder that holds the wheels of this version, or leave `--wheels` out";
    if !folder.is_dir() {
        let detail = format!("`{shown}`, given to `--wheels`, is not a folder");
        return Check::failed(Rule::BuiltFiles, detail, hint);
    }
    let wheels = match wheels_below(folder) {
        Ok(wheels) => wheels,
        Err(error) => return Check::failed(Rule::BuiltFiles, format!("{error:#}"), hint),
    };
    let names = wheels.iter().filter_map(|path| path.file_name()?.to_str());
    let fitting = names.filter(|file| {
        released.iter().any(|(name, version)| {
            let found = version_in_file_name(file, name);
            found.is_some_and(|found| version.parse().is_ok_and(|version| found == version))
        })
    });
    match fitting.count() {
        // A job that collects wheels may have none to collect.
        0 if wheels.is_empty() => {
            let detail = format!("`{shown}`, given to `--wheels`, has no wheels");
            Check::noted(Rule::BuiltFiles, detail, hint)
        }
        0 => {
            let found = plural(wheels.len(), "wheel");
            let detail = format!(
                "`{shown}`, given to `--wheels`, has {found}, none of a version that is released"
            );
            Check::failed(Rule::BuiltFiles, detail, hint)
        }
        count => Check::passed(
            Rule::BuiltFiles,
            format!("{} of {} in `{shown}` belong to this release", count, wheels.len()),
        ),
    }
}

/// Every wheel in a folder and below it: each CI job uploads a folder of its own.
fn wheels_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut wheels = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read `{}`", folder.display()))?;
        if entry.path().extension().is_some_and(|extension| extension == "whl") {
            wheels.push(entry.into_path());
        }
    }
    Ok(wheels)
}

#[cfg(test)]
mod tests {
    use crate::effects::release::collect_wheels::has_bare_linux_platform;

    #[test]
    fn platforms() {
        assert!(has_bare_linux_platform("a-1-cp312-cp312-linux_x86_64.whl"));
        assert!(!has_bare_linux_platform("a-1-cp312-cp312-manylinux_2_28_x86_64.whl"));
        assert!(!has_bare_linux_platform("a-1-py3-none-any.whl"));
        assert!(!has_bare_linux_platform("a-1.tar.gz"));
    }
}
