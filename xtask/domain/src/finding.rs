//! One thing that is wrong: what, where, why, and what to type next.

use std::fmt;

/// What a finding is about. Each has one stable word, for `check --list`, for `--json` and for
/// configuration.
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
    /// The rules of `cargo xtask check`, by their words.
    pub const CHECKED: [Rule; 21] = [
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
        Rule::TomlSyntax,
        Rule::Version,
        Rule::VersionCopy,
    ];

    /// The stable word.
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

    /// What is wrong, and why it matters. Rules that only ever refuse a command say so in their
    /// message instead.
    pub const fn why(self) -> Option<&'static str> {
        let why = match self {
            Rule::AmbiguousTag => {
                "A tag of one distribution could be read as a tag of another, so that nothing can tell which of them was released."
            }
            Rule::Config => {
                "A key of this tool's configuration is not known, or holds something else than it should."
            }
            Rule::Cycle => {
                "Distributions need each other: no order of release puts every dependency first."
            }
            Rule::DependenciesTable => {
                "[project.dependencies] is a table; build backends want the array of PEP 621."
            }
            Rule::DirectReference => {
                "What is published requires something from a path or an address; an index refuses that."
            }
            Rule::DuplicateName => "Two distributions have one name (PEP 503); an index has one.",
            Rule::Extra => "A requirement asks for an extra that its sibling does not provide.",
            Rule::FileName => "An archive is not named after its distribution and version.",
            Rule::Files => {
                "A build did not give one sdist and at least one wheel, or a release lacks some of its files."
            }
            Rule::LeftOut => "An archive lacks a tracked file of an import package.",
            Rule::Licence => "The metadata names a licence file that the archive lacks.",
            Rule::License => {
                "A license file that is named is not there (the build fails), or nothing says under which license the distribution is."
            }
            Rule::LocalVersion => {
                "A local version (PEP 440) is in the built metadata; an index refuses it."
            }
            Rule::Metadata => "The built metadata says something else than the manifest.",
            Rule::Name => "The distribution's name is not one that PEP 508 allows.",
            Rule::NamespaceInit => {
                "A distribution ships the __init__.py of a namespace that others live in too (PEP 420): it hides their modules. An empty one can be removed."
            }
            Rule::NoRange => {
                "A requirement on a sibling has no range: it admits versions that cannot work."
            }
            Rule::NoSmoke => {
                "A command that the distribution installs is not run by its smoke test, or the smoke test of a distribution without modules tests nothing."
            }
            Rule::NotTracked => "An archive holds a file that git does not track.",
            Rule::Platform => "A wheel is for a platform that an index refuses.",
            Rule::PyTyped => {
                "`Typing :: Typed` is promised without a py.typed (PEP 561), or the siblings are typed and this one is not."
            }
            Rule::Readme => {
                "The README that is named is not there, or there is none for the index."
            }
            Rule::Requirement => "A built requirement is not one (PEP 508).",
            Rule::RequirementSyntax => "A requirement is not one (PEP 508).",
            Rule::RequiresDist => {
                "A built requirement does not admit a sibling that it is released with, or any that is published."
            }
            Rule::RequiresPython => {
                "`requires-python` admits a Python that a sibling it needs does not: there it cannot be installed."
            }
            Rule::SharedPath => "Two distributions install one path.",
            Rule::Size => "A file is larger than an index takes.",
            Rule::StaleLock => {
                "uv.lock or poetry.lock has another version of a distribution than the repository."
            }
            Rule::StaleRange => {
                "A range on a sibling excludes the version in this repository; --fix moves it as a bump of that sibling would."
            }
            Rule::Tag => {
                "git refuses the tags of a distribution, which are set after it is published."
            }
            Rule::Taken => "An index has other contents under a file name of this release.",
            Rule::TomlSyntax => "A file that should be TOML is not.",
            Rule::TwineCheck => "`twine check --strict` finds fault.",
            Rule::Version => "The version is computed, or nothing says where it stands.",
            Rule::VersionCopy => {
                "A second copy of the version differs from the one that counts, or a file listed in `version-files` does not have it."
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

    /// Whether `check --fix` can fix it.
    pub const fn is_fixable(self) -> bool {
        matches!(
            self,
            Rule::DependenciesTable
                | Rule::NamespaceInit
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

/// How much a finding weighs: an error stops, a warning is only said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// Something wrong, said in one sentence, with its place and advice where there is some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub rule: Rule,
    pub severity: Severity,
    /// File relative to the repository's root, and the line counted from 1.
    pub location: Option<(String, usize)>,
    pub message: String,
    pub hint: Option<String>,
}

impl Finding {
    pub fn error(rule: Rule, message: impl Into<String>) -> Finding {
        let message = message.into();
        Finding { rule, severity: Severity::Error, location: None, message, hint: None }
    }

    pub fn warning(rule: Rule, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(rule, message) }
    }

    pub fn into_warning(self) -> Finding {
        Finding { severity: Severity::Warning, ..self }
    }

    pub fn at(mut self, file: impl AsRef<str>, line: usize) -> Finding {
        self.location = Some((file.as_ref().to_owned(), line));
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.location {
            write!(f, "{file}:{line}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a command does nothing: all findings of one kind, together.
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
