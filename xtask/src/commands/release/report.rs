//! What a release says of itself: the plan beforehand, the outcome afterwards, and all of it as
//! JSON. Plans and results go to standard output; with `--json` the JSON has that to itself.

use std::path::Path;

use domain::ids::DistributionId;
use domain::release::ledger::files_json;
use domain::release::plan::ReleasePlan;
use domain::release::preflight::Check;
use domain::release::stage::Until;
use domain::workspace::Workspace;
use jzon::{JsonValue, array, object};

use crate::cli::ReleaseOptions;
use crate::effects::release::target::ReleaseTarget;
use crate::effects::release::{Interruption, PackageReport, ReleaseOutcome, StageReport};
use crate::effects::repository::handbook;
use crate::ui::summary::{self, Row};
use crate::ui::{Style, paint, say};

/// The release that is told about.
pub(crate) struct Report<'a> {
    pub(crate) root: &'a Path,
    pub(crate) options: &'a ReleaseOptions,
    pub(crate) workspace: &'a Workspace,
    pub(crate) target: &'a ReleaseTarget,
    pub(crate) plan: &'a ReleasePlan,
    pub(crate) checks: &'a [Check],
}

/// The JSON of a release that was refused.
pub(crate) fn refused(options: &ReleaseOptions, checks: &[Check]) {
    if options.json {
        say!("{}", object! { "packages": array![], "preflight": preflight(checks) }.pretty(2));
    }
}

impl Report<'_> {
    fn say(&self, line: &str) {
        if self.options.json { eprintln!("{line}") } else { say!("{line}") }
    }

    fn name(&self, at: DistributionId) -> String {
        self.workspace.distributions[at].name().to_string()
    }

    /// What is going to happen, and what is done already.
    pub(crate) fn plan(&self, released: &[DistributionId]) {
        for &at in released {
            let version = self.workspace.distributions[at].version();
            let version = version.map(ToString::to_string).unwrap_or_default();
            let done = paint(Style::Good, "done:");
            self.say(&format!("{done} {} {version} is released already", self.name(at)));
        }
        let packages = &self.plan.packages;
        if packages.is_empty() {
            self.say("Nothing to release.");
            return;
        }
        let kind = if self.options.rehearse { "Rehearsal:" } else { "Release plan:" };
        let plural =
            if packages.len() == 1 { "distribution" } else { "distributions, in this order" };
        self.say(&format!("{} {} {plural}", paint(Style::Bold, kind), packages.len()));
        let width =
            packages.iter().map(|package| self.name(package.distribution).len()).max().unwrap_or(0);
        for package in packages {
            let version = package.version.to_string();
            let name = self.name(package.distribution);
            let tag = if package.tagged.is_some() { "tagged" } else { "tag" };
            self.say(&format!("  {name:width$}  {version:10}  {tag} {}", package.tag));
        }
        let (staging, index) = (&self.target.staging.name, &self.target.index.name);
        let stand_in = if self.options.rehearse { ", both stand-ins on this machine" } else { "" };
        self.say(&match self.options.until {
            Until::Built => "  built and checked, not uploaded".to_owned(),
            Until::Staged => {
                format!("  staged on {staging}{stand_in}, smoke-tested, not published")
            }
            Until::Published => {
                format!("  staged on {staging}, then published to {index}{stand_in}")
            }
        });
    }

    /// How it ended: what can be pasted into an announcement, or what to do next.
    pub(crate) fn outcome(&self, outcome: &ReleaseOutcome) {
        match &outcome.interruption {
            None => self.done(),
            Some(interruption) => self.interruption(interruption),
        }
        self.job_summary(outcome);
    }

    fn done(&self) {
        let what = match self.options.until {
            Until::Built => "built".to_owned(),
            Until::Staged => format!("staged on {}", self.target.staging.name),
            Until::Published => format!("published to {}", self.target.index.name),
        };
        let rehearsed = if self.options.rehearse { "Rehearsed: " } else { "" };
        self.say(&paint(Style::Good, &format!("{rehearsed}{what}, all of it:")));
        for package in &self.plan.packages {
            self.say(&format!("  {} {}", self.name(package.distribution), package.version));
        }
    }

    fn interruption(&self, interruption: &Interruption) {
        eprintln!("{} {}", paint(Style::Error, "error:"), interruption.message);
        if self.options.until == Until::Published {
            let list = |names: &[String]| match names {
                [] => "nothing".to_owned(),
                names => names.join(", "),
            };
            eprintln!("  published: {}", list(&interruption.published));
            eprintln!("  not published: {}", list(&interruption.unpublished));
        }
        let more = handbook::seen_from(self.root).map(|file| format!(" ({file})"));
        let more = more.unwrap_or_default();
        eprintln!("{} {}{more}", paint(Style::Hint, "hint:"), interruption.hint);
    }

    /// The table in the summary of a job, however the release ended.
    fn job_summary(&self, outcome: &ReleaseOutcome) {
        let what = if self.options.rehearse { "Rehearsal" } else { "Release" };
        let end = match &outcome.interruption {
            None => "done",
            Some(interruption) => interruption.message.lines().next().unwrap_or("stopped"),
        };
        let row = |report: &PackageReport| Row {
            name: self.name(report.package.distribution),
            version: report.package.version.to_string(),
            tag: report.package.tag.clone(),
            stages: report
                .stages
                .iter()
                .map(|stage| (stage.stage.to_owned(), stage.status.word().to_owned()))
                .collect(),
            files: report.files.iter().map(|file| file.name.clone()).collect(),
        };
        let rows: Vec<Row> = outcome.packages.iter().map(row).collect();
        summary::release(&format!("{what}: {end}"), &rows);
    }

    /// All of it as one JSON object, where that was asked for.
    pub(crate) fn json(&self, outcome: &ReleaseOutcome, released: &[DistributionId]) {
        if !self.options.json {
            return;
        }
        let done = released.iter().map(|&at| self.released(at));
        let packages: Vec<JsonValue> =
            done.chain(outcome.packages.iter().map(|report| self.package(report))).collect();
        say!("{}", object! { "packages": packages, "preflight": preflight(self.checks) }.pretty(2));
    }

    /// A distribution of which there is nothing to be done.
    fn released(&self, at: DistributionId) -> JsonValue {
        let distribution = &self.workspace.distributions[at];
        let stage = object! {
            "stage": "tag",
            "status": "skipped",
            "seconds": 0.0,
            "detail": "released already",
        };
        object! {
            "name": self.name(at),
            "version": distribution.version().map(ToString::to_string),
            "tag": distribution.current_tag(),
            "files": array![],
            "stages": array![stage],
        }
    }

    fn package(&self, report: &PackageReport) -> JsonValue {
        object! {
            "name": self.name(report.package.distribution),
            "version": report.package.version.to_string(),
            "tag": report.package.tag.as_str(),
            "files": files_json(&report.files),
            "stages": report.stages.iter().map(stage).collect::<Vec<_>>(),
        }
    }
}

fn stage(stage: &StageReport) -> JsonValue {
    object! {
        "stage": stage.stage,
        "status": stage.status.word(),
        "seconds": (stage.seconds * 1000.0).round() / 1000.0,
        "detail": stage.detail.as_str(),
    }
}

fn preflight(checks: &[Check]) -> JsonValue {
    let check = |check: &Check| {
        object! {
            "check": check.check.id(),
            "ok": check.ok,
            "detail": check.detail.as_str(),
            "hint": check.hint.as_deref(),
        }
    };
    checks.iter().map(check).collect::<Vec<_>>().into()
}
