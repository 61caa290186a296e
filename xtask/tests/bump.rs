//! `bump` on whole repositories: every file of `tests/bump/` is one, before and after. Every case
//! runs with LF, with CRLF, and without the final newlines.

use std::fs;
use std::path::Path;

use formats::pep440::occurrences;
use serde_json::Value;

mod support;

use support::case::{Document, Section, Tree, cases};
use support::{Repo, snapshot};

mod case {
    super::cases!(run, "bump":
        all_with_tags backends changelogs computed computed_dependent conflicts cycle excluded groups
        hatch keep_and_none local_version locks misplaced_table not_upwards pep621 poetry pre_release
        pre_release_to_final refused_range requirement_places setuptools shared_file stale twins vcs vcs_kinds version_files);
}

/// How the lines of all files end in a run of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Lf,
    CrLf,
    NoneAtTheEnd,
}

impl Ending {
    fn of(self, tree: &Tree) -> Tree {
        let changed = |(path, text): &(String, String)| {
            let text = if text.starts_with("-> ") {
                text.clone()
            } else {
                match self {
                    Ending::Lf => text.clone(),
                    Ending::CrLf => text.replace('\n', "\r\n"),
                    Ending::NoneAtTheEnd => text.strip_suffix('\n').unwrap_or(text).to_owned(),
                }
            };
            (path.clone(), text)
        };
        tree.iter().map(changed).collect()
    }
}

#[track_caller]
fn run(file: &Path) {
    let mut document = Document::open(file);
    for section in &mut document.sections {
        for ending in [Ending::Lf, Ending::CrLf, Ending::NoneAtTheEnd] {
            run_with(section, ending);
        }
    }
    snapshot::file(file, &document.to_string());
}

/// A dry run writes nothing, and its JSON alone leads to what the bump then writes. The run with LF
/// is noted in the section, and the others have to agree with it.
#[track_caller]
fn run_with(section: &mut Section, ending: Ending) {
    let repo = Repo::of::<&str>(&[]);
    let before = ending.of(&section.before());
    repo.write_tree(&before);
    let command = section.commands()[0].strip_prefix("cargo xtask ").unwrap().to_owned();

    let dry = repo.xtask(&format!("{command} --dry-run --json"));
    same_tree(ending, &repo.tree(), &before);
    let mut today = section.clone();
    today.run(&repo, |_| true);
    let tree = snapshot::undated(repo.tree());
    if dry.code == Some(0) {
        let plan = dry.json();
        same_tree(ending, &snapshot::undated(replay(&before, &plan)), &tree);
        has_notes(&today, &plan);
    } else {
        dry.exits(1);
        same_tree(ending, &tree, &before);
    }
    if ending == Ending::Lf {
        today.note_tree(tree);
        *section = today;
    } else {
        assert_eq!(today.printed(), section.printed(), "{ending:?}");
        same_tree(ending, &tree, &ending.of(&section.after()));
    }
}

/// The notes of the JSON are those that are printed.
#[track_caller]
fn has_notes(section: &Section, plan: &Value) {
    let printed = section.printed();
    let notes = plan["notes"].as_array().unwrap();
    for note in notes {
        let (file, text) = (note["file"].as_str().unwrap(), note["text"].as_str().unwrap());
        let package = note["package"].as_str().unwrap();
        let note = format!("{file}:{}: {package}: {text}", note["line"]);
        assert!(printed.contains(&note), "{note} is not in\n{printed}");
    }
    assert_eq!(printed.matches("note: ").count(), notes.len(), "{printed}");
}

#[track_caller]
fn same_tree(ending: Ending, found: &Tree, expected: &Tree) {
    let sorted = |tree: &Tree| {
        let mut tree = tree.clone();
        tree.sort();
        tree
    };
    for ((path, found), (wanted, expected)) in sorted(found).iter().zip(&sorted(expected)) {
        assert_eq!(path, wanted, "{ending:?}");
        assert_eq!(found, expected, "{ending:?}: {path}");
    }
    assert_eq!(found.len(), expected.len(), "{ending:?}: a file too many or too few");
}

/// The tree after, made from the tree before and the JSON alone.
fn replay(tree: &Tree, plan: &Value) -> Tree {
    let mut tree = tree.clone();
    // Edits are in the order of a file, so from the end each of them leaves the others' lines alone.
    let mut later: Option<(&str, usize)> = None;
    for edit in plan["edits"].as_array().unwrap().iter().rev() {
        let file = edit["file"].as_str().unwrap();
        let (_, text) = tree.iter_mut().find(|(path, _)| path == file).unwrap();
        let limit = later.filter(|(other, _)| *other == file).map(|(_, at)| at);
        let at = offset(text, edit, limit.unwrap_or(text.len()));
        let before = edit["before"].as_str().unwrap();
        text.replace_range(at..at + before.len(), edit["after"].as_str().unwrap());
        later = Some((file, at));
    }
    tree
}

/// Where an edit is on its line, before `limit`: the last occurrence of the version or word
/// that it replaces. What it inserts is whole lines: below its line if that starts with a line ending, else above it.
fn offset(text: &str, edit: &Value, limit: usize) -> usize {
    let number = edit["line"].as_u64().unwrap() as usize;
    let start: usize = text.split_inclusive('\n').take(number - 1).map(str::len).sum();
    let line = text[start..limit].split_inclusive('\n').next().unwrap_or_default();
    match edit["before"].as_str().unwrap() {
        "" if edit["after"].as_str().unwrap().starts_with(['\r', '\n']) => {
            start + line.trim_end_matches(['\r', '\n']).len()
        }
        "" => start,
        before => {
            let last = occurrences(line, before).last().copied();
            start + last.unwrap_or_else(|| panic!("{edit} is not where it says"))
        }
    }
}

/// Two distributions, one of which needs the other, in one commit.
fn two_packages() -> Repo {
    Repo::of(&[
        ("core/pyproject.toml", "[project]\nname = \"core\"\nversion = \"1.0.0\"\n"),
        (
            "app/pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"0.5.0\"\ndependencies = [\"core>=1.0,<2\"]\n",
        ),
        ("app/CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n"),
        ("other.txt", "x\n"),
    ])
    .commit()
}

#[test]
fn a_commit_holds_only_the_bump() {
    let repo = two_packages();
    repo.write("other.txt", "staged\n");
    repo.git("add other.txt");
    repo.xtask("bump core minor --commit").ok();
    assert_eq!(
        repo.git("show --name-only --format=%s"),
        "chore(release): core 1.1.0, app 0.5.1\n\napp/CHANGELOG.md\napp/pyproject.toml\ncore/pyproject.toml"
    );
    assert_eq!(repo.git("status --porcelain"), "M  other.txt");
}

#[test]
fn a_commit_over_uncommitted_changes_is_refused() {
    let repo = two_packages();
    let manifest = repo.read("app/pyproject.toml");
    repo.write("app/pyproject.toml", &(manifest + "# more\n"));
    let before = repo.tree();
    repo.xtask("bump core minor --commit").exits(1).shows("uncommitted changes");
    assert_eq!(repo.tree(), before);
}

#[test]
fn a_commit_that_a_hook_refuses_leaves_the_files_alone() {
    use std::os::unix::fs::PermissionsExt;
    let repo = two_packages();
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    let hook = repo.path(".git/hooks/pre-commit");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let before = repo.tree();
    repo.xtask("bump core minor --commit").exits(1);
    assert_eq!(repo.tree(), before);
}

#[test]
fn auto_follows_the_commits() {
    let repo = two_packages();
    let untagged = repo.xtask("bump --dry-run --json").shows("auto without tags").json();
    assert_eq!(untagged["bumps"], serde_json::json!([]));
    assert_eq!(untagged["notes"].as_array().unwrap().len(), 1);
    repo.git("tag core-v1.0.0");
    repo.git("tag app-v0.5.0");
    let commit = |file: &str, message: &str| {
        repo.write(file, message);
        repo.record(message);
    };
    commit("core/a.py", "docs: say more");
    let nothing = repo.xtask("bump --dry-run --json").json();
    assert_eq!(nothing["bumps"], serde_json::json!([]));
    commit("app/a.py", "feat!: drop the old way");
    commit("other.txt", "feat: outside of both");
    let plan = repo.xtask("bump all auto --dry-run --json").json();
    let bump = &plan["bumps"][0];
    assert_eq!(plan["bumps"].as_array().unwrap().len(), 1, "{plan}");
    assert_eq!(
        (&bump["package"], &bump["from"], &bump["to"]),
        (&"app".into(), &"0.5.0".into(), &"0.6.0".into())
    );
    let reason = bump["reason"].as_str().unwrap();
    snapshot::section("the reason for a bump by auto", reason);
    repo.xtask("bump --yes").ok();
    let changelog = repo.read("app/CHANGELOG.md");
    assert!(
        changelog.contains("### Changed\n\n- **Breaking:** Drop the old way.\n"),
        "{changelog}"
    );
    // The versions that are not tagged yet are what the commits ask for already.
    repo.git("commit -qam released");
    let again = repo.xtask("bump all auto --dry-run --json").json();
    assert_eq!(again["bumps"], serde_json::json!([]));
}

/// Only what HEAD contains counts, and a version that is tagged elsewhere is stepped over.
#[test]
fn a_maintenance_branch_counts_from_its_own_tags() {
    let repo = two_packages();
    let change = |file: &str, message: &str| {
        repo.write(file, message);
        repo.record(message);
    };
    let to = |words: &str| {
        let plan = repo.xtask(&format!("bump {words} --dry-run --json")).ok().json();
        let bumps = plan["bumps"].as_array().unwrap().iter();
        let bumps = bumps.map(|b| format!("{} {}", b["package"], b["to"]).replace('"', ""));
        bumps.collect::<Vec<_>>().join(", ")
    };
    repo.git("tag core-v1.0.0");
    repo.git("tag app-v0.5.0");
    repo.git("branch release/1.x");
    change("core/a.py", "feat: new");
    assert_eq!(to("all auto"), "core 1.1.0, app 0.5.1");
    repo.xtask("bump --commit --yes").ok();
    repo.git("tag core-v1.1.0");
    repo.git("tag app-v0.5.1");
    repo.git("switch -q release/1.x");
    change("core/b.py", "fix: leak");
    assert_eq!(to("all auto"), "core 1.0.1, app 0.5.2");
    repo.xtask("bump core 1.1.0 --dry-run").exits(1);
    // A pre-release is followed by the next one, for all alike.
    assert_eq!(to("core minor --pre rc"), "core 1.2.0rc1, app 0.5.2rc1");
    repo.xtask("bump core minor --pre rc --commit --yes").ok();
    repo.git("tag core-v1.2.0rc1");
    repo.git("tag app-v0.5.2rc1");
    change("core/c.py", "fix: another");
    assert_eq!(to("all auto"), "core 1.2.0rc2, app 0.5.2rc2");
    assert_eq!(to("all final"), "core 1.2.0, app 0.5.2");
}

#[test]
fn versions_from_tags_continue_from_existing_tags() {
    let manifest = |name: &str| {
        format!(
            "[project]\nname = \"{name}\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n"
        )
    };
    let app = "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"own>=1.2,<2\", \"shared>=0.9\"]\n";
    let repo = Repo::of(&[
        ("own/pyproject.toml", manifest("own")),
        ("shared/pyproject.toml", manifest("shared")),
        ("app/pyproject.toml", app.to_owned()),
    ])
    .commit();
    for tag in ["own/v1.2.0", "own/v1.10.0", "v0.9.0"] {
        repo.git(&format!("tag {tag}"));
    }
    let run = repo.xtask("bump own shared major --dry-run --json").ok();
    let plan = run.json();
    let edits = plan["edits"].as_array().unwrap();
    let after: Vec<&str> = edits.iter().map(|edit| edit["after"].as_str().unwrap()).collect();
    assert_eq!(after, ["1.0.1", "2.0", "3", "1.0"]);
    let notes = plan["notes"].to_string();
    assert!(notes.contains("own/v2.0.0") && notes.contains("`v1.0.0`"), "{notes}");
    run.shows("versions from tags");
}

/// What has one tag has one version. The commit records it, although no file changes.
#[test]
fn distributions_with_the_same_tags_move_together() {
    let manifest = |name: &str| {
        format!(
            "[project]\nname = \"{name}\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n"
        )
    };
    let files = ["a", "b"].map(|name| (format!("{name}/pyproject.toml"), manifest(name)));
    let repo =
        files.into_iter().fold(Repo::of::<&str>(&[]), |repo, (path, text)| repo.file(&path, &text));
    let repo = repo.commit();
    repo.git("tag v1.0.0");
    repo.write("staged", "");
    repo.git("add staged");
    repo.xtask("bump a minor --commit").ok();
    let message = repo.git("log -1 --format=%B");
    assert_eq!(message, "chore(release): a 1.1.0, b 1.1.0\n\nRelease: v1.1.0");
    assert_eq!(repo.git("status --porcelain"), "A  staged");
    let status = repo.xtask("status --json").ok().json();
    assert_eq!(status["packages"][1]["version"], "1.1.0");
    // It is planned already.
    repo.xtask("bump a 1.1.0").refused(1).says("already at 1.1.0");
}

#[test]
fn auto_needs_the_tags_that_a_shallow_clone_lacks() {
    let repo = two_packages();
    repo.git_with(&["commit", "-q", "--allow-empty", "-m", "feat: x"]);
    let clone = Repo::of::<&str>(&[]);
    let from = format!("file://{}", repo.root().display());
    clone.git(&format!("clone -q --depth 1 {from} ."));
    clone
        .xtask("bump all auto")
        .exits(1)
        .says("git fetch --unshallow --tags")
        .shows("a shallow clone");
}

#[test]
fn a_wrong_target_or_change_gets_a_suggestion() {
    let repo = two_packages();
    repo.xtask("bump core majr").exits(2).says("`major`").shows("an unknown change");
    repo.xtask("bump cor minor").exits(2).says("`core`").shows("an unknown target");
    for typed in ["minor core", "core@1.1.0", "core=1.1.0", "all minor rc"] {
        repo.xtask(&format!("bump {typed}")).exits(2).says("hint: `cargo xtask bump ");
    }
}
