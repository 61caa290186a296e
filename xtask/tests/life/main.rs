//! The life around a release: `new`, `sync`, `check`, `embed` and the workflows, by running the
//! real program on small repositories.

mod captured;
mod check;
mod documents;
mod embed;
mod new;
mod repository;
mod seeing;
mod shapes;
mod style;
mod sync;
mod wheels;
#[cfg(unix)]
mod workflows;
