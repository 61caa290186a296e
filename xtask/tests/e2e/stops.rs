//! Every failure on the way of a release says what is published, what is not, and what to type next.
//! Stops by an index are in `faults`.

use crate::indexes::Stubs;
use crate::support::{Repo, Run};

const COMMAND: &str = "release all --yes --jobs 1";
const MANIFEST: &str = "packages/core/pyproject.toml";

#[track_caller]
fn stops(run: Run, title: &str) -> Run {
    let run = run.refused(1).shows(title).published("nothing").unpublished("core 2.3.0");
    run.has_line(&["hint: ", "docs/when-a-release-stops.md)"])
}

/// The same distribution with one thing wrong after the other; the index never hears of it.
#[test]
fn failures_before_uploading_publish_nothing_and_name_the_next_step() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);

    repo.edit(MANIFEST, "README.md", "NOWHERE.md");
    repo.record("a build that fails");
    stops(repo.xtask(COMMAND), "a build that fails").says("NOWHERE");
    assert!(!repo.path("dist/core-2.3.0/release.json").exists());

    repo.edit(MANIFEST, "NOWHERE.md", "README.md");
    repo.write(
        "packages/core/src/core/__init__.py",
        "\"\"\"A fixture.\"\"\"\n__version__ = '2.2'\n",
    );
    let slow = "import time; print('still here', flush=True); time.sleep(60)";
    let smoke = |rest: &str| format!("\n[tool.xtask.smoke]\ntimeout = 1\n{rest}");
    let good = repo.read(MANIFEST);
    let commands = format!("commands = [[\"python\", \"-c\", {slow:?}], [\"nothing\"]]\n");
    repo.write(MANIFEST, &(good.clone() + &smoke(&commands)));
    repo.record("a first test that fails");
    let run = stops(repo.xtask(COMMAND), "a smoke test of the built files that fails");
    run.stage("core 2.3.0", "try", "failed")
        .has_line(&["core.__version__", "2.2", "2.3.0"])
        .has_line(&[" 1 s"])
        .has_line(&["`nothing`"])
        .says("still here");
    assert_eq!((stubs.staging.uploads(), stubs.index.uploads()), (vec![], vec![]));

    // It passes when it is tried, on both interpreters, and fails on what staging serves.
    repo.write("packages/core/src/core/__init__.py", "\"\"\"A fixture.\"\"\"\n");
    let counted = format!(
        "import pathlib, sys; p = pathlib.Path({:?}); p.open('a').write('x'); \
         sys.exit(len(p.read_text()) > 2)",
        repo.beside("count").to_string_lossy()
    );
    let rest = format!(
        "pythons = [\"python3\", \"python3\"]\ncommands = [[\"python\", \"-c\", {counted:?}]]\n"
    );
    repo.write(MANIFEST, &(good + &smoke(&rest).replace("timeout = 1", "timeout = 20")));
    repo.record("a second test that fails");
    let run = stops(repo.xtask(COMMAND), "a smoke test of the staged files that fails");
    run.has_line(&["core 2.3.0", " try ", "done", " 6 "]).stage("core 2.3.0", "smoke", "failed");
    assert_eq!((stubs.staging.accepted().len(), stubs.index.uploads().len()), (2, 0));
}
