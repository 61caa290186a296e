//! Which distributions there are, and what makes a repository unreadable.

use serde_json::{Value, json};

use crate::support::Repo;

fn manifest(name: &str, rest: &str) -> String {
    format!("[project]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}")
}

#[test]
fn without_configuration_every_distribution_is_found_and_nothing_else() {
    let repo = Repo::new()
        .file("pyproject.toml", &manifest("whole", "dependencies = [\"Deep_Down\"]\n"))
        .file("libs/far/away/pyproject.toml", &manifest("deep.down", ""))
        .file("libs/tooling/pyproject.toml", "[tool.ruff]\nline-length = 100\n")
        .file("tests/fixtures/broken/pyproject.toml", "[project]\nname = \n")
        .file(".hidden/pyproject.toml", &manifest("hidden", ""))
        .file("libs/build/pyproject.toml", &manifest("built", ""))
        .file("env-of-mine/pyvenv.cfg", "")
        .file("env-of-mine/pyproject.toml", &manifest("installed", ""))
        .file("ignored/pyproject.toml", &manifest("ignored", ""))
        .file(".gitignore", "/ignored/\n/libs/build/\n")
        .file("libs/dist/pyproject.toml", &manifest("tracked", ""))
        .commit();
    let run = repo.xtask("status --json").ok();
    assert_eq!(names(&run.json()), ["deep.down", "tracked", "whole"]);
    let run = repo.xtask("status").ok();
    run.shows("a manifest that is not valid");
}

#[test]
fn tracked_distributions_are_found_even_if_ignored() {
    let repo = Repo::new()
        .file("kept/pyproject.toml", &manifest("kept", ""))
        .file("local/pyproject.toml", &manifest("local", ""))
        .file(".gitignore", "/kept/\n/local/\n")
        .commit();
    assert!(names(&repo.xtask("status --json").ok().json()).is_empty());
    repo.git("add --force kept");
    assert_eq!(names(&repo.xtask("status --json").ok().json()), ["kept"]);
}

#[test]
fn excluded_projects_conflict_with_nothing_and_are_listed_apart() {
    let repo = Repo::new()
        .package("core", "1.0")
        .file("examples/a/pyproject.toml", &manifest("demo", ""))
        .file("examples/b/pyproject.toml", &manifest("demo", ""))
        .commit();
    assert_eq!(names(&repo.xtask("status --json").ok().json()), ["core"]);
    let listed = repo.xtask("status --json --all").ok().json();
    let excluded = listed["excluded"].as_array().unwrap();
    let paths: Vec<&Value> = excluded.iter().map(|project| &project["path"]).collect();
    assert_eq!(paths, ["examples/a", "examples/b"]);
}

#[test]
fn a_manifest_that_does_not_parse_stops_everything_but_an_example_does_not() {
    let repo = Repo::new()
        .package("core", "1.0")
        .file("examples/broken/pyproject.toml", "<<<<<<< HEAD\n")
        .commit();
    repo.xtask("release all --rehearse --dry-run").ok();
    repo.write("more/pyproject.toml", "<<<<<<< HEAD\n");
    repo.record("broken");
    let run = repo.xtask("release all --rehearse --dry-run").exits(1);
    assert!(run.stderr.contains("more/pyproject.toml:1: not valid TOML"), "{}", run.stderr);
}

fn names(answer: &Value) -> Vec<&str> {
    let packages = answer["packages"].as_array().unwrap();
    packages.iter().map(|package| package["name"].as_str().unwrap()).collect()
}

#[test]
fn only_configured_folders_are_searched() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .file("examples/demo/pyproject.toml", &manifest("demo", ""))
        .file("Cargo.toml", "[workspace.metadata.xtask]\npackages = [\"packages/*\"]\n")
        .commit();
    assert_eq!(names(&repo.xtask("status --json").ok().json()), ["core"]);
    repo.edit("Cargo.toml", "packages/*", "pakcages/*");
    repo.xtask("status").exits(1).shows("a pattern without a manifest");
}

#[test]
fn status_lists_versions_tags_and_changes_in_release_order() {
    let repo = Repo::new()
        .package("app", "2.3.0: core>=2.3")
        .package("core", "2.3.0")
        .append("packages/app/pyproject.toml", "[tool.xtask]\ntag = \"v{version}\"\n")
        .commit();
    repo.git("tag v2.2.0");
    repo.git("tag -a -m core core-v2.3.0");
    repo.write("packages/app/more.txt", "");
    repo.record("app alone");
    let root = repo.path("").canonicalize().unwrap();
    let root = root.to_string_lossy();
    let line = format!("status --json --root {root}");
    assert_eq!(
        repo.xtask(&line).ok().json(),
        json!({ "root": root, "packages": [
            {
                "name": "core", "path": "packages/core", "version": "2.3.0",
                "version_source": "packages/core/pyproject.toml:7", "tag": "core-v2.3.0",
                "last_tag": "core-v2.3.0", "tagged": true, "changed": 0, "level": 0,
                "depends_on": [],
            },
            {
                "name": "app", "path": "packages/app", "version": "2.3.0",
                "version_source": "packages/app/pyproject.toml:7", "tag": "v2.3.0",
                "last_tag": "v2.2.0", "tagged": false, "changed": 1, "level": 1,
                "depends_on": ["core"],
            },
        ]})
    );
    let table = repo.xtask("status").ok().stdout;
    let rows: Vec<Vec<&str>> =
        table.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    let cells = |row: &[&'static str]| row.to_vec();
    let rows: Vec<Vec<&str>> = rows
        .into_iter()
        .map(|row| row.into_iter().filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(rows[1][..3], cells(&["core", "2.3.0", "core-v2.3.0"]));
    assert_eq!(rows[2][..3], cells(&["app", "2.3.0", "v2.2.0"]));
    assert!(rows[2][3].starts_with("1 commit, ") && rows[2][4] == "core", "{rows:?}");
}

#[test]
fn a_cycle_is_refused_with_its_whole_path() {
    let repo = Repo::new()
        .package("one", "1.0: two")
        .package("two", "1.0: three")
        .package("three", "1.0: one")
        .commit();
    for command in ["status", "graph", "release all --rehearse"] {
        repo.xtask(command).refused(1).shows("a cycle");
    }
}

#[test]
fn a_cycle_through_an_extra_is_allowed() {
    let repo = Repo::new()
        .package("core", "1.0")
        .append(
            "packages/core/pyproject.toml",
            "[project.optional-dependencies]\nall = [\"plug\"]\n",
        )
        .package("plug", "1.0: core")
        .commit();
    assert_eq!(names(&repo.xtask("status --json").ok().json()), ["core", "plug"]);
}

#[test]
fn configuration_errors_name_file_line_and_key() {
    let repo = Repo::new()
        .package("core", "1.0")
        .append("packages/core/pyproject.toml", "\n[tool.xtask]\nsmok = {}\n")
        .package("sched", "1.0")
        .append("packages/sched/pyproject.toml", "\n[tool.xtask.smoke]\nimports = \"sched\"\n")
        .commit();
    repo.xtask("status").refused(1).shows("unknown keys of distributions");
    repo.write("Cargo.toml", "[workspace.metadata.xtask]\nbranch = [\"main\"]\n");
    repo.xtask("status").refused(1).shows("an unknown key of the repository");
}

#[test]
fn a_name_that_two_bear_stops_nothing_but_its_own_release() {
    let repo = Repo::new()
        .package("app", "1.0")
        .file("a/pyproject.toml", &manifest("My-Core", ""))
        .file("b/pyproject.toml", &manifest("my_core", ""))
        .commit();
    let status = repo.xtask("status --json").ok();
    assert_eq!(names(&status.json()), ["app"]);
    repo.xtask("bump app minor --dry-run").ok();
    repo.xtask("release all --rehearse --dry-run").ok();
    repo.xtask("status").ok().shows("a duplicate name");
    repo.xtask("release my-core --rehearse").refused(2).shows("a release of a duplicate name");
    repo.xtask("bump b 1.1 --dry-run").ok();
}

#[test]
fn ambiguous_tags_are_refused() {
    let tag = |tag: &str| format!("[tool.xtask]\ntag = \"{tag}\"\n");
    let repo = Repo::new()
        .package("core", "2.3.0")
        .append("packages/core/pyproject.toml", &tag("v{version}"))
        .package("meta", "2.3.0")
        .append("packages/meta/pyproject.toml", &tag("v{version}"))
        .commit();
    repo.xtask("release all --rehearse").refused(1).shows("ambiguous tags");
}

/// The distribution whose tag was configured is the one to change, not the one with the default.
#[test]
fn a_configured_tag_that_collides_with_a_default_one_is_reported() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .append("packages/core/pyproject.toml", "[tool.xtask]\ntag = \"runner-v{version}\"\n")
        .package("runner", "1.5.0")
        .commit();
    repo.xtask("status").refused(1).shows("a configured tag that collides with a default one");
}

#[test]
fn unknown_keys_and_wrong_types_are_reported_together() {
    let config = "[workspace.metadata.xtask]\nremote = 3\nbranch = [\"main\"]\n";
    let repo = Repo::new().package("core", "2.3.0").file("Cargo.toml", config).commit();
    let run = repo.xtask("status").exits(1);
    run.shows("unknown keys and wrong types");
}
