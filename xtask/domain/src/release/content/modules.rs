//! Which modules a distribution's source tree offers, derived from its file names.
//!
//! Takes paths as data. Must not open a file.

use std::collections::BTreeSet;

/// The modules of one distribution as its checkout has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modules {
    /// Where imports start, relative to the root, with a `/` behind it; empty for the root itself.
    pub source: String,
    /// Python files relative to `source`.
    pub files: BTreeSet<String>,
}

/// Folders beside the code in a layout without `src`.
const BESIDE: [&str; 14] = [
    "tests",
    "test",
    "testing",
    "docs",
    "doc",
    "examples",
    "example",
    "scripts",
    "tools",
    "benchmarks",
    "bin",
    "build",
    "dist",
    "ci",
];

/// Files at the top that are not modules.
const NO_MODULES: [&str; 4] = ["setup.py", "conftest.py", "noxfile.py", "tasks.py"];

impl Modules {
    /// Takes a distribution's directory and the paths of all files below it, both relative to
    /// the root.
    pub fn of(dir: &str, paths: &[String]) -> Modules {
        let base = if dir.is_empty() { String::new() } else { format!("{dir}/") };
        let python: Vec<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(&base))
            .filter(|path| path.ends_with(".py") || path.ends_with("/py.typed"))
            .collect();
        for inner in ["src/", "lib/", "python/"] {
            let files: BTreeSet<String> = python
                .iter()
                .filter_map(|path| path.strip_prefix(inner))
                .map(str::to_owned)
                .collect();
            if files.iter().any(|path| path.ends_with(".py")) {
                return Modules { source: format!("{base}{inner}"), files };
            }
        }
        let own = python.iter().filter(|path| match path.split_once('/') {
            Some((top, _)) => !BESIDE.contains(&top),
            None => !NO_MODULES.contains(path),
        });
        let files = own.map(|path| (*path).to_owned()).collect();
        Modules { source: base, files }
    }

    /// Folders with an `__init__.py`, relative to [`Modules::source`].
    pub fn packages(&self) -> BTreeSet<&str> {
        self.files.iter().filter_map(|path| path.strip_suffix("/__init__.py")).collect()
    }

    /// The packages that are in no other package: the first part of every import.
    pub(crate) fn outermost(&self) -> Vec<&str> {
        let packages = self.packages();
        let mut outermost: Vec<&str> = packages.iter().copied().collect();
        outermost.retain(|package| !parents(package).any(|parent| packages.contains(parent)));
        outermost
    }

    /// Folders around packages that have no `__init__.py` themselves (PEP 420).
    pub(crate) fn namespaces(&self) -> BTreeSet<&str> {
        let packages = self.packages();
        let around = self.outermost();
        let folders = around.iter().flat_map(|package| parents(package));
        folders.filter(|folder| !packages.contains(folder)).collect()
    }
}

/// The folders around a path, the nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices().rev().filter(|(_, c)| *c == '/').map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(dir: &str, paths: &[&str]) -> Modules {
        Modules::of(dir, &paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_namespace_below_src() {
        let found = modules(
            "p/core",
            &[
                "p/core/src/ns/core/__init__.py",
                "p/core/src/ns/core/x/__init__.py",
                "p/core/tests/a.py",
            ],
        );
        assert_eq!(found.source, "p/core/src/");
        assert_eq!(found.outermost(), ["ns/core"]);
        assert_eq!(found.namespaces().into_iter().collect::<Vec<_>>(), ["ns"]);
    }

    #[test]
    fn a_flat_layout() {
        let found = modules("", &["setup.py", "a/__init__.py", "tests/__init__.py", "b.py"]);
        assert_eq!((found.source.as_str(), found.outermost()), ("", vec!["a"]));
        assert!(found.namespaces().is_empty());
        assert_eq!(found.files.len(), 2);
    }
}
