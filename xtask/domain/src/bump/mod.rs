//! `bump` as a pure function: what is asked for and what the repository says become a [`BumpPlan`].
//!
//! The files are seen through [`Files`](crate::source::Files); nothing here writes, asks or prints.

mod attach;
mod copies;
mod groups;
mod plan;
mod planner;
pub mod range;
pub mod step;
pub mod usual_tags;

use formats::pep440::Version;

use crate::finding::Refusal;
use crate::ids::DistributionId;
use crate::parallel;

pub use attach::CHANGELOGS;
pub use plan::{Bump, BumpFacts, BumpNote, BumpPlan, BumpRequest, History, RangeMove};

/// Plans a bump.
///
/// # Errors
/// Everything that no rule covers, all at once: a version that cannot be followed or does not
/// go upwards, a range that cannot be made to admit the new version.
pub fn plan(facts: BumpFacts<'_>, request: &BumpRequest) -> Result<BumpPlan, Refusal> {
    let planning = |bumped: &mut dyn FnMut(DistributionId, &Version)| {
        planner::versions_and_ranges(facts, request, bumped)
    };
    let (plan, copies) = copies::beside(facts, planning);
    let mut plan = plan?;
    attach::all(facts, request, &mut plan);
    copies::report(copies, &mut plan);
    finish(facts, plan)
}

fn finish(facts: BumpFacts<'_>, mut plan: BumpPlan) -> Result<BumpPlan, Refusal> {
    parallel::sort(&mut plan.edits, |a, b| (&a.file, a.span.start).cmp(&(&b.file, b.span.start)));
    plan.edits.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.after == b.after);
    plan.notes.sort();
    plan.notes.dedup();
    plan.writes = planner::writes(facts, &plan.edits)?;
    Ok(plan)
}
