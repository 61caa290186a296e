//! Poetry: `[tool.poetry] version`, unless poetry-dynamic-versioning takes it from a tag.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::version_source::{DeclaredVersion, from_tag, toml_literal};

/// The version that Poetry's own table gives; `None` where it gives none.
pub(crate) fn version(context: &VersionContext<'_>) -> Option<DeclaredVersion> {
    let file = context.file;
    if file.get("tool.poetry-dynamic-versioning.enable").and_then(Item::as_bool) == Some(true) {
        let line = line(file, "tool.poetry-dynamic-versioning");
        return Some(from_tag(file, line, "poetry-dynamic-versioning"));
    }
    file.get("tool.poetry.version").map(|item| toml_literal(file, item))
}
