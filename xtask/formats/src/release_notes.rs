//! Release notes: the section of a changelog about one version.
//!
//! Must not know where a changelog is, nor what the notes are for.

use crate::changelog::next_section;
use crate::headings::{headings, is_link_definition};
use crate::name::Name;
use crate::pep440::Version;

/// The section about a version in the changelog at `path`, without its heading; `None` where there
/// is none, or an empty one. A section that names the distribution comes before one that does not.
pub fn of(path: &str, changelog: &str, name: &Name, version: &Version) -> Option<String> {
    let headings = headings(path, changelog).all;
    let mut about = (0..headings.len()).filter(|at| headings[*at].names_version(version));
    let own = about.clone().find(|at| headings[*at].is_named(name));
    let at = own.or_else(|| {
        about.find(|at| headings[*at].release.as_ref().is_some_and(|r| r.name.is_none()))
    })?;
    let next = headings.get(next_section(&headings, at));
    let end = next.map_or(changelog.len(), |next| next.span.start);
    let section = &changelog[headings[at].span.end..end];
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
        let name = Name::new("core").unwrap();
        let found = of("CHANGELOG.md", CHANGELOG, &name, &version.parse().unwrap());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn one_section() {
        notes("1.2.0", Some("### Added\n\n- A thing.\n\n```\n## 1.1.0\n```"));
        notes("1.1.0", None);
        notes("1.0.0", Some("- First."));
        notes("0.9", None);
    }
}
