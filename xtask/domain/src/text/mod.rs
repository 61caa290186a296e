//! Text that people keep: TOML read with places, edits spliced into it, names matched by patterns.

pub mod edit;
pub(crate) mod globs;
pub mod insert;
pub mod toml;
pub mod words;
