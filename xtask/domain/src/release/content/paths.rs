//! Where several distributions install: which of them share a path or a package. Also which names a
//! wheel offers for import.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use formats::name::Name;

use crate::finding::{Finding, Rule};
use crate::release::content::archive::{Archive, Built, Contents, Siblings};

/// Something that two distributions share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Overlap<'a> {
    /// Both install this path: the one installed last wins.
    Different { path: &'a str, owners: [&'a Name; 2] },
    /// Both install this path, with the same bytes. Removing one of them breaks the other.
    Same { path: &'a str, owners: [&'a Name; 2] },
    /// The first has an `__init__.py` in a package into which the second installs, too. That works
    /// where both are installed into one folder, as the smoke test of the second does.
    Package { folder: &'a str, owners: [&'a Name; 2] },
}

impl<'a> Overlap<'a> {
    pub(crate) fn owners(&self) -> [&'a Name; 2] {
        let (Overlap::Different { owners, .. }
        | Overlap::Same { owners, .. }
        | Overlap::Package { owners, .. }) = self;
        *owners
    }

    pub(crate) fn finding(&self) -> Finding {
        let [one, other] = self.owners();
        match self {
            Overlap::Different { path, .. } => {
                let message =
                    format!("`{one}` and `{other}` both install `{path}`, with different contents");
                Finding::error(Rule::SharedPath, message)
                    .hint("give one of the two files another path")
            }
            Overlap::Same { path, .. } => {
                let message = format!(
                    "`{one}` and `{other}` both install `{path}`: uninstalling one breaks the other"
                );
                Finding::warning(Rule::SharedPath, message)
            }
            Overlap::Package { folder, .. } => {
                let package = folder.replace('/', ".");
                let message = format!(
                    "`{one}` ships the `__init__.py` of the namespace `{package}`, which `{other}` shares (PEP 420)"
                );
                Finding::warning(Rule::NamespaceInit, message)
            }
        }
    }
}

/// Everything that two of these distributions share, given the paths that each installs. `contents`
/// is only asked about paths that matter.
pub(crate) fn overlaps<'a>(
    installed: &[(&'a str, &'a Name)],
    contents: &dyn Fn(&str, &Name) -> Contents,
) -> Vec<Overlap<'a>> {
    let mut owners: HashMap<&str, Vec<&Name>> = HashMap::new();
    let mut inside: HashMap<&str, BTreeSet<&Name>> = HashMap::new();
    for &(path, name) in installed {
        let own = owners.entry(path).or_default();
        if !own.contains(&name) {
            own.push(name);
        }
        for (cut, _) in path.match_indices('/') {
            inside.entry(&path[..cut]).or_default().insert(name);
        }
    }
    let mut found = Vec::new();
    for (path, own) in owners {
        let folder = path.strip_suffix("/__init__.py");
        let others = folder.map(|folder| inside[folder].len()).unwrap_or_default();
        if own.len() < 2 && others < 2 {
            continue;
        }
        let first = contents(path, own[0]);
        let differing = own[1..].iter().find(|name| contents(path, name).id != first.id);
        match folder {
            _ if differing.is_some() => {
                let owners = [own[0], differing.unwrap_or(&own[0])];
                found.push(Overlap::Different { path, owners });
            }
            Some(_) if first.extends => {}
            Some(folder) => found.extend(own.iter().filter_map(|owner| {
                let guest = inside[folder].iter().find(|name| *name != owner)?;
                Some(Overlap::Package { folder, owners: [*owner, *guest] })
            })),
            None => found.push(Overlap::Same { path, owners: [own[0], own[1]] }),
        }
    }
    found.sort();
    found
}

/// The files that the built distributions share with each other and with the siblings beside them.
pub(crate) fn shared(built: &[Built], siblings: &Siblings) -> Vec<Finding> {
    let mut files: BTreeMap<(&str, &Name), Contents> = BTreeMap::new();
    for one in built {
        for wheel in one.archives.iter().filter(|archive| archive.is_wheel()) {
            files.extend(wheel.members.keys().map(|member| {
                let id = wheel.ids.get(member).cloned().unwrap_or_default();
                let contents = Contents { id, extends: wheel.extending.contains(member) };
                ((target(member), one.name), contents)
            }));
        }
    }
    for file in &siblings.installed {
        files.insert((&file.path, &file.owner), file.contents.clone());
    }
    let installed: Vec<(&str, &Name)> = files.keys().copied().collect();
    let contents = |path: &str, owner: &Name| files[&(path, owner)].clone();
    let overlaps = overlaps(&installed, &contents).into_iter();
    // This release is not at fault for files that two others share.
    let is_built = |name: &Name| built.iter().any(|one| one.name == name);
    overlaps
        .filter(|overlap| overlap.owners().into_iter().any(is_built))
        .map(|overlap| overlap.finding())
        .collect()
}

/// The installed path of a member: files in `NAME-VERSION.data/` are installed beside those of every
/// other distribution (PEP 427).
fn target(member: &str) -> &str {
    let (top, rest) = member.split_once('/').unwrap_or((member, ""));
    if top.ends_with(".data") { rest } else { member }
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
    use crate::release::content::archive::InstalledFile;
    use crate::release::content::tests::{archive, messages, pair};

    const INIT: &str =
        "`a` ships the `__init__.py` of the namespace `ns`, which `b` shares (PEP 420)";

    /// Files as `PATH=CONTENTS` of each distribution; contents `extends` extend the path.
    #[track_caller]
    fn check(distributions: &[(&str, &[&str])], expected: &[&str]) {
        let names: Vec<Name> =
            distributions.iter().map(|(name, _)| Name::new(name).unwrap()).collect();
        let files = distributions.iter().zip(&names).flat_map(|((_, files), name)| {
            files.iter().map(move |file| (file.split_once('=').unwrap_or((file, "")), name))
        });
        let files: Vec<((&str, &str), &Name)> = files.collect();
        let installed: Vec<(&str, &Name)> =
            files.iter().map(|((path, _), name)| (*path, *name)).collect();
        let contents = |path: &str, owner: &Name| {
            let found = files.iter().find(|((p, _), name)| *p == path && *name == owner);
            let id = found.map_or("", |((_, contents), _)| contents);
            Contents { id: id.to_owned(), extends: id == "extends" }
        };
        let found: Vec<String> = overlaps(&installed, &contents)
            .iter()
            .map(|overlap| {
                let finding = overlap.finding();
                format!("{}: {finding}", finding.severity.word())
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn different_contents_under_one_path_are_an_error() {
        check(
            &[("a", &["x.py=1", "ns/__init__.py=1"]), ("b", &["x.py=2", "ns/__init__.py=2"])],
            &[
                "error: `a` and `b` both install `ns/__init__.py`, with different contents",
                "error: `a` and `b` both install `x.py`, with different contents",
            ],
        );
        check(
            &[("a", &["x.py=1"]), ("b", &["x.py=1"])],
            &["warning: `a` and `b` both install `x.py`: uninstalling one breaks the other"],
        );
    }

    #[test]
    fn a_package_that_others_install_into() {
        let plugin: &[&str] = &["ns/b/__init__.py"];
        check(&[("a", &["ns/__init__.py=api"]), ("b", plugin)], &[&format!("warning: {INIT}")]);
        check(&[("a", &["ns/__init__.py=extends"]), ("b", plugin)], &[]);
        let shared: &[&str] = &["ns/__init__.py=extends"];
        check(&[("a", shared), ("b", shared)], &[]);
        let empty: &[&str] = &["ns/__init__.py"];
        let other = "warning: `b` ships the `__init__.py` of the namespace `ns`, which `a` shares (PEP 420)";
        check(&[("a", empty), ("b", empty)], &[&format!("warning: {INIT}"), other]);
        check(&[("a", &["ns/a/__init__.py"]), ("b", plugin)], &[]);
    }

    #[test]
    fn siblings_that_are_not_built_with_them_count_too() {
        let at = |path: &str, owner: &str, id: &str| InstalledFile {
            path: path.to_owned(),
            owner: Name::new(owner).unwrap(),
            contents: Contents { id: id.to_owned(), extends: false },
        };
        let installed = vec![
            at("x.py", "b", "1"),
            at("ns/b.py", "b", ""),
            at("y.py", "b", ""),
            at("y.py", "c", "2"),
        ];
        let siblings = Siblings { installed, ..Siblings::default() };
        let a = pair("a", "1", &["ns/__init__.py", "x.py"], &[]);
        assert_eq!(
            messages(&[("a", "1", a)], &siblings),
            ["`a` and `b` both install `x.py`, with different contents", INIT]
        );
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
