//! The repository's files as values, so that nothing in this crate opens one, and locations in them.

use std::fmt;
use std::sync::Arc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Relative to the root, `/`-separated.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
}

impl Location {
    pub fn new(file: impl Into<Arc<str>>, line: usize) -> Location {
        Location { file: file.into(), line }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A file of the repository. Cloning shares the text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the root, `/`-separated; the target, for a symbolic link.
    pub path: Arc<str>,
    pub text: Arc<str>,
}

/// Access to the repository's files.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The file at a path relative to the root; `None` where it does not exist or is not UTF-8.
    pub read: &'a (dyn Fn(&str) -> Option<SourceFile> + Sync),
    /// The paths of all files below a directory, without those of nested distributions.
    pub list: &'a (dyn Fn(&str) -> Vec<String> + Sync),
}

impl Files<'_> {
    /// The file at `path` relative to `dir`; `..` is resolved.
    pub fn beside(&self, dir: &str, path: &str) -> Option<SourceFile> {
        (self.read)(&join(dir, path)?)
    }
}

/// `path` below `dir`, with `.` and `..` resolved; `None` where it leaves the repository.
pub fn join(dir: &str, path: &str) -> Option<String> {
    let mut joined = String::with_capacity(dir.len() + 1 + path.len());
    joined.push_str(dir);
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if joined.is_empty() => return None,
            ".." => joined.truncate(joined.rfind('/').unwrap_or(0)),
            name => {
                if !joined.is_empty() {
                    joined.push('/');
                }
                joined.push_str(name);
            }
        }
    }
    Some(joined)
}

/// A directory and every one above it, the root last.
pub(crate) fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| {
        (!dir.is_empty()).then(|| dir.rsplit_once('/').map_or("", |(up, _)| up))
    })
}
