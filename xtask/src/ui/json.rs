//! JSON of many things printed one after the other: what is said of a large repository need not
//! stand in memory a second time.

use std::io::{self, Write};

use jzon::JsonValue;

/// Writes one object of lists, indented by two spaces. An item is made when it is its turn.
///
/// # Errors
/// Nobody takes what is written.
pub fn print_lists<'a>(
    out: &mut impl Write,
    lists: impl IntoIterator<Item = (&'a str, Box<dyn Iterator<Item = JsonValue> + 'a>)>,
) -> io::Result<()> {
    let mut between = "{";
    for (key, items) in lists {
        write!(out, "{between}\n  \"{key}\": [")?;
        let mut before = "\n";
        for item in items {
            // Within a string a line end is written as `\n`: every real one is followed by space.
            write!(out, "{before}    {}", item.pretty(2).replace('\n', "\n    "))?;
            before = ",\n";
        }
        write!(out, "{}]", if before == "\n" { "" } else { "\n  " })?;
        between = ",";
    }
    writeln!(out, "\n}}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jzon::{array, object};

    #[test]
    fn what_is_printed_is_what_the_whole_would_be() {
        let item = |at: usize| object! { "at": at, "text": "a \"b\"\n ü", "in": array![1, "x"] };
        let mut printed = Vec::new();
        let many: Box<dyn Iterator<Item = JsonValue>> = Box::new((0..2).map(item));
        print_lists(&mut printed, [("many", many), ("none", Box::new([].into_iter()))]).unwrap();
        let whole = object! { "many": array![item(0), item(1)], "none": array![] };
        assert_eq!(String::from_utf8(printed).unwrap(), whole.pretty(2) + "\n");
    }
}
