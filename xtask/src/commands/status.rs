//! `status`: the distributions in release order, and what has happened since their last tags.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::StatusOptions;
use crate::domain::history::{TagRef, last_tag, since};
use crate::domain::workspace::{Distribution, Workspace};
use crate::effects::discover;
use crate::effects::git::Git;
use crate::ui;

/// What git says about one distribution.
struct Standing {
    /// The tag of the version that stands in the repository.
    tag: Option<String>,
    tagged: bool,
    /// Commits that touch its directory since its last tag; unknown without one.
    changed: Option<usize>,
}

/// # Errors
/// The repository cannot be understood, or git fails.
pub fn run(root: &Path, options: &StatusOptions) -> Result<ExitCode> {
    let workspace = discover::workspace(root)?;
    let standings = standings(root, &workspace)?;
    if options.json {
        println!("{:#}", as_json(root, &workspace, &standings));
    } else {
        ui::findings(&workspace.findings);
        print(&workspace, &standings);
    }
    Ok(ExitCode::SUCCESS)
}

fn standings(root: &Path, workspace: &Workspace) -> Result<Vec<Standing>> {
    let git = Git::at(root);
    let tags = git.as_ref().map_or(Ok(Vec::new()), Git::tags)?;
    let last: Vec<Option<&TagRef>> = workspace
        .distributions
        .iter()
        .map(|d| last_tag(&d.tag, &tags).map(|(tag, _)| tag))
        .collect();
    let mut commits: Vec<&str> = last.iter().flatten().map(|tag| tag.commit.as_str()).collect();
    commits.sort_unstable();
    commits.dedup();
    let log = match &git {
        Some(git) if !commits.is_empty() => git.log(&commits)?,
        _ => Vec::new(),
    };
    let standing = |at: usize| {
        let tag = workspace.distributions[at].current_tag();
        let tagged = tag.as_ref().is_some_and(|tag| tags.iter().any(|known| known.name == *tag));
        let changed = last[at].map(|last| workspace.touching(at, since(&log, &last.commit)));
        Standing { tag, tagged, changed }
    };
    Ok((0..last.len()).map(standing).collect())
}

fn as_json(root: &Path, workspace: &Workspace, standings: &[Standing]) -> Value {
    let packages = workspace.distributions.iter().zip(standings).map(|(distribution, standing)| {
        let needs =
            distribution.needs.iter().map(|&at| workspace.distributions[at].name().to_string());
        json!({
            "name": distribution.name().to_string(),
            "path": if distribution.dir.is_empty() { "." } else { &distribution.dir },
            "version": distribution.version().map(ToString::to_string),
            "version_source": version_source(distribution),
            "tag": standing.tag,
            "tagged": standing.tagged,
            "changed": standing.changed,
            "level": distribution.level,
            "depends_on": needs.collect::<Vec<_>>(),
        })
    });
    json!({ "root": root.to_string_lossy(), "packages": packages.collect::<Vec<_>>() })
}

fn version_source(distribution: &Distribution) -> String {
    let (file, line) = distribution.manifest.version.place();
    format!("{file}:{line}")
}

fn print(workspace: &Workspace, standings: &[Standing]) {
    let row = |(distribution, standing): (&Distribution, &Standing)| {
        let needs: Vec<String> = distribution
            .needs
            .iter()
            .map(|&at| workspace.distributions[at].name().to_string())
            .collect();
        let since = match (standing.tagged, standing.changed) {
            (_, None) => "never tagged".to_owned(),
            (true, Some(0)) => "tagged".to_owned(),
            (true, Some(changed)) => format!("tagged, {changed} since"),
            (false, Some(changed)) => format!("not tagged, {changed} since"),
        };
        vec![
            distribution.name().to_string(),
            distribution.version().map_or("?".to_owned(), ToString::to_string),
            since,
            needs.join(", "),
        ]
    };
    let rows: Vec<_> = workspace.distributions.iter().zip(standings).map(row).collect();
    ui::table(&["distribution", "version", "last tag", "needs"], &rows);
}
