//! The distributions of the repository in its lock files. Must not know what a version becomes.

use std::collections::HashMap;
use std::ops::Range;

use formats::lockfile;
use formats::name::normalize;
use formats::pep440::Version;
use toml_edit::Item;

use crate::ids::DistributionId;
use crate::parallel;
use crate::source::{Files, SourceFile, join};
use crate::text::toml::TomlFile;
use crate::workspace::Workspace;

/// The lock files that name distributions of the repository.
const LOCKS: [&str; 3] = ["uv.lock", "poetry.lock", "pdm.lock"];

/// A distribution with the version that a lock file has of it.
pub(crate) struct LockedDistribution {
    pub(crate) id: DistributionId,
    pub(crate) locked: LockedVersion,
}

/// A version in a lock file.
pub(crate) struct LockedVersion {
    pub(crate) lock: SourceFile,
    /// The bytes of the version in the lock file.
    pub(crate) span: Range<usize>,
}

impl LockedVersion {
    /// The version as written.
    pub(crate) fn text(&self) -> &str {
        &self.lock.text[self.span.clone()]
    }

    /// `None` where it is not a version under PEP 440.
    pub(crate) fn version(&self) -> Option<Version> {
        self.text().parse().ok()
    }
}

/// A directory and all that it is in, the root last.
pub(crate) fn upwards(dir: &str) -> impl Iterator<Item = &str> {
    let ends = dir.match_indices('/').map(|(at, _)| at).chain([dir.len()]);
    let ends: Vec<usize> = ends.filter(|end| *end > 0).collect();
    ends.into_iter().rev().map(|end| &dir[..end]).chain([""])
}

/// Every distribution in a lock file beside it or in a folder above, which may be the root of a
/// workspace that is not a distribution itself. A lock file names another
/// directory where it locks a distribution of the same name that is not of this repository.
pub(crate) fn locked(workspace: &Workspace, files: Files<'_>) -> Vec<LockedDistribution> {
    let distributions = &workspace.distributions;
    let mut dirs: Vec<&str> = distributions.iter().flat_map(|d| upwards(&d.dir)).collect();
    dirs.sort_unstable();
    dirs.dedup();
    let known: HashMap<(&str, &str), DistributionId> = distributions
        .enumerate()
        .map(|(id, distribution)| ((distribution.dir.as_str(), distribution.name().normal()), id))
        .collect();
    let mut found = Vec::new();
    let locks = parallel::quick(&dirs, |dir| LOCKS.map(|name| files.beside(dir, name)));
    let locks = dirs.iter().zip(locks).flat_map(|(dir, locks)| locks.map(|lock| (*dir, lock)));
    for (dir, lock) in locks {
        let Some(lock) = lock else { continue };
        for member in lockfile::members(&lock.text) {
            let Some(member_dir) = member.directory.and_then(|at| join(dir, at)) else { continue };
            let key = (member_dir.as_str(), &*normalize(member.name));
            if let Some(&id) = known.get(&key) {
                let locked = LockedVersion { lock: lock.clone(), span: member.span };
                found.push(LockedDistribution { id, locked });
            }
        }
    }
    found
}

/// The entries of `Cargo.lock` for the crates with the version that is at `span` of a
/// Cargo.toml; nothing for another file.
pub(crate) fn locked_crates(
    workspace: &Workspace,
    files: Files<'_>,
    path: &str,
    span: &Range<usize>,
) -> Vec<LockedVersion> {
    let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
    let find = || {
        let manifest = TomlFile::parse(path, (files.read)(path)?.text).ok()?;
        Some((upwards(dir).find_map(|dir| files.beside(dir, "Cargo.lock"))?, manifest))
    };
    let found = if name == "Cargo.toml" { find() } else { None };
    let Some((lock, manifest)) = found else { return Vec::new() };
    let crates = crates_of(&manifest, span, dir, workspace, files);
    let members = lockfile::crates(&lock.text).into_iter();
    let own = members.filter(|member| crates.iter().any(|name| name == member.name));
    own.map(|member| LockedVersion { lock: lock.clone(), span: member.span }).collect()
}

/// The crates whose version is at `span` of a Cargo.toml: its own, or, for `[workspace.package]`,
/// those that inherit it.
fn crates_of(
    manifest: &TomlFile,
    span: &Range<usize>,
    dir: &str,
    workspace: &Workspace,
    files: Files<'_>,
) -> Vec<String> {
    let inside = |key: &str| {
        let around = manifest.get(key).and_then(Item::span);
        around.is_some_and(|around| around.start <= span.start && span.end <= around.end)
    };
    let name = |file: &TomlFile| Some(file.get("package.name")?.as_str()?.to_owned());
    if inside("package.version") {
        return name(manifest).into_iter().collect();
    }
    let paths = (files.list)(dir).into_iter();
    let manifests = paths.filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
    let own = workspace.distributions.iter().map(|own| match own.dir.as_str() {
        "" => "Cargo.toml".to_owned(),
        dir => format!("{dir}/Cargo.toml"),
    });
    manifests
        .chain(own)
        .filter_map(|path| TomlFile::parse(&path, (files.read)(&path)?.text).ok())
        .filter(|file| file.get("package.version.workspace").and_then(Item::as_bool) == Some(true))
        .filter_map(|file| name(&file))
        .collect()
}
