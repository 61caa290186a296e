//! Tag names: from a version, back to a version, and never two distributions' at once.

use std::collections::HashMap;

use formats::name::Name;
use formats::pep440::Version;

use crate::finding::Finding;
use crate::workspace::Distribution;

/// A tag name around its version: `core-v{version}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagPattern {
    prefix: String,
    suffix: String,
}

impl TagPattern {
    /// Takes the configured pattern, in which `{name}` stands for the distribution; without one
    /// it is `NAME-v{version}`.
    pub fn new(configured: Option<&str>, name: &Name) -> TagPattern {
        let Some(configured) = configured else {
            return TagPattern { prefix: [name.as_str(), "-v"].concat(), suffix: String::new() };
        };
        let pattern = configured.replace("{name}", name.as_str());
        let (prefix, suffix) = pattern.split_once("{version}").unwrap_or((&pattern, ""));
        TagPattern { prefix: prefix.to_owned(), suffix: suffix.to_owned() }
    }

    /// The tag of a version, in the version's own spelling.
    pub fn tag(&self, version: impl std::fmt::Display) -> String {
        format!("{}{version}{}", self.prefix, self.suffix)
    }

    /// What all its tags start with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The version that a tag names; `None` for somebody else's tag.
    pub fn version(&self, tag: &str) -> Option<Version> {
        tag.strip_prefix(&self.prefix)?.strip_suffix(&self.suffix)?.parse().ok()
    }
}

/// An error for every distribution whose tags could be read as another one's.
pub fn ambiguities(distributions: &[Distribution]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut owners: HashMap<(&str, &str), usize> = HashMap::new();
    for (at, distribution) in distributions.iter().enumerate() {
        let pattern = &distribution.tag;
        match owners.entry((&pattern.prefix, &pattern.suffix)) {
            std::collections::hash_map::Entry::Occupied(owner) => {
                findings.push(ambiguity(distribution, &distributions[*owner.get()]));
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(at);
            }
        }
    }
    // `v1.0` is a version too, so `{version}` would claim the tags of `v{version}`: look for every
    // shorter prefix behind which a version still stands.
    for distribution in distributions {
        let TagPattern { prefix, suffix } = &distribution.tag;
        let claims = prefix.char_indices().filter_map(|(cut, _)| {
            let rest = &prefix[cut..];
            // Cheaper than looking each of them up.
            let begins = rest.starts_with(|c: char| c.is_ascii_digit() || "vV".contains(c));
            let owner = begins.then(|| owners.get(&(&prefix[..cut], suffix.as_str())))??;
            format!("{rest}1.0").parse::<Version>().ok().map(|_| &distributions[*owner])
        });
        findings.extend(claims.map(|owner| ambiguity(distribution, owner)));
    }
    findings
}

fn ambiguity(one: &Distribution, other: &Distribution) -> Finding {
    // Whoever configured a tag can change it.
    let configured =
        one.manifest.config.tag_line.is_some() || other.manifest.config.tag_line.is_none();
    let (distribution, owner) = if configured { (one, other) } else { (other, one) };
    let tag = distribution.tag.tag("1.0");
    let (name, other) = (distribution.name(), owner.name());
    let line = distribution.manifest.config.tag_line.unwrap_or(1);
    Finding::error(
        "ambiguous-tag",
        format!("`tool.xtask.tag`: the tag `{tag}` of {name} could be one of {other}"),
    )
    .at(&distribution.manifest.path, line)
    .hint(format!("give {name} a tag of its own, such as `{}-v{{version}}`", name.normal()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RepositoryConfig;
    use crate::manifest::Manifest;
    use crate::text::toml::TomlFile;
    use crate::workspace::Workspace;

    #[test]
    fn a_tag_and_back() {
        let pattern = TagPattern::new(Some("core-v{version}"), &Name::new("core").unwrap());
        let version: Version = "2.4.0rc1".parse().unwrap();
        assert_eq!(pattern.tag(&version), "core-v2.4.0rc1");
        assert_eq!(pattern.version("core-v2.4.0rc1"), Some(version));
        assert_eq!(pattern.version("core-vnext"), None);
        assert_eq!(pattern.version("v2.4.0"), None);
    }

    #[track_caller]
    fn check(tags: [&str; 2], ambiguous: bool) {
        let manifest = |name: &str, tag: &str| {
            let text = format!(
                "[project]\nname = \"{name}\"\nversion = \"1\"\n[tool.xtask]\ntag = \"{tag}\"\n"
            );
            let file = TomlFile::parse(&format!("{name}/pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = vec![manifest("a", tags[0]), manifest("b", tags[1])];
        let result = Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new());
        assert_eq!(result.is_err(), ambiguous, "{tags:?}");
        if let Err(refusal) = result {
            assert!(
                refusal.to_string().contains("/pyproject.toml:5: `tool.xtask.tag`"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn tags_that_two_could_own_are_refused() {
        check(["a-v{version}", "v{version}"], false);
        check(["v{version}", "v{version}"], true);
        check(["{version}", "v{version}"], true);
        check(["{name}/{version}", "{version}"], false);
    }
}
