//! Commits made, and taken out into a folder of their own.

use std::fs;
use std::path::Path;

use anyhow::Result;
use xshell::cmd;

use super::Git;
use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell;

/// A `core.hooksPath` without hooks.
const NO_HOOKS: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

impl Git {
    /// Makes one commit of exactly these files, whatever else is staged.
    ///
    /// # Errors
    /// git refuses; a hook may be the reason.
    pub(crate) fn commit(&self, message: &str, paths: &[String]) -> Result<()> {
        let temporary = Temporary::new()?;
        let list = temporary.path().join("paths");
        fs::write(&list, paths.join("\0"))?;
        let sh = self.shell()?;
        // `*` and `:` in a path would otherwise make it a pattern. The message comes by standard
        // input, so that a failure does not show them all as part of the command.
        let only = "--only --pathspec-file-nul --file=-".split(' ');
        let commit = cmd!(
            sh,
            "git --literal-pathspecs commit --quiet {only...} --pathspec-from-file={list}"
        );
        shell::read(commit.stdin(message)).map(drop)
    }

    /// Makes a clone in `dir` with exactly the tree of `commit`: nothing untracked, nothing
    /// ignored, no hooks. Objects are shared, so it costs no more than the files.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn export(&self, commit: &str, dir: &Path) -> Result<()> {
        let sh = self.shell()?;
        let root = &self.root;
        let no_hooks = format!("core.hooksPath={NO_HOOKS}");
        let clone = cmd!(sh, "git clone --quiet --shared --no-checkout -c {no_hooks} {root} {dir}");
        shell::read(clone)?;
        let sh = self.shell_at(dir)?;
        shell::read(cmd!(sh, "git checkout --quiet --detach {commit}")).map(drop)
    }

    /// The folder of its objects, as an absolute path; a linked work tree has it elsewhere.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn objects(&self) -> Result<String> {
        let path = self.read(&["rev-parse", "--git-path", "objects"])?;
        Ok(self.root.join(path).to_string_lossy().into_owned())
    }
}
