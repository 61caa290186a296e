//! The Markdown of changelogs: headings with the versions that they name, and link definitions.
//!
//! Reads the part of CommonMark that changelogs use. Must not know what a heading is read for.

use std::ops::Range;

use crate::pep440::Version;

/// A heading that starts with `#`s, outside of fenced code.
#[derive(Debug)]
pub(crate) struct Heading<'a> {
    /// The number of `#`s, 1 to 6.
    pub(crate) level: usize,
    /// The line without its end.
    pub(crate) span: Range<usize>,
    pub(crate) title: &'a str,
    /// Where the title starts in the text.
    pub(crate) title_start: usize,
}

/// The headings of a text, in its order.
pub(crate) fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut headings = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        match (&fence, Fence::read(content)) {
            (None, None) => headings.extend(Heading::read(content, start)),
            (None, opened) => fence = opened,
            (Some(open), Some(close)) if open.is_closed_by(&close) => fence = None,
            (Some(_), _) => {}
        }
        start += line.len();
    }
    headings
}

/// A line of three or more backticks or tildes.
struct Fence {
    mark: char,
    length: usize,
    /// Whether something follows the marks, which only an opening fence allows.
    has_info: bool,
}

impl Fence {
    fn read(line: &str) -> Option<Fence> {
        let content = line.trim_start_matches(' ');
        let mark = content.chars().next().filter(|c| ['`', '~'].contains(c))?;
        let info = content.trim_start_matches(mark);
        let length = content.len() - info.len();
        // Four spaces are indented code, and a backtick behind backticks is code within a line.
        let is_fence =
            line.len() - content.len() < 4 && length >= 3 && !(mark == '`' && info.contains('`'));
        is_fence.then(|| Fence { mark, length, has_info: !info.trim().is_empty() })
    }

    fn is_closed_by(&self, other: &Fence) -> bool {
        other.mark == self.mark && other.length >= self.length && !other.has_info
    }
}

impl Heading<'_> {
    fn read(line: &str, start: usize) -> Option<Heading<'_>> {
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let after = &line[level..];
        if !(1..=6).contains(&level) || !after.starts_with([' ', '\t']) {
            return None;
        }
        let title = after.trim_start();
        let title_start = start + line.len() - title.len();
        Some(Heading {
            level,
            span: start..start + line.len(),
            title: title.trim_end(),
            title_start,
        })
    }

    /// The version that the heading starts with, and its bytes in the title: `1.2.0`,
    /// `[1.2.0] - 2026-01-31`, `v1.2.0 (2026-01-31)`, `Version 1.2.0`.
    pub(crate) fn version(&self) -> Option<(Version, Range<usize>)> {
        let name = self.title.trim_start_matches('[');
        let name = name.strip_prefix("Version ").unwrap_or(name);
        let rest = name.trim_start_matches(['[', 'v', 'V']);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".!+-_".contains(c));
        let word = &rest[..end.unwrap_or(rest.len())];
        let version: Version = word.parse().ok()?;
        let start = self.title.len() - rest.len();
        word.starts_with(|c: char| c.is_ascii_digit())
            .then_some((version, start..start + word.len()))
    }

    pub(crate) fn names_version(&self, version: &Version) -> bool {
        self.version().is_some_and(|(found, _)| found == *version)
    }
}

/// Whether a line is `[label]: address`.
pub(crate) fn is_link_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let text = format!("{text}\n");
        for text in [text.replace('\n', "\r\n"), text] {
            let found = headings(&text);
            let titles: Vec<_> = found.iter().map(|h| (h.level, h.title)).collect();
            assert_eq!(titles, expected, "{text}");
            for heading in found {
                assert!(text[heading.span].starts_with('#'));
                assert!(text[heading.title_start..].starts_with(heading.title));
            }
        }
    }

    #[test]
    fn headings_outside_of_fenced_code() {
        check("# A\n## B \n###\tC", &[(1, "A"), (2, "B"), (3, "C")]);
        check("#A\n####### B\n## ", &[(2, "")]);
        check("```\n# A\n```\n# B", &[(1, "B")]);
        check("~~~ python\n# A\n~~~\n# B", &[(1, "B")]);
        check("  ```\n# A\n  ```\n# B", &[(1, "B")]);
        check("```\n~~~\n# A\n```\n# B", &[(1, "B")]);
        check("````\n```\n# A\n````\n# B", &[(1, "B")]);
        check("```\n# A\n``` python\n# B\n```\n# C", &[(1, "C")]);
        check("```code``` in a line\n# A", &[(1, "A")]);
        check("    ```\n# A", &[(1, "A")]);
    }

    #[test]
    fn versions_of_headings() {
        for (title, expected) in [
            ("1.2.0", Some("1.2.0")),
            ("[1.2.0] - 2026-01-31", Some("1.2.0")),
            ("v1.2.0 (2026-01-31)", Some("v1.2.0")),
            ("[v1.2.0]", Some("v1.2.0")),
            ("Version 1.2.0: a name", Some("Version 1.2.0")),
            ("1.2.0+unreleased", Some("1.2.0+unreleased")),
            ("Unreleased", None),
            ("Versions of Python", None),
            ("vv", None),
        ] {
            let text = format!("## {title}");
            let found = headings(&text)[0].version().map(|(version, span)| {
                assert_eq!(title[span.clone()].parse(), Ok(version));
                title[..span.end].trim_start_matches('[').to_owned()
            });
            assert_eq!(found.as_deref(), expected);
        }
    }
}
