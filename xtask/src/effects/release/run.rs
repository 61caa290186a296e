//! A release under way: its inputs, and the state of each package.
//!
//! Must not know any stage: each of them is in a file of its own, which imports this one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Result, anyhow};
use domain::finding::Finding;
use domain::ids::{DistributionId, IdVec, PackageId};
use domain::release::content::Archive;
use domain::release::ledger::Ledger;
use domain::release::plan::{
    Artifact, Package, ReleasePlan, ServedFile, Upload, files_of, lacks, to_upload,
};
use domain::release::stage::Stage;
use domain::workspace::{Distribution, Workspace};
use formats::pep440::Version;

use crate::effects::process::worker::Workers;
use crate::effects::python::tools::Tools;
use crate::effects::release::facts::Served;
use crate::effects::release::ledger;
use crate::effects::release::outcome::StageReport;
use crate::effects::release::published::Past;
use crate::effects::release::target::ReleaseTarget;
use crate::effects::repository::git::Git;
use crate::ui::progress::Progress;

/// Everything that carrying out a plan needs.
pub(crate) struct Release<'a> {
    pub(crate) target: &'a ReleaseTarget,
    pub(crate) tools: &'a Tools,
    pub(crate) workspace: &'a Workspace,
    pub(crate) plan: &'a ReleasePlan,
    pub(crate) progress: &'a Progress,
    /// The clean export of `head`.
    pub(crate) source: &'a Path,
    pub(crate) head: &'a str,
    pub(crate) served: Served,
    /// Ledgers of earlier builds.
    pub(crate) ledgers: HashMap<DistributionId, Ledger>,
    /// A folder of wheels that other machines built from the same commit.
    pub(crate) wheels: Option<&'a Path>,
    pub(crate) jobs: usize,
    /// Whether a version whose file names staging has with other contents is staged as a
    /// post-release instead of refused.
    pub(crate) restage: bool,
}

/// The run of one release.
pub(super) struct Run<'a> {
    pub(super) release: &'a Release<'a>,
    pub(super) states: IdVec<PackageId, Mutex<PackageState>>,
    /// The folder of third-party wheels, where there is one; see `smoke_stage`.
    pub(super) wheelhouse: OnceLock<Option<PathBuf>>,
    /// The files that are published, apart from the files listed in `release`.
    pub(super) past: Past,
    /// twine processes, one for each index.
    pub(super) twines: Workers,
}

/// The state of one package.
#[derive(Default)]
pub(super) struct PackageState {
    pub(super) ledger: Option<Ledger>,
    pub(super) archives: Vec<Archive>,
    /// The files as the staging index served them.
    pub(super) staged: Vec<PathBuf>,
    /// The post-release that was staged instead of the version itself.
    pub(super) restaged: Option<Version>,
    pub(super) publish_state: PublishState,
    pub(super) stages: Vec<StageReport>,
    pub(super) evidence: Vec<Finding>,
}

/// Whether files of a package are on the index, where nothing can remove their names again.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum PublishState {
    #[default]
    Unpublished,
    /// Some of its files are.
    Partial,
    Published,
    /// Files were sent, and no answer tells whether they arrived.
    Unconfirmed,
}

/// The stage that failed, and why.
pub(super) struct Failure {
    /// `None` when it concerns all packages together.
    pub(super) package: Option<PackageId>,
    pub(super) stage: Stage,
    pub(super) error: anyhow::Error,
}

impl<'a> Run<'a> {
    pub(super) fn new(release: &'a Release<'a>) -> Run<'a> {
        Run {
            release,
            states: IdVec::like(&release.plan.packages, Mutex::default),
            wheelhouse: OnceLock::new(),
            past: Past::default(),
            twines: Workers::default(),
        }
    }

    pub(super) fn git(&self) -> &'a Git {
        &self.release.target.git_target.git
    }

    /// The folder for what may be deleted at any time.
    pub(super) fn scratch(&self) -> &'a Path {
        &self.release.target.git_target.scratch
    }

    pub(super) fn package(&self, id: PackageId) -> &'a Package {
        &self.release.plan.packages[id]
    }

    pub(super) fn distribution(&self, id: PackageId) -> &'a Distribution {
        &self.release.workspace.distributions[self.package(id).distribution]
    }

    /// Name and version, as messages show them.
    pub(super) fn label(&self, id: PackageId) -> String {
        format!("{} {}", self.distribution(id).name(), self.package(id).version)
    }

    /// The directory of the built files.
    pub(super) fn dir(&self, id: PackageId) -> PathBuf {
        let version = self.package(id).version.to_string();
        let dist = &self.release.target.git_target.dist;
        ledger::dir(dist, &self.distribution(id).name().in_file_name(), &version)
    }

    /// The paths of the built files.
    pub(super) fn files(&self, id: PackageId) -> Vec<PathBuf> {
        let dir = self.dir(id);
        self.artifacts(id).iter().map(|file| dir.join(&file.name)).collect()
    }

    /// The built files; none before the build.
    pub(super) fn artifacts(&self, id: PackageId) -> Vec<Artifact> {
        self.state(id).ledger.as_ref().map(|ledger| ledger.files.clone()).unwrap_or_default()
    }

    pub(super) fn ledger(&self, id: PackageId) -> Result<Ledger> {
        self.state(id).ledger.clone().ok_or_else(|| anyhow!("it has not been built"))
    }

    pub(super) fn state(&self, id: PackageId) -> MutexGuard<'_, PackageState> {
        self.states[id].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an event into the ledger of a package.
    pub(super) fn record(&self, id: PackageId, event: String) -> Result<()> {
        let mut ledger = self.ledger(id)?;
        ledger::record(&self.dir(id), &mut ledger, event)?;
        self.state(id).ledger = Some(ledger);
        Ok(())
    }

    /// The files of a package that the staging index listed before the release.
    pub(super) fn listed_on_staging(&self, id: PackageId) -> &'a [ServedFile] {
        self.release.served.staging.files(self.package(id).distribution)
    }

    /// The files of a package that the index listed before the release.
    pub(super) fn listed_on_index(&self, id: PackageId) -> &'a [ServedFile] {
        self.release.served.index.files(self.package(id).distribution)
    }

    /// Whether the index has every built file of a package, with the same bytes. Staging is then
    /// irrelevant.
    pub(super) fn is_published(&self, id: PackageId) -> bool {
        to_upload(&self.artifacts(id), self.listed_on_index(id)) == Upload::Nothing
    }

    /// Whether staging has other contents under the built file names, and so will never accept the
    /// built files.
    pub(super) fn conflicts_with_staging(&self, id: PackageId) -> bool {
        matches!(to_upload(&self.artifacts(id), self.listed_on_staging(id)), Upload::Conflict(_))
    }

    /// Whether a package was published, by this run or an earlier one.
    pub(super) fn publish_state(&self, id: PackageId) -> PublishState {
        let now = self.state(id).publish_state;
        if now != PublishState::Unpublished {
            return now;
        }
        let version = &self.package(id).version;
        let name = self.distribution(id).name().in_file_name();
        let listed = self.listed_on_index(id);
        if files_of(listed, &name, version).is_empty() {
            PublishState::Unpublished
        } else if lacks(listed, &name, version).is_some() {
            PublishState::Partial
        } else {
            PublishState::Published
        }
    }
}
