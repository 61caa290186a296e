//! A requirement with its location: its table and file, the bytes of its specifier.

use std::ops::Range;
use std::sync::Arc;

use formats::pep440::specifier::Dialect;
use formats::requirement::Requirement;

/// The table that a requirement is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequirementTable {
    /// `project.dependencies`: needed whenever the distribution is installed.
    Dependencies,
    /// `project.optional-dependencies.EXTRA`.
    Extra(String),
    /// `dependency-groups.GROUP` (PEP 735): never part of the built metadata.
    Group(String),
    /// `build-system.requires`.
    Build,
}

/// A requirement as it is written in the manifest.
#[derive(Clone, Debug)]
pub struct DeclaredRequirement {
    pub table: RequirementTable,
    /// The file that it is in: the manifest, setup.py, setup.cfg, a requirements file.
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
        matches!(self.table, RequirementTable::Dependencies | RequirementTable::Extra(_))
    }

    /// Whether the same table names the distribution again for another environment: then a range
    /// that excludes the current version may do so on purpose. `requirements` are all of the
    /// manifest.
    pub(crate) fn has_conditional_alternative(&self, requirements: &[DeclaredRequirement]) -> bool {
        let conditional = self.requirement.marker.is_some() || self.dialect == Dialect::Poetry;
        conditional
            && requirements.iter().any(|other| {
                other.table == self.table
                    && other.requirement.name == self.requirement.name
                    && other.file == self.file
                    && other.span != self.span
            })
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
