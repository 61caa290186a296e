//! The distributions of the repository in its lock files. Must not know what a version becomes.

use std::collections::HashMap;
use std::ops::Range;

use formats::lockfile;
use formats::name::normalize;
use formats::pep440::Version;

use crate::ids::DistributionId;
use crate::parallel;
use crate::source::{Files, SourceFile, join};
use crate::workspace::Workspace;

/// The lock files that name distributions of the repository.
const LOCKS: [&str; 3] = ["uv.lock", "poetry.lock", "pdm.lock"];

/// A distribution with the version that a lock file has of it.
pub(crate) struct LockedDistribution {
    pub(crate) id: DistributionId,
    pub(crate) lock: SourceFile,
    /// The bytes of the version in the lock file.
    pub(crate) span: Range<usize>,
}

impl LockedDistribution {
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
                found.push(LockedDistribution { id, lock: lock.clone(), span: member.span });
            }
        }
    }
    found
}
