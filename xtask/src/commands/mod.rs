//! One file per subcommand, named as typed: read facts, plan, print, apply.

pub mod bump;
pub mod check;
pub mod embed;
pub mod graph;
pub mod new;
pub mod release;
pub mod status;
pub mod sync;
pub mod test;
