//! Python: interpreters, environments, and the tools that run in them.

pub(crate) mod build;
pub(crate) mod build_env;
pub(crate) mod cache;
pub(crate) mod interpreter;
pub(crate) mod pip;
pub(crate) mod smoke;
pub(crate) mod tools;
