//! `check`: everything wrong with the repository that can be known offline, all at once, and
//! what of it can be mended with certainty.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use domain::check::{CheckFacts, Fix, Found, check};
use domain::finding::{Finding, Refusal, Rule, Severity};
use domain::text::edit::{Edit, splice};
use domain::workspace::Judgement;
use jzon::{JsonValue, object};

use crate::cli::CheckOptions;
use crate::effects::fs::files::{self, Changes};
use crate::effects::fs::tree::Tree;
use crate::effects::repository::discover;
use crate::ui::{self, Style, paint, say};

/// # Errors
/// A file cannot be read or written. What is wrong with the repository is printed, and exit code 1.
pub(crate) fn run(root: &Path, options: &CheckOptions) -> Result<ExitCode> {
    if options.list {
        list(options.json);
        return Ok(ExitCode::SUCCESS);
    }
    let found = if options.fix { mended(root)? } else { look(root)? };
    let errors = found.iter().filter(|found| found.finding.is_error()).count();
    if options.json {
        say!("{}", object! { "findings": found.iter().map(as_json).collect::<Vec<_>>() }.pretty(2));
    } else {
        let findings: Vec<Finding> = found.iter().map(|found| found.finding.clone()).collect();
        ui::findings(&findings);
        say!("{}", summary(errors, &found));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(root: &Path) -> Result<Vec<Found>> {
    let tree = Tree::walk(root)?;
    let workspace = match discover::judged(root, &tree, Judgement::List) {
        Ok(workspace) => workspace,
        Err(error) => {
            return Ok(error.downcast::<Refusal>()?.0.into_iter().map(Found::from).collect());
        }
    };
    Ok(tree.with_files(|files| check(CheckFacts { workspace: &workspace, files })))
}

/// Mends everything that can be, or nothing; returns what is left.
fn mended(root: &Path) -> Result<Vec<Found>> {
    let (mut found, mut made, mut told) = (look(root)?, Vec::new(), Vec::new());
    // A fix can make room for another one, as when a table becomes an array with a range.
    for _ in 0..5 {
        let (fixed, changes) = mend(root, &found)?;
        if fixed.is_empty() {
            break;
        }
        let next = files::change(root, &changes).and_then(|()| {
            made.push(changes);
            look(root)
        });
        if next.is_err() {
            made.iter().rev().try_for_each(|changes| files::undo(root, changes))?;
        }
        found = next?;
        told.extend(fixed);
    }
    told.iter().for_each(|finding| eprintln!("{} {finding}", paint(Style::Good, "mended:")));
    Ok(found)
}

/// The fixes that do not touch the same bytes, as changes of files, and what they mend.
fn mend(root: &Path, found: &[Found]) -> Result<(Vec<Finding>, Changes)> {
    let (mut mended, mut edits, mut changes) = (Vec::new(), Vec::new(), Changes::default());
    let apart = |edits: &[&Edit], edit: &Edit| {
        edits.iter().all(|other| {
            let (a, b) = (&other.span, &edit.span);
            other.file != edit.file || a.end < b.start || b.end < a.start
        })
    };
    let tree = Tree::walk(root)?;
    let text = |path: &str| {
        let source = tree.read(path).ok_or_else(|| anyhow!("cannot read {path}"))?;
        anyhow::Ok(source.text)
    };
    for (finding, fix) in
        found.iter().filter_map(|found| Some((&found.finding, found.fix.as_ref()?)))
    {
        match fix {
            Fix::Edits(new) if new.iter().all(|edit| apart(&edits, edit)) => edits.extend(new),
            Fix::Edits(_) => continue,
            Fix::Create(path) => changes.new.push((path.clone(), String::new())),
            Fix::Remove(path) => changes.gone.push((path.clone(), text(path)?.to_string())),
        }
        mended.push(finding.clone());
    }
    let mut by_file: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    edits.iter().for_each(|edit| by_file.entry(&edit.file).or_default().push(edit));
    for (path, edits) in by_file {
        let write = splice(path, text(path)?, &edits).map_err(|why| anyhow!(why))?;
        changes.writes.push(write);
    }
    Ok((mended, changes))
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
        let rules = Rule::CHECKED.map(|rule| {
            object! { "rule": rule.id(), "fixable": rule.is_fixable(), "why": rule.why() }
        });
        say!("{}", object! { "rules": rules.to_vec() }.pretty(2));
        return;
    }
    for rule in Rule::CHECKED {
        say!("{rule}{}", if rule.is_fixable() { "  (--fix)" } else { "" });
        for line in wrapped(rule.why().unwrap_or_default(), 76) {
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

fn as_json(found: &Found) -> JsonValue {
    let finding = &found.finding;
    let location = finding.location.as_ref();
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    object! {
        "severity": severity,
        "rule": finding.rule.id(),
        "file": location.map(|location| &*location.file),
        "line": location.map(|location| location.line),
        "message": finding.message.as_str(),
        "hint": finding.hint.as_deref(),
        "fixable": found.fix.is_some(),
    }
}
