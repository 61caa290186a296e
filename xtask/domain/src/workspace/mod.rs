//! All distributions of a repository: their graph, their order, their tags, and how to name one.

mod ambiguity;
mod distribution;
pub mod graph;
pub mod history;
pub mod tags;

use std::collections::{BTreeSet, HashMap};

use formats::name::{Name, normalize};
use formats::pep440::specifier::Dialect;

use crate::config::RepositoryConfig;
use crate::finding::{Finding, Refusal};
use crate::manifest::Manifest;
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::parallel;
use crate::text::toml::nearest;
use crate::workspace::graph::{Cycle, Edge, levels};
use crate::workspace::history::Commit;
use crate::workspace::tags::TagPattern;

pub use distribution::Distribution;

/// The distributions in release order.
pub struct Workspace {
    pub config: RepositoryConfig,
    pub distributions: Vec<Distribution>,
    /// What is wrong without keeping the repository from being read.
    pub findings: Vec<Finding>,
    by_name: HashMap<String, usize>,
    by_dir: HashMap<String, usize>,
}

impl Workspace {
    /// Puts manifests together; `findings` are those of reading them.
    ///
    /// # Errors
    /// A name that stands twice, a cycle of hard dependencies, ambiguous tags.
    pub fn assemble(
        config: RepositoryConfig,
        manifests: Vec<Manifest>,
        findings: Vec<Finding>,
    ) -> Result<Workspace, Refusal> {
        Workspace::build(config, manifests, findings, Refusal::unless_clean)
    }

    /// The same for a repository that need not be fit for a release: what [`Workspace::assemble`]
    /// refuses is a warning here. Of distributions with one name, the one that is not aside (else
    /// the first by path) bears it; the others are set aside.
    pub fn assemble_lenient(
        config: RepositoryConfig,
        manifests: Vec<Manifest>,
        findings: Vec<Finding>,
    ) -> Workspace {
        Workspace::gather(config, manifests, findings, Finding::into_warning)
    }

    /// The same for a repository that is to be judged: what [`Workspace::assemble`] refuses is
    /// among the findings as the error that it is.
    pub fn survey(
        config: RepositoryConfig,
        manifests: Vec<Manifest>,
        findings: Vec<Finding>,
    ) -> Workspace {
        Workspace::gather(config, manifests, findings, |finding| finding)
    }

    fn gather(
        config: RepositoryConfig,
        mut manifests: Vec<Manifest>,
        mut findings: Vec<Finding>,
        weigh: impl Fn(Finding) -> Finding,
    ) -> Workspace {
        sort(&mut manifests);
        for namesakes in manifests.chunk_by_mut(|a, b| a.name == b.name) {
            let [bearer, others @ ..] = namesakes else { continue };
            for other in others {
                other
                    .excluded
                    .get_or_insert_with(|| format!("its name is that of {}", bearer.path));
            }
        }
        let mut warnings = Vec::new();
        let workspace = Workspace::build(config, manifests, Vec::new(), |errors| {
            warnings.extend(errors.into_iter().map(&weigh));
            Ok(())
        });
        let mut workspace = workspace.unwrap_or_else(|never| {
            unreachable!("nothing is refused where every finding is only gathered: {never}")
        });
        findings.append(&mut warnings);
        findings.append(&mut workspace.findings);
        workspace.findings = findings;
        workspace
    }

    /// `judge` decides whether findings refuse the repository.
    fn build(
        config: RepositoryConfig,
        mut manifests: Vec<Manifest>,
        mut findings: Vec<Finding>,
        mut judge: impl FnMut(Vec<Finding>) -> Result<(), Refusal>,
    ) -> Result<Workspace, Refusal> {
        sort(&mut manifests);
        judge(duplicates(&manifests))?;
        let mut by_name = index(&manifests);
        let named = siblings(&manifests, &by_name);
        let (hard, mut soft) = edges(&manifests, &named);
        let levels = match levels(manifests.len(), &hard, &soft) {
            Ok(levels) => levels,
            Err(cycle) => {
                judge(vec![cycle_finding(&cycle, &manifests)])?;
                // An order is still wanted: as many edges as close no cycle.
                soft.splice(0..0, hard.iter().copied());
                levels(manifests.len(), &[], &soft)
                    .map_err(|cycle| cycle_finding(&cycle, &manifests))?
            }
        };

        let mut order: Vec<usize> = (0..manifests.len()).collect();
        order.sort_by_key(|&node| levels[node]);
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(at, &node)| place[node] = at);
        let mut manifests: Vec<Option<Manifest>> = manifests.into_iter().map(Some).collect();
        let placed = order.iter().filter_map(|&node| Some((manifests[node].take()?, levels[node])));
        let mut distributions: Vec<Distribution> =
            placed.map(|(manifest, level)| distribution(manifest, level)).collect();
        hard.iter().for_each(|&(from, to)| distributions[place[from]].needs.push(place[to]));
        for (at, &node) in order.iter().enumerate() {
            for &(number, to) in &named[node] {
                distributions[place[to]].named_by.push((at, number));
            }
        }
        for Distribution { needs, manifest, .. } in &mut distributions {
            needs.sort_unstable();
            needs.dedup();
            findings.append(&mut manifest.findings);
        }
        judge(ambiguity::ambiguities(&distributions))?;
        by_name.values_mut().for_each(|node| *node = place[*node]);
        let dirs = distributions.iter().enumerate();
        let by_dir = dirs.map(|(at, distribution)| (distribution.dir.clone(), at)).collect();
        Ok(Workspace { config, distributions, findings, by_name, by_dir })
    }

    /// The index of the distribution with this name, in any spelling.
    pub fn find(&self, name: &Name) -> Option<usize> {
        self.by_name.get(name.normal()).copied()
    }

    /// Whose a path is, relative to the root: that of the innermost distribution around it.
    pub fn owner(&self, path: &str) -> Option<usize> {
        let mut dir = path;
        while !dir.is_empty() {
            dir = dir.rsplit_once('/').map_or("", |(up, _)| up);
            if let Some(&owner) = self.by_dir.get(dir) {
                return Some(owner);
            }
        }
        None
    }

    /// The paths that belong to a distribution, relative to its directory.
    pub fn own_paths(&self, of: usize, paths: &[String]) -> Vec<String> {
        let own = paths.iter().filter(|path| self.owner(path) == Some(of));
        let cut = match self.distributions[of].dir.len() {
            0 => 0,
            length => length + 1,
        };
        own.map(|path| path[cut..].to_owned()).collect()
    }

    /// How many of these commits touch a distribution.
    pub fn touching<'a>(&self, of: usize, commits: impl IntoIterator<Item = &'a Commit>) -> usize {
        let touched = |commit: &&Commit| commit.files.iter().any(|f| self.owner(f) == Some(of));
        commits.into_iter().filter(touched).count()
    }

    /// The distributions of which a commit changes files.
    pub fn touched_by(&self, commit: &Commit) -> BTreeSet<usize> {
        commit.files.iter().filter_map(|file| self.owner(file)).collect()
    }

    /// The requirements of a distribution on siblings, with the sibling's index; a self-reference
    /// (`name[extra]`) is none.
    pub fn sibling_requirements(
        &self,
        of: usize,
    ) -> impl Iterator<Item = (usize, &DeclaredRequirement)> {
        self.distributions[of]
            .manifest
            .requirements
            .iter()
            .filter_map(|declared| Some((self.find(&declared.requirement.name)?, declared)))
            .filter(move |(sibling, _)| *sibling != of)
    }

    /// Every sibling that `of` needs, directly or through others, in release order.
    pub fn transitive_needs(&self, of: usize) -> Vec<usize> {
        let mut needed = vec![false; self.distributions.len()];
        let mut open = self.distributions[of].needs.clone();
        while let Some(sibling) = open.pop() {
            if !std::mem::replace(&mut needed[sibling], true) {
                open.extend(&self.distributions[sibling].needs);
            }
        }
        (0..needed.len()).filter(|&sibling| needed[sibling]).collect()
    }

    /// What these distributions and the siblings they need require of others, as pip reads it.
    /// `None` where one of the requirements is not written as pip reads it.
    pub fn third_parties(&self, of: &[usize]) -> Option<Vec<&str>> {
        let mut all: Vec<usize> =
            of.iter().flat_map(|&at| self.transitive_needs(at).into_iter().chain([at])).collect();
        all.sort_unstable();
        all.dedup();
        let (mut found, mut extras) = (Vec::new(), Vec::new());
        for &at in &all {
            for declared in self.declared(at, |table| *table == RequirementTable::Dependencies) {
                match self.find(&declared.requirement.name) {
                    Some(sibling) => extras.push((sibling, &declared.requirement.extras)),
                    None => found.push(declared),
                }
            }
        }
        for (sibling, wanted) in extras {
            let asked = |table: &RequirementTable| matches!(table, RequirementTable::Extra(name) if wanted.contains(name));
            let foreign = |d: &&DeclaredRequirement| self.find(&d.requirement.name).is_none();
            found.extend(self.declared(sibling, asked).filter(foreign));
        }
        let readable = found.iter().all(|declared| declared.dialect == Dialect::Pep440);
        readable.then(|| found.into_iter().map(|declared| declared.text.as_str()).collect())
    }

    fn declared(
        &self,
        at: usize,
        wanted: impl Fn(&RequirementTable) -> bool,
    ) -> impl Iterator<Item = &DeclaredRequirement> {
        let requirements = &self.distributions[at].manifest.requirements;
        requirements.iter().filter(move |declared| wanted(&declared.table))
    }

    /// What TARGET means: a distribution's name in any spelling, its directory's name, or a
    /// unique suffix of its name (`core`).
    ///
    /// # Errors
    /// No such distribution, or several; the hint says what may have been meant.
    pub fn resolve(&self, target: &str) -> Result<usize, Finding> {
        match self.meant_by(target).as_slice() {
            [one] => Ok(*one),
            [] => Err(self.no_such_target(target, &normalize(target.trim_end_matches('/')))),
            several => Err(self.ambiguous_target(target, several)),
        }
    }

    /// Whether TARGET means one distribution.
    pub fn is_target(&self, target: &str) -> bool {
        self.meant_by(target).len() == 1
    }

    /// All that TARGET may mean; exactly one where it is as it should be.
    fn meant_by(&self, target: &str) -> Vec<usize> {
        let typed = normalize(target.trim_end_matches('/'));
        if let Some(&exact) = self.by_name.get(&typed) {
            return vec![exact];
        }
        let matching = |test: &dyn Fn(&Distribution) -> bool| -> Vec<usize> {
            (0..self.distributions.len()).filter(|&at| test(&self.distributions[at])).collect()
        };
        let path = target.trim_end_matches('/').trim_start_matches("./");
        let by_dir = matching(&|d| d.dir == path || d.dir.rsplit('/').next() == Some(path));
        let suffix = format!("-{typed}");
        let by_suffix = matching(&|d| d.name().normal().ends_with(&suffix));
        if by_dir.is_empty() { by_suffix } else { by_dir }
    }

    fn no_such_target(&self, target: &str, typed: &str) -> Finding {
        let full = self.distributions.iter().map(|d| d.name().normal());
        let last = full.clone().filter_map(|name| name.rsplit_once('-')).map(|(_, last)| last);
        let names: Vec<String> = self.distributions.iter().map(|d| d.name().to_string()).collect();
        Finding::error("target", format!("no distribution is called `{target}`")).hint(
            match nearest(typed, full.chain(last)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if names.len() <= 12 => format!("there are {}", names.join(", ")),
                None => format!("`cargo xtask status` lists all {}", names.len()),
            },
        )
    }

    fn ambiguous_target(&self, target: &str, several: &[usize]) -> Finding {
        let names: Vec<String> =
            several.iter().map(|&at| self.distributions[at].name().to_string()).collect();
        Finding::error("target", format!("`{target}` can be any of {}", names.join(", ")))
            .hint("type the whole name")
    }
}

/// By name; of those that bear one name, the one that most likely is the distribution comes first.
fn sort(manifests: &mut [Manifest]) {
    fn key(manifest: &Manifest) -> (bool, usize, &str) {
        (manifest.excluded.is_some(), depth(manifest), &manifest.path)
    }
    manifests.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| key(a).cmp(&key(b))));
}

/// How many folders a manifest lies below the root.
fn depth(manifest: &Manifest) -> usize {
    manifest.path.matches('/').count()
}

fn distribution(manifest: Manifest, level: usize) -> Distribution {
    let dir = manifest.path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
    let tag = TagPattern::new(manifest.config.tag.as_deref(), &manifest.name);
    Distribution { manifest, dir, level, needs: Vec::new(), named_by: Vec::new(), tag }
}

/// The first of several with one name bears it.
fn index(manifests: &[Manifest]) -> HashMap<String, usize> {
    let mut by_name = HashMap::new();
    for (node, manifest) in manifests.iter().enumerate() {
        by_name.entry(manifest.name.normal().to_owned()).or_insert(node);
    }
    by_name
}

/// The manifests are sorted, so equal names are neighbours.
fn duplicates(manifests: &[Manifest]) -> Vec<Finding> {
    let pairs = manifests.windows(2).filter(|pair| pair[0].name == pair[1].name);
    pairs
        .map(|pair| {
            let (first, second) = (&pair[0].path, &pair[1].path);
            Finding::error("duplicate-name", format!("{} is also the name in {first}", pair[1].name))
                .at(second, 1)
                .hint("rename one, or list the real ones as `packages` in [workspace.metadata.xtask] of Cargo.toml")
        })
        .collect()
}

/// For each manifest, which siblings it names: the requirement's number and the sibling's node.
fn siblings(manifests: &[Manifest], by_name: &HashMap<String, usize>) -> Vec<Vec<(usize, usize)>> {
    let nodes: Vec<usize> = (0..manifests.len()).collect();
    parallel::quick(&nodes, |node| {
        let requirements = manifests[*node].requirements.iter().enumerate();
        let named = requirements.filter_map(|(number, declared)| {
            Some((number, *by_name.get(declared.requirement.name.normal())?))
        });
        named.filter(|(_, to)| to != node).collect()
    })
}

/// Hard and soft edges between siblings. Groups and build requirements never order a release.
fn edges(manifests: &[Manifest], named: &[Vec<(usize, usize)>]) -> (Vec<Edge>, Vec<Edge>) {
    let (mut hard, mut soft) = (Vec::new(), Vec::new());
    for (from, (manifest, named)) in manifests.iter().zip(named).enumerate() {
        for &(number, to) in named {
            match manifest.requirements[number].table {
                RequirementTable::Dependencies => hard.push((from, to)),
                RequirementTable::Extra(_) => soft.push((from, to)),
                RequirementTable::Group(_) | RequirementTable::Build => {}
            }
        }
    }
    (hard, soft)
}

fn cycle_finding(cycle: &Cycle, manifests: &[Manifest]) -> Finding {
    let name = |&node: &usize| manifests[node].name.to_string();
    let path: Vec<String> = cycle.0.iter().chain(cycle.0.first()).map(name).collect();
    let first = &manifests[cycle.0[0]];
    let next = cycle.0.get(1).unwrap_or(&cycle.0[0]);
    let line = first
        .requirements
        .iter()
        .find(|declared| declared.requirement.name == manifests[*next].name)
        .map_or(1, |declared| declared.line);
    Finding::error("cycle", format!("the distributions need each other: {}", path.join(" -> ")))
        .at(&first.path, line)
        .hint("no order of release satisfies this; make one of the requirements an extra")
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::text::toml::TomlFile;

    /// A workspace of one-line descriptions, `"name version: requirement, requirement"`, each in
    /// `packages/NAME`.
    pub fn workspace(descriptions: &[&str]) -> Result<Workspace, Refusal> {
        let manifests = descriptions.iter().map(|line| manifest(line)).collect();
        Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new())
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
        assert_eq!(workspace.distributions[2].needs, [0, 1]);
        assert_eq!(workspace.transitive_needs(1), [0]);
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
        let workspace =
            Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new()).unwrap();
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
        resolves("acme-scheduller", "did you mean `acme-scheduler`?");
        resolves("shceduler", "did you mean `scheduler`?");
        resolves("zzz", "there are acme-core, acme-scheduler, acme");
    }

    #[test]
    fn a_hard_cycle_is_refused_with_its_path() {
        let refusal = workspace(&["a 1: b", "b 1: c", "c 1: a"]).err().unwrap();
        assert_eq!(
            refusal.to_string(),
            "packages/a/pyproject.toml:4: the distributions need each other: a -> b -> c -> a"
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
        let workspace = Workspace::assemble(config, manifests, Vec::new()).unwrap();
        let owner = |path: &str| {
            workspace.owner(path).map(|at| workspace.distributions[at].name().to_string())
        };
        assert_eq!(owner("packages/core/src/a.py").as_deref(), Some("core"));
        assert_eq!(owner("packages/corelike/a.py").as_deref(), Some("all"));
        assert_eq!(owner("README.md").as_deref(), Some("all"));
        let core = workspace.resolve("core").unwrap();
        let paths = ["README.md".to_owned(), "packages/core/src/a.py".to_owned()];
        assert_eq!(workspace.own_paths(core, &paths), ["src/a.py"]);
    }

    #[test]
    fn one_name_twice_is_refused() {
        let refusal = workspace(&["a-b 1", "A_b 1"]).err().unwrap();
        assert!(
            refusal.to_string().contains("is also the name in packages/A_b/pyproject.toml"),
            "{refusal}"
        );
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
        let result = Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new());
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
