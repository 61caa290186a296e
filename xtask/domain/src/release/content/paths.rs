//! Where the wheels of several distributions install: no two may install the same path, and none
//! may close a namespace of another. Also which names a wheel offers for import.

use std::collections::{BTreeSet, HashMap};

use formats::name::Name;

use crate::finding::{Finding, Rule};
use crate::release::content::archive::{Archive, Built, Siblings};

/// The paths that are installed into one environment, each with its owner: those of the wheels and
/// those of the siblings beside them.
fn installed<'a>(built: &'a [Built], siblings: &'a Siblings) -> Vec<(&'a str, &'a Name)> {
    let own = built.iter().flat_map(|one| {
        let wheels = one.archives.iter().filter(|archive| archive.is_wheel());
        let members: BTreeSet<&str> =
            wheels.flat_map(|wheel| wheel.members.keys().map(|member| target(member))).collect();
        members.into_iter().map(|member| (member, one.name))
    });
    own.chain(siblings.installed.iter().map(|(path, name)| (path.as_str(), name))).collect()
}

/// Whether one of these is among the built ones. A conflict between two other distributions is not
/// reported.
fn concerns(built: &[Built], names: [&Name; 2]) -> bool {
    built.iter().any(|one| names.contains(&one.name))
}

/// The installed path of a member: files in `NAME-VERSION.data/` are installed beside those of every
/// other distribution (PEP 427).
fn target(member: &str) -> &str {
    let (top, rest) = member.split_once('/').unwrap_or((member, ""));
    if top.ends_with(".data") { rest } else { member }
}

/// A path in two distributions: the one installed last wins, and removing one breaks both.
pub(crate) fn shared(built: &[Built], siblings: &Siblings) -> Vec<Finding> {
    let mut owners: HashMap<&str, &Name> = HashMap::new();
    let mut findings = Vec::new();
    for (path, name) in installed(built, siblings) {
        let other = owners.insert(path, name).filter(|owner| *owner != name);
        if let Some(owner) = other.filter(|owner| concerns(built, [owner, name])) {
            let message = format!("`{owner}` and `{name}` both install `{path}`");
            findings.push(Finding::error(Rule::SharedPath, message));
        }
    }
    findings
}

/// An `__init__.py` in a folder that another distribution installs into: it hides the other's
/// modules from some installers and editors (PEP 420).
pub(crate) fn namespaces(built: &[Built], siblings: &Siblings) -> Vec<Finding> {
    let mut inside: HashMap<&str, BTreeSet<&Name>> = HashMap::new();
    let mut owners: HashMap<&str, Vec<&Name>> = HashMap::new();
    for (path, name) in installed(built, siblings) {
        for (cut, _) in path.match_indices('/') {
            inside.entry(&path[..=cut]).or_default().insert(name);
        }
        if let Some(folder) = path.strip_suffix("__init__.py").filter(|folder| !folder.is_empty()) {
            owners.entry(folder).or_default().push(name);
        }
    }
    let mut findings = Vec::new();
    for (folder, owners) in owners {
        let guest = inside[folder].iter().find(|name| {
            !owners.contains(name) && owners.iter().any(|owner| concerns(built, [owner, name]))
        });
        // Two owners of one file are a finding of their own.
        if let ([owner], Some(guest)) = (owners.as_slice(), guest) {
            let message = format!(
                "`{owner}` ships `{folder}__init__.py`, but `{guest}` installs into `{folder}` too"
            );
            let hint = "remove it: a namespace package has no `__init__.py` (PEP 420)";
            findings.push(Finding::error(Rule::NamespaceInit, message).hint(hint));
        }
    }
    findings.sort_by(|a, b| a.message.cmp(&b.message));
    findings
}

/// The modules that a wheel offers for import: its top-level modules and packages and, in a
/// namespace, the packages directly below it.
pub fn import_names(wheel: &Archive) -> Vec<String> {
    let mut names = BTreeSet::new();
    let own = wheel
        .members
        .keys()
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
    use crate::release::content::tests::{archive, messages, pair};

    #[test]
    fn distributions_do_not_share_paths_or_close_a_namespace() {
        let a = pair("a", "1", &["ns/__init__.py", "ns/a.py", "x.py"], &[]);
        let b = pair("b", "1", &["ns/b/__init__.py", "x.py"], &[]);
        let found = messages(&[("a", "1", a), ("b", "1", b)], &Siblings::default());
        assert_eq!(
            found,
            [
                "`a` and `b` both install `x.py`",
                "`a` ships `ns/__init__.py`, but `b` installs into `ns/` too"
            ]
        );
    }

    #[test]
    fn siblings_that_are_not_built_with_them_count_too() {
        let name = |name| Name::new(name).unwrap();
        let at = |path: &str, owner| (path.to_owned(), name(owner));
        let installed = vec![at("x.py", "b"), at("ns/b.py", "b"), at("y.py", "b"), at("y.py", "c")];
        let siblings = Siblings { installed, ..Siblings::default() };
        let a = pair("a", "1", &["ns/__init__.py", "x.py"], &[]);
        assert_eq!(
            messages(&[("a", "1", a)], &siblings),
            [
                "`a` and `b` both install `x.py`",
                "`a` ships `ns/__init__.py`, but `b` installs into `ns/` too"
            ]
        );
    }

    #[test]
    fn a_file_that_both_own_is_reported_once() {
        let a = pair("a", "1", &["ns/__init__.py"], &[]);
        let b = pair("b", "1", &["ns/__init__.py"], &[]);
        let found = messages(&[("a", "1", a), ("b", "1", b)], &Siblings::default());
        assert_eq!(found, ["`a` and `b` both install `ns/__init__.py`"]);
    }

    #[test]
    fn a_wheel_offers_names_for_import() {
        let members = [
            "ns/core/__init__.py",
            "ns/core/sub/__init__.py",
            "one.py",
            "ext.cpython-312-x.so",
            "x-1.dist-info/METADATA",
            "data/readme.txt",
        ];
        let wheel = archive("x-1-py3-none-any.whl", &members, &[]);
        assert_eq!(import_names(&wheel), ["ext", "ns.core", "one"]);
    }
}
