//! Finds the distributions of a repository and reads them into a [`Workspace`].

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use domain::config::RepositoryConfig;
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::manifest::{Manifest, evidence};
use domain::parallel;
use domain::text::toml::TomlFile;
use domain::workspace::history::TagRef;
use domain::workspace::made_versions::{ANNOUNCING, VersionFacts, announced};
use domain::workspace::{Judgement, Workspace};
use formats::pep440::Version;

use crate::effects::fs::tree::{MANIFESTS, Tree, relative};
use crate::effects::process::shell;
use crate::effects::repository::git::Git;
use crate::effects::repository::toml_file;

const MANIFEST: &str = "pyproject.toml";

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
    judged(root, &tree(root)?, Judgement::Refuse)
}

/// The files of the repository, without what git ignores.
///
/// # Errors
/// A directory cannot be read, or git cannot be run.
pub(crate) fn tree(root: &Path) -> Result<Tree> {
    Tree::walk(root, &|dirs| match Git::at(root) {
        Some(git) => git.ignored_folders(&dirs),
        // Nothing tells otherwise whether a folder called `build` is built.
        None => Ok(dirs),
    })
}

/// The same with another judgement of what is wrong. With [`Judgement::List`], errors in manifests are
/// among the findings of the workspace.
///
/// # Errors
/// The configuration of the repository is wrong, or a file cannot be read; with another judgement than
/// [`Judgement::List`], errors in manifests too.
pub(crate) fn judged(root: &Path, tree: &Tree, judgement: Judgement) -> Result<Workspace> {
    let git = Git::at(root);
    let tags = match &git {
        Some(git) => git.tags()?,
        None => Vec::new(),
    };
    let ReadManifests { config, manifests, errors, mut findings } =
        read(root, tree, git.as_ref(), &tags)?;
    match judgement {
        Judgement::Refuse | Judgement::Warn => Refusal::unless_clean(errors)?,
        Judgement::List => findings.extend(errors),
    }
    let mut workspace = Workspace::assemble(config, manifests, findings, judgement)?;
    if workspace.distributions.is_empty() {
        workspace.findings.push(no_distribution());
    }
    workspace.follow_links(tree.linked_dirs());
    if let Some(git) = &git {
        workspace.follow_tags(&tags);
        make_versions(&mut workspace, git, &tags, &[])?;
    }
    Ok(workspace)
}

/// Tells the versions that are made from tags, or that were given. Returns what contradicts them.
///
/// # Errors
/// git fails.
pub(crate) fn make_versions(
    workspace: &mut Workspace,
    git: &Git,
    tags: &[TagRef],
    given: &[(DistributionId, Version)],
) -> Result<Vec<Finding>> {
    // A repository without a commit has no version either.
    let Some(head) = git.head().ok().filter(|_| workspace.makes_versions() || !given.is_empty())
    else {
        return Ok(Vec::new());
    };
    let log = git.log_of(&ANNOUNCING)?;
    let facts = VersionFacts { head: &head, tags, announced: &announced(&log), given };
    Ok(workspace.make_versions(&facts))
}

/// The repository, or the folder, is not what somebody thinks.
fn no_distribution() -> Finding {
    let message =
        "this repository has no distribution: no pyproject.toml, setup.cfg or setup.py names one";
    let hint = "`cargo xtask new NAME` creates one; `--root DIR` names another repository";
    Finding::warning(Rule::Packages, message).hint(hint)
}

/// The configuration and the manifests, and what is wrong with them.
struct ReadManifests {
    config: RepositoryConfig,
    manifests: Vec<Manifest>,
    /// Why a manifest could not be read.
    errors: Vec<Finding>,
    findings: Vec<Finding>,
}

fn read(root: &Path, tree: &Tree, git: Option<&Git>, tags: &[TagRef]) -> Result<ReadManifests> {
    let config = repository_config(root)?;
    let is_searched = config.packages.is_none();
    let found = match &config.packages {
        Some(patterns) => configured(root, patterns)?,
        None => searched(git, tree)?,
    };
    let mut manifests = Vec::new();
    let mut errors = Vec::new();
    let mut of_examples = Vec::new();
    let mut findings = if is_searched { unsearched(git, tree)? } else { Vec::new() };
    let read = parallel::quick(&found, |path| manifest(root, tree, path));
    for (path, manifest) in found.iter().zip(read) {
        match manifest? {
            Ok(Some(manifest)) => manifests.push(manifest),
            Ok(None) => {
                let unfollowed = tree.with_files(|files| Manifest::unfollowed(folder(path), files));
                findings.extend(unfollowed.filter(|_| !is_searched || !is_example(tree, path)));
            }
            Err(wrong) if is_searched && is_example(tree, path) => of_examples.extend(wrong),
            Err(wrong) => errors.extend(wrong),
        }
    }
    findings.extend(as_one(of_examples));
    if is_searched {
        let tags: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
        evidence::exclude(&mut manifests, &tags);
    }
    Ok(ReadManifests { config, manifests, errors, findings })
}

/// Whether a manifest is that of an example or a template: its folder or its placeholders say so.
fn is_example(tree: &Tree, path: &str) -> bool {
    evidence::example_folder(folder(path)).is_some()
        || tree.read(path).is_some_and(|source| {
            ["{{", "{%"].iter().any(|placeholder| source.text.contains(placeholder))
        })
}

/// The faults of examples as one warning.
fn as_one(findings: Vec<Finding>) -> Option<Finding> {
    let more = findings.len().saturating_sub(1);
    let first = findings.into_iter().next()?.into_warning();
    let others = match more {
        0 => return Some(first),
        1 => " (as is 1 more manifest among the examples)".to_owned(),
        more => format!(" (as are {more} more manifests among the examples)"),
    };
    Some(Finding { message: format!("{}{others}", first.message), ..first })
}

/// Manifests that are not read although git tracks them: symbolic links, those of other
/// repositories, those that a sparse checkout leaves out.
fn unsearched(git: Option<&Git>, tree: &Tree) -> Result<Vec<Finding>> {
    let mut links = tree.linked_manifests();
    links.retain(|path| evidence::example_folder(folder(path)).is_none());
    let foreign: Vec<String> = tree.foreign_repositories().into_iter().map(str::to_owned).collect();
    let out_of_sight = match git {
        Some(git) => git.left_out()?,
        None => Vec::new(),
    };
    let out_of_sight: Vec<String> = out_of_sight
        .into_iter()
        .filter(|path| path.rsplit('/').next().is_some_and(|name| MANIFESTS.contains(&name)))
        .collect();
    let links = unread(
        &links,
        "a manifest that is a symbolic link is not read, and its distribution is left out",
        "replace the link with the file that it leads to",
    );
    let foreign = unread(
        &foreign,
        "another repository is checked out here, and its distributions are left out",
        "name its folder in `packages` in `[workspace.metadata.xtask]` of Cargo.toml to include it",
    );
    let out_of_sight = unread(
        &out_of_sight,
        "the checkout is sparse, and what it leaves out is not read",
        "run `git sparse-checkout disable` to see every distribution",
    );
    Ok([links, foreign, out_of_sight].into_iter().flatten().collect())
}

fn unread(paths: &[String], message: &str, hint: &str) -> Option<Finding> {
    let (first, others) = paths.split_first()?;
    let more = match others {
        [] => String::new(),
        [one] => format!(" (also {one})"),
        [one, rest @ ..] => format!(" (also {one}, and {} more)", rest.len()),
    };
    let finding = Finding::warning(Rule::Packages, format!("{message}{more}"));
    Some(finding.at(first, 1).hint(hint))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
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
        return Ok(tree.with_files(|files| Manifest::from_setup(folder(path), files)));
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
        let matches = glob::glob(&format!("{escaped}/{pattern}"))
            .map_err(|error| anyhow!("`packages`: `{pattern}`: {error}"))?;
        let before = found.len();
        for dir in matches {
            let dir = dir?;
            let manifest = MANIFESTS.iter().map(|name| dir.join(name)).find(|path| path.exists());
            found.extend(manifest.map(|path| relative(root, &path)));
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

/// Every manifest outside hidden and ignored folders.
fn searched(git: Option<&Git>, tree: &Tree) -> Result<Vec<String>> {
    let mut found = tree.manifests();
    if let Some(git) = git {
        let ignored: HashSet<String> = git.ignored(&found)?.into_iter().collect();
        found.retain(|path| !ignored.contains(path));
    }
    Ok(found)
}
