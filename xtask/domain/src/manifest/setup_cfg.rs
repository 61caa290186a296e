//! setup.cfg: sections, keys and values with their places (the grammar of `configparser`), and
//! where setuptools looks for a version in it.

use std::ops::Range;

use crate::manifest::python_attribute::module_attribute;
use crate::manifest::version_source::{DeclaredVersion, literal, unknown, whole_file};
use crate::source::{Files, SourceFile};
use crate::text::toml::line_of;

/// One line of a value, with its bytes in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValueLine<'a> {
    pub text: &'a str,
    pub span: Range<usize>,
}

/// A key of a section with the lines of its value; comments and blank lines are left out.
#[derive(Clone, Debug)]
pub(crate) struct ConfigEntry<'a> {
    pub section: &'a str,
    /// As written.
    pub key: &'a str,
    pub lines: Vec<ValueLine<'a>>,
}

/// Every entry of the file. Never fails: what has no place in the grammar is left out.
pub(crate) fn entries(text: &str) -> Vec<ConfigEntry<'_>> {
    let mut entries: Vec<ConfigEntry<'_>> = Vec::new();
    let (mut section, mut start) = ("", 0);
    let mut open = false;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let inner = content.trim_start_matches(['\u{feff}', ' ', '\t']);
        let offset = start + (content.len() - inner.len());
        start += line.len();
        if inner.is_empty() || inner.starts_with(['#', ';']) {
            continue;
        }
        let indented = content.starts_with([' ', '\t']);
        if indented && open {
            if let Some(entry) = entries.last_mut() {
                entry.lines.extend(value_line(inner, offset));
            }
        } else if let Some(name) = inner.strip_prefix('[') {
            section = name.split(']').next().unwrap_or("").trim();
            open = false;
        } else if let Some(at) = inner.find(['=', ':']) {
            let lines = value_line(&inner[at + 1..], offset + at + 1).into_iter().collect();
            entries.push(ConfigEntry { section, key: inner[..at].trim(), lines });
            open = true;
        }
    }
    entries
}

fn value_line(text: &str, offset: usize) -> Option<ValueLine<'_>> {
    let trimmed = text.trim();
    let lead = text.len() - text.trim_start().len();
    let span = offset + lead..offset + lead + trimmed.len();
    (!trimmed.is_empty()).then_some(ValueLine { text: trimmed, span })
}

/// The value of a key that has one line.
pub(crate) fn value<'a>(
    entries: &[ConfigEntry<'a>],
    section: &str,
    key: &str,
) -> Option<ValueLine<'a>> {
    let entry = entries.iter().find(|entry| entry.section == section && entry.key == key)?;
    match entry.lines.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// `[metadata] version`: a literal, `attr:` or `file:`. `None` where the key is not there.
pub(crate) fn version(source: &SourceFile, files: Files<'_>, dir: &str) -> Option<DeclaredVersion> {
    let line = value(&entries(&source.text), "metadata", "version")?;
    let at = line_of(&source.text, line.span.start);
    if let Some(attr) = line.text.strip_prefix("attr:") {
        let found = module_attribute(files, dir, attr.trim());
        return Some(found.unwrap_or_else(|reason| unknown(&source.path, at, reason)));
    }
    if let Some(path) = line.text.strip_prefix("file:") {
        let path = path.trim();
        return Some(match files.beside(dir, path) {
            Some(file) => whole_file(&file),
            None => unknown(&source.path, at, format!("`{path}` cannot be read")),
        });
    }
    Some(literal(source, line.span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_with_their_places() {
        let text = "\u{feff}[metadata]\r\nname = x\r\nversion: 1.2.3 \r\n\r\n[options]\r\ninstall_requires =\r\n    core>=1\r\n    # why\r\n\r\n    other\r\npackages = find:\r\n";
        let entries = entries(text);
        let line = value(&entries, "metadata", "version").unwrap();
        assert_eq!((line.text, &text[line.span]), ("1.2.3", "1.2.3"));
        let requires = &entries[2];
        assert_eq!((requires.section, requires.key), ("options", "install_requires"));
        let lines: Vec<_> = requires.lines.iter().map(|line| &text[line.span.clone()]).collect();
        assert_eq!(lines, ["core>=1", "other"]);
    }
}
