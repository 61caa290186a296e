//! The pinned Python tools: installed on first use, kept until the lock or the Python changes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};
use jzon::{JsonValue, object};
use xshell::{Cmd, Shell, cmd};

use crate::effects::process::shell;
use crate::effects::process::worker::Workers;
use crate::effects::python::interpreter::{Environment, Python};
use crate::effects::python::pip;

const LOCK: &str = include_str!("../../../tools/requirements.txt");

/// The directory of the scripts that run inside the tools' environment. The crate always lives
/// beside its sources: that is what an xtask is.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools");

/// An environment that holds `build`, `twine`, `pip` and what they need, each by its hash.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) base: Python,
    environment: Environment,
    pip: Arc<OnceLock<Vec<(String, String)>>>,
    workers: Arc<Workers>,
}

impl Tools {
    /// The environment, installed now if it is not there yet; `progress` hears what takes time.
    ///
    /// # Errors
    /// No usable Python, or the installation fails; nothing half-installed is left behind.
    pub(crate) fn ready(progress: impl Fn(&str)) -> Result<Tools> {
        let base = Python::find()?;
        let cache = cache_dir()?;
        let key = digest(&format!("{LOCK}\n{}\n{}", base.executable.display(), base.version));
        let dir = cache.join(format!("tools-{key}"));
        let environment = Environment { dir: dir.clone() };
        let (pip, workers) = (Arc::default(), Arc::default());
        let tools = Tools { base, environment, pip, workers };
        if dir.exists() {
            // It imports what it needs while other things are done.
            tools.workers.prepare(tools.answerer(&Shell::new()?))?;
            return Ok(tools);
        }
        let version = &tools.base.version;
        progress(&format!("installing the release tools for Python {version} (once)"));
        fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
        // Whoever comes second waits here and then finds it installed.
        let lock = File::create(cache.join("tools.lock"))?;
        lock.lock()?;
        if !dir.exists() {
            let partial = cache.join("tools.partial");
            let _ = fs::remove_dir_all(&partial);
            install(&tools, &partial).context("cannot install the release tools")?;
            fs::rename(&partial, &dir)?;
        }
        Ok(tools)
    }

    /// `python -m MODULE` in the tools' environment, scrubbed.
    pub(crate) fn module<'a>(&self, shell: &'a Shell, module: &str) -> Cmd<'a> {
        let python = self.environment.python();
        plain(shell::scrubbed(cmd!(shell, "{python} -I -X utf8 -m {module}")))
    }

    /// The environment variables that tell pip how to reach the default index. The first time, that
    /// takes half a second.
    pub(crate) fn pip(&self) -> &[(String, String)] {
        self.pip.get_or_init(|| pip::settings(&self.base))
    }

    /// pip of the tools, working on another environment.
    ///
    /// `pip --python` starts a second Python that runs pip's runner; that runner is started here at
    /// once, which halves the time of a short command. Where it is not found, pip finds it.
    pub(crate) fn pip_for<'a>(&self, shell: &'a Shell, environment: &Environment) -> Cmd<'a> {
        let python = environment.python();
        let runner = self.pip_folder().join("__pip-runner__.py");
        let pip = match runner.is_file() {
            true => shell::scrubbed(cmd!(shell, "{python} -I -X utf8 {runner}")),
            false => self.module(shell, "pip").arg("--python").arg(python),
        };
        pip.env("NO_COLOR", "1").envs(self.pip().to_vec())
    }

    /// pip of the tools installs into another environment, call by call, and checks what is there
    /// then; `install.py` says what its exit codes mean.
    pub(crate) fn install<'a>(
        &self,
        shell: &'a Shell,
        environment: &Environment,
        calls: &[Vec<String>],
    ) -> Cmd<'a> {
        let (python, install) = (environment.python(), script("install.py"));
        let quietly = calls.iter().map(|arguments| {
            // What is not imported need not be compiled; what is, is kept for the next time.
            let flags = ["--quiet", "--no-warn-script-location", "--no-compile"];
            let arguments = arguments.iter().map(String::as_str);
            JsonValue::from(flags.into_iter().chain(arguments).collect::<Vec<_>>())
        });
        let calls = JsonValue::from(quietly.collect::<Vec<_>>()).dump();
        shell::scrubbed(cmd!(shell, "{python} -I -X utf8 {install}"))
            .arg(self.pip_folder())
            .arg(calls)
            .env("NO_COLOR", "1")
            .envs(self.pip().to_vec())
    }

    /// The package of the tools' pip.
    pub(crate) fn pip_folder(&self) -> PathBuf {
        self.environment.site_packages(&self.base).join("pip")
    }

    /// One of the scripts in `xtask/tools`, run in the tools' environment.
    pub(crate) fn script<'a>(&self, shell: &'a Shell, name: &str) -> Cmd<'a> {
        let python = self.environment.python();
        let script = script(name);
        plain(shell::scrubbed(cmd!(shell, "{python} -I -X utf8 {script}")))
    }

    /// Asks one of the modules that `answer.py` knows.
    ///
    /// # Errors
    /// It fails; what it is asked about is told by its answer.
    pub(crate) fn ask(&self, module: &str, question: impl Into<JsonValue>) -> Result<JsonValue> {
        let question = object! { [module]: question.into() };
        self.workers.ask(self.answerer(&Shell::new()?), &question, None)
    }

    fn answerer<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        self.script(shell, "answer.py")
    }

    /// The pinned version of a tool, for the ledger.
    pub(crate) fn version_of(name: &str) -> Option<&'static str> {
        let line = LOCK.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="))?;
        line.split([' ', '\\']).next()
    }
}

/// What a command prints is read by a program: no colour, no wrapping.
fn plain(cmd: Cmd<'_>) -> Cmd<'_> {
    cmd.env("COLUMNS", "300").env("NO_COLOR", "1")
}

/// The path of one of the scripts in `xtask/tools`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(SCRIPTS).join(name)
}

fn install(tools: &Tools, dir: &Path) -> Result<()> {
    let shell = Shell::new()?;
    let environment = tools.base.environment(dir)?;
    let (base, own) = (&tools.base.executable, environment.python());
    // The pip beside the base Python can install into another environment since 22.3; where
    // there is none that can, the environment gets its own, which takes four seconds more.
    let outer =
        shell::output(shell::scrubbed(cmd!(shell, "{base} -I -m pip --python {own} --version")))?;
    let pip = if outer.success() {
        cmd!(shell, "{base} -I -m pip --python {own}")
    } else {
        bootstrap(&shell, &environment)?;
        cmd!(shell, "{own} -I -m pip")
    };
    let requirements = dir.join("requirements.txt");
    fs::write(&requirements, LOCK)?;
    let install = shell::scrubbed(pip)
        .args([
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--no-warn-script-location",
            "-r",
        ])
        .arg(&requirements)
        .envs(tools.pip().to_vec());
    shell::read(install).map(drop)
}

fn bootstrap(shell: &Shell, environment: &Environment) -> Result<()> {
    let own = environment.python();
    let output = shell::output(shell::scrubbed(cmd!(shell, "{own} -I -m ensurepip")))?;
    if output.success() {
        return Ok(());
    }
    Err(Refusal::from(Finding::error(Rule::Python, "this Python has neither pip nor ensurepip").hint(
        "install them (on Debian: apt install python3-venv), or set XTASK_PYTHON to another Python",
    ))
    .into())
}

/// Where the tools and build environments are kept: below the `target/` that this binary is in.
///
/// # Errors
/// The binary cannot be located.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let binary = std::env::current_exe().context("cannot locate this program")?;
    let target =
        binary.parent().and_then(Path::parent).context("this program lies in no target/")?;
    Ok(target.join("xtask"))
}

/// The first 16 digits of a text's SHA-256: enough to tell caches apart.
pub(crate) fn digest(text: &str) -> String {
    let bytes = hmac_sha256::Hash::hash(text.as_bytes());
    bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
