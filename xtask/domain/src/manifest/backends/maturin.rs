//! maturin: the version of a Cargo.toml.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::version_source::{DeclaredVersion, toml_literal, unknown};
use crate::text::toml::TomlFile;

/// maturin takes the version of the Cargo.toml beside it.
pub(crate) fn version(context: &VersionContext<'_>) -> DeclaredVersion {
    let file = context.file;
    let named = file.get("tool.maturin.manifest-path").and_then(Item::as_str);
    let path = named.unwrap_or("Cargo.toml");
    let at = line(file, "project.name");
    let Some(source) = context.files.beside(context.dir, path) else {
        return unknown(&file.path, at, format!("cannot read `{path}`"));
    };
    let Ok(cargo) = TomlFile::parse(&source.path, source.text) else {
        return unknown(&file.path, at, format!("`{path}` is not valid TOML"));
    };
    match cargo.get("package.version") {
        Some(item) if item.is_str() => toml_literal(&cargo, item),
        _ => unknown(
            &cargo.path,
            line(&cargo, "package"),
            "the version is inherited from the Cargo workspace",
        ),
    }
}
