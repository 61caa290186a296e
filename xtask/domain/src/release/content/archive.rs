//! Built archives as values, and the facts that they are checked against.

use std::collections::{BTreeMap, HashMap};

use formats::name::Name;
use formats::pep440::Version;

use crate::config::ContentConfig;

/// The contents of one sdist or wheel.
#[derive(Clone, Debug)]
pub struct Archive {
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// The files in it with their SHA-256; the paths of an sdist are without its top folder.
    pub members: BTreeMap<String, String>,
    /// Every header of METADATA or PKG-INFO, in the order written (core metadata).
    pub metadata: BTreeMap<String, Vec<String>>,
}

impl Archive {
    pub fn is_wheel(&self) -> bool {
        self.file.ends_with(".whl")
    }

    /// Whether two archives contain the same files with the same bytes. Time stamps, order and
    /// compression may differ: back ends do not reproduce them, and users do not get them.
    pub fn has_contents_of(&self, other: &Archive) -> bool {
        self.members == other.members
    }

    pub(crate) fn header(&self, key: &str) -> Option<&str> {
        self.metadata.get(key)?.first().map(String::as_str)
    }

    /// Every value of a header.
    pub fn headers(&self, key: &str) -> impl Iterator<Item = &str> {
        self.metadata.get(key).into_iter().flatten().map(String::as_str)
    }
}

/// One distribution as it was built, and what it was built from.
pub struct Built<'a> {
    pub name: &'a Name,
    pub version: &'a Version,
    pub archives: &'a [Archive],
    /// Paths that git tracks in its directory, relative to that.
    pub tracked: &'a [String],
    /// `requires-python` as its manifest has it.
    pub requires_python: Option<&'a str>,
    pub config: &'a ContentConfig,
}

/// The siblings of the built distributions: which versions a user will be able to install (by
/// normalized name), and which files they install.
#[derive(Default)]
pub struct Siblings {
    /// Released together with the built ones: exactly these versions have to be admitted.
    pub planned: HashMap<String, Version>,
    /// The extras that the planned siblings provide, normalized.
    pub extras: HashMap<String, Vec<String>>,
    /// Already on the index: one of them has to be admitted.
    pub published: HashMap<String, Vec<Version>>,
    /// The paths that siblings outside of this release install, each with its owner.
    pub installed: Vec<(String, Name)>,
}
