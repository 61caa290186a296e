//! Everything outside this process: files, programs, git, Python, indexes.
//!
//! Facts are read here and handed to `domain`; the plan that it returns is carried out here.

pub(crate) mod clock;
pub(crate) mod fs;
pub(crate) mod index;
pub(crate) mod paths;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod release;
pub(crate) mod repository;
