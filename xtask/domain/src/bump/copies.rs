//! Other copies of a version, which nothing names: they are reported, never written.
//!
//! They are looked for in the files of every distribution that gets a version, most of what a large
//! bump reads, so the search starts as soon as the first one has got it.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use formats::pep440::Version;
use formats::python::{self, Expr};

use crate::bump::plan::{BumpFacts, BumpNote, BumpPlan};
use crate::ids::DistributionId;
use crate::source::SourceFile;
use crate::text::toml::{TomlFile, line_of};

/// Looks for copies beside `planning`, which says which distributions had which versions.
pub(crate) fn beside<T>(
    facts: BumpFacts<'_>,
    planning: impl FnOnce(&mut dyn FnMut(DistributionId, &Version)) -> T,
) -> (T, Vec<BumpNote>) {
    let (bumped, open) = mpsc::channel();
    let open = Mutex::new(open);
    let search = || {
        let mut found = Vec::new();
        let next = || open.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok((id, from)) = next() {
            found.append(&mut copies(facts, id, &from));
        }
        found
    };
    thread::scope(|scope| {
        let search_beside = scope.spawn(search);
        let planned = planning(&mut |id, from| _ = bumped.send((id, from.clone())));
        drop(bumped);
        let mut found = search();
        found.extend(search_beside.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (planned, found)
    })
}

/// The copies of a version in the files of one distribution.
fn copies(facts: BumpFacts<'_>, id: DistributionId, from: &Version) -> Vec<BumpNote> {
    let (files, distribution) = (facts.files, &facts.workspace.distributions[id]);
    let mut copies: Vec<(Arc<str>, usize)> = Vec::new();
    if let Some(source) = (files.read)(&distribution.manifest.path) {
        copies.extend(manifest_copies(&source, from));
    }
    for path in (files.list)(&distribution.dir) {
        let name = path.rsplit('/').next().unwrap_or(&path);
        let may_be = name.ends_with(".py") && (name.contains("version") || COPIES.contains(&name));
        if may_be && let Some(source) = (files.read)(&path) {
            copies.extend(module_copies(&source, from));
        }
    }
    let place = distribution.manifest.version.place();
    copies.retain(|(file, line)| (&**file, *line) != place);
    let note = |(file, line)| {
        let text = format!(
            "another copy of {from}: name it in `version-files` of [tool.xtask] to have it written"
        );
        BumpNote { file, line, package: distribution.name().to_string(), text }
    };
    copies.into_iter().map(note).collect()
}

/// Reports copies, but those that are written because another distribution has its version there.
pub(crate) fn report(mut copies: Vec<BumpNote>, plan: &mut BumpPlan) {
    if !copies.is_empty() {
        let edited: HashSet<(&str, usize)> =
            plan.edits.iter().map(|edit| (&*edit.file, edit.line)).collect();
        copies.retain(|copy| !edited.contains(&(&*copy.file, copy.line)));
        plan.notes.append(&mut copies);
    }
}

/// Files that hold a second copy of the version in real repositories, next to `*version*.py`.
const COPIES: [&str; 3] = ["__init__.py", "__about__.py", "conf.py"];

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
const COPYING_TOOLS: [&str; 5] = [
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
        same.then(|| (source.path.clone(), file.line(item.span().map_or(0, |span| span.start))))
    });
    copies.collect()
}
