//! The change of a version (PEP 440) as it is typed, and the version that it leads to.
//!
//! PEP 440 itself defines no arithmetic, so the rules are here. Must not know where a version is
//! written, nor why it changes.

use std::fmt;
use std::str::FromStr;

use formats::conventional_commits::CommitKind;
use formats::pep440::{PreRelease, PreReleaseKind, Version};

use crate::text::words::by_word;

by_word! {
    /// The named steps from one version to a later one.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Step {
        Major = "major",
        Minor = "minor",
        Patch = "patch",
        Alpha = "alpha",
        Beta = "beta",
        Rc = "rc",
        Final = "final",
        Post = "post",
        Dev = "dev",
    }
}

/// The requested change of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Step(Step),
    /// To this very version.
    To(Version),
    /// The step that the commits since the last tag call for.
    Auto,
}

/// The word for [`Change::Auto`].
const AUTO: &str = "auto";

impl Change {
    /// Every word that is a change; a version is one, too.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Step::ALL.into_iter().map(Step::word).chain([AUTO])
    }
}

impl FromStr for Change {
    type Err = NotAChange;

    /// Reads CHANGE as typed: a word of [`Change::words`], or a version in any PEP 440 spelling.
    fn from_str(typed: &str) -> Result<Self, NotAChange> {
        if typed == AUTO {
            return Ok(Change::Auto);
        }
        let step = typed.parse().map(Change::Step);
        step.or_else(|_| typed.parse().map(Change::To)).map_err(|_| NotAChange(typed.to_owned()))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Step(step) => step.fmt(out),
            Change::To(version) => version.fmt(out),
            Change::Auto => out.pad(AUTO),
        }
    }
}

/// A text that is neither a step nor a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAChange(pub String);

impl fmt::Display for NotAChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = Change::words().map(|word| format!("`{word}`")).collect();
        write!(out, "`{}` is not a change: expected {} or a version", self.0, words.join(", "))
    }
}

impl std::error::Error for NotAChange {}

/// Why a change of a version is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepRefusal {
    /// The result would not sort above the version it starts from (PEP 440, "Summary of permitted
    /// suffixes and relative ordering").
    NotUpwards { from: Box<Version>, to: Box<Version> },
    /// `final` of a version that is final already.
    AlreadyFinal { from: Box<Version> },
    /// `post` of a development release, which has nothing released to follow.
    NothingReleased { from: Box<Version> },
    /// A local version (`1.0+abc`): no index takes one.
    Local { version: Box<Version> },
    /// A number would leave 64 bits.
    TooLarge { from: Box<Version> },
    /// `auto` has to be resolved from the commits first.
    Unresolved,
    /// A tag names it already.
    Taken { version: Box<Version>, tag: String },
}

impl StepRefusal {
    /// The advice after `hint:`.
    pub(crate) fn hint(&self) -> String {
        match self {
            StepRefusal::NotUpwards { from, .. } | StepRefusal::AlreadyFinal { from } => {
                match apply(from, Step::Patch) {
                    Ok(next) => format!("use `patch` for {next}, or a version above {from}"),
                    Err(_) => format!("use a version above {from}"),
                }
            }
            StepRefusal::NothingReleased { .. } => "use `final` first, then `post`".to_owned(),
            StepRefusal::Local { version } => {
                format!("use a version without the local part, such as {}", public(version))
            }
            StepRefusal::TooLarge { .. } => "use the version itself".to_owned(),
            StepRefusal::Unresolved => "use a step or a version".to_owned(),
            StepRefusal::Taken { version, .. } => match over(version, Step::Patch, true) {
                Ok(next) => format!("use a version that is free, such as {next}"),
                Err(_) => "use a version that is free".to_owned(),
            },
        }
    }
}

impl fmt::Display for StepRefusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepRefusal::NotUpwards { from, to } if from == to => {
                write!(out, "it is already at {to}; an index never accepts a version twice")
            }
            StepRefusal::NotUpwards { from, to } => {
                write!(out, "{to} sorts below {from} (PEP 440); versions can only increase")
            }
            StepRefusal::AlreadyFinal { from } => write!(out, "{from} is already final"),
            StepRefusal::NothingReleased { from } => {
                write!(
                    out,
                    "{from} is a development release; only a release can have a post-release"
                )
            }
            StepRefusal::Local { version } => {
                write!(out, "{version} is a local version (PEP 440), which indexes do not accept")
            }
            StepRefusal::TooLarge { from } => {
                write!(out, "a number in {from} is too large to increment")
            }
            StepRefusal::Taken { version, tag } => {
                write!(out, "{version} is tagged already (`{tag}`)")
            }
            StepRefusal::Unresolved => out.write_str("`auto` needs the commits since the last tag"),
        }
    }
}

impl std::error::Error for StepRefusal {}

/// The version that `change` makes of `from`.
///
/// The epoch and the number of release segments are kept; a segment is only added where the step
/// names one that is not there (`patch` of `1.0` is `1.0.1`). A version that was typed is taken as
/// it is, in canonical form. The result always sorts above `from`.
pub fn change(from: &Version, change: &Change) -> Result<Version, StepRefusal> {
    match change {
        Change::Auto => Err(StepRefusal::Unresolved),
        Change::Step(step) => apply(from, *step),
        Change::To(to) if to.is_local() => {
            Err(StepRefusal::Local { version: Box::new(to.clone()) })
        }
        // No index has a local version, so the number that follows it need not be above it.
        Change::To(to) if from.is_local() => Ok(to.clone()),
        Change::To(to) => upwards(from, to.clone()),
    }
}

/// The version one step after `from`; see [`change`].
pub fn apply(from: &Version, step: Step) -> Result<Version, StepRefusal> {
    if from.is_local() {
        return Err(StepRefusal::Local { version: Box::new(from.clone()) });
    }
    let to = match step {
        Step::Major => release_step(from, 0)?,
        Step::Minor => release_step(from, 1)?,
        Step::Patch => release_step(from, 2)?,
        Step::Alpha => pre_step(from, PreReleaseKind::Alpha)?,
        Step::Beta => pre_step(from, PreReleaseKind::Beta)?,
        Step::Rc => pre_step(from, PreReleaseKind::Rc)?,
        Step::Final => final_step(from)?,
        Step::Post => post_step(from)?,
        Step::Dev => dev_step(from)?,
    };
    upwards(from, to)
}

/// The pre-release of the version that `level` leads to; the next one where that is under way already.
pub fn pre_release(
    from: &Version,
    level: Step,
    kind: PreReleaseKind,
) -> Result<Version, StepRefusal> {
    let last = apply(from, level)?;
    if before_final(from) && release_of(from) == last {
        return upwards(from, pre_step(from, kind)?);
    }
    upwards(from, last.with_pre(Some(PreRelease { kind, number: 1 })))
}

/// The final that a version leads to, or itself.
pub(crate) fn final_of(version: &Version) -> Version {
    if before_final(version) { release_of(version) } else { version.clone() }
}

/// The version after one that is taken, by `step`; after a pre-release comes the next one of it, or,
/// where its final is taken too, the first one of the next final.
pub(crate) fn over(taken: &Version, step: Step, is_final: bool) -> Result<Version, StepRefusal> {
    if !is_final {
        return cascade(taken, taken).map(|(_, version)| version);
    }
    let next = match step {
        Step::Major | Step::Minor | Step::Post => apply(&final_of(taken), step)?,
        _ => apply(&final_of(taken), Step::Patch)?,
    };
    if !before_final(taken) {
        return Ok(next);
    }
    Ok(next.with_pre(taken.pre().map(|pre| PreRelease { number: 1, ..pre })))
}

/// The version of a dependent of which only ranges changed: the next patch, but a pre-release or a
/// development release is counted on, because the final that it leads to was not requested. Where
/// the sibling that it now requires is a pre-release, it becomes one too: pip would give a final to
/// users without the pre-release that it requires.
pub fn cascade(from: &Version, sibling: &Version) -> Result<(Step, Version), StepRefusal> {
    let like = if before_final(from) { from } else { sibling };
    let step = match like.pre() {
        _ if like.is_dev() => Step::Dev,
        Some(PreRelease { kind: PreReleaseKind::Alpha, .. }) => Step::Alpha,
        Some(PreRelease { kind: PreReleaseKind::Beta, .. }) => Step::Beta,
        Some(PreRelease { kind: PreReleaseKind::Rc, .. }) => Step::Rc,
        None => Step::Patch,
    };
    Ok((step, apply(from, step)?))
}

/// The step that commits call for by their kinds; `None` without commits. Below 1.0 a breaking change is a minor one (semver 2.0.0, item 4).
pub(crate) fn called_for(
    commits: impl IntoIterator<Item = CommitKind>,
    from: &Version,
) -> Option<Step> {
    let step = match commits.into_iter().max()? {
        CommitKind::Breaking if from.epoch() == 0 && from.release().first() == Some(&0) => {
            Step::Minor
        }
        CommitKind::Breaking => Step::Major,
        CommitKind::Feature => Step::Minor,
        CommitKind::Performance | CommitKind::Fix => Step::Patch,
    };
    Some(step)
}

fn upwards(from: &Version, to: Version) -> Result<Version, StepRefusal> {
    if to > *from {
        Ok(to)
    } else {
        Err(StepRefusal::NotUpwards { from: Box::new(from.clone()), to: Box::new(to) })
    }
}

/// The version without its local part.
fn public(version: &Version) -> Version {
    version.clone().without_local()
}

/// Epoch and release segments alone.
fn release_of(version: &Version) -> Version {
    Version::new(version.release().iter().copied()).with_epoch(version.epoch())
}

fn count_on(number: u64, from: &Version) -> Result<u64, StepRefusal> {
    number.checked_add(1).ok_or_else(|| StepRefusal::TooLarge { from: Box::new(from.clone()) })
}

/// Whether `from` comes before its own final: `1.3.0rc1`, `1.3.0.dev2`, but not `1.3.0.post1.dev1`.
fn before_final(from: &Version) -> bool {
    from.is_pre() || (from.is_dev() && !from.is_post())
}

/// Counts segment `index` on and zeroes what follows, or takes the final that a pre-release leads
/// to where that final is the requested step: `minor` of `1.3.0rc1` is `1.3.0`, of `1.3.1rc1` `1.4.0`.
fn release_step(from: &Version, index: usize) -> Result<Version, StepRefusal> {
    let mut release = from.release().to_vec();
    let rest_is_zero = release.iter().skip(index + 1).all(|segment| *segment == 0);
    if before_final(from) && rest_is_zero {
        return Ok(release_of(from));
    }
    if release.len() <= index {
        release.resize(index + 1, 0);
    }
    release[index] = count_on(release[index], from)?;
    release[index + 1..].fill(0);
    Ok(Version::new(release).with_epoch(from.epoch()))
}

/// The first pre-release of the next patch, or the next one of the release that is under way.
fn pre_step(from: &Version, kind: PreReleaseKind) -> Result<Version, StepRefusal> {
    let first = Some(PreRelease { kind, number: 1 });
    if !before_final(from) {
        return Ok(release_step(from, 2)?.with_pre(first));
    }
    let number = match from.pre() {
        Some(pre) if pre.kind == kind => {
            // `1.0a2.dev1` leads to `1.0a2`; everything else of the same kind is counted on.
            let leads_here = from.is_dev() && !from.is_post();
            if leads_here { pre.number } else { count_on(pre.number, from)? }
        }
        _ => 1,
    };
    Ok(release_of(from).with_pre(Some(PreRelease { kind, number })))
}

fn final_step(from: &Version) -> Result<Version, StepRefusal> {
    if !from.is_pre() && !from.is_dev() {
        return Err(StepRefusal::AlreadyFinal { from: Box::new(from.clone()) });
    }
    let post = if from.is_pre() { None } else { from.post() };
    Ok(release_of(from).with_post(post))
}

fn post_step(from: &Version) -> Result<Version, StepRefusal> {
    let number = match from.post() {
        Some(number) if from.is_dev() => number,
        Some(number) => count_on(number, from)?,
        None if from.is_dev() => {
            return Err(StepRefusal::NothingReleased { from: Box::new(from.clone()) });
        }
        None => 1,
    };
    Ok(release_of(from).with_pre(from.pre()).with_post(Some(number)))
}

/// The first development release of what comes next, or the next one of what is under way.
fn dev_step(from: &Version) -> Result<Version, StepRefusal> {
    if let Some(number) = from.dev() {
        return Ok(from.clone().with_dev(Some(count_on(number, from)?)));
    }
    let next = match (from.pre(), from.post()) {
        (_, Some(number)) => from.clone().with_post(Some(count_on(number, from)?)),
        (Some(pre), None) => {
            let number = count_on(pre.number, from)?;
            from.clone().with_pre(Some(PreRelease { kind: pre.kind, number }))
        }
        (None, None) => release_step(from, 2)?,
    };
    Ok(next.with_dev(Some(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, typed: &str, expected: &str) {
        let from: Version = from.parse().unwrap();
        let typed: Change = typed.parse().unwrap();
        match change(&from, &typed) {
            Ok(to) => assert_eq!(to.to_string(), expected),
            Err(refusal) => assert_eq!(format!("{refusal}\nhint: {}", refusal.hint()), expected),
        }
    }

    #[test]
    fn release_segments_are_counted_and_kept() {
        check("1.2.3", "major", "2.0.0");
        check("1.2.3", "minor", "1.3.0");
        check("1.2.3", "patch", "1.2.4");
        check("1.2.3.4", "major", "2.0.0.0");
        check("1.2.3.4", "patch", "1.2.4.0");
        check("1.0", "minor", "1.1");
        check("1.0", "major", "2.0");
        check("1.0", "patch", "1.0.1");
        check("7", "major", "8");
        check("7", "minor", "7.1");
        check("1!2.3.4", "minor", "1!2.4.0");
        check("0.4.2", "minor", "0.5.0");
        check("2024.01.15", "patch", "2024.1.16");
        check("1.2.3.post1", "patch", "1.2.4");
        check("v1.2.3", "patch", "1.2.4");
        check("18446744073709551614.0", "major", "18446744073709551615.0");
    }

    #[test]
    fn a_pre_release_leads_to_the_requested_final() {
        check("1.3.0rc1", "minor", "1.3.0");
        check("1.3.0rc1", "patch", "1.3.0");
        check("1.3.0rc1", "major", "2.0.0");
        check("1.3.1rc1", "patch", "1.3.1");
        check("1.3.1rc1", "minor", "1.4.0");
        check("2.0.0a1", "major", "2.0.0");
        check("2.0b1", "patch", "2.0");
        check("1.3.0.dev4", "minor", "1.3.0");
        check("1.3.0.post1.dev4", "patch", "1.3.1");
        check("1.2.3.4rc1", "patch", "1.2.4.0");
    }

    #[test]
    fn pre_releases_start_and_count_on() {
        check("1.2.3", "alpha", "1.2.4a1");
        check("1.2.3", "rc", "1.2.4rc1");
        check("1.2.4a1", "alpha", "1.2.4a2");
        check("1.2.4a1", "beta", "1.2.4b1");
        check("1.2.4b3", "rc", "1.2.4rc1");
        check("1.2.4.dev3", "alpha", "1.2.4a1");
        check("1.2.4a1.dev3", "alpha", "1.2.4a1");
        check("1.2.4a1.post2", "alpha", "1.2.4a2");
        check("1.2.4a1.post2.dev1", "alpha", "1.2.4a2");
        check("1.2.3.post1", "beta", "1.2.4b1");
        check("1.0.0-alpha.1", "alpha", "1.0.0a2");
        check("1.0c1", "rc", "1.0rc2");
        check("1.0.0_preview_3", "rc", "1.0.0rc4");
    }

    #[test]
    fn final_post_and_dev() {
        check("1.2.4rc2", "final", "1.2.4");
        check("1.2.4.dev1", "final", "1.2.4");
        check("1.2.4a1.post1.dev1", "final", "1.2.4");
        check("1.2.4.post1.dev1", "final", "1.2.4.post1");
        check("1.2.3", "post", "1.2.3.post1");
        check("1.2.3.post1", "post", "1.2.3.post2");
        check("1.2.3-1", "post", "1.2.3.post2");
        check("1.2.3.post2.dev1", "post", "1.2.3.post2");
        check("1.2.3rc1", "post", "1.2.3rc1.post1");
        check("1.2.3", "dev", "1.2.4.dev1");
        check("1.2.4.dev1", "dev", "1.2.4.dev2");
        check("1.2.4a1", "dev", "1.2.4a2.dev1");
        check("1.2.3.post1", "dev", "1.2.3.post2.dev1");
        check("1.0", "dev", "1.0.1.dev1");
    }

    #[test]
    fn a_version_is_taken_as_typed() {
        check("1.2.3", "2.0", "2.0");
        check("1.2.3", "v1.3.0-RC.1", "1.3.0rc1");
        check("2024.1", "1!1.0", "1!1.0");
    }

    #[test]
    fn refusals_say_the_rule_and_what_to_type() {
        check(
            "1.2.3",
            "1.2",
            "1.2 sorts below 1.2.3 (PEP 440); versions can only increase\n\
             hint: use `patch` for 1.2.4, or a version above 1.2.3",
        );
        check(
            "1.2.3",
            "1.2.3.0",
            "it is already at 1.2.3.0; an index never accepts a version twice\n\
             hint: use `patch` for 1.2.4, or a version above 1.2.3",
        );
        check(
            "1.2.4rc1",
            "beta",
            "1.2.4b1 sorts below 1.2.4rc1 (PEP 440); versions can only increase\n\
             hint: use `patch` for 1.2.4, or a version above 1.2.4rc1",
        );
        check(
            "1.2.3",
            "final",
            "1.2.3 is already final\n\
             hint: use `patch` for 1.2.4, or a version above 1.2.3",
        );
        check(
            "1.2.3.dev1",
            "post",
            "1.2.3.dev1 is a development release; only a release can have a post-release\n\
             hint: use `final` first, then `post`",
        );
        check(
            "1.2.3",
            "1.3.0+abc",
            "1.3.0+abc is a local version (PEP 440), which indexes do not accept\n\
             hint: use a version without the local part, such as 1.3.0",
        );
        check(
            "1.2.3+abc",
            "patch",
            "1.2.3+abc is a local version (PEP 440), which indexes do not accept\n\
             hint: use a version without the local part, such as 1.2.3",
        );
        check(
            "18446744073709551615",
            "major",
            "a number in 18446744073709551615 is too large to increment\n\
             hint: use the version itself",
        );
    }

    #[test]
    fn a_word_that_is_not_a_change_is_refused() {
        assert_eq!(
            "majr".parse::<Change>().unwrap_err().to_string(),
            "`majr` is not a change: expected `major`, `minor`, `patch`, `alpha`, `beta`, `rc`, \
             `final`, `post`, `dev`, `auto` or a version"
        );
    }

    #[test]
    fn a_cascade_never_finishes_a_pre_release() {
        for (from, to) in [
            ("1.5.0", "1.5.1"),
            ("1.5.0rc1", "1.5.0rc2"),
            ("1.5.0a1", "1.5.0a2"),
            ("0.63b0.dev0", "0.63b0.dev1"),
            ("1.5.0.post1", "1.5.1"),
        ] {
            let sibling = Version::new([2, 0]);
            assert_eq!(cascade(&from.parse().unwrap(), &sibling).unwrap().1.to_string(), to);
        }
    }

    #[test]
    fn a_cascade_from_a_pre_release_makes_one() {
        for (from, sibling, to) in [
            ("1.5.0", "2.0.0rc1", "1.5.1rc1"),
            ("1.5.0", "2.0.0a3", "1.5.1a1"),
            ("1.5.0", "2.0.0.dev1", "1.5.1.dev1"),
            ("1.5.0rc1", "2.0.0b1", "1.5.0rc2"),
        ] {
            let (_, made) = cascade(&from.parse().unwrap(), &sibling.parse().unwrap()).unwrap();
            assert_eq!(made.to_string(), to);
        }
    }

    #[test]
    fn a_level_may_lead_to_a_pre_release() {
        for (from, level, to) in [
            ("1.2.0", Step::Minor, "1.3.0rc1"),
            ("1.3.0rc1", Step::Minor, "1.3.0rc2"),
            ("1.3.0rc1", Step::Patch, "1.3.0rc2"),
            ("1.3.0rc1", Step::Major, "2.0.0rc1"),
            ("1.2.1rc1", Step::Minor, "1.3.0rc1"),
            ("1.3.0b2", Step::Minor, "1.3.0rc1"),
            ("1.3.0.dev0", Step::Minor, "1.3.0rc1"),
        ] {
            let made = pre_release(&from.parse().unwrap(), level, PreReleaseKind::Rc).unwrap();
            assert_eq!(made.to_string(), to, "{from}");
        }
    }

    #[test]
    fn the_weightiest_commit_decides() {
        let decided = |from: &str, kinds: &[CommitKind]| {
            called_for(kinds.iter().copied(), &from.parse().unwrap())
        };
        assert_eq!(decided("1.2.0", &[CommitKind::Fix, CommitKind::Feature]), Some(Step::Minor));
        assert_eq!(decided("1.2.0", &[CommitKind::Performance]), Some(Step::Patch));
        assert_eq!(decided("1.2.0", &[CommitKind::Breaking, CommitKind::Fix]), Some(Step::Major));
        assert_eq!(decided("0.2.0", &[CommitKind::Breaking]), Some(Step::Minor));
        assert_eq!(decided("0.2.0", &[CommitKind::Feature]), Some(Step::Minor));
        assert_eq!(decided("1!0.2.0", &[CommitKind::Breaking]), Some(Step::Major));
        assert_eq!(decided("1.2.0", &[]), None);
    }
}
