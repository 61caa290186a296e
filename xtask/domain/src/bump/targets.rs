//! The requested part of a bump: the targets, and the version that the change makes of each.

use formats::pep440::Version;

use crate::bump::causes::Cause;
use crate::bump::planner::Planner;
use crate::bump::step::{self, Change, Step, StepRefusal};
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::version_source::DeclaredVersion;
use crate::text::words::{first_few, plural};

/// Why a distribution cannot be counted on from a tag.
pub(crate) const NO_TAG: &str = "its versions come from tags, and no tag names one";

impl Planner<'_> {
    /// Gives the requested distributions their versions.
    pub(crate) fn bump_targets(&mut self) {
        let everything = self.request.targets.is_empty();
        let targets = if everything {
            let all = self.planned.ids();
            all.filter(|id| self.distribution(*id).manifest.excluded.is_none()).collect()
        } else {
            self.request.targets.clone()
        };
        let mut untagged = Vec::new();
        for &id in &targets {
            if self.planned[id].is_none() {
                untagged.extend(self.bump_target(id, everything).err());
            }
        }
        self.note_untagged(&untagged);
        self.note_left_final();
        if self.request.change == Change::Auto {
            self.note_unread(&targets);
        }
    }

    /// Commits that touch a distribution and say nothing that is read: once for all of them, because
    /// nobody would look for what is not counted.
    fn note_unread(&mut self, targets: &[DistributionId]) {
        let unread = targets.iter().flat_map(|&id| {
            let since = self.facts.history.get(id).map(|history| &history.since);
            since
                .into_iter()
                .flat_map(move |since| since.unread.iter().map(move |title| (id, title)))
        });
        let mut titles: Vec<String> = Vec::new();
        let mut first = None;
        for (id, title) in unread {
            let title = format!("`{title}`");
            if !titles.contains(&title) {
                titles.push(title);
            }
            first = first.or(Some(id));
        }
        let Some(id) = first else { return };
        let text = format!(
            "{} since the last tag could not be read and count for nothing: {}; `cargo xtask bump {} patch` names the change",
            plural(titles.len(), "commit"),
            titles.iter().take(3).cloned().collect::<Vec<_>>().join(", "),
            self.distribution(id).name()
        );
        let (file, line) = self.distribution(id).manifest.version.location();
        self.note(id, file, line, text);
    }

    /// Bumps one target. A version that cannot be rewritten is refused where the distribution is
    /// named, and noted where it is one of all.
    ///
    /// # Errors
    /// There is nothing to count from; the distribution.
    fn bump_target(&mut self, id: DistributionId, everything: bool) -> Result<(), DistributionId> {
        let group = self.group(id);
        if self.request.change == Change::Auto && !self.is_tagged(&group) {
            return Err(id);
        }
        let (change, cause, step) = match &self.request.change {
            Change::Auto => match self.change_by_commits(&group) {
                Some((to, step, cause)) => (Change::To(to), cause, Some(step)),
                None => return Ok(()),
            },
            change @ Change::Step(step) => {
                (change.clone(), Cause::Requested(change.clone()), Some(*step))
            }
            change => (change.clone(), Cause::Requested(change.clone()), None),
        };
        let version = &self.distribution(id).manifest.version;
        let (file, line) = version.location();
        if let DeclaredVersion::Unknown { reason, .. } = version {
            let hint = self.distribution(id).manifest.version_hint;
            if everything {
                self.note(id, file, line, format!("not bumped: {reason}; {hint}"));
            } else {
                self.refuse_version(id, reason, hint);
            }
            return Ok(());
        }
        if everything && self.highest(&group).is_none() && !matches!(change, Change::To(_)) {
            return Err(id);
        }
        let next = self.next(&group, &change);
        let next = next.and_then(|to| self.free(id, &group, to, step));
        match next {
            Ok(to) => self.assign(id, &group, &to, cause),
            Err(StepRefusal::AlreadyFinal { .. }) if everything => self.left_final.push(id),
            Err(StepRefusal::Unresolved) => {
                let name = self.distribution(id).name();
                let hint = format!(
                    "`cargo xtask bump {name} 1.0.0` names the version; `git fetch --tags` fetches tags"
                );
                self.refuse_version(id, NO_TAG, &hint);
            }
            Err(refusal) => self.refuse_version(id, &refusal.to_string(), &refusal.hint()),
        }
        Ok(())
    }

    /// `to`, or the next version of its step that no tag of the group names.
    ///
    /// # Errors
    /// It was typed, and a tag names it.
    pub(crate) fn free(
        &mut self,
        id: DistributionId,
        group: &[DistributionId],
        to: Version,
        step: Option<Step>,
    ) -> Result<Version, StepRefusal> {
        let tag_of = |version: &Version| {
            let mut taken = group.iter().flat_map(|id| &self.distribution(*id).taken);
            taken.find(|(taken, _)| taken == version).map(|(_, tag)| tag)
        };
        let mut free = to;
        let mut over = Vec::new();
        while let Some(tag) = tag_of(&free).or_else(|| tag_of(&step::final_of(&free))) {
            let Some(step) = step else {
                return Err(StepRefusal::Taken { version: Box::new(free), tag: tag.clone() });
            };
            over.push(format!("`{tag}`"));
            free = step::over(&free, step, tag_of(&step::final_of(&free)).is_some())?;
        }
        if !over.is_empty() {
            let text = format!(
                "{free}, because {} is tagged elsewhere",
                first_few(&over).replace("``", "`")
            );
            let (file, line) = self.distribution(id).manifest.version.location();
            self.note(id, file, line, text);
        }
        Ok(free)
    }

    /// `all final` finishes those that are pre-releases, and names the rest.
    fn note_left_final(&mut self) {
        let Some(&first) = self.left_final.first() else { return };
        let names: Vec<String> =
            self.left_final.iter().map(|id| self.distribution(*id).name().to_string()).collect();
        let text = format!("final already, and left: {}", first_few(&names));
        let (file, line) = self.distribution(first).manifest.version.location();
        self.note(first, file, line, text);
    }

    fn is_tagged(&self, group: &[DistributionId]) -> bool {
        group.iter().any(|id| self.facts.history.get(*id).is_some_and(|h| h.last.is_some()))
    }

    /// `auto` counts from a tag. Without one it says so, because silence would read as "nothing
    /// has changed"; once for all of them.
    fn note_untagged(&mut self, untagged: &[DistributionId]) {
        let Some(&first) = untagged.first() else { return };
        let names: Vec<String> =
            untagged.iter().map(|id| self.distribution(*id).name().to_string()).collect();
        // Where the version is made from a tag, no file holds one to count from either.
        let first_of_all = untagged.iter().find(|id| self.current(**id).is_none());
        let (what, change) = match first_of_all {
            Some(id) => ("version", format!("{} 1.0.0", self.distribution(*id).name())),
            None if untagged.len() == 1 => ("change", format!("{} minor", names[0])),
            None => ("change", "all minor".to_owned()),
        };
        let text = format!(
            "no tag names a release of {} yet, so `{}` cannot count; name the {what}: `cargo xtask bump {change}`",
            first_few(&names),
            self.request.change
        );
        let (file, line) = self.distribution(first).manifest.version.location();
        self.note(first, file, line, text);
    }

    fn refuse_version(&mut self, id: DistributionId, reason: &str, hint: &str) {
        let distribution = self.distribution(id);
        let (file, line) = distribution.manifest.version.location();
        let message = format!("cannot bump `{}`: {reason}", distribution.name());
        self.refusals.push(Finding::error(Rule::Version, message).at(file, line).hint(hint));
    }

    /// The version that the commits of a group call for, counted from the last tag: an untagged
    /// version in the repository may be that one already.
    /// After a pre-release comes the next one: the final is somebody's decision.
    fn change_by_commits(&self, group: &[DistributionId]) -> Option<(Version, Step, Cause)> {
        let histories: Vec<_> = group.iter().filter_map(|id| self.facts.history.get(*id)).collect();
        let (last, tag) = histories.iter().filter_map(|history| history.last.clone()).max()?;
        let steps = histories.iter().filter_map(|history| {
            step::called_for(history.since.asks.iter().map(|ask| ask.kind), &last)
        });
        // `Step`'s order is major, minor, patch: the least is the weightiest.
        let step = steps.min()?;
        let pre = self.request.pre.or(last.pre().map(|pre| pre.kind));
        let wanted = match pre {
            Some(kind) => step::pre_release(&last, step, kind).ok()?,
            None => step::apply(&last, step).ok()?,
        };
        let wanted = match self.highest_public(group) {
            // `1.3.0.dev0` in the file says what comes after `1.2.0`.
            Some(current) if *current >= wanted && current.is_dev() => {
                step::apply(current, Step::Final).ok()?
            }
            Some(current) if *current >= wanted => return None,
            _ => wanted,
        };
        let count = histories.iter().map(|history| history.since.count).sum();
        Some((wanted, step, Cause::Commits { step, count, tag }))
    }

    /// The version after the highest one of a group.
    ///
    /// # Errors
    /// No version, or none above the current one.
    fn next(&self, group: &[DistributionId], change: &Change) -> Result<Version, StepRefusal> {
        let from = self.highest_public(group).or_else(|| self.highest(group));
        match (from, change, self.request.pre) {
            (Some(from), Change::Step(level), Some(kind)) => step::pre_release(from, *level, kind),
            (Some(from), change, _) => step::change(from, change),
            (None, Change::To(to), _) if to.is_local() => {
                Err(StepRefusal::Local { version: Box::new(to.clone()) })
            }
            (None, Change::To(to), _) => Ok(to.clone()),
            (None, Change::Step(_) | Change::Auto, _) => Err(StepRefusal::Unresolved),
        }
    }
}
