//! Reading TOML with locations: the typed keys of a table, and all errors in them at once.

use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike, TomlError};

use crate::finding::{Finding, Rule};

/// A parsed TOML file that still knows its path and its text, for `file:line` in messages.
pub struct TomlFile {
    pub path: Arc<str>,
    document: Document<Arc<str>>,
    /// Where each line but the first starts.
    breaks: Vec<usize>,
}

impl TomlFile {
    /// Takes the path to show (relative, `/`-separated) and the text. A leading byte-order mark
    /// is stepped over but counts in spans.
    ///
    /// # Errors
    /// The syntax error with its line.
    pub fn parse(path: &str, text: Arc<str>) -> Result<TomlFile, Finding> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let breaks: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
        let document = match Document::parse(text) {
            Ok(document) => document,
            Err(error) => return Err(syntax_error(path, &breaks, &error)),
        };
        Ok(TomlFile { path: path.into(), document, breaks })
    }

    /// Whether a text is TOML.
    ///
    /// # Errors
    /// As [`TomlFile::parse`].
    pub fn check(path: &str, text: &str) -> Result<(), Finding> {
        Document::parse(text).map(drop).or_else(|_| TomlFile::parse(path, text.into()).map(drop))
    }

    pub fn text(&self) -> &str {
        self.document.raw()
    }

    /// The line, counted from 1, of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        line_after(&self.breaks, offset)
    }

    /// The item under a dotted path of bare keys, such as `project.dependencies`.
    pub fn get(&self, path: &str) -> Option<&Item> {
        path.split('.').try_fold(self.document.as_item(), |item, key| item.get(key))
    }

    /// The whole document as one item.
    pub fn root(&self) -> &Item {
        self.document.as_item()
    }

    /// The item under a path of keys of any kind.
    pub fn item(&self, path: &[String]) -> Option<&Item> {
        path.iter().try_fold(self.root(), |item, key| item.get(key.as_str()))
    }

    /// The table under a dotted path, to be read key by key; absent is an empty one.
    pub fn section<'a>(&'a self, path: &str) -> TomlSection<'a> {
        let item = self.get(path);
        let table = item.and_then(Item::as_table_like);
        let misplaced = item.filter(|_| table.is_none());
        let findings = misplaced.map(|item| self.wrong_type(item, path, "a table"));
        TomlSection {
            file: self,
            path: path.to_owned(),
            table,
            known: Vec::new(),
            findings: findings.into_iter().collect(),
        }
    }

    fn wrong_type(&self, item: &Item, key: &str, wanted: &str) -> Finding {
        let found = item.type_name();
        Finding::error(
            Rule::Config,
            format!("invalid value for `{key}`: expected {wanted}, found {found}"),
        )
        .at(&self.path, self.line(start(item)))
        .hint("run `cargo xtask help configuration` for the keys and their types")
    }
}

fn syntax_error(path: &str, breaks: &[usize], error: &TomlError) -> Finding {
    let offset = error.span().map_or(0, |span| span.start);
    let message = error.message().replace('\n', ", ");
    Finding::error(Rule::TomlSyntax, format!("not valid TOML: {message}"))
        .at(path, line_after(breaks, offset))
}

fn line_after(breaks: &[usize], offset: usize) -> usize {
    1 + breaks.partition_point(|start| *start <= offset)
}

/// One configuration table. Every getter names a key that is known, and takes a value that it does
/// not understand for none; [`TomlSection::finish`] reports those values and the unknown keys.
pub struct TomlSection<'a> {
    file: &'a TomlFile,
    path: String,
    table: Option<&'a dyn TableLike>,
    known: Vec<&'static str>,
    findings: Vec<Finding>,
}

impl<'a> TomlSection<'a> {
    /// The line of a key, for messages about its value.
    pub(crate) fn line(&self, key: &str) -> usize {
        let key = self.table.and_then(|table| table.key(key));
        key.and_then(|key| key.span()).map_or(1, |span| self.file.line(span.start))
    }

    /// The line of an offset in the file.
    pub(crate) fn line_at(&self, offset: usize) -> usize {
        self.file.line(offset)
    }

    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.known.push(key);
        self.table.and_then(|table| table.get(key))
    }

    /// The value of `key` as `read` understands it; `wanted` says what it should have been.
    pub(crate) fn get<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl Fn(&'a Item) -> Option<T>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = read(item);
        if value.is_none() {
            let path = format!("{}.{key}", self.path);
            self.findings.push(self.file.wrong_type(item, &path, wanted));
        }
        value
    }

    /// Notes that the value under `key` is not what is wanted, although its type is.
    pub(crate) fn refuse(&mut self, key: &'static str, wanted: &str) {
        let _: Option<()> = self.get(key, wanted, |_| None);
    }

    pub(crate) fn string(&mut self, key: &'static str) -> Option<String> {
        self.get(key, "a string", |item| item.as_str().map(str::to_owned))
    }

    pub(crate) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.get(key, "an array of strings", strings)
    }

    /// The table below this one under `key`.
    pub(crate) fn section(&mut self, key: &'static str) -> TomlSection<'a> {
        self.known.push(key);
        self.file.section(&format!("{}.{key}", self.path))
    }

    /// One finding for every value that was not understood, and for every key that no getter
    /// has read.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        let keys = self.table.into_iter().flat_map(|table| table.iter());
        let unknown = keys.filter(|(key, _)| !self.known.contains(key));
        let unknown: Vec<Finding> = unknown.map(|(key, _)| self.unknown_key(key)).collect();
        self.findings.extend(unknown);
        self.findings
    }

    fn unknown_key(&self, key: &str) -> Finding {
        Finding::error(Rule::Config, format!("unknown key `{}.{key}`", self.path))
            .at(&self.file.path, self.line(key))
            .hint(match nearest(key, self.known.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("expected one of `{}`", self.known.join("`, `")),
            })
    }
}

/// An array of strings as a vector; `None` when it is anything else.
pub fn strings(item: &Item) -> Option<Vec<String>> {
    item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// Where an item starts, as a byte offset into the file's text.
pub fn start(item: &Item) -> usize {
    item.span().map_or(0, |span: Range<usize>| span.start)
}

/// The line, counted from 1, of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The candidate that was probably meant: at most a third of the letters differ.
pub fn nearest<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edit_distance(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters inserted, deleted, replaced, or swapped with their neighbour, in bytes: names and keys
/// are ASCII.
fn edit_distance(a: &str, b: &str) -> usize {
    let a = a.as_bytes();
    let b = b.as_bytes();
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut next = vec![i + 1];
        for j in 0..b.len() {
            let replaced = row[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_names_file_line_and_key() {
        let file = TomlFile::parse("a/pyproject.toml", "[tool.xtask]\ntag = 3\n".into()).unwrap();
        let finding = {
            let mut section = file.section("tool.xtask");
            assert_eq!(section.string("tag"), None);
            section.finish().remove(0)
        };
        assert_eq!(
            finding.to_string(),
            "a/pyproject.toml:2: invalid value for `tool.xtask.tag`: expected a string, found integer"
        );
    }

    #[test]
    fn an_unknown_key_is_reported_with_the_one_that_was_meant() {
        let file = TomlFile::parse("Cargo.toml", "[tool.xtask]\n\nsmok = {}\n".into()).unwrap();
        let mut section = file.section("tool.xtask");
        section.section("smoke");
        let findings = section.finish();
        assert_eq!(findings[0].to_string(), "Cargo.toml:3: unknown key `tool.xtask.smok`");
        assert_eq!(findings[0].hint.as_deref(), Some("did you mean `smoke`?"));
    }

    #[test]
    fn what_was_probably_meant() {
        assert_eq!(nearest("coer", ["core", "scheduler"].into_iter()), Some("core"));
        assert_eq!(nearest("shceduler", ["core", "scheduler"].into_iter()), Some("scheduler"));
        assert_eq!(nearest("xyz", ["core", "scheduler"].into_iter()), None);
    }

    #[test]
    fn a_syntax_error_has_its_line() {
        let finding = TomlFile::parse("x.toml", "a = 1\nb = [\n".into()).err().unwrap();
        assert!(finding.to_string().starts_with("x.toml:"), "{finding}");
    }
}
