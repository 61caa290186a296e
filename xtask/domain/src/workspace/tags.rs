//! Tag names: from a version, back to a version, and none that git would refuse.

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
    pub fn tag(&self, version: &Version) -> String {
        [&self.prefix, self.spelling.write(version).as_str(), &self.suffix].concat()
    }

    /// The pattern as it is configured, such as `core-v{version}`.
    pub(crate) fn written(&self) -> String {
        format!("{}{{version}}{}", self.prefix, self.suffix)
    }

    /// The texts before and after the version.
    pub(crate) fn affixes(&self) -> (&str, &str) {
        (&self.prefix, &self.suffix)
    }

    /// The text that all its tags start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Why git would refuse its tags; `None` where it would not.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        objection(&self.example())
    }

    /// A tag of this pattern, to show how one looks.
    pub fn example(&self) -> String {
        self.tag(&Version::new([1, 0]))
    }

    /// The version that a tag names; `None` for somebody else's tag.
    pub fn version(&self, tag: &str) -> Option<Version> {
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

/// Why git would refuse a tag of this name; `None` where it would not. The rules of
/// `git check-ref-format`, and those of `git tag` on top.
pub fn objection(tag: &str) -> Option<&'static str> {
    let component = |component: &str| match component {
        "" => Some("has a `/` at an end, or two in a row"),
        name if name.starts_with('.') => Some("has a part that begins with `.`"),
        name if name.ends_with(".lock") => Some("has a part that ends with `.lock`"),
        _ => None,
    };
    if tag.starts_with('-') {
        Some("begins with `-`")
    } else if tag == "HEAD" {
        Some("is the name of the current commit")
    } else if tag.ends_with('.') {
        Some("ends with `.`")
    } else if tag.contains("..") {
        Some("contains `..`")
    } else if tag.contains("@{") {
        Some("contains `@{`")
    } else if tag.contains(|c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c)) {
        Some("contains white space, a control character, or one of ``~^:?*[\\``")
    } else {
        tag.split('/').find_map(component)
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
        assert_eq!(pattern.written(), "core-v{version}");
    }

    #[test]
    fn tags_that_git_refuses() {
        let refused = [
            "-d1.0", "HEAD", "v1.", "a..1", "@{1", "a b", "a~1", "a^1", "a:1", "a?1", "a*1", "a[1",
            "a\\1", "a\t1", "a\x7f", "v1/", "/v1", "a//1", ".a", "a/.b", "a.lock", "a.lock/1",
        ];
        refused.iter().for_each(|tag| assert!(objection(tag).is_some(), "{tag}"));
        let taken = ["v1.0", "a/b-v1!2.0+local.1", "größe-v1", "a-", "@", "a{1}", "a.b", "a.lock1"];
        taken.iter().for_each(|tag| assert_eq!(objection(tag), None, "{tag}"));
    }

    #[test]
    fn a_name_may_make_a_tag_that_git_refuses() {
        let pattern = TagPattern::new(None, &Name::new("a..b").unwrap());
        assert_eq!(pattern.objection(), Some("contains `..`"));
    }
}
