//! What a person sees: errors with their hints, warnings, colour where a terminal wants it.

pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod summary;

use std::io::{IsTerminal, Write};

use domain::finding::{Finding, Refusal, Severity};

use crate::cli::Usage;

/// Prints a line on standard output, formatted as `println!` does. A reader who has gone (`| head`)
/// is no reason to stop: what a command is about may be half done.
macro_rules! say {
    ($($words:tt)*) => { $crate::ui::line(format_args!($($words)*)) };
}
pub(crate) use say;

/// What [`say!`] comes down to.
pub(crate) fn line(words: std::fmt::Arguments) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// How a word is set off. Without colour the words say the same.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Error,
    Warning,
    Hint,
    Good,
    Faint,
    Bold,
}

/// Paints `text` for a terminal; plain when there is none or NO_COLOR is set.
pub(crate) fn paint(style: Style, text: &str) -> String {
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

/// Both streams are looked at: what is painted may go to either of them.
fn colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::io::stderr().is_terminal()
        && std::io::stdout().is_terminal()
}

/// Whether this run is a GitHub Actions job, where findings become annotations.
pub(crate) fn in_github_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Prints an error on standard error: every finding of a refusal, or the chain of causes.
pub(crate) fn error(error: &anyhow::Error) {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => findings(&refusal.0),
        None => {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("{} {}", paint(Style::Error, "error:"), chain.join(": "));
        }
    }
}

/// Prints what was wrong with the command line.
pub(crate) fn usage(usage: &Usage) {
    eprintln!("{} {}", paint(Style::Error, "error:"), usage.message);
    eprintln!("{} {}", paint(Style::Hint, "hint:"), usage.hint);
}

/// Prints findings on standard error, each with its hint below it.
pub(crate) fn findings(findings: &[Finding]) {
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
        .location
        .as_ref()
        .map(|at| format!(" file={},line={}", at.file, at.line))
        .unwrap_or_default();
    let message = finding.message.replace('%', "%25").replace('\n', "%0A");
    eprintln!("::{level}{place}::{message}");
}

/// How wide a table is where its last column can be broken.
const WIDTH: usize = 80;

/// A table on standard output: columns as wide as their widest cell, two spaces between; the last
/// column goes on below itself where it would be wider than the page.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    say!("{}", table_lines(header, rows).join("\n"));
}

fn table_lines(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let all = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let left: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    // Names longer than this stand over the edge rather than in pieces.
    let room = WIDTH.saturating_sub(left).max(20);
    let mut lines = Vec::new();
    for row in all() {
        let Some((last, first)) = row.split_last() else { continue };
        let padded: String =
            first.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}  ")).collect();
        for (at, part) in broken(last, room).into_iter().enumerate() {
            let margin = if at == 0 { padded.clone() } else { " ".repeat(left) };
            lines.push(format!("{margin}{part}").trim_end().to_owned());
        }
    }
    lines
}

/// The words of a cell in lines of at most `room` characters, at least one line.
fn broken(cell: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in cell.split(' ') {
        let fits = |line: &String| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= room
        };
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_page() {
        let needs = (0..12).map(|n| format!("sibling-{n}")).collect::<Vec<_>>().join(", ");
        let rows = [
            vec!["a".to_owned(), "1.0".to_owned(), needs],
            vec!["b".into(), "2".into(), String::new()],
        ];
        let lines = table_lines(&["distribution", "version", "needs"], &rows);
        assert_eq!(lines[0], "distribution  version  needs");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        assert!(lines[2].starts_with("                       sibling-"), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "b             2");
    }
}
