//! Finds out what users of a release will get, before any index has it: from the built files and
//! from what is published.
//!
//! Must not judge: `domain::release::evidence` does.

mod compare;
mod difference;
mod neighbours;
mod past;

use std::fs;

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule, Severity};
use domain::ids::PackageId;
use domain::parallel;
use domain::policy::NeighboursPolicy;
use domain::release::evidence::{Section, report};
use domain::release::plan::Package;
use domain::release::preflight::short;
use domain::text::harmless;
use domain::text::words::plural;

use crate::effects::release::run::Run;

impl Run<'_> {
    /// Gathers the evidence of all packages. Returns what it amounts to, in a few words, where there
    /// is anything to compare with.
    ///
    /// # Errors
    /// Something of it stops the release.
    pub(super) fn gather_evidence(&self) -> Result<Option<String>> {
        let packages = self.states.ids().filter(|&id| !self.is_published(id));
        let packages: Vec<PackageId> = packages.collect();
        let mut found = self.differences(&packages);
        found.extend(self.neighbours(&packages));
        let summary = (!found.is_empty()).then(|| summary(&found));
        let mut errors = Vec::new();
        for (id, finding) in found {
            let message = format!("{}: {}", self.label(id), finding.message);
            match finding.severity {
                Severity::Error => errors.push(Finding { message, ..finding.clone() }),
                Severity::Warning => {
                    self.release.progress.say(&format!("warning: {message}"));
                    if let Some(hint) = &finding.hint {
                        self.release.progress.say(&format!("hint: {hint}"));
                    }
                }
                Severity::Note => {}
            }
            self.state(id).evidence.push(finding);
        }
        self.write_report()?;
        Refusal::unless_clean(errors)?;
        Ok(summary)
    }

    /// Writes `REPORT.md` beside the built files.
    fn write_report(&self) -> Result<()> {
        let states: Vec<_> = self.states.ids().map(|id| (id, self.artifacts(id))).collect();
        let evidence: Vec<_> =
            self.states.ids().map(|id| self.state(id).evidence.clone()).collect();
        let sections = states.iter().zip(&evidence).map(|((id, files), evidence)| {
            let package = self.package(*id);
            let name = self.name_of(package.distribution).as_str();
            let Package { version, tag, .. } = package;
            Section { name, version, tag, files, evidence }
        });
        let text = report(short(self.release.head), &sections.collect::<Vec<_>>());
        let dist = &self.release.target.git_target.dist;
        // git ignores it, in any repository.
        let ignored = dist.join(".gitignore");
        if !ignored.exists() {
            fs::write(&ignored, "*\n")?;
        }
        let path = dist.join("REPORT.md");
        fs::write(&path, harmless::without_controls(&text, false))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Compares the packages with what is published of them, and their metadata with their code.
    fn differences(&self, packages: &[PackageId]) -> Vec<(PackageId, Finding)> {
        let owners = self.module_owners().unwrap_or_default();
        let examined = parallel::map(self.release.jobs, packages, |&id| {
            let found = self.examine(id, &owners).unwrap_or_else(|error| {
                let text = format!("could not be compared with what is published: {error:#}");
                vec![Finding::warning(Rule::Difference, text)]
            });
            found.into_iter().map(|one| (id, one)).collect::<Vec<_>>()
        });
        examined.into_iter().flatten().collect()
    }

    /// Tests the packages with their published siblings, side by side.
    fn neighbours(&self, packages: &[PackageId]) -> Vec<(PackageId, Finding)> {
        let severity = match self.release.workspace.config.neighbours {
            NeighboursPolicy::Stop => Severity::Error,
            NeighboursPolicy::Warn => Severity::Warning,
            NeighboursPolicy::Off => return Vec::new(),
        };
        let jobs = self.release.jobs;
        let (dependents, mut found) = self.dependents();
        let tested = parallel::map(jobs, &dependents, |dependent| {
            let evidence = self.test_dependent(dependent, severity);
            vec![(dependent.on, evidence.unwrap_or_else(untested))]
        });
        let ranges = parallel::map(jobs, packages, |&id| {
            let evidence = self.test_ranges(id, severity);
            let evidence = evidence.unwrap_or_else(|error| vec![untested(error)]);
            evidence.into_iter().map(|one| (id, one)).collect()
        });
        found.extend(tested.into_iter().chain(ranges).flatten());
        if let (Some(&first), [(name, why), rest @ ..]) = (packages.first(), &*self.unanswered()) {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", plural(rest.len(), "sibling"))
            };
            let text = format!("could not look for published `{name}`{more}: {why}");
            found.push((first, Finding::warning(Rule::Neighbours, text)));
        }
        found
    }
}

/// A test that could not be made is not silently left out.
fn untested(error: anyhow::Error) -> Finding {
    let text = format!("could not be tested with its published siblings: {error:#}");
    Finding::warning(Rule::Neighbours, text)
}

fn summary(found: &[(PackageId, Finding)]) -> String {
    let count = |severity| found.iter().filter(|(_, one)| one.severity == severity).count();
    let notes = plural(count(Severity::Note), "note");
    format!("{}, {notes}", plural(count(Severity::Warning), "warning"))
}
