//! Copies of a version: the files that `version-files` names are written, other copies are
//! reported.

use std::collections::HashSet;
use std::sync::Arc;

use formats::pep440::{Version, occurrences};
use formats::python::{self, Expr};
use formats::splice::Splice;

use crate::bump::plan::{Additions, Bump, BumpFacts, BumpNote, BumpPlan};
use crate::manifest::version_source::DeclaredVersion;
use crate::parallel;
use crate::source::SourceFile;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::{TomlFile, line_of, start};

/// The new version in the files that `version-files` names.
pub(crate) fn named(facts: BumpFacts<'_>, bumps: &[Bump]) -> Additions {
    let mut additions = Additions::default();
    for bump in bumps {
        let distribution = &facts.workspace.distributions[bump.id];
        let manifest = &distribution.manifest;
        let DeclaredVersion::Literal { text: old, .. } = &manifest.version else { continue };
        for path in &manifest.config.version_files {
            let Some(source) = facts.files.beside(&distribution.dir, path) else {
                let text = format!("cannot read `{path}` of `version-files`");
                additions.notes.push(bump.note(&manifest.path, 1, text));
                continue;
            };
            let found = copies_of(&source.text, old);
            if found.is_empty() {
                let text = format!("`version-files`: it does not contain {old}");
                additions.notes.push(bump.note(&source.path, 1, text));
            }
            additions.edits.extend(found.into_iter().map(|at| {
                let splice = Splice { span: at..at + old.len(), text: bump.to.to_string() };
                let file = source.path.clone();
                Edit::new(file, &source.text, splice, EditKind::Version, &bump.package)
            }));
        }
    }
    additions
}

/// Where a version is on a line with the word `version`, or, where no line has that, anywhere: the
/// same number may be another's version, too.
fn copies_of(text: &str, version: &str) -> Vec<usize> {
    let all = occurrences(text, version);
    let named = all.iter().copied().filter(|at| {
        let start = text[..*at].rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        line.to_ascii_lowercase().contains("version")
    });
    let named: Vec<usize> = named.collect();
    if named.is_empty() { all } else { named }
}

/// Notes about copies that nothing names and `plan` does not write.
pub(crate) fn unnamed(facts: BumpFacts<'_>, plan: &BumpPlan) -> Vec<BumpNote> {
    // Their files are most of what a large bump reads.
    let found = parallel::quick(&plan.bumps, |bump| copies(facts, bump));
    if found.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    let edited: HashSet<(&str, usize)> =
        plan.edits.iter().map(|edit| (&*edit.file, edit.line)).collect();
    found.into_iter().flatten().filter(|note| !edited.contains(&(&*note.file, note.line))).collect()
}

fn copies(facts: BumpFacts<'_>, bump: &Bump) -> Vec<BumpNote> {
    let Some(from) = &bump.from else { return Vec::new() };
    let distribution = &facts.workspace.distributions[bump.id];
    let mut copies: Vec<(Arc<str>, usize)> = Vec::new();
    if let Some(source) = (facts.files.read)(&distribution.manifest.path) {
        copies.extend(manifest_copies(&source, from));
    }
    for path in (facts.files.list)(&distribution.dir) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let may_be = name.ends_with(".py") && (name.contains("version") || MODULES.contains(&name));
        if may_be && let Some(source) = (facts.files.read)(&path) {
            copies.extend(module_copies(&source, from));
        }
    }
    let own = distribution.manifest.version.place();
    let others = copies.into_iter().filter(|(file, line)| (&**file, *line) != own);
    let text = format!(
        "another copy of {from}: name it in `version-files` of [tool.xtask] to have it written"
    );
    others.map(|(file, line)| bump.note(&file, line, text.as_str())).collect()
}

/// Modules that hold a second copy of the version in real repositories, next to `*version*.py`.
const MODULES: [&str; 3] = ["__init__.py", "__about__.py", "conf.py"];

/// Names that such a copy is assigned to.
const ATTRIBUTES: [&str; 5] = ["__version__", "VERSION", "version", "release", "__VERSION__"];

fn module_copies(source: &SourceFile, from: &Version) -> Vec<(Arc<str>, usize)> {
    // Reading Python costs more than looking whether there is anything to find.
    if !["version", "VERSION", "release"].iter().any(|word| source.text.contains(word)) {
        return Vec::new();
    }
    let parsed = python::read(&source.text);
    let copies = parsed.assignments.iter().filter_map(|assignment| {
        let Expr::Text(text) = &assignment.value else { return None };
        let named = ATTRIBUTES.contains(&assignment.name.as_str()) && assignment.top_level;
        let same = text.raw.parse::<Version>().is_ok_and(|version| version == *from);
        (named && same).then(|| (source.path.clone(), line_of(&source.text, text.span.start)))
    });
    copies.collect()
}

/// Tools that keep their own copy of the version in pyproject.toml.
pub(crate) const COPYING_TOOLS: [&str; 5] = [
    "tool.poetry.version",
    "tool.commitizen.version",
    "tool.bumpversion.current_version",
    "tool.bumpver.current_version",
    "tool.tbump.version.current",
];

fn manifest_copies(source: &SourceFile, from: &Version) -> Vec<(Arc<str>, usize)> {
    if !source.path.ends_with(".toml") || !source.text.contains("[tool.") {
        return Vec::new();
    }
    let Ok(file) = TomlFile::parse(&source.path, source.text.clone()) else { return Vec::new() };
    let copies = COPYING_TOOLS.iter().filter_map(|key| {
        let item = file.get(key)?;
        let same = item.as_str()?.parse::<Version>().is_ok_and(|version| version == *from);
        same.then(|| (source.path.clone(), file.line(start(item))))
    });
    copies.collect()
}
