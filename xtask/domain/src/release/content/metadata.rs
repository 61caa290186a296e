//! Core metadata and file names, against each other, the manifest, and what an index accepts.

use std::collections::BTreeSet;

use formats::name::normalize;
use formats::pep440::Version;
use formats::pep440::specifier::{self, Dialect, Op};
use formats::requirement::{Requirement, admits};

use crate::finding::{Rule, Severity};
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::release::content::archive::{Archive, Built, Siblings};
use crate::release::content::problem::Problem;
use crate::release::plan::version_in_file_name;
use crate::text::words::first_few;

/// The largest file that PyPI accepts, in bytes.
const LARGEST: u64 = 100_000_000;

pub(crate) fn problems(built: &Built, archive: &Archive, siblings: &Siblings) -> Vec<Problem> {
    let mut problems = file_name(built, archive);
    problems.extend(identity(built, archive));
    problems.extend(strangers(built, archive));
    problems.extend(acceptance(built, archive));
    problems.extend(license_files(archive));
    let requirements = archive.headers("Requires-Dist");
    problems.extend(requirements.filter_map(|text| {
        let problem = requirement(text, built.version, siblings)?;
        // A note or a warning is given once, about the file that is installed.
        if problem.severity != Severity::Error && !archive.is_wheel() {
            return None;
        }
        let message = format!("requires `{}`, but {}", without_address(text), problem.message);
        Some(Problem { message, ..problem })
    }));
    problems
}

/// A requirement without the address that it points to, which may be one of a scratch folder.
fn without_address(text: &str) -> &str {
    text.split_once(" @ ").map_or(text, |(name, _)| name)
}

fn file_name(built: &Built, archive: &Archive) -> Vec<Problem> {
    let name = built.name.in_file_name();
    let stem = format!("{name}-{}", built.version);
    let mut problems = Vec::new();
    if !archive.file.starts_with(&stem) {
        let message = format!("has a name that does not start with `{stem}` (PEP 625, PEP 427)");
        problems.push(Problem::new(Rule::FileName, message));
    }
    if version_in_file_name(&archive.file, &name).as_ref() != Some(built.version) {
        let message = format!("has a name without the version {}", built.version);
        problems.push(Problem::new(Rule::FileName, message));
    }
    problems
}

fn identity(built: &Built, archive: &Archive) -> Vec<Problem> {
    let name = archive.header("Name").unwrap_or("none");
    let version = archive.header("Version").unwrap_or("none");
    let python = archive.header("Requires-Python").unwrap_or("none");
    let mut problems = Vec::new();
    if normalize(name) != built.name.normal() {
        problems.push(differs("Name", name, built.name));
    }
    if version.parse::<Version>().ok().as_ref() != Some(built.version) {
        problems.push(differs("Version", version, built.version));
    }
    if let Some(wanted) = built.requires_python
        && clauses(wanted) != clauses(python)
    {
        problems.push(differs("Requires-Python", python, wanted));
    }
    problems
}

/// Names that the metadata requires and the manifest does not, or the other way round. Ranges are
/// not compared: some back ends write them in another form.
fn strangers(built: &Built, archive: &Archive) -> Option<Problem> {
    let declared = built.requirements?;
    let mut dynamic = archive.headers("Dynamic").map(str::to_ascii_lowercase);
    if dynamic.any(|field| field == "requires-dist") {
        return None;
    }
    let required: BTreeSet<String> = archive
        .headers("Requires-Dist")
        .filter_map(|text| Some(Requirement::parse(text).ok()?.name.normal().to_owned()))
        .collect();
    let names = |is_meant: &dyn Fn(&DeclaredRequirement) -> bool| -> BTreeSet<String> {
        let meant = declared.iter().filter(|declared| is_meant(declared));
        meant.map(|declared| declared.requirement.name.normal().to_owned()).collect()
    };
    let published = names(&|declared| declared.is_published());
    // Those of other tables and files may be meant for another back end.
    let needed = names(&|declared| {
        declared.table == RequirementTable::Dependencies
            && declared.dialect == Dialect::Pep440
            && declared.file.ends_with("pyproject.toml")
    });
    let more: Vec<&str> = required.difference(&published).map(String::as_str).collect();
    let less: Vec<&str> = needed.difference(&required).map(String::as_str).collect();
    let message = match (more.is_empty(), less.is_empty()) {
        (true, true) => return None,
        (false, _) => format!("requires {}, which its manifest does not", first_few(&more)),
        (true, false) => format!("does not require {}, unlike its manifest", first_few(&less)),
    };
    let hint = "declare it under `dependencies`, or as `dynamic` where the build computes it";
    Some(Problem::new(Rule::Requirement, message).hint(hint))
}

fn differs(key: &str, found: &str, wanted: impl std::fmt::Display) -> Problem {
    let message = format!("has metadata with `{key}: {found}` instead of `{wanted}`");
    Problem::new(Rule::Metadata, message)
}

/// The clauses of a version range, in an order that does not depend on how they were written.
fn clauses(range: &str) -> Vec<String> {
    let mut clauses: Vec<String> = range.split(',').map(|clause| clause.replace(' ', "")).collect();
    clauses.sort();
    clauses
}

/// Properties for which an index refuses a file without reading its contents.
fn acceptance(built: &Built, archive: &Archive) -> Vec<Problem> {
    let mut problems = Vec::new();
    if built.version.is_local() {
        let message = format!("has the local version {}, which indexes refuse", built.version);
        problems.push(Problem::new(Rule::LocalVersion, message));
    }
    let platform = archive.file.strip_suffix(".whl").and_then(|stem| stem.rsplit('-').next());
    if platform.is_some_and(|tags| tags.split('.').any(|tag| tag.starts_with("linux_"))) {
        let problem =
            Problem::new(Rule::Platform, "has a `linux_*` platform, which indexes refuse");
        problems.push(
            problem.hint("run `auditwheel repair` on it, and pass the result with `--wheels DIR`"),
        );
    }
    if archive.size > LARGEST {
        let message = format!(
            "has {} MB; an index accepts {} MB",
            archive.size / 1_000_000,
            LARGEST / 1_000_000
        );
        problems.push(Problem::new(Rule::Size, message));
    }
    problems
}

/// Every `License-File` (PEP 639) has to be in the archive.
fn license_files(archive: &Archive) -> Vec<Problem> {
    let missing = archive.headers("License-File").filter(|file| {
        let in_wheel = format!(".dist-info/licenses/{file}");
        let in_old_wheel = format!(".dist-info/{file}");
        !archive.members.keys().any(|member| {
            member == file || member.ends_with(&in_wheel) || member.ends_with(&in_old_wheel)
        })
    });
    let messages =
        missing.map(|file| format!("names the license file `{file}` and does not contain it"));
    messages.map(|message| Problem::new(Rule::Licence, message)).collect()
}

/// Why a requirement of built metadata must not be published. The message continues "requires X,
/// but …".
fn requirement(text: &str, own: &Version, siblings: &Siblings) -> Option<Problem> {
    let Ok(requirement) = Requirement::parse(text) else {
        let message = "that is not a valid requirement (PEP 508)";
        return Some(Problem::new(Rule::Requirement, message));
    };
    if requirement.url.is_some() {
        let message = "indexes refuse requirements on a path or an address";
        let hint = "require a version range, and move the path to a dependency group";
        return Some(Problem::new(Rule::DirectReference, message).hint(hint));
    }
    let specifiers = &text[requirement.specifiers.clone()];
    let name = requirement.name.normal();
    missing_extra(&requirement, siblings)
        .or_else(|| excluded(name, specifiers, siblings))
        .or_else(|| prerelease(name, specifiers, own, siblings))
}

/// A final release that asks for a pre-release. pip then installs later pre-releases too, so a sibling
/// whose final release would do is not asked for like that; others have no better one.
fn prerelease(name: &str, specifiers: &str, own: &Version, siblings: &Siblings) -> Option<Problem> {
    if own.any_prerelease() || !asks_for_prerelease(specifiers) {
        return None;
    }
    let planned = siblings.planned.get(name).map(std::slice::from_ref);
    let versions = planned.or(siblings.published.get(name).map(Vec::as_slice)).unwrap_or_default();
    let is_final = |version: &Version| {
        !version.any_prerelease() && admits(specifiers, version).unwrap_or(false)
    };
    if let Some(found) = versions.iter().find(|version| is_final(version)) {
        let message =
            format!("that is a pre-release, {own} is a final release, and {name} {found} would do");
        return Some(range(message));
    }
    let message = format!("that is a pre-release, and {own} is a final release");
    Some(Problem::note(Rule::RequiresDist, message))
}

/// An extra that the required sibling does not provide.
fn missing_extra(requirement: &Requirement, siblings: &Siblings) -> Option<Problem> {
    let name = requirement.name.normal();
    let provided = siblings.extras.get(name)?;
    let mut extras = requirement.extras.iter().map(|extra| normalize(extra));
    let missing = extras.find(|extra| !provided.contains(extra))?;
    let message = format!("`{name}` does not provide the extra `{missing}`");
    let hint = format!("drop the extra, or add it to `{name}`");
    Some(Problem::new(Rule::Extra, message).hint(hint))
}

/// A range that excludes the sibling released with it or, where none is, every published version.
fn excluded(name: &str, specifiers: &str, siblings: &Siblings) -> Option<Problem> {
    let is_admitted = |version: &Version| admits(specifiers, version).unwrap_or(false);
    if let Some(version) = siblings.planned.get(name) {
        return (!is_admitted(version))
            .then(|| range(format!("that excludes {name} {version}, which is released with it")));
    }
    let published = siblings.published.get(name)?;
    let yanked =
        siblings.yanked.get(name).and_then(|yanked| yanked.iter().find(|v| is_admitted(v)));
    if let Some(yanked) = yanked.filter(|_| !published.iter().any(is_admitted)) {
        return Some(range(format!("the only {name} that it admits, {yanked}, is yanked")));
    }
    if published.is_empty() {
        return Some(range(format!("`{name}` is neither published nor part of this release")));
    }
    (!published.iter().any(is_admitted))
        .then(|| range(format!("that excludes every published version of `{name}`")))
}

fn range(message: String) -> Problem {
    Problem::new(Rule::RequiresDist, message)
        .hint("run `cargo xtask bump`, which updates the ranges on siblings")
}

/// Whether a lower bound or a pin is a pre-release: pip takes that as permission to install one.
fn asks_for_prerelease(specifiers: &str) -> bool {
    let clauses = specifier::parse(specifiers, Dialect::Pep440).unwrap_or_default();
    clauses.iter().any(|clause| {
        let is_lower_bound = matches!(
            clause.op,
            Op::Equal | Op::Arbitrary | Op::Compatible | Op::Greater | Op::GreaterEqual
        );
        is_lower_bound && clause.version.any_prerelease()
    })
}

#[cfg(test)]
mod tests {
    use formats::name::Name;

    use super::*;
    use crate::config::ContentConfig;
    use crate::manifest::Manifest;
    use crate::release::content::tests::{archive, messages, pair};
    use crate::release::content::tree::Tree;
    use crate::text::toml::TomlFile;

    #[test]
    fn names_and_metadata_have_to_agree() {
        let mut archives = pair("core", "2.3.0", &[], &[]);
        archives[1].file = "other-2.3.0-py3-none-any.whl".into();
        archives[0].metadata.insert("Version".into(), vec!["2.2".into()]);
        archives[0].metadata.insert("Name".into(), vec!["score".into()]);
        let found = messages(&[("core", "2.3.0", archives)], &Siblings::default());
        assert_eq!(
            found,
            [
                "`core-2.3.0.tar.gz` has metadata with `Name: score` instead of `core`",
                "`core-2.3.0.tar.gz` has metadata with `Version: 2.2` instead of `2.3.0`",
                "`other-2.3.0-py3-none-any.whl` has a name that does not start with `core-2.3.0` (PEP 625, PEP 427)",
                "`other-2.3.0-py3-none-any.whl` has a name without the version 2.3.0",
            ]
        );
    }

    #[test]
    fn the_metadata_repeats_what_the_manifest_says_of_python() {
        let (name, version) = (Name::new("core").unwrap(), "1".parse().unwrap());
        let config = ContentConfig::default();
        let built = Built {
            name: &name,
            version: &version,
            archives: &[],
            own: &[],
            tree: &Tree::default(),
            requires_python: Some(">=3.10, <4"),
            requirements: None,
            config: &config,
        };
        let with = |python: &str| {
            let headers = [("Name", "core"), ("Version", "1"), ("Requires-Python", python)];
            identity(&built, &archive("core-1.tar.gz", &[], &headers))
        };
        assert_eq!(with("<4,>=3.10"), []);
        assert_eq!(with(">=3.9"), [differs("Requires-Python", ">=3.9", ">=3.10, <4")]);
    }

    #[test]
    fn the_metadata_requires_what_the_manifest_does() {
        let text = "[project]\nname = 'core'\nversion = '1'\ndependencies = ['A_b>=1', 'c; os_name == \"x\"']\n\
                    [project.optional-dependencies]\nx = ['d', 'core[y]']\n";
        let file = TomlFile::parse("pyproject.toml", text.into()).unwrap();
        let manifest = Manifest::read(&file).unwrap().unwrap();
        assert!(manifest.has_static_requirements);
        let version = "1".parse().unwrap();
        let config = ContentConfig::default();
        let built = Built {
            name: &manifest.name,
            version: &version,
            archives: &[],
            own: &[],
            tree: &Tree::default(),
            requires_python: None,
            requirements: Some(&manifest.requirements),
            config: &config,
        };
        let with = |required: &[&str]| {
            let headers: Vec<_> = required.iter().map(|text| ("Requires-Dist", *text)).collect();
            let archive = archive("core-1.tar.gz", &[], &headers);
            strangers(&built, &archive).map(|problem| problem.message)
        };
        let right = ["a-b >=1,<2", "c; os_name == \"x\"", "d; extra == \"x\""];
        assert_eq!(with(&right), None);
        let more = "requires `evil`, which its manifest does not";
        assert_eq!(with(&[&right[..], &["evil"]].concat()).as_deref(), Some(more));
        let less = "does not require `c`, unlike its manifest";
        assert_eq!(with(&right[..1]).as_deref(), Some(less));
    }

    fn siblings(planned: &[(&str, &str)], published: &[(&str, &[&str])]) -> Siblings {
        Siblings {
            planned: planned.iter().map(|(n, v)| ((*n).into(), v.parse().unwrap())).collect(),
            published: published
                .iter()
                .map(|(n, vs)| ((*n).into(), vs.iter().map(|v| v.parse().unwrap()).collect()))
                .collect(),
            ..Siblings::default()
        }
    }

    #[track_caller]
    fn required(text: &str, siblings: &Siblings, expected: Option<&str>) {
        let found =
            requirement(text, &"1.0".parse().unwrap(), siblings).map(|problem| problem.message);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn siblings_have_to_be_installable() {
        let planned = siblings(&[("core", "3.0.0")], &[("core", &["2.3.0"])]);
        let excluded = "that excludes core 3.0.0, which is released with it";
        required("Core<3,>=2", &planned, Some(excluded));
        required("core<3 ; extra == 'all'", &planned, Some(excluded));
        required("core>=2", &planned, None);
        let published = siblings(&[], &[("core", &["2.3.0"]), ("new", &[])]);
        required("core>=2.4", &published, Some("that excludes every published version of `core`"));
        required("core>=2.3", &published, None);
        required("new", &published, Some("`new` is neither published nor part of this release"));
    }

    #[test]
    fn extras_have_to_be_provided() {
        let mut planned = siblings(&[("core", "3.0.0")], &[]);
        planned.extras.insert("core".into(), vec!["sql-lite".into()]);
        required("core[SQL_Lite]", &planned, None);
        let missing = "`core` does not provide the extra `zip`";
        required("core[zip]>=2", &planned, Some(missing));
    }

    #[test]
    fn requirements_that_must_not_be_published() {
        let none = Siblings::default();
        let direct = "indexes refuse requirements on a path or an address";
        required("x @ file:///x", &none, Some(direct));
        assert_eq!(without_address("x[y] @ file:///x"), "x[y]");
    }

    #[test]
    fn a_final_release_asks_for_a_pre_release_where_there_is_nothing_else() {
        let note = "that is a pre-release, and 1.0 is a final release";
        let none = Siblings::default();
        required("x>=1.0rc1", &none, Some(note));
        required("x<2.0.dev0", &none, None);
        required("x>=1.0", &none, None);
        let severity = |text, siblings: &Siblings| {
            requirement(text, &"1.0".parse().unwrap(), siblings).unwrap().severity
        };
        assert_eq!(severity("x>=1.0rc1", &none), Severity::Note);
        let planned = siblings(&[("core", "2.0rc1")], &[("core", &["1.0"])]);
        assert_eq!(severity("core>=2.0rc1,<3", &planned), Severity::Note);
        let published = siblings(&[], &[("core", &["1.0", "2.0rc1"])]);
        assert_eq!(severity("core>=2.0rc1", &published), Severity::Note);
        let final_too = siblings(&[], &[("core", &["2.0rc1", "2.0"])]);
        assert_eq!(severity("core>=2.0rc1", &final_too), Severity::Error);
        assert_eq!(requirement("core>=2.0rc1", &"1.0rc1".parse().unwrap(), &final_too), None);
    }

    #[test]
    fn yanked_files_satisfy_nothing() {
        let mut siblings = siblings(&[], &[("core", &["2.3.0"])]);
        siblings.yanked.insert("core".into(), vec!["2.4.0".parse().unwrap()]);
        required("core>=2.3", &siblings, None);
        let yanked = "the only core that it admits, 2.4.0, is yanked";
        required("core>=2.4", &siblings, Some(yanked));
    }

    #[test]
    fn files_that_an_index_refuses() {
        let mut archives = pair("core", "1", &[], &[]);
        archives[0].size = LARGEST + 1_000_000;
        archives[1].file = "core-1-cp312-cp312-linux_x86_64.whl".into();
        let found = messages(&[("core", "1", archives)], &Siblings::default());
        assert_eq!(
            found,
            [
                "`core-1.tar.gz` has 101 MB; an index accepts 100 MB",
                "`core-1-cp312-cp312-linux_x86_64.whl` has a `linux_*` platform, which indexes refuse",
            ]
        );
        let local = pair("core", "1+abc", &[], &[]);
        let found = messages(&[("core", "1+abc", local)], &Siblings::default());
        assert_eq!(
            found[0],
            "`core-1+abc.tar.gz` has the local version 1+abc, which indexes refuse"
        );
    }

    #[test]
    fn license_files_are_in_the_archive() {
        let headers = [("License-File", "LICENSE")];
        let wheel = |member: &str| archive("core-1-py3-none-any.whl", &[member], &headers);
        assert_eq!(license_files(&wheel("core-1.dist-info/licenses/LICENSE")), []);
        assert_eq!(license_files(&wheel("core/LICENSE.txt")).len(), 1);
    }
}
