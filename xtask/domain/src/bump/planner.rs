//! The heart of a bump: which distributions get which version, and which ranges follow.
//!
//! A queue of distributions that have got a version: the requested ones, then, while the ranges on
//! each of them follow, the dependents that need a version for that. Must not know changelogs,
//! locks and copies.

use std::collections::{HashMap, VecDeque};

use formats::pep440::Version;

use crate::bump::causes::Cause;
use crate::bump::plan::{Bump, BumpFacts, BumpNote, BumpPlan, BumpRequest};
use crate::finding::{Finding, Refusal, Rule};
use crate::ids::{DistributionId, IdVec};
use crate::manifest::version_source::{DeclaredVersion, Spelling};
use crate::text::edit::{Edit, EditKind};
use crate::workspace::Distribution;

/// The bumps, the edits of their versions, and the ranges that follow.
pub(crate) fn versions_and_ranges(
    facts: BumpFacts<'_>,
    request: &BumpRequest,
) -> Result<BumpPlan, Refusal> {
    let mut planner = Planner {
        facts,
        request,
        planned: IdVec::like(&facts.workspace.distributions, || None),
        queue: VecDeque::new(),
        groups: facts.workspace.version_groups(),
        plan: BumpPlan::default(),
        without_range: Vec::new(),
        templates: Vec::new(),
        left_final: Vec::new(),
        refusals: Vec::new(),
    };
    planner.bump_targets();
    while let Some(sibling) = planner.queue.pop_front() {
        planner.follow(sibling);
    }
    planner.note_missing_ranges();
    planner.note_templates();
    Refusal::unless_clean(std::mem::take(&mut planner.refusals))?;
    Ok(planner.into_plan())
}

/// The new version of a distribution.
pub(crate) struct Planned {
    pub(crate) from: Option<Version>,
    pub(crate) to: Version,
    pub(crate) cause: Cause,
}

pub(crate) struct Planner<'a> {
    pub(crate) facts: BumpFacts<'a>,
    pub(crate) request: &'a BumpRequest,
    pub(crate) planned: IdVec<DistributionId, Option<Planned>>,
    /// Distributions with a new version that their dependents do not know yet.
    queue: VecDeque<DistributionId>,
    /// All distributions that share a version, for each of them.
    groups: HashMap<DistributionId, Vec<DistributionId>>,
    pub(crate) plan: BumpPlan,
    /// Published requirements on bumped siblings that have no range: who has them, their number.
    pub(crate) without_range: Vec<(DistributionId, usize)>,
    /// Requirements on bumped siblings that are templates: who has them, their number.
    pub(crate) templates: Vec<(DistributionId, usize)>,
    /// Those of all that `final` finds final already.
    pub(crate) left_final: Vec<DistributionId>,
    pub(crate) refusals: Vec<Finding>,
}

impl<'a> Planner<'a> {
    pub(crate) fn distribution(&self, id: DistributionId) -> &'a Distribution {
        &self.facts.workspace.distributions[id]
    }

    /// The version in the repository or, where versions come from tags, the last one.
    pub(crate) fn current(&self, id: DistributionId) -> Option<&'a Version> {
        let version = self.distribution(id).version();
        version.or_else(|| Some(&self.facts.history.get(id)?.last.as_ref()?.0))
    }

    /// The highest current version of a group.
    pub(crate) fn highest(&self, group: &[DistributionId]) -> Option<&'a Version> {
        group.iter().filter_map(|id| self.current(*id)).max()
    }

    /// The highest version of a group that an index may have: where the repository keeps a local
    /// version in place of the next one, that of the last tag.
    pub(crate) fn highest_public(&self, group: &[DistributionId]) -> Option<&'a Version> {
        let public = group.iter().filter_map(|&id| {
            let tagged = || self.distribution(id).last_tag.as_ref().map(|tag| &tag.version);
            self.current(id).filter(|version| !version.is_local()).or_else(tagged)
        });
        public.max()
    }

    /// A distribution and those that share its version.
    pub(crate) fn group(&self, id: DistributionId) -> Vec<DistributionId> {
        self.groups.get(&id).cloned().unwrap_or_else(|| vec![id])
    }

    pub(crate) fn note(&mut self, id: DistributionId, file: &str, line: usize, text: String) {
        let package = self.distribution(id).name().to_string();
        self.plan.notes.push(BumpNote { file: file.into(), line, package, text });
    }

    /// Gives a version to a whole group. `cause` is that of `id`.
    pub(crate) fn assign(
        &mut self,
        id: DistributionId,
        group: &[DistributionId],
        to: &Version,
        cause: Cause,
    ) {
        let mut cause = Some(cause);
        for &member in group {
            let from = self.current(member).cloned();
            let is_there = from.as_ref().is_some_and(|from| !from.is_local() && from >= to);
            if is_there || self.planned[member].is_some() {
                continue;
            }
            let own = if member == id { cause.take() } else { None };
            let cause = own.unwrap_or(Cause::Group(id));
            self.write_version(member, to);
            self.planned[member] = Some(Planned { from, to: to.clone(), cause });
            self.queue.push_back(member);
        }
    }

    fn write_version(&mut self, id: DistributionId, to: &Version) {
        let distribution = self.distribution(id);
        match &distribution.manifest.version {
            DeclaredVersion::Literal { file, line, span, text, spelling, .. } => {
                let after = match spelling.write(to) {
                    Ok(_) if *spelling == Spelling::Pep440 => to.padded_like(text),
                    Ok(after) => after,
                    Err(reason) => {
                        let name = distribution.name();
                        let message = format!("cannot bump `{name}`: {reason}");
                        let finding = Finding::error(Rule::Version, message).at(file, *line);
                        return self.refusals.push(finding);
                    }
                };
                let prefix = text.len() - text.trim_start_matches(['v', 'V']).len();
                self.plan.edits.push(Edit {
                    file: file.clone(),
                    span: span.start + prefix..span.end,
                    line: *line,
                    kind: EditKind::Version,
                    package: distribution.name().to_string(),
                    before: text[prefix..].to_owned(),
                    after,
                });
            }
            DeclaredVersion::FromTag { file, line, tool } => {
                let tag = distribution.tag.tag(to);
                let text = format!(
                    "the version will be the tag `{tag}` ({tool}); `--commit` records it for the release"
                );
                self.note(id, file, *line, text);
            }
            DeclaredVersion::Unknown { file, line, reason } => {
                self.note(id, file, *line, format!("the version is not written: {reason}"));
            }
        }
    }

    fn into_plan(self) -> BumpPlan {
        let bumps = self.planned.enumerate().filter_map(|(id, planned)| {
            let planned = planned.as_ref()?;
            Some(Bump {
                id,
                package: self.distribution(id).name().to_string(),
                from: planned.from.clone(),
                to: planned.to.clone(),
                reason: planned.cause.reason(self.facts.workspace),
                cascaded: matches!(planned.cause, Cause::Ranges { .. }),
            })
        });
        BumpPlan { bumps: bumps.collect(), ..self.plan }
    }
}
