//! Indexes and configuration that mean harm, and the secrets that they are after.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use crate::indexes::{ALWAYS, Fault, On, Stubs};
use crate::support::{Repo, Run};
use crate::wrapped::which;

/// Nobody else on this machine has it, so that whoever shows it got it from here.
const CANARY: &str = "pypi-canary-that-must-not-sing";

const THIRD_PARTY: &str = "\n[tool.xtask.smoke]\nimports = [\"runner\", \"iniconfig\"]\n\
    commands = [[\"python\", \"-c\", \"from importlib.metadata import version as v; \
    assert v('core') == '2.3.0' and v('iniconfig') < '9', (v('core'), v('iniconfig'))\"]]\n";

/// Whoever lets pip choose between two indexes gets the highest version of either.
#[test]
fn nothing_is_installed_that_a_stranger_has_put_on_staging() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3, iniconfig")
        .append("packages/runner/pyproject.toml", THIRD_PARTY)
        .commit();
    let stubs = Stubs::open(&repo);
    for (name, version) in [("core", "99.0"), ("iniconfig", "99.0")] {
        let file = format!("{name}-{version}-py3-none-any.whl");
        stubs.staging.put(&file, repo.wheel(name, version));
    }
    let run = repo.xtask("release all --yes --until staged").ok();
    run.stage("runner 1.5.0", "smoke", "done");
    let asked = stubs.staging.log();
    let touched = |line: &&String| line.contains("99.0") || line.contains("iniconfig");
    assert_eq!(asked.iter().filter(touched).count(), 0, "{}", asked.join("\n"));
}

/// Every build and every smoke test writes its environment down; the index repeats the token.
#[test]
fn only_the_uploading_process_sees_a_token() {
    let dump = "import json, os, sys\n\
        with open(HERE, 'a') as file:\n    print(json.dumps([sys.argv, dict(os.environ)]), file=file)\n";
    let repo = Repo::new().package("core", "2.3.0");
    let seen = repo.beside("seen");
    let dump = dump.replace("HERE", &format!("{:?}", seen.to_string_lossy()));
    let manifest = "packages/core/pyproject.toml";
    let repo = repo
        .file("packages/core/dumping.py", &format!("from flit_core.buildapi import *\n{dump}"))
        .append(manifest, "[tool.flit.sdist]\ninclude = [\"dumping.py\"]\n")
        .append(manifest, "[tool.xtask.smoke]\ncommands = [[\"python\", \"-m\", \"core\"]]\n")
        .file("packages/core/src/core/__main__.py", &dump);
    repo.edit(manifest, "\"flit_core.buildapi\"", "\"dumping\"\nbackend-path = [\".\"]");
    let repo = repo.commit();
    let stubs = Stubs::open(&repo);
    let (path, of_git) = recording_git(&repo);
    let other = "pypi-canary-of-the-other-index";
    let tokens = [
        ("TESTPYPI_TOKEN", CANARY),
        ("PYPI_TOKEN", other),
        ("TWINE_PASSWORD", other),
        ("GH_TOKEN", "needed by git"),
        ("PATH", &path),
    ];
    stubs.index.fail(On::Upload("core-2.3.0.tar"), ALWAYS, Fault::Echo);

    let over = AtomicBool::new(false);
    let (run, (shown, held)) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch_processes(&over));
        let run = repo.xtask_with("release all --yes", &tokens);
        over.store(true, Ordering::SeqCst);
        (run, watch.join().unwrap())
    });
    let run = run.refused(3).says("403").says("***");
    shows_no_token(&run);
    assert_eq!(shown, [""; 0], "in the arguments of a process");
    let uploads = |line: &&String| line.contains("upload.py --no-color upload ");
    assert!(held.iter().any(|line| uploads(&line)), "twine was never seen");
    let strangers: Vec<_> = held.iter().filter(|line| !uploads(line)).collect();
    assert!(strangers.is_empty(), "{strangers:#?}");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.lines().count() >= 3, "sdist, wheel and smoke tests: {seen}");
    assert!(!seen.contains("canary"), "{seen}");
    let of_git = fs::read_to_string(of_git).unwrap();
    assert!(of_git.contains("\ngit push ") && of_git.contains("\nGH_TOKEN=needed by git\n"));
    assert!(!of_git.contains("canary"), "{of_git}");
    no_file_has_it(&repo);
}

/// An index by another name has a token by another name.
#[test]
fn git_does_not_see_the_token_of_a_custom_index() {
    let config = "[workspace.metadata.xtask]\nstaging = \"house\"\n";
    let repo = Repo::new().package("core", "2.3.0").file("Cargo.toml", config).commit();
    let (path, seen) = recording_git(&repo);
    let house = "[distutils]\nindex-servers = house\n[house]\nrepository = http://127.0.0.1:9/\n";
    fs::write(repo.home().join(".pypirc"), house).unwrap();
    repo.xtask_with(
        "release all --yes",
        &[("HOUSE_TOKEN", "a canary of the house"), ("PATH", &path)],
    )
    .refused(1);
    let seen = fs::read_to_string(seen).unwrap();
    let to_the_remote: Vec<&str> = seen
        .split("\ngit ")
        .filter(|call| call.starts_with("push ") || call.starts_with("ls-remote "))
        .collect();
    assert!(to_the_remote.len() >= 3, "{seen}");
    assert!(!to_the_remote.concat().contains("canary"), "{to_the_remote:#?}");
}

/// A PATH with a git that writes down what it is asked for and its environment, and where.
fn recording_git(repo: &Repo) -> (String, PathBuf) {
    let (dir, seen) = (repo.beside("bin"), repo.beside("seen-by-git"));
    fs::create_dir_all(&dir).unwrap();
    let log = seen.display();
    let real = which("git");
    let text = format!(
        "#!/bin/sh\n{{ echo \"git $*\"; env; }} >> '{log}'\nexec '{}' \"$@\"\n",
        real.display()
    );
    fs::write(dir.join("git"), text).unwrap();
    fs::set_permissions(dir.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    (format!("{}:{path}", dir.display()), seen)
}

/// Command lines that hold the canary, and those of processes that hold it in their environment.
fn watch_processes(over: &AtomicBool) -> (Vec<String>, Vec<String>) {
    let (mut shown, mut held) = (Vec::new(), Vec::new());
    let text = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    while !over.load(Ordering::SeqCst) {
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = text(&process.path().join("cmdline"));
            if line.contains("canary-") {
                shown.push(line.clone());
            }
            let holds = text(&process.path().join("environ")).contains(CANARY);
            // A process that is being started still is its parent's image, with its arguments.
            if holds && text(&process.path().join("cmdline")) == line {
                held.push(line);
            }
        }
        thread::sleep(std::time::Duration::from_millis(5));
    }
    held.retain(|line| !line.is_empty() && !line.contains("xtask release"));
    (shown, held)
}

#[track_caller]
fn shows_no_token(run: &Run) {
    assert!(!run.stdout.contains("canary-") && !run.stderr.contains("canary-"), "{run}");
}

#[track_caller]
fn no_file_has_it(repo: &Repo) {
    for dir in ["dist", "target"] {
        for (path, bytes) in repo.files(dir) {
            let packed = path.ends_with(".whl") || path.ends_with(".tar.gz");
            let bytes = if packed { repo.unpacked(&format!("{dir}/{path}")) } else { bytes };
            assert!(!bytes.windows(7).any(|part| part == b"canary-"), "a token is in {path}");
        }
    }
}

/// Whoever reads it complains about it, and quotes what stands there.
#[test]
fn a_broken_pypirc_is_refused_without_showing_its_contents() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let index = "repository = http://127.0.0.1:9/\nusername = __token__\n";
    for broken in [
        // No section, a section that is not closed, a key twice, no value, a bad interpolation.
        format!("password = {CANARY}\n"),
        format!("[testpypi\n{index}password = {CANARY}\n"),
        format!("[pypi]\n{index}password = {CANARY}\npassword = {CANARY}\n"),
        format!("[pypi]\n{index}password\n{CANARY}\n"),
        format!("[distutils]\nindex-servers = {CANARY}\n[pypi]\n{index}password = %({CANARY})s\n"),
        format!(
            "[distutils]\nindex-servers =\n    testpypi\n    pypi\n[testpypi]\n{index}password: {CANARY}\n[testpypi]\n{index}"
        ),
    ] {
        fs::write(repo.home().join(".pypirc"), &broken).unwrap();
        let run = repo.xtask("release all --yes --json");
        shows_no_token(&run);
        assert!(!run.stderr.contains("Traceback"), "{run}");
        run.refused(1).says(".pypirc");
    }
}
