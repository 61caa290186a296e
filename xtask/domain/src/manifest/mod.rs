//! A distribution as its pyproject.toml, setup.cfg and setup.py describe it, with locations.

mod backends;
pub mod evidence;
mod private;
mod python_attribute;
pub mod requirement;
pub(crate) mod requirement_sources;
mod requires_python;
pub(crate) mod setup_cfg;
mod setup_files;
pub(crate) mod setup_py;
mod toml_version;
pub(crate) mod version_regex;
pub mod version_source;

use std::sync::Arc;

use formats::name::Name;
use formats::pep440::Version;
use toml_edit::Item;

use crate::config::DistributionConfig;
use crate::finding::{Finding, Rule};
use crate::manifest::backends::VersionContext;
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::manifest::setup_files::Setup;
use crate::manifest::version_source::{DeclaredVersion, unknown};
use crate::source::Files;
use crate::text::toml::{TomlFile, start};

pub(crate) use backends::Backend;
pub use requires_python::RequiresPython;

/// Whether `[project]` states the requirements, and leaves none to the back end.
fn is_static(file: &TomlFile) -> bool {
    let dynamic = file.get("project.dynamic").and_then(Item::as_array);
    let mut dynamic = dynamic.into_iter().flatten().filter_map(|field| field.as_str());
    file.get("project.name").is_some()
        && !dynamic.any(|field| ["dependencies", "optional-dependencies"].contains(&field))
}

/// One distribution as its manifest describes it.
pub struct Manifest {
    /// Path of the pyproject.toml, relative to the root, `/`-separated.
    pub path: Arc<str>,
    pub name: Name,
    pub version: DeclaredVersion,
    /// The hint that makes the version known, for this back end, where it is not.
    pub version_hint: &'static str,
    pub requires_python: Option<RequiresPython>,
    pub requirements: Vec<DeclaredRequirement>,
    /// Whether the built metadata has to require these and no others (PEP 621).
    pub has_static_requirements: bool,
    /// Boxed because it is large and seldom read, and manifests are moved.
    pub config: Box<DistributionConfig>,
    /// Why only its own name selects it: a test project, a template, not a package.
    pub excluded: Option<String>,
    /// It says itself that it is never released; `excluded` says how.
    pub is_private: bool,
    /// Faults that do not make the manifest unreadable.
    pub findings: Vec<Finding>,
}

impl Manifest {
    /// Its directory, relative to the root.
    pub fn dir(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(dir, _)| dir)
    }

    /// The requirements of its build (PEP 518), with that standard's default.
    pub fn build_requires(&self) -> Vec<&str> {
        let build =
            self.requirements.iter().filter(|declared| declared.table == RequirementTable::Build);
        let requires: Vec<&str> = build.map(|declared| declared.text.as_str()).collect();
        if requires.is_empty() { vec!["setuptools>=40.8.0"] } else { requires }
    }

    /// The variable that tells the tool of a version which is made from a tag what it is.
    pub fn version_variable(&self, version: &Version) -> Option<(String, String)> {
        match &self.version {
            DeclaredVersion::FromTag { tool, .. } => backends::variable(tool, &self.name, version),
            DeclaredVersion::Literal { .. } | DeclaredVersion::Unknown { .. } => None,
        }
    }

    /// Whether it has a dependency group of this name (PEP 735).
    pub fn has_group(&self, name: &str) -> bool {
        self.requirements
            .iter()
            .any(|declared| declared.table == RequirementTable::Group(name.to_owned()))
    }

    /// Reads a manifest alone, without the files that may define its version.
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
    /// It is unusable: its name is invalid, or its configuration.
    pub fn read_with(file: &TomlFile, files: Files<'_>) -> Result<Option<Manifest>, Vec<Finding>> {
        let dir = file.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let paths = ["project.name", "tool.poetry.name", "tool.flit.metadata.dist-name"];
        let named = paths.iter().chain(&["tool.flit.metadata.module"]).find_map(|p| file.get(p));
        let setup = Setup::beside(dir, files);
        let Some(named) = named else { return Manifest::of_setup(Some(file), &setup, dir, files) };
        if let Some(at) = toml_version::newer(file.text()) {
            let message = "this is TOML 1.1, which no build back end reads: `tomllib` reads 1.0";
            let hint =
                "write each inline table on one line without a last comma, and no `\\e` or `\\x`";
            let finding = Finding::error(Rule::TomlSyntax, message).at(&file.path, file.line(at));
            return Err(vec![finding.hint(hint)]);
        }
        let line = file.line(start(named));
        let name =
            named.as_str().and_then(Name::new).ok_or_else(|| vec![wrong_name(&file.path, line)])?;
        let mut findings = Vec::new();
        let mut requirements = requirement_sources::requirements(file, &mut findings);
        requirements.extend(requirement_sources::referenced(file, dir, files));
        requirements.extend(setup.requirements(dir, files));
        // They are kept, and there are many of them.
        requirements.shrink_to_fit();
        let written = name.to_string();
        let excluded = private::private(file).or_else(|| private::unbuilt(file, dir, files));
        Ok(Some(Manifest {
            path: file.path.clone(),
            version: backends::declared(&VersionContext { file, files, dir, name: &written }),
            version_hint: backends::version_hint(file),
            name,
            requires_python: RequiresPython::read(Some(file), &setup),
            requirements,
            has_static_requirements: is_static(file),
            config: Box::new(DistributionConfig::read(file)?),
            is_private: excluded.is_some(),
            excluded,
            findings,
        }))
    }

    /// Reads a distribution that setup.cfg or setup.py names, without a pyproject.toml. `Ok(None)`
    /// when neither states a name.
    ///
    /// # Errors
    /// It is unusable: its name is invalid, or its configuration.
    pub fn from_setup(dir: &str, files: Files<'_>) -> Result<Option<Manifest>, Vec<Finding>> {
        Manifest::of_setup(None, &Setup::beside(dir, files), dir, files)
    }

    /// Why no distribution is found in a directory that has a setup.py, where it should be one.
    pub fn unfollowed(dir: &str, files: Files<'_>) -> Option<Finding> {
        Setup::beside(dir, files).unfollowed_name()
    }

    /// The same with the pyproject.toml beside it, if any, which names no distribution itself.
    fn of_setup(
        file: Option<&TomlFile>,
        setup: &Setup,
        dir: &str,
        files: Files<'_>,
    ) -> Result<Option<Manifest>, Vec<Finding>> {
        let Some((source, line, written)) = setup.name(files, dir) else { return Ok(None) };
        let name = Name::new(&written).ok_or_else(|| vec![wrong_name(&source, line)])?;
        let mut findings = Vec::new();
        let mut requirements = setup.requirements(dir, files);
        let mut version = None;
        if let Some(file) = file {
            requirements.extend(requirement_sources::requirements(file, &mut findings));
            let context = VersionContext { file, files, dir, name: &written };
            version = Some(backends::declared(&context));
        }
        let version = version
            .or_else(|| setup_cfg::version(setup.cfg.as_ref()?, files, dir))
            .or_else(|| Some(setup_py::version::version(setup.py.as_ref()?, files, dir)))
            .unwrap_or_else(|| unknown(&source, line, "nothing defines the version"));
        let excluded = file.and_then(private::private);
        Ok(Some(Manifest {
            path: file.map_or(source, |file| file.path.clone()),
            name,
            version,
            version_hint: file.map_or(backends::SETUP_HINT, backends::version_hint),
            requires_python: RequiresPython::read(file, setup),
            requirements,
            has_static_requirements: false,
            config: file.map(DistributionConfig::read).transpose()?.unwrap_or_default().into(),
            is_private: excluded.is_some(),
            excluded,
            findings,
        }))
    }
}

fn wrong_name(file: &str, line: usize) -> Finding {
    Finding::error(Rule::Name, "the distribution name is invalid (PEP 508)").at(file, line)
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
        assert_eq!(seen[0], (&RequirementTable::Dependencies, 5, "core>=2.3"));
        assert_eq!(seen[1], (&RequirementTable::Extra("x".into()), 8, "core[y]"));
        assert_eq!(seen[2], (&RequirementTable::Group("test".into()), 10, "pytest"));
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
        assert_eq!(manifest.findings[0].rule, Rule::DependenciesTable);
    }
}
