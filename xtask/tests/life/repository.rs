//! A small repository in a directory that goes away with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use walkdir::WalkDir;

/// A repository, with the program to run on it.
pub(crate) struct Repository(pub PathBuf, Lives);

/// Whether the directory goes away with the test.
#[derive(PartialEq)]
enum Lives {
    WithTheTest,
    ForEver,
}

/// What one run said, with its exit code.
pub(crate) struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    pub(crate) fn from(output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// # Panics
    /// The run ended with another exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self
    }
}

impl Repository {
    /// Takes `(path, text)` for every file; no git.
    pub(crate) fn new(files: &[(&str, &str)]) -> Repository {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("xtask-life-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let repository = Repository(dir.canonicalize().unwrap(), Lives::WithTheTest);
        files.iter().for_each(|(path, text)| repository.write(path, text));
        repository
    }

    /// The same with everything committed.
    pub(crate) fn committed(files: &[(&str, String)]) -> Repository {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let repository = Repository::new(&files);
        repository.commit();
        repository
    }

    /// The repository that this crate lives in; nothing may be written to it.
    pub(crate) fn at_home() -> Repository {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        Repository(root.to_owned(), Lives::ForEver)
    }

    /// A copy of the repository that this crate lives in, as it lies there, in one commit.
    pub(crate) fn copied_from_home() -> Repository {
        let home = Repository::at_home();
        let listed = home.git(&["ls-files", "--cached", "--others", "--exclude-standard"]);
        let copy = Repository::new(&[]);
        for path in listed.lines().filter(|path| home.path(path).is_file()) {
            fs::create_dir_all(copy.path(path).parent().unwrap()).unwrap();
            fs::copy(home.path(path), copy.path(path)).unwrap();
        }
        copy.commit();
        copy
    }

    /// Two distributions of a namespace, in a workspace of their own, committed.
    pub(crate) fn of_a_namespace() -> Repository {
        let manifest = |name: &str, more: &str| {
            format!("[project]\nname = \"{name}\"\nversion = \"1.2.0\"\n{more}")
        };
        let repository = Repository::new(&[
            ("Cargo.toml", "[workspace.metadata.xtask]\npackages = [\"packages/*\"]\n"),
            ("packages/ns-core/pyproject.toml", &manifest("ns-core", "")),
            ("packages/ns-core/src/ns/core/__init__.py", ""),
            (
                "packages/ns-app/pyproject.toml",
                &manifest(
                    "ns-app",
                    "dependencies = [\"ns-core>=1.2,<2\"]\n[tool.xtask]\ntag = \"app-v{version}\"\n",
                ),
            ),
            ("packages/ns-app/src/ns/app/__init__.py", ""),
        ]);
        repository.commit();
        repository
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Runs `xtask --root REPOSITORY ARGUMENTS...`, split at blanks.
    pub(crate) fn xtask(&self, arguments: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(&self.0).args(arguments.split_whitespace());
        command.env_remove("GITHUB_ACTIONS");
        Said::from(command.output().unwrap())
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
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

    /// Everything as one commit.
    pub(crate) fn commit(&self) {
        if !self.path(".git").exists() {
            self.git(&["init", "-q", "-b", "main"]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "state"]);
    }

    /// Every file outside `.git` with its text.
    pub(crate) fn tree(&self) -> Vec<(String, String)> {
        let entries = WalkDir::new(&self.0).sort_by_file_name().into_iter().map(Result::unwrap);
        entries
            .filter(|entry| entry.file_type().is_file())
            .filter(|entry| !entry.path().components().any(|part| part.as_os_str() == ".git"))
            .map(|entry| {
                let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                (entry.path().strip_prefix(&self.0).unwrap().display().to_string(), text)
            })
            .collect()
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        if self.1 == Lives::WithTheTest {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
