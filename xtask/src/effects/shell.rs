//! The one policy for external commands: run through xshell, output captured, failures told in
//! one sentence with the end of what the command said.

use std::fmt;

use anyhow::{Context, Result};
use xshell::Cmd;

/// How a command ended, whatever its exit code.
#[derive(Debug)]
pub struct Output {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output followed by standard error: what a person would have seen.
    pub fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a command and captures its output.
///
/// # Errors
/// The command could not be started. An exit code other than 0 is no error here.
pub fn output(cmd: Cmd) -> Result<Output> {
    let line = cmd.to_string();
    let output =
        cmd.quiet().ignore_status().output().with_context(|| format!("cannot run `{line}`"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Output {
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}

/// Runs a command that has to succeed; returns its standard output without the last newline.
///
/// # Errors
/// [`CommandFailed`], or the command could not be started.
pub fn read(cmd: Cmd) -> Result<String> {
    let line = cmd.to_string();
    let output = output(cmd)?;
    if !output.success() {
        return Err(CommandFailed { line, output }.into());
    }
    Ok(output.stdout.trim_end_matches(['\n', '\r']).to_owned())
}

/// A command that ended with something else than 0.
#[derive(Debug)]
pub struct CommandFailed {
    pub line: String,
    pub output: Output,
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
pub fn tail(text: &str, lines: usize) -> String {
    let kept: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    kept.iter()
        .skip(kept.len().saturating_sub(lines))
        .map(|line| format!("\n    {}", line.trim_end()))
        .collect()
}
