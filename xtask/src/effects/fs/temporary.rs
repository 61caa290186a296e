//! Temporary folders outside any repository. They are removed with the value, and those of a killed
//! run by the next one.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const PREFIX: &str = "xtask-tmp-";

/// A temporary folder, with a locked file beside it: the lock ends with this process however that
/// ends, and a folder without a lock is left over.
pub(crate) struct Temporary {
    path: PathBuf,
    _lock: File,
}

impl Temporary {
    /// Makes an empty one.
    ///
    /// # Errors
    /// The system's temporary folder cannot be written to.
    pub(crate) fn new() -> Result<Temporary> {
        let base = temp_dir();
        Temporary::below(&base).with_context(|| format!("cannot write to `{}`", base.display()))
    }

    fn below(base: &Path) -> io::Result<Temporary> {
        let mut number = 0;
        loop {
            let path = base.join(format!("{PREFIX}{}-{number}", std::process::id()));
            // Neither may exist, not even as a link: other users can write to this folder too.
            match File::create_new(lock_of(&path)) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
                Ok(lock) => {
                    lock.lock()?;
                    fs::create_dir(&path)?;
                    return Ok(Temporary { path, _lock: lock });
                }
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        discard(&self.path);
    }
}

/// The system's temporary folder. A relative `TMPDIR` would be another one in every working directory.
fn temp_dir() -> PathBuf {
    let dir = env::temp_dir();
    std::path::absolute(&dir).unwrap_or(dir)
}

/// Removes the folders that killed runs have left.
pub(crate) fn sweep() {
    sweep_below(&temp_dir());
}

fn sweep_below(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".lock").filter(|stem| stem.starts_with(PREFIX)) else {
            continue;
        };
        let Ok(lock) = File::open(entry.path()) else { continue };
        // Held until both are removed: a process that has just made the lock waits for it, and makes
        // its folder afterwards.
        if lock.try_lock().is_ok() {
            discard(&base.join(stem));
        }
    }
}

/// Removes a folder and its lock. A folder that something still writes to is left, with its lock,
/// to the next run.
fn discard(path: &Path) {
    let removed = fs::remove_dir_all(path);
    if removed.is_ok() || removed.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        let _ = fs::remove_file(lock_of(path));
    }
}

fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_without_a_holder_are_swept_and_nothing_else() {
        let base = Temporary::new().unwrap();
        let base = base.path();
        let held = Temporary::below(base).unwrap();
        let gone = Temporary::below(base).unwrap().path().to_owned();
        assert!(!gone.exists() && !lock_of(&gone).exists());
        // A killed run leaves the same, and nobody holds the lock.
        fs::create_dir(&gone).unwrap();
        fs::write(gone.join("file"), "").unwrap();
        File::create(lock_of(&gone)).unwrap();
        let foreign = base.join("somebody");
        fs::create_dir(&foreign).unwrap();
        File::create(lock_of(&foreign)).unwrap();

        sweep_below(base);
        assert!(!gone.exists() && !lock_of(&gone).exists());
        assert!(held.path().exists() && lock_of(held.path()).exists());
        assert!(foreign.exists() && lock_of(&foreign).exists());
    }
}
