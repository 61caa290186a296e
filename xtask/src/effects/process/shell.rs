//! The one policy for external commands: run through xshell, output captured, a failure told in one
//! sentence with the end of the command's output.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use domain::release::environment;
use xshell::{Cmd, Shell};

use crate::effects::process::{interrupt, sandbox};
use crate::ui;

/// A shell that works in `dir`, with this process's environment but without the credentials of an
/// index: only the process that uploads gets those.
///
/// # Errors
/// The current directory of this process is gone.
pub(crate) fn at(dir: &Path) -> Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(dir);
    withhold(&shell, environment::is_for_an_index);
    Ok(shell)
}

/// A command that does not see the variables that would lead git to another repository: build back
/// ends and Cargo run git as well. Removed, since git takes an empty `GIT_DIR` for a repository
/// without a name.
pub(crate) fn isolated(cmd: Cmd) -> Cmd {
    environment::REDIRECTS_GIT.iter().fold(cmd, |cmd, name| cmd.env_remove(name))
}

/// Withholds variables from the commands of a shell. xshell cannot remove one, so they are empty.
pub(crate) fn withhold(shell: &Shell, is_withheld: impl Fn(&str) -> bool) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(&is_withheld) {
            shell.set_var(name, "");
        }
    }
}

/// How a command ended, whatever its exit code.
#[derive(Debug)]
pub(crate) struct Output {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Whether it ended with exit code 0.
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output without the last newline.
    pub(crate) fn text(&self) -> String {
        self.stdout.trim_end_matches(['\n', '\r']).to_owned()
    }

    /// Standard output followed by standard error.
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    pub(crate) fn from_raw(output: std::process::Output) -> Output {
        Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A command as it would be typed, printed where the run is verbose.
fn announced(cmd: &Cmd) -> String {
    interrupt::hold();
    let line = sandbox::shown(&cmd.to_string()).to_owned();
    ui::external_command(&line);
    line
}

/// Runs a command and captures its output.
///
/// # Errors
/// The command could not be started. An exit code other than 0 is not an error here.
pub(crate) fn output(cmd: Cmd) -> Result<Output> {
    let line = announced(&cmd);
    let output = isolated(cmd).quiet().ignore_status().output();
    interrupt::hold();
    Ok(Output::from_raw(output.with_context(|| format!("cannot run `{line}`"))?))
}

/// Runs a command that has to succeed; returns its standard output without the last newline.
///
/// # Errors
/// [`CommandFailed`], or the command could not be started.
pub(crate) fn read(cmd: Cmd) -> Result<String> {
    let line = sandbox::shown(&cmd.to_string()).to_owned();
    let output = output(cmd)?;
    if output.success() { Ok(output.text()) } else { Err(CommandFailed { line, output }.into()) }
}

/// Runs a command whose output goes to the terminal; returns whether it succeeded.
///
/// # Errors
/// The command could not be started.
pub(crate) fn watched(cmd: Cmd) -> Result<bool> {
    let line = announced(&cmd);
    let status =
        Command::from(isolated(cmd)).status().with_context(|| format!("cannot run `{line}`"))?;
    Ok(status.success())
}

/// The variables that this repository lets in beside the usual ones.
static ADMITTED: OnceLock<Vec<String>> = OnceLock::new();

/// Lets variables into the environment of foreign code, by name or prefix, once for this run.
pub(crate) fn admit(names: &[String]) {
    // A second call changes nothing.
    let _ = ADMITTED.set(names.to_vec());
}

/// Leaves foreign code the variables that it needs, and no others. git is not scrubbed.
pub(crate) fn scrubbed(cmd: Cmd) -> Cmd {
    let more = ADMITTED.get().map_or(&[] as &[String], Vec::as_slice);
    direct(without(cmd, |name| !environment::is_admitted(name, more)))
}

/// Removes from the environment of this tool's own scripts the variables that redirect pip, twine or
/// Python, and all secrets.
pub(crate) fn trusted(cmd: Cmd) -> Cmd {
    direct(without(cmd, environment::is_hidden_from_children))
}

/// Has addresses of this machine, where our own indexes are, reached without a proxy.
fn direct(cmd: Cmd) -> Cmd {
    let set = ["no_proxy", "NO_PROXY"].map(|name| std::env::var(name).unwrap_or_default());
    let set = set.into_iter().find(|value| !value.is_empty());
    let hosts = set.into_iter().chain(["127.0.0.1,localhost".to_owned()]);
    let hosts = hosts.collect::<Vec<_>>().join(",");
    cmd.env("no_proxy", &hosts).env("NO_PROXY", &hosts)
}

/// Removes only secrets from a command's environment: `pip config list` is to report the rest.
pub(crate) fn without_secrets(cmd: Cmd) -> Cmd {
    without(cmd, environment::is_secret)
}

fn without(mut cmd: Cmd, is_removed: impl Fn(&str) -> bool) -> Cmd {
    for (name, _) in std::env::vars_os() {
        // A name that is not Unicode cannot be judged.
        if name.to_str().is_none_or(&is_removed) {
            cmd = cmd.env_remove(&name);
        }
    }
    cmd
}

/// A command that did not end with exit code 0.
#[derive(Debug)]
pub(crate) struct CommandFailed {
    pub(crate) line: String,
    pub(crate) output: Output,
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.output.code {
            Some(code) => write!(f, "`{}` failed with exit code {code}", self.line)?,
            None => write!(f, "`{}` was killed by a signal", self.line)?,
        }
        write!(f, "{}", tail(&self.output.both(), 20))
    }
}

impl std::error::Error for CommandFailed {}

/// The last `lines` lines of a text that are not empty, each indented on a line of its own.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let kept: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = kept.iter().skip(kept.len().saturating_sub(lines));
    last.map(|line| format!("\n    {}", line.trim_end())).collect()
}
