//! What a pyproject.toml says about its distribution, and where it says it.

pub mod requirement_sources;
pub mod setup_cfg;
pub mod setup_py;
pub mod version_regex;
pub mod version_source;

use std::ops::Range;
use std::sync::Arc;

use formats::name::Name;
use formats::pep440::Version;
use formats::pep440::specifier::Dialect;
use formats::requirement::Requirement;
use toml_edit::Item;

use crate::config::DistributionConfig;
use crate::finding::Finding;
use crate::manifest::setup_py::SetupPy;
use crate::manifest::version_source::{Context, Files, SourceFile, unknown};
use crate::text::toml::{TomlFile, line_of, start};

/// One distribution as its manifest describes it.
pub struct Manifest {
    /// Path of the pyproject.toml, relative to the root, `/`-separated.
    pub path: Arc<str>,
    pub name: Name,
    pub version: DeclaredVersion,
    pub requires_python: Option<RequiresPython>,
    pub requirements: Vec<DeclaredRequirement>,
    /// Large, seldom asked for, and moved about with the rest: on its own.
    pub config: Box<DistributionConfig>,
    /// Why nothing but its own name should touch it: a test project, a template, no package.
    pub aside: Option<String>,
    /// What is wrong in the manifest without making it unreadable.
    pub findings: Vec<Finding>,
}

/// The Pythons that a distribution admits, and how its manifest says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiresPython {
    /// `requires-python`, `python` (Poetry) or `python_requires` (setuptools).
    pub key: &'static str,
    pub text: String,
    pub dialect: Dialect,
}

impl RequiresPython {
    fn read(file: Option<&TomlFile>, setup: &Setup) -> Option<RequiresPython> {
        let pep440 = |key, text| RequiresPython { key, text, dialect: Dialect::Pep440 };
        let of_table = |path: &str| Some(file?.get(path)?.as_str()?.to_owned());
        let of_flit = || of_table("tool.flit.metadata.requires-python");
        let of_poetry = || of_table("tool.poetry.dependencies.python");
        let poetry = |text| RequiresPython { key: "python", text, dialect: Dialect::Poetry };
        of_table("project.requires-python")
            .or_else(of_flit)
            .map(|text| pep440("requires-python", text))
            .or_else(|| of_poetry().map(poetry))
            .or_else(|| Some(pep440("python_requires", setup.python()?)))
    }

    /// What the built metadata has to say in the same words.
    pub fn in_metadata(&self) -> Option<&str> {
        (self.dialect == Dialect::Pep440).then_some(&self.text)
    }
}

/// Where the version stands.
#[derive(Clone, Debug)]
pub enum DeclaredVersion {
    /// A literal in a file: the one place that holds the version.
    /// `span` is the text alone, without quotes.
    Literal { file: Arc<str>, line: usize, span: Range<usize>, text: String, version: Version },
    /// Made by `tool` from a tag; the place says so.
    FromTag { file: Arc<str>, line: usize, tool: String },
    /// Not found, or not as a literal; the sentence says why.
    Unknown { file: Arc<str>, line: usize, reason: String },
}

impl DeclaredVersion {
    pub fn version(&self) -> Option<&Version> {
        match self {
            DeclaredVersion::Literal { version, .. } => Some(version),
            DeclaredVersion::FromTag { .. } | DeclaredVersion::Unknown { .. } => None,
        }
    }

    /// The file and the line that say it.
    pub fn place(&self) -> (&str, usize) {
        match self {
            DeclaredVersion::Literal { file, line, .. }
            | DeclaredVersion::FromTag { file, line, .. }
            | DeclaredVersion::Unknown { file, line, .. } => (file, *line),
        }
    }
}

/// The table that a requirement stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Table {
    /// `project.dependencies`: needed whenever the distribution is installed.
    Dependencies,
    /// `project.optional-dependencies.EXTRA`.
    Extra(String),
    /// `dependency-groups.GROUP` (PEP 735): never part of the built metadata.
    Group(String),
    /// `build-system.requires`.
    Build,
}

/// A requirement as it stands in the manifest.
#[derive(Clone, Debug)]
pub struct DeclaredRequirement {
    pub table: Table,
    /// The file it stands in: the manifest, setup.py, setup.cfg, a requirements file.
    pub file: Arc<str>,
    pub line: usize,
    /// Span of the string in the file, with its quotes in TOML.
    pub span: Range<usize>,
    /// The decoded string. In tables that name the distribution by a key, the specifier alone.
    pub text: String,
    pub requirement: Requirement,
    pub dialect: Dialect,
    /// The bytes of the specifier in the file; `None` where it is written with escapes.
    pub specifier_span: Option<Range<usize>>,
}

impl DeclaredRequirement {
    /// Whether it is part of what is published.
    pub fn is_published(&self) -> bool {
        matches!(self.table, Table::Dependencies | Table::Extra(_))
    }

    /// The specifier set as written.
    pub fn specifiers(&self) -> &str {
        &self.text[self.requirement.specifiers.clone()]
    }

    /// The requirement as a person reads it, the name included.
    pub fn shown(&self) -> String {
        self.shown_with(self.specifiers())
    }

    /// The same with other specifiers.
    pub fn shown_with(&self, specifiers: &str) -> String {
        let range = self.requirement.specifiers.clone();
        let named_by_key = range == (0..self.text.len());
        if named_by_key {
            return format!("{} {specifiers}", self.requirement.name);
        }
        [&self.text[..range.start], specifiers, &self.text[range.end..]].concat()
    }
}

impl Manifest {
    /// What has to be installed to build it (PEP 518), with that standard's default.
    pub fn build_requires(&self) -> Vec<&str> {
        let build = self.requirements.iter().filter(|declared| declared.table == Table::Build);
        let requires: Vec<&str> = build.map(|declared| declared.text.as_str()).collect();
        if requires.is_empty() { vec!["setuptools>=40.8.0"] } else { requires }
    }

    /// Whether it has a dependency group of this name (PEP 735).
    pub fn has_group(&self, name: &str) -> bool {
        self.requirements.iter().any(|declared| declared.table == Table::Group(name.to_owned()))
    }

    /// Reads a manifest alone, without the files that its version may stand in.
    ///
    /// # Errors
    /// As [`Manifest::read_with`].
    #[cfg(test)]
    pub fn read(file: &TomlFile) -> Result<Option<Manifest>, Vec<Finding>> {
        Manifest::read_with(file, Files { read: &|_| None, list: &|_| Vec::new() })
    }

    /// Reads a manifest and what it refers to: the file of its version, setup.py, setup.cfg.
    /// `Ok(None)` when it names no distribution.
    ///
    /// # Errors
    /// What makes it unusable: a wrong name or a configuration error.
    pub fn read_with(file: &TomlFile, files: Files<'_>) -> Result<Option<Manifest>, Vec<Finding>> {
        let dir = file.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let paths = ["project.name", "tool.poetry.name", "tool.flit.metadata.dist-name"];
        let named = paths.iter().chain(&["tool.flit.metadata.module"]).find_map(|p| file.get(p));
        let setup = Setup::beside(dir, files);
        let Some(named) = named else { return Manifest::of_setup(Some(file), &setup, dir, files) };
        let line = file.line(start(named));
        let name =
            named.as_str().and_then(Name::new).ok_or_else(|| vec![wrong_name(&file.path, line)])?;
        let mut findings = Vec::new();
        let mut requirements = requirement_sources::requirements(file, &mut findings);
        requirements.extend(requirement_sources::referenced(file, dir, files));
        requirements.extend(setup.requirements());
        // They are kept, and there are many of them.
        requirements.shrink_to_fit();
        let written = name.to_string();
        Ok(Some(Manifest {
            path: file.path.clone(),
            version: version_source::declared(&Context { file, files, dir, name: &written }),
            name,
            requires_python: RequiresPython::read(Some(file), &setup),
            requirements,
            config: Box::new(DistributionConfig::read(file)?),
            aside: no_package(file),
            findings,
        }))
    }

    /// Reads a distribution that setup.cfg or setup.py names, without a pyproject.toml. `Ok(None)`
    /// when neither states a name.
    ///
    /// # Errors
    /// What makes it unusable: a wrong name or a configuration error.
    pub fn from_setup(dir: &str, files: Files<'_>) -> Result<Option<Manifest>, Vec<Finding>> {
        Manifest::of_setup(None, &Setup::beside(dir, files), dir, files)
    }

    /// The same with the pyproject.toml beside it, if any, which names no distribution itself.
    fn of_setup(
        file: Option<&TomlFile>,
        setup: &Setup,
        dir: &str,
        files: Files<'_>,
    ) -> Result<Option<Manifest>, Vec<Finding>> {
        let Some((source, line, written)) = setup.name() else { return Ok(None) };
        let name = Name::new(&written).ok_or_else(|| vec![wrong_name(&source, line)])?;
        let mut findings = Vec::new();
        let mut requirements = setup.requirements();
        let mut version = None;
        if let Some(file) = file {
            requirements.extend(requirement_sources::requirements(file, &mut findings));
            let context = Context { file, files, dir, name: &written };
            version = Some(version_source::declared(&context));
        }
        let version = version
            .or_else(|| setup_cfg::version(setup.cfg.as_ref()?, files, dir))
            .or_else(|| Some(setup_py::version(setup.py.as_ref()?, files, dir)))
            .unwrap_or_else(|| unknown(&source, line, "nothing says where the version stands"));
        Ok(Some(Manifest {
            path: file.map_or(source, |file| file.path.clone()),
            name,
            version,
            requires_python: RequiresPython::read(file, setup),
            requirements,
            config: file.map(DistributionConfig::read).transpose()?.unwrap_or_default().into(),
            aside: file.and_then(no_package),
            findings,
        }))
    }
}

fn wrong_name(file: &str, line: usize) -> Finding {
    Finding::error("name", "the name is not one that PEP 508 allows").at(file, line)
}

/// Tools that let a project say that it is never built.
fn no_package(file: &TomlFile) -> Option<String> {
    ["tool.uv.package", "tool.poetry.package-mode", "tool.pdm.distribution"]
        .into_iter()
        .find(|key| file.get(key).and_then(Item::as_bool) == Some(false))
        .map(|key| format!("`{key} = false`"))
}

/// setup.cfg and setup.py beside a manifest.
struct Setup {
    cfg: Option<SourceFile>,
    py: Option<SourceFile>,
}

impl Setup {
    fn beside(dir: &str, files: Files<'_>) -> Setup {
        Setup { cfg: files.beside(dir, "setup.cfg"), py: files.beside(dir, "setup.py") }
    }

    /// The name that one of them states, with its place.
    fn name(&self) -> Option<(Arc<str>, usize, String)> {
        if let Some(cfg) = &self.cfg
            && let Some(line) = setup_cfg::value(&setup_cfg::entries(&cfg.text), "metadata", "name")
        {
            let at = line_of(&cfg.text, line.span.start);
            return Some((cfg.path.clone(), at, line.text.to_owned()));
        }
        let py = self.py.as_ref()?;
        let read = SetupPy::read(&py.text)?;
        let name = read.name()?;
        Some((py.path.clone(), line_of(&py.text, name.span.start), name.raw.clone()))
    }

    /// `python_requires`.
    fn python(&self) -> Option<String> {
        let of_cfg = |cfg: &SourceFile| {
            let entries = setup_cfg::entries(&cfg.text);
            Some(setup_cfg::value(&entries, "options", "python_requires")?.text.to_owned())
        };
        self.cfg.as_ref().and_then(of_cfg).or_else(|| {
            let setup = SetupPy::read(&self.py.as_ref()?.text)?;
            Some(setup.literal("python_requires")?.raw.clone())
        })
    }

    fn requirements(&self) -> Vec<DeclaredRequirement> {
        let cfg = self.cfg.iter().flat_map(requirement_sources::setup_cfg);
        cfg.chain(self.py.iter().flat_map(requirement_sources::setup_py)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        let file = TomlFile::parse("p/pyproject.toml", text.into()).unwrap();
        Manifest::read(&file).unwrap().unwrap()
    }

    #[test]
    fn version_and_requirements_with_their_places() {
        let manifest = read(
            "[project]\nname = \"sched\"\nversion = \"1.5.0\"\ndependencies = [\n  \"core>=2.3\", # why\n]\n\
             [project.optional-dependencies]\nx = ['core[y]']\n\
             [dependency-groups]\ntest = [{include-group = \"a\"}, \"pytest\"]\n",
        );
        assert!(
            matches!(&manifest.version, DeclaredVersion::Literal { line: 3, text, .. } if text == "1.5.0")
        );
        let seen: Vec<_> =
            manifest.requirements.iter().map(|r| (&r.table, r.line, r.text.as_str())).collect();
        assert_eq!(seen[0], (&Table::Dependencies, 5, "core>=2.3"));
        assert_eq!(seen[1], (&Table::Extra("x".into()), 8, "core[y]"));
        assert_eq!(seen[2], (&Table::Group("test".into()), 10, "pytest"));
    }

    #[test]
    fn a_file_without_a_name_is_no_distribution() {
        let file = TomlFile::parse("pyproject.toml", "[tool.ruff]\n".into()).unwrap();
        assert!(Manifest::read(&file).unwrap().is_none());
    }

    #[test]
    fn the_dependencies_table_is_reported() {
        let manifest = read(
            "[project]\nname = \"a\"\nversion = \"1\"\n[project.dependencies]\ncore = \">=1\"\n",
        );
        assert_eq!(manifest.findings[0].rule, "dependencies-table");
    }
}
