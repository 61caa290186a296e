//! The formats that others define, as far as a release needs them: versions, ranges, requirements,
//! Python source, changelogs, commit messages, lock files.
//!
//! Texts come in, and what they say goes out, with the places where it stands. Nothing here knows
//! what a distribution or a release is.

pub mod changelog;
pub mod commits;
pub mod lock;
pub mod modules;
pub mod name;
pub mod notes;
pub mod pep440;
pub mod python;
pub mod python_eval;
pub mod python_tokens;
pub mod range;
pub mod requirement;
pub mod specifier;
pub mod version;
