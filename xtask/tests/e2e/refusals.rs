//! The preflight of a release: all failures in one list, before any request.

use std::fs;

use crate::indexes::{Indexes, Silence, Stubs};
use crate::support::{Repo, Run};

#[test]
fn all_preflight_failures_are_reported_at_once_and_nothing_is_sent() {
    let repo = Repo::new()
        .package("base", "0.9.0")
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .package("app", "2.3.0: base>=0.8")
        .commit();
    let silence = Silence::as_indexes(&repo);
    // core: released, then changed without a bump.
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    // runner: a tag that was never pushed, on a commit that is not this one.
    repo.git("tag runner-v1.5.0");
    // base: released, then bumped, and not part of this release.
    repo.git("tag -a -m base base-v0.9.0");
    repo.git("push --quiet origin base-v0.9.0");
    repo.edit("packages/base/pyproject.toml", "0.9.0", "0.10.0");
    repo.write("packages/core/src/core/more.py", "");
    repo.git("switch --quiet --create feature");
    repo.record("a change");
    repo.write("packages/core/README.md", "# dirty\n");
    let before = repo.standing();

    let run = repo.xtask("release core runner app --yes --json").refused(1);
    let run = run.shows("seven failed checks");
    let answer = run.json();
    let failed =
        answer["preflight"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    assert!(failed.clone().all(|check| check["hint"].is_string()), "{run}");
    assert_eq!(failed.count(), 7, "{run}");
    assert_eq!(repo.standing(), before);
    silence.unbroken();
}

#[test]
fn a_detached_head_in_a_shallow_clone_is_refused() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    repo.record("a second commit");
    let repo = repo.cloned("--depth 1");
    let silence = Silence::as_indexes(&repo);
    repo.git("checkout --quiet --detach");
    let run = repo.xtask("release all --yes").refused(1);
    run.shows("a detached HEAD in a shallow clone");
    silence.unbroken();
}

#[test]
fn a_misspelled_target_gets_a_suggestion() {
    let repo = Repo::new().package("core", "2.3.0").package("runner", "1.5.0").commit();
    let silence = Silence::as_indexes(&repo);
    let run = repo.xtask("release runnre coree --yes").refused(2);
    run.shows("misspelled targets");
    silence.unbroken();
}

#[test]
fn a_tag_without_its_files_and_an_index_without_an_answer_are_told_apart() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let mut indexes = Indexes::open(&repo);
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    repo.record("something else");
    let run = repo.xtask("release all --yes").refused(1);
    run.shows("a tag without its files");
    indexes.have_nothing();

    indexes.stop();
    let run = repo.xtask("release all --yes").refused(1);
    run.shows("indexes that do not answer");
}

#[test]
fn a_remote_that_does_not_answer_is_not_taken_for_one_without_tags() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let silence = Silence::as_indexes(&repo);
    repo.git("remote set-url origin ../nowhere.git");
    let run = repo.xtask("release all --yes").refused(1);
    run.shows("a remote that does not answer");
    silence.unbroken();
}

/// A commit that nobody else has, a remote that takes nothing, and one password for two hosts.
#[test]
fn unpushed_commits_read_only_remotes_and_shared_secrets_are_refused() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let silence = Silence::listen();
    let section = |name: &str, host: &str| {
        let port = silence.url().rsplit(':').next().unwrap().to_owned();
        format!("[{name}]\nrepository = http://{host}:{port}\nusername = me\npassword = one\n")
    };
    let (staging, index) = (section("testpypi", "127.0.0.1"), section("pypi", "elsewhere.invalid"));
    let pypirc = format!("[distutils]\nindex-servers =\n    testpypi\n    pypi\n{staging}{index}");
    fs::write(repo.home().join(".pypirc"), pypirc).unwrap();
    repo.git("commit --quiet --allow-empty --message unpushed");
    repo.git("remote set-url --push origin ../nowhere.git");

    let run = repo.xtask("release all --yes --json").refused(1);
    let run = run.shows("an unpushed commit, a read-only remote and a shared secret");
    let passed = |run: &Run, check: &str, detail: &str| {
        let checks = run.json()["preflight"].as_array().unwrap().clone();
        let found = checks.iter().any(|one| {
            let said = one["detail"].as_str().unwrap();
            one["check"] == check && one["ok"] == true && said.contains(detail)
        });
        assert!(found, "{check}: {detail} in {run}");
    };
    passed(&run, "credentials", "testpypi: from .pypirc");
    passed(&run, "tools", "twine ");
    passed(&run, "tools", "Python 3.");
    let run = repo.xtask_with("release all --yes --json", &[("PYPI_TOKEN", "two")]).refused(1);
    passed(&run, "credentials", "pypi: from PYPI_TOKEN");
    passed(&run, "secrets", "each index has its own");
    silence.unbroken();
}

#[test]
fn a_version_below_what_is_published_is_refused_before_it_is_built() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    stubs.index.put("core-2.3.1-py3-none-any.whl", Vec::new());
    let run = repo.xtask("release all --yes").refused(1);
    run.shows("a version below what is published");
    assert!(!repo.path("dist").exists());
}
