//! git, run as a program: [`files`] of the work tree and of commits, [`refs`] with their history,
//! [`commit`]s made and exported, the [`remote`].
//!
//! An answer that may be missing says so in its type. Comments on the behaviour of git are about
//! git 2.47.
//!
//! Must not know: distributions, versions or releases.

mod commit;
mod files;
mod refs;
mod remote;

use std::path::{Path, PathBuf};

use anyhow::Result;
use xshell::Shell;

use crate::effects::process::shell::{self, Output};

/// A git work tree.
pub(crate) struct Git {
    root: PathBuf,
    /// Variables that no git started here sees.
    withheld: Vec<String>,
}

impl Git {
    /// The work tree whose root is `root`; `None` where there is none.
    pub(crate) fn at(root: &Path) -> Option<Git> {
        // A file in a linked work tree or a submodule, a folder elsewhere.
        root.join(".git").exists().then(|| Git { root: root.to_owned(), withheld: Vec::new() })
    }

    /// The root of the work tree that `dir` is below; `None` where there is none.
    pub(crate) fn root_above(dir: &Path) -> Option<&Path> {
        dir.ancestors().skip(1).find(|dir| dir.join(".git").exists())
    }

    /// The same work tree, whose git does not see these variables.
    pub(crate) fn without(self, withheld: Vec<String>) -> Git {
        Git { withheld, ..self }
    }

    /// Runs git, which has to succeed; returns its standard output without the last newline.
    fn read(&self, arguments: &[&str]) -> Result<String> {
        shell::read(self.shell()?.cmd("git").args(arguments))
    }

    /// Runs git, whatever its exit code.
    fn output(&self, arguments: &[&str]) -> Result<Output> {
        shell::output(self.shell()?.cmd("git").args(arguments))
    }

    /// Whether git succeeds; not where it cannot be run.
    fn succeeds(&self, arguments: &[&str]) -> bool {
        self.output(arguments).is_ok_and(|output| output.success())
    }

    /// A shell of its own for every call: xshell's belong to one thread, and a release has several.
    fn shell(&self) -> Result<Shell> {
        self.shell_at(&self.root)
    }

    fn shell_at(&self, dir: &Path) -> Result<Shell> {
        let sh = shell::at(dir)?;
        shell::withhold(&sh, |name| self.withheld.iter().any(|withheld| withheld == name));
        Ok(sh)
    }
}

/// The records of a list that git ends with NUL (`-z`): the only form in which every path is
/// unambiguous. Without it git quotes, and shows `ä` as `\303\244`.
fn records(list: &str) -> Vec<String> {
    list.split_terminator('\0').map(str::to_owned).collect()
}
