//! hatchling: `[tool.hatch.version]`.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, string};
use crate::manifest::backends::nodejs;
use crate::manifest::python_attribute::attribute;
use crate::manifest::version_regex;
use crate::manifest::version_source::{DeclaredVersion, from_tag, unknown};
use crate::text::toml::start;

/// `[tool.hatch.version]`: `path` and `pattern`, or a `source` plugin.
pub(crate) fn version(context: &VersionContext<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return unknown(&file.path, at, "`tool.hatch.version` is not a table");
    };
    match string(table, "source").unwrap_or("regex") {
        "vcs" => return from_tag(file, at, "hatch-vcs"),
        source if source.contains("dynamic") || source.contains("versioningit") => {
            return from_tag(file, at, source);
        }
        "regex" | "regex_commit" | "code" => {}
        "nodejs" => return nodejs::version(context, table, at),
        source => return unknown(&file.path, at, format!("the version comes from `{source}`")),
    }
    let Some(path) = string(table, "path") else {
        return unknown(&file.path, at, "`tool.hatch.version` has no `path`");
    };
    let Some(source) = context.files.beside(context.dir, path) else {
        return unknown(&file.path, at, format!("cannot read `{path}`"));
    };
    if let Some(expression) = string(table, "expression") {
        return attribute(&source, expression, context.files, 0);
    }
    match table.get("pattern").and_then(Item::as_str) {
        Some(written) => version_regex::find(&source, written, &["version"])
            .unwrap_or_else(|reason| unknown(&file.path, at, reason)),
        None => version_regex::find(&source, version_regex::DEFAULT, &["version"])
            .unwrap_or_else(|reason| unknown(&source.path, 1, reason)),
    }
}
