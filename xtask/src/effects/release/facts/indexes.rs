//! The files that the indexes list, and which packages are still to be released.

use std::collections::HashMap;

use anyhow::Result;
use domain::finding::Rule;
use domain::ids::DistributionId;
use domain::release::plan::{
    Lookup, Package, ServedFile, files_of, is_closed, lacks, version_in_file_name,
};
use domain::release::preflight::{self, Check, IncompleteFacts};
use domain::workspace::Workspace;
use formats::name::Name;
use formats::pep440::Version;

use crate::effects::index::twine::Repository;
use crate::effects::python::tools::Tools;
use crate::effects::release::facts::local::{LocalFacts, RequestedPackage};
use crate::effects::release::target::ReleaseTarget;

/// The facts that the indexes give.
pub(crate) struct IndexFacts {
    pub(crate) checks: Vec<Check>,
    /// The packages that are still to be released, in order.
    pub(crate) to_release: Vec<Package>,
    pub(crate) released: Vec<DistributionId>,
    pub(crate) served: Served,
}

/// The files that the indexes listed before the release.
#[derive(Default)]
pub(crate) struct Served {
    pub(crate) staging: Listings,
    pub(crate) index: Listings,
}

/// The files that one index listed, by distribution.
#[derive(Default)]
pub(crate) struct Listings(HashMap<DistributionId, Vec<ServedFile>>);

impl Listings {
    /// The files of a distribution; none where the index gave no answer.
    pub(crate) fn files(&self, id: DistributionId) -> &[ServedFile] {
        self.0.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The distributions about which there is an answer, with their files.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (DistributionId, &[ServedFile])> {
        self.0.iter().map(|(&id, files)| (id, files.as_slice()))
    }
}

impl IndexFacts {
    /// Queries each index once, and sorts the requested packages into released ones and those to
    /// release.
    ///
    /// # Errors
    /// The tools' environment does not answer.
    pub(crate) fn gather(
        target: &ReleaseTarget,
        tools: &Tools,
        workspace: &Workspace,
        local: &LocalFacts,
    ) -> Result<IndexFacts> {
        let relevant = relevant(workspace, &local.requested);
        let (staging, mut checks) = listings(&target.staging, tools, workspace, &relevant)?;
        let (index, unanswered) = listings(&target.index, tools, workspace, &relevant)?;
        checks.extend(unanswered);
        let served = Served { staging, index };
        let mut facts = IndexFacts { checks, to_release: Vec::new(), released: Vec::new(), served };
        for requested in &local.requested {
            facts.add(target, workspace, requested);
        }
        facts.check_versions(target, workspace);
        Ok(facts)
    }

    /// Sorts in one package. One about which the index gave no answer has a failed check already.
    fn add(&mut self, target: &ReleaseTarget, workspace: &Workspace, requested: &RequestedPackage) {
        let RequestedPackage { package, tagged, is_head } = requested;
        let Package { distribution: id, version, tag, .. } = package;
        let Some(listed) = self.served.index.0.get(id) else { return };
        let Some(commit) = tagged else {
            self.to_release.push(package.clone());
            return;
        };

        let name = workspace.distributions[*id].name();
        let index = &target.index.name;
        let files = files_of(listed, &name.in_file_name(), version);
        if files.is_empty() && *is_head {
            // Tagged first, and released from the tag.
            self.to_release.push(Package { tagged: Some(commit.clone()), ..package.clone() });
            return;
        }
        if files.is_empty() {
            let remote = &target.git_target.remote;
            self.checks.push(Check::failed(
                Rule::Tag,
                format!("{name} {version} is tagged `{tag}`, but `{index}` does not have it"),
                format!(
                    "`git switch --detach {tag}` and the same command release it; or run `cargo xtask bump {name}`, or `git push --delete {remote} {tag}` if it was tagged by mistake"
                ),
            ));
            return;
        }
        let Some(missing) = lacks(listed, &name.in_file_name(), version) else {
            self.released.push(*id);
            return;
        };
        let closed = is_closed(&files);
        let facts = IncompleteFacts { name, version, tag, index, missing, closed };
        self.checks.push(preflight::incomplete(&facts));
        if closed {
            self.released.push(*id);
        } else {
            self.to_release.push(Package { tagged: Some(commit.clone()), ..package.clone() });
        }
    }

    /// Compares the versions and names that are to be released with those that the index has. A
    /// stand-in has none.
    fn check_versions(&mut self, target: &ReleaseTarget, workspace: &Workspace) {
        let mut new_names = Vec::new();
        for package in &self.to_release {
            let name = workspace.distributions[package.distribution].name();
            let published = versions(self.served.index.files(package.distribution), name);
            if published.is_empty() {
                new_names.push(name.to_string());
            }
            self.checks.push(preflight::upwards(name, &package.version, &published));
        }
        if target.git_target.is_real {
            self.checks.push(preflight::new_names(&target.index.name, &new_names));
        }
    }
}

/// The distributions whose published files matter: the requested ones, and the siblings that their
/// metadata requires, also where those are not released.
fn relevant(workspace: &Workspace, requested: &[RequestedPackage]) -> Vec<DistributionId> {
    let mut relevant = Vec::new();
    for RequestedPackage { package, .. } in requested {
        let id = package.distribution;
        relevant.push(id);
        relevant.extend(workspace.transitive_needs(id));
        let requirements = workspace.sibling_requirements(id);
        let published = requirements.filter(|(_, declared)| declared.is_published());
        relevant.extend(published.map(|(sibling, _)| sibling));
    }
    relevant.sort_unstable();
    relevant.dedup();
    relevant
}

/// The files that one index lists for distributions, and a failed check for each question without
/// an answer.
fn listings(
    repository: &Repository,
    tools: &Tools,
    workspace: &Workspace,
    ids: &[DistributionId],
) -> Result<(Listings, Vec<Check>)> {
    let mut listings = Listings::default();
    let mut unanswered = Vec::new();
    let Ok(index) = &repository.index else { return Ok((listings, unanswered)) };
    let names: Vec<&Name> = ids.iter().map(|&id| workspace.distributions[id].name()).collect();
    for ((&id, name), lookup) in ids.iter().zip(&names).zip(index.files(tools, &names)?) {
        match lookup {
            Lookup::Known(files) => _ = listings.0.insert(id, files),
            Lookup::Unknown(why) => unanswered.push(Check::failed(
                Rule::Index,
                format!("could not query `{}` for `{name}`: {why}", repository.name),
                "try again; a release needs to know which files the indexes have",
            )),
        }
    }
    Ok((listings, unanswered))
}

/// The versions of a distribution that an index lists.
pub(crate) fn versions(files: &[ServedFile], name: &Name) -> Vec<Version> {
    let in_file_name = name.in_file_name();
    let mut versions: Vec<Version> =
        files.iter().filter_map(|file| version_in_file_name(&file.name, &in_file_name)).collect();
    versions.sort();
    versions.dedup();
    versions
}
