//! `sync`: copies the shared fields and files to every distribution.

use std::path::Path;

use anyhow::{Result, anyhow};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::shared::{self, SharedFields};
use domain::text::edit::{Edit, splice};
use domain::text::toml::TomlFile;
use domain::text::words::plural;
use domain::workspace::{Distribution, Judgement, Workspace};

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
    /// Differences that only a person can fix.
    unfixable: Vec<Finding>,
    changes: Changes,
}

/// # Errors
/// The repository or shared.toml is not understood, or a file cannot be written.
pub(crate) fn run(root: &Path, options: &SyncOptions) -> Result<ExitStatus> {
    let tree = discover::tree(root)?;
    let workspace = discover::judged(root, &tree, Judgement::Refuse)?;
    let shared = templates::shared(root)?;
    if shared.is_empty() && root.join(shared::FILE).is_file() {
        say!("`{}` lists no shared fields yet", shared::FILE);
        return Ok(ExitStatus::Done);
    }
    if shared.is_empty() {
        let message = "this repository has no shared fields or files";
        let hint = format!("list the shared fields in `{}`", shared::FILE);
        return Err(Refusal::from(Finding::error(Rule::Shared, message).hint(hint)).into());
    }
    let plan = plan(&tree, &workspace, &shared)?;
    let differences = plan.findings.iter().filter(|finding| finding.is_error()).count();
    if options.check {
        ui::findings(&plan.findings);
        say!("{}", summary(differences, workspace.distributions.len()));
        return Ok(ExitStatus::done_if(differences == 0));
    }
    files::change(root, &plan.changes)?;
    let written = plan.changes.writes.iter().map(|write| write.path.as_str());
    for path in written.chain(plan.changes.new.iter().map(|(path, _)| path.as_str())) {
        say!("{path}");
    }
    eprintln!(
        "{} {} fixed, as in `{}`",
        paint(Style::Good, "done:"),
        plural(differences - plan.unfixable.len(), "difference"),
        shared::FILE
    );
    ui::findings(&plan.unfixable);
    Ok(ExitStatus::done_if(plan.unfixable.is_empty()))
}

fn summary(differences: usize, distributions: usize) -> String {
    match differences {
        0 => format!("{}, no difference", plural(distributions, "distribution")),
        _ => plural(differences, "difference"),
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
        let source = tree.read(path).ok_or_else(|| anyhow!("cannot read `{path}`"))?;
        let manifest = TomlFile::parse(path, source.text).map_err(Refusal::from)?;
        let exempt = &distribution.manifest.config.differs;
        let read = |path: &str| tree.read(path).map(|source| source.text.to_string());
        let found = shared.differences(&manifest, exempt, distribution.name().normal());
        let files = shared.file_differences(&distribution.dir, exempt, &read);
        let without = shared.file_differences(&distribution.dir, &[], &read);
        self.findings.extend(shared.idle_exemptions(&manifest, exempt, &without));
        let edits: Vec<&Edit> = found.iter().flat_map(|difference| &difference.edits).collect();
        if !edits.is_empty() {
            let write = splice(path, manifest.text(), &edits).map_err(|why| anyhow!(why))?;
            self.changes.writes.push(write);
        }
        for difference in found {
            if difference.edits.is_empty() {
                self.unfixable.push(difference.finding.clone());
            }
            self.findings.push(difference.finding);
        }
        for file in files {
            self.changes.put(file.path, file.before.map(Into::into), file.after);
            self.findings.push(file.finding);
        }
        Ok(())
    }
}
