//! The folder of this tool in the repository: its location, and removing what is in it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};

/// `target/xtask/` of the repository, ignored by git whatever the `.gitignore` of the repository says.
///
/// # Errors
/// It cannot be written to.
pub(crate) fn scratch(root: &Path) -> Result<PathBuf> {
    let scratch = root.join("target/xtask");
    fs::create_dir_all(&scratch)
        .with_context(|| format!("cannot create `{}`", scratch.display()))?;
    fs::write(scratch.join(".gitignore"), "*\n")?;
    Ok(scratch)
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hmac_sha256::Hash::hash(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How removing a folder fails while another process fills it.
const BUSY: [ErrorKind; 2] = [ErrorKind::DirectoryNotEmpty, ErrorKind::NotFound];

/// Removes a folder, if it exists. The git of a run that was killed may still be filling it: that git
/// ends soon after its files are gone, so this waits for it.
///
/// # Errors
/// It cannot be removed, or is still filled after five seconds.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match fs::remove_dir_all(dir) {
            Err(_) if !dir.exists() => return Ok(()),
            Err(error) if BUSY.contains(&error.kind()) && Instant::now() < end => {
                thread::sleep(Duration::from_millis(20));
            }
            removed => {
                return removed.with_context(|| format!("cannot remove `{}`", dir.display()));
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
