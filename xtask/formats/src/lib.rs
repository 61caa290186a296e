//! The formats that others define, as far as a release needs them: versions, requirements, Python
//! source, setup.cfg, changelogs, commit messages, lock files.
//!
//! Texts come in, their contents with locations come out. Nothing here knows what a distribution or
//! a release is.

pub mod changelog;
pub mod conventional_commits;
mod headings;
pub mod lockfile;
pub mod name;
pub mod pep440;
pub mod python;
pub mod release_notes;
pub mod requirement;
pub mod setup_cfg;
pub mod splice;
