//! The repository: git, its manifests, its templates, and embedding the tool into another one.

pub(crate) mod discover;
pub(crate) mod embed;
pub(crate) mod git;
pub(crate) mod handbook;
pub(crate) mod templates;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use domain::finding::Refusal;
use domain::text::toml::TomlFile;

/// A TOML file of a repository; `None` where it does not exist.
///
/// # Errors
/// It cannot be read, or is not valid TOML.
pub(crate) fn toml_file(root: &Path, path: &str) -> Result<Option<TomlFile>> {
    let full = root.join(path);
    if !full.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&full).with_context(|| format!("cannot read `{path}`"))?;
    Ok(Some(TomlFile::parse(path, text.into()).map_err(Refusal::from)?))
}
