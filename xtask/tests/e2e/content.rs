//! What is wrong with built archives is found before any of them is sent.

use crate::indexes::Indexes;
use crate::support::Repo;

#[test]
fn conflicting_archives_are_all_reported_and_none_is_uploaded() {
    let module = |name: &str| format!("[tool.flit.module]\nname = \"{name}\"\n");
    let repo = Repo::new()
        // Both install common.py.
        .package("first", "1.0.0")
        .append("packages/first/pyproject.toml", &module("common"))
        .file("packages/first/src/common.py", "\"\"\"Another fixture.\"\"\"\n")
        .package("second", "1.0.0")
        .append("packages/second/pyproject.toml", &module("common"))
        .file("packages/second/src/common.py", "\"\"\"A fixture.\"\"\"\n")
        // Makes a package of the folder that a sibling installs into.
        .package("host", "1.0.0")
        .append("packages/host/pyproject.toml", &module("ns"))
        .file("packages/host/src/ns/__init__.py", "")
        .package("guest", "1.0.0: first>=2")
        .append("packages/guest/pyproject.toml", &module("ns.guest"))
        .file("packages/guest/src/ns/guest/__init__.py", "")
        .file("packages/guest/README.rst", "Title\n===\n\n.. nonsense::\n")
        .commit();
    repo.edit("packages/guest/pyproject.toml", "README.md", "README.rst");
    repo.record("a README that does not render");
    let indexes = Indexes::open(&repo);

    let run = repo.xtask("release all --yes").refused(1);
    run.shows("archives that conflict")
        .has_line(&["long_description", "syntax errors"])
        .published("nothing");
    indexes.have_nothing();
    assert_eq!(repo.remote_tags(), []);

    // One of them alone is no better.
    let run = repo.xtask("release first --yes").refused(1);
    run.shows("one of the archives that conflict");
    indexes.have_nothing();
}
