//! Text that was captured once and is held against what the tool prints today. With
//! `XTASK_BLESS=1` it is written instead, to be reviewed as a diff.

use std::fs;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use regex_lite::Regex;

use super::case::{Document, Item, Section, Tree};

/// What differs from run to run or from machine to machine, and what is written in its place.
/// Times and sizes keep the width of their column.
const MASKS: [(&str, &str); 10] = [
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\b(20\d\d-\d\d-\d\d|DATE)T\d\d:\d\d:\d\dZ", "TIME"),
    (r" +\d+\.\d s ", "  0.0 s "),
    (r"\b\d+ kB", "0 kB"),
    (r"\b[0-9a-f]{9}\b", "COMMIT"),
    (r"\bprocess \d+", "process N"),
    (r"\bPython 3\.\d+\.\d+", "Python 3.X"),
    (r"since (20\d\d-\d\d-\d\d|DATE)[^,;)]*", "since TIME"),
];

pub(crate) fn is_blessed() -> bool {
    std::env::var_os("XTASK_BLESS").is_some_and(|value| value == "1")
}

/// A text without what differs from run to run; `root` is the repository that it speaks of.
pub(crate) fn masked(text: &str, root: &Path) -> String {
    let mut text = text.replace(&*root.to_string_lossy(), "REPOSITORY");
    if let Some(folder) = root.parent().filter(|folder| folder.components().count() > 2) {
        text = text.replace(&*folder.to_string_lossy(), "SCRATCH");
    }
    text = text.replace(today(), "DATE");
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    text = text.replace(&*here.to_string_lossy(), "HERE");
    for (pattern, replacement) in MASKS {
        text = Regex::new(pattern).unwrap().replace_all(&text, replacement).into_owned();
    }
    text
}

/// Files with `DATE` for the date of today.
pub(crate) fn undated(mut tree: Tree) -> Tree {
    tree.iter_mut().for_each(|(_, text)| *text = text.replace(today(), "DATE"));
    tree
}

fn today() -> &'static str {
    static TODAY: OnceLock<String> = OnceLock::new();
    TODAY.get_or_init(|| {
        let date = Command::new("date").args(["-u", "+%F"]).output().unwrap();
        String::from_utf8(date.stdout).unwrap().trim().to_owned()
    })
}

/// Compares a file with its text of today, or writes it.
#[track_caller]
pub(crate) fn file(path: &Path, today: &str) {
    let before = fs::read_to_string(path).unwrap_or_default();
    if before == today {
        return;
    }
    if is_blessed() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, today).unwrap();
    }
    let shown = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display();
    panic!("{shown} is out of date; `XTASK_BLESS=1` writes it\n{}", difference(&before, today));
}

/// Compares a section of `said/MODULE.txt`, beside the module that calls this, with its text of
/// today. All messages that a module provokes are in that one file.
#[track_caller]
pub(crate) fn section(title: &str, today: &str) {
    static WRITING: Mutex<()> = Mutex::new(());
    let path = beside(Location::caller());
    let _guard = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut document = Document::read(&fs::read_to_string(&path).unwrap_or_default());
    let text = vec![Item::Text(today.trim_end().to_owned())];
    match document.sections.iter_mut().find(|section| section.title == title) {
        Some(section) => section.items = text,
        None => document.sections.push(Section { title: title.to_owned(), items: text }),
    }
    document.sections.sort_by(|one, other| one.title.cmp(&other.title));
    file(&path, &document.to_string());
}

fn beside(caller: &Location) -> PathBuf {
    let source = Path::new(caller.file());
    let folder = source.parent().and_then(Path::file_name).unwrap();
    let module = source.file_stem().unwrap().to_string_lossy();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let tests = if folder == "tests" { tests } else { tests.join(folder) };
    tests.join(format!("said/{module}.txt"))
}

/// The lines of either text, those that both have at its start and end left out.
fn difference(before: &str, today: &str) -> String {
    let merged = super::case::merged(before, today);
    let lines = merged.lines().filter(|line| line.starts_with("-| ") || line.starts_with("+| "));
    lines.map(|line| format!("{line}\n")).collect()
}
