//! Versions and version specifiers (PEP 440), read with the places where they stand.

pub mod specifier;
mod version;

pub use version::{NotAVersion, PreRelease, PreReleaseKind, Version};
