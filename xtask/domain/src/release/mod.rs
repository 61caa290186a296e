//! What a release consists of, what has to hold before it, and what it is judged by.

pub mod content;
pub mod environment;
pub mod index_address;
pub mod ledger;
pub mod plan;
pub mod preflight;
pub mod stage;
pub mod upload_reply;
