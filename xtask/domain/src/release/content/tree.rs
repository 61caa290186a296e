//! The files of the commit that was built.

use std::collections::HashSet;

/// One path that git tracks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    pub path: String,
    pub kind: EntryKind,
    /// The identity of its contents, by which git knows them.
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    /// A symbolic link.
    Link,
    /// A submodule that is not checked out. The files of one that is are entries of their own.
    Submodule,
}

/// The identity of an empty file, which says nothing about where a file comes from.
const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

/// Everything that git tracks in one commit, submodules included.
#[derive(Debug, Default)]
pub struct Tree {
    pub entries: Vec<TreeEntry>,
    ids: HashSet<String>,
}

impl Tree {
    pub fn new(entries: Vec<TreeEntry>) -> Tree {
        let ids = entries.iter().map(|entry| entry.id.clone()).collect();
        Tree { entries, ids }
    }

    pub fn paths(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.path.clone()).collect()
    }

    /// Whether some file has these contents.
    pub(crate) fn has_contents(&self, id: &str) -> bool {
        self.ids.contains(id)
    }
}

impl TreeEntry {
    pub(crate) fn is_empty(&self) -> bool {
        self.id == EMPTY
    }
}
