//! Programs on PATH, with what Windows makes of their names.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use which::WhichConfig;
use which::sys::Sys;

/// Finds a program by its name, or by its path.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    WhichConfig::new_with_sys(Machine).binary_name(name.into()).first_result().ok()
}

/// What `which` asks the machine. Its own `RealSys` brings libc, which costs a cold build 1.6 s of
/// processor time, for `access(2)`: here the permissions of a file say whether it may be run.
struct Machine;

impl Sys for Machine {
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

    /// Asked only of names without an extension, which nothing else than a Unix runs.
    #[cfg(not(unix))]
    fn is_valid_executable(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
}
