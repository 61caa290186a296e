//! The ledger of one built distribution, `release.json`: which files were built from which commit
//! with which tools, and the events since. It describes bytes, never a stage: only the index
//! itself can tell which files it has.

use std::collections::BTreeMap;

use jzon::{JsonValue, object};

use crate::release::plan::Artifact;

/// The ledger beside the built files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    pub name: String,
    pub version: String,
    /// Full hash of the commit that was built.
    pub commit: String,
    pub tag: String,
    pub files: Vec<Artifact>,
    /// Versions of what built them, by name.
    pub tools: Vec<(String, String)>,
    pub events: Vec<Event>,
}

/// An event, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// RFC 3339, UTC.
    pub at: String,
    pub what: String,
}

impl Event {
    /// How the event of a published distribution begins.
    pub const PUBLISHED: &str = "published to ";
    /// How the event of a tagged distribution begins: nothing is left to do then.
    pub const TAGGED: &str = "tagged ";
    /// The event of files that are built again, also from the same commit: what was missing may have
    /// been missing on this machine alone.
    pub const REJECTED: &str = "failed its checks";
}

/// Whether a release stopped half-way: of what was built from one commit, something is published
/// and something is not tagged yet.
pub fn is_half_released<'a>(ledgers: impl Iterator<Item = &'a Ledger> + Clone) -> bool {
    let mut published = ledgers.clone().filter(|ledger| ledger.has(Event::PUBLISHED));
    published.any(|one| {
        ledgers.clone().any(|other| one.commit == other.commit && !other.has(Event::TAGGED))
    })
}

impl Ledger {
    /// Whether an event begins like this.
    pub fn has(&self, event: &str) -> bool {
        self.events.iter().any(|known| known.what.starts_with(event))
    }

    /// The ledger as [`Ledger::from_json`] reads it.
    pub fn to_json(&self) -> JsonValue {
        let tools: BTreeMap<&str, &str> =
            self.tools.iter().map(|(name, version)| (name.as_str(), version.as_str())).collect();
        let events = self
            .events
            .iter()
            .map(|event| object! { "at": event.at.as_str(), "what": event.what.as_str() });
        object! {
            "name": self.name.as_str(),
            "version": self.version.as_str(),
            "commit": self.commit.as_str(),
            "tag": self.tag.as_str(),
            "files": files_json(&self.files),
            "tools": tools,
            "events": events.collect::<Vec<_>>(),
        }
    }

    /// Reads a ledger back; `None` when the value is not a ledger.
    pub fn from_json(value: &JsonValue) -> Option<Ledger> {
        let tool = |(name, version): (&str, &JsonValue)| {
            Some((name.to_owned(), version.as_str()?.to_owned()))
        };
        let event = |value: &JsonValue| {
            Some(Event { at: text_of(value, "at")?, what: text_of(value, "what")? })
        };
        Some(Ledger {
            name: text_of(value, "name")?,
            version: text_of(value, "version")?,
            commit: text_of(value, "commit")?,
            tag: text_of(value, "tag")?,
            files: value
                .get("files")?
                .as_array()?
                .iter()
                .map(artifact_from_json)
                .collect::<Option<_>>()?,
            tools: value.get("tools")?.as_object()?.iter().map(tool).collect::<Option<_>>()?,
            events: value.get("events")?.as_array()?.iter().map(event).collect::<Option<_>>()?,
        })
    }
}

/// Built files as every JSON of this tool shows them.
pub fn files_json(files: &[Artifact]) -> JsonValue {
    let file = |file: &Artifact| object! { "name": file.name.as_str(), "sha256": file.sha256.as_str(), "size": file.size };
    files.iter().map(file).collect::<Vec<_>>().into()
}

pub(crate) fn artifact_from_json(value: &JsonValue) -> Option<Artifact> {
    Some(Artifact {
        name: text_of(value, "name")?,
        sha256: text_of(value, "sha256")?,
        size: value.get("size")?.as_u64()?,
    })
}

pub(crate) fn text_of(value: &JsonValue, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_survives_the_round_trip() {
        let ledger = Ledger {
            name: "core".into(),
            version: "2.3.0".into(),
            commit: "abc".into(),
            tag: "core-v2.3.0".into(),
            files: vec![Artifact {
                name: "core-2.3.0.tar.gz".into(),
                sha256: "00".into(),
                size: 7,
            }],
            tools: vec![("build".into(), "1.6.1".into())],
            events: vec![Event { at: "2026-01-01T00:00:00Z".into(), what: "built".into() }],
        };
        assert_eq!(Ledger::from_json(&ledger.to_json()), Some(ledger));
        assert_eq!(Ledger::from_json(&object! { "name": "core" }), None);
    }

    #[test]
    fn a_release_is_half_done_between_its_first_upload_and_its_last_tag() {
        let ledger = |commit: &str, events: &[&str]| Ledger {
            name: String::new(),
            version: String::new(),
            commit: commit.to_owned(),
            tag: String::new(),
            files: Vec::new(),
            tools: Vec::new(),
            events: events
                .iter()
                .map(|what| Event { at: String::new(), what: (*what).to_owned() })
                .collect(),
        };
        let built = ledger("a", &["built", "uploaded to testpypi as 1.0"]);
        let published = ledger("a", &["built", "published to pypi"]);
        let done = ledger("a", &["published to pypi", "tagged v1.0"]);
        let later = ledger("b", &["built"]);
        for (ledgers, expected) in [
            (vec![&built], false),
            (vec![&published], true),
            (vec![&done], false),
            (vec![&done, &built], true),
            (vec![&done, &later], false),
        ] {
            assert_eq!(is_half_released(ledgers.iter().copied()), expected, "{ledgers:?}");
        }
    }
}
