//! Compares a package with what is published of it, and its metadata with its code.

use std::collections::{BTreeSet, HashMap};

use anyhow::Result;
use domain::finding::{Finding, Rule};
use domain::ids::{DistributionId, PackageId};
use domain::release::content::modules::Modules;
use domain::release::evidence::{self, Details, Release, needs, oldest_python};
use domain::release::plan::files_of;
use formats::name::normalize;

use crate::effects::release::evidence::compare;
use crate::effects::release::evidence::neighbours::Installed;
use crate::effects::release::run::Run;

impl Run<'_> {
    /// Everything about one package.
    pub(super) fn examine(
        &self,
        id: PackageId,
        owners: &HashMap<String, DistributionId>,
    ) -> Result<Vec<Finding>> {
        let package = self.package(id);
        let user = self.installed(package.distribution, &package.version)?;
        let python = oldest_python(&user.wheel.archive);
        let details = compare::details(self.release.tools, user.path(), python.as_deref())?;
        let mut found = Vec::new();
        found.extend(evidence::too_new(&python.unwrap_or_default(), &details.syntax));
        found.extend(self.undeclared(&user, &details, owners));
        found.extend(self.missing_extras(&user)?);
        found.extend(self.since_the_last(&user, &details)?);
        Ok(found)
    }

    /// The difference to the version that is published before this one.
    fn since_the_last(&self, user: &Installed, details: &Details) -> Result<Vec<Finding>> {
        let tools = self.release.tools;
        let mut versions = self.past_versions(user.id);
        versions.retain(|version| *version < user.version);
        let finals = versions.iter().rfind(|version| !version.any_prerelease());
        let Some(version) = finals.or(versions.last()) else { return Ok(Vec::new()) };
        let old = self.installed(user.id, version)?;
        let old_details = compare::details(tools, old.path(), None)?;
        let name = self.name_of(user.id);
        let published = files_of(self.past_files(user.id), &name.in_file_name(), version);
        let wheels = published.iter().map(|file| file.name.as_str());
        let before = Release {
            version,
            wheel: &old.wheel.archive,
            details: &old_details,
            wheels: wheels.filter(|name| name.ends_with(".whl")).collect(),
        };
        let names = user.wheel.files.iter().filter_map(|file| file.file_name()?.to_str());
        let after = Release {
            version: &user.version,
            wheel: &user.wheel.archive,
            details,
            wheels: names.collect(),
        };
        let mut found = evidence::differences(name.as_str(), &before, &after);
        let siblings = self.beside(user)?;
        let paths: Vec<_> = siblings.iter().map(|one| one.path().to_owned()).collect();
        let breaks = compare::breaks(tools, old.path(), user.path(), &paths)?;
        found.extend(evidence::api(name.as_str(), version, &user.version, &breaks));
        for sibling in &siblings {
            let there = self.name_of(sibling.id).as_str();
            let archives = [&old, user, sibling].map(|one| &one.wheel.archive);
            let [old, new, theirs] = archives;
            found.extend(evidence::moved(name.as_str(), there, old, new, theirs));
        }
        Ok(found)
    }

    /// The siblings that names may have moved to: those that are released with it, and those that it
    /// needs.
    fn beside(&self, user: &Installed) -> Result<Vec<Installed>> {
        let mut siblings = self.newest_with(user)?.unwrap_or_default();
        for package in &self.release.plan.packages {
            let id = package.distribution;
            if id != user.id && siblings.iter().all(|one| one.id != id) {
                siblings.push(self.installed(id, &package.version)?);
            }
        }
        Ok(siblings)
    }

    /// Siblings that are imported and not required.
    fn undeclared(
        &self,
        user: &Installed,
        details: &Details,
        owners: &HashMap<String, DistributionId>,
    ) -> Vec<Finding> {
        let mut required: BTreeSet<String> =
            needs(&user.wheel.archive).into_iter().map(|need| need.name).collect();
        let through = self.release.workspace.transitive_needs(user.id);
        required.extend(through.iter().map(|&id| self.name_of(id).normal().to_owned()));
        let owner = |module: &str| {
            let mut name = module;
            loop {
                let path = name.replace('.', "/");
                let files = [format!("{path}.py"), format!("{path}/__init__.py")];
                if files.iter().any(|file| user.wheel.archive.members.contains_key(file)) {
                    return None;
                }
                if let Some(&id) = files.iter().find_map(|file| owners.get(file)) {
                    return (id != user.id).then(|| self.name_of(id).normal().to_owned());
                }
                name = name.rsplit_once('.')?.0;
            }
        };
        evidence::undeclared(details, owner, &required)
    }

    /// The distributions by the modules that they ship, as far as the sources tell.
    pub(super) fn module_owners(&self) -> Result<HashMap<String, DistributionId>> {
        let tracked = self.git().tracked(self.release.head)?.into_iter();
        let tracked: Vec<String> = tracked.map(|entry| entry.path).collect();
        let mut owners = HashMap::new();
        for (id, distribution) in self.release.workspace.distributions.enumerate() {
            if distribution.manifest.excluded.is_none() {
                let files = Modules::of(&distribution.dir, &tracked).files;
                owners.extend(files.into_iter().map(|file| (file, id)));
            }
        }
        Ok(owners)
    }

    /// Extras of published siblings that are required and that the newest admitted version does not
    /// have.
    fn missing_extras(&self, user: &Installed) -> Result<Vec<Finding>> {
        let siblings = self.newest_with(user)?.unwrap_or_default();
        let mut found = Vec::new();
        for sibling in siblings.iter().filter(|one| !self.is_released_now(one)) {
            let name = self.name_of(sibling.id);
            let own: Vec<String> =
                sibling.wheel.archive.headers("Provides-Extra").map(normalize).collect();
            let wanted = needs(&user.wheel.archive).into_iter();
            let wanted = wanted.filter(|need| need.name == name.normal());
            for extra in wanted.flat_map(|need| need.extras).filter(|extra| !own.contains(extra)) {
                let version = &sibling.version;
                let text = format!(
                    "requires `{name}[{extra}]`, and `{name}` {version}, the newest that is published, has no such extra"
                );
                let hint =
                    format!("release `{name}` with it, or require `{name}` without the extra");
                found.push(Finding::error(Rule::Extra, text).hint(hint));
            }
        }
        Ok(found)
    }
}
