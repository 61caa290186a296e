//! What git knows and does. Every answer that may be missing says so in its type.

use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::{Shell, cmd};

use super::shell;
use crate::domain::history::{Commit, TagRef, parse_log, parse_tags};

/// A git work tree.
pub struct Git {
    root: PathBuf,
    shell: Shell,
}

impl Git {
    /// The work tree at `root`; `None` where there is none.
    ///
    /// # Errors
    /// The current directory cannot be told.
    pub fn at(root: &Path) -> Result<Option<Git>> {
        let shell = Shell::new()?;
        shell.change_dir(root);
        Ok(root.join(".git").exists().then(|| Git { root: root.to_owned(), shell }))
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Paths (relative to the root) that git ignores, out of the ones given.
    ///
    /// # Errors
    /// git cannot be run.
    pub fn ignored(&self, paths: &[String]) -> Result<Vec<String>> {
        let list = paths.join("\0");
        let output = shell::output(cmd!(self.shell, "git check-ignore -z --stdin").stdin(list))?;
        Ok(output.stdout.split_terminator('\0').map(str::to_owned).collect())
    }

    /// All local tags with the commits they stand for.
    ///
    /// # Errors
    /// git fails.
    pub fn tags(&self) -> Result<Vec<TagRef>> {
        let format = "--format=%(refname:strip=2) %(objectname) %(*objectname)";
        shell::read(cmd!(self.shell, "git for-each-ref refs/tags {format}"))
            .map(|text| parse_tags(&text))
    }

    /// The commits of HEAD's history, newest first, back to the youngest common ancestor of
    /// `since`; all of them where `since` is empty.
    ///
    /// # Errors
    /// git fails, for example because there is no commit yet.
    pub fn log(&self, since: &[&str]) -> Result<Vec<Commit>> {
        let base = match since {
            [] => None,
            [one] => Some((*one).to_owned()),
            many => {
                let output = shell::output(cmd!(self.shell, "git merge-base --octopus {many...}"))?;
                output.success().then(|| output.stdout.trim().to_owned())
            }
        };
        let range = base.map_or("HEAD".to_owned(), |base| format!("{base}..HEAD"));
        let format = "--format=%x01%H%x02%P%x02%B%x02";
        shell::read(cmd!(self.shell, "git log --name-only --no-renames -z {format} {range} --"))
            .map(|text| parse_log(&text))
    }

    /// Whether the history is cut off, so that a tag or a commit may be missing from it.
    pub fn is_shallow(&self) -> bool {
        shell::read(cmd!(self.shell, "git rev-parse --is-shallow-repository"))
            .is_ok_and(|answer| answer == "true")
    }
}
