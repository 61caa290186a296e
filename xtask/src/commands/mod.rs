//! One file per subcommand, named as typed: read facts, plan, print, apply.

pub(crate) mod bump;
pub(crate) mod check;
pub(crate) mod embed;
pub(crate) mod graph;
pub(crate) mod new;
pub(crate) mod recover;
pub(crate) mod release;
pub(crate) mod status;
pub(crate) mod sync;
pub(crate) mod test;
