//! The part of a bump that nobody requested: ranges on a new version follow it, and distributions
//! whose published ranges change get a version of their own.

use formats::pep440::Version;
use formats::pep440::specifier::Unreadable;
use formats::splice::{self, Splice};

use crate::bump::causes::Cause;
use crate::bump::plan::RangeMove;
use crate::bump::planner::{Planned, Planner};
use crate::bump::range::{self, RangeOutcome, RangeRefusal};
use crate::bump::step;
use crate::bump::targets::NO_TAG;
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::manifest::version_source::DeclaredVersion;
use crate::policy::{DependentsPolicy, RangePolicy};
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::line_of;
use crate::text::words::plural;

/// A requirement on a sibling that has got a version.
#[derive(Clone, Copy)]
struct Dependency<'a> {
    sibling: DistributionId,
    dependent: DistributionId,
    /// The position in the requirements of the dependent.
    number: usize,
    declared: &'a DeclaredRequirement,
}

impl<'a> Planner<'a> {
    /// Moves every range on a sibling that has got a version.
    pub(crate) fn follow(&mut self, sibling: DistributionId) {
        let Some(Planned { from, to, .. }) = &self.planned[sibling] else { return };
        let from = from.clone();
        let to = to.clone();
        for &(dependent, number) in &self.distribution(sibling).named_by {
            let manifest = &self.distribution(dependent).manifest;
            let declared = &manifest.requirements[number];
            let specifiers = declared.specifiers();
            let kept = manifest.config.keep.contains(&declared.requirement.name);
            if kept || declared.requirement.url.is_some() {
                continue;
            }
            if specifiers.is_empty() {
                if declared.is_published() && dependent != sibling {
                    self.without_range.push((dependent, number));
                }
                continue;
            }
            let dependency = Dependency { sibling, dependent, number, declared };
            let build = declared.table == RequirementTable::Build;
            let policy = if build { RangePolicy::Fit } else { self.request.ranges };
            if !build
                && declared.is_published()
                && self.is_planned_final(dependent)
                && !to.is_final()
            {
                self.leave_pre_release(dependency, &to);
                continue;
            }
            match range::follow(specifiers, declared.dialect, from.as_ref(), &to, policy) {
                Ok(outcome) if build && outcome.replacements.is_empty() => {}
                Ok(_) if build => self.leave_build_requirement(dependency),
                Ok(outcome) => self.follow_range(dependency, (from.as_ref(), &to), &outcome),
                Err(refusal) => self.refuse_range(dependency, &refusal, &to),
            }
        }
    }

    fn is_planned_final(&self, id: DistributionId) -> bool {
        self.planned[id].as_ref().is_some_and(|planned| planned.to.is_final())
    }

    /// A range of a final stays, for its users install no pre-releases.
    fn leave_pre_release(&mut self, dependency: Dependency<'_>, to: &Version) {
        let Dependency { dependent, declared, .. } = dependency;
        let text = format!(
            "`{}` stays: {to} is a pre-release, and this release is final; `--pre` makes one of it",
            declared.shown()
        );
        self.note(dependent, &declared.file, declared.line, text);
    }

    /// A build requirement stays: anyone who builds the new version from its sdist needs a sibling
    /// that is published, and the new version of the sibling is not yet.
    fn leave_build_requirement(&mut self, dependency: Dependency<'_>) {
        let Dependency { dependent, declared, .. } = dependency;
        let text = format!(
            "`{}` stays: a build requires a version that is published already",
            declared.shown()
        );
        self.note(dependent, &declared.file, declared.line, text);
    }

    /// One note for all requirements on bumped siblings that have no range.
    pub(crate) fn note_missing_ranges(&mut self) {
        self.without_range.sort_unstable();
        let mut named = self.without_range.iter().filter(|(id, _)| self.excluded(*id).is_none());
        let Some(&(id, number)) = named.next() else { return };
        let more = named.count();
        let declared = &self.distribution(id).manifest.requirements[number];
        let shown = declared.shown();
        let sibling = self.facts.workspace.find(&declared.requirement.name);
        // `check --fix` knows the range only where the repository states the sibling's version.
        let is_known = sibling.is_some_and(|id| self.distribution(id).version().is_some());
        let way = if is_known { "; `cargo xtask check --fix` adds ranges" } else { "" };
        let shown = shown.trim_end();
        let text = match more {
            0 => format!("`{shown}` has no range and admits every version{way}"),
            more => format!(
                "`{shown}` and {} on siblings have no range and admit every version{way}",
                plural(more, "other requirement")
            ),
        };
        self.note(id, &declared.file, declared.line, text);
    }

    /// One note for all requirements that a build fills in.
    pub(crate) fn note_templates(&mut self) {
        self.templates.sort_unstable();
        self.templates.dedup();
        let Some(&(id, number)) = self.templates.first() else { return };
        let declared = &self.distribution(id).manifest.requirements[number];
        let shown = declared.shown();
        let text = match self.templates.len() - 1 {
            0 => format!("`{shown}` is a template and stays"),
            more => format!(
                "`{shown}` and {} on siblings are templates and stay",
                plural(more, "other requirement")
            ),
        };
        self.note(id, &declared.file, declared.line, text);
    }

    /// Why a distribution is excluded, unless it is a target itself.
    fn excluded(&self, dependent: DistributionId) -> Option<&'a str> {
        let excluded = self.distribution(dependent).manifest.excluded.as_deref();
        excluded.filter(|_| !self.request.targets.contains(&dependent))
    }

    /// A range that no rule makes admit the new version.
    fn refuse_range(&mut self, dependency: Dependency<'_>, refusal: &RangeRefusal, new: &Version) {
        let Dependency { dependent, declared, number, .. } = dependency;
        let file = &declared.file;
        let line = declared.line;
        if let RangeRefusal::Unreadable(Unreadable::Template(_)) = refusal {
            self.templates.push((dependent, number));
            return;
        }
        if self.excluded(dependent).is_some() {
            return;
        }
        let name = &declared.requirement.name;
        let message = format!("cannot rewrite `{}` for `{name}` {new}", declared.shown());
        self.refusals.push(
            Finding::error(Rule::Range, format!("{message}\n  {refusal}")).at(file, line).hint(
                format!("write the range by hand, or add `keep = [\"{name}\"]` to [tool.xtask]"),
            ),
        );
    }

    /// A range that follows, or stays as it is for a reason that is noted.
    fn follow_range(
        &mut self,
        dependency: Dependency<'_>,
        (from, to): (Option<&Version>, &Version),
        outcome: &RangeOutcome,
    ) {
        let Dependency { dependent, declared, .. } = dependency;
        if outcome.replacements.is_empty() && !outcome.stale {
            return;
        }
        let file = &declared.file;
        let line = declared.line;
        if let Some(why) = self.excluded(dependent) {
            let include = if self.distribution(dependent).manifest.is_private {
                ""
            } else {
                "; `private = false` in its [tool.xtask] includes it"
            };
            let text = format!("`{}` is left as it is: {why}{include}", declared.shown());
            return self.note(dependent, file, line, text);
        }
        if outcome.stale {
            let requirements = &self.distribution(dependent).manifest.requirements;
            let stays = outcome.replacements.is_empty()
                || declared.has_conditional_alternative(requirements);
            let shown = declared.shown();
            let text = match from {
                Some(old) if !stays => format!("`{shown}` already excluded {old}"),
                Some(old) if !outcome.replacements.is_empty() => {
                    format!("`{shown}` already excluded {old} and stays")
                }
                Some(_) | None => format!("`{shown}` excludes {to} and stays"),
            };
            self.note(dependent, file, line, text);
            if stays {
                return;
            }
        }
        self.rewrite(dependency, &outcome.replacements);
    }

    fn rewrite(&mut self, dependency: Dependency<'_>, replacements: &[Splice]) {
        let Dependency { sibling, dependent, number, declared } = dependency;
        let Some(span) = &declared.specifier_span else {
            let name = &declared.requirement.name;
            let message = format!("cannot rewrite `{}`", declared.shown());
            let hint =
                format!("write it without escapes, or add `keep = [\"{name}\"]` to [tool.xtask]");
            return self.refusals.push(
                Finding::error(Rule::Range, format!("{message}\n  its range contains escapes"))
                    .at(&declared.file, declared.line)
                    .hint(hint),
            );
        };
        let specifiers = declared.specifiers();
        for replacement in replacements {
            let inside = &specifiers[..replacement.span.start];
            self.plan.edits.push(Edit {
                file: declared.file.clone(),
                span: span.start + replacement.span.start..span.start + replacement.span.end,
                // A range seldom goes over several lines, but TOML and Python allow it.
                line: declared.line + line_of(inside, inside.len()) - 1,
                kind: EditKind::Requirement,
                package: self.distribution(dependent).name().to_string(),
                before: specifiers[replacement.span.clone()].to_owned(),
                after: replacement.text.clone(),
            });
        }
        let specifiers = splice::apply(specifiers, replacements);
        self.plan.moves.push(RangeMove { id: dependent, requirement: number, specifiers });
        if declared.is_published() {
            match self.request.dependents {
                DependentsPolicy::Patch => self.bump_dependent(dependent, sibling),
                DependentsPolicy::None => {}
            }
        }
    }

    /// Gives a version to a distribution whose range on `sibling` changed.
    fn bump_dependent(&mut self, dependent: DistributionId, sibling: DistributionId) {
        if let Some(planned) = &mut self.planned[dependent] {
            if let Cause::Ranges { on, .. } = &mut planned.cause
                && !on.contains(&sibling)
            {
                on.push(sibling);
            }
            return;
        }
        let group = self.group(dependent);
        let version = &self.distribution(dependent).manifest.version;
        let next = match (version, self.highest(&group)) {
            (DeclaredVersion::Unknown { reason, .. }, _) => Err(reason.clone()),
            (_, None) => Err(NO_TAG.to_owned()),
            (_, Some(from)) => {
                let to = self.planned[sibling].as_ref().map_or(from, |planned| &planned.to);
                step::cascade(from, to).map_err(|refusal| refusal.to_string())
            }
        };
        let next = next.and_then(|(step, to)| {
            let free = self.free(dependent, &group, to, Some(step));
            free.map(|to| (step, to)).map_err(|refusal| refusal.to_string())
        });
        match next {
            Ok((step, to)) => {
                let cause = Cause::Ranges { step, on: vec![sibling] };
                self.assign(dependent, &group, &to, cause);
            }
            Err(reason) => {
                let (file, line) = version.location();
                let name = self.distribution(sibling).name();
                let text = format!("its range on `{name}` changed, but it is not bumped: {reason}");
                self.note(dependent, file, line, text);
            }
        }
    }
}
