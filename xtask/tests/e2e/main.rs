//! The tool from outside: the real binary on tiny repositories, with the real git, build, twine,
//! pip and pypiserver. Nothing here knows the inside of the crate.

mod adoption;
mod attestations;
mod builds;
mod content;
mod discovery;
mod evidence;
mod faults;
mod git;
mod graph;
mod handbook;
mod hostile;
mod indexes;
mod kills;
mod notes;
mod python;
mod refusals;
mod rehearsal;
mod release;
mod resume;
mod stops;
#[path = "../support/mod.rs"]
mod support;
mod tag_versions;
mod tested;
mod wrapped;
