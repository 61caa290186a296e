//! The receipt of a release that was staged and tested, `dist/receipt.json`: what
//! `release --tested` publishes without building, installing or importing anything.
//!
//! Must not know how files are read: they are hashed before a receipt is judged.

use std::fmt;

use jzon::{JsonValue, object};

use crate::release::ledger::{Ledger, artifact_from_json, files_json, text_of};
use crate::release::plan::Artifact;
use crate::release::stage::Stage;

/// The files that were tested, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Full hash of the commit that was released from.
    pub commit: String,
    /// RFC 3339, UTC.
    pub at: String,
    pub packages: Vec<TestedPackage>,
}

/// One distribution that passed every stage before publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedPackage {
    pub name: String,
    pub version: String,
    pub tag: String,
    pub files: Vec<Artifact>,
    /// Each stage that it passed, with what was done.
    pub stages: Vec<(Stage, String)>,
}

/// Why files cannot be published on the strength of a receipt.
#[derive(Debug, PartialEq, Eq)]
pub enum Untested {
    Commit {
        receipt: String,
        head: String,
    },
    Missing {
        package: String,
    },
    Stage {
        package: String,
        stage: Stage,
    },
    /// There are no built files, or others than were tested.
    Files {
        package: String,
    },
}

impl fmt::Display for Untested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Untested::Commit { receipt, head } => {
                write!(f, "dist/receipt.json is of the commit {receipt}, not of HEAD ({head})")
            }
            Untested::Missing { package } => write!(f, "dist/receipt.json does not list {package}"),
            Untested::Stage { package, stage } => {
                write!(f, "{package} has not passed the stage `{}`", stage.word())
            }
            Untested::Files { package } => {
                write!(f, "the files of {package} in dist/ are not those that were tested")
            }
        }
    }
}

impl Receipt {
    /// The stages without which nothing is published.
    const NEEDED: [Stage; 4] = [Stage::Build, Stage::Check, Stage::Stage, Stage::Smoke];

    /// Takes the commit to be released, and name and version of a distribution with the ledger of
    /// its files, whose hashes have been compared with the files themselves.
    ///
    /// # Errors
    /// The first reason why these files are not the ones that were tested.
    pub fn covers(
        &self,
        head: &str,
        name: &str,
        version: &str,
        ledger: Option<&Ledger>,
    ) -> Result<(), Untested> {
        let package = format!("{name} {version}");
        if self.commit != head {
            return Err(Untested::Commit { receipt: self.commit.clone(), head: head.to_owned() });
        }
        let mut packages = self.packages.iter();
        let Some(tested) = packages.find(|one| one.name == name && one.version == version) else {
            return Err(Untested::Missing { package });
        };
        let mut needed = Self::NEEDED.into_iter();
        let open = needed.find(|stage| tested.stages.iter().all(|(passed, _)| passed != stage));
        if let Some(stage) = open {
            return Err(Untested::Stage { package, stage });
        }
        if tested.files.is_empty() || ledger.map(|ledger| &ledger.files) != Some(&tested.files) {
            return Err(Untested::Files { package });
        }
        Ok(())
    }

    /// The receipt as [`Receipt::from_json`] reads it.
    pub fn to_json(&self) -> JsonValue {
        let packages = self.packages.iter().map(|package| {
            let stages = package.stages.iter().map(
                |(stage, detail)| object! { "stage": stage.word(), "detail": detail.as_str() },
            );
            object! {
                "name": package.name.as_str(),
                "version": package.version.as_str(),
                "tag": package.tag.as_str(),
                "files": files_json(&package.files),
                "stages": stages.collect::<Vec<_>>(),
            }
        });
        object! {
            "commit": self.commit.as_str(),
            "at": self.at.as_str(),
            "packages": packages.collect::<Vec<_>>(),
        }
    }

    /// Reads a receipt back; `None` when the value is not a receipt.
    pub fn from_json(value: &JsonValue) -> Option<Receipt> {
        let packages = value.get("packages")?.as_array()?.iter().map(package_from_json);
        Some(Receipt {
            commit: text_of(value, "commit")?,
            at: text_of(value, "at")?,
            packages: packages.collect::<Option<_>>()?,
        })
    }
}

fn package_from_json(value: &JsonValue) -> Option<TestedPackage> {
    let stages = value.get("stages")?.as_array()?.iter().map(|stage| {
        Some((stage.get("stage")?.as_str()?.parse().ok()?, text_of(stage, "detail")?))
    });
    let files = value.get("files")?.as_array()?.iter().map(artifact_from_json);
    Some(TestedPackage {
        name: text_of(value, "name")?,
        version: text_of(value, "version")?,
        tag: text_of(value, "tag")?,
        files: files.collect::<Option<_>>()?,
        stages: stages.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(sha256: &str) -> Artifact {
        Artifact { name: "core-2.0.tar.gz".into(), sha256: sha256.into(), size: 7 }
    }

    fn receipt() -> Receipt {
        let stages = Receipt::NEEDED.map(|stage| (stage, "done".to_owned()));
        Receipt {
            commit: "abc".into(),
            at: "2026-01-01T00:00:00Z".into(),
            packages: vec![TestedPackage {
                name: "core".into(),
                version: "2.0".into(),
                tag: "core-v2.0".into(),
                files: vec![file("00")],
                stages: stages.to_vec(),
            }],
        }
    }

    fn ledger(sha256: &str) -> Ledger {
        Ledger {
            name: "core".into(),
            version: "2.0".into(),
            commit: "abc".into(),
            tag: "core-v2.0".into(),
            files: vec![file(sha256)],
            tools: Vec::new(),
            events: Vec::new(),
        }
    }

    #[test]
    fn a_receipt_survives_the_round_trip() {
        assert_eq!(Receipt::from_json(&receipt().to_json()), Some(receipt()));
        assert_eq!(Receipt::from_json(&object! { "commit": "abc" }), None);
    }

    #[test]
    fn it_covers_the_bytes_that_were_tested_at_this_commit_and_nothing_else() {
        let covered = |receipt: &Receipt, head: &str, version: &str, built: Option<&Ledger>| {
            receipt.covers(head, "core", version, built).err().map(|why| why.to_string())
        };
        let (tested, built) = (receipt(), ledger("00"));
        assert_eq!(covered(&tested, "abc", "2.0", Some(&built)), None);
        let mut unsmoked = receipt();
        unsmoked.packages[0].stages.pop();
        let mut empty = receipt();
        empty.packages[0].files.clear();
        for (receipt, head, version, built, expected) in [
            (&tested, "def", "2.0", Some(&built), "is of the commit abc, not of HEAD (def)"),
            (&tested, "abc", "2.1", Some(&built), "does not list core 2.1"),
            (&unsmoked, "abc", "2.0", Some(&built), "has not passed the stage `smoke`"),
            (&tested, "abc", "2.0", Some(&ledger("11")), "are not those that were tested"),
            (&tested, "abc", "2.0", None, "are not those that were tested"),
            (&empty, "abc", "2.0", Some(&built), "are not those that were tested"),
        ] {
            let why = covered(receipt, head, version, built).unwrap();
            assert!(why.contains(expected), "{why}");
        }
    }
}
