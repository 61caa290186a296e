//! The workflows: valid, safe as far as `zizmor` can tell, pinned, and every line of theirs that
//! can run without a network of GitHub's is run here.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Repo, succeeds};

const WORKFLOWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../.github/workflows");

/// An environment with what `tools/test-requirements.txt` pins, made once for each lock.
pub(crate) fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    let lock = tools.join("test-requirements.txt");
    let text = fs::read_to_string(&lock).unwrap();
    // A cheap digest: the lock only grows or shrinks or changes its hashes.
    let digest =
        text.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("test-tools-{digest:x}"));
    let guard = fs::File::create(dir.with_extension("lock")).unwrap();
    guard.lock().unwrap();
    if !dir.join("done").exists() {
        let _ = fs::remove_dir_all(&dir);
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&dir));
        succeeds(
            Command::new(dir.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(["--require-hashes", "--no-deps", "-r"])
                .arg(&lock),
        );
        fs::write(dir.join("done"), "").unwrap();
    }
    dir.join("bin")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(WORKFLOWS).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2);
    files
}

/// Every workflow as JSON, by file name.
fn workflows() -> BTreeMap<String, Value> {
    let read = "import json, sys; from ruamel.yaml import YAML\n\
                print(json.dumps({path: YAML(typ='safe').load(open(path)) for path in sys.argv[1:]}))";
    let output = succeeds(Command::new(tools().join("python")).args(["-c", read]).args(files()));
    let all: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).unwrap();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    all.into_iter().map(|(path, workflow)| (name(&path), workflow)).collect()
}

/// The steps of a workflow in their order, jobs as they stand in the file.
fn steps(workflow: &Value, jobs: &[&str]) -> Vec<Value> {
    let all = workflow["jobs"].as_object().unwrap();
    assert_eq!(all.len(), jobs.len(), "a job that no test knows");
    jobs.iter().flat_map(|job| all[*job]["steps"].as_array().unwrap().clone()).collect()
}

#[test]
fn workflows_are_valid_and_safe() {
    let tools = tools();
    succeeds(
        Command::new(tools.join("check-jsonschema"))
            .args(["--builtin-schema", "vendor.github-workflows"])
            .args(files()),
    );
    succeeds(
        Command::new(tools.join("zizmor"))
            .args(["--offline", "--persona", "pedantic"])
            .args(files()),
    );
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let mut count = 0;
    for file in files() {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let Some((_, action)) = line.split_once("uses: ") else { continue };
            let (action, comment) = action.split_once(" # ").unwrap_or((action, ""));
            let commit = action.split_once('@').unwrap().1;
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{line}");
            assert!(comment.starts_with('v'), "{line}: which version is it?");
            count += 1;
        }
    }
    assert!(count > 5);
}

/// Two distributions, one of which wants wheels for every platform, and a remote.
fn repository() -> (Repo, Repo) {
    let manifest = |name: &str, more: &str| {
        format!(
            "[build-system]\nrequires = [\"hatchling>=1.27\"]\nbuild-backend = \"hatchling.build\"\n\
             [project]\nname = \"{name}\"\nversion = \"1.0.0\"\nreadme = \"README.md\"\nlicense = \"MIT\"\n{more}"
        )
    };
    let repository = Repo::of::<&str>(&[
        (".gitignore", "/target/\n/dist/\n"),
        ("pyproject-templates/shared.toml", "[project]\nlicense = \"MIT\"\n"),
        ("wf-core/pyproject.toml", &manifest("wf-core", "[tool.cibuildwheel]\n")),
        ("wf-core/README.md", "What it is for.\n"),
        ("wf-core/wf_core/__init__.py", ""),
        ("wf-app/pyproject.toml", &manifest("wf-app", "dependencies = [\"wf-core>=1,<2\"]\n")),
        ("wf-app/README.md", "What it is for.\n"),
        ("wf-app/wf_app/__init__.py", ""),
        (
            "wf-app/tests/test_it.py",
            "import wf_app\n\n\ndef test_it():\n    assert wf_app.__file__\n",
        ),
    ]);
    repository.record("state");
    let remote = Repo::of::<&str>(&[]);
    remote.git_with(&["init", "-q", "--bare"]);
    repository.git_with(&["remote", "add", "origin", &remote.root().display().to_string()]);
    repository.git_with(&["push", "-q", "origin", "main"]);
    (repository, remote)
}

/// A `cargo` that knows what the workflows ask of it: the tool itself (a release is rehearsed),
/// the formatting of this repository, and whether clippy is there.
fn cargo(dir: &Path) {
    let (tool, real) = (env!("CARGO_BIN_EXE_xtask"), env!("CARGO"));
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let text = format!(
        "#!/bin/bash\ncase \"$1 $2\" in\n\
         'xtask release') shift; exec {tool} \"$@\" $([[ $* == *--rehearse* ]] || echo --rehearse) ;;\n\
         xtask*) shift; exec {tool} \"$@\" ;;\n\
         fmt*) cd {home}; exec {real} \"$@\" ;;\n\
         clippy*) exec {real} clippy --version ;;\n\
         *) echo \"what is cargo $*?\" >&2; exit 1 ;;\nesac\n"
    );
    fs::write(dir.join("cargo"), text).unwrap();
    fs::set_permissions(dir.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// What needs an index, a platform or an identity of a job: it is parsed, not run.
const ELSEWHERE: [&str; 3] = ["-m cibuildwheel", "wheel-requirements", "pypi_attestations"];

/// Runs every step in the repository, with the variables that a job would have.
fn run(steps: &[Value], workflow: &Value, repository: &Repo, scratch: &Repo) {
    cargo(scratch.root());
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", scratch.root().display());
    fs::create_dir_all(repository.path("target")).unwrap();
    let mut ran = 0;
    for step in steps {
        let Some(script) = step["run"].as_str() else { continue };
        let mut bash = Command::new("bash");
        bash.args(["-eo", "pipefail"]).current_dir(repository.root()).env("PATH", &path);
        let literal = |(name, value): (&String, &Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (!value.contains("${{")).then(|| (name.clone(), value))
        };
        let given = [&workflow["env"], &step["env"]].into_iter().filter_map(Value::as_object);
        bash.envs(
            given.flatten().filter_map(literal).filter(|(name, _)| !name.starts_with("GIT_CONFIG")),
        );
        bash.env("TARGET", "all").env("CHANGE", "minor").env("ONLY", "--python");
        bash.env("GITHUB_REF_NAME", "main");
        bash.env("GITHUB_OUTPUT", scratch.path("output"));
        bash.env("GITHUB_STEP_SUMMARY", scratch.path("summary"));
        if ELSEWHERE.iter().any(|word| script.contains(word)) {
            bash.arg("-n");
        } else {
            ran += 1;
        }
        succeeds(bash.args(["-c", script]));
    }
    assert!(ran > 3);
}

#[test]
fn every_line_of_ci_runs() {
    let workflow = &workflows()["ci.yml"];
    let ((repository, _remote), scratch) = (repository(), Repo::of::<&str>(&[]));
    run(&steps(workflow, &["check", "test", "rehearse"]), workflow, &repository, &scratch);
}

#[test]
fn every_line_of_a_release_runs() {
    let workflow = &workflows()["release.yml"];
    let ((repository, remote), scratch) = (repository(), Repo::of::<&str>(&[]));
    run(&steps(workflow, &["plan", "build", "wheels", "publish"]), workflow, &repository, &scratch);
    // The bump is where the remote has it, and the jobs were told of it.
    let head = repository.git_with(&["rev-parse", "HEAD"]);
    assert_eq!(remote.git_with(&["rev-parse", "main"]), head);
    assert!(repository.read("wf-core/pyproject.toml").contains("version = \"1.1.0\""));
    let output = scratch.read("output");
    assert_eq!(output, format!("commit={head}\nnative=[\"wf-core\"]\n"));
    let summary = scratch.read("summary");
    assert!(summary.contains("| wf-core | 1.1.0 | `wf-core-v1.1.0` | build: done"), "{summary}");
}
