//! JSON on standard output: one object in each run with `--json`, also when it is refused.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Error;
use domain::finding::{Finding, Refusal};
use jzon::{JsonValue, object};

use crate::ui::say;

/// Whether this run has printed its object.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Prints the object of this run.
pub(crate) fn print(object: &JsonValue) {
    PRINTED.store(true, Ordering::Relaxed);
    say!("{}", object.pretty(2));
}

/// Prints the object of a run that was refused, unless it has printed one: its own `lists` are empty,
/// and `findings` says why.
pub(crate) fn refused(lists: &[&str], error: &Error) {
    if PRINTED.load(Ordering::Relaxed) {
        return;
    }
    let findings: Vec<JsonValue> = match error.downcast_ref::<Refusal>() {
        Some(Refusal(findings)) => findings.iter().map(finding).collect(),
        None => vec![object! { "severity": "error", "message": format!("{error:#}") }],
    };
    let mut object = object! {};
    for list in lists {
        object[*list] = JsonValue::new_array();
    }
    object["findings"] = findings.into();
    print(&object);
}

/// A finding as every command prints it.
pub(crate) fn finding(finding: &Finding) -> JsonValue {
    let location = finding.location.as_ref();
    object! {
        "severity": finding.severity.word(),
        "rule": finding.rule.id(),
        "file": location.map(|location| &*location.file),
        "line": location.map(|location| location.line),
        "message": finding.message.as_str(),
        "hint": finding.hint.as_deref(),
    }
}

use crate::ui::output;

/// A list of the object, under its key.
pub(crate) type List<'a> = (&'a str, &'a mut dyn Iterator<Item = JsonValue>);

/// Prints the object of this run, item by item: as one tree, the plan for thousands of distributions
/// would take more memory than `benches/bump.rs` allows.
///
/// # Errors
/// Nothing reads standard output.
pub(crate) fn print_lists(lists: &mut [List]) -> io::Result<()> {
    PRINTED.store(true, Ordering::Relaxed);
    write_lists(io::BufWriter::new(io::stdout().lock()), lists)
}

/// Writes one object of lists of objects, indented by two spaces.
///
/// # Errors
/// Nothing reads `out`.
fn write_lists(mut out: impl Write, lists: &mut [List]) -> io::Result<()> {
    let mut before_list = "{";
    for (key, items) in lists {
        write!(out, "{before_list}\n  \"{key}\": [")?;
        let mut before_item = "\n    ";
        let mut end = "]";
        for item in items {
            // A line break within a text is escaped, so these are all between fields.
            let item = output::masked(&item.pretty(2)).replace('\n', "\n    ");
            write!(out, "{before_item}{item}")?;
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
    use jzon::array;

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
