//! One distribution and its place among its siblings.

use formats::name::Name;
use formats::pep440::Version;

use crate::ids::DistributionId;
use crate::manifest::Manifest;
use crate::workspace::tags::TagPattern;

/// One distribution and its place in the graph. Siblings are numbered in release
/// order.
pub struct Distribution {
    pub manifest: Manifest,
    /// Directory relative to the root, `/`-separated; empty for the root itself.
    pub dir: String,
    pub level: usize,
    /// Siblings needed whenever it is installed, in the order of their release.
    pub needs: Vec<DistributionId>,
    /// Who names it in a requirement of any table: the sibling, and that requirement's number.
    pub named_by: Vec<(DistributionId, usize)>,
    pub tag: TagPattern,
}

impl Distribution {
    pub fn name(&self) -> &Name {
        &self.manifest.name
    }

    pub fn version(&self) -> Option<&Version> {
        self.manifest.version.version()
    }

    /// The tag of the version that the repository has; `None` where it is unknown.
    pub fn current_tag(&self) -> Option<String> {
        self.version().map(|version| self.tag.tag(version))
    }
}
