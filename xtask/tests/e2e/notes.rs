//! `release --notes --github`: what the changelogs say, told when everything is published.

use std::fs;

use crate::support::{Indexes, Repo};

const CHANGELOG: &str =
    "# Changelog\n\n## [2.3.0] - 2026-01-31\n\n- A thing.\n\n## [2.2.0]\n\n- Old.\n";

#[cfg(unix)]
#[test]
fn notes_are_printed_and_become_releases_on_github() {
    use std::os::unix::fs::PermissionsExt;
    let repo = Repo::new()
        .package("core", "2.3.0")
        .file("packages/core/CHANGELOG.md", CHANGELOG)
        .package("bare", "1.0.0")
        .commit();
    let _indexes = Indexes::open(&repo);
    let (bin, told) = (repo.beside("bin"), repo.beside("told"));
    fs::create_dir_all(&bin).unwrap();
    let gh = format!("#!/bin/sh\n(echo \"$@\"; cat) >> '{}'\n", told.display());
    fs::write(bin.join("gh"), gh).unwrap();
    fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());

    let run = repo.xtask_with("release all --yes --notes --github", &[("PATH", &path)]).ok();
    let run = run.says("the changelog says nothing about bare 1.0.0");
    assert!(run.stdout.contains("## core 2.3.0\n\n- A thing.\n"), "{run}");
    let told = fs::read_to_string(told).unwrap();
    let create =
        "release create core-v2.3.0 --verify-tag --title core 2.3.0 --notes-file -\n- A thing.";
    assert!(told.contains(create), "{told}");
    assert!(!told.contains("Old."), "{told}");
}
