//! A small Python monorepo with a home of its own and, unless it is only a folder, a bare remote.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::case::Tree;
use super::process::{Process, Run};
use super::scratch::Scratch;
use super::{machine, snapshot, tree};

const MANIFEST: &str = r#"[build-system]
requires = ["flit_core>=3.9,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "NAME"
version = "VERSION"
description = "A fixture"
readme = "README.md"
requires-python = ">=3.10"
dependencies = [REQUIREMENTS]
"#;

/// Prints the paths in an archive.
const LIST: &str = r#"
import sys, tarfile, zipfile
file = sys.argv[1]
wheel = file.endswith(".whl")
names = zipfile.ZipFile(file).namelist() if wheel else tarfile.open(file).getnames()
print(*names, sep="\n")
"#;

/// Prints what the files in an archive hold.
const UNPACK: &str = r#"
import sys, tarfile, zipfile
file = sys.argv[1]
if file.endswith(".whl"):
    archive = zipfile.ZipFile(file)
    held = [archive.read(name) for name in archive.namelist()]
else:
    archive = tarfile.open(file)
    held = [archive.extractfile(member).read() for member in archive if member.isfile()]
sys.stdout.buffer.write(b"\n".join(held))
"#;

/// Makes a wheel of one module.
const WHEEL: &str = r#"
import sys, zipfile
file, name, version = sys.argv[1:]
info = f"{name}-{version}.dist-info"
with zipfile.ZipFile(file, "w") as wheel:
    wheel.writestr(f"{name}/__init__.py", "")
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", "")
"#;

pub(crate) struct Repo {
    scratch: Scratch,
    root: PathBuf,
}

/// Everything about a repository that a rehearsal must not touch.
#[derive(PartialEq, Debug)]
pub(crate) struct Standing {
    status: String,
    refs: String,
    head: String,
    files: BTreeMap<String, Vec<u8>>,
    home: BTreeMap<String, Vec<u8>>,
}

impl Repo {
    /// An empty repository on `main`, whose remote `origin` is bare and empty too.
    pub(crate) fn new() -> Repo {
        let repo = Repo::of::<&str>(&[]);
        repo.git("init --quiet --bare ../remote.git");
        repo.git("init --quiet");
        repo.git("remote add origin ../remote.git");
        repo
    }

    /// A folder with these files, which git knows nothing of until [`Repo::record`].
    pub(crate) fn of<Text: AsRef<str>>(files: &[(&str, Text)]) -> Repo {
        let scratch = Scratch::new();
        let root = scratch.path().join("repo");
        fs::create_dir_all(&root).unwrap();
        let repo = Repo::at(root, scratch);
        files.iter().for_each(|(path, text)| repo.write(path, text.as_ref()));
        repo
    }

    /// The repository that this crate is part of; nothing may be written to it.
    pub(crate) fn here() -> Repo {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        Repo::at(root.to_owned(), Scratch::new())
    }

    /// A copy of the repository that this crate is part of, as it is on disk, in one commit.
    pub(crate) fn copy_of_here() -> Repo {
        let here = Repo::here();
        let listed = here.git("ls-files --cached --others --exclude-standard");
        let copy = Repo::of::<&str>(&[]);
        for path in listed.lines().filter(|path| here.path(path).is_file()) {
            fs::create_dir_all(copy.path(path).parent().unwrap()).unwrap();
            fs::copy(here.path(path), copy.path(path)).unwrap();
        }
        copy.commit()
    }

    /// Two distributions of a namespace, in a workspace of their own, committed.
    pub(crate) fn of_a_namespace() -> Repo {
        let manifest = |name: &str, more: &str| {
            format!("[project]\nname = \"{name}\"\nversion = \"1.2.0\"\n{more}")
        };
        Repo::of::<&str>(&[
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
        ])
        .commit()
    }

    fn at(root: PathBuf, scratch: Scratch) -> Repo {
        let repo = Repo { scratch, root };
        fs::create_dir_all(repo.home()).unwrap();
        let config =
            "[user]\nname = Test\nemail = test@example.org\n[init]\ndefaultBranch = main\n";
        fs::write(repo.home().join(".gitconfig"), config).unwrap();
        repo
    }

    /// Adds a distribution in `packages/NAME` with one module. `what` is its version and, behind
    /// a colon, its requirements.
    pub(crate) fn package(self, name: &str, what: &str) -> Repo {
        let (version, requirements) = what.split_once(": ").unwrap_or((what, ""));
        let requirements: Vec<String> =
            requirements.split(", ").filter(|r| !r.is_empty()).map(|r| format!("{r:?}")).collect();
        let manifest = MANIFEST
            .replace("NAME", name)
            .replace("VERSION", version)
            .replace("REQUIREMENTS", &requirements.join(", "));
        let (dir, module) = (format!("packages/{name}"), name.replace('-', "_"));
        self.file(&format!("{dir}/pyproject.toml"), &manifest)
            .file(&format!("{dir}/README.md"), &format!("# {name}\n"))
            .file(&format!("{dir}/src/{module}/__init__.py"), "\"\"\"A fixture.\"\"\"\n")
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Repo {
        self.write(path, text);
        self
    }

    /// Puts text at the end of a file.
    pub(crate) fn append(self, path: &str, text: &str) -> Repo {
        let old = self.read(path);
        self.file(path, &(old + text))
    }

    /// Commits everything, and pushes it where there is a remote.
    pub(crate) fn commit(self) -> Repo {
        self.record("everything");
        self
    }

    /// The same with a message of its own.
    pub(crate) fn record(&self, message: &str) {
        if !self.path(".git").exists() {
            self.git("init --quiet");
        }
        self.git("add --all");
        self.git_with(&["commit", "--quiet", "--allow-empty", "--message", message]);
        if self.beside("remote.git").exists() {
            self.git("push --quiet origin HEAD");
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces text that has to be in a file.
    #[track_caller]
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let old = self.read(path);
        assert!(old.contains(from), "`{from}` is not in {path}");
        self.write(path, &old.replace(from, to));
    }

    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.scratch.path().join("home")
    }

    /// A folder beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Another clone of the same remote, made with these flags, becomes the repository.
    pub(crate) fn cloned(mut self, flags: &str) -> Repo {
        let url = format!("file://{}", self.beside("remote.git").display());
        self.git(&format!("clone --quiet {flags} {url} ../clone"));
        self.root = self.beside("clone");
        self
    }

    /// Runs git, which has to succeed; its standard output without white space around it.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &str) -> String {
        self.git_with(&arguments.split(' ').collect::<Vec<_>>())
    }

    #[track_caller]
    pub(crate) fn git_with(&self, arguments: &[&str]) -> String {
        let mut git = machine::command(Path::new("git"), &self.home());
        let output = git.current_dir(&self.root).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs the tool in the repository.
    #[track_caller]
    pub(crate) fn xtask(&self, line: &str) -> Run {
        self.xtask_with(line, &[])
    }

    /// The same with variables in its environment.
    #[track_caller]
    pub(crate) fn xtask_with(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        self.start(line, variables).finish()
    }

    /// Starts the tool and leaves it running.
    pub(crate) fn start(&self, line: &str, variables: &[(&str, &str)]) -> Process {
        self.start_program(Path::new(env!("CARGO_BIN_EXE_xtask")), line, variables)
    }

    /// The same with another binary of the tool.
    pub(crate) fn start_program(
        &self,
        tool: &Path,
        line: &str,
        variables: &[(&str, &str)],
    ) -> Process {
        let mut tool = self.command(tool);
        tool.args(line.split_whitespace()).envs(variables.iter().copied());
        Process::start(tool, line, &self.root)
    }

    /// A program in the repository, with the tool told where that is if git cannot tell it.
    fn command(&self, program: &Path) -> Command {
        let mut command = machine::command(program, &self.home());
        command.current_dir(&self.root);
        if !self.path(".git").exists() {
            command.arg("--root").arg(&self.root);
        }
        command
    }

    /// What a person sees of a command that is typed in the repository: both streams in the order
    /// of what is printed, and its exit code in brackets unless that is 0. A `2> /dev/null` behind
    /// the command leaves standard error out.
    #[track_caller]
    pub(crate) fn prints(&self, line: &str) -> String {
        let (typed, is_quiet) = match line.strip_suffix(" 2> /dev/null") {
            Some(typed) => (typed, true),
            None => (line, false),
        };
        let mut command = match typed.strip_prefix("cargo xtask ") {
            Some(arguments) => {
                let mut tool = self.command(Path::new(env!("CARGO_BIN_EXE_xtask")));
                tool.args(arguments.split_whitespace());
                tool
            }
            None => {
                let mut words = typed.split_whitespace();
                let mut program = machine::command(Path::new(words.next().unwrap()), &self.home());
                program.current_dir(&self.root).args(words);
                program
            }
        };
        let (mut reader, writer) = std::io::pipe().unwrap();
        command.stdout(writer.try_clone().unwrap());
        if is_quiet {
            command.stderr(std::process::Stdio::null());
        } else {
            command.stderr(writer.try_clone().unwrap());
        }
        let mut child = command.spawn().unwrap();
        // The command and this function hold the ends of the pipe that are written to.
        drop(command);
        drop(writer);
        let mut printed = String::new();
        reader.read_to_string(&mut printed).unwrap();
        let code = child.wait().unwrap().code();
        // What this machine has set for pip, or has not installed yet.
        let is_general = |line: &&str| !line.contains("PIP_") && !line.starts_with("installing ");
        let mut printed: String =
            printed.lines().filter(is_general).map(|line| format!("{line}\n")).collect();
        if code != Some(0) {
            printed +=
                &format!("[{}]\n", code.map_or("killed".to_owned(), |code| code.to_string()));
        }
        snapshot::masked(&printed, &self.root)
    }

    /// Every file outside `.git`; the text of a symbolic link is `-> TARGET`.
    pub(crate) fn tree(&self) -> Tree {
        let entries = walkdir::WalkDir::new(&self.root).sort_by_file_name().into_iter();
        let entries = entries.map(Result::unwrap).filter(|entry| !entry.file_type().is_dir());
        entries
            .map(|entry| {
                let text = if entry.file_type().is_symlink() {
                    format!("-> {}\n", fs::read_link(entry.path()).unwrap().display())
                } else {
                    String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned()
                };
                let path = entry.path().strip_prefix(&self.root).unwrap();
                (path.to_string_lossy().into_owned(), text)
            })
            .filter(|(path, _)| path != ".git" && !path.starts_with(".git/"))
            .filter(|(path, _)| !path.starts_with("target/xtask/"))
            .collect()
    }

    /// Writes files; a text `-> TARGET` becomes a symbolic link.
    pub(crate) fn write_tree(&self, tree: &Tree) {
        for (path, text) in tree {
            let Some(target) = text.strip_prefix("-> ") else {
                self.write(path, text);
                continue;
            };
            let link = self.path(path);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(target.trim(), link).unwrap();
        }
    }

    /// The tags of the remote: name, kind of object, commit.
    pub(crate) fn remote_tags(&self) -> Vec<(String, String, String)> {
        let format = "--format=%(refname:strip=2) %(objecttype) %(*objectname)";
        let remote = self.beside("remote.git").to_string_lossy().into_owned();
        let tags = self.git_with(&["--git-dir", &remote, "for-each-ref", "refs/tags", format]);
        let word = |words: &mut std::str::Split<char>| words.next().unwrap_or_default().to_owned();
        tags.lines()
            .map(|line| line.split(' '))
            .map(|mut words| (word(&mut words), word(&mut words), word(&mut words)))
            .collect()
    }

    /// The ledger of a version that was built.
    #[track_caller]
    pub(crate) fn ledger(&self, version: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(&format!("dist/{version}/release.json"))).unwrap()
    }

    /// The members of a wheel or an sdist.
    pub(crate) fn members(&self, archive: &str) -> Vec<String> {
        let listed = String::from_utf8(self.look_into(archive, LIST)).unwrap();
        listed.lines().map(str::to_owned).collect()
    }

    /// What all files in a wheel or an sdist hold.
    pub(crate) fn unpacked(&self, archive: &str) -> Vec<u8> {
        self.look_into(archive, UNPACK)
    }

    fn look_into(&self, archive: &str, script: &str) -> Vec<u8> {
        let mut python = machine::command(machine::python(), &self.home());
        let output = python.args(["-I", "-c", script]).arg(self.path(archive)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// A wheel that nobody has built from sources.
    pub(crate) fn wheel(&self, name: &str, version: &str) -> Vec<u8> {
        let path = self.beside("made.whl");
        let mut python = machine::command(machine::python(), &self.home());
        let arguments = ["-I", "-c", WHEEL].map(std::ffi::OsStr::new);
        python.args(arguments).arg(&path).args([name, version]);
        assert!(python.status().unwrap().success());
        fs::read(path).unwrap()
    }

    /// The files below a folder of the repository.
    pub(crate) fn files(&self, dir: &str) -> BTreeMap<String, Vec<u8>> {
        tree::snapshot(&self.path(dir), &[])
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing {
            status: self.git("status --porcelain=v2 --branch --untracked-files=all"),
            refs: self.git("for-each-ref"),
            head: fs::read_to_string(self.path(".git/HEAD")).unwrap(),
            files: tree::snapshot(&self.root, &[".git", "target"]),
            home: tree::snapshot(&self.home(), &[]),
        }
    }
}
