//! What this tool knows about distributions and releases, as pure functions.
//!
//! Nothing below this line touches a file, a process, the environment, the clock or a terminal:
//! facts come in as values, plans and findings go out as values.

pub mod bump;
pub mod check;
pub mod config;
pub mod content;
pub mod edit;
pub mod embed;
pub mod environment;
pub mod finding;
pub mod flat_layout;
pub mod globs;
pub mod graph;
pub mod history;
pub mod index_address;
pub mod insert;
pub mod ledger;
pub mod manifest;
pub mod new;
pub mod parallel;
pub mod pattern;
pub mod place;
pub mod preflight;
pub mod release;
pub mod setup_cfg;
pub mod setup_py;
pub mod shared;
pub mod tables;
pub mod tag;
pub mod template;
pub mod toml;
pub mod upload_reply;
pub mod workspace;
