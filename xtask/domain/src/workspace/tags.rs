//! Tag names: from a version, back to a version, and never two distributions' at once.

use formats::name::Name;
use formats::pep440::Version;

/// A tag name around its version: `core-v{version}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagPattern {
    prefix: String,
    suffix: String,
}

impl TagPattern {
    /// Takes the configured pattern, in which `{name}` stands for the distribution; without one
    /// it is `NAME-v{version}`.
    pub(crate) fn new(configured: Option<&str>, name: &Name) -> TagPattern {
        let Some(configured) = configured else {
            return TagPattern { prefix: [name.as_str(), "-v"].concat(), suffix: String::new() };
        };
        let pattern = configured.replace("{name}", name.as_str());
        let (prefix, suffix) = pattern.split_once("{version}").unwrap_or((&pattern, ""));
        TagPattern { prefix: prefix.to_owned(), suffix: suffix.to_owned() }
    }

    /// The tag of a version, in the version's own spelling.
    pub(crate) fn tag(&self, version: impl std::fmt::Display) -> String {
        format!("{}{version}{}", self.prefix, self.suffix)
    }

    /// The texts before and after the version.
    pub(crate) fn affixes(&self) -> (&str, &str) {
        (&self.prefix, &self.suffix)
    }

    /// The text that all its tags start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The version that a tag names; `None` for somebody else's tag.
    pub(crate) fn version(&self, tag: &str) -> Option<Version> {
        tag.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?.parse().ok()
    }
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
    }
}
