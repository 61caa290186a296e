//! What git knows and does. Every answer that may be missing says so in its type.

use std::path::{Path, PathBuf};

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::release::plan::Lookup;
use domain::workspace::history::{Commit, TagRef, parse_log, parse_remote_tags, parse_tags};
use xshell::{Shell, cmd};

use crate::effects::process::shell;

/// A git work tree.
pub(crate) struct Git {
    root: PathBuf,
    /// Variables that it does not see.
    withheld: Vec<String>,
}

impl Git {
    /// The work tree at `root`; `None` where there is none.
    pub(crate) fn at(root: &Path) -> Option<Git> {
        root.join(".git").exists().then(|| Git { root: root.to_owned(), withheld: Vec::new() })
    }

    /// The same, which does not see these variables.
    pub(crate) fn without(self, withheld: Vec<String>) -> Git {
        Git { withheld, ..self }
    }

    /// xshell's shells belong to one thread; a release has several.
    fn shell(&self) -> Result<Shell> {
        self.shell_at(&self.root)
    }

    fn shell_at(&self, dir: &Path) -> Result<Shell> {
        let sh = shell::at(dir)?;
        shell::withhold(&sh, |name| self.withheld.iter().any(|withheld| withheld == name));
        Ok(sh)
    }

    /// Paths (relative to the root) that git ignores, out of the ones given.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) fn ignored(&self, paths: &[String]) -> Result<Vec<String>> {
        // What is tracked is never ignored, but to tell, git looks for every path in its whole
        // index. So it is asked only about paths that some pattern names, which are few.
        let named = self.check_ignore(paths, Some("--no-index"))?;
        if named.is_empty() { Ok(named) } else { self.check_ignore(&named, None) }
    }

    fn check_ignore(&self, paths: &[String], flag: Option<&str>) -> Result<Vec<String>> {
        let sh = self.shell()?;
        let list = paths.join("\0");
        let output = shell::output(cmd!(sh, "git check-ignore {flag...} -z --stdin").stdin(list))?;
        Ok(output.stdout.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Every file that git knows, or neither knows nor ignores, relative to the root.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let sh = self.shell()?;
        let listed = shell::read(cmd!(sh, "git ls-files -z --cached --others --exclude-standard"))?;
        Ok(listed.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Every file of a commit, relative to the root.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn tracked(&self, commit: &str) -> Result<Vec<String>> {
        let sh = self.shell()?;
        let listed = shell::read(cmd!(sh, "git ls-tree -r -z --name-only --full-tree {commit}"))?;
        Ok(listed.split_terminator('\0').map(str::to_owned).collect())
    }

    /// All local tags with the commits they stand for.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn tags(&self) -> Result<Vec<TagRef>> {
        let sh = self.shell()?;
        let format = "--format=%(refname:strip=2) %(objectname) %(*objectname)";
        shell::read(cmd!(sh, "git for-each-ref refs/tags {format}")).map(|text| parse_tags(&text))
    }

    /// The commits of HEAD's history, newest first, back to the youngest common ancestor of
    /// `since`; all of them where `since` is empty.
    ///
    /// # Errors
    /// git fails, for example because there is no commit yet.
    pub(crate) fn log(&self, since: &[&str]) -> Result<Vec<Commit>> {
        let sh = self.shell()?;
        let base = match since {
            [] => None,
            [one] => Some((*one).to_owned()),
            many => {
                let output = shell::output(cmd!(sh, "git merge-base --octopus {many...}"))?;
                output.success().then(|| output.stdout.trim().to_owned())
            }
        };
        let range = base.map_or("HEAD".to_owned(), |base| format!("{base}..HEAD"));
        let format = "--format=%x01%H%x02%P%x02%B%x02";
        shell::read(cmd!(sh, "git log --name-only --no-renames -z {format} {range} --"))
            .map(|text| parse_log(&text))
    }

    /// The commits since any of the commits that distributions are tagged on; none where none is.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn log_since(&self, tagged: &[(DistributionId, &str)]) -> Result<Vec<Commit>> {
        let mut commits: Vec<&str> = tagged.iter().map(|(_, commit)| *commit).collect();
        commits.sort_unstable();
        commits.dedup();
        if commits.is_empty() { Ok(Vec::new()) } else { self.log(&commits) }
    }

    /// Whether the history is cut off, so that a tag or a commit may be missing from it.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn is_shallow(&self) -> Result<bool> {
        let sh = self.shell()?;
        Ok(shell::read(cmd!(sh, "git rev-parse --is-shallow-repository"))? == "true")
    }

    /// Full hash of HEAD.
    ///
    /// # Errors
    /// There is no commit yet.
    pub(crate) fn head(&self) -> Result<String> {
        let sh = self.shell()?;
        let output = shell::output(cmd!(sh, "git rev-parse --quiet --verify HEAD"))?;
        let missing = || {
            Finding::error(Rule::Git, format!("{} has no commit yet", self.root.display()))
                .hint("git add and git commit: what is committed is what is released")
        };
        let head = output.stdout.trim().to_owned();
        Ok(output.success().then_some(head).ok_or_else(|| Refusal::from(missing()))?)
    }

    /// The folder of its objects, as an absolute path.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn objects(&self) -> Result<String> {
        let sh = self.shell()?;
        let path = shell::read(cmd!(sh, "git rev-parse --git-path objects"))?;
        Ok(self.root.join(path).to_string_lossy().into_owned())
    }

    /// Seconds since the epoch at which a commit was made.
    ///
    /// # Errors
    /// git does not know the commit.
    pub(crate) fn commit_time(&self, commit: &str) -> Result<String> {
        let sh = self.shell()?;
        shell::read(cmd!(sh, "git log -1 --format=%ct {commit}"))
    }

    /// The branch that HEAD is on; `None` when it is detached.
    pub(crate) fn branch(&self) -> Option<String> {
        let sh = self.shell().ok()?;
        shell::read(cmd!(sh, "git symbolic-ref --quiet --short HEAD")).ok()
    }

    /// Whether a commit is known here and part of HEAD's history.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) fn head_contains(&self, commit: &str) -> Result<bool> {
        let sh = self.shell()?;
        Ok(shell::output(cmd!(sh, "git merge-base --is-ancestor {commit} HEAD"))?.success())
    }

    /// Whether a folder holds the same in two commits; not when one of them is not known.
    pub(crate) fn is_unchanged(&self, from: &str, to: &str, dir: &str) -> bool {
        let dir = if dir.is_empty() { "." } else { dir };
        let ask = || {
            let sh = self.shell()?;
            shell::output(cmd!(sh, "git diff --quiet {from} {to} -- {dir}"))
        };
        ask().is_ok_and(|output| output.success())
    }

    /// Paths that differ from HEAD, and files that git neither knows nor ignores.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty(&self) -> Result<Vec<String>> {
        let sh = self.shell()?;
        let status = shell::read(cmd!(sh, "git status --porcelain --untracked-files=normal"))?;
        Ok(status.lines().filter_map(|line| line.get(3..)).map(str::to_owned).collect())
    }

    /// The tags of a remote with the commits they stand for.
    pub(crate) fn remote_tags(&self, remote: &str) -> Lookup<Vec<TagRef>> {
        let ask = || {
            let sh = self.shell()?;
            shell::read(cmd!(sh, "git ls-remote --tags {remote}").env("GIT_TERMINAL_PROMPT", "0"))
        };
        match ask() {
            Ok(text) => Lookup::Known(parse_remote_tags(&text)),
            Err(error) => Lookup::Unknown(reason(&error)),
        }
    }

    /// Whether one of the remote's branches holds HEAD.
    pub(crate) fn remote_has_head(&self, remote: &str) -> Lookup<bool> {
        let ask = || {
            let sh = self.shell()?;
            shell::read(cmd!(sh, "git ls-remote --heads {remote}").env("GIT_TERMINAL_PROMPT", "0"))
        };
        let heads = match ask() {
            Ok(heads) => heads,
            Err(error) => return Lookup::Unknown(reason(&error)),
        };
        let heads = heads.lines().filter_map(|line| line.split_whitespace().next());
        // A head that is not known here can only lie ahead of what was fetched.
        Lookup::Known(heads.into_iter().any(|head| self.is_within("HEAD", head)))
    }

    fn is_within(&self, commit: &str, head: &str) -> bool {
        let ask = || {
            let sh = self.shell()?;
            shell::output(cmd!(sh, "git merge-base --is-ancestor {commit} {head}"))
        };
        ask().is_ok_and(|output| output.success())
    }

    /// Why the remote would not take this tag, found out without sending it.
    pub(crate) fn refusal_of_tag(&self, remote: &str, tag: &str) -> Option<String> {
        let refspec = format!("HEAD:refs/tags/{tag}");
        let ask = || {
            let sh = self.shell()?;
            let push = cmd!(sh, "git push --dry-run --porcelain --no-verify {remote} {refspec}");
            shell::read(push.env("GIT_TERMINAL_PROMPT", "0"))
        };
        ask().err().map(|error| reason(&error))
    }

    /// Makes an annotated tag on a commit. One that is there already is left as it is: the
    /// remote will say whether it is the same.
    ///
    /// # Errors
    /// git fails, for example because a signature is wanted and cannot be made.
    pub(crate) fn tag(&self, tag: &str, commit: &str, message: &str) -> Result<()> {
        let sh = self.shell()?;
        let exists = shell::output(cmd!(sh, "git rev-parse --verify --quiet refs/tags/{tag}"))?;
        if exists.success() {
            return Ok(());
        }
        shell::read(cmd!(sh, "git tag --annotate --message {message} {tag} {commit}")).map(drop)
    }

    /// Pushes one tag. Pushing what the remote has already is fine.
    ///
    /// # Errors
    /// The remote cannot be reached, or has another tag of that name.
    pub(crate) fn push_tag(&self, remote: &str, tag: &str) -> Result<()> {
        let sh = self.shell()?;
        let refspec = format!("refs/tags/{tag}:refs/tags/{tag}");
        let push = cmd!(sh, "git push --porcelain --no-verify {remote} {refspec}");
        shell::read(push.env("GIT_TERMINAL_PROMPT", "0")).map(drop)
    }

    /// Makes a clone in `dir` with exactly the tree of `commit`: nothing untracked, nothing
    /// ignored, no hooks. Objects are shared, so it costs no more than the files.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn export(&self, commit: &str, dir: &Path) -> Result<()> {
        let sh = self.shell()?;
        let root = &self.root;
        let no_hooks = format!("core.hooksPath={NOWHERE}");
        shell::read(cmd!(
            sh,
            "git clone --quiet --shared --no-checkout -c {no_hooks} {root} {dir}"
        ))?;
        let shell = self.shell_at(dir)?;
        shell::read(cmd!(shell, "git checkout --quiet --detach {commit}")).map(drop)
    }

    /// Whether HEAD's history, as far as it is here, contains a commit.
    pub(crate) fn is_ancestor(&self, commit: &str) -> bool {
        let ask = |sh: Shell| shell::output(cmd!(sh, "git merge-base --is-ancestor {commit} HEAD"));
        self.shell().and_then(ask).is_ok_and(|output| output.success())
    }

    /// Those of the paths (relative to the root) that differ from the last commit or are unknown
    /// to it.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty_among(&self, paths: &[String]) -> Result<Vec<String>> {
        let wanted: std::collections::HashSet<&str> = paths.iter().map(String::as_str).collect();
        let sh = self.shell()?;
        let status = shell::read(cmd!(sh, "git status --porcelain -z --untracked-files=all"))?;
        let mut records = status.split_terminator('\0');
        let mut dirty = Vec::new();
        while let Some(record) = records.next() {
            let (state, path) = record.split_at_checked(3).unwrap_or(("", record));
            if state.starts_with(['R', 'C']) {
                // The old name is a record of its own.
                records.next();
            }
            if wanted.contains(path) {
                dirty.push(path.to_owned());
            }
        }
        Ok(dirty)
    }

    /// One commit of exactly these files, whatever else is staged.
    ///
    /// # Errors
    /// git refuses, for example a hook.
    pub(crate) fn commit(&self, message: &str, paths: &[String]) -> Result<()> {
        let list = paths.join("\0");
        let only = "--only --pathspec-from-file=- --pathspec-file-nul";
        let only = only.split(' ');
        let sh = self.shell()?;
        let commit = cmd!(sh, "git --literal-pathspecs commit --quiet {only...} -m {message}");
        shell::read(commit.stdin(list)).map(drop)
    }
}

const NOWHERE: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

/// The first thing that git calls fatal: it names what is wrong, the ones behind it only add to it.
fn reason(error: &anyhow::Error) -> String {
    let text = error.to_string();
    let fatal = text.lines().find_map(|line| line.trim().strip_prefix("fatal: "));
    fatal.or(text.lines().next()).unwrap_or_default().to_owned()
}
