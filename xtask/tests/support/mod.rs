//! What every test binary shares: tiny real repositories, runs of the tool that end with the test,
//! case files, and snapshots that `XTASK_BLESS=1` writes.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part of it")]

pub(crate) mod case;
pub(crate) mod machine;
mod process;
mod repo;
mod scratch;
pub(crate) mod snapshot;
mod tree;

pub(crate) use process::{Process, Run, succeeds};
pub(crate) use repo::Repo;
pub(crate) use scratch::Scratch;
pub(crate) use tree::{sha256, snapshot as files_below};
