//! The changelogs of the distributions that are bumped: what is unreleased becomes a release.
//!
//! Must not decide about versions or ranges.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use formats::changelog::{
    self, ChangelogEntry, ChangelogRelease, ChangelogSection, Unwritten, Written,
};
use formats::conventional_commits;
use formats::name::Name;
use formats::pep440::Version;
use formats::splice::{self, Splice};

use crate::bump::plan::{Additions, Bump, BumpFacts, BumpPlan, BumpRequest, RangeMove};
use crate::ids::DistributionId;
use crate::source::SourceFile;
use crate::text::edit::{Edit, EditKind};
use crate::text::words::first_few;

const STEMS: [&str; 10] = [
    "CHANGELOG",
    "Changelog",
    "changelog",
    "CHANGES",
    "Changes",
    "changes",
    "HISTORY",
    "History",
    "NEWS",
    "docs/changelog",
];

/// The paths that changelogs have, relative to the directory of a distribution, or to the root where
/// all share one; the first that exists is the changelog.
pub fn changelog_paths() -> impl Iterator<Item = String> {
    let suffixes = [".md", ".rst", "", ".txt", ".markdown"];
    suffixes.into_iter().flat_map(|suffix| STEMS.map(|stem| format!("{stem}{suffix}")))
}

/// A changelog, and the bumps that it tells of, each with what is new.
struct Shared<'a> {
    source: SourceFile,
    bumps: Vec<(&'a Bump, Vec<ChangelogEntry>)>,
    /// It is at the root and not that of a distribution there.
    is_of_all: bool,
}

/// The new sections in the changelogs of everything that `plan` bumps.
pub(crate) fn additions(facts: BumpFacts<'_>, request: &BumpRequest, plan: &BumpPlan) -> Additions {
    let mut published: HashMap<DistributionId, Vec<&RangeMove>> = HashMap::new();
    for moved in plan.moves.iter().filter(|m| m.declared(facts.workspace).is_published()) {
        published.entry(moved.id).or_default().push(moved);
    }
    let mut shared: BTreeMap<Arc<str>, Shared<'_>> = BTreeMap::new();
    for bump in &plan.bumps {
        let dir = facts.workspace.distributions[bump.id].dir.as_str();
        let own = changelog_paths().find_map(|path| facts.files.beside(dir, &path));
        let is_of_all = own.is_none();
        let Some(source) =
            own.or_else(|| changelog_paths().find_map(|path| (facts.files.read)(&path)))
        else {
            continue;
        };
        let history = facts.history.get(bump.id);
        let mut entries =
            history.map_or_else(Vec::new, |h| conventional_commits::entries(&h.since.asks));
        let moves = published.get(&bump.id).filter(|_| bump.cascaded);
        entries.extend(range_entries(facts, moves.map_or(&[], Vec::as_slice)));
        let path = source.path.clone();
        let new = || Shared { source, bumps: Vec::new(), is_of_all };
        shared.entry(path).or_insert_with(new).bumps.push((bump, entries));
    }
    let mut additions = Additions::default();
    for file in shared.values() {
        let found = sections(facts, request, file);
        additions.edits.extend(found.edits);
        additions.notes.extend(found.notes);
    }
    additions
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

/// The new sections in one changelog.
fn sections(facts: BumpFacts<'_>, request: &BumpRequest, file: &Shared<'_>) -> Additions {
    let mut additions = Additions::default();
    let path = &file.source.path;
    let Some((first, _)) = file.bumps.first() else { return additions };
    let bumps = match told(facts, file) {
        Ok(bumps) => bumps,
        Err(why) => {
            additions.notes.push(first.note(path, 1, format!("not written: {why}")));
            return additions;
        }
    };
    let mut splices = Vec::new();
    let mut text = file.source.text.to_string();
    for (bump, entries) in &bumps {
        match section(facts, request, path, &text, bump, entries) {
            Ok(written) => {
                if written.is_empty {
                    let since = since(facts, bump);
                    let why = format!(
                        "the section of {} is empty: no commit{since} has an entry for it",
                        bump.to
                    );
                    additions.notes.push(bump.note(path, 1, why));
                }
                text = splice::apply(&text, &written.edits);
                splices = written.edits;
            }
            Err(why) => {
                let text = unwritten(why, facts, bump);
                additions.notes.push(bump.note(path, 1, text));
            }
        }
    }
    if bumps.len() > 1 {
        splices = vec![difference(&file.source.text, &text)];
    }
    for splice in splices {
        let source = &file.source;
        let kind = EditKind::Changelog;
        additions.edits.push(Edit::new(path.clone(), &source.text, splice, kind, &first.package));
    }
    additions
}

/// The bumps that get a section each. A changelog whose headings name no distribution gets one for
/// all of them.
///
/// # Errors
/// Why it cannot tell of them.
fn told<'a>(
    facts: BumpFacts<'_>,
    file: &Shared<'a>,
) -> Result<Vec<(&'a Bump, Vec<ChangelogEntry>)>, String> {
    let releases = changelog::releases(&file.source.path, &file.source.text);
    let is_named = releases.iter().any(|(name, _)| {
        let name = name.as_deref().and_then(Name::new);
        name.is_some_and(|name| facts.workspace.find(&name).is_some())
    });
    let mut bumps = file.bumps.clone();
    if is_named || (bumps.len() == 1 && !file.is_of_all) {
        return Ok(bumps);
    }
    if let Some(why) = not_one_release(file, &releases) {
        return Err(why);
    }
    let others: Vec<ChangelogEntry> = bumps.drain(1..).flat_map(|(_, entries)| entries).collect();
    for entry in others {
        if !bumps[0].1.contains(&entry) {
            bumps[0].1.push(entry);
        }
    }
    Ok(bumps)
}

/// Why a changelog without names of distributions cannot tell of all these bumps in one section.
fn not_one_release(file: &Shared<'_>, releases: &[(Option<String>, Version)]) -> Option<String> {
    let versions: BTreeSet<&Version> = file.bumps.iter().map(|(bump, _)| &bump.to).collect();
    if versions.len() > 1 {
        let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
        return Some(format!(
            "its headings name no distribution, and this bump has several versions ({})",
            first_few(&versions)
        ));
    }
    let mut from = file.bumps.iter().map(|(bump, _)| bump.from.as_ref());
    let is_theirs = releases.is_empty()
        || from.any(|from| from.is_none_or(|from| releases.iter().any(|(_, v)| v == from)));
    (file.is_of_all && !is_theirs).then(|| {
        let from = file.bumps[0].0.from.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("none of its headings is that of {} {from}", file.bumps[0].0.package)
    })
}

/// Why nothing is written, as people read it.
fn unwritten(why: Unwritten, facts: BumpFacts<'_>, bump: &Bump) -> String {
    match why {
        Unwritten::NoHeading => {
            "no `Unreleased` or release heading to write below (Keep a Changelog)".to_owned()
        }
        Unwritten::Towncrier => {
            "towncrier writes it: `towncrier build` makes the section".to_owned()
        }
        Unwritten::NothingToSay => {
            let since = since(facts, bump);
            format!("no section for {}: no commit{since} has an entry for it", bump.to)
        }
    }
}

fn since(facts: BumpFacts<'_>, bump: &Bump) -> String {
    let last = facts.history.get(bump.id).and_then(|history| history.last.as_ref());
    last.map_or(String::new(), |(_, tag)| format!(" since {tag}"))
}

/// The new section of one distribution.
fn section(
    facts: BumpFacts<'_>,
    request: &BumpRequest,
    path: &str,
    text: &str,
    bump: &Bump,
    entries: &[ChangelogEntry],
) -> Result<Written, Unwritten> {
    let distribution = &facts.workspace.distributions[bump.id];
    let last = facts.history.get(bump.id).and_then(|history| history.last.as_ref());
    let abandoned = bump
        .from
        .as_ref()
        .filter(|from| distribution.tagged.is_none() && last.is_some_and(|(last, _)| last < *from));
    let tag = distribution.tag.tag(&bump.to);
    let date = &request.date;
    let name = distribution.name();
    let release = ChangelogRelease { name, abandoned, to: &bump.to, tag: &tag, date, entries };
    changelog::release(path, text, &release)
}

/// The one splice of whole lines that makes `after` of `before`.
fn difference(before: &str, after: &str) -> Splice {
    let lines = |text| str::split_inclusive(text, '\n');
    let same = |(a, b): &(&str, &str)| a == b;
    let start: usize =
        lines(before).zip(lines(after)).take_while(same).map(|(line, _)| line.len()).sum();
    let rest = lines(&before[start..]).rev().zip(lines(&after[start..]).rev());
    let end: usize = rest.take_while(same).map(|(line, _)| line.len()).sum();
    Splice { span: start..before.len() - end, text: after[start..after.len() - end].to_owned() }
}
