//! The repository's files as values: what a pure function reads is handed to it.

use std::sync::Arc;

/// A file as the repository has it. Cloning shares the text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the root, `/`-separated; where a symbolic link leads to, if it is one.
    pub path: Arc<str>,
    pub text: Arc<str>,
}

/// The texts of the repository, handed in so that nothing here opens a file.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The file at a path relative to the root; `None` where there is none, or no text.
    pub read: &'a (dyn Fn(&str) -> Option<SourceFile> + Sync),
    /// The paths of all files below a directory, nested distributions left out.
    pub list: &'a (dyn Fn(&str) -> Vec<String> + Sync),
}

impl Files<'_> {
    /// The file at `path` relative to `dir`; `..` is followed.
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
