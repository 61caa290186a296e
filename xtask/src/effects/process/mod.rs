//! External programs: found, run, supervised, and kept as workers that answer questions.

pub(crate) mod interrupt;
pub(crate) mod programs;
pub(crate) mod sandbox;
pub(crate) mod shell;
pub(crate) mod supervised;
pub(crate) mod worker;
