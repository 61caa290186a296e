//! New distributions, the fields that all of them share, and the tool in another repository.

pub mod embed;
pub mod flat_layout;
pub mod new;
pub mod shared;
pub mod template;
