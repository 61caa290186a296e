//! The files of a repository, found in one walk and read once.
//!
//! Whether there is a setup.cfg, a changelog or a lock is looked up again and again; the walk answers
//! it. In a repository of thousands of distributions that saves most of the time.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use domain::parallel;
use domain::source::{Files, SourceFile};

/// The files that make a directory a distribution, the one that counts first.
pub(crate) const MANIFESTS: [&str; 3] = ["pyproject.toml", "setup.py", "setup.cfg"];

/// Folders of installed or fetched files, and this tool's own full of placeholders.
const FOREIGN: [&str; 4] = ["node_modules", "site-packages", "__pycache__", "pyproject-templates"];

/// Names that folders of built or installed files usually have. One is left out if git ignores it,
/// or where there is no git to ask.
const USUALLY_IGNORED: [&str; 6] = ["build", "dist", "target", "venv", "env", "out"];

/// The files outside of hidden and ignored folders, environments and submodules. Paths are relative to the root and
/// `/`-separated.
pub(crate) struct Tree {
    root: PathBuf,
    dirs: HashMap<String, Dir>,
    /// Roots of other repositories, which are not searched.
    submodules: Vec<String>,
}

/// Which of some directories are ignored.
pub(crate) type Ignored<'a> = &'a dyn Fn(Vec<String>) -> Result<Vec<String>>;

/// The entries of one directory. There are many of these, so none has spare capacity.
struct Dir {
    /// Sorted by name.
    files: Box<[TreeEntry]>,
    dirs: Box<[Box<str>]>,
    /// It has a `.git` of its own.
    is_repository: bool,
}

struct TreeEntry {
    name: Box<str>,
    is_link: bool,
    /// Read once, when it is first needed; `None` where it is not a text.
    text: OnceLock<Option<SourceFile>>,
}

impl Tree {
    /// Walks the repository, the directories of one depth side by side. `ignored` returns those of
    /// some directories that are ignored.
    ///
    /// # Errors
    /// A directory cannot be read, or `ignored` fails.
    pub(crate) fn walk(root: &Path, ignored: Ignored<'_>) -> Result<Tree> {
        let mut dirs = HashMap::new();
        let mut level = vec![String::new()];
        let mut submodules = Vec::new();
        while !level.is_empty() {
            let listed = parallel::quick(&level, |path| Dir::list(root, path));
            let mut below = Vec::new();
            dirs.reserve(level.len());
            for (path, dir) in level.into_iter().zip(listed) {
                let dir =
                    dir.with_context(|| format!("cannot search `{}`", root.join(&path).display()))?;
                if !path.is_empty() && dir.is_repository {
                    submodules.push(path);
                } else if path.is_empty() || dir.file("pyvenv.cfg").is_none() {
                    below.extend(dir.dirs.iter().map(|name| joined(&path, name)));
                    dirs.insert(path, dir);
                }
            }
            level = without_ignored(root, ignored, below)?;
        }
        submodules.sort_unstable();
        Ok(Tree { root: root.to_owned(), dirs, submodules })
    }

    /// Every pyproject.toml; where a folder has none, its setup.py or else its setup.cfg.
    pub(crate) fn manifests(&self) -> Vec<String> {
        self.first_manifests(false)
    }

    /// Those that are symbolic links.
    pub(crate) fn linked_manifests(&self) -> Vec<String> {
        self.first_manifests(true)
    }

    /// Symbolic links to directories of the repository, each with the directory.
    pub(crate) fn linked_dirs(&self) -> Vec<(String, String)> {
        let links = self.dirs.iter().flat_map(|(path, dir)| {
            let links = dir.files.iter().filter(|file| file.is_link);
            links.map(move |file| joined(path, &file.name))
        });
        let root = self.root.canonicalize().unwrap_or_default();
        let target = |link: &String| {
            let target = self.root.join(link).canonicalize().ok()?;
            let inside = target.strip_prefix(&root).ok().filter(|_| target.is_dir())?;
            Some(relative(&root, inside))
        };
        links.filter_map(|link| target(&link).map(|target| (link, target))).collect()
    }

    fn first_manifests(&self, is_link: bool) -> Vec<String> {
        let mut found = Vec::new();
        for (path, dir) in &self.dirs {
            let first = MANIFESTS.iter().find_map(|name| dir.file(name));
            let wanted = first.filter(|file| file.is_link == is_link);
            found.extend(wanted.map(|file| joined(path, &file.name)));
        }
        found.sort_unstable();
        found
    }

    /// The submodules and other repositories that have a manifest at their root.
    pub(crate) fn foreign_repositories(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self.submodules.iter().map(String::as_str).collect();
        found.retain(|path| {
            MANIFESTS[..2].iter().any(|name| self.root.join(path).join(name).exists())
        });
        found
    }

    /// A text file; for a symbolic link the file that it leads to, if that is in the repository too.
    pub(crate) fn read(&self, path: &str) -> Option<SourceFile> {
        let (dir, name) = split(path);
        let Some(dir) = self.dirs.get(dir) else {
            let full = self.root.join(path);
            let is_link = full.symlink_metadata().ok()?.file_type().is_symlink();
            return source_file(&self.root, path, is_link);
        };
        let file = dir.file(name)?;
        file.text.get_or_init(|| source_file(&self.root, path, file.is_link)).clone()
    }

    /// All files below a directory, without those of distributions nested in it.
    pub(crate) fn list(&self, dir: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![dir.to_owned()];
        while let Some(path) = open.pop() {
            let Some(dir) = self.dirs.get(&path) else { continue };
            found.extend(dir.files.iter().map(|file| joined(&path, &file.name)));
            let below = dir.dirs.iter().map(|name| joined(&path, name));
            open.extend(below.filter(|path| !self.is_distribution(path)));
        }
        found.sort_unstable();
        found
    }

    fn is_distribution(&self, path: &str) -> bool {
        let dir = self.dirs.get(path);
        dir.is_some_and(|dir| MANIFESTS[..2].iter().any(|name| dir.file(name).is_some()))
    }

    /// Hands the files to the pure crates, which cannot read any themselves.
    pub(crate) fn with_files<T>(&self, then: impl FnOnce(Files<'_>) -> T) -> T {
        then(Files { read: &|path| self.read(path), list: &|dir| self.list(dir) })
    }
}

impl Dir {
    /// Everything but a directory counts as a file, a link to a directory too: links are not
    /// followed.
    fn list(root: &Path, path: &str) -> std::io::Result<Dir> {
        let mut files = Vec::new();
        let mut dirs = Vec::new();
        let mut is_repository = false;
        for entry in fs::read_dir(root.join(path))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name().into_string();
            let name: Box<str> = name.unwrap_or_else(|raw| raw.to_string_lossy().into()).into();
            is_repository |= &*name == ".git";
            if !kind.is_dir() {
                files.push(TreeEntry { name, is_link: kind.is_symlink(), text: OnceLock::new() });
            } else if !name.starts_with('.') && !FOREIGN.contains(&&*name) {
                dirs.push(name);
            }
        }
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(Dir { files: files.into(), dirs: dirs.into(), is_repository })
    }

    fn file(&self, name: &str) -> Option<&TreeEntry> {
        let found = self.files.binary_search_by(|file| (*file.name).cmp(name));
        found.ok().map(|at| &self.files[at])
    }
}

/// The directories without those that are ignored. Only names that usually are ignored are worth
/// asking about: files below others are asked about by path.
fn without_ignored(
    root: &Path,
    ignored: Ignored<'_>,
    mut dirs: Vec<String>,
) -> Result<Vec<String>> {
    let mut usual = Vec::new();
    dirs.retain(|path| {
        if !USUALLY_IGNORED.contains(&split(path).1) {
            return true;
        }
        // Cargo marks its `target` as a cache, which saves the question.
        let is_cache = root.join(path).join("CACHEDIR.TAG").exists();
        usual.extend((!is_cache).then(|| path.clone()));
        !is_cache
    });
    if !usual.is_empty() {
        let ignored: HashSet<String> = ignored(usual)?.into_iter().collect();
        dirs.retain(|path| !ignored.contains(path));
    }
    Ok(dirs)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() { name.to_owned() } else { [dir, "/", name].concat() }
}

fn source_file(root: &Path, path: &str, is_link: bool) -> Option<SourceFile> {
    let full = root.join(path);
    let path = if is_link {
        let root = root.canonicalize().ok()?;
        relative(&root, full.canonicalize().ok()?.strip_prefix(&root).ok()?).into()
    } else {
        path.into()
    };
    // Large enough for nearly every file; `fs::read_to_string` would ask for the size first.
    let mut text = String::with_capacity(8 * 1024);
    File::open(full).ok()?.take(u64::MAX).read_to_string(&mut text).ok()?;
    Some(SourceFile { path, text: text.into() })
}

/// A path below the root, `/`-separated.
pub(crate) fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::fs::temporary::Temporary;

    #[test]
    fn a_cache_is_left_out_without_a_question() {
        let dir = Temporary::new().unwrap();
        for path in ["target/a", "packages/target/b", "dist/c"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
            fs::write(dir.path().join(path).join("setup.py"), "").unwrap();
        }
        fs::write(dir.path().join("target/CACHEDIR.TAG"), "").unwrap();
        let ignored = |dirs: Vec<String>| {
            assert!(!dirs.contains(&"target".to_owned()), "{dirs:?}");
            Ok(dirs.into_iter().filter(|dir| dir == "dist").collect())
        };
        let tree = Tree::walk(dir.path(), &ignored).unwrap();
        assert_eq!(tree.manifests(), ["packages/target/b/setup.py"]);
    }

    #[test]
    fn what_is_in_another_repository_is_not_looked_at() {
        let dir = Temporary::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(".git/HEAD", "");
        write("a/pyproject.toml", "");
        write("clone/.git/HEAD", "");
        write("clone/b/pyproject.toml", "");
        write("submodule/.git", "gitdir: elsewhere");
        write("submodule/pyproject.toml", "");
        let tree = Tree::walk(dir.path(), &|_| Ok(Vec::new())).unwrap();
        assert_eq!(tree.manifests(), ["a/pyproject.toml"]);
        assert_eq!(tree.list(""), [""; 0]);
    }
}
