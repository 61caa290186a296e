//! `embed` into repositories of five shapes, and what a maintainer sees there afterwards.
//!
//! A file in `shapes/` holds a repository (below `-- PATH`) and, behind `== said`, what every
//! command says in it, line by line: `XTASK_TEST_WRITE=1` writes that part anew, to be looked at.

use std::path::Path;

use crate::captured::{is_current, normal, seen, typed};
use crate::repository::Repository;

const SAID: &str = "== said\n";
const PROMPT: &str = "$ cargo xtask ";

/// Whether a release is rehearsed in this run of the tests.
#[derive(Clone, Copy, PartialEq)]
enum Rehearsal {
    Always,
    /// With XTASK_TEST_FULL, because the same is rehearsed elsewhere.
    Sometimes,
}

fn fixture(name: &str) -> (String, String) {
    let path = format!("{}/tests/life/shapes/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

/// The repository of a shape, committed.
pub(crate) fn repository(name: &str) -> Repository {
    let (_, text) = fixture(name);
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.split(SAID).next().unwrap().lines() {
        match line.strip_prefix("-- ") {
            Some(path) => files.push((path, String::new())),
            None => files.last_mut().unwrap().1.extend([line, "\n"]),
        }
    }
    Repository::committed(&files)
}

/// Embeds into a repository, looks at it as it lies there, commits and rehearses a release.
#[track_caller]
fn shape(name: &str, rehearsal: Rehearsal) {
    let rehearsed = rehearsal == Rehearsal::Always || std::env::var_os("XTASK_TEST_FULL").is_some();
    let (path, text) = fixture(name);
    let (files, said) = text.split_once(SAID).unwrap();
    let repository = repository(name);
    let mut today = String::new();
    for part in said.split(PROMPT).skip(1) {
        let (command, before) = part.split_once('\n').unwrap();
        let said = match command.starts_with("release") {
            false => seen(typed(&repository, command)),
            true if rehearsed => {
                repository.commit();
                // The stages are told as they are done, side by side: in no order.
                repository.xtask(command).ended(0).out
            }
            true => before.to_owned(),
        };
        today += &format!("{PROMPT}{command}\n{}", normal(&said, &repository.0));
    }
    is_current(Path::new(&path), &format!("{files}{SAID}{today}"));
}

#[test]
fn setuptools_of_every_age_below_libs() {
    shape("setuptools", Rehearsal::Always);
}

#[test]
fn a_workspace_of_hatch_below_python() {
    shape("hatch", Rehearsal::Sometimes);
}

#[test]
fn poetry_with_paths_for_development() {
    shape("poetry", Rehearsal::Sometimes);
}

#[test]
fn flit_in_the_root_of_a_cargo_workspace() {
    shape("flit", Rehearsal::Sometimes);
}

#[test]
fn every_back_end_and_one_in_the_root() {
    shape("mixed", Rehearsal::Always);
}
