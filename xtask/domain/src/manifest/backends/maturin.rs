//! maturin: the version of a Cargo.toml.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::version_source::{DeclaredVersion, semver, toml_literal, unknown};
use crate::source::{Files, ancestors, join};
use crate::text::toml::{TomlFile, start};

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
        Some(item) if item.is_str() => semver(toml_literal(&cargo, item)),
        Some(item) if item.get("workspace").is_some() => inherited(context.files, &cargo)
            .unwrap_or_else(|| {
                let reason = "no Cargo.toml above defines `workspace.package.version`";
                unknown(&cargo.path, cargo.line(start(item)), reason)
            }),
        _ => unknown(&cargo.path, line(&cargo, "package"), "`[package]` has no `version`"),
    }
}

/// `version.workspace = true`: that of the Cargo workspace around the package, which
/// `package.workspace` may name.
fn inherited(files: Files<'_>, cargo: &TomlFile) -> Option<DeclaredVersion> {
    let dir = cargo.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let root = match cargo.get("package.workspace").and_then(Item::as_str) {
        Some(named) => read(files, &join(dir, named)?),
        None => ancestors(dir)
            .filter_map(|dir| read(files, dir))
            .find(|cargo| cargo.get("workspace").is_some()),
    }?;
    Some(semver(toml_literal(&root, root.get("workspace.package.version")?)))
}

fn read(files: Files<'_>, dir: &str) -> Option<TomlFile> {
    let source = files.beside(dir, "Cargo.toml")?;
    TomlFile::parse(&source.path, source.text).ok()
}
