//! Text that people maintain: TOML with locations, edits, words, names matched by patterns.

pub mod edit;
pub(crate) mod globs;
pub mod harmless;
pub mod insert;
pub mod toml;
pub mod words;
