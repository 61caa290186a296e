//! The smoke test: what was served, installed by path into a fresh environment, and used from
//! outside the repository.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use jzon::{JsonValue, object};
use xshell::Shell;

use super::python::Python;
use super::shell::{self, Supervised};
use super::temporary::Temporary;
use super::tools::{Tools, script};

/// What to install and what to try.
pub struct SmokeTest {
    /// The distribution's own wheel and those of the siblings it needs, by path.
    pub wheels: Vec<PathBuf>,
    /// The versions that have to be installed afterwards, by name.
    pub versions: Vec<(String, String)>,
    pub imports: Vec<String>,
    pub commands: Vec<Vec<String>>,
    /// Seconds that one import or command may take.
    pub timeout: u64,
    /// Interpreters by version or name; none means the tools' own.
    pub pythons: Vec<String>,
}

/// Runs the test, on every interpreter that is asked for. Returns the number of checks made.
///
/// # Errors
/// There is no such interpreter, the installation fails, or a check does: named, with its output.
pub fn run(tools: &Tools, test: &SmokeTest) -> Result<usize> {
    if test.pythons.is_empty() {
        return run_on(&tools.base, tools, test);
    }
    let mut checks = 0;
    for name in &test.pythons {
        let python = Python::named(name)?;
        checks += run_on(&python, tools, test)
            .with_context(|| format!("on Python {}", python.version))?;
    }
    Ok(checks)
}

fn run_on(python: &Python, tools: &Tools, test: &SmokeTest) -> Result<usize> {
    let shell = Shell::new()?;
    let dir = Temporary::new()?;
    shell.change_dir(dir.path());
    // What is unpacked on the way lies there too, and goes with it.
    shell.set_var("TMPDIR", dir.path());
    let environment = python.environment(&dir.path().join("env"))?;

    // Third parties come from the default index alone; our own only by path.
    for arguments in installations(test) {
        let install = tools.pip_for(&shell, &environment).args([
            "install",
            "--quiet",
            "--no-warn-script-location",
            // What is not imported need not be compiled; what is, is kept for the next check.
            "--no-compile",
        ]);
        let installed = shell::output(install.args(&arguments))?;
        if !installed.success() {
            bail!("it cannot be installed{}", shell::tail(&installed.both(), 20));
        }
    }
    let consistent = shell::output(tools.pip_for(&shell, &environment).arg("check"))?;
    if !consistent.success() {
        bail!("`pip check` finds it broken{}", shell::tail(&consistent.both(), 20));
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
fn installations(test: &SmokeTest) -> Vec<Vec<OsString>> {
    if test.wheels.len() <= test.versions.len() {
        return vec![test.wheels.iter().map(Into::into).collect()];
    }
    let mut folders: Vec<_> = test.wheels.iter().filter_map(|wheel| wheel.parent()).collect();
    folders.sort_unstable();
    folders.dedup();
    let pins = || test.versions.iter().map(|(name, version)| format!("{name}=={version}").into());
    let mut own: Vec<OsString> =
        ["--no-index", "--no-deps", "--only-binary", ":all:"].map(Into::into).to_vec();
    own.extend(folders.into_iter().flat_map(|dir| ["--find-links".into(), dir.into()]));
    own.extend(pins());
    vec![own, pins().collect()]
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
