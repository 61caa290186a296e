//! `new`: what it makes takes its place at once, and what it refuses leaves nothing behind.

use std::fs;

use serde_json::Value;

use crate::documents::a_rehearsal_is_shown;
use crate::support::Repo;

/// One distribution of `status --json`.
fn status(repository: &Repo, name: &str) -> Value {
    let said = repository.xtask("status --json").exits(0);
    let status: Value = serde_json::from_str(&said.stdout).unwrap();
    let packages = status["packages"].as_array().unwrap().clone();
    packages.into_iter().find(|package| package["name"] == name).unwrap()
}

#[test]
fn every_template_is_in_the_graph_in_line_and_bumped() {
    for template in ["library", "cli", "meta"] {
        let repository = Repo::of_a_namespace();
        repository.write(
            "pyproject-templates/shared.toml",
            "[project]\nlicense = \"MIT\"\n[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n",
        );
        repository.write("pyproject-templates/shared/LICENSE", "Do what you want.\n");
        repository.xtask(&format!("new ns-http --template {template}")).exits(0);
        let manifest = repository.read("packages/ns-http/pyproject.toml");
        assert!(manifest.contains("license = \"MIT\"\n"), "{manifest}");
        assert_eq!(repository.read("packages/ns-http/LICENSE"), "Do what you want.\n");
        assert!(!repository.tree().iter().any(|(path, text)| {
            path.starts_with("packages/") && (path.contains("{{") || text.contains("{{"))
        }));

        let package = status(&repository, "ns-http");
        assert_eq!(package["tag"], "http-v0.1.0");
        let needs = if template == "meta" { vec!["ns-app"] } else { Vec::new() };
        assert_eq!(package["depends_on"], serde_json::json!(needs));
        let module = repository.path("packages/ns-http/src/ns/http/__init__.py");
        assert_eq!(module.exists(), template != "meta");
        assert!(!repository.path("packages/ns-http/src/ns/__init__.py").exists());
        repository.record("state");
        repository.xtask("bump ns-http minor").exits(0);
        assert_eq!(status(&repository, "ns-http")["version"], "0.2.0");
    }
}

#[test]
fn new_needs_get_a_range() {
    let repository = Repo::of_a_namespace();
    repository.xtask("new ns-http --needs core,app").exits(0);
    let manifest = repository.read("packages/ns-http/pyproject.toml");
    assert!(
        manifest.contains(
            "dependencies = [\n    \"ns-core>=1.2.0,<2.0.0\",\n    \"ns-app>=1.2.0,<2.0.0\",\n]\n"
        ),
        "{manifest}"
    );
}

#[track_caller]
fn refused(repository: &Repo, arguments: &str, title: &str) {
    let before = repository.tree();
    // A name that nothing has is wrong usage.
    let code = if arguments.contains("--needs") { 2 } else { 1 };
    repository.xtask(arguments).refused(code).shows(title);
    assert_eq!(repository.tree(), before);
}

#[test]
fn a_refused_new_writes_nothing() {
    let repository = Repo::of_a_namespace();
    refused(&repository, "new a..", "an invalid name");
    refused(&repository, "new NS_Core", "a name that is in use");
    refused(&repository, "new ns-class", "a keyword of Python");
    refused(&repository, "new json", "a module of the standard library");
    refused(&repository, "new ns-x --template libary", "an unknown template");
    refused(&repository, "new ns-x --needs nothing", "an unknown requirement");
    repository.write("packages/ns-x/notes.txt", "mine");
    repository.xtask("new ns-x").exits(1).shows("a folder that exists");
    repository.write("pyproject-templates/own/pyproject.toml", "[project]\nname = \"{{nmae}}\"\n");
    refused(&repository, "new ns-y --template own", "an unknown placeholder");
}

#[test]
fn a_custom_folder_is_a_template() {
    let repository = Repo::of_a_namespace();
    repository.write(
        "pyproject-templates/own/pyproject.toml",
        "[project]\nname = \"{{name}}\"\nversion = \"0.1\"\n",
    );
    repository.xtask("new other --template own").exits(0);
    assert_eq!(
        repository.read("packages/other/pyproject.toml"),
        "[project]\nname = \"other\"\nversion = \"0.1\"\n"
    );
}

#[test]
fn a_repository_that_lists_its_packages_lists_the_new_one() {
    let repository = Repo::of::<&str>(&[
        ("Cargo.toml", "[workspace.metadata.xtask]\npackages = [\n    \"a\", # first\n]\n"),
        ("a/pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n"),
    ]);
    let said = repository.xtask("new b").exits(0);
    said.shows("the first steps of a new distribution");
    assert_eq!(
        repository.read("Cargo.toml"),
        "[workspace.metadata.xtask]\npackages = [\n    \"a\", # first\n    \"b\",\n]\n"
    );
    assert_eq!(status(&repository, "b")["path"], "b");
}

#[test]
fn without_any_configuration_it_goes_beside_the_others() {
    let repository = Repo::of::<&str>(&[
        ("libs/a/setup.cfg", "[metadata]\nname = a\nversion = 1\n"),
        ("libs/b/pyproject.toml", "[project]\nname = \"b\"\nversion = \"1\"\n"),
        ("tools/c/pyproject.toml", "[project]\nname = \"c\"\nversion = \"1\"\n"),
    ]);
    repository.record("state");
    repository.xtask("new d").exits(0);
    assert_eq!(status(&repository, "d")["path"], "libs/d");
}

/// Everything that a distribution goes through, with nothing done to it by hand, in a copy of this
/// repository. The rehearsal is the one that the README shows, with three more.
#[test]
fn new_distributions_build_pass_their_tests_and_are_rehearsed() {
    let repository = Repo::copy_of_here();
    // The tests of those that are there already are run by `cargo xtask test` itself.
    for entry in fs::read_dir(repository.path("packages")).unwrap() {
        let _ = fs::remove_dir_all(entry.unwrap().path().join("tests"));
    }
    let made = ["aetherflow-lib", "aetherflow-tool", "aetherflow-all"];
    repository.xtask("new aetherflow-lib --needs core").exits(0);
    repository.xtask("new aetherflow-tool --template cli").exits(0);
    repository.xtask("new aetherflow-all --template meta").exits(0);
    repository.record("state");
    let said = repository.xtask("check").exits(0);
    assert_eq!(said.stdout.lines().count(), 1, "{said}");
    repository.xtask("sync --check").exits(0);
    repository.xtask("bump aetherflow-lib minor").exits(0);
    repository.record("state");
    let said = repository.xtask("test --python").exits(0);
    assert_eq!(said.stdout.matches(" passed").count(), 3, "{}", said.stdout);

    let said = repository.prints("cargo xtask release all --rehearse --notes");
    let (said, notes) = said.split_once("## ").unwrap();
    assert!(
        notes.contains("## aetherflow-lib 0.2.0\n\n### Added\n\n- The first version.\n"),
        "{notes}"
    );
    a_rehearsal_is_shown(said, &made);
}
