//! Version specifiers read with byte spans (PEP 440 "Version specifiers", and Poetry's dialect),
//! and whether they admit a version.
//!
//! Pre-releases are admitted wherever their order admits them, as installers do once a
//! requirement names one. Must not know what a range is rewritten to.

use std::fmt;
use std::ops::Range;

use crate::pep440::{Version, next_incompatible, next_release};

/// The operator of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    EqualPrefix,
    NotEqual,
    NotEqualPrefix,
    Compatible,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `===`, compared as text.
    Arbitrary,
    /// Poetry's `^`.
    Caret,
    /// Poetry's `~`.
    Tilde,
    /// Poetry's `*`.
    Any,
}

/// Whose grammar a specifier follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PEP 440, as in `project.dependencies`.
    Pep440,
    /// Poetry's tables: `^`, `~`, `*`, bare versions, clauses separated by blanks.
    Poetry,
}

/// One clause such as `>= 2.3.0`, with the bytes it takes in the specifier text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub op: Op,
    pub version: Version,
    /// Operator to the end of the version.
    pub span: Range<usize>,
    /// The version without a leading `v` and without `.*`.
    pub version_span: Range<usize>,
    /// For `===`, which compares as text: that text.
    exact: Option<String>,
}

/// Why a specifier could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// A template, such as `== {version}`.
    Template(String),
    /// Poetry's `||`.
    Union,
    /// Anything else; the part that is not a clause.
    NotAClause(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Template(text) => {
                write!(out, "`{text}` is a template that something else fills in")
            }
            Unreadable::Union => out.write_str("alternatives (`||`) have no single bound to move"),
            Unreadable::NotAClause(text) => {
                write!(out, "`{text}` is not a version specifier (PEP 440)")
            }
        }
    }
}

/// The operators of PEP 440.
const OPERATORS: [(&str, Op); 8] = [
    ("===", Op::Arbitrary),
    ("==", Op::Equal),
    ("~=", Op::Compatible),
    ("!=", Op::NotEqual),
    ("<=", Op::LessEqual),
    (">=", Op::GreaterEqual),
    ("<", Op::Less),
    (">", Op::Greater),
];

/// The operators that only Poetry knows.
const POETRY_OPERATORS: [(&str, Op); 4] =
    [("<>", Op::NotEqual), ("^", Op::Caret), ("~", Op::Tilde), ("=", Op::Equal)];

/// Reads a specifier set. An empty text is an empty set, which admits everything.
///
/// # Errors
/// [`Unreadable`] for the first part that is not a clause.
pub fn parse(text: &str, dialect: Dialect) -> Result<Vec<Clause>, Unreadable> {
    if text.contains(['{', '}', '$', '%', '@']) {
        return Err(Unreadable::Template(text.trim().to_owned()));
    }
    if dialect == Dialect::Poetry && text.contains('|') {
        return Err(Unreadable::Union);
    }
    let mut clauses = Vec::new();
    let mut at = 0;
    let mut separated = true;
    while let Some(next) = skip_space(text, at) {
        if text[next..].starts_with(',') {
            at = next + 1;
            separated = true;
        } else if separated || dialect == Dialect::Poetry {
            let (operator, op) = operator(&text[next..], dialect)?;
            let version_start = skip_space(text, next + operator.len()).unwrap_or(text.len());
            let version = &text[version_start..];
            at = version_start + version.find(ends_clause).unwrap_or(version.len());
            let clause = Clause::read(text, next..at, version_start, op);
            clauses.push(clause.ok_or_else(|| Unreadable::NotAClause(text[next..at].to_owned()))?);
            separated = false;
        } else {
            return Err(Unreadable::NotAClause(text.trim().to_owned()));
        }
    }
    Ok(clauses)
}

/// The first byte from `at` on that is not white space.
fn skip_space(text: &str, at: usize) -> Option<usize> {
    text[at..].find(|c: char| !c.is_whitespace()).map(|offset| at + offset)
}

fn ends_clause(c: char) -> bool {
    c == ',' || c.is_whitespace()
}

/// The operator that `text` starts with, as written and what it means.
fn operator(text: &str, dialect: Dialect) -> Result<(&'static str, Op), Unreadable> {
    let theirs: &[(&str, Op)] = match dialect {
        Dialect::Pep440 => &[],
        Dialect::Poetry => &POETRY_OPERATORS,
    };
    // The longest: `<=` and `<>` begin as `<` does, and `==` as Poetry's `=`.
    let known = OPERATORS.iter().chain(theirs).filter(|(written, _)| text.starts_with(written));
    match known.max_by_key(|(written, _)| written.len()) {
        Some(known) => Ok(*known),
        None if dialect == Dialect::Pep440 => {
            Err(Unreadable::NotAClause(text.trim_end().to_owned()))
        }
        None if text.split(ends_clause).next() == Some("*") => Ok(("", Op::Any)),
        None => Ok(("", Op::Equal)),
    }
}

impl Clause {
    /// Reads the clause at `span`, whose version is from `version_start` on.
    fn read(text: &str, span: Range<usize>, version_start: usize, op: Op) -> Option<Clause> {
        let written = &text[version_start..span.end];
        if op == Op::Any {
            let version = Version::new([0]);
            return Some(Clause { op, version, version_span: span.clone(), span, exact: None });
        }
        let (op, number) = match (op, written.strip_suffix(".*")) {
            (Op::Equal, Some(number)) => (Op::EqualPrefix, number),
            (Op::NotEqual, Some(number)) => (Op::NotEqualPrefix, number),
            _ => (op, written),
        };
        if op == Op::Arbitrary && !number.is_empty() {
            // Any text is a version for `===`.
            let version = number.parse().unwrap_or_else(|_| Version::new([0]));
            let version_span = version_start..span.end;
            let exact = Some(number.to_owned());
            return Some(Clause { op, version, span, version_span, exact });
        }
        let bare = number.strip_prefix(['v', 'V']).unwrap_or(number);
        let version: Version = bare.parse().ok()?;
        let end = version_start + number.len();
        let version_span = end - bare.len()..end;
        op.takes(&version).then_some(Clause { op, version, span, version_span, exact: None })
    }
}

impl Op {
    /// Whether PEP 440 allows a version behind this operator.
    fn takes(self, version: &Version) -> bool {
        match self {
            Op::Equal | Op::NotEqual | Op::Arbitrary | Op::Any => true,
            Op::EqualPrefix | Op::NotEqualPrefix => {
                !version.any_prerelease() && !version.is_post() && !version.is_local()
            }
            Op::Compatible => !version.is_local() && version.release().len() > 1,
            Op::Less | Op::LessEqual | Op::Greater | Op::GreaterEqual | Op::Caret | Op::Tilde => {
                !version.is_local()
            }
        }
    }
}

/// Whether every clause admits `version`.
pub fn admits(clauses: &[Clause], version: &Version) -> bool {
    clauses.iter().all(|clause| clause.admits(version))
}

impl Clause {
    /// Whether this clause admits `version`, pre-releases included.
    pub fn admits(&self, version: &Version) -> bool {
        let bound = &self.version;
        match self.op {
            Op::Equal => equal(bound, version),
            Op::NotEqual => !equal(bound, version),
            Op::EqualPrefix => has_prefix(version, bound, bound.release().len()),
            Op::NotEqualPrefix => !has_prefix(version, bound, bound.release().len()),
            Op::Compatible => {
                public(version) >= *bound && has_prefix(version, bound, bound.release().len() - 1)
            }
            Op::LessEqual => public(version) <= *bound,
            Op::GreaterEqual => public(version) >= *bound,
            Op::Less => less(version, bound),
            Op::Greater => greater(version, bound),
            Op::Arbitrary => {
                let version = version.to_string();
                self.exact.as_ref().is_some_and(|exact| exact.eq_ignore_ascii_case(&version))
            }
            Op::Caret => between(version, bound, next_incompatible(bound)),
            Op::Tilde => {
                let level = (bound.release().len() - 1).min(1);
                between(version, bound, next_release(bound, level))
            }
            Op::Any => true,
        }
    }
}

fn public(version: &Version) -> Version {
    version.clone().without_local()
}

/// A local part counts only where the specifier names one.
fn equal(bound: &Version, version: &Version) -> bool {
    if bound.is_local() { version == bound } else { public(version) == *bound }
}

fn has_prefix(version: &Version, prefix: &Version, len: usize) -> bool {
    version.epoch() == prefix.epoch() && (0..len).all(|i| version.segment(i) == prefix.segment(i))
}

fn same_release(one: &Version, other: &Version) -> bool {
    has_prefix(one, other, one.release().len().max(other.release().len()))
}

/// From `bound` up to the version before `end`; without an end where no version can come after.
fn between(version: &Version, bound: &Version, end: Option<Version>) -> bool {
    public(version) >= *bound && end.is_none_or(|end| less(version, &end))
}

/// `<V` excludes pre-releases of V unless V is one itself: it is below the first of them.
fn less(version: &Version, bound: &Version) -> bool {
    if bound.any_prerelease() {
        version < bound
    } else {
        *version < bound.clone().with_dev(Some(0))
    }
}

/// `>V` excludes local versions of V and, unless V is a post- or development release, every
/// post-release of V.
fn greater(version: &Version, bound: &Version) -> bool {
    if bound.is_post() || bound.is_dev() {
        return public(version) > *bound;
    }
    let of_bound = same_release(version, bound) && version.pre() == bound.pre();
    version > bound && !of_bound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(specifier: &str, dialect: Dialect, admitted: &[&str], refused: &[&str]) {
        let clauses = parse(specifier, dialect).unwrap();
        for version in admitted {
            assert!(admits(&clauses, &version.parse().unwrap()), "{specifier} refuses {version}");
        }
        for version in refused {
            assert!(!admits(&clauses, &version.parse().unwrap()), "{specifier} admits {version}");
        }
    }

    #[test]
    fn pep_440() {
        use Dialect::Pep440;
        check("", Pep440, &["1.0", "2.0rc1"], &[]);
        check(" >= 2.3.0 , <3 ", Pep440, &["2.3", "2.9", "2.4rc1"], &["3.0", "3.0rc1", "2.3.0rc1"]);
        check("==2.3.1.*", Pep440, &["2.3.1", "2.3.1.4", "2.3.1rc1"], &["2.3", "2.3.10"]);
        check("==2.3.*", Pep440, &["2.3", "2.3.4.post1"], &["1!2.3", "2.4"]);
        check("~=2.3", Pep440, &["2.3", "2.9"], &["2.2", "3.0"]);
        check("~=2.3.1", Pep440, &["2.3.1", "2.3.9"], &["2.3", "2.4"]);
        check("<3.1rc2", Pep440, &["3.1rc1", "3.0"], &["3.1"]);
        check(">3.1", Pep440, &["3.1.1", "3.2.post1"], &["3.1.post1", "3.1", "3.1+abc"]);
        check("==1.0", Pep440, &["1", "1.0.0+abc"], &["1.0.post1"]);
        check("===1.0", Pep440, &["1.0"], &["1.0.0"]);
        check("!=1.0,!=1.1.*", Pep440, &["1.2"], &["1.0.0", "1.1.5"]);
        check(">=1.0,", Pep440, &["1.2"], &["0.1"]);
    }

    #[test]
    fn poetry() {
        use Dialect::Poetry;
        check("^2.3", Poetry, &["2.3.0", "2.9"], &["2.2", "3.0"]);
        check("^0.3.1", Poetry, &["0.3.5"], &["0.4.0", "0.3.0"]);
        check("^0.0.3", Poetry, &["0.0.3"], &["0.0.4"]);
        check("^0", Poetry, &["0.9"], &["1.0"]);
        check("^0.0", Poetry, &["0.0.9"], &["0.1"]);
        check("~2.3.1", Poetry, &["2.3.9"], &["2.4"]);
        check("~2", Poetry, &["2.9"], &["3.0"]);
        check("*", Poetry, &["0.1"], &[]);
        check("2.3.*", Poetry, &["2.3.9"], &["2.4"]);
        check("2.3.0", Poetry, &["2.3"], &["2.3.1"]);
        check(">=2.3 <3", Poetry, &["2.5"], &["3.0"]);
    }

    #[test]
    fn what_is_no_specifier() {
        for text in [
            "2.3",
            "^2.3",
            ">=1.0 <2.0",
            "~=2",
            ">=",
            "==1.0a1.*",
            ">=abc",
            "=1.0",
            ">=1.0+abc",
            "é",
        ] {
            assert!(
                matches!(parse(text, Dialect::Pep440), Err(Unreadable::NotAClause(_))),
                "{text:?}"
            );
        }
        assert_eq!(
            parse(" == {version}", Dialect::Pep440),
            Err(Unreadable::Template("== {version}".to_owned()))
        );
        assert_eq!(parse("^1 || ^2", Dialect::Poetry), Err(Unreadable::Union));
    }

    #[test]
    fn spans_are_the_bytes_of_the_text() {
        let text = " >= v2.3 , ==1.0.* ";
        let clauses = parse(text, Dialect::Pep440).unwrap();
        assert_eq!(&text[clauses[0].span.clone()], ">= v2.3");
        assert_eq!(&text[clauses[0].version_span.clone()], "2.3");
        assert_eq!(&text[clauses[1].span.clone()], "==1.0.*");
        assert_eq!(&text[clauses[1].version_span.clone()], "1.0");
    }
}
