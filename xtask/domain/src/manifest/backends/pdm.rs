//! pdm-backend: `[tool.pdm.version]`, or the older `[tool.pdm] version = { from = … }`.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, string};
use crate::manifest::python_attribute::attribute;
use crate::manifest::version_source::{DeclaredVersion, from_tag, toml_literal, unknown};
use crate::text::toml::start;

/// `source = "file"` or `"scm"`; a plain string is the version itself.
pub(crate) fn version(context: &VersionContext<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return toml_literal(file, item);
    };
    let source = string(table, "source").or_else(|| string(table, "from").map(|_| "file"));
    match source {
        Some("file") => {}
        Some("scm") => return from_tag(file, at, "pdm's scm source"),
        other => {
            let source = other.unwrap_or("nothing");
            return unknown(&file.path, at, format!("the version comes from `{source}`"));
        }
    }
    let path = string(table, "path").or_else(|| string(table, "from")).unwrap_or("");
    match context.files.beside(context.dir, path) {
        Some(source) => attribute(&source, "__version__", context.files, 0),
        None => unknown(&file.path, at, format!("cannot read `{path}`")),
    }
}
