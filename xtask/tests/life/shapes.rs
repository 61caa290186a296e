//! `embed` into repositories of five shapes, and what a maintainer sees there afterwards: every
//! file of `shapes/` is a repository and the commands that are typed in it.

use std::path::PathBuf;

use crate::support::case::{self, Document};
use crate::support::{Repo, snapshot};

/// Whether a release is rehearsed in this run of the tests.
#[derive(Clone, Copy, PartialEq)]
enum Rehearsal {
    Always,
    /// With XTASK_TEST_FULL, because the same is rehearsed elsewhere.
    Sometimes,
}

fn file(name: &str) -> PathBuf {
    case::folder("life/shapes").join(format!("{name}.txt"))
}

/// The repository of a shape, committed.
pub(crate) fn repository(name: &str) -> Repo {
    let repo = Repo::of::<&str>(&[]);
    repo.write_tree(&Document::open(&file(name)).sections[0].before());
    repo.commit()
}

/// Embeds into a repository, looks at it, commits and rehearses a release.
#[track_caller]
fn shape(name: &str, rehearsal: Rehearsal) {
    let rehearsed = rehearsal == Rehearsal::Always || std::env::var_os("XTASK_TEST_FULL").is_some();
    let mut document = Document::open(&file(name));
    let repo = repository(name);
    document.sections[0].run(&repo, |line| rehearsed || !line.contains("xtask release"));
    snapshot::file(&file(name), &document.to_string());
}

#[test]
fn every_file_is_a_test() {
    case::every_file_is_a_test("life/shapes", &["flit", "hatch", "mixed", "poetry", "setuptools"]);
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
