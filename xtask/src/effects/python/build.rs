//! Builds a distribution from a clean export, and reads the files that were built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::release::content::Archive;
use domain::release::plan::Artifact;
use jzon::JsonValue;
use xshell::Cmd;

use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell;
use crate::effects::python::build_env::{self, BuildEnvironment};
use crate::effects::python::tools::{Tools, shut_in};

/// `python -m build`: the sdist from `source`, then the wheel from that sdist, into `out`.
/// Returns name and version of everything that was in the environment it was built in.
///
/// `requires` are the requirements of the build system. `epoch` is `SOURCE_DATE_EPOCH` in seconds,
/// the time of the commit: building the same commit again then gives the same bytes, if the back end
/// can do that. `variable` is one more of its environment.
///
/// # Errors
/// The back end fails; the message holds the end of its output.
pub(crate) fn build(
    tools: &Tools,
    source: &Path,
    requires: &[&str],
    out: &Path,
    epoch: &str,
    variable: Option<(String, String)>,
) -> Result<Vec<(String, String)>> {
    let BuildEnvironment { environment, versions } = build_env::ready(tools, requires)?;
    // A build that is shut in can only write to folders that exist.
    fs::create_dir_all(out).with_context(|| format!("cannot create `{}`", out.display()))?;
    let sh = shell::at(source)?;
    // `build` unpacks the sdist in a temporary folder, to build the wheel from it.
    let temporary = Temporary::new()?;
    sh.set_var("TMPDIR", temporary.path());
    let build = |cmd: Cmd<'_>| {
        let build = cmd.envs(tools.pip_settings().to_vec()).env("SOURCE_DATE_EPOCH", epoch);
        let build = build.envs(variable.clone());
        shell::output(build.arg("--outdir").arg(out).arg(source))
    };
    let python = environment.python();
    let writable = [source, out, temporary.path()];
    let prepared =
        shut_in(&sh, &writable, python).args(["-I", "-X", "utf8", "-m", "build", "--no-isolation"]);
    let mut output = build(shell::scrubbed(prepared).env("PATH", environment.search_path()?))?;
    // A back end may require more once it runs (PEP 517, `get_requires_for_build_wheel`); then
    // `build` makes an environment of its own for this one build.
    if !output.success() && output.both().contains("Missing dependencies") {
        output = build(tools.module(&sh, &writable, "build"))?;
    }
    if !output.success() {
        bail!("the build failed{}", shell::tail(&output.both(), 20));
    }
    Ok(versions)
}

/// The built files in a directory, in the order in which a release has them.
///
/// # Errors
/// The directory or a file cannot be read.
pub(crate) fn artifacts(dir: &Path) -> Result<Vec<Artifact>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read `{}`", dir.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".whl") || name.ends_with(".tar.gz") {
            found.push(artifact(&dir.join(name))?);
        }
    }
    found.sort();
    Ok(found)
}

/// The name, SHA-256 and size of one file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn artifact(path: &Path) -> Result<Artifact> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(artifact_of(&name, &bytes))
}

/// The same of a file that has been read.
pub(crate) fn artifact_of(name: &str, bytes: &[u8]) -> Artifact {
    let sha256 = hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Artifact { name: name.to_owned(), sha256, size: bytes.len() as u64 }
}

/// The contents of built files, in the order given.
///
/// # Errors
/// One of them is not a readable archive: the message names it, with the reason.
pub(crate) fn inspect(tools: &Tools, files: &[PathBuf]) -> Result<Vec<Archive>> {
    let names: Vec<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    tools.ask("archive", names)?.members().map(archive).collect()
}

fn archive(value: &JsonValue) -> Result<Archive> {
    let file = text(&value["filename"]);
    if let Some(error) = value["error"].as_str() {
        bail!("cannot read `{file}`: {error}");
    }
    let headers = value["metadata"].entries();
    let texts = |key: &str| {
        let entries = value[key].entries();
        entries.map(|(path, found)| (path.to_owned(), text(found))).collect()
    };
    let record = value["record"].entries();
    Ok(Archive {
        file,
        size: value["size"].as_u64().unwrap_or_default(),
        members: texts("members"),
        ids: texts("ids"),
        pointers: strings(&value["pointers"]),
        extending: strings(&value["extending"]),
        kinds: texts("kinds"),
        comment: text(&value["comment"]),
        tags: strings(&value["tags"]),
        record: record
            .map(|(path, digest)| (path.to_owned(), digest.as_str().map(str::to_owned)))
            .collect(),
        metadata: headers.map(|(key, values)| (key.to_owned(), strings(values))).collect(),
    })
}

fn text(value: &JsonValue) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(values: &JsonValue) -> Vec<String> {
    values.members().filter_map(JsonValue::as_str).map(str::to_owned).collect()
}
