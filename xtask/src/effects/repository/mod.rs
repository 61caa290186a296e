//! The repository itself: git, its manifests, its templates, and the tool put into another one.

pub(crate) mod discover;
pub(crate) mod embed;
pub(crate) mod git;
pub(crate) mod handbook;
pub(crate) mod templates;
