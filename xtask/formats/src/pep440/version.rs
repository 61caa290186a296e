//! A version under PEP 440: read in any spelling, printed in canonical form, ordered as Python's
//! `packaging` orders it.
//!
//! Our own because `pep440_rs` 0.6 puts `1.0.dev3` above `1.0a1`, and 0.7 brings syn into the
//! build. Must not know how a version is changed, nor where it is written.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A version. Equality is PEP 440's: `1.0` equals `1.0.0`.
#[derive(Clone, Debug, Default)]
pub struct Version {
    epoch: u64,
    /// Never empty.
    release: Vec<u64>,
    pre: Option<PreRelease>,
    post: Option<u64>,
    dev: Option<u64>,
    local: Vec<LocalSegment>,
}

/// The pre-release part, such as `rc1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PreRelease {
    pub kind: PreReleaseKind,
    pub number: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreReleaseKind {
    Alpha,
    Beta,
    Rc,
}

/// One part of a local version; text sorts below numbers (PEP 440, "Local version identifiers").
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LocalSegment {
    Text(String),
    Number(u64),
}

/// A text that is not a version under PEP 440, or has a number of more than 64 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAVersion(pub String);

impl fmt::Display for NotAVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` is not a version under PEP 440", self.0)
    }
}

impl std::error::Error for NotAVersion {}

impl Version {
    /// A final release of epoch 0; without segments it is `0`.
    pub fn new(release: impl IntoIterator<Item = u64>) -> Version {
        Version::default().with_release(release)
    }

    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The release segments as written, at least one.
    pub fn release(&self) -> &[u64] {
        &self.release
    }

    /// A release segment; one that is not written is 0.
    pub fn segment(&self, index: usize) -> u64 {
        self.release.get(index).copied().unwrap_or(0)
    }

    pub fn pre(&self) -> Option<PreRelease> {
        self.pre
    }

    pub fn post(&self) -> Option<u64> {
        self.post
    }

    pub fn dev(&self) -> Option<u64> {
        self.dev
    }

    /// Neither a pre-release nor a development release.
    pub fn is_final(&self) -> bool {
        !self.is_pre() && !self.is_dev()
    }

    pub fn is_pre(&self) -> bool {
        self.pre.is_some()
    }

    pub fn is_post(&self) -> bool {
        self.post.is_some()
    }

    pub fn is_dev(&self) -> bool {
        self.dev.is_some()
    }

    pub fn is_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// Whether installers take it for a pre-release: one by name, or a development release.
    pub fn any_prerelease(&self) -> bool {
        self.is_pre() || self.is_dev()
    }

    pub fn with_epoch(self, epoch: u64) -> Version {
        Version { epoch, ..self }
    }

    pub fn with_release(self, release: impl IntoIterator<Item = u64>) -> Version {
        let mut release: Vec<u64> = release.into_iter().collect();
        if release.is_empty() {
            release.push(0);
        }
        Version { release, ..self }
    }

    /// The same with exactly `count` release segments: cut off, or filled up with zeros.
    pub fn with_segments(mut self, count: usize) -> Version {
        self.release.resize(count.max(1), 0);
        self
    }

    pub fn with_pre(self, pre: Option<PreRelease>) -> Version {
        Version { pre, ..self }
    }

    pub fn with_post(self, post: Option<u64>) -> Version {
        Version { post, ..self }
    }

    pub fn with_dev(self, dev: Option<u64>) -> Version {
        Version { dev, ..self }
    }

    pub fn without_local(self) -> Version {
        Version { local: Vec::new(), ..self }
    }

    fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        if self.epoch != 0 {
            write!(out, "{}!", self.epoch)?;
        }
        for (index, segment) in self.release.iter().enumerate() {
            if index > 0 {
                out.write_char('.')?;
            }
            // Nearly all of them are one digit, and versions are printed by the thousand.
            match u8::try_from(*segment) {
                Ok(digit @ 0..=9) => out.write_char((b'0' + digit).into())?,
                _ => write!(out, "{segment}")?,
            }
        }
        if let Some(PreRelease { kind, number }) = self.pre {
            let letters = match kind {
                PreReleaseKind::Alpha => "a",
                PreReleaseKind::Beta => "b",
                PreReleaseKind::Rc => "rc",
            };
            write!(out, "{letters}{number}")?;
        }
        if let Some(number) = self.post {
            write!(out, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(out, ".dev{number}")?;
        }
        for (index, segment) in self.local.iter().enumerate() {
            out.write_char(if index == 0 { '+' } else { '.' })?;
            match segment {
                LocalSegment::Text(letters) => out.write_str(letters)?,
                LocalSegment::Number(number) => write!(out, "{number}")?,
            }
        }
        Ok(())
    }

    /// The release without zeros at its end, which do not count in comparisons.
    fn significant(&self) -> &[u64] {
        let end = self.release.iter().rposition(|segment| *segment != 0);
        &self.release[..end.map_or(0, |last| last + 1)]
    }

    /// A development release without pre or post sorts below every pre-release; one without any
    /// sorts above them.
    fn pre_key(&self) -> (u8, Option<PreRelease>) {
        match self.pre {
            Some(pre) => (1, Some(pre)),
            None if self.post.is_none() && self.dev.is_some() => (0, None),
            None => (2, None),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        // A version without a development part sorts above those with one.
        let dev_key = |version: &Version| (version.dev.is_none(), version.dev);
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| self.significant().cmp(other.significant()))
            .then_with(|| self.pre_key().cmp(&other.pre_key()))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| dev_key(self).cmp(&dev_key(other)))
            .then_with(|| self.local.cmp(&other.local))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.epoch, self.significant(), self.pre, self.post, self.dev, &self.local).hash(state);
    }
}

impl Version {
    /// The version with the zeros in front of its numbers that `written` has at the same place: like
    /// `26.08.00`, 26.12.0 is written `26.12.00`.
    pub fn padded_like(&self, written: &str) -> String {
        let text = self.to_string();
        let start = text.find('!').map_or(0, |epoch| epoch + 1);
        let end = text[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
        let end = end.map_or(text.len(), |end| start + end);
        let written = written.split_once('!').map_or(written, |(_, release)| release);
        let mut written = written.trim_start_matches(['v', 'V']).split('.');
        let numbers = text[start..end].split('.').map(|number| {
            let zeros = written.next().filter(|segment| segment.starts_with('0')).unwrap_or("");
            let width = zeros.bytes().take_while(u8::is_ascii_digit).count();
            let width = if number.is_empty() { 0 } else { width };
            format!("{number:0>width$}")
        });
        let numbers: Vec<String> = numbers.collect();
        format!("{}{}{}", &text[..start], numbers.join("."), &text[end..])
    }
}

impl fmt::Display for Version {
    /// The canonical form (PEP 440, "Normalization").
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if out.width().is_none() && out.precision().is_none() {
            return self.write(out);
        }
        let mut text = String::new();
        self.write(&mut text)?;
        out.pad(&text)
    }
}

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads every spelling that PEP 440 appendix B allows, white space around it included.
    fn from_str(text: &str) -> Result<Version, NotAVersion> {
        let lower = text.trim().to_ascii_lowercase();
        let mut rest = Rest(lower.strip_prefix('v').unwrap_or(&lower));
        rest.version().filter(|_| rest.0.is_empty()).ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

/// The rest of a text that is being read, in lower case.
struct Rest<'a>(&'a str);

const PRE: [(&str, PreReleaseKind); 8] = [
    ("alpha", PreReleaseKind::Alpha),
    ("a", PreReleaseKind::Alpha),
    ("beta", PreReleaseKind::Beta),
    ("b", PreReleaseKind::Beta),
    ("rc", PreReleaseKind::Rc),
    ("c", PreReleaseKind::Rc),
    ("preview", PreReleaseKind::Rc),
    ("pre", PreReleaseKind::Rc),
];

impl Rest<'_> {
    fn version(&mut self) -> Option<Version> {
        let mut version = Version { release: Vec::with_capacity(3), ..Version::default() };
        let mut first = self.number()?;
        if self.eat("!") {
            version.epoch = first;
            first = self.number()?;
        }
        version.release.push(first);
        while self.0.starts_with('.') && self.0[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.eat(".");
            version.release.push(self.number()?);
        }
        if self.0.is_empty() {
            return Some(version);
        }
        for (word, kind) in PRE {
            if let Some(number) = self.suffix(&[word])? {
                version.pre = Some(PreRelease { kind, number });
                break;
            }
        }
        if self.0.starts_with('-') && self.0[1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.eat("-");
            version.post = Some(self.number()?);
        } else {
            version.post = self.suffix(&["post", "rev", "r"])?;
        }
        version.dev = self.suffix(&["dev"])?;
        if self.eat("+") {
            version.local = self.0.split(['.', '-', '_']).map(local).collect::<Option<_>>()?;
            self.0 = "";
        }
        Some(version)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok()
    }

    /// `[-_.]? WORD [-_.]? NUMBER?`, where no number means 0. `Some(None)` where it is not
    /// here, `None` where its number is too large.
    fn suffix(&mut self, words: &[&str]) -> Option<Option<u64>> {
        let separators = ['-', '_', '.'];
        let word = self.0.strip_prefix(separators).unwrap_or(self.0);
        let Some(after) = words.iter().find_map(|w| word.strip_prefix(w)) else {
            return Some(None);
        };
        let digits = after.strip_prefix(separators).unwrap_or(after);
        if digits.starts_with(|c: char| c.is_ascii_digit()) {
            self.0 = digits;
            return self.number().map(Some);
        }
        // The separator is taken even without a number: `1.0a.dev1`, `1.0a.`.
        self.0 = digits;
        Some(Some(0))
    }
}

fn local(segment: &str) -> Option<LocalSegment> {
    let alphanumeric = segment.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if segment.is_empty() || !alphanumeric {
        None
    } else if segment.bytes().all(|byte| byte.is_ascii_digit()) {
        segment.parse().ok().map(LocalSegment::Number)
    } else {
        Some(LocalSegment::Text(segment.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, canonical: &str) {
        let version: Version = text.parse().unwrap();
        assert_eq!(version.to_string(), canonical);
        assert_eq!(canonical.parse::<Version>().unwrap(), version);
    }

    #[test]
    fn every_spelling_has_one_canonical_form() {
        reads("1.0", "1.0");
        reads(" V1.0-ALPHA.1 ", "1.0a1");
        reads("1.0preview", "1.0rc0");
        reads("1.0_c3", "1.0rc3");
        reads("1.0-3", "1.0.post3");
        reads("1.0rev3", "1.0.post3");
        reads("1.0r3", "1.0.post3");
        reads("1.0.DEV", "1.0.dev0");
        reads("01!2024.01.05", "1!2024.1.5");
        reads("1.0a.dev1", "1.0a0.dev1");
        reads("1.0a1.post2.dev3+ABC-01_x", "1.0a1.post2.dev3+abc.1.x");
        reads("0.63b0.dev", "0.63b0.dev0");
    }

    #[test]
    fn what_is_no_version() {
        for text in [
            "",
            "a",
            "1..0",
            "1.",
            "1.0+",
            "1.0+a..b",
            "1.0 a1",
            "1!",
            "1.0x",
            "1.0dev1a1",
            "1.0-",
            "é",
            "1.0+é",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn order_of_pep_440() {
        let ascending = [
            "1.dev0",
            "1.0.dev456",
            "1.0a1",
            "1.0a2.dev456",
            "1.0a12.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345.dev456",
            "1.0b2.post345",
            "1.0rc1.dev456",
            "1.0rc1",
            "1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456",
            "1.1.dev1",
            "1.10",
            "1!0.1",
        ];
        let versions: Vec<Version> = ascending.iter().map(|text| text.parse().unwrap()).collect();
        for (index, version) in versions.iter().enumerate() {
            for (other, above) in versions.iter().enumerate() {
                assert_eq!(version.cmp(above), index.cmp(&other), "{version} and {above}");
            }
        }
        assert_eq!("1.0".parse::<Version>().unwrap(), "1.0.0".parse().unwrap());
    }
}
