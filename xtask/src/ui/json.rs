//! JSON of many things printed one after the other: what is said of a large repository need not
//! stand in memory a second time.

use std::io::{self, Write};

use domain::parallel;
use jzon::codegen::{DumpGenerator, Generator};

/// How many items become text at a time, on one core.
const PIECE: usize = 32;

/// How many such pieces stand in memory as text.
const AT_ONCE: usize = 128;

/// Writes one object of lists, indented by two spaces.
pub(crate) struct Lists<W> {
    out: W,
    between: &'static str,
}

impl<W: Write> Lists<W> {
    pub(crate) fn new(out: W) -> Lists<W> {
        Lists { out, between: "{" }
    }

    /// Writes a list of objects, with the fields that `fields` writes of each item.
    ///
    /// # Errors
    /// Nobody takes what is written.
    pub(crate) fn list<T: Sync>(
        &mut self,
        key: &str,
        items: &[T],
        fields: impl Fn(&T, &mut Fields) -> io::Result<()> + Sync,
    ) -> io::Result<()> {
        write!(self.out, "{}\n  \"{key}\": [", self.between)?;
        let mut before = "";
        let pieces: Vec<&[T]> = items.chunks(PIECE).collect();
        for pieces in pieces.chunks(AT_ONCE) {
            for text in parallel::quick(pieces, |piece| objects(piece, &fields)) {
                self.out.write_all(before.as_bytes())?;
                self.out.write_all(text?.as_bytes())?;
                before = ",";
            }
        }
        self.between = ",";
        write!(self.out, "{}]", if items.is_empty() { "" } else { "\n  " })
    }

    /// # Errors
    /// Nobody takes what is written.
    pub(crate) fn end(mut self) -> io::Result<()> {
        writeln!(self.out, "\n}}")?;
        self.out.flush()
    }
}

fn objects<T>(
    items: &[T],
    write: impl Fn(&T, &mut Fields) -> io::Result<()>,
) -> io::Result<String> {
    let mut fields = Fields { out: DumpGenerator::new(), between: "" };
    let mut before = "\n    {";
    for item in items {
        fields.out.write(before.as_bytes())?;
        fields.between = "\n      \"";
        write(item, &mut fields)?;
        before = "\n    },\n    {";
    }
    fields.out.write(b"\n    }")?;
    Ok(fields.out.consume())
}

/// The fields of an object, written as they are named: a tree of thousands of objects costs three
/// times what printing them does.
pub(crate) struct Fields {
    out: DumpGenerator,
    between: &'static str,
}

impl Fields {
    /// # Errors
    /// None that memory does not have.
    pub(crate) fn text(&mut self, key: &str, text: &str) -> io::Result<()> {
        self.key(key)?;
        self.out.write_string(text)
    }

    /// A text or null.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn text_or_null(&mut self, key: &str, text: Option<&str>) -> io::Result<()> {
        self.key(key)?;
        match text {
            Some(text) => self.out.write_string(text),
            None => self.out.write(b"null"),
        }
    }

    /// # Errors
    /// As [`Fields::text`].
    pub(crate) fn number(&mut self, key: &str, number: usize) -> io::Result<()> {
        self.key(key)?;
        self.out.write_number(&number.into())
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        self.out.write(self.between.as_bytes())?;
        self.between = ",\n      \"";
        self.out.write(key.as_bytes())?;
        self.out.write(b"\": ")
    }
}

#[cfg(test)]
mod tests {
    use jzon::{JsonValue, array, object};

    use super::*;

    #[test]
    fn what_is_printed_is_what_the_whole_would_be() {
        let item = |at: &usize| object! { "at": *at, "text": "a \"b\"\n ü\u{1}", "no": null };
        let fields = |at: &usize, fields: &mut Fields| {
            fields.number("at", *at)?;
            fields.text("text", "a \"b\"\n ü\u{1}")?;
            fields.text_or_null("no", None)
        };
        let many: Vec<usize> = (0..2 * PIECE * AT_ONCE + 7).collect();
        let mut printed = Vec::new();
        let mut lists = Lists::new(&mut printed);
        lists.list("one", &[3], fields).unwrap();
        lists.list("many", &many, fields).unwrap();
        lists.list("none", &[], fields).unwrap();
        lists.end().unwrap();
        let many: Vec<JsonValue> = many.iter().map(item).collect();
        let whole = object! { "one": array![item(&3)], "many": many, "none": array![] };
        assert_eq!(String::from_utf8(printed).unwrap(), whole.pretty(2) + "\n");
    }
}
