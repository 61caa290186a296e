//! A release that is killed, and the same command again.

use crate::support::{Indexes, Repo};

#[test]
fn killed_behind_its_first_publication_it_goes_on_where_it_was() {
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
