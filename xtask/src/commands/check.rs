//! `check`: everything wrong with the repository that can be known offline, all at once, and
//! what of it can be mended with certainty.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::cli::CheckOptions;
use crate::domain::check::rules::RULES;
use crate::domain::check::{Facts, Fix, Found, check};
use crate::domain::edit::{Edit, splice};
use crate::domain::finding::{Finding, Refusal, Severity};
use crate::effects::tree::Tree;
use crate::effects::{discover, files};
use crate::ui::say;
use crate::ui::{self, Style, paint};

/// # Errors
/// A file cannot be read or written. What is wrong with the repository is printed, and exit code 1.
pub fn run(root: &Path, options: &CheckOptions) -> Result<ExitCode> {
    if options.list {
        list(options.json);
        return Ok(ExitCode::SUCCESS);
    }
    let mut found = look(root)?;
    if options.fix {
        // A fix can make room for another one, as when a table becomes an array with a range.
        for _ in 0..5 {
            if mend(root, &found)? == 0 {
                break;
            }
            found = look(root)?;
        }
    }
    let errors = found.iter().filter(|found| found.finding.is_error()).count();
    if options.json {
        say!("{:#}", json!({ "findings": found.iter().map(as_json).collect::<Vec<_>>() }));
    } else {
        let findings: Vec<Finding> = found.iter().map(|found| found.finding.clone()).collect();
        ui::findings(&findings);
        say!("{}", summary(errors, &found));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(root: &Path) -> Result<Vec<Found>> {
    let tree = Tree::walk(root)?;
    let workspace = match discover::survey(root, &tree) {
        Ok(workspace) => workspace,
        Err(error) => {
            return Ok(error.downcast::<Refusal>()?.0.into_iter().map(Found::from).collect());
        }
    };
    Ok(tree.with_files(|files| check(Facts { workspace: &workspace, files })))
}

/// Carries out the fixes that do not touch the same bytes; returns how many.
fn mend(root: &Path, found: &[Found]) -> Result<usize> {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut mended = 0;
    let apart = |edits: &[&Edit], edit: &Edit| {
        edits.iter().all(|other| {
            let (a, b) = (&other.span, &edit.span);
            other.file != edit.file || a.end < b.start || b.end < a.start
        })
    };
    for (finding, fix) in
        found.iter().filter_map(|found| Some((&found.finding, found.fix.as_ref()?)))
    {
        match fix {
            Fix::Edits(new) if new.iter().all(|edit| apart(&edits, edit)) => edits.extend(new),
            Fix::Edits(_) => continue,
            Fix::Create(path) => files::create_new(root, &[(path.clone(), String::new())])?,
            Fix::Remove(path) => {
                fs::remove_file(root.join(path))
                    .with_context(|| format!("cannot remove {path}"))?;
            }
        }
        mended += 1;
        eprintln!("{} {finding}", paint(Style::Good, "mended:"));
    }
    write(root, &edits)?;
    Ok(mended)
}

fn write(root: &Path, edits: &[&Edit]) -> Result<()> {
    let mut by_file: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    edits.iter().for_each(|edit| by_file.entry(&edit.file).or_default().push(edit));
    let tree = Tree::walk(root)?;
    let mut writes = Vec::new();
    for (path, edits) in by_file {
        let source = tree.read(path).ok_or_else(|| anyhow!("cannot read {path}"))?;
        match splice(path, source.text, &edits) {
            Ok(write) => writes.push(write),
            Err(why) => bail!(why),
        }
    }
    files::write_all(root, &writes)
}

fn summary(errors: usize, found: &[Found]) -> String {
    let count =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let fixable = found.iter().filter(|found| found.fix.is_some()).count();
    let fix = match fixable {
        0 => String::new(),
        _ => format!("; cargo xtask check --fix mends {fixable}"),
    };
    match (errors, found.len() - errors) {
        (0, 0) => "nothing found".to_owned(),
        (errors, warnings) => {
            format!("{}, {}{fix}", count(errors, "error"), count(warnings, "warning"))
        }
    }
}

fn list(as_json: bool) {
    if as_json {
        let rules = RULES
            .iter()
            .map(|rule| json!({ "rule": rule.name, "fixable": rule.fixable, "why": rule.why }));
        say!("{:#}", json!({ "rules": rules.collect::<Vec<_>>() }));
        return;
    }
    for rule in &RULES {
        say!("{}{}", rule.name, if rule.fixable { "  (--fix)" } else { "" });
        for line in wrapped(rule.why, 76) {
            say!("    {line}");
        }
    }
}

/// The words of a text in lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().filter(|last| last.len() + word.len() < width);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn as_json(found: &Found) -> Value {
    let finding = &found.finding;
    let (file, line) =
        finding.place.clone().map_or((None, None), |(file, line)| (Some(file), Some(line)));
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "rule": finding.rule,
        "file": file,
        "line": line,
        "message": finding.message,
        "hint": finding.hint,
        "fixable": found.fix.is_some(),
    })
}
