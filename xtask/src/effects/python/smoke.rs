//! The smoke test: what was served, installed by path into a fresh environment, and used from
//! outside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use anyhow::{Context, Result, bail};
use domain::text::harmless;
use jzon::{JsonValue, object};
use xshell::Shell;

use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell;
use crate::effects::process::supervised::Supervised;
use crate::effects::python::interpreter::{Environment, Interpreter};
use crate::effects::python::tools::{Tools, script, shut_in};

/// Wheels to install, and the checks to make then.
pub(crate) struct SmokeTest {
    /// The distribution's own wheel and those of the siblings it needs, by path.
    pub(crate) wheels: Vec<PathBuf>,
    /// The versions that have to be installed afterwards, by name.
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) imports: Vec<String>,
    pub(crate) commands: Vec<Vec<String>>,
    /// Seconds that one import or command may take.
    pub(crate) timeout: u64,
    /// Interpreters by version or name; none means the tools' own.
    pub(crate) pythons: Vec<String>,
    /// Where the tools' own Python installs third parties from, if it holds all of them.
    pub(crate) wheelhouse: Option<PathBuf>,
}

/// How `install.py` ended.
enum Installed {
    Complete,
    /// pip could not install something. The end of its output.
    Refused(String),
    /// `pip check` found a requirement that is not met. The end of its output.
    Broken(String),
}

/// One check that `smoke.py` made.
struct CheckResult {
    name: String,
    ok: bool,
    /// Everything that it printed, if it failed.
    output: String,
}

/// Something was installed, and then did not work: each check that failed, with its output.
#[derive(Debug)]
pub(crate) struct ChecksFailed(String);

impl fmt::Display for ChecksFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ChecksFailed {}

/// Runs the test on every interpreter of it. Returns the number of checks made.
///
/// # Errors
/// An interpreter does not exist, the installation fails, or checks fail: each is named, with its
/// output.
pub(crate) fn run(tools: &Tools, test: &SmokeTest) -> Result<usize> {
    if test.pythons.is_empty() {
        return run_on(&tools.interpreter, tools, test, test.wheelhouse.as_deref());
    }
    let mut checks = 0;
    for name in &test.pythons {
        let interpreter = Interpreter::named(name)?;
        checks += run_on(&interpreter, tools, test, None)
            .with_context(|| format!("on Python {}", interpreter.version))?;
    }
    Ok(checks)
}

fn run_on(
    interpreter: &Interpreter,
    tools: &Tools,
    test: &SmokeTest,
    wheelhouse: Option<&Path>,
) -> Result<usize> {
    let shell = Shell::new()?;
    let dir = Temporary::new()?;
    shell.change_dir(dir.path());
    // pip unpacks files in there too; they are removed with it.
    shell.set_var("TMPDIR", dir.path());
    let environment = interpreter.environment(&dir.path().join("env"))?;

    let mut installed = install(tools, &shell, &environment, &installations(test, wheelhouse))?;
    if matches!(installed, Installed::Refused(_)) && wheelhouse.is_some() {
        installed = install(tools, &shell, &environment, &installations(test, None))?;
    }
    match installed {
        Installed::Complete => {}
        Installed::Refused(said) => bail!("cannot install it{said}"),
        Installed::Broken(said) => bail!("`pip check` failed after the installation{said}"),
    }
    let results = check(tools, &shell, &environment, test)?;
    let failed = results.iter().filter(|result| !result.ok);
    let failed: Vec<String> = failed
        .map(|result| format!("`{}` failed{}", result.name, shell::tail(&result.output, 20)))
        .collect();
    if failed.is_empty() {
        Ok(results.len())
    } else {
        Err(ChecksFailed(failed.join("\n  ")).into())
    }
}

fn install(
    tools: &Tools,
    shell: &Shell,
    environment: &Environment,
    calls: &[Vec<String>],
) -> Result<Installed> {
    let output = shell::output(tools.install(shell, environment, calls))?;
    let said = shell::tail(&output.both(), 20);
    Ok(match output.code {
        Some(0) => Installed::Complete,
        Some(1) => Installed::Refused(said),
        Some(2) => Installed::Broken(said),
        _ => bail!("`install.py` broke off{said}"),
    })
}

/// Makes the checks, with the environment's own interpreter.
fn check(
    tools: &Tools,
    shell: &Shell,
    environment: &Environment,
    test: &SmokeTest,
) -> Result<Vec<CheckResult>> {
    let task = object! {
        "imports": test.imports.as_slice(),
        "commands": test.commands.as_slice(),
        "versions": test.versions.iter().cloned().collect::<BTreeMap<_, _>>(),
        "timeout": test.timeout,
        "packaging": text(&tools.pip_folder().join("_vendor")),
    };
    let python = shut_in(shell, &[], environment.python());
    let smoke = python.args(["-I", "-X", "utf8"]).arg(script("smoke.py"));
    let output = Supervised::start(shell::scrubbed(smoke).env_remove("PYTHONDONTWRITEBYTECODE"))?
        .answer(&task.to_string())?;
    let results = jzon::parse(&output.stdout).ok();
    results
        .as_ref()
        .and_then(JsonValue::as_array)
        .and_then(|results| results.iter().map(CheckResult::read).collect())
        .with_context(|| format!("`smoke.py` broke off{}", shell::tail(&output.both(), 20)))
}

impl CheckResult {
    fn read(value: &JsonValue) -> Option<CheckResult> {
        let name = value["check"].as_str()?.to_owned();
        let output = value["output"].as_str()?.to_owned();
        Some(CheckResult { name, ok: value["ok"].as_bool()?, output })
    }
}

/// The arguments of every `pip install`. Third parties come from the default index (or the
/// wheelhouse) alone, our own distributions only by path: one call for both. Where a distribution has
/// wheels for several platforms, pip first picks ours from their folders, and then installs what they
/// need.
fn installations(test: &SmokeTest, wheelhouse: Option<&Path>) -> Vec<Vec<String>> {
    if test.wheels.len() <= test.versions.len() {
        let wheels = test.wheels.iter().map(|wheel| by_path(wheel));
        let from = wheelhouse.map(|dir| ["--no-index".into(), "--find-links".into(), text(dir)]);
        return vec![from.into_iter().flatten().chain(wheels).collect()];
    }
    let mut folders: Vec<&Path> = test.wheels.iter().filter_map(|wheel| wheel.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    let pins = test.versions.iter().map(|(name, version)| format!("{name}=={version}"));
    let pins: Vec<String> = pins.collect();
    let mut own: Vec<String> =
        ["--no-index", "--no-deps", "--only-binary", ":all:"].map(Into::into).to_vec();
    own.extend(folders.into_iter().flat_map(|dir| ["--find-links".into(), text(dir)]));
    own.extend(pins.iter().cloned());
    vec![own, pins]
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A wheel as pip takes it by its path: as an address, where the path holds signs that a requirement
/// gives a meaning to.
fn by_path(wheel: &Path) -> String {
    let path = text(wheel);
    if cfg!(windows) || !path.contains([';', '[', '#', '@', '%']) {
        return path;
    }
    format!("file://{}", harmless::percent(&path).replace("%2F", "/"))
}

/// Downloads the wheels that these requirements resolve to, once for all tests of a release:
/// resolving takes pip longer than installing. `None` where pip finds no set of versions for all of
/// them, or something has no wheel; every test then installs from the index itself.
pub(crate) fn wheelhouse(tools: &Tools, requirements: &[&str], dir: PathBuf) -> Option<PathBuf> {
    fs::create_dir_all(&dir).ok()?;
    if requirements.is_empty() {
        return Some(dir);
    }
    let shell = Shell::new().ok()?;
    let download = tools.module(&shell, &[&dir], "pip").envs(tools.pip_settings().to_vec());
    let flags = ["download", "--quiet", "--only-binary", ":all:", "--dest"];
    let downloaded = shell::output(download.args(flags).arg(&dir).args(requirements));
    downloaded.is_ok_and(|output| output.success()).then_some(dir)
}
