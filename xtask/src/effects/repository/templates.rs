//! Reads `pyproject-templates/`: the templates, and the fields and files that all distributions share.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::shared::{self, SharedFields, SharedFile};
use domain::scaffold::template::{TEMPLATES, Template};
use domain::text::toml::nearest;
use walkdir::WalkDir;

use crate::effects::repository::toml_file;

/// The folder of the templates that came with this crate, for a repository that has none of its own.
pub(crate) fn beside_the_crate() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join(TEMPLATES))
}

/// The template of this name: the repository's own, else the one that came with the crate.
///
/// # Errors
/// There is no template of this name, or a file of it is not UTF-8.
pub(crate) fn template(root: &Path, name: &str) -> Result<Template> {
    let folders: Vec<PathBuf> =
        [Some(root.join(TEMPLATES)), beside_the_crate()].into_iter().flatten().collect();
    let known: Vec<String> = folders.iter().flat_map(|folder| names(folder)).collect();
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|folder| folder.is_dir() && known.iter().any(|known| known == name));
    let Some(folder) = found else { return Err(no_template(name, &known)) };
    Ok(Template { name: name.to_owned(), files: texts(&folder)? })
}

/// The names of the templates in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join("pyproject.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn no_template(name: &str, known: &[String]) -> anyhow::Error {
    // A repository's own templates are often copies of the built-in ones.
    let known: Vec<&str> =
        known.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `--template {meant}`?"),
        None if known.is_empty() => format!("a template is a folder in `{TEMPLATES}/`"),
        None => {
            format!("there are {}; a template is a folder in `{TEMPLATES}/`", known.join(", "))
        }
    };
    let message = format!("there is no template `{name}`");
    Refusal::from(Finding::error(Rule::Template, message).hint(hint)).into()
}

/// The fields and files that all distributions of the repository share; nothing where it configures
/// none.
///
/// # Errors
/// A file cannot be read, or shared.toml holds something that cannot be shared.
pub(crate) fn shared(root: &Path) -> Result<SharedFields> {
    let file = toml_file(root, shared::FILE)?;
    let folder = root.join(shared::FOLDER);
    let files = if folder.is_dir() { texts(&folder)? } else { Vec::new() };
    let files = files.into_iter().map(|(path, text)| SharedFile { path, text }).collect();
    Ok(SharedFields::read(file.as_ref(), files).map_err(Refusal)?)
}

/// Every file below a folder: its path relative to the folder, and its text.
///
/// # Errors
/// A file is not UTF-8.
pub(crate) fn texts(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.with_context(|| format!("cannot read `{}`", folder.display()))?;
        if entry.file_type().is_dir() || is_by_product(entry.path()) {
            continue;
        }
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let text = fs::read_to_string(entry.path())
            .with_context(|| format!("cannot read `{}`", entry.path().display()))?;
        files.push((path.to_string_lossy().replace('\\', "/"), text));
    }
    Ok(files)
}

/// Whether editors or Python left this file behind.
fn is_by_product(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("__pycache__") || text.ends_with('~') || text.ends_with(".pyc")
}
