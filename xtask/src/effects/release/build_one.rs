//! Builds one distribution of a commit, as the version that it is released as.

use std::path::Path;

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use domain::manifest::version_source::DeclaredVersion;
use domain::release::plan::version_in_file_name;
use domain::workspace::Distribution;
use formats::pep440::Version;

use crate::effects::fs::temporary::Temporary;
use crate::effects::python::build::{artifacts, build};
use crate::effects::python::tools::Tools;
use crate::effects::repository::git::Git;

/// A commit to build from.
pub(crate) struct BuildSource<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) git: &'a Git,
    pub(crate) commit: &'a str,
    /// A clean export of it.
    pub(crate) export: &'a Path,
}

impl BuildSource<'_> {
    /// Builds a distribution into `out`; `further` is required by its build beside what its manifest
    /// says. Returns name and version of everything that it was built with.
    ///
    /// A version that is made from a tag is seen by its tool as one, in a clone of its own; where the
    /// tool has a variable for it, also there: not every tool reads every tag.
    ///
    /// # Errors
    /// The build fails, or makes another version of a tag.
    pub(crate) fn build(
        &self,
        distribution: &Distribution,
        version: &Version,
        further: &[String],
        out: &Path,
    ) -> Result<Vec<(String, String)>> {
        let manifest = &distribution.manifest;
        let mut requires = manifest.build_requires();
        requires.extend(further.iter().map(String::as_str));
        let epoch = self.git.commit_time(self.commit)?;
        let DeclaredVersion::FromTag { tool, .. } = &manifest.version else {
            let dir = self.export.join(&distribution.dir);
            return build(self.tools, &dir, &requires, out, &epoch, None);
        };
        let clone = Temporary::new()?;
        let source = clone.path().join("source");
        let tag = distribution.tag.tag(version);
        let is_older = |other: &str| distribution.tag.version(other).is_some();
        self.git.export_tagged(self.commit, &source, &tag, is_older)?;
        let dir = source.join(&distribution.dir);
        let variable = manifest.version_variable(version);
        let built_with = build(self.tools, &dir, &requires, out, &epoch, variable)?;
        refuse_other_version(distribution, version, &tag, tool, out)?;
        Ok(built_with)
    }
}

/// Refuses files that the tool made with another version than that of the tag.
fn refuse_other_version(
    distribution: &Distribution,
    version: &Version,
    tag: &str,
    tool: &str,
    out: &Path,
) -> Result<()> {
    let name = distribution.name();
    let in_file_name = name.in_file_name();
    let versions = artifacts(out)?.into_iter().filter_map(|file| {
        let built = version_in_file_name(&file.name, &in_file_name)?;
        Some((file.name, built))
    });
    let mut others = versions.filter(|(_, built)| built != version);
    let Some((file, built)) = others.next() else { return Ok(()) };
    let manifest = &distribution.manifest;
    let (place, line) = manifest.version.location();
    let message = format!(
        "{tool} made `{file}` of {name} {version}: it takes the tag `{tag}` for version {built}"
    );
    let hint = format!(
        "set the pattern of the tags of {name} in the configuration of {tool}, or `tag` in [tool.xtask] of {} to one that it reads, such as `tag = \"v{{version}}\"`",
        manifest.path
    );
    Err(Refusal::from(Finding::error(Rule::Version, message).at(place, line).hint(hint)).into())
}
