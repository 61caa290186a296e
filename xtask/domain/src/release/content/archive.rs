//! Built archives as values, and what they are judged against.

use std::collections::{BTreeMap, HashMap};

use formats::name::Name;
use formats::pep440::Version;

use crate::config::ContentConfig;
use crate::finding::Rule;

/// What lies in one sdist or wheel.
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

    /// Whether two archives hold the same files with the same bytes: all that a user gets. What
    /// differs then is time stamps, order and compression, which back ends do not keep still.
    pub fn holds_the_same_as(&self, other: &Archive) -> bool {
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
    /// `requires-python` as its manifest says it.
    pub requires_python: Option<&'a str>,
    pub config: &'a ContentConfig,
}

/// What is known of the siblings: which versions a user will be able to install (by normalized
/// name), and where they install to.
#[derive(Default)]
pub struct Siblings {
    /// Released together with what is checked: these very versions have to be admitted.
    pub planned: HashMap<String, Version>,
    /// The extras that the planned ones provide, normalized.
    pub extras: HashMap<String, Vec<String>>,
    /// Already on the index: one of them has to be admitted.
    pub published: HashMap<String, Vec<Version>>,
    /// What the ones that are not released with it install: path, and whose it is.
    pub installed: Vec<(String, Name)>,
}

/// What is wrong with one archive: the rule, and the sentence without the file's name.
pub(crate) type Problem = (Rule, String);
