//! New text for TOML that people maintain: a key into a table, an item into an array, a table at the
//! end, each in the style of its surroundings.
//!
//! Works on spans of the text as it is. Must not know what the keys mean.

use formats::splice::Splice;
use toml_edit::{Array, Item, Table, TableLike, Value};

use crate::text::toml::TomlFile;

/// `key = value` as a line of its own in a table that has a header: below the line of the key
/// `after`, or below the last key of the table. Both texts are TOML.
///
/// `None` where no line can be added: an inline table, or one written with dotted keys.
pub fn key(
    file: &TomlFile,
    table: &Item,
    after: Option<&str>,
    key: &str,
    value: &str,
) -> Option<Splice> {
    let table = table.as_table().filter(|table| has_header(table))?;
    let text = file.text();
    let named = after.and_then(|after| table.get(after)).and_then(own_end);
    let end = named
        .or_else(|| table.iter().filter_map(|(_, item)| own_end(item)).max())
        .or_else(|| table.span().map(|span| span.start))?;
    let at = line_end(text, end);
    let newline = newline(text);
    let line = format!("{key} = {}", value.replace('\n', newline));
    Some(if at == text.len() && !text.ends_with('\n') {
        Splice::insert(at, format!("{newline}{line}"))
    } else {
        Splice::insert(at, format!("{line}{newline}"))
    })
}

/// A whole table at the end of the file, with a blank line above it. `path` are its keys, `lines`
/// its contents.
pub fn table(file: &TomlFile, path: &[String], lines: &str) -> Splice {
    let text = file.text();
    let newline = newline(text);
    let header: Vec<String> = path.iter().map(|key| quoted(key)).collect();
    let body = format!("[{}]\n{}\n", header.join("."), lines.trim_end()).replace('\n', newline);
    let gap = match text {
        "" => String::new(),
        _ if text.ends_with('\n') => newline.to_owned(),
        _ => newline.repeat(2),
    };
    Splice::insert(text.len(), format!("{gap}{body}"))
}

/// More items for an array: behind the item at `after`, or behind the last one. A comment stays
/// with the item on its line.
pub fn items(
    file: &TomlFile,
    array: &Array,
    after: Option<usize>,
    values: &[String],
) -> Option<Vec<Splice>> {
    let text = file.text();
    let whole = array.span()?;
    let after = after.or_else(|| array.len().checked_sub(1));
    let Some(anchor) = after.and_then(|at| array.get(at)).and_then(Value::span) else {
        return Some(vec![Splice { span: whole, text: format!("[{}]", values.join(", ")) }]);
    };
    let rest = &text[anchor.end..whole.end];
    let comma = rest
        .trim_start()
        .starts_with(',')
        .then(|| anchor.end + (rest.len() - rest.trim_start().len()) + 1);
    // On one line with its neighbours: no new lines for the new ones either.
    let Some(indent) = indent(text, anchor.start) else {
        return Some(vec![Splice::insert(anchor.end, format!(", {}", values.join(", ")))]);
    };
    let separator = format!("{}{indent}", newline(text));
    let lines: Vec<String> = values.iter().map(|value| format!("{separator}{value}")).collect();
    Some(match comma {
        Some(comma) => {
            vec![Splice::insert(content_end(text, comma), format!("{},", lines.join(",")))]
        }
        None => vec![
            Splice::insert(anchor.end, ","),
            Splice::insert(content_end(text, anchor.end), lines.join(",")),
        ],
    })
}

/// A key as TOML wants it: bare where it can be.
pub fn quoted(key: &str) -> String {
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare && !key.is_empty() { key.to_owned() } else { string(key) }
}

/// A basic string with what must be escaped.
pub fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted += &format!("\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// The line ending that a text uses.
pub fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn has_header(table: &Table) -> bool {
    !table.is_dotted() && !table.is_implicit()
}

/// The end of what a key holds in its own table's lines; a sub-table with a header holds nothing
/// there, one of dotted keys does.
fn own_end(item: &Item) -> Option<usize> {
    match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(table) if table.is_dotted() => {
            table.iter().filter_map(|(_, item)| own_end(item)).max()
        }
        _ => None,
    }
}

/// The start of the line after the one that `at` is in.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// The end of the line that `at` is in, before its line ending.
fn content_end(text: &str, at: usize) -> usize {
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    at + text[at..end].trim_end().len()
}

/// The white space before `at`, where nothing else is before it on its line.
fn indent(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[start..at];
    before.trim().is_empty().then_some(before)
}

/// Whether two items say the same, however they are written.
pub fn same(a: &Item, b: &Item) -> bool {
    if let (Some(a), Some(b)) = (a.as_table_like(), b.as_table_like()) {
        return same_tables(a, b);
    }
    match (a.as_value(), b.as_value()) {
        (Some(a), Some(b)) => same_values(a, b),
        _ => false,
    }
}

fn same_tables(a: &dyn TableLike, b: &dyn TableLike) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, item)| b.get(key).is_some_and(|other| same(item, other)))
}

/// Whether two values say the same.
pub(crate) fn same_values(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Integer(a), Value::Integer(b)) => a.value() == b.value(),
        (Value::Float(a), Value::Float(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        (Value::Datetime(a), Value::Datetime(b)) => a.value() == b.value(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_values(a, b))
        }
        (Value::InlineTable(a), Value::InlineTable(b)) => same_tables(a, b),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use formats::splice::apply;

    use super::*;

    fn parse(text: &str) -> TomlFile {
        TomlFile::parse("a.toml", text.into()).unwrap()
    }

    #[track_caller]
    fn key_added(text: &str, after: Option<&str>, expected: Option<&str>) {
        let file = parse(text);
        let splice = key(&file, file.get("t").unwrap(), after, "new", "1");
        let found = splice.map(|splice| apply(text, &[splice]));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_key_in_its_table() {
        key_added("[t]\na = 1 # x\n\n[u]\n", None, Some("[t]\na = 1 # x\nnew = 1\n\n[u]\n"));
        key_added("[t]\na = 1\nb = 2\n", Some("a"), Some("[t]\na = 1\nnew = 1\nb = 2\n"));
        key_added("[t]\r\na = 1\r\n", None, Some("[t]\r\na = 1\r\nnew = 1\r\n"));
        key_added("[t]\na = 1", None, Some("[t]\na = 1\nnew = 1"));
        key_added("[t]\n[t.u]\nb = 1\n", None, Some("[t]\nnew = 1\n[t.u]\nb = 1\n"));
        key_added("t = { a = 1 }\n", None, None);
        key_added("t.a = 1\n", None, None);
        key_added("[t.u]\na = 1\n", None, None);
    }

    #[test]
    fn a_table_at_the_end() {
        let path = ["tool".to_owned(), "x y".to_owned()];
        for (text, expected) in [
            ("a = 1\n", "a = 1\n\n[tool.\"x y\"]\nb = 2\n"),
            ("a = 1", "a = 1\n\n[tool.\"x y\"]\nb = 2\n"),
            ("a = 1\r\n", "a = 1\r\n\r\n[tool.\"x y\"]\r\nb = 2\r\n"),
            ("", "[tool.\"x y\"]\nb = 2\n"),
        ] {
            assert_eq!(apply(text, &[table(&parse(text), &path, "b = 2")]), expected);
        }
    }

    #[track_caller]
    fn item_added(text: &str, after: Option<usize>, expected: &str) {
        let file = parse(text);
        let array = file.get("a").unwrap().as_array().unwrap();
        assert_eq!(apply(text, &items(&file, array, after, &["'n'".into()]).unwrap()), expected);
        parse(expected);
    }

    #[test]
    fn an_item_in_its_array() {
        item_added("a = []\n", None, "a = ['n']\n");
        item_added("a = ['x']\n", None, "a = ['x', 'n']\n");
        item_added("a = ['x', 'y', ]\n", None, "a = ['x', 'y', 'n', ]\n");
        item_added("a = ['x', 'y']\n", Some(0), "a = ['x', 'n', 'y']\n");
        item_added("a = [\n  'x', # why\n]\n", None, "a = [\n  'x', # why\n  'n',\n]\n");
        item_added("a = [\n  'x' # why\n]\n", None, "a = [\n  'x', # why\n  'n'\n]\n");
        item_added(
            "a = [\r\n\t'x',\r\n\t'y'\r\n]",
            Some(0),
            "a = [\r\n\t'x',\r\n\t'n',\r\n\t'y'\r\n]",
        );
    }

    #[test]
    fn values_are_compared_not_their_spelling() {
        let a = parse("a = [\"x\", {b = 1, c = 'd'}] # c\n");
        let b = parse("a = ['x',\n {c = \"d\", b = 0x1}]\n");
        assert!(same(a.get("a").unwrap(), b.get("a").unwrap()));
        let c = parse("a = ['x']\n");
        assert!(!same(a.get("a").unwrap(), c.get("a").unwrap()));
    }
}
