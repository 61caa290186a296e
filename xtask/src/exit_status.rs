//! How a run ended. Scripts and CI depend on these numbers.

use std::process::{ExitCode, Termination};

/// The exit code of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Done = 0,
    /// Refused or failed, and nothing of this release is published.
    Refused = 1,
    /// Wrong usage of the command line.
    Usage = 2,
    /// Stopped while something of this release is published; the same command continues.
    Interrupted = 3,
}

impl ExitStatus {
    /// [`ExitStatus::Done`], or [`ExitStatus::Refused`].
    pub(crate) fn done_if(succeeded: bool) -> ExitStatus {
        if succeeded { ExitStatus::Done } else { ExitStatus::Refused }
    }
}

impl Termination for ExitStatus {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
