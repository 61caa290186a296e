//! What an index may answer: for every fault the exit code, what is published, what is said, and
//! that the same command again finishes the job with every file accepted once.

use std::time::{Duration, Instant};

use crate::indexes::{ALWAYS, Fault, On, Stub, Stubs};
use crate::support::{Repo, Run};

const CONFIG: &str = "[workspace.metadata.xtask]\npatience = 3\n";
const COMMAND: &str = "release all --yes --jobs 1";

const WHEEL: On = On::Upload("core-2.3.0-py3");
const SDIST: On = On::Upload("core-2.3.0.tar");

fn core() -> Repo {
    Repo::new().package("core", "2.3.0").file("Cargo.toml", CONFIG).commit()
}

/// Uploads to an index that stop a release, one fault after the other on the same release.
struct Row {
    to_index: bool,
    on: On,
    fault: Fault,
    code: i32,
    /// What is refused; rows that refuse the same have the same messages.
    kind: &'static str,
    /// Without `XTASK_TEST_FULL`, too.
    often: bool,
}

#[rustfmt::skip]
const ROWS: [Row; 14] = [
    Row { to_index: false, on: WHEEL, fault: Fault::Status(401, "Invalid or non-existent authentication information."), code: 1,
          kind: "credentials", often: false },
    Row { to_index: false, on: WHEEL, fault: Fault::Status(403, "Invalid or non-existent authentication information."), code: 1,
          kind: "credentials", often: true },
    Row { to_index: false, on: WHEEL, fault: Fault::Status(413, "Payload Too Large"), code: 1,
          kind: "the file", often: true },
    Row { to_index: false, on: WHEEL, fault: TOO_MANY, code: 1,
          kind: "too many projects", often: false },
    Row { to_index: false, on: WHEEL, fault: Fault::Busy(429, "Too Many Requests", "3600"), code: 1,
          kind: "too many requests", often: true },
    Row { to_index: false, on: SDIST, fault: Fault::Status(400, "This filename has already been used, use a different version."), code: 1,
          kind: "a taken name", often: true },
    Row { to_index: false, on: SDIST, fault: Fault::Status(400, "Uploading new files to this release is no longer possible."), code: 1,
          kind: "the file", often: false },
    Row { to_index: true, on: WHEEL, fault: Fault::Status(403, "The user 'somebody' isn't allowed to upload to project 'core'."), code: 1,
          kind: "credentials", often: false },
    Row { to_index: true, on: WHEEL, fault: Fault::Status(400, "'core-2.3.0-py3-none-any.whl' was previously used by a file that has since been deleted. Use a different version."), code: 1,
          kind: "a taken name", often: false },
    Row { to_index: true, on: WHEEL, fault: Fault::Status(400, "File already exists ('core-2.3.0-py3-none-any.whl', with blake2_256 hash 'c0ffee')."), code: 1,
          kind: "a taken name", often: false },
    Row { to_index: true, on: WHEEL, fault: TOO_MANY, code: 1,
          kind: "too many projects", often: true },
    Row { to_index: true, on: WHEEL, fault: Fault::Status(413, "Payload Too Large"), code: 1,
          kind: "the file", often: false },
    Row { to_index: true, on: WHEEL, fault: Fault::Status(400, "Uploading new files to this release is no longer possible."), code: 1,
          kind: "the file", often: false },
    // Last, because it gets the wheel through.
    Row { to_index: true, on: SDIST, fault: Fault::Status(403, "Invalid or non-existent authentication information."), code: 3,
          kind: "credentials", often: true },
];

#[test]
fn a_refused_upload_is_explained_and_the_same_command_continues() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    for row in ROWS.iter().filter(|row| is_full() || row.often) {
        let stub = if row.to_index { &stubs.index } else { &stubs.staging };
        let sent = stub.uploads().len();
        stub.fail(row.on, ALWAYS, row.fault);
        let run = repo.xtask(COMMAND).refused(row.code);
        stub.fail_no_more();
        let index = if row.to_index { "pypi" } else { "testpypi" };
        run.shows(&format!("{} refused by {index}, exit code {}", row.kind, row.code))
            .has_line(&["hint: ", "docs/when-a-release-stops.md"])
            .published(if row.code == 3 { "core 2.3.0 (not all of its files)" } else { "nothing" });
        let (Fault::Status(status, _) | Fault::Busy(status, ..)) = row.fault else {
            unreachable!()
        };
        let refused = |line: &&String| line.ends_with(&format!(" {status}"));
        let sent = stub.uploads().split_off(sent);
        assert_eq!(sent.iter().filter(refused).count(), 1, "{:?} was sent more than once", sent);
        assert_eq!(repo.remote_tags(), []);
    }
    assert_eq!(stubs.index.files(), ["core-2.3.0-py3-none-any.whl"], "half a release");
    repo.xtask(COMMAND).ok();
    stubs.have_once(&repo, &["core-2.3.0"]);
}

/// Every failure that passes, several for each upload, in one release. Each is a number of requests
/// and none is a time, so that it makes no difference how busy the machine is.
#[test]
fn transient_failures_are_retried_and_no_file_is_accepted_twice() {
    let repo = pair("patience = 60");
    let stubs = Stubs::open(&repo);
    let Stubs { staging, index } = &stubs;
    let runner = On::Upload("runner");
    // The connection is lost; twine gives up at once.
    staging.fail(On::Upload(""), 1, Fault::ResetBefore);
    staging.fail(On::Upload(""), 1, Fault::ResetDuring);
    staging.fail(On::Upload("core"), 1, Fault::ResetAfter);
    staging.fail(runner, 1, Fault::StoredThenReset);
    // twine tries five times on its own.
    staging.fail(runner, 5, Fault::Status(500, "Internal Server Error"));
    // What staging lists is seen late, and it speaks PEP 503.
    staging.speaks_html();
    staging.fail_after(2, On::Page("runner"), 2, Fault::Busy(503, "Service Unavailable", "0"));

    index.fail(On::Upload("core"), 1, Fault::Stored(502, "Bad Gateway"));
    index.fail_after(3, On::Page("core"), 1, Fault::Stale);
    index.fail(runner, 5, Fault::Status(503, "Service Unavailable"));
    index.fail(runner, 1, Fault::Busy(429, "Too Many Requests", "6"));
    index.fail_after(5, On::Page("runner"), 2, Fault::Stale);

    let run = repo.xtask(COMMAND).ok();
    let pauses = run.pauses();
    for pause in [1, 4, 6] {
        assert!(pauses.contains(&pause), "{pause} is not in {pauses:?} of {run}");
    }
    stubs.have_once(&repo, &["core-2.3.0", "runner-1.5.0"]);
    was_sent_again(staging, "core-2.3.0-py3");
    was_sent_again(index, "runner-1.5.0-py3");
}

#[track_caller]
fn was_sent_again(stub: &Stub, file: &str) {
    let sent = stub.uploads().iter().filter(|line| line.contains(file)).count();
    assert!((1..=9).contains(&sent), "{file} was sent {sent} times:\n{}", stub.log().join("\n"));
}

/// An upload that gets no answer in time is given up. Of the five attempts at each upload one is
/// lost on purpose, and the limit is far above what an upload takes on a busy machine.
#[test]
fn an_upload_without_an_answer_is_given_up_and_sent_again_only_if_it_is_missing() {
    let repo = pair("patience = 60\nupload-limit = 20");
    let stubs = Stubs::open(&repo);
    stubs.index.fail(On::Upload("core-2.3.0.tar"), 1, Fault::StoredThenHang);
    stubs.index.fail(On::Upload("runner"), 1, Fault::Hang);
    repo.xtask(COMMAND).ok();
    stubs.have_once(&repo, &["core-2.3.0", "runner-1.5.0"]);
    was_sent_again(&stubs.index, "runner-1.5.0-py3");
    // It was stored, and the index shows that: it is not sent again.
    let hung = |line: &&String| line.contains("core-2.3.0.tar.gz");
    let uploads = stubs.index.uploads();
    assert_eq!(uploads.iter().filter(hung).count(), 1, "{uploads:?}");
}

fn pair(config: &str) -> Repo {
    Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .file("Cargo.toml", &format!("[workspace.metadata.xtask]\n{config}\n"))
        .commit()
}

/// No more than four in a day: the rest of the release waits for the next one.
#[test]
fn one_new_project_too_many_stops_the_release_until_tomorrow() {
    let repo = Repo::new().package("core", "2.3.0").package("runner", "1.5.0: core>=2.3,<3");
    let repo = repo.file("Cargo.toml", CONFIG).commit();
    let stubs = Stubs::open(&repo);
    stubs.index.fail(On::Upload("runner"), ALWAYS, TOO_MANY);
    let run = repo.xtask(COMMAND).refused(3);
    run.shows("too many new projects").published("core 2.3.0").unpublished("runner 1.5.0");
    let sent = stubs.index.uploads();
    assert_eq!(sent.iter().filter(|line| line.contains("runner")).count(), 1, "{sent:?}");
    stubs.index.fail_no_more();
    repo.xtask(COMMAND).ok();
    stubs.have_once(&repo, &["core-2.3.0", "runner-1.5.0"]);
}

const TOO_MANY: Fault = Fault::Status(429, "Too many new projects created");

#[test]
fn more_than_four_new_projects_are_announced_before_uploading() {
    let names = ["a", "b", "c", "d", "e"];
    let repo = names.into_iter().fold(Repo::new(), |repo, name| repo.package(name, "1.0")).commit();
    let _stubs = Stubs::open(&repo);
    let run = repo.xtask("release all --dry-run").ok();
    run.has_line(&["note: 5 ", "pypi", "a, b, c, d, e"]).shows("five new projects");
    let run = repo.xtask("release a b c d --dry-run").ok();
    let is_too_many = |line: &str| line.starts_with("note: ") && line.contains(" 4 ");
    assert!(!run.stderr.lines().any(is_too_many), "{run}");
}

/// Whatever the index has then, only the next run can tell.
#[test]
fn an_unconfirmed_upload_is_not_called_unpublished() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    // Too many requests, without a word of when there may be more: that is a no.
    stubs.index.fail(WHEEL, ALWAYS, Fault::Status(429, "Too Many Requests"));
    let start = Instant::now();
    let run = repo.xtask(COMMAND).refused(1);
    assert!(start.elapsed() >= Duration::from_secs(15), "it does not wait");
    let run = run.shows("an index that takes no more uploads").published("nothing");
    assert_eq!(run.pauses(), [1, 2, 4, 8]);
    assert_eq!(stubs.index.uploads().len(), 5);
    stubs.index.fail_no_more();

    stubs.index.fail(WHEEL, ALWAYS, Fault::Status(503, "Service Unavailable"));
    let run = repo.xtask(COMMAND).refused(3);
    unsettled(run.shows("an upload without a clear answer"));
    assert_eq!(stubs.index.accepted(), [""; 0]);
    assert_eq!(stubs.index.uploads().len(), 5 + 25, "five attempts, each of them five for twine");

    // Now it takes them and does not show them.
    stubs.index.fail_no_more();
    stubs.index.fail(On::Page("core"), ALWAYS, Fault::Stale);
    let run = repo.xtask(COMMAND).refused(3);
    unsettled(run.shows("an uploaded file that the index does not list"));
    assert_eq!(repo.remote_tags(), []);

    stubs.index.fail_no_more();
    repo.xtask(COMMAND).ok().stage("core 2.3.0", "publish", "skipped");
    stubs.have_once(&repo, &["core-2.3.0"]);
}

#[track_caller]
fn unsettled(run: Run) {
    run.published("core 2.3.0 (uploaded, not confirmed)").unpublished("nothing");
}

/// No answer to the first question is no reason to send anything.
#[test]
fn nothing_is_uploaded_to_an_index_that_does_not_answer() {
    let repo = core();
    let stubs = Stubs::open(&repo);
    for fault in [Fault::Status(502, "Bad Gateway"), Fault::ResetAfter] {
        stubs.index.fail(On::Page("core"), ALWAYS, fault);
        let run = repo.xtask(COMMAND).refused(1);
        run.shows(&format!("an index that answers with {fault:?}"));
        stubs.index.fail_no_more();
    }
    assert_eq!((stubs.staging.uploads(), stubs.index.uploads()), (vec![], vec![]));
    if !is_full() {
        return;
    }
    // It answers before anything is built, and never again.
    stubs.index.fail_after(1, On::Page("core"), ALWAYS, Fault::Status(502, "Bad Gateway"));
    let run = repo.xtask(COMMAND).refused(1);
    run.shows("an index that stops answering").published("nothing");
    assert_eq!(stubs.index.uploads(), [""; 0]);
}

fn is_full() -> bool {
    std::env::var_os("XTASK_TEST_FULL").is_some()
}
