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
const LOCKS: [&str; 2] = ["uv.lock", "poetry.lock"];

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

/// Every distribution in a lock file of the root or of a distribution. A lock file names another
/// directory where it locks a distribution of the same name that is not of this repository.
pub(crate) fn locked(workspace: &Workspace, files: Files<'_>) -> Vec<LockedDistribution> {
    let distributions = &workspace.distributions;
    let mut dirs: Vec<&str> = distributions.iter().map(|d| d.dir.as_str()).chain([""]).collect();
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
            let Some(member_dir) = join(dir, member.directory) else { continue };
            let key = (member_dir.as_str(), &*normalize(member.name));
            if let Some(&id) = known.get(&key) {
                found.push(LockedDistribution { id, lock: lock.clone(), span: member.span });
            }
        }
    }
    found
}
