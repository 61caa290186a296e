//! `check`: everything wrong with the repository that can be known offline, all at once.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::CheckOptions;
use crate::domain::check::check;
use crate::domain::finding::{Finding, Refusal, Severity};
use crate::effects::discover;
use crate::ui;

/// # Errors
/// A file cannot be read. What is wrong with the repository is printed, and exit code 1.
pub fn run(root: &Path, options: &CheckOptions) -> Result<ExitCode> {
    let findings = match discover::workspace(root) {
        Ok(workspace) => check(&workspace),
        Err(error) => error.downcast::<Refusal>()?.0,
    };
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    if options.json {
        println!("{:#}", json!({ "findings": findings.iter().map(as_json).collect::<Vec<_>>() }));
    } else {
        ui::findings(&findings);
        println!("{}", summary(errors, findings.len() - errors));
    }
    Ok(if errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn summary(errors: usize, warnings: usize) -> String {
    let count =
        |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (errors, warnings) {
        (0, 0) => "nothing found".to_owned(),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

fn as_json(finding: &Finding) -> Value {
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
    })
}
