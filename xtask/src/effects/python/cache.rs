//! Folders that are made once and kept beside this program: the tools, and environments to build in.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::effects::paths::remove;

/// The folder of this name. If it is not usable, `make` makes it, beside its location, so that
/// a folder of this name is always complete.
///
/// # Errors
/// The cache cannot be written to, or `make` fails.
pub(crate) fn folder(
    name: &str,
    is_usable: impl Fn(&Path) -> bool,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let cache = location()?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot create `{}`", cache.display()))?;
    // A second process waits here, and finds the folder made.
    let lock = File::create(cache.join(format!(".{name}.lock")))?;
    lock.lock()?;
    let dir = cache.join(name);
    if !is_usable(&dir) {
        let partial = cache.join(format!(".{name}.partial"));
        remove(&partial)?;
        make(&partial)?;
        remove(&dir)?;
        fs::rename(&partial, &dir)?;
    }
    Ok(dir)
}

/// The first 16 digits of a text's SHA-256: enough to tell caches apart.
pub(crate) fn digest(text: &str) -> String {
    let bytes = hmac_sha256::Hash::hash(text.as_bytes());
    bytes[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `xtask/` in the `target/` that this program is in.
///
/// # Errors
/// This program is not in a `target/` folder.
pub(crate) fn location() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot locate this program")?;
    let target = program.parent().and_then(Path::parent);
    Ok(target.context("this program is not in a `target/` folder")?.join("xtask"))
}
