//! A child process that ends with this one: it watches its standard input and exits when that
//! closes, which it does however this process ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};
use xshell::Cmd;

use crate::effects::process::shell::{CommandFailed, Output, isolated};
use crate::effects::process::{interrupt, sandbox};

/// A child that was started with its standard streams piped.
pub(crate) struct Supervised {
    pub(super) child: Child,
    pub(super) stdin: ChildStdin,
    /// The command that started it.
    pub(super) line: String,
}

impl Supervised {
    /// Starts a command that exits when its standard input closes.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn start(cmd: Cmd) -> Result<Supervised> {
        interrupt::hold();
        let line = sandbox::shown(&cmd.to_string()).to_owned();
        let mut command = Command::from(isolated(cmd));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run `{line}`"))?;
        let stdin = child.stdin.take().context("the child has no standard input")?;
        Ok(Supervised { child, stdin, line })
    }

    /// Sends one line, then waits for the end of the child while its standard input stays open.
    ///
    /// # Errors
    /// The child cannot be waited for.
    pub(crate) fn answer(mut self, question: &str) -> Result<Output> {
        // A child that has died already does not read; its output tells why it did.
        let _ = writeln!(self.stdin, "{question}");
        let Supervised { child, stdin, line } = self;
        let output =
            child.wait_with_output().with_context(|| format!("cannot wait for `{line}`"))?;
        drop(stdin);
        Ok(Output::from_raw(output))
    }

    /// Waits for the first line of standard output, and leaves the child running.
    ///
    /// # Errors
    /// [`CommandFailed`], where it ends without one.
    pub(crate) fn first_line(mut self) -> Result<(Running, String)> {
        let stdout = self.child.stdout.take().context("the child has no standard output")?;
        let mut first = String::new();
        BufReader::new(stdout).read_line(&mut first)?;
        if first.is_empty() {
            let output = Output::from_raw(self.child.wait_with_output()?);
            return Err(CommandFailed { line: self.line, output }.into());
        }
        Ok((Running { child: self.child, stdin: self.stdin }, first.trim_end().to_owned()))
    }
}

/// A child that runs until this value is dropped.
pub(crate) struct Running {
    pub(super) child: Child,
    pub(super) stdin: ChildStdin,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
