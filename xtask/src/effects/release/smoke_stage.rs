//! Smoke-tests the packages of a release, with the siblings that they need.

use super::*;
use crate::effects::python;

impl Run<'_> {
    pub(super) fn smoke_test(&self, id: PackageId, source: TestedFiles) -> Result<StageOutcome> {
        if self.is_published(id) {
            return Ok(skipped("published already"));
        }
        let workspace = self.release.workspace;
        let distribution = self.distribution(id);
        let mut wheels = self.wheels(id, source);
        let mut versions = vec![(distribution.name().to_string(), self.version(id, source))];
        for sibling in workspace.transitive_needs(self.package(id).distribution) {
            let (version, found) = match self.release.plan.position(sibling) {
                Some(id) => (self.version(id, source), self.wheels(id, source)),
                None => self.published_wheels(id, sibling)?,
            };
            versions.push((workspace.distributions[sibling].name().to_string(), version));
            wheels.extend(found);
        }
        let smoke = &distribution.manifest.config.smoke;
        let offered =
            || self.state(id).archives.iter().find(|archive| archive.is_wheel()).map(import_names);
        let imports = smoke.imports.clone().or_else(offered).unwrap_or_default();
        let test = SmokeTest {
            wheels,
            versions,
            imports,
            commands: smoke.commands.clone(),
            timeout: smoke.timeout,
            pythons: smoke.pythons.clone(),
            wheelhouse: self.wheelhouse().map(Path::to_owned),
        };
        let checks = smoke::run(self.release.tools, &test)?;
        let what = match source {
            TestedFiles::Built => format!("{checks} checks passed before staging"),
            TestedFiles::Staged => format!("{checks} checks passed on what staging served"),
        };
        self.record(id, what)?;
        Ok(done(format!("{checks} checks in a fresh environment")))
    }

    /// The third parties of everything that is released together, where there is more than one
    /// test that needs them. Whoever asks first waits for it.
    pub(super) fn wheelhouse(&self) -> Option<&Path> {
        let actions = &self.release.plan.actions;
        let tests = actions.iter().filter(|a| matches!(a, Action::Try(_) | Action::Smoke(_)));
        if tests.count() < 2 {
            return None;
        }
        let download = || {
            let dir = self.release.target.git_target.scratch.join("third-parties");
            remove(&dir).ok()?;
            let packages = self.release.plan.packages.iter();
            let all: Vec<DistributionId> = packages.map(|package| package.distribution).collect();
            let requirements = self.release.workspace.third_parties(&all)?;
            smoke::wheelhouse(self.release.tools, &requirements, dir)
        };
        self.wheelhouse.get_or_init(download).as_deref()
    }

    /// The version that one package has as built, or as staged.
    fn version(&self, id: PackageId, source: TestedFiles) -> String {
        match source {
            TestedFiles::Built => self.package(id).version.to_string(),
            TestedFiles::Staged => self.staged_version(id).to_string(),
        }
    }

    /// The wheels of one package, as built or as the staging index served them.
    fn wheels(&self, id: PackageId, source: TestedFiles) -> Vec<PathBuf> {
        let files = match source {
            TestedFiles::Built => self.files(id),
            TestedFiles::Staged => self.state(id).staged.clone(),
        };
        files
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "whl"))
            .collect()
    }

    /// The wheels of a sibling that is not part of this release, from the index that users have; in a
    /// folder for the test of the package `id` alone, since tests run side by side.
    fn published_wheels(
        &self,
        id: PackageId,
        sibling: DistributionId,
    ) -> Result<(String, Vec<PathBuf>)> {
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
            bail!("{} has no wheel of {name} {version}, which it needs", release.target.index.name);
        }
        let tested = self.distribution(id).name().in_file_name();
        let published = release.target.git_target.scratch.join("published");
        let dir = published.join(tested).join(name.in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        fetch(release.tools, &files, &dir)?;
        let mut paths = Vec::new();
        for file in &files {
            let path = dir.join(&file.name);
            if file.sha256.as_ref() != Some(&python::build::artifact(&path)?.sha256) {
                bail!("{} is not the file that {} lists", file.name, release.target.index.name);
            }
            paths.push(path);
        }
        Ok((version.to_string(), paths))
    }
}
