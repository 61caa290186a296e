//! The facts that a release is judged by, first those that need no index, then what the indexes
//! say. Nothing here changes anything.

use std::collections::HashMap;

use anyhow::Result;
use domain::finding::Rule;
use domain::ids::DistributionId;
use domain::manifest::requirement::{DeclaredRequirement, RequirementTable};
use domain::release::environment;
use domain::release::index_address::token_variable;
use domain::release::ledger::Ledger;
use domain::release::plan::{
    Lookup, Package, ServedFile, files_of, is_closed, lacks, version_in_file_name,
};
use domain::release::preflight::{
    self, Check, CredentialFacts, IncompleteFacts, PackageFacts, RepositoryFacts,
};
use domain::workspace::history::TagRef;
use domain::workspace::{Distribution, Workspace};
use formats::name::Name;

use crate::effects::index::twine::{self, Repository};
use crate::effects::python::tools::Tools;
use crate::effects::release::ledger;
use crate::effects::release::target::{GitTarget, ReleaseTarget};
use crate::effects::repository::git::Git;

/// What is known before any index is asked.
pub(crate) struct LocalFacts {
    checks: Vec<Check>,
    targets: Vec<Target>,
    /// Ledgers of earlier builds, by index in the workspace.
    pub(crate) ledgers: HashMap<DistributionId, Ledger>,
}

/// One distribution that was asked for.
struct Target {
    id: DistributionId,
    package: Package,
    /// The commit that its tag is on, on the remote.
    tagged: Option<String>,
}

impl LocalFacts {
    pub(crate) fn checks(&self) -> Vec<Check> {
        self.checks.clone()
    }
}

/// What the indexes say.
pub(crate) struct IndexFacts {
    pub(crate) checks: Vec<Check>,
    /// What is left to be released, in order.
    pub(crate) open: Vec<Package>,
    /// What is released already, as indices into the workspace.
    pub(crate) released: Vec<DistributionId>,
    pub(crate) served: Served,
}

/// The files that the indexes listed, by index in the workspace.
#[derive(Default)]
pub(crate) struct Served {
    pub(crate) staging: HashMap<DistributionId, Vec<ServedFile>>,
    pub(crate) index: HashMap<DistributionId, Vec<ServedFile>>,
}

/// Branch, tree, remote, tags, and what was built before: what git and the disk can tell.
///
/// # Errors
/// git fails. Whatever only stands in the way of a release is a check instead.
pub(crate) fn local(
    git_target: &GitTarget,
    workspace: &Workspace,
    targets: &[DistributionId],
    head: &str,
) -> Result<LocalFacts> {
    let git = &git_target.git;
    let tags = Tags { local: git.tags()?, remote: git.remote_tags(&git_target.remote) };
    let dirty = git.dirty()?;
    let tags_of_targets =
        targets.iter().filter_map(|&id| workspace.distributions[id].current_tag());
    let mut free_tags: Vec<String> = tags_of_targets.filter(|tag| tags.is_free(tag)).collect();
    // Distributions of one version may share a tag.
    free_tags.sort();
    free_tags.dedup();
    let mut checks = preflight::repository(&RepositoryFacts {
        head,
        branch: git.branch().as_deref(),
        branches: &git_target.branches,
        dirty: &dirty,
        // Stand-ins are told nothing about history.
        shallow: git_target.real && git.is_shallow()?,
        remote: &git_target.remote,
        on_remote: git.remote_has_head(&git_target.remote),
        refuses_tags: free_tags.first().and_then(|tag| git.refusal_of_tag(&git_target.remote, tag)),
    });
    checks.push(preflight::tagging(git.refusal_to_tag(&free_tags, head)?));
    checks.push(preflight::environment(&redirections()));
    checks.extend(workspace.findings.iter().filter(|finding| finding.is_error()).map(|finding| {
        Check::failed(finding.rule, finding.to_string(), finding.hint.clone().unwrap_or_default())
    }));

    let (mut found, mut ledgers) = (Vec::new(), HashMap::new());
    for &id in targets {
        let distribution = &workspace.distributions[id];
        match built_before(git_target, distribution) {
            Ok(Some(ledger)) => _ = ledgers.insert(id, ledger),
            Ok(None) => {}
            Err(error) => checks.push(Check::failed(
                Rule::BuiltFiles,
                format!("{error:#}"),
                "remove that folder of dist/, unless files of it are on an index already",
            )),
        }
        let facts = package_facts(git, workspace, targets, id, head, &tags, ledgers.get(&id))?;
        checks.extend(preflight::package(&facts));
        let tagged = match facts.remote_tag {
            Lookup::Known(commit) => commit,
            Lookup::Unknown(_) => None,
        };
        if let Some(version) = distribution.version() {
            let package = Package {
                distribution: id,
                version: version.clone(),
                tag: facts.tag,
                tagged: None,
            };
            found.push(Target { id, package, tagged });
        }
    }
    Ok(LocalFacts { checks, targets: found, ledgers })
}

/// Credentials for both indexes, and the tools.
pub(crate) fn of_tools(target: &ReleaseTarget, tools: &Tools) -> Vec<Check> {
    let mut checks = [&target.staging, &target.index].map(credentials).to_vec();
    checks.push(preflight::separate_secrets(twine::shared_secret(&target.staging, &target.index)));
    checks.push(Check::passed(Rule::Tools, tool_versions(tools)));
    checks
}

struct Tags {
    local: Vec<TagRef>,
    remote: Lookup<Vec<TagRef>>,
}

impl Tags {
    fn local(&self, name: &str) -> Option<String> {
        commit_of(&self.local, name)
    }

    fn is_free(&self, name: &str) -> bool {
        self.local(name).is_none() && matches!(self.remote(name), Lookup::Known(None))
    }

    fn remote(&self, name: &str) -> Lookup<Option<String>> {
        match &self.remote {
            Lookup::Known(tags) => Lookup::Known(commit_of(tags, name)),
            Lookup::Unknown(why) => Lookup::Unknown(why.clone()),
        }
    }
}

/// Variables that would redirect a tool if it saw them.
fn redirections() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| environment::redirects(name)).collect();
    names.sort();
    names
}

fn tool_versions(tools: &Tools) -> String {
    let pinned = ["build", "twine", "pip"].into_iter();
    let pinned = pinned.filter_map(|name| Some(format!("{name} {}", Tools::version_of(name)?)));
    let all: Vec<String> =
        [format!("Python {}", tools.interpreter.version)].into_iter().chain(pinned).collect();
    all.join(", ")
}

fn commit_of(tags: &[TagRef], name: &str) -> Option<String> {
    tags.iter().find(|tag| tag.name == name).map(|tag| tag.commit.clone())
}

fn credentials(repository: &Repository) -> Check {
    let source = match &repository.index {
        Ok(_) => Ok(repository.credentials.clone()),
        Err(why) => Err(why.clone()),
    };
    let variable = token_variable(&repository.name);
    preflight::credentials(&CredentialFacts {
        repository: &repository.name,
        variable: &variable,
        source,
    })
}

fn built_before(git_target: &GitTarget, distribution: &Distribution) -> Result<Option<Ledger>> {
    match distribution.version() {
        Some(version) => ledger::load(&ledger::dir(
            &git_target.dist,
            &distribution.name().in_file_name(),
            &version.to_string(),
        )),
        None => Ok(None),
    }
}

fn package_facts(
    git: &Git,
    workspace: &Workspace,
    targets: &[DistributionId],
    id: DistributionId,
    head: &str,
    tags: &Tags,
    ledger: Option<&Ledger>,
) -> Result<PackageFacts> {
    let distribution = &workspace.distributions[id];
    let tag = distribution.current_tag().unwrap_or_default();
    let remote_tag = tags.remote(&tag);
    let changed = match &remote_tag {
        Lookup::Known(Some(commit)) => changed_since(git, workspace, id, commit)?,
        _ => None,
    };
    let released = |sibling: &DistributionId| {
        let tag = workspace.distributions[*sibling].current_tag().unwrap_or_default();
        targets.contains(sibling) || matches!(tags.remote(&tag), Lookup::Known(Some(_)))
    };
    let needs = workspace.transitive_needs(id);
    let unreleased = needs.iter().filter(|sibling| !released(sibling));
    Ok(PackageFacts {
        name: distribution.name().to_string(),
        version: distribution.version().map(ToString::to_string),
        local_tag: tags.local(&tag),
        tag,
        remote_tag,
        own_commits: ledger
            .map(|ledger| ledger.commit.clone())
            .into_iter()
            .chain([head.to_owned()])
            .collect(),
        changed,
        unreleased: unreleased
            .map(|&sibling| workspace.distributions[sibling].name().to_string())
            .collect(),
    })
}

/// Commits since `tagged` that touch a distribution; `None` when HEAD does not contain it.
fn changed_since(
    git: &Git,
    workspace: &Workspace,
    id: DistributionId,
    tagged: &str,
) -> Result<Option<usize>> {
    if !git.is_ancestor(tagged, "HEAD") {
        return Ok(None);
    }
    let tagged = [(id, tagged)];
    let log = git.log_since(&tagged)?;
    Ok(workspace.commits_since(&tagged, &log).get(&id).map(Vec::len))
}

/// Asks both indexes, once each, and sorts what was asked for into released and open.
///
/// # Errors
/// The tools' environment does not answer.
pub(crate) fn indexes(
    release_target: &ReleaseTarget,
    tools: &Tools,
    workspace: &Workspace,
    local: &LocalFacts,
) -> Result<IndexFacts> {
    let mut facts = IndexFacts {
        checks: Vec::new(),
        open: Vec::new(),
        released: Vec::new(),
        served: Served::default(),
    };
    // Siblings that stay as they are count too: what is built may need them.
    let mut asked: Vec<DistributionId> = local.targets.iter().map(|target| target.id).collect();
    asked.extend(local.targets.iter().flat_map(|target| workspace.transitive_needs(target.id)));
    asked.extend(local.targets.iter().flat_map(|target| {
        let published = |declared: &&DeclaredRequirement| {
            matches!(declared.table, RequirementTable::Dependencies | RequirementTable::Extra(_))
        };
        let siblings = workspace.sibling_requirements(target.id);
        siblings.filter(move |(_, declared)| published(declared)).map(|(sibling, _)| sibling)
    }));
    asked.sort_unstable();
    asked.dedup();
    let names: Vec<&Name> = asked.iter().map(|&id| workspace.distributions[id].name()).collect();
    for (repository, served) in [
        (&release_target.staging, &mut facts.served.staging),
        (&release_target.index, &mut facts.served.index),
    ] {
        let Ok(index) = &repository.index else { continue };
        let answers = index.files(tools, &names)?;
        for (&id, answer) in asked.iter().zip(answers) {
            match answer {
                Lookup::Known(files) => _ = served.insert(id, files),
                Lookup::Unknown(why) => {
                    facts.checks.push(unanswered(repository, &workspace.distributions[id], &why))
                }
            }
        }
    }
    for target in &local.targets {
        facts.sort(workspace, target, &release_target.index.name);
    }
    facts.judge_open(workspace, &release_target.index.name, release_target.git_target.real);
    Ok(facts)
}

impl IndexFacts {
    fn sort(&mut self, workspace: &Workspace, target: &Target, index: &str) {
        let Target { id, package, tagged } = target;
        let Package { version, tag, .. } = package;
        let name = workspace.distributions[*id].name();
        // Unknown: there is a failed check already.
        let Some(served) = self.served.index.get(id) else { return };
        let Some(commit) = tagged else { return self.open.push(package.clone()) };
        let files = files_of(served, &name.in_file_name(), version);
        if files.is_empty() {
            return self.checks.push(Check::failed(
                Rule::Tag,
                format!("{name} {version} is tagged {tag}, but {index} does not have it"),
                format!("cargo xtask bump {name}, or take the tag away if it was set by mistake"),
            ));
        }
        let Some(missing) = lacks(served, &name.in_file_name(), version) else {
            return self.released.push(*id);
        };
        let closed = is_closed(&files);
        self.checks.push(preflight::incomplete(&IncompleteFacts {
            name,
            version,
            tag,
            index,
            missing,
            closed,
        }));
        match closed {
            true => self.released.push(*id),
            false => self.open.push(Package { tagged: Some(commit.clone()), ..package.clone() }),
        }
    }
}

impl IndexFacts {
    /// Versions and names of what is still to be released, held against what the index has. To a
    /// stand-in every name is new.
    fn judge_open(&mut self, workspace: &Workspace, index: &str, real: bool) {
        let mut new = Vec::new();
        for package in &self.open {
            let name = workspace.distributions[package.distribution].name();
            let published = versions(
                self.served.index.get(&package.distribution).map_or(&[], Vec::as_slice),
                name,
            );
            if published.is_empty() {
                new.push(name.to_string());
            }
            self.checks.push(preflight::upwards(&name.to_string(), &package.version, &published));
        }
        if real {
            self.checks.push(preflight::new_names(index, &new));
        }
    }
}

fn unanswered(repository: &Repository, distribution: &Distribution, why: &str) -> Check {
    Check::failed(
        Rule::Index,
        format!("{} was asked for {}: {why}", repository.name, distribution.name()),
        "try again; nothing is decided without an answer",
    )
}

/// The versions of a distribution that an index lists.
pub(crate) fn versions(files: &[ServedFile], name: &Name) -> Vec<formats::pep440::Version> {
    let in_file_name = name.in_file_name();
    let mut versions: Vec<_> =
        files.iter().filter_map(|file| version_in_file_name(&file.name, &in_file_name)).collect();
    versions.sort();
    versions.dedup();
    versions
}
