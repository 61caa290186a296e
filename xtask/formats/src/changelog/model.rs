//! A release to be written into a changelog, and what becomes of it.

use crate::headings::Heading;
use crate::name::Name;
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
    pub(super) const ALL: [ChangelogSection; 3] =
        [ChangelogSection::Added, ChangelogSection::Changed, ChangelogSection::Fixed];

    /// The titles that people give it, ours first.
    pub(super) fn titles(self) -> &'static [&'static str] {
        match self {
            ChangelogSection::Added => &["Added", "Features", "New features", "Feature", "New"],
            ChangelogSection::Changed => &["Changed", "Changes", "Improvements", "Enhancements"],
            ChangelogSection::Fixed => &["Fixed", "Bug fixes", "Bugfixes", "Fixes", "Bug Fix"],
        }
    }

    pub(super) fn is_titled(self, title: &str) -> bool {
        let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let title = plain(title);
        self.titles().iter().any(|known| plain(known).eq_ignore_ascii_case(&title))
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
    /// The distribution.
    pub name: &'a Name,
    /// A version that the file may have a section of already, although it was never released: that
    /// section becomes this release's.
    pub abandoned: Option<&'a Version>,
    pub to: &'a Version,
    /// The tag that it will get, for links.
    pub tag: &'a str,
    /// `YYYY-MM-DD`.
    pub date: &'a str,
    /// Added to those under `Unreleased`; may be empty.
    pub entries: &'a [ChangelogEntry],
}

/// Why nothing is written into a changelog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// Neither an unreleased part nor a release to write above.
    NoHeading,
    /// towncrier writes it from its fragments.
    Towncrier,
    /// Neither an unreleased part nor an entry.
    NothingToSay,
}

/// The new section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// In the order of the text.
    pub edits: Vec<Splice>,
    /// Nothing is in it.
    pub is_empty: bool,
}

impl Heading<'_> {
    pub(crate) fn is_named(&self, name: &Name) -> bool {
        let own = self.release.as_ref().and_then(|release| release.name.as_deref());
        own.and_then(Name::new).is_some_and(|own| own.normal() == name.normal())
    }
}

/// The end of the section of the heading at `at`: the next heading that is of its level or of a
/// release, `# [1.2.0]` above `## 1.1.1` included.
pub(crate) fn next_section(headings: &[Heading<'_>], at: usize) -> usize {
    let end = headings[at + 1..].iter().position(|next| {
        next.level <= headings[at].level || next.release.is_some() || next.is_pending()
    });
    end.map_or(headings.len(), |next| at + 1 + next)
}
