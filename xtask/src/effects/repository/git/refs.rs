//! HEAD, branches and tags, and the history that they name.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::workspace::history::{Commit, LOG_FORMAT, TagRef, parse_log, parse_tags};
use xshell::cmd;

use super::Git;
use crate::effects::process::shell;

impl Git {
    /// Full hash of HEAD.
    ///
    /// # Errors
    /// There is no commit yet, or git does not work here.
    pub(crate) fn head(&self) -> Result<String> {
        let verify = ["rev-parse", "--quiet", "--verify", "HEAD"];
        let output = self.output(&verify)?;
        if output.success() {
            return Ok(output.text());
        }
        if output.code != Some(1) {
            return Err(self.failure(&verify, output));
        }
        let message = format!("`{}` has no commit yet", self.root.display());
        let hint = "a release is made from a commit: `git add --all && git commit`";
        Err(Refusal::from(Finding::error(Rule::Git, message).hint(hint)).into())
    }

    /// The branch that HEAD is on; `None` when it is detached.
    pub(crate) fn branch(&self) -> Option<String> {
        self.read(&["symbolic-ref", "--quiet", "--short", "HEAD"]).ok()
    }

    /// All local tags with the commits that they name. An annotated tag is an object of its own;
    /// git peels it, down to the commit even where a tag names a tag.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn tags(&self) -> Result<Vec<TagRef>> {
        let format = "--format=%(refname:strip=2) %(objectname) %(*objectname)";
        let mut tags =
            self.read(&["for-each-ref", "refs/tags", format]).map(|text| parse_tags(&text))?;
        // Without a commit there is no HEAD, and nothing that it contains.
        let merged = ["for-each-ref", "--merged=HEAD", "refs/tags", "--format=%(refname:strip=2)"];
        let merged =
            if tags.is_empty() { String::new() } else { self.read(&merged).unwrap_or_default() };
        let merged: HashSet<&str> = merged.lines().collect();
        tags.iter_mut().for_each(|tag| tag.in_head = merged.contains(tag.name.as_str()));
        Ok(tags)
    }

    /// Makes an annotated tag on a commit. A tag of this name that exists is left as it is: pushing
    /// it tells whether the remote has the same one.
    ///
    /// # Errors
    /// git fails, for example because a tag has to be signed (`tag.gpgSign`) and cannot be.
    pub(crate) fn tag(&self, tag: &str, commit: &str, message: &str) -> Result<()> {
        if self.succeeds(&["rev-parse", "--verify", "--quiet", &format!("refs/tags/{tag}")]) {
            return Ok(());
        }
        // Without a message git opens an editor.
        self.read(&["tag", "--annotate", "--message", message, "--", tag, commit]).map(drop)
    }

    /// Whether `commit` is `of`, or in its history; not when one of them is unknown here.
    pub(crate) fn is_ancestor(&self, commit: &str, of: &str) -> bool {
        // Exit code 1 means that it is not, 128 that one of them is unknown.
        self.succeeds(&["merge-base", "--is-ancestor", commit, of])
    }

    /// Whether the history is cut off, so that a tag or a commit may be missing from it.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn is_shallow(&self) -> Result<bool> {
        Ok(self.read(&["rev-parse", "--is-shallow-repository"])? == "true")
    }

    /// The time at which a commit was made, in seconds since 1970-01-01.
    ///
    /// # Errors
    /// git does not know the commit.
    pub(crate) fn commit_time(&self, commit: &str) -> Result<String> {
        self.read(&["log", "-1", "--format=%ct", commit])
    }

    /// The times at which commits were made, in seconds since 1970-01-01.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn commit_times(&self, commits: &[&str]) -> Result<HashMap<String, u64>> {
        if commits.is_empty() {
            return Ok(HashMap::new());
        }
        let sh = self.shell()?;
        let list = commits.join("\n");
        let format = "--format=%H %ct";
        let command = cmd!(sh, "git log --no-show-signature --no-walk=unsorted {format} --stdin");
        let text = shell::read(command.stdin(list))?;
        let time = |line: &str| {
            let (commit, time) = line.split_once(' ')?;
            Some((commit.to_owned(), time.parse().ok()?))
        };
        Ok(text.lines().filter_map(time).collect())
    }

    /// Those of the commits that are not in the history of HEAD.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn not_in_head(&self, commits: &[&str]) -> Result<HashSet<String>> {
        if commits.is_empty() {
            return Ok(HashSet::new());
        }
        let sh = self.shell()?;
        // `--no-walk` would list them all, in HEAD or not.
        let list = format!("{}\n^HEAD\n", commits.join("\n"));
        let outside = shell::read(cmd!(sh, "git rev-list --stdin").stdin(list))?;
        let outside: HashSet<&str> = outside.lines().collect();
        let outside = commits.iter().filter(|commit| outside.contains(**commit));
        Ok(outside.map(|commit| (*commit).to_owned()).collect())
    }

    /// The commits since any of the commits that distributions are tagged on, newest first; none
    /// where no distribution is tagged.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn log_since(&self, tagged: &[(DistributionId, &str)]) -> Result<Vec<Commit>> {
        let mut commits: Vec<&str> = tagged.iter().map(|(_, commit)| *commit).collect();
        commits.sort_unstable();
        commits.dedup();
        if commits.is_empty() { Ok(Vec::new()) } else { self.log(&commits) }
    }

    /// The commits of HEAD's history whose messages match one of these expressions, newest first.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn log_of(&self, patterns: &[&str]) -> Result<Vec<Commit>> {
        let patterns: Vec<String> =
            patterns.iter().map(|pattern| format!("--grep={pattern}")).collect();
        let patterns = patterns.iter().map(String::as_str);
        let log = ["log", "--extended-regexp", "-z", LOG_FORMAT].into_iter();
        let arguments: Vec<&str> = log.chain(patterns).chain(["HEAD", "--"]).collect();
        self.read(&arguments).map(|text| parse_log(&text))
    }

    /// The commits of HEAD's history back to the youngest common ancestor of `since`, or all of them
    /// where these have none.
    fn log(&self, since: &[&str]) -> Result<Vec<Commit>> {
        let base = match since {
            [one] => Some((*one).to_owned()),
            many => {
                let output = self.output(&[&["merge-base", "--octopus"], many].concat())?;
                output.success().then(|| output.stdout.trim().to_owned())
            }
        };
        let range = base.map_or("HEAD".to_owned(), |base| format!("{base}..HEAD"));
        // A merge lists no files. `--` keeps a file from being taken for the range.
        let listed =
            ["--topo-order", "--name-status", "--find-renames", "--ignore-submodules=none", "-z"];
        self.read(&[&["log"], &listed[..], &[LOG_FORMAT, &range, "--"]].concat())
            .map(|text| parse_log(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::repository::git::testing::Repository;

    /// Settings that add lines to the history, hide files, or write in another encoding.
    #[test]
    fn the_history_is_the_same_under_any_settings() {
        let repository = Repository::new();
        repository.write("größe.py", "");
        repository.commit("fix: x");
        let git = repository.git();
        let root = git.head().unwrap();
        for (key, value) in [
            ("i18n.logOutputEncoding", "latin1"),
            ("log.showSignature", "true"),
            ("log.showRoot", "false"),
            ("log.diffMerges", "first-parent"),
            ("log.follow", "true"),
            ("diff.ignoreSubmodules", "all"),
            ("color.ui", "always"),
            ("core.quotePath", "true"),
        ] {
            repository.configure(key, value);
        }
        repository.run(&["checkout", "--quiet", "--orphan", "other"]);
        repository.commit("feat: größe");
        // Two roots have no common ancestor: everything is listed.
        let head = git.head().unwrap();
        let log = git.log(&[&head, &root]).unwrap();
        assert_eq!(log.len(), 1);
        assert_eq!(
            (log[0].message.as_str(), &log[0].files[..]),
            ("feat: größe", &["größe.py".to_owned()][..])
        );
        assert!(git.commit_time("HEAD").unwrap().parse::<u64>().is_ok());
    }

    #[test]
    fn without_a_commit_it_says_so_and_a_refusal_of_git_is_repeated() {
        let repository = Repository::new();
        let said = |git: &Git| git.head().unwrap_err().to_string();
        assert!(said(&repository.git()).contains("has no commit yet"));
        repository.configure("extensions.unknown", "true");
        repository.configure("core.repositoryFormatVersion", "1");
        assert!(said(&repository.git()).contains("unknown repository extension"));
    }
}
