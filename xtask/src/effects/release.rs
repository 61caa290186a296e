//! Carries out a release plan: one exhaustive match over its actions.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use super::facts::{Served, versions};
use super::index::{Index, fetch};
use super::site::{Site, remove};
use super::smoke::{self, SmokeTest};
use super::tools::Tools;
use super::{build, ledger, parallel, twine};
use crate::domain::content::{self, Archive, Built, Siblings, import_names};
use crate::domain::finding::Refusal;
use crate::domain::ledger::{Event, Ledger};
use crate::domain::preflight::short;
use crate::domain::release::{
    Action, Answer, Artifact, Package, Plan, ServedFile, Upload, files_of, to_upload,
};
use crate::domain::workspace::{Distribution, Workspace};
use crate::ui::progress::Progress;

/// How long an index may take to show what it has accepted.
const PATIENCE: Duration = Duration::from_secs(300);

/// Everything that carrying out a plan needs.
pub struct Release<'a> {
    pub site: &'a Site,
    pub tools: &'a Tools,
    pub workspace: &'a Workspace,
    pub plan: &'a Plan,
    pub progress: &'a Progress,
    /// The clean export of `head`.
    pub source: &'a Path,
    pub head: &'a str,
    pub served: Served,
    /// What was built before, by index in the workspace.
    pub ledgers: HashMap<usize, Ledger>,
    pub jobs: usize,
}

/// What came of it.
pub struct Outcome {
    pub packages: Vec<PackageReport>,
    pub stopped: Option<Stopped>,
}

pub struct PackageReport {
    pub package: Package,
    pub files: Vec<Artifact>,
    pub stages: Vec<StageReport>,
}

pub struct StageReport {
    pub stage: &'static str,
    pub status: Status,
    pub seconds: f64,
    pub detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Done,
    Skipped,
    Failed,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
        }
    }
}

/// Why a release ended early, and where that leaves it.
pub struct Stopped {
    pub message: String,
    /// What the index has now, each with its version.
    pub published: Vec<String>,
    pub unpublished: Vec<String>,
    pub hint: String,
}

impl Outcome {
    /// The outcome of a plan that was only shown.
    pub fn nothing_done(plan: &Plan) -> Outcome {
        let report = |package: &Package| PackageReport {
            package: package.clone(),
            files: Vec::new(),
            stages: Vec::new(),
        };
        Outcome { packages: plan.packages.iter().map(report).collect(), stopped: None }
    }
}

/// What a stage has to say when it is over.
struct Told {
    status: Status,
    detail: String,
}

fn done(detail: impl Into<String>) -> Told {
    Told { status: Status::Done, detail: detail.into() }
}

fn skipped(detail: impl Into<String>) -> Told {
    Told { status: Status::Skipped, detail: detail.into() }
}

/// What is known of one package while the plan is carried out.
#[derive(Default)]
struct State {
    ledger: Option<Ledger>,
    archives: Vec<Archive>,
    /// The files as the staging index served them.
    staged: Vec<PathBuf>,
    /// Something of it has reached the index, or may have.
    published: bool,
    stages: Vec<StageReport>,
}

impl Release<'_> {
    /// Does everything that the plan says, until it is done or something fails.
    pub fn carry_out(self) -> Outcome {
        let states: Vec<Mutex<State>> =
            self.plan.packages.iter().map(|_| Mutex::default()).collect();
        let run = Run { release: &self, states };
        let result = run.actions();
        let stopped = result.err().map(|failure| run.stopped(&failure));
        let packages = self.plan.packages.iter().zip(run.states);
        let packages = packages
            .map(|(package, state)| {
                let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
                let files = state.ledger.map(|ledger| ledger.files).unwrap_or_default();
                PackageReport { package: package.clone(), files, stages: state.stages }
            })
            .collect();
        Outcome { packages, stopped }
    }
}

/// Which files a smoke test installs.
#[derive(Clone, Copy)]
enum Source {
    Built,
    Staged,
}

struct Run<'a> {
    release: &'a Release<'a>,
    states: Vec<Mutex<State>>,
}

/// The action that failed, and why.
struct Failure {
    /// `None` when it concerns all packages together.
    package: Option<usize>,
    stage: &'static str,
    error: anyhow::Error,
}

impl Run<'_> {
    fn actions(&self) -> Result<(), Failure> {
        let is_build = |action: &Action| matches!(action, Action::Build(_));
        let together = |a: &Action, b: &Action| is_build(a) && is_build(b);
        for actions in self.release.plan.actions.chunk_by(together) {
            let results = parallel::map(self.release.jobs, actions, |&action| self.perform(action));
            results.into_iter().collect::<Result<Vec<()>, Failure>>()?;
        }
        Ok(())
    }

    fn perform(&self, action: Action) -> Result<(), Failure> {
        match action {
            Action::Build(at) => self.stage(at, "build", || self.build(at)),
            Action::Check => self.check(),
            Action::Try(at) => self.stage(at, "try", || self.smoke_test(at, Source::Built)),
            Action::Stage(at) => self.stage(at, "stage", || self.upload_to_staging(at)),
            Action::Smoke(at) => self.stage(at, "smoke", || self.smoke_test(at, Source::Staged)),
            Action::Publish(at) => self.stage(at, "publish", || self.publish(at)),
            Action::Tag(at) => self.stage(at, "tag", || self.tag(at)),
        }
    }

    /// Does one stage of one package, shown and timed.
    fn stage(
        &self,
        at: usize,
        stage: &'static str,
        work: impl FnOnce() -> Result<Told>,
    ) -> Result<(), Failure> {
        let label = self.label(at);
        let (result, seconds) = self.release.progress.during(&format!("{label}: {stage}"), work);
        let (status, detail) = match &result {
            Ok(told) => (told.status, told.detail.clone()),
            Err(error) => (Status::Failed, format!("{error:#}")),
        };
        let first_line = detail.lines().next().unwrap_or_default();
        self.release.progress.say(&format!(
            "  {label:30} {stage:8} {seconds:5.1} s  {:7} {first_line}",
            status.word()
        ));
        self.state(at).stages.push(StageReport { stage, status, seconds, detail });
        result.map(drop).map_err(|error| Failure { package: Some(at), stage, error })
    }

    fn build(&self, at: usize) -> Result<Told> {
        let release = self.release;
        let (package, distribution) = (self.package(at), self.distribution(at));
        let dir = self.dir(at);
        if let Some(ledger) =
            release.ledgers.get(&package.at).filter(|ledger| self.still_stands(at, ledger))
        {
            let detail = format!("built from {} before", short(&ledger.commit));
            self.state(at).ledger = Some(ledger.clone());
            return Ok(skipped(detail));
        }
        let half = dir.with_extension("partial");
        remove(&half)?;
        fs::create_dir_all(&half)?;
        let epoch = release.site.git.commit_time(release.head)?;
        let requires = distribution.manifest.build_requires();
        let source = release.source.join(&distribution.dir);
        let environment = build::build(release.tools, &source, &requires, &half, &epoch)?;
        let files = build::artifacts(&half)?;
        let mut ledger = Ledger {
            name: distribution.name().to_string(),
            version: package.version.to_string(),
            commit: release.head.to_owned(),
            tag: package.tag.clone(),
            files,
            tools: tool_versions(release.tools, environment),
            events: Vec::<Event>::new(),
        };
        ledger::record(&half, &mut ledger, "built")?;
        remove(&dir)?;
        fs::rename(&half, &dir)?;
        let bytes: u64 = ledger.files.iter().map(|file| file.size).sum();
        let detail = format!("{} files, {} kB", ledger.files.len(), bytes.div_ceil(1000));
        self.state(at).ledger = Some(ledger);
        Ok(done(detail))
    }

    /// Whether files that were built before are still the ones to release: built from this very
    /// commit, or on the index already, where nothing can take their place.
    fn still_stands(&self, at: usize, ledger: &Ledger) -> bool {
        let served = self.release.served.index.get(&self.package(at).at);
        let on_index = served.is_some_and(|served| {
            ledger.files.iter().any(|file| served.iter().any(|s| s.name == file.name))
        });
        ledger.commit == self.release.head || on_index
    }

    /// Everything that was built, judged together.
    fn check(&self) -> Result<(), Failure> {
        let all = 0..self.states.len();
        let (result, seconds) =
            self.release.progress.during("checking what was built", || self.content_findings());
        let failure = |error| Failure { package: None, stage: "check", error };
        let findings = result.map_err(failure)?;
        let status = if findings.0.is_empty() { Status::Done } else { Status::Failed };
        let detail = if findings.0.is_empty() {
            "twine, names, metadata, siblings, paths".to_owned()
        } else {
            findings.to_string()
        };
        for at in all {
            let detail = detail.clone();
            self.state(at).stages.push(StageReport { stage: "check", status, seconds, detail });
        }
        if findings.0.is_empty() {
            self.release.progress.say(&format!(
                "  {:30} {:8} {seconds:5.1} s  {:7} {detail}",
                "all of it", "check", "done"
            ));
            return Ok(());
        }
        Err(failure(findings.into()))
    }

    fn content_findings(&self) -> Result<Refusal> {
        let release = self.release;
        let mut files = Vec::new();
        for at in 0..self.states.len() {
            let own = self.files(at);
            self.state(at).archives = build::inspect(release.tools, &own)?;
            files.extend(own);
        }
        let mut findings = Vec::new();
        if let Some(said) = twine::check(release.tools, &files)? {
            findings.push(crate::domain::finding::Finding::error(
                "twine-check",
                format!("twine check --strict:{said}"),
            ));
        }
        let known = release.site.git.tracked(release.head)?;
        let archives: Vec<Vec<Archive>> =
            (0..self.states.len()).map(|at| self.state(at).archives.clone()).collect();
        let tracked: Vec<Vec<String>> =
            (0..self.states.len()).map(|at| self.distribution(at).own_paths(&known)).collect();
        let built: Vec<Built> = archives
            .iter()
            .zip(&tracked)
            .enumerate()
            .map(|(at, (archives, tracked))| self.built(at, archives, tracked))
            .collect();
        findings.extend(content::check(&built, &self.siblings()));
        for at in 0..self.states.len() {
            findings.extend(self.conflicts(at));
        }
        Ok(Refusal(findings))
    }

    fn built<'b>(&'b self, at: usize, archives: &'b [Archive], tracked: &'b [String]) -> Built<'b> {
        let manifest = &self.distribution(at).manifest;
        Built {
            name: &manifest.name,
            version: &self.package(at).version,
            archives,
            tracked,
            requires_python: manifest.requires_python.as_deref(),
            config: &manifest.config.content,
        }
    }

    fn siblings(&self) -> Siblings {
        let workspace = self.release.workspace;
        let normal = |at: usize| workspace.distributions[at].name().normal().to_owned();
        let planned = self
            .release
            .plan
            .packages
            .iter()
            .map(|package| (normal(package.at), package.version.clone()));
        let published = (0..workspace.distributions.len()).map(|at| {
            let files = self.release.served.index.get(&at).map_or(&[][..], Vec::as_slice);
            (normal(at), versions(files, workspace.distributions[at].name()))
        });
        Siblings { planned: planned.collect(), published: published.collect() }
    }

    /// An index that has other bytes under the names that were built: it will never take these.
    fn conflicts(&self, at: usize) -> Vec<crate::domain::finding::Finding> {
        let release = self.release;
        let (package, name) = (self.package(at), self.distribution(at).name());
        let built =
            self.state(at).ledger.as_ref().map(|ledger| ledger.files.clone()).unwrap_or_default();
        let sides = [
            (&release.site.staging, &release.served.staging),
            (&release.site.index, &release.served.index),
        ];
        let conflict =
            |(repository, served): (&twine::Repository, &HashMap<usize, Vec<ServedFile>>)| {
                let Upload::Conflict(files) = to_upload(&built, served.get(&package.at)?) else {
                    return None;
                };
                let message = format!(
                    "{} has other bytes under {} already",
                    repository.name,
                    files.join(" and ")
                );
                let hint = format!("a file name is taken for ever: cargo xtask bump {name}");
                Some(crate::domain::finding::Finding::error("taken", message).hint(hint))
            };
        sides.into_iter().filter_map(conflict).collect()
    }

    fn upload_to_staging(&self, at: usize) -> Result<Told> {
        let site = self.release.site;
        let index = usable(&site.staging)?;
        let (sent, served) = self.ensure_uploaded(at, index)?;
        let dir = site.scratch.join("staged").join(self.distribution(at).name().in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        self.state(at).staged = self.fetch_back(at, &served, &dir)?;
        Ok(if sent {
            done(format!("served back by {}, same bytes", index.repository))
        } else {
            skipped("there already, same bytes")
        })
    }

    /// Sends what an index lacks, then waits until it shows all of it.
    fn ensure_uploaded(&self, at: usize, index: &Index) -> Result<(bool, Vec<ServedFile>)> {
        let (tools, name) = (self.release.tools, self.distribution(at).name());
        let built = self.ledger(at)?.files;
        let served = match index.files(tools, &[name])?.remove(0) {
            Answer::Known(files) => files,
            Answer::Unknown(why) => bail!("{} was asked what it has: {why}", index.repository),
        };
        let missing = match to_upload(&built, &served) {
            Upload::Nothing => return Ok((false, served)),
            Upload::Conflict(files) => {
                bail!("{} has other bytes under {}", index.repository, files.join(" and "))
            }
            Upload::Send(missing) => missing,
        };
        let paths: Vec<PathBuf> =
            missing.iter().map(|file| self.dir(at).join(&file.name)).collect();
        let config = self.release.site.twine_config.as_deref();
        let sent = twine::upload(tools, &index.repository, config, &paths);
        if let Err(error) = sent {
            // twine fails for many reasons, and after some of them the file has arrived.
            let arrived = index.files(tools, &[name])?.remove(0);
            let all_there = matches!(&arrived, Answer::Known(files) if to_upload(&built, files) == Upload::Nothing);
            if !all_there {
                return Err(error);
            }
        }
        self.record(at, format!("uploaded to {}", index.repository))?;
        let served = index.confirm(tools, name, &built, PATIENCE)?;
        Ok((true, served))
    }

    /// Downloads what an index serves under the built names and compares it byte for byte.
    fn fetch_back(&self, at: usize, served: &[ServedFile], dir: &Path) -> Result<Vec<PathBuf>> {
        let built = self.ledger(at)?.files;
        let wanted: Vec<ServedFile> = served
            .iter()
            .filter(|file| built.iter().any(|b| b.name == file.name))
            .cloned()
            .collect();
        fetch(self.release.tools, &wanted, dir)?;
        for file in &built {
            let path = dir.join(&file.name);
            if build::artifact(&path)? != *file {
                bail!("what the index serves as {} is not what was built", file.name);
            }
        }
        Ok(built.iter().map(|file| dir.join(&file.name)).collect())
    }

    fn smoke_test(&self, at: usize, source: Source) -> Result<Told> {
        let workspace = self.release.workspace;
        let distribution = self.distribution(at);
        let mut wheels = self.wheels(at, source);
        let mut versions =
            vec![(distribution.name().to_string(), self.package(at).version.to_string())];
        for sibling in workspace.transitive_needs(self.package(at).at) {
            let (version, found) = match self.release.plan.position(sibling) {
                Some(at) => (self.package(at).version.to_string(), self.wheels(at, source)),
                None => self.published_wheels(sibling)?,
            };
            versions.push((workspace.distributions[sibling].name().to_string(), version));
            wheels.extend(found);
        }
        let smoke = &distribution.manifest.config.smoke;
        let offered =
            || self.state(at).archives.iter().find(|archive| archive.is_wheel()).map(import_names);
        let imports = smoke.imports.clone().or_else(offered).unwrap_or_default();
        let test = SmokeTest {
            wheels,
            versions,
            imports,
            commands: smoke.commands.clone(),
            timeout: smoke.timeout,
        };
        let checks = smoke::run(self.release.tools, &test)?;
        let what = match source {
            Source::Built => format!("{checks} checks passed before staging"),
            Source::Staged => format!("{checks} checks passed on what staging served"),
        };
        self.record(at, what)?;
        Ok(done(format!("{checks} checks in a fresh environment")))
    }

    /// The wheels of one package, as built or as the staging index served them.
    fn wheels(&self, at: usize, source: Source) -> Vec<PathBuf> {
        let files = match source {
            Source::Built => self.files(at),
            Source::Staged => self.state(at).staged.clone(),
        };
        files
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "whl"))
            .collect()
    }

    /// Writes an event into the ledger of a package.
    fn record(&self, at: usize, what: String) -> Result<()> {
        let mut ledger = self.ledger(at)?;
        ledger::record(&self.dir(at), &mut ledger, what)?;
        self.state(at).ledger = Some(ledger);
        Ok(())
    }

    /// The wheels of a sibling that is not part of this release, from the index that users have.
    fn published_wheels(&self, sibling: usize) -> Result<(String, Vec<PathBuf>)> {
        let release = self.release;
        let distribution = &release.workspace.distributions[sibling];
        let name = distribution.name();
        let version = distribution
            .version()
            .with_context(|| format!("the version of {name} is not known"))?;
        let listed = release.served.index.get(&sibling).map_or(&[][..], Vec::as_slice);
        let mut files = files_of(listed, &name.in_file_name(), version);
        files.retain(|file| file.name.ends_with(".whl"));
        if files.is_empty() {
            bail!("{} has no wheel of {name} {version}, which it needs", release.site.index.name);
        }
        let dir = release.site.scratch.join("published").join(name.in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(release.tools, &files, &dir)?;
        let mut paths = Vec::new();
        for file in &files {
            let path = dir.join(&file.name);
            if file.sha256.as_ref() != Some(&build::artifact(&path)?.sha256) {
                bail!("{} is not the file that {} lists", file.name, release.site.index.name);
            }
            paths.push(path);
        }
        Ok((version.to_string(), paths))
    }

    fn publish(&self, at: usize) -> Result<Told> {
        let index = usable(&self.release.site.index)?;
        // From here on it may have happened, whatever comes back.
        self.state(at).published = true;
        let (sent, _) = self.ensure_uploaded(at, index)?;
        Ok(if sent {
            done(format!("confirmed by {}", index.repository))
        } else {
            skipped("there already, same bytes")
        })
    }

    fn tag(&self, at: usize) -> Result<Told> {
        let release = self.release;
        let (package, ledger) = (self.package(at), self.ledger(at)?);
        let message = format!("{} {}", self.distribution(at).name(), package.version);
        release.site.git.tag(&package.tag, &ledger.commit, &message)?;
        release.site.git.push_tag(&release.site.remote, &package.tag)?;
        self.record(at, format!("tagged {}", package.tag))?;
        Ok(done(format!(
            "{} on {}, pushed to {}",
            package.tag,
            short(&ledger.commit),
            release.site.remote
        )))
    }

    fn stopped(&self, failure: &Failure) -> Stopped {
        let names = |published: bool| -> Vec<String> {
            let all = 0..self.states.len();
            all.filter(|&at| self.state(at).published == published)
                .map(|at| self.label(at))
                .collect()
        };
        let (published, unpublished) = (names(true), names(false));
        let who = failure.package.map(|at| format!(" at {}", self.label(at))).unwrap_or_default();
        let what = match failure.stage {
            "build" => "its build failed".to_owned(),
            "check" => "what was built is not fit to be uploaded".to_owned(),
            "try" | "smoke" => "its smoke test failed".to_owned(),
            stage => format!("the stage `{stage}` failed"),
        };
        let why: String =
            format!("{:#}", failure.error).lines().map(|line| format!("\n  {line}")).collect();
        let hint = match (failure.package, failure.stage) {
            (Some(at), "smoke") if self.release.site.is_real() => format!(
                "fix it, `cargo xtask bump {} patch`, and run the same command again; what is done is skipped",
                self.distribution(at).name()
            ),
            _ => "mend it and run the same command again; what is done is skipped".to_owned(),
        };
        Stopped {
            message: format!("release stopped{who}: {what}{why}"),
            published,
            unpublished,
            hint,
        }
    }

    fn package(&self, at: usize) -> &Package {
        &self.release.plan.packages[at]
    }

    fn distribution(&self, at: usize) -> &Distribution {
        &self.release.workspace.distributions[self.package(at).at]
    }

    fn label(&self, at: usize) -> String {
        format!("{} {}", self.distribution(at).name(), self.package(at).version)
    }

    fn dir(&self, at: usize) -> PathBuf {
        let version = self.package(at).version.to_string();
        ledger::dir(&self.release.site.dist, &self.distribution(at).name().in_file_name(), &version)
    }

    fn files(&self, at: usize) -> Vec<PathBuf> {
        let dir = self.dir(at);
        let state = self.state(at);
        state
            .ledger
            .iter()
            .flat_map(|ledger| &ledger.files)
            .map(|file| dir.join(&file.name))
            .collect()
    }

    fn ledger(&self, at: usize) -> Result<Ledger> {
        self.state(at).ledger.clone().ok_or_else(|| anyhow!("it was not built"))
    }

    fn state(&self, at: usize) -> MutexGuard<'_, State> {
        self.states[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn usable(repository: &twine::Repository) -> Result<&Index> {
    repository.index.as_ref().map_err(|why| anyhow!("twine cannot use {}: {why}", repository.name))
}

/// The versions of everything that had a hand in the build, for the ledger.
fn tool_versions(tools: &Tools, environment: Vec<(String, String)>) -> Vec<(String, String)> {
    let twine = Tools::version_of("twine").map(|version| ("twine".to_owned(), version.to_owned()));
    let python = ("python".to_owned(), tools.base.version.clone());
    environment.into_iter().chain(twine).chain([python]).collect()
}
