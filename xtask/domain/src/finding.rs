//! One thing that is wrong: what, where, why, and what to type next.

use std::fmt;

/// How much a finding weighs: an error stops, a warning is only said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

/// Something wrong, said in one sentence, with its place and advice where there is some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Short stable name of the rule, as `check --list` shows it.
    pub rule: &'static str,
    pub severity: Severity,
    /// File relative to the repository's root, and the line counted from 1.
    pub place: Option<(String, usize)>,
    pub message: String,
    pub hint: Option<String>,
}

impl Finding {
    pub fn error(rule: &'static str, message: impl Into<String>) -> Finding {
        let message = message.into();
        Finding { rule, severity: Severity::Error, place: None, message, hint: None }
    }

    pub fn warning(rule: &'static str, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(rule, message) }
    }

    pub fn into_warning(self) -> Finding {
        Finding { severity: Severity::Warning, ..self }
    }

    pub fn at(mut self, file: impl AsRef<str>, line: usize) -> Finding {
        self.place = Some((file.as_ref().to_owned(), line));
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line)) = &self.place {
            write!(f, "{file}:{line}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a command does nothing: all findings of one kind, together.
#[derive(Debug)]
pub struct Refusal(pub Vec<Finding>);

impl Refusal {
    /// `Ok` when none of the findings is an error.
    pub fn unless_clean(findings: Vec<Finding>) -> Result<(), Refusal> {
        if findings.iter().any(Finding::is_error) { Err(Refusal(findings)) } else { Ok(()) }
    }
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Refusal {
        Refusal(vec![finding])
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
