//! Environments to build in: one for each `[build-system] requires`, kept for a week, so that a
//! build installs its back end once and is isolated from everything else.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use jzon::JsonValue;

use crate::effects::process::shell;
use crate::effects::python::cache::{self, digest};
use crate::effects::python::interpreter::Environment;
use crate::effects::python::tools::Tools;

/// Seven days: requirements without an upper bound follow new releases of a back end, but not within
/// one working day.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Written last; its time is that of the environment.
const VERSIONS: &str = "versions.json";

/// An environment that holds what a back end requires, and `build`.
pub(crate) struct BuildEnvironment {
    pub(crate) environment: Environment,
    /// Name and version of everything that is installed in it.
    pub(crate) versions: Vec<(String, String)>,
}

/// The environment for these requirements (PEP 518), made now unless there is a fresh one.
///
/// # Errors
/// The requirements cannot be installed.
pub(crate) fn ready(tools: &Tools, requires: &[&str]) -> Result<BuildEnvironment> {
    let mut requires = requires.to_vec();
    requires.sort_unstable();
    let build = format!("build=={}", Tools::version_of("build").unwrap_or_default());
    let interpreter = tools.interpreter.executable.display();
    // A wheel of a sibling is required by its path; its contents decide.
    let wheels = requires.iter().map(Path::new).filter(|path| path.is_file());
    let hashes = wheels.map(|wheel| Ok(hmac_sha256::Hash::hash(&fs::read(wheel)?)));
    let contents = format!("{:?}", hashes.collect::<Result<Vec<_>>>()?);
    let key = digest(&format!("{}\n{contents}\n{build}\n{interpreter}", requires.join("\n")));
    requires.insert(0, &build);
    let name = format!("build-{key}");
    let dir = cache::folder(&name, is_fresh, |dir| install(tools, dir, &requires))?;
    let versions = versions(&dir.join(VERSIONS))?;
    Ok(BuildEnvironment { environment: Environment { dir }, versions })
}

fn is_fresh(dir: &Path) -> bool {
    let made = fs::metadata(dir.join(VERSIONS)).and_then(|file| file.modified());
    made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age < KEPT))
}

fn install(tools: &Tools, dir: &Path, requires: &[&str]) -> Result<()> {
    let environment = tools.interpreter.environment(dir)?;
    let sh = shell::at(dir)?;
    let install = tools.pip_for(&sh, &environment);
    shell::read(install.args(["install", "--quiet", "--no-warn-script-location"]).args(requires))
        .context("cannot install the build requirements")?;
    let list = tools.pip_for(&sh, &environment).args(["list", "--format", "json"]);
    Ok(fs::write(dir.join(VERSIONS), shell::read(list)?)?)
}

fn versions(path: &Path) -> Result<Vec<(String, String)>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let listed: JsonValue = jzon::parse(&text)?;
    let text = |value: &JsonValue| value.as_str().map(str::to_owned);
    let pairs = listed.members().map(|entry| text(&entry["name"]).zip(text(&entry["version"])));
    Ok(pairs.flatten().collect())
}
