//! `embed`: this tool, put into another repository.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::EmbedOptions;

/// # Errors
/// Not there yet.
pub fn run(options: &EmbedOptions) -> Result<ExitCode> {
    bail!("cannot embed into {} yet", options.dir.display())
}
