//! `sync`: the shared fields and files, brought in line in every distribution.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::shared::{self, SharedFields};
use domain::text::edit::{Edit, Write, splice};
use domain::text::toml::TomlFile;
use domain::workspace::{Distribution, Workspace};

use crate::ExitStatus;
use crate::cli::SyncOptions;
use crate::effects::fs::files::{self, Changes};
use crate::effects::fs::tree::Tree;
use crate::effects::repository::{discover, templates};
use crate::ui::{self, Style, paint, say};

/// Everything that differs, and what is to be written.
#[derive(Default)]
struct SyncPlan {
    findings: Vec<Finding>,
    /// Differences that only a person can mend.
    left: Vec<Finding>,
    changes: Changes,
}

/// # Errors
/// The repository or shared.toml is not understood, or a file cannot be written.
pub(crate) fn run(root: &Path, options: &SyncOptions) -> Result<ExitStatus> {
    let tree = Tree::walk(root)?;
    let workspace = discover::workspace(root)?;
    let shared = templates::shared(root)?;
    if shared.is_empty() && root.join(shared::FILE).is_file() {
        say!("{} names nothing yet: nothing is shared", shared::FILE);
        return Ok(ExitStatus::Done);
    }
    if shared.is_empty() {
        let nothing = Finding::error(Rule::Shared, "this repository shares nothing");
        return Err(Refusal::from(nothing.hint(format!("write {}", shared::FILE))).into());
    }
    let plan = plan(&tree, &workspace, &shared)?;
    if options.check {
        ui::findings(&plan.findings);
        let errors = plan.findings.iter().filter(|finding| finding.is_error()).count();
        say!("{}", summary(errors, workspace.distributions.len()));
        return Ok(ExitStatus::done_if(errors == 0));
    }
    files::change(root, &plan.changes)?;
    let written = plan.changes.writes.iter().map(|write| write.path.as_str());
    for path in written.chain(plan.changes.new.iter().map(|(path, _)| path.as_str())) {
        say!("{path}");
    }
    eprintln!(
        "{} {} in line with {}",
        paint(Style::Good, "done:"),
        plan.findings.iter().filter(|finding| finding.is_error()).count() - plan.left.len(),
        shared::FILE
    );
    ui::findings(&plan.left);
    Ok(ExitStatus::done_if(plan.left.is_empty()))
}

fn summary(differences: usize, distributions: usize) -> String {
    match differences {
        0 => format!("{distributions} distributions, all in line"),
        1 => "1 difference".to_owned(),
        many => format!("{many} differences"),
    }
}

fn plan(tree: &Tree, workspace: &Workspace, shared: &SharedFields) -> Result<SyncPlan> {
    let mut plan = SyncPlan::default();
    for distribution in &workspace.distributions {
        let has_manifest = distribution.manifest.path.ends_with("pyproject.toml");
        if has_manifest && distribution.manifest.excluded.is_none() {
            plan.add(tree, distribution, shared)?;
        }
    }
    Ok(plan)
}

impl SyncPlan {
    fn add(
        &mut self,
        tree: &Tree,
        distribution: &Distribution,
        shared: &SharedFields,
    ) -> Result<()> {
        let path = &distribution.manifest.path;
        let source = tree.read(path).ok_or_else(|| anyhow!("cannot read {path}"))?;
        let manifest = TomlFile::parse(path, source.text).map_err(Refusal::from)?;
        let exempt = &distribution.manifest.config.differs;
        let read = |path: &str| tree.read(path).map(|source| source.text.to_string());
        let found = shared.differences(&manifest, exempt, distribution.name().normal());
        let files = shared.file_differences(&distribution.dir, exempt, &read);
        let without = shared.file_differences(&distribution.dir, &[], &read);
        self.findings.extend(shared.idle_exemptions(&manifest, exempt, &without));
        let edits: Vec<&Edit> = found.iter().flat_map(|difference| &difference.edits).collect();
        match splice(path, manifest.text(), &edits) {
            Ok(write) if !edits.is_empty() => self.changes.writes.push(write),
            Ok(_) => {}
            Err(why) => bail!(why),
        }
        for difference in found {
            if difference.edits.is_empty() {
                self.left.push(difference.finding.clone());
            }
            self.findings.push(difference.finding);
        }
        for file in files {
            match file.before {
                Some(before) => {
                    let before = before.into();
                    self.changes.writes.push(Write { path: file.path, before, after: file.after });
                }
                None => self.changes.new.push((file.path, file.after)),
            }
            self.findings.push(file.finding);
        }
        Ok(())
    }
}
