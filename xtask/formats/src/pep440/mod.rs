//! Versions and version specifiers (PEP 440), read with their locations.

mod incompatible;
mod occurrences;
pub mod specifier;
mod version;

pub use incompatible::{compatible_range, next_incompatible, next_release};
pub use occurrences::occurrences;
pub use version::{NotAVersion, PreRelease, PreReleaseKind, Version};
