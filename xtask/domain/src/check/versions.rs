//! The version: whether it is known, and whether its copies say the same.

use std::ops::Range;
use std::sync::Arc;

use formats::pep440::{Version, occurrences};
use formats::python::{self, Expr};
use formats::splice::Splice;
use toml_edit::Item;

use crate::bump::copies::COPYING_TOOLS;
use crate::check::subject::{CheckFacts, Fix, Found, Subject};
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::Backend;
use crate::manifest::version_source::DeclaredVersion;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::{line_of, start};
use crate::workspace::locks::{LockedDistribution, LockedVersion, locked, locked_crates};

pub(super) fn unknown(subject: &Subject) -> Option<Finding> {
    let manifest = &subject.distribution.manifest;
    let DeclaredVersion::Unknown { file, line, reason } = &manifest.version else { return None };
    let message = format!("the version of `{}` is unknown: {reason}", manifest.name);
    Some(Finding::warning(Rule::Version, message).at(file, *line).hint(manifest.version_hint))
}

/// Names of Python modules that hold the version and nothing else of that name.
const ATTRIBUTES: [&str; 2] = ["__version__", "__VERSION__"];

/// Copies of the version that differ from the one that counts.
pub(super) fn copies(facts: CheckFacts, subject: &Subject) -> Vec<Found> {
    let DeclaredVersion::Literal { file, text, span, version, .. } =
        &subject.distribution.manifest.version
    else {
        return Vec::new();
    };
    let mut found = listed(facts, subject, text);
    let (mut differing, own) = (in_modules(facts, subject), (&**file, span.start));
    differing.extend(in_manifest(subject));
    differing.retain(|copy| {
        let other = copy.text.parse::<Version>();
        (&*copy.file, copy.span.start) != own && other.is_ok_and(|other| other != *version)
    });
    found.extend(differing.into_iter().map(|copy| {
        let message = format!("this copy of the version is {}, not {text}", copy.text);
        let (counts, line) = subject.distribution.manifest.version.location();
        let hint =
            format!("`cargo xtask check --fix` copies the version that counts, at {counts}:{line}");
        let finding =
            Finding::error(Rule::VersionCopy, message).at(&copy.file, copy.line).hint(hint);
        let edit = subject.edit(&copy.file, copy.line, copy.span, (&copy.text, text));
        Found::fixed_by(finding, Some(Fix::Edits(vec![edit])))
    }));
    found
}

/// Files of `version-files` that do not have the version in them.
fn listed(facts: CheckFacts, subject: &Subject, text: &str) -> Vec<Found> {
    let manifest = &subject.distribution.manifest;
    let lacks = |path: &&String| {
        let source = facts.files.beside(&subject.distribution.dir, path);
        source.is_none_or(|source| occurrences(&source.text, text).is_empty())
    };
    let finding = |path: &String| {
        let message = format!("`version-files`: `{path}` does not contain {text}");
        let table = subject
            .toml
            .as_ref()
            .and_then(|file| Some(file.line(start(file.get("tool.xtask.version-files")?))));
        Finding::error(Rule::VersionCopy, message)
            .at(&manifest.path, table.unwrap_or(1))
            .hint("write the version there, or remove the file from the list")
            .into()
    };
    manifest.config.version_files.iter().filter(lacks).map(finding).collect()
}

struct Copy {
    file: Arc<str>,
    line: usize,
    span: Range<usize>,
    text: String,
}

fn in_modules(facts: CheckFacts, subject: &Subject) -> Vec<Copy> {
    let source = &subject.modules.source;
    let beside = |package: &str| {
        let prefix = format!("{source}{package}/");
        let may_be = move |path: &&String| {
            let name = path.strip_prefix(&prefix).unwrap_or("/");
            let known = name == "__init__.py" || name == "__about__.py" || name.contains("version");
            known && !name.contains('/') && name.ends_with(".py")
        };
        subject.paths.iter().filter(may_be).cloned().collect::<Vec<_>>()
    };
    let files = subject.modules.outermost().into_iter().flat_map(beside);
    files
        .filter_map(|path| (facts.files.read)(&path))
        .filter(|file| ATTRIBUTES.iter().any(|name| file.text.contains(name)))
        .flat_map(|file| {
            let assignments = python::read(&file.text).assignments.into_iter();
            let copies: Vec<Copy> = assignments
                .filter(|a| a.top_level && ATTRIBUTES.contains(&a.name.as_str()))
                .filter_map(|assignment| match assignment.value {
                    Expr::Text(text) if !text.formatted => Some(Copy {
                        file: file.path.clone(),
                        line: line_of(&file.text, text.span.start),
                        span: text.span,
                        text: text.raw,
                    }),
                    _ => None,
                })
                .collect();
            copies
        })
        .collect()
}

fn in_manifest(subject: &Subject) -> Vec<Copy> {
    let Some(file) = &subject.toml else { return Vec::new() };
    let copy = |key: &&str| {
        let item = file.get(key)?;
        let (text, span) = (item.as_str()?, item.as_value().and_then(toml_edit::Value::span)?);
        // With escapes it is not written as it is read.
        let inside = span.start + 1..span.end - 1;
        (file.text().get(inside.clone()) == Some(text)).then(|| Copy {
            file: file.path.clone(),
            line: file.line(start(item)),
            span: inside,
            text: text.to_owned(),
        })
    };
    let static_version = file.get("project.version").and_then(Item::as_str).is_some();
    // Beside another back end it was left behind, and copies nothing.
    let is_poetry = Backend::declared(file) == Backend::Poetry;
    COPYING_TOOLS
        .iter()
        .filter(|key| !key.contains("poetry") || (static_version && is_poetry))
        .filter_map(copy)
        .collect()
}

/// Members of uv.lock, poetry.lock and pdm.lock and crates of Cargo.lock with another version than the
/// repository has.
pub(super) fn locks(facts: CheckFacts) -> Vec<Found> {
    let distributions = &facts.workspace.distributions;
    let members = locked(facts.workspace, facts.files);
    let mut all: Vec<(DistributionId, LockedVersion)> =
        members.into_iter().map(|LockedDistribution { id, locked }| (id, locked)).collect();
    for (id, distribution) in distributions.enumerate() {
        if let DeclaredVersion::Literal { file, span, .. } = &distribution.manifest.version {
            let crates = locked_crates(facts.workspace, facts.files, file, span);
            all.extend(crates.into_iter().map(|locked| (id, locked)));
        }
    }
    let stale = |(id, locked): (DistributionId, LockedVersion)| {
        let distribution = &distributions[id];
        let DeclaredVersion::Literal { version, text, .. } = &distribution.manifest.version else {
            return None;
        };
        if locked.version().is_none_or(|locked| locked == *version) {
            return None;
        }
        let message = format!("it has {} {}, not {text}", distribution.name(), locked.text());
        let splice = Splice { span: locked.span.clone(), text: text.clone() };
        let name = distribution.name().as_str();
        let (file, before) = (locked.lock.path.clone(), &locked.lock.text);
        let edit = Edit::new(file, before, splice, EditKind::Field, name);
        let finding = Finding::warning(Rule::StaleLock, message)
            .at(&locked.lock.path, edit.line)
            .hint("cargo xtask check --fix, or lock anew");
        Some(Found::fixed_by(finding, Some(Fix::Edits(vec![edit]))))
    };
    all.into_iter().filter_map(stale).collect()
}
