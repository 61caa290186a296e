//! The life around a release: `new`, `sync`, `check`, `embed` and the workflows, by running the
//! real program on small repositories.

mod check;
mod compare;
mod documents;
mod embed;
mod new;
mod seeing;
mod shapes;
mod style;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod wheels;
#[cfg(unix)]
mod workflows;
