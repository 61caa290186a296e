//! Checks the contents of all built archives together, before anything is uploaded.
//!
//! Takes archives as values. Must not open a file.

mod archive;
mod metadata;
pub mod modules;
pub(crate) mod paths;
mod problem;
mod tracked;
mod tree;
mod wheel;

use crate::finding::{Finding, Rule};
use crate::text::words::plural;

pub use archive::{Archive, Built, Contents, InstalledFile, Siblings};
pub use paths::import_names;
pub use tree::{EntryKind, Tree, TreeEntry};
pub use wheel::stale_member;

/// Every fault of the built archives: each by itself, and all of them installed together.
pub fn check(built: &[Built], siblings: &Siblings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in built {
        findings.extend(kinds(one));
        findings.extend(wheel::disagreements(one));
        for archive in one.archives {
            let mut problems = metadata::problems(one, archive, siblings);
            problems.extend(tracked::problems(one, archive));
            problems.extend(wheel::problems(archive));
            findings.extend(problems.into_iter().map(|problem| problem.of(&archive.file)));
        }
    }
    findings.extend(paths::shared(built, siblings));
    findings
}

/// One sdist and at least one wheel: an index accepts one sdist, and pip prefers wheels.
fn kinds(built: &Built) -> Option<Finding> {
    let wheels = built.archives.iter().filter(|archive| archive.is_wheel()).count();
    let sdists = built.archives.len() - wheels;
    if wheels > 0 && sdists == 1 {
        return None;
    }
    let message = format!(
        "the build of `{}` gave {} and {}; expected 1 sdist and at least 1 wheel",
        built.name,
        plural(sdists, "sdist"),
        plural(wheels, "wheel")
    );
    Some(Finding::error(Rule::Files, message))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use formats::name::Name;
    use formats::pep440::Version;

    use super::*;
    use crate::config::ContentConfig;

    /// An archive of these members and headers.
    pub(crate) fn archive(file: &str, members: &[&str], headers: &[(&str, &str)]) -> Archive {
        let mut metadata: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in headers {
            metadata.entry((*key).into()).or_default().push((*value).into());
        }
        let members = members.iter().map(|member| ((*member).into(), String::new())).collect();
        Archive { file: file.into(), size: 1, members, metadata, ..Archive::default() }
    }

    fn file(path: &str) -> TreeEntry {
        TreeEntry { path: path.to_owned(), kind: EntryKind::File, id: String::new() }
    }

    /// An sdist and a wheel that agree, with nothing wrong in them.
    pub(crate) fn pair(
        name: &str,
        version: &str,
        members: &[&str],
        requires: &[&str],
    ) -> Vec<Archive> {
        let mut headers = vec![("Name", name), ("Version", version)];
        headers.extend(requires.iter().map(|text| ("Requires-Dist", *text)));
        vec![
            archive(&format!("{name}-{version}.tar.gz"), members, &headers),
            archive(&format!("{name}-{version}-py3-none-any.whl"), members, &headers),
        ]
    }

    /// The messages about distributions given by name, version and archives; git tracks what
    /// their sdists hold.
    pub(crate) fn messages(
        distributions: &[(&str, &str, Vec<Archive>)],
        siblings: &Siblings,
    ) -> Vec<String> {
        struct Owned<'a> {
            name: Name,
            version: Version,
            own: Vec<TreeEntry>,
            archives: &'a [Archive],
        }
        let owned: Vec<Owned> = distributions
            .iter()
            .map(|(name, version, archives)| Owned {
                name: Name::new(name).unwrap(),
                version: version.parse().unwrap(),
                own: archives[0].members.keys().map(|path| file(path)).collect(),
                archives,
            })
            .collect();
        let config = ContentConfig::default();
        let tree = Tree::default();
        let built: Vec<Built> = owned
            .iter()
            .map(|one| Built {
                name: &one.name,
                version: &one.version,
                archives: one.archives,
                own: &one.own,
                tree: &tree,
                requires_python: None,
                requirements: None,
                config: &config,
            })
            .collect();
        check(&built, siblings).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_pair_has_no_findings() {
        let core = pair("core", "2.3.0", &["core/__init__.py"], &[]);
        let sched = pair("sched", "1.5.0", &["sched.py"], &["core<3,>=2.3", "requests>=2"]);
        let all = [("core", "2.3.0", core), ("sched", "1.5.0", sched)];
        let planned = HashMap::from([("core".to_owned(), "2.3.0".parse().unwrap())]);
        let siblings = Siblings { planned, ..Siblings::default() };
        assert_eq!(messages(&all, &siblings), Vec::<String>::new());
    }

    #[test]
    fn one_sdist_and_a_wheel_are_wanted() {
        let mut archives = pair("core", "1", &[], &[]);
        archives.pop();
        let found = messages(&[("core", "1", archives)], &Siblings::default());
        assert_eq!(
            found,
            [
                "the build of `core` gave 1 sdist and 0 wheels; expected 1 sdist and at least 1 wheel"
            ]
        );
    }

    #[test]
    fn archives_are_compared_by_what_they_hold() {
        let with = |digest: &str, kind: &str| Archive {
            members: BTreeMap::from([("a.py".to_owned(), digest.to_owned())]),
            kinds: BTreeMap::from([("a.py".to_owned(), kind.to_owned())]),
            ..archive("core-1.tar.gz", &[], &[])
        };
        let ours = with("1", "file");
        let difference = |other: &Archive| ours.difference(other);
        assert_eq!(difference(&with("1", "file")), None);
        assert_eq!(difference(&with("2", "file")).unwrap(), "has other contents of `a.py`");
        let link = "has `a.py` with another type or mode (link)";
        assert_eq!(difference(&with("1", "link")).unwrap(), link);
        let mut more = with("1", "file");
        more.members.insert("evil.py".into(), String::new());
        assert_eq!(difference(&more).unwrap(), "contains `evil.py` in addition");
        assert_eq!(more.difference(&ours).unwrap(), "lacks `evil.py`");
        let comment = Archive { comment: "x".into(), ..ours.clone() };
        assert_eq!(difference(&comment).unwrap(), "has another comment");
    }
}
