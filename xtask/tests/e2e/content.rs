//! What is wrong with built archives is found before any of them is sent.

use crate::support::{Indexes, Repo};

#[test]
fn archives_that_do_not_fit_together_are_all_named_and_none_is_sent() {
    let module = |name: &str| format!("[tool.flit.module]\nname = \"{name}\"\n");
    let repo = Repo::new()
        // Both install common.py.
        .package("first", "1.0.0")
        .append("packages/first/pyproject.toml", &module("common"))
        .file("packages/first/src/common.py", "\"\"\"A fixture.\"\"\"\n")
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
    run.advises(
        "release stopped: what was built is not fit to be uploaded",
        "then run the same command again",
    )
    .says("first and second both install common.py")
    .says("host ships ns/__init__.py, but guest installs into ns/ too")
    .says("guest-1.0.0-py3-none-any.whl: `first>=2` does not admit first 1.0.0")
    .says("guest-1.0.0.tar.gz: `first>=2` does not admit first 1.0.0")
    .has_line(&["long_description", "syntax errors"])
    .has_line(&["  published: nothing"]);
    indexes.have_nothing();
    assert_eq!(repo.remote_tags(), []);

    // One of them alone is no better.
    let run = repo.xtask("release first --yes").refused(1);
    run.says("first and second both install common.py");
    indexes.have_nothing();
}
