//! Where each build back end keeps the version: one file per back end, tried in a fixed order.
//!
//! A new version location is a new file here and a line in [`by_backend`], or in the back end
//! whose plugin it is. Must not run anything.

mod context;
mod flit;
mod hatch;
mod maturin;
mod nodejs;
mod pdm;
mod poetry;
mod scikit_build;
mod setuptools;
mod tag_tools;

use toml_edit::Item;

use crate::manifest::backends::context::line;
use crate::manifest::version_source::{DeclaredVersion, toml_literal, unknown};

pub(crate) use context::VersionContext;

/// Where the version is defined.
pub(crate) fn declared(context: &VersionContext<'_>) -> DeclaredVersion {
    let file = context.file;
    if let Some(item) = file.get("project.version") {
        return toml_literal(file, item);
    }
    if let Some(version) = poetry::version(context) {
        return version;
    }
    let dynamic = || file.get("project.dynamic").and_then(Item::as_array);
    let is_dynamic = dynamic().is_some_and(|d| d.iter().any(|v| v.as_str() == Some("version")));
    if file.get("project").is_some() && !is_dynamic {
        let reason = "`[project]` has neither `version` nor a dynamic `version`";
        return unknown(&file.path, line(file, "project.name"), reason);
    }
    by_backend(context).unwrap_or_else(|| setuptools::by_setup_files(context))
}

fn by_backend(context: &VersionContext<'_>) -> Option<DeclaredVersion> {
    let file = context.file;
    let backend = file.get("build-system.build-backend").and_then(Item::as_str).unwrap_or("");
    if let Some(item) = file.get("tool.hatch.version") {
        return Some(hatch::version(context, item));
    }
    if let Some(item) = file.get("tool.pdm.version") {
        return Some(pdm::version(context, item));
    }
    if let Some(item) = file.get("tool.scikit-build.metadata.version") {
        return Some(scikit_build::version(context, item));
    }
    if let Some(item) = file.get("tool.setuptools.dynamic.version") {
        return Some(setuptools::version(context, item));
    }
    if backend.starts_with("flit") {
        return Some(flit::version(context));
    }
    if backend.starts_with("maturin") {
        return Some(maturin::version(context));
    }
    tag_tools::version(context)
}
