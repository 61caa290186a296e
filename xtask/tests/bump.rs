//! `bump` on whole repositories: every file of `tests/bump/` is one, before and after.
//!
//! The first lines of a case are the arguments (after `$ `) and the notes that are expected (after
//! `note: `). Then come the files, each below `== PATH`. A line `-| text` is there before only,
//! `+| text` after only. Every case runs with LF, with CRLF, and without the final newlines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use formats::pep440::occurrences;
use serde_json::Value;
use walkdir::WalkDir;

type Tree = Vec<(String, String)>;

struct Case {
    arguments: Vec<String>,
    notes: Vec<String>,
    /// What standard error has to contain, where the bump is refused.
    error: Vec<String>,
    before: Tree,
    after: Tree,
}

impl Case {
    fn read(text: &str) -> Case {
        let mut case = Case {
            arguments: Vec::new(),
            notes: Vec::new(),
            error: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
        };
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("== ") {
                case.before.push((path.to_owned(), String::new()));
                case.after.push((path.to_owned(), String::new()));
            } else if case.before.is_empty() {
                case.head(line);
            } else {
                let old = line.strip_prefix("-| ");
                let new = line.strip_prefix("+| ");
                if new.is_none() {
                    add(&mut case.before, old.unwrap_or(line));
                }
                if old.is_none() {
                    add(&mut case.after, new.unwrap_or(line));
                }
            }
        }
        case
    }

    fn head(&mut self, line: &str) {
        if let Some(arguments) = line.strip_prefix("$ ") {
            self.arguments = arguments.split_whitespace().map(str::to_owned).collect();
        } else if let Some(note) = line.strip_prefix("note: ") {
            self.notes.push(note.to_owned());
        } else if let Some(error) = line.strip_prefix("error: ") {
            self.error.push(error.to_owned());
        }
    }
}

fn add(tree: &mut Tree, line: &str) {
    let (_, text) = tree.last_mut().unwrap();
    text.push_str(line.trim_end_matches('~'));
    text.push('\n');
}

/// A directory that goes away with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("xtask-bump-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn write(&self, tree: &Tree) {
        for (path, text) in tree {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => {
                    let _ = fs::remove_file(&path);
                    std::os::unix::fs::symlink(target.trim(), path).unwrap();
                }
                None => fs::write(path, text).unwrap(),
            }
        }
    }

    fn read(&self) -> Tree {
        let entries = WalkDir::new(&self.0).sort_by_file_name().into_iter().map(Result::unwrap);
        entries
            .filter(|entry| !entry.file_type().is_dir())
            .filter(|entry| !entry.path().components().any(|part| part.as_os_str() == ".git"))
            .map(|entry| {
                let path = entry.path().strip_prefix(&self.0).unwrap().display().to_string();
                let text = if entry.file_type().is_symlink() {
                    format!("-> {}\n", fs::read_link(entry.path()).unwrap().display())
                } else {
                    fs::read_to_string(entry.path()).unwrap()
                };
                (path, text)
            })
            .collect()
    }

    fn bump(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["bump", "--root"])
            .arg(&self.0)
            .args(arguments)
            .output()
            .unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let identity =
            ["-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgSign=false"];
        let output = Command::new("git")
            .current_dir(&self.0)
            .args(identity)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Dates change from day to day; the cases say `DATE`.
fn undated(mut tree: Tree) -> Tree {
    let today = Command::new("date").args(["-u", "+%F"]).output().unwrap();
    let today = String::from_utf8(today.stdout).unwrap();
    tree.iter_mut().for_each(|(_, text)| *text = text.replace(today.trim(), "DATE"));
    tree.sort();
    tree
}

#[track_caller]
fn same_tree(name: &str, found: Tree, expected: Tree) {
    let found = undated(found);
    let expected = undated(expected);
    for ((path, found), (wanted, expected)) in found.iter().zip(&expected) {
        assert_eq!(path, wanted, "{name}");
        assert_eq!(found, expected, "{name}: {path}");
    }
    assert_eq!(found.len(), expected.len(), "{name}: a file too many or too few");
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&output.stderr)))
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

fn run(name: &str, case: &Case, change: impl Fn(&str) -> String) {
    let scratch = Scratch::new(name);
    let changed = |tree: &Tree| -> Tree {
        tree.iter()
            .map(|(path, text)| {
                (path.clone(), if text.starts_with("-> ") { text.clone() } else { change(text) })
            })
            .collect()
    };
    let before = changed(&case.before);
    let after = changed(&case.after);
    scratch.write(&before);
    let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();

    let dry = scratch.bump(&[&arguments[..], &["--dry-run", "--json"]].concat());
    same_tree(name, scratch.read(), before.clone());
    if !case.error.is_empty() {
        let said = String::from_utf8(dry.stderr).unwrap();
        assert_eq!(dry.status.code(), Some(1), "{name}");
        for error in &case.error {
            assert!(said.contains(error.as_str()), "{name}: `{error}` is not in\n{said}");
        }
        return;
    }
    let plan = json(&dry);
    same_tree(&format!("{name}, replayed"), replay(&before, &plan), after.clone());
    let notes = plan["notes"].as_array().unwrap().iter().map(|note| {
        let text = note["text"].as_str().unwrap();
        format!("{}:{}: {text}", note["file"].as_str().unwrap(), note["line"])
    });
    assert_eq!(notes.collect::<Vec<_>>(), case.notes, "{name}");

    let done = scratch.bump(&arguments);
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    same_tree(name, scratch.read(), after);
}

#[test]
fn every_case_in_every_line_ending() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bump");
    let mut count = 0;
    for entry in WalkDir::new(dir).sort_by_file_name().into_iter().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|extension| extension == "txt") {
            let name = entry.path().file_stem().unwrap().to_string_lossy().into_owned();
            let case = Case::read(&fs::read_to_string(entry.path()).unwrap());
            run(&name, &case, str::to_owned);
            run(&format!("{name}-crlf"), &case, |text| text.replace('\n', "\r\n"));
            run(&format!("{name}-no-final-newline"), &case, |text| {
                text.strip_suffix('\n').unwrap_or(text).to_owned()
            });
            count += 1;
        }
    }
    assert!(count > 20, "only {count} cases were found");
}

fn two_packages(scratch: &Scratch) {
    let tree = [
        ("core/pyproject.toml", "[project]\nname = \"core\"\nversion = \"1.0.0\"\n"),
        (
            "app/pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"0.5.0\"\ndependencies = [\"core>=1.0,<2\"]\n",
        ),
        ("app/CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n"),
        ("other.txt", "x\n"),
    ];
    scratch.write(&tree.map(|(path, text)| (path.to_owned(), text.to_owned())).to_vec());
    scratch.git(&["init", "-q", "-b", "main"]);
    scratch.git(&["config", "user.name", "t"]);
    scratch.git(&["config", "user.email", "t@t.example"]);
    scratch.git(&["add", "-A"]);
    scratch.git(&["commit", "-qm", "start"]);
}

#[test]
fn a_commit_holds_the_bump_and_nothing_else() {
    let scratch = Scratch::new("commit");
    two_packages(&scratch);
    fs::write(scratch.0.join("other.txt"), "staged\n").unwrap();
    scratch.git(&["add", "other.txt"]);
    let done = scratch.bump(&["core", "minor", "--commit"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let files = scratch.git(&["show", "--name-only", "--format=%s"]);
    assert_eq!(
        files,
        "chore(release): core 1.1.0, app 0.5.1\n\napp/CHANGELOG.md\napp/pyproject.toml\ncore/pyproject.toml"
    );
    assert_eq!(scratch.git(&["status", "--porcelain"]), "M  other.txt");
}

#[test]
fn a_commit_over_uncommitted_changes_is_refused() {
    let scratch = Scratch::new("dirty");
    two_packages(&scratch);
    let manifest = scratch.0.join("app/pyproject.toml");
    fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + "# more\n").unwrap();
    let before = scratch.read();
    let refused = scratch.bump(&["core", "minor", "--commit"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("app/pyproject.toml has changes that are not committed"), "{said}");
    same_tree("dirty", scratch.read(), before);
}

#[test]
fn a_commit_that_a_hook_refuses_leaves_the_files_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("hook");
    two_packages(&scratch);
    let hook = scratch.0.join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let before = scratch.read();
    assert_eq!(scratch.bump(&["core", "minor", "--commit"]).status.code(), Some(1));
    same_tree("hook", scratch.read(), before);
}

#[test]
fn auto_bumps_what_its_commits_ask_for() {
    let scratch = Scratch::new("auto");
    two_packages(&scratch);
    let untagged = json(&scratch.bump(&["--dry-run", "--json"]));
    assert!(
        untagged["notes"][1]["text"].as_str().unwrap().starts_with("no tag says what was released")
    );
    scratch.git(&["tag", "core-v1.0.0"]);
    scratch.git(&["tag", "app-v0.5.0"]);
    let commit = |file: &str, message: &str| {
        fs::write(scratch.0.join(file), message).unwrap();
        scratch.git(&["add", "-A"]);
        scratch.git(&["commit", "-qm", message]);
    };
    commit("core/a.py", "docs: say more");
    let nothing = json(&scratch.bump(&["--dry-run", "--json"]));
    assert_eq!(nothing["bumps"], serde_json::json!([]));
    commit("app/a.py", "feat!: drop the old way");
    commit("other.txt", "feat: outside of both");
    let plan = json(&scratch.bump(&["all", "auto", "--dry-run", "--json"]));
    assert_eq!(
        plan["bumps"],
        serde_json::json!([{
            "package": "app", "from": "0.5.0", "to": "0.6.0",
            "reason": "minor, because of 1 commit since app-v0.5.0"
        }])
    );
    assert!(scratch.bump(&["--yes"]).status.success());
    let changelog = fs::read_to_string(scratch.0.join("app/CHANGELOG.md")).unwrap();
    assert!(
        changelog.contains("### Changed\n\n- **Breaking:** Drop the old way.\n"),
        "{changelog}"
    );
    // The untagged version in the repository is the one that the commits call for.
    scratch.git(&["commit", "-qam", "chore: release"]);
    let again = json(&scratch.bump(&["all", "auto", "--dry-run", "--json"]));
    assert_eq!(again["bumps"], serde_json::json!([]));
}

#[test]
fn versions_from_tags_go_on_from_the_tags_that_are_there() {
    let scratch = Scratch::new("tags");
    let manifest = |name: &str| {
        format!(
            "[project]\nname = \"{name}\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n"
        )
    };
    let app = "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"own>=1.2,<2\", \"shared>=0.9\"]\n";
    scratch.write(&vec![
        ("own/pyproject.toml".to_owned(), manifest("own")),
        ("shared/pyproject.toml".to_owned(), manifest("shared")),
        ("app/pyproject.toml".to_owned(), app.to_owned()),
    ]);
    scratch.git(&["init", "-q"]);
    scratch.git(&["add", "-A"]);
    scratch.git(&["commit", "-qm", "start"]);
    for tag in ["own/v1.2.0", "own/v1.10.0", "v0.9.0"] {
        scratch.git(&["tag", tag]);
    }
    let plan = json(&scratch.bump(&["own", "shared", "major", "--dry-run", "--json"]));
    let after: Vec<&str> = plan["edits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| edit["after"].as_str().unwrap())
        .collect();
    assert_eq!(after, ["1.0.1", "2.0", "3", "1.0"]);
    let notes = plan["notes"].to_string();
    assert!(
        notes.contains("the tag `own/v2.0.0`") && notes.contains("the tag `v1.0.0`"),
        "{notes}"
    );
}

#[test]
fn auto_in_a_shallow_clone_says_what_is_missing() {
    let scratch = Scratch::new("shallow");
    two_packages(&scratch);
    scratch.git(&["commit", "-q", "--allow-empty", "-m", "feat: x"]);
    let clone = Scratch::new("shallow-clone");
    let from = format!("file://{}", scratch.0.display());
    scratch.git(&["clone", "-q", "--depth", "1", &from, &clone.0.display().to_string()]);
    let refused = clone.bump(&["all", "auto"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("this clone is shallow: no tag of app, core is in it")
            || said.contains("this clone is shallow: no tag of core, app is in it"),
        "{said}"
    );
    assert!(said.contains("git fetch --unshallow --tags"), "{said}");
}

#[test]
fn a_wrong_target_is_met_with_the_right_one() {
    let scratch = Scratch::new("target");
    two_packages(&scratch);
    let refused = scratch.bump(&["core", "majr"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("`majr` is not a change") && said.contains("did you mean `major`?"),
        "{said}"
    );
    let refused = scratch.bump(&["cor", "minor"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("no distribution is called `cor`") && said.contains("did you mean"),
        "{said}"
    );
}
