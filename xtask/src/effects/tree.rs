//! The files of a repository, found in one walk and read once.
//!
//! What is asked for again and again (is there a setup.cfg, a changelog, a lock?) is answered from
//! the walk: in a repository of thousands of distributions that is most of the time.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

use domain::place::{Files, SourceFile};

/// What makes a directory a distribution of its own.
const MANIFESTS: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];

/// Folders that hold what was built, installed or fetched, never a distribution's source.
const FOREIGN: [&str; 9] = [
    "build",
    "dist",
    "target",
    "node_modules",
    "site-packages",
    "venv",
    "env",
    "__pycache__",
    // This tool's own, full of placeholders.
    "pyproject-templates",
];

/// The files outside of hidden, build and environment folders.
pub struct Tree {
    root: PathBuf,
    /// Relative to the root, `/`-separated, with whether it is a symbolic link.
    files: BTreeMap<String, bool>,
    dirs: HashSet<String>,
    texts: RefCell<HashMap<String, Option<SourceFile>>>,
}

impl Tree {
    /// Walks the repository.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub fn walk(root: &Path) -> Result<Tree> {
        let own = |entry: &DirEntry| {
            entry.depth() == 0 || !entry.file_type().is_dir() || !is_foreign(entry)
        };
        let (mut files, mut dirs) = (BTreeMap::new(), HashSet::new());
        for entry in WalkDir::new(root).into_iter().filter_entry(own) {
            let entry = entry.context("cannot search the repository")?;
            let path = relative(root, entry.path());
            match entry.file_type() {
                kind if kind.is_dir() => drop(dirs.insert(path)),
                kind => drop(files.insert(path, kind.is_symlink())),
            }
        }
        Ok(Tree { root: root.to_owned(), files, dirs, texts: RefCell::default() })
    }

    /// Every pyproject.toml; where a folder has none, its setup.py or else its setup.cfg.
    pub fn manifests(&self) -> Vec<String> {
        let is_first = |path: &str| {
            let (dir, name) = split(path);
            let rank = MANIFESTS.iter().position(|manifest| *manifest == name)?;
            let has = |other: &&str| self.files.contains_key(&joined(dir, other));
            (!MANIFESTS[..rank].iter().any(has)).then_some(())
        };
        let files = self.files.iter().filter(|(_, is_link)| !**is_link).map(|(path, _)| path);
        files.filter(|path| is_first(path).is_some()).cloned().collect()
    }

    /// A text file; where it is a symbolic link, the file that it leads to, as long as that is in
    /// the repository too.
    pub fn read(&self, path: &str) -> Option<SourceFile> {
        let is_link = self.files.get(path).copied();
        if is_link.is_none() && self.dirs.contains(split(path).0) {
            return None;
        }
        if let Some(known) = self.texts.borrow().get(path) {
            return known.clone();
        }
        let found = source_file(&self.root, path, is_link);
        self.texts.borrow_mut().insert(path.to_owned(), found.clone());
        found
    }

    /// All files below a directory, without those of distributions inside it.
    pub fn list(&self, dir: &str) -> Vec<String> {
        let prefix = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let below = self.files.range(prefix.clone()..).map(|(path, _)| path);
        let mut nested: HashMap<&str, bool> = HashMap::new();
        below
            .take_while(|path| path.starts_with(&prefix))
            .filter(|path| !self.is_nested(dir, split(path).0, &mut nested))
            .cloned()
            .collect()
    }

    /// Whether `dir` belongs to a distribution below `base`.
    fn is_nested<'a>(&self, base: &str, dir: &'a str, known: &mut HashMap<&'a str, bool>) -> bool {
        if dir == base || dir.is_empty() {
            return false;
        }
        if let Some(known) = known.get(dir) {
            return *known;
        }
        let own = MANIFESTS[..2].iter().any(|name| self.files.contains_key(&joined(dir, name)));
        let nested = own || self.is_nested(base, split(dir).0, known);
        known.insert(dir, nested);
        nested
    }

    /// Hands the tree to the pure side.
    pub fn with_files<T>(&self, then: impl FnOnce(Files<'_>) -> T) -> T {
        let read = |path: &str| self.read(path);
        let list = |dir: &str| self.list(dir);
        then(Files { read: &read, list: &list })
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") }
}

/// `is_link` is what the walk has seen, if it came by.
fn source_file(root: &Path, path: &str, is_link: Option<bool>) -> Option<SourceFile> {
    let full = root.join(path);
    let is_link = match is_link {
        Some(is_link) => is_link,
        None => full.symlink_metadata().ok()?.file_type().is_symlink(),
    };
    let path = match is_link {
        true => {
            let root = root.canonicalize().ok()?;
            relative(&root, full.canonicalize().ok()?.strip_prefix(&root).ok()?)
        }
        false => path.to_owned(),
    };
    let text = fs::read_to_string(full).ok()?;
    Some(SourceFile { path, text })
}

fn is_foreign(dir: &DirEntry) -> bool {
    let name = dir.file_name().to_string_lossy();
    name.starts_with('.')
        || FOREIGN.contains(&name.as_ref())
        || dir.path().join("pyvenv.cfg").exists()
}

/// A path below the root, `/`-separated.
pub fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
