//! Everything that touches the world: files, processes, git, Python, indexes.
//!
//! Facts are read here and handed to `domain`; the plan that comes back is carried out here.

pub mod clock;
pub mod fs;
pub mod index;
pub mod process;
pub mod python;
pub mod release;
pub mod repository;
