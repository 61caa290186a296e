//! What a person sees: errors with their hints, warnings, colour where a terminal wants it.

pub mod progress;
pub mod summary;

use std::io::IsTerminal;

use crate::cli::Usage;
use crate::domain::finding::{Finding, Refusal, Severity};

/// How a word is set off. Without colour the words say the same.
#[derive(Clone, Copy)]
pub enum Style {
    Error,
    Warning,
    Hint,
    Good,
    Faint,
    Bold,
}

/// Paints `text` for standard error; plain when it is no terminal or NO_COLOR is set.
pub fn paint(style: Style, text: &str) -> String {
    if !colours() {
        return text.to_owned();
    }
    let code = match style {
        Style::Error => "1;31",
        Style::Warning => "1;33",
        Style::Hint => "1;36",
        Style::Good => "32",
        Style::Faint => "2",
        Style::Bold => "1",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::stderr().is_terminal()
}

/// Whether this run is a GitHub Actions job, where findings become annotations.
pub fn in_github_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Prints an error on standard error: every finding of a refusal, or the chain of causes.
pub fn error(error: &anyhow::Error) {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => findings(&refusal.0),
        None => {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("{} {}", paint(Style::Error, "error:"), chain.join(": "));
        }
    }
}

/// Prints what was wrong with the command line.
pub fn usage(usage: &Usage) {
    eprintln!("{} {}", paint(Style::Error, "error:"), usage.message);
    eprintln!("{} {}", paint(Style::Hint, "hint:"), usage.hint);
}

/// Prints findings on standard error, each with its hint below it.
pub fn findings(findings: &[Finding]) {
    for finding in findings {
        let label = match finding.severity {
            Severity::Error => paint(Style::Error, "error:"),
            Severity::Warning => paint(Style::Warning, "warning:"),
        };
        eprintln!("{label} {finding}");
        if let Some(hint) = &finding.hint {
            eprintln!("{} {hint}", paint(Style::Hint, "hint:"));
        }
        if in_github_actions() {
            annotate(finding);
        }
    }
}

/// A workflow command that GitHub shows beside the line it is about.
fn annotate(finding: &Finding) {
    let level = if finding.is_error() { "error" } else { "warning" };
    let place = finding
        .place
        .as_ref()
        .map(|(file, line)| format!(" file={file},line={line}"))
        .unwrap_or_default();
    let message = finding.message.replace('%', "%25").replace('\n', "%0A");
    eprintln!("::{level}{place}::{message}");
}

/// A table on standard output: columns as wide as their widest cell, two spaces between.
pub fn table(header: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(header.to_vec());
    rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
}
