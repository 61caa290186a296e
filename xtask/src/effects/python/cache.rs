//! Folders that are made once and kept beside this program: the tools, and environments to build in.
//!
//! Builds and smoke tests run code of others. Where that can write to these folders, it could wait in
//! them for the token of a later release, so a folder counts only while it is as it was made.

use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::effects::paths::remove;
use crate::ui;

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
    let is_changed = sealed(&dir).is_some_and(|seal| seal != state(&dir));
    if is_changed {
        ui::progress_line(&format!("note: `{name}` has changed since it was made; making it anew"));
    }
    if is_changed || !is_usable(&dir) || sealed(&dir).is_none() {
        let partial = cache.join(format!(".{name}.partial"));
        remove(&partial)?;
        make(&partial)?;
        let _ = fs::remove_file(seal_of(&dir));
        remove(&dir)?;
        fs::rename(&partial, &dir)?;
        fs::write(seal_of(&dir), state(&dir))?;
    }
    Ok(dir)
}

/// Whether nothing in a folder has changed since it was made.
pub(crate) fn is_intact(dir: &Path) -> bool {
    sealed(dir) == Some(state(dir))
}

fn seal_of(dir: &Path) -> PathBuf {
    dir.with_extension("seal")
}

fn sealed(dir: &Path) -> Option<String> {
    fs::read_to_string(seal_of(dir)).ok()
}

/// The metadata of every file in a folder. Reading them all would take seconds.
fn state(dir: &Path) -> String {
    let mut files = String::new();
    for entry in walkdir::WalkDir::new(dir).sort_by_file_name().into_iter().flatten() {
        if !entry.file_type().is_dir() {
            let state = entry.metadata().map(|metadata| state_of(&metadata));
            files += &format!("{} {state:?}\n", entry.path().display());
        }
    }
    digest(&files)
}

/// Number, size, and the time of the last change, which only the system sets: writing to a file, and
/// putting another in its place, changes one of them.
#[cfg(unix)]
fn state_of(file: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (file.ino(), file.size(), file.ctime(), file.ctime_nsec())
}

#[cfg(not(unix))]
fn state_of(file: &Metadata) -> (u64, Option<std::time::SystemTime>) {
    (file.len(), file.modified().ok())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::fs::temporary::Temporary;

    #[test]
    fn a_changed_file_is_seen() {
        let temporary = Temporary::new().unwrap();
        let dir = temporary.path().join("build-x");
        fs::create_dir_all(dir.join("lib")).unwrap();
        let file = dir.join("lib/a.py");
        fs::write(&file, "one").unwrap();
        assert!(!is_intact(&dir), "it has no seal yet");
        let seal = || fs::write(seal_of(&dir), state(&dir)).unwrap();
        seal();
        assert!(is_intact(&dir));

        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&file, "two").unwrap();
        #[cfg(unix)]
        File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        assert!(!is_intact(&dir));
        seal();
        fs::write(dir.join("lib/b.pth"), "import evil").unwrap();
        assert!(!is_intact(&dir));
    }
}
