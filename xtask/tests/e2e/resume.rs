//! A release that is killed, and the same command again.

use std::fs;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::indexes::Indexes;
use crate::support::Repo;

#[test]
fn a_release_killed_after_its_first_publication_resumes() {
    let repo =
        Repo::new().package("core", "2.3.0").package("runner", "1.5.0: core>=2.3,<3").commit();
    let indexes = Indexes::open(&repo);
    let head = repo.git("rev-parse HEAD");

    let mut run = repo.start("release all --yes", &[]);
    run.wait_for(&["core 2.3.0", " publish ", "done"]);
    run.kill();
    assert!(!indexes.index.files().iter().any(|file| file.starts_with("runner")));

    // Meanwhile somebody commits something that has nothing to do with it: what was built and
    // staged before still stands, and is tagged where it was built.
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask("release all --yes").ok();
    for index in [&indexes.staging, &indexes.index] {
        let mut uploads = index.uploads();
        uploads.sort();
        assert_eq!(uploads, index.files(), "every file is sent once");
        assert_eq!(uploads.len(), 4);
    }
    let tags = repo.remote_tags();
    let names: Vec<&str> = tags.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names, ["core-v2.3.0", "runner-v1.5.0"]);
    assert!(tags.iter().all(|(_, kind, commit)| (kind.as_str(), commit) == ("tag", &head)));
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_release_says_what_is_published_and_leaves_no_process() {
    let repo =
        Repo::new().package("core", "2.3.0").package("runner", "1.5.0: core>=2.3,<3").commit();
    let indexes = Indexes::open(&repo);

    let mut run = repo.start("release all --yes", &[]);
    run.wait_for(&["core 2.3.0", " build ", "done"]);
    let group = run.id().to_string();
    run.signalled("-INT").exits(130).says("interrupted; nothing of this release is published");
    let living = ["-g", &group, "-r", "R,S,D", "-l"];
    let left = || Command::new("pgrep").args(living).output().unwrap().stdout;
    let end = Instant::now() + Duration::from_secs(5);
    while !left().is_empty() {
        assert!(Instant::now() < end, "{}", String::from_utf8_lossy(&left()));
        sleep(Duration::from_millis(20));
    }

    let mut run = repo.start("release all --yes", &[]);
    run.wait_for(&["core 2.3.0", " publish ", "done"]);
    let run = run.signalled("-TERM").exits(3).says("interrupted; published: core 2.3.0");
    assert_eq!(run.stderr.lines().last().unwrap().matches("error: ").count(), 1, "{run}");

    repo.xtask("release all --yes").ok();
    let mut uploads = indexes.index.uploads();
    uploads.sort();
    assert_eq!(uploads, indexes.index.files(), "every file is sent once");
}

/// Wherever it is killed: what it has put into the folder for temporary files goes with the next.
#[test]
fn the_next_run_removes_temporary_folders_of_a_killed_one() {
    let slow = "[tool.xtask.smoke]\ncommands = [[\"python\", \"-c\", \"import time; \
        print('here', file=open('HERE', 'w')); time.sleep(60)\"]]\n";
    let repo = Repo::new().package("core", "2.3.0");
    let (temporary, here) = (repo.beside("temporary"), repo.beside("here"));
    let slow = slow.replace("HERE", &here.to_string_lossy());
    let repo = repo.append("packages/core/pyproject.toml", &slow).commit();
    fs::create_dir(&temporary).unwrap();
    let variables = [("TMPDIR", temporary.to_str().unwrap())];
    let left = || fs::read_dir(&temporary).unwrap().count();

    let run = repo.start("release all --rehearse --until staged", &variables);
    let end = Instant::now() + Duration::from_secs(120);
    while !here.exists() {
        assert!(Instant::now() < end, "its smoke test never starts");
        sleep(Duration::from_millis(20));
    }
    run.kill();
    assert!(left() > 0, "then there is nothing to see here");
    // A release with nothing to do; it stops for want of credentials.
    repo.xtask_with("release all", &variables).refused(1);
    assert_eq!(left(), 0, "{:?}", fs::read_dir(&temporary).unwrap().collect::<Vec<_>>());
}
