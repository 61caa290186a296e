//! Processes that end with the test, however it ends, and what came of them.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::snapshot;

/// Far more than any run takes; what runs longer hangs.
const LIMIT: Duration = Duration::from_secs(240);

/// A running process, in a group of its own with everything that it starts.
pub(crate) struct Process {
    child: Child,
    line: String,
    root: PathBuf,
    stdout: Option<JoinHandle<String>>,
    stderr: Receiver<String>,
    /// What it has said on standard error so far.
    heard: String,
    /// It ended by itself, and has been waited for.
    ended: bool,
}

impl Process {
    /// Starts a command on the repository in `root`; `line` is how a person would type it.
    pub(crate) fn start(mut command: Command, line: &str, root: &Path) -> Process {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, heard) = channel();
        spawn(move || stderr.lines().map_while(Result::ok).all(|line| said.send(line).is_ok()));
        let stdout = spawn(move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).unwrap();
            text
        });
        Process {
            child,
            line: line.to_owned(),
            root: root.to_owned(),
            stdout: Some(stdout),
            stderr: heard,
            heard: String::new(),
            ended: false,
        }
    }

    /// Waits until a line on standard error holds all of `words`.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, words: &[&str]) {
        let end = Instant::now() + LIMIT;
        while let Ok(line) = self.stderr.recv_timeout(end - Instant::now()) {
            self.heard += &format!("{line}\n");
            if words.iter().all(|word| line.contains(word)) {
                return;
            }
        }
        panic!("`{}` never said {words:?}:\n{}", self.line, self.heard);
    }

    /// Its number, which is that of its group too.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, to it and to everything that it has started.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// SIGKILL to this one process: what it has started has to notice by itself.
    pub(crate) fn kill_alone(&mut self) {
        self.child.kill().unwrap();
    }

    /// Sends it a signal, and waits for its end.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub(crate) fn signalled(self, signal: &str) -> Run {
        succeeds(Command::new("kill").args([signal, &self.id().to_string()]));
        self.finish()
    }

    #[track_caller]
    pub(crate) fn finish(mut self) -> Run {
        let end = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                let said: Vec<String> = self.stderr.try_iter().collect();
                panic!("`{}` does not end:\n{}{}", self.line, self.heard, said.join("\n"));
            }
            sleep(Duration::from_millis(10));
        };
        self.ended = true;
        let stdout = self.stdout.take().unwrap().join().unwrap();
        while let Ok(line) = self.stderr.recv() {
            self.heard += &format!("{line}\n");
        }
        let stderr = std::mem::take(&mut self.heard);
        Run {
            line: self.line.clone(),
            root: self.root.clone(),
            code: status.code(),
            stdout,
            stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The group first: as long as its leader is not waited for, its number is nobody else's.
        #[cfg(unix)]
        let _ =
            Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of one run of the tool.
pub(crate) struct Run {
    line: String,
    root: PathBuf,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn ok(self) -> Run {
        self.exits(0)
    }

    /// It did not do it, said why, and said what to type instead.
    #[track_caller]
    pub(crate) fn refused(self, code: i32) -> Run {
        let run = self.exits(code);
        run.says("error: ").says("hint: ")
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "the exit code of {self}");
        self
    }

    /// Standard error holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Run {
        assert!(self.stderr.contains(text), "`{text}` is not in {self}");
        self
    }

    /// The findings of the run and how it ended are what the section of this title in
    /// `said/MODULE.txt` holds, beside the module that calls this.
    #[track_caller]
    pub(crate) fn shows(self, title: &str) -> Run {
        snapshot::section(title, &snapshot::masked(&self.findings(), &self.root));
        self
    }

    /// Errors, warnings, notes and hints. Progress is left out, and so are the words of other
    /// programs, which are indented further.
    fn findings(&self) -> String {
        let starts = ["error: ", "warning: ", "note: ", "hint: "];
        let mut findings = String::new();
        let mut is_error = false;
        for line in self.stderr.lines() {
            let is_start = starts.iter().any(|start| line.starts_with(start));
            if is_start {
                is_error = line.starts_with("error: ");
            }
            let is_detail = line.starts_with("  ") && !line.starts_with("   ");
            // Which variables are set for pip is a matter of this machine.
            if (is_start || (is_error && is_detail)) && !line.contains("PIP_") {
                findings += &format!("{}\n", line.trim_end());
            }
        }
        findings
    }

    /// A stage of a package, which is called by its name and version, ended like this: `done`,
    /// `skipped` or `failed`.
    #[track_caller]
    pub(crate) fn stage(self, package: &str, stage: &str, status: &str) -> Run {
        let words: Vec<Vec<&str>> =
            self.stderr.lines().map(|line| line.split_whitespace().collect()).collect();
        let package: Vec<&str> = package.split(' ').collect();
        let found = words.iter().any(|words| {
            words.starts_with(&package) && words.contains(&stage) && words.contains(&status)
        });
        assert!(found, "no stage `{stage}` of {package:?} is {status} in {self}");
        self
    }

    /// How many seconds the run waited before it tried again, each time.
    pub(crate) fn pauses(&self) -> Vec<u64> {
        let seconds = |line: &str| line.strip_suffix(" s")?.rsplit(' ').next()?.parse().ok();
        self.stderr.lines().filter_map(seconds).collect()
    }

    /// The run stopped, and this is what it has published.
    #[track_caller]
    pub(crate) fn published(self, packages: &str) -> Run {
        self.has_exactly(&format!("  published: {packages}"))
    }

    /// The run stopped, and this is what it has not published.
    #[track_caller]
    pub(crate) fn unpublished(self, packages: &str) -> Run {
        self.has_exactly(&format!("  not published: {packages}"))
    }

    #[track_caller]
    fn has_exactly(self, wanted: &str) -> Run {
        assert!(
            self.stderr.lines().any(|line| line.starts_with(wanted)),
            "no `{wanted}` in {self}"
        );
        self
    }

    /// A line of standard error holds all of these.
    #[track_caller]
    pub(crate) fn has_line(self, words: &[&str]) -> Run {
        let found = self.stderr.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "no line with {words:?} in {self}");
        self
    }

    /// Standard output, which has to be one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}) on standard output of {self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Run { line, code, stdout, stderr, .. } = self;
        write!(f, "`xtask {line}`, exit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a command that has to succeed.
#[track_caller]
pub(crate) fn succeeds(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&printed));
    output
}
