//! `graph`: which distribution depends on which, and the release level of each.

use std::path::Path;

use anyhow::Result;
use domain::ids::{DistributionId, Id};
use domain::workspace::Workspace;
use jzon::{JsonValue, object};

use crate::ExitStatus;
use crate::cli::{GraphFormat, GraphOptions};
use crate::effects::repository::discover;
use crate::ui::{self, json, say};

/// # Errors
/// The repository is not understood.
pub(crate) fn run(root: &Path, options: &GraphOptions) -> Result<ExitStatus> {
    let workspace = discover::workspace(root)?;
    if workspace.distributions.is_empty() {
        ui::findings(&workspace.findings);
    }
    let text = match options.format {
        GraphFormat::Tree => tree(&workspace),
        GraphFormat::Mermaid => mermaid(&workspace),
        GraphFormat::Dot => dot(&workspace),
        GraphFormat::Json => {
            json::print(&as_json(&workspace));
            return Ok(ExitStatus::Done);
        }
    };
    say!("{}", text.trim_end());
    Ok(ExitStatus::Done)
}

/// One line per distribution under the heading of its level.
fn tree(workspace: &Workspace) -> String {
    let mut text = String::new();
    let mut level = None;
    for distribution in &workspace.distributions {
        if level != Some(distribution.level) {
            level = Some(distribution.level);
            text += &format!("level {}\n", distribution.level);
        }
        let needs = names(workspace, &distribution.needs).join(", ");
        let needs = if needs.is_empty() { String::new() } else { format!("  needs {needs}") };
        text += &format!("  {}{needs}\n", distribution.name());
    }
    text
}

fn mermaid(workspace: &Workspace) -> String {
    let mut text = "graph LR\n".to_owned();
    for (id, distribution) in workspace.distributions.enumerate() {
        text += &format!("  d{}[\"{}\"]\n", id.index(), distribution.name());
    }
    for (from, to) in edges(workspace) {
        text += &format!("  d{} --> d{}\n", from.index(), to.index());
    }
    text
}

fn dot(workspace: &Workspace) -> String {
    let mut text = "digraph distributions {\n".to_owned();
    for distribution in &workspace.distributions {
        text += &format!("  \"{}\";\n", distribution.name());
    }
    for (from, to) in edges(workspace) {
        let [from, to] = [from, to].map(|id| workspace.distributions[id].name());
        text += &format!("  \"{from}\" -> \"{to}\";\n");
    }
    text + "}\n"
}

fn as_json(workspace: &Workspace) -> JsonValue {
    let packages = workspace.distributions.iter().map(|distribution| {
        object! {
            "name": distribution.name().to_string(),
            "level": distribution.level,
            "depends_on": names(workspace, &distribution.needs),
        }
    });
    object! { "packages": packages.collect::<Vec<_>>() }
}

fn edges(workspace: &Workspace) -> impl Iterator<Item = (DistributionId, DistributionId)> {
    workspace
        .distributions
        .enumerate()
        .flat_map(|(from, distribution)| distribution.needs.iter().map(move |&to| (from, to)))
}

fn names(workspace: &Workspace, of: &[DistributionId]) -> Vec<String> {
    of.iter().map(|&id| workspace.distributions[id].name().to_string()).collect()
}
