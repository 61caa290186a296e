//! How the pure side grows with the repository: reading manifests, planning the bump of what all
//! others need, and splicing one file after the other.
//!
//! `cargo bench --bench domain`.

mod monorepo;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::bump::step::{Change, Step};
use domain::bump::{self, BumpFacts, BumpPlan, BumpRequest, History};
use domain::config::RepositoryConfig;
use domain::ids::{DistributionId, IdVec};
use domain::manifest::Manifest;
use domain::policy::{DependentsPolicy, RangePolicy};
use domain::source::{Files, SourceFile};
use domain::text::edit::{self, Edit, Write};
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};
use tiny_bench::{BenchmarkConfig, bench_with_configuration_labeled};

const COUNTS: [usize; 4] = [10, 100, 1_000, 5_000];

fn main() {
    for count in COUNTS {
        let repository = Repository::new(count);
        let workspace = repository.workspace();
        let history = IdVec::like(&workspace.distributions, History::default);
        let plan = repository.plan(&workspace, &history);
        measure("parse", count, || repository.manifests());
        measure("plan", count, || repository.plan(&workspace, &history));
        measure("splice", count, || spliced(&plan));
    }
}

/// Prints how long `work` takes, and how that differs from the last time that it was measured here.
fn measure<T>(what: &str, count: usize, work: impl FnMut() -> T) {
    let configuration = BenchmarkConfig {
        measurement_time: Duration::from_secs(4),
        warm_up_time: Duration::from_millis(500),
        // Each sample takes one run more than the one before it.
        num_samples: 10,
        ..BenchmarkConfig::default()
    };
    let label = format!("{what} {count}").leak();
    bench_with_configuration_labeled(label, &configuration, work);
}

/// A repository in memory.
struct Repository {
    texts: HashMap<String, SourceFile>,
    /// The paths of each folder of a distribution.
    paths: HashMap<String, Vec<String>>,
}

impl Repository {
    fn new(count: usize) -> Repository {
        let mut repository = Repository { texts: HashMap::new(), paths: HashMap::new() };
        for (path, text) in monorepo::files(count) {
            let dir = path.split('/').take(2).collect::<Vec<_>>().join("/");
            repository.paths.entry(dir).or_default().push(path.clone());
            let source = SourceFile { path: path.as_str().into(), text: text.into() };
            repository.texts.insert(path, source);
        }
        repository
    }

    fn with_files<T>(&self, then: impl FnOnce(Files<'_>) -> T) -> T {
        let read = |path: &str| self.texts.get(path).cloned();
        let list = |dir: &str| self.paths.get(dir).cloned().unwrap_or_default();
        then(Files { read: &read, list: &list })
    }

    fn manifests(&self) -> Vec<Manifest> {
        self.with_files(|files| {
            let sources = self.texts.values().filter(|source| source.path.ends_with(".toml"));
            let manifest = |source: &SourceFile| {
                let file = TomlFile::parse(&source.path, Arc::clone(&source.text)).unwrap();
                Manifest::read_with(&file, files).unwrap().unwrap()
            };
            sources.map(manifest).collect()
        })
    }

    fn workspace(&self) -> Workspace {
        Workspace::assemble(
            RepositoryConfig::default(),
            self.manifests(),
            Vec::new(),
            Judgement::Refuse,
        )
        .unwrap()
    }

    /// `bump p0 minor`, which moves every distribution.
    fn plan(&self, workspace: &Workspace, history: &IdVec<DistributionId, History>) -> BumpPlan {
        let request = BumpRequest {
            targets: vec![workspace.resolve("p0").unwrap()],
            change: Change::Step(Step::Minor),
            pre: None,
            ranges: RangePolicy::Align,
            dependents: DependentsPolicy::Patch,
            date: "2026-01-31".to_owned(),
        };
        self.with_files(|files| bump::plan(BumpFacts { workspace, files, history }, &request))
            .unwrap()
    }
}

/// The writes of a plan, made again from its edits.
fn spliced(plan: &BumpPlan) -> Vec<Write> {
    let by_file = plan.edits.chunk_by(|a, b| a.file == b.file);
    let files = by_file.zip(&plan.writes);
    let spliced = files.map(|(edits, write)| {
        let edits: Vec<&Edit> = edits.iter().collect();
        edit::splice(&write.path, Arc::clone(&write.before), &edits).unwrap()
    });
    spliced.collect()
}
