//! What makes a case a few lines long: fixture repositories, runs of the tool, indexes.

mod child;
mod http;
mod index;
mod machine;
mod repo;
mod scratch;
mod stub;
mod stubs;
mod tree;
mod wrapped;

pub(crate) use child::Run;
pub(crate) use index::{Indexes, Silence};
pub(crate) use machine::too_old_python;
pub(crate) use repo::Repo;
pub(crate) use stub::{ALWAYS, Fault, On, Stub};
pub(crate) use stubs::Stubs;
pub(crate) use tree::sha256;
pub(crate) use wrapped::{Moment, Plan, Traced, Wrapped, which};
