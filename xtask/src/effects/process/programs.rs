//! Programs on `PATH`, by the rules of the platform (on Windows, `PATHEXT`).

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use which::WhichConfig;
use which::sys::Sys;

/// Finds a program by its name or its path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    WhichConfig::new_with_sys(System).binary_name(name.into()).first_result().ok()
}

/// The system as `which` sees it. Its own `RealSys` calls `access(2)` through libc, which costs a cold
/// build 1.6 s of processor time; here the mode of a file tells whether it can be run.
struct System;

impl Sys for System {
    type ReadDirEntry = DirEntry;
    type Metadata = Metadata;

    fn is_windows(&self) -> bool {
        cfg!(windows)
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        std::env::current_dir()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }

    fn env_split_paths(&self, paths: &OsStr) -> Vec<PathBuf> {
        std::env::split_paths(paths).collect()
    }

    fn env_path(&self) -> Option<OsString> {
        std::env::var_os("PATH")
    }

    fn env_path_ext(&self) -> Option<OsString> {
        std::env::var_os("PATHEXT")
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::metadata(path)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<DirEntry>>>> {
        Ok(Box::new(fs::read_dir(path)?))
    }

    #[cfg(unix)]
    fn is_valid_executable(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::PermissionsExt;
        Ok(fs::metadata(path)?.permissions().mode() & 0o111 != 0)
    }

    /// Only asked about names without an extension, which Windows does not run.
    #[cfg(not(unix))]
    fn is_valid_executable(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
}
