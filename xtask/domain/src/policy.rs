//! The policies of a bump, which the command line and the configuration name by the same words.

use crate::text::words::by_word;

/// Which ranges on a sibling follow its new version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RangePolicy {
    /// Lower bounds follow the new version; an upper bound moves where it would exclude it.
    #[default]
    Align,
    /// The same, but only for ranges that would exclude the new version.
    Fit,
}

impl RangePolicy {
    pub const ALL: [RangePolicy; 2] = [RangePolicy::Align, RangePolicy::Fit];

    /// The word for it on the command line and in configuration.
    pub const fn word(self) -> &'static str {
        match self {
            RangePolicy::Align => "align",
            RangePolicy::Fit => "fit",
        }
    }
}

by_word!(RangePolicy);

/// What happens to a distribution whose published range on a sibling moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DependentsPolicy {
    /// It gets the next patch version, so that its new range can be published.
    #[default]
    Patch,
    /// It keeps its version.
    None,
}

impl DependentsPolicy {
    pub const ALL: [DependentsPolicy; 2] = [DependentsPolicy::Patch, DependentsPolicy::None];

    /// The word for it on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            DependentsPolicy::Patch => "patch",
            DependentsPolicy::None => "none",
        }
    }
}

by_word!(DependentsPolicy);
