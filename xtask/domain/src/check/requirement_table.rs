//! `[project.dependencies]`, the table, turned into the array that it has to be (PEP 621), with
//! its comments.

use formats::pep440::specifier::{self, Dialect};
use toml_edit::{Item, Value};

use crate::check::subject::Subject;
use crate::text::edit::Edit;
use crate::text::insert;
use crate::text::toml::TomlFile;

/// The edits, where every entry is a plain range; anything else is left to a person.
pub(super) fn fix(subject: &Subject) -> Option<Vec<Edit>> {
    let file = subject.toml.as_ref()?;
    let item = file.get("project.dependencies")?;
    match item {
        Item::Value(Value::InlineTable(table)) => {
            let entries: Option<Vec<String>> = table
                .iter()
                .map(|(name, value)| Some(insert::string(&requirement(name, value.as_str()?)?)))
                .collect();
            let array = format!("[{}]", entries?.join(", "));
            Some(vec![edit(subject, file, table.span()?, &array)])
        }
        Item::Table(table) if !table.is_dotted() && !table.is_implicit() => {
            let region = region(file.text(), table.span()?.start);
            let (_, body) = file.text()[region.clone()].split_once('\n')?;
            let array = array(body, table)?;
            let project = file.get("project")?;
            let added = insert::key(file, project, None, "dependencies", &array)?;
            let mut edits = vec![edit(subject, file, added.span, &added.text)];
            edits.push(edit(subject, file, region, ""));
            Some(edits)
        }
        _ => None,
    }
}

fn edit(subject: &Subject, file: &TomlFile, span: std::ops::Range<usize>, after: &str) -> Edit {
    let before = file.text()[span.clone()].to_owned();
    subject.edit(&file.path, file.line(span.start), span, (&before, after))
}

/// From the table's header to the next one, without the blank lines and comments above that.
fn region(text: &str, header: usize) -> std::ops::Range<usize> {
    let mut end = header;
    let mut at = header;
    for line in text[header..].split_inclusive('\n') {
        let content = line.trim();
        if at > header && content.starts_with('[') {
            break;
        }
        at += line.len();
        if !content.is_empty() && !content.starts_with('#') {
            end = at;
        }
    }
    header..end
}

/// The lines of the table as lines of an array. `None` where one of them is not `name = "range"`.
fn array(body: &str, table: &toml_edit::Table) -> Option<String> {
    let mut lines = vec!["[".to_owned()];
    for line in body.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            lines.push(format!("    {line}").trim_end().to_owned());
            continue;
        }
        let (key, rest) = line.split_once('=')?;
        let name = key.trim().trim_matches(['"', '\'']);
        let range = table.get(name)?.as_str()?;
        let quoted = [format!("\"{range}\""), format!("'{range}'")];
        let behind =
            quoted.iter().find_map(|quoted| rest.trim_start().strip_prefix(quoted.as_str()))?;
        let comment = if behind.is_empty() { String::new() } else { format!(" {}", behind.trim()) };
        lines.push(format!("    {},{comment}", insert::string(&requirement(name, range)?)));
    }
    lines.push("]".to_owned());
    Some(lines.join("\n"))
}

/// `name` with a range of PEP 440; Poetry's operators mean something else elsewhere.
fn requirement(name: &str, range: &str) -> Option<String> {
    if range == "*" {
        return Some(name.to_owned());
    }
    specifier::parse(range, Dialect::Pep440).ok().map(|_| format!("{name}{range}"))
}
