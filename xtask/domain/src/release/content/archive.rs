//! Built archives as values, and the facts that they are checked against.

use std::collections::{BTreeMap, HashMap};

use formats::name::Name;
use formats::pep440::Version;

use crate::config::ContentConfig;
use crate::manifest::requirement::DeclaredRequirement;
use crate::release::content::tree::{Tree, TreeEntry};

/// The contents of one sdist or wheel.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// The files in it with their SHA-256; the paths of an sdist are without its top folder.
    pub members: BTreeMap<String, String>,
    /// The identity that git would give each of these files.
    pub ids: BTreeMap<String, String>,
    /// Those of these files that are pointers of Git LFS.
    pub pointers: Vec<String>,
    /// Those of these files that are an `__init__.py` and extend the path of their package.
    pub extending: Vec<String>,
    /// The type of each of these files, with its permissions apart from those that a umask decides.
    pub kinds: BTreeMap<String, String>,
    /// The comment of a zip.
    pub comment: String,
    /// The tags that the WHEEL file of a wheel has, and the SHA-256 that its RECORD has for each
    /// file: `None` where it has none, empty where it has a wrong one of another algorithm.
    pub tags: Vec<String>,
    pub record: BTreeMap<String, Option<String>>,
    /// Every header of METADATA or PKG-INFO, in the order written (core metadata).
    pub metadata: BTreeMap<String, Vec<String>>,
}

impl Archive {
    pub fn is_wheel(&self) -> bool {
        self.file.ends_with(".whl")
    }

    /// The first difference of `other` from this archive, as the rest of a sentence about `other`.
    /// Time stamps, order and compression may differ: back ends do not reproduce them, and users
    /// do not get them.
    pub fn difference(&self, other: &Archive) -> Option<String> {
        if let Some(missing) = self.members.keys().find(|path| !other.members.contains_key(*path)) {
            return Some(format!("lacks `{missing}`"));
        }
        for (path, digest) in &other.members {
            let kind = other.kinds.get(path);
            if !self.members.contains_key(path) {
                return Some(format!("contains `{path}` in addition"));
            }
            if self.members[path] != *digest {
                return Some(format!("has other contents of `{path}`"));
            }
            if self.kinds.get(path) != kind {
                let kind = kind.map_or("other", String::as_str);
                return Some(format!("has `{path}` with another type or mode ({kind})"));
            }
        }
        (self.comment != other.comment).then(|| "has another comment".to_owned())
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
    /// The files that git tracks in its directory, relative to that, without those of others.
    pub own: &'a [TreeEntry],
    /// Everything that git tracks.
    pub tree: &'a Tree,
    /// `requires-python` as its manifest has it.
    pub requires_python: Option<&'a str>,
    /// The requirements of its manifest, where the metadata has to have these and no others.
    pub requirements: Option<&'a [DeclaredRequirement]>,
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
    /// On the index, and yanked: pip passes them over.
    pub yanked: HashMap<String, Vec<Version>>,
    /// The files that siblings outside of this release install.
    pub installed: Vec<InstalledFile>,
}

/// One file that a distribution installs into the environment that it shares with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledFile {
    pub path: String,
    pub owner: Name,
    pub contents: Contents,
}

/// The properties that matter of a file that others install too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Equal for files of the same bytes.
    pub id: String,
    /// It is an `__init__.py` that extends the path of its package, as several may install it.
    pub extends: bool,
}

impl Contents {
    /// Those of an `__init__.py` with this text.
    pub fn of(id: String, text: &str) -> Contents {
        let extends = text.contains("extend_path") || text.contains("declare_namespace");
        Contents { id, extends }
    }
}
