//! What a pyproject.toml says about its distribution, and where it says it.

use std::ops::Range;

use super::version::Version;
use toml_edit::{Item, TableLike, Value};

use super::config::DistributionConfig;
use super::finding::Finding;
use super::name::Name;
use super::requirement::Requirement;
use super::toml::{TomlFile, start};

/// One distribution as its manifest describes it.
pub struct Manifest {
    /// Path of the pyproject.toml, relative to the root, `/`-separated.
    pub path: String,
    pub name: Name,
    pub version: DeclaredVersion,
    pub requires_python: Option<String>,
    pub requirements: Vec<DeclaredRequirement>,
    pub config: DistributionConfig,
    /// What is wrong in the manifest without making it unreadable.
    pub findings: Vec<Finding>,
}

/// Where the version stands.
#[derive(Clone, Debug)]
pub enum DeclaredVersion {
    /// A literal in a file: the one place that holds the version.
    Literal { file: String, line: usize, span: Range<usize>, text: String, version: Version },
    /// Not found, or not as a literal; the sentence says why.
    Unknown { line: usize, reason: String },
}

impl DeclaredVersion {
    pub fn version(&self) -> Option<&Version> {
        match self {
            DeclaredVersion::Literal { version, .. } => Some(version),
            DeclaredVersion::Unknown { .. } => None,
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
    pub line: usize,
    /// Span of the TOML string in the file, quotes included.
    pub span: Range<usize>,
    /// The decoded string.
    pub text: String,
    pub requirement: Requirement,
}

impl DeclaredRequirement {
    /// The specifier set as written.
    pub fn specifiers(&self) -> &str {
        &self.text[self.requirement.specifiers.clone()]
    }
}

impl Manifest {
    /// Reads a manifest. `Ok(None)` when it names no distribution.
    ///
    /// # Errors
    /// What makes it unusable: a wrong name or a configuration error.
    pub fn read(file: &TomlFile) -> Result<Option<Manifest>, Vec<Finding>> {
        let Some(named) = file.get("project.name").or_else(|| file.get("tool.poetry.name")) else {
            return Ok(None);
        };
        let line = file.line(start(named));
        let name = named.as_str().and_then(Name::new).ok_or_else(|| {
            vec![
                Finding::error("name", "the name is not one that PEP 508 allows")
                    .at(&file.path, line),
            ]
        })?;
        let mut findings = Vec::new();
        let requirements = requirements(file, &mut findings);
        Ok(Some(Manifest {
            path: file.path.clone(),
            name,
            version: declared_version(file, line),
            requires_python: file
                .get("project.requires-python")
                .and_then(Item::as_str)
                .map(str::to_owned),
            requirements,
            config: DistributionConfig::read(file)?,
            findings,
        }))
    }
}

fn declared_version(file: &TomlFile, name_line: usize) -> DeclaredVersion {
    let Some(item) = file.get("project.version") else {
        let reason = "`[project] version` is not there".to_owned();
        return DeclaredVersion::Unknown { line: name_line, reason };
    };
    let line = file.line(start(item));
    let text = item.as_str().unwrap_or_default();
    match text.parse() {
        Ok(version) => DeclaredVersion::Literal {
            file: file.path.clone(),
            line,
            span: item.span().unwrap_or_default(),
            text: text.to_owned(),
            version,
        },
        Err(_) => DeclaredVersion::Unknown {
            line,
            reason: format!("`{text}` is not a version under PEP 440"),
        },
    }
}

fn requirements(file: &TomlFile, findings: &mut Vec<Finding>) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut array = |table: Table, item: &Item| {
        for value in item.as_array().into_iter().flatten() {
            found.extend(declared_requirement(file, &table, value, findings));
        }
    };
    if let Some(item) = file.get("project.dependencies") {
        array(Table::Dependencies, item);
    }
    if let Some(item) = file.get("build-system.requires") {
        array(Table::Build, item);
    }
    for (extra, item) in entries(file.get("project.optional-dependencies")) {
        array(Table::Extra(extra.to_owned()), item);
    }
    for (group, item) in entries(file.get("dependency-groups")) {
        array(Table::Group(group.to_owned()), item);
    }
    if let Some(item) = file.get("project.dependencies").filter(|item| item.is_table_like()) {
        findings.push(
            Finding::error("dependencies-table", "`[project.dependencies]` must be an array (PEP 621): build backends refuse the table")
                .at(&file.path, file.line(start(item)))
                .hint("cargo xtask check --fix turns it into the array"),
        );
    }
    found
}

fn entries(item: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    item.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
}

/// One array element; what is no string (`{include-group = …}`) is no requirement.
fn declared_requirement(
    file: &TomlFile,
    table: &Table,
    value: &Value,
    findings: &mut Vec<Finding>,
) -> Option<DeclaredRequirement> {
    let text = value.as_str()?;
    let span = value.span().unwrap_or_default();
    let line = file.line(span.start);
    match Requirement::parse(text) {
        Ok(requirement) => Some(DeclaredRequirement {
            table: table.clone(),
            line,
            span,
            text: text.to_owned(),
            requirement,
        }),
        Err(why) => {
            findings.push(
                Finding::warning(
                    "requirement-syntax",
                    format!("`{text}` is not a requirement (PEP 508): {why}"),
                )
                .at(&file.path, line),
            );
            None
        }
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
