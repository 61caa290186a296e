//! The next version that is incompatible with another one. PEP 440 does not say which that is, so
//! it is Cargo's rule: the leftmost segment that is not zero counts on.

use crate::pep440::version::Version;

/// The first version that Cargo's caret requirement on `version` refuses: `2.3.1` leads to `3`,
/// `0.3.1` to `0.4`, and `0.0.3` to `0.0.4`. A segment that is not written decides nothing: `0.0`
/// leads to `0.1`. The epoch stays. `None` where a number would leave 64 bits.
pub fn next_incompatible(version: &Version) -> Option<Version> {
    let now = semver::Version::new(version.segment(0), version.segment(1), version.segment(2));
    let written = version.release().len();
    let caret = semver::Comparator {
        op: semver::Op::Caret,
        major: now.major,
        minor: (written > 1).then_some(now.minor),
        patch: (written > 2).then_some(now.patch),
        pre: semver::Prerelease::EMPTY,
    };
    let patch = semver::Version::new(now.major, now.minor, now.patch.saturating_add(1));
    let minor = semver::Version::new(now.major, now.minor.saturating_add(1), 0);
    let level = if !caret.matches(&patch) {
        2
    } else if !caret.matches(&minor) {
        1
    } else {
        0
    };
    next_release(version, level)
}

/// The next release at the segment `level`: `2.3.1` at 0 leads to `3`, at 1 to `2.4`. The epoch
/// stays. `None` where the number would leave 64 bits.
pub fn next_release(version: &Version, level: usize) -> Option<Version> {
    let next = version.segment(level).checked_add(1)?;
    let before = (0..level).map(|index| version.segment(index));
    Some(Version::new(before.chain([next])).with_epoch(version.epoch()))
}

/// The range of what is compatible with a version: `>=1!2.3.0,<1!3.0.0`.
pub fn compatible_range(version: &Version) -> String {
    match next_incompatible(&version.clone().with_segments(3)) {
        Some(next) => format!(">={version},<{}", next.with_segments(3)),
        None => format!(">={version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pep440::specifier::{self, Dialect};

    #[track_caller]
    fn next(version: &str, expected: &str) {
        let next = next_incompatible(&version.parse().unwrap());
        assert_eq!(next.map(|next| next.to_string()).as_deref(), Some(expected));
    }

    #[test]
    fn the_leftmost_segment_that_is_not_zero_counts_on() {
        next("2.3.1", "3");
        next("0.3.1", "0.4");
        next("0.0.3", "0.0.4");
        next("0.0.0.5", "0.0.1");
        next("0", "1");
        next("0.0", "0.1");
        next("2.3rc1", "3");
        next("1!0.9", "1!0.10");
        assert_eq!(next_incompatible(&Version::new([u64::MAX])), None);
    }

    #[test]
    fn a_compatible_range_admits_its_version() {
        for (version, expected) in [
            ("2.3.0", ">=2.3.0,<3.0.0"),
            ("0.0.3", ">=0.0.3,<0.0.4"),
            ("0.5", ">=0.5,<0.6.0"),
            ("1!2.3.0", ">=1!2.3.0,<1!3.0.0"),
            ("2.0.0rc1", ">=2.0.0rc1,<3.0.0"),
            ("2024.1", ">=2024.1,<2025.0.0"),
            ("18446744073709551615", ">=18446744073709551615"),
        ] {
            let version = version.parse().unwrap();
            let range = compatible_range(&version);
            assert_eq!(range, expected);
            let clauses = specifier::parse(&range, Dialect::Pep440).unwrap();
            assert!(specifier::admits(&clauses, &version), "{range} refuses {version}");
        }
    }
}
