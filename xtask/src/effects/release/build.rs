//! Builds what a release consists of, and judges it before any index sees it.

use domain::finding::Rule;
use formats::name::normalize;

use super::*;
use crate::effects::python;

impl Run<'_> {
    /// What was built here, with the wheels that were built elsewhere.
    pub(super) fn built_and_collected(&self, id: PackageId) -> Result<StageOutcome> {
        let told = self.build(id)?;
        Ok(match self.collect(id)? {
            Some(collected) => done(format!("{}, {collected}", told.detail)),
            None => told,
        })
    }

    fn build(&self, id: PackageId) -> Result<StageOutcome> {
        let release = self.release;
        let (package, distribution) = (self.package(id), self.distribution(id));
        let dir = self.dir(id);
        if let Some(ledger) = release
            .ledgers
            .get(&package.distribution)
            .filter(|ledger| self.still_stands(id, ledger))
        {
            let detail = format!("built from {} before", short(&ledger.commit));
            self.state(id).ledger = Some(ledger.clone());
            return Ok(skipped(detail));
        }
        let partial = ledger::begin(&dir)?;
        let epoch = release.target.git_target.git.commit_time(self.commit(id))?;
        let requires = distribution.manifest.build_requires();
        let source = self.source(id)?.join(&distribution.dir);
        let environment =
            python::build::build(release.tools, &source, &requires, &partial, &epoch)?;
        let files = python::build::artifacts(&partial)?;
        let mut ledger = Ledger {
            name: distribution.name().to_string(),
            version: package.version.to_string(),
            commit: self.commit(id).to_owned(),
            tag: package.tag.clone(),
            files,
            tools: tool_versions(release.tools, environment),
            events: Vec::<Event>::new(),
        };
        ledger::record(&partial, &mut ledger, "built")?;
        ledger::complete(&partial, &dir)?;
        let bytes: u64 = ledger.files.iter().map(|file| file.size).sum();
        let detail = format!("{} files, {} kB", ledger.files.len(), bytes.div_ceil(1000));
        self.state(id).ledger = Some(ledger);
        Ok(done(detail))
    }

    /// The commit that a package is built from: HEAD, or the one that it is tagged on.
    fn commit(&self, id: PackageId) -> &str {
        self.package(id).tagged.as_deref().unwrap_or(self.release.head)
    }

    /// A clean export of that commit.
    fn source(&self, id: PackageId) -> Result<PathBuf> {
        let (release, commit) = (self.release, self.commit(id));
        if commit == release.head {
            return Ok(release.source.to_owned());
        }
        let name = self.distribution(id).name().in_file_name();
        let source = release.target.git_target.scratch.join("tagged").join(name);
        remove(&source)?;
        release.target.git_target.git.export(commit, &source)?;
        Ok(source)
    }

    /// Whether files that were built before are still the ones to release: built from this very
    /// commit; or on the index already, where nothing can take their place; or staged, and nothing
    /// of the distribution has changed since.
    fn still_stands(&self, id: PackageId, ledger: &Ledger) -> bool {
        let (release, package) = (self.release, self.package(id));
        let on = |served: &HashMap<DistributionId, Vec<ServedFile>>| {
            let listed = served.get(&package.distribution).map_or(&[][..], Vec::as_slice);
            listed.iter().any(|theirs| ledger.files.iter().any(|own| own.name == theirs.name))
        };
        let unchanged = || {
            let dir = &self.distribution(id).dir;
            release.target.git_target.git.is_unchanged(&ledger.commit, self.commit(id), dir)
        };
        ledger.commit == self.commit(id)
            || on(&release.served.index)
            || (on(&release.served.staging) && unchanged())
    }

    /// Everything that was built, judged together.
    pub(super) fn check(&self) -> Result<(), Failure> {
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
        for id in self.states.ids() {
            let detail = detail.clone();
            self.state(id).stages.push(StageReport { stage: "check", status, seconds, detail });
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
        let tools = self.release.tools;
        let all = self.states.ids();
        let mut files = Vec::new();
        for id in all.clone() {
            self.read_archives(id)?;
            if self.adopt(id)? {
                self.read_archives(id)?;
            }
            files.extend(self.files(id));
        }
        let mut findings = Vec::new();
        if let Some(said) = twine::check(tools, &files)? {
            findings.push(Finding::error(Rule::TwineCheck, format!("twine check --strict:{said}")));
        }
        let archives: IdVec<PackageId, Vec<Archive>> =
            all.clone().map(|id| self.state(id).archives.clone()).collect();
        let tracked: IdVec<PackageId, Vec<String>> =
            all.clone().map(|id| self.tracked(id)).collect::<Result<_>>()?;
        let built: Vec<Built> =
            all.clone().map(|id| self.built(id, &archives[id], &tracked[id])).collect();
        findings.extend(content::check(&built, &self.siblings()?));
        findings.extend(all.flat_map(|id| self.conflicts(id)));
        Ok(Refusal(findings))
    }

    fn read_archives(&self, id: PackageId) -> Result<()> {
        let archives = python::build::inspect(self.release.tools, &self.files(id))?;
        self.state(id).archives = archives;
        Ok(())
    }

    /// The paths that git tracked in the distribution's directory when it was built.
    fn tracked(&self, id: PackageId) -> Result<Vec<String>> {
        let all = self.release.target.git_target.git.tracked(&self.ledger(id)?.commit)?;
        Ok(self.release.workspace.own_paths(self.package(id).distribution, &all))
    }

    /// Takes over files that an index has under the names just built, when they hold the same,
    /// member for member: another machine built them from this commit, and its bytes are the ones
    /// that count. Returns whether anything was taken over.
    fn adopt(&self, id: PackageId) -> Result<bool> {
        let release = self.release;
        let mut adopted = false;
        // What is published comes first: it can never be anything else.
        for (repository, served) in [
            (&release.target.index, &release.served.index),
            (&release.target.staging, &release.served.staging),
        ] {
            let built = self.ledger(id)?.files;
            let listed = served.get(&self.package(id).distribution).map_or(&[][..], Vec::as_slice);
            let Upload::Conflict(names) = to_upload(&built, listed) else { continue };
            let dir = release.target.git_target.scratch.join("adopted").join(&repository.name);
            remove(&dir)?;
            fs::create_dir_all(&dir)?;
            let theirs: Vec<ServedFile> =
                listed.iter().filter(|file| names.contains(&file.name)).cloned().collect();
            fetch(release.tools, &theirs, &dir)?;
            let paths: Vec<PathBuf> = theirs.iter().map(|file| dir.join(&file.name)).collect();
            // What cannot even be read is not what was built here.
            let Ok(held) = python::build::inspect(release.tools, &paths) else { continue };
            let ours = self.state(id).archives.clone();
            let same = |theirs: &Archive| {
                ours.iter().any(|own| own.file == theirs.file && own.holds_the_same_as(theirs))
            };
            if held.iter().all(same) {
                self.take_over(id, &paths, &repository.name)?;
                adopted = true;
            }
        }
        Ok(adopted)
    }

    fn take_over(&self, id: PackageId, paths: &[PathBuf], from: &str) -> Result<()> {
        let (dir, mut ledger) = (self.dir(id), self.ledger(id)?);
        // Beside the old ones: at no moment may a ledger vouch for other bytes than those there.
        let partial = ledger::begin(&dir)?;
        for file in &ledger.files {
            fs::copy(dir.join(&file.name), partial.join(&file.name))?;
        }
        for path in paths {
            let file = python::build::artifact(path)?;
            fs::copy(path, partial.join(&file.name))?;
            ledger.files.retain(|own| own.name != file.name);
            ledger.files.push(file);
        }
        sort(&mut ledger.files);
        let event = format!("taken over from {from}, which had it from this commit");
        ledger::record(&partial, &mut ledger, event)?;
        ledger::complete(&partial, &dir)?;
        self.state(id).ledger = Some(ledger);
        Ok(())
    }

    fn built<'b>(
        &'b self,
        id: PackageId,
        archives: &'b [Archive],
        tracked: &'b [String],
    ) -> Built<'b> {
        let manifest = &self.distribution(id).manifest;
        Built {
            name: &manifest.name,
            version: &self.package(id).version,
            archives,
            tracked,
            requires_python: manifest.requires_python.as_ref().and_then(|own| own.in_metadata()),
            config: &manifest.config.content,
        }
    }

    fn siblings(&self) -> Result<Siblings> {
        let workspace = self.release.workspace;
        let normal = |id: DistributionId| workspace.distributions[id].name().normal().to_owned();
        let planned = self
            .release
            .plan
            .packages
            .iter()
            .map(|package| (normal(package.distribution), package.version.clone()));
        let published =
            self.release.served.index.iter().map(|(&id, files)| {
                (normal(id), versions(files, workspace.distributions[id].name()))
            });
        let extras = self.states.ids().map(|id| {
            let archives = self.state(id).archives.clone();
            let provided = archives.iter().flat_map(|archive| archive.headers("Provides-Extra"));
            (normal(self.package(id).distribution), provided.map(normalize).collect())
        });
        Ok(Siblings {
            planned: planned.collect(),
            extras: extras.collect(),
            published: published.collect(),
            installed: self.installed_by_others()?,
        })
    }

    /// What the distributions outside of this release install, as far as their sources tell: in
    /// the src layout, whatever lies in `src/`.
    fn installed_by_others(&self) -> Result<Vec<(String, Name)>> {
        let (workspace, plan) = (self.release.workspace, self.release.plan);
        let installed = |path: &String| {
            let owner = workspace.owner(path).filter(|&id| plan.position(id).is_none())?;
            let other = &workspace.distributions[owner];
            let own = path.strip_prefix(&other.dir)?.trim_start_matches('/');
            let installed =
                own.strip_prefix("src/").filter(|_| other.manifest.excluded.is_none())?;
            Some((installed.to_owned(), other.name().clone()))
        };
        let tracked = self.release.target.git_target.git.tracked(self.release.head)?;
        Ok(tracked.iter().filter_map(installed).collect())
    }

    /// Indexes that have other bytes under the names that were built: they will never take these.
    fn conflicts(&self, id: PackageId) -> Vec<Finding> {
        let release = self.release;
        let (name, mut findings) = (self.distribution(id).name(), Vec::new());
        let built = self.ledger(id).map(|ledger| ledger.files).unwrap_or_default();
        let listed =
            release.served.index.get(&self.package(id).distribution).map_or(&[][..], Vec::as_slice);
        let taken = |index: &str, files: &str| {
            let message =
                format!("{index} has other bytes under {files}, and a file name is taken for ever");
            Finding::error(Rule::Taken, message)
        };
        if let Upload::Conflict(files) = to_upload(&built, listed) {
            let finding = taken(&release.target.index.name, &files.join(" and "));
            findings.push(finding.hint(format!("cargo xtask bump {name}")));
        }
        if self.is_burnt(id) && !release.restage && !self.is_published(id) {
            let finding = taken(&release.target.staging.name, "these names");
            findings.push(finding.hint(format!(
                "cargo xtask bump {name}, or --restage to stage it as the next post-release of the same version"
            )));
        }
        findings
    }
}

/// The versions of everything that had a hand in the build, for the ledger.
fn tool_versions(tools: &Tools, environment: Vec<(String, String)>) -> Vec<(String, String)> {
    let twine = Tools::version_of("twine").map(|version| ("twine".to_owned(), version.to_owned()));
    let python = ("python".to_owned(), tools.interpreter.version.clone());
    environment.into_iter().chain(twine).chain([python]).collect()
}
