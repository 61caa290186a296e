//! The requested part of a bump: the targets, and the version that the change makes of each.

use formats::pep440::Version;

use crate::bump::causes::Cause;
use crate::bump::planner::Planner;
use crate::bump::step::{self, Change, StepRefusal};
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::version_source::DeclaredVersion;
use crate::text::words::first_few;

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
        for id in targets {
            if self.planned[id].is_none() {
                untagged.extend(self.bump_target(id, everything).err());
            }
        }
        self.note_untagged(&untagged);
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
        let (change, cause) = match &self.request.change {
            Change::Auto => match self.change_by_commits(&group) {
                Some(called_for) => called_for,
                None => return Ok(()),
            },
            change => (change.clone(), Cause::Requested(change.clone())),
        };
        let version = &self.distribution(id).manifest.version;
        let (file, line) = version.place();
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
        match self.next(&group, &change) {
            Ok(to) => self.assign(id, &group, &to, cause),
            Err((reason, hint)) => self.refuse_version(id, &reason, &hint),
        }
        Ok(())
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
        let (file, line) = self.distribution(first).manifest.version.place();
        self.note(first, file, line, text);
    }

    fn refuse_version(&mut self, id: DistributionId, reason: &str, hint: &str) {
        let distribution = self.distribution(id);
        let (file, line) = distribution.manifest.version.place();
        let message = format!("cannot bump `{}`: {reason}", distribution.name());
        self.refusals.push(Finding::error(Rule::Version, message).at(file, line).hint(hint));
    }

    /// The version that the commits of a group call for, counted from the last tag: an untagged
    /// version in the repository may be that one already.
    fn change_by_commits(&self, group: &[DistributionId]) -> Option<(Change, Cause)> {
        let histories: Vec<_> = group.iter().filter_map(|id| self.facts.history.get(*id)).collect();
        let (last, tag) = histories.iter().filter_map(|history| history.last.clone()).max()?;
        let steps = histories.iter().filter_map(|history| {
            step::called_for(history.commits.iter().map(|commit| commit.kind), &last)
        });
        // `Step`'s order is major, minor, patch: the least is the weightiest.
        let step = steps.min()?;
        let wanted = step::apply(&last, step).ok()?;
        if self.highest_public(group).is_some_and(|current| *current >= wanted) {
            return None;
        }
        let count = histories.iter().map(|history| history.commits.len()).sum();
        Some((Change::To(wanted), Cause::Commits { step, count, tag }))
    }

    /// The version after the highest one of a group.
    ///
    /// # Errors
    /// The reason and a hint.
    fn next(&self, group: &[DistributionId], change: &Change) -> Result<Version, (String, String)> {
        let from = self.highest_public(group).or_else(|| self.highest(group));
        let next = match (from, change) {
            (Some(from), change) => step::change(from, change),
            (None, Change::To(to)) if to.is_local() => {
                Err(StepRefusal::Local { version: Box::new(to.clone()) })
            }
            (None, Change::To(to)) => Ok(to.clone()),
            (None, Change::Step(_) | Change::Auto) => {
                let name = self.distribution(group[0]).name();
                let hint = format!(
                    "`cargo xtask bump {name} 1.0.0` names the version; `git fetch --tags` fetches tags"
                );
                return Err((NO_TAG.to_owned(), hint));
            }
        };
        next.map_err(|refusal| (refusal.to_string(), refusal.hint()))
    }
}
