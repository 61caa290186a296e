//! Branch, tree, remote, tags, and the files of earlier builds: the facts that need no index.

use std::collections::HashMap;

use anyhow::Result;
use domain::finding::Rule;
use domain::ids::DistributionId;
use domain::release::environment;
use domain::release::ledger::Ledger;
use domain::release::plan::{Lookup, Package};
use domain::release::preflight::{self, Check, PackageFacts, RepositoryFacts};
use domain::workspace::history::TagRef;
use domain::workspace::{Distribution, Workspace};

use crate::effects::python::tools::shuts_in;
use crate::effects::release::ledger;
use crate::effects::release::target::GitTarget;

/// The facts that are known before any index is queried.
pub(crate) struct LocalFacts {
    pub(crate) checks: Vec<Check>,
    /// The targets whose version is known, in release order.
    pub(super) requested: Vec<RequestedPackage>,
    /// Ledgers of earlier builds.
    pub(crate) ledgers: HashMap<DistributionId, Ledger>,
}

/// A package that the user asked to release.
pub(super) struct RequestedPackage {
    pub(super) package: Package,
    /// The commit that its tag is on, on the remote.
    pub(super) tagged: Option<String>,
    /// Whether that is HEAD.
    pub(super) is_head: bool,
}

impl LocalFacts {
    /// The packages that the user wants released.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.requested.iter().map(|requested| &requested.package)
    }

    /// Gathers the facts about the `targets` of a release of the commit `head`.
    ///
    /// # Errors
    /// git fails. Everything else that prevents a release is a failed check instead.
    pub(crate) fn gather(
        git_target: &GitTarget,
        workspace: &Workspace,
        targets: &[DistributionId],
        head: &str,
    ) -> Result<LocalFacts> {
        let git = &git_target.git;
        let tags = Tags { local: git.tags()?, remote: git.remote_tags(&git_target.remote) };
        let subject = Subject { git_target, workspace, targets, head, tags };

        let mut checks = subject.repository()?;
        checks.push(preflight::environment(&redirections()));
        checks.push(preflight::isolation(shuts_in()));
        checks.extend(findings(workspace));
        checks.extend(tag_question(workspace, targets));
        checks.extend(unmade_versions(workspace, targets));
        let mut requested = Vec::new();
        let mut ledgers = HashMap::new();
        for &id in targets {
            let distribution = &workspace.distributions[id];
            match earlier_build(git_target, distribution) {
                Ok(ledger) => ledgers.extend(ledger.map(|ledger| (id, ledger))),
                Err(error) => checks.push(Check::failed(
                    Rule::BuiltFiles,
                    format!("{error:#}"),
                    "remove its folder in dist/, unless an index already has files from there",
                )),
            }
            let facts = subject.package(id, ledgers.get(&id))?;
            checks.extend(preflight::package(&facts));
            if let Some(version) = distribution.version().cloned() {
                let tagged = facts.remote_tag.known().flatten();
                let is_head = tagged.as_deref() == Some(head);
                let package = Package { distribution: id, version, tag: facts.tag, tagged: None };
                requested.push(RequestedPackage { package, tagged, is_head });
            }
        }
        Ok(LocalFacts { checks, requested, ledgers })
    }
}

/// The targets whose version is made from a tag that nothing names.
fn unmade_versions(workspace: &Workspace, targets: &[DistributionId]) -> Option<Check> {
    let targets = targets.iter().map(|&id| &workspace.distributions[id]);
    let unmade: Vec<&Distribution> =
        targets.filter(|target| target.makes_version() && target.version().is_none()).collect();
    let names: Vec<String> = unmade.iter().map(|target| target.name().to_string()).collect();
    preflight::versions_from_tags(&names, &unmade.first()?.tag.example())
}

/// The errors of the workspace as failed checks.
fn findings(workspace: &Workspace) -> impl Iterator<Item = Check> {
    let errors = workspace.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| {
        let hint = finding.hint.clone().unwrap_or_default();
        Check::failed(finding.rule, finding.to_string(), hint)
    })
}

/// The question how the next tag is named, where a target would get one that nobody has decided on.
fn tag_question(workspace: &Workspace, targets: &[DistributionId]) -> Option<Check> {
    let finding = workspace.findings.iter().find(|finding| finding.rule == Rule::TagScheme)?;
    let has_new = targets.iter().any(|&id| workspace.distributions[id].tagged.is_none());
    let hint = finding.hint.clone().unwrap_or_default();
    has_new.then(|| Check::noted(finding.rule, &finding.message, hint))
}

/// The environment variables that would redirect a tool if it saw them.
fn redirections() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| environment::redirects(name)).collect();
    names.sort();
    names
}

fn earlier_build(git_target: &GitTarget, distribution: &Distribution) -> Result<Option<Ledger>> {
    let Some(version) = distribution.version() else { return Ok(None) };
    let name = distribution.name().in_file_name();
    ledger::load(&ledger::dir(&git_target.dist, &name, &version.to_string()))
}

/// The tags here and on the remote.
struct Tags {
    local: Vec<TagRef>,
    remote: Lookup<Vec<TagRef>>,
}

impl Tags {
    fn local(&self, name: &str) -> Option<String> {
        commit_of(&self.local, name)
    }

    fn remote(&self, name: &str) -> Lookup<Option<String>> {
        match &self.remote {
            Lookup::Known(tags) => Lookup::Known(commit_of(tags, name)),
            Lookup::Unknown(why) => Lookup::Unknown(why.clone()),
        }
    }

    fn is_on_remote(&self, name: &str) -> bool {
        matches!(self.remote(name), Lookup::Known(Some(_)))
    }

    fn is_free(&self, name: &str) -> bool {
        self.local(name).is_none() && self.remote(name) == Lookup::Known(None)
    }
}

fn commit_of(tags: &[TagRef], name: &str) -> Option<String> {
    tags.iter().find(|tag| tag.name == name).map(|tag| tag.commit.clone())
}

/// The release that the facts are about.
struct Subject<'a> {
    git_target: &'a GitTarget,
    workspace: &'a Workspace,
    targets: &'a [DistributionId],
    head: &'a str,
    tags: Tags,
}

impl Subject<'_> {
    /// The tag of the version that a distribution has now; empty where it has none.
    fn tag(&self, id: DistributionId) -> String {
        self.workspace.distributions[id].current_tag().unwrap_or_default()
    }

    fn repository(&self) -> Result<Vec<Check>> {
        let GitTarget { git, remote, branches, is_real, .. } = self.git_target;
        let free_tags = self.free_tags();
        let tags_here: Vec<String> =
            self.targets.iter().filter_map(|&id| self.tag_here(id)).collect();
        let is_public = || tags_here.iter().any(|tag| self.tags.is_on_remote(tag));
        let first = free_tags.first();
        let mut checks = preflight::repository(&RepositoryFacts {
            head: self.head,
            branch: git.branch().as_deref(),
            branches,
            dirty: &git.dirty()?,
            // The clone of a rehearsal may be as shallow as the original.
            shallow: *is_real && tags_here.len() < self.targets.len() && git.is_shallow()?,
            remote,
            on_remote: if is_public() { Lookup::Known(true) } else { git.remote_has_head(remote) },
            refuses_tags: first.and_then(|tag| git.refusal_of_tag(remote, tag)),
            tag: tags_here.first().map(String::as_str),
        });
        checks.push(preflight::tagging(git.refusal_to_tag(&free_tags, self.head)?));
        Ok(checks)
    }

    /// The tag of a distribution, where HEAD has it.
    fn tag_here(&self, id: DistributionId) -> Option<String> {
        let tag = self.workspace.distributions[id].tagged.clone()?;
        let commit = self.tags.local(&tag).or_else(|| self.tags.remote(&tag).known().flatten());
        (commit.as_deref() == Some(self.head)).then_some(tag)
    }

    /// The tags that this release sets, sorted; distributions of one version may share one.
    fn free_tags(&self) -> Vec<String> {
        let tags =
            self.targets.iter().filter_map(|&id| self.workspace.distributions[id].current_tag());
        let mut free: Vec<String> = tags.filter(|tag| self.tags.is_free(tag)).collect();
        free.sort();
        free.dedup();
        free
    }

    fn package(&self, id: DistributionId, ledger: Option<&Ledger>) -> Result<PackageFacts> {
        let distribution = &self.workspace.distributions[id];
        let tag = self.tag(id);
        let remote_tag = self.tags.remote(&tag);
        let changed = match &remote_tag {
            Lookup::Known(Some(commit)) => self.changed_since(id, commit)?,
            Lookup::Known(None) | Lookup::Unknown(_) => None,
        };
        let built = ledger.map(|ledger| ledger.commit.clone());
        Ok(PackageFacts {
            name: distribution.name().to_string(),
            version: distribution.version().map(ToString::to_string),
            is_made: distribution.makes_version(),
            local_tag: self.tags.local(&tag),
            tag,
            remote_tag,
            own_commits: built.into_iter().chain([self.head.to_owned()]).collect(),
            changed,
            unreleased: self.unreleased_needs(id),
            without_range: self.without_range(id),
        })
    }

    /// The siblings that the metadata will require in any version; `keep` allows that.
    fn without_range(&self, id: DistributionId) -> Vec<String> {
        let keep = &self.workspace.distributions[id].manifest.config.keep;
        let bare = self.workspace.sibling_requirements(id).filter(|(_, declared)| {
            declared.is_published()
                && declared.specifiers().is_empty()
                && declared.requirement.url.is_none()
                && !keep.contains(&declared.requirement.name)
        });
        let mut names: Vec<String> =
            bare.map(|(_, declared)| declared.requirement.name.to_string()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The siblings that a distribution needs, also to be built, and that are neither tagged nor
    /// targets.
    fn unreleased_needs(&self, id: DistributionId) -> Vec<String> {
        let mut needs = self.workspace.transitive_needs(id);
        needs.extend(&self.workspace.distributions[id].built_with);
        needs.sort_unstable();
        needs.dedup();
        needs.retain(|&sibling| {
            let is_tagged = matches!(self.tags.remote(&self.tag(sibling)), Lookup::Known(Some(_)));
            !is_tagged && !self.targets.contains(&sibling)
        });
        let names = needs.iter().map(|&sibling| &self.workspace.distributions[sibling]);
        names.map(|sibling| sibling.name().to_string()).collect()
    }

    /// The number of commits since `tagged` that touch a distribution; `None` when HEAD does not
    /// contain it.
    fn changed_since(&self, id: DistributionId, tagged: &str) -> Result<Option<usize>> {
        let git = &self.git_target.git;
        if !git.is_ancestor(tagged, "HEAD") {
            return Ok(None);
        }
        let tagged = [(id, tagged)];
        let log = git.log_since(&tagged)?;
        Ok(self.workspace.commits_since(&tagged, &log).get(&id).map(Vec::len))
    }
}
