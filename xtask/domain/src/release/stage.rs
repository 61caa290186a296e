//! The stages of a release, and the one after which it ends.

use crate::text::words::by_word;

by_word! {
    /// One stage that every package of a release goes through.
    pub enum Stage {
        Build = "build",
        /// Check the contents of what was built.
        Check = "check",
        /// Find out what users will get: neighbours tested, differences shown.
        Evidence = "evidence",
        /// Test the built files before any index has them.
        Try = "try",
        /// Upload to the staging index.
        Stage = "stage",
        /// Test what the staging index serves.
        Smoke = "smoke",
        /// Upload to the index.
        Publish = "publish",
        Tag = "tag",
    }
}

by_word! {
    /// How far a release goes.
    #[derive(Default, PartialOrd, Ord)]
    pub enum Until {
        Built = "built",
        Staged = "staged",
        #[default]
        Published = "published",
    }
}
