//! What is there already: on an index, on the remote, in another clone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::indexes::{ALWAYS, Fault, On, Stubs};
use crate::support::{Repo, Run, sha256};

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

/// Half of it is published, and the rest is done by another machine, which has built nothing. Anyone
/// can register a name on staging, so nothing is taken over from there: it is staged once more.
#[test]
fn another_machine_takes_over_what_the_index_has_and_sends_the_rest() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    stubs.index.fail(On::Upload("core-2.3.0.tar"), ALWAYS, Fault::Status(403, "Not now"));
    repo.xtask(COMMAND).refused(3).published("core 2.3.0");
    assert_eq!(stubs.index.files(), [WHEEL]);
    stubs.index.fail_no_more();

    let repo = repo.cloned("--quiet");
    let run = repo.xtask(COMMAND).refused(3);
    run.says("no ledger here lists").says("--restage");
    assert_eq!(stubs.index.files(), [WHEEL]);
    repo.xtask("release all --yes --restage").ok();
    assert_eq!(stubs.index.accepted(), [WHEEL, SDIST]);
    assert_ne!(stubs.index.bytes(SDIST), stubs.staging.bytes(SDIST));

    // The tag is lost, and somebody commits something that has nothing to do with it.
    repo.git("push --quiet --delete origin core-v2.3.0");
    repo.git("tag -d core-v2.3.0");
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask(COMMAND).ok().stage("core 2.3.0", "publish", "skipped");
    assert_eq!(stubs.index.accepted(), [WHEEL, SDIST]);
}

/// Staging has what was built before a mistake was fixed.
#[test]
fn files_built_from_other_sources_are_restaged_as_a_post_release() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    repo.xtask("release all --yes --until staged").ok();
    repo.write(MODULE, "\"\"\"A fixture, fixed.\"\"\"\n");
    repo.record("fixed");

    let run = repo.xtask(COMMAND).refused(1);
    run.shows("staging has other bytes").published("nothing");
    assert_eq!(stubs.staging.accepted().len(), 2);

    repo.xtask("release all --yes --restage").ok().has_line(&["core 2.3.0", "2.3.0.post1"]);
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
    run.shows("the index has other bytes");
    assert_eq!(stubs.index.accepted().len(), 2);
}

#[test]
fn restaging_twice_uploads_once() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    stubs.staging.put(WHEEL, b"somebody else's".to_vec());
    stubs.index.fail(On::Upload("core"), 1, Fault::Status(403, "Not now"));
    repo.xtask("release all --yes --restage").refused(1);
    let sent = stubs.staging.uploads().len();
    let run = repo.xtask("release all --yes --restage").ok();
    run.stage("core 2.3.0", "stage", "skipped");
    assert_eq!(stubs.staging.uploads().len(), sent, "the same bytes are there already");
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
fn a_tagged_partial_release_is_completed_from_the_commit_of_its_tag() {
    let (repo, stubs, [wheel, sdist]) = tagged();
    let (tags, head) = (repo.git("ls-remote --tags origin"), repo.git("rev-parse HEAD"));
    stubs.index.put(WHEEL, wheel.clone());
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");

    let run = repo.xtask("release all --dry-run").ok();
    run.says("core-v2.3.0").shows("a partial release that can be completed");
    stubs.staging.fail(On::Upload("core"), 1, Fault::Status(403, "Not now"));
    let run = repo.xtask(COMMAND).refused(3);
    run.published("core 2.3.0 (not all of its files)");

    let run = repo.xtask(COMMAND).ok().stage("core 2.3.0", "publish", "done");
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
fn a_release_with_one_kind_of_file_is_left_alone_if_intended_or_too_old() {
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
    run.shows("a partial release that is too old to be completed");
    assert_eq!(stubs.index.uploads().len() + stubs.staging.uploads().len(), 0);
}

#[track_caller]
fn nothing_to_do(repo: &Repo) -> Run {
    let run = repo.xtask("release all --yes --json").ok();
    let packages = run.json()["packages"].as_array().unwrap().clone();
    assert!(packages.iter().all(|package| package["stages"][0]["status"] == "skipped"), "{run}");
    run
}

#[test]
fn a_refused_tag_is_pushed_by_the_next_run() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    // What a protected tag looks like; a dry run of the push does not ask it.
    let hook = repo.beside("remote.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho tags are protected >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let head = repo.git("rev-parse HEAD");

    let run = repo.xtask(COMMAND).refused(3);
    run.shows("a tag that the remote refuses").says("tags are protected").published("core 2.3.0");
    fs::remove_file(hook).unwrap();

    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask(COMMAND).ok().stage("core 2.3.0", "publish", "skipped");
    stubs.have_once(&repo, &["core-2.3.0"]);
    assert_eq!(repo.remote_tags()[0].2, head, "the commit that was built, not the last one");
}

#[test]
fn a_tag_on_another_branch_is_refused() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.git("switch --quiet --create elsewhere");
    repo.git("commit --quiet --allow-empty --message another");
    let other = repo.git("rev-parse HEAD");
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    repo.git("switch --quiet main");
    let run = repo.xtask(COMMAND).refused(1);
    run.says(&other[..9]).shows("a tag on another branch");
    assert_eq!(stubs.staging.log().len() + stubs.index.log().len(), 0);
}

#[test]
fn a_running_release_blocks_a_second_one_and_a_dead_one_does_not() {
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
    let who = format!("process {}", first.id());
    run.says(&who).shows("a release that is running already");

    first.kill_alone();
    first.kill();
    let run = repo.xtask("release all --dry-run").ok();
    assert!(run.stdout.contains("core-v2.3.0"), "{run}");
}

/// The ledger of the release that was is still there, and does not vouch for what came after.
#[test]
fn changes_after_a_release_are_not_taken_for_released() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.xtask(COMMAND).ok();
    repo.write(MODULE, "\"\"\"A fixture, changed.\"\"\"\n");
    repo.record("changed");
    let asked = stubs.index.log().len();
    let run = repo.xtask(COMMAND).refused(1);
    run.shows("a version that is tagged already");
    assert_eq!(stubs.index.log().len(), asked);
}
