//! What can be known to be wrong with a repository without asking anybody.
//!
//! Each rule is a function of the workspace and of the files in it; `rules` explains them all.
//! Nothing here opens a file: texts and lists of files come in as [`Files`].

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

/// Everything that is found, in the order of the files.
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

/// What was found when the repository was read; one of the rules has a fix.
fn known_before(finding: &Finding, subjects: &[Subject]) -> Found {
    let place = finding.location.as_ref().map(|(file, _)| file.as_str());
    let subject = subjects.iter().find(|s| Some(&*s.distribution.manifest.path) == place);
    let fix = match (finding.rule, subject) {
        (Rule::DependenciesTable, Some(subject)) => requirement_table::fix(subject).map(Fix::Edits),
        _ => None,
    };
    Found::fixed_by(finding.clone(), fix)
}
