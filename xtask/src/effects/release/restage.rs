//! A version that staging has burnt: the same sources, staged as the next post-release of it.
//!
//! Only the staging index ever sees that version. What is published is the version that was asked
//! for, tried from its own files before anything was uploaded.

use domain::manifest::version_source::DeclaredVersion;

use super::*;
use crate::effects::python;
use crate::effects::release::upload::UploadSet;

impl Run<'_> {
    /// Whether staging has other bytes under the names that were built, so that it will never take
    /// these.
    pub(super) fn is_burnt(&self, id: PackageId) -> bool {
        let built = self.ledger(id).map(|ledger| ledger.files).unwrap_or_default();
        let listed = self.release.served.staging.get(&self.package(id).distribution);
        let listed = listed.map_or(&[][..], Vec::as_slice);
        matches!(to_upload(&built, listed), Upload::Conflict(_))
    }

    /// The version under which a package is staged: its own, or a post-release of it.
    pub(super) fn staged_version(&self, id: PackageId) -> Version {
        let restaged = self.state(id).restaged.clone();
        restaged.unwrap_or_else(|| self.package(id).version.clone())
    }

    /// Builds a package as a post-release: the last one that staging has, where that holds these
    /// very bytes because an earlier run has sent them, else the next.
    pub(super) fn restaged(&self, id: PackageId) -> Result<UploadSet<'_>> {
        let listed = self.release.served.staging.get(&self.package(id).distribution);
        let listed = listed.map_or(&[][..], Vec::as_slice);
        let version = &self.package(id).version;
        let is_post = |other: &Version| {
            other.post() > version.post() && other.clone().with_post(version.post()) == *version
        };
        let mut taken = versions(listed, self.distribution(id).name());
        taken.retain(is_post);
        if let Some(last) = taken.last() {
            let upload_set = self.built_as(id, last)?;
            if !matches!(to_upload(&upload_set.files, listed), Upload::Conflict(_)) {
                return Ok(upload_set);
            }
        }
        let last = taken.last().unwrap_or(version).post();
        self.built_as(id, &version.clone().with_post(Some(last.map_or(1, |post| post + 1))))
    }

    fn built_as(&self, id: PackageId, version: &Version) -> Result<UploadSet<'_>> {
        let release = self.release;
        let distribution = self.distribution(id);
        let work = release
            .target
            .git_target
            .scratch
            .join("restaged")
            .join(distribution.name().in_file_name());
        remove(&work)?;
        // All of the export: a back end may read a file above the distribution's directory.
        let (source, commit) = (work.join("source"), self.ledger(id)?.commit);
        release.target.git_target.git.export(&commit, &source)?;
        rewrite_version(distribution, &source, version)?;
        let out = work.join("dist");
        let requires = distribution.manifest.build_requires();
        let epoch = release.target.git_target.git.commit_time(&commit)?;
        python::build::build(
            release.tools,
            &source.join(&distribution.dir),
            &requires,
            &out,
            &epoch,
        )?;
        let files = python::build::artifacts(&out)?;
        self.state(id).restaged = Some(version.clone());
        Ok(UploadSet { name: distribution.name(), dir: out, files })
    }
}

/// Puts another version into the one place of an export that holds it.
fn rewrite_version(distribution: &Distribution, source: &Path, version: &Version) -> Result<()> {
    let DeclaredVersion::Literal { file, span, spelling, .. } = &distribution.manifest.version
    else {
        bail!("the version of {} stands in no file, so it cannot be restaged", distribution.name());
    };
    let path = source.join(&**file);
    let mut text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
    let written = spelling.write(version).map_err(|why| anyhow!("cannot restage: {why}"))?;
    text.replace_range(span.clone(), &written);
    fs::write(&path, text).with_context(|| format!("cannot write {file}"))
}
