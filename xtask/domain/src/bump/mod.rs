//! `bump` as a pure function: a request and the facts of a repository become a [`BumpPlan`].
//!
//! The files are read through [`Files`](crate::source::Files); nothing here writes or prints.

mod causes;
mod changelogs;
pub(crate) mod copies;
mod follow;
mod groups;
mod locks;
mod plan;
mod planner;
pub mod range;
pub mod step;
mod targets;
pub mod usual_tags;

use std::collections::HashMap;

use crate::finding::{Finding, Refusal, Rule};
use crate::parallel;
use crate::text::edit::{self, Edit, Write};

pub use changelogs::CHANGELOGS;
pub use plan::{Bump, BumpFacts, BumpNote, BumpPlan, BumpRequest, History, RangeMove};

/// Plans a bump.
///
/// # Errors
/// Everything that no rule covers, all at once: a version that cannot be rewritten or does not
/// increase, a range that cannot be made to admit the new version.
pub fn plan(facts: BumpFacts<'_>, request: &BumpRequest) -> Result<BumpPlan, Refusal> {
    let mut plan = planner::versions_and_ranges(facts, request)?;
    plan.add(copies::named(facts, &plan.bumps));
    plan.add(changelogs::additions(facts, request, &plan));
    plan.add(locks::additions(facts, &plan.bumps));
    plan.edits.extend(locks::of_crates(facts, &plan.edits));
    plan.notes.extend(manifest_notes(facts, &plan.bumps));
    plan.notes.extend(copies::unnamed(facts, &plan));
    plan.edits.sort_by(|a, b| (&a.file, a.span.start).cmp(&(&b.file, b.span.start)));
    plan.edits.dedup_by(|a, b| a.file == b.file && a.span == b.span && a.after == b.after);
    plan.notes.sort();
    plan.notes.dedup();
    plan.writes = writes(facts, &plan.edits)?;
    Ok(plan)
}

/// The faults of the bumped manifests that a bump works around.
fn manifest_notes(facts: BumpFacts<'_>, bumps: &[Bump]) -> Vec<BumpNote> {
    let bumps: HashMap<&str, &Bump> = bumps
        .iter()
        .map(|bump| (&*facts.workspace.distributions[bump.id].manifest.path, bump))
        .collect();
    let faults =
        facts.workspace.findings.iter().filter(|finding| {
            matches!(finding.rule, Rule::DependenciesTable | Rule::DuplicateName)
        });
    faults
        .filter_map(|finding| {
            let at = finding.location.as_ref()?;
            Some(bumps.get(&*at.file)?.note(&at.file, at.line, finding.message.as_str()))
        })
        .collect()
}

/// Every edited file with its edits applied.
fn writes(facts: BumpFacts<'_>, edits: &[Edit]) -> Result<Vec<Write>, Refusal> {
    let by_file: Vec<&[Edit]> = edits.chunk_by(|a, b| a.file == b.file).collect();
    let written = parallel::quick(&by_file, |edits| {
        let path = &edits[0].file;
        let source = (facts.files.read)(path).ok_or_else(|| format!("{path}: cannot be read"))?;
        edit::splice(path, source.text, &edits.iter().collect::<Vec<_>>())
    });
    let mut writes = Vec::with_capacity(written.len());
    let mut errors = Vec::new();
    for written in written {
        match written {
            Ok(write) => writes.push(write),
            Err(why) => errors.push(Finding::error(Rule::Edit, why)),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok(writes)
}
