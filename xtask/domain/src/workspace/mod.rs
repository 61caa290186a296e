//! All distributions of a repository: their graph, their order, their tags, and how to name one.

mod ambiguity;
mod assembly;
mod distribution;
pub mod graph;
mod groups;
pub mod history;
mod impossible_tags;
pub(crate) mod locks;
pub mod made_versions;
pub mod tag_schemes;
mod tag_spelling;
pub mod tags;
pub mod target;

use std::collections::{BTreeSet, HashMap};

use formats::name::Name;
use formats::pep440::specifier::Dialect;

use crate::config::RepositoryConfig;
use crate::finding::{Finding, Refusal};
use crate::ids::{DistributionId, IdVec};
use crate::manifest::Manifest;
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::source;
use crate::workspace::assembly::Assembled;
use crate::workspace::history::{Commit, since};

pub use assembly::Judgement;
pub use distribution::Distribution;

/// The distributions in release order.
pub struct Workspace {
    pub config: RepositoryConfig,
    pub distributions: IdVec<DistributionId, Distribution>,
    /// Faults that do not keep the repository from being read.
    pub findings: Vec<Finding>,
    by_name: HashMap<String, DistributionId>,
    by_dir: HashMap<String, DistributionId>,
    /// Directories that are linked into distributions.
    linked: Vec<(String, DistributionId)>,
}

impl Workspace {
    /// Puts manifests together; `findings` are those of reading them. `judgement` says what becomes
    /// of what is wrong with the repository as a whole: a cycle of hard dependencies, ambiguous tags.
    ///
    /// # Errors
    /// One of these, with [`Judgement::Refuse`].
    pub fn assemble(
        config: RepositoryConfig,
        manifests: Vec<Manifest>,
        findings: Vec<Finding>,
        judgement: Judgement,
    ) -> Result<Workspace, Refusal> {
        let Assembled { distributions, findings, by_name } =
            assembly::assemble(manifests, findings, judgement)?;
        let dirs = distributions.enumerate();
        let by_dir = dirs.map(|(id, distribution)| (distribution.dir.clone(), id)).collect();
        let mut workspace =
            Workspace { config, distributions, findings, by_name, by_dir, linked: Vec::new() };
        let unknown = workspace.unknown_names();
        match judgement {
            Judgement::Refuse | Judgement::Warn => Refusal::unless_clean(unknown)?,
            Judgement::List => workspace.findings.extend(unknown),
        }
        let ambiguous = workspace.ambiguities();
        workspace.judge(ambiguous, judgement)?;
        Ok(workspace)
    }

    fn judge(&mut self, found: Vec<Finding>, judgement: Judgement) -> Result<(), Refusal> {
        match judgement {
            Judgement::Refuse => Refusal::unless_clean(found)?,
            Judgement::Warn => {
                self.findings.extend(found.into_iter().map(Finding::into_warning));
            }
            Judgement::List => self.findings.extend(found),
        }
        Ok(())
    }

    /// The index of the distribution with this name, in any spelling.
    pub fn find(&self, name: &Name) -> Option<DistributionId> {
        self.by_name.get(name.normal()).copied()
    }

    /// Whose a path is, relative to the root: that of the innermost distribution around it.
    pub fn owner(&self, path: &str) -> Option<DistributionId> {
        let mut dir = path;
        while !dir.is_empty() {
            dir = dir.rsplit_once('/').map_or("", |(up, _)| up);
            if let Some(&owner) = self.by_dir.get(dir) {
                return Some(owner);
            }
        }
        None
    }

    /// A path relative to the directory of a distribution, if it belongs to that.
    pub fn own_path<'p>(&self, of: DistributionId, path: &'p str) -> Option<&'p str> {
        let own = path.strip_prefix(self.distributions[of].dir.as_str())?;
        (self.owner(path) == Some(of)).then(|| own.trim_start_matches('/'))
    }

    /// The commits of `log` that touch a distribution since the commit it was tagged on, for each
    /// pair of the two. `log` has to reach back to every one of them.
    pub fn commits_since<'a>(
        &self,
        tagged: &[(DistributionId, &str)],
        log: &'a [Commit],
    ) -> HashMap<DistributionId, Vec<&'a Commit>> {
        let mut by_commit: HashMap<&str, BTreeSet<DistributionId>> = HashMap::new();
        for &(id, commit) in tagged {
            by_commit.entry(commit).or_default().insert(id);
        }
        let mut found: HashMap<DistributionId, Vec<&Commit>> =
            tagged.iter().map(|(id, _)| (*id, Vec::new())).collect();
        let touched = self.touched(log);
        for (tag, ids) in by_commit {
            for commit in since(log, tag) {
                for id in touched[commit.hash.as_str()].intersection(&ids) {
                    found.entry(*id).or_default().push(commit);
                }
            }
        }
        found
    }

    /// The distributions of which each commit of a log changes files, newest first: by the directory
    /// that they had then, and by the directories that are linked into them.
    pub fn touched<'a>(&self, log: &'a [Commit]) -> HashMap<&'a str, BTreeSet<DistributionId>> {
        let mut moved: HashMap<&str, DistributionId> = HashMap::new();
        let mut touched = HashMap::new();
        for commit in log {
            let owner = |file: &str| {
                self.owner(file).or_else(|| {
                    source::ancestors(file).skip(1).find_map(|dir| moved.get(dir).copied())
                })
            };
            let linked = commit.files.iter().flat_map(|file| self.linking(file));
            let ids: BTreeSet<_> =
                commit.files.iter().filter_map(|file| owner(file)).chain(linked).collect();
            touched.insert(commit.hash.as_str(), ids);
            for (old, new) in &commit.renames {
                let Some((old, name)) = old.rsplit_once('/') else { continue };
                let (new, new_name) = new.rsplit_once('/').unwrap_or(("", new));
                let is_manifest = ["pyproject.toml", "setup.py", "setup.cfg"].contains(&name);
                let known = self.by_dir.get(new).or_else(|| moved.get(new)).copied();
                if is_manifest && name == new_name && old != new && !self.by_dir.contains_key(old) {
                    moved.extend(known.map(|id| (old, id)));
                }
            }
        }
        touched
    }

    /// The distributions into which the directory of a file is linked.
    fn linking(&self, file: &str) -> impl Iterator<Item = DistributionId> {
        let inside =
            move |dir: &str| file.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        self.linked.iter().filter(move |(dir, _)| inside(dir)).map(|(_, id)| *id)
    }

    /// Takes the links of the repository, each with what it leads to: a directory that is shared
    /// counts for every distribution that links it.
    pub fn follow_links(&mut self, links: impl IntoIterator<Item = (String, String)>) {
        let linked = links.into_iter().filter_map(|(link, target)| {
            let id = self.owner(&link)?;
            (self.owner(&target) != Some(id)).then_some((target, id))
        });
        self.linked = linked.collect();
    }

    /// The distributions that have a last tag, each with the commit that it is on.
    pub fn tagged_commits(&self) -> Vec<(DistributionId, &str)> {
        let tagged = self.distributions.enumerate();
        tagged.filter_map(|(id, d)| Some((id, d.last_tag.as_ref()?.commit.as_str()))).collect()
    }

    /// The requirements of a distribution on siblings, with the sibling's index; a self-reference
    /// (`name[extra]`) is none.
    pub fn sibling_requirements(
        &self,
        of: DistributionId,
    ) -> impl Iterator<Item = (DistributionId, &DeclaredRequirement)> {
        self.distributions[of]
            .manifest
            .requirements
            .iter()
            .filter_map(|declared| Some((self.find(&declared.requirement.name)?, declared)))
            .filter(move |(sibling, _)| *sibling != of)
    }

    /// Every sibling that `of` needs, directly or through others, in release order.
    pub fn transitive_needs(&self, of: DistributionId) -> Vec<DistributionId> {
        let mut needed = IdVec::like(&self.distributions, || false);
        let mut open = self.distributions[of].needs.clone();
        while let Some(sibling) = open.pop() {
            if !std::mem::replace(&mut needed[sibling], true) {
                open.extend(&self.distributions[sibling].needs);
            }
        }
        needed.ids().filter(|&sibling| needed[sibling]).collect()
    }

    /// The requirements of these distributions and their siblings on others, as pip reads them.
    /// `None` where one of the requirements is not written as pip reads it.
    pub fn third_parties(&self, of: &[DistributionId]) -> Option<Vec<&str>> {
        let mut all: Vec<DistributionId> =
            of.iter().flat_map(|&id| self.transitive_needs(id).into_iter().chain([id])).collect();
        all.sort_unstable();
        all.dedup();
        let (mut found, mut extras) = (Vec::new(), Vec::new());
        for &id in &all {
            for declared in self.declared(id, |table| *table == RequirementTable::Dependencies) {
                match self.find(&declared.requirement.name) {
                    Some(sibling) => extras.push((sibling, &declared.requirement.extras)),
                    None => found.push(declared),
                }
            }
        }
        for (sibling, wanted) in extras {
            let asked = |table: &RequirementTable| matches!(table, RequirementTable::Extra(name) if wanted.contains(name));
            let declared = self.declared(sibling, asked);
            found.extend(declared.filter(|d| self.find(&d.requirement.name).is_none()));
        }
        let readable = found.iter().all(|declared| declared.dialect == Dialect::Pep440);
        readable.then(|| found.into_iter().map(|declared| declared.text.as_str()).collect())
    }

    fn declared(
        &self,
        id: DistributionId,
        wanted: impl Fn(&RequirementTable) -> bool,
    ) -> impl Iterator<Item = &DeclaredRequirement> {
        let requirements = &self.distributions[id].manifest.requirements;
        requirements.iter().filter(move |declared| wanted(&declared.table))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::text::toml::TomlFile;

    /// A workspace of one-line descriptions, `"name version: requirement, requirement"`, each in
    /// `packages/NAME`.
    pub fn workspace(descriptions: &[&str]) -> Result<Workspace, Refusal> {
        let manifests = descriptions.iter().map(|line| manifest(line)).collect();
        Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new(), Judgement::Refuse)
    }

    fn manifest(line: &str) -> Manifest {
        let (head, needs) = line.split_once(':').unwrap_or((line, ""));
        let (name, version) = head.split_once(' ').unwrap();
        let needs: Vec<String> = needs
            .split(", ")
            .map(str::trim)
            .filter(|r| !r.is_empty())
            .map(|r| format!("{r:?}"))
            .collect();
        let text = format!(
            "[project]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [{}]\n",
            needs.join(", ")
        );
        let file =
            TomlFile::parse(&format!("packages/{name}/pyproject.toml"), text.into()).unwrap();
        Manifest::read(&file).unwrap().unwrap()
    }

    fn flow() -> Workspace {
        workspace(&[
            "acme 2.3.0: acme-core>=2.3, acme-scheduler",
            "acme-core 2.3.0",
            "acme-scheduler 1.5.0: Acme.Core>=2.3",
        ])
        .unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    #[test]
    fn release_order_follows_the_dependencies() {
        let workspace = flow();
        let order: Vec<_> =
            workspace.distributions.iter().map(|d| (d.name().to_string(), d.level)).collect();
        assert_eq!(
            order,
            [("acme-core".into(), 0), ("acme-scheduler".into(), 1), ("acme".into(), 2)]
        );
        let ids: Vec<DistributionId> = workspace.distributions.ids().collect();
        assert_eq!(workspace.distributions[ids[2]].needs, [ids[0], ids[1]]);
        assert_eq!(workspace.transitive_needs(ids[1]), [ids[0]]);
    }

    #[test]
    fn third_parties_are_those_of_all_that_is_needed() {
        let workspace =
            workspace(&["app 1.0: core>=1, rich", "core 1.0: click>=8; x", "cli 1.0: y"]);
        let workspace = workspace.unwrap_or_else(|refusal| panic!("{refusal}"));
        let of = |name: &str| {
            let found = workspace.third_parties(&[workspace.resolve(name).unwrap()]).unwrap();
            found.join(" | ")
        };
        assert_eq!(of("app"), "click>=8; x | rich");
        assert_eq!(of("core"), "click>=8; x");
    }

    #[test]
    fn third_parties_of_a_siblings_extra_count() {
        let read = |name: &str, rest: &str| {
            let text = format!("[project]\nname = {name:?}\nversion = \"1.0\"\n{rest}");
            let file = TomlFile::parse(&format!("{name}/pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = vec![
            read("core", "optional-dependencies = {s3 = [\"boto3\"], gs = [\"gcsfs\"]}\n"),
            read("app", "dependencies = [\"core[s3]\"]\n"),
        ];
        let workspace = Workspace::assemble(
            RepositoryConfig::default(),
            manifests,
            Vec::new(),
            Judgement::Refuse,
        )
        .unwrap();
        assert_eq!(
            workspace.third_parties(&[workspace.resolve("app").unwrap()]),
            Some(vec!["boto3"])
        );
    }

    #[track_caller]
    fn resolves(target: &str, expected: &str) {
        let workspace = flow();
        let found =
            workspace.resolve(target).map(|at| workspace.distributions[at].name().to_string());
        assert_eq!(found.unwrap_or_else(|finding| finding.hint.unwrap()), expected);
    }

    #[test]
    fn targets() {
        resolves("acme", "acme");
        resolves("Acme_Core", "acme-core");
        resolves("core", "acme-core");
        resolves("packages/acme-core/", "acme-core");
        resolves(r".\packages\acme-core\", "acme-core");
        resolves("acme-scheduller", "did you mean `acme-scheduler`?");
        resolves("shceduler", "did you mean `scheduler`?");
        resolves("zzz", "there are acme-core, acme-scheduler, acme");
    }

    #[test]
    fn targets_with_a_version() {
        let workspace = flow();
        let typed = ["core=1.1.0", "acme", "scheduler==2!1"];
        let found = workspace.resolve_versioned(&typed).unwrap().into_iter();
        let versions = found.map(|(_, version)| version.map(|version| version.to_string()));
        let expected = [Some("1.1.0".to_owned()), None, Some("2!1".to_owned())];
        assert_eq!(versions.collect::<Vec<_>>(), expected);
        assert!(workspace.resolve_versioned(&["core=next"]).is_err());
        assert!(workspace.resolve_versioned(&["core="]).is_err());
    }

    #[test]
    fn a_hard_cycle_is_refused_with_its_path() {
        let refusal = workspace(&["a 1: b", "b 1: c", "c 1: a"]).err().unwrap();
        assert_eq!(
            refusal.to_string(),
            "packages/a/pyproject.toml:4: circular dependency: a -> b -> c -> a"
        );
    }

    #[test]
    fn a_path_belongs_to_the_innermost_distribution() {
        let manifest = |dir: &str, name: &str| {
            let text = format!("[project]\nname = \"{name}\"\nversion = \"1\"\n");
            let file = TomlFile::parse(&format!("{dir}pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = vec![manifest("", "all"), manifest("packages/core/", "core")];
        let config = RepositoryConfig::default();
        let workspace =
            Workspace::assemble(config, manifests, Vec::new(), Judgement::Refuse).unwrap();
        let owner = |path: &str| {
            workspace.owner(path).map(|at| workspace.distributions[at].name().to_string())
        };
        assert_eq!(owner("packages/core/src/a.py").as_deref(), Some("core"));
        assert_eq!(owner("packages/corelike/a.py").as_deref(), Some("all"));
        assert_eq!(owner("README.md").as_deref(), Some("all"));
        let core = workspace.resolve("core").unwrap();
        assert_eq!(workspace.own_path(core, "README.md"), None);
        assert_eq!(workspace.own_path(core, "packages/core/src/a.py"), Some("src/a.py"));
    }

    #[test]
    fn of_one_name_twice_neither_is_selected_by_it() {
        let workspace = workspace(&["a-b 1", "A_b 2", "c 1: a-b"]);
        let workspace = workspace.unwrap_or_else(|refusal| panic!("{refusal}"));
        let finding = workspace.findings[0].to_string();
        let expected = "packages/A_b/pyproject.toml:1: `A_b` is also the name of `packages/a-b/";
        assert!(finding.starts_with(expected), "{finding}");
        let excluded = workspace.distributions.iter().filter(|d| d.manifest.excluded.is_some());
        assert_eq!(excluded.count(), 2);
        let refused = workspace.resolve("a.b").unwrap_err();
        let hint = "name one of the directories packages/A_b, packages/a-b";
        assert_eq!(refused.hint.as_deref(), Some(hint));
        let found =
            workspace.resolve("packages/a-b/").map(|id| workspace.distributions[id].version());
        assert_eq!(found.unwrap().unwrap().to_string(), "1");
    }

    #[track_caller]
    fn check(tags: [&str; 2], ambiguous: bool) {
        let manifest = |name: &str, tag: &str| {
            let text = format!(
                "[project]\nname = \"{name}\"\nversion = \"1\"\n[tool.xtask]\ntag = \"{tag}\"\n"
            );
            let file = TomlFile::parse(&format!("{name}/pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = vec![manifest("a", tags[0]), manifest("b", tags[1])];
        let result = Workspace::assemble(
            RepositoryConfig::default(),
            manifests,
            Vec::new(),
            Judgement::Refuse,
        );
        assert_eq!(result.is_err(), ambiguous, "{tags:?}");
        if let Err(refusal) = result {
            assert!(
                refusal.to_string().contains("/pyproject.toml:5: `tool.xtask.tag`"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn tags_that_two_could_own_are_refused() {
        check(["a-v{version}", "v{version}"], false);
        check(["v{version}", "v{version}"], true);
        check(["{version}", "v{version}"], true);
        check(["{name}/{version}", "{version}"], false);
    }
}
