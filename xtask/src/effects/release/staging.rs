//! Uploads a package to the staging index, and downloads what it serves.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use domain::ids::PackageId;
use domain::release::plan::ServedFile;

use crate::effects::index::{Index, OtherBytes, fetch};
use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::Run;
use crate::effects::release::upload::{Sent, UploadSet, usable};

impl Run<'_> {
    pub(super) fn upload_to_staging(&self, id: PackageId) -> Result<StageOutcome> {
        if self.is_published(id) {
            self.state(id).staged = self.files(id);
            return Ok(StageOutcome::skipped("already published"));
        }
        let index = usable(&self.release.target.staging)?;
        let set =
            if self.conflicts_with_staging(id) { self.restaged(id)? } else { self.upload_set(id)? };
        let uploaded = self.ensure_uploaded(&set, index).map_err(|stopped| stopped.error)?;
        self.state(id).staged = self.download_staged(&set, index, &uploaded.listed)?;
        if uploaded.sent == Sent::Nothing {
            return Ok(StageOutcome::skipped("already there, same bytes"));
        }
        let version = self.staged_version(id);
        self.record(id, format!("uploaded to {} as {version}", index.repository))?;
        let name = self.release.target.shown(&index.repository);
        let other = if version == self.package(id).version {
            String::new()
        } else {
            format!(" as {version}")
        };
        Ok(StageOutcome::done(format!("served by {name}{other}, same bytes")))
    }

    /// Downloads the files of an upload set as the index serves them, and compares their bytes.
    fn download_staged(
        &self,
        set: &UploadSet,
        index: &Index,
        listed: &[ServedFile],
    ) -> Result<Vec<PathBuf>> {
        let dir = self.scratch().join("staged").join(set.name.in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        let mut wanted = listed.to_vec();
        wanted.retain(|file| set.files.iter().any(|own| own.name == file.name));
        fetch(self.release.tools, &wanted, &dir)?;
        let mut paths = Vec::new();
        for file in &set.files {
            let path = dir.join(&file.name);
            if python::build::artifact(&path)? != *file {
                return Err(
                    OtherBytes::new(&index.repository, std::slice::from_ref(&file.name)).into()
                );
            }
            paths.push(path);
        }
        Ok(paths)
    }
}
