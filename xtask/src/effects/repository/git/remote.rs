//! The remote. git never prompts for a password here: that would wait unseen.

use anyhow::{Error, Result};
use domain::release::plan::Lookup;
use domain::workspace::history::{TagRef, parse_remote_tags};
use xshell::cmd;

use super::Git;
use crate::effects::process::shell;

impl Git {
    /// The names of the remotes.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn remotes(&self) -> Result<Vec<String>> {
        Ok(self.read(&["remote"])?.lines().map(str::to_owned).collect())
    }

    /// The tags of a remote with the commits that they name.
    pub(crate) fn remote_tags(&self, remote: &str) -> Lookup<Vec<TagRef>> {
        self.list(remote, "--tags").map_or_else(
            |error| Lookup::Unknown(reason(&error)),
            |text| Lookup::Known(parse_remote_tags(&text)),
        )
    }

    /// Whether one of the remote's branches contains HEAD.
    pub(crate) fn remote_has_head(&self, remote: &str) -> Lookup<bool> {
        let heads = match self.list(remote, "--heads") {
            Ok(heads) => heads,
            Err(error) => return Lookup::Unknown(reason(&error)),
        };
        let mut heads = heads.lines().filter_map(|line| line.split_whitespace().next());
        // Commits that were not fetched are unknown here: such a branch counts as one without HEAD.
        Lookup::Known(heads.any(|head| self.is_ancestor("HEAD", head)))
    }

    /// Why the remote would refuse this tag on HEAD, found out without sending it. The hooks of the
    /// remote run only when something is sent, so what they refuse is not found out.
    pub(crate) fn refusal_of_tag(&self, remote: &str, tag: &str) -> Option<String> {
        let refspec = format!("HEAD:refs/tags/{tag}");
        self.push(remote, &refspec, Some("--dry-run")).err().map(|error| reason(&error))
    }

    /// Pushes one tag. A tag that the remote has already succeeds as well.
    ///
    /// # Errors
    /// The remote cannot be reached, or has another tag of that name.
    pub(crate) fn push_tag(&self, remote: &str, tag: &str) -> Result<()> {
        self.push(remote, &format!("refs/tags/{tag}:refs/tags/{tag}"), None)
    }

    fn push(&self, remote: &str, refspec: &str, flag: Option<&str>) -> Result<()> {
        let sh = self.shell()?;
        let push = cmd!(sh, "git push {flag...} --porcelain --no-verify {remote} {refspec}");
        shell::read(push.env("GIT_TERMINAL_PROMPT", "0")).map(drop)
    }

    fn list(&self, remote: &str, kind: &str) -> Result<String> {
        let sh = self.shell()?;
        shell::read(cmd!(sh, "git ls-remote {kind} {remote}").env("GIT_TERMINAL_PROMPT", "0"))
    }
}

/// The first line that git calls fatal: it names the reason, the lines after it only advise.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let fatal = text.lines().find_map(|line| line.trim().strip_prefix("fatal: "));
    fatal.or(text.lines().next()).unwrap_or_default().to_owned()
}
