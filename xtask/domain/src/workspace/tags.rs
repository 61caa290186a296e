//! Tag names: from a version, back to a version, and never two distributions' at once.

use formats::name::Name;
use formats::pep440::Version;

use crate::workspace::tag_spelling::VersionSpelling;

/// A tag name around its version: `core-v{version}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagPattern {
    prefix: String,
    suffix: String,
    spelling: VersionSpelling,
}

impl TagPattern {
    /// Takes the configured pattern, in which `{name}` stands for the distribution; without one
    /// it is `NAME-v{version}`.
    pub(crate) fn new(configured: Option<&str>, name: &Name) -> TagPattern {
        let Some(configured) = configured else {
            return TagPattern::with_prefix([name.as_str(), "-v"].concat());
        };
        let pattern = configured.replace("{name}", name.as_str());
        let (prefix, suffix) = pattern.split_once("{version}").unwrap_or((&pattern, ""));
        TagPattern { suffix: suffix.to_owned(), ..TagPattern::with_prefix(prefix.to_owned()) }
    }

    /// The pattern of tags that end with their version.
    pub(crate) fn with_prefix(prefix: String) -> TagPattern {
        TagPattern { prefix, suffix: String::new(), spelling: VersionSpelling::default() }
    }

    /// The same, with versions spelled as these tags spell them, the newest first.
    pub(crate) fn spelled_like<'a>(self, newest_first: impl Iterator<Item = &'a str>) -> Self {
        let spelling = VersionSpelling::of(newest_first.filter_map(|tag| self.version_text(tag)));
        TagPattern { spelling, ..self }
    }

    /// The tag of a version, spelled as the tags of this pattern are.
    pub(crate) fn tag(&self, version: &Version) -> String {
        [&self.prefix, self.spelling.write(version).as_str(), &self.suffix].concat()
    }

    /// The pattern as it is configured, such as `core-v{version}`.
    pub(crate) fn written(&self) -> String {
        format!("{}{{version}}{}", self.prefix, self.suffix)
    }

    /// What stands around the version: before it, and behind it.
    pub(crate) fn affixes(&self) -> (&str, &str) {
        (&self.prefix, &self.suffix)
    }

    /// What all its tags start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The version that a tag names; `None` for somebody else's tag.
    pub(crate) fn version(&self, tag: &str) -> Option<Version> {
        self.version_text(tag)?.parse().ok()
    }

    fn version_text<'a>(&self, tag: &'a str) -> Option<&'a str> {
        tag.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)
    }
}

/// The last tag of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTag {
    pub name: String,
    pub commit: String,
    pub version: Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_and_back() {
        let pattern = TagPattern::new(Some("core-v{version}"), &Name::new("core").unwrap());
        let version: Version = "2.4.0rc1".parse().unwrap();
        assert_eq!(pattern.tag(&version), "core-v2.4.0rc1");
        assert_eq!(pattern.version("core-v2.4.0rc1"), Some(version));
        assert_eq!(pattern.version("core-vnext"), None);
        assert_eq!(pattern.version("v2.4.0"), None);
        assert_eq!(pattern.written(), "core-v{version}");
    }
}
