//! Everything wrong with a repository that can be found offline.
//!
//! Each rule is a function of the workspace and its files; [`Rule::checked`](crate::finding::Rule::checked) explains them. Must not
//! open a file: texts and lists of files come in as [`Files`](crate::source::Files).

mod contents;
mod python;
mod ranges;
mod requirement_table;
mod smoke;
mod subject;
mod versions;

use crate::check::subject::Subject;
use crate::finding::{Finding, Rule};

pub use crate::check::subject::{CheckFacts, Fix, Found};

/// All findings, sorted by location.
pub fn check(facts: CheckFacts) -> Vec<Found> {
    let subjects: Vec<Subject> = facts
        .workspace
        .distributions
        .ids()
        .filter(|&id| facts.workspace.distributions[id].manifest.excluded.is_none())
        .map(|id| Subject::new(facts, id))
        .collect();
    let mut found: Vec<Found> =
        facts.workspace.findings.iter().map(|finding| known_before(finding, &subjects)).collect();
    for subject in &subjects {
        found.extend(versions::unknown(subject).map(Found::from));
        found.extend(versions::copies(facts, subject));
        found.extend(ranges::ranges(facts, subject));
        found.extend(ranges::direct_references(subject).into_iter().map(Found::from));
        found.extend(python::requires_python(facts, subject).into_iter().map(Found::from));
        found.extend(contents::readme(subject).map(Found::from));
        found.extend(contents::license(subject).into_iter().map(Found::from));
        found.extend(contents::typed(subject, &subjects));
        found.extend(smoke::smoke(subject).map(Found::from));
    }
    found.extend(contents::namespaces(facts, &subjects));
    found.extend(versions::locks(facts));
    found.sort_by(|a, b| a.finding.location.cmp(&b.finding.location));
    found
}

/// A finding made while the repository was read, with the fix that one of these rules has.
fn known_before(finding: &Finding, subjects: &[Subject]) -> Found {
    let file = finding.location.as_ref().map(|location| &location.file);
    let subject = subjects.iter().find(|s| Some(&s.distribution.manifest.path) == file);
    let fix = match (finding.rule, subject) {
        (Rule::DependenciesTable, Some(subject)) => requirement_table::fix(subject).map(Fix::Edits),
        _ => None,
    };
    Found::fixed_by(finding.clone(), fix)
}
