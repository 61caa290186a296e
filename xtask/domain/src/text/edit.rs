//! Edits of a file, and the text with all of them applied.
//!
//! Must not know why a file is edited.

use std::ops::Range;
use std::sync::Arc;

use formats::splice::Splice;

use crate::text::toml::{self, TomlFile};
use crate::text::words::by_word;

by_word! {
    /// The kind of text that an edit replaces, by the word in the JSON of `bump`.
    #[derive(PartialOrd, Ord)]
    pub enum EditKind {
        Version = "version",
        Requirement = "requirement",
        Changelog = "changelog",
        Lock = "lock",
        /// A field that all distributions share, or one that `check --fix` fixes.
        Field = "field",
    }
}

/// Bytes of a file and the text that replaces them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Relative to the root.
    pub file: Arc<str>,
    pub span: Range<usize>,
    /// Counted from 1, in the file as it was.
    pub line: usize,
    pub kind: EditKind,
    /// The distribution whose version or range it is.
    pub package: String,
    pub before: String,
    pub after: String,
}

impl Edit {
    /// The edit that makes `splice` in the text of `file`.
    pub fn new(file: Arc<str>, text: &str, splice: Splice, kind: EditKind, package: &str) -> Edit {
        Edit {
            file,
            line: toml::line_of(text, splice.span.start),
            kind,
            package: package.to_owned(),
            before: text[splice.span.clone()].to_owned(),
            span: splice.span,
            after: splice.text,
        }
    }

    /// The same for a field of a TOML file; `package` is empty for the repository's own files.
    pub fn of_field(file: &TomlFile, splice: Splice, package: &str) -> Edit {
        Edit::new(file.path.clone(), file.text(), splice, EditKind::Field, package)
    }
}

/// A file with its edits applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub path: String,
    pub before: Arc<str>,
    pub after: String,
}

/// `before` with the edits applied. The new text of a TOML file is parsed again.
///
/// # Errors
/// A sentence, where edits overlap, do not fit the text, or leave TOML that is not valid: all of
/// them are mistakes of this tool, and nothing may be written then.
pub fn splice(path: &str, before: impl Into<Arc<str>>, edits: &[&Edit]) -> Result<Write, String> {
    let before: Arc<str> = before.into();
    let mut sorted = edits.to_vec();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut after = String::with_capacity(before.len() + 64);
    let mut at = 0;
    for edit in sorted {
        let replaced = before.get(edit.span.clone());
        if edit.span.start < at || replaced != Some(edit.before.as_str()) {
            return Err(format!("{path}:{}: `{}` is not where it was", edit.line, edit.before));
        }
        after.push_str(&before[at..edit.span.start]);
        after.push_str(&edit.after);
        at = edit.span.end;
    }
    after.push_str(&before[at..]);
    if path.ends_with(".toml") {
        TomlFile::check(path, &after).map_err(|finding| finding.to_string())?;
    }
    Ok(Write { path: path.to_owned(), before, after })
}

/// The line of the first conflict marker that a merge or rebase has left in a text, counted from 1;
/// a conflict in a fenced block of Markdown is an example.
pub(crate) fn conflict(text: &str) -> Option<usize> {
    let mut is_fenced = false;
    let mut start = None;
    for (at, line) in text.lines().enumerate() {
        let fence = line.trim_start();
        is_fenced ^= fence.starts_with("```") || fence.starts_with("~~~");
        match line.get(..7) {
            Some("<<<<<<<") if !is_fenced => start = start.or(Some(at + 1)),
            Some(">>>>>>>") if start.is_some() => return start,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_of_a_merge() {
        let conflict_of = |text: &str| conflict(&text.replace('|', "\n"));
        assert_eq!(conflict_of("a|<<<<<<< HEAD|b|=======|c|>>>>>>> topic|d"), Some(2));
        assert_eq!(conflict_of("a|```|<<<<<<< HEAD|=======|>>>>>>> topic|```"), None);
        assert_eq!(conflict_of("a|=======|>>>>>>> quoted"), None);
    }

    fn edit(span: Range<usize>, before: &str, after: &str) -> Edit {
        Edit {
            file: "a.toml".into(),
            span,
            line: 1,
            kind: EditKind::Version,
            package: "a".into(),
            before: before.into(),
            after: after.into(),
        }
    }

    #[test]
    fn everything_else_stays() {
        let text = "\u{feff}a = '1' # x\r\nb = \"1\"";
        let edits = [edit(21, 22, "2"), edit(8, 9, "10")];
        let write = splice("a.toml", text, &edits.iter().collect::<Vec<_>>()).unwrap();
        assert_eq!(write.after, "\u{feff}a = '10' # x\r\nb = \"2\"");

        fn edit(start: usize, end: usize, after: &str) -> Edit {
            crate::text::edit::tests::edit(start..end, "1", after)
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let text = "a = '1'";
        for edits in [
            vec![edit(5..6, "2", "3")],
            vec![edit(5..9, "1", "3")],
            vec![edit(5..6, "1", "2"), edit(5..6, "1", "3")],
            vec![edit(5..6, "1", "'")],
            vec![edit(5..6, "1", "\n")],
            vec![edit(5..6, "1", "\u{7f}")],
        ] {
            assert!(splice("a.toml", text, &edits.iter().collect::<Vec<_>>()).is_err());
        }
        assert!(splice("a.toml", "1=1.2", &[&edit(2..3, "1", "1.")]).is_err());
        // A duplicate key, and a new one.
        assert!(splice("a.toml", "1='a'\n2='b'", &[&edit(0..1, "1", "2")]).is_err());
        assert!(splice("a.toml", "1='a'\n2='b'", &[&edit(0..1, "1", "3")]).is_ok());
    }
}
