//! What can be known to be wrong with a repository without asking anybody.
//!
//! Each rule is a function of the workspace and of the files in it; `rules` explains them all.
//! Nothing here opens a file: texts and lists of files come in as [`Files`].

mod contents;
mod python;
mod ranges;
mod requirement_table;
pub mod rules;
mod smoke;
mod versions;

use crate::finding::Finding;
use crate::release::content::modules::Modules;
use crate::source::Files;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::TomlFile;
use crate::workspace::{Distribution, Workspace};

/// What a check looks at.
#[derive(Clone, Copy)]
pub struct CheckFacts<'a> {
    pub workspace: &'a Workspace,
    pub files: Files<'a>,
}

/// Something found, with what mends it where that is certain.
#[derive(Debug)]
pub struct Found {
    pub finding: Finding,
    pub fix: Option<Fix>,
}

/// What mends a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    Edits(Vec<Edit>),
    /// An empty file is missing.
    Create(String),
    /// A file is one too many.
    Remove(String),
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Found {
        Found { finding, fix: None }
    }
}

impl Found {
    fn fixed_by(finding: Finding, fix: Option<Fix>) -> Found {
        Found { finding, fix }
    }
}

/// One distribution with what the rules ask about it.
struct Subject<'a> {
    at: usize,
    distribution: &'a Distribution,
    /// Its pyproject.toml, where it has one.
    toml: Option<TomlFile>,
    /// All files of it, relative to the root.
    paths: Vec<String>,
    modules: Modules,
}

impl<'a> Subject<'a> {
    fn new(facts: CheckFacts<'a>, at: usize) -> Subject<'a> {
        let distribution = &facts.workspace.distributions[at];
        let path = &distribution.manifest.path;
        let toml = (facts.files.read)(path)
            .filter(|_| path.ends_with(".toml"))
            .and_then(|source| TomlFile::parse(path, source.text).ok());
        let paths = (facts.files.list)(&distribution.dir);
        let modules = Modules::of(&distribution.dir, &paths);
        Subject { at, distribution, toml, paths, modules }
    }

    /// A path of this distribution, relative to the root.
    fn path(&self, path: &str) -> String {
        match self.distribution.dir.as_str() {
            "" => path.to_owned(),
            dir => format!("{dir}/{path}"),
        }
    }

    fn edit(
        &self,
        file: &str,
        line: usize,
        span: std::ops::Range<usize>,
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

/// Everything that is found, in the order of the files.
pub fn check(facts: CheckFacts) -> Vec<Found> {
    let subjects: Vec<Subject> = (0..facts.workspace.distributions.len())
        .filter(|&at| facts.workspace.distributions[at].manifest.excluded.is_none())
        .map(|at| Subject::new(facts, at))
        .collect();
    let mut found: Vec<Found> =
        facts.workspace.findings.iter().map(|finding| known_before(finding, &subjects)).collect();
    for subject in &subjects {
        found.extend(versions::unknown(subject).map(Found::from));
        found.extend(versions::copies(facts, subject));
        found.extend(ranges::ranges(facts, subject));
        found.extend(ranges::direct_references(subject).into_iter().map(Found::from));
        found.extend(python::requires_python(facts, subject).into_iter().map(Found::from));
        found.extend(contents::readme(subject).map(Found::from));
        found.extend(contents::license(subject).into_iter().map(Found::from));
        found.extend(contents::typed(subject, &subjects));
        found.extend(smoke::smoke(subject).map(Found::from));
    }
    found.extend(contents::namespaces(facts, &subjects));
    found.extend(versions::locks(facts));
    found.sort_by(|a, b| a.finding.place.cmp(&b.finding.place));
    found
}

/// What was found when the repository was read; one of the rules has a fix.
fn known_before(finding: &Finding, subjects: &[Subject]) -> Found {
    let place = finding.place.as_ref().map(|(file, _)| file.as_str());
    let subject = subjects.iter().find(|s| Some(&*s.distribution.manifest.path) == place);
    let fix = match (finding.rule, subject) {
        ("dependencies-table", Some(subject)) => requirement_table::fix(subject).map(Fix::Edits),
        _ => None,
    };
    Found::fixed_by(finding.clone(), fix)
}
