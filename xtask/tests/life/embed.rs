//! `embed` into repositories of every shape: what it writes, what it leaves alone, and that the
//! tool works there.

use std::process::Command;

use serde_json::Value;

use crate::shapes;
use crate::support::{Process, Repo, Run, snapshot};

const HANDBOOK: &str = "docs/when-a-release-stops.md";

/// Embeds into a repository.
#[track_caller]
fn embed(repository: &Repo) -> Run {
    repository.xtask("embed .")
}

const HATCH: &str =
    "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";

/// One repository with a distribution of each back end.
fn mixed() -> Vec<(&'static str, String)> {
    vec![
        (
            "libs/one/pyproject.toml",
            format!("{HATCH}[project]\nname = \"one\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n"),
        ),
        ("libs/one/src/one/__init__.py", String::new()),
        (
            "libs/two/pyproject.toml",
            "[build-system]\nrequires = [\"setuptools>=61\"]\nbuild-backend = \"setuptools.build_meta\"\n\
             [project]\nname = \"two\"\ndynamic = [\"version\"]\ndependencies = [\"one>=1.0,<2\"]\nlicense = 'MIT'\n\
             [tool.setuptools.dynamic]\nversion = { attr = \"two.__version__\" }\n"
                .to_owned(),
        ),
        ("libs/two/src/two/__init__.py", "__version__ = \"2.0.0\"\n".to_owned()),
        (
            "services/three/pyproject.toml",
            "[build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n\
             [tool.poetry]\nname = \"three\"\nversion = \"0.3.0\"\n\
             [tool.poetry.dependencies]\npython = \"^3.10\"\ntwo = \"^2.0\"\n"
                .to_owned(),
        ),
        ("services/three/three/__init__.py", String::new()),
        (
            "services/three/tests/fixture/pyproject.toml",
            "[project]\nname = \"one\"\nversion = \"9\"\n".to_owned(),
        ),
        (
            "four/pyproject.toml",
            "[build-system]\nrequires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"\n\
             [project]\nname = \"four\"\ndynamic = [\"version\", \"description\"]\n"
                .to_owned(),
        ),
        ("four/four.py", "\"\"\"Four.\"\"\"\n__version__ = \"4.0\"\n".to_owned()),
        (
            "five/pyproject.toml",
            "[build-system]\nrequires = [\"hatchling\", \"hatch-vcs\"]\nbuild-backend = \"hatchling.build\"\n\
             [project]\nname = \"five\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n"
                .to_owned(),
        ),
    ]
}

/// After an embedding every command that only looks works, and so does a bump that only plans.
#[track_caller]
fn works(repository: &Repo, names: &[&str]) {
    let status = repository.xtask("status --json").exits(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let found: Vec<&str> = status["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap())
        .collect();
    assert_eq!(found, names);
    let check = repository.xtask("check --json");
    let check: Value = serde_json::from_str(&check.stdout).unwrap();
    assert!(check["findings"].is_array());
    repository.xtask("bump all patch --dry-run").exits(0);
}

#[test]
fn a_repository_of_every_back_end() {
    let repository = Repo::of(&mixed()).commit();
    repository.git_with(&["tag", "five-v5.0"]);
    let said = embed(&repository).exits(0);
    snapshot::section("the distributions of every back end", &said.stdout);
    assert!(!said.stderr.contains("warning"), "{said}");
    assert!(
        repository
            .read("Cargo.toml")
            .contains("packages = [\"five\", \"four\", \"libs/*\", \"services/*\"]\n"),
        "{}",
        repository.read("Cargo.toml")
    );
    assert_eq!(repository.read(".gitignore"), "/target/\n");
    repository.record("state");
    works(&repository, &["five", "four", "one", "two", "three"]);
    // What nobody has in common is not shared.
    assert!(!repository.read("pyproject-templates/shared.toml").contains("license ="));
    repository.xtask("new six").exits(0);
    assert!(repository.path("libs/six/src/six/__init__.py").exists());
}

#[test]
fn embedding_again_updates_only_the_crate() {
    let repository = Repo::of(&mixed()[..4]).commit();
    embed(&repository).exits(0);
    assert!(repository.read("pyproject-templates/shared.toml").contains("license = \"MIT\""));
    let fresh = repository.tree();
    repository.write("xtask/src/main.rs", "fn main() {}\n");
    let refused = embed(&repository).exits(1);
    assert!(refused.stderr.contains("xtask/src/main.rs"), "{refused}");
    std::fs::remove_file(repository.path("xtask/src/main.rs")).unwrap();
    let mine = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"xtask\"]\n[workspace.metadata.xtask]\nremote = \"up\"\n",
        ),
        (".cargo/config.toml", "[alias]\nxtask = \"run -q -p xtask --\"\n"),
        ("pyproject-templates/shared.toml", "[project]\nlicense = \"MIT\"\n"),
    ];
    mine.iter().for_each(|(path, text)| repository.write(path, text));
    let said = embed(&repository).exits(0);
    snapshot::section("embedding again", &snapshot::masked(&said.stderr, repository.root()));
    let changed: Vec<_> = fresh
        .into_iter()
        .map(|(path, text)| {
            let own = mine.iter().find(|(own, _)| *own == path);
            (path, own.map_or(text, |(_, text)| (*text).to_owned()))
        })
        .collect();
    assert_eq!(repository.tree(), changed);
}

#[test]
fn an_existing_cargo_workspace_is_merged_into() {
    let mut files = mixed()[..2].to_vec();
    files.push((
        "Cargo.toml",
        "# ours\n[workspace]\nmembers = [\"native\"] # one\nresolver = \"2\"\n".into(),
    ));
    files.push((
        "native/Cargo.toml",
        "[package]\nname = \"native\"\nversion = \"0.1.0\"\nedition = \"2021\"\n".into(),
    ));
    files.push(("native/src/lib.rs", String::new()));
    files.push((".cargo/config.toml", "[alias]\nb = \"build\"\n".into()));
    files.push((".gitignore", "target\n".into()));
    let repository = Repo::of(&files).commit();
    embed(&repository).exits(0);
    assert_eq!(
        repository.read("Cargo.toml"),
        "# ours\n[workspace]\nmembers = [\"native\", \"xtask\"] # one\nresolver = \"2\"\n\n\
         [workspace.metadata.xtask]\npackages = [\"libs/*\"]\n"
    );
    assert!(repository.read(".cargo/config.toml").starts_with("[alias]\nb = \"build\"\nxtask = "));
    assert_eq!(repository.read(".gitignore"), "target\n");
    let lock = repository.read("Cargo.lock");
    assert!(lock.contains("name = \"native\"") && lock.contains("name = \"toml_edit\""), "{lock}");
    works(&repository, &["one"]);
}

#[test]
fn standalone_crates_stay_outside_the_workspace() {
    let mut files = mixed()[..2].to_vec();
    files.push((
        "libs/one/Cargo.toml",
        "[package]\nname = \"one\"\nversion = \"0.1.0\"\nedition = \"2021\"\n".into(),
    ));
    files.push(("libs/one/src/lib.rs", String::new()));
    let repository = Repo::of(&files).commit();
    repository.git_with(&["checkout", "-q", "-b", "trunk"]);
    repository.git_with(&["remote", "add", "upstream", "https://host.example/x.git"]);
    embed(&repository).exits(0);
    let cargo = repository.read("Cargo.toml");
    assert!(cargo.contains("exclude = [\"libs/one\"]\n"), "{cargo}");
    assert!(
        cargo.contains("branches = [\"trunk\", \"release/*\"]\nremote = \"upstream\"\n"),
        "{cargo}"
    );
    works(&repository, &["one"]);
}

#[test]
fn one_distribution_in_the_root_and_setup_files() {
    let root = Repo::of::<String>(&[
        ("pyproject.toml", "[project]\nname = \"root\"\nversion = \"1\"\n".into()),
        ("root.py", String::new()),
    ]);
    embed(&root).exits(0);
    assert!(
        root.read("Cargo.toml").contains("packages = [\".\"]\n"),
        "{}",
        root.read("Cargo.toml")
    );
    works(&root, &["root"]);

    let old = Repo::of::<String>(&[
        ("a/setup.py", "from setuptools import setup\nsetup(name=\"a\", version=\"1.0\")\n".into()),
        (
            "b/setup.cfg",
            "[metadata]\nname = b\nversion = 2.0\n[options]\ninstall_requires = a>=1\n".into(),
        ),
    ]);
    embed(&old).exits(0);
    assert!(!old.read("Cargo.toml").contains("packages"), "{}", old.read("Cargo.toml"));
    works(&old, &["a", "b"]);
}

#[test]
fn a_refused_embedding_writes_nothing() {
    for (files, title) in [
        (vec![("README.md", "nothing".to_owned())], "a folder without a distribution"),
        (
            vec![
                ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n".to_owned()),
                (
                    "xtask/Cargo.toml",
                    "[package]\nname = \"xtask\"\nversion = \"0.1.0\"\n".to_owned(),
                ),
            ],
            "another crate that is called xtask",
        ),
        (
            vec![
                ("pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n".to_owned()),
                ("Cargo.toml", "workspace = { members = [] }\n[broken\n".to_owned()),
            ],
            "a workspace that is not valid TOML",
        ),
    ] {
        let repository = Repo::of(&files).commit();
        let before = repository.tree();
        embed(&repository).exits(1).shows(title);
        assert_eq!(repository.tree(), before);
    }
}

/// What a person types there. What Cargo has built and the tools that were installed are kept for
/// the next time.
fn cargo(repository: &Repo, arguments: &str) -> Run {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(repository.root());
    command.env("CARGO_TARGET_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/embedded"));
    command.args(arguments.split(' ')).env_remove("GITHUB_ACTIONS");
    Process::start(command, arguments, repository.root()).finish()
}

/// With no further step, not even a commit: Cargo builds it in the workspace that is there, whose
/// lock it takes as it was joined, and a rehearsal runs.
#[test]
fn the_embedded_tool_runs() {
    let repository = shapes::repository("flit");
    cargo(&repository, "generate-lockfile --offline").exits(0);
    repository.record("state");
    embed(&repository).exits(0);
    let status = cargo(&repository, "xtask status").exits(0);
    assert!(
        status.stdout.contains("plant         0.7.0    never tagged         seed"),
        "{}",
        status.stdout
    );
    let said = cargo(&repository, "xtask release all --rehearse").exits(0);
    snapshot::section("a rehearsal of the embedded tool", &said.stdout);

    // What a stop names can be opened there.
    std::fs::remove_file(repository.path("seed/README.md")).unwrap();
    repository.record("state");
    let said = cargo(&repository, "xtask release all --rehearse").exits(1);
    let named = said.stderr.rsplit('(').next().unwrap().split(')').next().unwrap();
    assert_eq!(named, format!("xtask/{HANDBOOK}"), "{}", said.stderr);
    assert_eq!(repository.read(named), Repo::here().read(HANDBOOK));
}

/// Whatever is embedded is as good there as here: it says nothing about this repository.
#[test]
fn the_crate_names_no_distribution_of_this_repository() {
    let here = Repo::here();
    let status = here.xtask("status --json").exits(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let names: Vec<String> = status["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["name"].as_str().unwrap().to_owned())
        .collect();
    let parts = [
        "xtask/Cargo.toml",
        "xtask/benches",
        "xtask/domain",
        "xtask/formats",
        "xtask/src",
        "xtask/tools",
        HANDBOOK,
        "pyproject-templates",
    ];
    for part in parts {
        for entry in walkdir::WalkDir::new(here.path(part)).into_iter().map(Result::unwrap) {
            let path =
                entry.path().strip_prefix(here.root()).unwrap().to_string_lossy().into_owned();
            // What is shared here is not embedded.
            if entry.file_type().is_dir() || path.starts_with("pyproject-templates/shared") {
                continue;
            }
            let text = here.read(&path).to_lowercase();
            for name in &names {
                assert!(!text.contains(name.as_str()), "{path} names {name}");
            }
        }
    }
}
