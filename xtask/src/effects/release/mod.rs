//! Carries out a release plan: one exhaustive match over its actions.

mod build;
mod collect_wheels;
pub(crate) mod facts;
pub(crate) mod ledger;
pub(crate) mod notes;
mod report_failure;
mod restage;
mod smoke_stage;
pub(crate) mod target;
mod upload;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, anyhow, bail};
use domain::finding::{Finding, Refusal};
use domain::ids::{DistributionId, IdVec, PackageId};
use domain::parallel;
use domain::release::content::{self, Archive, Built, Siblings, import_names};
use domain::release::ledger::{Event, Ledger};
use domain::release::plan::{
    Action, Artifact, Lookup, Package, ReleasePlan, ServedFile, Upload, files_of, lacks, sort,
    to_upload, version_in_file_name,
};
use domain::release::preflight::short;
use domain::release::upload_reply::Reply;
use domain::workspace::{Distribution, Workspace};
use formats::name::Name;
use formats::pep440::Version;

use crate::effects::index::twine::{self, UploadFailed};
use crate::effects::index::{Index, fetch};
use crate::effects::paths::remove;
use crate::effects::process::worker::Workers;
use crate::effects::python::smoke::{self, SmokeTest};
use crate::effects::python::tools::Tools;
use crate::effects::release::facts::{Served, versions};
use crate::effects::release::target::ReleaseTarget;
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
    /// What was built before, by index in the workspace.
    pub(crate) ledgers: HashMap<DistributionId, Ledger>,
    /// A folder of wheels that other machines built of the same commit.
    pub(crate) wheels: Option<&'a Path>,
    pub(crate) jobs: usize,
    /// A version that staging has burnt is staged as a post-release instead of refused.
    pub(crate) restage: bool,
}

/// What came of it.
pub(crate) struct ReleaseOutcome {
    pub(crate) packages: Vec<PackageReport>,
    pub(crate) interruption: Option<Interruption>,
}

pub(crate) struct PackageReport {
    pub(crate) package: Package,
    pub(crate) files: Vec<Artifact>,
    pub(crate) stages: Vec<StageReport>,
}

pub(crate) struct StageReport {
    pub(crate) stage: &'static str,
    pub(crate) status: Status,
    pub(crate) seconds: f64,
    pub(crate) detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    Skipped,
    Failed,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        }
    }
}

/// Why a release ended early, and where that leaves it.
pub(crate) struct Interruption {
    pub(crate) message: String,
    /// What the index has now, each with its version.
    pub(crate) published: Vec<String>,
    pub(crate) unpublished: Vec<String>,
    pub(crate) hint: String,
}

impl ReleaseOutcome {
    /// The outcome of a plan that was only shown.
    pub(crate) fn nothing_done(plan: &ReleasePlan) -> ReleaseOutcome {
        let report = |package: &Package| PackageReport {
            package: package.clone(),
            files: Vec::new(),
            stages: Vec::new(),
        };
        ReleaseOutcome { packages: plan.packages.iter().map(report).collect(), interruption: None }
    }
}

/// What a stage has to say when it is over.
struct StageOutcome {
    status: Status,
    detail: String,
}

fn done(detail: impl Into<String>) -> StageOutcome {
    StageOutcome { status: Status::Done, detail: detail.into() }
}

fn skipped(detail: impl Into<String>) -> StageOutcome {
    StageOutcome { status: Status::Skipped, detail: detail.into() }
}

/// What is known of one package while the plan is carried out.
#[derive(Default)]
struct PackageState {
    ledger: Option<Ledger>,
    archives: Vec<Archive>,
    /// The files as the staging index served them.
    staged: Vec<PathBuf>,
    /// The post-release that was staged in place of a burnt version.
    restaged: Option<Version>,
    publish_state: PublishState,
    stages: Vec<StageReport>,
}

/// Whether something of a package is on the index, where nothing takes it back.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum PublishState {
    #[default]
    No,
    /// Some of its files are.
    Partial,
    Yes,
    /// It was sent, and there is no answer that settles it.
    Perhaps,
}

impl Release<'_> {
    /// Does everything that the plan says, until it is done or something fails.
    pub(crate) fn carry_out(self) -> ReleaseOutcome {
        let states = IdVec::like(&self.plan.packages, Mutex::default);
        let run =
            Run { release: &self, states, wheelhouse: OnceLock::new(), twines: Workers::default() };
        let result = run.actions();
        let interruption = result.err().map(|failure| run.interruption(&failure));
        let packages = self.plan.packages.iter().zip(run.states);
        let packages = packages
            .map(|(package, state)| {
                let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
                let files = state.ledger.map(|ledger| ledger.files).unwrap_or_default();
                PackageReport { package: package.clone(), files, stages: state.stages }
            })
            .collect();
        ReleaseOutcome { packages, interruption }
    }
}

/// Which files a smoke test installs.
#[derive(Clone, Copy)]
enum TestedFiles {
    Built,
    Staged,
}

struct Run<'a> {
    release: &'a Release<'a>,
    states: IdVec<PackageId, Mutex<PackageState>>,
    wheelhouse: OnceLock<Option<PathBuf>>,
    twines: Workers,
}

/// The action that failed, and why.
struct Failure {
    /// `None` when it concerns all packages together.
    package: Option<PackageId>,
    stage: &'static str,
    error: anyhow::Error,
}

impl Run<'_> {
    fn actions(&self) -> Result<(), Failure> {
        // What sends nothing can be done side by side.
        let together = |a: &Action, b: &Action| {
            matches!(
                (a, b),
                (Action::Build(_), Action::Build(_))
                    | (Action::Try(_), Action::Try(_))
                    | (Action::Smoke(_), Action::Smoke(_))
            )
        };
        thread::scope(|scope| {
            let open = |id: PackageId| self.publish_state_before_or_now(id) != PublishState::Yes;
            if self.release.jobs > 1 && self.states.ids().any(open) {
                // It is there when the first test asks for it.
                scope.spawn(|| self.wheelhouse());
            }
            for actions in self.release.plan.actions.chunk_by(together) {
                if matches!(actions[0], Action::Smoke(_)) {
                    // No process that holds a secret is there while anybody's code runs.
                    self.twines.end();
                }
                let results =
                    parallel::map(self.release.jobs, actions, |&action| self.perform(action));
                results.into_iter().collect::<Result<Vec<()>, Failure>>()?;
            }
            Ok(())
        })
    }

    fn perform(&self, action: Action) -> Result<(), Failure> {
        match action {
            Action::Build(id) => self.stage(id, "build", || self.built_and_collected(id)),
            Action::Check => self.check(),
            Action::Try(id) => self.stage(id, "try", || self.smoke_test(id, TestedFiles::Built)),
            Action::Stage(id) => self.stage(id, "stage", || self.upload_to_staging(id)),
            Action::Smoke(id) => {
                self.stage(id, "smoke", || self.smoke_test(id, TestedFiles::Staged))
            }
            Action::Publish(id) => self.stage(id, "publish", || self.publish(id)),
            Action::Tag(id) => self.stage(id, "tag", || self.tag(id)),
        }
    }

    /// Does one stage of one package, shown and timed.
    fn stage(
        &self,
        id: PackageId,
        stage: &'static str,
        work: impl FnOnce() -> Result<StageOutcome>,
    ) -> Result<(), Failure> {
        let label = self.label(id);
        let (result, seconds) = self.release.progress.during(&format!("{label}: {stage}"), work);
        let (status, detail) = match &result {
            Ok(told) => (told.status, told.detail.clone()),
            Err(error) => (Status::Failed, format!("{error:#}")),
        };
        let first_line = detail.lines().next().unwrap_or_default();
        self.release.progress.say(&format!(
            "  {label:30} {stage:8} {seconds:5.1} s  {:7} {first_line}",
            status.word()
        ));
        self.state(id).stages.push(StageReport { stage, status, seconds, detail });
        result.map(drop).map_err(|error| Failure { package: Some(id), stage, error })
    }

    /// Writes an event into the ledger of a package.
    fn record(&self, id: PackageId, what: String) -> Result<()> {
        let mut ledger = self.ledger(id)?;
        ledger::record(&self.dir(id), &mut ledger, what)?;
        self.state(id).ledger = Some(ledger);
        Ok(())
    }

    /// Whether the index has all files of a package, with the bytes that were built: then staging
    /// has nothing more to say about them.
    fn is_published(&self, id: PackageId) -> bool {
        let built = self.ledger(id).map(|ledger| ledger.files).unwrap_or_default();
        let listed = self.release.served.index.get(&self.package(id).distribution);
        listed.is_some_and(|listed| to_upload(&built, listed) == Upload::Nothing)
    }

    fn package(&self, id: PackageId) -> &Package {
        &self.release.plan.packages[id]
    }

    fn distribution(&self, id: PackageId) -> &Distribution {
        &self.release.workspace.distributions[self.package(id).distribution]
    }

    fn label(&self, id: PackageId) -> String {
        format!("{} {}", self.distribution(id).name(), self.package(id).version)
    }

    fn dir(&self, id: PackageId) -> PathBuf {
        let version = self.package(id).version.to_string();
        ledger::dir(
            &self.release.target.git_target.dist,
            &self.distribution(id).name().in_file_name(),
            &version,
        )
    }

    fn files(&self, id: PackageId) -> Vec<PathBuf> {
        let dir = self.dir(id);
        let state = self.state(id);
        state
            .ledger
            .iter()
            .flat_map(|ledger| &ledger.files)
            .map(|file| dir.join(&file.name))
            .collect()
    }

    fn ledger(&self, id: PackageId) -> Result<Ledger> {
        self.state(id).ledger.clone().ok_or_else(|| anyhow!("it was not built"))
    }

    fn state(&self, id: PackageId) -> MutexGuard<'_, PackageState> {
        self.states[id].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
