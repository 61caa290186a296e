//! Python and the tools that run in it.

pub mod build;
pub mod build_env;
pub mod interpreter;
pub mod pip;
pub mod smoke;
pub mod tools;
