//! Finds the distributions of a repository and reads them into a [`Workspace`].

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use walkdir::{DirEntry, WalkDir};

use super::git::Git;
use crate::domain::config::RepositoryConfig;
use crate::domain::finding::{Finding, Refusal};
use crate::domain::manifest::Manifest;
use crate::domain::toml::TomlFile;
use crate::domain::workspace::Workspace;

const MANIFEST: &str = "pyproject.toml";

/// Folders that hold what was built, installed or fetched, never a distribution's source.
const FOREIGN: [&str; 8] =
    ["build", "dist", "target", "node_modules", "site-packages", "venv", "env", "__pycache__"];

/// The repository around a directory: the nearest one that holds `.git` or, where there is no
/// git, a Cargo.toml or pyproject.toml.
///
/// # Errors
/// Nothing of the kind is found up to the file system's root.
pub fn root_around(dir: &Path) -> Result<PathBuf> {
    let holding = |name: &str| dir.ancestors().find(|dir| dir.join(name).exists());
    [".git", "Cargo.toml", MANIFEST]
        .iter()
        .find_map(|name| holding(name))
        .map(Path::to_owned)
        .ok_or_else(|| {
            let message = format!("no repository around {}", dir.display());
            Refusal::from(Finding::error("root", message).hint("name it with --root DIR")).into()
        })
}

/// Reads the repository's configuration and every distribution in it.
///
/// # Errors
/// A [`Refusal`] with everything that keeps the repository from being understood, or a file that
/// cannot be read.
pub fn workspace(root: &Path) -> Result<Workspace> {
    let config = repository_config(root)?;
    let found = match &config.packages {
        Some(patterns) => configured(root, patterns)?,
        None => searched(root)?,
    };
    let (mut manifests, mut errors, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for path in found {
        match manifest(root, &path)? {
            Ok(Some(manifest)) => manifests.push(manifest),
            Ok(None) => {}
            // Fixtures and templates are full of files that only look like a manifest: what was
            // not configured and does not even parse is somebody else's.
            Err(wrong)
                if config.packages.is_none() && wrong.iter().all(|f| f.rule == "toml-syntax") =>
            {
                findings.extend(
                    wrong.into_iter().map(|f| Finding {
                        severity: crate::domain::finding::Severity::Warning,
                        ..f
                    }),
                );
            }
            Err(wrong) => errors.extend(wrong),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok(Workspace::assemble(config, manifests, findings)?)
}

fn repository_config(root: &Path) -> Result<RepositoryConfig> {
    let path = root.join("Cargo.toml");
    if !path.is_file() {
        return Ok(RepositoryConfig::default());
    }
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = TomlFile::parse("Cargo.toml", text).map_err(Refusal::from)?;
    Ok(RepositoryConfig::read(&file).map_err(Refusal)?)
}

fn manifest(root: &Path, path: &str) -> Result<Result<Option<Manifest>, Vec<Finding>>> {
    let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err(vec![
            Finding::error("toml-syntax", "not valid TOML: not UTF-8").at(path, 1),
        ]));
    };
    Ok(match TomlFile::parse(path, text) {
        Ok(file) => Manifest::read(&file),
        Err(finding) => Err(vec![finding]),
    })
}

/// The manifests under the configured directories. A pattern that matches nothing is an error:
/// it is a typing mistake more often than an empty repository.
fn configured(root: &Path, patterns: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for pattern in patterns {
        let root_pattern = glob::Pattern::escape(&root.to_string_lossy());
        let full = format!("{root_pattern}/{pattern}/{MANIFEST}");
        let matches =
            glob::glob(&full).map_err(|error| anyhow!("`packages`: `{pattern}`: {error}"))?;
        let before = found.len();
        for path in matches {
            found.push(relative(root, &path?));
        }
        if found.len() == before {
            let message =
                format!("`workspace.metadata.xtask.packages`: no {MANIFEST} in `{pattern}`");
            return Err(Refusal::from(Finding::error("config", message).at("Cargo.toml", 1)).into());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Every manifest that is not in a hidden, ignored, build or environment folder.
fn searched(root: &Path) -> Result<Vec<String>> {
    let own =
        |entry: &DirEntry| entry.depth() == 0 || !entry.file_type().is_dir() || !is_foreign(entry);
    let mut found = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(own) {
        let entry = entry.context("cannot search the repository")?;
        if entry.file_name() == MANIFEST && entry.file_type().is_file() {
            found.push(relative(root, entry.path()));
        }
    }
    if let Some(git) = Git::at(root) {
        let ignored = git.ignored(&found)?;
        found.retain(|path| !ignored.contains(path));
    }
    Ok(found)
}

fn is_foreign(dir: &DirEntry) -> bool {
    let name = dir.file_name().to_string_lossy();
    name.starts_with('.')
        || FOREIGN.contains(&name.as_ref())
        || dir.path().join("pyvenv.cfg").exists()
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
