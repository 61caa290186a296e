//! JSON objects printed as they come, indented by two spaces: the plan of a large repository need
//! not stand in memory a second time.
//!
//! Must not know what is printed.

use std::io::{self, Write};

/// A writer of one object. Every method writes the next field, but [`Json::object`] and
/// [`Json::list`], which open a nested one.
pub struct Json<W> {
    out: W,
    depth: usize,
    /// Nothing has been written at this depth.
    first: bool,
}

impl<W: Write> Json<W> {
    /// Writes one object and the end of its line.
    ///
    /// # Errors
    /// Nobody takes what is written.
    pub fn print(out: W, fields: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        let mut json = Json { out, depth: 0, first: true };
        json.nested("{", "}", fields)?;
        json.out.write_all(b"\n")?;
        json.out.flush()
    }

    /// `KEY: [{ … }, …]`, the fields of each object written by `fields`.
    pub fn objects<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        fields: impl Fn(&mut Self, T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.key(key)?;
        self.nested("[", "]", |json| {
            items.into_iter().try_for_each(|item| {
                json.next()?;
                json.nested("{", "}", |json| fields(json, item))
            })
        })
    }

    /// `KEY: { … }`.
    pub fn object(
        &mut self,
        key: &str,
        fields: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.key(key)?;
        self.nested("{", "}", fields)
    }

    /// `KEY: ["text", …]`.
    pub fn texts<T: AsRef<str>>(
        &mut self,
        key: &str,
        texts: impl IntoIterator<Item = T>,
    ) -> io::Result<()> {
        self.key(key)?;
        self.nested("[", "]", |json| {
            texts.into_iter().try_for_each(|text| {
                json.next()?;
                json.quoted(text.as_ref())
            })
        })
    }

    /// `KEY: "text"`, or `null`.
    pub fn text<'a>(&mut self, key: &str, text: impl Into<Option<&'a str>>) -> io::Result<()> {
        self.key(key)?;
        match text.into() {
            Some(text) => self.quoted(text),
            None => self.out.write_all(b"null"),
        }
    }

    /// `KEY: 3`, or `null`.
    pub fn number(&mut self, key: &str, number: impl Into<Option<usize>>) -> io::Result<()> {
        self.key(key)?;
        match number.into() {
            Some(number) => write!(self.out, "{number}"),
            None => self.out.write_all(b"null"),
        }
    }

    pub fn flag(&mut self, key: &str, flag: bool) -> io::Result<()> {
        self.key(key)?;
        write!(self.out, "{flag}")
    }

    fn nested(
        &mut self,
        open: &str,
        close: &str,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.out.write_all(open.as_bytes())?;
        self.depth += 1;
        self.first = true;
        inside(self)?;
        self.depth -= 1;
        if !self.first {
            self.new_line()?;
        }
        self.first = false;
        self.out.write_all(close.as_bytes())
    }

    fn key(&mut self, key: &str) -> io::Result<()> {
        self.next()?;
        self.quoted(key)?;
        self.out.write_all(b": ")
    }

    fn next(&mut self) -> io::Result<()> {
        if !self.first {
            self.out.write_all(b",")?;
        }
        self.first = false;
        self.new_line()
    }

    fn new_line(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| self.out.write_all(b"  "))
    }

    /// A string with what RFC 8259 wants escaped.
    fn quoted(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(b"\"")?;
        let mut rest = text;
        let escaped = |byte| byte < b' ' || byte == b'"' || byte == b'\\';
        while let Some(at) = rest.bytes().position(escaped) {
            self.out.write_all(&rest.as_bytes()[..at])?;
            match rest.as_bytes()[at] {
                byte @ (b'"' | b'\\') => self.out.write_all(&[b'\\', byte])?,
                b'\n' => self.out.write_all(b"\\n")?,
                b'\r' => self.out.write_all(b"\\r")?,
                b'\t' => self.out.write_all(b"\\t")?,
                0x08 => self.out.write_all(b"\\b")?,
                0x0c => self.out.write_all(b"\\f")?,
                byte => write!(self.out, "\\u{byte:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        self.out.write_all(rest.as_bytes())?;
        self.out.write_all(b"\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_printed_is_what_a_tree_would_print() {
        let awkward = "a \"b\" \\ \n\r\t\u{1}\u{8}\u{c} ü \u{7f}";
        let mut printed = Vec::new();
        Json::print(&mut printed, |json| {
            json.flag("flag", true)?;
            json.object("inner", |json| json.number("unknown", None))?;
            json.texts("names", [awkward, ""])?;
            json.texts("no-names", [""; 0])?;
            json.objects("none", [0; 0], |json, at| json.number("at", at))?;
            json.objects("some", [1, 2], |json, at| {
                json.number("at", at)?;
                json.text("text", awkward)
            })?;
            json.text("text", None)
        })
        .unwrap();
        let tree: Value = json!({
            "flag": true,
            "inner": { "unknown": null },
            "names": [awkward, ""],
            "no-names": [],
            "none": [],
            "some": [{ "at": 1, "text": awkward }, { "at": 2, "text": awkward }],
            "text": null,
        });
        assert_eq!(String::from_utf8(printed).unwrap(), format!("{tree:#}\n"));
    }
}
