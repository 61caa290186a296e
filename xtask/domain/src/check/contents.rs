//! Files that have to be there, and those that two distributions share: README, license, py.typed, and
//! the `__init__.py` of a namespace.

use std::collections::HashMap;

use formats::name::Name;
use toml_edit::Item;

use crate::check::python::holds;
use crate::check::shipped::{self, Shipped};
use crate::check::subject::{CheckFacts, Fix, Found, Subject};
use crate::finding::{Finding, Rule};
use crate::release::content::Contents;
use crate::release::content::paths::{self, Overlap};
use crate::text::toml::{TomlFile, start};
use crate::text::words::first_few;
use crate::workspace::locks::upwards;

/// A README that the manifest names and that does not exist, or a manifest that names none.
pub(super) fn readme(subject: &Subject) -> Option<Finding> {
    let file = subject.toml.as_ref()?;
    let manifest = &subject.distribution.manifest;
    let readme = file.get("project.readme").or_else(|| file.get("tool.poetry.readme"));
    let named = readme.and_then(|item| match item.as_table_like() {
        Some(table) => table.get("file").and_then(Item::as_str),
        None => item.as_str(),
    });
    if let (Some(item), Some(named)) = (readme, named) {
        let there = subject.paths.contains(&subject.path(named)) || named.starts_with("..");
        let message = format!("the README `{named}` does not exist, so the build fails");
        let line = file.line(start(item));
        return (!there).then(|| {
            Finding::error(Rule::Readme, message)
                .at(&manifest.path, line)
                .hint(format!("create `{named}`, or correct `readme`"))
        });
    }
    let described = readme.is_some() || holds(file.get("project.dynamic"), "readme");
    let name = file.get("project.name").or_else(|| file.get("tool.poetry.name"))?;
    (!described).then(|| {
        Finding::warning(
            Rule::Readme,
            format!("`{}` has no README for the index to show", manifest.name),
        )
        .at(&manifest.path, file.line(start(name)))
        .hint("add `readme = \"README.md\"` to `[project]`, and the file beside it")
    })
}

const LICENSE_FILES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

/// License files that the manifest names and that do not exist, or no license at all.
pub(super) fn license(subject: &Subject) -> Vec<Finding> {
    let Some(file) = &subject.toml else { return Vec::new() };
    let Some(name) = file.get("project.name") else { return Vec::new() };
    let manifest = &subject.distribution.manifest;
    let prefix = subject.path("");
    let own: Vec<&str> =
        subject.paths.iter().filter_map(|path| path.strip_prefix(prefix.as_str())).collect();
    let mut findings: Vec<Finding> = named_license_files(file)
        .filter(|(pattern, _)| !pattern.starts_with("..") && !matches_any(pattern, &own))
        .map(|(pattern, offset)| {
            let message = format!("no file matches `{pattern}`, so the build fails (PEP 639)");
            Finding::error(Rule::License, message)
                .at(&manifest.path, file.line(offset))
                .hint("add the license file, or remove the entry")
        })
        .collect();
    if !declares_license(file, &own) {
        findings.push(
            Finding::warning(Rule::License, format!("`{}` declares no license", manifest.name))
                .at(&manifest.path, file.line(start(name)))
                .hint(
                    "add an SPDX expression (PEP 639) to `[project]`, such as `license = \"MIT\"`",
                ),
        );
    }
    findings
}

/// The patterns of `license-files` and the file of the older `license` table, with their offsets.
fn named_license_files(file: &TomlFile) -> impl Iterator<Item = (&str, usize)> {
    let patterns = file.get("project.license-files").and_then(Item::as_array);
    let of_table = file.get("project.license").and_then(|item| item.get("file"));
    patterns
        .into_iter()
        .flatten()
        .filter_map(|value| Some((value.as_str()?, value.span()?.start)))
        .chain(of_table.and_then(|item| Some((item.as_str()?, start(item)))))
}

fn matches_any(pattern: &str, paths: &[&str]) -> bool {
    paths.contains(&pattern)
        || glob::Pattern::new(pattern).is_ok_and(|glob| paths.iter().any(|path| glob.matches(path)))
}

/// Whether a field, a classifier or a file at the usual path gives the license.
fn declares_license(file: &TomlFile, paths: &[&str]) -> bool {
    let classifiers = file.get("project.classifiers").and_then(Item::as_array);
    file.get("project.license").is_some()
        || file.get("project.license-files").is_some()
        || holds(file.get("project.dynamic"), "license")
        || classifiers.into_iter().flatten().any(|value| {
            value.as_str().is_some_and(|classifier| classifier.starts_with("License ::"))
        })
        || paths.iter().any(|path| LICENSE_FILES.iter().any(|name| path.starts_with(name)))
}

/// A distribution that is declared as typed and has no py.typed.
pub(super) fn typed(subject: &Subject) -> Option<Found> {
    let file = subject.toml.as_ref()?;
    let classifiers = file.get("project.classifiers");
    let item = classifiers.filter(|_| holds(classifiers, "Typing :: Typed"))?;
    let path = untyped(subject)?;
    let message = format!("`Typing :: Typed` is declared, but `{path}` does not exist (PEP 561)");
    let finding = Finding::error(Rule::PyTyped, message)
        .at(&subject.distribution.manifest.path, file.line(start(item)))
        .hint("`cargo xtask check --fix` creates it");
    Some(Found::fixed_by(finding, Some(Fix::Create(path))))
}

/// The py.typed that the first package of a distribution lacks; one above it counts for all below.
fn untyped(subject: &Subject) -> Option<String> {
    let files = &subject.modules.files;
    let mut packages = subject.modules.outermost().into_iter();
    let package = packages
        .find(|package| !upwards(package).any(|dir| files.contains(&format!("{dir}/py.typed"))))?;
    Some(format!("{}{package}/py.typed", subject.modules.source))
}

/// Untyped distributions, where most of the others are typed: more likely forgotten than meant.
pub(super) fn untyped_among_typed(subjects: &[Subject]) -> Option<Finding> {
    let is_typed =
        |subject: &&Subject| subject.modules.files.iter().any(|path| path.ends_with("/py.typed"));
    let declares = |subject: &Subject| {
        let classifiers = subject.toml.as_ref().and_then(|file| file.get("project.classifiers"));
        holds(classifiers, "Typing :: Typed")
    };
    let typed = subjects.iter().filter(is_typed).count();
    let others: Vec<(&Subject, String)> = subjects
        .iter()
        .filter(|subject| !declares(subject))
        .filter_map(|subject| Some((subject, untyped(subject)?)))
        .collect();
    let (first, path) = others.first().filter(|_| typed >= others.len())?;
    let manifest = &first.distribution.manifest;
    let line =
        first.toml.as_ref().and_then(|file| Some(file.line(start(file.get("project.name")?))));
    let names: Vec<String> =
        others.iter().map(|(subject, _)| subject.distribution.name().to_string()).collect();
    let message = match names.as_slice() {
        [one] => format!(
            "`{one}` has no `{path}`, while {typed} other{} typed (PEP 561)",
            if typed == 1 { " is" } else { "s are" }
        ),
        _ => format!(
            "{} have no `py.typed`, while {typed} others are typed (PEP 561)",
            first_few(&names)
        ),
    };
    Some(
        Finding::warning(Rule::PyTyped, message)
            .at(&manifest.path, line.unwrap_or(1))
            .hint(format!("create `{path}`, empty, if its annotations are meant for others")),
    )
}

/// The files that the modules of several distributions share, where their wheels ship it.
pub(super) fn shared(facts: CheckFacts, subjects: &[Subject]) -> Vec<Found> {
    let by_name: HashMap<&Name, &Subject> =
        subjects.iter().map(|subject| (subject.distribution.name(), subject)).collect();
    // A single module does not tell by its folder whether it is shipped.
    let installed: Vec<(&str, &Name)> = subjects
        .iter()
        .flat_map(|subject| subject.modules.files.iter().map(move |path| (subject, path)))
        .filter(|(_, path)| path.contains('/'))
        .map(|(subject, path)| (path.as_str(), subject.distribution.name()))
        .collect();
    let source = |path: &str, owner: &Name| format!("{}{path}", by_name[owner].modules.source);
    let contents = |path: &str, owner: &Name| {
        let text = (facts.files.read)(&source(path, owner)).map(|source| source.text);
        let text = text.as_deref().unwrap_or_default();
        Contents::of(text.to_owned(), text)
    };
    let overlaps = paths::overlaps(&installed, &contents).into_iter().filter_map(|overlap| {
        let [one, other] = overlap.owners().map(|name| by_name[name]);
        let ships = |folder: &str| [one, other].map(|of| shipped::ships(of, folder));
        match overlap {
            Overlap::Different { path, .. } | Overlap::Same { path, .. } => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let path = source(path, other.distribution.name());
                let is_certain = ships(folder) == [Shipped::Yes; 2];
                is_certain.then(|| Found::from(overlap.finding().at(&path, 1)))
            }
            Overlap::Package { folder, .. } => {
                let ships = ships(folder);
                let path = source(&format!("{folder}/__init__.py"), one.distribution.name());
                let text = contents(&format!("{folder}/__init__.py"), one.distribution.name()).id;
                let found = namespace(overlap.finding().at(&path, 1), path, &text, ships);
                (!ships.contains(&Shipped::No)).then_some(found)
            }
        }
    });
    overlaps.collect()
}

/// The finding about an `__init__.py` in a folder that another distribution shares; an empty one can be
/// removed.
fn namespace(finding: Finding, path: String, text: &str, ships: [Shipped; 2]) -> Found {
    let is_empty = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
    if is_empty && ships == [Shipped::Yes; 2] {
        let finding = finding.hint("`cargo xtask check --fix` removes it");
        return Found::fixed_by(finding, Some(Fix::Remove(path)));
    }
    Found::from(if is_empty {
        finding.hint("remove it, if both wheels ship that folder")
    } else {
        finding.hint("keep it where both are always installed together; the smoke test shows that")
    })
}
