//! hatchling: `[tool.hatch.version]`, or `[version]` of hatch.toml.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, string};
use crate::manifest::backends::nodejs;
use crate::manifest::python_attribute::attribute;
use crate::manifest::version_regex;
use crate::manifest::version_source::{DeclaredVersion, from_tag, unknown};
use crate::text::toml::{TomlFile, start};

/// The version that hatch's settings define; a table of hatch.toml replaces that of
/// pyproject.toml.
pub(crate) fn declared(context: &VersionContext<'_>) -> Option<DeclaredVersion> {
    let own = context.files.beside(context.dir, "hatch.toml");
    let own = own.and_then(|source| TomlFile::parse(&source.path, source.text).ok());
    if let Some(own) = own
        && let Some(item) = own.get("version")
    {
        return Some(version(context, &own, item));
    }
    Some(version(context, context.file, context.file.get("tool.hatch.version")?))
}

/// `path` and `pattern`, or a `source` plugin, in the table `item` of `file`.
fn version(context: &VersionContext<'_>, file: &TomlFile, item: &Item) -> DeclaredVersion {
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return unknown(&file.path, at, "hatch's `version` is not a table");
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
        return unknown(&file.path, at, "hatch's `version` has no `path`");
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
