//! Smoke-tests a package together with the siblings that it needs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::ids::{DistributionId, PackageId};
use domain::release::content::import_names;
use domain::release::plan::Action;

use crate::effects::paths::remove;
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
                None => {
                    let published = &workspace.distributions[sibling];
                    let version = published.version();
                    let version = version.with_context(|| {
                        format!("the version of `{}` is unknown", published.name())
                    })?;
                    let wheel = self
                        .published_wheel(sibling, version)
                        .with_context(|| format!("`{}` needs it", distribution.name()))?;
                    (version.to_string(), wheel.files.clone())
                }
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
    pub(super) fn wheels(&self, id: PackageId, tested: TestedFiles) -> Vec<PathBuf> {
        let mut files = match tested {
            TestedFiles::Built => self.files(id),
            TestedFiles::Staged => self.state(id).staged.clone(),
        };
        files.retain(|file| file.extension().is_some_and(|extension| extension == "whl"));
        files
    }
}
