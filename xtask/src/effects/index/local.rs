//! Local package indexes on loopback: pypiserver, on ports that the system chooses, until this
//! process ends.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::Shell;

use crate::effects::process::supervised::{Running, Supervised};
use crate::effects::python::tools::Tools;

/// Running indexes, each serving one directory.
pub(crate) struct LocalIndexes {
    _server: Running,
    ports: Vec<u16>,
}

impl LocalIndexes {
    /// Serves the directories, which are created where they do not exist.
    ///
    /// # Errors
    /// The server does not start.
    pub(crate) fn start(tools: &Tools, dirs: &[PathBuf]) -> Result<LocalIndexes> {
        for dir in dirs {
            fs::create_dir_all(dir)?;
        }
        let shell = Shell::new()?;
        let (server, line) =
            Supervised::start(tools.script(&shell, "serve.py").args(dirs))?.first_line()?;
        let ports = line.split(' ').map(str::parse).collect::<Result<_, _>>();
        let ports = ports
            .with_context(|| format!("expected ports from the local indexes, got `{line}`"))?;
        Ok(LocalIndexes { _server: server, ports })
    }

    /// The addresses that twine uploads to, in the order of the directories.
    pub(crate) fn upload_addresses(&self) -> impl Iterator<Item = String> {
        self.ports.iter().map(|port| format!("http://127.0.0.1:{port}/"))
    }
}
