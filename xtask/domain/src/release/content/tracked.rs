//! What git tracks and what was built hold the same: nothing forgotten, nothing smuggled in.

use std::collections::BTreeSet;

use crate::finding::Rule;
use crate::release::content::archive::{Archive, Built, Problem};
use crate::text::globs::any_matches;

/// What back ends write into an sdist of their own accord.
const WRITTEN: [&str; 4] = ["PKG-INFO", "setup.cfg", "*.egg-info/*", ".gitignore"];

pub(crate) fn problems(built: &Built, archive: &Archive) -> Vec<Problem> {
    let tracked: BTreeSet<&str> = built.tracked.iter().map(String::as_str).collect();
    let generated = |path: &str| any_matches(&built.config.generated, path);
    let members = archive.members.keys().map(String::as_str);
    if archive.is_wheel() {
        let own: Vec<&str> = members.filter(|member| !is_apart(member)).collect();
        let roots = roots(&tracked, &own);
        let known = |member: &str| {
            let mut sources = roots.iter().map(|root| format!("{root}{member}"));
            sources.any(|source| tracked.contains(source.as_str()) || generated(&source))
                || generated(member)
        };
        let strange = own.iter().filter(|member| !known(member)).map(|member| not_tracked(member));
        return strange.chain(left_out(built, &tracked, &roots, &own)).collect();
    }
    let known = |member: &&str| {
        tracked.contains(member) || generated(member) || any_matches(&WRITTEN, member)
    };
    let all: BTreeSet<&str> = members.clone().collect();
    let strange = members.filter(|member| !known(member)).map(not_tracked);
    let wanted = import_files(&tracked, &wheel_roots(built, &tracked));
    strange.chain(missing(built, wanted, |path| all.contains(path))).collect()
}

fn not_tracked(path: &str) -> Problem {
    (Rule::NotTracked, format!("{path} is in it, and git does not track it"))
}

/// A wheel's own records, and files that are installed outside site-packages.
fn is_apart(member: &str) -> bool {
    let top = member.split('/').next().unwrap_or_default();
    top.ends_with(".dist-info") || top.ends_with(".data")
}

/// The source folders from which members of the wheel come: `src/`, or the directory itself.
fn roots(tracked: &BTreeSet<&str>, members: &[&str]) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    for member in members {
        let sources = tracked.iter().filter_map(|path| path.strip_suffix(member));
        // The shortest is meant: a test fixture may repeat the path of a module further down.
        let shortest = sources
            .filter(|root| root.is_empty() || root.ends_with('/'))
            .min_by_key(|root| root.len());
        roots.extend(shortest.map(str::to_owned));
    }
    roots
}

/// The source folders of the wheels that were built; none where they hold no code.
fn wheel_roots(built: &Built, tracked: &BTreeSet<&str>) -> BTreeSet<String> {
    let wheels = built.archives.iter().filter(|archive| archive.is_wheel());
    let members: Vec<&str> = wheels
        .flat_map(|wheel| wheel.members.keys().map(String::as_str))
        .filter(|member| !is_apart(member))
        .collect();
    roots(tracked, &members)
}

/// Tracked files of the packages that the wheel holds, and that it lacks.
fn left_out(
    built: &Built,
    tracked: &BTreeSet<&str>,
    roots: &BTreeSet<String>,
    own: &[&str],
) -> Vec<Problem> {
    let packages: BTreeSet<&str> =
        own.iter().filter_map(|member| member.strip_suffix("__init__.py")).collect();
    let held: BTreeSet<&str> = own.iter().copied().collect();
    let belongs = |path: &&str| {
        let mut inside = roots.iter().filter_map(|root| path.strip_prefix(root.as_str()));
        inside.any(|path| {
            packages.iter().any(|package| !package.is_empty() && path.starts_with(package))
        })
    };
    let wanted: Vec<&str> = tracked.iter().copied().filter(belongs).collect();
    missing(built, wanted, |path| {
        let mut inside = roots.iter().filter_map(|root| path.strip_prefix(root.as_str()));
        inside.any(|path| held.contains(path))
    })
}

/// The tracked files below a folder with an `__init__.py`, tests aside, and folders aside that
/// nobody could import from where the wheel's modules come from: templates of a project, say.
fn import_files<'a>(tracked: &BTreeSet<&'a str>, roots: &BTreeSet<String>) -> Vec<&'a str> {
    let can_be_imported = |package: &&str| {
        let mut inside = roots.iter().filter_map(|root| package.strip_prefix(root.as_str()));
        roots.is_empty() || inside.any(|path| path.split_terminator('/').all(is_identifier))
    };
    let packages: BTreeSet<&str> = tracked
        .iter()
        .filter_map(|path| path.strip_suffix("__init__.py"))
        .filter(can_be_imported)
        .collect();
    let in_tests = |path: &str| {
        ["test/", "tests/", "docs/", "examples/"].iter().any(|dir| path.starts_with(dir))
    };
    let belongs = |path: &&str| {
        !in_tests(path)
            && packages.iter().any(|package| !package.is_empty() && path.starts_with(package))
    };
    tracked.iter().copied().filter(belongs).collect()
}

fn missing(built: &Built, wanted: Vec<&str>, has: impl Fn(&str) -> bool) -> Vec<Problem> {
    let omitted = |path: &str| any_matches(&built.config.omitted, path) || is_marker(path);
    let missing = wanted.into_iter().filter(|path| !has(path) && !omitted(path));
    missing.map(|path| (Rule::LeftOut, format!("{path} is tracked, and not in it"))).collect()
}

fn is_identifier(name: &str) -> bool {
    name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// Files that are there for git alone.
fn is_marker(path: &str) -> bool {
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
            .map(|(_, message)| message)
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
    fn what_git_does_not_know_is_not_shipped() {
        let none = ContentConfig::default();
        let members = ["core/__init__.py", "core/data.txt", "core/secret.py"];
        check(
            WHEEL,
            &members,
            &TRACKED,
            &none,
            &["core/secret.py is in it, and git does not track it"],
        );
        let told =
            ContentConfig { generated: vec!["src/core/secret.py".into()], omitted: Vec::new() };
        check(WHEEL, &members, &TRACKED, &told, &[]);
        check(
            SDIST,
            &["src/core/__init__.py", "src/core/data.txt", "x.log"],
            &TRACKED,
            &none,
            &["x.log is in it, and git does not track it"],
        );
    }

    #[test]
    fn only_what_can_be_imported_belongs_to_a_package() {
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
    fn what_belongs_to_a_package_is_shipped() {
        let none = ContentConfig::default();
        let missing = "src/core/data.txt is tracked, and not in it";
        check(WHEEL, &["core/__init__.py"], &TRACKED, &none, &[missing]);
        check(SDIST, &["src/core/__init__.py"], &TRACKED, &none, &[missing]);
        let told = ContentConfig { generated: Vec::new(), omitted: vec!["src/core/*.txt".into()] };
        check(WHEEL, &["core/__init__.py"], &TRACKED, &told, &[]);
    }
}
