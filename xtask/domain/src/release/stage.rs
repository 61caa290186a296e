//! The stages of a release, and the one after which it ends.

use std::fmt;
use std::str::FromStr;

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

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Until {
    type Err = String;

    /// # Errors
    /// The words that were expected, when `word` is none of them.
    fn from_str(word: &str) -> Result<Until, String> {
        let known = Until::ALL.into_iter().find(|until| until.word() == word);
        known.ok_or_else(|| "expected `built`, `staged` or `published`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for until in Until::ALL {
            assert_eq!(until.to_string().parse(), Ok(until));
        }
        assert!("tested".parse::<Until>().is_err());
    }
}
