//! The tool with every command that it starts counted, and itself killed at one of them.
//!
//! Nothing of it or of its tools is patched. It is a copy of the binary in a `target/` of its own,
//! where it finds its environments; there each interpreter is a script that goes on to the real
//! one. git is such a script too, first on PATH, and so is the Python that it is told to use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::support::{Process, Repo, machine, sha256};

/// When, seen from one command, the tool is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// The command never starts.
    Before,
    /// It runs, and goes on alone.
    During,
    /// It has ended, and the tool has not heard of that.
    After,
}

/// What is done to a run.
pub(crate) enum Plan {
    Nothing,
    /// It is killed at the first command with these words in it; the words `#N ` are in the
    /// command number N, counted from 1.
    Kill(String, Moment),
    Trace,
}

/// A command of a run, with digests of the repository and its remote.
pub(crate) struct Traced {
    pub call: String,
    pub before: String,
    /// `None` for a command that answers questions until the run is over.
    pub after: Option<String>,
}

/// Only what the tool itself starts is counted, not what git or Python start.
const SCRIPT: &str = r##"#!/bin/sh
case "$(cat /proc/$PPID/comm)" in xtask*) ;; *) exec "REAL" "$@" ;; esac
line="NAME $(printf '%s' "$*" | tr '\n' ' ')"
until mkdir "LOG/turn" 2> /dev/null; do sleep 0.01; done
printf '%s\n' "$line" >> "LOG/calls"
number=$(($(wc -l < "LOG/calls")))
rmdir "LOG/turn"
line="#$number $line"
state() { echo "$number $(cd "FOLDER" && find repo remote.git -type f -exec sha256sum {} + | sort | sha256sum)" >> "LOG/states"; }
moment=
case "$line" in *"$(cat "LOG/at")"*) moment=$(cat "LOG/moment") ;; esac
case "$moment" in
Trace) state; "REAL" "$@"; code=$?; state; exit $code ;;
Before) kill -KILL $PPID; exit 1 ;;
During) "REAL" "$@" <&0 & kill -KILL $PPID; wait; exit 1 ;;
After) "REAL" "$@"; kill -KILL $PPID; exit 1 ;;
*) exec "REAL" "$@" ;;
esac
"##;

pub(crate) struct Wrapped {
    folder: PathBuf,
}

impl Wrapped {
    /// A copy for one repository.
    pub(crate) fn beside(repo: &Repo) -> Wrapped {
        let folder = repo.beside("wrapped");
        let wrapped = Wrapped { folder };
        for dir in ["bin", "log", "target/debug", "target/xtask"] {
            fs::create_dir_all(wrapped.folder.join(dir)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_xtask"), wrapped.tool()).unwrap();
        wrapped.script(&which("git"), &wrapped.folder.join("bin/git"));
        wrapped.script(machine::python(), &wrapped.folder.join("bin/python3"));
        // What is shut in is started by this program, and has no parent that it could see.
        if let Some(unshare) = found("unshare") {
            wrapped.script(&unshare, &wrapped.folder.join("bin/unshare"));
        }
        for environment in warm_environments() {
            let name = environment.file_name().unwrap();
            let own = wrapped.folder.join("target/xtask").join(name);
            fs::create_dir_all(own.join("bin")).unwrap();
            wrapped.script(&environment.join("bin/python"), &own.join("bin/python"));
            std::os::unix::fs::symlink(environment.join("lib"), own.join("lib")).unwrap();
            // Of a build environment; the tools' own has none.
            let _ = fs::copy(environment.join("versions.json"), own.join("versions.json"));
            fs::write(own.with_extension("seal"), state(&own)).unwrap();
        }
        wrapped
    }

    /// Starts the tool.
    pub(crate) fn start(&self, repo: &Repo, line: &str, plan: Plan) -> Process {
        for left_over in ["calls", "states"] {
            let _ = fs::remove_file(self.folder.join("log").join(left_over));
        }
        let _ = fs::remove_dir(self.folder.join("log/turn"));
        let (at, moment) = match plan {
            Plan::Nothing => (String::new(), String::new()),
            Plan::Kill(at, moment) => (at, format!("{moment:?}")),
            Plan::Trace => (String::new(), "Trace".to_owned()),
        };
        fs::write(self.folder.join("log/at"), at).unwrap();
        fs::write(self.folder.join("log/moment"), moment).unwrap();
        let bin = self.folder.join("bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([bin.clone()].into_iter().chain(std::env::split_paths(&path)));
        let path = path.unwrap().into_string().unwrap();
        let python = bin.join("python3").to_string_lossy().into_owned();
        repo.start_program(&self.tool(), line, &[("PATH", &path), ("XTASK_PYTHON", &python)])
    }

    /// Runs the tool to its end and takes down, for every command, what lies in the repository and
    /// in its remote before and after it.
    pub(crate) fn trace(&self, repo: &Repo, line: &str) -> Vec<Traced> {
        let run = self.start(repo, line, Plan::Trace).finish().ok();
        drop(run);
        let states = fs::read_to_string(self.folder.join("log/states")).unwrap();
        let of = |number: usize| {
            let of_it = |line: &'_ str| Some(line.strip_prefix(&format!("{number} "))?.to_owned());
            states.lines().filter_map(of_it).collect::<Vec<_>>()
        };
        let traced = |(at, call): (usize, String)| {
            let states = of(at + 1);
            Traced { call, before: states[0].clone(), after: states.get(1).cloned() }
        };
        self.calls().into_iter().enumerate().map(traced).collect()
    }

    /// The commands of the last run, in order.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.join("log/calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn tool(&self) -> PathBuf {
        self.folder.join("target/debug/xtask")
    }

    fn script(&self, real: &Path, script: &Path) {
        let name = script.file_name().unwrap().to_string_lossy();
        let text = SCRIPT
            .replace("REAL", &real.to_string_lossy())
            .replace("FOLDER", &self.folder.parent().unwrap().to_string_lossy())
            .replace("LOG", &self.folder.join("log").to_string_lossy())
            .replace("NAME", &name);
        fs::write(script, text).unwrap();
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A program on PATH.
pub(crate) fn which(program: &str) -> PathBuf {
    found(program).unwrap()
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.exists())
}

/// The environments that the tool has installed for itself, after a run that needs them all.
fn warm_environments() -> &'static [PathBuf] {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let repo = Repo::new().package("core", "2.3.0").commit();
        repo.xtask("release all --rehearse --until built").ok();
        let binary = Path::new(env!("CARGO_BIN_EXE_xtask"));
        let cache = binary.parent().and_then(Path::parent).unwrap().join("xtask");
        let entries = fs::read_dir(cache).unwrap().flatten().map(|entry| entry.path());
        entries.filter(|path| path.join("bin/python").exists()).collect()
    })
}

/// The state of a kept folder, as the tool records it when it has made one (`python/cache.rs`).
fn state(dir: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let mut files = String::new();
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().flatten() {
        if !entry.file_type().is_dir() {
            let file = entry.metadata().unwrap();
            let state = (file.ino(), file.size(), file.ctime(), file.ctime_nsec());
            files += &format!("{} Ok({state:?})\n", entry.path().display());
        }
    }
    sha256(files.as_bytes())[..16].to_owned()
}
