//! External programs: where they are, how they run, and the one that answers questions.

pub mod programs;
pub mod shell;
pub mod worker;
