//! Stages a version whose file names staging has with other contents: the same sources, built as the
//! next post-release.
//!
//! Only the staging index gets that version. The version that is published is still the one that was
//! asked for; its own files were tested before anything was uploaded.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use domain::ids::PackageId;
use domain::manifest::version_source::DeclaredVersion;
use domain::release::plan::{Upload, to_upload};
use domain::workspace::Distribution;
use formats::pep440::Version;

use crate::effects::paths::remove;
use crate::effects::python;
use crate::effects::release::facts::versions;
use crate::effects::release::run::Run;
use crate::effects::release::upload::UploadSet;

impl Run<'_> {
    /// The version under which a package is staged: its own, or a post-release of it.
    pub(super) fn staged_version(&self, id: PackageId) -> Version {
        let restaged = self.state(id).restaged.clone();
        restaged.unwrap_or_else(|| self.package(id).version.clone())
    }

    /// Builds a package as a post-release: as the last one on staging, where an earlier run has
    /// uploaded exactly these files, else as the next.
    pub(super) fn restaged(&self, id: PackageId) -> Result<UploadSet<'_>> {
        let listed = self.listed_on_staging(id);
        let version = &self.package(id).version;
        let mut posts = versions(listed, self.distribution(id).name());
        posts.retain(|other| {
            other.post() > version.post() && other.clone().with_post(version.post()) == *version
        });
        if let Some(last) = posts.last() {
            let set = self.built_as(id, last)?;
            if !matches!(to_upload(&set.files, listed), Upload::Conflict(_)) {
                return Ok(set);
            }
        }
        let last = posts.last().unwrap_or(version);
        let next = last.post().map_or(1, |post| post + 1);
        self.built_as(id, &version.clone().with_post(Some(next)))
    }

    fn built_as(&self, id: PackageId, version: &Version) -> Result<UploadSet<'_>> {
        let distribution = self.distribution(id);
        let name = distribution.name();
        let work = self.scratch().join("restaged").join(name.in_file_name());
        remove(&work)?;
        // The whole repository: a back end may read a file above the distribution's directory.
        let source = work.join("source");
        let commit = self.ledger(id)?.commit;
        self.git().export(&commit, &source)?;
        if !distribution.makes_version() {
            rewrite_version(distribution, &source, version)?;
        }
        let out = work.join("dist");
        let siblings = self.build_siblings(id)?;
        self.build_source(&commit, &source).build(distribution, version, &siblings, &out)?;
        let files = python::build::artifacts(&out)?;
        self.state(id).restaged = Some(version.clone());
        Ok(UploadSet { name, dir: out, files })
    }
}

/// Replaces the version in the file of an export that declares it.
fn rewrite_version(distribution: &Distribution, source: &Path, version: &Version) -> Result<()> {
    let DeclaredVersion::Literal { file, span, spelling, .. } = &distribution.manifest.version
    else {
        bail!(
            "cannot restage `{}`: its version is computed, not written in a file",
            distribution.name()
        );
    };
    let path = source.join(&**file);
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read `{file}`"))?;
    let written = spelling.write(version).map_err(|why| anyhow!("cannot restage: {why}"))?;
    text.replace_range(span.clone(), &written);
    fs::write(&path, text).with_context(|| format!("cannot write `{file}`"))
}
