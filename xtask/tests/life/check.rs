//! `check`: every rule has a file in `check/`, with repositories that trigger it and ones that do
//! not.
//!
//! A repository starts with `== found`, `== fixed` or `== clean`, its files stand below
//! `-- PATH`. Lines `> TEXT` are what has to be said about a `found` one; a `fixed` one is what
//! `--fix` makes of the one before it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::repository::Repository;

#[derive(Default)]
struct Case {
    kind: String,
    said: Vec<String>,
    files: Vec<(String, String)>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("== ") {
            cases.push(Case { kind: kind.to_owned(), ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        if let Some(path) = line.strip_prefix("-- ") {
            case.files.push((path.to_owned(), String::new()));
        } else if let Some(said) = line.strip_prefix("> ") {
            case.said.push(said.to_owned());
        } else if let Some((_, text)) = case.files.last_mut() {
            *text += line;
            *text += "\n";
        }
    }
    // What separates the files of a case is no part of them.
    for (_, text) in cases.iter_mut().flat_map(|case| &mut case.files) {
        text.truncate(text.trim_end().len());
        if !text.is_empty() {
            text.push('\n');
        }
    }
    cases
}

fn repository(case: &Case) -> Repository {
    let files: Vec<(&str, &str)> =
        case.files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Repository::new(&files)
}

fn rules_found(repository: &Repository) -> Vec<(String, bool)> {
    let said = repository.xtask("check --json");
    let json: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
    let findings = json["findings"].as_array().unwrap().clone();
    findings
        .iter()
        .map(|finding| {
            (finding["rule"].as_str().unwrap().to_owned(), finding["fixable"].as_bool().unwrap())
        })
        .collect()
}

fn sorted(mut tree: Vec<(String, String)>) -> Vec<(String, String)> {
    tree.sort();
    tree
}

fn run(rule: &str, text: &str) {
    let cases = cases(text);
    for kind in ["found", "clean"] {
        assert!(cases.iter().any(|case| case.kind == kind), "{rule}: nothing is {kind}");
    }
    for (at, case) in cases.iter().enumerate() {
        let repository = repository(case);
        let found = rules_found(&repository);
        let has_it = found.iter().any(|(name, _)| name == rule);
        match case.kind.as_str() {
            "found" => {
                assert!(has_it, "{rule}, case {at}: not in {found:?}");
                let said = repository.xtask("check");
                for line in &case.said {
                    assert!(
                        said.err.contains(line.as_str()),
                        "{rule}: `{line}` is not in\n{}",
                        said.err
                    );
                }
                let errors = said.err.contains("error: ");
                said.ended(i32::from(errors));
            }
            "clean" => assert!(!has_it, "{rule}, case {at}: {found:?}"),
            _ => {}
        }
        let fixed = cases.get(at + 1).filter(|next| next.kind == "fixed");
        if let Some(fixed) = fixed {
            repository.xtask("check --fix");
            assert_eq!(sorted(repository.tree()), sorted(fixed.files.clone()), "{rule}, case {at}");
        }
    }
}

#[test]
fn every_rule_has_a_fixture_that_triggers_it_and_one_that_does_not() {
    let said = Repository::new(&[]).xtask("check --list --json").ended(0);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let rules = json["rules"].as_array().unwrap();
    assert!(rules.len() > 15);
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/life/check");
    for rule in rules {
        let name = rule["rule"].as_str().unwrap();
        let text = fs::read_to_string(dir.join(format!("{name}.txt")))
            .unwrap_or_else(|_| panic!("no fixture for {name}"));
        run(name, &text);
        let fixes = cases(&text).iter().any(|case| case.kind == "fixed");
        assert_eq!(rule["fixable"].as_bool().unwrap(), fixes, "{name} and its `fixed` fixture");
    }
    assert_eq!(fs::read_dir(dir).unwrap().count(), rules.len(), "a fixture of no rule");
}

/// A rule that no page explains is one without a fixture, too.
#[test]
fn every_finding_has_a_rule_that_is_explained() {
    let said = Repository::new(&[]).xtask("check --list --json").ended(0);
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let rules: Vec<&str> = json["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/src/check");
    let mut named = 0;
    for entry in fs::read_dir(sources).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for made in text.split("Finding::").skip(1) {
            let Some((_, rule)) = made.split_once("(\"").filter(|(how, _)| how.len() < 9) else {
                continue;
            };
            let rule = rule.split('"').next().unwrap();
            assert!(rules.contains(&rule), "check --list does not explain {rule}");
            named += 1;
        }
    }
    assert!(named > 10, "where are the findings made?");
}

#[test]
fn all_findings_come_at_once() {
    let repository = Repository::new(&[
        ("a/pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n[tool.xtask]\nx = 1\n"),
        (
            "b/pyproject.toml",
            "[project]\nname = \"b\"\nversion = \"1\"\ndependencies = [\"c>=1\"]\n",
        ),
        (
            "c/pyproject.toml",
            "[project]\nname = \"c\"\nversion = \"1\"\ndependencies = [\"b>=2\"]\n",
        ),
        ("d/pyproject.toml", "[project]\nname = \"c\"\nversion = \"1\"\n"),
    ]);
    let found: Vec<String> = rules_found(&repository).into_iter().map(|(rule, _)| rule).collect();
    for rule in ["config", "cycle", "duplicate-name", "stale-range"] {
        assert!(found.iter().any(|found| found == rule), "{rule} is not in {found:?}");
    }
}

/// A range would be moved and a file removed, and one cannot be made: a folder is in its place.
#[test]
fn all_is_mended_or_nothing() {
    let manifest = |name: &str, more: &str| {
        format!("[project]\nname = \"{name}\"\nversion = \"1.2.0\"\n{more}")
    };
    let repository = Repository::new(&[
        ("a/pyproject.toml", &manifest("a", "dependencies = [\"b>=2,<3\"]\n")),
        ("a/src/ns/a/__init__.py", ""),
        ("a/src/ns/__init__.py", ""),
        ("b/pyproject.toml", &manifest("b", "classifiers = [\"Typing :: Typed\"]\n")),
        ("b/src/ns/b/__init__.py", ""),
        ("b/src/ns/b/py.typed/in-the-way", ""),
    ]);
    let before = repository.tree();
    let said = repository.xtask("check --fix").ended(1);
    assert!(said.err.contains("py.typed is there already; nothing was written"), "{}", said.err);
    assert!(!said.err.contains("mended:"), "{}", said.err);
    assert_eq!(repository.tree(), before);

    std::fs::remove_dir_all(repository.path("b/src/ns/b/py.typed")).unwrap();
    let said = repository.xtask("check --fix");
    assert_eq!(said.err.matches("mended:").count(), 3, "{}", said.err);
}

#[test]
fn this_repository_has_nothing_wrong() {
    let said = Repository::at_home().xtask("check").ended(0);
    assert_eq!(said.out, "nothing found\n", "{}", said.err);
}

#[test]
fn the_list_explains_every_rule_in_80_columns() {
    let said = Repository::new(&[]).xtask("check --list").ended(0);
    assert!(said.out.contains("stale-range  (--fix)\n    A range on a sibling"), "{}", said.out);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn in_github_actions_a_finding_is_an_annotation() {
    let repository = Repository::new(&[(
        "a/pyproject.toml",
        "[project]\nname = \"a\"\nversion = \"1\"\n[tool.xtask]\nx = 1\n",
    )]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("--root").arg(&repository.0).arg("check").env("GITHUB_ACTIONS", "true");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let annotation =
        "::error file=a/pyproject.toml,line=5::`tool.xtask.x` is not a key of this tool";
    assert!(said.lines().any(|line| line == annotation), "{said}");
}
