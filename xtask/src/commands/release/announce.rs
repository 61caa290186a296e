//! Announces what is published: release notes, and releases on GitHub.
//!
//! The packages are published by then: nothing that fails here fails the release.

use std::path::Path;

use domain::finding::{Finding, Rule};
use domain::ids::DistributionId;
use domain::release::plan::{Lookup, ReleasePlan};
use domain::release::stage::Until;
use domain::workspace::{Distribution, Workspace};

use crate::cli::ReleaseOptions;
use crate::effects::release::notes;
use crate::ui::{self, say};

/// The release that is announced, and the options that say how.
pub(crate) struct Announcement<'a> {
    pub(crate) root: &'a Path,
    /// The released tree.
    pub(crate) source: &'a Path,
    pub(crate) workspace: &'a Workspace,
    pub(crate) options: &'a ReleaseOptions,
}

/// Whether this release ends with releases on GitHub.
pub(crate) fn is_wanted(options: &ReleaseOptions) -> bool {
    options.github && !options.rehearse && options.until == Until::Published
}

impl Announcement<'_> {
    /// Prints the changelog entries of all packages of a plan.
    pub(crate) fn notes(&self, plan: &ReleasePlan) {
        if !self.options.notes || self.options.json {
            return;
        }
        for package in &plan.packages {
            if let Some((title, notes)) =
                self.of(&self.workspace.distributions[package.distribution])
            {
                say!("## {title}\n\n{}\n", notes.unwrap_or_else(|| without_entry(&title)));
            }
        }
    }

    /// Creates the GitHub releases that published distributions lack.
    pub(crate) fn on_github(&self, published: &[DistributionId]) {
        if !is_wanted(self.options) {
            return;
        }
        for &id in published {
            let distribution = &self.workspace.distributions[id];
            let tag = distribution.current_tag();
            if let Some((tag, (title, notes))) = tag.zip(self.of(distribution)) {
                self.create(&tag, &title, notes);
            }
        }
    }

    /// Creates the GitHub release of a tag, unless there is one.
    fn create(&self, tag: &str, title: &str, notes: Option<String>) {
        let why = match notes::is_on_github(self.root, tag) {
            Lookup::Known(true) => return,
            Lookup::Known(false) => {
                // With --notes, a missing entry was mentioned already.
                let notes = notes.unwrap_or_else(|| {
                    if self.options.notes { String::new() } else { without_entry(title) }
                });
                match notes::publish(self.root, tag, title, &notes) {
                    Ok(()) => return,
                    Err(error) => format!("cannot create the GitHub release of `{tag}`: {error:#}"),
                }
            }
            Lookup::Unknown(why) => {
                format!("could not query GitHub for a release of `{tag}`: {why}")
            }
        };
        let hint = "run the same command again to create the missing release";
        ui::findings(&[Finding::warning(Rule::Github, why).hint(hint)]);
    }

    /// Title and notes of the version that the tree has.
    fn of(&self, distribution: &Distribution) -> Option<(String, Option<String>)> {
        let version = distribution.version()?;
        let notes = notes::read(self.source, distribution, version);
        Some((format!("{} {version}", distribution.name()), notes))
    }
}

/// The notes of a version without a changelog entry.
fn without_entry(title: &str) -> String {
    eprintln!("note: the changelog has no entry for {title}");
    String::new()
}
