//! External programs: where they are, how they run, and the one that answers questions.

pub(crate) mod programs;
pub(crate) mod shell;
pub(crate) mod worker;
