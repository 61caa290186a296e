//! Manifests become a workspace: names are given, needs are followed, an order is found.
//!
//! A fault of the whole (a cycle, tags that two could own) is judged as the caller asks: it refuses
//! the repository, or is a finding among others.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use formats::pep440::Version;

use crate::finding::{Finding, Refusal, Rule};
use crate::ids::{DistributionId, Id, IdVec};
use crate::manifest::Manifest;
use crate::manifest::requirement::RequirementTable;
use crate::parallel;
use crate::text::words::first_few;
use crate::workspace::distribution::Distribution;
use crate::workspace::graph::{Cycle, Edge, Node, levels};
use crate::workspace::impossible_tags::impossible;
use crate::workspace::tags::TagPattern;

/// How a finding about the repository as a whole is treated.
#[derive(Clone, Copy)]
pub enum Judgement {
    /// It refuses the repository.
    Refuse,
    /// It is a warning, and the repository is read as well as it can be.
    Warn,
    /// It is listed as the error that it is.
    List,
}

/// The parts of a workspace.
pub(crate) struct Assembled {
    pub(crate) distributions: IdVec<DistributionId, Distribution>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) by_name: HashMap<String, DistributionId>,
}

/// Puts manifests in release order; `findings` are those of reading them.
///
/// # Errors
/// With [`Judgement::Refuse`]: a cycle of hard dependencies, impossible tags.
pub(crate) fn assemble(
    mut manifests: Vec<Manifest>,
    mut findings: Vec<Finding>,
    judgement: Judgement,
) -> Result<Assembled, Refusal> {
    let judge = |found: Vec<Finding>, findings: &mut Vec<Finding>| match judgement {
        Judgement::Refuse => Refusal::unless_clean(found),
        Judgement::Warn => {
            findings.extend(found.into_iter().map(Finding::into_warning));
            Ok(())
        }
        Judgement::List => {
            findings.extend(found);
            Ok(())
        }
    };
    sort(&mut manifests);
    findings.extend(exclude_namesakes(&mut manifests));
    let manifests: IdVec<Node, Manifest> = manifests.into_iter().collect();
    let by_name = bearers(&manifests);
    let named = named_siblings(&manifests, &by_name);
    let edges = Edges::of(&manifests, &named);
    let levels = match levels(manifests.len(), &edges.hard, &edges.soft) {
        Ok(levels) => levels,
        Err(cycle) => {
            judge(vec![cycle_finding(&cycle, &manifests)], &mut findings)?;
            edges.levels_despite(&manifests)?
        }
    };
    let order = ReleaseOrder::by_level(&levels);
    let mut distributions = order.distributions(manifests, &levels, &edges, &named);
    for Distribution { manifest, .. } in &mut distributions {
        findings.append(&mut manifest.findings);
    }
    judge(impossible(&distributions), &mut findings)?;
    let by_name = by_name.into_iter().map(|(name, node)| (name, order.place[node])).collect();
    Ok(Assembled { distributions, findings, by_name })
}

/// By name; of those that bear one name, the one that most likely is the distribution comes first.
fn sort(manifests: &mut [Manifest]) {
    fn key(manifest: &Manifest) -> (bool, bool, Reverse<Option<&Version>>, usize, &str) {
        let depth = manifest.path.matches('/').count();
        let version = manifest.version.version();
        let is_excluded = manifest.excluded.is_some();
        (is_excluded, !is_chosen(manifest), Reverse(version), depth, &manifest.path)
    }
    manifests.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| key(a).cmp(&key(b))));
}

/// Whether its configuration says that it is released.
fn is_chosen(manifest: &Manifest) -> bool {
    manifest.excluded.is_none() && manifest.config.private == Some(false)
}

/// Of several with one name, the only one that nothing excludes, or that is chosen, bears it; of two
/// such ones nobody knows which is released, so both are excluded, and selected by their directories.
fn exclude_namesakes(manifests: &mut [Manifest]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for namesakes in manifests.chunk_by_mut(|a, b| a.name == b.name) {
        let chosen = namesakes.iter().filter(|manifest| is_chosen(manifest)).count();
        let included = namesakes.iter().filter(|manifest| manifest.excluded.is_none()).count();
        let candidates = if chosen > 0 { chosen } else { included };
        let paths: Vec<Arc<str>> = namesakes.iter().map(|manifest| manifest.path.clone()).collect();
        if candidates > 1 {
            let name = &namesakes[0].name;
            let others: Vec<&str> = paths[1..candidates].iter().map(|path| &**path).collect();
            let message = format!(
                "`{name}` is also the name of {}: each is left out unless its directory is named",
                first_few(&others)
            );
            let hint = "rename one, or list the directories to release as `packages` in `[workspace.metadata.xtask]` of Cargo.toml";
            findings
                .push(Finding::warning(Rule::DuplicateName, message).at(&paths[0], 1).hint(hint));
        }
        let is_clear = usize::from(candidates == 1);
        for (number, manifest) in namesakes.iter_mut().enumerate().skip(is_clear) {
            if let Some(other) = paths.get(usize::from(number == 0)) {
                manifest.excluded.get_or_insert_with(|| format!("its name is that of {other}"));
            }
        }
    }
    findings
}

fn bearers(manifests: &IdVec<Node, Manifest>) -> HashMap<String, Node> {
    let mut by_name = HashMap::new();
    for (node, manifest) in manifests.enumerate() {
        by_name.entry(manifest.name.normal().to_owned()).or_insert(node);
    }
    by_name
}

/// Which siblings each manifest names: the requirement's number, and the sibling. An extra can name
/// its own distribution (`all = ["core[s3]==1.0"]`).
type Named = IdVec<Node, Vec<(usize, Node)>>;

fn named_siblings(manifests: &IdVec<Node, Manifest>, by_name: &HashMap<String, Node>) -> Named {
    let nodes: Vec<Node> = manifests.ids().collect();
    let named = parallel::quick(&nodes, |node| {
        let requirements = manifests[*node].requirements.iter().enumerate();
        let named = requirements.filter_map(|(number, declared)| {
            Some((number, *by_name.get(declared.requirement.name.normal())?))
        });
        named.collect()
    });
    named.into_iter().collect()
}

/// Who needs whom. Groups never order a release.
struct Edges {
    /// Dependencies, also of excluded projects.
    needs: Vec<Edge>,
    /// Dependencies that order a release.
    hard: Vec<Edge>,
    /// Build requirements: what builds a distribution is released first, unless it needs that
    /// distribution itself.
    build: Vec<Edge>,
    /// Build requirements, then extras.
    soft: Vec<Edge>,
}

impl Edges {
    fn of(manifests: &IdVec<Node, Manifest>, named: &Named) -> Edges {
        let mut edges =
            Edges { needs: Vec::new(), hard: Vec::new(), build: Vec::new(), soft: Vec::new() };
        for (from, manifest) in manifests.enumerate() {
            for &(number, to) in named[from].iter().filter(|(_, to)| *to != from) {
                match manifest.requirements[number].table {
                    RequirementTable::Dependencies => {
                        // A cycle of excluded projects stops nothing.
                        if manifest.excluded.is_some() {
                            edges.soft.push((from, to));
                        } else {
                            edges.hard.push((from, to));
                        }
                        edges.needs.push((from, to));
                    }
                    RequirementTable::Extra(_) => edges.soft.push((from, to)),
                    RequirementTable::Build => edges.build.push((from, to)),
                    RequirementTable::Group(_) => {}
                }
            }
        }
        edges.soft.splice(0..0, edges.build.iter().copied());
        edges
    }

    /// The levels where dependencies close a cycle: as many edges as close none.
    fn levels_despite(
        &self,
        manifests: &IdVec<Node, Manifest>,
    ) -> Result<IdVec<Node, usize>, Refusal> {
        let all: Vec<Edge> = self.hard.iter().chain(&self.soft).copied().collect();
        levels(manifests.len(), &[], &all).map_err(|cycle| cycle_finding(&cycle, manifests).into())
    }
}

fn cycle_finding(cycle: &Cycle, manifests: &IdVec<Node, Manifest>) -> Finding {
    let name = |&node: &Node| manifests[node].name.to_string();
    let path: Vec<String> = cycle.0.iter().chain(cycle.0.first()).map(name).collect();
    let first = &manifests[cycle.0[0]];
    let next = cycle.0.get(1).unwrap_or(&cycle.0[0]);
    let line = first
        .requirements
        .iter()
        .find(|declared| declared.requirement.name == manifests[*next].name)
        .map_or(1, |declared| declared.line);
    Finding::error(Rule::Cycle, format!("circular dependency: {}", path.join(" -> ")))
        .at(&first.path, line)
        .hint("make one of these requirements an extra, so that a release order exists")
}

/// Lower levels first, names decide within one.
struct ReleaseOrder {
    /// The manifests in this order.
    nodes: Vec<Node>,
    /// Where each manifest is in it.
    place: IdVec<Node, DistributionId>,
}

impl ReleaseOrder {
    fn by_level(levels: &IdVec<Node, usize>) -> ReleaseOrder {
        let mut nodes: Vec<Node> = levels.ids().collect();
        nodes.sort_by_key(|&node| levels[node]);
        let mut place = IdVec::like(levels, || DistributionId::from_index(0));
        for (index, &node) in nodes.iter().enumerate() {
            place[node] = DistributionId::from_index(index);
        }
        ReleaseOrder { nodes, place }
    }

    fn distributions(
        &self,
        manifests: IdVec<Node, Manifest>,
        levels: &IdVec<Node, usize>,
        edges: &Edges,
        named: &Named,
    ) -> IdVec<DistributionId, Distribution> {
        let mut unplaced: IdVec<Node, Option<Manifest>> = manifests.into_iter().map(Some).collect();
        let placed =
            self.nodes.iter().filter_map(|&node| Some((unplaced[node].take()?, levels[node])));
        let mut distributions: IdVec<DistributionId, Distribution> =
            placed.map(|(manifest, level)| distribution(manifest, level)).collect();
        for &(from, to) in &edges.needs {
            distributions[self.place[from]].needs.push(self.place[to]);
        }
        for &(from, to) in &edges.build {
            if self.place[to] < self.place[from] {
                distributions[self.place[from]].built_with.push(self.place[to]);
            }
        }
        for Distribution { needs, built_with, .. } in &mut distributions {
            for siblings in [needs, built_with] {
                siblings.sort_unstable();
                siblings.dedup();
            }
        }
        for &node in &self.nodes {
            for &(number, to) in &named[node] {
                distributions[self.place[to]].named_by.push((self.place[node], number));
            }
        }
        distributions
    }
}

fn distribution(manifest: Manifest, level: usize) -> Distribution {
    let dir = manifest.path.rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
    let tag = TagPattern::new(manifest.config.tag.as_deref(), &manifest.name);
    Distribution {
        manifest,
        dir,
        level,
        needs: Vec::new(),
        built_with: Vec::new(),
        named_by: Vec::new(),
        tag,
        last_tag: None,
        taken: Vec::new(),
        tagged: None,
        settled: None,
    }
}
