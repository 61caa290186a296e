//! The links of a changelog's releases: in titles and in definitions.

use std::ops::Range;

use crate::changelog::model::ChangelogRelease;
use crate::headings::Heading;
use crate::pep440::Version;
use crate::splice::Splice;

/// A changelog and the release that is written into it.
pub(super) struct Links<'a> {
    pub(super) text: &'a str,
    pub(super) release: &'a ChangelogRelease<'a>,
    pub(super) eol: &'a str,
    pub(super) headings: &'a [Heading<'a>],
}

impl Links<'_> {
    /// The tag of the release, with the prefix that the tags in links have.
    fn tag_like(&self, prefix: &str) -> String {
        let tag = self.release.tag;
        if tag.starts_with(prefix) {
            tag.to_owned()
        } else {
            format!("{prefix}{}", self.release.to)
        }
    }

    /// The link of a new heading, where that of the release of `version` is `address`.
    pub(super) fn next_address(&self, address: &str, version: &Version) -> String {
        if let Some(compared) = Compared::read(address) {
            let end = &address[compared.end.clone()];
            if let Some(prefix) = before_version(end) {
                let to = self.tag_like(prefix);
                let dots = &address[compared.start.end..compared.end.start];
                return format!("{}{end}{dots}{to}", &address[..compared.start.start]);
            }
        }
        let old = version.to_string();
        address.replace(&old, &self.release.to.to_string())
    }

    /// `…/compare/v1.2.0...HEAD` at `offset` starts at the new tag.
    fn moved_start(&self, address: &str, offset: usize) -> Option<Splice> {
        let start = Compared::read(address)?.start;
        let prefix = before_version(&address[start.clone()])?;
        let tag = self.tag_like(prefix);
        let from = offset + start.start + prefix.len();
        Some(Splice { span: from..offset + start.end, text: tag[prefix.len()..].to_owned() })
    }

    /// The link in the title of the unreleased part.
    pub(super) fn inline_link(&self, heading: &Heading<'_>) -> Vec<Splice> {
        let moved = heading.title.split_once("](").and_then(|(text, link)| {
            let link = link.split(')').next()?;
            self.moved_start(link, heading.title_start + text.len() + 2)
        });
        moved.into_iter().collect()
    }

    /// The link definitions: that of the unreleased part starts at the new tag, and the release gets
    /// its own, like that of the release before.
    pub(super) fn links(&self) -> Vec<Splice> {
        let definitions = definitions(self.text);
        let unreleased = definitions.iter().find(|d| d.label.eq_ignore_ascii_case("unreleased"));
        let moved = unreleased.and_then(|d| self.moved_start(d.address, d.address_start));
        if let Some(old) = self.release.abandoned
            && let Some(known) = definitions.iter().find(|d| d.version().as_ref() == Some(old))
        {
            let text = known.line.replace(&old.to_string(), &self.release.to.to_string());
            let span = known.start..known.start + known.line.len();
            return moved.into_iter().chain([Splice { span, text }]).collect();
        }
        let model = self.headings.iter().filter_map(|h| h.release.as_ref()).find_map(|release| {
            definitions.iter().find(|d| d.version().as_ref() == Some(&release.version))
        });
        let to = self.release.to.to_string();
        if definitions.iter().any(|d| d.version().as_ref() == Some(self.release.to)) {
            return moved.into_iter().collect();
        }
        let label = |d: &Definition<'_>| match before_version(d.label) {
            Some(prefix) => format!("{prefix}{to}"),
            None => to.clone(),
        };
        let own = match (&moved, unreleased, model) {
            (Some(moved), Some(unreleased), _) => {
                let compared = Compared::read(unreleased.address);
                let old = compared.map_or("", |compared| &unreleased.address[compared.start]);
                let prefix = &old[..old.len() - moved.span.len()];
                let at = unreleased.address.find(old).unwrap_or(0);
                let label = model.map_or_else(|| to.clone(), label);
                let address =
                    format!("{}{old}...{}", &unreleased.address[..at], self.tag_like(prefix));
                let end = unreleased.start + unreleased.line.len();
                Splice::insert(end, format!("{}{}", self.eol, unreleased.like(&label, &address)))
            }
            (_, _, Some(model)) => {
                let version = model.version();
                let address =
                    version.map_or(String::new(), |v| self.next_address(model.address, &v));
                let text = format!("{}{}", model.like(&label(model), &address), self.eol);
                Splice::insert(model.start, text)
            }
            _ => match self.compared_address() {
                Some((label, address)) => {
                    let gap = if self.text.ends_with('\n') { 1 } else { 2 };
                    let text = format!("{}[{label}]: {address}{}", self.eol.repeat(gap), self.eol);
                    Splice::insert(self.text.len(), text)
                }
                None => return moved.into_iter().collect(),
            },
        };
        moved.into_iter().chain([own]).collect()
    }

    /// The label of a new heading and its link, where the newest release's title has one that
    /// compares tags.
    fn compared_address(&self) -> Option<(String, String)> {
        let release = |heading: &Heading<'_>| heading.release.is_some() && !heading.is_pending();
        let model = self.headings.iter().find(|heading| release(heading))?;
        let version = model.release.as_ref()?;
        let lead = model.title[..version.span.start].trim_start_matches('[');
        let address = model.title.split_once("](")?.1.split(')').next()?;
        Compared::read(address)?;
        let address = self.next_address(address, &version.version);
        Some((format!("{lead}{}", self.release.to), address))
    }
}

/// The two tags in an address that compares them.
pub(super) struct Compared {
    start: Range<usize>,
    end: Range<usize>,
}

impl Compared {
    pub(super) fn read(address: &str) -> Option<Compared> {
        let start = address.find("/compare/")? + "/compare/".len();
        let dots = start + address[start..].find("..")?;
        let end = dots + address[dots..].len() - address[dots..].trim_start_matches('.').len();
        Some(Compared { start: start..dots, end: end..address.len() })
    }
}

/// `[label]: address`, or `.. _label: address` in reStructuredText.
struct Definition<'a> {
    start: usize,
    /// Without its end.
    line: &'a str,
    label: &'a str,
    address: &'a str,
    address_start: usize,
}

impl Definition<'_> {
    fn version(&self) -> Option<Version> {
        self.label[before_version(self.label)?.len()..].parse().ok()
    }

    fn like(&self, label: &str, address: &str) -> String {
        if self.line.starts_with('[') {
            format!("[{label}]: {address}")
        } else {
            format!(".. _{label}: {address}")
        }
    }
}

fn definitions(text: &str) -> Vec<Definition<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let parts = match content.strip_prefix('[') {
            Some(rest) => rest.split_once("]: "),
            None => content.strip_prefix(".. _").and_then(|rest| rest.split_once(": ")),
        };
        if let Some((label, address)) = parts {
            let address = address.trim_start();
            let address_start = start + content.len() - address.len();
            let label = label.trim_matches('`');
            found.push(Definition { start, line: content, label, address, address_start });
        }
        start += line.len();
    }
    found
}

/// The text before the version in a tag or a label that ends with one, however that is spelled.
fn before_version(tag: &str) -> Option<&str> {
    let starts = tag.char_indices().filter(|(at, c)| {
        c.is_ascii_digit() && !tag[..*at].ends_with(|c: char| c.is_ascii_digit() || c == '.')
    });
    let mut starts = starts.map(|(at, _)| at);
    starts.find(|at| tag[*at..].parse::<Version>().is_ok()).map(|at| &tag[..at])
}
