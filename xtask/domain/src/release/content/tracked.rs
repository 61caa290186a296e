//! Built archives against the tree that they were built from.
//!
//! A build starts from a clean export, so a file that git does not track was made by the build.
//! Users are hurt where a wheel lacks a module or a data file of a package that it installs.

use std::collections::BTreeSet;

use crate::finding::Rule;
use crate::release::content::archive::{Archive, Built};
use crate::release::content::modules::Modules;
use crate::release::content::problem::Problem;
use crate::release::content::tree::{EntryKind, TreeEntry};
use crate::stated_exclusions;
use crate::text::globs::any_matches;
use crate::text::words::{first_few, plural};

/// Files that back ends write into an archive of their own accord.
const WRITTEN: [&str; 6] = [
    "PKG-INFO",
    "setup.cfg",
    "*.egg-info/*",
    ".gitignore",
    "pyproject.toml.orig",
    ".pdm-external/*",
];

/// Folders of tests, and the names of their files.
const TESTS: [&str; 3] = ["test", "tests", "_tests"];
const TEST_FILES: [&str; 3] = ["test_*.py", "*_test.py", "conftest.py"];

/// Files that no code reads once a package is installed: what it is compiled or built from, what it
/// is tested with, and what people read.
const NOT_INSTALLED: [&str; 40] = [
    // Compiled.
    "*.c",
    "*.cc",
    "*.cpp",
    "*.cu",
    "*.cxx",
    "*.f",
    "*.f90",
    "*.h",
    "*.hh",
    "*.hpp",
    "*.pot",
    "*.po",
    "*.proto",
    "*.pxd",
    "*.pxi",
    "*.pyx",
    "*.rs",
    "*.s",
    "*.i",
    // Read by build tools.
    "*.cmake",
    "*.gyp",
    "*.in",
    "BUILD",
    "BUILD.bazel",
    "CMakeLists.txt",
    "Cargo.*",
    "Makefile",
    "meson.build",
    "meson.options",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    // Read by people.
    "AUTHORS*",
    "CHANGE*",
    "CONTRIBUTING*",
    "HISTORY*",
    "LICEN[CS]E*",
    "NOTICE*",
    "README*",
];

pub(crate) fn problems(built: &Built, archive: &Archive) -> Vec<Problem> {
    let mut problems = if archive.is_wheel() {
        wheel_problems(built, archive)
    } else {
        sdist_problems(built, archive)
    };
    if !archive.pointers.is_empty() {
        let found = first_few(&archive.pointers);
        let message = format!("contains {found} as a pointer of Git LFS, without the contents");
        problems.push(Problem::new(Rule::LfsPointer, message).hint(
            "run `git lfs install` and `git lfs pull`; in GitHub Actions, pass `lfs: true` to `actions/checkout`",
        ));
    }
    problems
}

fn wheel_problems(built: &Built, wheel: &Archive) -> Vec<Problem> {
    let members = modules(wheel);
    let mut problems: Vec<Problem> = nothing_to_import(built, &members).into_iter().collect();
    let roots = roots(built, wheel, &members);
    let own: BTreeSet<&str> = built.own.iter().map(|entry| entry.path.as_str()).collect();
    let generated = &built.config.generated;
    problems.extend(made_by_build(members.iter().copied().filter(|member| {
        let mut sources = roots.iter().filter_map(|root| root.source_of(member));
        let has_source =
            sources.any(|path| own.contains(path.as_str()) || any_matches(generated, &path));
        !has_source && !is_tracked(built, wheel, member) && !any_matches(generated, member)
    })));

    let packages = packages(&members);
    let missing = built.own.iter().filter(|entry| {
        let installed: Vec<String> =
            roots.iter().filter_map(|root| root.installed(&entry.path)).collect();
        installed.iter().any(|path| is_in(&packages, path))
            && !installed.iter().any(|path| has(&members, entry, path))
            && !is_elsewhere(wheel, entry)
    });
    let (needed, rest): (Vec<&TreeEntry>, Vec<&TreeEntry>) =
        unless_omitted(built, missing).partition(|entry| is_needed(built, &entry.path));
    let (submodules, needed): (Vec<&TreeEntry>, Vec<&TreeEntry>) =
        needed.into_iter().partition(|entry| entry.kind == EntryKind::Submodule);
    if !submodules.is_empty() {
        let found = first_few(&paths(submodules));
        let message = format!("lacks {found}, a submodule that is not checked out");
        let hint = "run `git submodule update --init --recursive`";
        problems.push(Problem::new(Rule::LeftOut, message).hint(hint));
    }
    if !needed.is_empty() {
        let message = format!("lacks {}, which git tracks", first_few(&paths(needed)));
        let hint = "include it in the build, or list it under `omitted` in [tool.xtask]";
        problems.push(Problem::new(Rule::LeftOut, message).hint(hint));
    }
    problems.extend(left_out(rest));
    problems
}

fn sdist_problems(built: &Built, sdist: &Archive) -> Vec<Problem> {
    let members: BTreeSet<&str> = sdist.members.keys().map(String::as_str).collect();
    let own: BTreeSet<&str> = built.own.iter().map(|entry| entry.path.as_str()).collect();
    let made = made_by_build(members.iter().copied().filter(|member| {
        !own.contains(member)
            && !is_tracked(built, sdist, member)
            && !any_matches(&built.config.generated, member)
            && !any_matches(&WRITTEN, member)
    }));
    let missing = built.own.iter().filter(|entry| !has(&members, entry, &entry.path));
    made.into_iter().chain(left_out(unless_omitted(built, missing).collect())).collect()
}

/// Whether git tracks these contents anywhere: the files of another distribution, linked ones, and
/// those that the build takes from another folder.
fn is_tracked(built: &Built, archive: &Archive, member: &str) -> bool {
    archive.ids.get(member).is_some_and(|id| built.tree.has_contents(id))
}

fn made_by_build<'a>(members: impl Iterator<Item = &'a str>) -> Option<Problem> {
    let members: Vec<&str> = members.collect();
    if members.is_empty() {
        return None;
    }
    let message = format!("contains {}, made by the build", first_few(&members));
    Some(Problem::note(Rule::NotTracked, message))
}

fn left_out(entries: Vec<&TreeEntry>) -> Option<Problem> {
    if entries.is_empty() {
        return None;
    }
    let count = plural(entries.len(), "tracked file");
    let message = format!("leaves out {count}: {}", first_few(&paths(entries)));
    Some(Problem::note(Rule::LeftOut, message))
}

/// A wheel that installs nothing, of a distribution that has a package of its name.
fn nothing_to_import(built: &Built, members: &BTreeSet<&str>) -> Option<Problem> {
    let own: Vec<String> = built.own.iter().map(|entry| entry.path.clone()).collect();
    let modules = Modules::of("", &own);
    let name = built.name.in_file_name();
    if !members.is_empty() || !modules.packages().contains(name.as_str()) {
        return None;
    }
    let message = format!("contains no module, although git tracks `{}{name}`", modules.source);
    let hint = "tell the build back end which packages there are";
    Some(Problem::new(Rule::LeftOut, message).hint(hint))
}

/// Without those that the configuration allows to be left out, and those that are only for git.
fn unless_omitted<'a>(
    built: &'a Built,
    entries: impl Iterator<Item = &'a TreeEntry>,
) -> impl Iterator<Item = &'a TreeEntry> {
    entries.filter(|entry| {
        let name = file_name(&entry.path);
        let is_only_for_git = [".gitignore", ".gitkeep", ".gitattributes"].contains(&name);
        !is_only_for_git && !any_matches(&built.config.omitted, &entry.path)
    })
}

/// Whether users of a package need this file of it, unless the back end is told to exclude it.
fn is_needed(built: &Built, path: &str) -> bool {
    let is_test = path.split('/').any(|folder| TESTS.contains(&folder));
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    let name = file_name(path);
    let is_other = any_matches(&NOT_INSTALLED, name) || any_matches(&TEST_FILES, name);
    !is_test && !is_hidden && !is_other && !stated_exclusions::exclude(&built.config.excluded, path)
}

/// Whether an archive has an entry of the tree under `path`; a linked folder is there with its files.
fn has(members: &BTreeSet<&str>, entry: &TreeEntry, path: &str) -> bool {
    let below = format!("{path}/");
    members.contains(path)
        || entry.kind != EntryKind::File
            && members
                .range(below.as_str()..)
                .next()
                .is_some_and(|member| member.starts_with(&below))
}

/// Whether a wheel has a file with these contents and this name somewhere else.
fn is_elsewhere(wheel: &Archive, entry: &TreeEntry) -> bool {
    let name = file_name(&entry.path);
    name != "__init__.py"
        && !entry.is_empty()
        && wheel.ids.iter().any(|(member, id)| *id == entry.id && file_name(member) == name)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn paths(entries: Vec<&TreeEntry>) -> Vec<&str> {
    entries.into_iter().map(|entry| entry.path.as_str()).collect()
}

/// The members of a wheel that are installed into site-packages, without the wheel's own records.
fn modules(wheel: &Archive) -> BTreeSet<&str> {
    let mut members: BTreeSet<&str> = wheel.members.keys().map(String::as_str).collect();
    members.retain(|member| {
        let top = member.split('/').next().unwrap_or_default();
        !top.ends_with(".dist-info") && !top.ends_with(".data")
    });
    members
}

/// A folder of the tree and the one that its files are installed into; both are empty or end with `/`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Root {
    source: String,
    target: String,
}

impl Root {
    fn installed(&self, path: &str) -> Option<String> {
        Some(format!("{}{}", self.target, path.strip_prefix(&self.source)?))
    }

    fn source_of(&self, member: &str) -> Option<String> {
        Some(format!("{}{}", self.source, member.strip_prefix(&self.target)?))
    }
}

/// The folders that the members of a wheel come from: `src/`, the directory itself, or one that the
/// build installs under another name, which is told by the contents.
fn roots(built: &Built, wheel: &Archive, members: &BTreeSet<&str>) -> BTreeSet<Root> {
    let mut roots = BTreeSet::new();
    for member in members {
        let sources = built.own.iter().filter_map(|entry| entry.path.strip_suffix(member));
        // The shortest, because a test fixture may repeat the path of a module further down.
        let shortest = sources
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| root.len());
        let root = match shortest {
            Some(source) => Some(Root { source: source.to_owned(), target: String::new() }),
            None => renamed(built, wheel, member),
        };
        roots.extend(root);
    }
    roots
}

/// Where a member comes from whose path is that of no tracked file: the only one of its name and
/// contents.
fn renamed(built: &Built, wheel: &Archive, member: &str) -> Option<Root> {
    let id = wheel.ids.get(member)?;
    let name = file_name(member);
    let own = built.own.iter();
    let mut same = own.filter(|entry| entry.id == *id && file_name(&entry.path) == name);
    let (entry, None) = (same.next()?, same.next()) else { return None };
    let mut source = entry.path.as_str();
    let mut target = member;
    while file_name(source) == file_name(target) && !source.is_empty() {
        source = source.rsplit_once('/').map_or("", |(folder, _)| folder);
        target = target.rsplit_once('/').map_or("", |(folder, _)| folder);
    }
    let folder = |path: &str| if path.is_empty() { String::new() } else { format!("{path}/") };
    Some(Root { source: folder(source), target: folder(target) })
}

/// The folders with an `__init__.py`, each with a `/` at its end; never the topmost folder.
fn packages<'a>(paths: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let packages = paths.iter().filter_map(|path| path.strip_suffix("__init__.py"));
    packages.filter(|package| !package.is_empty()).collect()
}

fn is_in(packages: &[&str], path: &str) -> bool {
    packages.iter().any(|package| path.starts_with(package))
}

#[cfg(test)]
mod tests {
    use formats::name::Name;

    use super::*;
    use crate::config::ContentConfig;
    use crate::finding::Severity;
    use crate::release::content::tests::archive;
    use crate::release::content::tree::Tree;

    /// Members and tracked paths may have contents, as `PATH=CONTENTS`; `other` is tracked outside of
    /// the distribution.
    struct Case<'a> {
        file: &'a str,
        members: &'a [&'a str],
        tracked: &'a [&'a str],
        other: &'a [&'a str],
        config: ContentConfig,
    }

    fn entry(text: &&str) -> TreeEntry {
        let (path, id) = text.split_once('=').unwrap_or((text, text));
        let (path, kind) = match path.split_once(':') {
            Some((path, "link")) => (path, EntryKind::Link),
            Some((path, _)) => (path, EntryKind::Submodule),
            None => (path, EntryKind::File),
        };
        TreeEntry { path: path.to_owned(), kind, id: id.to_owned() }
    }

    impl Case<'_> {
        fn problems(&self) -> Vec<(Severity, String)> {
            let (name, version) = (Name::new("core").unwrap(), "1".parse().unwrap());
            let own: Vec<TreeEntry> = self.tracked.iter().map(entry).collect();
            let tree = Tree::new(own.iter().cloned().chain(self.other.iter().map(entry)).collect());
            let built = Built {
                name: &name,
                version: &version,
                archives: &[],
                own: &own,
                tree: &tree,
                requires_python: None,
                requirements: None,
                config: &self.config,
            };
            let members: Vec<TreeEntry> = self.members.iter().map(entry).collect();
            let paths: Vec<&str> = members.iter().map(|entry| entry.path.as_str()).collect();
            let mut archive = archive(self.file, &paths, &[]);
            archive.ids = members.iter().map(|e| (e.path.clone(), e.id.clone())).collect();
            let found = problems(&built, &archive).into_iter();
            found.map(|problem| (problem.severity, problem.message)).collect()
        }

        #[track_caller]
        fn is(self, severity: Severity, expected: &[&str]) {
            let expected: Vec<_> = expected.iter().map(|m| (severity, (*m).to_owned())).collect();
            assert_eq!(self.problems(), expected);
        }
    }

    fn case<'a>(file: &'a str, members: &'a [&'a str], tracked: &'a [&'a str]) -> Case<'a> {
        Case { file, members, tracked, other: &[], config: ContentConfig::default() }
    }

    const WHEEL: &str = "core-1-py3-none-any.whl";
    const SDIST: &str = "core-1.tar.gz";
    const TRACKED: [&str; 3] = ["pyproject.toml", "src/core/__init__.py", "src/core/data.txt"];

    #[test]
    fn a_faithful_pair() {
        let wheel = ["core/__init__.py", "core/data.txt", "core-1.dist-info/METADATA"];
        case(WHEEL, &wheel, &TRACKED).is(Severity::Error, &[]);
        let sdist = [
            "PKG-INFO",
            "pyproject.toml.orig",
            ".pdm-external/x",
            TRACKED[0],
            TRACKED[1],
            TRACKED[2],
        ];
        case(SDIST, &sdist, &TRACKED).is(Severity::Error, &[]);
        case(WHEEL, &["core-1.dist-info/METADATA"], &["pyproject.toml"]).is(Severity::Error, &[]);
    }

    #[test]
    fn what_git_does_not_track_was_made_by_the_build() {
        let members = ["core/__init__.py", "core/data.txt", "core/x_pb2.py"];
        let made = "contains `core/x_pb2.py`, made by the build";
        case(WHEEL, &members, &TRACKED).is(Severity::Note, &[made]);
        let generated = vec!["src/core/*_pb2.py".to_owned()];
        let config = ContentConfig { generated, ..ContentConfig::default() };
        Case { config, ..case(WHEEL, &members, &TRACKED) }.is(Severity::Note, &[]);
    }

    #[test]
    fn contents_are_compared_with_the_whole_tree() {
        // Of another distribution, linked, forced in from another folder, and rewritten by the build.
        let members = ["core/__init__.py", "core/data.txt=new", "core/util/a.py=a", "LICENSE=l"];
        let tracked = ["src/core/__init__.py", "src/core/data.txt=old", "src/core/util:link"];
        let other = ["shared/a.py=a", "LICENSE=l"];
        Case { other: &other, ..case(WHEEL, &members, &tracked) }.is(Severity::Note, &[]);
        let members = ["src/core/__init__.py", "src/core/data.txt", "inner/core.py=a"];
        let tracked = ["src/core/__init__.py", "src/core/data.txt"];
        Case { other: &other, ..case(SDIST, &members, &tracked) }.is(Severity::Note, &[]);
    }

    #[test]
    fn a_folder_installed_under_another_name() {
        let members = ["core/__init__.py=i", "core/a.py=a"];
        let tracked = ["lib/__init__.py=i", "lib/a.py=a", "lib/data.txt", "tests/a.py"];
        let missing = "lacks `lib/data.txt`, which git tracks";
        case(WHEEL, &members, &tracked).is(Severity::Error, &[missing]);
        case(WHEEL, &members, &tracked[..2]).is(Severity::Error, &[]);
    }

    #[test]
    fn a_module_or_data_file_of_a_package_is_in_the_wheel() {
        let missing = "lacks `src/core/data.txt`, which git tracks";
        case(WHEEL, &["core/__init__.py"], &TRACKED).is(Severity::Error, &[missing]);
        let omitted = vec!["src/core/*.txt".to_owned()];
        let config = ContentConfig { omitted, ..ContentConfig::default() };
        Case { config, ..case(WHEEL, &["core/__init__.py"], &TRACKED) }.is(Severity::Error, &[]);
        let left_out = "leaves out 1 tracked file: `src/core/data.txt`";
        case(SDIST, &[TRACKED[0], TRACKED[1]], &TRACKED).is(Severity::Note, &[left_out]);
        let nothing = "contains no module, although git tracks `src/core`";
        case(WHEEL, &["core-1.dist-info/METADATA"], &TRACKED).is(Severity::Error, &[nothing]);
        let submodule = ["src/core/__init__.py", "src/core/_vendor:submodule"];
        let missing = "lacks `src/core/_vendor`, a submodule that is not checked out";
        case(WHEEL, &["core/__init__.py"], &submodule).is(Severity::Error, &[missing]);
    }

    #[test]
    fn what_no_user_needs_may_be_left_out() {
        for path in ["tests/data.json", "sub/test_a.py", "_c.c", "README.md", ".flake8", "big.bin"]
        {
            let path = format!("src/core/{path}");
            let excluded = vec!["*.bin".to_owned()];
            let config = ContentConfig { excluded, ..ContentConfig::default() };
            let tracked = ["src/core/__init__.py", &path];
            let left_out = format!("leaves out 1 tracked file: `{path}`");
            Case { config, ..case(WHEEL, &["core/__init__.py"], &tracked) }
                .is(Severity::Note, &[&left_out]);
        }
    }
}
