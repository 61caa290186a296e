//! `dist/NAME-VERSION/`: the built files and their ledger, written so that a crash leaves the old
//! one or the new one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::release::ledger::{Event, Ledger};

use crate::effects::paths::remove;
use crate::effects::{clock, python};

const LEDGER: &str = "release.json";

/// The directory of one version of one distribution.
pub(crate) fn dir(dist: &Path, in_file_name: &str, version: &str) -> PathBuf {
    dist.join(format!("{in_file_name}-{version}"))
}

/// The ledger in a directory; `None` when nothing was finished there.
///
/// # Errors
/// It is there and cannot be understood, or a file is not the one it vouches for: then nothing
/// of it may be uploaded.
pub(crate) fn load(dir: &Path) -> Result<Option<Ledger>> {
    let path = dir.join(LEDGER);
    if !path.exists() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let ledger = jzon::parse(&text).ok().and_then(|value| Ledger::from_json(&value));
    let Some(ledger) = ledger else { bail!("{} is no ledger of this tool", path.display()) };
    for file in &ledger.files {
        if python::build::artifact(&dir.join(&file.name)).ok().as_ref() != Some(file) {
            bail!(
                "{} is not the file that {} describes",
                dir.join(&file.name).display(),
                path.display()
            );
        }
    }
    Ok(Some(ledger))
}

/// Makes an empty directory beside `dir`, to become it with [`complete`]. A run that was killed may
/// have left a build behind that is still writing, so every process has its own.
///
/// # Errors
/// It cannot be written to.
pub(crate) fn begin(dir: &Path) -> Result<PathBuf> {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let left_over =
        |file: &str| file.starts_with(&format!("{name}.")) && file.ends_with(".partial");
    for entry in
        dir.parent().and_then(|dist| fs::read_dir(dist).ok()).into_iter().flatten().flatten()
    {
        if left_over(&entry.file_name().to_string_lossy()) {
            // What cannot be removed now can be the next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let partial = dir.with_file_name(format!("{name}.{}.partial", std::process::id()));
    fs::create_dir_all(&partial).with_context(|| format!("cannot create {}", partial.display()))?;
    // git must not see what is built here, in whichever repository it is, nor what a killed run
    // leaves behind.
    fs::write(partial.join(".gitignore"), "*\n")
        .with_context(|| format!("cannot write to {}", partial.display()))?;
    Ok(partial)
}

/// Puts a directory made with [`begin`] in its place.
///
/// # Errors
/// What is there cannot be removed.
pub(crate) fn complete(partial: &Path, dir: &Path) -> Result<()> {
    remove(dir)?;
    fs::rename(partial, dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// Stores a ledger in its directory.
///
/// # Errors
/// The directory cannot be written to.
pub(crate) fn store(dir: &Path, ledger: &Ledger) -> Result<()> {
    let partial = dir.join(".release.json.partial");
    fs::write(&partial, ledger.to_json().pretty(2) + "\n")
        .with_context(|| format!("cannot write to {}", dir.display()))?;
    Ok(fs::rename(&partial, dir.join(LEDGER))?)
}

/// Adds an event to a ledger and stores it.
///
/// # Errors
/// The directory cannot be written to.
pub(crate) fn record(dir: &Path, ledger: &mut Ledger, what: impl Into<String>) -> Result<()> {
    ledger.events.push(Event { at: clock::now(), what: what.into() });
    store(dir, ledger)
}
