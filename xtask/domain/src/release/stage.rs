//! The stages of a release, and the one after which it ends.

/// One stage that every package of a release goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Build,
    /// Check the contents of what was built.
    Check,
    /// Test the built files before any index has them.
    Try,
    /// Upload to the staging index.
    Stage,
    /// Test what the staging index serves.
    Smoke,
    /// Upload to the index.
    Publish,
    Tag,
}

impl Stage {
    /// The word that progress lines, the JSON and the job summary use.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Build => "build",
            Stage::Check => "check",
            Stage::Try => "try",
            Stage::Stage => "stage",
            Stage::Smoke => "smoke",
            Stage::Publish => "publish",
            Stage::Tag => "tag",
        }
    }
}

/// How far a release goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    Built,
    Staged,
    #[default]
    Published,
}

impl Until {
    /// Every value, from the earliest end to the latest.
    pub const ALL: [Until; 3] = [Until::Built, Until::Staged, Until::Published];

    /// The word that is typed.
    pub const fn word(self) -> &'static str {
        match self {
            Until::Built => "built",
            Until::Staged => "staged",
            Until::Published => "published",
        }
    }
}
