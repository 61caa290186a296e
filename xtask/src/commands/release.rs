//! `release`: preflight, plan, consent, and then the plan carried out.

mod announce;
mod report;

use std::io::{BufRead, IsTerminal};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use announce::Announcement;
use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::parallel;
use domain::release::plan::ReleasePlan;
use domain::release::preflight::{self, Check, short};
use domain::release::stage::Until;
use domain::workspace::Workspace;
use report::Report;

use crate::cli::ReleaseOptions;
use crate::effects::fs::lock::Lock;
use crate::effects::fs::temporary;
use crate::effects::paths;
use crate::effects::python::tools::Tools;
use crate::effects::release::facts::{self, IndexFacts, LocalFacts};
use crate::effects::release::target::{self, GitTarget, ReleaseTarget};
use crate::effects::release::{Release, ReleaseOutcome};
use crate::effects::repository::discover;
use crate::ui::progress::Progress;

/// # Errors
/// Refused before anything happened, or stopped on the way.
pub(crate) fn run(root: &Path, options: &ReleaseOptions) -> Result<ExitCode> {
    let what = if options.rehearse { "rehearsal" } else { "release" };
    let _lock = Lock::take(&paths::scratch(root)?, what)?;
    temporary::sweep();
    let progress = Progress::start();
    let Setting { tools, head, source, workspace, local, target } =
        Setting::prepare(root, what, options, &progress)?;

    let mut checks = local.checks();
    checks.extend(facts::of_tools(&target, &tools));
    let indexes = match judge(&target, &tools, &workspace, &local, options, &mut checks) {
        Ok(indexes) => indexes,
        Err(error) => {
            report::refused(options, &checks);
            return Err(error);
        }
    };
    for check in checks.iter().filter(|check| check.hint.is_some()) {
        progress.say(&format!("note: {}", check.detail));
    }

    let plan =
        ReleasePlan::new(indexes.open.into_iter().collect(), options.until, !options.rehearse);
    let report = Report {
        root,
        options,
        workspace: &workspace,
        target: &target,
        plan: &plan,
        checks: &checks,
    };
    let announcement = Announcement { root, source: &source, workspace: &workspace, options };
    report.plan(&indexes.released);
    if options.dry_run || plan.packages.is_empty() {
        report.json(&ReleaseOutcome::nothing_done(&plan), &indexes.released);
        if !options.dry_run {
            announcement.on_github(&indexes.released);
        }
        return Ok(ExitCode::SUCCESS);
    }
    consent(options)?;

    let release = Release {
        target: &target,
        tools: &tools,
        workspace: &workspace,
        plan: &plan,
        progress: &progress,
        source: &source,
        head: &head,
        served: indexes.served,
        ledgers: local.ledgers,
        wheels: options.wheels.as_deref(),
        jobs: options.jobs.unwrap_or_else(parallel::jobs),
        restage: options.restage,
    };
    let outcome = release.carry_out();
    drop(progress);
    report.outcome(&outcome);
    report.json(&outcome, &indexes.released);
    Ok(match &outcome.interruption {
        None => {
            announcement.notes(&plan);
            let published = plan.packages.iter().map(|package| package.distribution);
            announcement.on_github(&published.chain(indexes.released).collect::<Vec<_>>());
            ExitCode::SUCCESS
        }
        Some(interruption) if interruption.published.is_empty() => ExitCode::FAILURE,
        Some(_) => ExitCode::from(3),
    })
}

/// What a release starts from.
struct Setting {
    tools: Tools,
    /// The commit that is released.
    head: String,
    /// A clean export of it.
    source: PathBuf,
    workspace: Workspace,
    local: LocalFacts,
    target: ReleaseTarget,
}

impl Setting {
    /// Everything is read from a clean export of HEAD: what a release is made of is what is
    /// committed, and that includes its configuration.
    fn prepare(
        root: &Path,
        what: &str,
        options: &ReleaseOptions,
        progress: &Progress,
    ) -> Result<Setting> {
        let ready = || Tools::ready(|installing| progress.say(installing));
        // Reading the repository and asking git takes about as long as finding the tools, and far
        // less than installing them.
        let (tools, read) = thread::scope(|scope| {
            let tools = scope.spawn(|| progress.during("preparing the release tools", ready).0);
            let read = ReleaseFacts::from(root, what, options, progress);
            (tools.join(), read)
        });
        let ReleaseFacts { head, source, workspace, targets, git_target, local } = read?;
        let tools = tools.unwrap_or_else(|panic| resume_unwind(panic))?;
        if local.checks().iter().all(|check| check.ok) {
            // Needed soon; nobody waits for it when it comes to nothing.
            let tools = tools.clone();
            thread::spawn(move || tools.pip().len());
        }
        let target = match options.rehearse {
            true => {
                let setting =
                    || ReleaseTarget::rehearsal(git_target, &source, &workspace, &targets, &tools);
                progress.during("setting the stage", setting).0?
            }
            false => ReleaseTarget::real(git_target, &workspace.config, &tools)?,
        };
        Ok(Setting { tools, head, source, workspace, local, target })
    }
}

/// What a release starts from as far as git and the files tell.
struct ReleaseFacts {
    head: String,
    source: PathBuf,
    workspace: Workspace,
    /// What was asked for, as indices into the workspace.
    targets: Vec<DistributionId>,
    git_target: GitTarget,
    local: LocalFacts,
}

impl ReleaseFacts {
    fn from(
        root: &Path,
        what: &str,
        options: &ReleaseOptions,
        progress: &Progress,
    ) -> Result<ReleaseFacts> {
        let git = target::repository(root)?;
        let head = git.head()?;
        let source = paths::scratch(root)?.join(format!("{what}-source"));
        paths::remove(&source)?;
        git.export(&head, &source)?;
        let workspace = discover::workspace(&source)?;
        let targets = targets(&workspace, options)?;
        if options.rehearse && !git.dirty()?.is_empty() {
            progress.say(&format!(
                "note: the working tree is not clean; HEAD ({}) is rehearsed, without the changes",
                short(&head)
            ));
        }
        let git_target = match options.rehearse {
            true => GitTarget::rehearsal(root, &workspace, &targets)?,
            false => GitTarget::real(root, &workspace.config)?,
        };
        let local = facts::local(&git_target, &workspace, &targets, &head)?;
        Ok(ReleaseFacts { head, source, workspace, targets, git_target, local })
    }
}

/// Makes every check, those that need an index only when all others hold: what is refused for a
/// dirty tree sends no request.
fn judge(
    target: &ReleaseTarget,
    tools: &Tools,
    workspace: &Workspace,
    local: &LocalFacts,
    options: &ReleaseOptions,
    checks: &mut Vec<Check>,
) -> Result<IndexFacts> {
    if options.until == Until::Built {
        *checks = preflight::for_building(std::mem::take(checks));
    }
    preflight::refuse_failed(checks)?;
    let mut indexes = facts::indexes(target, tools, workspace, local)?;
    checks.append(&mut indexes.checks);
    preflight::refuse_failed(checks)?;
    Ok(indexes)
}

/// The targets as indices into the workspace, in release order.
fn targets(workspace: &Workspace, options: &ReleaseOptions) -> Result<Vec<DistributionId>> {
    if workspace.distributions.is_empty() {
        let nothing = Finding::error(Rule::Packages, "there is no distribution in this repository");
        return Err(
            Refusal::from(nothing.hint("a distribution is a pyproject.toml with a name")).into()
        );
    }
    if options.targets.is_empty() {
        let own = |id: &DistributionId| workspace.distributions[*id].manifest.excluded.is_none();
        return Ok(workspace.distributions.ids().filter(own).collect());
    }
    let (mut found, mut findings) = (Vec::new(), Vec::new());
    for target in &options.targets {
        match workspace.resolve(target) {
            Ok(at) => found.push(at),
            Err(finding) => findings.push(finding),
        }
    }
    Refusal::unless_clean(findings)?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Asks before the first upload to a real index.
fn consent(options: &ReleaseOptions) -> Result<()> {
    if options.rehearse || options.yes || options.until == Until::Built {
        return Ok(());
    }
    let refuse = |message: &str, hint: &str| {
        Err(Refusal::from(Finding::error(Rule::Consent, message).hint(hint)).into())
    };
    if !std::io::stdin().is_terminal() {
        return refuse("nobody is there to say yes", "--yes says it beforehand");
    }
    eprint!("Go on? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => refuse("not released: the answer was no", "--dry-run shows the plan without asking"),
    }
}
