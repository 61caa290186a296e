//! What is there already: on an index, on the remote, in another clone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{ALWAYS, Fault, On, Repo, Run, Stubs, sha256};

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
fn what_is_restaged_is_restaged_once_however_often_the_command_is_given() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    stubs.staging.put(WHEEL, b"somebody else's".to_vec());
    stubs.index.fail(On::Upload("core"), 1, Fault::Status(403, "Not now"));
    repo.xtask("release all --yes --restage").refused(1);
    let run = repo.xtask("release all --yes --restage").ok();
    run.has_line(&["core 2.3.0", "stage", "skipped", "same bytes"]);
    let post = ["core-2.3.0.post1-py3-none-any.whl", "core-2.3.0.post1.tar.gz"];
    assert_eq!(stubs.staging.accepted(), post);
    assert_eq!(stubs.index.accepted(), [WHEEL, SDIST]);
}

/// Core with its tag on the remote, and nothing of it on an index; the files that belong there.
fn tagged() -> (Repo, Stubs, [Vec<u8>; 2]) {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.xtask("release all --until built").ok();
    let built = [WHEEL, SDIST].map(|name| fs::read(repo.path("dist/core-2.3.0").join(name)));
    fs::remove_dir_all(repo.path("dist")).unwrap();
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    (repo, stubs, built.map(Result::unwrap))
}

/// Somebody has tagged what is not all there; meanwhile there is another commit.
#[test]
fn half_a_release_that_is_tagged_is_made_whole_from_the_commit_of_its_tag() {
    let (repo, stubs, [wheel, sdist]) = tagged();
    let (tags, head) = (repo.git("ls-remote --tags origin"), repo.git("rev-parse HEAD"));
    stubs.index.put(WHEEL, wheel.clone());
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");

    let run = repo.xtask("release all --dry-run").ok();
    run.has_line(&["note: pypi has core 2.3.0 without its sdist", "built from core-v2.3.0"]);
    stubs.staging.fail(On::Upload("core"), 1, Fault::Status(403, "Not now"));
    let run = repo.xtask(COMMAND).refused(3);
    run.has_line(&["  published: core 2.3.0 (not all of its files)"]);

    let run = repo.xtask(COMMAND).ok().has_line(&["core 2.3.0", "publish", "done"]);
    assert!(!run.stderr.contains(" tag "), "{run}");
    assert_eq!((stubs.index.accepted(), stubs.index.bytes(WHEEL)), (vec![SDIST.to_owned()], wheel));
    assert_eq!(repo.ledger("core-2.3.0")["commit"], head, "not the last one");
    assert_eq!(repo.ledger("core-2.3.0")["files"][0]["sha256"], sha256(&stubs.index.bytes(WHEEL)));
    assert_eq!(repo.git("ls-remote --tags origin"), tags);
    nothing_to_do(&repo);

    // The other half.
    let (repo, stubs, _) = tagged();
    stubs.index.put(SDIST, sdist);
    repo.xtask(COMMAND).ok();
    assert_eq!(stubs.index.accepted(), [WHEEL]);
}

#[test]
fn what_ships_one_kind_of_file_on_purpose_or_for_good_is_left_alone() {
    let (repo, stubs, [wheel, sdist]) = tagged();
    // Another platform's wheel is a wheel.
    stubs.index.put("core-2.3.0-cp312-cp312-win_amd64.whl", wheel.clone());
    stubs.index.put(SDIST, sdist);
    nothing_to_do(&repo);

    let (repo, stubs, [wheel, _]) = tagged();
    stubs.index.put(WHEEL, wheel.clone());
    stubs.index.put("core-2.2.0-py3-none-any.whl", wheel);
    let run = nothing_to_do(&repo);
    assert!(!run.stderr.contains("sdist"), "{run}");

    // Of the version before there is an sdist, but of this one there cannot be any more.
    stubs.index.put("core-2.2.0.tar.gz", Vec::new());
    stubs.index.was_uploaded("2025-01-01T00:00:00.000000Z");
    let run = nothing_to_do(&repo);
    run.has_line(&["note: pypi has core 2.3.0 without its sdist", "cargo xtask bump core makes"]);
    assert_eq!(stubs.index.uploads().len() + stubs.staging.uploads().len(), 0);
}

#[track_caller]
fn nothing_to_do(repo: &Repo) -> Run {
    let run = repo.xtask(COMMAND).ok();
    assert!(run.stdout.ends_with("Nothing to release.\n"), "{run}");
    run
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

/// The ledger of the release that was is still there, and does not vouch for what came after.
#[test]
fn what_is_changed_behind_its_release_is_not_taken_for_released() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.xtask(COMMAND).ok();
    repo.write(MODULE, "\"\"\"A fixture, changed.\"\"\"\n");
    repo.record("changed");
    let asked = stubs.index.log().len();
    let run = repo.xtask(COMMAND).refused(1);
    run.advises("tagged core-v2.3.0 already, and 1 commit touches it", "cargo xtask bump core");
    assert_eq!(stubs.index.log().len(), asked);
}
