//! `status`: the distributions in release order, and what changed since their last tags.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use anyhow::Result;
use domain::ids::{DistributionId, IdVec};
use domain::release::plan::{Lookup, ServedFile, files_of};
use domain::text::words::plural;
use domain::workspace::{Distribution, Workspace};
use formats::name::Name;
use jzon::{JsonValue, object};

use crate::ExitStatus;
use crate::cli::StatusOptions;
use crate::effects::clock;
use crate::effects::index::twine;
use crate::effects::python::tools::Tools;
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::text::table;
use crate::ui::{self, Style, json, paint, say};

/// Tag and commits of one distribution.
struct TagState {
    /// The tag of the current version.
    tag: Option<String>,
    tagged: bool,
    last: Option<String>,
    /// The age of the last tag.
    age: Option<String>,
    /// Whether HEAD contains the last tag.
    in_head: bool,
    /// Commits that touch its directory since its last tag; unknown without one.
    changed: Option<usize>,
}

impl TagState {
    /// The commits since the last tag and its age; empty without one.
    fn since(&self) -> String {
        if self.last.is_none() {
            return String::new();
        }
        let changed = match self.changed {
            Some(changed) if self.in_head => plural(changed, "commit"),
            _ => "not in HEAD".to_owned(),
        };
        self.age.iter().fold(changed, |since, age| format!("{since}, {age}"))
    }
}

/// Which current versions one index has.
struct Online {
    repository: String,
    states: IdVec<DistributionId, OnlineState>,
}

/// Whether an index has a version. A failed query never counts as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum OnlineState {
    Published,
    Absent,
    /// Why the index could not be read.
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
/// The repository is not understood, git fails, or the tools that query indexes are missing.
pub(crate) fn run(root: &Path, options: &StatusOptions) -> Result<ExitStatus> {
    let workspace = discover::workspace(root)?;
    let tag_states = tag_states(root, &workspace)?;
    let online = if options.online { query(&workspace)? } else { Vec::new() };
    if options.json {
        let mut answer = as_json(root, &workspace, &tag_states, &online);
        if options.all {
            answer["excluded"] = excluded_as_json(&workspace);
        }
        json::print(&answer);
    } else {
        ui::findings(&workspace.findings);
        if !workspace.distributions.is_empty() {
            print(&workspace, &tag_states, &online);
        }
        if options.all {
            print_excluded(&workspace);
        } else {
            ui::left_out(&workspace);
        }
    }
    Ok(ExitStatus::Done)
}

/// Queries the staging index and the index.
fn query(workspace: &Workspace) -> Result<Vec<Online>> {
    let tools = Tools::ready(ui::progress_line)?;
    let config = &workspace.config;
    let names: Vec<&Name> = workspace.distributions.iter().map(Distribution::name).collect();
    let mut online = Vec::new();
    for repository in twine::repositories(&tools, None, [&config.staging, &config.index])? {
        let lookups = match &repository.index {
            Ok(index) => index.files(&tools, &names)?,
            Err(why) => vec![Lookup::Unknown(why.clone()); names.len()],
        };
        let states = workspace.distributions.iter().zip(lookups);
        let states = states.map(|(distribution, lookup)| online_state(distribution, lookup));
        let states = states.collect();
        online.push(Online { repository: repository.name, states });
    }
    Ok(online)
}

fn online_state(distribution: &Distribution, lookup: Lookup<Vec<ServedFile>>) -> OnlineState {
    let name = distribution.name();
    let Some(version) = distribution.version() else {
        return OnlineState::Unknown(format!("the version of `{name}` is not known"));
    };
    match lookup {
        Lookup::Unknown(why) => OnlineState::Unknown(why),
        Lookup::Known(files) if files_of(&files, &name.in_file_name(), version).is_empty() => {
            OnlineState::Absent
        }
        Lookup::Known(_) => OnlineState::Published,
    }
}

fn tag_states(root: &Path, workspace: &Workspace) -> Result<IdVec<DistributionId, TagState>> {
    let distributions = &workspace.distributions;
    let mut changed = HashMap::new();
    let mut times = HashMap::new();
    let mut elsewhere = HashSet::new();
    if let Some(git) = Git::at(root) {
        let last = workspace.tagged_commits();
        let log = git.log_since(&last)?;
        for (id, commits) in workspace.commits_since(&last, &log) {
            changed.insert(id, commits.len());
        }
        let mut commits: Vec<&str> = last.into_iter().map(|(_, commit)| commit).collect();
        commits.sort_unstable();
        commits.dedup();
        times = git.commit_times(&commits)?;
        elsewhere = git.not_in_head(&commits)?;
        // In a shallow clone the history that would tell is missing.
        if !elsewhere.is_empty() && git.is_shallow()? {
            elsewhere.clear();
        }
    }
    let states = distributions.enumerate().map(|(id, distribution)| {
        let last = distribution.last_tag.as_ref();
        TagState {
            tag: distribution.current_tag(),
            tagged: distribution.tagged.is_some(),
            last: last.map(|last| last.name.clone()),
            age: last.and_then(|last| Some(age(*times.get(&last.commit)?))),
            in_head: last.is_none_or(|last| !elsewhere.contains(&last.commit)),
            changed: changed.get(&id).copied(),
        }
    });
    Ok(states.collect())
}

/// How long ago a time is, in seconds since 1970-01-01, in words.
fn age(time: u64) -> String {
    let days = clock::seconds().saturating_sub(time) / 86_400;
    match days {
        0 => "today".to_owned(),
        1..60 => format!("{} ago", plural(days as usize, "day")),
        60..730 => format!("{} ago", plural(days as usize / 30, "month")),
        _ => format!("{} ago", plural(days as usize / 365, "year")),
    }
}

fn as_json(
    root: &Path,
    workspace: &Workspace,
    tag_states: &IdVec<DistributionId, TagState>,
    online: &[Online],
) -> JsonValue {
    let packages = included(workspace).map(|(id, distribution)| {
        let state = &tag_states[id];
        let mut package = object! {
            "name": distribution.name().to_string(),
            "path": if distribution.dir.is_empty() { "." } else { &distribution.dir },
            "version": distribution.version().map(ToString::to_string),
            "version_source": version_source(distribution),
            "tag": state.tag.as_deref(),
            "last_tag": state.last.as_deref(),
            "tagged": state.tagged,
            "changed": state.changed,
            "level": distribution.level,
            "depends_on": needs(workspace, distribution),
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

fn excluded_as_json(workspace: &Workspace) -> JsonValue {
    let excluded = excluded(workspace).map(|(distribution, why)| {
        object! {
            "name": distribution.name().to_string(),
            "path": distribution.dir.as_str(),
            "reason": why,
        }
    });
    excluded.collect::<Vec<_>>().into()
}

fn included(workspace: &Workspace) -> impl Iterator<Item = (DistributionId, &Distribution)> {
    workspace.distributions.enumerate().filter(|(_, d)| d.manifest.excluded.is_none())
}

/// The excluded projects, each with the reason.
fn excluded(workspace: &Workspace) -> impl Iterator<Item = (&Distribution, &str)> {
    workspace.distributions.iter().filter_map(|d| Some((d, d.manifest.excluded.as_deref()?)))
}

fn print_excluded(workspace: &Workspace) {
    let rows: Vec<Vec<String>> = excluded(workspace)
        .map(|(d, why)| vec![d.name().to_string(), d.dir.clone(), why.to_owned()])
        .collect();
    if !rows.is_empty() {
        say!("");
        table(&["excluded", "folder", "reason"], &rows);
    }
}

fn version_source(distribution: &Distribution) -> String {
    let (file, line) = distribution.manifest.version.location();
    format!("{file}:{line}")
}

/// The names of the siblings that a distribution depends on.
fn needs(workspace: &Workspace, distribution: &Distribution) -> Vec<String> {
    distribution.needs.iter().map(|&id| workspace.distributions[id].name().to_string()).collect()
}

fn print(workspace: &Workspace, tag_states: &IdVec<DistributionId, TagState>, online: &[Online]) {
    let rows = included(workspace).map(|(id, distribution)| {
        let state = &tag_states[id];
        let mut cells = vec![
            distribution.name().to_string(),
            distribution.version().map_or("?".to_owned(), ToString::to_string),
            state.last.clone().unwrap_or_else(|| "never tagged".to_owned()),
            state.since(),
        ];
        cells.extend(online.iter().map(|index| index.states[id].word().to_owned()));
        cells.push(needs(workspace, distribution).join(", "));
        cells
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut header = vec!["distribution", "version", "last tag", "since"];
    header.extend(online.iter().map(|index| index.repository.as_str()));
    header.push("needs");
    table(&header, &rows);
    print_unknown(online);
}

/// Prints why an index could not be read, each reason once.
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
