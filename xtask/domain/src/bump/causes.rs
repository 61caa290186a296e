//! Why a distribution gets a version, and how that is said to people.

use crate::bump::step::{Change, Step};
use crate::ids::DistributionId;
use crate::text::words::list;
use crate::workspace::Workspace;

/// Why a distribution gets a version.
pub(crate) enum Cause {
    Requested(Change),
    Commits {
        step: Step,
        count: usize,
        tag: String,
    },
    /// Ranges on these siblings moved.
    Ranges {
        step: Step,
        on: Vec<DistributionId>,
    },
    /// This distribution, which shares the version, gets it.
    Group(DistributionId),
}

impl Cause {
    /// The reason in a plan, such as ``minor, because of 2 commits since core-v1.0``.
    pub(crate) fn reason(&self, workspace: &Workspace) -> String {
        let name = |id: DistributionId| workspace.distributions[id].name().to_string();
        match self {
            Cause::Requested(Change::Step(step)) => format!("{step}, requested"),
            Cause::Requested(Change::To(_) | Change::Auto) => "requested".to_owned(),
            Cause::Commits { step, count, tag } => {
                let plural = if *count == 1 { "" } else { "s" };
                format!("{step}, because of {count} commit{plural} since {tag}")
            }
            Cause::Ranges { step, on } => {
                let names: Vec<String> = on.iter().map(|id| name(*id)).collect();
                let plural = if names.len() == 1 { "" } else { "s" };
                format!("{step}, because its range{plural} on {} changed", list(&names, "and"))
            }
            Cause::Group(id) => format!("shares its version with {}", name(*id)),
        }
    }
}
