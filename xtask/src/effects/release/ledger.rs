//! `dist/NAME-VERSION/`: the built files and their ledger, written so that a crash leaves either the
//! old ledger or the new one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::release::ledger::{Event, Ledger};
use jzon::JsonValue;

use crate::effects::paths::remove;
use crate::effects::{clock, python};

const LEDGER: &str = "release.json";

/// The directory of one version of one distribution.
pub(crate) fn dir(dist: &Path, in_file_name: &str, version: &str) -> PathBuf {
    dist.join(format!("{in_file_name}-{version}"))
}

/// The ledger in a directory; `None` when no build was finished there.
///
/// # Errors
/// It is invalid, or a file does not match its entry: then none of the files may be uploaded.
pub(crate) fn load(dir: &Path) -> Result<Option<Ledger>> {
    let path = dir.join(LEDGER);
    if !path.exists() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let ledger = jzon::parse(&text).ok().and_then(|value| Ledger::from_json(&value));
    let Some(ledger) = ledger else { bail!("`{}` is not a valid ledger", path.display()) };
    for file in &ledger.files {
        let found = dir.join(&file.name);
        if python::build::artifact(&found).ok().as_ref() != Some(file) {
            bail!("`{}` is not the file that `{}` lists", found.display(), path.display());
        }
    }
    Ok(Some(ledger))
}

/// Makes an empty directory beside `dir`, which [`complete`] renames to it. Every process has its
/// own, because a build of a killed run may still be writing.
///
/// # Errors
/// The directory cannot be written to.
pub(crate) fn begin(dir: &Path) -> Result<PathBuf> {
    let name = dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let siblings = dir.parent().and_then(|dist| fs::read_dir(dist).ok()).into_iter().flatten();
    for entry in siblings.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.starts_with(&format!("{name}.")) && file.ends_with(".partial") {
            // A leftover that cannot be removed now is removed by a later run.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let partial = dir.with_file_name(format!("{name}.{}.partial", std::process::id()));
    fs::create_dir_all(&partial)
        .with_context(|| format!("cannot create `{}`", partial.display()))?;
    // git ignores the built files and the leftovers of a killed run, in any repository.
    fs::write(partial.join(".gitignore"), "*\n")
        .with_context(|| format!("cannot write to `{}`", partial.display()))?;
    Ok(partial)
}

/// Renames a directory made with [`begin`] to `dir`.
///
/// # Errors
/// The old directory cannot be removed.
pub(crate) fn complete(partial: &Path, dir: &Path) -> Result<()> {
    remove(dir)?;
    fs::rename(partial, dir).with_context(|| format!("cannot create `{}`", dir.display()))
}

/// Writes a JSON file, so that a crash leaves either the old one or the new one.
///
/// # Errors
/// The directory cannot be written to.
pub(super) fn write_json(dir: &Path, name: &str, json: &JsonValue) -> Result<()> {
    let partial = dir.join(format!(".{name}.partial"));
    fs::write(&partial, json.pretty(2) + "\n")
        .with_context(|| format!("cannot write to `{}`", dir.display()))?;
    Ok(fs::rename(&partial, dir.join(name))?)
}

/// Adds an event to a ledger and stores it.
///
/// # Errors
/// The directory cannot be written to.
pub(crate) fn record(dir: &Path, ledger: &mut Ledger, event: impl Into<String>) -> Result<()> {
    ledger.events.push(Event { at: clock::now(), what: event.into() });
    write_json(dir, LEDGER, &ledger.to_json())
}
