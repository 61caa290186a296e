//! The policies of a bump and of a release, which the command line and the configuration name by
//! the same words.

use formats::pep440::PreReleaseKind;

use crate::text::words::by_word;

by_word! {
    /// Which ranges on a sibling follow its new version.
    #[derive(Default)]
    pub enum RangePolicy {
        /// Lower bounds follow the new version; an upper bound moves where it would exclude it.
        #[default]
        Align = "align",
        /// The same, but only for ranges that would exclude the new version.
        Fit = "fit",
    }
}

by_word! {
    /// The pre-releases that a level may lead to.
    pub enum PreRelease {
        Alpha = "alpha",
        Beta = "beta",
        Rc = "rc",
    }
}

impl From<PreRelease> for PreReleaseKind {
    fn from(word: PreRelease) -> PreReleaseKind {
        match word {
            PreRelease::Alpha => PreReleaseKind::Alpha,
            PreRelease::Beta => PreReleaseKind::Beta,
            PreRelease::Rc => PreReleaseKind::Rc,
        }
    }
}

by_word! {
    /// Whether a distribution whose published range on a sibling changes is bumped too.
    #[derive(Default)]
    pub enum DependentsPolicy {
        /// It gets the next patch version, so that its new range can be published.
        #[default]
        Patch = "patch",
        /// It keeps its version.
        None = "none",
    }
}

by_word! {
    /// The consequence where a release and its published siblings do not fit together.
    #[derive(Default)]
    pub enum NeighboursPolicy {
        #[default]
        Stop = "stop",
        Warn = "warn",
        /// They are not tested.
        Off = "off",
    }
}
