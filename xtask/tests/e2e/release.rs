//! `release` against two indexes that were started by hand and are named in a `.pypirc`.

use std::fs;

use crate::indexes::{Indexes, Silence};
use crate::support::{Repo, sha256};

const CORE: [&str; 2] = ["core-2.3.0-py3-none-any.whl", "core-2.3.0.tar.gz"];
const RUNNER: [&str; 2] = ["runner-1.5.0-py3-none-any.whl", "runner-1.5.0.tar.gz"];

fn pair() -> Repo {
    Repo::new().package("core", "2.3.0").package("runner", "1.5.0: core>=2.3,<3").commit()
}

/// A build back end and a smoke test that fail when a token reaches them.
fn watchful_pair() -> Repo {
    let watch = "import os\nassert 'canary' not in str(os.environ), 'a token is in here'\n";
    let manifest = "packages/core/pyproject.toml";
    let repo = pair()
        .file("packages/core/watchful.py", &format!("from flit_core.buildapi import *\n{watch}"))
        .append(manifest, "[tool.flit.sdist]\ninclude = [\"watchful.py\"]\n")
        .file("packages/core/src/core/__init__.py", &format!("\"\"\"A fixture.\"\"\"\n{watch}"));
    repo.edit(manifest, "\"flit_core.buildapi\"", "\"watchful\"\nbackend-path = [\".\"]");
    repo.commit()
}

#[test]
fn everything_is_published_once_and_tagged_and_no_token_is_shown() {
    let repo = watchful_pair();
    let indexes = Indexes::with_passwords(&repo, STAGING, INDEX);
    stopped_and_finished(&repo, &indexes, &[("TESTPYPI_TOKEN", STAGING), ("PYPI_TOKEN", INDEX)]);
}

/// devpi serves JSON (PEP 691), takes the same bytes twice, and finds its credentials in `.pypirc`.
#[test]
fn devpi_behaves_the_same() {
    if std::env::var_os("XTASK_TEST_DEVPI").is_none() {
        eprintln!("skipped: XTASK_TEST_DEVPI is not set");
        return;
    }
    let repo = watchful_pair();
    let indexes = Indexes::devpi(&repo, STAGING, INDEX);
    stopped_and_finished(&repo, &indexes, &[]);
}

const STAGING: &str = "canary-of-staging";
const INDEX: &str = "canary-of-the-index";

/// The first run is stopped half-way by the index, the second one goes on, the third one finds
/// nothing to do.
#[track_caller]
fn stopped_and_finished(repo: &Repo, indexes: &Indexes, tokens: &[(&str, &str)]) {
    // This would send both uploads there.
    let elsewhere = Silence::listen();
    let url = elsewhere.url();
    let tokens = [tokens, &[("TWINE_REPOSITORY_URL", &*url)]].concat();
    indexes.index.refuse("runner");
    let head = repo.git("rev-parse HEAD");

    let stopped = repo.xtask_with("release all --yes", &tokens).refused(3);
    let stopped =
        stopped.shows("an index that refuses the second distribution").published("core 2.3.0");
    assert_eq!(indexes.index.files(), CORE);
    assert_eq!(repo.remote_tags(), [annotated("core-v2.3.0", &head)]);

    indexes.index.refuse_nothing();
    let sent = indexes.index.uploads().len();
    let finished = repo.xtask_with("release all --yes", &tokens).ok();
    assert_eq!(indexes.index.uploads()[sent..], RUNNER);
    assert_eq!(indexes.index.files(), [CORE, RUNNER].concat());
    assert_eq!(indexes.staging.uploads(), [CORE, RUNNER].concat());
    let tags = [annotated("core-v2.3.0", &head), annotated("runner-v1.5.0", &head)];
    assert_eq!(repo.remote_tags(), tags);
    the_ledgers_vouch_for_what_is_served(repo, indexes, &head);

    let (sent, ledger) = (indexes.index.uploads(), repo.ledger("core-2.3.0"));
    let idle = repo.xtask_with("release all --yes --json", &tokens).ok();
    assert_eq!(indexes.index.uploads(), sent);
    assert_eq!(indexes.staging.uploads().len(), 4);
    assert_eq!(repo.ledger("core-2.3.0"), ledger);
    let packages = idle.json()["packages"].as_array().unwrap().clone();
    assert!(packages.iter().all(|package| package["stages"][0]["status"] == "skipped"), "{idle}");

    elsewhere.unbroken();
    for run in [stopped, finished, idle] {
        for token in [STAGING, INDEX] {
            assert!(!run.stdout.contains(token) && !run.stderr.contains(token), "{run}");
        }
    }
    for dir in ["dist", "target"] {
        for (path, bytes) in repo.files(dir) {
            assert!(!bytes.windows(9).any(|part| part == b"canary-of"), "a token is in {path}");
        }
    }
}

fn annotated(tag: &str, commit: &str) -> (String, String, String) {
    (tag.to_owned(), "tag".to_owned(), commit.to_owned())
}

#[track_caller]
fn the_ledgers_vouch_for_what_is_served(repo: &Repo, indexes: &Indexes, head: &str) {
    for (version, files) in [("core-2.3.0", CORE), ("runner-1.5.0", RUNNER)] {
        let ledger = repo.ledger(version);
        assert_eq!(ledger["commit"], head);
        for (at, name) in files.iter().enumerate() {
            let (file, bytes) = (&ledger["files"][at], indexes.index.bytes(name));
            assert_eq!(file["name"], *name);
            assert_eq!(file["sha256"], sha256(&bytes));
            assert_eq!(file["size"], bytes.len());
            assert_eq!(bytes, indexes.staging.bytes(name));
        }
    }
}

/// One distribution, a step at a time; then the one that needs it, which is all that is sent.
#[test]
fn each_step_needs_confirmation_and_the_next_run_reuses_the_files() {
    let repo = pair();
    let indexes = Indexes::open(&repo);
    let before = repo.standing();

    let run = repo.xtask("release core --dry-run").ok();
    assert!(run.stdout.contains("  core  2.3.0       tag core-v2.3.0\n"), "{run}");
    assert_eq!(repo.standing(), before);
    for line in ["release core", "release core --until staged"] {
        repo.xtask(line).refused(1).says("--yes").shows("a release without confirmation");
    }
    assert_eq!(repo.standing(), before);
    indexes.have_nothing();

    // Nothing is sent, so nobody has to say yes.
    repo.xtask("release core --until built").ok();
    indexes.have_nothing();
    let built = CORE.map(|name| fs::read(repo.path("dist/core-2.3.0").join(name)).unwrap());
    let head = repo.git("rev-parse HEAD");

    repo.xtask("release core --until staged --yes").ok().stage("core", "build", "skipped");
    assert_eq!(
        (indexes.staging.files(), indexes.index.files()),
        (CORE.map(str::to_owned).into(), vec![])
    );
    assert_eq!(repo.remote_tags(), []);

    repo.xtask("release core --yes").ok();
    assert_eq!(CORE.map(|name| indexes.index.bytes(name)), built);
    assert_eq!(indexes.staging.uploads(), CORE);
    assert_eq!(repo.remote_tags(), [annotated("core-v2.3.0", &head)]);

    let run = repo.xtask("release runner --yes").ok();
    run.stage("runner 1.5.0", "smoke", "done").has_line(&["runner 1.5.0", "smoke", " 3 "]);
    assert_eq!(indexes.index.uploads(), [CORE, RUNNER].concat());
    assert_eq!(repo.remote_tags().len(), 2);
}

/// The index said no, in so many words: nothing has been published, and that is what is said.
#[test]
fn a_refused_upload_is_not_called_published() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let indexes = Indexes::open(&repo);
    indexes.index.refuse("core");
    let run = repo.xtask("release all --yes").refused(1);
    run.published("nothing").unpublished("core 2.3.0");
}

/// The index repeats the password that it was sent, and that one stands in `.pypirc`.
#[test]
fn a_password_in_pypirc_is_not_shown() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let indexes = Indexes::open(&repo);
    indexes.staging.refuse("core");
    let run = repo.xtask("release all --yes").refused(1).says("403");
    assert!(!run.stderr.contains("first-secret"), "{run}");
}
