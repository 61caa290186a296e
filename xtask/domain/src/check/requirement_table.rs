//! `[project.dependencies]`, the table, turned into the array that it has to be (PEP 621), with
//! its comments. People write it as Poetry has it, so it is read in Poetry's dialect.

use std::ops::Range;

use formats::pep440::specifier::{self, Clause, Dialect, Op};
use formats::pep440::{next_incompatible, next_release};
use toml_edit::{Item, TableLike, Value};

use crate::check::subject::Subject;
use crate::text::edit::Edit;
use crate::text::insert;
use crate::text::toml::TomlFile;

/// The edits.
///
/// # Errors
/// The hint that names every entry that has no equivalent in an array.
pub(super) fn fix(subject: &Subject) -> Result<Vec<Edit>, String> {
    let by_hand = || "write the table as an array by hand".to_owned();
    let file = subject.toml.as_ref().ok_or_else(by_hand)?;
    let item = file.get("project.dependencies").ok_or_else(by_hand)?;
    let table = item.as_table_like().ok_or_else(by_hand)?;
    let entries = entries(file, table)?;
    match item {
        Item::Value(Value::InlineTable(table)) => {
            let all: Vec<String> = entries.into_iter().flat_map(|entry| entry.strings).collect();
            let span = table.span().ok_or_else(by_hand)?;
            Ok(vec![edit(subject, file, span, &format!("[{}]", all.join(", ")))])
        }
        Item::Table(table) => {
            let text = file.text();
            let header = table.span().filter(|_| !table.is_dotted() && !table.is_implicit());
            let regions = regions(text, header.map(|span| region(text, span.start)), &entries);
            let array = array(text, &regions, &entries);
            let project = file.get("project").ok_or_else(by_hand)?;
            let added =
                insert::key(file, project, None, "dependencies", &array).ok_or_else(by_hand)?;
            let mut edits = vec![edit(subject, file, added.span, &added.text)];
            edits.extend(regions.into_iter().map(|region| edit(subject, file, region, "")));
            Ok(edits)
        }
        _ => Err(by_hand()),
    }
}

fn edit(subject: &Subject, file: &TomlFile, span: Range<usize>, after: &str) -> Edit {
    let before = file.text()[span.clone()].to_owned();
    subject.edit(&file.path, file.line(span.start), span, (&before, after))
}

/// One key of the table.
struct Entry {
    /// The bytes of the key and its value, or of the header of a table of its own.
    span: Range<usize>,
    has_header: bool,
    /// The requirements that it becomes, as TOML strings.
    strings: Vec<String>,
}

fn entries(file: &TomlFile, table: &dyn TableLike) -> Result<Vec<Entry>, String> {
    let has_python = file.get("project.requires-python").is_some();
    let mut found = Vec::new();
    let mut obstacles = Vec::new();
    for (name, item) in table.iter() {
        let start = table.key(name).and_then(|key| key.span()).map_or(0, |span| span.start);
        let requirements = match name {
            "python" if has_python => Ok(Vec::new()),
            "python" => Err("it is `requires-python` in [project]".to_owned()),
            _ => requirements(name, item),
        };
        let own_header = item.as_table().filter(|table| !table.is_dotted());
        let span = own_header.and_then(|table| table.span());
        let end = item.span().map_or(start, |span| span.end);
        match requirements {
            Ok(requirements) => found.push(Entry {
                has_header: span.is_some(),
                span: span.unwrap_or(start..end),
                strings: requirements.iter().map(|text| insert::string(text)).collect(),
            }),
            Err(why) => obstacles.push(format!("`{name}` ({why})")),
        }
    }
    if obstacles.is_empty() {
        found.sort_by_key(|entry| entry.span.start);
        Ok(found)
    } else {
        Err(format!("rewrite by hand what has no equivalent in an array: {}", obstacles.join(", ")))
    }
}

/// From a header to the next one, without the blank lines and comments above that.
fn region(text: &str, header: usize) -> Range<usize> {
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

/// The text that is removed: the table itself, the tables of single entries, the lines of dotted keys.
fn regions(text: &str, own: Option<Range<usize>>, entries: &[Entry]) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = own.into_iter().collect();
    for Entry { span, has_header, .. } in entries {
        if *has_header {
            regions.push(region(text, span.start));
        } else if !regions.iter().any(|region| region.contains(&span.start)) {
            let start = text[..span.start].rfind('\n').map_or(0, |end| end + 1);
            let end = text[span.end..].find('\n').map_or(text.len(), |end| span.end + end + 1);
            regions.push(start..end);
        }
    }
    regions.sort_by_key(|region| region.start);
    regions.dedup();
    regions
}

/// The array with a line for each requirement, and the comments between them.
fn array(text: &str, regions: &[Range<usize>], entries: &[Entry]) -> String {
    let mut lines = vec!["[".to_owned()];
    for region in regions {
        let mut at = region.start;
        for entry in entries.iter().filter(|entry| region.contains(&entry.span.start)) {
            lines.extend(comments(&text[at..entry.span.start.max(at)]));
            at = if entry.has_header { region.end } else { entry.span.end };
            let rest = &text[at..region.end];
            let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
            let comment = line.trim().starts_with('#').then(|| format!(" {}", line.trim()));
            at += comment.as_ref().map_or(0, |_| line.len());
            for (index, string) in entry.strings.iter().enumerate() {
                let comment = comment.as_deref().filter(|_| index == 0).unwrap_or_default();
                lines.push(format!("    {string},{comment}"));
            }
        }
        lines.extend(comments(&text[at..region.end]));
    }
    lines.push("]".to_owned());
    lines.join("\n")
}

fn comments(between: &str) -> impl Iterator<Item = String> {
    let comments = between.lines().map(str::trim).filter(|line| line.starts_with('#'));
    comments.map(|line| format!("    {line}"))
}

/// The requirements (PEP 508) that an entry amounts to.
fn requirements(name: &str, item: &Item) -> Result<Vec<String>, String> {
    if let Some(range) = item.as_str() {
        return Ok(vec![format!("{name}{}", pep440(range)?)]);
    }
    if let Some(table) = item.as_table_like() {
        return Ok(vec![of_table(name, table)?]);
    }
    let alternatives = item.as_array().ok_or("neither a range nor a table")?;
    alternatives
        .iter()
        .map(|value| of_table(name, value.as_inline_table().ok_or("neither a range nor a table")?))
        .collect()
}

fn of_table(name: &str, table: &dyn TableLike) -> Result<String, String> {
    let mut range = String::new();
    let mut extras = String::new();
    let mut markers = Vec::new();
    for (key, item) in table.iter() {
        let text = item.as_str();
        match (key, text) {
            ("version", Some(text)) => range = pep440(text)?,
            ("markers", Some(text)) => markers.push(text.to_owned()),
            ("python", Some(text)) => markers.extend(marker("python_version", &pep440(text)?)),
            ("platform", Some(text)) => markers.push(format!("sys_platform == '{text}'")),
            ("optional", None) if item.as_bool() == Some(false) => {}
            ("extras", None) => {
                let names = item.as_array().ok_or("`extras` is not an array")?;
                let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
                extras = format!("[{}]", names.ok_or("`extras` has no names")?.join(","));
            }
            _ => return Err(format!("`{key}`")),
        }
    }
    if markers.len() > 1 {
        markers = markers.iter().map(|marker| format!("({marker})")).collect();
    }
    let marker =
        if markers.is_empty() { String::new() } else { format!(" ; {}", markers.join(" and ")) };
    Ok(format!("{name}{extras}{range}{marker}"))
}

/// A range as a marker that compares `variable`.
fn marker(variable: &str, range: &str) -> Option<String> {
    let compared = range.split(',').map(str::trim).filter(|clause| !clause.is_empty());
    let compared = compared.map(|clause| {
        let version = clause.trim_start_matches(['<', '>', '=', '!', '~']);
        let operator = &clause[..clause.len() - version.len()];
        format!("{variable} {operator} '{}'", version.trim())
    });
    let compared: Vec<String> = compared.collect();
    (!compared.is_empty()).then(|| compared.join(" and "))
}

/// A range under PEP 440: as it is where it is one, else what Poetry means by it.
fn pep440(range: &str) -> Result<String, String> {
    if specifier::parse(range, Dialect::Pep440).is_ok() {
        return Ok(range.to_owned());
    }
    let clauses = specifier::parse(range, Dialect::Poetry).map_err(|why| why.to_string())?;
    let clauses: Option<Vec<String>> =
        clauses.iter().map(|clause| of_poetry(range, clause)).collect();
    let clauses = clauses.ok_or_else(|| format!("a number in `{range}` is too large"))?;
    Ok(clauses.into_iter().filter(|clause| !clause.is_empty()).collect::<Vec<_>>().join(","))
}

fn of_poetry(range: &str, clause: &Clause) -> Option<String> {
    let written = &range[clause.span.clone()];
    let version = &range[clause.version_span.clone()];
    let segments = clause.version.release().len();
    let between = |next: formats::pep440::Version| {
        let next = next.with_segments(segments);
        format!(">={version},<{next}")
    };
    Some(match clause.op {
        Op::Any => String::new(),
        Op::Caret => between(next_incompatible(&clause.version)?),
        Op::Tilde => between(next_release(&clause.version, segments.min(2) - 1)?),
        Op::Equal => format!("=={version}"),
        Op::EqualPrefix => format!("=={version}.*"),
        _ => written.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(value: &str, expected: &str) {
        let file = TomlFile::parse("a.toml", format!("x = {value}\n").into()).unwrap();
        let got = requirements("x", file.get("x").unwrap());
        assert_eq!(got.map_or_else(|why| format!("! {why}"), |all| all.join(" | ")), expected);
    }

    #[test]
    fn poetry_entries_as_requirements() {
        becomes("'*'", "x");
        becomes("'>=1.2, <2'", "x>=1.2, <2");
        becomes("'^8.1'", "x>=8.1,<9.0");
        becomes("'^0.3'", "x>=0.3,<0.4");
        becomes("'^0.0.3'", "x>=0.0.3,<0.0.4");
        becomes("'^2'", "x>=2,<3");
        becomes("'~1.2.3'", "x>=1.2.3,<1.3.0");
        becomes("'~13.0'", "x>=13.0,<13.1");
        becomes("'~2'", "x>=2,<3");
        becomes("'23.1.0'", "x==23.1.0");
        becomes("'1.*'", "x==1.*");
        becomes("'>=1 <3'", "x>=1,<3");
        becomes("{version = '>=1', extras = ['a', 'b']}", "x[a,b]>=1");
        becomes(
            "{version = '^1', markers = \"os_name == 'nt'\", python = '^3.8'}",
            "x>=1,<2 ; (os_name == 'nt') and (python_version >= '3.8' and python_version < '4.0')",
        );
        becomes(
            "[{version = '1.0', python = '<3.10'}, {version = '2.0', platform = 'win32'}]",
            "x==1.0 ; python_version < '3.10' | x==2.0 ; sys_platform == 'win32'",
        );
        becomes("{path = '../x'}", "! `path`");
        becomes("{version = '1', optional = true}", "! `optional`");
        becomes("'1 || 2'", "! alternatives (`||`) have no single bound to move");
    }
}
