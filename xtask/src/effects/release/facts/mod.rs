//! The facts that a release is judged by. Gathering them changes nothing.

mod indexes;
mod local;
pub(crate) mod tools;

pub(crate) use indexes::{IndexFacts, Served, versions};
pub(crate) use local::LocalFacts;
