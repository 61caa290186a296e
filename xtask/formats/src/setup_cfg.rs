//! setup.cfg: sections, keys and values with their locations (the grammar of Python's
//! `configparser`).
//!
//! Must not know which keys matter to a distribution.

use std::ops::Range;

/// One line of a value, without the white space around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueLine<'a> {
    pub text: &'a str,
    /// The bytes of `text` in the file.
    pub span: Range<usize>,
}

/// A key of a section with the lines of its value; comments and blank lines are dropped.
#[derive(Clone, Debug)]
pub struct ConfigEntry<'a> {
    pub section: &'a str,
    /// As written.
    pub key: &'a str,
    pub lines: Vec<ValueLine<'a>>,
}

/// Every entry of the file. Never fails: lines outside the grammar are skipped.
pub fn entries(text: &str) -> Vec<ConfigEntry<'_>> {
    let mut entries: Vec<ConfigEntry<'_>> = Vec::new();
    let mut section = "";
    let mut start = 0;
    // Whether an indented line continues the last entry.
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

/// The value of a key; `None` where the key is missing or its value is not exactly one line.
pub fn value<'a>(entries: &[ConfigEntry<'a>], section: &str, key: &str) -> Option<ValueLine<'a>> {
    let entry = entries.iter().find(|entry| entry.section == section && entry.key == key)?;
    let [line] = entry.lines.as_slice() else { return None };
    Some(line.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_with_their_locations() {
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
