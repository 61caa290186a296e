//! Files of the repository, and folders of ours.

pub mod files;
pub mod lock;
pub mod temporary;
pub mod tree;
