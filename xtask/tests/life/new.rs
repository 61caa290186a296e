//! `new`: what it makes takes its place at once, and what it refuses leaves nothing behind.

use std::fs;

use serde_json::Value;

use crate::captured::{seen, typed};
use crate::documents::a_rehearsal_is_shown;
use crate::repository::Repository;

/// One distribution of `status --json`.
fn status(repository: &Repository, name: &str) -> Value {
    let said = repository.xtask("status --json").ended(0);
    let status: Value = serde_json::from_str(&said.out).unwrap();
    let packages = status["packages"].as_array().unwrap().clone();
    packages.into_iter().find(|package| package["name"] == name).unwrap()
}

#[test]
fn every_template_is_in_the_graph_in_line_and_bumped() {
    for template in ["library", "cli", "meta"] {
        let repository = Repository::of_a_namespace();
        repository.write(
            "pyproject-templates/shared.toml",
            "[project]\nlicense = \"MIT\"\n[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n",
        );
        repository.write("pyproject-templates/shared/LICENSE", "Do what you want.\n");
        repository.xtask(&format!("new ns-http --template {template}")).ended(0);
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
        repository.commit();
        repository.xtask("bump ns-http minor").ended(0);
        assert_eq!(status(&repository, "ns-http")["version"], "0.2.0");
    }
}

#[test]
fn what_it_needs_gets_a_range() {
    let repository = Repository::of_a_namespace();
    repository.xtask("new ns-http --needs core,app").ended(0);
    let manifest = repository.read("packages/ns-http/pyproject.toml");
    assert!(
        manifest.contains(
            "dependencies = [\n    \"ns-core>=1.2.0,<2.0.0\",\n    \"ns-app>=1.2.0,<2.0.0\",\n]\n"
        ),
        "{manifest}"
    );
}

#[track_caller]
fn refused(repository: &Repository, arguments: &str, message: &str) {
    let before = repository.tree();
    let said = repository.xtask(arguments).ended(1);
    assert!(said.err.contains(message), "{}", said.err);
    assert!(said.err.contains("hint: "), "{}", said.err);
    assert_eq!(repository.tree(), before);
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let repository = Repository::of_a_namespace();
    refused(&repository, "new a..", "`a..` is not a name that PEP 508 allows");
    refused(&repository, "new NS_Core", "NS_Core is the name of a distribution here already");
    refused(&repository, "new ns-x --template libary", "there is no template `libary`");
    refused(&repository, "new ns-x --needs nothing", "no distribution is called `nothing`");
    repository.write("packages/ns-x/notes.txt", "mine");
    let said = repository.xtask("new ns-x").ended(1);
    assert!(
        said.err.contains("packages/ns-x is there already; nothing was written"),
        "{}",
        said.err
    );
    repository.write("pyproject-templates/own/pyproject.toml", "[project]\nname = \"{{nmae}}\"\n");
    refused(
        &repository,
        "new ns-y --template own",
        "pyproject-templates/own/pyproject.toml:2: `{{nmae}}` is not a placeholder of this tool",
    );
}

#[test]
fn a_folder_of_ones_own_is_a_template() {
    let repository = Repository::of_a_namespace();
    repository.write(
        "pyproject-templates/own/pyproject.toml",
        "[project]\nname = \"{{name}}\"\nversion = \"0.1\"\n",
    );
    repository.xtask("new other --template own").ended(0);
    assert_eq!(
        repository.read("packages/other/pyproject.toml"),
        "[project]\nname = \"other\"\nversion = \"0.1\"\n"
    );
}

#[test]
fn a_repository_that_lists_its_packages_lists_the_new_one() {
    let repository = Repository::new(&[
        ("Cargo.toml", "[workspace.metadata.xtask]\npackages = [\n    \"a\", # first\n]\n"),
        ("a/pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n"),
    ]);
    let said = repository.xtask("new b").ended(0);
    assert!(said.err.contains("hint: git add b Cargo.toml, commit, then"), "{}", said.err);
    assert_eq!(
        repository.read("Cargo.toml"),
        "[workspace.metadata.xtask]\npackages = [\n    \"a\", # first\n    \"b\",\n]\n"
    );
    assert_eq!(status(&repository, "b")["path"], "b");
}

#[test]
fn without_any_configuration_it_goes_beside_the_others() {
    let repository = Repository::new(&[
        ("libs/a/setup.cfg", "[metadata]\nname = a\nversion = 1\n"),
        ("libs/b/pyproject.toml", "[project]\nname = \"b\"\nversion = \"1\"\n"),
        ("tools/c/pyproject.toml", "[project]\nname = \"c\"\nversion = \"1\"\n"),
    ]);
    repository.commit();
    repository.xtask("new d").ended(0);
    assert_eq!(status(&repository, "d")["path"], "libs/d");
}

/// Everything that a distribution goes through, with nothing done to it by hand, in a copy of this
/// repository. The rehearsal is the one that the README shows, with three more.
#[test]
fn what_is_made_builds_passes_its_tests_and_is_rehearsed() {
    let repository = Repository::copied_from_home();
    // The tests of those that are there already are run by `cargo xtask test` itself.
    for entry in fs::read_dir(repository.path("packages")).unwrap() {
        let _ = fs::remove_dir_all(entry.unwrap().path().join("tests"));
    }
    let made = ["aetherflow-lib", "aetherflow-tool", "aetherflow-all"];
    repository.xtask("new aetherflow-lib --needs core").ended(0);
    repository.xtask("new aetherflow-tool --template cli").ended(0);
    repository.xtask("new aetherflow-all --template meta").ended(0);
    repository.commit();
    let said = repository.xtask("check").ended(0);
    assert_eq!(said.out, "nothing found\n", "{}", said.err);
    repository.xtask("sync --check").ended(0);
    repository.xtask("bump aetherflow-lib minor").ended(0);
    repository.commit();
    let said = repository.xtask("test --python").ended(0);
    assert_eq!(said.out.matches(" passed").count(), 3, "{}", said.out);

    let said = seen(typed(&repository, "release all --rehearse --notes"));
    assert!(said.contains("Rehearsed: published to pypi"), "{said}");
    let (said, notes) = said.split_once("## ").unwrap();
    assert!(
        notes.contains("## aetherflow-lib 0.2.0\n\n### Added\n\n- The first version.\n"),
        "{notes}"
    );
    a_rehearsal_is_shown(said, &made);
}
