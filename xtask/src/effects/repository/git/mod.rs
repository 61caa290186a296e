//! git, run as a program: [`files`] of the work tree and of commits, [`refs`] with their history,
//! the [`commit`], the [`remote`], and [`scratch`] repositories of our own.
//!
//! An answer that may be missing says so in its type. Comments on the behaviour of git are about
//! git 2.47.
//!
//! Must not know: distributions, versions or releases.

mod commit;
mod files;
mod refs;
mod remote;
mod scratch;
mod settings;
#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};

use anyhow::{Error, Result};
use domain::finding::{Finding, Refusal, Rule};
use xshell::Shell;

use crate::effects::process::shell::{self, CommandFailed, Output};

/// A git work tree.
pub(crate) struct Git {
    root: PathBuf,
    /// Variables that no git started here sees.
    withheld: Vec<String>,
    kind: Kind,
}

/// Whose repository it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The user's: their hooks run, and their settings hold unless they change what is released.
    User,
    /// Ours: neither hooks nor settings of the user have a say.
    Scratch,
    /// Ours, and bare.
    Bare,
}

impl Git {
    /// The work tree whose root is `root`; `None` where there is none.
    pub(crate) fn at(root: &Path) -> Option<Git> {
        // A file in a linked work tree or a submodule, a folder elsewhere.
        let git = || Git { root: root.to_owned(), withheld: Vec::new(), kind: Kind::User };
        root.join(".git").exists().then(git)
    }

    /// The work tree whose root has to be `root`.
    ///
    /// # Errors
    /// There is none; what is there instead is named.
    pub(crate) fn required(root: &Path) -> Result<Git> {
        Git::at(root).ok_or_else(|| Refusal::from(no_work_tree(root)).into())
    }

    /// The same work tree, whose git does not see these variables.
    pub(crate) fn without(self, withheld: Vec<String>) -> Git {
        Git { withheld, ..self }
    }

    /// Runs git, which has to succeed; returns its standard output without the last newline.
    fn read(&self, arguments: &[&str]) -> Result<String> {
        self.read_fed(arguments, None)
    }

    /// The same with a text on its standard input.
    fn read_fed(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let output = self.output_fed(arguments, input)?;
        if output.success() {
            return Ok(output.text());
        }
        Err(self.failure(arguments, output))
    }

    /// Runs git, whatever its exit code.
    fn output(&self, arguments: &[&str]) -> Result<Output> {
        self.output_fed(arguments, None)
    }

    /// Whether git succeeds; not where it cannot be run.
    fn succeeds(&self, arguments: &[&str]) -> bool {
        self.output(arguments).is_ok_and(|output| output.success())
    }

    /// The one function that starts git. It never prompts for a password: that would wait unseen.
    fn output_fed(&self, arguments: &[&str], input: Option<&str>) -> Result<Output> {
        let sh = self.shell()?;
        // Its messages are read for the reason of a failure, and repeated among ours.
        let mut git = sh.cmd("git").env("LANGUAGE", "C").env("GIT_TERMINAL_PROMPT", "0");
        let subcommand = arguments.first().copied().unwrap_or_default();
        let ours = (self.kind != Kind::User).then(settings::of_ours).into_iter().flatten();
        for setting in settings::of_command(subcommand).chain(ours) {
            git = git.arg("-c").arg(setting);
        }
        if self.kind != Kind::User {
            // The list of protocols goes above the setting that allows paths.
            git = git.env("GIT_ATTR_NOSYSTEM", "1").env_remove("GIT_ALLOW_PROTOCOL");
        }
        if self.kind == Kind::Bare {
            // With `safe.bareRepository=explicit`, git works in none that it is not told about.
            git = git.args(["--git-dir", "."]);
        }
        git = git.args(arguments);
        let Some(input) = input else { return shell::output(git) };
        let output = shell::output(git.stdin(input));
        if output.is_err() {
            // Where git refuses to work at all, it ends without reading: this tells why.
            self.read(&["rev-parse", "--git-dir"])?;
        }
        output
    }

    /// A shell of its own for each call: xshell's belong to one thread, and a release has several.
    fn shell(&self) -> Result<Shell> {
        let sh = shell::at(&self.root)?;
        shell::withhold(&sh, |name| self.withheld.iter().any(|withheld| withheld == name));
        Ok(sh)
    }

    /// A failure of git in its own words, without the settings that are forced on it.
    fn failure(&self, arguments: &[&str], output: Output) -> Error {
        if output.stderr.contains("dubious ownership") {
            let message = format!("git does not work in `{}`: ", self.root.display());
            let message = message + "the repository belongs to another user (dubious ownership)";
            let root = self.root.display();
            let hint = format!("git config --global --add safe.directory '{root}'");
            return Refusal::from(Finding::error(Rule::Git, message).hint(hint)).into();
        }
        CommandFailed { line: shown(arguments), output }.into()
    }
}

/// A command line without the settings that are written into a clone.
fn shown(arguments: &[&str]) -> String {
    let mut line = "git".to_owned();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if *word == "--config" {
            words.next();
        } else {
            line += &format!(" {word}");
        }
    }
    line
}

/// Names the thing at `root` that is not the root of a work tree. Told by the files: git itself does
/// not look into a bare repository where `safe.bareRepository` is `explicit`.
fn no_work_tree(root: &Path) -> Finding {
    let shown = root.display();
    let is_bare =
        |dir: &Path| ["HEAD", "objects", "refs"].iter().all(|part| dir.join(part).exists());
    if is_bare(root) {
        let message = format!("`{shown}` is a bare repository: a release needs a work tree");
        return Finding::error(Rule::Git, message)
            .hint(format!("git clone '{shown}', and run the command in the clone"));
    }
    if let Some(top) = root.ancestors().skip(1).find(|dir| dir.join(".git").exists()) {
        let top = top.display();
        let message = format!("`{shown}` is not the root of its repository, which is `{top}`");
        return Finding::error(Rule::Git, message).hint(format!("pass `--root '{top}'`"));
    }
    Finding::error(Rule::Git, format!("`{shown}` is not a git repository"))
        .hint("run `git init`, `git add` and `git commit`; releases are made from commits")
}

/// The first line that git calls fatal, or else an error: it names the reason, the lines after it
/// only advise.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let marked = |mark: &str| text.lines().find_map(|line| line.trim().strip_prefix(mark));
    let reason = marked("fatal: ").or_else(|| marked("error: ")).or(text.lines().next());
    reason.unwrap_or_default().to_owned()
}

/// The records of a list that git ends with NUL (`-z`): the only form in which every path is
/// unambiguous. Without it git quotes, and shows `ä` as `\303\244`.
fn records(list: &str) -> Vec<String> {
    list.split_terminator('\0').map(str::to_owned).collect()
}

/// A path that git takes for itself, although it may hold `*`. `--literal-pathspecs` would do the
/// same for what hooks run, too.
fn literal(path: &str) -> String {
    format!(":(literal){path}")
}

#[cfg(test)]
mod tests {
    use super::testing::Repository;
    use super::*;

    #[test]
    fn every_variable_that_git_calls_local_is_kept_from_it() {
        let known = domain::release::environment::REDIRECTS_GIT;
        let repository = Repository::new();
        let listed = repository.run(&["rev-parse", "--local-env-vars"]);
        let handed_over = ["GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"];
        let mut unknown = listed.lines().filter(|name| !handed_over.contains(name));
        assert_eq!(unknown.find(|name| !known.contains(name)), None);
    }

    #[test]
    fn a_refusal_of_git_is_told_although_it_reads_nothing() {
        let repository = Repository::new();
        repository.configure("core.repositoryFormatVersion", "9");
        let many: Vec<String> = (0..100_000).map(|number| format!("folder/{number}")).collect();
        let said = repository.git().ignored(&many).unwrap_err().to_string();
        assert!(said.contains("repo version"), "{said}");
    }

    #[test]
    fn a_failed_clone_is_told_without_its_settings() {
        assert_eq!(shown(&["clone", "--config", "a=b", "--", "x"]), "git clone -- x");
    }

    #[test]
    fn what_is_not_a_work_tree_is_named() {
        let repository = Repository::new();
        let said = |dir: &Path| no_work_tree(dir).message;
        let bare = repository.dir.path().join("bare.git");
        repository.run(&["init", "--quiet", "--bare", &bare.to_string_lossy()]);
        assert!(said(&bare).contains("is a bare repository"));
        let below = repository.root.join("python");
        assert!(said(&below).contains("is not the root of its repository"));
        assert!(said(repository.dir.path()).contains("is not a git repository"));
    }
}
