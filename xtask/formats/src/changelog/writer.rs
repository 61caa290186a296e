//! A new release in a changelog: its heading and its entries, in the style of those before.
//!
//! Must not know where entries come from.

use std::ops::Range;

use crate::changelog::links::{Compared, Links};
use crate::changelog::model::{
    ChangelogRelease, ChangelogSection, Unwritten, Written, next_section,
};
use crate::headings::{Heading, Marks, is_bullet, is_link_definition};
use crate::splice::Splice;

/// Lines below one title.
struct Group {
    /// `None` for those right below the release's heading.
    title: Option<String>,
    items: Vec<String>,
}

pub(super) struct Writer<'a> {
    pub(super) text: &'a str,
    pub(super) release: &'a ChangelogRelease<'a>,
    pub(super) eol: &'a str,
    pub(super) headings: &'a [Heading<'a>],
    pub(super) is_markdown: bool,
    /// The character that starts the items of its lists.
    pub(super) bullet: &'a str,
    /// Its headings name distributions, of which this one has some.
    pub(super) is_named: bool,
    pub(super) links: Links<'a>,
}

impl Writer<'_> {
    pub(super) fn write(&self) -> Result<Written, Unwritten> {
        let own = |h: &&Heading<'_>| !self.is_named || h.is_named(self.release.name);
        let mut releases = self.headings.iter().filter(|h| h.release.is_some()).filter(own);
        let to = self.release.to;
        if releases.clone().any(|h| h.names_version(to) && !h.is_pending()) {
            return Ok(Written { edits: Vec::new(), is_empty: false });
        }
        let pending = self.headings.iter().position(Heading::is_pending);
        let abandoned = self.release.abandoned.and_then(|old| {
            let at = self.headings.iter().position(|h| h.names_version(old) && own(&h));
            at.filter(|at| Some(*at) != pending)
        });
        let groups = self.groups();
        if pending.is_none() && abandoned.is_none() {
            if self.text.contains("towncrier") {
                return Err(Unwritten::Towncrier);
            }
            // Some changelogs name distributions, but not this one yet.
            let next =
                releases.next().or_else(|| self.headings.iter().find(|h| h.release.is_some()));
            let next = next.ok_or(Unwritten::NoHeading)?;
            if groups.is_empty() {
                return Err(Unwritten::NothingToSay);
            }
            return Ok(Written { edits: self.new_section(next, &groups), is_empty: false });
        }
        let (at, mut edits) = match (pending, abandoned) {
            (Some(pending), Some(old)) => (old, self.joined(pending, old)),
            (None, Some(old)) => (old, self.renamed(&self.headings[old])),
            (Some(pending), None) => (pending, self.released(&self.headings[pending])),
            (None, None) => return Err(Unwritten::NoHeading),
        };
        let is_empty = groups.is_empty() && self.body(at).trim().is_empty();
        edits.extend(self.groups_in(at, &groups));
        edits.extend(self.links.links());
        edits.sort_by_key(|edit| edit.span.start);
        Ok(Written { edits, is_empty })
    }

    /// The text of the section at `at`, without link definitions.
    fn body(&self, at: usize) -> &str {
        let start = self.headings[at].span.end;
        let end = self.headings.get(next_section(self.headings, at));
        &self.text[start..end.map_or_else(|| self.end_of_prose(start), |next| next.span.start)]
    }

    /// The heading of the unreleased part becomes that of the release, or gets it below.
    fn released(&self, heading: &Heading<'_>) -> Vec<Splice> {
        if heading.release.is_some() {
            return self.renamed(heading);
        }
        let end = heading.span.end;
        let lines = self.heading(heading.marks, heading.level, heading.title.starts_with('['));
        let mut edits = self.links.inline_link(heading);
        edits.push(Splice::insert(end, format!("{0}{0}{lines}", self.eol)));
        edits
    }

    /// `## 1.2.0 (Unreleased)` becomes `## 1.2.0 (2026-01-31)`.
    fn renamed(&self, heading: &Heading<'_>) -> Vec<Splice> {
        let Some(release) = &heading.release else { return Vec::new() };
        let name = format!("{}{}", &heading.title[..release.span.start], self.release.to);
        let rest = &heading.title[release.span.end..];
        let rest = match (heading.pending_word(), date_in(rest)) {
            (Some(word), _) => {
                let at = word.start - release.span.end..word.end - release.span.end;
                format!("{}{}{}", &rest[..at.start], self.release.date, &rest[at.end..])
            }
            (None, Some(date)) => {
                format!(
                    "{}{}{}",
                    &rest[..date.start],
                    self.date_like(&rest[date.clone()]),
                    &rest[date.end..]
                )
            }
            (None, None) => {
                format!("{rest}{}", self.dated_like(self.model(heading.level).map(|m| m.title)))
            }
        };
        let title = format!("{name}{rest}");
        let (mut span, mut text) =
            (heading.title_start..heading.title_start + heading.title.len(), title);
        if let Marks::Underline(mark) | Marks::OverAndUnderline(mark) = heading.marks {
            let width = text.chars().count();
            span.end = heading.span.end;
            text = format!("{text}{}{}", self.eol, mark.to_string().repeat(width));
            if let Marks::OverAndUnderline(mark) = heading.marks {
                let over = self.text[..span.start].trim_end().rfind('\n').map_or(0, |end| end + 1);
                span.start = over.max(heading.span.start);
                text = format!("{}{}{text}", mark.to_string().repeat(width), self.eol);
            }
        }
        vec![Splice { span, text }]
    }

    /// A section that was never released, and what came above it since, become one.
    fn joined(&self, pending: usize, old: usize) -> Vec<Splice> {
        if self.body(pending).trim().is_empty() {
            return self.renamed(&self.headings[old]);
        }
        let mut edits = self.released(&self.headings[pending]);
        let old = &self.headings[old];
        let blank = self.text[old.span.end..].len() - self.text[old.span.end..].trim_start().len();
        edits.push(Splice { span: old.span.start..old.span.end + blank, text: String::new() });
        edits
    }

    /// The release heading that a new one is like: the newest, of this level if there is one.
    fn model(&self, level: usize) -> Option<&Heading<'_>> {
        let own = |h: &&Heading<'_>| {
            h.release.is_some()
                && !h.is_pending()
                && (!self.is_named || h.is_named(self.release.name))
        };
        let of_level = self.headings.iter().filter(own).find(|h| h.level == level);
        of_level.or_else(|| self.headings.iter().find(own))
    }

    /// The lines of a new release heading, in the style of the existing ones.
    fn heading(&self, marks: Marks, level: usize, is_bracketed: bool) -> String {
        let to = self.release.to;
        let Some((model, release)) = self.model(level).and_then(|m| Some((m, m.release.as_ref()?)))
        else {
            let name = if is_bracketed { format!("[{to}]") } else { to.to_string() };
            return self.marked(marks, level, &format!("{name} - {}", self.release.date));
        };
        let mut lead = model.title[..release.span.start].to_owned();
        if let Some(name) = &release.name
            && !model.is_named(self.release.name)
        {
            lead = lead.replace(name.as_str(), self.release.name.as_str());
        }
        let mut rest = &model.title[release.span.end..];
        let closing = rest.len() - rest.trim_start_matches([']', '*', '`', '_']).len();
        let mut title = format!("{lead}{to}{}", &rest[..closing]);
        rest = &rest[closing..];
        if let Some((url, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
            && title.ends_with(']')
        {
            let address = self.links.next_address(url, &release.version);
            // One that compares with the release before is defined at the end, so that the heading
            // names one version alone.
            if Compared::read(&address).is_none() {
                title = format!("{title}({address})");
            }
            rest = after;
        }
        title.push_str(&match date_in(rest) {
            Some(date) => {
                let after = &rest[date.end..];
                let closing = after.len() - after.trim_start_matches([')', ']', '*', '_']).len();
                format!(
                    "{}{}{}",
                    &rest[..date.start],
                    self.date_like(&rest[date]),
                    &after[..closing]
                )
            }
            None => self.dated_like(Some(rest)),
        });
        let lines = self.marked(marks, level, &title);
        // Anchors above the existing heading are wanted above the new one.
        let anchors = &self.text[model.span.start..model.title_start.min(model.span.end)];
        let old = &model.title[release.span.clone()];
        match anchors
            .rfind('\n')
            .map(|end| &anchors[..=end])
            .filter(|anchors| anchors.contains(old))
        {
            Some(anchors) if model.marks == marks => {
                format!("{}{lines}", anchors.replace(old, &to.to_string()))
            }
            _ => lines,
        }
    }

    fn marked(&self, marks: Marks, level: usize, title: &str) -> String {
        let line = |mark: char| mark.to_string().repeat(title.chars().count());
        let eol = self.eol;
        match marks {
            Marks::Hashes => format!("{} {title}", "#".repeat(level)),
            Marks::Underline(mark) => format!("{title}{eol}{}", line(mark)),
            Marks::OverAndUnderline(mark) => format!("{0}{eol}{title}{eol}{0}", line(mark)),
        }
    }

    /// The date as another one is written.
    fn date_like(&self, other: &str) -> String {
        let separator = other.chars().nth(4).unwrap_or('-');
        self.release.date.replace('-', &separator.to_string())
    }

    /// The date as it stands behind a version, where the existing title has none that is read.
    fn dated_like(&self, rest: Option<&str>) -> String {
        let date = self.release.date;
        match rest {
            Some(rest) if rest.ends_with(')') && !rest.contains("](") => format!(" ({date})"),
            Some(rest) if rest.contains(" — ") => format!(" — {date}"),
            Some(rest) if rest.contains(" – ") => format!(" – {date}"),
            _ => format!(" - {date}"),
        }
    }

    /// A whole section above the first release, for a file without an unreleased part.
    fn new_section(&self, next: &Heading<'_>, groups: &[Group]) -> Vec<Splice> {
        let eol = self.eol;
        let heading = self.heading(next.marks, next.level, next.title.starts_with('['));
        let body = self.titled(next.level, groups.iter());
        let mut edits =
            vec![Splice::insert(next.span.start, format!("{heading}{eol}{eol}{body}{eol}"))];
        edits.extend(self.links.links());
        edits.sort_by_key(|edit| edit.span.start);
        edits
    }

    /// The entries, and those of the pre-releases that lead to a final, below the file's own titles.
    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut add = |title: Option<String>, item: String| match groups
            .iter_mut()
            .find(|group| group.title == title)
        {
            Some(group) if group.items.contains(&item) => {}
            Some(group) => group.items.push(item),
            None => groups.push(Group { title, items: vec![item] }),
        };
        let to = self.release.to;
        let is_final = !to.is_pre() && !to.is_dev();
        let leads_here = |heading: &Heading<'_>| {
            let version = heading.release.as_ref().map(|release| &release.version);
            version.is_some_and(|v| {
                (v.is_pre() || v.is_dev()) && v.release() == to.release() && v.epoch() == to.epoch()
            }) && !heading.is_pending()
                && (!self.is_named || heading.is_named(self.release.name))
        };
        let candidates =
            self.headings.iter().enumerate().filter(|(_, h)| is_final && leads_here(h));
        for (at, heading) in candidates.collect::<Vec<_>>().into_iter().rev() {
            let end = next_section(self.headings, at);
            let mut title = None;
            let mut start = heading.span.end;
            for inner in self.headings[at + 1..end].iter().map(Some).chain([None]) {
                let prose_end = || match self.headings.get(end) {
                    Some(next) => next.span.start,
                    None => self.end_of_prose(start),
                };
                let text =
                    &self.text[start..inner.map_or_else(prose_end, |inner| inner.span.start)];
                items_of(text)
                    .iter()
                    .for_each(|item| add(title.clone(), item.replace('\n', self.eol)));
                let Some(inner) = inner else { break };
                title = Some(inner.title.to_owned());
                start = inner.span.end;
            }
        }
        for section in ChangelogSection::ALL {
            let title = self.title_of(section);
            for entry in self.release.entries.iter().filter(|entry| entry.section == section) {
                add(title.clone(), format!("{} {}", self.bullet, entry.text));
            }
        }
        groups
    }

    /// The title of a section in this file; `None` where its releases have no titles below them.
    fn title_of(&self, section: ChangelogSection) -> Option<String> {
        let level = self.headings.iter().find(|h| h.release.is_some() || h.is_pending())?.level;
        let mut below = self.headings.iter().filter(|heading| heading.level > level);
        let known = below.find(|heading| section.is_titled(heading.title));
        let title = known.map_or(section.titles()[0], |heading| heading.title);
        let can_mark = self.is_markdown || self.headings.iter().any(|h| h.level == level + 1);
        can_mark.then(|| title.to_owned())
    }

    /// The groups in the section at `at`: under its own titles, or under new ones at its end.
    fn groups_in(&self, at: usize, groups: &[Group]) -> Vec<Splice> {
        let inner = &self.headings[at + 1..next_section(self.headings, at)];
        let last = inner.last().unwrap_or(&self.headings[at]);
        let section_end = match self.headings.get(at + 1 + inner.len()) {
            Some(next) => next.span.start,
            None => self.end_of_prose(last.span.end),
        };
        let own = self.body(at);
        let is_new = |item: &&String| !own.contains(item.as_str());
        let mut edits = Vec::new();
        let mut rest = Vec::new();
        for group in groups {
            let items: Vec<String> = group.items.iter().filter(is_new).cloned().collect();
            let titled = |h: &Heading<'_>| {
                let same = |title: &String| {
                    title.eq_ignore_ascii_case(h.title)
                        || ChangelogSection::ALL
                            .iter()
                            .any(|s| s.is_titled(title) && s.is_titled(h.title))
                };
                group.title.as_ref().is_some_and(same)
            };
            let place = match (&group.title, inner.iter().position(titled)) {
                (None, _) => Some((self.headings[at].span.end, 0)),
                (Some(_), Some(known)) => Some((inner[known].span.end, known + 1)),
                (Some(_), None) => None,
            };
            match place {
                _ if items.is_empty() => {}
                Some((start, next)) => {
                    let end = inner.get(next).map_or(section_end, |next| next.span.start);
                    edits.push(self.after_content(start, end, &items.join(self.eol), 1));
                }
                None => rest.push(Group { title: group.title.clone(), items }),
            }
        }
        if !rest.is_empty() {
            let body = self.titled(self.headings[at].level, rest.iter());
            edits.push(self.after_content(last.span.end, section_end, &body, 2));
        }
        edits
    }

    /// Inserts `body` after the last text between `start` and `end`, `breaks` line ends further
    /// down; a heading without text keeps the blank line that Markdown has below it.
    fn after_content(&self, start: usize, end: usize, body: &str, breaks: usize) -> Splice {
        let content = self.text[start..end].trim_end().len();
        let breaks = if content == 0 { 2 } else { breaks };
        let body = body.trim_end();
        Splice::insert(start + content, format!("{}{body}", self.eol.repeat(breaks)))
    }

    /// Where the last section ends: before the link definitions at the end of the file.
    fn end_of_prose(&self, from: usize) -> usize {
        let mut start = from;
        for line in self.text[from..].split_inclusive('\n') {
            if is_link_definition(line) || line.starts_with(".. _") {
                return start;
            }
            start += line.len();
        }
        self.text.len()
    }

    /// Groups with their titles below a release of `level`.
    fn titled<'g>(&self, level: usize, groups: impl Iterator<Item = &'g Group>) -> String {
        let eol = self.eol;
        let below = self.headings.iter().find(|heading| heading.level == level + 1);
        let marks = below.map_or(Marks::Hashes, |heading| heading.marks);
        let marks = if self.is_markdown { Marks::Hashes } else { marks };
        let group = |group: &Group| {
            let items = group.items.join(eol);
            match &group.title {
                Some(title) => {
                    format!("{}{eol}{eol}{items}{eol}", self.marked(marks, level + 1, title))
                }
                None => format!("{items}{eol}"),
            }
        };
        groups.map(group).collect::<Vec<_>>().join(eol)
    }
}

/// The items of a list, or the paragraphs, each with the lines that belong to it.
fn items_of(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut after_blank = false;
    for line in text.lines() {
        let goes_on = line.starts_with([' ', '\t']) || !(after_blank || is_bullet(line));
        match items.last_mut() {
            _ if line.trim().is_empty() => {}
            Some(item) if goes_on => {
                item.push('\n');
                item.push_str(line);
            }
            _ => items.push(line.to_owned()),
        }
        after_blank = line.trim().is_empty();
    }
    items
}

/// The bytes of `2026-01-31`, with whatever separates the numbers.
fn date_in(text: &str) -> Option<Range<usize>> {
    let mut windows = text.as_bytes().windows(10);
    let start = windows.position(|window| {
        window.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => matches!(byte, b'-' | b'/' | b'.'),
            _ => byte.is_ascii_digit(),
        })
    })?;
    Some(start..start + 10)
}
