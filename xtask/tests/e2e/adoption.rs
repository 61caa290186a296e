//! What is there already: on an index, on the remote, in another clone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{ALWAYS, Fault, On, Repo, Stubs};

const WHEEL: &str = "core-2.3.0-py3-none-any.whl";
const SDIST: &str = "core-2.3.0.tar.gz";
const MODULE: &str = "packages/core/src/core/__init__.py";
const COMMAND: &str = "release all --yes";

/// The tests here want to know whether archives differ: those of setuptools do from second to
/// second, in time stamps.
const SETUPTOOLS: &str = "[build-system]\nrequires = [\"setuptools>=77\"]\n\
    build-backend = \"setuptools.build_meta\"\n\n\
    [project]\nname = \"core\"\nversion = \"2.3.0\"\nreadme = \"README.md\"\n\
    requires-python = \">=3.10\"\n";

fn core() -> Repo {
    Repo::new()
        .package("core", "2.3.0")
        .file("packages/core/pyproject.toml", SETUPTOOLS)
        .file("Cargo.toml", "[workspace.metadata.xtask]\npatience = 3\n")
        .commit()
}

/// Half of it is published, and the rest is done by another machine, which has built nothing.
#[test]
fn another_machine_takes_over_what_the_indexes_have_and_sends_the_rest() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    stubs.index.fail(On::Upload("core-2.3.0.tar"), ALWAYS, Fault::Status(403, "Not now"));
    repo.xtask(COMMAND).refused(3).has_line(&["  published: core 2.3.0"]);
    assert_eq!(stubs.index.files(), [WHEEL]);
    stubs.index.fail_no_more();

    let repo = repo.cloned("--quiet");
    repo.xtask(COMMAND).ok();
    stubs.have_once(&repo, &["core-2.3.0"]);
    assert_eq!(stubs.index.bytes(SDIST), stubs.staging.bytes(SDIST));
    let events = repo.ledger("core-2.3.0")["events"].to_string();
    assert!(events.contains("taken over from testpypi"), "{events}");

    // The tag is lost, and somebody commits something that has nothing to do with it.
    repo.git("push --quiet --delete origin core-v2.3.0");
    repo.git("tag -d core-v2.3.0");
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask(COMMAND).ok().has_line(&["core 2.3.0", "publish", "skipped"]);
    stubs.have_once(&repo, &["core-2.3.0"]);
}

/// Staging has what was built before a mistake was mended.
#[test]
fn what_staging_has_of_other_sources_is_not_taken_over_but_restaged_beside() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    repo.xtask("release all --yes --until staged").ok();
    repo.write(MODULE, "\"\"\"A fixture, mended.\"\"\"\n");
    repo.record("mended");

    let run = repo.xtask(COMMAND).refused(1);
    run.says("testpypi has other bytes under these names")
        .advises("a file name is taken for ever", "cargo xtask bump core, or --restage")
        .has_line(&["  published: nothing"]);
    assert_eq!(stubs.staging.accepted().len(), 2);

    repo.xtask("release all --yes --restage").ok().has_line(&["core 2.3.0", "as 2.3.0.post1"]);
    let post = ["core-2.3.0.post1-py3-none-any.whl", "core-2.3.0.post1.tar.gz"];
    assert_eq!(stubs.staging.accepted()[2..], post);
    assert_eq!(stubs.index.accepted(), [WHEEL, SDIST], "what is published is the version itself");
    assert_eq!(repo.remote_tags()[0].2, repo.git("rev-parse HEAD"));

    // The same on the index, where nothing helps but another version.
    repo.git("push --quiet --delete origin core-v2.3.0");
    repo.git("tag -d core-v2.3.0");
    fs::remove_dir_all(repo.path("dist")).unwrap();
    repo.write(MODULE, "\"\"\"A fixture, changed.\"\"\"\n");
    repo.record("changed");
    let run = repo.xtask("release all --yes --restage").refused(3);
    run.says("pypi has other bytes under core-2.3.0").advises("for ever", "cargo xtask bump core");
    assert_eq!(stubs.index.accepted().len(), 2);
}

#[test]
fn a_publication_whose_tag_is_refused_gets_it_the_next_time() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    // What a protected tag looks like; a dry run of the push does not ask it.
    let hook = repo.beside("remote.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho tags are protected >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let head = repo.git("rev-parse HEAD");

    let run = repo.xtask(COMMAND).refused(3);
    run.advises("it is published, and its tag could not be set", "the same command again")
        .says("tags are protected")
        .has_line(&["  published: core 2.3.0"]);
    fs::remove_file(hook).unwrap();

    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask(COMMAND).ok().has_line(&["core 2.3.0", "publish", "skipped"]);
    stubs.have_once(&repo, &["core-2.3.0"]);
    assert_eq!(repo.remote_tags()[0].2, head, "the commit that was built, not the last one");
}

#[test]
fn a_tag_on_a_commit_of_another_branch_is_explained() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.git("switch --quiet --create elsewhere");
    repo.git("commit --quiet --allow-empty --message another");
    let other = repo.git("rev-parse HEAD");
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    repo.git("switch --quiet main");
    let run = repo.xtask(COMMAND).refused(1);
    run.advises(&format!("core-v2.3.0 on {}", &other[..9]), "the branch that holds the tag");
    assert_eq!(stubs.staging.log().len() + stubs.index.log().len(), 0);
}

#[test]
fn a_second_release_is_told_who_is_at_it_and_a_dead_one_is_in_nobodys_way() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    stubs.staging.fail(On::Page("core"), 1, Fault::Hang);
    let mut first = repo.start(COMMAND, &[]);
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while stubs.staging.log().is_empty() {
        assert!(std::time::Instant::now() < end, "it asks nobody");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let run = repo.xtask(COMMAND).refused(1);
    let who = format!("process {}, since 20", first.id());
    run.says(&who).advises("a release of this repository is running already", "wait until");

    first.kill_alone();
    first.kill();
    let run = repo.xtask("release all --dry-run").ok();
    assert!(run.stdout.contains("Release plan: 1 distribution"), "{run}");
}
