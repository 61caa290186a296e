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

pub use child::Run;
pub use index::{Indexes, Silence};
pub use machine::too_old_python;
pub use repo::Repo;
pub use stub::{ALWAYS, Fault, On, Stub};
pub use stubs::Stubs;
pub use tree::sha256;
pub use wrapped::{Moment, Plan, Traced, Wrapped, which};
