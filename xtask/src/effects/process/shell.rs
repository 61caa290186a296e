//! The one policy for external commands: run through xshell, output captured, failures told in
//! one sentence with the end of what the command said, and no child outlives this process.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use domain::release::environment;
use xshell::{Cmd, Shell};

use crate::ui;

/// A shell that works in `dir`, with this process's environment, less what is for an index: the
/// one process that uploads gets that by itself.
///
/// # Errors
/// The current directory of this process is gone.
pub(crate) fn at(dir: &Path) -> Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(dir);
    withhold(&shell, environment::is_for_an_index);
    Ok(shell)
}

/// Keeps variables from the commands of a shell. It cannot forget one, so these are empty.
pub(crate) fn withhold(shell: &Shell, is_kept: impl Fn(&str) -> bool) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(&is_kept) {
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
    pub(crate) fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output followed by standard error: what a person would have seen.
    pub(crate) fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    fn from_raw(output: std::process::Output) -> Output {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A command as it would be typed, printed where the run is verbose.
fn announced(cmd: &Cmd) -> String {
    let line = cmd.to_string();
    ui::external_command(&line);
    line
}

/// Runs a command and captures its output.
///
/// # Errors
/// The command could not be started. An exit code other than 0 is no error here.
pub(crate) fn output(cmd: Cmd) -> Result<Output> {
    let line = announced(&cmd);
    let output =
        cmd.quiet().ignore_status().output().with_context(|| format!("cannot run `{line}`"))?;
    Ok(Output::from_raw(output))
}

/// Runs a command that has to succeed; returns its standard output without the last newline.
///
/// # Errors
/// [`CommandFailed`], or the command could not be started.
pub(crate) fn read(cmd: Cmd) -> Result<String> {
    let line = cmd.to_string();
    let output = output(cmd)?;
    if !output.success() {
        return Err(CommandFailed { line, output }.into());
    }
    Ok(output.stdout.trim_end_matches(['\n', '\r']).to_owned())
}

/// Runs a command whose output goes straight to whoever watches; returns whether it succeeded.
///
/// # Errors
/// The command could not be started.
pub(crate) fn watched(cmd: Cmd) -> Result<bool> {
    let line = announced(&cmd);
    let status = Command::from(cmd).status().with_context(|| format!("cannot run `{line}`"))?;
    Ok(status.success())
}

/// Takes from a command what must not reach it out of this process's environment: variables that
/// redirect pip, twine or Python, and (unless it is git, which may need them) secrets.
pub(crate) fn scrubbed(cmd: Cmd) -> Cmd {
    without(cmd, environment::is_hidden_from_children)
}

/// Takes secrets alone from a command: what else stands in the environment is what it is asked for.
pub(crate) fn without_secrets(cmd: Cmd) -> Cmd {
    without(cmd, environment::is_secret)
}

fn without(mut cmd: Cmd, kept_from_it: fn(&str) -> bool) -> Cmd {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_none_or(kept_from_it) {
            cmd = cmd.env_remove(&name);
        }
    }
    cmd
}

/// A child that ends when it is dropped, and also when this process dies: it watches its
/// standard input and exits when that closes.
pub(crate) struct Supervised {
    child: Child,
    stdin: ChildStdin,
    line: String,
}

impl Supervised {
    /// Starts a command that keeps to that contract, with its output piped.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(cmd: Cmd) -> Result<Supervised> {
        let line = announced(&cmd);
        let mut command = Command::from(cmd);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run `{line}`"))?;
        let stdin = child.stdin.take().context("the child has no standard input")?;
        Ok(Supervised { child, stdin, line })
    }

    /// Sends one line, then waits for the end while standard input stays open.
    ///
    /// # Errors
    /// The child cannot be waited for.
    pub(crate) fn answer(mut self, question: &str) -> Result<Output> {
        // A child that has died already does not read; its output says why.
        let _ = writeln!(self.stdin, "{question}");
        let Supervised { child, stdin, line } = self;
        let output =
            child.wait_with_output().with_context(|| format!("cannot wait for `{line}`"))?;
        drop(stdin);
        Ok(Output::from_raw(output))
    }

    /// Waits for the first line of standard output and leaves the child running.
    ///
    /// # Errors
    /// It ends without one; the message holds what it said instead.
    pub(crate) fn first_line(mut self) -> Result<(Running, String)> {
        let stdout = self.child.stdout.take().context("the child has no standard output")?;
        let mut first = String::new();
        BufReader::new(stdout).read_line(&mut first)?;
        if first.is_empty() {
            let output = Output::from_raw(self.child.wait_with_output()?);
            return Err(CommandFailed { line: self.line, output }.into());
        }
        Ok((Running { child: self.child, _stdin: self.stdin }, first.trim_end().to_owned()))
    }
}

/// A server that runs until this value is dropped.
pub(crate) struct Running {
    child: Child,
    _stdin: ChildStdin,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that ended with something else than 0.
#[derive(Debug)]
pub(crate) struct CommandFailed {
    pub(crate) line: String,
    pub(crate) output: Output,
}

impl fmt::Display for CommandFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.output.code {
            Some(code) => write!(f, "`{}` ended with exit code {code}", self.line)?,
            None => write!(f, "`{}` was ended by a signal", self.line)?,
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
