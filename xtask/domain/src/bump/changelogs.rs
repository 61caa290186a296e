//! The changelogs of the distributions that are bumped: what is unreleased becomes a release.
//!
//! Must not decide about versions or ranges.

use std::collections::HashMap;

use formats::changelog::{self, ChangelogEntry, ChangelogRelease, ChangelogSection};
use formats::conventional_commits;

use crate::bump::plan::{Additions, Bump, BumpFacts, BumpPlan, BumpRequest, RangeMove};
use crate::bump::step::Change;
use crate::ids::DistributionId;
use crate::parallel;
use crate::text::edit::{Edit, EditKind};

/// File names of changelogs; the first that a distribution's directory has is its changelog.
pub const CHANGELOGS: [&str; 6] =
    ["CHANGELOG.md", "Changelog.md", "changelog.md", "CHANGES.md", "HISTORY.md", "CHANGELOG"];

/// The new sections in the changelogs of everything that `plan` bumps.
pub(crate) fn additions(facts: BumpFacts<'_>, request: &BumpRequest, plan: &BumpPlan) -> Additions {
    let mut published: HashMap<DistributionId, Vec<&RangeMove>> = HashMap::new();
    for moved in plan.moves.iter().filter(|m| m.declared(facts.workspace).is_published()) {
        published.entry(moved.id).or_default().push(moved);
    }
    let sections = parallel::quick(&plan.bumps, |bump| {
        let moves = published.get(&bump.id).filter(|_| bump.cascaded);
        let mut entries = commit_entries(facts, request, bump.id);
        entries.extend(range_entries(facts, moves.map_or(&[], Vec::as_slice)));
        section(facts, request, bump, &entries)
    });
    let mut additions = Additions::default();
    for section in sections {
        additions.edits.extend(section.edits);
        additions.notes.extend(section.notes);
    }
    additions
}

/// One line for each commit that `auto` counted.
fn commit_entries(
    facts: BumpFacts<'_>,
    request: &BumpRequest,
    id: DistributionId,
) -> Vec<ChangelogEntry> {
    let history = facts.history.get(id).filter(|_| request.change == Change::Auto);
    history.map_or_else(Vec::new, |history| conventional_commits::entries(&history.commits))
}

/// One line for each published range that moved.
fn range_entries(facts: BumpFacts<'_>, moves: &[&RangeMove]) -> Vec<ChangelogEntry> {
    let mut entries = Vec::new();
    for moved in moves {
        let after = moved.declared(facts.workspace).shown_with(&moved.specifiers);
        let text = format!("Require `{after}`.");
        let entry = ChangelogEntry { section: ChangelogSection::Changed, text };
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// The new section in the changelog of one distribution.
fn section(
    facts: BumpFacts<'_>,
    request: &BumpRequest,
    bump: &Bump,
    entries: &[ChangelogEntry],
) -> Additions {
    let mut additions = Additions::default();
    let dir = &facts.workspace.distributions[bump.id].dir;
    let found = CHANGELOGS.iter().find_map(|name| facts.files.beside(dir, name));
    let Some(source) = found else { return additions };
    let tag = facts.workspace.distributions[bump.id].tag.tag(&bump.to);
    let release = ChangelogRelease {
        from: bump.from.as_ref(),
        to: &bump.to,
        tag: &tag,
        date: &request.date,
        entries,
    };
    let splices = changelog::release(&source.text, &release);
    if splices.is_none() && !entries.is_empty() {
        let text = "no `Unreleased` or release heading to write below (Keep a Changelog)";
        additions.notes.push(bump.note(&source.path, 1, text));
    }
    for splice in splices.into_iter().flatten() {
        let file = source.path.clone();
        let edit = Edit::new(file, &source.text, splice, EditKind::Changelog, &bump.package);
        additions.edits.push(edit);
    }
    additions
}
