//! Where a distribution's version is written: a literal with its place, a tag, or neither.
//!
//! Must not know which build backend keeps it where, nor what it is changed to.

use std::ops::Range;
use std::sync::Arc;

use formats::pep440::Version;
use toml_edit::Item;

use crate::source::SourceFile;
use crate::text::toml::{TomlFile, line_of, start};

/// Where the version stands.
#[derive(Clone, Debug)]
pub enum DeclaredVersion {
    /// A literal in a file: the one place that holds the version.
    /// `span` is the text alone, without quotes.
    Literal { file: Arc<str>, line: usize, span: Range<usize>, text: String, version: Version },
    /// Made by `tool` from a tag; the place says so.
    FromTag { file: Arc<str>, line: usize, tool: String },
    /// Not found, or not as a literal; the sentence says why.
    Unknown { file: Arc<str>, line: usize, reason: String },
}

impl DeclaredVersion {
    pub fn version(&self) -> Option<&Version> {
        match self {
            DeclaredVersion::Literal { version, .. } => Some(version),
            DeclaredVersion::FromTag { .. } | DeclaredVersion::Unknown { .. } => None,
        }
    }

    /// The file and the line that say it.
    pub fn place(&self) -> (&str, usize) {
        match self {
            DeclaredVersion::Literal { file, line, .. }
            | DeclaredVersion::FromTag { file, line, .. }
            | DeclaredVersion::Unknown { file, line, .. } => (file, *line),
        }
    }
}

/// The literal at `span` of `file`.
pub fn literal(file: &SourceFile, span: Range<usize>) -> DeclaredVersion {
    let line = line_of(&file.text, span.start);
    literal_at(&file.path, &file.text[span.clone()], span, line)
}

fn literal_at(file: &Arc<str>, text: &str, span: Range<usize>, line: usize) -> DeclaredVersion {
    match text.parse::<Version>() {
        Ok(version) => {
            let (file, text) = (file.clone(), text.to_owned());
            DeclaredVersion::Literal { file, line, span, text, version }
        }
        Err(error) => unknown(file, line, error.to_string()),
    }
}

/// No literal, and the sentence that says why.
pub fn unknown(file: &str, line: usize, reason: impl Into<String>) -> DeclaredVersion {
    DeclaredVersion::Unknown { file: file.into(), line, reason: reason.into() }
}

/// A version that is made from a tag by `tool`.
pub(crate) fn from_tag(file: &TomlFile, line: usize, tool: &str) -> DeclaredVersion {
    DeclaredVersion::FromTag { file: file.path.clone(), line, tool: tool.to_owned() }
}

/// A version that stands as a TOML string.
pub(crate) fn toml_literal(file: &TomlFile, item: &Item) -> DeclaredVersion {
    let (Some(text), Some(span)) = (item.as_str(), item.span()) else {
        return unknown(&file.path, file.line(start(item)), "the version is no string");
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
