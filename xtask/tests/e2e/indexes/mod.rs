//! The two indexes of a release, on loopback: real ones, and stubs that can be told to fail.

mod http;
mod index;
mod stub;
mod stubs;

pub(crate) use index::{Indexes, Silence};
pub(crate) use stub::{ALWAYS, Fault, On, Stub};
pub(crate) use stubs::Stubs;
