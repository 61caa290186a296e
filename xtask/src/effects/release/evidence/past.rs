//! Looks up what is published of all siblings, and downloads the wheels, each of them once.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use domain::ids::DistributionId;
use domain::release::plan::{Lookup, ServedFile, files_of};
use formats::name::Name;
use formats::pep440::Version;

use crate::effects::index::fetch;
use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::release::facts::versions;
use crate::effects::release::published::Wheel;
use crate::effects::release::run::Run;
use crate::effects::release::smoke_stage::TestedFiles;
use crate::effects::release::upload::usable;

impl Run<'_> {
    /// The files that the index lists for a distribution; none where it gave no answer.
    pub(super) fn past_files(&self, id: DistributionId) -> &[ServedFile] {
        if let Some((_, files)) = self.release.served.index.iter().find(|(known, _)| *known == id) {
            return files;
        }
        match self.others().get(&id) {
            Some(Lookup::Known(files)) => files,
            Some(Lookup::Unknown(_)) | None => &[],
        }
    }

    /// The siblings about which the index gave no answer, with its reason.
    pub(super) fn unanswered(&self) -> Vec<(&Name, &str)> {
        let distributions = &self.release.workspace.distributions;
        let mut unanswered: Vec<(&Name, &str)> = Vec::new();
        for (&id, lookup) in self.others() {
            if let Lookup::Unknown(why) = lookup {
                unanswered.push((distributions[id].name(), why));
            }
        }
        unanswered.sort_by_key(|(name, _)| name.as_str());
        unanswered
    }

    fn others(&self) -> &HashMap<DistributionId, Lookup<Vec<ServedFile>>> {
        self.past.others.get_or_init(|| {
            let distributions = &self.release.workspace.distributions;
            let known: Vec<DistributionId> =
                self.release.served.index.iter().map(|(id, _)| id).collect();
            let mut ids: Vec<DistributionId> = distributions.ids().collect();
            ids.retain(|id| !known.contains(id) && distributions[*id].manifest.excluded.is_none());
            let names: Vec<&Name> = ids.iter().map(|&id| distributions[id].name()).collect();
            let answer = usable(&self.release.target.index)
                .and_then(|index| index.files(self.release.tools, &names));
            match answer {
                Ok(lookups) => ids.into_iter().zip(lookups).collect(),
                Err(error) => {
                    let unknown = || Lookup::Unknown(format!("{error:#}"));
                    ids.into_iter().map(|id| (id, unknown())).collect()
                }
            }
        })
    }

    /// The published versions that have a wheel and are not yanked, in ascending order; the one that is to be released
    /// is not among them.
    pub(super) fn past_versions(&self, id: DistributionId) -> Vec<Version> {
        let mut wheels = self.past_files(id).to_vec();
        wheels.retain(|file| file.name.ends_with(".whl") && !file.yanked);
        let mut versions = versions(&wheels, self.release.workspace.distributions[id].name());
        versions.retain(|version| self.planned(id) != Some(version));
        versions
    }

    /// The version that is to be released of a distribution.
    pub(super) fn planned(&self, id: DistributionId) -> Option<&Version> {
        self.release.plan.package_of(id).map(|package| &self.package(package).version)
    }

    /// The wheel of a version: built here, or published.
    ///
    /// # Errors
    /// There is none, or it cannot be downloaded.
    pub(super) fn wheel(&self, id: DistributionId, version: &Version) -> Result<Arc<Wheel>> {
        if self.planned(id) != Some(version) {
            return self.published_wheel(id, version);
        }
        let package = self.release.plan.package_of(id).context("it is not released")?;
        let archive = self.state(package).archives.iter().find(|one| one.is_wheel()).cloned();
        let archive = archive.with_context(|| format!("{} has no wheel", self.label(package)))?;
        Ok(Arc::new(Wheel { files: self.wheels(package, TestedFiles::Built), archive }))
    }

    /// The wheel of a version that the index has.
    ///
    /// # Errors
    /// There is none, or it cannot be downloaded.
    pub(in crate::effects::release) fn published_wheel(
        &self,
        id: DistributionId,
        version: &Version,
    ) -> Result<Arc<Wheel>> {
        let name = self.release.workspace.distributions[id].name().in_file_name();
        let dir = self.scratch().join("published").join(format!("{name}-{version}"));
        let mut wheels = self.past.wheels.lock().unwrap_or_else(PoisonError::into_inner);
        let cell = Arc::clone(wheels.entry(dir.clone()).or_default());
        drop(wheels);
        let wheel = cell.get_or_init(|| {
            self.download(id, version, dir).map(Arc::new).map_err(|error| format!("{error:#}"))
        });
        wheel.clone().map_err(|why| anyhow!("{why}"))
    }

    fn download(&self, id: DistributionId, version: &Version, dir: PathBuf) -> Result<Wheel> {
        let index = &self.release.target.index.name;
        let name = self.release.workspace.distributions[id].name();
        let mut files = files_of(self.past_files(id), &name.in_file_name(), version);
        files.retain(|file| file.name.ends_with(".whl"));
        if files.is_empty() {
            bail!("`{index}` has no wheel of {name} {version}");
        }
        if files.iter().any(|file| file.name.ends_with("-none-any.whl")) {
            files.retain(|file| file.name.ends_with("-none-any.whl"));
        }
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(self.release.tools, &files, &dir)?;
        let mut paths = Vec::new();
        for file in &files {
            let path = dir.join(&file.name);
            if file.sha256.as_ref() != Some(&python::build::artifact(&path)?.sha256) {
                bail!("`{}` does not have the SHA-256 that `{index}` lists", file.name);
            }
            paths.push(path);
        }
        let mut archives = python::build::inspect(self.release.tools, &paths[..1])?;
        Ok(Wheel { files: paths, archive: archives.remove(0) })
    }
}
