//! The versions of distributions that make theirs from a tag: which one HEAD stands for.

use std::collections::HashSet;

use formats::pep440::Version;

use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::version_source::DeclaredVersion;
use crate::workspace::history::{Commit, TagRef};
use crate::workspace::{Distribution, Workspace};

/// The trailer of a commit that records a tag to come.
pub const TRAILER: &str = "Release: ";

/// How a commit names the one that it takes back.
const REVERTS: &str = "This reverts commit ";

/// The regular expressions of the messages that [`announced`] reads.
pub const ANNOUNCING: [&str; 2] = ["^ *Release: ", "^ *This reverts commit "];

/// The tags that the commits of a log announce, the newest first. A message may be that of several
/// commits squashed into one, so its lines count wherever they are.
pub fn announced(log: &[Commit]) -> Vec<&str> {
    let reverted = log.iter().flat_map(|commit| behind(commit, REVERTS));
    let reverted: HashSet<&str> = reverted.map(|hash| hash.trim_end_matches('.')).collect();
    let standing = log.iter().filter(|commit| !reverted.contains(commit.hash.as_str()));
    standing.flat_map(|commit| behind(commit, TRAILER)).collect()
}

/// The text behind `start` in the lines of a message that begin with it, the last line first.
fn behind<'a>(commit: &'a Commit, start: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = commit.message.lines().rev().map(str::trim);
    lines.filter_map(move |line| line.strip_prefix(start).map(str::trim))
}

/// The facts that tell the versions that are made from tags.
pub struct VersionFacts<'a> {
    /// Full hash of HEAD.
    pub head: &'a str,
    /// All tags, sorted by name.
    pub tags: &'a [TagRef],
    /// The tags that the history of HEAD announces, the newest first.
    pub announced: &'a [&'a str],
    /// The versions that were given as `NAME=VERSION`.
    pub given: &'a [(DistributionId, Version)],
}

impl Workspace {
    /// Whether the version of any distribution is made from a tag.
    pub fn makes_versions(&self) -> bool {
        self.distributions.iter().any(Distribution::makes_version)
    }

    /// Tells the versions that no file holds: that of a tag on HEAD, else the given one, else the
    /// one that a bump has recorded, else that of the last tag.
    ///
    /// # Errors
    /// A given version is not the one that the repository states.
    pub fn make_versions(&mut self, facts: &VersionFacts) -> Vec<Finding> {
        let mut findings = Vec::new();
        for id in self.distributions.ids().collect::<Vec<_>>() {
            let distribution = &mut self.distributions[id];
            let mut given = facts.given.iter().filter(|(of, _)| *of == id);
            let given = given.next().map(|(_, version)| version);
            let stated = match &distribution.manifest.version {
                DeclaredVersion::Literal { version, .. } => Some(version.clone()),
                DeclaredVersion::FromTag { .. } => distribution.on_head(facts),
                DeclaredVersion::Unknown { .. } => None,
            };
            if let (Some(given), Some(stated)) = (given, &stated)
                && given != stated
            {
                findings.push(distribution.contradicted(given, stated));
            }
            if !distribution.has_literal() {
                let made = stated.or_else(|| given.cloned());
                distribution.settle(made.or_else(|| distribution.recorded(facts)), facts.tags);
            }
        }
        findings
    }
}

impl Distribution {
    /// Whether its version is made from a tag.
    pub fn makes_version(&self) -> bool {
        matches!(self.manifest.version, DeclaredVersion::FromTag { .. })
    }

    fn has_literal(&self) -> bool {
        matches!(self.manifest.version, DeclaredVersion::Literal { .. })
    }

    /// The highest version that HEAD is tagged with.
    fn on_head(&self, facts: &VersionFacts) -> Option<Version> {
        let last = self.last_tag.iter().filter(|last| last.commit == facts.head);
        let tags = facts.tags.iter().filter(|tag| tag.commit == facts.head);
        let own = tags.filter_map(|tag| self.tag.version(&tag.name));
        own.chain(last.map(|last| last.version.clone())).max()
    }

    /// The version of the newest tag that a bump has announced, unless a higher one was tagged since;
    /// that of the last tag where none has.
    fn recorded(&self, facts: &VersionFacts) -> Option<Version> {
        if !self.makes_version() {
            return None;
        }
        let last = self.last_tag.as_ref().map(|last| last.version.clone());
        let announced = facts.announced.iter().find_map(|tag| self.tag.version(tag));
        last.max(announced)
    }

    fn settle(&mut self, version: Option<Version>, tags: &[TagRef]) {
        let last = self.last_tag.as_ref().filter(|last| Some(&last.version) == version.as_ref());
        let last = last.map(|last| last.name.clone());
        self.settled = version;
        let made = self.version().map(|version| self.tag.tag(version));
        let made = made.filter(|made| tags.iter().any(|tag| tag.name == *made));
        self.tagged = made.or(last);
    }

    fn contradicted(&self, given: &Version, stated: &Version) -> Finding {
        let name = self.name();
        let (file, line) = self.manifest.version.location();
        let message = if self.makes_version() {
            let tag = self.tag.tag(stated);
            format!("`{name}` is {stated} here, not {given}: HEAD is tagged `{tag}`")
        } else {
            format!("`{name}` is {stated} here, not {given}")
        };
        Finding::error(Rule::Version, message)
            .at(file, line)
            .hint(format!("cargo xtask bump {name} {given} --commit"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RepositoryConfig;
    use crate::manifest::Manifest;
    use crate::text::toml::TomlFile;
    use crate::workspace::Judgement;
    use crate::workspace::history::parse_tags;

    fn commit(hash: &str, message: &str) -> Commit {
        let message = message.to_owned();
        Commit {
            hash: hash.into(),
            parents: Vec::new(),
            message,
            files: Vec::new(),
            renames: Vec::new(),
        }
    }

    #[test]
    fn what_commits_announce() {
        let log = [
            commit("d", "Revert \"chore(release): a 2.0\"\n\nThis reverts commit c."),
            commit("c", "chore(release): a 2.0\n\nRelease: a-v2.0"),
            commit(
                "b",
                "Two at once (#7)\n\n* chore: a\n\n  Release: a-v1.0\n\n* b\n\nRelease: a-v1.1\r",
            ),
            commit("a", "docs: what `Release: a-v0.1` means"),
        ];
        assert_eq!(announced(&log), ["a-v1.1", "a-v1.0"]);
    }

    fn workspace(tags: &[TagRef]) -> Workspace {
        let manifest = |name: &str, version: &str| {
            let text = format!("[project]\nname = \"{name}\"\n{version}");
            let file = TomlFile::parse(&format!("{name}/pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = vec![
            manifest("a", "dynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n"),
            manifest("b", "version = \"1.0\"\n"),
            manifest("c", "dynamic = [\"version\"]\n"),
        ];
        let config = RepositoryConfig::default();
        let mut workspace =
            Workspace::assemble(config, manifests, Vec::new(), Judgement::Refuse).unwrap();
        workspace.follow_tags(tags);
        workspace
    }

    /// The version of `a` and its tag, and what is wrong with the given versions.
    #[track_caller]
    fn check(tags: &str, announced: &[&str], given: &[(&str, &str)], expected: &str) {
        let tags = parse_tags(tags);
        let mut workspace = workspace(&tags);
        let given: Vec<(DistributionId, Version)> = given
            .iter()
            .map(|(name, version)| (workspace.resolve(name).unwrap(), version.parse().unwrap()))
            .collect();
        let facts = VersionFacts { head: "head", tags: &tags, announced, given: &given };
        let findings = workspace.make_versions(&facts);
        let shown = workspace.distributions.iter().filter_map(|distribution| {
            let version = distribution.version()?;
            let tagged = distribution.tagged.as_deref().unwrap_or("free");
            Some(format!("{} {version} {tagged}", distribution.name()))
        });
        let wrong = findings.into_iter().map(|finding| finding.message);
        assert_eq!(shown.chain(wrong).collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn a_tag_on_head_then_what_is_given_then_what_a_bump_recorded_then_the_last_tag() {
        let on_head = "a-v1.1 head \na-v1.0 old \n";
        check(on_head, &["a-v1.2"], &[("a", "1.1")], "a 1.1 a-v1.1; b 1.0 free");
        let wrong = "`a` is 1.1 here, not 1.2: HEAD is tagged `a-v1.1`";
        check(on_head, &[], &[("a", "1.2")], &format!("a 1.1 a-v1.1; b 1.0 free; {wrong}"));
        let before = "a-v1.0 old ";
        check(before, &["a-v1.2"], &[("a", "1.1")], "a 1.1 free; b 1.0 free");
        check(before, &["b-v3", "a-v1.2", "a-v1.1"], &[], "a 1.2 free; b 1.0 free");
        // A tag that was set by hand since.
        check("a-v1.3 old ", &["a-v1.2"], &[], "a 1.3 a-v1.3; b 1.0 free");
        check(before, &[], &[], "a 1.0 a-v1.0; b 1.0 free");
        check("", &[], &[], "b 1.0 free");
    }

    #[test]
    fn a_version_may_be_given_where_no_file_tells_it() {
        check("", &[], &[("c", "3.0")], "b 1.0 free; c 3.0 free");
        check("", &[], &[("b", "1.0.0")], "b 1.0 free");
        check("", &[], &[("b", "2.0")], "b 1.0 free; `b` is 1.0 here, not 2.0");
    }
}
