//! The findings about published siblings during a release.
//!
//! Must not know how: `evidence` asks the index.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use domain::ids::DistributionId;
use domain::release::content::Archive;
use domain::release::plan::{Lookup, ServedFile};

/// The answers and downloads of one release.
#[derive(Default)]
pub(super) struct Past {
    /// The files of the distributions that the release itself does not ask for.
    pub(super) others: OnceLock<HashMap<DistributionId, Lookup<Vec<ServedFile>>>>,
    pub(super) wheels: Mutex<HashMap<PathBuf, Arc<Cell>>>,
}

type Cell = OnceLock<Result<Arc<Wheel>, String>>;

/// The wheels of one version, those of several platforms where it has no other.
pub(super) struct Wheel {
    pub(super) files: Vec<PathBuf>,
    /// The contents of the first of them.
    pub(super) archive: Archive,
}
