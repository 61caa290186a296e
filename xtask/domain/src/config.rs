//! Configuration, repository-wide (`[workspace.metadata.xtask]` in Cargo.toml) and per
//! distribution (`[tool.xtask]` in its pyproject.toml).

use formats::name::Name;
use toml_edit::{Item, Value};

use crate::finding::Finding;
use crate::policy::{NeighboursPolicy, RangePolicy};
use crate::stated_exclusions;
use crate::stated_tags;
use crate::text::toml::{TomlFile, TomlSection, start, strings};

/// The configuration of the whole repository.
#[derive(Clone, Debug)]
pub struct RepositoryConfig {
    /// Directories of distributions, as glob patterns with `*`; `None` finds them all.
    pub packages: Option<Vec<String>>,
    /// Branches to release from, as glob patterns; empty allows any.
    pub branches: Vec<String>,
    /// The git remote that tags are pushed to.
    pub remote: String,
    /// twine repository that is staged on, and the one that is published to.
    pub staging: IndexConfig,
    pub index: IndexConfig,
    /// Seconds that an index may take to show what it has accepted.
    pub patience: u64,
    /// Seconds that one upload may take before it is ended; a slow line and large files need more.
    pub upload_limit: u64,
    /// How `bump` treats ranges on siblings.
    pub ranges: RangePolicy,
    /// The consequence where a release and its published siblings do not fit together.
    pub neighbours: NeighboursPolicy,
    /// Distributions that share one version, by name.
    pub groups: Vec<Vec<String>>,
    /// The names in `groups`.
    pub(crate) group_names: Vec<ConfiguredName>,
    /// Environment variables that builds and smoke tests get beside the usual ones, by name or, with
    /// `*` at the end, by prefix.
    pub environment: Vec<String>,
}

/// The name of a distribution in the configuration, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfiguredName {
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// The names in the value of `key`, an array of them or of arrays of them.
fn names_in(section: &mut TomlSection, key: &'static str) -> Vec<ConfiguredName> {
    fn offsets(value: &Value) -> Vec<(String, usize)> {
        match (value.as_str(), value.as_array()) {
            (Some(name), _) => {
                vec![(name.to_owned(), value.span().map_or(0, |span| span.start))]
            }
            (None, Some(array)) => array.iter().flat_map(offsets).collect(),
            (None, None) => Vec::new(),
        }
    }
    let found = section.get(key, "an array", |item| item.as_value().map(offsets));
    let found = found.unwrap_or_default().into_iter();
    found.map(|(name, at)| ConfiguredName { name, line: section.line_at(at) }).collect()
}

/// An index, named as twine names it.
#[derive(Clone, Debug)]
pub struct IndexConfig {
    pub repository: String,
    /// Address of the simple API (PEP 503), where it cannot be told from the upload address.
    pub simple: Option<String>,
}

impl Default for RepositoryConfig {
    fn default() -> Self {
        let index = |name: &str| IndexConfig { repository: name.to_owned(), simple: None };
        RepositoryConfig {
            packages: None,
            branches: vec!["main".into(), "master".into(), "release/*".into()],
            remote: "origin".into(),
            staging: index("testpypi"),
            index: index("pypi"),
            patience: 300,
            // Long enough for 100 MB, the most that PyPI takes, on a slow line.
            upload_limit: 900,
            ranges: RangePolicy::default(),
            neighbours: NeighboursPolicy::default(),
            groups: Vec::new(),
            group_names: Vec::new(),
            environment: Vec::new(),
        }
    }
}

impl RepositoryConfig {
    /// Reads the table out of the repository's Cargo.toml.
    ///
    /// # Errors
    /// Every wrong type and every unknown key, with file, line and key.
    pub fn read(file: &TomlFile) -> Result<RepositoryConfig, Vec<Finding>> {
        let mut section = file.section("workspace.metadata.xtask");
        let mut config = RepositoryConfig::default();
        config.fill(&mut section);
        no_findings(section.finish()).map(|()| config)
    }

    fn fill(&mut self, section: &mut TomlSection) {
        self.packages = section.strings("packages");
        // git would take them for options, and some of its options run programs.
        let is_option = |word: &String| word.starts_with('-');
        match section.strings("branches") {
            Some(branches) if branches.iter().any(is_option) => {
                section.refuse("branches", "names or patterns that do not begin with `-`");
            }
            Some(branches) => self.branches = branches,
            None => {}
        }
        match section.string("remote") {
            Some(remote) if is_option(&remote) => {
                section.refuse("remote", "a name or address that does not begin with `-`");
            }
            Some(remote) => self.remote = remote,
            None => {}
        }
        for (index, key, simple) in [
            (&mut self.staging, "staging", "staging-simple"),
            (&mut self.index, "index", "index-simple"),
        ] {
            if let Some(repository) = section.string(key) {
                index.repository = repository;
            }
            index.simple = section.string(simple);
        }
        if let Some(patience) = section.get("patience", "a number of seconds", seconds) {
            self.patience = patience;
        }
        if let Some(limit) = section.get("upload-limit", "a number of seconds", seconds) {
            self.upload_limit = limit;
        }
        self.environment = section.strings("environment").unwrap_or_default();
        let policy = |item: &Item| item.as_str()?.parse().ok();
        if let Some(ranges) = section.get("ranges", "\"align\" or \"fit\"", policy) {
            self.ranges = ranges;
        }
        let policy = |item: &Item| item.as_str()?.parse().ok();
        if let Some(policy) = section.get("neighbours", "\"stop\", \"warn\" or \"off\"", policy) {
            self.neighbours = policy;
        }
        let groups = |item: &Item| {
            item.as_array()?.iter().map(|group| strings(&Item::Value(group.clone()))).collect()
        };
        if let Some(groups) = section.get("groups", "an array of arrays of names", groups) {
            self.groups = groups;
            self.group_names = names_in(section, "groups");
        }
    }
}

/// The configuration of one distribution.
#[derive(Clone, Debug, Default)]
pub struct DistributionConfig {
    /// Tag name with `{version}` and, optionally, `{name}` in it.
    pub tag: Option<String>,
    /// The line of `tag`, where it is configured.
    pub tag_line: Option<usize>,
    pub smoke: SmokeConfig,
    /// Other files that repeat the version, relative to the distribution's directory.
    pub version_files: Vec<String>,
    /// The paths in which its archives may differ from git.
    pub content: ContentConfig,
    /// `true`: it is never released. `false`: it is, whatever its folder is called.
    pub private: Option<bool>,
    /// Siblings whose range is kept as it is.
    pub keep: Vec<Name>,
    /// The names in `keep`.
    pub(crate) keep_names: Vec<ConfiguredName>,
    /// The tag pattern that the tool states which makes the version from tags.
    pub(crate) stated_tag: Option<String>,
    /// Shared fields and files that this distribution leaves aside on purpose.
    pub differs: Vec<Exemption>,
}

/// A shared field or file from which a distribution differs, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Dotted path of a field (`project.license`) or of a table, or the path of a file.
    pub what: String,
    pub reason: String,
    pub line: usize,
}

/// Differences between what git tracks and what is built that are meant, as glob patterns of paths
/// relative to the distribution's directory.
#[derive(Clone, Debug, Default)]
pub struct ContentConfig {
    /// Made by the back end.
    pub generated: Vec<String>,
    /// Left out on purpose.
    pub omitted: Vec<String>,
    /// The files that the back end's own configuration excludes, as that writes them.
    pub excluded: Vec<String>,
}

/// The imports and commands that the smoke test of a distribution runs.
#[derive(Clone, Debug)]
pub struct SmokeConfig {
    /// Modules to import; `None` means the top-level modules that the wheel ships.
    pub imports: Option<Vec<String>>,
    /// Commands to run, each an argument list; the word `python` is the environment's own.
    pub commands: Vec<Vec<String>>,
    /// Seconds that one import or command may take.
    pub timeout: u64,
    /// Interpreters to test on, as versions (`3.12`) or programs; none means the tool's own.
    pub pythons: Vec<String>,
}

impl DistributionConfig {
    /// Reads `[tool.xtask]` out of a pyproject.toml.
    ///
    /// # Errors
    /// Every wrong type and every unknown key, with file, line and key.
    pub(crate) fn read(file: &TomlFile) -> Result<DistributionConfig, Vec<Finding>> {
        let stated_tag = stated_tags::pattern(file);
        let mut config = DistributionConfig { stated_tag, ..DistributionConfig::default() };
        config.content.excluded = stated_exclusions::patterns(file);
        if file.get("tool.xtask").is_none() {
            return Ok(config);
        }
        let mut section = file.section("tool.xtask");
        config.fill(&mut section);
        let mut smoke = section.section("smoke");
        config.smoke.fill(&mut smoke);
        no_findings(section.finish().into_iter().chain(smoke.finish()).collect()).map(|()| config)
    }

    fn fill(&mut self, section: &mut TomlSection) {
        let tag =
            |item: &Item| item.as_str().filter(|tag| tag.contains("{version}")).map(str::to_owned);
        self.tag = section.get("tag", "a string that contains `{version}`", tag);
        self.tag_line = self.tag.is_some().then(|| section.line("tag"));
        self.version_files = section.strings("version-files").unwrap_or_default();
        self.private = section.get("private", "`true` or `false`", Item::as_bool);
        let names = |item: &Item| strings(item)?.iter().map(|name| Name::new(name)).collect();
        self.keep =
            section.get("keep", "an array of distribution names", names).unwrap_or_default();
        if !self.keep.is_empty() {
            self.keep_names = names_in(section, "keep");
        }
        self.content.generated = section.strings("generated").unwrap_or_default();
        self.content.omitted = section.strings("omitted").unwrap_or_default();
        self.differs = section
            .get("differs", "a table of shared fields, each with the reason", exemptions)
            .unwrap_or_default()
            .into_iter()
            .map(|(what, reason, at)| Exemption { what, reason, line: section.line_at(at) })
            .collect();
    }
}

impl Default for SmokeConfig {
    fn default() -> Self {
        SmokeConfig { imports: None, commands: Vec::new(), timeout: 60, pythons: Vec::new() }
    }
}

impl SmokeConfig {
    fn fill(&mut self, section: &mut TomlSection) {
        self.imports = section.strings("imports");
        self.commands = section
            .get("commands", "an array of commands, each an array of strings", |item| {
                item.as_array()?.iter().map(|value| command(&Item::Value(value.clone()))).collect()
            })
            .unwrap_or_default();
        self.pythons = section.strings("pythons").unwrap_or_default();
        if let Some(timeout) = section.get("timeout", "a number of seconds", seconds) {
            self.timeout = timeout;
        }
    }
}

fn seconds(item: &Item) -> Option<u64> {
    u64::try_from(item.as_integer()?).ok().filter(|&seconds| seconds > 0)
}

/// `"project.license" = "the reason"`, as what, why, and the offset of it; a reason is needed.
fn exemptions(item: &Item) -> Option<Vec<(String, String, usize)>> {
    let entries = item.as_table_like()?.iter().map(|(what, item)| {
        let reason = item.as_str().filter(|reason| !reason.trim().is_empty())?;
        Some((what.to_owned(), reason.to_owned(), start(item)))
    });
    entries.collect()
}

/// An argument list, or one string that is split at white space (no quoting, never a shell).
fn command(item: &Item) -> Option<Vec<String>> {
    let words = match item.as_str() {
        Some(line) => line.split_whitespace().map(str::to_owned).collect(),
        None => strings(item)?,
    };
    (!words.is_empty()).then_some(words)
}

fn no_findings(findings: Vec<Finding>) -> Result<(), Vec<Finding>> {
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(text: &str) -> Result<RepositoryConfig, Vec<Finding>> {
        RepositoryConfig::read(&TomlFile::parse("Cargo.toml", text.into()).unwrap())
    }

    fn distribution(text: &str) -> Result<DistributionConfig, Vec<Finding>> {
        DistributionConfig::read(&TomlFile::parse("pyproject.toml", text.into()).unwrap())
    }

    #[test]
    fn nothing_configured_is_the_default() {
        let config = repository("[workspace]\n").unwrap();
        assert_eq!(config.packages, None);
        // A setup.py alone is read without any pyproject.toml.
        let read = distribution("").unwrap().smoke.timeout;
        assert_eq!([read, DistributionConfig::default().smoke.timeout], [60, 60]);
        assert_eq!(
            (config.staging.repository.as_str(), config.index.repository.as_str()),
            ("testpypi", "pypi")
        );
    }

    #[test]
    fn all_of_a_distribution() {
        let config = distribution(
            "[tool.xtask]\ntag = \"core-v{version}\"\n[tool.xtask.smoke]\nimports = [\"a.b\"]\n\
             commands = [[\"a\", \"--help\"], \"b run\"]\n",
        )
        .unwrap();
        assert_eq!(config.tag.as_deref(), Some("core-v{version}"));
        assert_eq!(config.smoke.imports.unwrap(), ["a.b"]);
        assert_eq!(config.smoke.commands, [vec!["a", "--help"], vec!["b", "run"]]);
    }

    #[track_caller]
    fn refused(findings: Vec<Finding>, expected: &str) {
        assert_eq!(findings[0].to_string(), expected);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        refused(
            repository("[workspace.metadata.xtask]\npackage = []\n").unwrap_err(),
            "Cargo.toml:2: unknown key `workspace.metadata.xtask.package`",
        );
        refused(
            repository("[workspace.metadata.xtask]\nremote = \"--exec=x\"\n").unwrap_err(),
            "Cargo.toml:2: invalid value for `workspace.metadata.xtask.remote`: expected a name or address that does not begin with `-`, found string",
        );
        refused(
            repository("[workspace.metadata.xtask]\nbranches = [\"main\", \"-f\"]\n").unwrap_err(),
            "Cargo.toml:2: invalid value for `workspace.metadata.xtask.branches`: expected names or patterns that do not begin with `-`, found array",
        );
        refused(
            distribution("[tool.xtask]\ntag = \"v1\"\n").unwrap_err(),
            "pyproject.toml:2: invalid value for `tool.xtask.tag`: expected a string that contains `{version}`, found string",
        );
        refused(
            distribution("[tool.xtask]\ndiffers = { a = '' }\n").unwrap_err(),
            "pyproject.toml:2: invalid value for `tool.xtask.differs`: expected a table of shared fields, each with the reason, found inline table",
        );
        refused(
            distribution("[tool.xtask.smoke]\nimport = [\"a\"]\n").unwrap_err(),
            "pyproject.toml:2: unknown key `tool.xtask.smoke.import`",
        );
    }
}
