//! What goes with new versions: changelogs, locks, and the copies that `version-files` names.
//!
//! Works on a plan that knows its bumps. Must not decide about versions or ranges.

use std::collections::HashMap;

use formats::changelog::{self, ChangelogEntry, ChangelogRelease, ChangelogSection};
use formats::pep440::Version;
use formats::{conventional_commits, lockfile};

use crate::bump::plan::{Bump, BumpFacts, BumpNote, BumpPlan, BumpRequest, History, RangeMove};
use crate::bump::step::Change;
use crate::finding::{Finding, Rule};
use crate::ids::{DistributionId, IdVec};
use crate::manifest::version_source::DeclaredVersion;
use crate::parallel;
use crate::source::{Files, SourceFile, join};
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::line_of;
use crate::workspace::Distribution;

/// Adds the edits and notes of changelogs, locks and copies.
pub(crate) fn all(facts: BumpFacts<'_>, request: &BumpRequest, plan: &mut BumpPlan) {
    let bumps = std::mem::take(&mut plan.bumps);
    let mut published: IdVec<DistributionId, Vec<&RangeMove>> =
        IdVec::like(&facts.workspace.distributions, Vec::new);
    for moved in plan.moves.iter().filter(|m| m.declared(facts.workspace).is_published()) {
        published[moved.id].push(moved);
    }
    let attached = parallel::quick(&bumps, |bump| {
        let distribution = &facts.workspace.distributions[bump.id];
        let mut attacher = Attacher::new(facts.files, distribution, bump);
        attacher.named_copies();
        let moves = if bump.cascaded { published[bump.id].as_slice() } else { &[] };
        attacher.changelog(facts, request, moves);
        attacher.attached
    });
    for attached in attached {
        plan.edits.extend(attached.edits);
        plan.notes.extend(attached.notes);
    }
    locks(facts, &bumps, plan);
    findings(facts, &bumps, plan);
    plan.bumps = bumps;
}

/// The line that a cascade writes for each published range that moved.
fn required(facts: BumpFacts<'_>, moves: &[&RangeMove]) -> Vec<ChangelogEntry> {
    let mut entries = Vec::new();
    for moved in moves {
        let after = moved.declared(facts.workspace).shown_with(&moved.specifiers);
        let entry = ChangelogEntry {
            section: ChangelogSection::Changed,
            text: format!("Require `{after}`."),
        };
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// What changelogs are called.
pub const CHANGELOGS: [&str; 6] =
    ["CHANGELOG.md", "Changelog.md", "changelog.md", "CHANGES.md", "HISTORY.md", "CHANGELOG"];

/// What goes with one bump.
#[derive(Default)]
struct Attached {
    edits: Vec<Edit>,
    notes: Vec<BumpNote>,
}

struct Attacher<'a> {
    files: Files<'a>,
    distribution: &'a Distribution,
    bump: &'a Bump,
    attached: Attached,
}

impl<'a> Attacher<'a> {
    fn new(files: Files<'a>, distribution: &'a Distribution, bump: &'a Bump) -> Attacher<'a> {
        Attacher { files, distribution, bump, attached: Attached::default() }
    }

    fn edit(
        &mut self,
        source: &SourceFile,
        span: std::ops::Range<usize>,
        kind: EditKind,
        after: String,
    ) {
        self.attached.edits.push(Edit {
            file: source.path.clone(),
            line: line_of(&source.text, span.start),
            before: source.text[span.clone()].to_owned(),
            span,
            kind,
            package: self.bump.package.clone(),
            after,
        });
    }

    fn note(&mut self, file: &str, line: usize, text: String) {
        let (file, package) = (file.into(), self.bump.package.clone());
        self.attached.notes.push(BumpNote { file, line, package, text });
    }

    /// Copies in `version-files`: every place on a line that speaks of a version, or, where no
    /// line does, every place.
    fn named_copies(&mut self) {
        let DeclaredVersion::Literal { text: old, .. } = &self.distribution.manifest.version else {
            return;
        };
        for path in &self.distribution.manifest.config.version_files {
            let Some(source) = self.files.beside(&self.distribution.dir, path) else {
                let manifest = self.distribution.manifest.path.clone();
                self.note(&manifest, 1, format!("`version-files`: {path} cannot be read"));
                continue;
            };
            let all = occurrences(&source.text, old);
            let speaking: Vec<usize> = all
                .iter()
                .copied()
                .filter(|at| {
                    line_around(&source.text, *at).to_ascii_lowercase().contains("version")
                })
                .collect();
            let chosen = if speaking.is_empty() { all } else { speaking };
            if chosen.is_empty() {
                self.note(&source.path, 1, format!("`version-files`: {old} is not in it"));
            }
            for at in chosen {
                self.edit(&source, at..at + old.len(), EditKind::Version, self.bump.to.to_string());
            }
        }
    }

    /// What the commits add to what stands under Unreleased.
    fn commit_entries(
        &self,
        request: &BumpRequest,
        history: Option<&History>,
    ) -> Vec<ChangelogEntry> {
        match history {
            Some(history) if request.change == Change::Auto => {
                conventional_commits::entries(&history.commits)
            }
            _ => Vec::new(),
        }
    }

    fn changelog(&mut self, facts: BumpFacts<'_>, request: &BumpRequest, moves: &[&RangeMove]) {
        let dir = &self.distribution.dir;
        let found = CHANGELOGS.iter().find_map(|name| self.files.beside(dir, name));
        let Some(source) = found else { return };
        let mut entries = self.commit_entries(request, facts.history.get(self.bump.id));
        entries.extend(required(facts, moves));
        let release = ChangelogRelease {
            from: self.bump.from.as_ref(),
            to: &self.bump.to,
            date: &request.date,
            entries: &entries,
        };
        match changelog::release(&source.text, &release) {
            Some(edits) => {
                for edit in edits {
                    self.edit(&source, edit.span, EditKind::Changelog, edit.text);
                }
            }
            None if entries.is_empty() => {}
            None => {
                let text = "no `Unreleased` or release heading to write below (Keep a Changelog)";
                self.note(&source.path, 1, text.to_owned());
            }
        }
    }
}

/// Where `version` stands in `text` and is no part of a longer one.
fn occurrences(text: &str, version: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(offset) = text.get(from..).and_then(|rest| rest.find(version)) {
        let at = from + offset;
        let end = at + version.len();
        let before = text[..at].chars().next_back();
        let mut after = text[end..].chars();
        let next = after.next();
        let longer = match next {
            Some('.') => after.next().is_some_and(|c| c.is_ascii_alphanumeric()),
            Some(c) => c.is_ascii_alphanumeric() || c == '+',
            None => false,
        };
        let part = before.is_some_and(|c| c.is_ascii_digit() || c == '.' || c == '!');
        if !longer && !part {
            found.push(at);
        }
        from = end.max(at + 1);
    }
    found
}

fn line_around(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    &text[start..end]
}

/// What is wrong with the manifests that are bumped, where a bump works around it.
fn findings(facts: BumpFacts<'_>, bumps: &[Bump], plan: &mut BumpPlan) {
    let told = |rule| [Rule::DependenciesTable, Rule::DuplicateName].contains(&rule);
    let findings = &facts.workspace.findings;
    let findings: Vec<&Finding> = findings.iter().filter(|finding| told(finding.rule)).collect();
    if findings.is_empty() {
        return;
    }
    let path = |bump: &Bump| &*facts.workspace.distributions[bump.id].manifest.path;
    let bumped: HashMap<&str, &Bump> = bumps.iter().map(|bump| (path(bump), bump)).collect();
    for finding in findings {
        let Some(location) = &finding.location else { continue };
        if let Some(bump) = bumped.get(&*location.file) {
            plan.notes.push(BumpNote {
                file: location.file.clone(),
                line: location.line,
                package: bump.package.clone(),
                text: finding.message.clone(),
            });
        }
    }
}

/// The members' version lines in the locks of the root and of every distribution.
fn locks(facts: BumpFacts<'_>, bumps: &[Bump], plan: &mut BumpPlan) {
    let distributions = &facts.workspace.distributions;
    let mut dirs: Vec<&str> = distributions.iter().map(|d| d.dir.as_str()).chain([""]).collect();
    dirs.sort_unstable();
    dirs.dedup();
    let found = parallel::quick(&dirs, |dir| {
        ["uv.lock", "poetry.lock"].map(|name| facts.files.beside(dir, name))
    });
    let found: Vec<(&str, SourceFile)> = dirs
        .iter()
        .zip(found)
        .flat_map(|(dir, found)| found.into_iter().flatten().map(|source| (*dir, source)))
        .collect();
    if found.is_empty() {
        return;
    }
    let by_name: HashMap<&str, &Bump> =
        bumps.iter().map(|bump| (distributions[bump.id].name().normal(), bump)).collect();
    for (dir, source) in found {
        lock_edits(facts, &source, dir, &by_name, plan);
    }
}

fn lock_edits(
    facts: BumpFacts<'_>,
    source: &SourceFile,
    dir: &str,
    bumps: &HashMap<&str, &Bump>,
    plan: &mut BumpPlan,
) {
    for member in lockfile::members(&source.text) {
        let normal = formats::name::normalize(member.name);
        let Some(bump) = bumps.get(normal.as_str()) else { continue };
        let distribution = &facts.workspace.distributions[bump.id];
        if join(dir, member.directory).is_none_or(|found| found != distribution.dir) {
            continue;
        }
        let line = line_of(&source.text, member.span.start);
        let (file, package) = (source.path.clone(), bump.package.clone());
        let locked = member.version.parse::<Version>().ok();
        if locked.is_some() && locked == bump.from {
            plan.edits.push(Edit {
                file,
                span: member.span,
                line,
                kind: EditKind::Lock,
                package,
                before: member.version.to_owned(),
                after: bump.to.to_string(),
            });
        } else if locked.as_ref() != Some(&bump.to) {
            let text = format!("stale: it has {} {}", bump.package, member.version);
            plan.notes.push(BumpNote { file, line, package, text });
        }
    }
}
