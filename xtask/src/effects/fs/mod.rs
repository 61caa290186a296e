//! Files of the repository, and folders of ours.

pub(crate) mod files;
pub(crate) mod lock;
pub(crate) mod temporary;
pub(crate) mod tree;
