//! Release notes: the section of a changelog about one version.
//!
//! Must not know where a changelog is, nor what the notes are for.

use crate::markdown::{headings, is_link_definition};
use crate::pep440::Version;

/// The section of a changelog about a version, without its heading; `None` where there is none, or
/// an empty one.
pub fn of(changelog: &str, version: &Version) -> Option<String> {
    let headings = headings(changelog);
    let at = headings.iter().position(|heading| heading.names_version(version))?;
    let heading = &headings[at];
    let next = headings[at + 1..].iter().find(|next| next.level <= heading.level);
    let section =
        &changelog[heading.span.end..next.map_or(changelog.len(), |next| next.span.start)];
    // The link definitions at the end of the file belong to no section.
    let lines: Vec<&str> = section.lines().filter(|line| !is_link_definition(line)).collect();
    let text = lines.join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n\
                             - A thing.\n\n```\n## 1.1.0\n```\n\n## v1.1.0\n\n## Version 1.0 (2025-01-01)\n\n- First.\n\n\
                             [1.2.0]: https://host.example/x\n";

    #[track_caller]
    fn notes(version: &str, expected: Option<&str>) {
        assert_eq!(of(CHANGELOG, &version.parse().unwrap()).as_deref(), expected);
    }

    #[test]
    fn one_section() {
        notes("1.2.0", Some("### Added\n\n- A thing.\n\n```\n## 1.1.0\n```"));
        notes("1.1.0", None);
        notes("1.0.0", Some("- First."));
        notes("0.9", None);
    }
}
