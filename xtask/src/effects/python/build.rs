//! Builds a distribution from a clean export, and reads what came out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::release::content::Archive;
use domain::release::plan::Artifact;
use jzon::JsonValue;
use xshell::{Cmd, cmd};

use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell::{self, Output};
use crate::effects::python::build_env;
use crate::effects::python::tools::Tools;

/// `python -m build`: the sdist from `source`, then the wheel from that sdist, into `out`.
/// Returns the versions of what was in the environment it was built in.
///
/// `requires` are the requirements of the build system. `epoch` is SOURCE_DATE_EPOCH in seconds,
/// the commit's own time, so that building the same commit again gives the same bytes wherever
/// the back end is able to.
///
/// # Errors
/// The back end fails; the message holds the end of what it said.
pub(crate) fn build(
    tools: &Tools,
    source: &Path,
    requires: &[&str],
    out: &Path,
    epoch: &str,
) -> Result<Vec<(String, String)>> {
    let prepared = build_env::ready(tools, requires)?;
    let sh = shell::at(source)?;
    // `build` unpacks the sdist in a temporary folder, to make the wheel from it.
    let temporary = Temporary::new()?;
    sh.set_var("TMPDIR", temporary.path());
    let to = |cmd: Cmd<'_>| -> Result<Output> {
        let build = cmd.envs(tools.pip().to_vec()).env("SOURCE_DATE_EPOCH", epoch);
        shell::output(build.arg("--outdir").arg(out).arg(source))
    };
    let (python, scripts) = (prepared.environment.python(), prepared.environment.scripts());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([scripts].into_iter().chain(std::env::split_paths(&path)))?;
    let in_environment = cmd!(sh, "{python} -I -X utf8 -m build --no-isolation");
    let mut output = to(shell::scrubbed(in_environment).env("PATH", path))?;
    // A back end may ask for more once it runs (PEP 517, get_requires_for_build_wheel); then
    // `build` makes an environment of its own for this one build.
    if !output.success() && output.both().contains("Missing dependencies") {
        output = to(tools.module(&sh, "build"))?;
    }
    if !output.success() {
        bail!("it does not build{}", shell::tail(&output.both(), 20));
    }
    Ok(prepared.versions)
}

/// The built files in a directory, in the order of their names.
///
/// # Errors
/// The directory or a file cannot be read.
pub(crate) fn artifacts(dir: &Path) -> Result<Vec<Artifact>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".whl") || name.ends_with(".tar.gz") {
            found.push(artifact(&dir.join(name))?);
        }
    }
    found.sort();
    Ok(found)
}

/// The name, digest and size of one file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn artifact(path: &Path) -> Result<Artifact> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let sha256 = hmac_sha256::Hash::hash(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Artifact { name, sha256, size: bytes.len() as u64 })
}

/// What lies in built files, in the order given.
///
/// # Errors
/// One of them is no readable archive: named, with the reason.
pub(crate) fn inspect(tools: &Tools, files: &[PathBuf]) -> Result<Vec<Archive>> {
    let names: Vec<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let answer = tools.ask("archive", names)?;
    answer.members().map(archive).collect()
}

fn archive(value: &JsonValue) -> Result<Archive> {
    let file = value["filename"].as_str().unwrap_or_default().to_owned();
    if let Some(error) = value["error"].as_str() {
        bail!("{file} cannot be read: {error}");
    }
    let strings = |value: &JsonValue| {
        value.members().filter_map(JsonValue::as_str).map(str::to_owned).collect()
    };
    let headers = value["metadata"].entries();
    let metadata = headers.map(|(key, values)| (key.to_owned(), strings(values))).collect();
    let text = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
    let members = value["members"].entries();
    let members = members.map(|(path, digest)| (path.to_owned(), text(digest))).collect();
    Ok(Archive { file, size: value["size"].as_u64().unwrap_or_default(), members, metadata })
}
