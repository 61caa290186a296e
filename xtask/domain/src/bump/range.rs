//! How the range on a distribution follows that distribution from OLD to NEW.
//!
//! Takes the specifier text as written and returns the smallest replacements in it: spacing, order,
//! precision and spelling stay. Must not know where the text is.

use std::fmt;

use formats::pep440::specifier::{self, Clause, Dialect, Op, Unreadable};
use formats::pep440::{Version, next_incompatible, next_release};
use formats::splice::{self, Splice};

use crate::policy::RangePolicy;

/// The outcome for one range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeOutcome {
    /// In the order of the text, not overlapping.
    pub replacements: Vec<Splice>,
    /// The range excluded the old version already, and differs from what it should be.
    pub stale: bool,
}

/// Why a range cannot follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeRefusal {
    Unreadable(Unreadable),
    /// A clause that is never moved excludes the new version; its text.
    Excludes {
        clause: String,
        version: String,
    },
    /// A number would leave 64 bits.
    TooLarge(String),
}

impl fmt::Display for RangeRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeRefusal::Unreadable(unreadable) => unreadable.fmt(out),
            RangeRefusal::Excludes { clause, version } => {
                write!(out, "`{clause}` excludes {version}")
            }
            RangeRefusal::TooLarge(clause) => {
                write!(out, "a number in `{clause}` is too large to increment")
            }
        }
    }
}

/// The replacements that make `text` follow a distribution from `old` to `new`.
///
/// `old` is `None` where nothing says what came before (a version from tags, and no tag yet).
/// Errors: [`RangeRefusal`] where no rule makes the range admit `new`. Doing it again with `new` for
/// `old` replaces nothing.
pub fn follow(
    text: &str,
    dialect: Dialect,
    old: Option<&Version>,
    new: &Version,
    ranges: RangePolicy,
) -> Result<RangeOutcome, RangeRefusal> {
    let clauses = specifier::parse(text, dialect).map_err(RangeRefusal::Unreadable)?;
    let admits_new = specifier::admits(&clauses, new);
    let admitted_old = old.is_some_and(|old| specifier::admits(&clauses, old));
    let excluded_old = old.is_some() && !admitted_old;
    if ranges == RangePolicy::Fit && (admits_new || excluded_old) {
        return Ok(RangeOutcome { replacements: Vec::new(), stale: !admits_new });
    }
    // A floor above the new version is that of another line of releases: nothing lowers it.
    if !admitted_old && clauses.iter().any(|clause| is_floor(clause.op) && clause.version > *new) {
        return Ok(RangeOutcome { replacements: Vec::new(), stale: true });
    }
    let mut replacements = Vec::new();
    for clause in &clauses {
        if ranges == RangePolicy::Fit && clause.admits(new) {
            continue;
        }
        if let Some(replacement) = moved(text, clause, new)? {
            replacements.push(replacement);
        }
    }
    let result = splice::apply(text, &replacements);
    let after = specifier::parse(&result, dialect).map_err(RangeRefusal::Unreadable)?;
    if let Some(clause) = after.iter().find(|clause| !clause.admits(new)) {
        let clause = result[clause.span.clone()].to_owned();
        return Err(RangeRefusal::Excludes { clause, version: new.to_string() });
    }
    let stale = excluded_old && !replacements.is_empty();
    Ok(RangeOutcome { replacements, stale })
}

/// The replacement for one clause, or `None` where it stays.
fn moved(text: &str, clause: &Clause, new: &Version) -> Result<Option<Splice>, RangeRefusal> {
    let written = || text[clause.span.clone()].to_owned();
    let segments = clause.version.release().len();
    let version = match clause.op {
        Op::NotEqual | Op::NotEqualPrefix | Op::Any => return Ok(None),
        // A version that no index takes tells nothing about the precision of one that it does.
        Op::Equal if clause.version.is_local() => new.clone(),
        Op::Equal | Op::GreaterEqual => at_least(new, segments),
        Op::Greater => return Ok(Some(inclusive(text, clause, new))),
        Op::Less | Op::LessEqual if clause.admits(new) => return Ok(None),
        Op::Less => {
            next_cap(&clause.version, new).ok_or_else(|| RangeRefusal::TooLarge(written()))?
        }
        Op::LessEqual => nines(&clause.version, new).unwrap_or_else(|| at_least(new, segments)),
        Op::EqualPrefix => exactly(new, segments),
        Op::Compatible => floor(new, segments),
        Op::Arbitrary => new.clone(),
        Op::Caret if all_zero(&clause.version) && clause.admits(new) => return Ok(None),
        Op::Caret => at_least(new, segments),
        Op::Tilde if segments == 1 => floor(new, 1),
        Op::Tilde => at_least(new, segments),
    };
    let same = match clause.op {
        Op::Arbitrary => text[clause.version_span.clone()] == version.to_string(),
        _ => version == clause.version,
    };
    let replacement = match clause.op {
        Op::Less => release_alone(text, clause, &version),
        _ => {
            let span = clause.version_span.clone();
            Splice { text: version.padded_like(&text[span.clone()]), span }
        }
    };
    Ok((!same).then_some(replacement))
}

/// Whether a clause excludes what is below its version.
fn is_floor(op: Op) -> bool {
    match op {
        Op::Equal | Op::EqualPrefix | Op::GreaterEqual | Op::Greater | Op::Compatible => true,
        Op::Caret | Op::Tilde | Op::Arbitrary => true,
        Op::NotEqual | Op::NotEqualPrefix | Op::Less | Op::LessEqual | Op::Any => false,
    }
}

/// A cap such as `2.0.0dev` keeps the spelling of its suffix: only the release is replaced.
fn release_alone(text: &str, clause: &Clause, version: &Version) -> Splice {
    let span = clause.version_span.clone();
    let written = &text[span.clone()];
    let end = written.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '!');
    let end = written[..end.unwrap_or(written.len())].trim_end_matches('.').len();
    let release = exactly(version, version.release().len());
    Splice { span: span.start..span.start + end, text: release.to_string() }
}

/// `>V` cannot follow as it is (`>NEW` excludes NEW), so the bound becomes an inclusive one.
fn inclusive(text: &str, clause: &Clause, new: &Version) -> Splice {
    let written = &text[clause.span.start + 1..clause.version_span.start];
    let version = at_least(new, clause.version.release().len());
    Splice {
        span: clause.span.start..clause.version_span.end,
        text: format!(">={written}{version}"),
    }
}

fn all_zero(version: &Version) -> bool {
    version.release().iter().all(|segment| *segment == 0)
}

/// `version` in `segments` release segments, or in as many more as it takes to lose nothing. A fourth
/// one is not kept for a version without it.
fn at_least(version: &Version, segments: usize) -> Version {
    let segments = segments.min(version.release().len().max(3));
    let significant = version.release().iter().rposition(|s| *s != 0).map_or(1, |last| last + 1);
    version.clone().with_segments(segments.max(significant))
}

/// The first `segments` release segments of `version`, and nothing after them.
fn exactly(version: &Version, segments: usize) -> Version {
    let release = (0..segments).map(|index| version.segment(index));
    Version::new(release).with_epoch(version.epoch())
}

/// The highest version of exactly `segments` segments that is not above `version`.
fn floor(version: &Version, segments: usize) -> Version {
    let lossless = version.clone().with_segments(segments);
    if lossless == *version { lossless } else { exactly(version, segments) }
}

/// The upper bound that admits `new` at the level of `cap`; a suffix such as `.dev0` is kept.
///
/// A cap with one segment that is not zero (`3.0.0`, `0.4`) is what Cargo's rule gives for the
/// releases below it, so it moves to what that rule gives for `new`. Any other is the next release
/// at its last segment that is not zero (`2.4` is a next-minor cap).
fn next_cap(cap: &Version, new: &Version) -> Option<Version> {
    if let Some(nines) = nines(cap, new) {
        return Some(nines);
    }
    let non_zero = cap.release().iter().filter(|segment| **segment != 0).count();
    let next = match cap.release().iter().rposition(|segment| *segment != 0) {
        Some(last) if non_zero > 1 => next_release(new, last)?,
        _ => next_incompatible(&new.clone().with_segments(3))?,
    };
    let segments = cap.release().len().max(next.release().len());
    let release = (0..segments).map(|index| next.segment(index));
    Some(cap.clone().with_epoch(new.epoch()).with_release(release))
}

/// `2.99` and `2.99.99` mean "all of 2": the nines stay and the segments before them follow.
fn nines(cap: &Version, new: &Version) -> Option<Version> {
    let kept = cap.release().iter().rev().take_while(|segment| is_nines(**segment)).count();
    let head = cap.release().len() - kept;
    if kept == 0 || head == 0 {
        return None;
    }
    let release = (0..cap.release().len())
        .map(|index| if index < head { new.segment(index) } else { cap.segment(index) });
    let moved = cap.clone().with_epoch(new.epoch()).with_release(release);
    (moved > *new).then_some(moved)
}

fn is_nines(segment: u64) -> bool {
    segment >= 99 && segment.to_string().bytes().all(|digit| digit == b'9')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row is `range -> expected`, with ` stale` after it where that is to be reported.
    #[track_caller]
    fn table(dialect: Dialect, ranges: RangePolicy, old: &str, new: &str, rows: &[(&str, &str)]) {
        let old = old.parse().unwrap();
        let new = new.parse().unwrap();
        for (text, expected) in rows {
            let got = match follow(text, dialect, Some(&old), &new, ranges) {
                Ok(outcome) => {
                    let result = splice::apply(text, &outcome.replacements);
                    let again = follow(&result, dialect, Some(&new), &new, ranges);
                    assert_eq!(
                        again,
                        Ok(RangeOutcome {
                            replacements: vec![],
                            stale: outcome.stale && (ranges == RangePolicy::Fit || result == *text)
                        })
                    );
                    if outcome.stale { format!("{result} stale") } else { result }
                }
                Err(refusal) => format!("refused: {refusal}"),
            };
            assert_eq!(got, *expected, "{text} from {old} to {new}");
        }
    }

    #[track_caller]
    fn align(old: &str, new: &str, rows: &[(&str, &str)]) {
        table(Dialect::Pep440, RangePolicy::Align, old, new, rows);
    }

    #[track_caller]
    fn poetry(old: &str, new: &str, rows: &[(&str, &str)]) {
        table(Dialect::Poetry, RangePolicy::Align, old, new, rows);
    }

    #[test]
    fn minor() {
        align(
            "2.3.0",
            "2.4.0",
            &[
                ("", ""),
                (">=2.3.0,<3.0.0", ">=2.4.0,<3.0.0"),
                ("<3.0.0,>=2.3.0", "<3.0.0,>=2.4.0"),
                (" >= 2.3 , < 3 ", " >= 2.4 , < 3 "),
                (">=2", ">=2.4"),
                ("==2.3.0", "==2.4.0"),
                ("== 2.3", "== 2.4"),
                ("==2.3.*", "==2.4.*"),
                ("==2.*", "==2.*"),
                ("~=2.3", "~=2.4"),
                ("~=2.3.0", "~=2.4.0"),
                ("~=2.3.0.0", "~=2.4.0.0"),
                (">2.2", ">=2.4"),
                ("> 2.2.0", ">= 2.4.0"),
                ("<3", "<3"),
                ("<2.4", "<2.5"),
                ("<2.4.0.dev0", "<2.5.0.dev0"),
                ("<=2.3.0", "<=2.4.0"),
                ("<=2.99", "<=2.99"),
                ("!=2.3.1,>=2.3", "!=2.3.1,>=2.4"),
                ("!=2.4.0", "refused: `!=2.4.0` excludes 2.4.0"),
                ("===2.3.0", "===2.4.0"),
                (">=v2.3.0", ">=v2.4.0"),
                (">=2.4", ">=2.4"),
                (">=1.0,<2.0", ">=2.4,<3.0 stale"),
                ("==2.2.0", "==2.4.0 stale"),
                (">=2.3.0,", ">=2.4.0,"),
                (
                    "== {version}",
                    "refused: `== {version}` is a template that something else fills in",
                ),
                ("abc", "refused: `abc` is not a version specifier (PEP 440)"),
            ],
        );
    }

    #[test]
    fn precision_is_kept_where_it_loses_nothing() {
        align(
            "2.4.0",
            "2.4.1",
            &[
                (">=2.4", ">=2.4.1"),
                (">=2.4.0", ">=2.4.1"),
                ("==2.4", "==2.4.1"),
                ("~=2.4", "~=2.4"),
                ("==2.4.*", "==2.4.*"),
                ("<2.5", "<2.5"),
            ],
        );
        align("2.3.0", "2.4", &[(">=2.3.0", ">=2.4.0"), ("==2.3", "==2.4")]);
    }

    #[test]
    fn major_moves_caps_at_their_level() {
        align(
            "2.3.0",
            "3.0.0",
            &[
                (">=2.3.0,<3.0.0", ">=3.0.0,<4.0.0"),
                (">=2.3,<3", ">=3.0,<4"),
                ("<4", "<4"),
                ("<3.0a0", "<4.0a0"),
                (">= 2.3, < 3.0.0dev", ">= 3.0, < 4.0.0dev"),
                ("<3.0.0.dev0", "<4.0.0.dev0"),
                ("<3.0.0-alpha.1", "<4.0.0-alpha.1"),
                ("<2.4,>=2.3", "<3.1,>=3.0"),
                ("<2.3.1", "<3.0.1"),
                ("<=2.99.99", "<=3.99.99"),
                ("<2.99", "<3.99"),
                ("<=2.9", "<=3.0"),
                ("~=2.3", "~=3.0"),
            ],
        );
    }

    #[test]
    fn below_one_cargo_decides() {
        align(
            "0.3.1",
            "0.4.0",
            &[
                (">=0.3.1,<0.4", ">=0.4.0,<0.5"),
                (">=0.3,<0.4.0", ">=0.4,<0.5.0"),
                (">=0.3,<1", ">=0.4,<1"),
                ("<0.3.2", "<0.4.1"),
            ],
        );
        align("0.9.0", "1.0.0", &[("<0.10", "<2.0"), ("<1", "<2"), ("<1.0.0", "<2.0.0")]);
        align("0.0.3", "0.0.4", &[(">=0.0.3,<0.0.4", ">=0.0.4,<0.0.5")]);
        align("0.0.3", "0.1.0", &[("<0.0.4", "<0.2.0")]);
    }

    #[test]
    fn epochs_and_suffixes() {
        align("1!0+dev", "1.9.0", &[("==1!0+dev", "==1.9.0")]);
        align("2024.1", "1!1.0", &[(">=2024.1,<2025", ">=1!1.0,<1!2"), ("==2024.*", "==1!1.*")]);
        align(
            "1.0",
            "1.0.post1",
            &[
                (">=1.0", ">=1.0.post1"),
                ("==1.0", "==1.0.post1"),
                ("~=1.0", "~=1.0.post1"),
                (">1.0", ">=1.0.post1 stale"),
            ],
        );
    }

    #[test]
    fn a_pre_release_is_the_floor_and_its_final_moves_on() {
        align(
            "2.3.0",
            "2.4.0rc1",
            &[
                (">=2.3.0,<3", ">=2.4.0rc1,<3"),
                (">=2.3", ">=2.4rc1"),
                ("~=2.3", "~=2.4rc1"),
                ("==2.3.*", "==2.4.*"),
                (">=2.3,<2.4", ">=2.4rc1,<2.5"),
            ],
        );
        align(
            "2.4.0rc1",
            "2.4.0",
            &[
                (">=2.4.0rc1,<3", ">=2.4.0,<3"),
                (">=2.4rc1", ">=2.4"),
                ("~=2.4.0rc1", "~=2.4.0"),
                ("==2.4.0-rc.1", "==2.4.0"),
            ],
        );
        align("2.3.0", "3.0.0rc1", &[(">=2.3.0,<3.0.0", ">=3.0.0rc1,<4.0.0")]);
        align("2.4.0", "2.4.1rc1", &[("~=2.4", "~=2.4"), ("~=2.4.0", "~=2.4.1rc1")]);
        align("2.4.0", "3.0.1rc1", &[("~=2.4", "~=3.0")]);
    }

    #[test]
    fn zeros_in_front_of_a_number_stay() {
        align(
            "26.8.0",
            "26.12.0",
            &[
                ("==26.08.00", "==26.12.00"),
                (">=26.08.00,<27", ">=26.12.00,<27"),
                ("==26.08.*", "==26.12.*"),
            ],
        );
        align("2026.10.0", "2027.1.0", &[("==2026.10.00", "==2027.1.00")]);
        align("2026.7.0", "2026.8.0rc1", &[(">= 2026.07", ">= 2026.08rc1")]);
    }

    /// Such as one on a sibling that gets a fresh count of versions, or whose tags are not known.
    #[test]
    fn a_floor_is_never_lowered() {
        align(
            "0.0.26",
            "0.1.0",
            &[
                (">= 0.9.0", ">= 0.9.0 stale"),
                ("~=0.9,!=0.9.1", "~=0.9,!=0.9.1 stale"),
                ("<0.0.20", "<0.2.0 stale"),
            ],
        );
        let unknown =
            follow(">=0.9.4", Dialect::Pep440, None, &Version::new([0, 1]), RangePolicy::Align);
        assert_eq!(unknown, Ok(RangeOutcome { replacements: Vec::new(), stale: true }));
        align("0.7.5", "0.8.0", &[(">=0.4.9.2,<0.9", ">=0.8.0,<0.9")]);
    }

    #[test]
    fn fit_touches_only_what_excludes_the_new_version() {
        let fit = |old, new, rows| table(Dialect::Pep440, RangePolicy::Fit, old, new, rows);
        fit(
            "2.3.0",
            "2.4.0",
            &[
                (">=2.3.0,<3.0.0", ">=2.3.0,<3.0.0"),
                ("==2.3.0", "==2.4.0"),
                ("~=2.3.0", "~=2.4.0"),
                (">=1.0,<2.0", ">=1.0,<2.0 stale"),
                (">=2.4", ">=2.4"),
            ],
        );
        fit("2.3.0", "3.0.0", &[(">=2.3.0,<3.0.0", ">=2.3.0,<4.0.0")]);
        fit(
            "26.10.0",
            "26.12.0",
            &[
                ("==26.10.*,>=26.8.1", "==26.12.*,>=26.8.1"),
                (">=0.0.0a0,<=26.10.0", ">=0.0.0a0,<=26.12.0"),
                ("==26.10.*,!=26.11.0", "==26.12.*,!=26.11.0"),
            ],
        );
    }

    #[test]
    fn poetry_dialect() {
        poetry(
            "2.3.0",
            "2.4.0",
            &[
                ("^2.3", "^2.4"),
                ("^2.3.0", "^2.4.0"),
                ("^2", "^2.4"),
                ("~2.3", "~2.4"),
                ("~2", "~2"),
                ("*", "*"),
                ("2.3.*", "2.4.*"),
                ("2.3.0", "2.4.0"),
                (">=2.3 <3", ">=2.4 <3"),
                ("^1.0 || ^2.0", "refused: alternatives (`||`) have no single bound to move"),
            ],
        );
        poetry("2.3.0", "3.0.0", &[("^2.3", "^3.0"), ("~2.3.1", "~3.0.0 stale"), ("~2", "~3")]);
        poetry("0.3.0", "0.4.0", &[("^0.3", "^0.4"), ("^0", "^0")]);
        poetry("2.4.0", "2.4.1", &[("^2.4", "^2.4.1"), ("~2.4", "~2.4.1")]);
    }
}
