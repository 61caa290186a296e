//! Says why a release stopped, what it leaves behind, and what to type next.

use domain::finding::Refusal;
use domain::release::stage::Stage;
use domain::release::upload_reply::UploadReply;

use crate::effects::index::OtherBytes;
use crate::effects::index::twine::UploadFailed;
use crate::effects::process::interrupt::Standing;
use crate::effects::release::outcome::Interruption;
use crate::effects::release::run::{Failure, PublishState, Run};

const AGAIN: &str = "run the same command again; finished stages are skipped";

impl Run<'_> {
    /// The published part of this release, by this run or an earlier one.
    pub(super) fn standing(&self) -> Standing {
        let mut published = Vec::new();
        let mut unpublished = Vec::new();
        for id in self.states.ids() {
            let label = self.release.target.shown(&self.label(id));
            match self.publish_state(id) {
                PublishState::Published => published.push(label),
                PublishState::Partial => published.push(format!("{label} (not all of its files)")),
                PublishState::Unconfirmed => {
                    published.push(format!("{label} (uploaded, not confirmed)"))
                }
                PublishState::Unpublished => unpublished.push(self.label(id)),
            }
        }
        Standing { published, unpublished }
    }

    pub(super) fn interruption(&self, failure: &Failure) -> Interruption {
        let Standing { published, unpublished } = self.standing();
        let name = failure.package.map(|id| self.distribution(id).name().to_string());
        let name = name.as_deref().unwrap_or("NAME");
        let is_real = self.release.target.git_target.is_real;
        let Explanation { what, hint } = match failure.error.downcast_ref::<UploadFailed>() {
            Some(failed) => explain_reply(failed.reply, name),
            None if failure.error.is::<OtherBytes>() => explain_other_bytes(failure.stage, name),
            None => explain_stage(failure, name, is_real),
        };
        let kind = if is_real { "release" } else { "rehearsal" };
        let at = failure.package.map(|id| format!(" at {}", self.label(id))).unwrap_or_default();
        let mut message = format!("{kind} stopped{at}: {what}");
        for line in format!("{:#}", failure.error).lines() {
            message.push_str("\n  ");
            message.push_str(line);
        }
        Interruption { message, published, unpublished, hint }
    }
}

struct Explanation {
    what: &'static str,
    hint: String,
}

fn explain_reply(reply: UploadReply, name: &str) -> Explanation {
    let (what, hint) = match reply {
        UploadReply::NameTaken => (
            "a file name is already taken, and file names cannot be reused",
            format!(
                "run `cargo xtask bump {name}`, or pass `--restage` to stage it as a post-release; then {AGAIN}"
            ),
        ),
        UploadReply::NotAllowed => {
            ("the index rejected the credentials", format!("fix the token, then {AGAIN}"))
        }
        UploadReply::TooManyProjects => (
            "the account has registered as many new projects as the index allows in a day",
            format!("tomorrow, {AGAIN}"),
        ),
        UploadReply::Busy => {
            ("the index accepts no more uploads for now", format!("wait a while, then {AGAIN}"))
        }
        UploadReply::Rejected => (
            "the index rejected the file",
            format!("fix it, run `cargo xtask bump {name}`, then {AGAIN}"),
        ),
        UploadReply::Unclear => ("the upload failed, or was not confirmed", AGAIN.to_owned()),
    };
    Explanation { what, hint }
}

fn explain_other_bytes(stage: Stage, name: &str) -> Explanation {
    let hint = if stage == Stage::Publish {
        format!(
            "yank this version on the index if it was published by this release, then run `cargo xtask bump {name} patch`; the same command again stops here"
        )
    } else {
        format!("run `cargo xtask bump {name} patch`, or pass `--restage` to stage a post-release")
    };
    Explanation { what: "the index serves other bytes than were built and tested", hint }
}

fn explain_stage(failure: &Failure, name: &str, is_real: bool) -> Explanation {
    let fix_and_commit = || format!("fix it, commit, then {AGAIN}");
    let (what, hint) = match failure.stage {
        Stage::Build => {
            let hint = hints_of(&failure.error).map(|hints| format!("{hints}; then {AGAIN}"));
            ("its build failed", hint.unwrap_or_else(fix_and_commit))
        }
        Stage::Check => {
            let hint = match hints_of(&failure.error) {
                Some(hints) => format!("{hints}; then {AGAIN}"),
                None => fix_and_commit(),
            };
            ("the built files failed their checks", hint)
        }
        Stage::Evidence => {
            let hint = hints_of(&failure.error).map(|hints| format!("{hints}; then {AGAIN}"));
            ("users would get what does not work", hint.unwrap_or_else(fix_and_commit))
        }
        Stage::Smoke if is_real => (
            "its smoke test failed",
            format!(
                "fix it, then run `cargo xtask bump {name}`, or pass `--restage`, because staging has these file names now; {AGAIN}"
            ),
        ),
        Stage::Try | Stage::Smoke => ("its smoke test failed", fix_and_commit()),
        Stage::Stage => ("it could not be staged", AGAIN.to_owned()),
        Stage::Publish => ("it could not be published", AGAIN.to_owned()),
        Stage::Tag => {
            ("it is published, but its tag could not be set", format!("fix that, then {AGAIN}"))
        }
    };
    Explanation { what, hint }
}

/// The hints of a refusal, each of them once.
fn hints_of(error: &anyhow::Error) -> Option<String> {
    let mut hints: Vec<&str> = Vec::new();
    for hint in error.downcast_ref::<Refusal>()?.0.iter().filter_map(|f| f.hint.as_deref()) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    (!hints.is_empty()).then(|| hints.join("; "))
}
