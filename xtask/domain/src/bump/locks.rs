//! The versions of bumped distributions in lock files.

use std::collections::HashMap;

use formats::lockfile;
use formats::splice::Splice;
use toml_edit::Item;

use crate::bump::plan::{Additions, Bump, BumpFacts};
use crate::ids::DistributionId;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::{TomlFile, line_of};
use crate::workspace::locks::{locked, upwards};

/// The versions of crates in `Cargo.lock`, where `Cargo.toml` defines the version. `edits` are those
/// of the versions. A lock that does not have the old version is left to Cargo.
pub(crate) fn of_crates(facts: BumpFacts<'_>, edits: &[Edit]) -> Vec<Edit> {
    let versions = edits.iter().filter(|edit| edit.kind == EditKind::Version);
    let mut found = Vec::new();
    for edit in versions.filter(|edit| edit.file.rsplit('/').next() == Some("Cargo.toml")) {
        let dir = edit.file.rsplit_once('/').map_or("", |(dir, _)| dir);
        let lock = upwards(dir).find_map(|dir| facts.files.beside(dir, "Cargo.lock"));
        let manifest = (facts.files.read)(&edit.file)
            .and_then(|source| TomlFile::parse(&edit.file, source.text).ok());
        let (Some(lock), Some(manifest)) = (lock, manifest) else { continue };
        let crates = crates_of(&manifest, edit, dir, facts);
        for member in lockfile::crates(&lock.text) {
            if member.version == edit.before && crates.iter().any(|name| name == member.name) {
                let splice = Splice { span: member.span, text: edit.after.clone() };
                let path = lock.path.clone();
                found.push(Edit::new(path, &lock.text, splice, EditKind::Lock, &edit.package));
            }
        }
    }
    found
}

/// The crates whose version an edit of a Cargo.toml changes: its own, or, for `[workspace.package]`,
/// those that inherit it.
fn crates_of(manifest: &TomlFile, edit: &Edit, dir: &str, facts: BumpFacts<'_>) -> Vec<String> {
    let inside = |key: &str| {
        let span = manifest.get(key).and_then(Item::span);
        span.is_some_and(|span| span.start <= edit.span.start && edit.span.end <= span.end)
    };
    let name = |file: &TomlFile| Some(file.get("package.name")?.as_str()?.to_owned());
    if inside("package.version") {
        return name(manifest).into_iter().collect();
    }
    let paths = (facts.files.list)(dir).into_iter();
    let manifests = paths.filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
    let own = facts.workspace.distributions.iter().map(|own| match own.dir.as_str() {
        "" => "Cargo.toml".to_owned(),
        dir => format!("{dir}/Cargo.toml"),
    });
    manifests
        .chain(own)
        .filter_map(|path| TomlFile::parse(&path, (facts.files.read)(&path)?.text).ok())
        .filter(|file| file.get("package.version.workspace").and_then(Item::as_bool) == Some(true))
        .filter_map(|file| name(&file))
        .collect()
}

/// New versions where a lock has the old one; a lock that has neither is stale and stays.
pub(crate) fn additions(facts: BumpFacts<'_>, bumps: &[Bump]) -> Additions {
    let bumps: HashMap<DistributionId, &Bump> = bumps.iter().map(|bump| (bump.id, bump)).collect();
    let mut additions = Additions::default();
    for locked in locked(facts.workspace, facts.files) {
        let Some(bump) = bumps.get(&locked.id) else { continue };
        let version = locked.version();
        if version.is_some() && version == bump.from {
            let splice = Splice { span: locked.span.clone(), text: bump.to.to_string() };
            let file = locked.lock.path.clone();
            let text = &locked.lock.text;
            additions.edits.push(Edit::new(file, text, splice, EditKind::Lock, &bump.package));
        } else if version.as_ref() != Some(&bump.to) {
            let line = line_of(&locked.lock.text, locked.span.start);
            let text = format!("stale: it has {} {}", bump.package, locked.text());
            additions.notes.push(bump.note(&locked.lock.path, line, text));
        }
    }
    additions
}
