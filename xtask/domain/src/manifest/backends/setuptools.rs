//! setuptools: `[tool.setuptools.dynamic] version`, else setup.cfg, else setup.py.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::python_attribute::module_attribute;
use crate::manifest::version_source::{DeclaredVersion, unknown, whole_file};
use crate::manifest::{setup_cfg, setup_py};
use crate::text::toml::start;

/// `version = { attr = "pkg.__version__" }` or `{ file = "VERSION" }`.
pub(crate) fn version(context: &VersionContext<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    if let Some(attr) = item.get("attr").and_then(Item::as_str) {
        return module_attribute(context.files, context.dir, attr)
            .unwrap_or_else(|reason| unknown(&file.path, at, reason));
    }
    let named = item.get("file").map(|named| match named.as_array() {
        Some(array) if array.len() == 1 => array.get(0).and_then(|value| value.as_str()),
        Some(_) => None,
        None => named.as_str(),
    });
    let Some(path) = named.flatten() else {
        return unknown(&file.path, at, "the version is assembled from several files");
    };
    match context.files.beside(context.dir, path) {
        Some(source) => whole_file(&source),
        None => unknown(&file.path, at, format!("cannot read `{path}`")),
    }
}

/// The version of setup.cfg, else that of setup.py.
pub(crate) fn by_setup_files(context: &VersionContext<'_>) -> DeclaredVersion {
    let (files, dir) = (context.files, context.dir);
    let cfg = files.beside(dir, "setup.cfg");
    if let Some(found) = cfg.as_ref().and_then(|cfg| setup_cfg::version(cfg, files, dir)) {
        return found;
    }
    match files.beside(dir, "setup.py") {
        Some(setup) => setup_py::version::version(&setup, files, dir),
        None => {
            let file = context.file;
            let reason = "the version is dynamic, and nothing defines it";
            unknown(&file.path, line(file, "project.dynamic"), reason)
        }
    }
}
