//! Output for people: findings and errors with their hints, colour, progress, tables, prompts.

#[macro_use]
pub(crate) mod output;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod summary;
pub(crate) mod text;

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use domain::check::condensed;
use domain::finding::{Finding, Refusal, Rule, Severity};
use domain::scaffold::embed;
use domain::text::words::by_word;
use domain::workspace::Workspace;

pub(crate) use output::{in_github_actions, say};

by_word! {
    /// When to print in colour.
    #[derive(Default)]
    pub(crate) enum Color {
        /// On a terminal, unless NO_COLOR is set or the terminal is dumb.
        #[default]
        Auto = "auto",
        Always = "always",
        Never = "never",
    }
}

impl Color {
    fn is_on(self) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            // Painted text may go to either stream.
            Color::Auto => {
                std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && !terminal_is_dumb()
                    && io::stderr().is_terminal()
                    && io::stdout().is_terminal()
            }
        }
    }
}

fn terminal_is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// How much is printed on standard error beside errors and warnings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// No progress.
    Quiet,
    #[default]
    Normal,
    /// Every external command too.
    Verbose,
}

/// Colour and verbosity of this run. Output comes from everywhere, so these two are not passed on.
static SETTINGS: OnceLock<(Color, Verbosity)> = OnceLock::new();

/// Sets colour and verbosity, once and before anything is printed.
pub(crate) fn set_up(color: Color, verbosity: Verbosity) {
    // A second call changes nothing.
    let _ = SETTINGS.set((color, verbosity));
    output::set_painted(color.is_on());
}

fn settings() -> (Color, Verbosity) {
    SETTINGS.get().copied().unwrap_or_default()
}

/// Prints a line of progress on standard error, unless the run is quiet.
pub(crate) fn progress_line(line: &str) {
    if settings().1 != Verbosity::Quiet {
        eprintln!("{line}");
    }
}

/// Prints an external command on standard error before it is run, where the run is verbose.
pub(crate) fn external_command(line: &str) {
    if settings().1 == Verbosity::Verbose {
        eprintln!("{}", paint(Style::Faint, &format!("$ {line}")));
    }
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

/// Paints `text` where the output is in colour.
pub(crate) fn paint(style: Style, text: &str) -> String {
    if !settings().0.is_on() {
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

/// Prints an error on standard error: every finding of a refusal, else the chain of causes.
pub(crate) fn error(error: &anyhow::Error) {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) => findings(&refusal.0),
        None => {
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            stopped(&chain.join(": "));
        }
    }
}

/// Prints an error that no finding holds.
pub(crate) fn stopped(message: &str) {
    eprintln!("{} {message}", paint(Style::Error, "error:"));
    if in_github_actions() {
        output::command(&format!("::error::{}", output::value(message, false)));
    }
}

/// Does `work`; in a job of GitHub Actions, the log folds what it prints under `title`.
pub(crate) fn in_group<T>(title: &str, work: impl FnOnce() -> T) -> T {
    if !in_github_actions() {
        return work();
    }
    output::command(&format!("::group::{title}"));
    let result = work();
    output::command("::endgroup::");
    result
}

/// Prints what was wrong with the command line.
pub(crate) fn usage(message: &str, hint: &str) {
    eprintln!("{} {message}", paint(Style::Error, "error:"));
    eprintln!("{} {hint}", paint(Style::Hint, "hint:"));
}

/// Prints findings on standard error, each with its hint below it, many of one kind as one.
pub(crate) fn findings(findings: &[Finding]) {
    for finding in &condensed(findings) {
        let label = match finding.severity {
            Severity::Error => paint(Style::Error, "error:"),
            Severity::Warning => paint(Style::Warning, "warning:"),
            Severity::Note => paint(Style::Hint, "note:"),
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

/// Prints what `all` leaves out and why, in one line, and how it is taken in.
pub(crate) fn left_out(workspace: &Workspace) {
    let left_out = embed::excluded(workspace);
    if left_out.is_empty() {
        return;
    }
    let shown: Vec<String> = left_out.iter().map(|(path, why)| format!("{path} ({why})")).collect();
    eprintln!("{} left out: {}", paint(Style::Hint, "note:"), shown.join(", "));
    let mut manifests = workspace.distributions.iter().map(|distribution| &distribution.manifest);
    if manifests.any(|manifest| manifest.excluded.is_some() && !manifest.is_private) {
        let hint = "`private = false` in the [tool.xtask] of one includes it; `cargo xtask status --all` lists them";
        eprintln!("{} {hint}", paint(Style::Hint, "hint:"));
    }
}

/// Says which distributions are not released with all others because nothing names their version.
pub(crate) fn unnamed_versions(names: Vec<String>) {
    let Some(first) = names.first() else { return };
    let why = "left out, as their versions come from tags and none names one";
    eprintln!("{} {why}: {}", paint(Style::Hint, "note:"), names.join(", "));
    let hint = format!("`cargo xtask bump {first} 1.0.0 --commit` plans a version");
    eprintln!("{} {hint}", paint(Style::Hint, "hint:"));
}

/// Prints the workflow command that makes GitHub show a finding beside its line.
fn annotate(finding: &Finding) {
    let level = match finding.severity {
        Severity::Note => "notice",
        severity => severity.word(),
    };
    let location = finding
        .location
        .as_ref()
        .map(|at| format!(" file={},line={}", output::value(&at.file, true), at.line))
        .unwrap_or_default();
    let message = output::value(&finding.message, false);
    output::command(&format!("::{level}{location}::{message}"));
}

/// Whether there is someone to answer a prompt.
pub(crate) fn can_prompt() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that is answered with yes or no; returns whether the answer was yes. `yes` is
/// the flag of that name, which answers beforehand.
///
/// # Errors
/// Standard input is not a terminal, or cannot be read.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        let finding =
            Finding::error(Rule::Consent, "cannot prompt: standard input is not a terminal")
                .hint("pass `--yes` to skip the prompt");
        return Err(Refusal::from(finding).into());
    }
    eprint!("{question} [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}
