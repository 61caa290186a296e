//! Version specifiers read with byte spans (PEP 440 "Version specifiers", and Poetry's dialect),
//! and whether they admit a version.
//!
//! Pre-releases are admitted wherever their order admits them, as installers do once one is asked
//! for by version. Must not know what a range is rewritten to.

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
    /// Filled in by something else, such as `== {version}`.
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
                write!(out, "`{text}` is no version specifier (PEP 440)")
            }
        }
    }
}

/// Longest first, so that the first that fits is the right one.
const OPERATORS: [(&str, Op, bool); 12] = [
    ("===", Op::Arbitrary, false),
    ("==", Op::Equal, false),
    ("~=", Op::Compatible, false),
    ("!=", Op::NotEqual, false),
    ("<>", Op::NotEqual, true),
    ("<=", Op::LessEqual, false),
    (">=", Op::GreaterEqual, false),
    ("<", Op::Less, false),
    (">", Op::Greater, false),
    ("^", Op::Caret, true),
    ("~", Op::Tilde, true),
    ("=", Op::Equal, true),
];

/// Reads a specifier set. An empty text is an empty set, which admits everything.
pub fn parse(text: &str, dialect: Dialect) -> Result<Vec<Clause>, Unreadable> {
    let poetry = dialect == Dialect::Poetry;
    if text.contains(['{', '}', '$', '%', '@']) {
        return Err(Unreadable::Template(text.trim().to_owned()));
    }
    if poetry && text.contains('|') {
        return Err(Unreadable::Union);
    }
    let mut clauses = Vec::new();
    let mut at = 0;
    let mut separated = true;
    while let Some(next) = skip(text, at, char::is_whitespace) {
        if text[next..].starts_with(',') {
            at = next + 1;
            separated = true;
        } else if separated || poetry {
            let clause = clause(text, next, poetry)?;
            at = clause.end;
            clauses.push(clause.clause);
            separated = false;
        } else {
            return Err(Unreadable::NotAClause(text.trim().to_owned()));
        }
    }
    Ok(clauses)
}

/// The first byte from `at` on whose character is not `skipped`.
fn skip(text: &str, at: usize, skipped: impl Fn(char) -> bool) -> Option<usize> {
    text[at..].find(|c| !skipped(c)).map(|offset| at + offset)
}

struct Scanned {
    clause: Clause,
    end: usize,
}

fn clause(text: &str, start: usize, poetry: bool) -> Result<Scanned, Unreadable> {
    let rest = &text[start..];
    let found = OPERATORS
        .iter()
        .find(|(written, _, theirs)| rest.starts_with(written) && (poetry || !theirs));
    let (op, op_len) = match found {
        Some((written, op, _)) => (*op, written.len()),
        None if poetry => (Op::Equal, 0),
        None => return Err(Unreadable::NotAClause(rest.trim_end().to_owned())),
    };
    let from = skip(text, start + op_len, char::is_whitespace).unwrap_or(text.len());
    let end = text[from..]
        .find(|c: char| c == ',' || c.is_whitespace())
        .map_or(text.len(), |offset| from + offset);
    let unreadable = || Unreadable::NotAClause(text[start..end].to_owned());
    let token = &text[from..end];
    if poetry && op_len == 0 && token == "*" {
        let version = Version::new([0]);
        let clause =
            Clause { op: Op::Any, version, span: from..end, version_span: from..end, exact: None };
        return Ok(Scanned { clause, end });
    }
    let (op, number) = match (op, token.strip_suffix(".*")) {
        (Op::Equal, Some(number)) => (Op::EqualPrefix, number),
        (Op::NotEqual, Some(number)) => (Op::NotEqualPrefix, number),
        _ => (op, token),
    };
    let bare = match op {
        Op::Arbitrary => number,
        _ => number.strip_prefix(['v', 'V']).unwrap_or(number),
    };
    let exact = (op == Op::Arbitrary && !bare.is_empty()).then(|| bare.to_owned());
    let version: Version = match (bare.parse(), &exact) {
        (Ok(version), _) => version,
        (Err(_), Some(_)) => Version::new([0]),
        (Err(_), None) => return Err(unreadable()),
    };
    let suffixed = version.any_prerelease() || version.is_post() || version.is_local();
    let prefix = matches!(op, Op::EqualPrefix | Op::NotEqualPrefix);
    let local = version.is_local() && !matches!(op, Op::Equal | Op::NotEqual | Op::Arbitrary);
    let coarse = op == Op::Compatible && version.release().len() < 2;
    if (prefix && suffixed) || local || coarse {
        return Err(unreadable());
    }
    let version_from = from + (number.len() - bare.len());
    let version_span = version_from..version_from + bare.len();
    Ok(Scanned { clause: Clause { op, version, span: start..end, version_span, exact }, end })
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
    match bound.any_prerelease() {
        true => version < bound,
        false => *version < bound.clone().with_dev(Some(0)),
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
