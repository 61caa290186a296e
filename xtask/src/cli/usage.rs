//! Errors of clap as one sentence and one hint.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use domain::text::words::alternatives;

/// Wrong usage: what is wrong, and what to type instead.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Usage {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Usage {
        Usage { message: message.into(), hint: hint.into() }
    }

    /// Reads the context that clap attached to `error` while it parsed `arguments`.
    pub(super) fn from_clap(
        error: &clap::Error,
        grammar: &clap::Command,
        arguments: &[OsString],
    ) -> Usage {
        // Only the hint depends on it, so a directory that is called like a command does no harm.
        let command = arguments.iter().find_map(|word| grammar.find_subcommand(word));
        let command = command.map_or("cargo xtask".to_owned(), |command| {
            format!("cargo xtask {}", command.get_name())
        });
        let suggested = [ContextKind::SuggestedArg, ContextKind::SuggestedValue];
        let hint = match error.kind() {
            ErrorKind::InvalidSubcommand => match first(error, ContextKind::SuggestedSubcommand) {
                Some(name) => format!("did you mean `cargo xtask {name}`?"),
                None => "`cargo xtask --help` lists the commands".to_owned(),
            },
            ErrorKind::MissingRequiredArgument => format!("`{command} --help` shows examples"),
            _ => match suggested.into_iter().find_map(|kind| first(error, kind)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("`{command} --help` lists arguments and flags"),
            },
        };
        Usage { message: message(error), hint }
    }
}

fn message(error: &clap::Error) -> String {
    let argument = first(error, ContextKind::InvalidArg).unwrap_or_default();
    // clap adds what the argument takes: `--until <STAGE>`, `[TOPIC]`, `<NAME>`.
    let name =
        argument.split(' ').next().unwrap_or_default().trim_matches(['<', '>', '[', ']', '.']);
    let value = first(error, ContextKind::InvalidValue).unwrap_or_default();
    let expected = match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(words)), _) if !words.is_empty() => {
            format!(": expected {}", alternatives(words))
        }
        (_, Some(why)) => format!(": {why}"),
        _ => String::new(),
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = first(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("unknown command `{name}`")
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            format!("unknown flag `{argument}`")
        }
        ErrorKind::UnknownArgument => format!("unexpected argument `{argument}`"),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("missing value for `{name}`{expected}")
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("invalid value `{value}` for `{name}`{expected}")
        }
        ErrorKind::TooManyValues => format!("unexpected value `{value}` for `{name}`"),
        ErrorKind::MissingRequiredArgument => format!("missing argument `{name}`"),
        ErrorKind::ArgumentConflict => {
            let other = first(error, ContextKind::PriorArg).unwrap_or_default();
            let other = other.split(' ').next().unwrap_or_default();
            format!("`{name}` cannot be combined with `{other}`")
        }
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".to_owned(),
        // Nothing in this grammar leads to the other kinds; clap has a sentence for each of them.
        _ => error.kind().to_string(),
    }
}

/// The text of one kind of context, the first of several.
fn first(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}
