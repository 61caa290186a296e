//! Takes over files that an index already has under the built names, where another machine built
//! them from the same commit: the bytes on the index are the ones that count.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use domain::ids::PackageId;
use domain::release::plan::{ServedFile, Upload, to_upload};

use crate::effects::index::fetch;
use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::release::ledger;
use crate::effects::release::run::Run;

impl Run<'_> {
    /// Takes over files with the same contents, member for member. Returns whether there were any.
    pub(super) fn adopt(&self, id: PackageId) -> Result<bool> {
        let target = self.release.target;
        // The index comes first: its files can never be replaced.
        let from_index = self.adopt_from(id, &target.index.name, self.listed_on_index(id))?;
        let from_staging = self.adopt_from(id, &target.staging.name, self.listed_on_staging(id))?;
        Ok(from_index || from_staging)
    }

    fn adopt_from(&self, id: PackageId, index: &str, listed: &[ServedFile]) -> Result<bool> {
        let Upload::Conflict(names) = to_upload(&self.artifacts(id), listed) else {
            return Ok(false);
        };
        let mut theirs = listed.to_vec();
        theirs.retain(|file| names.contains(&file.name));
        let dir = self.scratch().join("adopted").join(index);
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(self.release.tools, &theirs, &dir)?;
        let paths: Vec<PathBuf> = theirs.iter().map(|file| dir.join(&file.name)).collect();
        // An archive that cannot be read was not built here.
        let Ok(archives) = python::build::inspect(self.release.tools, &paths) else {
            return Ok(false);
        };
        let ours = self.state(id).archives.clone();
        let is_ours = archives.iter().all(|theirs| {
            ours.iter().any(|own| own.file == theirs.file && own.has_contents_of(theirs))
        });
        if is_ours {
            self.replace(id, &paths, index)?;
        }
        Ok(is_ours)
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
