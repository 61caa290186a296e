//! Finds the distributions of a repository and reads them into a [`Workspace`].

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use domain::config::RepositoryConfig;
use domain::finding::{Finding, Refusal, Rule};
use domain::manifest::Manifest;
use domain::parallel;
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};

use crate::effects::fs::tree::{Tree, relative};
use crate::effects::process::shell;
use crate::effects::repository::git::Git;
use crate::effects::repository::toml_file;

const MANIFEST: &str = "pyproject.toml";

/// Folders whose projects are examples, never published. A project in one is excluded unless it is
/// named.
const EXCLUDED_FOLDERS: [&str; 13] = [
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

/// The root of the repository around a directory: the nearest one above it with `.git` or, without
/// git, with a Cargo.toml or a pyproject.toml.
///
/// # Errors
/// There is none up to the root of the file system.
pub(crate) fn root_around(dir: &Path) -> Result<PathBuf> {
    for name in [".git", "Cargo.toml", MANIFEST] {
        if let Some(root) = dir.ancestors().find(|dir| dir.join(name).exists()) {
            return Ok(root.to_owned());
        }
    }
    let message = format!("`{}` is not in a repository", dir.display());
    let hint = "run it in a repository, or name one with `--root DIR`";
    Err(Refusal::from(Finding::error(Rule::Root, message).hint(hint)).into())
}

/// Reads the repository's configuration and every distribution in it, for a release.
///
/// # Errors
/// A [`Refusal`] with everything that is wrong with the configuration or a manifest, or a file that
/// cannot be read.
pub(crate) fn workspace(root: &Path) -> Result<Workspace> {
    judged(root, &Tree::walk(root)?, Judgement::Refuse)
}

/// The same with another judgement of what is wrong. With [`Judgement::List`], errors in manifests are
/// among the findings of the workspace.
///
/// # Errors
/// The configuration of the repository is wrong, or a file cannot be read; with another judgement than
/// [`Judgement::List`], errors in manifests too.
pub(crate) fn judged(root: &Path, tree: &Tree, judgement: Judgement) -> Result<Workspace> {
    let ReadManifests { config, manifests, errors, mut findings } = read(root, tree)?;
    match judgement {
        Judgement::Refuse | Judgement::Warn => Refusal::unless_clean(errors)?,
        Judgement::List => findings.extend(errors),
    }
    Ok(Workspace::assemble(config, manifests, findings, judgement)?)
}

/// The configuration and the manifests, and what is wrong with them.
struct ReadManifests {
    config: RepositoryConfig,
    manifests: Vec<Manifest>,
    /// Why a manifest could not be read.
    errors: Vec<Finding>,
    findings: Vec<Finding>,
}

fn read(root: &Path, tree: &Tree) -> Result<ReadManifests> {
    let config = repository_config(root)?;
    let found = match &config.packages {
        Some(patterns) => configured(root, patterns)?,
        None => searched(root, tree)?,
    };
    let mut manifests = Vec::new();
    let mut errors = Vec::new();
    let mut findings = Vec::new();
    let read = parallel::quick(&found, |path| manifest(root, tree, path));
    for (path, manifest) in found.iter().zip(read) {
        match manifest? {
            Ok(Some(mut manifest)) => {
                if config.packages.is_none() {
                    manifest.excluded = manifest.excluded.or_else(|| excluded(path));
                }
                manifests.push(manifest);
            }
            Ok(None) => {}
            // Fixtures and templates are full of files that only look like a manifest. One that
            // was not configured and does not even parse is taken for such a file.
            Err(wrong) if config.packages.is_none() && wrong.iter().all(is_foreign_finding) => {
                findings.extend(wrong.into_iter().map(Finding::into_warning));
            }
            Err(wrong) => errors.extend(wrong),
        }
    }
    Ok(ReadManifests { config, manifests, errors, findings })
}

fn is_foreign_finding(finding: &Finding) -> bool {
    [Rule::TomlSyntax, Rule::Name].contains(&finding.rule)
}

/// Why the project with this manifest is excluded unless it is named.
fn excluded(manifest: &str) -> Option<String> {
    let (dir, _) = manifest.rsplit_once('/')?;
    let folder = dir.split('/').find(|folder| {
        EXCLUDED_FOLDERS.contains(folder)
            || folder.contains("cookiecutter")
            || folder.contains("{{")
    })?;
    Some(format!("it is in a folder called `{folder}`"))
}

fn repository_config(root: &Path) -> Result<RepositoryConfig> {
    let Some(file) = toml_file(root, "Cargo.toml")? else {
        return Ok(RepositoryConfig::default());
    };
    let config = RepositoryConfig::read(&file).map_err(Refusal)?;
    shell::admit(&config.environment);
    Ok(config)
}

fn manifest(
    root: &Path,
    tree: &Tree,
    path: &str,
) -> Result<Result<Option<Manifest>, Vec<Finding>>> {
    if !path.ends_with(MANIFEST) {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
        return Ok(tree.with_files(|files| Manifest::from_setup(dir, files)));
    }
    let Some(source) = tree.read(path) else {
        // Either reading it fails, which is an error here, or it is not UTF-8.
        fs::read(root.join(path)).with_context(|| format!("cannot read `{path}`"))?;
        let finding = Finding::error(Rule::TomlSyntax, "invalid TOML: not UTF-8").at(path, 1);
        return Ok(Err(vec![finding]));
    };
    Ok(match TomlFile::parse(path, source.text) {
        Ok(file) => tree.with_files(|files| Manifest::read_with(&file, files)),
        Err(finding) => Err(vec![finding]),
    })
}

/// The manifests in the configured directories. A pattern that matches nothing is an error: it is
/// more often a typing mistake than an empty repository.
fn configured(root: &Path, patterns: &[String]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for pattern in patterns {
        let escaped = glob::Pattern::escape(&root.to_string_lossy());
        let full = format!("{escaped}/{pattern}/{MANIFEST}");
        let matches =
            glob::glob(&full).map_err(|error| anyhow!("`packages`: `{pattern}`: {error}"))?;
        let before = found.len();
        for path in matches {
            found.push(relative(root, &path?));
        }
        if found.len() == before {
            let message =
                format!("`workspace.metadata.xtask.packages`: no {MANIFEST} in `{pattern}`");
            let hint = "name directories, such as `packages/*`, or remove the key to find them all";
            let finding = Finding::error(Rule::Config, message).at("Cargo.toml", 1).hint(hint);
            return Err(Refusal::from(finding).into());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Every manifest outside hidden, ignored, build and environment folders.
fn searched(root: &Path, tree: &Tree) -> Result<Vec<String>> {
    let mut found = tree.manifests();
    if let Some(git) = Git::at(root) {
        let ignored: HashSet<String> = git.ignored(&found)?.into_iter().collect();
        found.retain(|path| !ignored.contains(path));
    }
    Ok(found)
}
