//! The plan of a release beforehand, its outcome afterwards, and both as JSON. Plans and results go
//! to standard output; with `--json`, nothing but the JSON does.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Error;
use domain::finding::{Finding, Refusal};
use domain::ids::DistributionId;
use domain::release::evidence::Section;
use domain::release::ledger::{Ledger, files_json};
use domain::release::plan::ReleasePlan;
use domain::release::preflight::{Check, short};
use domain::release::stage::{Stage, Until};
use domain::workspace::Workspace;
use jzon::{JsonValue, array, object};

use crate::cli::ReleaseOptions;
use crate::effects::release::target::ReleaseTarget;
use crate::effects::release::{Interruption, PackageReport, ReleaseOutcome, StageReport, Status};
use crate::effects::repository::handbook;
use crate::ui::summary::{self, Reason, Row};
use crate::ui::{self, Style, json, paint, say};

/// The release that is reported.
pub(crate) struct Report<'a> {
    pub(crate) root: &'a Path,
    pub(crate) options: &'a ReleaseOptions,
    pub(crate) workspace: &'a Workspace,
    pub(crate) target: &'a ReleaseTarget,
    pub(crate) plan: &'a ReleasePlan,
    pub(crate) checks: &'a [Check],
    /// The commit that is released.
    pub(crate) head: &'a str,
}

/// The JSON and the job summary of a release that was refused.
pub(crate) fn refused(options: &ReleaseOptions, checks: &[Check], error: &Error) {
    if options.json {
        json::print(&object! { "packages": array![], "preflight": preflight(checks) });
    }
    let reasons: Vec<Reason> = match error.downcast_ref::<Refusal>() {
        Some(Refusal(findings)) => findings
            .iter()
            .map(|finding| Reason { message: finding.to_string(), hint: finding.hint.clone() })
            .collect(),
        None => vec![Reason { message: format!("{error:#}"), hint: None }],
    };
    summary::release(&format!("{}: refused", kind(options)), &[], &reasons, "");
}

fn kind(options: &ReleaseOptions) -> &'static str {
    if options.rehearse { "Rehearsal" } else { "Release" }
}

impl Report<'_> {
    fn say(&self, line: &str) {
        if self.options.json { eprintln!("{line}") } else { say!("{line}") }
    }

    fn name(&self, id: DistributionId) -> String {
        self.workspace.distributions[id].name().to_string()
    }

    /// The plan, and the distributions that are already released.
    pub(crate) fn plan(
        &self,
        released: &[DistributionId],
        ledgers: &HashMap<DistributionId, Ledger>,
    ) {
        for &id in released {
            let version = self.workspace.distributions[id].version();
            let version = version.map(ToString::to_string).unwrap_or_default();
            let done = paint(Style::Good, "done:");
            self.say(&format!("{done} {} {version} is already released", self.name(id)));
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
            let built = ledgers.get(&package.distribution).filter(|_| self.options.tested);
            for file in built.iter().flat_map(|ledger| &ledger.files) {
                self.say(&format!("    {}  {}", file.sha256, file.name));
            }
        }
        let staging = self.target.shown(&self.target.staging.name);
        let index = self.target.shown(&self.target.index.name);
        self.say(&match self.options.until {
            Until::Built => "  built and checked, not uploaded".to_owned(),
            Until::Staged => format!("  staged on {staging}, smoke-tested, not published"),
            Until::Published if self.options.tested => {
                format!("  published to {index} as tested, without a build")
            }
            Until::Published => format!("  staged on {staging}, then published to {index}"),
        });
    }

    /// How it ended: a list for an announcement, or what to do next.
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
            Until::Staged => format!("staged on {}", self.target.shown(&self.target.staging.name)),
            Until::Published => {
                format!("published to {}", self.target.shown(&self.target.index.name))
            }
        };
        let rehearsed = if self.options.rehearse { "Rehearsed: " } else { "" };
        self.say(&paint(Style::Good, &format!("{rehearsed}{what}:")));
        for package in &self.plan.packages {
            self.say(&format!("  {} {}", self.name(package.distribution), package.version));
        }
    }

    fn interruption(&self, interruption: &Interruption) {
        ui::stopped(&interruption.message);
        if self.options.until == Until::Published {
            eprintln!("  published: {}", list(&interruption.published));
            eprintln!("  not published: {}", list(&interruption.unpublished));
        }
        let more = handbook::seen_from(self.root).map(|file| format!(" ({file})"));
        let more = more.unwrap_or_default();
        eprintln!("{} {}{more}", paint(Style::Hint, "hint:"), interruption.hint);
    }

    /// The table in the summary of a job, however the release ended.
    fn job_summary(&self, outcome: &ReleaseOutcome) {
        let what = kind(self.options);
        let interruption = outcome.interruption.as_ref();
        let end = interruption.and_then(|interruption| interruption.message.lines().next());
        let reasons = interruption.map(|interruption| Reason {
            message: interruption.message.clone(),
            hint: Some(interruption.hint.clone()),
        });
        let rows: Vec<Row> = outcome.packages.iter().map(|report| self.row(report)).collect();
        summary::release(
            &format!("{what}: {}", end.unwrap_or("done")),
            &rows,
            reasons.as_slice(),
            &self.evidence(outcome),
        );
    }

    /// The evidence as a page, where there is any.
    fn evidence(&self, outcome: &ReleaseOutcome) -> String {
        let packages = outcome.packages.iter();
        if packages.clone().all(|one| one.evidence.is_empty()) {
            return String::new();
        }
        let sections = packages.map(|one| Section {
            name: self.workspace.distributions[one.package.distribution].name().as_str(),
            version: &one.package.version,
            tag: &one.package.tag,
            files: &one.files,
            evidence: &one.evidence,
        });
        domain::release::evidence::report(short(self.head), &sections.collect::<Vec<_>>())
    }

    fn row(&self, report: &PackageReport) -> Row {
        let stages = report.stages.iter();
        Row {
            name: self.name(report.package.distribution),
            version: report.package.version.to_string(),
            tag: report.package.tag.clone(),
            stages: stages
                .map(|stage| (stage.stage.word().to_owned(), stage.status.word().to_owned()))
                .collect(),
            files: report.files.iter().map(|file| file.name.clone()).collect(),
        }
    }

    /// The release as one JSON object, with `--json`.
    pub(crate) fn json(&self, outcome: &ReleaseOutcome, released: &[DistributionId]) {
        if !self.options.json {
            return;
        }
        let done = released.iter().map(|&id| self.released(id));
        let packages: Vec<JsonValue> =
            done.chain(outcome.packages.iter().map(|report| self.package(report))).collect();
        json::print(&object! { "packages": packages, "preflight": preflight(self.checks) });
    }

    /// A distribution that was released before.
    fn released(&self, id: DistributionId) -> JsonValue {
        let distribution = &self.workspace.distributions[id];
        let stage = object! {
            "stage": Stage::Tag.word(),
            "status": Status::Skipped.word(),
            "seconds": 0.0,
            "detail": "already released",
        };
        object! {
            "name": self.name(id),
            "version": distribution.version().map(ToString::to_string),
            "tag": distribution.current_tag(),
            "files": array![],
            "stages": array![stage],
            "evidence": array![],
        }
    }

    fn package(&self, report: &PackageReport) -> JsonValue {
        object! {
            "name": self.name(report.package.distribution),
            "version": report.package.version.to_string(),
            "tag": report.package.tag.as_str(),
            "files": files_json(&report.files),
            "stages": report.stages.iter().map(stage).collect::<Vec<_>>(),
            "evidence": report.evidence.iter().map(evidence).collect::<Vec<_>>(),
        }
    }
}

fn stage(stage: &StageReport) -> JsonValue {
    object! {
        "stage": stage.stage.word(),
        "status": stage.status.word(),
        "seconds": (stage.seconds * 1000.0).round() / 1000.0,
        "detail": stage.detail.as_str(),
    }
}

fn evidence(evidence: &Finding) -> JsonValue {
    object! {
        "kind": evidence.rule.id(),
        "level": evidence.severity.word(),
        "text": evidence.message.as_str(),
    }
}

fn preflight(checks: &[Check]) -> JsonValue {
    let checks = checks.iter().map(|check| {
        object! {
            "check": check.rule.id(),
            "ok": check.ok,
            "detail": check.detail.as_str(),
            "hint": check.hint.as_deref(),
        }
    });
    checks.collect::<Vec<_>>().into()
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
