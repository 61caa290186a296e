//! HEAD, branches and tags, and the history that they name.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::workspace::history::{Commit, TagRef, parse_log, parse_tags};

use xshell::cmd;

use super::Git;
use crate::effects::process::shell;

impl Git {
    /// Full hash of HEAD.
    ///
    /// # Errors
    /// There is no commit yet.
    pub(crate) fn head(&self) -> Result<String> {
        let output = self.output(&["rev-parse", "--quiet", "--verify", "HEAD"])?;
        if output.success() {
            return Ok(output.stdout.trim().to_owned());
        }
        let message = format!("{} has no commit yet", self.root.display());
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
        self.read(&["for-each-ref", "refs/tags", format]).map(|text| parse_tags(&text))
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
        self.read(&["tag", "--annotate", "--message", message, tag, commit]).map(drop)
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
        let format = "--format=%x01%H%x02%P%x02%B%x02";
        // A merge lists no files. `--` keeps a file from being taken for the range.
        self.read(&["log", "--name-only", "--no-renames", "-z", format, &range, "--"])
            .map(|text| parse_log(&text))
    }
}
