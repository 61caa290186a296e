//! The request of a bump, the facts that it knows, and the plan that it makes.

use std::sync::Arc;

use formats::pep440::{PreReleaseKind, Version};

use crate::bump::commits::Commits;
use crate::bump::step::Change;
use crate::ids::{DistributionId, IdVec};
use crate::manifest::requirement::DeclaredRequirement;
use crate::policy::{DependentsPolicy, RangePolicy};
use crate::source::Files;
use crate::text::edit::{Edit, Write};
use crate::workspace::Workspace;

/// The request.
#[derive(Clone, Debug)]
pub struct BumpRequest {
    /// Empty for all that are not excluded.
    pub targets: Vec<DistributionId>,
    pub change: Change,
    /// The kind of pre-release that a level makes in place of the final (`--pre`).
    pub pre: Option<PreReleaseKind>,
    pub ranges: RangePolicy,
    pub dependents: DependentsPolicy,
    /// `YYYY-MM-DD`, for changelogs.
    pub date: String,
}

/// The facts from git about one distribution, as far as the request needs it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The highest version that a tag names, and that tag.
    pub last: Option<(Version, String)>,
    /// The commits since that tag that touch it.
    pub since: Commits,
}

/// The facts of the repository.
#[derive(Clone, Copy)]
pub struct BumpFacts<'a> {
    pub workspace: &'a Workspace,
    pub files: Files<'a>,
    /// One for each distribution.
    pub history: &'a IdVec<DistributionId, History>,
}

/// One distribution that gets a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bump {
    pub id: DistributionId,
    pub package: String,
    /// `None` where versions come from tags and there is no tag yet.
    pub from: Option<Version>,
    pub to: Version,
    pub reason: String,
    /// It was not requested: its published ranges changed.
    pub cascaded: bool,
}

impl Bump {
    /// A note about a line of a file of this distribution.
    pub(crate) fn note(&self, file: &str, line: usize, text: impl Into<String>) -> BumpNote {
        BumpNote { file: file.into(), line, package: self.package.clone(), text: text.into() }
    }
}

/// One requirement whose range changes, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeMove {
    /// The distribution that has the requirement.
    pub id: DistributionId,
    /// The position in the requirements of its manifest.
    pub requirement: usize,
    /// The new specifiers.
    pub specifiers: String,
}

impl RangeMove {
    /// The requirement as it is declared.
    pub fn declared<'a>(&self, workspace: &'a Workspace) -> &'a DeclaredRequirement {
        &workspace.distributions[self.id].manifest.requirements[self.requirement]
    }
}

/// Something that was found and left as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BumpNote {
    pub file: Arc<str>,
    pub line: usize,
    pub package: String,
    pub text: String,
}

/// Everything that a bump does. Carrying it out is writing `writes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BumpPlan {
    /// In release order.
    pub bumps: Vec<Bump>,
    pub moves: Vec<RangeMove>,
    /// By file and offset.
    pub edits: Vec<Edit>,
    pub notes: Vec<BumpNote>,
    /// One for each file that is edited.
    pub writes: Vec<Write>,
}

impl BumpPlan {
    pub(crate) fn add(&mut self, additions: Additions) {
        self.edits.extend(additions.edits);
        self.notes.extend(additions.notes);
    }
}

/// Edits and notes that go with the bumps of a plan.
#[derive(Default)]
pub(crate) struct Additions {
    pub(crate) edits: Vec<Edit>,
    pub(crate) notes: Vec<BumpNote>,
}
