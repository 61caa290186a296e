//! One thing that is wrong: the rule, the location, the reason, and what to type next.
//!
//! Must not know how findings are printed.

use std::fmt;

use crate::source::Location;

/// How the faults of a rule of `check` are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    /// By `check --fix`, where it is certain.
    Fix,
    ByHand,
}

struct RuleEntry {
    rule: Rule,
    id: &'static str,
    severity: Severity,
    /// The remedy, and the fault with the reason why it matters: for rules of `check` alone. Other
    /// findings stop a command, and their messages give the reason.
    checked: Option<(Remedy, &'static str)>,
}

/// Declares [`Rule`] and the table of its entries.
macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $id:literal $severity:ident $($remedy:ident $why:literal)?;)*) => {
        /// The subject of a finding. Each rule has one word for `check --list`, for `--json` and for
        /// configuration, which never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($(#[$doc])* $rule),* }

        /// Every rule, in the order of the enum.
        const RULES: &[RuleEntry] = &[$(RuleEntry {
            rule: Rule::$rule,
            id: $id,
            severity: Severity::$severity,
            checked: [$(Some((Remedy::$remedy, $why)),)? None][0],
        }),*];
    };
}

rules! {
    AmbiguousTag "ambiguous-tag" Error ByHand
        "Two distributions could own the same tag, so nothing can tell which of them it releases.";
    /// A patch or minor release breaks the public API.
    Api "api" Warning;
    Auto "auto" Error;
    Branch "branch" Error;
    BuiltFiles "built files" Error;
    Change "change" Error;
    Commit "commit" Error;
    Config "config" Error ByHand
        "The configuration has an unknown key, a wrong type or an invalid value.";
    Consent "consent" Error;
    Credentials "credentials" Error;
    Cycle "cycle" Error ByHand
        "Distributions depend on each other in a circle, so no release order puts every dependency first.";
    Dependencies "dependencies" Error;
    DependenciesTable "dependencies-table" Error Fix
        "`[project.dependencies]` is a table; PEP 621 requires an array, and build back ends reject the table.";
    /// The changes that users meet against the version published before.
    Difference "difference" Warning;
    DirectReference "direct-reference" Error ByHand
        "A published requirement points to a path or a URL; an index rejects such metadata.";
    Dirty "dirty" Error;
    DuplicateName "duplicate-name" Warning ByHand
        "Two distributions have the same normalized name (PEP 503); an index knows only one, so neither is released.";
    Edit "edit" Error;
    Embed "embed" Error;
    Environment "environment" Error;
    /// A requirement names an extra that its sibling does not define.
    Extra "extra" Error;
    /// An archive's file name does not match its distribution and version.
    FileName "file-name" Error;
    /// A build did not produce one sdist and at least one wheel, or files of the release are missing.
    Files "files" Error;
    Git "git" Error;
    Github "github" Error;
    History "history" Error;
    IdleExemption "idle-exemption" Warning;
    Index "index" Error;
    Layout "layout" Warning;
    /// A wheel lacks a tracked file of an import package, or an archive leaves tracked files out.
    LeftOut "left-out" Error;
    /// An archive contains a pointer of Git LFS instead of a file.
    LfsPointer "lfs-pointer" Error;
    /// The metadata names a license file that the archive does not contain.
    Licence "licence" Error;
    License "license" Error ByHand
        "A license file that the manifest names does not exist, so the build fails; or no license is declared at all.";
    /// The built metadata has a local version (PEP 440), which an index rejects.
    LocalVersion "local-version" Error;
    Lock "lock" Error;
    /// A wheel is not built for a platform that the version before had one for.
    LostWheel "lost-wheel" Error;
    /// The built metadata differs from the manifest.
    Metadata "metadata" Error;
    /// A module is in another distribution by now.
    Moved "moved" Warning;
    Name "name" Error ByHand
        "The distribution's name is invalid (PEP 508).";
    Names "names" Error;
    NamespaceInit "namespace-init" Warning Fix
        "A distribution ships the `__init__.py` of a package that others install into; where they are not in one folder, it hides their modules (PEP 420). An empty one can be removed.";
    Needs "needs" Error;
    /// A published sibling breaks with what is released.
    Neighbours "neighbours" Error;
    /// A wheel has a file that runs in, or clashes with, everything else that is installed.
    NewFile "new-file" Error;
    NoRange "no-range" Warning Fix
        "A requirement on a sibling has no version range, so it admits versions that cannot work.";
    NoSmoke "no-smoke" Warning ByHand
        "The smoke test does not run a command that the distribution installs, or has nothing to test.";
    /// An archive contains a file that git does not track.
    NotTracked "not-tracked" Error;
    /// The oldest published version of a sibling that a range admits does not do.
    OldestSibling "oldest-sibling" Error;
    Packages "packages" Error;
    Place "place" Error;
    /// A wheel has a platform tag that an index rejects.
    Platform "platform" Error;
    Push "push" Error;
    PyTyped "py-typed" Error Fix
        "`Typing :: Typed` is declared without a `py.typed` file (PEP 561), or siblings are typed and this distribution is not.";
    Python "python" Error;
    /// Code that the oldest Python that the metadata admits cannot read.
    PythonSyntax "python-syntax" Error;
    Range "range" Error;
    Readme "readme" Error ByHand
        "The README that the manifest names does not exist, or the manifest names none.";
    Receipt "receipt" Error;
    Remote "remote" Error;
    /// A requirement in the built metadata is invalid (PEP 508).
    Requirement "requirement" Error;
    RequirementSyntax "requirement-syntax" Warning ByHand
        "A requirement is invalid (PEP 508).";
    /// A requirement in the built metadata excludes the sibling version of this release, or every published one.
    RequiresDist "requires-dist" Error;
    RequiresPython "requires-python" Error ByHand
        "`requires-python` admits a Python version that a sibling it depends on does not, so it cannot be installed there.";
    Root "root" Error;
    Secrets "secrets" Error;
    Shared "shared" Error;
    SharedField "shared-field" Error;
    SharedFile "shared-file" Error;
    SharedPath "shared-path" Error ByHand
        "Two distributions install different files under one path; the one installed last wins.";
    /// A file exceeds the size limit of an index.
    Size "size" Error;
    StaleLock "stale-lock" Warning Fix
        "A lock file records another version of a distribution than the repository has.";
    StaleRange "stale-range" Error Fix
        "A range on a sibling excludes its version in this repository; `--fix` moves the range as a bump of that sibling would.";
    Tag "tag" Error ByHand
        "git rejects the tags of a distribution, which are set after it is published.";
    TagScheme "tag-scheme" Warning ByHand
        "The repository has tags, but none tells how the next tag of a distribution is named.";
    /// An index already has different contents under a file name of this release.
    Taken "taken" Error;
    Target "target" Error;
    Template "template" Error;
    TomlSyntax "toml-syntax" Error ByHand
        "A file is not valid TOML.";
    Tools "tools" Error;
    Tree "tree" Error;
    /// `twine check --strict` rejects a file.
    TwineCheck "twine-check" Error;
    Usage "usage" Error;
    /// A sibling is imported and not required.
    Undeclared "undeclared" Warning;
    Version "version" Error ByHand
        "The version is unknown: it is computed, or nothing defines it.";
    VersionCopy "version-copy" Error Fix
        "A second copy of the version differs from the one that counts, or a file listed in `version-files` does not contain the version.";
}

impl Rule {
    /// The rules of `cargo xtask check`, sorted by their words, each with its reason.
    pub fn checked() -> impl Iterator<Item = (Rule, &'static str)> {
        RULES.iter().filter_map(|entry| Some((entry.rule, entry.checked?.1)))
    }

    /// The rule's word.
    pub const fn id(self) -> &'static str {
        RULES[self as usize].id
    }

    /// The severity of this rule's findings, unless a finding says otherwise.
    pub const fn severity(self) -> Severity {
        RULES[self as usize].severity
    }

    /// Whether `check --fix` can fix it.
    pub fn is_fixable(self) -> bool {
        RULES[self as usize].checked.is_some_and(|(remedy, _)| remedy == Remedy::Fix)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How much a finding weighs: an error stops a command, a warning is only printed, and a note tells
/// what may well be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
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

    pub fn note(rule: Rule, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Note, ..Finding::new(rule, message) }
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
