//! `check`: every rule has a file in `check/`, with repositories that trigger it (`== found`) and
//! ones that do not (`== clean`), and where it can be fixed with what `--fix` makes of them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::case::{Document, cases, folder};
use crate::support::{Repo, snapshot};

mod rule {
    super::cases!(run, "life/check":
        ambiguous_tag config cycle dependencies_table direct_reference duplicate_name license name
        namespace_init no_range no_smoke py_typed readme requirement_syntax requires_python
        shared_path stale_lock stale_range tag toml_syntax version version_copy);
}

#[track_caller]
fn run(file: &Path) {
    let rule = file.file_stem().unwrap().to_string_lossy();
    let mut document = Document::open(file);
    for kind in ["found", "clean"] {
        assert!(document.sections.iter().any(|section| section.title == kind), "nothing is {kind}");
    }
    for (at, section) in document.sections.iter_mut().enumerate() {
        let repo = Repo::of::<&str>(&[]);
        repo.write_tree(&section.before());
        let found = rules_found(&repo);
        let has_rule = found.iter().any(|(name, _)| *name == rule);
        assert_eq!(has_rule, section.title == "found", "case {at}: {found:?}");
        section.run(&repo, |_| true);
        section.note_tree(repo.tree());
    }
    snapshot::file(file, &document.to_string());
}

fn rules_found(repository: &Repo) -> Vec<(String, bool)> {
    let json = repository.xtask("check --json").json();
    let findings = json["findings"].as_array().unwrap().clone();
    findings
        .iter()
        .map(|finding| {
            (finding["rule"].as_str().unwrap().to_owned(), finding["fixable"].as_bool().unwrap())
        })
        .collect()
}

/// The rules as `check --list` knows them.
fn rules() -> Vec<Value> {
    let json = Repo::of::<&str>(&[]).xtask("check --list --json").ok().json();
    json["rules"].as_array().unwrap().clone()
}

#[test]
fn every_rule_has_a_case_file_and_is_fixed_there_if_it_can_be() {
    let mut rules = rules();
    assert!(rules.len() > 15);
    // It is about the tags of a repository, which a case file has none of; its tests are in `domain`.
    rules.retain(|rule| rule["rule"] != "tag-scheme");
    for rule in &rules {
        let name = rule["rule"].as_str().unwrap();
        let document = Document::open(&folder("life/check").join(format!("{name}.txt")));
        let is_fixed = document
            .sections
            .iter()
            .any(|section| section.commands().contains(&"cargo xtask check --fix"));
        assert_eq!(rule["fixable"].as_bool().unwrap(), is_fixed, "{name} and its case file");
    }
    assert_eq!(fs::read_dir(folder("life/check")).unwrap().count(), rules.len());
}

#[test]
fn all_findings_come_at_once() {
    let repository = Repo::of::<&str>(&[
        ("a/pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n[tool.xtask]\nx = 1\n"),
        (
            "b/pyproject.toml",
            "[project]\nname = \"b\"\nversion = \"1\"\ndependencies = [\"c>=1\"]\n",
        ),
        (
            "c/pyproject.toml",
            "[project]\nname = \"c\"\nversion = \"1\"\ndependencies = [\"b>=2\"]\n",
        ),
        ("d/pyproject.toml", "[project]\nname = \"d\"\nversion = \"1\"\n"),
        ("e/pyproject.toml", "[project]\nname = \"d\"\nversion = \"1\"\n"),
    ]);
    let found: Vec<String> = rules_found(&repository).into_iter().map(|(rule, _)| rule).collect();
    for rule in ["config", "cycle", "duplicate-name", "stale-range"] {
        assert!(found.iter().any(|found| found == rule), "{rule} is not in {found:?}");
    }
}

/// A range would be moved and a file removed, and one cannot be made: a folder is in its place.
#[test]
fn a_fix_writes_everything_or_nothing() {
    let manifest = |name: &str, more: &str| {
        format!("[project]\nname = \"{name}\"\nversion = \"1.2.0\"\n{more}")
    };
    let repository = Repo::of::<&str>(&[
        ("a/pyproject.toml", &manifest("a", "dependencies = [\"b>=0.5,<1\"]\n")),
        ("a/src/ns/a/__init__.py", ""),
        ("a/src/ns/__init__.py", ""),
        ("b/pyproject.toml", &manifest("b", "classifiers = [\"Typing :: Typed\"]\n")),
        ("b/src/ns/b/__init__.py", ""),
        ("b/src/ns/b/py.typed/in-the-way", ""),
    ]);
    let before = repository.tree();
    let said = repository.xtask("check --fix").exits(1);
    said.shows("a file that is in the way of a fix");
    assert_eq!(repository.tree(), before);

    std::fs::remove_dir_all(repository.path("b/src/ns/b/py.typed")).unwrap();
    repository.xtask("check --fix");
    let after = repository.tree();
    let differs = |file: &&(String, String)| !before.contains(file);
    let changed: Vec<&str> = after.iter().filter(differs).map(|(path, _)| path.as_str()).collect();
    assert_eq!(changed, ["a/pyproject.toml", "b/src/ns/b/py.typed"]);
    assert!(!repository.path("a/src/ns/__init__.py").exists());
}

#[test]
fn this_repository_has_nothing_wrong() {
    let said = Repo::here().xtask("check").exits(0);
    assert_eq!(said.stdout.lines().count(), 1, "{said}");
    assert!(rules_found(&Repo::here()).is_empty());
}

#[test]
fn the_list_explains_every_rule_in_80_columns() {
    let said = Repo::of::<&str>(&[]).xtask("check --list").exits(0);
    snapshot::section("the list of rules", &said.stdout);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn in_github_actions_a_finding_is_an_annotation() {
    let repository = Repo::of::<&str>(&[(
        "a/pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[tool.xtask]\nx = 1\n",
    )]);
    let run = repository.xtask_with("check", &[("GITHUB_ACTIONS", "true")]).exits(1);
    let annotation = "::error file=a/pyproject.toml,line=5::";
    let found = run.stderr.lines().find(|line| line.starts_with(annotation));
    snapshot::section("an annotation", found.unwrap_or_else(|| panic!("no annotation in {run}")));
}
