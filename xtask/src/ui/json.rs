//! JSON of a plan for thousands of distributions, printed item by item: as one tree it would take
//! more memory than `benches/bump.rs` allows.

use std::io::{self, Write};

use jzon::JsonValue;

/// A list of the object, under its key.
pub(crate) type List<'a> = (&'a str, &'a mut dyn Iterator<Item = JsonValue>);

/// Writes one object of lists of objects, indented by two spaces.
///
/// # Errors
/// Nothing reads `out`.
pub(crate) fn write_lists(mut out: impl Write, lists: &mut [List]) -> io::Result<()> {
    let mut before_list = "{";
    for (key, items) in lists {
        write!(out, "{before_list}\n  \"{key}\": [")?;
        let mut before_item = "\n    ";
        let mut end = "]";
        for item in items {
            // A line break within a text is escaped, so these are all between fields.
            write!(out, "{before_item}{}", item.pretty(2).replace('\n', "\n    "))?;
            before_item = ",\n    ";
            end = "\n  ]";
        }
        write!(out, "{end}")?;
        before_list = ",";
    }
    writeln!(out, "\n}}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use jzon::{array, object};

    use super::*;

    #[test]
    fn the_text_is_that_of_the_tree() {
        let item = |n: usize| object! { "n": n, "text": "a \"b\"\n ü\u{1}", "no": null };
        let mut printed = Vec::new();
        write_lists(
            &mut printed,
            &mut [
                ("one", &mut [item(3)].into_iter()),
                ("many", &mut (0..3).map(item)),
                ("none", &mut [].into_iter()),
            ],
        )
        .unwrap();
        let many: Vec<JsonValue> = (0..3).map(item).collect();
        let tree = object! { "one": array![item(3)], "many": many, "none": array![] };
        assert_eq!(String::from_utf8(printed).unwrap(), tree.pretty(2) + "\n");
    }
}
