//! The headings of changelogs, in Markdown and reStructuredText, and the versions that they name.
//!
//! Reads the part of CommonMark and of docutils that changelogs use. Must not know what a heading
//! is read for.

use std::ops::Range;

use crate::pep440::Version;

/// How a heading is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    Hashes,
    Underline(char),
    OverAndUnderline(char),
}

/// A heading outside of fenced code and comments.
#[derive(Clone, Debug)]
pub(crate) struct Heading<'a> {
    /// 1 is the highest: the number of `#`s, or the order in which reStructuredText uses its lines.
    pub(crate) level: usize,
    pub(crate) marks: Marks,
    /// Its lines without the last line end, from the anchors above it on.
    pub(crate) span: Range<usize>,
    pub(crate) title: &'a str,
    /// Where the title starts in the text.
    pub(crate) title_start: usize,
    /// The version of the release that it heads.
    pub(crate) release: Option<ReleaseTitle>,
}

/// The version in a title.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseTitle {
    pub(crate) version: Version,
    /// Its bytes in the title.
    pub(crate) span: Range<usize>,
    /// The word in front of it, such as the name of a distribution.
    pub(crate) name: Option<String>,
    /// Nothing but a date follows, and no unknown word is in front.
    is_plain: bool,
}

/// A text with its headings.
pub(crate) struct Headings<'a> {
    pub(crate) all: Vec<Heading<'a>>,
    pub(crate) is_markdown: bool,
}

/// The headings of a file, in its order. A name without a telling suffix is read as Markdown, and
/// as reStructuredText where that has no release.
pub(crate) fn headings<'a>(path: &str, text: &'a str) -> Headings<'a> {
    let suffix = path.rsplit_once('.').map_or("", |(_, suffix)| suffix).to_ascii_lowercase();
    let markdown = Headings { all: scan(text, true), is_markdown: true };
    let tells = |heading: &Heading<'_>| heading.release.is_some() || heading.is_pending();
    match suffix.as_str() {
        "md" | "markdown" => markdown,
        "rst" => Headings { all: scan(text, false), is_markdown: false },
        _ if markdown.all.iter().any(tells) => markdown,
        _ => Headings { all: scan(text, false), is_markdown: false },
    }
}

/// A line without its end, and where it starts.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

fn scan(text: &str, is_markdown: bool) -> Vec<Heading<'_>> {
    let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut lines = Vec::new();
    for line in text[start..].split_inclusive('\n') {
        lines.push(Line { start, text: line.trim_end_matches(['\r', '\n']) });
        start += line.len();
    }
    let mut scanner = Scanner { lines: &lines, is_markdown, marks: Vec::new() };
    let mut found = scanner.headings();
    let releases = found.iter().filter(|heading| heading.release.is_some());
    let top = releases.map(|heading| heading.level).min();
    for heading in &mut found {
        // `### Python 3.12` below `## 1.2.0` heads no release.
        let level = heading.level;
        heading.release = heading.release.take().filter(|r| r.is_plain || Some(level) == top);
    }
    found
}

struct Scanner<'a, 'b> {
    lines: &'b [Line<'a>],
    is_markdown: bool,
    /// The lines that reStructuredText marks headings with, in the order of their first use.
    marks: Vec<Marks>,
}

impl<'a> Scanner<'a, '_> {
    fn headings(&mut self) -> Vec<Heading<'a>> {
        let mut found = Vec::new();
        let mut fence: Option<Fence> = None;
        let mut at = self.front_matter();
        // Where a paragraph goes on, its last line is not a title.
        let mut in_paragraph = false;
        while let Some(line) = self.lines.get(at) {
            if self.is_markdown {
                match (&fence, Fence::read(line.text)) {
                    (None, None) => {}
                    (None, opened) => fence = opened,
                    (Some(open), Some(close)) if open.is_closed_by(&close) => fence = None,
                    (Some(_), _) => {}
                }
                if fence.is_some() || Fence::read(line.text).is_some() {
                    in_paragraph = false;
                    at += 1;
                    continue;
                }
                if line.text.trim_start().starts_with("<!--") {
                    in_paragraph = false;
                    let end = self.lines[at..].iter().position(|line| line.text.contains("-->"));
                    at = end.map_or(self.lines.len(), |end| at + end + 1);
                    continue;
                }
            }
            let heading = match self.hashes(at) {
                None if !in_paragraph => self.underlined(at),
                found => found,
            };
            in_paragraph =
                heading.is_none() && !line.text.trim().is_empty() && !is_anchor(line.text);
            at += heading.as_ref().map_or(1, |(_, lines)| *lines);
            found.extend(heading.map(|(heading, _)| heading));
        }
        found
    }

    /// The number of lines of the metadata that site generators read.
    fn front_matter(&self) -> usize {
        let is_rule = |line: &Line<'_>| line.text.trim_end() == "---";
        if !self.is_markdown || !self.lines.first().is_some_and(is_rule) {
            return 0;
        }
        self.lines[1..].iter().position(is_rule).map_or(0, |end| end + 2)
    }

    /// `## Title`, at most three blanks to the right.
    fn hashes(&self, at: usize) -> Option<(Heading<'a>, usize)> {
        let line = self.lines[at];
        let content = line.text.trim_start_matches(' ');
        let level = content.bytes().take_while(|byte| *byte == b'#').count();
        let after = &content[level..];
        let is_indented = line.text.len() - content.len() > 3;
        if !self.is_markdown
            || is_indented
            || !(1..=6).contains(&level)
            || !after.starts_with([' ', '\t'])
        {
            return None;
        }
        let title = after.trim();
        let unclosed = title.trim_end_matches('#');
        let title = if unclosed.ends_with(' ') { unclosed.trim_end() } else { title };
        Some((self.heading(at, 1, level, Marks::Hashes, title), 1))
    }

    /// A title over a line of marks, in reStructuredText maybe below another one.
    fn underlined(&mut self, at: usize) -> Option<(Heading<'a>, usize)> {
        let line = self.lines[at];
        let over = mark(line.text).filter(|_| !self.is_markdown);
        let title_line = if over.is_some() { self.lines.get(at + 1)? } else { &line };
        let title = title_line.text.trim();
        let under_line = self.lines.get(at + if over.is_some() { 2 } else { 1 })?;
        let under = mark(under_line.text)?;
        let width = under_line.text.trim_end().chars().count();
        if title.is_empty() || mark(title).is_some() || over.is_some_and(|over| over != under) {
            return None;
        }
        if over.is_none() && title_line.text.starts_with([' ', '\t']) {
            return None;
        }
        if self.is_markdown {
            let is_block = title.starts_with(['>', '|', '<', '#'])
                || is_bullet(title)
                || is_link_definition(title);
            let level = match under {
                '=' => 1,
                '-' if width > 1 => 2,
                _ => return None,
            };
            let heading = self.heading(at, 2, level, Marks::Underline(under), title);
            return (!is_block).then_some((heading, 2));
        }
        if width < title.chars().count().min(4) {
            return None;
        }
        let marks =
            if over.is_some() { Marks::OverAndUnderline(under) } else { Marks::Underline(under) };
        let known = self.marks.iter().position(|known| *known == marks);
        let level = known.unwrap_or_else(|| {
            self.marks.push(marks);
            self.marks.len() - 1
        });
        let lines = if over.is_some() { 3 } else { 2 };
        Some((self.heading(at, lines, level + 1, marks, title), lines))
    }

    fn heading(
        &self,
        at: usize,
        lines: usize,
        level: usize,
        marks: Marks,
        title: &'a str,
    ) -> Heading<'a> {
        let title_line = self.lines[at + usize::from(lines == 3)];
        let title_start = title_line.start + title_line.text.find(title).unwrap_or(0);
        let last = self.lines[at + lines - 1];
        Heading {
            level,
            marks,
            span: self.with_anchors(at)..last.start + last.text.len(),
            title,
            title_start,
            release: ReleaseTitle::read(title),
        }
    }

    /// Where a heading starts, with the anchors above it.
    fn with_anchors(&self, at: usize) -> usize {
        let mut start = self.lines[at].start;
        for line in self.lines[..at].iter().rev() {
            if is_anchor(line.text) {
                start = line.start;
            } else if !line.text.trim().is_empty() {
                break;
            }
        }
        start
    }
}

/// `<a id="changelog-1.2.0"></a>` or `.. _changelog-1.2.0:`, as scriv and people write them.
fn is_anchor(line: &str) -> bool {
    let line = line.trim();
    (line.starts_with("<a ") && line.ends_with("</a>"))
        || (line.starts_with(".. _") && line.ends_with(':'))
}

/// The character of a line that consists of one, two or more times.
fn mark(line: &str) -> Option<char> {
    let line = line.trim_end();
    let mark = line.chars().next().filter(char::is_ascii_punctuation)?;
    (line.len() > 1 && line.chars().all(|c| c == mark)).then_some(mark)
}

/// Whether a line is an item of a list.
pub(crate) fn is_bullet(line: &str) -> bool {
    ["- ", "* ", "+ "].iter().any(|bullet| line.starts_with(bullet))
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

impl ReleaseTitle {
    /// Reads `1.2.0`, `[1.2.0] - 2026-01-31`, `v1.2.0 (2026-01-31)`, `Version 1.2.0`, `core 1.2.0`,
    /// `core-v1.2.0`.
    fn read(title: &str) -> Option<ReleaseTitle> {
        let mut words = 0;
        let mut name: Option<&str> = None;
        for word in title.split_whitespace() {
            if !word.contains(|c: char| c.is_alphanumeric()) {
                continue;
            }
            let at = word.as_ptr() as usize - title.as_ptr() as usize;
            let is_announced = name.is_some_and(is_word_for_version);
            if let Some((lead, version, length)) = version_in(word, is_announced) {
                let span = at + lead.len()..at + lead.len() + length;
                let lead =
                    lead.trim_matches(['[', '*', '`', '_', '@', '=', '/', '-', 'v', 'V', '(']);
                let own = Some(lead).filter(|lead| !lead.is_empty() && name.is_none());
                let name = own.or(name.filter(|_| !is_announced));
                let rest = title[span.end..].trim_start_matches([']', ')', '*', '`', '_']);
                let is_dated = !rest.trim_start().starts_with(char::is_alphabetic);
                let is_plain = is_dated && (name.is_none() || own.is_some());
                let name = name.map(str::to_owned);
                return Some(ReleaseTitle { version, span, name, is_plain });
            }
            words += 1;
            if words > 1 {
                return None;
            }
            name = Some(word.trim_matches(['[', '*', '`']));
        }
        None
    }
}

fn is_word_for_version(word: &str) -> bool {
    ["version", "release", "ver", "v", "rel"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The text in front of the version in a word, the version, and the length of its text.
fn version_in(word: &str, is_announced: bool) -> Option<(&str, Version, usize)> {
    let opened = word.len() - word.trim_start_matches(['[', '*', '`', '_', '(', '"']).len();
    let separators = word.char_indices().filter(|(_, c)| "@=/-_".contains(*c));
    let starts = std::iter::once(opened).chain(separators.map(|(at, _)| at + 1));
    for start in starts.filter(|start| *start >= opened) {
        let text = &word[start..];
        let v = usize::from(text.starts_with(['v', 'V']));
        let end = text[v..].find(|c: char| !c.is_ascii_alphanumeric() && !".!+-_".contains(c));
        let text = text[v..end.map_or(text.len(), |end| v + end)].trim_end_matches(['.', '-', '_']);
        // A single number may be anything else.
        let tells = text.contains('.') || v == 1 || is_announced;
        if tells
            && text.starts_with(|c: char| c.is_ascii_digit())
            && let Ok(version) = text.parse()
        {
            return Some((&word[..start + v], version, text.len()));
        }
    }
    None
}

/// The words that people write in place of a date.
const PENDING: [&str; 14] = [
    "unreleased",
    "not yet released",
    "not released yet",
    "not released",
    "unpublished",
    "upcoming",
    "in development",
    "in progress",
    "pending",
    "yyyy-mm-dd",
    "xxxx-xx-xx",
    "????-??-??",
    "tbd",
    "tba",
];

/// The bytes of the first of `words` in a text, in any case, where it is not part of a longer word.
fn find_word(text: &str, words: &[&str]) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    words.iter().find_map(|word| {
        let at = lower.find(word)?;
        let end = at + word.len();
        let is_whole = !lower[..at].ends_with(char::is_alphanumeric)
            && !lower[end..].starts_with(char::is_alphanumeric);
        is_whole.then_some(at..end)
    })
}

impl Heading<'_> {
    pub(crate) fn names_version(&self, version: &Version) -> bool {
        self.release.as_ref().is_some_and(|release| release.version == *version)
    }

    /// Whether it heads what is not released yet.
    pub(crate) fn is_pending(&self) -> bool {
        let Some(release) = &self.release else { return self.is_unreleased() };
        let is_dated = self.title[release.span.end..].contains(|c: char| c.is_ascii_digit());
        self.pending_word().is_some() || (release.version.is_dev() && !is_dated)
    }

    /// The bytes in the title that say so, behind a version.
    pub(crate) fn pending_word(&self) -> Option<Range<usize>> {
        let end = self.release.as_ref()?.span.end;
        let found = find_word(&self.title[end..], &PENDING)?;
        Some(end + found.start..end + found.end)
    }

    /// `Unreleased`, `[[Unreleased]](url)`, `Upcoming release`, `TBD`: a title without a version.
    fn is_unreleased(&self) -> bool {
        let text = self.title.split_once("](").map_or(self.title, |(text, _)| text);
        let text = text.split_once(" <").map_or(text, |(text, _)| text).to_ascii_lowercase();
        let is_strong = find_word(&text, &PENDING).is_some()
            || ["next", "next release", "next version", "main", "master", "head"]
                .contains(&text.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        is_strong
            && words.into_iter().all(|word| {
                PENDING.iter().any(|known| known.split([' ', '-']).any(|part| part == word))
                    || ["next", "main", "master", "head", "release", "version", "changes", "date"]
                        .contains(&word)
            })
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
        for text in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text] {
            let found = headings("x.md", &text).all;
            let titles: Vec<_> = found.iter().map(|h| (h.level, h.title)).collect();
            assert_eq!(titles, expected, "{text}");
            for heading in found {
                assert!(text.is_char_boundary(heading.span.start));
                assert!(text[heading.title_start..].starts_with(heading.title));
            }
        }
    }

    #[test]
    fn headings_outside_of_fenced_code_and_comments() {
        check("# A\n## B \n###\tC", &[(1, "A"), (2, "B"), (3, "C")]);
        check("#A\n####### B\n## ", &[(2, "")]);
        check("  ## A ##\n    ## B\n## C#", &[(2, "A"), (2, "C#")]);
        check("```\n# A\n```\n# B", &[(1, "B")]);
        check("~~~ python\n# A\n~~~\n# B", &[(1, "B")]);
        check("  ```\n# A\n  ```\n# B", &[(1, "B")]);
        check("```\n~~~\n# A\n```\n# B", &[(1, "B")]);
        check("````\n```\n# A\n````\n# B", &[(1, "B")]);
        check("```\n# A\n``` python\n# B\n```\n# C", &[(1, "C")]);
        check("```code``` in a line\n# A", &[(1, "A")]);
        check("    ```\n# A", &[(1, "A")]);
        check("<!-- x -->\n# A\n<!--\n# B\n\n-->\n# C\n<!-- # D", &[(1, "A"), (1, "C")]);
        check("A\n==\nB\n--\n\nx\ny\n--\n- i\n--\n", &[(1, "A"), (2, "B")]);
        check("---\ntitle: x\n---\n# A", &[(1, "A")]);
    }
}
