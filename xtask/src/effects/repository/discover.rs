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
use crate::effects::repository::git::Git;

const MANIFEST: &str = "pyproject.toml";

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

/// The repository around a directory: the nearest one that holds `.git` or, where there is no
/// git, a Cargo.toml or pyproject.toml.
///
/// # Errors
/// Nothing of the kind is found up to the file system's root.
pub(crate) fn root_around(dir: &Path) -> Result<PathBuf> {
    let holding = |name: &str| dir.ancestors().find(|dir| dir.join(name).exists());
    [".git", "Cargo.toml", MANIFEST]
        .iter()
        .find_map(|name| holding(name))
        .map(Path::to_owned)
        .ok_or_else(|| {
            let message = format!("no repository around {}", dir.display());
            Refusal::from(Finding::error(Rule::Root, message).hint("name it with --root DIR"))
                .into()
        })
}

/// Reads the repository's configuration and every distribution in it, for a release.
///
/// # Errors
/// A [`Refusal`] with everything that keeps the repository from being understood, or a file that
/// cannot be read.
pub(crate) fn workspace(root: &Path) -> Result<Workspace> {
    judged(root, &Tree::walk(root)?, Judgement::Refuse)
}

/// The same, where what is wrong with the repository is judged otherwise. With
/// [`Judgement::List`], manifests that cannot be understood are among the findings too.
///
/// # Errors
/// What is not judged: a wrong configuration of the repository, a file that cannot be read.
pub(crate) fn judged(root: &Path, tree: &Tree, judgement: Judgement) -> Result<Workspace> {
    let ReadManifest { config, manifests, errors, mut findings } = read(root, tree)?;
    match judgement {
        Judgement::Refuse | Judgement::Warn => Refusal::unless_clean(errors)?,
        Judgement::List => findings.extend(errors),
    }
    Ok(Workspace::assemble(config, manifests, findings, judgement)?)
}

/// What was found, and what is wrong with it.
struct ReadManifest {
    config: RepositoryConfig,
    manifests: Vec<Manifest>,
    /// What keeps a manifest from being understood.
    errors: Vec<Finding>,
    findings: Vec<Finding>,
}

fn read(root: &Path, tree: &Tree) -> Result<ReadManifest> {
    let config = repository_config(root)?;
    let found = match &config.packages {
        Some(patterns) => configured(root, patterns)?,
        None => searched(root, tree)?,
    };
    let (mut manifests, mut errors, mut findings) = (Vec::new(), Vec::new(), Vec::new());
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
            // Fixtures and templates are full of files that only look like a manifest: what was
            // not configured and does not even parse is somebody else's.
            Err(wrong) if config.packages.is_none() && wrong.iter().all(is_foreign_finding) => {
                findings.extend(wrong.into_iter().map(Finding::into_warning));
            }
            Err(wrong) => errors.extend(wrong),
        }
    }
    Ok(ReadManifest { config, manifests, errors, findings })
}

fn is_foreign_finding(finding: &Finding) -> bool {
    [Rule::TomlSyntax, Rule::Name].contains(&finding.rule)
}

/// Why a project in this folder is not to be touched unless it is named.
fn excluded(manifest: &str) -> Option<String> {
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
    let file = TomlFile::parse("Cargo.toml", text.into()).map_err(Refusal::from)?;
    Ok(RepositoryConfig::read(&file).map_err(Refusal)?)
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
        // Either it cannot be read, which is an error, or it is no text.
        fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        return Ok(Err(vec![
            Finding::error(Rule::TomlSyntax, "not valid TOML: not UTF-8").at(path, 1),
        ]));
    };
    Ok(match TomlFile::parse(path, source.text) {
        Ok(file) => tree.with_files(|files| Manifest::read_with(&file, files)),
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
            let hint = "name directories, such as packages/*; without the key all are found";
            let finding = Finding::error(Rule::Config, message).at("Cargo.toml", 1).hint(hint);
            return Err(Refusal::from(finding).into());
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Every manifest that is not in a hidden, ignored, build or environment folder.
fn searched(root: &Path, tree: &Tree) -> Result<Vec<String>> {
    let mut found = tree.manifests();
    if let Some(git) = Git::at(root) {
        let ignored: HashSet<String> = git.ignored(&found)?.into_iter().collect();
        found.retain(|path| !ignored.contains(path));
    }
    Ok(found)
}
