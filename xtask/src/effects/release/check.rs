//! Checks the contents of all built packages together, before any index has them.

use std::collections::HashMap;
use std::fs;
use std::rc::Rc;

use anyhow::Result;
use domain::finding::{Finding, Rule};
use domain::ids::{DistributionId, IdVec, PackageId};
use domain::release::content::{
    self, Archive, Built, Contents, InstalledFile, Siblings, Tree, TreeEntry,
};
use domain::release::plan::{ServedFile, Upload, names_taken, to_upload};
use formats::name::normalize;

use crate::effects::index::twine;
use crate::effects::python;
use crate::effects::release::adopt::Adoption;
use crate::effects::release::facts::versions;
use crate::effects::release::run::Run;

impl Run<'_> {
    /// Every fault of the built packages. They may be replaced by files that an index already has.
    ///
    /// # Errors
    /// The archives cannot be read, or git fails.
    pub(super) fn content_findings(&self) -> Result<Vec<Finding>> {
        let tools = self.release.tools;
        let ids = self.states.ids();
        let mut files = Vec::new();
        let mut conflicts = Vec::new();
        for id in ids.clone() {
            self.read_archives(id)?;
            let adoption = self.adopt(id)?;
            if adoption.is_any {
                self.read_archives(id)?;
            }
            conflicts.extend(self.name_conflicts(id, &adoption));
            files.extend(self.files(id));
        }

        let mut findings: Vec<Finding> = twine::check(tools, &files)?.into_iter().collect();
        let archives: IdVec<PackageId, Vec<Archive>> =
            ids.clone().map(|id| self.state(id).archives.clone()).collect();
        let trees = self.trees()?;
        let own: IdVec<PackageId, Vec<TreeEntry>> =
            ids.clone().map(|id| self.own(id, &trees[id].entries)).collect();
        let built = ids.clone().map(|id| {
            let manifest = &self.distribution(id).manifest;
            Built {
                name: &manifest.name,
                version: &self.package(id).version,
                archives: &archives[id],
                own: &own[id],
                tree: &trees[id],
                requires_python: manifest
                    .requires_python
                    .as_ref()
                    .and_then(|own| own.in_metadata()),
                requirements: manifest
                    .has_static_requirements
                    .then_some(manifest.requirements.as_slice()),
                config: &manifest.config.content,
            }
        });
        let built: Vec<Built> = built.collect();
        findings.extend(content::check(&built, &self.siblings()?));
        findings.extend(conflicts);
        Ok(findings)
    }

    fn read_archives(&self, id: PackageId) -> Result<()> {
        let archives = python::build::inspect(self.release.tools, &self.files(id))?;
        self.state(id).archives = archives;
        Ok(())
    }

    /// Everything that git tracks in the commits that the packages were built from.
    fn trees(&self) -> Result<IdVec<PackageId, Rc<Tree>>> {
        let mut by_commit: HashMap<String, Rc<Tree>> = HashMap::new();
        let trees = self.states.ids().map(|id| {
            let commit = self.ledger(id)?.commit;
            if let Some(tree) = by_commit.get(&commit) {
                return Ok(Rc::clone(tree));
            }
            let tree = Rc::new(Tree::new(self.git().tracked(&commit)?));
            by_commit.insert(commit, Rc::clone(&tree));
            Ok(tree)
        });
        trees.collect()
    }

    /// Those of the entries that are in the directory of a distribution, relative to that.
    fn own(&self, id: PackageId, entries: &[TreeEntry]) -> Vec<TreeEntry> {
        let of = self.package(id).distribution;
        let own = entries.iter().filter_map(|entry| {
            let path = self.release.workspace.own_path(of, &entry.path)?.to_owned();
            Some(TreeEntry { path, ..entry.clone() })
        });
        own.collect()
    }

    /// The paths that git tracked in the distribution's directory when it was built.
    pub(super) fn tracked(&self, id: PackageId) -> Result<Vec<String>> {
        let entries = self.git().tracked(&self.ledger(id)?.commit)?;
        Ok(self.own(id, &entries).into_iter().map(|entry| entry.path).collect())
    }

    fn siblings(&self) -> Result<Siblings> {
        let distributions = &self.release.workspace.distributions;
        let normal = |id: DistributionId| distributions[id].name().normal().to_owned();
        let planned = self.release.plan.packages.iter();
        let on_index = |yanked: bool| {
            let of = move |(id, files): (DistributionId, &[ServedFile])| {
                let files: Vec<ServedFile> =
                    files.iter().filter(|file| file.yanked == yanked).cloned().collect();
                (normal(id), versions(&files, distributions[id].name()))
            };
            self.release.served.index.iter().map(of).collect()
        };
        let extras = self.states.ids().map(|id| {
            let archives = self.state(id).archives.clone();
            let provided = archives.iter().flat_map(|archive| archive.headers("Provides-Extra"));
            (normal(self.package(id).distribution), provided.map(normalize).collect())
        });
        Ok(Siblings {
            planned: planned
                .map(|package| (normal(package.distribution), package.version.clone()))
                .collect(),
            extras: extras.collect(),
            published: on_index(false),
            yanked: on_index(true),
            installed: self.installed_by_others()?,
        })
    }

    /// The files that the distributions outside of this release install, as far as their sources
    /// tell: in the src layout, everything in `src/`.
    fn installed_by_others(&self) -> Result<Vec<InstalledFile>> {
        let workspace = self.release.workspace;
        let tracked = self.git().tracked(self.release.head)?;
        let installed = tracked.into_iter().filter_map(|entry| {
            let id = workspace.owner(&entry.path)?;
            let other = &workspace.distributions[id];
            let is_beside = self.release.plan.package_of(id).is_none();
            let path = workspace.own_path(id, &entry.path)?.strip_prefix("src/")?.to_owned();
            // Only an `__init__.py` can extend the path of its package.
            let source =
                path.ends_with("/__init__.py").then(|| self.release.source.join(&entry.path));
            let text = source.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
            (is_beside && other.manifest.excluded.is_none()).then(|| InstalledFile {
                path,
                owner: other.name().clone(),
                contents: Contents::of(entry.id, &text),
            })
        });
        Ok(installed.collect())
    }

    /// Indexes that have other contents under the built file names: they will never accept these.
    fn name_conflicts(&self, id: PackageId, adoption: &Adoption) -> Vec<Finding> {
        let built = self.artifacts(id);
        let target = self.release.target;
        let bump = format!("run `cargo xtask bump {}`", self.distribution(id).name());
        let mut findings = Vec::new();
        if let Upload::Conflict(files) = to_upload(&built, self.listed_on_index(id)) {
            let message = because(names_taken(&target.index.name, &files), &adoption.on_index);
            findings.push(Finding::error(Rule::Taken, message).hint(&bump));
        }
        if self.release.restage || self.is_published(id) {
            return findings;
        }
        if let Upload::Conflict(files) = to_upload(&built, self.listed_on_staging(id)) {
            let message = because(names_taken(&target.staging.name, &files), &adoption.on_staging);
            let hint = format!(
                "{bump}, or pass `--restage` to stage it as the next post-release of this version"
            );
            findings.push(Finding::error(Rule::Taken, message).hint(hint));
        }
        findings
    }
}

fn because(message: String, difference: &Option<String>) -> String {
    match difference {
        Some(difference) => format!("{message}: {difference}"),
        None => message,
    }
}
