//! `release`: preflight, plan, consent, and then the plan carried out.

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cli::ReleaseOptions;
use crate::domain::finding::{Finding, Refusal};
use crate::domain::ledger::files_json;
use crate::domain::preflight::{self, Check, short};
use crate::domain::release::{Plan, Until};
use crate::domain::workspace::Workspace;
use crate::effects::lock::Lock;
use crate::effects::release::{Outcome, PackageReport, Release, StageReport, Stopped};
use crate::effects::site::{self, Site};
use crate::effects::tools::Tools;
use crate::effects::{discover, facts, notes, parallel};
use crate::ui::progress::Progress;
use crate::ui::summary::{self, Row};
use crate::ui::{Style, paint};

/// # Errors
/// Refused before anything happened, or stopped on the way.
pub fn run(root: &Path, options: &ReleaseOptions) -> Result<ExitCode> {
    let scratch = site::scratch(root)?;
    let what = if options.rehearse { "rehearsal" } else { "release" };
    let _lock = Lock::take(&scratch, what)?;
    let progress = Progress::start();
    let tools = Tools::ready(|installing| progress.say(installing))?;

    // Everything is read from a clean export of HEAD: what a release is made of is what is
    // committed, and that includes its configuration.
    let git = site::repository(root)?;
    let head = git.head()?;
    let source = scratch.join(format!("{what}-source"));
    site::remove(&source)?;
    git.export(&head, &source)?;
    let workspace = discover::workspace(&source)?;
    let targets = targets(&workspace, options)?;
    let site = match options.rehearse {
        false => Site::real(root, &workspace.config, &tools)?,
        true => {
            if !git.dirty()?.is_empty() {
                progress.say(&format!(
                    "note: the working tree is not clean; HEAD ({}) is rehearsed, without the changes",
                    short(&head)
                ));
            }
            let setting = || Site::rehearsal(root, &source, &workspace, &targets, &tools);
            progress.during("setting the stage", setting).0?
        }
    };

    let local = facts::local(&site, &tools, &workspace, &targets, &head)?;
    let mut checks = local.checks();
    if options.until == Until::Built {
        checks = preflight::for_building(checks);
    }
    if let Err(refusal) = preflight::refuse_failed(&checks) {
        return refused(options, &checks, refusal);
    }
    let indexes = facts::indexes(&site, &tools, &workspace, &local)?;
    checks.extend(indexes.checks);
    if let Err(refusal) = preflight::refuse_failed(&checks) {
        return refused(options, &checks, refusal);
    }

    for check in checks.iter().filter(|check| check.hint.is_some()) {
        progress.say(&format!("note: {}", check.detail));
    }
    let plan = Plan::new(indexes.open, options.until, !options.rehearse);
    print_plan(&workspace, &plan, &indexes.released, &site, options);
    if options.dry_run || plan.packages.is_empty() {
        let outcome = Outcome::nothing_done(&plan);
        report(options, &workspace, &checks, &outcome, &indexes.released);
        return Ok(ExitCode::SUCCESS);
    }
    consent(options)?;

    let release = Release {
        site: &site,
        tools: &tools,
        workspace: &workspace,
        plan: &plan,
        progress: &progress,
        source: &source,
        head: &head,
        served: indexes.served,
        ledgers: local.ledgers,
        wheels: options.wheels.as_deref(),
        jobs: options.jobs.unwrap_or_else(parallel::cores),
        restage: options.restage,
    };
    let outcome = release.carry_out();
    drop(progress);
    let code = match &outcome.stopped {
        None => {
            print_summary(&workspace, &plan, &site, options);
            tell_notes(root, &source, &workspace, &plan, options);
            ExitCode::SUCCESS
        }
        Some(stopped) => {
            print_stopped(stopped, options);
            ExitCode::from(if stopped.published.is_empty() { 1 } else { 3 })
        }
    };
    summarize(&workspace, &outcome, options);
    report(options, &workspace, &checks, &outcome, &indexes.released);
    Ok(code)
}

/// The targets as indices into the workspace, in release order.
fn targets(workspace: &Workspace, options: &ReleaseOptions) -> Result<Vec<usize>> {
    if workspace.distributions.is_empty() {
        let nothing = Finding::error("packages", "there is no distribution in this repository");
        return Err(
            Refusal::from(nothing.hint("a distribution is a pyproject.toml with a name")).into()
        );
    }
    if options.targets.is_empty() {
        let own = |at: &usize| workspace.distributions[*at].manifest.aside.is_none();
        return Ok((0..workspace.distributions.len()).filter(own).collect());
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

fn refused(options: &ReleaseOptions, checks: &[Check], refusal: Refusal) -> Result<ExitCode> {
    if options.json {
        println!("{:#}", json!({ "packages": [], "preflight": preflight_json(checks) }));
    }
    Err(refusal.into())
}

/// Asks before the first upload to a real index.
fn consent(options: &ReleaseOptions) -> Result<()> {
    if options.rehearse || options.yes || options.until == Until::Built {
        return Ok(());
    }
    let refuse = |message: &str, hint: &str| {
        Err(Refusal::from(Finding::error("consent", message).hint(hint)).into())
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

fn print_plan(
    workspace: &Workspace,
    plan: &Plan,
    released: &[usize],
    site: &Site,
    options: &ReleaseOptions,
) {
    let name = |at: usize| workspace.distributions[at].name();
    for &at in released {
        let version =
            workspace.distributions[at].version().map(ToString::to_string).unwrap_or_default();
        eprintln!("{} {} {version} is released already", paint(Style::Good, "done:"), name(at));
    }
    if plan.packages.is_empty() {
        eprintln!("Nothing to release.");
        return;
    }
    let kind = if options.rehearse { "Rehearsal" } else { "Release plan" };
    let count = plan.packages.len();
    let plural = if count == 1 { "distribution" } else { "distributions, in this order" };
    eprintln!("{} {count} {plural}", paint(Style::Bold, &format!("{kind}:")));
    let width =
        plan.packages.iter().map(|package| name(package.at).to_string().len()).max().unwrap_or(0);
    for package in &plan.packages {
        let version = package.version.to_string();
        eprintln!("  {:width$}  {version:10}  tag {}", name(package.at), package.tag);
    }
    let (staging, index) = (&site.staging.name, &site.index.name);
    let stand_in = if options.rehearse { ", both stand-ins on this machine" } else { "" };
    match options.until {
        Until::Built => eprintln!("  built and checked, not uploaded"),
        Until::Staged => eprintln!("  staged on {staging}{stand_in}, smoke-tested, not published"),
        Until::Published => eprintln!("  staged on {staging}, then published to {index}{stand_in}"),
    }
}

fn print_summary(workspace: &Workspace, plan: &Plan, site: &Site, options: &ReleaseOptions) {
    let what = match options.until {
        Until::Built => "built".to_owned(),
        Until::Staged => format!("staged on {}", site.staging.name),
        Until::Published => format!("published to {}", site.index.name),
    };
    let rehearsed = if options.rehearse { "Rehearsed: " } else { "" };
    eprintln!("{}", paint(Style::Good, &format!("{rehearsed}{what}, all of it:")));
    for package in &plan.packages {
        eprintln!("  {} {}", workspace.distributions[package.at].name(), package.version);
    }
}

/// Release notes, printed and made into releases on GitHub where that was asked for. What is
/// published stays published: nothing that fails here fails the release.
fn tell_notes(
    root: &Path,
    source: &Path,
    workspace: &Workspace,
    plan: &Plan,
    options: &ReleaseOptions,
) {
    if !options.notes && !options.github {
        return;
    }
    for package in &plan.packages {
        let distribution = &workspace.distributions[package.at];
        let title = format!("{} {}", distribution.name(), package.version);
        let notes = notes::read(source, distribution, &package.version).unwrap_or_else(|| {
            eprintln!("note: the changelog says nothing about {title}");
            String::new()
        });
        if options.notes && !options.json {
            println!("## {title}\n\n{notes}\n");
        }
        if options.github
            && !options.rehearse
            && options.until == Until::Published
            && let Err(error) = notes::publish(root, &package.tag, &title, &notes)
        {
            eprintln!(
                "{} no release of {} on GitHub: {error:#}",
                paint(Style::Warning, "warning:"),
                package.tag
            );
            eprintln!(
                "{} gh release create {} --verify-tag",
                paint(Style::Hint, "hint:"),
                package.tag
            );
        }
    }
}

/// The table in the summary of a job, however the release ended.
fn summarize(workspace: &Workspace, outcome: &Outcome, options: &ReleaseOptions) {
    let what = if options.rehearse { "Rehearsal" } else { "Release" };
    let title = match &outcome.stopped {
        None => format!("{what}: done"),
        Some(stopped) => {
            format!("{what}: {}", stopped.message.lines().next().unwrap_or("stopped"))
        }
    };
    let row = |report: &PackageReport| Row {
        name: workspace.distributions[report.package.at].name().to_string(),
        version: report.package.version.to_string(),
        tag: report.package.tag.clone(),
        stages: report
            .stages
            .iter()
            .map(|stage| (stage.stage.to_owned(), stage.status.word().to_owned()))
            .collect(),
        files: report.files.iter().map(|file| file.name.clone()).collect(),
    };
    summary::release(&title, &outcome.packages.iter().map(row).collect::<Vec<_>>());
}

fn print_stopped(stopped: &Stopped, options: &ReleaseOptions) {
    eprintln!("{} {}", paint(Style::Error, "error:"), stopped.message);
    if options.until == Until::Published {
        let list = |names: &[String]| {
            if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
        };
        eprintln!("  published: {}", list(&stopped.published));
        eprintln!("  not published: {}", list(&stopped.unpublished));
    }
    eprintln!("{} {}", paint(Style::Hint, "hint:"), stopped.hint);
}

fn report(
    options: &ReleaseOptions,
    workspace: &Workspace,
    checks: &[Check],
    outcome: &Outcome,
    released: &[usize],
) {
    if !options.json {
        return;
    }
    let done = released.iter().map(|&at| {
        let distribution = &workspace.distributions[at];
        let tag = distribution.version().map(|version| distribution.tag.tag(version));
        let stage = json!({ "stage": "tag", "status": "skipped", "seconds": 0.0, "detail": "released already" });
        json!({
            "name": distribution.name().to_string(),
            "version": distribution.version().map(ToString::to_string),
            "tag": tag,
            "files": [],
            "stages": [stage],
        })
    });
    let packages = outcome.packages.iter().map(|package| {
        json!({
            "name": workspace.distributions[package.package.at].name().to_string(),
            "version": package.package.version.to_string(),
            "tag": package.package.tag,
            "files": files_json(&package.files),
            "stages": package.stages.iter().map(stage_json).collect::<Vec<_>>(),
        })
    });
    let packages: Vec<Value> = done.chain(packages).collect();
    println!("{:#}", json!({ "packages": packages, "preflight": preflight_json(checks) }));
}

fn stage_json(stage: &StageReport) -> Value {
    json!({
        "stage": stage.stage,
        "status": stage.status.word(),
        "seconds": (stage.seconds * 1000.0).round() / 1000.0,
        "detail": stage.detail,
    })
}

fn preflight_json(checks: &[Check]) -> Value {
    let check = |check: &Check| json!({ "check": check.check, "ok": check.ok, "detail": check.detail, "hint": check.hint });
    checks.iter().map(check).collect()
}
