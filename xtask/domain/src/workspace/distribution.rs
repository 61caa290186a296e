//! One distribution and its place among its siblings.

use formats::name::Name;
use formats::pep440::Version;

use crate::ids::DistributionId;
use crate::manifest::Manifest;
use crate::workspace::tags::{LastTag, TagPattern};

/// One distribution and its place in the graph. Siblings are numbered in release
/// order.
pub struct Distribution {
    pub manifest: Manifest,
    /// Directory relative to the root, `/`-separated; empty for the root itself.
    pub dir: String,
    pub level: usize,
    /// Siblings needed whenever it is installed, in the order of their release.
    pub needs: Vec<DistributionId>,
    /// Siblings that take part in its build and are released before it, in that order.
    pub built_with: Vec<DistributionId>,
    /// Who names it in a requirement of any table: that distribution (its own extras, too), and the
    /// requirement's number.
    pub named_by: Vec<(DistributionId, usize)>,
    pub tag: TagPattern,
    /// The tag with the highest version that HEAD contains, where the repository's tags are known.
    pub last_tag: Option<LastTag>,
    /// Versions that are tagged outside of the history of HEAD or above the current version, each with
    /// its tag: none of them can be given again.
    pub taken: Vec<(Version, String)>,
    /// The tag of the current version, where there is one.
    pub tagged: Option<String>,
    /// Its version where no file holds it, as far as it is known.
    pub settled: Option<Version>,
}

impl Distribution {
    pub fn name(&self) -> &Name {
        &self.manifest.name
    }

    /// The version that HEAD stands for: the one in its file or, where it is made from a tag, the one
    /// of [`Workspace::make_versions`](crate::workspace::Workspace::make_versions).
    pub fn version(&self) -> Option<&Version> {
        self.manifest.version.version().or(self.settled.as_ref())
    }

    /// The tag of the version in the repository, where it has one: the one that it has,
    /// or the one that it will get.
    pub fn current_tag(&self) -> Option<String> {
        self.tagged.clone().or_else(|| self.version().map(|version| self.tag.tag(version)))
    }
}
