//! Worker processes that answer one question after the other, so that Python and its modules are
//! loaded once and not for every question.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jzon::JsonValue;
use xshell::Cmd;

use crate::effects::process::shell::{CommandFailed, Output};
use crate::effects::process::supervised::{Running, Supervised};

/// Workers that wait for a question, by the command that started them. Two questions at the same time
/// are answered by two workers.
#[derive(Default)]
pub(crate) struct Workers {
    idle: Mutex<HashMap<String, Vec<Worker>>>,
}

impl Workers {
    /// Asks a worker that this command started, or starts one. The question and the answer are JSON, a
    /// line each.
    ///
    /// # Errors
    /// The worker cannot be started, ends without an answer, or gives none within `limit`. It is ended
    /// then, and the next question starts another one.
    pub(crate) fn ask(
        &self,
        cmd: Cmd,
        question: &JsonValue,
        limit: Option<Duration>,
    ) -> Result<JsonValue> {
        let line = cmd.to_string();
        let waiting = self.idle().get_mut(&line).and_then(Vec::pop);
        let mut worker = match waiting {
            Some(worker) => worker,
            None => Worker::start(cmd)?,
        };
        let answer = worker.ask(&question.dump(), limit)?;
        let answer =
            jzon::parse(&answer).with_context(|| format!("`{line}` did not answer with JSON"))?;
        self.idle().entry(line).or_default().push(worker);
        Ok(answer)
    }

    /// Starts a worker ahead of the first question.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn prepare(&self, cmd: Cmd) -> Result<()> {
        let line = cmd.to_string();
        let worker = Worker::start(cmd)?;
        self.idle().entry(line).or_default().push(worker);
        Ok(())
    }

    /// Ends the workers that wait.
    pub(crate) fn end(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<String, Vec<Worker>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Worker {
    process: Running,
    /// The lines of its standard output.
    answers: Receiver<String>,
    /// Everything that it writes to standard error, once it has ended.
    stderr: Option<JoinHandle<String>>,
    /// The command that started it.
    line: String,
}

impl Worker {
    fn start(cmd: Cmd) -> Result<Worker> {
        let Supervised { mut child, stdin, line } = Supervised::start(cmd)?;
        let stdout = child.stdout.take().context("the child has no standard output")?;
        let stderr = child.stderr.take().context("the child has no standard error")?;
        let (sender, answers) = channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(std::io::Result::ok);
            // Sending fails once the worker is dropped.
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        let stderr = Some(thread::spawn(move || read_all(stderr)));
        Ok(Worker { process: Running { child, stdin }, answers, stderr, line })
    }

    fn ask(&mut self, question: &str, limit: Option<Duration>) -> Result<String> {
        // A child that has died already does not read; its standard error tells why it did.
        let _ = writeln!(self.process.stdin, "{question}");
        let answer = match limit {
            Some(limit) => self.answers.recv_timeout(limit),
            None => self.answers.recv().map_err(RecvTimeoutError::from),
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.unwrap_or_default().as_secs();
                bail!("`{}` did not answer within {seconds} s", self.line)
            }
            Err(RecvTimeoutError::Disconnected) => {
                let code = self.process.child.wait()?.code();
                let stderr = self.stderr.take().and_then(|reader| reader.join().ok());
                let output =
                    Output { code, stdout: String::new(), stderr: stderr.unwrap_or_default() };
                Err(CommandFailed { line: self.line.clone(), output }.into())
            }
        }
    }
}

fn read_all(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    // Output that was read before a stream broke is still useful.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
