//! The smoke test: what was served, installed by path into a fresh environment, and used from
//! outside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jzon::{JsonValue, object};
use xshell::Shell;

use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell::{self, Supervised};
use crate::effects::python::interpreter::Python;
use crate::effects::python::tools::{Tools, script};

/// The exit code of `install.py` for that.
const CANNOT_BE_INSTALLED: i32 = 1;

/// What to install and what to try.
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
    /// What the tools' own Python installs third parties from first, if that is enough.
    pub(crate) wheelhouse: Option<PathBuf>,
}

/// Runs the test, on every interpreter that is asked for. Returns the number of checks made.
///
/// # Errors
/// There is no such interpreter, the installation fails, or a check does: named, with its output.
pub(crate) fn run(tools: &Tools, test: &SmokeTest) -> Result<usize> {
    if test.pythons.is_empty() {
        return run_on(&tools.base, tools, test, test.wheelhouse.as_deref());
    }
    let mut checks = 0;
    for name in &test.pythons {
        let python = Python::named(name)?;
        checks += run_on(&python, tools, test, None)
            .with_context(|| format!("on Python {}", python.version))?;
    }
    Ok(checks)
}

fn run_on(
    python: &Python,
    tools: &Tools,
    test: &SmokeTest,
    wheelhouse: Option<&Path>,
) -> Result<usize> {
    let shell = Shell::new()?;
    let dir = Temporary::new()?;
    shell.change_dir(dir.path());
    // What is unpacked on the way lies there too, and goes with it.
    shell.set_var("TMPDIR", dir.path());
    let environment = python.environment(&dir.path().join("env"))?;

    // Third parties come from the default index alone; our own only by path.
    let install = |wheelhouse| {
        let calls = installations(test, wheelhouse);
        shell::output(tools.install(&shell, &environment, &calls))
    };
    let mut installed = install(wheelhouse)?;
    if wheelhouse.is_some() && installed.code == Some(CANNOT_BE_INSTALLED) {
        installed = install(None)?;
    }
    match installed.code {
        Some(0) => {}
        Some(CANNOT_BE_INSTALLED) => {
            bail!("it cannot be installed{}", shell::tail(&installed.both(), 20))
        }
        _ => bail!("`pip check` finds it broken{}", shell::tail(&installed.both(), 20)),
    }

    let python = environment.python();
    let runner = script("smoke.py");
    let task = object! {
        "imports": test.imports.as_slice(),
        "commands": test.commands.as_slice(),
        "versions": test.versions.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "timeout": test.timeout,
    };
    let checks = shell.cmd(python).args(["-I", "-X", "utf8"]).arg(runner);
    let output = Supervised::start(shell::scrubbed(checks).env_remove("PYTHONDONTWRITEBYTECODE"))?
        .answer(&task.to_string())?;
    let results: JsonValue = jzon::parse(&output.stdout)
        .with_context(|| format!("the smoke test broke off{}", shell::tail(&output.both(), 20)))?;
    judge(&results)
}

/// What pip is asked for, one call after the other: the wheels; or, where a distribution has wheels
/// for several platforms, first those of this one, and then what they need.
fn installations(test: &SmokeTest, wheelhouse: Option<&Path>) -> Vec<Vec<String>> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    if test.wheels.len() <= test.versions.len() {
        let wheels = test.wheels.iter().map(|wheel| text(wheel));
        let from = wheelhouse
            .map(|wheelhouse| ["--no-index".into(), "--find-links".into(), text(wheelhouse)]);
        return vec![from.into_iter().flatten().chain(wheels).collect()];
    }
    let mut folders: Vec<_> = test.wheels.iter().filter_map(|wheel| wheel.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    let pins = || test.versions.iter().map(|(name, version)| format!("{name}=={version}"));
    let mut own: Vec<String> =
        ["--no-index", "--no-deps", "--only-binary", ":all:"].map(Into::into).to_vec();
    own.extend(folders.into_iter().flat_map(|dir| ["--find-links".into(), text(dir)]));
    own.extend(pins());
    vec![own, pins().collect()]
}

/// Downloads what these requirements stand for, once for all tests of a release: finding that out
/// costs pip more than installing it. `None` where pip finds no set of versions for all of them, or
/// something comes as sources; every test then asks the index itself.
pub(crate) fn wheelhouse(tools: &Tools, requirements: &[&str], dir: PathBuf) -> Option<PathBuf> {
    fs::create_dir_all(&dir).ok()?;
    if requirements.is_empty() {
        return Some(dir);
    }
    let shell = Shell::new().ok()?;
    let download = tools.module(&shell, "pip").envs(tools.pip().to_vec());
    let flags = ["download", "--quiet", "--only-binary", ":all:", "--dest"];
    let downloaded = shell::output(download.args(flags).arg(&dir).args(requirements));
    downloaded.is_ok_and(|output| output.success()).then_some(dir)
}

fn judge(results: &JsonValue) -> Result<usize> {
    let results = results.as_array().context("the smoke test has no results")?;
    let failed = results.iter().filter(|result| result["ok"] != true);
    let said: Vec<String> = failed
        .map(|result| {
            let (check, output) = (result["check"].as_str(), result["output"].as_str());
            format!(
                "`{}` failed{}",
                check.unwrap_or_default(),
                shell::tail(output.unwrap_or_default(), 20)
            )
        })
        .collect();
    if said.is_empty() { Ok(results.len()) } else { bail!("{}", said.join("\n  ")) }
}
