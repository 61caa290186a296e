//! Tests a release together with the siblings that are published, in both directions: those that
//! will be installed with it, and the oldest that it admits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use domain::config::SmokeConfig;
use domain::finding::{Finding, Rule, Severity};
use domain::ids::{DistributionId, PackageId};
use domain::manifest::Manifest;
use domain::release::content::import_names;
use domain::release::content::modules::Modules;
use domain::release::evidence::{self, Miss, Need, Neighbour, needs, newest_of_series, settle};
use domain::source::Files;
use domain::text::toml::TomlFile;
use formats::name::Name;
use formats::pep440::Version;

use crate::effects::python::smoke::{self, SmokeTest};
use crate::effects::release::evidence::compare::misses;
use crate::effects::release::published::Wheel;
use crate::effects::release::run::Run;

/// Up to this many siblings, each is asked for what it requires; of more, those that say so here.
const FEW: usize = 40;

/// Which versions of siblings are installed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefer {
    /// The version that is released now, then the newest that is published.
    Release,
    /// The newest that is published.
    Before,
    /// The oldest that is published.
    Oldest,
}

/// A distribution in one version, with its wheel.
pub(super) struct Installed {
    pub(super) id: DistributionId,
    pub(super) version: Version,
    pub(super) wheel: Arc<Wheel>,
}

impl Installed {
    pub(super) fn path(&self) -> &Path {
        &self.wheel.files[0]
    }

    fn need(&self, on: &Name) -> Option<Need> {
        let mut needs = needs(&self.wheel.archive).into_iter();
        needs.find(|need| need.name == on.normal())
    }
}

/// A published sibling that a release may break.
pub(super) struct Dependent {
    user: Installed,
    /// Needed whenever it is installed.
    plain: Vec<Installed>,
    /// Needed with all of its extras.
    full: Vec<Installed>,
    /// The part of that which is released.
    pub(super) on: PackageId,
}

impl Run<'_> {
    pub(super) fn installed(&self, id: DistributionId, version: &Version) -> Result<Installed> {
        Ok(Installed { id, version: version.clone(), wheel: self.wheel(id, version)? })
    }

    pub(super) fn name_of(&self, id: DistributionId) -> &Name {
        self.release.workspace.distributions[id].name()
    }

    pub(super) fn is_released_now(&self, one: &Installed) -> bool {
        self.planned(one.id) == Some(&one.version)
    }

    /// The siblings that a wheel needs with its extras, the newest of each.
    pub(super) fn newest_with(&self, user: &Installed) -> Result<Option<Vec<Installed>>> {
        self.together(user, Prefer::Release, true)
    }

    /// The siblings that a wheel needs, in the versions that an installer would choose; `None` where
    /// they exclude each other. Extras count where `extras` says so.
    fn together(
        &self,
        user: &Installed,
        prefer: Prefer,
        extras: bool,
    ) -> Result<Option<Vec<Installed>>> {
        let workspace = self.release.workspace;
        let find = |name: &str| Name::new(name).and_then(|name| workspace.find(&name));
        let candidates = |name: &str| {
            let id = find(name).filter(|id| *id != user.id)?;
            Some(self.candidates(id, prefer))
        };
        let mut root = needs(&user.wheel.archive);
        root.iter_mut().filter(|_| extras).for_each(|need| need.extra = None);
        let picks = settle(&root, candidates, |name, version| match find(name) {
            Some(id) => Ok(needs(&self.wheel(id, version)?.archive)),
            None => Ok::<_, anyhow::Error>(Vec::new()),
        })?;
        let Some(picks) = picks else { return Ok(None) };
        let known = picks.iter().filter_map(|(name, version)| Some((find(name)?, version)));
        known.map(|(id, version)| self.installed(id, version)).collect::<Result<_>>().map(Some)
    }

    /// The versions of a sibling, the preferred one first.
    fn candidates(&self, id: DistributionId, prefer: Prefer) -> Vec<Version> {
        let (pre, mut finals): (Vec<Version>, Vec<Version>) =
            self.past_versions(id).into_iter().partition(Version::any_prerelease);
        let planned = self.planned(id).cloned();
        if prefer == Prefer::Oldest {
            return finals.into_iter().chain(planned).chain(pre).collect();
        }
        finals.reverse();
        let planned = planned.filter(|_| prefer == Prefer::Release);
        planned.into_iter().chain(finals).chain(pre.into_iter().rev()).collect()
    }

    /// The published siblings that will be installed together with what is released.
    pub(super) fn dependents(&self) -> (Vec<Dependent>, Vec<(PackageId, Finding)>) {
        let mut dependents = Vec::new();
        let mut evidence = Vec::new();
        let workspace = self.release.workspace;
        let mut others: Vec<DistributionId> = workspace.distributions.ids().collect();
        others.retain(|&id| {
            let is_released = workspace.distributions[id].manifest.excluded.is_none();
            is_released && self.release.plan.package_of(id).is_none()
        });
        if others.len() > FEW {
            others.retain(|&id| {
                let mut named = workspace.sibling_requirements(id).map(|(sibling, _)| sibling);
                named.any(|sibling| self.release.plan.package_of(sibling).is_some())
            });
        }
        for id in others {
            for version in newest_of_series(&self.past_versions(id)) {
                match self.dependent(id, &version) {
                    Ok(found) => dependents.extend(found),
                    Err(error) => {
                        let text = format!(
                            "cannot test published `{}` {version}: {error:#}",
                            self.name_of(id)
                        );
                        evidence.extend(
                            self.states
                                .ids()
                                .next()
                                .map(|first| (first, Finding::warning(Rule::Neighbours, text))),
                        );
                    }
                }
            }
        }
        (dependents, evidence)
    }

    fn dependent(&self, id: DistributionId, version: &Version) -> Result<Option<Dependent>> {
        let user = self.installed(id, version)?;
        let plain = self.together(&user, Prefer::Release, false)?.unwrap_or_default();
        let full = match self.together(&user, Prefer::Release, true)? {
            Some(full) => full,
            None => self.together(&user, Prefer::Release, false)?.unwrap_or_default(),
        };
        let mut released: Vec<&Installed> =
            full.iter().filter(|one| self.is_released_now(one)).collect();
        // The one that it names itself, rather than one that it gets through others.
        released.sort_by_key(|one| user.need(self.name_of(one.id)).is_none());
        let on = released.first().and_then(|one| self.release.plan.package_of(one.id));
        Ok(on.map(|on| Dependent { user, plain, full, on }))
    }

    /// Whether a published sibling still works with what is released.
    pub(super) fn test_dependent(
        &self,
        dependent: &Dependent,
        severity: Severity,
    ) -> Result<Finding> {
        let Dependent { user, plain, full, on } = dependent;
        let before = self.together(user, Prefer::Before, true)?;
        let missed = match &before {
            Some(before) => self.missed(user, before, full)?,
            None => Vec::new(),
        };
        let is_installed = plain.iter().any(|one| self.is_released_now(one));
        let failed = if is_installed { self.try_with(user, plain).err() } else { None };
        let mut failed = failed.map(|error| format!("{error:#}"));
        if failed.is_some()
            && let Some(before) = self.together(user, Prefer::Before, false)?
            && self.try_with(user, &before).is_err()
        {
            // It fails without this release as well.
            failed = None;
            if missed.is_empty() {
                let text = format!(
                    "published `{}` {} fails its smoke test with and without it",
                    self.name_of(user.id),
                    user.version
                );
                return Ok(Finding::note(Rule::Neighbours, text));
            }
        }
        let package = self.package(*on);
        let sibling = self.name_of(package.distribution);
        let range = user.need(sibling).map(|need| need.specifiers).unwrap_or_default();
        let neighbour = Neighbour {
            user: self.name_of(user.id).as_str(),
            version: &user.version,
            sibling: sibling.as_str(),
            sibling_version: &package.version,
            range: &range,
        };
        Ok(evidence::published_dependent(&neighbour, &missed, failed.as_deref(), severity))
    }

    fn missed(&self, user: &Installed, good: &[Installed], bad: &[Installed]) -> Result<Vec<Miss>> {
        self.missed_in(user, &paths(good), &paths(bad))
    }

    fn missed_in(&self, user: &Installed, good: &[PathBuf], bad: &[PathBuf]) -> Result<Vec<Miss>> {
        misses(self.release.tools, user.path(), good, bad)
    }

    /// The smoke test of a distribution, installed together with these siblings.
    fn try_with(&self, user: &Installed, siblings: &[Installed]) -> Result<usize> {
        let config = self.smoke_config(user);
        let all = || siblings.iter().chain([user]);
        let has_strangers = needs(&user.wheel.archive).iter().any(|need| {
            Name::new(&need.name).is_none_or(|n| self.release.workspace.find(&n).is_none())
        });
        let test = SmokeTest {
            wheels: all().flat_map(|one| one.wheel.files.clone()).collect(),
            versions: all()
                .map(|one| (self.name_of(one.id).to_string(), one.version.to_string()))
                .collect(),
            imports: config.imports.unwrap_or_else(|| import_names(&user.wheel.archive)),
            commands: config.commands,
            timeout: config.timeout,
            pythons: config.pythons.into_iter().take(1).collect(),
            wheelhouse: self.wheelhouse().filter(|_| !has_strangers).map(Path::to_owned),
        };
        smoke::run(self.release.tools, &test)
    }

    /// How a distribution is smoke-tested: as its tag says where it is published.
    fn smoke_config(&self, user: &Installed) -> SmokeConfig {
        let distribution = &self.release.workspace.distributions[user.id];
        let manifest = &distribution.manifest;
        if self.is_released_now(user) {
            return manifest.config.smoke.clone();
        }
        let tag = distribution.tag.tag(&user.version);
        let text = self.git().contents(&tag, &manifest.path);
        let file = text.and_then(|text| TomlFile::parse(&manifest.path, text.into()).ok());
        let nothing = Files { read: &|_| None, list: &|_| Vec::new() };
        let then = file.and_then(|file| Manifest::read_with(&file, nothing).ok().flatten());
        then.map(|then| then.config.smoke.clone()).unwrap_or_default()
    }

    /// Whether a package works with the oldest siblings that it admits, and whether it uses what no
    /// published sibling has.
    pub(super) fn test_ranges(&self, id: PackageId, severity: Severity) -> Result<Vec<Finding>> {
        let package = self.package(id);
        let user = self.installed(package.distribution, &package.version)?;
        let Some(newest) = self.newest_with(&user)? else { return Ok(Vec::new()) };
        let mut found = self.uses_of_unreleased(&user, &newest, severity)?;
        let oldest = self.together(&user, Prefer::Oldest, true)?.unwrap_or_default();
        let mut older: Vec<(&Installed, Need, Vec<Miss>)> = Vec::new();
        for one in &oldest {
            let is_older =
                newest.iter().any(|other| other.id == one.id && other.version > one.version);
            if let Some(need) = user.need(self.name_of(one.id)).filter(|_| is_older) {
                let bad = with(&newest, one);
                let paths = paths(&newest);
                older.push((one, need, self.missed_in(&user, &paths, &bad)?));
            }
        }
        let mut failed = None;
        if !older.is_empty()
            && let Some(plain) = self.together(&user, Prefer::Oldest, false)?
            && let Err(error) = self.try_with(&user, &plain)
        {
            // A sibling so old that it cannot be installed here breaks nobody who has it.
            if !error.is::<smoke::ChecksFailed>() {
                let text = format!("cannot be tested with the oldest siblings: {error:#}");
                found.push(Finding::note(Rule::OldestSibling, text));
                older.retain(|(_, _, missed)| !missed.is_empty());
            } else {
                failed = Some(error);
            }
        }
        let culprit = older.iter().position(|(_, _, missed)| !missed.is_empty()).unwrap_or(0);
        for (at, (one, need, missed)) in older.iter().enumerate() {
            let failed = failed.as_ref().filter(|_| at == culprit).map(|e| format!("{e:#}"));
            let works_from = self.works_from(&user, &newest, one, missed)?;
            let neighbour = self.neighbour(&user, one, &need.specifiers);
            let works_from = works_from.as_ref();
            found.push(evidence::oldest(
                &neighbour,
                missed,
                failed.as_deref(),
                severity,
                works_from,
            ));
        }
        Ok(found)
    }

    fn neighbour<'n>(
        &'n self,
        user: &'n Installed,
        sibling: &'n Installed,
        range: &'n str,
    ) -> Neighbour<'n> {
        Neighbour {
            user: self.name_of(user.id).as_str(),
            version: &user.version,
            sibling: self.name_of(sibling.id).as_str(),
            sibling_version: &sibling.version,
            range,
        }
    }

    /// The first published version of a sibling, after the one that misses something, that misses
    /// nothing.
    fn works_from(
        &self,
        user: &Installed,
        newest: &[Installed],
        one: &Installed,
        missed: &[Miss],
    ) -> Result<Option<Version>> {
        if missed.is_empty() {
            return Ok(None);
        }
        let good = paths(newest);
        let newer = self.past_versions(one.id).into_iter().chain(self.planned(one.id).cloned());
        for version in newer.filter(|version| *version > one.version) {
            let candidate = self.installed(one.id, &version)?;
            if self.missed_in(user, &good, &with(newest, &candidate))?.is_empty() {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The names that a package uses of the siblings as they are here, and not in what is
    /// published of them.
    fn uses_of_unreleased(
        &self,
        user: &Installed,
        newest: &[Installed],
        severity: Severity,
    ) -> Result<Vec<Finding>> {
        let mut found = Vec::new();
        for one in newest.iter().filter(|one| !self.is_released_now(one)) {
            let sibling = &self.release.workspace.distributions[one.id];
            let tracked = self.git().tracked(self.release.head)?.into_iter();
            let tracked: Vec<String> = tracked.map(|entry| entry.path).collect();
            let here = self.release.source.join(Modules::of(&sibling.dir, &tracked).source);
            let paths = paths(newest);
            let mut good = paths.clone();
            good.insert(0, here);
            let missed = self.missed_in(user, &good, &paths)?;
            if !missed.is_empty() {
                let need = user.need(sibling.name()).map(|need| need.specifiers);
                let range = need.unwrap_or_default();
                found.push(evidence::unreleased(
                    &self.neighbour(user, one, &range),
                    &missed,
                    severity,
                ));
            }
        }
        Ok(found)
    }
}

fn paths(installed: &[Installed]) -> Vec<PathBuf> {
    installed.iter().map(|one| one.path().to_owned()).collect()
}

/// The paths of what is installed, with another version of one of it.
fn with(installed: &[Installed], one: &Installed) -> Vec<PathBuf> {
    let others = installed.iter().filter(|other| other.id != one.id);
    others.chain([one]).map(|one| one.path().to_owned()).collect()
}
