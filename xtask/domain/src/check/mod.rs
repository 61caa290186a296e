//! Everything wrong with a repository that can be found offline.
//!
//! Each rule is a function of the workspace and its files; [`Rule::checked`](crate::finding::Rule::checked) explains them. Must not
//! open a file: texts and lists of files come in as [`Files`](crate::source::Files).

mod contents;
mod python;
mod ranges;
mod requirement_table;
mod shipped;
mod smoke;
mod subject;
mod versions;

use crate::check::subject::Subject;
use crate::finding::{Finding, Rule};
use crate::text::words::first_few;

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
        found.extend(contents::typed(subject));
        found.extend(smoke::smoke(subject).map(Found::from));
    }
    found.extend(contents::untyped_among_typed(&subjects).map(Found::from));
    found.extend(contents::shared(facts, &subjects));
    found.extend(versions::locks(facts));
    found.sort_by(|a, b| a.finding.location.cmp(&b.finding.location));
    found
}

/// Warnings of one rule as one, with their count and the first few locations, where there are many;
/// errors each for itself.
pub fn condensed(findings: &[Finding]) -> Vec<Finding> {
    const MANY: usize = 4;
    let mut condensed: Vec<Finding> = Vec::new();
    for finding in findings {
        let same: Vec<&Finding> = findings
            .iter()
            .filter(|other| !other.is_error() && other.rule == finding.rule)
            .collect();
        if finding.is_error() || same.len() < MANY {
            condensed.push(finding.clone());
        } else if std::ptr::eq(same[0], finding) {
            // The first name in a message without a location is what it is about.
            let subject = |other: &Finding| other.message.split('`').nth(1).map(str::to_owned);
            let locations = same[1..].iter().filter_map(|other| {
                other.location.as_ref().map(ToString::to_string).or_else(|| subject(other))
            });
            let mut locations: Vec<String> = locations.collect();
            locations.dedup();
            let message = format!(
                "{}, and {} more of `{}`: {}",
                finding.message,
                same.len() - 1,
                finding.rule,
                first_few(&locations)
            );
            condensed.push(Finding { message, ..finding.clone() });
        }
    }
    condensed
}

/// A finding made while the repository was read, with the fix that one of these rules has.
fn known_before(finding: &Finding, subjects: &[Subject]) -> Found {
    let file = finding.location.as_ref().map(|location| &location.file);
    let subject = subjects.iter().find(|s| Some(&s.distribution.manifest.path) == file);
    let (Rule::DependenciesTable, Some(subject)) = (finding.rule, subject) else {
        return Found::from(finding.clone());
    };
    match requirement_table::fix(subject) {
        Ok(edits) => Found::fixed_by(finding.clone(), Some(Fix::Edits(edits))),
        Err(hint) => Found::from(finding.clone().hint(hint)),
    }
}
