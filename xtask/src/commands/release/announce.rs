//! What is told when everything is published: release notes, and releases on GitHub.
//!
//! What is published stays published: nothing that fails here fails the release.

use std::path::Path;

use domain::finding::{Finding, Rule};
use domain::ids::DistributionId;
use domain::release::plan::{Lookup, ReleasePlan};
use domain::release::stage::Until;
use domain::workspace::{Distribution, Workspace};

use crate::cli::ReleaseOptions;
use crate::effects::release::notes;
use crate::ui::{self, say};

/// What is told about, and what of it was asked for.
pub(crate) struct Announcement<'a> {
    pub(crate) root: &'a Path,
    /// The tree that was released.
    pub(crate) source: &'a Path,
    pub(crate) workspace: &'a Workspace,
    pub(crate) options: &'a ReleaseOptions,
}

impl Announcement<'_> {
    /// Prints what the changelogs say about a plan that was carried out.
    pub(crate) fn notes(&self, plan: &ReleasePlan) {
        if !self.options.notes || self.options.json {
            return;
        }
        for package in &plan.packages {
            if let Some((title, notes)) =
                self.of(&self.workspace.distributions[package.distribution])
            {
                say!("## {title}\n\n{}\n", notes.unwrap_or_else(|| silent(&title)));
            }
        }
    }

    /// Makes the releases that GitHub lacks of distributions that are published.
    pub(crate) fn on_github(&self, published: &[DistributionId]) {
        let ReleaseOptions { github, rehearse, until, .. } = self.options;
        if !github || *rehearse || *until != Until::Published {
            return;
        }
        for &at in published {
            let distribution = &self.workspace.distributions[at];
            let tag = distribution.current_tag();
            if let Some((tag, (title, notes))) = tag.zip(self.of(distribution)) {
                self.release_of(&tag, &title, notes);
            }
        }
    }

    fn release_of(&self, tag: &str, title: &str, notes: Option<String>) {
        let why = match notes::is_on_github(self.root, tag) {
            Lookup::Known(true) => return,
            Lookup::Known(false) => {
                // With --notes it was said already.
                let notes = notes.unwrap_or_else(|| {
                    if self.options.notes { String::new() } else { silent(title) }
                });
                match notes::publish(self.root, tag, title, &notes) {
                    Ok(()) => return,
                    Err(error) => format!("no release of {tag} on GitHub: {error:#}"),
                }
            }
            Lookup::Unknown(why) => format!("whether GitHub has a release of {tag}: {why}"),
        };
        let hint = "the same command again makes what is missing";
        ui::findings(&[Finding::warning(Rule::Github, why).hint(hint)]);
    }

    /// Title and notes of the version that the tree has.
    fn of(&self, distribution: &Distribution) -> Option<(String, Option<String>)> {
        let version = distribution.version()?;
        let notes = notes::read(self.source, distribution, version);
        Some((format!("{} {version}", distribution.name()), notes))
    }
}

/// The notes where there are none.
fn silent(title: &str) -> String {
    eprintln!("note: the changelog says nothing about {title}");
    String::new()
}
