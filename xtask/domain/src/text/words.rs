//! Words of which one is expected, on the command line and in configuration; counts and lists of
//! words, as messages show them.

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

/// Declares an enum of which each value has one word: `ALL` of them in order, `word`, `FromStr` and
/// `Display`.
#[macro_export]
macro_rules! by_word {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$doc:meta])* $value:ident = $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $($(#[$doc])* $value),* }

        impl $name {
            $vis const ALL: [$name; [$($word),*].len()] = [$($name::$value),*];

            $vis const fn word(self) -> &'static str {
                match self { $($name::$value => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::words::InvalidWord;

            fn from_str(typed: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.into_iter().find(|value| value.word() == typed);
                found.ok_or_else(|| Self::Err { typed: typed.to_owned(), expected: vec![$($word),*] })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.word())
            }
        }
    };
}

pub use by_word;

/// `` `a`, `b` or `c` ``.
pub fn alternatives(words: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
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

/// `1 commit`, `2 commits`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first five names, and how many more there are.
pub fn first_few<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::RangePolicy;

    #[test]
    fn counts_and_lists() {
        assert_eq!(plural(1, "sdist"), "1 sdist");
        assert_eq!(plural(0, "wheel"), "0 wheels");
        assert_eq!(first_few(&["a", "b"]), "`a`, `b`");
        assert_eq!(first_few(&["a"; 7]), "`a`, `a`, `a`, `a`, `a` and 2 more");
    }

    #[test]
    fn a_word_is_read_and_another_is_refused() {
        for policy in RangePolicy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!(
            "fitt".parse::<RangePolicy>().unwrap_err().to_string(),
            "invalid value `fitt`: expected `align` or `fit`"
        );
    }
}
