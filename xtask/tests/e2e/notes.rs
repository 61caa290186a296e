//! `release --notes --github`: what the changelogs say, told when everything is published.

use std::fs;

use crate::indexes::Indexes;
use crate::support::Repo;

const CHANGELOG: &str =
    "# Changelog\n\n## [2.3.0] - 2026-01-31\n\n- A thing.\n\n## [2.2.0]\n\n- Old.\n";

/// A `gh` that keeps releases in a folder, says what it was told, and is out of order on demand.
#[cfg(unix)]
const GH: &str = r#"#!/bin/sh
[ -e "$HERE/down" ] && { echo 'HTTP 502: Bad Gateway' >&2; exit 1; }
case $2 in
status) [ -e "$HERE/login" ] || { echo 'You are not logged into any GitHub hosts.' >&2; exit 1; } ;;
view) [ -e "$HERE/releases/$3" ] || { echo 'release not found' >&2; exit 1; } ;;
create) (echo "$@"; cat) >> "$HERE/told"; touch "$HERE/releases/$3" ;;
esac
"#;

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
    let here = repo.beside("github");
    fs::create_dir_all(here.join("releases")).unwrap();
    fs::write(here.join("gh"), GH.replace("$HERE", &here.display().to_string())).unwrap();
    fs::set_permissions(here.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
    let release = || repo.xtask_with("release all --yes --notes --github", &[("PATH", &path)]).ok();
    let told = || fs::read_to_string(here.join("told")).unwrap();

    let run = repo.xtask_with("release all --yes --github", &[("PATH", &path)]);
    run.refused(1).says("`gh` is not logged in").shows("nobody is logged in to GitHub");
    fs::write(here.join("login"), "").unwrap();

    let run = release().shows("a version without notes");
    assert!(run.stdout.contains("## core 2.3.0\n\n- A thing.\n"), "{run}");
    let create =
        "release create core-v2.3.0 --verify-tag --title core 2.3.0 --notes-file -\n- A thing.";
    assert!(told().contains(create), "{}", told());
    assert!(!told().contains("Old."), "{}", told());
    assert_eq!(told().matches("release create").count(), 2, "{}", told());

    // Nothing is left to be released, and one release on GitHub is missing.
    fs::remove_file(here.join("releases/core-v2.3.0")).unwrap();
    fs::write(here.join("down"), "").unwrap();
    let run = release();
    run.says("HTTP 502: Bad Gateway").shows("GitHub does not answer");
    assert_eq!(told().matches("release create").count(), 2, "no answer was taken for no");
    fs::remove_file(here.join("down")).unwrap();
    release();
    assert_eq!(told().matches(create).count(), 2, "{}", told());
    assert_eq!(told().matches("release create").count(), 3, "{}", told());
}
