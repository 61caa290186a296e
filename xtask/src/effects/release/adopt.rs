//! Takes over files that an index already has under the built names, where another machine built
//! them from the same commit: the bytes on the index are the ones that count.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use domain::ids::PackageId;
use domain::release::plan::{Artifact, ServedFile, Upload, to_upload};

use crate::effects::index::fetch;
use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::release::ledger;
use crate::effects::release::run::Run;

/// The files that two indexes have under the built names.
#[derive(Default)]
pub(super) struct Adoption {
    /// Whether any were taken over.
    pub(super) is_any: bool,
    /// How the first file that was not taken over differs from the built one.
    pub(super) on_index: Option<String>,
    pub(super) on_staging: Option<String>,
}

impl Run<'_> {
    /// Takes over files that are the same down to their structure: members, types, modes.
    ///
    /// Anyone can register a name on a staging index, so from there only files that our own ledger
    /// lists are taken.
    pub(super) fn adopt(&self, id: PackageId) -> Result<Adoption> {
        let target = self.release.target;
        let earlier = self.release.ledgers.get(&self.package(id).distribution);
        let vouched = earlier.map_or(&[][..], |ledger| &ledger.files);
        // The index comes first: its files can never be replaced.
        let from_index = self.adopt_from(id, &target.index.name, self.listed_on_index(id), None)?;
        let listed = self.listed_on_staging(id);
        let from_staging = self.adopt_from(id, &target.staging.name, listed, Some(vouched))?;
        let is_any = [&from_index, &from_staging].contains(&&Some(None));
        Ok(Adoption { is_any, on_index: from_index.flatten(), on_staging: from_staging.flatten() })
    }

    /// `None` where an index has no other bytes; the difference where they are not taken over.
    fn adopt_from(
        &self,
        id: PackageId,
        index: &str,
        listed: &[ServedFile],
        vouched: Option<&[Artifact]>,
    ) -> Result<Option<Option<String>>> {
        let Upload::Conflict(names) = to_upload(&self.artifacts(id), listed) else {
            return Ok(None);
        };
        let mut theirs = listed.to_vec();
        theirs.retain(|file| names.contains(&file.name));
        let dir = self.scratch().join("adopted").join(index);
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(self.release.tools, &theirs, &dir)?;
        let paths: Vec<PathBuf> = theirs.iter().map(|file| dir.join(&file.name)).collect();
        let difference = self.difference(id, &paths, vouched)?;
        if difference.is_none() {
            self.replace(id, &paths, index)?;
        }
        Ok(Some(difference))
    }

    fn difference(
        &self,
        id: PackageId,
        paths: &[PathBuf],
        vouched: Option<&[Artifact]>,
    ) -> Result<Option<String>> {
        // An archive that cannot be read was not built here.
        let archives = match python::build::inspect(self.release.tools, paths) {
            Ok(archives) => archives,
            Err(error) => return Ok(Some(format!("{error:#}"))),
        };
        let ours = self.state(id).archives.clone();
        for (theirs, path) in archives.iter().zip(paths) {
            let own = ours.iter().find(|own| own.file == theirs.file);
            if let Some(difference) = own.and_then(|own| own.difference(theirs)) {
                return Ok(Some(format!("`{}` there {difference}", theirs.file)));
            }
            let artifact = python::build::artifact(path)?;
            if vouched.is_some_and(|vouched| !vouched.contains(&artifact)) {
                return Ok(Some(format!(
                    "`{}` there holds the same files in other bytes, and no ledger here lists those",
                    theirs.file
                )));
            }
        }
        Ok(None)
    }

    /// Replaces built files by those of an index.
    fn replace(&self, id: PackageId, paths: &[PathBuf], index: &str) -> Result<()> {
        let dir = self.dir(id);
        let mut ledger = self.ledger(id)?;
        // In a new directory: a ledger must never describe other bytes than those beside it.
        let partial = ledger::begin(&dir)?;
        for file in &ledger.files {
            fs::copy(dir.join(&file.name), partial.join(&file.name))?;
        }
        for path in paths {
            let file = python::build::artifact(path)?;
            fs::copy(path, partial.join(&file.name))?;
            ledger.files.retain(|own| own.name != file.name);
            ledger.files.push(file);
        }
        ledger.files.sort();
        let event = format!("taken over from {index}, built from the same commit");
        ledger::record(&partial, &mut ledger, event)?;
        ledger::complete(&partial, &dir)?;
        self.state(id).ledger = Some(ledger);
        Ok(())
    }
}
