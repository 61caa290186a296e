//! The pinned Python tools: installed on first use, kept until the lock or the Python changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};
use jzon::{JsonValue, object};
use xshell::{Cmd, Shell, cmd};

use crate::effects::process::worker::Workers;
use crate::effects::process::{sandbox, shell};
use crate::effects::python::cache::{self, digest};
use crate::effects::python::interpreter::{Environment, Interpreter};
use crate::effects::python::pip;

const LOCK: &str = include_str!("../../../tools/requirements.txt");

/// The scripts of the process that gets a secret, as they were when this program was built.
const UPLOADING: [(&str, &str); 2] = [
    ("upload.py", include_str!("../../../tools/upload.py")),
    ("masking.py", include_str!("../../../tools/masking.py")),
];

/// The folder of the scripts that run in the tools' environment. An xtask is built where its sources
/// are, so they are there when it runs.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tools");

/// An environment that holds `build`, `twine`, `pip` and their dependencies, each with the hash in
/// the lock.
#[derive(Clone)]
pub(crate) struct Tools {
    /// The Python that the environment was made with.
    pub(crate) interpreter: Interpreter,
    environment: Environment,
    pip_settings: Arc<OnceLock<Vec<(String, String)>>>,
    workers: Arc<Workers>,
}

impl Tools {
    /// The environment, installed now unless it exists; `progress` is told that this takes time.
    ///
    /// # Errors
    /// There is no usable Python, or the installation fails.
    pub(crate) fn ready(progress: impl Fn(&str)) -> Result<Tools> {
        let interpreter = Interpreter::find()?;
        let Interpreter { executable, version } = &interpreter;
        let key = digest(&format!("{LOCK}\n{}\n{version}", executable.display()));
        let pip_settings: Arc<OnceLock<_>> = Arc::default();
        let dir = cache::folder(&format!("tools-{key}"), Path::exists, |dir| {
            progress(&format!("installing the release tools for Python {version} (once)"));
            let settings = pip_settings.get_or_init(|| pip::settings(&interpreter));
            install(&interpreter, settings, dir).context("cannot install the release tools")
        })?;
        let environment = Environment { dir };
        let tools = Tools { interpreter, environment, pip_settings, workers: Arc::default() };
        // It imports its modules while other things are done.
        tools.workers.prepare(tools.worker(&Shell::new()?))?;
        Ok(tools)
    }

    /// `python -m MODULE` in the tools' environment, scrubbed and shut in: it may run foreign code.
    pub(crate) fn module<'a>(&self, shell: &'a Shell, writable: &[&Path], module: &str) -> Cmd<'a> {
        let python = self.environment.python();
        let arguments = ["-I", "-X", "utf8", "-m", module];
        plain(shell::scrubbed(shut_in(shell, writable, python).args(arguments)))
    }

    /// The environment variables that tell pip how to reach the default index. The first call takes
    /// half a second.
    pub(crate) fn pip_settings(&self) -> &[(String, String)] {
        self.pip_settings.get_or_init(|| pip::settings(&self.interpreter))
    }

    /// pip of the tools, working on another environment.
    ///
    /// `pip --python` starts a second Python that runs pip's runner. That runner is started directly
    /// here, which halves the time of a short command; where it is not found, pip starts it.
    pub(crate) fn pip_for<'a>(&self, shell: &'a Shell, environment: &Environment) -> Cmd<'a> {
        let python = environment.python();
        let runner = self.pip_folder().join("__pip-runner__.py");
        let pip = if runner.is_file() {
            let python = shut_in(shell, &[&environment.dir], python);
            shell::scrubbed(python.args(["-I", "-X", "utf8"]).arg(runner))
        } else {
            self.module(shell, &[&environment.dir], "pip").arg("--python").arg(python)
        };
        pip.env("NO_COLOR", "1").envs(self.pip_settings().to_vec())
    }

    /// pip of the tools, installing into another environment call by call and checking the result;
    /// `install.py` tells what its exit codes mean.
    pub(crate) fn install<'a>(
        &self,
        shell: &'a Shell,
        environment: &Environment,
        calls: &[Vec<String>],
    ) -> Cmd<'a> {
        let python = environment.python();
        let install = script("install.py");
        let quietly = calls.iter().map(|arguments| {
            // Most modules are never imported; Python compiles those that are.
            let flags = ["--quiet", "--no-warn-script-location", "--no-compile"];
            let arguments = arguments.iter().map(String::as_str);
            JsonValue::from(flags.into_iter().chain(arguments).collect::<Vec<_>>())
        });
        let calls = JsonValue::from(quietly.collect::<Vec<_>>()).dump();
        let python = shut_in(shell, &[&environment.dir], python);
        shell::scrubbed(python.args(["-I", "-X", "utf8"]).arg(install))
            .arg(self.pip_folder())
            .arg(calls)
            .env("NO_COLOR", "1")
            .envs(self.pip_settings().to_vec())
    }

    /// The package of the tools' pip.
    pub(crate) fn pip_folder(&self) -> PathBuf {
        self.environment.site_packages(&self.interpreter).join("pip")
    }

    /// One of the scripts in `xtask/tools`, run in the tools' environment.
    pub(crate) fn script<'a>(&self, shell: &'a Shell, name: &str) -> Cmd<'a> {
        let python = self.environment.python();
        let script = script(name);
        plain(shell::trusted(cmd!(shell, "{python} -I -X utf8 {script}")))
    }

    /// Asks one of the modules that `answer.py` knows.
    ///
    /// # Errors
    /// The module fails. A failed query is part of its answer.
    pub(crate) fn ask(&self, module: &str, question: impl Into<JsonValue>) -> Result<JsonValue> {
        let question = object! { [module]: question.into() };
        self.workers.ask(self.worker(&Shell::new()?), &question, None)
    }

    /// # Errors
    /// The tools, or the scripts that upload, are not what they were at the start of this run.
    pub(crate) fn refuse_changed(&self) -> Result<()> {
        let is_other = |(name, text): &(&str, &str)| {
            fs::read(script(name)).map_or(true, |found| found != text.as_bytes())
        };
        let changed = match UPLOADING.iter().find(|one| is_other(one)) {
            Some((name, _)) => script(name),
            None if cache::is_intact(&self.environment.dir) => return Ok(()),
            None => self.environment.dir.clone(),
        };
        let message = format!(
            "`{}` has changed since this release began, so nothing more is sent",
            changed.display()
        );
        let hint = "look at what the builds run; then run `cargo clean` and the same command again";
        Err(Refusal::from(Finding::error(Rule::Tools, message).hint(hint)).into())
    }

    fn worker<'a>(&self, shell: &'a Shell) -> Cmd<'a> {
        self.script(shell, "answer.py")
    }

    /// The pinned version of a tool, for the ledger.
    pub(crate) fn version_of(name: &str) -> Option<&'static str> {
        let line = LOCK.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="))?;
        line.split([' ', '\\']).next()
    }
}

/// A command that may run foreign code: of what this tool keeps for later runs it can only write to
/// the given folders.
pub(crate) fn shut_in<'a>(shell: &'a Shell, writable: &[&Path], program: PathBuf) -> Cmd<'a> {
    let kept = cache::location().unwrap_or_default();
    sandbox::cmd(shell, &kept, writable, program)
}

/// Whether [`shut_in`] shuts anything in on this machine.
pub(crate) fn shuts_in() -> bool {
    cache::location().is_ok_and(|kept| sandbox::is_available(&kept))
}

/// For a command whose output a program reads: no colour, no wrapping.
fn plain(cmd: Cmd<'_>) -> Cmd<'_> {
    cmd.env("COLUMNS", "300").env("NO_COLOR", "1")
}

/// The path of one of the scripts in `xtask/tools`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(SCRIPTS).join(name)
}

fn install(interpreter: &Interpreter, settings: &[(String, String)], dir: &Path) -> Result<()> {
    let shell = Shell::new()?;
    let environment = interpreter.environment(dir)?;
    let base = &interpreter.executable;
    let own = environment.python();
    // The pip beside the interpreter can install into another environment since 22.3. Where there is
    // none that can, the environment gets its own, which takes four seconds more.
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
    let flags = ["--quiet", "--no-deps", "--require-hashes", "--no-warn-script-location"];
    let install = shell::scrubbed(pip).arg("install").args(flags).arg("-r").arg(&requirements);
    shell::read(install.envs(settings.to_vec())).map(drop)
}

fn bootstrap(shell: &Shell, environment: &Environment) -> Result<()> {
    let own = environment.python();
    let output = shell::output(shell::scrubbed(cmd!(shell, "{own} -I -m ensurepip")))?;
    if output.success() {
        return Ok(());
    }
    let message = "this Python has neither `pip` nor `ensurepip`";
    let hint = "install them (on Debian: `apt install python3-venv`), or set `XTASK_PYTHON` to another \
                Python";
    Err(Refusal::from(Finding::error(Rule::Python, message).hint(hint)).into())
}
