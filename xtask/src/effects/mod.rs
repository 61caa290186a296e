//! Everything that touches the world: files, processes, git, Python, indexes.
//!
//! Facts are read here and handed to `domain`; the plan that comes back is carried out here.

pub mod build;
pub mod build_env;
pub mod clock;
pub mod conversation;
pub mod discover;
pub mod embed;
pub mod facts;
pub mod files;
pub mod git;
pub mod handbook;
pub mod index;
pub mod ledger;
pub mod local_index;
pub mod lock;
pub mod notes;
pub mod pip;
pub mod programs;
pub mod python;
pub mod release;
pub mod shell;
pub mod site;
pub mod smoke;
pub mod templates;
pub mod temporary;
pub mod tools;
pub mod tree;
pub mod twine;
