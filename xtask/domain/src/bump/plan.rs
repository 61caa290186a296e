//! What a bump is asked, what it knows, and what it plans.

use std::sync::Arc;

use formats::conventional_commits::ConventionalCommit;
use formats::pep440::Version;

use crate::bump::step::Change;
use crate::ids::{DistributionId, IdVec};
use crate::manifest::requirement::DeclaredRequirement;
use crate::policy::{DependentsPolicy, RangePolicy};
use crate::source::Files;
use crate::text::edit::{Edit, Write};
use crate::workspace::Workspace;
use crate::workspace::tags::TagPattern;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct BumpRequest {
    /// Indices into the workspace; empty for `all` that are not aside.
    pub targets: Vec<DistributionId>,
    pub change: Change,
    pub ranges: RangePolicy,
    pub dependents: DependentsPolicy,
    /// `YYYY-MM-DD`, for changelogs.
    pub date: String,
}

/// What git says about one distribution, as far as it was asked.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The highest version that a tag names, and that tag.
    pub last: Option<(Version, String)>,
    /// How that tag is made, where it is not as configured or by default.
    pub pattern: Option<TagPattern>,
    /// The commits since that tag that touch its directory and ask for a release.
    pub commits: Vec<ConventionalCommit>,
}

/// What the repository says.
#[derive(Clone, Copy)]
pub struct BumpFacts<'a> {
    pub workspace: &'a Workspace,
    pub files: Files<'a>,
    /// Of every distribution, in the workspace's order.
    pub history: &'a IdVec<DistributionId, History>,
}

/// One distribution that gets a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bump {
    /// Index into the workspace.
    pub id: DistributionId,
    pub package: String,
    /// Unknown where versions come from tags and there is none.
    pub from: Option<Version>,
    pub to: Version,
    pub reason: String,
    /// Nobody asked for it: only its ranges moved.
    pub cascaded: bool,
}

/// One range that moves, whole, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeMove {
    /// The distribution that states the range, as an index into the workspace.
    pub id: DistributionId,
    /// The number of its requirement.
    pub requirement: usize,
    /// The specifiers that it gets.
    pub specifiers: String,
}

impl RangeMove {
    /// The requirement that moves.
    pub fn declared<'a>(&self, workspace: &'a Workspace) -> &'a DeclaredRequirement {
        &workspace.distributions[self.id].manifest.requirements[self.requirement]
    }
}

/// Something that was seen and left as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BumpNote {
    pub file: Arc<str>,
    pub line: usize,
    pub package: String,
    pub text: String,
}

/// All that a bump does. Carrying it out is writing `writes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BumpPlan {
    /// In release order.
    pub bumps: Vec<Bump>,
    pub moves: Vec<RangeMove>,
    /// By file and place.
    pub edits: Vec<Edit>,
    pub notes: Vec<BumpNote>,
    /// One for each file that is edited.
    pub writes: Vec<Write>,
}
