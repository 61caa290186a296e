//! scikit-build-core: `[tool.scikit-build.metadata.version]`.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, string};
use crate::manifest::version_regex;
use crate::manifest::version_source::{DeclaredVersion, from_tag, unknown};
use crate::text::toml::start;

/// The `regex` provider reads a file; the setuptools-scm provider takes a tag.
pub(crate) fn version(context: &VersionContext<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return unknown(&file.path, at, "`tool.scikit-build.metadata.version` is not a table");
    };
    let provider = string(table, "provider").unwrap_or("");
    if provider.ends_with("setuptools_scm") {
        return from_tag(file, at, "setuptools-scm");
    }
    let input = string(table, "input").filter(|_| provider.ends_with(".regex"));
    let Some(input) = input else {
        return unknown(&file.path, at, format!("the version comes from `{provider}`"));
    };
    let Some(source) = context.files.beside(context.dir, input) else {
        return unknown(&file.path, at, format!("cannot read `{input}`"));
    };
    let written = string(table, "regex").unwrap_or(version_regex::DEFAULT);
    version_regex::find(&source, written, &["value", "version"])
        .unwrap_or_else(|reason| unknown(&file.path, at, reason))
}
