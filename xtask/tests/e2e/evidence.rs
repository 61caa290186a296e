//! What users will get: releases on top of a published past.

use crate::indexes::Indexes;
use crate::support::Repo;

const CORE: &str = "packages/core/src/core/__init__.py";
const MANIFEST: &str = "packages/core/pyproject.toml";
const APP: &str = "packages/app/src/app/__init__.py";

fn core_and_app(repo: Repo, used: &str) -> Repo {
    repo.package("core", "1.0.0")
        .package("app", "1.0.0: core>=1.0.0,<2")
        .file(CORE, "\"\"\"Core.\"\"\"\n\n\ndef old(path): pass\n")
        .file(APP, &format!("\"\"\"App.\"\"\"\nimport core\n\n\n{used}"))
        .commit()
}

/// Core drops a function that the published scheduler uses when it runs, not when it is imported.
/// Then it renames an argument, and then it keeps both.
#[test]
fn a_published_sibling_that_would_break_stops_the_release() {
    let repo = core_and_app(Repo::new(), "def run():\n    core.old(path=1)\n");
    let indexes = Indexes::open(&repo);
    repo.xtask("release all --yes").ok();

    let release = |version: &str, before: &str, code: &str| {
        repo.edit(MANIFEST, before, version);
        repo.write(CORE, &format!("\"\"\"Core.\"\"\"\n\n\n{code}"));
        repo.record("changed");
        repo.xtask("release core --yes --json")
    };
    let run = release("1.0.1", "1.0.0", "def new(path): pass\n").refused(1);
    run.says("published `app` 1.0.0 admits `core` 1.0.1")
        .says("`core.old` is missing (app/__init__.py:6)")
        .says("cargo xtask bump core 2.0.0");
    let run = release("1.0.1", "1.0.1", "def old(file): pass\n").refused(1);
    run.says("`core.old()` has no argument `path`");
    assert!(!indexes.index.files().contains(&"core-1.0.1.tar.gz".to_owned()));

    // Nothing is said about a version that no range admits, nor about an addition.
    let json =
        release("1.0.1", "1.0.1", "def old(path, more=1): pass\ndef _x(): pass\n").ok().json();
    let evidence = json["packages"][0]["evidence"].as_array().unwrap();
    assert!(evidence.iter().all(|one| one["level"] == "note"), "{evidence:?}");
    assert!(evidence.iter().any(|one| one["text"] == "published `app` 1.0.0 works with it"));
    let json = release("2.0.0", "1.0.1", "").ok().json();
    let evidence = json["packages"][0]["evidence"].as_array().unwrap();
    let shown: Vec<String> =
        evidence.iter().map(|one| format!("{} {}", one["kind"], one["level"])).collect();
    assert_eq!(shown, ["\"difference\" \"note\"", "\"api\" \"note\""]);
}

/// The scheduler uses a function that core has since 1.1.
#[test]
fn a_lower_bound_that_is_untrue_stops_the_release() {
    let repo = core_and_app(Repo::new(), "def run():\n    core.old(path=1)\n");
    let indexes = Indexes::open(&repo);
    repo.xtask("release all --yes").ok();
    repo.edit(MANIFEST, "1.0.0", "1.1.0");
    repo.write(CORE, "\"\"\"Core.\"\"\"\n\n\ndef old(path): pass\ndef new(): pass\n");
    repo.record("core");
    repo.write(APP, "\"\"\"App.\"\"\"\nimport core\n\n\ndef run():\n    core.new()\n");
    repo.edit("packages/app/pyproject.toml", "version = \"1.0.0\"", "version = \"1.0.1\"");
    repo.record("app");
    let run = repo.xtask("release all --yes").refused(1);
    run.says("app 1.0.1: admits `core` 1.0.0").says("require `core>=1.1.0`");
    assert_eq!(indexes.index.files().len(), 4);
    repo.edit("packages/app/pyproject.toml", "core>=1.0.0", "core>=1.1.0");
    repo.record("bound");
    repo.xtask("release all --yes").ok();
}
