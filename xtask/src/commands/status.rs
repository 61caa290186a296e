//! `status`: the distributions in release order, and what has happened since their last tags.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use domain::ids::{DistributionId, IdVec};
use domain::release::plan::{Lookup, ServedFile, files_of};
use domain::workspace::history::last_tag;
use domain::workspace::{Distribution, Workspace};
use formats::name::Name;
use jzon::{JsonValue, object};

use crate::ExitStatus;
use crate::cli::StatusOptions;
use crate::effects::index::twine;
use crate::effects::python::tools::Tools;
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::text::table;
use crate::ui::{self, Style, paint, say};

/// What git says about one distribution.
struct Standing {
    /// The tag of the version that stands in the repository.
    tag: Option<String>,
    tagged: bool,
    /// Commits that touch its directory since its last tag; unknown without one.
    changed: Option<usize>,
}

/// What one index says about the versions that stand in the repository.
struct Online {
    repository: String,
    /// In the order of the distributions.
    states: IdVec<DistributionId, OnlineState>,
}

/// Whether an index has a version. Not to know is never the same as no.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OnlineState {
    Published,
    Absent,
    /// Why it could not be told.
    Unknown(String),
}

impl OnlineState {
    fn word(&self) -> &'static str {
        match self {
            OnlineState::Published => "published",
            OnlineState::Absent => "absent",
            OnlineState::Unknown(_) => "unknown",
        }
    }
}

/// # Errors
/// The repository cannot be understood, git fails, or the indexes cannot even be asked.
pub(crate) fn run(root: &Path, options: &StatusOptions) -> Result<ExitStatus> {
    let workspace = discover::workspace(root)?;
    let standings = standings(root, &workspace)?;
    let online = if options.online { ask(&workspace)? } else { Vec::new() };
    if options.json {
        say!("{}", as_json(root, &workspace, &standings, &online).pretty(2));
    } else {
        ui::findings(&workspace.findings);
        print(&workspace, &standings, &online);
    }
    Ok(ExitStatus::Done)
}

/// Asks the index that is staged on and the one that is published to.
fn ask(workspace: &Workspace) -> Result<Vec<Online>> {
    let tools = Tools::ready(|what| eprintln!("{what}"))?;
    let config = &workspace.config;
    let names: Vec<&Name> = workspace.distributions.iter().map(Distribution::name).collect();
    let mut online = Vec::new();
    for repository in twine::repositories(&tools, None, [&config.staging, &config.index])? {
        let answers = match &repository.index {
            Ok(index) => index.files(&tools, &names)?,
            Err(why) => vec![Lookup::Unknown(why.clone()); names.len()],
        };
        let states = workspace.distributions.iter().zip(answers).map(state).collect();
        online.push(Online { repository: repository.name, states });
    }
    Ok(online)
}

fn state((distribution, answer): (&Distribution, Lookup<Vec<ServedFile>>)) -> OnlineState {
    let Some(version) = distribution.version() else {
        return OnlineState::Unknown(format!(
            "the version of {} is not known",
            distribution.name()
        ));
    };
    match answer {
        Lookup::Unknown(why) => OnlineState::Unknown(why),
        Lookup::Known(files) => {
            match files_of(&files, &distribution.name().in_file_name(), version).is_empty() {
                true => OnlineState::Absent,
                false => OnlineState::Published,
            }
        }
    }
}

fn standings(root: &Path, workspace: &Workspace) -> Result<IdVec<DistributionId, Standing>> {
    let git = Git::at(root);
    let tags = git.as_ref().map_or(Ok(Vec::new()), Git::tags)?;
    let tagged: Vec<(DistributionId, &str)> = workspace
        .distributions
        .enumerate()
        .filter_map(|(id, d)| Some((id, last_tag(&d.tag, &tags)?.0.commit.as_str())))
        .collect();
    let log = git.as_ref().map_or(Ok(Vec::new()), |git| git.log_since(&tagged))?;
    let changed = workspace.commits_since(&tagged, &log);
    let is_tag = |tag: &String| tags.binary_search_by(|known| known.name.cmp(tag)).is_ok();
    let standings = workspace.distributions.enumerate().map(|(id, distribution)| {
        let tag = distribution.current_tag();
        let tagged = tag.as_ref().is_some_and(is_tag);
        Standing { tagged, tag, changed: changed.get(&id).map(Vec::len) }
    });
    Ok(standings.collect())
}

fn as_json(
    root: &Path,
    workspace: &Workspace,
    standings: &IdVec<DistributionId, Standing>,
    online: &[Online],
) -> JsonValue {
    let packages = workspace.distributions.enumerate().map(|(id, distribution)| {
        let standing = &standings[id];
        let needs =
            distribution.needs.iter().map(|&id| workspace.distributions[id].name().to_string());
        let mut package = object! {
            "name": distribution.name().to_string(),
            "path": if distribution.dir.is_empty() { "." } else { &distribution.dir },
            "version": distribution.version().map(ToString::to_string),
            "version_source": version_source(distribution),
            "tag": standing.tag.as_deref(),
            "tagged": standing.tagged,
            "changed": standing.changed,
            "level": distribution.level,
            "depends_on": needs.collect::<Vec<_>>(),
        };
        if !online.is_empty() {
            let states =
                online.iter().map(|index| (index.repository.as_str(), index.states[id].word()));
            package["online"] = states.collect::<BTreeMap<_, _>>().into();
        }
        package
    });
    object! { "root": root.to_string_lossy().as_ref(), "packages": packages.collect::<Vec<_>>() }
}

fn version_source(distribution: &Distribution) -> String {
    let (file, line) = distribution.manifest.version.place();
    format!("{file}:{line}")
}

fn print(workspace: &Workspace, standings: &IdVec<DistributionId, Standing>, online: &[Online]) {
    let rows = workspace.distributions.enumerate().map(|(id, distribution)| {
        let standing = &standings[id];
        let needs: Vec<String> = distribution
            .needs
            .iter()
            .map(|&id| workspace.distributions[id].name().to_string())
            .collect();
        let since = match (standing.tagged, standing.changed) {
            (_, None) => "never tagged".to_owned(),
            (true, Some(0)) => "tagged".to_owned(),
            (true, Some(changed)) => format!("tagged, {changed} since"),
            (false, Some(changed)) => format!("not tagged, {changed} since"),
        };
        let mut cells = vec![
            distribution.name().to_string(),
            distribution.version().map_or("?".to_owned(), ToString::to_string),
            since,
        ];
        cells.extend(online.iter().map(|index| index.states[id].word().to_owned()));
        cells.push(needs.join(", "));
        cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut header = vec!["distribution", "version", "last tag"];
    header.extend(online.iter().map(|index| index.repository.as_str()));
    header.push("needs");
    table(&header, &rows);
    print_unknown(online);
}

/// Why an index could not tell, each reason once.
fn print_unknown(online: &[Online]) {
    for index in online {
        let mut reasons: Vec<&str> = index
            .states
            .iter()
            .filter_map(|state| match state {
                OnlineState::Unknown(why) => Some(why.as_str()),
                OnlineState::Published | OnlineState::Absent => None,
            })
            .collect();
        reasons.sort_unstable();
        reasons.dedup();
        for why in reasons {
            eprintln!("{} {}: {why}", paint(Style::Warning, "unknown:"), index.repository);
        }
    }
}
