//! The version in a setup.cfg, as setuptools reads it.

use formats::setup_cfg::{entries, value};

use crate::manifest::python_attribute::module_attribute;
use crate::manifest::version_source::{DeclaredVersion, literal, unknown, whole_file};
use crate::source::{Files, SourceFile};
use crate::text::toml::line_of;

/// `[metadata] version`: a literal, `attr:` or `file:`. `None` where the key is not there.
pub(crate) fn version(source: &SourceFile, files: Files<'_>, dir: &str) -> Option<DeclaredVersion> {
    let line = value(&entries(&source.text), "metadata", "version")?;
    let at = line_of(&source.text, line.span.start);
    if let Some(attr) = line.text.strip_prefix("attr:") {
        let found = module_attribute(files, dir, attr.trim());
        return Some(found.unwrap_or_else(|reason| unknown(&source.path, at, reason)));
    }
    if let Some(path) = line.text.strip_prefix("file:") {
        let path = path.trim();
        return Some(match files.beside(dir, path) {
            Some(file) => whole_file(&file),
            None => unknown(&source.path, at, format!("cannot read `{path}`")),
        });
    }
    Some(literal(source, line.span))
}
