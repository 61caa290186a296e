//! `dist/NAME-VERSION/`: the built files and their ledger, written so that a crash leaves the old
//! one or the new one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{build, clock};
use crate::domain::ledger::{Event, Ledger};

const LEDGER: &str = "release.json";

/// The directory of one version of one distribution.
pub fn dir(dist: &Path, in_file_name: &str, version: &str) -> PathBuf {
    dist.join(format!("{in_file_name}-{version}"))
}

/// The ledger in a directory; `None` when nothing was finished there.
///
/// # Errors
/// It is there and cannot be understood, or a file is not the one it vouches for: then nothing
/// of it may be uploaded.
pub fn load(dir: &Path) -> Result<Option<Ledger>> {
    let path = dir.join(LEDGER);
    if !path.exists() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let ledger = serde_json::from_str(&text).ok().and_then(|value| Ledger::from_json(&value));
    let Some(ledger) = ledger else { bail!("{} is no ledger of this tool", path.display()) };
    for file in &ledger.files {
        if build::artifact(&dir.join(&file.name)).ok().as_ref() != Some(file) {
            bail!(
                "{} is not the file that {} describes",
                dir.join(&file.name).display(),
                path.display()
            );
        }
    }
    Ok(Some(ledger))
}

/// Stores a ledger in its directory.
///
/// # Errors
/// The directory cannot be written to.
pub fn store(dir: &Path, ledger: &Ledger) -> Result<()> {
    // git must not see what is built here, in whichever repository it is.
    fs::write(dir.join(".gitignore"), "*\n")
        .with_context(|| format!("cannot write to {}", dir.display()))?;
    let half = dir.join(".release.json.partial");
    fs::write(&half, format!("{:#}\n", ledger.to_json()))?;
    Ok(fs::rename(&half, dir.join(LEDGER))?)
}

/// Adds an event to a ledger and stores it.
///
/// # Errors
/// The directory cannot be written to.
pub fn record(dir: &Path, ledger: &mut Ledger, what: impl Into<String>) -> Result<()> {
    ledger.events.push(Event { at: clock::now(), what: what.into() });
    store(dir, ledger)
}
