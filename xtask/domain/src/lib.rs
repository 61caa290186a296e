//! The knowledge about distributions and releases, as pure functions.
//!
//! Nothing below this line touches a file, a process, the environment, the clock or a terminal:
//! facts come in as values, plans and findings go out as values.

pub mod bump;
pub mod check;
pub mod config;
pub mod finding;
pub mod ids;
pub mod manifest;
pub mod parallel;
pub mod policy;
pub mod release;
pub mod scaffold;
pub mod source;
mod stated_exclusions;
mod stated_tags;
pub mod text;
pub mod workspace;
