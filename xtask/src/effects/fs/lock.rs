//! One release at a time in a repository.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};

use crate::effects::clock;

/// The right to release. It ends with this value, and with the process however that ends: the
/// operating system holds the lock, not a file that could be left behind.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock named `what` in `dir`.
    ///
    /// # Errors
    /// Another process holds it: the message names its host, its process id and since when.
    pub(crate) fn take(dir: &Path, what: &str) -> Result<Lock> {
        let path = dir.join(format!("{what}.lock"));
        // Beside the lock, because Windows does not let others read a locked file.
        let holder = dir.join(format!("{what}.holder"));
        let file =
            File::create(&path).with_context(|| format!("cannot create `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => {
                let process = std::process::id();
                fs::write(
                    &holder,
                    format!("{}, process {process}, since {}", host(), clock::now()),
                )?;
                Ok(Lock { _file: file })
            }
            Err(TryLockError::WouldBlock) => Err(held(what, &holder).into()),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
            }
        }
    }
}

fn held(what: &str, holder: &Path) -> Refusal {
    let holder = fs::read_to_string(holder).unwrap_or_else(|_| "another process".to_owned());
    let message = format!("a {what} of this repository is already running: {holder}");
    Finding::error(Rule::Lock, message).hint("wait until it is over").into()
}

fn host() -> String {
    let named = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    named
        .or_else(|| fs::read_to_string("/etc/hostname").ok())
        .map_or_else(|| "this host".to_owned(), |name| name.trim().to_owned())
}
