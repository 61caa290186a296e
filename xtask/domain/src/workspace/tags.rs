//! Tag names: from a version, back to a version, and none that git would refuse.

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

    /// What stands around the version: before it, and behind it.
    pub(crate) fn affixes(&self) -> (&str, &str) {
        (&self.prefix, &self.suffix)
    }

    /// What all its tags start with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Why git would refuse its tags; `None` where it would not.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        objection(&self.tag("1.0"))
    }

    /// The version that a tag names; `None` for somebody else's tag.
    pub(crate) fn version(&self, tag: &str) -> Option<Version> {
        tag.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?.parse().ok()
    }
}

/// Why git would refuse a tag of this name; `None` where it would not. The rules of
/// `git check-ref-format`, and those of `git tag` on top.
pub fn objection(tag: &str) -> Option<&'static str> {
    let is_forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
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
    } else if tag.contains(is_forbidden) {
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
