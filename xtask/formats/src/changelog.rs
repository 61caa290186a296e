//! A changelog: its unreleased part becomes a release, in the style that the file has.
//!
//! Returns the smallest edits of the text; everything else stays. Must not know today's date, nor
//! where entries come from.

mod links;
mod model;
mod writer;

use crate::changelog::links::Links;
use crate::changelog::writer::Writer;
use crate::headings::{Headings, headings, is_bullet};
use crate::pep440::Version;

pub(crate) use model::next_section;
pub use model::{ChangelogEntry, ChangelogRelease, ChangelogSection, Unwritten, Written};

/// The edits that make a release of the unreleased part of the changelog at `path`.
///
/// # Errors
/// Nothing can be written, or there is nothing to write.
pub fn release(
    path: &str,
    text: &str,
    release: &ChangelogRelease<'_>,
) -> Result<Written, Unwritten> {
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Headings { all, is_markdown } = headings(path, text);
    let bullet = text.lines().find(|line| is_bullet(line)).map_or("-", |line| &line[..1]);
    let is_named = all.iter().any(|heading| heading.is_named(release.name));
    let links = Links { text, release, eol, headings: &all };
    let writer =
        Writer { text, release, eol, headings: &all, is_markdown, bullet, is_named, links };
    writer.write()
}

/// The releases that the changelog at `path` has headings of, in its order, each with the word in
/// front of the version, such as the name of a distribution.
pub fn releases(path: &str, text: &str) -> Vec<(Option<String>, Version)> {
    let releases = headings(path, text).all.into_iter().filter(|heading| !heading.is_pending());
    releases.filter_map(|heading| heading.release).map(|r| (r.name, r.version)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;
    use crate::splice;

    fn entry(section: ChangelogSection, text: &str) -> ChangelogEntry {
        ChangelogEntry { section, text: text.to_owned() }
    }

    #[track_caller]
    fn check(text: &str, entries: &[ChangelogEntry], expected: Option<&str>) {
        for eol in ["\n", "\r\n"] {
            let text = text.replace('\n', eol);
            let expected = expected.map(|expected| expected.replace('\n', eol));
            let to = "1.3.0".parse().unwrap();
            let wanted = ChangelogRelease {
                name: &Name::new("acme-core").unwrap(),
                abandoned: None,
                to: &to,
                tag: "v1.3.0",
                date: "2026-01-31",
                entries,
            };
            let written = release("CHANGELOG.md", &text, &wanted).ok();
            let result = written.map(|written| splice::apply(&text, &written.edits));
            assert_eq!(result, expected);
        }
    }

    #[test]
    fn unreleased_becomes_the_version() {
        check(
            "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.2.0] - 2025-01-01\n",
            &[],
            Some(
                "# Changelog\n\n## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n### Added\n\n- A thing.\n\n## [1.2.0] - 2025-01-01\n",
            ),
        );
        check("# C\n\n## unreleased", &[], Some("# C\n\n## unreleased\n\n## 1.3.0 - 2026-01-31"));
        check(
            "## Unreleased\n\n## v1.2.0 (2025-01-01)\n",
            &[],
            Some("## Unreleased\n\n## v1.3.0 (2026-01-31)\n\n## v1.2.0 (2025-01-01)\n"),
        );
        check(
            "## Unreleased\n\n## Version 1.2.0\n",
            &[],
            Some("## Unreleased\n\n## Version 1.3.0 - 2026-01-31\n\n## Version 1.2.0\n"),
        );
        check(
            "## 1.3.0 (Unreleased)\n\n- x\n\n## 1.2.0 (2025-01-01)\n",
            &[],
            Some("## 1.3.0 (2026-01-31)\n\n- x\n\n## 1.2.0 (2025-01-01)\n"),
        );
        check("## 1.2.1 (unreleased)\n", &[], Some("## 1.3.0 (2026-01-31)\n"));
    }

    #[test]
    fn entries_join_what_is_there() {
        let entries =
            [entry(ChangelogSection::Added, "B."), entry(ChangelogSection::Changed, "C.")];
        check(
            "## [Unreleased]\n\n### Added\n\n- A.\n\n### Fixed\n\n- F.\n\n## [1.2.0] - 2025-01-01\n",
            &entries,
            Some(
                "## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n### Added\n\n- A.\n- B.\n\n### Fixed\n\n- F.\n\n### Changed\n\n- C.\n\n## [1.2.0] - 2025-01-01\n",
            ),
        );
        check(
            "## [Unreleased]\n\n## [1.2.0] - 2025-01-01\n",
            &entries[1..],
            Some(
                "## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n### Changed\n\n- C.\n\n## [1.2.0] - 2025-01-01\n",
            ),
        );
        check(
            "# Changes\n\n## [1.2.0] - 2025-01-01\n\n- x\n",
            &entries,
            Some(
                "# Changes\n\n## [1.3.0] - 2026-01-31\n\n### Added\n\n- B.\n\n### Changed\n\n- C.\n\n## [1.2.0] - 2025-01-01\n\n- x\n",
            ),
        );
    }

    #[test]
    fn links_at_the_foot_follow() {
        check(
            "## [Unreleased]\n\n- x\n\n[Unreleased]: https://host.example/o/r/compare/core-v1.2.0...HEAD\n[1.2.0]: https://host.example/x\n",
            &[entry(ChangelogSection::Fixed, "F.")],
            Some(
                "## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n- x\n\n### Fixed\n\n- F.\n\n[Unreleased]: https://host.example/o/r/compare/core-v1.3.0...HEAD\n[1.3.0]: https://host.example/o/r/compare/core-v1.2.0...core-v1.3.0\n[1.2.0]: https://host.example/x\n",
            ),
        );
    }

    #[test]
    fn a_link_follows_however_its_tag_spells_the_version() {
        check(
            "## [Unreleased]\n\n[Unreleased]: https://host.example/compare/v1.02...HEAD\n",
            &[entry(ChangelogSection::Fixed, "F.")],
            Some(
                "## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n### Fixed\n\n- F.\n\n[Unreleased]: https://host.example/compare/v1.3.0...HEAD\n[1.3.0]: https://host.example/compare/v1.02...v1.3.0\n",
            ),
        );
    }

    #[test]
    fn definitions_above_the_last_heading_are_no_end() {
        // Found by the fuzz target.
        check(
            "## [Unreleased]\n\n[a]: b\n\n### Other\n",
            &[entry(ChangelogSection::Fixed, "F.")],
            Some(
                "## [Unreleased]\n\n## [1.3.0] - 2026-01-31\n\n[a]: b\n\n### Other\n\n### Fixed\n\n- F.\n",
            ),
        );
    }

    #[test]
    fn a_version_that_has_the_word_in_it_is_a_release() {
        // Found by the fuzz target.
        check(
            "## [1.2.0+2.unreleased]\n\n- x\n",
            &[entry(ChangelogSection::Fixed, "F.")],
            Some(
                "## [1.3.0] - 2026-01-31\n\n### Fixed\n\n- F.\n\n## [1.2.0+2.unreleased]\n\n- x\n",
            ),
        );
    }

    #[test]
    fn what_cannot_be_followed_is_left() {
        check("Free prose.\n", &[entry(ChangelogSection::Fixed, "F.")], None);
        check("## [1.2.0] - 2025-01-01\n", &[], None);
        check("<!-- towncrier -->\n## 1.2.0\n", &[entry(ChangelogSection::Fixed, "F.")], None);
        check("```\n## [Unreleased]\n```\n", &[], None);
        check("## Unreleased features of note\n", &[], None);
        let done = "## [Unreleased]\n\n## [1.3.0] - 2026-01-01\n";
        check(done, &[], Some(done));
    }

    /// What stands above a release and below it, and the heading of the next one. `|` separates
    /// lines. Every file has the entry "Old." in the section of 1.2.0.
    const HEADS: &[(&str, &str, &str)] = &[
        // The file's name, what its top looks like, and the new top.
        ("c.md", "## 1.2.0", "## 1.3.0 - 2026-01-31"),
        ("c.md", "## 1.2.0 - 2025-01-01", "## 1.3.0 - 2026-01-31"),
        ("c.md", "## 1.2.0 (2025-01-01)", "## 1.3.0 (2026-01-31)"),
        ("c.md", "## [1.2.0] - 2025-01-01", "## [1.3.0] - 2026-01-31"),
        ("c.md", "## [1.2.0] — 2025-01-01", "## [1.3.0] — 2026-01-31"),
        ("c.md", "## 1.2.0 – 2025-01-01", "## 1.3.0 – 2026-01-31"),
        ("c.md", "## v1.2.0 (2025-01-01)", "## v1.3.0 (2026-01-31)"),
        ("c.md", "## [v1.2.0] 2025-01-01", "## [v1.3.0] 2026-01-31"),
        ("c.md", "## Version 1.2.0 - 2025-01-01", "## Version 1.3.0 - 2026-01-31"),
        ("c.md", "## Release 1.2.0", "## Release 1.3.0 - 2026-01-31"),
        ("c.md", "## Release v1.2.0 (2025.01.01)", "## Release v1.3.0 (2026.01.31)"),
        ("c.md", "# 1.2.0 / 2025-01-01", "# 1.3.0 / 2026-01-31"),
        ("c.md", "### 1.2.0 - 2025/01/01", "### 1.3.0 - 2026/01/31"),
        ("c.md", "##  1.2.0 ##", "## 1.3.0 - 2026-01-31"),
        ("c.md", "## **1.2.0** (2025-01-01)", "## **1.3.0** (2026-01-31)"),
        ("c.md", "## `1.2.0` - 2025-01-01", "## `1.3.0` - 2026-01-31"),
        ("c.md", "## 📦 1.2.0 (2025-01-01)", "## 📦 1.3.0 (2026-01-31)"),
        ("c.md", "## acme-core 1.2.0 (2025-01-01)", "## acme-core 1.3.0 (2026-01-31)"),
        ("c.md", "## acme_core-v1.2.0 (2025-01-01)", "## acme_core-v1.3.0 (2026-01-31)"),
        ("c.md", "## acme-core@1.2.0", "## acme-core@1.3.0 - 2026-01-31"),
        ("c.md", "## 1.2.0 (January 1, 2025)", "## 1.3.0 (2026-01-31)"),
        ("c.md", "## 1.2.0 January 1, 2025", "## 1.3.0 - 2026-01-31"),
        (
            "c.md",
            "## [1.2.0](https://h.example/tag/v1.2.0) (2025-01-01)",
            "## [1.3.0](https://h.example/tag/v1.3.0) (2026-01-31)",
        ),
        (
            "c.md",
            "## [[1.2.0](https://h.example/tag/v1.2.0)] - 2025-01-01",
            "## [[1.3.0](https://h.example/tag/v1.3.0)] - 2026-01-31",
        ),
        ("c.md", "## [1.2.0] - 2025-01-01 [YANKED]", "## [1.3.0] - 2026-01-31"),
        (
            "c.md",
            "<a id='changelog-1.2.0'></a>|# 1.2.0 — 2025-01-01",
            "<a id='changelog-1.3.0'></a>|# 1.3.0 — 2026-01-31",
        ),
        (
            "c.md",
            "<a name=\"1.2.0\"></a>||## 1.2.0",
            "<a name=\"1.3.0\"></a>||## 1.3.0 - 2026-01-31",
        ),
        ("c.md", "1.2.0 (2025-01-01)|------------------", "1.3.0 (2026-01-31)|------------------"),
        ("c.md", "v1.2.0|======", "v1.3.0 - 2026-01-31|==================="),
        ("c.rst", "1.2.0 (2025-01-01)|------------------", "1.3.0 (2026-01-31)|------------------"),
        (
            "c.rst",
            "Version 1.2.0|-------------",
            "Version 1.3.0 - 2026-01-31|--------------------------",
        ),
        ("c.rst", "1.2.0 - 2025-01-01|~~~~~~~~~~~~~~~~~~", "1.3.0 - 2026-01-31|~~~~~~~~~~~~~~~~~~"),
        ("c.rst", "=====|1.2.0|=====", "==================|1.3.0 - 2026-01-31|=================="),
        (
            "c.rst",
            ".. _changelog-1.2.0:||1.2.0 — 2025-01-01|==================",
            ".. _changelog-1.3.0:||1.3.0 — 2026-01-31|==================",
        ),
        (
            "c.rst",
            "acme-core 1.2.0 (2025-01-01)|############################",
            "acme-core 1.3.0 (2026-01-31)|############################",
        ),
        ("c.txt", "1.2.0 (2025-01-01)|==================", "1.3.0 (2026-01-31)|=================="),
        (
            "CHANGES",
            "1.2.0 (2025-01-01)|++++++++++++++++++",
            "1.3.0 (2026-01-31)|++++++++++++++++++",
        ),
        ("CHANGES", "## 1.2.0", "## 1.3.0 - 2026-01-31"),
        ("c.md", "## 1.3.0 (unreleased)||## 1.2.0", "## 1.3.0 (2026-01-31)||## 1.2.0"),
        (
            "c.md",
            "## 1.2.1 (TBD)||## 1.2.0 (2025-01-01)",
            "## 1.3.0 (2026-01-31)||## 1.2.0 (2025-01-01)",
        ),
        ("c.md", "## 1.3.0 - Not yet released||## 1.2.0", "## 1.3.0 - 2026-01-31||## 1.2.0"),
        ("c.md", "## [1.3.0] - YYYY-MM-DD||## [1.2.0]", "## [1.3.0] - 2026-01-31||## [1.2.0]"),
        (
            "c.md",
            "## 1.3.0.dev0||## 1.2.0 - 2025-01-01",
            "## 1.3.0 - 2026-01-31||## 1.2.0 - 2025-01-01",
        ),
        ("c.md", "## 1.3.0.dev0 (unreleased)||## 1.2.0", "## 1.3.0 (2026-01-31)||## 1.2.0"),
        (
            "c.rst",
            "1.3.0 (unreleased)|==================||1.2.0|=====",
            "1.3.0 (2026-01-31)|==================||1.2.0|=====",
        ),
        ("c.md", "## Unreleased||## 1.2.0", "## Unreleased||## 1.3.0 - 2026-01-31||## 1.2.0"),
        (
            "c.md",
            "## [Unreleased]||## [1.2.0]",
            "## [Unreleased]||## [1.3.0] - 2026-01-31||## [1.2.0]",
        ),
        (
            "c.md",
            "## Upcoming changes||## 1.2.0",
            "## Upcoming changes||## 1.3.0 - 2026-01-31||## 1.2.0",
        ),
        (
            "c.md",
            "## Unreleased (TBD)||## 1.2.0",
            "## Unreleased (TBD)||## 1.3.0 - 2026-01-31||## 1.2.0",
        ),
        (
            "c.md",
            "## [Unreleased](https://h.example/compare/v1.2.0...HEAD)||## 1.2.0",
            "## [Unreleased](https://h.example/compare/v1.3.0...HEAD)||## 1.3.0 - 2026-01-31||## 1.2.0",
        ),
        (
            "c.md",
            "## [[Unreleased]](https://h.example/compare/v1.2.0...HEAD)||## 1.2.0",
            "## [[Unreleased]](https://h.example/compare/v1.3.0...HEAD)||## 1.3.0 - 2026-01-31||## 1.2.0",
        ),
        (
            "c.rst",
            "Unreleased|----------||1.2.0|-----",
            "Unreleased|----------||1.3.0 - 2026-01-31|------------------||1.2.0|-----",
        ),
    ];

    #[test]
    fn heads_as_people_write_them() {
        let entries = [entry(ChangelogSection::Fixed, "New.")];
        for &(path, top, expected) in HEADS {
            let title = if path.ends_with("rst") { "Changelog\n*********" } else { "# Changelog" };
            let file = |top: &str| format!("{title}\n\n{}\n\n- Old.\n", top.replace('|', "\n"));
            let text = file(top);
            let to = "1.3.0".parse().unwrap();
            let wanted = ChangelogRelease {
                name: &Name::new("acme-core").unwrap(),
                abandoned: None,
                to: &to,
                tag: "v1.3.0",
                date: "2026-01-31",
                entries: &entries,
            };
            let written =
                release(path, &text, &wanted).unwrap_or_else(|why| panic!("{top}: {why:?}"));
            let after = splice::apply(&text, &written.edits);
            let old = if expected.contains("1.2.0") { "" } else { top };
            let shown = |text: &str| {
                let ours = |line: &&str| {
                    !line.trim_start_matches('#').is_empty()
                        && !line.ends_with("# Fixed")
                        && *line != "- New."
                };
                text.lines().filter(ours).collect::<Vec<_>>().join("\n")
            };
            assert_eq!(shown(&after), shown(&file(&format!("{expected}|{old}"))));
            // What is written is read back, and only once.
            let notes = crate::release_notes::of(path, &after, wanted.name, &to);
            assert!(notes.is_some_and(|notes| notes.contains("- New.")), "{path}: {after}");
            let again = release(path, &after, &wanted).unwrap();
            assert_eq!(splice::apply(&after, &again.edits), after, "{top}");
        }
        assert!(HEADS.len() >= 40);
    }

    #[track_caller]
    fn releases_as(
        to: &str,
        abandoned: Option<&str>,
        text: &str,
        expected: Result<&str, Unwritten>,
    ) {
        let entries = [entry(ChangelogSection::Fixed, "New.")];
        let abandoned = abandoned.map(|version| version.parse().unwrap());
        let wanted = ChangelogRelease {
            name: &Name::new("acme-core").unwrap(),
            abandoned: abandoned.as_ref(),
            to: &to.parse().unwrap(),
            tag: &format!("v{to}"),
            date: "2026-01-31",
            entries: &entries,
        };
        let written = release("CHANGELOG.md", text, &wanted);
        let written = written.map(|written| splice::apply(text, &written.edits));
        assert_eq!(written.as_deref(), expected.as_deref());
    }

    #[test]
    fn a_final_tells_what_its_pre_releases_told() {
        releases_as(
            "2.0.0",
            None,
            "## 2.0.0rc2\n\n### Fixed\n\n- B\n  and more.\n\n## 2.0.0rc1\n\n### Added\n\n- A.\n\n## 1.0.0\n\n- x\n",
            Ok(
                "## 2.0.0 - 2026-01-31\n\n### Added\n\n- A.\n\n### Fixed\n\n- B\n  and more.\n- New.\n\n## 2.0.0rc2\n\n### Fixed\n\n- B\n  and more.\n\n## 2.0.0rc1\n\n### Added\n\n- A.\n\n## 1.0.0\n\n- x\n",
            ),
        );
    }

    #[test]
    fn a_section_that_was_never_released_becomes_the_next() {
        releases_as(
            "1.2.0",
            Some("1.1.0"),
            "## [Unreleased]\n\n## [1.1.0] - 2026-01-01\n\n### Fixed\n\n- New.\n\n## [1.0.0]\n\n[Unreleased]: h/compare/v1.1.0...HEAD\n[1.1.0]: h/compare/v1.0.0...v1.1.0\n",
            Ok(
                "## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Fixed\n\n- New.\n\n## [1.0.0]\n\n[Unreleased]: h/compare/v1.2.0...HEAD\n[1.2.0]: h/compare/v1.0.0...v1.2.0\n",
            ),
        );
        releases_as(
            "1.2.0",
            Some("1.1.0"),
            "## Unreleased\n\n- By hand.\n\n## 1.1.0\n\n- A.\n",
            Ok(
                "## Unreleased\n\n## 1.2.0 - 2026-01-31\n\n- By hand.\n\n- A.\n\n### Fixed\n\n- New.\n",
            ),
        );
    }

    #[test]
    fn what_is_not_written_has_a_reason() {
        releases_as("1.2.0", None, "Free prose.\n", Err(Unwritten::NoHeading));
        let towncrier = "<!-- towncrier release notes start -->\n## 1.1.0\n";
        releases_as("1.2.0", None, towncrier, Err(Unwritten::Towncrier));
    }

    #[test]
    fn links_in_titles_become_definitions() {
        releases_as(
            "1.3.0",
            None,
            "# [1.2.0](h/compare/v1.1.1...v1.2.0) (2025-01-01)\n\n* b\n\n## [1.1.1](h/compare/v1.1.0...v1.1.1)\n\n* a\n",
            Ok(
                "# [1.3.0] (2026-01-31)\n\n## Fixed\n\n* New.\n\n# [1.2.0](h/compare/v1.1.1...v1.2.0) (2025-01-01)\n\n* b\n\n## [1.1.1](h/compare/v1.1.0...v1.1.1)\n\n* a\n\n[1.3.0]: h/compare/v1.2.0...v1.3.0\n",
            ),
        );
    }
}
