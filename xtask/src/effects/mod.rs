//! Everything that touches the world: files, processes, git, Python, indexes.
//!
//! Facts are read here and handed to `domain`; the plan that comes back is carried out here.

pub(crate) mod clock;
pub(crate) mod fs;
pub(crate) mod index;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod release;
pub(crate) mod repository;
