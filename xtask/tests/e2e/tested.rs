//! `release --until staged`, then `release --tested`: the step that publishes builds nothing, runs
//! nothing of what it publishes, and takes only the bytes that were tested.

use std::fs;

use crate::indexes::Indexes;
use crate::support::Repo;

const STAGING: (&str, &str) = ("TESTPYPI_TOKEN", "canary-of-staging");
const INDEX: (&str, &str) = ("PYPI_TOKEN", "canary-of-the-index");

/// A build back end and a module that leave a trace wherever they run.
fn traced() -> (Repo, Indexes) {
    let manifest = "packages/core/pyproject.toml";
    let repo = Repo::new().package("core", "2.3.0").commit();
    let trace = format!("open('{}', 'w').close()\n", repo.path("TRACE").display());
    let repo = repo
        .file(".gitignore", "TRACE\n")
        .file("packages/core/traced.py", &format!("from flit_core.buildapi import *\n{trace}"))
        .append(manifest, "[tool.flit.sdist]\ninclude = [\"traced.py\"]\n")
        .file("packages/core/src/core/__init__.py", &format!("\"\"\"A fixture.\"\"\"\n{trace}"));
    repo.edit(manifest, "\"flit_core.buildapi\"", "\"traced\"\nbackend-path = [\".\"]");
    let repo = repo.commit();
    let indexes = Indexes::with_passwords(&repo, STAGING.1, INDEX.1);
    (repo, indexes)
}

#[test]
fn what_was_tested_is_published_without_a_build() {
    let (repo, indexes) = traced();
    let staged = repo.xtask_with("release all --until staged --yes", &[STAGING]).ok();
    staged.stage("core 2.3.0", "smoke", "done");
    assert_eq!(indexes.index.files(), [""; 0]);
    fs::remove_file(repo.path("TRACE")).unwrap();
    let ledger = repo.ledger("core-2.3.0");

    let tested = repo.xtask_with("release all --tested --yes --json", &[INDEX]).ok();
    let json = tested.json();
    let stages = json["packages"][0]["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(names, ["build", "publish", "tag"], "{tested}");
    assert_eq!(stages[0]["status"], "skipped", "{tested}");
    assert_eq!(json["packages"][0]["files"], ledger["files"]);
    assert!(tested.stderr.contains(ledger["files"][0]["sha256"].as_str().unwrap()), "{tested}");
    assert!(!repo.path("TRACE").exists(), "code of the distribution was run");
    assert_eq!(indexes.index.files(), ["core-2.3.0-py3-none-any.whl", "core-2.3.0.tar.gz"]);
    assert_eq!(repo.remote_tags().len(), 1);
    repo.xtask_with("release all --tested --yes", &[INDEX]).ok();
}

#[test]
fn nothing_else_is_published() {
    let (repo, indexes) = traced();
    let refused = |title: &str| {
        repo.xtask_with("release all --tested --yes", &[INDEX]).refused(1).shows(title);
        assert_eq!(indexes.index.files(), [""; 0], "{title}");
    };
    refused("files that nobody has tested");
    repo.xtask_with("release all --until staged --yes", &[STAGING]).ok();

    let receipt = repo.read("dist/receipt.json");
    repo.write("dist/receipt.json", &receipt.replace("\"smoke\"", "\"try\""));
    refused("a receipt without a smoke test");
    repo.write("dist/receipt.json", &receipt[..100]);
    refused("half a receipt");
    repo.write("dist/receipt.json", &receipt);

    let wheel = repo.path("dist/core-2.3.0/core-2.3.0-py3-none-any.whl");
    let bytes = fs::read(&wheel).unwrap();
    fs::write(&wheel, [&bytes[..], b"x"].concat()).unwrap();
    refused("a file that was changed after its test");
    let (ledger, size) = (repo.read("dist/core-2.3.0/release.json"), bytes.len());
    let sha256 = crate::support::sha256;
    let changed = ledger
        .replace(&sha256(&bytes), &sha256(&fs::read(&wheel).unwrap()))
        .replace(&format!("\"size\": {size}"), &format!("\"size\": {}", size + 1));
    assert_ne!(changed, ledger);
    repo.write("dist/core-2.3.0/release.json", &changed);
    refused("a file that was changed with its ledger");
    repo.write("dist/core-2.3.0/release.json", &ledger);
    fs::write(&wheel, bytes).unwrap();

    repo.write("README.md", "later\n");
    repo.record("docs: later");
    repo.git("push --quiet origin main");
    refused("a receipt of another commit");
}
