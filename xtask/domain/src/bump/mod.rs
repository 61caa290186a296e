//! `bump` as a pure function: a request and the facts of a repository become a [`BumpPlan`].
//!
//! The files are read through [`Files`](crate::source::Files); nothing here writes or prints.

mod causes;
mod changelogs;
pub mod commits;
pub(crate) mod copies;
mod follow;
mod listed_files;
mod locks;
mod plan;
mod planner;
pub mod range;
pub mod step;
mod targets;

use std::collections::HashMap;

use crate::finding::{Finding, Refusal, Rule};
use crate::parallel;
use crate::text::edit::{self, Edit, Write};

pub use changelogs::changelog_paths;
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
    let copies = copies::followed(facts, &plan);
    plan.add(copies);
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
    let question = facts.workspace.findings.iter().find(|finding| finding.rule == Rule::TagScheme);
    let question = question.zip(bumps.values().min_by_key(|bump| bump.id)).and_then(asked);
    faults
        .filter_map(|finding| {
            let at = finding.location.as_ref()?;
            Some(bumps.get(&*at.file)?.note(&at.file, at.line, finding.message.as_str()))
        })
        .chain(question)
        .collect()
}

/// The question how the next tags are named, as a note.
fn asked((finding, bump): (&Finding, &&Bump)) -> Option<BumpNote> {
    let at = finding.location.as_ref()?;
    let hint = finding.hint.as_deref().unwrap_or_default();
    Some(bump.note(&at.file, at.line, format!("{}; {hint}", finding.message)))
}

/// Every edited file with its edits applied.
fn writes(facts: BumpFacts<'_>, edits: &[Edit]) -> Result<Vec<Write>, Refusal> {
    let by_file: Vec<&[Edit]> = edits.chunk_by(|a, b| a.file == b.file).collect();
    let written = parallel::quick(&by_file, |edits| {
        let path = &edits[0].file;
        let failed = |why| Finding::error(Rule::Edit, why);
        let source =
            (facts.files.read)(path).ok_or_else(|| failed(format!("{path}: cannot be read")))?;
        if let Some(line) = edit::conflict(&source.text) {
            let conflict = failed("it has the conflict markers of a merge".to_owned());
            return Err(conflict.at(path, line).hint("resolve the conflict first"));
        }
        edit::splice(path, source.text, &edits.iter().collect::<Vec<_>>()).map_err(failed)
    });
    let mut writes = Vec::with_capacity(written.len());
    let mut errors = Vec::new();
    for written in written {
        match written {
            Ok(write) => writes.push(write),
            Err(finding) => errors.push(finding),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok(writes)
}
