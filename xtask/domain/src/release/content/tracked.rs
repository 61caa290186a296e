//! An archive contains what git tracks: no file is left out, and no other file gets in.

use std::collections::BTreeSet;

use crate::finding::Rule;
use crate::release::content::archive::{Archive, Built};
use crate::release::content::problem::Problem;
use crate::text::globs::any_matches;
use crate::text::words::first_few;

/// Files that back ends write into an sdist of their own accord.
const WRITTEN: [&str; 4] = ["PKG-INFO", "setup.cfg", "*.egg-info/*", ".gitignore"];

/// Folders beside the code, whose files an sdist may leave out.
const NOT_SHIPPED: [&str; 4] = ["test/", "tests/", "docs/", "examples/"];

pub(crate) fn problems(built: &Built, archive: &Archive) -> Vec<Problem> {
    let tracked: BTreeSet<&str> = built.tracked.iter().map(String::as_str).collect();
    if archive.is_wheel() {
        wheel_problems(built, archive, &tracked)
    } else {
        sdist_problems(built, archive, &tracked)
    }
}

fn wheel_problems(built: &Built, wheel: &Archive, tracked: &BTreeSet<&str>) -> Vec<Problem> {
    let members = modules(wheel);
    let roots = roots(tracked, &members);
    let generated = &built.config.generated;
    let untracked = members.iter().copied().filter(|member| {
        let has_source = roots
            .iter()
            .map(|root| format!("{root}{member}"))
            .any(|source| tracked.contains(source.as_str()) || any_matches(generated, &source));
        !has_source && !any_matches(generated, member)
    });

    let packages = packages(&members);
    let missing = tracked.iter().copied().filter(|path| {
        below(&roots, path).any(|path| is_in(&packages, path))
            && !below(&roots, path).any(|path| members.contains(path))
    });
    report(built, untracked.collect(), missing.collect())
}

fn sdist_problems(built: &Built, sdist: &Archive, tracked: &BTreeSet<&str>) -> Vec<Problem> {
    let members: BTreeSet<&str> = sdist.members.keys().map(String::as_str).collect();
    let untracked = members.iter().copied().filter(|member| {
        !tracked.contains(member)
            && !any_matches(&built.config.generated, member)
            && !any_matches(&WRITTEN, member)
    });

    let wheels = built.archives.iter().filter(|archive| archive.is_wheel());
    let in_wheels: BTreeSet<&str> = wheels.flat_map(modules).collect();
    let wanted = import_files(tracked, &roots(tracked, &in_wheels));
    let missing = wanted.into_iter().filter(|path| !members.contains(path));
    report(built, untracked.collect(), missing.collect())
}

fn report(built: &Built, untracked: Vec<&str>, mut missing: Vec<&str>) -> Vec<Problem> {
    missing.retain(|path| !any_matches(&built.config.omitted, path) && !is_only_for_git(path));
    let mut problems = Vec::new();
    if !untracked.is_empty() {
        let message = format!("contains {}, which git does not track", first_few(&untracked));
        let hint = "commit it, or list it under `generated` in [tool.xtask] if the build makes it";
        problems.push(Problem::new(Rule::NotTracked, message).hint(hint));
    }
    if !missing.is_empty() {
        let message = format!("lacks {}, which git tracks", first_few(&missing));
        let hint = "include it in the build, or list it under `omitted` in [tool.xtask]";
        problems.push(Problem::new(Rule::LeftOut, message).hint(hint));
    }
    problems
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

/// The source folders from which members of a wheel come: `src/`, or the directory itself.
fn roots(tracked: &BTreeSet<&str>, members: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    for member in members {
        let sources = tracked.iter().filter_map(|path| path.strip_suffix(member));
        // The shortest, because a test fixture may repeat the path of a module further down.
        let shortest = sources
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| root.len());
        roots.extend(shortest.map(str::to_owned));
    }
    roots
}

/// A path relative to each of the folders that it is in.
fn below<'a>(roots: &'a BTreeSet<String>, path: &'a str) -> impl Iterator<Item = &'a str> {
    roots.iter().filter_map(|root| path.strip_prefix(root.as_str()))
}

/// The folders with an `__init__.py`, each with a `/` at its end; never the topmost folder.
fn packages<'a>(paths: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let packages = paths.iter().filter_map(|path| path.strip_suffix("__init__.py"));
    packages.filter(|package| !package.is_empty()).collect()
}

fn is_in(packages: &[&str], path: &str) -> bool {
    packages.iter().any(|package| path.starts_with(package))
}

/// The tracked files of packages, without tests and without folders that cannot be imported from
/// where the wheel's modules come from, such as the templates of a project.
fn import_files<'a>(tracked: &BTreeSet<&'a str>, roots: &BTreeSet<String>) -> Vec<&'a str> {
    let mut packages = packages(tracked);
    packages.retain(|package| {
        roots.is_empty()
            || below(roots, package).any(|path| path.split_terminator('/').all(is_identifier))
    });
    let files = tracked.iter().copied().filter(|path| is_in(&packages, path));
    files.filter(|path| !NOT_SHIPPED.iter().any(|folder| path.starts_with(folder))).collect()
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

fn is_only_for_git(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    [".gitignore", ".gitkeep", ".gitattributes"].contains(&name)
}

#[cfg(test)]
mod tests {
    use formats::name::Name;

    use super::*;
    use crate::config::ContentConfig;
    use crate::release::content::tests::archive;

    #[track_caller]
    fn check(
        file: &str,
        members: &[&str],
        tracked: &[&str],
        config: &ContentConfig,
        expected: &[&str],
    ) {
        let (name, version) = (Name::new("core").unwrap(), "1".parse().unwrap());
        let tracked: Vec<String> = tracked.iter().map(|path| (*path).to_owned()).collect();
        let built = Built {
            name: &name,
            version: &version,
            archives: &[],
            tracked: &tracked,
            requires_python: None,
            config,
        };
        let found: Vec<String> = problems(&built, &archive(file, members, &[]))
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        assert_eq!(found, expected);
    }

    const WHEEL: &str = "core-1-py3-none-any.whl";
    const SDIST: &str = "core-1.tar.gz";
    const TRACKED: [&str; 4] =
        ["pyproject.toml", "src/core/__init__.py", "src/core/data.txt", "tests/test_core.py"];

    #[test]
    fn a_faithful_pair() {
        let none = ContentConfig::default();
        check(
            WHEEL,
            &["core/__init__.py", "core/data.txt", "core-1.dist-info/METADATA"],
            &TRACKED,
            &none,
            &[],
        );
        check(
            SDIST,
            &["PKG-INFO", "pyproject.toml", "src/core/__init__.py", "src/core/data.txt"],
            &TRACKED,
            &none,
            &[],
        );
        check(WHEEL, &["core-1.dist-info/METADATA"], &["pyproject.toml"], &none, &[]);
    }

    #[test]
    fn an_untracked_file_is_not_shipped() {
        let none = ContentConfig::default();
        let members = ["core/__init__.py", "core/data.txt", "core/secret.py"];
        check(
            WHEEL,
            &members,
            &TRACKED,
            &none,
            &["contains `core/secret.py`, which git does not track"],
        );
        let config =
            ContentConfig { generated: vec!["src/core/secret.py".into()], omitted: Vec::new() };
        check(WHEEL, &members, &TRACKED, &config, &[]);
        check(
            SDIST,
            &["src/core/__init__.py", "src/core/data.txt", "x.log"],
            &TRACKED,
            &none,
            &["contains `x.log`, which git does not track"],
        );
    }

    #[test]
    fn only_importable_folders_are_packages() {
        let tracked = [
            "src/core/__init__.py",
            "src/other/__init__.py",
            "templates/src/{{name}}/__init__.py",
            "services/web/__init__.py",
        ];
        let tracked: BTreeSet<&str> = tracked.into();
        let files = |root: &str| import_files(&tracked, &BTreeSet::from([root.to_owned()]));
        assert_eq!(
            files("src/"),
            tracked.iter().copied().filter(|p| p.starts_with("src")).collect::<Vec<_>>()
        );
        assert!(!files("").contains(&"templates/src/{{name}}/__init__.py"));
        assert_eq!(import_files(&tracked, &BTreeSet::new()).len(), 4);
    }

    #[test]
    fn files_of_a_package_are_shipped() {
        let none = ContentConfig::default();
        let missing = "lacks `src/core/data.txt`, which git tracks";
        check(WHEEL, &["core/__init__.py"], &TRACKED, &none, &[missing]);
        check(SDIST, &["src/core/__init__.py"], &TRACKED, &none, &[missing]);
        let config =
            ContentConfig { generated: Vec::new(), omitted: vec!["src/core/*.txt".into()] };
        check(WHEEL, &["core/__init__.py"], &TRACKED, &config, &[]);
    }
}
