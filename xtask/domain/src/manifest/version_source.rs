//! Where a distribution's version is defined: a literal with its location, a tag, or neither.
//!
//! Must not know which back end keeps it where, nor what it is changed to.

use std::ops::Range;
use std::sync::Arc;

use formats::pep440::{PreReleaseKind, Version};
use toml_edit::Item;

use crate::source::SourceFile;
use crate::text::toml::{TomlFile, line_of, start};

/// Where the version is defined.
#[derive(Clone, Debug)]
pub enum DeclaredVersion {
    /// A literal in a file, the only one that counts. `span` is the text without quotes.
    Literal {
        file: Arc<str>,
        line: usize,
        span: Range<usize>,
        text: String,
        version: Version,
        spelling: Spelling,
    },
    /// Made from a tag by `tool`, which this line configures.
    FromTag { file: Arc<str>, line: usize, tool: String },
    /// Not found, or not a literal; `reason` is a sentence.
    Unknown { file: Arc<str>, line: usize, reason: String },
}

/// How the file of a literal spells versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Pep440,
    /// `1.0.0-alpha.1` for `1.0.0a1`, as npm requires.
    SemVer,
}

impl Spelling {
    /// The text of a version.
    ///
    /// # Errors
    /// A sentence, where the spelling has no form for it.
    pub fn write(self, version: &Version) -> Result<String, String> {
        match self {
            Spelling::Pep440 => Ok(version.to_string()),
            Spelling::SemVer => as_semver(version)
                .ok_or_else(|| format!("`{version}` cannot be written as a semantic version")),
        }
    }
}

/// `None` for an epoch, a post-release, a local version or a fourth number.
fn as_semver(version: &Version) -> Option<String> {
    let release = version.release();
    let expressible = version.epoch() == 0 && !version.is_post() && !version.is_local();
    if !expressible || release.len() > 3 {
        return None;
    }
    let number = |index: usize| release.get(index).copied().unwrap_or(0);
    let pre = version.pre().map(|pre| {
        let word = match pre.kind {
            PreReleaseKind::Alpha => "alpha",
            PreReleaseKind::Beta => "beta",
            PreReleaseKind::Rc => "rc",
        };
        format!("{word}.{}", pre.number)
    });
    let dev = version.dev().map(|dev| format!("dev.{dev}"));
    let suffix: Vec<String> = pre.into_iter().chain(dev).collect();
    let dash = if suffix.is_empty() { "" } else { "-" };
    Some(format!("{}.{}.{}{dash}{}", number(0), number(1), number(2), suffix.join(".")))
}

impl DeclaredVersion {
    pub fn version(&self) -> Option<&Version> {
        match self {
            DeclaredVersion::Literal { version, .. } => Some(version),
            DeclaredVersion::FromTag { .. } | DeclaredVersion::Unknown { .. } => None,
        }
    }

    /// The file and the line that define it, or that show why it is unknown.
    pub fn location(&self) -> (&str, usize) {
        match self {
            DeclaredVersion::Literal { file, line, .. }
            | DeclaredVersion::FromTag { file, line, .. }
            | DeclaredVersion::Unknown { file, line, .. } => (file, *line),
        }
    }
}

/// The literal at `span` of `file`, spelled as PEP 440 does.
pub fn literal(file: &SourceFile, span: Range<usize>) -> DeclaredVersion {
    let line = line_of(&file.text, span.start);
    literal_at(&file.path, &file.text[span.clone()], span, line)
}

/// The literal at `span` of a file that follows SemVer.
pub(crate) fn semver_literal(file: &SourceFile, span: Range<usize>) -> DeclaredVersion {
    semver(literal(file, span))
}

/// The same literal in a file that follows SemVer.
pub(crate) fn semver(mut declared: DeclaredVersion) -> DeclaredVersion {
    if let DeclaredVersion::Literal { spelling, .. } = &mut declared {
        *spelling = Spelling::SemVer;
    }
    declared
}

fn literal_at(file: &Arc<str>, text: &str, span: Range<usize>, line: usize) -> DeclaredVersion {
    match text.parse::<Version>() {
        Ok(version) => {
            let file = file.clone();
            let text = text.to_owned();
            let spelling = Spelling::Pep440;
            DeclaredVersion::Literal { file, line, span, text, version, spelling }
        }
        Err(error) => unknown(file, line, error.to_string()),
    }
}

/// A version that is not a literal; `reason` is a sentence.
pub fn unknown(file: &str, line: usize, reason: impl Into<String>) -> DeclaredVersion {
    DeclaredVersion::Unknown { file: file.into(), line, reason: reason.into() }
}

/// A version that is made from a tag by `tool`.
pub(crate) fn from_tag(file: &TomlFile, line: usize, tool: &str) -> DeclaredVersion {
    DeclaredVersion::FromTag { file: file.path.clone(), line, tool: tool.to_owned() }
}

/// A version that is a TOML string.
pub(crate) fn toml_literal(file: &TomlFile, item: &Item) -> DeclaredVersion {
    let (Some(text), Some(span)) = (item.as_str(), item.span()) else {
        return unknown(&file.path, file.line(start(item)), "the version is not a string");
    };
    let raw = &file.text()[span.clone()];
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let inside = span.start + quotes..span.end - quotes;
    if file.text()[inside.clone()] != *text {
        let reason = "the version is written with escapes";
        return unknown(&file.path, file.line(span.start), reason);
    }
    literal_at(&file.path, text, inside, file.line(span.start))
}

/// A file that holds the version and nothing else.
pub(crate) fn whole_file(source: &SourceFile) -> DeclaredVersion {
    let text = source.text.trim_start_matches('\u{feff}');
    let lead = source.text.len() - text.trim_start().len();
    literal(source, lead..lead + text.trim().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn as_semver(version: &str, expected: Option<&str>) {
        let parsed: Version = version.parse().unwrap();
        let written = Spelling::SemVer.write(&parsed).ok();
        assert_eq!(written.as_deref(), expected);
        assert!(written.is_none_or(|text| text.parse::<Version>() == Ok(parsed)), "{version}");
    }

    #[test]
    fn versions_as_npm_spells_them() {
        as_semver("1.1.0", Some("1.1.0"));
        as_semver("1.1", Some("1.1.0"));
        as_semver("1.0.0a1", Some("1.0.0-alpha.1"));
        as_semver("1.0.0rc2", Some("1.0.0-rc.2"));
        as_semver("1.0.0b1.dev3", Some("1.0.0-beta.1.dev.3"));
        as_semver("1.0.0.dev3", Some("1.0.0-dev.3"));
        for impossible in ["1!1.0.0", "1.0.0.post1", "1.0.0+local", "1.0.0.1"] {
            as_semver(impossible, None);
        }
    }
}
