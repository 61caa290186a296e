//! Files and folders: those of the repository, read and changed, and temporary ones.

pub(crate) mod files;
pub(crate) mod journal;
pub(crate) mod lock;
mod staged;
pub(crate) mod temporary;
pub(crate) mod tree;
