//! Carries out a release plan: one exhaustive match over its actions.

use std::sync::PoisonError;
use std::thread;

use anyhow::Result;
use domain::check::condensed;
use domain::finding::{Finding, Refusal};
use domain::ids::PackageId;
use domain::parallel;
use domain::release::ledger::Event;
use domain::release::plan::Action;
use domain::release::stage::Stage;

use crate::effects::process::interrupt;
use crate::effects::release::outcome::{
    PackageReport, ReleaseOutcome, StageOutcome, StageReport, Status,
};
use crate::effects::release::run::{Failure, PackageState, PublishState, Release, Run};
use crate::effects::release::smoke_stage::TestedFiles;

impl Release<'_> {
    /// Performs every action of the plan, until it is done or one of them fails.
    pub(crate) fn carry_out(self) -> ReleaseOutcome {
        let run = Run::new(&self);
        interrupt::stand(run.standing());
        let result = run.perform_all();
        let interruption = result.err().map(|failure| run.interruption(&failure));
        let packages = self.plan.packages.iter().zip(run.states);
        let reports = packages.map(|(package, state)| {
            let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
            let files = state.ledger.as_ref().map(|ledger| ledger.files.clone());
            let files = files.unwrap_or_default();
            let PackageState { stages, evidence, .. } = state;
            PackageReport { package: package.clone(), files, stages, evidence }
        });
        ReleaseOutcome { packages: reports.collect(), interruption }
    }
}

/// Whether two actions may run at the same time: those that send nothing.
fn is_parallel(a: &Action, b: &Action) -> bool {
    matches!(
        (a, b),
        (Action::Build(_), Action::Build(_))
            | (Action::Try(_), Action::Try(_))
            | (Action::Smoke(_), Action::Smoke(_))
    )
}

impl Run<'_> {
    fn perform_all(&self) -> Result<(), Failure> {
        let actions = &self.release.plan.actions;
        let needs_tests = actions.iter().any(|action| match action {
            Action::Smoke(id) => self.publish_state(*id) != PublishState::Published,
            _ => false,
        });
        thread::scope(|scope| {
            if self.release.jobs > 1 && needs_tests {
                // Ready when the first smoke test needs it.
                scope.spawn(|| self.wheelhouse());
            }
            for actions in actions.chunk_by(is_parallel) {
                let are_last_tests = matches!(actions[0], Action::Smoke(_));
                if are_last_tests {
                    // No process holds a secret while a smoke test runs foreign code.
                    self.twines.end();
                }
                let results =
                    parallel::map(self.release.jobs, actions, |&action| self.perform(action));
                results.into_iter().collect::<Result<Vec<()>, Failure>>()?;
                if are_last_tests {
                    let stage = Stage::Smoke;
                    self.write_receipt().map_err(|error| Failure {
                        package: None,
                        stage,
                        error,
                    })?;
                }
            }
            Ok(())
        })
    }

    fn perform(&self, action: Action) -> Result<(), Failure> {
        match action {
            Action::Build(id) => self.stage(id, Stage::Build, || self.build_and_collect(id)),
            Action::Take(id) => self.stage(id, Stage::Build, || self.take_tested(id)),
            Action::Check => self.check_all(),
            Action::Evidence => self.evidence(),
            Action::Try(id) => {
                self.stage(id, Stage::Try, || self.smoke_test(id, TestedFiles::Built))
            }
            Action::Stage(id) => self.stage(id, Stage::Stage, || self.upload_to_staging(id)),
            Action::Smoke(id) => {
                self.stage(id, Stage::Smoke, || self.smoke_test(id, TestedFiles::Staged))
            }
            Action::Publish(id) => self.stage(id, Stage::Publish, || self.publish(id)),
            Action::Tag(id) => self.stage(id, Stage::Tag, || self.tag(id)),
        }
    }

    /// Runs one stage of one package, shown and timed.
    fn stage(
        &self,
        id: PackageId,
        stage: Stage,
        work: impl FnOnce() -> Result<StageOutcome>,
    ) -> Result<(), Failure> {
        let label = self.label(id);
        let shown = format!("{label}: {}", stage.word());
        let (result, seconds) = self.release.progress.during(&shown, work);
        let (status, detail) = match &result {
            Ok(outcome) => (outcome.status, outcome.detail.clone()),
            Err(error) => (Status::Failed, format!("{error:#}")),
        };
        let report = StageReport { stage, status, seconds, detail };
        self.show(&label, &report);
        self.state(id).stages.push(report);
        result.map(drop).map_err(|error| Failure { package: Some(id), stage, error })
    }

    /// Checks the contents of all packages, shown and timed. A check that could not be made is a
    /// failure without a report.
    fn check_all(&self) -> Result<(), Failure> {
        let stage = Stage::Check;
        let (result, seconds) =
            self.release.progress.during("checking the built files", || self.content_findings());
        let failure = |error| Failure { package: None, stage, error };
        let findings = result.map_err(failure)?.into_iter();
        let (errors, rest): (Vec<Finding>, Vec<Finding>) = findings.partition(Finding::is_error);
        for finding in condensed(&rest) {
            self.release.progress.say(&format!("{}: {finding}", finding.severity.word()));
        }
        let findings = Refusal(errors);
        let is_clean = findings.0.is_empty();
        let (status, detail) = if is_clean {
            (Status::Done, "twine, names, metadata, siblings, paths".to_owned())
        } else {
            (Status::Failed, findings.to_string())
        };
        for id in self.states.ids() {
            let detail = detail.clone();
            self.state(id).stages.push(StageReport { stage, status, seconds, detail });
            if !is_clean {
                self.record(id, Event::REJECTED.to_owned()).map_err(failure)?;
            }
        }
        if !is_clean {
            return Err(failure(findings.into()));
        }
        self.show("all distributions", &StageReport { stage, status, seconds, detail });
        Ok(())
    }

    /// Gathers the evidence of all packages. Without a published past there is none, and no report.
    fn evidence(&self) -> Result<(), Failure> {
        let stage = Stage::Evidence;
        let gather = || self.gather_evidence();
        let (result, seconds) =
            self.release.progress.during("testing with what is published", gather);
        let (status, detail) = match &result {
            Ok(None) => return Ok(()),
            Ok(Some(summary)) => (Status::Done, summary.clone()),
            Err(error) => (Status::Failed, format!("{error:#}")),
        };
        for id in self.states.ids() {
            let detail = detail.clone();
            self.state(id).stages.push(StageReport { stage, status, seconds, detail });
        }
        self.show("all distributions", &StageReport { stage, status, seconds, detail });
        result.map(drop).map_err(|error| Failure { package: None, stage, error })
    }

    /// The line of a stage that is over.
    fn show(&self, label: &str, report: &StageReport) {
        let StageReport { stage, status, seconds, detail } = report;
        let stage = stage.word();
        let status = status.word();
        let detail = detail.lines().next().unwrap_or_default();
        self.release
            .progress
            .say(&format!("  {label:30} {stage:8} {seconds:5.1} s  {status:7} {detail}"));
    }
}
