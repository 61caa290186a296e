//! `release --rehearse`: the whole flow on stand-ins, and no trace of it.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::indexes::Silence;
use crate::support::{Repo, Run};

const STAGES: [&str; 6] = ["build", "check", "stage", "smoke", "publish", "tag"];

fn chain() -> Repo {
    Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .package("app", "2.3.0: runner>=1.5,<2")
}

#[test]
fn a_chain_goes_through_every_stage_and_leaves_no_trace() {
    let repo = chain().commit();
    // The real tags of an earlier release do not stand in the way of rehearsing it.
    repo.git("tag core-v2.3.0");
    let before = repo.standing();
    // Nothing that is set for twine or pip leads it out of the rehearsal.
    let silence = Silence::listen();
    let (url, hostile) = (silence.url(), ["TWINE_REPOSITORY_URL", "PIP_EXTRA_INDEX_URL"]);
    let variables = hostile.map(|name| (name, url.as_str()));
    let run = repo.xtask_with("release all --rehearse --json", &variables).ok();
    silence.unbroken();
    assert_eq!(repo.standing(), before);
    assert_eq!(repo.remote_tags(), []);
    assert_eq!(servers(&repo).len(), 2);
    assert!(servers(&repo).iter().all(|server| !answers(server)));

    let run = every_stage_is_timed(run).says("TWINE_REPOSITORY_URL");
    let answer = run.json();
    assert_eq!(shape(&answer), RELEASE_SHAPE);
    let packages = answer["packages"].as_array().unwrap();
    let names: Vec<_> = packages.iter().map(|package| &package["name"]).collect();
    assert_eq!(names, ["core", "runner", "app"]);
    for package in packages {
        let stages = package["stages"].as_array().unwrap();
        let did: Vec<_> = stages.iter().map(|stage| &stage["stage"]).collect();
        assert_eq!(did, STAGES);
        assert!(stages.iter().all(|stage| stage["status"] == "done"), "{run}");
    }
    assert_eq!(packages[1]["tag"], "runner-v1.5.0");
    assert_eq!(packages[1]["files"][0]["name"], "runner-1.5.0-py3-none-any.whl");
}

/// One line a stage, with the seconds it took; the check is one for all of them.
#[track_caller]
fn every_stage_is_timed(mut run: Run) -> Run {
    for label in ["core 2.3.0", "runner 1.5.0", "app 2.3.0"] {
        for stage in STAGES.iter().filter(|stage| **stage != "check") {
            run = run.has_line(&[label, &format!(" {stage} "), " s ", "done"]);
        }
    }
    run.has_line(&[" check ", " s ", "done"])
}

/// The keys and types that DESIGN promises to scripts.
const RELEASE_SHAPE: &str = "{packages: [{evidence: [], files: [{name: string, sha256: string, size: number}], \
    name: string, stages: [{detail: string, seconds: number, stage: string, status: string}], \
    tag: string, version: string}], \
    preflight: [{check: string, detail: string, hint: string?, ok: bool}]}";

/// Keys and types of a value; the elements of an array have to be alike.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(items) => {
            let mut shapes: Vec<String> = items.iter().map(shape).collect();
            shapes.dedup();
            format!("[{}]", shapes.join(" | "))
        }
        Value::Object(entries) => {
            // Where nothing is wrong there is no advice.
            let of = |key: &str, value: &Value| match shape(value).as_str() {
                "null" | "string" if key == "hint" => "string?".to_owned(),
                shape => shape.to_owned(),
            };
            let entries = entries.iter();
            let mut entries: Vec<String> =
                entries.map(|(key, value)| format!("{key}: {}", of(key, value))).collect();
            entries.sort();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// What CI checks out, and a working tree in which nothing would work.
#[test]
fn a_dirty_shallow_detached_clone_rehearses_its_head() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    repo.write("README.md", "more history\n");
    repo.record("a second commit");
    let repo = repo.cloned("--depth 1");
    repo.git("checkout --quiet --detach");
    repo.write("packages/core/src/core/__init__.py", "raise RuntimeError('not committed')\n");
    repo.write("packages/core/src/core/untracked.py", "");
    let head = repo.git("rev-parse HEAD");
    let before = repo.standing();

    let run = repo.xtask("release core --rehearse").ok();
    run.says(&head[..7]).shows("a rehearsal of HEAD in a dirty working tree");
    assert_eq!(repo.standing(), before);
}

#[test]
fn a_wheel_that_cannot_be_imported_is_not_uploaded() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .file("packages/runner/src/runner/__init__.py", "raise RuntimeError('broken wing')\n")
        .commit();
    let summary = repo.path("target/summary").display().to_string();
    let job = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.as_str())];
    let run = repo.xtask_with("release all --rehearse --json", &job).refused(1);
    let run = run
        .stage("runner 1.5.0", "smoke", "failed")
        .shows("a wheel that cannot be imported")
        .says("RuntimeError: broken wing")
        .says("::group::stages")
        .says("::error::rehearsal stopped at runner 1.5.0: its smoke test failed")
        .published("nothing")
        .unpublished("core 2.3.0, runner 1.5.0");
    assert_eq!(run.json()["packages"][1]["stages"][3]["status"], "failed", "{run}");
    let summary = repo.read("target/summary");
    assert!(summary.contains("broken wing") && summary.contains("**hint:** "), "{summary}");
    assert_eq!(repo.files("target/xtask/rehearsal/pypi"), [].into());
    assert_eq!(repo.files("target/xtask/rehearsal/testpypi").len(), 4);
}

/// Where the stand-ins of a rehearsal listen, or listened.
fn servers(repo: &Repo) -> Vec<String> {
    let pypirc = repo.read("target/xtask/rehearsal/pypirc");
    let addresses = pypirc.lines().filter_map(|line| line.strip_prefix("repository = http://"));
    addresses.map(|address| address.trim_end_matches('/').to_owned()).collect()
}

fn answers(server: &str) -> bool {
    TcpStream::connect(server).is_ok()
}

#[test]
fn the_stand_ins_end_with_the_command_also_when_it_is_killed() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let mut run = repo.start("release all --rehearse", &[]);
    run.wait_for(&["core 2.3.0", "build"]);
    let servers = servers(&repo);
    assert_eq!(servers.iter().map(|server| answers(server)).collect::<Vec<_>>(), [true, true]);

    run.kill_alone();
    let end = Instant::now() + Duration::from_secs(20);
    while servers.iter().any(|server| answers(server)) {
        assert!(Instant::now() < end, "a stand-in outlives the command");
        sleep(Duration::from_millis(20));
    }
}

/// What is released for real already is not on the stand-ins, and is needed there all the same: by
/// two tests that run side by side.
#[test]
fn the_rest_is_rehearsed_on_top_of_what_is_released() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .package("walker", "0.1.0: core>=2.3,<3")
        .commit();
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    let before = repo.standing();
    let run = repo.xtask("release all --rehearse").ok();
    run.stage("runner 1.5.0", "publish", "done").stage("walker 0.1.0", "publish", "done");
    assert_eq!(repo.standing(), before);
}

/// Python has a module of this name, and an isolated interpreter finds that one first.
#[test]
fn a_module_of_the_standard_library_is_not_taken_for_ours() {
    let repo = Repo::new().package("sched", "1.0").commit();
    let run = repo.xtask("release all --rehearse").refused(1);
    run.shows("a module of the standard library");
}
