//! Folders of ours inside the repository: where they are, and how they go.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};

/// `target/xtask/` of the repository, hidden from its git whatever its `.gitignore` says.
///
/// # Errors
/// It cannot be written to.
pub(crate) fn scratch(root: &Path) -> Result<PathBuf> {
    let scratch = root.join("target/xtask");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
    fs::write(scratch.join(".gitignore"), "*\n")?;
    Ok(scratch)
}

/// How removing a folder fails while somebody works in it.
const FILLED: [ErrorKind; 2] = [ErrorKind::DirectoryNotEmpty, ErrorKind::NotFound];

/// Removes a folder, if it is there. git, in a run that was killed, may be about to fill it: it ends
/// soon after what it works on is gone, and is waited for.
///
/// # Errors
/// It cannot be removed, or is still filled after five seconds.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match fs::remove_dir_all(dir) {
            Err(_) if !dir.exists() => return Ok(()),
            Err(error) if FILLED.contains(&error.kind()) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(20));
            }
            removed => {
                return removed.with_context(|| format!("cannot remove {}", dir.display()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_filled_for_a_moment_is_removed_all_the_same() {
        let dir = std::env::temp_dir().join(format!("xtask-filled-{}", std::process::id()));
        fs::create_dir_all(dir.join("objects")).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let end = Instant::now() + Duration::from_millis(300);
                let mut number = 0;
                while Instant::now() < end {
                    number += 1;
                    let _ = fs::create_dir_all(dir.join("objects"));
                    let _ = fs::write(dir.join(format!("objects/{number}")), "");
                }
            });
            thread::sleep(Duration::from_millis(50));
            remove(&dir).unwrap();
        });
        remove(&dir).unwrap();
        assert!(!dir.exists());
    }
}
