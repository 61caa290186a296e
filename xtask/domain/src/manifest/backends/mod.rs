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
use crate::text::toml::TomlFile;

pub(crate) use context::VersionContext;
pub(crate) use tag_tools::variable;

/// Where the version is defined. The back end that the manifest declares decides; the table of
/// another one was left behind.
pub(crate) fn declared(context: &VersionContext<'_>) -> DeclaredVersion {
    let file = context.file;
    if let Some(item) = file.get("project.version") {
        return toml_literal(file, item);
    }
    let backend = Backend::declared(file);
    if backend.may_be(Backend::Poetry)
        && let Some(version) = poetry::version(context)
    {
        return version;
    }
    let dynamic = || file.get("project.dynamic").and_then(Item::as_array);
    let is_dynamic = dynamic().is_some_and(|d| d.iter().any(|v| v.as_str() == Some("version")));
    if file.get("project").is_some() && !is_dynamic {
        let reason = "`[project]` has neither `version` nor a dynamic `version`";
        return unknown(&file.path, line(file, "project.name"), reason);
    }
    by_backend(context, backend).unwrap_or_else(|| setuptools::by_setup_files(context))
}

/// The hint that makes a version known where no `[project]` could hold it.
pub(crate) const SETUP_HINT: &str = "write it as a literal: `version=\"1.0\"` in setup.py, or `version` of `[metadata]` in setup.cfg";

/// The hint that makes the version of a manifest known where it cannot be followed.
pub(crate) fn version_hint(file: &TomlFile) -> &'static str {
    Backend::declared(file).version_hint(file)
}

/// The build back end of `[build-system]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Hatch,
    Pdm,
    ScikitBuild,
    Setuptools,
    Flit,
    Maturin,
    Poetry,
    /// None, or one that may be any of these in a wrapper.
    Other,
}

impl Backend {
    pub(crate) fn declared(file: &TomlFile) -> Backend {
        let named = file.get("build-system.build-backend").and_then(Item::as_str).unwrap_or("");
        match named.split(['.', ':']).next().unwrap_or("") {
            "hatchling" => Backend::Hatch,
            "pdm" => Backend::Pdm,
            "scikit_build_core" => Backend::ScikitBuild,
            "setuptools" => Backend::Setuptools,
            "flit_core" | "flit" | "flit_scm" => Backend::Flit,
            "maturin" => Backend::Maturin,
            "poetry" | "poetry_dynamic_versioning" => Backend::Poetry,
            _ => Backend::Other,
        }
    }

    /// The hint that makes a version known that cannot be followed.
    fn version_hint(self, file: &TomlFile) -> &'static str {
        match self {
            Backend::Poetry => "set `version` in `[tool.poetry]`",
            Backend::Maturin => "set `version` in `[package]` of Cargo.toml",
            Backend::Flit => "assign a literal to `__version__` in the module",
            Backend::Hatch => {
                "assign a literal in the file that hatch's `version` table names as `path`, or set `version` in `[project]` and remove it from `dynamic`"
            }
            Backend::Pdm | Backend::ScikitBuild | Backend::Setuptools | Backend::Other => {
                if file.get("project").is_some() {
                    "set `version` in `[project]`, and remove it from `dynamic`"
                } else {
                    SETUP_HINT
                }
            }
        }
    }

    /// Whether the table of `other` may be the one that counts.
    pub(crate) fn may_be(self, other: Backend) -> bool {
        self == other || self == Backend::Other
    }
}

fn by_backend(context: &VersionContext<'_>, backend: Backend) -> Option<DeclaredVersion> {
    let file = context.file;
    if backend.may_be(Backend::Hatch)
        && let Some(version) = hatch::declared(context)
    {
        return Some(version);
    }
    let table = |of: Backend, path: &str| file.get(path).filter(|_| backend.may_be(of));
    if let Some(item) = table(Backend::Pdm, "tool.pdm.version") {
        return Some(pdm::version(context, item));
    }
    if let Some(item) = table(Backend::ScikitBuild, "tool.scikit-build.metadata.version") {
        return Some(scikit_build::version(context, item));
    }
    if let Some(item) = table(Backend::Setuptools, "tool.setuptools.dynamic.version") {
        let declared = setuptools::version(context, item);
        let is_made = matches!(declared, DeclaredVersion::Unknown { .. });
        // The file or attribute is one that a tool writes.
        let made = is_made.then(|| tag_tools::version(context)).flatten();
        return Some(made.unwrap_or(declared));
    }
    match backend {
        Backend::Flit => Some(flit::version(context)),
        Backend::Maturin => Some(maturin::version(context)),
        _ => tag_tools::version(context),
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Manifest;
    use crate::manifest::version_source::DeclaredVersion;
    use crate::source::{Files, SourceFile};
    use crate::text::toml::TomlFile;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &str) {
        let read = |path: &str| {
            let found = files.iter().find(|(known, _)| *known == path)?;
            Some(SourceFile { path: path.into(), text: found.1.into() })
        };
        let list = |_: &str| files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let text = read("p/pyproject.toml").unwrap().text;
        let file = TomlFile::parse("p/pyproject.toml", text).unwrap();
        let manifest = Manifest::read_with(&file, Files { read: &read, list: &list });
        let shown = match manifest.unwrap().unwrap().version {
            DeclaredVersion::Literal { file, line, text, spelling, .. } => {
                format!("{file}:{line} {text} {spelling:?}")
            }
            DeclaredVersion::FromTag { tool, .. } => tool,
            DeclaredVersion::Unknown { file, line, reason } => format!("{file}:{line}: {reason}"),
        };
        assert_eq!(shown, expected);
    }

    const HATCH: &str = "[build-system]\nbuild-backend = \"hatchling.build\"\n[project]\nname = \"a\"\ndynamic = [\"version\"]\n";
    const MATURIN: &str = "[build-system]\nbuild-backend = \"maturin\"\n[project]\nname = \"a\"\ndynamic = [\"version\"]\n";

    #[test]
    fn the_declared_back_end_decides() {
        let v = ("p/v.py", "__version__ = '3'\n");
        let left = "[tool.hatch.version]\npath = \"v.py\"\n[tool.poetry]\nversion = \"0.1\"\n[tool.pdm.version]\nsource = \"scm\"\n";
        check(&[("p/pyproject.toml", &format!("{HATCH}{left}")), v], "p/v.py:1 3 Pep440");
        let toml = ("p/hatch.toml", "[version]\npath = \"v.py\"\n");
        check(&[("p/pyproject.toml", HATCH), toml, v], "p/v.py:1 3 Pep440");
        let poetry = HATCH.replace("hatchling.build", "poetry.core.masonry.api");
        let text = format!("{poetry}{left}");
        check(&[("p/pyproject.toml", &text), v], "p/pyproject.toml:9 0.1 Pep440");
    }

    #[test]
    fn a_file_that_a_tool_writes_is_made_from_a_tag() {
        let attribute = "[build-system]\nbuild-backend = \"setuptools.build_meta\"\nrequires = [\"setuptools\", \"setuptools-scm\"]\n\
            [project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.setuptools.dynamic]\nversion = {attr = \"a.__version__\"}\n";
        let manifest = ("p/pyproject.toml", attribute);
        check(&[manifest, ("p/a.py", "from ._v import __version__\n")], "setuptools-scm");
        check(&[manifest, ("p/a.py", "__version__ = '1'\n")], "p/a.py:1 1 Pep440");
    }

    #[test]
    fn maturin_takes_the_version_of_the_cargo_workspace() {
        let member = ("p/Cargo.toml", "[package]\nversion.workspace = true\n");
        let root = ("Cargo.toml", "[workspace.package]\nversion = \"1.0.0-alpha.1\"\n");
        let files = [("p/pyproject.toml", MATURIN), member, root];
        check(&files, "Cargo.toml:2 1.0.0-alpha.1 SemVer");
        let reason = "p/Cargo.toml:2: no Cargo.toml above defines `workspace.package.version`";
        check(&files[..2], reason);
    }
}
