//! Output that was captured into a file, held against what the program says today. With
//! `XTASK_TEST_WRITE=1` the file is written anew instead.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

use regex_lite::Regex;

use crate::repository::Repository;

/// What a person sees of a run: both streams, in the order of what was said, without what this
/// machine has set for pip and what it has not installed yet.
pub(crate) fn seen(mut command: Command) -> String {
    let (mut reader, writer) = std::io::pipe().unwrap();
    command.stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = command.spawn().unwrap();
    // It holds the ends of the pipe that are written to.
    drop(command);
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    let of_the_machine =
        |line: &&str| line.ends_with(": kept from every tool") || line.starts_with("installing ");
    said.lines().filter(|line| !of_the_machine(line)).map(|line| format!("{line}\n")).collect()
}

/// `xtask ARGUMENTS...` in the root of a repository, as somebody types it there.
pub(crate) fn typed(repository: &Repository, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(arguments.split_whitespace()).current_dir(&repository.0);
    command.env_remove("GITHUB_ACTIONS");
    command
}

/// Without what differs from run to run: times, sizes, commits, and where the repository is.
pub(crate) fn normal(text: &str, root: &Path) -> String {
    let mut text = text.replace(&root.display().to_string(), "REPOSITORY");
    for (pattern, instead) in
        [(r" +\d+\.\d s ", "  0.0 s "), (r"\b\d+ kB", "0 kB"), (r" on [0-9a-f]{9},", " on 0,")]
    {
        text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
    }
    text
}

/// Holds a file against its text of today.
#[track_caller]
pub(crate) fn is_current(path: &Path, today: &str) {
    let before = fs::read_to_string(path).unwrap();
    if before == today {
        return;
    }
    if std::env::var_os("XTASK_TEST_WRITE").is_some() {
        return fs::write(path, today).unwrap();
    }
    let only = |these: &str, those: &str| {
        let lines = these.lines().filter(|line| !those.lines().any(|other| other == *line));
        lines.map(|line| format!("  {line}\n")).collect::<String>()
    };
    panic!(
        "{} is of another day; XTASK_TEST_WRITE=1 writes it anew.\nIt shows\n{}and today it is\n{}",
        path.display(),
        only(&before, today),
        only(today, &before)
    );
}
