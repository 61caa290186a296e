//! The heart of a bump: which distributions get which version, and which ranges follow.
//!
//! Must not know changelogs and locks.

use std::collections::{HashMap, VecDeque};

use formats::pep440::Version;
use formats::pep440::specifier::{Dialect, Unreadable};

use crate::bump::groups;
use crate::bump::plan::{Bump, BumpFacts, BumpNote, BumpPlan, BumpRequest, RangeMove};
use crate::bump::range::{self, RangeOutcome};
use crate::bump::step::{self, Change, Step};
use crate::finding::{Finding, Refusal, Rule};
use crate::ids::{DistributionId, IdVec};
use crate::manifest::requirement::DeclaredRequirement;
use crate::manifest::version_source::DeclaredVersion;
use crate::parallel;
use crate::text::edit::{self, Edit, EditKind, Write};
use crate::text::toml::line_of;
use crate::workspace::Distribution;

/// The bumps, their version edits, and the ranges that follow. `bumped` is told of every distribution
/// that gets a version, and of the one it had, as soon as that is known.
pub(crate) fn versions_and_ranges(
    facts: BumpFacts<'_>,
    request: &BumpRequest,
    bumped: &mut dyn FnMut(DistributionId, &Version),
) -> Result<BumpPlan, Refusal> {
    let mut planner = Planner::new(facts, request, bumped)?;
    planner.targets();
    while let Some(sibling) = planner.queue.pop_front() {
        planner.follow(sibling);
    }
    Refusal::unless_clean(std::mem::take(&mut planner.refusals))?;
    Ok(planner.into_plan())
}

/// Every edited file with its edits made.
pub(crate) fn writes(facts: BumpFacts<'_>, edits: &[Edit]) -> Result<Vec<Write>, Refusal> {
    let by_file: Vec<&[Edit]> = edits.chunk_by(|a, b| a.file == b.file).collect();
    let written = parallel::quick(&by_file, |edits| {
        let path = &edits[0].file;
        let source = (facts.files.read)(path).ok_or_else(|| format!("{path}: cannot be read"))?;
        edit::splice(path, source.text, &edits.iter().collect::<Vec<_>>())
    });
    let mut writes = Vec::with_capacity(written.len());
    let mut errors = Vec::new();
    for written in written {
        match written {
            Ok(write) => writes.push(write),
            Err(why) => errors.push(Finding::error(Rule::Edit, why)),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok(writes)
}

/// Why a distribution gets a version.
enum Cause {
    Asked(Change),
    Commits {
        step: Step,
        count: usize,
        tag: String,
    },
    /// Ranges on these siblings moved.
    Ranges {
        step: Step,
        on: Vec<DistributionId>,
    },
    /// Its group moves.
    Group(DistributionId),
}

struct Planned {
    from: Option<Version>,
    to: Version,
    cause: Cause,
}

/// What becomes of ranges as they are written.
type Followed<'a> = HashMap<(&'a str, Dialect), Result<RangeOutcome, range::RangeRefusal>>;

struct Planner<'a> {
    facts: BumpFacts<'a>,
    request: &'a BumpRequest,
    bumped: &'a mut dyn FnMut(DistributionId, &Version),
    planned: IdVec<DistributionId, Option<Planned>>,
    /// Distributions whose dependents have not been looked at.
    queue: VecDeque<DistributionId>,
    /// The others that share a distribution's version.
    groups: HashMap<DistributionId, Vec<DistributionId>>,
    /// What has become of ranges, by the step that they follow, old version and new: most
    /// dependents state the same range, so each is worked out once.
    known: HashMap<(Option<String>, String), Followed<'a>>,
    plan: BumpPlan,
    refusals: Vec<Finding>,
}

impl<'a> Planner<'a> {
    fn new(
        facts: BumpFacts<'a>,
        request: &'a BumpRequest,
        bumped: &'a mut dyn FnMut(DistributionId, &Version),
    ) -> Result<Self, Refusal> {
        Ok(Planner {
            facts,
            request,
            bumped,
            planned: IdVec::like(&facts.workspace.distributions, || None),
            queue: VecDeque::new(),
            groups: groups::shared_versions(facts)?,
            known: HashMap::new(),
            plan: BumpPlan::default(),
            refusals: Vec::new(),
        })
    }

    fn distribution(&self, id: DistributionId) -> &'a Distribution {
        &self.facts.workspace.distributions[id]
    }

    /// The version that stands there now, or the last one that was tagged.
    fn current(&self, id: DistributionId) -> Option<&'a Version> {
        self.distribution(id).version().or_else(|| {
            self.facts
                .history
                .get(id)
                .and_then(|history| history.last.as_ref().map(|(version, _)| version))
        })
    }

    fn with_group(&self, id: DistributionId) -> Vec<DistributionId> {
        self.groups.get(&id).cloned().unwrap_or_else(|| vec![id])
    }

    fn targets(&mut self) {
        let everything = self.request.targets.is_empty();
        let targets: Vec<DistributionId> = match everything {
            true => self
                .planned
                .ids()
                .filter(|id| self.distribution(*id).manifest.excluded.is_none())
                .collect(),
            false => self.request.targets.clone(),
        };
        for id in targets {
            if self.planned[id].is_none() {
                self.target(id, everything);
            }
        }
    }

    fn target(&mut self, id: DistributionId, everything: bool) {
        let group = self.with_group(id);
        let (change, cause) = match &self.request.change {
            Change::Auto => match self.asked_by_commits(&group) {
                Some(asked) => asked,
                None => return self.note_untagged(id, &group),
            },
            change => (change.clone(), Cause::Asked(change.clone())),
        };
        // What cannot be followed is refused where it was asked for by name.
        let place = &self.distribution(id).manifest.version;
        if let DeclaredVersion::Unknown { file, line, reason } = place {
            if everything {
                self.note(file, *line, id, format!("not bumped: {reason}"));
            } else {
                self.refuse(file, *line, id, reason);
            }
            return;
        }
        let from_tag = matches!(place, DeclaredVersion::FromTag { .. });
        if everything && from_tag && self.current(id).is_none() {
            let (file, line) = place.place();
            let text = "not bumped: its versions come from tags, and no tag names one";
            self.note(file, line, id, text.to_owned());
            return;
        }
        match self.next(&group, &change) {
            Ok(to) => self.assign(id, &group, to, cause),
            Err((message, hint)) => {
                let (file, line) = place.place();
                let name = self.distribution(id).name();
                let finding =
                    Finding::error(Rule::Version, format!("cannot bump {name}: {message}"));
                self.refusals.push(finding.at(file, line).hint(hint));
            }
        }
    }

    /// `auto` counts from a tag; without one it says so, because silence would read as "nothing
    /// has changed".
    fn note_untagged(&mut self, id: DistributionId, group: &[DistributionId]) {
        let tagged =
            |id: &DistributionId| self.facts.history.get(*id).is_some_and(|h| h.last.is_some());
        if !group.iter().any(tagged) {
            let (file, line) = self.distribution(id).manifest.version.place();
            let text = "no tag says what was released last, so `auto` cannot tell; name the change";
            self.note(file, line, id, text.to_owned());
        }
    }

    fn refuse(&mut self, file: &str, line: usize, id: DistributionId, reason: &str) {
        let name = self.distribution(id).name();
        self.refusals.push(
            Finding::error(Rule::Version, format!("cannot bump {name}: {reason}"))
                .at(file, line)
                .hint("write the version as a literal there, or as `version` in [project]"),
        );
    }

    /// The version that the commits of a group ask for, counted from what is tagged: a version
    /// that stands there untagged may be that one already.
    fn asked_by_commits(&self, group: &[DistributionId]) -> Option<(Change, Cause)> {
        let of = |id: &DistributionId| self.facts.history.get(*id);
        let (last, tag) = group.iter().filter_map(of).filter_map(|h| h.last.clone()).max()?;
        let steps = group
            .iter()
            .filter_map(of)
            .filter_map(|h| step::called_for(h.commits.iter().map(|commit| commit.kind), &last));
        // `Step`'s order is major, minor, patch: the least is the weightiest.
        let step = steps.min()?;
        let wanted = step::apply(&last, step).ok()?;
        let current = group.iter().filter_map(|id| self.current(*id)).max()?;
        let count = group.iter().filter_map(of).map(|history| history.commits.len()).sum();
        (*current < wanted).then_some((Change::To(wanted), Cause::Commits { step, count, tag }))
    }

    /// The version after the highest of a group; errors are a sentence and a hint.
    fn next(&self, group: &[DistributionId], change: &Change) -> Result<Version, (String, String)> {
        let from = group.iter().filter_map(|id| self.current(*id)).max();
        match (from, change) {
            (Some(from), change) => {
                step::change(from, change).map_err(|refusal| (refusal.to_string(), refusal.hint()))
            }
            (None, Change::To(to)) if to.is_local() => {
                let refusal = step::StepRefusal::Local { version: Box::new(to.clone()) };
                Err((refusal.to_string(), refusal.hint()))
            }
            (None, Change::To(to)) => Ok(to.clone()),
            (None, _) => Err((
                "its versions come from tags, and no tag names one".to_owned(),
                "type the version itself, or fetch the tags (git fetch --tags)".to_owned(),
            )),
        }
    }

    /// Gives a whole group its version.
    fn assign(&mut self, id: DistributionId, group: &[DistributionId], to: Version, cause: Cause) {
        let mut cause = Some(cause);
        for member in group {
            let from = self.current(*member).cloned();
            if from.as_ref().is_some_and(|from| *from >= to) || self.planned[*member].is_some() {
                continue;
            }
            let cause = match *member == id {
                true => cause.take().unwrap_or(Cause::Group(id)),
                false => Cause::Group(id),
            };
            if let Some(from) = &from {
                (self.bumped)(*member, from);
            }
            self.version_edit(*member, &to);
            self.planned[*member] = Some(Planned { from, to: to.clone(), cause });
            self.queue.push_back(*member);
        }
    }

    fn version_edit(&mut self, id: DistributionId, to: &Version) {
        let distribution = self.distribution(id);
        match &distribution.manifest.version {
            DeclaredVersion::Literal { file, line, span, text, spelling, .. } => {
                let after = match spelling.write(to) {
                    Ok(after) => after,
                    Err(reason) => {
                        let name = distribution.name();
                        let message = format!("cannot bump {name}: {reason}");
                        let finding = Finding::error(Rule::Version, message).at(file, *line);
                        return self.refusals.push(finding);
                    }
                };
                let lead = text.len() - text.trim_start_matches(['v', 'V']).len();
                self.plan.edits.push(Edit {
                    file: file.clone(),
                    span: span.start + lead..span.end,
                    line: *line,
                    kind: EditKind::Version,
                    package: distribution.name().as_str().to_owned(),
                    before: text[lead..].to_owned(),
                    after,
                });
            }
            DeclaredVersion::FromTag { file, line, tool } => {
                let history = self.facts.history.get(id);
                let pattern = history.and_then(|history| history.pattern.as_ref());
                let tag = pattern.unwrap_or(&distribution.tag).tag(to);
                let text =
                    format!("nothing to write: the version is the tag {tag} to come ({tool})");
                self.note(file, *line, id, text);
            }
            DeclaredVersion::Unknown { file, line, reason } => {
                self.note(file, *line, id, format!("the version is not written: {reason}"));
            }
        }
    }

    fn note(&mut self, file: &str, line: usize, id: DistributionId, text: String) {
        let package = self.distribution(id).name().as_str().to_owned();
        self.plan.notes.push(BumpNote { file: file.into(), line, package, text });
    }

    /// Moves every range on a sibling that has got a version.
    fn follow(&mut self, sibling: DistributionId) {
        let Some(Planned { from, to, .. }) = &self.planned[sibling] else { return };
        let (from, to) = (from.clone(), to.clone());
        let step = (from.as_ref().map(ToString::to_string), to.to_string());
        let mut known = self.known.remove(&step).unwrap_or_default();
        for &(dependent, number) in &self.distribution(sibling).named_by {
            let manifest = &self.distribution(dependent).manifest;
            let declared = &manifest.requirements[number];
            let specifiers = declared.specifiers();
            let kept = manifest.config.keep.contains(&declared.requirement.name);
            if kept || specifiers.is_empty() || declared.requirement.url.is_some() {
                continue;
            }
            let ranges = self.request.ranges;
            let outcome = known.entry((specifiers, declared.dialect)).or_insert_with_key(
                |(specifiers, dialect)| {
                    range::follow(specifiers, *dialect, from.as_ref(), &to, ranges)
                },
            );
            match outcome {
                Ok(outcome) => self.moves(sibling, dependent, number, outcome),
                Err(refusal) => self.stays(dependent, declared, refusal, &to),
            }
        }
        self.known.insert(step, known);
    }

    /// Why nothing but its own name should touch a distribution, where it was not named.
    fn excluded(&self, dependent: DistributionId) -> Option<&'a str> {
        let excluded = self.distribution(dependent).manifest.excluded.as_deref();
        excluded.filter(|_| !self.request.targets.contains(&dependent))
    }

    /// A range that no rule makes admit the new version.
    fn stays(
        &mut self,
        dependent: DistributionId,
        declared: &DeclaredRequirement,
        refusal: &range::RangeRefusal,
        new: &Version,
    ) {
        if let range::RangeRefusal::Unreadable(Unreadable::Template(_)) = refusal {
            let text = format!("`{}` is filled in by something else and stays", declared.shown());
            self.note(&declared.file, declared.line, dependent, text);
        } else if self.excluded(dependent).is_none() {
            self.refuse_range(declared, refusal, new);
        }
    }

    /// A range that can follow.
    fn moves(
        &mut self,
        sibling: DistributionId,
        dependent: DistributionId,
        number: usize,
        outcome: &RangeOutcome,
    ) {
        if outcome.replacements.is_empty() && !outcome.stale {
            return;
        }
        let declared = &self.distribution(dependent).manifest.requirements[number];
        let (file, line) = (&declared.file, declared.line);
        if let Some(why) = self.excluded(dependent) {
            let text = format!("`{}` is left as it is: {why}", declared.shown());
            return self.note(file, line, dependent, text);
        }
        if outcome.stale {
            let stays = outcome.replacements.is_empty() || self.has_twin(dependent, declared);
            let from = self.planned[sibling].as_ref().and_then(|planned| planned.from.as_ref());
            let old = from.map(ToString::to_string).unwrap_or_default();
            let end = if stays { " and stays" } else { "" };
            let text = format!("`{}` excluded {old} already{end}", declared.shown());
            self.note(file, line, dependent, text);
            if stays {
                return;
            }
        }
        self.moved(sibling, dependent, number, outcome);
    }

    /// Whether the same table names the same sibling again, for another environment: then a range
    /// that excludes what is current does so on purpose.
    fn has_twin(&self, dependent: DistributionId, declared: &DeclaredRequirement) -> bool {
        let conditional =
            declared.requirement.marker.is_some() || declared.dialect == Dialect::Poetry;
        let requirements = &self.distribution(dependent).manifest.requirements;
        let alternative = |other: &DeclaredRequirement| {
            other.table == declared.table
                && other.requirement.name == declared.requirement.name
                && (other.file == declared.file && other.span != declared.span)
        };
        conditional && requirements.iter().any(alternative)
    }

    fn refuse_range(
        &mut self,
        declared: &DeclaredRequirement,
        refusal: &range::RangeRefusal,
        new: &Version,
    ) {
        let name = &declared.requirement.name;
        let message = format!("cannot rewrite `{}` for {name} {new}", declared.shown());
        self.refusals.push(
            Finding::error(Rule::Range, format!("{message}\n  {refusal}"))
                .at(&declared.file, declared.line)
                .hint(format!(
                    "write the range by hand, or add `keep = [\"{name}\"]` to [tool.xtask]"
                )),
        );
    }

    fn moved(
        &mut self,
        sibling: DistributionId,
        dependent: DistributionId,
        number: usize,
        outcome: &RangeOutcome,
    ) {
        let declared = &self.distribution(dependent).manifest.requirements[number];
        let Some(span) = &declared.specifier_span else {
            let text = format!("`{}` is not written as it is read, and stays", declared.shown());
            self.note(&declared.file, declared.line, dependent, text);
            return;
        };
        let package = self.distribution(dependent).name().as_str().to_owned();
        let specifiers = declared.specifiers();
        for replacement in &outcome.replacements {
            let inside = &specifiers[..replacement.span.start];
            self.plan.edits.push(Edit {
                file: declared.file.clone(),
                span: span.start + replacement.span.start..span.start + replacement.span.end,
                // A range seldom goes over several lines, but TOML and Python let it.
                line: declared.line + line_of(inside, inside.len()) - 1,
                kind: EditKind::Requirement,
                package: package.clone(),
                before: specifiers[replacement.span.clone()].to_owned(),
                after: replacement.text.clone(),
            });
        }
        let specifiers = range::apply(specifiers, &outcome.replacements);
        self.plan.moves.push(RangeMove { id: dependent, requirement: number, specifiers });
        if declared.is_published() && self.request.cascade {
            self.cascade(sibling, dependent);
        }
    }

    fn cascade(&mut self, sibling: DistributionId, dependent: DistributionId) {
        match &mut self.planned[dependent] {
            Some(Planned { cause: Cause::Ranges { on, .. }, .. }) => {
                if !on.contains(&sibling) {
                    on.push(sibling);
                }
            }
            Some(_) => {}
            None => self.cascade_version(sibling, dependent),
        }
    }

    fn cascade_version(&mut self, sibling: DistributionId, dependent: DistributionId) {
        let group = self.with_group(dependent);
        let place = &self.distribution(dependent).manifest.version;
        let (file, line) = place.place();
        let from = group.iter().filter_map(|id| self.current(*id)).max();
        let next = match (place, from) {
            (DeclaredVersion::Unknown { reason, .. }, _) => Err(reason.clone()),
            (_, None) => Err("its versions come from tags, and no tag names one".to_owned()),
            (_, Some(from)) => step::cascade(from).map_err(|refusal| refusal.to_string()),
        };
        match next {
            Ok((step, to)) => {
                let cause = Cause::Ranges { step, on: vec![sibling] };
                self.assign(dependent, &group, to, cause);
            }
            Err(reason) => {
                let name = self.distribution(sibling).name();
                let text = format!("its range on {name} moved, but it is not bumped: {reason}");
                self.note(file, line, dependent, text);
            }
        }
    }

    fn into_plan(mut self) -> BumpPlan {
        let bumps = self.planned.enumerate().filter_map(|(id, planned)| {
            let planned = planned.as_ref()?;
            Some(Bump {
                id,
                package: self.distribution(id).name().as_str().to_owned(),
                from: planned.from.clone(),
                to: planned.to.clone(),
                reason: self.reason(&planned.cause),
                cascaded: matches!(planned.cause, Cause::Ranges { .. }),
            })
        });
        self.plan.bumps = bumps.collect();
        self.plan
    }

    fn reason(&self, cause: &Cause) -> String {
        let name = |id: &DistributionId| self.distribution(*id).name().as_str().to_owned();
        match cause {
            Cause::Asked(Change::Step(step)) => format!("{}, asked for", step.word()),
            Cause::Asked(_) => "asked for".to_owned(),
            Cause::Commits { step, count, tag } => {
                let commits =
                    if *count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
                format!("{}, because of {commits} since {tag}", step.word())
            }
            Cause::Ranges { step, on } => {
                let names: Vec<String> = on.iter().map(name).collect();
                let ranges = if names.len() == 1 { "range" } else { "ranges" };
                format!("{}, because its {ranges} on {} moved", step.word(), list(&names))
            }
            Cause::Group(id) => format!("shares its version with {}", name(id)),
        }
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
