//! A package index of our own on loopback: pypiserver, on a port that the system chooses, for as
//! long as this process lives.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use xshell::Shell;

use super::shell::{Running, Supervised};
use super::tools::Tools;

/// A running index that serves one directory.
pub struct LocalIndex {
    _server: Running,
    port: u16,
}

impl LocalIndex {
    /// Serves `dir`, which is created if it is not there.
    ///
    /// # Errors
    /// The server does not start.
    pub fn start(tools: &Tools, dir: &Path) -> Result<LocalIndex> {
        fs::create_dir_all(dir)?;
        let shell = Shell::new()?;
        let (server, port) =
            Supervised::start(tools.script(&shell, "serve.py").arg(dir))?.first_line()?;
        let port =
            port.parse().with_context(|| format!("the local index gave no port but `{port}`"))?;
        Ok(LocalIndex { _server: server, port })
    }

    /// The address that twine uploads to.
    pub fn upload_address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }
}
