//! Finds the distributions of a repository and reads them into a [`Workspace`].

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use walkdir::{DirEntry, WalkDir};

use super::git::Git;
use crate::domain::config::RepositoryConfig;
use crate::domain::finding::{Finding, Refusal};
use crate::domain::manifest::Manifest;
use crate::domain::place::{Files, SourceFile};
use crate::domain::toml::TomlFile;
use crate::domain::workspace::Workspace;

const MANIFEST: &str = "pyproject.toml";

/// What makes a directory a distribution where there is no pyproject.toml.
const SETUP: [&str; 2] = ["setup.py", "setup.cfg"];

/// Folders whose projects are there to be tried or copied, never to be published.
const ASIDE: [&str; 13] = [
    "test",
    "tests",
    "testdata",
    "test_data",
    "fixture",
    "fixtures",
    "__fixtures__",
    "template",
    "templates",
    "example",
    "examples",
    "sample",
    "samples",
];

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
    let (config, manifests, findings) = read(root)?;
    Ok(Workspace::assemble(config, manifests, findings)?)
}

/// The same for a repository that need not be fit for a release; see
/// [`Workspace::assemble_lenient`].
///
/// # Errors
/// A wrong configuration, or a file that cannot be read.
pub fn lenient(root: &Path) -> Result<Workspace> {
    let (config, manifests, findings) = read(root)?;
    Ok(Workspace::assemble_lenient(config, manifests, findings))
}

fn read(root: &Path) -> Result<(RepositoryConfig, Vec<Manifest>, Vec<Finding>)> {
    let config = repository_config(root)?;
    let found = match &config.packages {
        Some(patterns) => configured(root, patterns)?,
        None => searched(root)?,
    };
    let (mut manifests, mut errors, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for path in found {
        match manifest(root, &path)? {
            Ok(Some(mut manifest)) => {
                if config.packages.is_none() {
                    manifest.aside = manifest.aside.or_else(|| aside(&path));
                }
                manifests.push(manifest);
            }
            Ok(None) => {}
            // Fixtures and templates are full of files that only look like a manifest: what was
            // not configured and does not even parse is somebody else's.
            Err(wrong) if config.packages.is_none() && wrong.iter().all(is_foreign_finding) => {
                findings.extend(wrong.into_iter().map(Finding::into_warning));
            }
            Err(wrong) => errors.extend(wrong),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok((config, manifests, findings))
}

fn is_foreign_finding(finding: &Finding) -> bool {
    ["toml-syntax", "name"].contains(&finding.rule)
}

/// Why a project in this folder is not to be touched unless it is named.
fn aside(manifest: &str) -> Option<String> {
    let folders = manifest.rsplit_once('/')?.0.split('/');
    let named = folders.into_iter().find(|folder| {
        ASIDE.contains(folder) || folder.contains("cookiecutter") || folder.contains("{{")
    })?;
    Some(format!("it stands in a folder called `{named}`"))
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
    let read = |path: &str| source_file(root, path);
    let list = |dir: &str| files_below(root, dir);
    let files = Files { read: &read, list: &list };
    if !path.ends_with(MANIFEST) {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        return Ok(Manifest::from_setup(None, dir, files));
    }
    let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err(vec![
            Finding::error("toml-syntax", "not valid TOML: not UTF-8").at(path, 1),
        ]));
    };
    Ok(match TomlFile::parse(path, text) {
        Ok(file) => Manifest::read_with(&file, files),
        Err(finding) => Err(vec![finding]),
    })
}

/// A text file of the repository; where it is a symbolic link, the file that it leads to, as long
/// as that is in the repository too.
pub fn source_file(root: &Path, path: &str) -> Option<SourceFile> {
    let full = root.join(path);
    let is_link = full.symlink_metadata().ok()?.file_type().is_symlink();
    let path = match is_link {
        true => {
            let root = root.canonicalize().ok()?;
            relative(&root, full.canonicalize().ok()?.strip_prefix(&root).ok()?)
        }
        false => path.to_owned(),
    };
    let text = fs::read_to_string(full).ok()?;
    Some(SourceFile { path, text })
}

/// All files below a directory, without nested distributions.
pub fn files_below(root: &Path, dir: &str) -> Vec<String> {
    let own = |entry: &DirEntry| {
        entry.depth() == 0
            || !entry.file_type().is_dir()
            || !(is_foreign(entry)
                || entry.path().join(MANIFEST).exists()
                || entry.path().join(SETUP[0]).exists())
    };
    WalkDir::new(root.join(dir))
        .sort_by_file_name()
        .into_iter()
        .filter_entry(own)
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| relative(root, entry.path()))
        .collect()
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

/// Every manifest that is not in a hidden, ignored, build or environment folder; where a folder
/// has no pyproject.toml, its setup.py or setup.cfg.
fn searched(root: &Path) -> Result<Vec<String>> {
    let own =
        |entry: &DirEntry| entry.depth() == 0 || !entry.file_type().is_dir() || !is_foreign(entry);
    let mut found: Vec<String> = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(own) {
        let entry = entry.context("cannot search the repository")?;
        if !entry.file_type().is_file() {
            continue;
        }
        let dir = entry.path().parent().unwrap_or(root);
        let lacks = |name: &str| !dir.join(name).is_file();
        let name = entry.file_name();
        let is_manifest = name == MANIFEST
            || (name == SETUP[0] && lacks(MANIFEST))
            || (name == SETUP[1] && lacks(MANIFEST) && lacks(SETUP[0]));
        if is_manifest {
            found.push(relative(root, entry.path()));
        }
    }
    if let Some(git) = Git::at(root) {
        let ignored: HashSet<String> = git.ignored(&found)?.into_iter().collect();
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
