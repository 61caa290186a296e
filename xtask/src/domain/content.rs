//! What is wrong with built archives: judged together, before anything is uploaded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::version::Version;

use super::finding::Finding;
use super::name::{Name, normalize};
use super::release::version_in_file_name;
use super::requirement::{Requirement, admits};

/// What lies in one sdist or wheel.
#[derive(Clone, Debug)]
pub struct Archive {
    pub file: String,
    /// Paths of the files in it; those of an sdist without its top folder.
    pub members: Vec<String>,
    /// Every header of METADATA or PKG-INFO, in the order written (core metadata).
    pub metadata: BTreeMap<String, Vec<String>>,
}

impl Archive {
    pub fn is_wheel(&self) -> bool {
        self.file.ends_with(".whl")
    }

    fn header(&self, key: &str) -> Option<&str> {
        self.metadata.get(key)?.first().map(String::as_str)
    }
}

/// One distribution as it was built.
pub struct Built<'a> {
    pub name: &'a Name,
    pub version: &'a Version,
    pub archives: &'a [Archive],
}

/// Which versions of the siblings a user will be able to install, by normalized name.
#[derive(Default)]
pub struct Siblings {
    /// Released together with what is checked: these very versions have to be admitted.
    pub planned: HashMap<String, Version>,
    /// Already on the index: one of them has to be admitted.
    pub published: HashMap<String, Vec<Version>>,
}

/// Everything that is wrong with what was built.
pub fn check(built: &[Built], siblings: &Siblings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = built
        .iter()
        .flat_map(|one| {
            let archives =
                one.archives.iter().flat_map(|archive| archive_findings(one, archive, siblings));
            kinds(one).into_iter().chain(archives)
        })
        .collect();
    findings.extend(shared_paths(built));
    findings.extend(namespaces(built));
    findings
}

/// An sdist and at least one wheel: an index accepts one sdist, and pip prefers wheels.
fn kinds(built: &Built) -> Vec<Finding> {
    let wheels = built.archives.iter().filter(|archive| archive.is_wheel()).count();
    let sdists = built.archives.len() - wheels;
    if wheels > 0 && sdists == 1 {
        return Vec::new();
    }
    vec![Finding::error(
        "files",
        format!("{}: {sdists} sdists and {wheels} wheels were built", built.name),
    )]
}

fn archive_findings(built: &Built, archive: &Archive, siblings: &Siblings) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut error = |rule, message: String| {
        findings.push(Finding::error(rule, format!("{}: {message}", archive.file)));
    };
    let expected = built.name.in_file_name();
    if !archive.file.starts_with(&format!("{expected}-{}", built.version)) {
        error(
            "file-name",
            format!("PEP 625 and PEP 427 want it to start with `{expected}-{}`", built.version),
        );
    }
    let in_name = version_in_file_name(&archive.file, &expected);
    if in_name.as_ref() != Some(built.version) {
        error("file-name", format!("it does not name version {}", built.version));
    }
    let name = archive.header("Name").unwrap_or("none");
    if normalize(name) != built.name.normal() {
        error("metadata", format!("its metadata says `Name: {name}`, not {}", built.name));
    }
    let version = archive.header("Version").unwrap_or("none");
    if version.parse::<Version>().ok().as_ref() != Some(built.version) {
        error("metadata", format!("its metadata says `Version: {version}`, not {}", built.version));
    }
    for text in archive.metadata.get("Requires-Dist").into_iter().flatten() {
        if let Some(why) = requirement_problem(text, siblings) {
            error("requires-dist", format!("`{text}` {why}"));
        }
    }
    findings
}

/// Why a requirement of built metadata cannot be satisfied, if it is one on a sibling.
fn requirement_problem(text: &str, siblings: &Siblings) -> Option<String> {
    let Ok(requirement) = Requirement::parse(text) else {
        return Some("is not a requirement (PEP 508)".to_owned());
    };
    let name = requirement.name.normal();
    let (planned, published) = (siblings.planned.get(name), siblings.published.get(name));
    if planned.is_none() && published.is_none() {
        return None;
    }
    if requirement.url.is_some() {
        return Some("points to an address: an index refuses that".to_owned());
    }
    let specifiers = &text[requirement.specifiers.clone()];
    let admitted = |version: &Version| admits(specifiers, version).unwrap_or(false);
    match (planned, published) {
        (Some(version), _) if admitted(version) => None,
        (Some(version), _) => {
            Some(format!("does not admit {name} {version}, which is released with it"))
        }
        (None, Some(versions)) if versions.iter().any(admitted) => None,
        (None, Some(versions)) if versions.is_empty() => {
            Some(format!("cannot be satisfied: {name} is not published and not in this release"))
        }
        (None, _) => Some(format!("admits none of the published versions of {name}")),
    }
}

/// The wheels' members that end up in site-packages, with whose they are.
fn installed<'a>(built: &'a [Built]) -> impl Iterator<Item = (&'a str, &'a Name)> {
    built.iter().flat_map(|one| {
        let wheels = one.archives.iter().filter(|archive| archive.is_wheel());
        let members: BTreeSet<&str> =
            wheels.flat_map(|wheel| wheel.members.iter().map(String::as_str)).collect();
        members.into_iter().map(|member| (member, one.name))
    })
}

/// A path in two distributions: whichever is installed last wins, and removing one breaks both.
fn shared_paths(built: &[Built]) -> Vec<Finding> {
    let mut owners: HashMap<&str, &Name> = HashMap::new();
    let mut findings = Vec::new();
    for (path, name) in installed(built) {
        match owners.insert(path, name) {
            Some(owner) if owner != name => {
                findings.push(Finding::error(
                    "shared-path",
                    format!("{owner} and {name} both install {path}"),
                ));
            }
            _ => {}
        }
    }
    findings
}

/// An `__init__.py` in a folder that another distribution installs into: it hides the other's
/// modules from some installers and editors (PEP 420).
fn namespaces(built: &[Built]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, name) in installed(built) {
        let Some(folder) = path.strip_suffix("__init__.py").filter(|folder| !folder.is_empty())
        else {
            continue;
        };
        let guest =
            installed(built).find(|(other, guest)| *guest != name && other.starts_with(folder));
        if let Some((_, guest)) = guest {
            findings.push(
                Finding::error(
                    "namespace-init",
                    format!("{name} ships {path}, but {guest} installs into {folder} too"),
                )
                .hint("a namespace package has no __init__.py (PEP 420): remove it"),
            );
        }
    }
    findings
}

/// The modules that a wheel offers for import: its top-level modules and packages and, in a
/// namespace, the packages directly below it.
pub fn import_names(wheel: &Archive) -> Vec<String> {
    let mut names = BTreeSet::new();
    let own = wheel
        .members
        .iter()
        .filter(|member| !member.contains(".dist-info/") && !member.contains(".data/"));
    let packages: BTreeSet<&str> =
        own.clone().filter_map(|member| member.strip_suffix("/__init__.py")).collect();
    for member in own {
        let stem = member.rsplit_once('/').map_or("", |(folder, _)| folder);
        let outermost = packages
            .iter()
            .filter(|package| stem == **package || stem.starts_with(&format!("{package}/")))
            .min_by_key(|package| package.len());
        match outermost {
            Some(package) => _ = names.insert(package.replace('/', ".")),
            None if stem.is_empty() => names.extend(module_name(member)),
            None => {}
        }
    }
    names.into_iter().collect()
}

/// The name of a top-level module file, extension modules included.
fn module_name(file: &str) -> Option<String> {
    let (stem, extension) = file.split_once('.')?;
    let importable = extension == "py" || extension.ends_with("so") || extension.ends_with("pyd");
    importable.then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(file: &str, members: &[&str], headers: &[(&str, &str)]) -> Archive {
        let mut metadata: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in headers {
            metadata.entry((*key).into()).or_default().push((*value).into());
        }
        Archive {
            file: file.into(),
            members: members.iter().map(|m| (*m).into()).collect(),
            metadata,
        }
    }

    fn good(name: &str, version: &str, members: &[&str], requires: &[&str]) -> Vec<Archive> {
        let mut headers = vec![("Name", name), ("Version", version)];
        headers.extend(requires.iter().map(|r| ("Requires-Dist", *r)));
        vec![
            archive(&format!("{name}-{version}.tar.gz"), &[], &headers),
            archive(&format!("{name}-{version}-py3-none-any.whl"), members, &headers),
        ]
    }

    fn messages(distributions: &[(&str, &str, Vec<Archive>)], siblings: &Siblings) -> Vec<String> {
        let parsed: Vec<_> = distributions
            .iter()
            .map(|(name, version, archives)| {
                (Name::new(name).unwrap(), version.parse::<Version>().unwrap(), archives)
            })
            .collect();
        let built: Vec<Built> = parsed
            .iter()
            .map(|(name, version, archives)| Built { name, version, archives })
            .collect();
        check(&built, siblings).iter().map(ToString::to_string).collect()
    }

    fn siblings(planned: &[(&str, &str)], published: &[(&str, &[&str])]) -> Siblings {
        Siblings {
            planned: planned.iter().map(|(n, v)| ((*n).into(), v.parse().unwrap())).collect(),
            published: published
                .iter()
                .map(|(n, vs)| ((*n).into(), vs.iter().map(|v| v.parse().unwrap()).collect()))
                .collect(),
        }
    }

    #[test]
    fn a_good_pair_has_no_findings() {
        let core = good("core", "2.3.0", &["core/__init__.py"], &[]);
        let sched = good("sched", "1.5.0", &["sched.py"], &["core<3,>=2.3", "requests>=2"]);
        let all = [("core", "2.3.0", core), ("sched", "1.5.0", sched)];
        assert_eq!(messages(&all, &siblings(&[("core", "2.3.0")], &[])), Vec::<String>::new());
    }

    #[test]
    fn names_and_metadata_have_to_agree() {
        let mut archives = good("core", "2.3.0", &[], &[]);
        archives[1].file = "other-2.3.0-py3-none-any.whl".into();
        archives[0].metadata.insert("Version".into(), vec!["2.2".into()]);
        let found = messages(&[("core", "2.3.0", archives)], &Siblings::default());
        assert_eq!(
            found,
            [
                "core-2.3.0.tar.gz: its metadata says `Version: 2.2`, not 2.3.0",
                "other-2.3.0-py3-none-any.whl: PEP 625 and PEP 427 want it to start with `core-2.3.0`",
                "other-2.3.0-py3-none-any.whl: it does not name version 2.3.0",
            ]
        );
    }

    #[track_caller]
    fn requirement(text: &str, siblings: &Siblings, expected: Option<&str>) {
        assert_eq!(requirement_problem(text, siblings).as_deref(), expected);
    }

    #[test]
    fn siblings_have_to_be_installable() {
        let planned = siblings(&[("core", "3.0.0")], &[("core", &["2.3.0"])]);
        let excluded = "does not admit core 3.0.0, which is released with it";
        requirement("Core<3,>=2", &planned, Some(excluded));
        requirement("core<3 ; extra == 'all'", &planned, Some(excluded));
        requirement("core>=2", &planned, None);
        let published = siblings(&[], &[("core", &["2.3.0"]), ("new", &[])]);
        requirement("core>=2.4", &published, Some("admits none of the published versions of core"));
        requirement("core>=2.3", &published, None);
        requirement(
            "new",
            &published,
            Some("cannot be satisfied: new is not published and not in this release"),
        );
        requirement(
            "core @ file:///x",
            &published,
            Some("points to an address: an index refuses that"),
        );
    }

    #[test]
    fn distributions_do_not_share_paths_or_close_a_namespace() {
        let a = good("a", "1", &["ns/__init__.py", "ns/a.py", "x.py"], &[]);
        let b = good("b", "1", &["ns/b/__init__.py", "x.py"], &[]);
        let found = messages(&[("a", "1", a), ("b", "1", b)], &Siblings::default());
        assert_eq!(
            found,
            ["a and b both install x.py", "a ships ns/__init__.py, but b installs into ns/ too"]
        );
    }

    #[test]
    fn what_a_wheel_offers_for_import() {
        let wheel = archive(
            "x-1-py3-none-any.whl",
            &[
                "ns/core/__init__.py",
                "ns/core/sub/__init__.py",
                "one.py",
                "ext.cpython-312-x.so",
                "x-1.dist-info/METADATA",
                "data/readme.txt",
            ],
            &[],
        );
        assert_eq!(import_names(&wheel), ["ext", "ns.core", "one"]);
    }
}
