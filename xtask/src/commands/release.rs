//! `release`: preflight, plan, consent, and then the plan carried out.

mod announce;
mod report;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use announce::Announcement;
use anyhow::{Error, Result};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::parallel;
use domain::release::ledger::{Event, is_half_released};
use domain::release::plan::{Lookup, Package, ReleasePlan};
use domain::release::preflight::{self, Check, short};
use domain::release::stage::Until;
use domain::workspace::{Distribution, Workspace};
use formats::pep440::Version;
use report::Report;

use crate::cli::ReleaseOptions;
use crate::effects::fs::lock::Lock;
use crate::effects::fs::temporary;
use crate::effects::paths;
use crate::effects::process::interrupt::{self, Standing};
use crate::effects::python::tools::Tools;
use crate::effects::release::facts::tools::Uploads;
use crate::effects::release::facts::{self, IndexFacts, LocalFacts};
use crate::effects::release::target::{self, GitTarget, ReleaseTarget};
use crate::effects::release::{Release, ReleaseOutcome, collect_wheels, notes, receipt};
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::progress::Progress;
use crate::{ExitStatus, ui};

/// # Errors
/// Refused before anything happened, or stopped on the way.
pub(crate) fn run(root: &Path, options: &ReleaseOptions) -> Result<ExitStatus> {
    let kind = if options.rehearse { "rehearsal" } else { "release" };
    refuse_wrong_targets(root, options)?;
    let _lock = Lock::take(&paths::scratch(root)?, kind)?;
    temporary::sweep();
    let progress = Progress::start();
    let Prepared { tools, target, source } = Prepared::new(root, kind, options, &progress)?;
    let Source { head, export, workspace, local } = source;

    let (checks, indexes) = check_all(&target, &tools, &workspace, &local, &head, options);
    let indexes = match indexes {
        Ok(indexes) => indexes,
        Err(error) => return refused(options, &checks, &local, error),
    };
    say_notes(&progress, &checks);
    let plan = plan(options, indexes.to_release);
    let report = Report {
        root,
        options,
        workspace: &workspace,
        target: &target,
        plan: &plan,
        checks: &checks,
        head: &head,
    };
    let announcement = Announcement { root, source: &export, workspace: &workspace, options };
    report.plan(&indexes.released, &local.ledgers);
    if options.dry_run || plan.packages.is_empty() {
        report.json(&ReleaseOutcome::nothing_done(&plan), &indexes.released);
        if !options.dry_run {
            announcement.on_github(&indexes.released);
        }
        return Ok(ExitStatus::Done);
    }
    if let Err(refused) = consent(options) {
        report.json(&ReleaseOutcome::nothing_done(&plan), &indexes.released);
        return Err(refused);
    }

    let release = Release {
        target: &target,
        tools: &tools,
        workspace: &workspace,
        plan: &plan,
        progress: &progress,
        source: &export,
        head: &head,
        served: indexes.served,
        ledgers: local.ledgers,
        wheels: options.wheels.as_deref(),
        jobs: options.jobs.unwrap_or_else(parallel::jobs),
        restage: options.restage,
    };
    let outcome = ui::in_group("stages", || release.carry_out());
    drop(progress);
    report.outcome(&outcome);
    report.json(&outcome, &indexes.released);
    if outcome.interruption.is_none() {
        announcement.notes(&plan);
        let published = plan.packages.iter().map(|package| package.distribution);
        announcement.on_github(&published.chain(indexes.released).collect::<Vec<_>>());
    }
    Ok(exit_status(&outcome))
}

fn plan(options: &ReleaseOptions, packages: Vec<Package>) -> ReleasePlan {
    let packages = packages.into_iter().collect();
    if options.tested {
        ReleasePlan::of_tested(packages)
    } else {
        ReleasePlan::new(packages, options.until, !options.rehearse)
    }
}

/// The notes of checks that hold.
fn say_notes(progress: &Progress, checks: &[Check]) {
    for check in checks.iter().filter(|check| check.hint.is_some()) {
        progress.say(&format!("note: {}", check.detail));
    }
}

fn exit_status(outcome: &ReleaseOutcome) -> ExitStatus {
    match &outcome.interruption {
        None => ExitStatus::Done,
        Some(interruption) if interruption.published.is_empty() => ExitStatus::Refused,
        Some(_) => ExitStatus::Interrupted,
    }
}

/// The files that an earlier run has published of this release.
fn standing(workspace: &Workspace, local: &LocalFacts) -> Standing {
    let mut standing = Standing::default();
    if is_half_released(local.ledgers.values()) {
        for package in local.packages() {
            let name = workspace.distributions[package.distribution].name();
            let ledger = local.ledgers.get(&package.distribution);
            let is_published = ledger.is_some_and(|ledger| ledger.has(Event::PUBLISHED));
            let Standing { published, unpublished } = &mut standing;
            let names = if is_published { published } else { unpublished };
            names.push(format!("{name} {}", package.version));
        }
    }
    standing
}

/// Reports a refusal. The exit code still says that an earlier run has published something.
fn refused(
    options: &ReleaseOptions,
    checks: &[Check],
    local: &LocalFacts,
    error: Error,
) -> Result<ExitStatus> {
    report::refused(options, checks, &error);
    if !is_half_released(local.ledgers.values()) {
        return Err(error);
    }
    ui::error(&error);
    Ok(ExitStatus::Interrupted)
}

/// Refuses names that no distribution has before anything is installed or copied. The release itself
/// reads the commit: what the working tree cannot tell is left to it.
fn refuse_wrong_targets(root: &Path, options: &ReleaseOptions) -> Result<()> {
    match discover::workspace(root) {
        Ok(workspace) => Ok(workspace.resolve_versioned(&options.targets).map(drop)?),
        Err(_) => Ok(()),
    }
}

/// Everything that a release needs before it asks an index.
struct Prepared {
    tools: Tools,
    target: ReleaseTarget,
    source: Source,
}

impl Prepared {
    fn new(
        root: &Path,
        kind: &str,
        options: &ReleaseOptions,
        progress: &Progress,
    ) -> Result<Prepared> {
        interrupt::watch()?;
        // Reading the repository takes about as long as finding the tools, and far less than
        // installing them.
        let (tools, source) = thread::scope(|scope| {
            let tools = scope.spawn(|| {
                let ready = || Tools::ready(|installing| progress.say(installing));
                progress.during("preparing the release tools", ready).0
            });
            let source = Source::read(root, kind, options, progress);
            (tools.join(), source)
        });
        let (source, git_target, targets) = source?;
        let tools = tools.unwrap_or_else(|panic| resume_unwind(panic))?;
        if source.local.checks.iter().all(|check| check.ok) {
            // The release needs pip's settings soon. If it is refused, this thread is not waited
            // for.
            let tools = tools.clone();
            thread::spawn(move || tools.pip_settings().len());
        }
        let Source { export, workspace, .. } = &source;
        let target = if options.rehearse {
            let start =
                || ReleaseTarget::rehearsal(git_target, export, workspace, &targets, &tools);
            progress.during("starting the local indexes", start).0?
        } else {
            ReleaseTarget::real(git_target, &workspace.config, &tools)?
        };
        interrupt::stand(standing(&source.workspace, &source.local));
        Ok(Prepared { tools, target, source })
    }
}

/// The commit that is released. Everything is read from its clean export, also the configuration:
/// only committed files are released.
struct Source {
    head: String,
    export: PathBuf,
    workspace: Workspace,
    local: LocalFacts,
}

impl Source {
    fn read(
        root: &Path,
        kind: &str,
        options: &ReleaseOptions,
        progress: &Progress,
    ) -> Result<(Source, GitTarget, Vec<DistributionId>)> {
        let git = Git::required(root)?;
        let head = git.head()?;
        let export = paths::scratch(root)?.join(format!("{kind}-source"));
        paths::remove(&export)?;
        git.export(&head, &export)?;
        let mut workspace = discover::workspace(&export)?;
        let git = git.without(target::tokens(&workspace.config));
        let given = workspace.resolve_versioned(&options.targets)?;
        let given: Vec<_> =
            given.into_iter().filter_map(|(id, version)| Some((id, version?))).collect();
        follow_tags(&mut workspace, &git, &given)?;
        let targets = targets(&workspace, options)?;
        if options.rehearse && !git.dirty()?.is_empty() {
            progress.say(&format!(
                "note: the working tree is not clean; HEAD ({}) is rehearsed without the changes",
                short(&head)
            ));
        }
        let git_target = if options.rehearse {
            GitTarget::rehearsal(root, &workspace, &targets)?
        } else {
            GitTarget::real(root, &workspace.config)?
        };
        let local = LocalFacts::gather(&git_target, &workspace, &targets, &head)?;
        Ok((Source { head, export, workspace, local }, git_target, targets))
    }
}

/// Follows the tags of the repository and those of the remote, and the versions that were given: a
/// clone of CI often has no tags.
///
/// # Errors
/// A given version is not the one that the repository states; or git fails.
fn follow_tags(
    workspace: &mut Workspace,
    git: &Git,
    given: &[(DistributionId, Version)],
) -> Result<()> {
    let mut tags = git.tags().unwrap_or_default();
    if let Lookup::Known(remote) = git.remote_tags(&workspace.config.remote) {
        tags.extend(remote);
    }
    tags.sort_by(|a, b| a.name.cmp(&b.name));
    tags.dedup_by(|a, b| a.name == b.name);
    workspace.follow_tags(&tags);
    let contradictions = discover::make_versions(workspace, git, &tags, given)?;
    Ok(Refusal::unless_clean(contradictions)?)
}

/// Makes every check. Those that need an index are made only if all others hold, so that a release
/// refused for a dirty tree sends no request.
fn check_all(
    target: &ReleaseTarget,
    tools: &Tools,
    workspace: &Workspace,
    local: &LocalFacts,
    head: &str,
    options: &ReleaseOptions,
) -> (Vec<Check>, Result<IndexFacts>) {
    let mut checks = local.checks.clone();
    let uploads = Uploads {
        to_staging: options.until >= Until::Staged && !options.tested,
        to_index: options.until == Until::Published,
    };
    checks.extend(facts::tools::checks(target, tools, uploads));
    if let Some(folder) = &options.wheels {
        let released = local.packages().map(|package| {
            let name = workspace.distributions[package.distribution].name();
            (name.in_file_name(), package.version.to_string())
        });
        checks.push(collect_wheels::check(folder, &released.collect::<Vec<_>>()));
    }
    if announce::is_wanted(options) {
        checks.push(notes::check());
    }
    if options.until == Until::Built {
        checks = preflight::for_building(checks);
    }
    if let Err(refusal) = preflight::refuse_failed(&checks) {
        return (checks, Err(refusal.into()));
    }
    let mut indexes = match IndexFacts::gather(target, tools, workspace, local) {
        Ok(indexes) => indexes,
        Err(error) => return (checks, Err(error)),
    };
    checks.append(&mut indexes.checks);
    if options.tested {
        let packages = indexes.to_release.iter().map(|package| {
            let name = workspace.distributions[package.distribution].name();
            let ledger = local.ledgers.get(&package.distribution);
            (name.to_string(), package.version.to_string(), ledger)
        });
        checks.extend(receipt::checks(&target.git_target.dist, head, packages));
    }
    let refused = preflight::refuse_failed(&checks);
    (checks, refused.map(|()| indexes).map_err(Into::into))
}

/// The distributions to release, in release order.
fn targets(workspace: &Workspace, options: &ReleaseOptions) -> Result<Vec<DistributionId>> {
    let distributions = &workspace.distributions;
    if distributions.is_empty() {
        let message = "this repository has no distribution";
        let hint = "add a pyproject.toml with a project name";
        return Err(Refusal::from(Finding::error(Rule::Packages, message).hint(hint)).into());
    }
    if options.targets.is_empty() {
        let mut all: Vec<DistributionId> = distributions.ids().collect();
        all.retain(|&id| distributions[id].manifest.excluded.is_none());
        ui::left_out(workspace);
        let has_version = |id: &DistributionId| {
            let distribution = &distributions[*id];
            distribution.version().is_some() || !distribution.makes_version()
        };
        if all.iter().any(has_version) {
            let unnamed = all.iter().filter(|id| !has_version(id));
            ui::unnamed_versions(unnamed.map(|&id| distributions[id].name().to_string()).collect());
            all.retain(has_version);
        }
        return Ok(all);
    }
    let found = workspace.resolve_versioned(&options.targets)?;
    let mut found: Vec<DistributionId> = found.into_iter().map(|(id, _)| id).collect();
    found.sort_unstable();
    found.dedup();
    Refusal::unless_clean(found.iter().filter_map(|&id| private(&distributions[id])).collect())?;
    Ok(found)
}

/// Why a distribution that is named is not released all the same.
fn private(distribution: &Distribution) -> Option<Finding> {
    let manifest = &distribution.manifest;
    let why = manifest.excluded.as_ref().filter(|_| manifest.is_private)?;
    let message = format!("`{}` is never released: {why}", manifest.name);
    let hint = "remove that to release it";
    Some(Finding::error(Rule::Target, message).at(&manifest.path, 1).hint(hint))
}

/// Asks before the first upload to a real index.
fn consent(options: &ReleaseOptions) -> Result<()> {
    let yes = options.yes || options.rehearse || options.until == Until::Built;
    if ui::confirm("Continue?", yes)? {
        return Ok(());
    }
    let finding = Finding::error(Rule::Consent, "the release was cancelled")
        .hint("pass `--dry-run` to see the plan without a prompt");
    Err(Refusal::from(finding).into())
}
