//! Smoke-tests a package together with the siblings that it needs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::ids::{DistributionId, PackageId};
use domain::release::content::import_names;
use domain::release::plan::{Action, files_of};

use crate::effects::index::fetch;
use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::python::smoke::{self, SmokeTest};
use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::Run;

/// The files that a smoke test installs.
#[derive(Clone, Copy)]
pub(super) enum TestedFiles {
    Built,
    Staged,
}

impl Run<'_> {
    pub(super) fn smoke_test(&self, id: PackageId, tested: TestedFiles) -> Result<StageOutcome> {
        if self.is_published(id) {
            return Ok(StageOutcome::skipped("already published"));
        }
        let workspace = self.release.workspace;
        let distribution = self.distribution(id);
        let mut wheels = self.wheels(id, tested);
        let mut versions = vec![(distribution.name().to_string(), self.version(id, tested))];
        for sibling in workspace.transitive_needs(self.package(id).distribution) {
            let (version, found) = match self.release.plan.package_of(sibling) {
                Some(id) => (self.version(id, tested), self.wheels(id, tested)),
                None => self.published_wheels(id, sibling)?,
            };
            versions.push((workspace.distributions[sibling].name().to_string(), version));
            wheels.extend(found);
        }
        let smoke = &distribution.manifest.config.smoke;
        let test = SmokeTest {
            wheels,
            versions,
            imports: smoke.imports.clone().unwrap_or_else(|| self.import_names(id)),
            commands: smoke.commands.clone(),
            timeout: smoke.timeout,
            pythons: smoke.pythons.clone(),
            wheelhouse: self.wheelhouse().map(Path::to_owned),
        };
        let checks = smoke::run(self.release.tools, &test)?;
        let event = match tested {
            TestedFiles::Built => format!("{checks} checks of the built files passed"),
            TestedFiles::Staged => format!("{checks} checks of the staged files passed"),
        };
        self.record(id, event)?;
        Ok(StageOutcome::done(format!("{checks} checks in a fresh environment")))
    }

    /// The names that the built wheel offers for import.
    fn import_names(&self, id: PackageId) -> Vec<String> {
        let state = self.state(id);
        let wheel = state.archives.iter().find(|archive| archive.is_wheel());
        wheel.map(import_names).unwrap_or_default()
    }

    /// A folder with the third-party wheels that the packages of this release need, where more than
    /// one test needs them. The first caller downloads them; others wait for it.
    pub(super) fn wheelhouse(&self) -> Option<&Path> {
        let actions = &self.release.plan.actions;
        let tests = actions.iter().filter(|a| matches!(a, Action::Try(_) | Action::Smoke(_)));
        if tests.count() < 2 {
            return None;
        }
        self.wheelhouse.get_or_init(|| self.download_wheelhouse()).as_deref()
    }

    /// `None` where it fails; each test then downloads what it needs.
    fn download_wheelhouse(&self) -> Option<PathBuf> {
        let dir = self.scratch().join("third-parties");
        remove(&dir).ok()?;
        let packages = self.release.plan.packages.iter();
        let all: Vec<DistributionId> = packages.map(|package| package.distribution).collect();
        let requirements = self.release.workspace.third_parties(&all)?;
        smoke::wheelhouse(self.release.tools, &requirements, dir)
    }

    /// The version that one package has as built, or as staged.
    fn version(&self, id: PackageId, tested: TestedFiles) -> String {
        match tested {
            TestedFiles::Built => self.package(id).version.to_string(),
            TestedFiles::Staged => self.staged_version(id).to_string(),
        }
    }

    /// The wheels of one package, as built or as the staging index served them.
    fn wheels(&self, id: PackageId, tested: TestedFiles) -> Vec<PathBuf> {
        let mut files = match tested {
            TestedFiles::Built => self.files(id),
            TestedFiles::Staged => self.state(id).staged.clone(),
        };
        files.retain(|file| file.extension().is_some_and(|extension| extension == "whl"));
        files
    }

    /// The version and wheels of a sibling that is not part of this release, from the index. They
    /// go into a folder for the test of the package `id` alone, since tests run in parallel.
    fn published_wheels(
        &self,
        id: PackageId,
        sibling: DistributionId,
    ) -> Result<(String, Vec<PathBuf>)> {
        let release = self.release;
        let index = &release.target.index.name;
        let distribution = &release.workspace.distributions[sibling];
        let name = distribution.name();
        let version = distribution
            .version()
            .with_context(|| format!("the version of `{name}` is unknown"))?;
        let listed = release.served.index.files(sibling);
        let mut files = files_of(listed, &name.in_file_name(), version);
        files.retain(|file| file.name.ends_with(".whl"));
        let tested = self.distribution(id).name();
        if files.is_empty() {
            bail!("`{index}` has no wheel of {name} {version}, which `{tested}` needs");
        }
        let published = self.scratch().join("published");
        let dir = published.join(tested.in_file_name()).join(name.in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(release.tools, &files, &dir)?;
        let mut paths = Vec::new();
        for file in &files {
            let path = dir.join(&file.name);
            if file.sha256.as_ref() != Some(&python::build::artifact(&path)?.sha256) {
                bail!("`{}` does not have the SHA-256 that `{index}` lists", file.name);
            }
            paths.push(path);
        }
        Ok((version.to_string(), paths))
    }
}
