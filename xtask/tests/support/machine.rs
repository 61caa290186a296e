//! What of this machine a test may see: an environment without anybody's configuration or
//! secrets, but with the machine's own way to the package index.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::tree;

/// A command that sees `home` as its home, and no configuration or secret of the user.
pub(crate) fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_none_or(is_kept_out) {
            command.env_remove(&name);
        }
    }
    let git_config = home.join(".gitconfig");
    command
        .env("HOME", home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", git_config)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C.UTF-8")
        .env("XTASK_PYTHON", python())
        .env("PIP_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/pip-cache"));
    if let Some(config) = pip_config() {
        command.env("PIP_CONFIG_FILE", config);
    }
    command
}

/// Secrets, and whatever would change what git, twine, Python or the tool itself do.
fn is_kept_out(name: &str) -> bool {
    let starts = ["GIT_", "TWINE_", "PYTHON", "XTASK_", "GITHUB_", "ACTIONS_", "XDG_"];
    let ends = ["TOKEN", "PASSWORD", "SECRET"];
    name == "CI"
        || starts.iter().any(|start| name.starts_with(start))
        || ends.iter().any(|end| name.ends_with(end))
}

/// pip's configuration in the real home, which may hold the way to the index.
fn pip_config() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("PIP_CONFIG_FILE") {
        return Some(named.into());
    }
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let config =
        std::env::var_os("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let places = [
        config.join("pip/pip.conf"),
        home.join("Library/Application Support/pip/pip.conf"),
        home.join(".pip/pip.conf"),
    ];
    places.into_iter().find(|place| place.is_file())
}

/// The Python that the tool would choose, found before the home changes: version managers look
/// there.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let named = std::env::var("XTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let ask = ["-I", "-c", "import sys; print(sys.executable)"];
        let output = Command::new(named).args(ask).output().expect("there is no Python");
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
    })
}

/// An interpreter that is older than what the tool needs, where this machine has one.
pub(crate) fn too_old_python() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME")?);
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).into_iter().flatten();
    let pyenv = versions.flatten().map(|version| version.path().join("bin/python3"));
    let system = ["/usr/bin/python3.9", "/usr/bin/python3.8"].map(PathBuf::from);
    let old = |path: &PathBuf| {
        let ask = "import sys; sys.exit(not (3, 6) <= sys.version_info < (3, 10))";
        Command::new(path).args(["-c", ask]).status().is_ok_and(|status| status.success())
    };
    pyenv.chain(system).find(old)
}

/// The interpreter of the tools' environment, which has pypiserver in it.
///
/// It is installed by the tool; where no run has done so yet, one that cannot get any further
/// does.
pub(crate) fn tools_python(home: &Path) -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        installed().unwrap_or_else(|| {
            let root = home.to_string_lossy().into_owned();
            let mut command = command(Path::new(env!("CARGO_BIN_EXE_xtask")), home);
            let output =
                command.args(["--root", &root, "release", "all", "--dry-run"]).output().unwrap();
            installed().unwrap_or_else(|| {
                panic!("no tools were installed: {}", String::from_utf8_lossy(&output.stderr))
            })
        })
    })
}

/// An interpreter that has devpi, in an environment that is made once for each lock.
pub(crate) fn devpi_python(home: &Path) -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/devpi-requirements.txt");
        let digest = tree::sha256(&std::fs::read(lock).unwrap());
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("devpi-{}", &digest[..16]));
        let python = dir.join("bin/python");
        if !dir.join("done").exists() {
            let _ = std::fs::remove_dir_all(&dir);
            let venv = command(self::python(), home).args(["-m", "venv"]).arg(&dir).status();
            assert!(venv.unwrap().success());
            let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
            let locked = ["--no-deps", "--require-hashes", "-r", lock];
            let pip = command(&python, home).args(install).args(locked).status();
            assert!(pip.unwrap().success(), "devpi cannot be installed");
            std::fs::write(dir.join("done"), "").unwrap();
        }
        python
    })
}

/// The youngest one: the lock may have changed since the others were made.
fn installed() -> Option<PathBuf> {
    let binary = Path::new(env!("CARGO_BIN_EXE_xtask"));
    let cache = binary.parent()?.parent()?.join("xtask");
    let found = std::fs::read_dir(cache).ok()?.flatten();
    let tools = found.filter(|entry| {
        // Beside the environment there is the record of its files.
        entry.file_name().to_string_lossy().starts_with("tools-") && entry.path().is_dir()
    });
    let youngest = tools.max_by_key(|entry| entry.metadata().and_then(|m| m.modified()).ok())?;
    let places = ["bin/python", "Scripts/python.exe"].map(|place| youngest.path().join(place));
    places.into_iter().find(|python| python.exists())
}
