//! `check`: finds everything wrong with the repository that can be found offline, and fixes what can
//! be fixed with certainty.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow};
use domain::check::{CheckFacts, Fix, Found, check};
use domain::finding::{Finding, Refusal, Rule};
use domain::text::edit::{Edit, splice};
use domain::text::words::plural;
use domain::workspace::Judgement;
use jzon::{JsonValue, object};

use crate::ExitStatus;
use crate::cli::CheckOptions;
use crate::effects::fs::files::{self, Changes};
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::text::wrapped;
use crate::ui::{self, Style, json, paint, say};

/// # Errors
/// A file cannot be read or written. Errors in the repository are printed, with exit code 1.
pub(crate) fn run(root: &Path, options: &CheckOptions) -> Result<ExitStatus> {
    if options.list {
        list(options.json);
        return Ok(ExitStatus::Done);
    }
    let found = if options.fix { fixed(root)? } else { look(root)? };
    let errors = found.iter().filter(|found| found.finding.is_error()).count();
    if options.json {
        json::print(&object! { "findings": found.iter().map(as_json).collect::<Vec<_>>() });
    } else {
        let findings: Vec<Finding> = found.iter().map(|found| found.finding.clone()).collect();
        ui::findings(&findings);
        say!("{}", summary(errors, &found));
    }
    Ok(ExitStatus::done_if(errors == 0))
}

fn look(root: &Path) -> Result<Vec<Found>> {
    let tree = discover::tree(root)?;
    let workspace = match discover::judged(root, &tree, Judgement::List) {
        Ok(workspace) => workspace,
        Err(error) => {
            return Ok(error.downcast::<Refusal>()?.0.into_iter().map(Found::from).collect());
        }
    };
    Ok(tree.with_files(|files| check(CheckFacts { workspace: &workspace, files })))
}

/// Fixes everything that can be fixed, or nothing; returns the findings that are left.
fn fixed(root: &Path) -> Result<Vec<Found>> {
    let mut found = look(root)?;
    let mut made = Vec::new();
    let mut fixed = Vec::new();
    // One fix can make room for another, as when a table becomes an array with a range.
    for _ in 0..5 {
        let (findings, changes) = fixes(root, &found)?;
        if findings.is_empty() {
            break;
        }
        let next = refuse_untracked(root, &changes).and_then(|()| files::change(root, &changes));
        let next = next.and_then(|()| {
            made.push(changes);
            look(root)
        });
        if next.is_err() {
            made.iter().rev().try_for_each(|changes| files::undo(root, changes))?;
        }
        found = next?;
        fixed.extend(findings);
    }
    for finding in &fixed {
        eprintln!("{} {finding}", paint(Style::Good, "fixed:"));
    }
    Ok(found)
}

fn refuse_untracked(root: &Path, changes: &Changes) -> Result<()> {
    let Some(git) = Git::at(root) else { return Ok(()) };
    let gone = changes.gone.iter().map(|(path, _)| path);
    let paths = changes.writes.iter().map(|write| &write.path).chain(gone);
    git.refuse_untracked(&paths.cloned().collect::<Vec<_>>())
}

/// The fixes that do not touch the same bytes, as changes of files, and the findings they fix.
fn fixes(root: &Path, found: &[Found]) -> Result<(Vec<Finding>, Changes)> {
    let tree = discover::tree(root)?;
    let text = |path: &str| {
        tree.read(path).map(|source| source.text).ok_or_else(|| anyhow!("cannot read `{path}`"))
    };
    let mut fixed = Vec::new();
    let mut edits: Vec<&Edit> = Vec::new();
    let mut changes = Changes::default();
    for Found { finding, fix } in found {
        match fix {
            None => continue,
            Some(Fix::Edits(new)) => {
                if edits.iter().any(|edit| new.iter().any(|new| touch(edit, new))) {
                    continue;
                }
                edits.extend(new);
            }
            Some(Fix::Create(path)) => changes.new.push((path.clone(), String::new())),
            Some(Fix::Remove(path)) => changes.gone.push((path.clone(), text(path)?.to_string())),
        }
        fixed.push(finding.clone());
    }
    let mut by_file: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(&edit.file).or_default().push(edit);
    }
    for (path, edits) in by_file {
        let write = splice(path, text(path)?, &edits).map_err(|why| anyhow!(why))?;
        changes.writes.push(write);
    }
    Ok((fixed, changes))
}

/// Whether two edits overlap or are side by side.
fn touch(a: &Edit, b: &Edit) -> bool {
    a.file == b.file && a.span.start <= b.span.end && b.span.start <= a.span.end
}

fn summary(errors: usize, found: &[Found]) -> String {
    if found.is_empty() {
        return "nothing found".to_owned();
    }
    let warnings = found.len() - errors;
    let summary = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
    match found.iter().filter(|found| found.fix.is_some()).count() {
        0 => summary,
        fixable => format!("{summary}; `cargo xtask check --fix` fixes {fixable}"),
    }
}

fn list(as_json: bool) {
    if as_json {
        let rules = Rule::checked().map(|(rule, why)| {
            object! { "rule": rule.id(), "fixable": rule.is_fixable(), "why": why }
        });
        json::print(&object! { "rules": rules.collect::<Vec<_>>() });
        return;
    }
    for (rule, why) in Rule::checked() {
        say!("{rule}{}", if rule.is_fixable() { "  (--fix)" } else { "" });
        for line in wrapped(why, 76) {
            say!("    {line}");
        }
    }
}

fn as_json(found: &Found) -> JsonValue {
    let mut json = json::finding(&found.finding);
    json["fixable"] = found.fix.is_some().into();
    json
}
