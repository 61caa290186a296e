//! Environments to build in: one for each `[build-system] requires`, kept for a week, so that a
//! build pays for the installation of its back end once and is isolated from everything else.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use jzon::JsonValue;

use crate::effects::paths::remove;
use crate::effects::process::shell;
use crate::effects::python::interpreter::Environment;
use crate::effects::python::tools::{Tools, cache_dir, digest};

/// Seven days: requirements without an upper bound are to follow new releases of a back end,
/// only not within one working day.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const VERSIONS: &str = "versions.json";

/// An environment that holds what a back end requires, and `build`.
pub(crate) struct BuildEnvironment {
    pub(crate) environment: Environment,
    /// What is installed in it, by name.
    pub(crate) versions: Vec<(String, String)>,
}

/// The environment for these requirements (PEP 518), made now if there is none.
///
/// # Errors
/// The requirements cannot be installed.
pub(crate) fn ready(tools: &Tools, requires: &[&str]) -> Result<BuildEnvironment> {
    let mut requires = requires.to_vec();
    requires.sort_unstable();
    let own = format!("build=={}", Tools::version_of("build").unwrap_or_default());
    let key =
        digest(&format!("{}\n{own}\n{}", requires.join("\n"), tools.base.executable.display()));
    let cache = cache_dir()?;
    let dir = cache.join(format!("build-{key}"));
    // Whoever comes second waits here and then finds it made.
    let lock = File::create(cache.join(format!("build-{key}.lock")))?;
    lock.lock()?;
    if !is_fresh(&dir) {
        remove(&dir)?;
        let partial = dir.with_extension("partial");
        remove(&partial)?;
        install(tools, &partial, &requires, &own)?;
        fs::rename(&partial, &dir)?;
    }
    let versions = versions(&dir.join(VERSIONS))?;
    Ok(BuildEnvironment { environment: Environment { dir }, versions })
}

fn is_fresh(dir: &Path) -> bool {
    let made = fs::metadata(dir.join(VERSIONS)).and_then(|file| file.modified());
    made.is_ok_and(|made| SystemTime::now().duration_since(made).is_ok_and(|age| age < KEPT))
}

fn install(tools: &Tools, dir: &Path, requires: &[&str], own: &str) -> Result<()> {
    let environment = tools.base.environment(dir)?;
    let sh = shell::at(dir)?;
    let pip = || tools.pip_for(&sh, &environment);
    shell::read(
        pip().args(["install", "--quiet", "--no-warn-script-location", own]).args(requires),
    )
    .context("cannot install what it is built with")?;
    let listed = shell::read(pip().args(["list", "--format", "json"]))?;
    Ok(fs::write(dir.join(VERSIONS), listed)?)
}

fn versions(path: &Path) -> Result<Vec<(String, String)>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let listed: JsonValue = jzon::parse(&text)?;
    let pair = |entry: &JsonValue| {
        Some((entry["name"].as_str()?.to_owned(), entry["version"].as_str()?.to_owned()))
    };
    Ok(listed.members().filter_map(pair).collect())
}
