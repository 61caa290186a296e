//! A changelog that follows "Keep a Changelog" 1.1: its unreleased part becomes a release.
//!
//! Returns the smallest edits of the text; everything else stays. Must not know today's date, nor
//! where entries come from.

use std::ops::Range;

use crate::markdown::{Heading, headings, is_link_definition};
use crate::pep440::Version;
use crate::splice::Splice;

/// The sections that entries are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangelogSection {
    Added,
    Changed,
    Fixed,
}

impl ChangelogSection {
    fn title(self) -> &'static str {
        match self {
            ChangelogSection::Added => "Added",
            ChangelogSection::Changed => "Changed",
            ChangelogSection::Fixed => "Fixed",
        }
    }
}

/// One line to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangelogEntry {
    pub section: ChangelogSection,
    pub text: String,
}

/// The release to write.
#[derive(Clone, Debug)]
pub struct ChangelogRelease<'a> {
    pub from: Option<&'a Version>,
    pub to: &'a Version,
    /// The tag that it will get, for links.
    pub tag: &'a str,
    /// `YYYY-MM-DD`.
    pub date: &'a str,
    /// Added to those under `Unreleased`; may be empty.
    pub entries: &'a [ChangelogEntry],
}

/// The edits that make a release of the unreleased part, in the order of the text.
///
/// `None` where the text has no release headings to write above (towncrier's files, free prose), or
/// where there is nothing to write: neither an `Unreleased` heading nor an entry.
pub fn release(text: &str, release: &ChangelogRelease<'_>) -> Option<Vec<Splice>> {
    let headings = headings(text);
    if headings.iter().any(|heading| heading.names_version(release.to) && !heading.unreleased()) {
        return Some(Vec::new());
    }
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let writer = Writer { text, release, eol };
    let edits = match headings.iter().position(Heading::unreleased) {
        Some(at) => writer.below_unreleased(&headings, at),
        None if text.contains("towncrier") || release.entries.is_empty() => return None,
        None => writer.new_section(&headings, headings.iter().position(Heading::is_release)?),
    };
    Some(edits)
}

const UNRELEASED: &str = "unreleased";

/// The offset of `Unreleased` in `text`, in any case.
fn find_unreleased(text: &str) -> Option<usize> {
    text.to_ascii_lowercase().find(UNRELEASED)
}

impl Heading<'_> {
    fn unreleased(&self) -> bool {
        let Some(at) = find_unreleased(self.title) else { return false };
        // As the local part of a version (`1.2.0+unreleased`) it is not the word.
        if let Some((_, version)) = self.version() {
            return at >= version.end;
        }
        let mut rest = self.title[..at].chars().chain(self.title[at + UNRELEASED.len()..].chars());
        rest.all(|c| !c.is_alphanumeric())
    }

    fn is_release(&self) -> bool {
        self.level >= 2 && self.version().is_some() && !self.unreleased()
    }
}

struct Writer<'a> {
    text: &'a str,
    release: &'a ChangelogRelease<'a>,
    eol: &'a str,
}

impl Writer<'_> {
    fn below_unreleased(&self, headings: &[Heading<'_>], at: usize) -> Vec<Splice> {
        let unreleased = &headings[at];
        let mut edits = match unreleased.version() {
            Some((_, version)) => self.dated(unreleased, version),
            None => vec![self.heading_below(headings, unreleased)],
        };
        edits.extend(self.entries_in(headings, at));
        edits.extend(self.links());
        edits.sort_by_key(|edit| edit.span.start);
        edits
    }

    /// `## 1.2.0 (Unreleased)` becomes `## 1.2.0 (2026-01-31)`.
    fn dated(&self, heading: &Heading<'_>, version: Range<usize>) -> Vec<Splice> {
        let mut edits = Vec::new();
        if !heading.names_version(self.release.to) {
            let span = heading.title_start + version.start..heading.title_start + version.end;
            edits.push(Splice { span, text: self.release.to.to_string() });
        }
        if let Some(at) = find_unreleased(heading.title) {
            let start = heading.title_start + at;
            edits.push(Splice {
                span: start..start + UNRELEASED.len(),
                text: self.release.date.to_owned(),
            });
        }
        edits
    }

    /// The release's heading right below `Unreleased`, so that the release gets the entries below it.
    fn heading_below(&self, headings: &[Heading<'_>], unreleased: &Heading<'_>) -> Splice {
        let end = unreleased.span.end;
        let heading = self.heading(headings, unreleased.level, unreleased.title.starts_with('['));
        Splice { span: end..end, text: format!("{0}{0}{heading}", self.eol) }
    }

    /// A heading in the style of the existing ones.
    fn heading(&self, headings: &[Heading<'_>], level: usize, bracketed: bool) -> String {
        let to = self.release.to;
        let date = self.release.date;
        let marks = "#".repeat(level);
        let before = headings.iter().find(|heading| heading.is_release());
        let lead = before.and_then(|heading| Some(&heading.title[..heading.version()?.1.start]));
        let lead = lead.filter(|lead| lead.starts_with('[') == bracketed);
        let lead = lead.unwrap_or(if bracketed { "[" } else { "" });
        let name = format!("{lead}{to}{}", if lead.contains('[') { "]" } else { "" });
        match before.map(|heading| heading.title) {
            Some(title) if title.ends_with(')') && !title.contains("](") => {
                format!("{marks} {name} ({date})")
            }
            Some(title) if title.contains(" — ") => format!("{marks} {name} — {date}"),
            Some(title) if title.contains(" – ") => format!("{marks} {name} – {date}"),
            _ => format!("{marks} {name} - {date}"),
        }
    }

    /// A whole section above the first release, for a file without `Unreleased`.
    fn new_section(&self, headings: &[Heading<'_>], first: usize) -> Vec<Splice> {
        let next = &headings[first];
        let eol = self.eol;
        let heading = self.heading(headings, next.level, next.title.starts_with('['));
        let body = self.sections(next.level + 1, &[]);
        let at = next.span.start;
        vec![Splice { span: at..at, text: format!("{heading}{eol}{eol}{body}{eol}") }]
    }

    /// Entries under the headings of the section at `at`, or under new ones at its end.
    fn entries_in(&self, headings: &[Heading<'_>], at: usize) -> Vec<Splice> {
        if self.release.entries.is_empty() {
            return Vec::new();
        }
        let level = headings[at].level;
        let inner: Vec<_> = headings[at + 1..].iter().take_while(|h| h.level > level).collect();
        let last = inner.last().map_or(&headings[at], |last| *last);
        let section_end = headings[at + 1 + inner.len()..]
            .first()
            .map_or_else(|| self.end_of_prose(last.span.end), |next| next.span.start);
        let mut edits = Vec::new();
        let mut written = Vec::new();
        for (index, heading) in inner.iter().enumerate() {
            let Some(section) = self.section_named(heading.title) else { continue };
            let end = inner.get(index + 1).map_or(section_end, |next| next.span.start);
            let items = self.items(section);
            if !items.is_empty() && !written.contains(&section) {
                edits.push(self.after_content(heading.span.end, end, &items, 1));
                written.push(section);
            }
        }
        let body = self.sections(level + 1, &written);
        if !body.is_empty() {
            let start = inner.last().map_or(headings[at].span.end, |last| last.span.end);
            let body = body.strip_suffix(self.eol).unwrap_or(&body);
            edits.push(self.after_content(start, section_end, body, 2));
        }
        edits
    }

    /// Inserts `body` after the last text between `start` and `end`, `breaks` line ends further
    /// down; a heading without text keeps the blank line that Markdown has below it.
    fn after_content(&self, start: usize, end: usize, body: &str, breaks: usize) -> Splice {
        let content = self.text[start..end].trim_end().len();
        let at = start + content;
        let breaks = if content == 0 { 2 } else { breaks };
        let body = body.strip_suffix(self.eol).unwrap_or(body);
        Splice { span: at..at, text: format!("{}{body}", self.eol.repeat(breaks)) }
    }

    /// Where the last section ends: before the link definitions at the end of the file.
    fn end_of_prose(&self, from: usize) -> usize {
        let mut start = from;
        for line in self.text[from..].split_inclusive('\n') {
            if is_link_definition(line) {
                return start;
            }
            start += line.len();
        }
        self.text.len()
    }

    fn section_named(&self, title: &str) -> Option<ChangelogSection> {
        [ChangelogSection::Added, ChangelogSection::Changed, ChangelogSection::Fixed]
            .into_iter()
            .find(|section| section.title().eq_ignore_ascii_case(title))
    }

    fn items(&self, section: ChangelogSection) -> String {
        let entries = self.release.entries.iter().filter(|entry| entry.section == section);
        entries.map(|entry| format!("- {}{}", entry.text, self.eol)).collect()
    }

    fn sections(&self, level: usize, without: &[ChangelogSection]) -> String {
        let mut sections = Vec::new();
        for section in [ChangelogSection::Added, ChangelogSection::Changed, ChangelogSection::Fixed]
        {
            let items = self.items(section);
            if !items.is_empty() && !without.contains(&section) {
                let marks = "#".repeat(level);
                let title = section.title();
                let eol = self.eol;
                sections.push(format!("{marks} {title}{eol}{eol}{items}"));
            }
        }
        sections.join(self.eol)
    }

    /// `[Unreleased]: …/compare/v1.2.0...HEAD` starts at the new tag, and the release gets its own.
    fn links(&self) -> Vec<Splice> {
        self.link_edits().unwrap_or_default()
    }

    fn link_edits(&self) -> Option<Vec<Splice>> {
        let from = self.release.from?;
        let to = self.release.to.to_string();
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let content = line.trim_end();
            if content.to_ascii_lowercase().starts_with("[unreleased]:") {
                let compare = content.find("/compare/")? + "/compare/".len();
                let dots = compare + content[compare..].find("..")?;
                let old_tag = &content[compare..dots];
                let prefix = before_version(old_tag, from)?;
                let tag = self.release.tag;
                let tag = if tag.starts_with(prefix) { tag } else { &format!("{prefix}{to}") };
                let url = content["[unreleased]:".len()..compare].trim_start();
                let own = format!("{}[{to}]: {url}{old_tag}...{tag}", self.eol);
                let end = start + content.len();
                let kept = prefix.len();
                return Some(vec![
                    Splice {
                        span: start + compare + kept..start + dots,
                        text: tag[kept..].to_owned(),
                    },
                    Splice { span: end..end, text: own },
                ]);
            }
            start += line.len();
        }
        None
    }
}

/// What is before the version in a tag that names it, however that is spelled: `2026.07.0`.
fn before_version<'t>(tag: &'t str, version: &Version) -> Option<&'t str> {
    let starts = tag.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && !tag[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.')
    });
    let names_it = |at: &usize| tag[*at..].parse::<Version>().is_ok_and(|read| read == *version);
    starts.map(|(at, _)| at).find(names_it).map(|at| &tag[..at])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splice;

    fn entry(section: ChangelogSection, text: &str) -> ChangelogEntry {
        ChangelogEntry { section, text: text.to_owned() }
    }

    #[track_caller]
    fn check(text: &str, entries: &[ChangelogEntry], expected: Option<&str>) {
        for eol in ["\n", "\r\n"] {
            let text = text.replace('\n', eol);
            let expected = expected.map(|expected| expected.replace('\n', eol));
            let from = "1.2.0".parse().unwrap();
            let to = "1.3.0".parse().unwrap();
            let wanted = ChangelogRelease {
                from: Some(&from),
                to: &to,
                tag: "v1.3.0",
                date: "2026-01-31",
                entries,
            };
            let edits = release(&text, &wanted);
            let result = edits.map(|edits| splice::apply(&text, &edits));
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
}
