//! The input of the rules, and their findings with fixes.

use std::ops::Range;

use crate::finding::Finding;
use crate::ids::DistributionId;
use crate::release::content::modules::Modules;
use crate::source::Files;
use crate::text::edit::{Edit, EditKind};
use crate::text::globs::any_matches;
use crate::text::toml::{TomlFile, strings};
use crate::workspace::{Distribution, Workspace};

/// The repository, as a check sees it.
#[derive(Clone, Copy)]
pub struct CheckFacts<'a> {
    pub workspace: &'a Workspace,
    pub files: Files<'a>,
}

/// A finding, with its fix where that is certain.
#[derive(Debug)]
pub struct Found {
    pub finding: Finding,
    pub fix: Option<Fix>,
}

/// The fix of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    Edits(Vec<Edit>),
    /// An empty file is missing.
    Create(String),
    /// A file must not exist.
    Remove(String),
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Found {
        Found { finding, fix: None }
    }
}

impl Found {
    pub(crate) fn fixed_by(finding: Finding, fix: Option<Fix>) -> Found {
        Found { finding, fix }
    }
}

/// Whether setuptools ships the file of a module; so too where nothing is configured.
fn is_shipped(toml: &TomlFile, path: &str) -> bool {
    let Some((folder, _)) = path.rsplit_once('/') else { return true };
    let package = folder.replace('/', ".");
    let listed = |key: &str| toml.get(key).and_then(strings);
    if let Some(packages) = listed("tool.setuptools.packages") {
        return packages.contains(&package);
    }
    let find = "tool.setuptools.packages.find";
    let included = listed(&format!("{find}.include"));
    let excluded = listed(&format!("{find}.exclude")).unwrap_or_default();
    included.is_none_or(|include| any_matches(&include, &package))
        && !any_matches(&excluded, &package)
}

/// One distribution with everything the rules need.
pub(crate) struct Subject<'a> {
    pub(crate) id: DistributionId,
    pub(crate) distribution: &'a Distribution,
    /// Its pyproject.toml, where it has one.
    pub(crate) toml: Option<TomlFile>,
    /// All files of it, relative to the root.
    pub(crate) paths: Vec<String>,
    pub(crate) modules: Modules,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(facts: CheckFacts<'a>, id: DistributionId) -> Subject<'a> {
        let distribution = &facts.workspace.distributions[id];
        let path = &distribution.manifest.path;
        let toml = (facts.files.read)(path)
            .filter(|_| path.ends_with(".toml"))
            .and_then(|source| TomlFile::parse(path, source.text).ok());
        let paths = (facts.files.list)(&distribution.dir);
        let mut modules = Modules::of(&distribution.dir, &paths);
        if let Some(toml) = &toml {
            modules.files.retain(|path| is_shipped(toml, path));
        }
        Subject { id, distribution, toml, paths, modules }
    }

    /// A path of this distribution, relative to the root.
    pub(crate) fn path(&self, path: &str) -> String {
        match self.distribution.dir.as_str() {
            "" => path.to_owned(),
            dir => format!("{dir}/{path}"),
        }
    }

    pub(crate) fn edit(
        &self,
        file: &str,
        line: usize,
        span: Range<usize>,
        texts: (&str, &str),
    ) -> Edit {
        Edit {
            file: file.into(),
            span,
            line,
            kind: EditKind::Field,
            package: self.distribution.name().to_string(),
            before: texts.0.to_owned(),
            after: texts.1.to_owned(),
        }
    }
}
