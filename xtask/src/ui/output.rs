//! The edge where text leaves this program: whatever is printed is masked and made harmless here.
//!
//! A stream whose reader is gone, or a full disk, does not end a command that may be half-way through
//! its work: what cannot be written is lost.

use std::fmt::Arguments;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::release::environment;
use domain::text::harmless;

/// Prints a line on standard output, formatted as `println!` does.
macro_rules! print_line {
    ($($words:tt)*) => { $crate::ui::output::line(format_args!($($words)*)) };
}
// Under a name of its own it is not in scope unless it is imported.
pub(crate) use print_line as say;

/// Prints a line on standard error. It replaces the macro of the standard library, which panics when
/// nothing reads the stream.
macro_rules! eprintln {
    ($($words:tt)*) => { $crate::ui::output::error_line(format_args!($($words)*)) };
}

/// Prints on standard error, without a line end.
macro_rules! eprint {
    ($($words:tt)*) => { $crate::ui::output::error_text(format_args!($($words)*)) };
}

/// Whether this tool's own colours are let through.
static PAINTED: OnceLock<bool> = OnceLock::new();

/// Lets this tool's own colours through, or not; once and before anything is printed.
pub(super) fn set_painted(is_painted: bool) {
    // A second call changes nothing.
    let _ = PAINTED.set(is_painted);
}

/// Whether this run is a GitHub Actions job, where findings become annotations.
pub(crate) fn in_github_actions() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Whether the last line of this run is printed.
static IS_OVER: AtomicBool = AtomicBool::new(false);

/// Prints an error after which nothing is printed any more: other threads do not know yet.
pub(crate) fn last_line(error: &str) {
    let text = shown(format_args!("error: {error}"));
    IS_OVER.store(true, Ordering::SeqCst);
    // A live line of progress may be there, or the `^C` of the terminal.
    let wipe = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    let _ = writeln!(io::stderr(), "{wipe}{text}");
}

fn print(mut stream: impl Write, text: &str) {
    if !IS_OVER.load(Ordering::SeqCst) {
        let _ = stream.write_all(text.as_bytes());
    }
}

/// The function behind `say!`.
pub(crate) fn line(words: Arguments) {
    print(io::stdout(), &(shown(words) + "\n"));
}

/// The function behind `eprintln!`.
pub(crate) fn error_line(words: Arguments) {
    print(io::stderr(), &(shown(words) + "\n"));
}

/// The function behind `eprint!`.
pub(crate) fn error_text(words: Arguments) {
    print(io::stderr(), &shown(words));
}

/// A text as the value of a workflow command: harmless as everything that is printed, then escaped.
pub(super) fn value(text: &str, is_property: bool) -> String {
    harmless::command_value(&harmless::without_controls(&masked(text), false), is_property)
}

/// Prints a workflow command of our own, whose values are made by [`value`].
pub(super) fn command(line: &str) {
    print(io::stderr(), &format!("{line}\n"));
}

/// Moves the cursor of a terminal.
pub(super) fn control(sequence: &str) {
    print(io::stderr(), sequence);
}

/// The text without the secrets of this process's environment.
pub(super) fn masked(text: &str) -> String {
    harmless::masked(text, secrets())
}

/// The text without secrets, control characters and foreign workflow commands.
pub(super) fn shown(words: Arguments) -> String {
    let text = masked(&words.to_string());
    let text = harmless::without_controls(&text, PAINTED.get().copied().unwrap_or(true));
    if in_github_actions() { harmless::without_commands(&text) } else { text }
}

/// Every form of the secrets in this process's environment, the longest first: one may be part of
/// another.
fn secrets() -> &'static [String] {
    static SECRETS: OnceLock<Vec<String>> = OnceLock::new();
    SECRETS.get_or_init(|| {
        let user = std::env::var("TWINE_USERNAME").unwrap_or_default();
        let mut forms = Vec::new();
        for (name, value) in std::env::vars_os() {
            let value = value.to_string_lossy();
            forms.extend(harmless::forms_of_addresses(&value));
            if name.to_str().is_some_and(environment::is_masked) {
                forms.extend(harmless::forms(&value, &["__token__", "x-access-token", &user]));
            }
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_workflow_command_is_harmless() {
        assert_eq!(value("a\x1b[2J\nhttps://u:p%40w@h", false), "a\u{fffd}[2J%0Ahttps://***@h");
    }
}
