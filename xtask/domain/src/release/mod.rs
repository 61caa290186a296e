//! A release as values: its plan, the checks before and after the build, and what is recorded.

pub mod content;
pub mod environment;
pub mod evidence;
pub mod index_address;
pub mod ledger;
pub mod plan;
pub mod preflight;
pub mod receipt;
pub mod stage;
pub mod upload_reply;
