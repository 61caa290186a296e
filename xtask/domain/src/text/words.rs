//! Words of which one is expected, on the command line and in configuration, and lists of words.

use std::fmt;

/// A word that is none of those expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWord {
    pub typed: String,
    pub expected: Vec<&'static str>,
}

impl fmt::Display for InvalidWord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "invalid value `{}`: expected {}", self.typed, alternatives(&self.expected))
    }
}

impl std::error::Error for InvalidWord {}

/// The value of `all` whose word is `typed`.
///
/// # Errors
/// [`InvalidWord`] with the words of all values.
pub(crate) fn parse<T: Copy>(
    typed: &str,
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<T, InvalidWord> {
    all.iter().copied().find(|value| word(*value) == typed).ok_or_else(|| InvalidWord {
        typed: typed.to_owned(),
        expected: all.iter().copied().map(word).collect(),
    })
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    list(&quoted, "or")
}

/// `a`, `a and b`, `a, b and c`, with `and` or another conjunction.
pub(crate) fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {conjunction} {last}", most.join(", ")),
    }
}
