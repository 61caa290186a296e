//! The effects of a release on its users: judged from the built files, from what is published, and from
//! what was found out about both. `docs/evidence.md` describes it for users.
//!
//! Must not fetch, install or run anything.

mod declared;
mod difference;
mod neighbours;
mod report;
mod settle;

pub use declared::{too_new, undeclared};
pub use difference::{Break, Details, Release, TooNew, api, differences, moved, oldest_python};
pub use neighbours::{Miss, Neighbour, oldest, published_dependent, unreleased};
pub use report::{Section, report};
pub use settle::{Need, Picks, needs, newest_of_series, settle};
