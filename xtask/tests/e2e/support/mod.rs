//! What makes a case a few lines long: fixture repositories, runs of the tool, indexes.

mod child;
mod index;
mod machine;
mod repo;
mod scratch;
mod tree;

pub use child::Run;
pub use index::{Indexes, Silence};
pub use machine::too_old_python;
pub use repo::Repo;
pub use tree::sha256;
