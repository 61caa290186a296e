//! The tag pattern that a tool's own configuration states, where the tool makes versions from tags.
//!
//! Only what is certain is read: a prefix without special characters in front of the version.

use toml_edit::{Item, Value};

use crate::text::toml::TomlFile;

/// How a value states the pattern.
#[derive(Clone, Copy)]
enum Statement {
    /// A regular expression with the version in a group.
    Regex,
    /// A `git describe` command with `--match`, as a string or a list.
    Describe,
    /// A glob pattern of tags, or several.
    Glob,
    /// The text before the version, without its `v`.
    PrefixBeforeV,
    /// All that is before the version.
    Prefix,
}

/// The keys, the one that decides first.
const KEYS: [(&str, Statement); 19] = [
    ("tool.hatch.version.raw-options.git_describe_command", Statement::Describe),
    ("tool.hatch.version.raw-options.scm.git.describe_command", Statement::Describe),
    ("tool.hatch.version.tag-pattern", Statement::Regex),
    ("tool.hatch.version.raw-options.tag_regex", Statement::Regex),
    ("tool.setuptools_scm.git_describe_command", Statement::Describe),
    ("tool.setuptools_scm.scm.git.describe_command", Statement::Describe),
    ("tool.setuptools_scm.tag_regex", Statement::Regex),
    ("tool.setuptools-scm.git_describe_command", Statement::Describe),
    ("tool.setuptools-scm.tag_regex", Statement::Regex),
    ("tool.vcs-versioning.git_describe_command", Statement::Describe),
    ("tool.vcs-versioning.tag_regex", Statement::Regex),
    ("tool.uv-dynamic-versioning.pattern-prefix", Statement::PrefixBeforeV),
    ("tool.poetry-dynamic-versioning.pattern-prefix", Statement::PrefixBeforeV),
    ("tool.poetry-dynamic-versioning.pattern", Statement::Regex),
    ("tool.pdm.version.tag_filter", Statement::Glob),
    ("tool.pdm.version.tag_regex", Statement::Regex),
    ("tool.versioningit.vcs.match", Statement::Glob),
    ("tool.versioneer.tag_prefix", Statement::Prefix),
    ("tool.setuptools-git-versioning.tag_filter", Statement::Regex),
];

/// The pattern that a pyproject.toml states, such as `core-v{version}`.
pub(crate) fn pattern(file: &TomlFile) -> Option<String> {
    KEYS.iter().find_map(|(key, statement)| {
        let prefix = statement.prefix(file.get(key)?)?;
        // A prefix that all share tells nothing that a missing key would not.
        let names_one = !prefix.trim_end_matches(['v', 'V']).is_empty();
        names_one.then(|| prefix + "{version}")
    })
}

impl Statement {
    fn prefix(self, item: &Item) -> Option<String> {
        let texts = texts(item.as_value()?);
        let first = texts.first()?;
        match self {
            Statement::Regex => regex_prefix(first),
            Statement::Describe => {
                let words: Vec<&str> =
                    texts.iter().flat_map(|text| text.split_whitespace()).collect();
                let at = words.iter().position(|word| word.starts_with("--match"))?;
                let glob = match words[at].strip_prefix("--match")?.trim_start_matches('=') {
                    "" => *words.get(at + 1)?,
                    glob => glob,
                };
                glob_prefix(glob.trim_matches(['"', '\'']))
            }
            Statement::Glob => glob_prefix(first),
            Statement::PrefixBeforeV => Some(first.clone() + "v"),
            Statement::Prefix => Some(first.clone()),
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match (value.as_str(), value.as_array()) {
        (Some(text), _) => vec![text.to_owned()],
        (None, Some(array)) => array.iter().flat_map(texts).collect(),
        (None, None) => Vec::new(),
    }
}

/// The text before the first special character of a glob pattern.
fn glob_prefix(glob: &str) -> Option<String> {
    let end = glob.find(['*', '?', '[', '{', '\\'])?;
    Some(glob[..end].to_owned())
}

/// The literal text before the group that holds the version.
fn regex_prefix(regex: &str) -> Option<String> {
    let mut prefix = String::new();
    let mut rest = regex.trim_start_matches('^');
    loop {
        let mut chars = rest.chars();
        match chars.next()? {
            '(' => break,
            '\\' => {
                let escaped = chars.next()?;
                if escaped == 'd' {
                    return Some(prefix);
                }
                // Letters are classes of characters.
                prefix.push(Some(escaped).filter(|c| !c.is_alphanumeric())?);
            }
            '[' if rest.starts_with("[0-9]") => return Some(prefix),
            c if "[].*+?{}|$".contains(c) => return None,
            c => prefix.push(c),
        }
        rest = chars.as_str();
        // `v?` is written by nearly everybody, and both are the tool's.
        rest = rest.strip_prefix('?').filter(|_| prefix.ends_with(['v', 'V'])).unwrap_or(rest);
    }
    let group = rest.split_once('>').filter(|_| rest.starts_with("(?P<")).map_or("", |(_, g)| g);
    let with_v = ["v", "[vV]"].iter().any(|v| group.starts_with(v));
    (!prefix.is_empty()).then(|| prefix + if with_v { "v" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let file = TomlFile::parse("pyproject.toml", text.into()).unwrap();
        assert_eq!(pattern(&file).as_deref(), expected, "{text}");
    }

    #[test]
    fn patterns_as_tools_are_told_them() {
        let hatch = "[tool.hatch.version]\ntag-pattern = ";
        check(
            &format!("{hatch}'integrations\\/store-v(?P<version>.*)'"),
            Some("integrations/store-v{version}"),
        );
        check(&format!("{hatch}'^core-(?P<version>v.*)$'"), Some("core-v{version}"));
        check(&format!("{hatch}'core-v?(.+)'"), Some("core-v{version}"));
        check(&format!("{hatch}'v(?P<version>.*)'"), None);
        check(&format!("{hatch}'.*-v(?P<version>.*)'"), None);
        let scm = "[tool.setuptools_scm]\n";
        check(&format!("{scm}tag_regex = '^(?:[\\w-]+-)?(?P<version>[vV]?\\d+.*)$'"), None);
        check(
            &format!("{scm}git_describe_command = ['git', 'describe', '--match', 'core/v[0-9]*']"),
            Some("core/v{version}"),
        );
        check(
            &format!("{scm}git_describe_command = 'git describe --tags --match=\"a-*\"'"),
            Some("a-{version}"),
        );
        check(&format!("{scm}git_describe_command = 'git describe --tags'"), None);
        check("[tool.uv-dynamic-versioning]\npattern-prefix = 'core-'", Some("core-v{version}"));
        check("[tool.versioningit.vcs]\nmatch = ['core-*']", Some("core-{version}"));
    }
}
