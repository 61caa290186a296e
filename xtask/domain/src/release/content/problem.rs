//! A fault of one built archive.

use crate::finding::{Finding, Rule, Severity};

/// A fault of one archive. The message continues a sentence whose subject is the archive.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Problem {
        Problem { rule, severity: Severity::Error, message: message.into(), hint: None }
    }

    /// A difference that may well be meant.
    pub(crate) fn note(rule: Rule, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Note, ..Problem::new(rule, message) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }

    /// The finding about the archive named `file`.
    pub(crate) fn of(self, file: &str) -> Finding {
        let finding = Finding::new(self.rule, format!("`{file}` {}", self.message));
        Finding { severity: self.severity, hint: self.hint, ..finding }
    }
}
