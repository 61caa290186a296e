//! The report of a release and of each of its stages.

use domain::finding::Finding;
use domain::release::plan::{Artifact, Package, ReleasePlan};
use domain::release::stage::Stage;
use domain::text::words::by_word;

/// How a release ended.
pub(crate) struct ReleaseOutcome {
    pub(crate) packages: Vec<PackageReport>,
    pub(crate) interruption: Option<Interruption>,
}

pub(crate) struct PackageReport {
    pub(crate) package: Package,
    pub(crate) files: Vec<Artifact>,
    pub(crate) stages: Vec<StageReport>,
    pub(crate) evidence: Vec<Finding>,
}

pub(crate) struct StageReport {
    pub(crate) stage: Stage,
    pub(crate) status: Status,
    pub(crate) seconds: f64,
    pub(crate) detail: String,
}

by_word! {
    pub(crate) enum Status {
        Done = "done",
        Skipped = "skipped",
        Failed = "failed",
    }
}

/// Why a release ended early, and what it leaves behind.
pub(crate) struct Interruption {
    pub(crate) message: String,
    /// The packages that the index has now, each with its version.
    pub(crate) published: Vec<String>,
    pub(crate) unpublished: Vec<String>,
    pub(crate) hint: String,
}

impl ReleaseOutcome {
    /// The outcome of a plan that is only shown.
    pub(crate) fn nothing_done(plan: &ReleasePlan) -> ReleaseOutcome {
        let reports = plan.packages.iter().map(|package| PackageReport {
            package: package.clone(),
            files: Vec::new(),
            stages: Vec::new(),
            evidence: Vec::new(),
        });
        ReleaseOutcome { packages: reports.collect(), interruption: None }
    }
}

/// How a stage ended that did not fail.
pub(super) struct StageOutcome {
    pub(super) status: Status,
    pub(super) detail: String,
}

impl StageOutcome {
    pub(super) fn done(detail: impl Into<String>) -> StageOutcome {
        StageOutcome { status: Status::Done, detail: detail.into() }
    }

    pub(super) fn skipped(detail: impl Into<String>) -> StageOutcome {
        StageOutcome { status: Status::Skipped, detail: detail.into() }
    }
}
