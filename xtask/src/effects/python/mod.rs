//! Python and the tools that run in it.

pub(crate) mod build;
pub(crate) mod build_env;
pub(crate) mod interpreter;
pub(crate) mod pip;
pub(crate) mod smoke;
pub(crate) mod tools;
