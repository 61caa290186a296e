//! Everything that touches the world: files, processes, git, Python, indexes.
//!
//! Facts are read here and handed to `domain`; the plan that comes back is carried out here.

pub mod discover;
pub mod git;
pub mod shell;
