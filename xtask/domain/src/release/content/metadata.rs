//! Core metadata and file names, against each other, the manifest, and what an index accepts.

use formats::name::normalize;
use formats::pep440::Version;
use formats::pep440::specifier::{self, Dialect, Op};
use formats::requirement::{Requirement, admits};

use crate::finding::Rule;
use crate::release::content::archive::{Archive, Built, Problem, Siblings};
use crate::release::plan::version_in_file_name;

/// What PyPI takes for one file, in bytes.
const LARGEST: u64 = 100_000_000;

pub(crate) fn problems(built: &Built, archive: &Archive, siblings: &Siblings) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(file_name(built, archive));
    problems.extend(identity(built, archive));
    problems.extend(acceptance(built, archive));
    problems.extend(licences(archive));
    let of_requirement = |text| requirement(text, built.version, siblings);
    let requirements = archive.headers("Requires-Dist");
    problems.extend(requirements.filter_map(|text| {
        of_requirement(text).map(|(rule, why)| (rule, format!("`{}` {why}", shown(text))))
    }));
    problems
}

/// A requirement without the address that it points to, which is one of a scratch folder.
fn shown(text: &str) -> &str {
    text.split_once(" @ ").map_or(text, |(name, _)| name)
}

fn file_name(built: &Built, archive: &Archive) -> Vec<Problem> {
    let (mut problems, name) = (Vec::new(), built.name.in_file_name());
    let stem = format!("{name}-{}", built.version);
    if !archive.file.starts_with(&stem) {
        let message = format!("PEP 625 and PEP 427 want it to start with `{stem}`");
        problems.push((Rule::FileName, message));
    }
    if version_in_file_name(&archive.file, &name).as_ref() != Some(built.version) {
        problems.push((Rule::FileName, format!("it does not name version {}", built.version)));
    }
    problems
}

fn identity(built: &Built, archive: &Archive) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut differs = |key: &str, found: &str, wanted: &str| {
        let message = format!("its metadata says `{key}: {found}`, not {wanted}");
        problems.push((Rule::Metadata, message));
    };
    let name = archive.header("Name").unwrap_or("none");
    if normalize(name) != built.name.normal() {
        differs("Name", name, &built.name.to_string());
    }
    let version = archive.header("Version").unwrap_or("none");
    if version.parse::<Version>().ok().as_ref() != Some(built.version) {
        differs("Version", version, &built.version.to_string());
    }
    let clauses = |text: &str| {
        let mut clauses: Vec<String> =
            text.split(',').map(|clause| clause.replace(' ', "")).collect();
        clauses.sort();
        clauses
    };
    let python = archive.header("Requires-Python").unwrap_or("none");
    if let Some(wanted) = built.requires_python.filter(|wanted| clauses(wanted) != clauses(python))
    {
        differs("Requires-Python", python, wanted);
    }
    problems
}

/// What an index refuses whatever it means.
fn acceptance(built: &Built, archive: &Archive) -> Vec<Problem> {
    let mut problems = Vec::new();
    if built.version.is_local() {
        let message = format!("{} is a local version: an index refuses it", built.version);
        problems.push((Rule::LocalVersion, message));
    }
    let platform = archive.file.strip_suffix(".whl").and_then(|stem| stem.rsplit('-').next());
    if platform.is_some_and(|tags| tags.split('.').any(|tag| tag.starts_with("linux_"))) {
        let message = "an index refuses `linux_*` wheels: repair it with auditwheel".to_owned();
        problems.push((Rule::Platform, message));
    }
    if archive.size > LARGEST {
        let message = format!("{} MB: an index takes 100", archive.size / 1_000_000);
        problems.push((Rule::Size, message));
    }
    problems
}

/// Every `License-File` (PEP 639) is in the archive.
fn licences(archive: &Archive) -> Vec<Problem> {
    let lies = |file: &str| {
        let in_wheel = format!(".dist-info/licenses/{file}");
        let plain = format!(".dist-info/{file}");
        let mut members = archive.members.keys();
        members
            .any(|member| member == file || member.ends_with(&in_wheel) || member.ends_with(&plain))
    };
    let missing = archive.headers("License-File").filter(|file| !lies(file));
    missing
        .map(|file| (Rule::Licence, format!("it names the licence file {file} and lacks it")))
        .collect()
}

/// Why a requirement of built metadata must not be published.
fn requirement(text: &str, own: &Version, siblings: &Siblings) -> Option<Problem> {
    let range = |why: String| Some((Rule::RequiresDist, why));
    let Ok(requirement) = Requirement::parse(text) else {
        return Some((Rule::Requirement, "is not a requirement (PEP 508)".to_owned()));
    };
    if requirement.url.is_some() {
        let why = "is required from a path or an address: an index refuses that";
        return Some((Rule::DirectReference, why.to_owned()));
    }
    let specifiers = &text[requirement.specifiers.clone()];
    if !own.any_prerelease() && asks_for_prerelease(specifiers) {
        return range(format!("asks for a pre-release, and {own} is a final one"));
    }
    let name = requirement.name.normal();
    let (planned, published) = (siblings.planned.get(name), siblings.published.get(name));
    if let Some(provided) = siblings.extras.get(name) {
        let mut asked = requirement.extras.iter().map(|extra| normalize(extra));
        if let Some(missing) = asked.find(|extra| !provided.contains(extra)) {
            let why = format!("asks for the extra `{missing}`, which {name} does not provide");
            return Some((Rule::Extra, why));
        }
    }
    let admitted = |version: &Version| admits(specifiers, version).unwrap_or(false);
    match (planned, published) {
        (None, None) => None,
        (Some(version), _) if admitted(version) => None,
        (Some(version), _) => {
            range(format!("does not admit {name} {version}, which is released with it"))
        }
        (None, Some(versions)) if versions.iter().any(admitted) => None,
        (None, Some(versions)) if versions.is_empty() => {
            range(format!("cannot be satisfied: {name} is not published and not in this release"))
        }
        (None, _) => range(format!("admits none of the published versions of {name}")),
    }
}

/// Whether a lower bound or a pin is a pre-release: pip takes that as permission to install one.
fn asks_for_prerelease(specifiers: &str) -> bool {
    let asks = |op| {
        matches!(op, Op::Equal | Op::Arbitrary | Op::Compatible | Op::Greater | Op::GreaterEqual)
    };
    let clauses = specifier::parse(specifiers, Dialect::Pep440).unwrap_or_default();
    clauses.iter().any(|clause| asks(clause.op) && clause.version.any_prerelease())
}

#[cfg(test)]
mod tests {
    use formats::name::Name;

    use super::*;
    use crate::config::ContentConfig;
    use crate::release::content::tests::{archive, messages, pair};

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
                "core-2.3.0.tar.gz: its metadata says `Name: score`, not core",
                "core-2.3.0.tar.gz: its metadata says `Version: 2.2`, not 2.3.0",
                "other-2.3.0-py3-none-any.whl: PEP 625 and PEP 427 want it to start with `core-2.3.0`",
                "other-2.3.0-py3-none-any.whl: it does not name version 2.3.0",
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
            tracked: &[],
            requires_python: Some(">=3.10, <4"),
            config: &config,
        };
        let with = |python: &str| {
            let headers = [("Name", "core"), ("Version", "1"), ("Requires-Python", python)];
            identity(&built, &archive("core-1.tar.gz", &[], &headers))
        };
        assert_eq!(with("<4,>=3.10"), []);
        let differs = "its metadata says `Requires-Python: >=3.9`, not >=3.10, <4";
        assert_eq!(with(">=3.9"), [(Rule::Metadata, differs.to_owned())]);
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
        let found = requirement(text, &"1.0".parse().unwrap(), siblings).map(|(_, why)| why);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn siblings_have_to_be_installable() {
        let planned = siblings(&[("core", "3.0.0")], &[("core", &["2.3.0"])]);
        let excluded = "does not admit core 3.0.0, which is released with it";
        required("Core<3,>=2", &planned, Some(excluded));
        required("core<3 ; extra == 'all'", &planned, Some(excluded));
        required("core>=2", &planned, None);
        let published = siblings(&[], &[("core", &["2.3.0"]), ("new", &[])]);
        required("core>=2.4", &published, Some("admits none of the published versions of core"));
        required("core>=2.3", &published, None);
        required(
            "new",
            &published,
            Some("cannot be satisfied: new is not published and not in this release"),
        );
    }

    #[test]
    fn extras_have_to_be_provided() {
        let mut planned = siblings(&[("core", "3.0.0")], &[]);
        planned.extras.insert("core".into(), vec!["sql-lite".into()]);
        required("core[SQL_Lite]", &planned, None);
        let missing = "asks for the extra `zip`, which core does not provide";
        required("core[zip]>=2", &planned, Some(missing));
    }

    #[test]
    fn what_no_index_should_get() {
        let none = Siblings::default();
        let direct = "is required from a path or an address: an index refuses that";
        required("x @ file:///x", &none, Some(direct));
        assert_eq!(shown("x[y] @ file:///x"), "x[y]");
        required("x>=1.0rc1", &none, Some("asks for a pre-release, and 1.0 is a final one"));
        required("x<2.0.dev0", &none, None);
        required("x>=1.0", &none, None);
    }

    #[test]
    fn what_an_index_refuses() {
        let mut archives = pair("core", "1", &[], &[]);
        archives[0].size = LARGEST + 1_000_000;
        archives[1].file = "core-1-cp312-cp312-linux_x86_64.whl".into();
        let found = messages(&[("core", "1", archives)], &Siblings::default());
        assert_eq!(
            found,
            [
                "core-1.tar.gz: 101 MB: an index takes 100",
                "core-1-cp312-cp312-linux_x86_64.whl: an index refuses `linux_*` wheels: repair it with auditwheel",
            ]
        );
        let local = pair("core", "1+abc", &[], &[]);
        let found = messages(&[("core", "1+abc", local)], &Siblings::default());
        assert_eq!(found[0], "core-1+abc.tar.gz: 1+abc is a local version: an index refuses it");
    }

    #[test]
    fn licence_files_are_in_the_archive() {
        let headers = [("License-File", "LICENSE")];
        let wheel = |member: &str| archive("core-1-py3-none-any.whl", &[member], &headers);
        assert_eq!(licences(&wheel("core-1.dist-info/licenses/LICENSE")), []);
        assert_eq!(licences(&wheel("core/LICENSE.txt")).len(), 1);
    }
}
