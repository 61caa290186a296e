//! JSON of many things printed one after the other: what is said of a large repository need not
//! stand in memory a second time.

use std::io::{self, Write};

use jzon::JsonValue;

use domain::parallel;

/// How many items stand in memory as text.
const AT_ONCE: usize = 4_000;

/// Writes one object of lists, indented by two spaces.
pub struct Lists<W> {
    out: W,
    between: &'static str,
}

impl<W: Write> Lists<W> {
    pub fn new(out: W) -> Lists<W> {
        Lists { out, between: "{" }
    }

    /// Writes a list, with what `json` makes of each item.
    ///
    /// # Errors
    /// Nobody takes what is written.
    pub fn list<T: Sync>(
        &mut self,
        key: &str,
        items: &[T],
        json: impl Fn(&T) -> JsonValue + Sync,
    ) -> io::Result<()> {
        write!(self.out, "{}\n  \"{key}\": [", self.between)?;
        let mut before = "\n";
        for items in items.chunks(AT_ONCE) {
            // Within a string a line end is written as `\n`: every real one is followed by space.
            let text = |item: &T| json(item).pretty(2).replace('\n', "\n    ");
            for text in parallel::quick(items, text) {
                write!(self.out, "{before}    {text}")?;
                before = ",\n";
            }
        }
        self.between = ",";
        write!(self.out, "{}]", if items.is_empty() { "" } else { "\n  " })
    }

    /// # Errors
    /// Nobody takes what is written.
    pub fn end(mut self) -> io::Result<()> {
        writeln!(self.out, "\n}}")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jzon::{array, object};

    #[test]
    fn what_is_printed_is_what_the_whole_would_be() {
        let item = |at: usize| object! { "at": at, "text": "a \"b\"\n ü", "in": array![1, "x"] };
        let mut printed = Vec::new();
        let mut lists = Lists::new(&mut printed);
        lists.list("many", &[0, 1], |at| item(*at)).unwrap();
        lists.list("none", &[], |at| item(*at)).unwrap();
        lists.end().unwrap();
        let whole = object! { "many": array![item(0), item(1)], "none": array![] };
        assert_eq!(String::from_utf8(printed).unwrap(), whole.pretty(2) + "\n");
    }
}
