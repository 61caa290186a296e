//! How tags spell versions where that is not PEP 440's canonical form: `2026.07.0`,
//! `1.0.0-beta.1`, `1.7.0-rc5`.

use formats::pep440::{PreReleaseKind, Version};

/// The spelling of the versions in one kind of tags; canonical by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionSpelling {
    /// The width of each release number that is padded with zeros; 0 where it is not.
    widths: Vec<usize>,
    pre: Option<PreReleaseSpelling>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PreReleaseSpelling {
    /// Between the release and the word: `-`, `.`, `_` or nothing.
    before: String,
    /// `alpha` and `beta` instead of `a` and `b`.
    long: bool,
    /// Between the word and its number.
    after: String,
}

impl VersionSpelling {
    /// Reads it off versions as they are written, the newest first: for each part the newest one
    /// that shows it decides.
    pub(crate) fn of<'a>(newest_first: impl Iterator<Item = &'a str>) -> VersionSpelling {
        let mut widths: Vec<Option<usize>> = Vec::new();
        let mut pre = None;
        for text in newest_first {
            let (release, rest) = split(text);
            for (index, segment) in release.split('.').enumerate() {
                if widths.len() <= index {
                    widths.push(None);
                }
                let shown = match (segment.len(), segment.starts_with('0')) {
                    (1, false) => Some(0),
                    (2.., true) => Some(segment.len()),
                    _ => None,
                };
                widths[index] = widths[index].or(shown);
            }
            pre = pre.or_else(|| PreReleaseSpelling::of(rest));
        }
        VersionSpelling { widths: widths.into_iter().map(Option::unwrap_or_default).collect(), pre }
    }

    /// The text of a version; canonical where this spelling has no form for it.
    pub(crate) fn write(&self, version: &Version) -> String {
        let canonical = version.to_string();
        let release = version.release().iter().enumerate().map(|(index, number)| {
            let width = self.widths.get(index).copied().unwrap_or(0);
            format!("{number:0width$}")
        });
        let release = release.collect::<Vec<_>>().join(".");
        let epoch =
            if version.epoch() == 0 { String::new() } else { format!("{}!", version.epoch()) };
        let base = Version::new(version.release().iter().copied()).with_epoch(version.epoch());
        let without_pre = version.clone().with_pre(None).to_string();
        let rest = without_pre.strip_prefix(&base.to_string()).unwrap_or_default();
        let pre = match (version.pre(), &self.pre) {
            (None, _) => String::new(),
            (Some(pre), spelling) => {
                let spelling = spelling.as_ref();
                let long = spelling.is_some_and(|spelling| spelling.long);
                let word = match pre.kind {
                    PreReleaseKind::Alpha if long => "alpha",
                    PreReleaseKind::Alpha => "a",
                    PreReleaseKind::Beta if long => "beta",
                    PreReleaseKind::Beta => "b",
                    PreReleaseKind::Rc => "rc",
                };
                let before = spelling.map_or("", |spelling| &spelling.before);
                let after = spelling.map_or("", |spelling| &spelling.after);
                format!("{before}{word}{after}{}", pre.number)
            }
        };
        let written = [epoch, release, pre, rest.to_owned()].concat();
        if written.parse::<Version>().is_ok_and(|read| read == *version) {
            written
        } else {
            canonical
        }
    }
}

impl PreReleaseSpelling {
    /// Reads what is behind the release, such as `-rc.1`; `None` where it is not a pre-release.
    fn of(rest: &str) -> Option<PreReleaseSpelling> {
        let word_at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (before, word_on) = rest.split_at(word_at);
        let word_end = word_on.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word_on.len());
        let (word, number_on) = word_on.split_at(word_end);
        let after = number_on.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
        // `rc` is the same in both, so it does not tell.
        let long = match word.to_ascii_lowercase().as_str() {
            "alpha" | "beta" => true,
            "rc" | "c" => before == "-",
            "a" | "b" => false,
            _ => return None,
        };
        Some(PreReleaseSpelling { before: before.to_owned(), long, after: after.to_owned() })
    }
}

/// The release of a version as it is written, without epoch and `v`, and what is behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.split_once('!').map_or(text, |(_, text)| text);
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let mut end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    if text[..end].ends_with('.') {
        end -= 1;
    }
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(newest_first: &[&str], version: &str, expected: &str) {
        let spelling = VersionSpelling::of(newest_first.iter().copied());
        assert_eq!(spelling.write(&version.parse().unwrap()), expected);
    }

    #[test]
    fn versions_as_the_tags_spell_them() {
        check(&[], "2026.7.0rc1", "2026.7.0rc1");
        check(&["2026.07.0"], "2026.8.0", "2026.08.0");
        check(&["2026.10.0", "2026.09.1"], "2027.1.0", "2027.01.0");
        check(&["2026.7.0", "2025.09.1"], "2026.8.0", "2026.8.0");
        check(&["2026.7.1", "2025.09.01"], "2026.8.2", "2026.8.2");
        check(&["1.0.0", "1.0.0-beta.1"], "1.1.0a2", "1.1.0-alpha.2");
        check(&["v1.7.0-rc57"], "1.7.0rc58", "1.7.0-rc58");
        check(&["1.7.0.rc5"], "1.7.0rc6", "1.7.0.rc6");
        check(&["1.0rc1", "1.0-beta.1"], "1.1b1", "1.1b1");
        check(&["2026.07.0-rc.1"], "1!2026.8.0rc1.post1.dev3", "1!2026.08.0-rc.1.post1.dev3");
        check(&["0.9.8.post1"], "0.9.9.post2", "0.9.9.post2");
    }
}
