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
        let expected: Vec<String> = self.expected.iter().map(|word| format!("`{word}`")).collect();
        write!(out, "invalid value `{}`: expected {}", self.typed, list(&expected, "or"))
    }
}

impl std::error::Error for InvalidWord {}

/// `FromStr` and `Display` for an enum by its words: it has a list `ALL`, and `word` of each value.
macro_rules! by_word {
    ($name:ty) => {
        impl std::str::FromStr for $name {
            type Err = $crate::text::words::InvalidWord;

            fn from_str(typed: &str) -> Result<Self, Self::Err> {
                Self::ALL.into_iter().find(|value| value.word() == typed).ok_or_else(|| {
                    let expected = Self::ALL.map(Self::word).to_vec();
                    Self::Err { typed: typed.to_owned(), expected }
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.word())
            }
        }
    };
}

pub(crate) use by_word;

/// `a`, `a and b`, `a, b and c`, with `and` or another conjunction.
pub(crate) fn list(items: &[String], conjunction: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {conjunction} {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::RangePolicy;

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
