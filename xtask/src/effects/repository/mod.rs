//! The repository itself: git, its manifests, its templates, and the tool put into another one.

pub mod discover;
pub mod embed;
pub mod git;
pub mod handbook;
pub mod templates;
