//! Builds a package, or reuses the files of an earlier build.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::ids::{DistributionId, PackageId};
use domain::manifest::requirement::RequirementTable;
use domain::release::ledger::{Event, Ledger};
use domain::release::plan::ServedFile;
use domain::release::preflight::short;
use formats::requirement::admits;

use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::python::tools::Tools;
use crate::effects::release::build_one::BuildSource;
use crate::effects::release::ledger;
use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::Run;

impl Run<'_> {
    /// Builds a package here, and adds the wheels that were built elsewhere.
    pub(super) fn build_and_collect(&self, id: PackageId) -> Result<StageOutcome> {
        let built = self.build(id)?;
        Ok(match self.collect_wheels(id)? {
            Some(collected) => StageOutcome::done(format!("{}, {collected}", built.detail)),
            None => built,
        })
    }

    fn build(&self, id: PackageId) -> Result<StageOutcome> {
        let package = self.package(id);
        let distribution = self.distribution(id);
        let earlier = self.release.ledgers.get(&package.distribution);
        if let Some(ledger) = earlier.filter(|ledger| self.is_reusable(id, ledger)) {
            self.state(id).ledger = Some(ledger.clone());
            let detail = format!("already built from {}", short(&ledger.commit));
            return Ok(StageOutcome::skipped(detail));
        }

        let tools = self.release.tools;
        let dir = self.dir(id);
        let partial = ledger::begin(&dir)?;
        let export = self.source(id)?;
        let source = self.build_source(self.commit(id), &export);
        let siblings = self.build_siblings(id)?;
        let environment = source.build(distribution, &package.version, &siblings, &partial)?;
        let mut ledger = Ledger {
            name: distribution.name().to_string(),
            version: package.version.to_string(),
            commit: self.commit(id).to_owned(),
            tag: package.tag.clone(),
            files: python::build::artifacts(&partial)?,
            tools: tool_versions(tools, environment),
            events: Vec::new(),
        };
        ledger::record(&partial, &mut ledger, "built")?;
        ledger::complete(&partial, &dir)?;
        let bytes: u64 = ledger.files.iter().map(|file| file.size).sum();
        let detail = format!("{} files, {} kB", ledger.files.len(), bytes.div_ceil(1000));
        self.state(id).ledger = Some(ledger);
        Ok(StageOutcome::done(detail))
    }

    /// The wheels of the siblings that take part in the build, and of those that they need, built
    /// from the same commit: an index does not have them yet. A sibling whose version the build
    /// requirement excludes is left to the index.
    pub(super) fn build_siblings(&self, id: PackageId) -> Result<Vec<String>> {
        let workspace = self.release.workspace;
        let of = self.package(id).distribution;
        let mut siblings: Vec<DistributionId> = Vec::new();
        for (sibling, declared) in workspace.sibling_requirements(of) {
            let version = workspace.distributions[sibling].version();
            let is_admitted =
                version.is_some_and(|version| admits(declared.specifiers(), version) == Some(true));
            if declared.table == RequirementTable::Build && is_admitted {
                siblings.extend(workspace.transitive_needs(sibling));
                siblings.push(sibling);
            }
        }
        siblings.retain(|&sibling| sibling != of);
        siblings.sort_unstable();
        siblings.dedup();
        let name = self.distribution(id).name().in_file_name();
        let out = self.scratch().join("build-siblings").join(name);
        remove(&out)?;
        let export = self.source(id)?;
        let source = self.build_source(self.commit(id), &export);
        for sibling in siblings {
            let distribution = &workspace.distributions[sibling];
            let Some(version) = distribution.version() else { continue };
            source
                .build(distribution, version, &[], &out)
                .with_context(|| format!("cannot build `{}` for it", distribution.name()))?;
        }
        if !out.exists() {
            return Ok(Vec::new());
        }
        let files = python::build::artifacts(&out)?.into_iter();
        let wheels = files.filter(|file| file.name.ends_with(".whl"));
        Ok(wheels.map(|wheel| out.join(wheel.name).to_string_lossy().into_owned()).collect())
    }

    pub(super) fn build_source<'b>(&'b self, commit: &'b str, export: &'b Path) -> BuildSource<'b> {
        BuildSource { tools: self.release.tools, git: self.git(), commit, export }
    }

    /// The commit that a package is built from: HEAD, or the one that it is tagged on.
    fn commit(&self, id: PackageId) -> &str {
        self.package(id).tagged.as_deref().unwrap_or(self.release.head)
    }

    /// A clean export of that commit.
    fn source(&self, id: PackageId) -> Result<PathBuf> {
        let commit = self.commit(id);
        if commit == self.release.head {
            return Ok(self.release.source.to_owned());
        }
        let name = self.distribution(id).name().in_file_name();
        let source = self.scratch().join("tagged").join(name);
        remove(&source)?;
        self.git().export(commit, &source)?;
        Ok(source)
    }

    /// Whether the files of an earlier build are still the ones to release: built from this very
    /// commit, unless they failed their checks; or on the index already, where no others can replace
    /// them; or staged, and the distribution has not changed since.
    fn is_reusable(&self, id: PackageId, ledger: &Ledger) -> bool {
        let is_listed = |listed: &[ServedFile]| {
            listed.iter().any(|theirs| ledger.files.iter().any(|own| own.name == theirs.name))
        };
        let commit = self.commit(id);
        ledger.commit == commit && !ledger.has(Event::REJECTED)
            || is_listed(self.listed_on_index(id))
            || (is_listed(self.listed_on_staging(id))
                && self.git().is_unchanged(&ledger.commit, commit, &self.distribution(id).dir))
    }
}

/// The versions of everything that took part in the build, for the ledger.
fn tool_versions(tools: &Tools, environment: Vec<(String, String)>) -> Vec<(String, String)> {
    let twine = Tools::version_of("twine").map(|version| ("twine".to_owned(), version.to_owned()));
    let python = ("python".to_owned(), tools.interpreter.version.clone());
    environment.into_iter().chain(twine).chain([python]).collect()
}
