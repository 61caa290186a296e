//! Whether a release and the siblings that are published fit together, in both directions.

use formats::pep440::{Version, next_incompatible, next_release};
use formats::requirement::admits;

use crate::finding::{Finding, Rule, Severity};

/// A name that is used and not offered, or a call that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The file in the wheel of the user, and the line in it.
    pub file: String,
    pub line: u64,
    pub name: String,
    /// The rest of a sentence about the name.
    pub why: String,
}

impl Miss {
    fn shown(&self) -> String {
        format!("`{}` {} ({}:{})", self.name, self.why, self.file, self.line)
    }
}

/// A distribution and the version of a sibling that it admits.
pub struct Neighbour<'a> {
    pub user: &'a str,
    pub version: &'a Version,
    pub sibling: &'a str,
    pub sibling_version: &'a Version,
    /// The specifiers with which it requires the sibling.
    pub range: &'a str,
}

impl Neighbour<'_> {
    /// The rest of a sentence about the user.
    fn admits(&self) -> String {
        let Neighbour { sibling, sibling_version, range, .. } = self;
        let range = if range.is_empty() { "any version" } else { range };
        format!("admits `{sibling}` {sibling_version} (`{range}`)")
    }
}

/// The findings about two versions that are installed together: names that are missing, and
/// the end of a smoke test that failed.
fn faults(misses: &[Miss], failed: Option<&str>) -> String {
    let shown: Vec<String> = misses.iter().map(Miss::shown).collect();
    let names = match shown.as_slice() {
        [] => String::new(),
        [only] => format!(": {only}"),
        many => {
            let first: String = many.iter().take(5).map(|miss| format!("\n    {miss}")).collect();
            let more = many.len().saturating_sub(5);
            if more == 0 { format!(":{first}") } else { format!(":{first}\n    and {more} more") }
        }
    };
    let smoke = failed.map(|failed| format!("\n    its smoke test: {failed}")).unwrap_or_default();
    names + &smoke
}

/// A published sibling that is installed together with what is released now.
pub fn published_dependent(
    neighbour: &Neighbour,
    misses: &[Miss],
    failed: Option<&str>,
    severity: Severity,
) -> Finding {
    let Neighbour { user, version, sibling, sibling_version, .. } = neighbour;
    if misses.is_empty() && failed.is_none() {
        let text = format!("published `{user}` {version} works with it");
        return Finding::note(Rule::Neighbours, text);
    }
    let text = format!(
        "published `{user}` {version} {}, and breaks with it{}",
        neighbour.admits(),
        faults(misses, failed)
    );
    // Who does not ask for a pre-release does not get it.
    let severity =
        if sibling_version.any_prerelease() { severity.max(Severity::Warning) } else { severity };
    let hint = match excluded_by(neighbour) {
        Some(next) => format!(
            "keep what `{user}` uses, or run `cargo xtask bump {sibling} {next}`, which its range excludes"
        ),
        None => format!(
            "keep what `{user}` uses in `{sibling}`; `neighbours = \"warn\"` in [workspace.metadata.xtask] of Cargo.toml releases it all the same"
        ),
    };
    Finding { severity, ..Finding::new(Rule::Neighbours, text) }.hint(hint)
}

/// The next version of the sibling that the range excludes.
fn excluded_by(neighbour: &Neighbour) -> Option<Version> {
    let now = neighbour.sibling_version.clone().with_segments(3);
    let next = [next_incompatible(&now), next_release(&now, 0)].into_iter().flatten();
    let mut next = next.map(|next| next.with_segments(3));
    next.find(|next| admits(neighbour.range, next) == Some(false))
}

/// The oldest version of a sibling that something to be released admits. `works_from` is the first
/// published version that has everything that is used.
pub fn oldest(
    neighbour: &Neighbour,
    misses: &[Miss],
    failed: Option<&str>,
    severity: Severity,
    works_from: Option<&Version>,
) -> Finding {
    let Neighbour { sibling, sibling_version, range, .. } = neighbour;
    if misses.is_empty() && failed.is_none() {
        let text = format!("works with `{sibling}` {sibling_version}, the oldest that it admits");
        return Finding::note(Rule::OldestSibling, text);
    }
    let text =
        format!("{}, which it does not work with{}", neighbour.admits(), faults(misses, failed));
    // A range without a lower bound promises nothing.
    let severity =
        if lower_bound(range).is_some() { severity } else { severity.max(Severity::Warning) };
    let hint = match works_from {
        Some(version) => format!("require `{sibling}>={version}`"),
        None => format!("raise the lower bound on `{sibling}`, or release `{sibling}` with it"),
    };
    Finding { severity, ..Finding::new(Rule::OldestSibling, text) }.hint(hint)
}

/// A sibling that is not released, and of which something to be released uses what is not published.
pub fn unreleased(neighbour: &Neighbour, misses: &[Miss], severity: Severity) -> Finding {
    let Neighbour { sibling, sibling_version, .. } = neighbour;
    let text = format!(
        "uses what `{sibling}` {sibling_version}, the newest that is published, does not have{}",
        faults(misses, None)
    );
    let hint = format!("release `{sibling}` with it, after `cargo xtask bump {sibling}`");
    Finding { severity, ..Finding::new(Rule::Neighbours, text) }.hint(hint)
}

/// The clause of a range that bounds it from below.
fn lower_bound(range: &str) -> Option<&str> {
    let mut clauses = range.split(',').map(str::trim);
    clauses.find(|clause| clause.starts_with(['>', '=', '~']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn miss() -> Miss {
        Miss { file: "api/x.py".into(), line: 3, name: "core.old".into(), why: "is missing".into() }
    }

    #[track_caller]
    fn dependent(range: &str, new: &str, misses: &[Miss], failed: Option<&str>) -> Finding {
        let neighbour = Neighbour {
            user: "api",
            version: &"1.0".parse().unwrap(),
            sibling: "core",
            sibling_version: &new.parse().unwrap(),
            range,
        };
        published_dependent(&neighbour, misses, failed, Severity::Error)
    }

    #[test]
    fn a_dependent_that_breaks_is_named_with_the_way_out() {
        let found = dependent(">=0.1,<1", "0.1.1", &[miss()], None);
        assert_eq!(
            found.message,
            "published `api` 1.0 admits `core` 0.1.1 (`>=0.1,<1`), and breaks with it: `core.old` is missing (api/x.py:3)"
        );
        assert_eq!(
            found.hint.unwrap(),
            "keep what `api` uses, or run `cargo xtask bump core 1.0.0`, which its range excludes"
        );
        let next = |range, new| dependent(range, new, &[miss()], None).hint.unwrap();
        assert!(next("~=0.1.0", "0.1.1").contains("bump core 0.2.0"));
        assert!(next(">=0.1", "0.1.1").contains("neighbours = \"warn\""));
    }

    #[test]
    fn only_what_breaks_stops() {
        let severity =
            |new, misses: &[Miss], failed| dependent(">=0.1", new, misses, failed).severity;
        assert_eq!(severity("0.2", &[], None), Severity::Note);
        assert_eq!(severity("0.2", &[], Some("`import api` failed")), Severity::Error);
        assert_eq!(severity("0.2", &[miss()], None), Severity::Error);
        assert_eq!(severity("0.2rc1", &[miss()], None), Severity::Warning);
    }

    #[test]
    fn a_lower_bound_is_a_promise() {
        let found = |range: &str, works_from: Option<&str>| {
            let neighbour = Neighbour {
                user: "api",
                version: &"1.0".parse().unwrap(),
                sibling: "core",
                sibling_version: &"1.0".parse().unwrap(),
                range,
            };
            let works_from = works_from.map(|version| version.parse().unwrap());
            oldest(&neighbour, &[miss()], None, Severity::Error, works_from.as_ref())
        };
        assert_eq!(found(">=1.0", Some("1.2")).severity, Severity::Error);
        assert_eq!(found(">=1.0", Some("1.2")).hint.unwrap(), "require `core>=1.2`");
        assert_eq!(found("", None).severity, Severity::Warning);
        assert_eq!(found("<2", None).severity, Severity::Warning);
        assert_eq!(lower_bound("<2, ~=1.4"), Some("~=1.4"));
    }
}
