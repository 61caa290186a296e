//! One thing that is wrong: the rule, the location, the reason, and what to type next.
//!
//! Must not know how findings are printed.

use std::fmt;

use crate::source::Location;

/// The subject of a finding. Each rule has one stable word for `check --list`, for `--json` and
/// for configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    AmbiguousTag,
    Auto,
    Branch,
    BuiltFiles,
    Change,
    Commit,
    Config,
    Consent,
    Credentials,
    Cycle,
    Dependencies,
    DependenciesTable,
    DirectReference,
    Dirty,
    DuplicateName,
    Edit,
    Embed,
    Environment,
    Extra,
    FileName,
    Files,
    Git,
    Github,
    History,
    IdleExemption,
    Index,
    Layout,
    LeftOut,
    Licence,
    License,
    LocalVersion,
    Lock,
    Metadata,
    Name,
    Names,
    NamespaceInit,
    Needs,
    NoRange,
    NoSmoke,
    NotTracked,
    Packages,
    Place,
    Platform,
    Push,
    PyTyped,
    Python,
    Range,
    Readme,
    Remote,
    Requirement,
    RequirementSyntax,
    RequiresDist,
    RequiresPython,
    Root,
    Secrets,
    Shared,
    SharedField,
    SharedFile,
    SharedPath,
    Size,
    StaleLock,
    StaleRange,
    Tag,
    TagScheme,
    Taken,
    Target,
    Template,
    TomlSyntax,
    Tools,
    Tree,
    TwineCheck,
    Version,
    VersionCopy,
}

impl Rule {
    /// The rules of `cargo xtask check`, sorted by their words.
    pub const CHECKED: [Rule; 22] = [
        Rule::AmbiguousTag,
        Rule::Config,
        Rule::Cycle,
        Rule::DependenciesTable,
        Rule::DirectReference,
        Rule::DuplicateName,
        Rule::License,
        Rule::Name,
        Rule::NamespaceInit,
        Rule::NoRange,
        Rule::NoSmoke,
        Rule::PyTyped,
        Rule::Readme,
        Rule::RequirementSyntax,
        Rule::RequiresPython,
        Rule::StaleLock,
        Rule::StaleRange,
        Rule::Tag,
        Rule::TagScheme,
        Rule::TomlSyntax,
        Rule::Version,
        Rule::VersionCopy,
    ];

    /// The rule's word, which never changes.
    pub const fn id(self) -> &'static str {
        match self {
            Rule::AmbiguousTag => "ambiguous-tag",
            Rule::Auto => "auto",
            Rule::Branch => "branch",
            Rule::BuiltFiles => "built files",
            Rule::Change => "change",
            Rule::Commit => "commit",
            Rule::Config => "config",
            Rule::Consent => "consent",
            Rule::Credentials => "credentials",
            Rule::Cycle => "cycle",
            Rule::Dependencies => "dependencies",
            Rule::DependenciesTable => "dependencies-table",
            Rule::DirectReference => "direct-reference",
            Rule::Dirty => "dirty",
            Rule::DuplicateName => "duplicate-name",
            Rule::Edit => "edit",
            Rule::Embed => "embed",
            Rule::Environment => "environment",
            Rule::Extra => "extra",
            Rule::FileName => "file-name",
            Rule::Files => "files",
            Rule::Git => "git",
            Rule::Github => "github",
            Rule::History => "history",
            Rule::IdleExemption => "idle-exemption",
            Rule::Index => "index",
            Rule::Layout => "layout",
            Rule::LeftOut => "left-out",
            Rule::Licence => "licence",
            Rule::License => "license",
            Rule::LocalVersion => "local-version",
            Rule::Lock => "lock",
            Rule::Metadata => "metadata",
            Rule::Name => "name",
            Rule::Names => "names",
            Rule::NamespaceInit => "namespace-init",
            Rule::Needs => "needs",
            Rule::NoRange => "no-range",
            Rule::NoSmoke => "no-smoke",
            Rule::NotTracked => "not-tracked",
            Rule::Packages => "packages",
            Rule::Place => "place",
            Rule::Platform => "platform",
            Rule::Push => "push",
            Rule::PyTyped => "py-typed",
            Rule::Python => "python",
            Rule::Range => "range",
            Rule::Readme => "readme",
            Rule::Remote => "remote",
            Rule::Requirement => "requirement",
            Rule::RequirementSyntax => "requirement-syntax",
            Rule::RequiresDist => "requires-dist",
            Rule::RequiresPython => "requires-python",
            Rule::Root => "root",
            Rule::Secrets => "secrets",
            Rule::Shared => "shared",
            Rule::SharedField => "shared-field",
            Rule::SharedFile => "shared-file",
            Rule::SharedPath => "shared-path",
            Rule::Size => "size",
            Rule::StaleLock => "stale-lock",
            Rule::StaleRange => "stale-range",
            Rule::Tag => "tag",
            Rule::TagScheme => "tag-scheme",
            Rule::Taken => "taken",
            Rule::Target => "target",
            Rule::Template => "template",
            Rule::TomlSyntax => "toml-syntax",
            Rule::Tools => "tools",
            Rule::Tree => "tree",
            Rule::TwineCheck => "twine-check",
            Rule::Version => "version",
            Rule::VersionCopy => "version-copy",
        }
    }

    /// The fault and why it matters; `None` for rules that only refuse a command, whose messages
    /// say so themselves.
    pub const fn why(self) -> Option<&'static str> {
        let why = match self {
            Rule::AmbiguousTag => {
                "Two distributions could own the same tag, so nothing can tell which of them it releases."
            }
            Rule::Config => {
                "The configuration has an unknown key, a wrong type or an invalid value."
            }
            Rule::Cycle => {
                "Distributions depend on each other in a circle, so no release order puts every dependency first."
            }
            Rule::DependenciesTable => {
                "`[project.dependencies]` is a table; PEP 621 requires an array, and build back ends reject the table."
            }
            Rule::DirectReference => {
                "A published requirement points to a path or a URL; an index rejects such metadata."
            }
            Rule::DuplicateName => {
                "Two distributions have the same normalized name (PEP 503); an index knows only one."
            }
            Rule::Extra => "A requirement names an extra that its sibling does not define.",
            Rule::FileName => "An archive's file name does not match its distribution and version.",
            Rule::Files => {
                "A build did not produce one sdist and at least one wheel, or files of the release are missing."
            }
            Rule::LeftOut => "An archive lacks a tracked file of an import package.",
            Rule::Licence => "The metadata names a license file that the archive does not contain.",
            Rule::License => {
                "A license file that the manifest names does not exist, so the build fails; or no license is declared at all."
            }
            Rule::LocalVersion => {
                "The built metadata has a local version (PEP 440), which an index rejects."
            }
            Rule::Metadata => "The built metadata differs from the manifest.",
            Rule::Name => "The distribution's name is invalid (PEP 508).",
            Rule::NamespaceInit => {
                "A distribution ships the `__init__.py` of a namespace package (PEP 420) that others share; it hides their modules. An empty one can be removed."
            }
            Rule::NoRange => {
                "A requirement on a sibling has no version range, so it admits versions that cannot work."
            }
            Rule::NoSmoke => {
                "The smoke test does not run a command that the distribution installs, or has nothing to test."
            }
            Rule::NotTracked => "An archive contains a file that git does not track.",
            Rule::Platform => "A wheel has a platform tag that an index rejects.",
            Rule::PyTyped => {
                "`Typing :: Typed` is declared without a `py.typed` file (PEP 561), or siblings are typed and this distribution is not."
            }
            Rule::Readme => {
                "The README that the manifest names does not exist, or the manifest names none."
            }
            Rule::Requirement => "A requirement in the built metadata is invalid (PEP 508).",
            Rule::RequirementSyntax => "A requirement is invalid (PEP 508).",
            Rule::RequiresDist => {
                "A requirement in the built metadata excludes the sibling version of this release, or every published one."
            }
            Rule::RequiresPython => {
                "`requires-python` admits a Python version that a sibling it depends on does not, so it cannot be installed there."
            }
            Rule::SharedPath => "Two distributions install the same path.",
            Rule::Size => "A file exceeds the size limit of an index.",
            Rule::StaleLock => {
                "`uv.lock` or `poetry.lock` records another version of a distribution than the repository has."
            }
            Rule::StaleRange => {
                "A range on a sibling excludes its version in this repository; `--fix` moves the range as a bump of that sibling would."
            }
            Rule::Tag => {
                "git rejects the tags of a distribution, which are set after it is published."
            }
            Rule::TagScheme => {
                "The repository has tags, but none tells how the next tag of a distribution is named."
            }
            Rule::Taken => {
                "An index already has different contents under a file name of this release."
            }
            Rule::TomlSyntax => "A file is not valid TOML.",
            Rule::TwineCheck => "`twine check --strict` rejects a file.",
            Rule::Version => "The version is unknown: it is computed, or nothing defines it.",
            Rule::VersionCopy => {
                "A second copy of the version differs from the one that counts, or a file listed in `version-files` does not contain the version."
            }
            Rule::Auto
            | Rule::Branch
            | Rule::BuiltFiles
            | Rule::Change
            | Rule::Commit
            | Rule::Consent
            | Rule::Credentials
            | Rule::Dependencies
            | Rule::Dirty
            | Rule::Edit
            | Rule::Embed
            | Rule::Environment
            | Rule::Git
            | Rule::Github
            | Rule::History
            | Rule::IdleExemption
            | Rule::Index
            | Rule::Layout
            | Rule::Lock
            | Rule::Names
            | Rule::Needs
            | Rule::Packages
            | Rule::Place
            | Rule::Push
            | Rule::Python
            | Rule::Range
            | Rule::Remote
            | Rule::Root
            | Rule::Secrets
            | Rule::Shared
            | Rule::SharedField
            | Rule::SharedFile
            | Rule::Target
            | Rule::Template
            | Rule::Tools
            | Rule::Tree => return None,
        };
        Some(why)
    }

    /// The severity of this rule's findings, unless a finding says otherwise.
    pub const fn severity(self) -> Severity {
        let warns = matches!(
            self,
            Rule::IdleExemption
                | Rule::Layout
                | Rule::NoRange
                | Rule::NoSmoke
                | Rule::RequirementSyntax
                | Rule::StaleLock
                | Rule::TagScheme
        );
        if warns { Severity::Warning } else { Severity::Error }
    }

    /// Whether `check --fix` can fix it.
    pub const fn is_fixable(self) -> bool {
        matches!(
            self,
            Rule::DependenciesTable
                | Rule::NamespaceInit
                | Rule::NoRange
                | Rule::PyTyped
                | Rule::StaleLock
                | Rule::StaleRange
                | Rule::VersionCopy
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How much a finding weighs: an error stops a command, a warning is only printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// Something wrong, in one sentence, with its location and a hint where there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub severity: Severity,
    pub location: Option<Location>,
    pub message: String,
    pub hint: Option<String>,
}

impl Finding {
    /// A finding with the severity of its rule.
    pub fn new(rule: Rule, message: impl Into<String>) -> Finding {
        let message = message.into();
        Finding { rule, severity: rule.severity(), location: None, message, hint: None }
    }

    pub fn error(rule: Rule, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, ..Finding::new(rule, message) }
    }

    pub fn warning(rule: Rule, message: impl Into<String>) -> Finding {
        Finding::new(rule, message).into_warning()
    }

    pub fn into_warning(self) -> Finding {
        Finding { severity: Severity::Warning, ..self }
    }

    /// Locates it: a file relative to the root, and a line counted from 1.
    pub fn at(self, file: impl AsRef<str>, line: usize) -> Finding {
        self.located(Location::new(file.as_ref(), line))
    }

    pub fn located(self, location: Location) -> Finding {
        Finding { location: Some(location), ..self }
    }

    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding { hint: Some(hint.into()), ..self }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    /// The location and the message; the severity and the hint are for the caller to print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a command does nothing: all findings together, never only the first.
#[derive(Debug)]
pub struct Refusal(pub Vec<Finding>);

impl Refusal {
    /// `Ok` when none of the findings is an error.
    pub fn unless_clean(findings: Vec<Finding>) -> Result<(), Refusal> {
        if findings.iter().any(Finding::is_error) { Err(Refusal(findings)) } else { Ok(()) }
    }
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Refusal {
        Refusal(vec![finding])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
