//! Says why a release stopped, what it leaves behind, and what to type next.

use super::*;

impl Run<'_> {
    /// What a failure leaves, in words.
    pub(super) fn interruption(&self, failure: &Failure) -> Interruption {
        let (mut published, mut unpublished) = (Vec::new(), Vec::new());
        for id in self.states.ids() {
            match self.publish_state_before_or_now(id) {
                PublishState::Yes => published.push(self.label(id)),
                PublishState::Partial => {
                    published.push(format!("{} (not all of its files)", self.label(id)))
                }
                PublishState::Perhaps => {
                    published.push(format!("{} (uploaded, not confirmed)", self.label(id)))
                }
                PublishState::No => unpublished.push(self.label(id)),
            }
        }
        let name = failure.package.map(|id| self.distribution(id).name().to_string());
        let who = failure.package.map(|id| format!(" at {}", self.label(id))).unwrap_or_default();
        let (what, hint) = explain(
            failure,
            name.as_deref().unwrap_or("PACKAGE"),
            self.release.target.git_target.real,
        );
        let why: String =
            format!("{:#}", failure.error).lines().map(|line| format!("\n  {line}")).collect();
        Interruption {
            message: format!("release stopped{who}: {what}{why}"),
            published,
            unpublished,
            hint,
        }
    }

    /// An earlier run may have published it.
    pub(super) fn publish_state_before_or_now(&self, id: PackageId) -> PublishState {
        let (package, name) = (self.package(id), self.distribution(id).name());
        let listed =
            self.release.served.index.get(&package.distribution).map_or(&[][..], Vec::as_slice);
        let now = self.state(id).publish_state;
        if now != PublishState::No
            || files_of(listed, &name.in_file_name(), &package.version).is_empty()
        {
            return now;
        }
        let partial = lacks(listed, &name.in_file_name(), &package.version).is_some();
        if partial { PublishState::Partial } else { PublishState::Yes }
    }
}

/// What failed, and what to type next, in a sentence each.
fn explain(failure: &Failure, name: &str, real: bool) -> (String, String) {
    let again = "run the same command again; what is done is skipped";
    let reply = failure.error.downcast_ref::<UploadFailed>().map(|failed| failed.reply);
    let advice = failure.error.downcast_ref::<Refusal>();
    let advice = advice.and_then(|refusal| {
        let mut hints: Vec<&str> = Vec::new();
        for hint in refusal.0.iter().filter_map(|finding| finding.hint.as_deref()) {
            if !hints.contains(&hint) {
                hints.push(hint);
            }
        }
        (!hints.is_empty()).then(|| hints.join("; "))
    });
    let (what, hint) = match (failure.stage, reply) {
        (_, Some(Reply::Taken)) => (
            "a file name is taken there for ever, with other bytes",
            format!(
                "cargo xtask bump {name} gives it new names, or --restage stages it as a post-release; then {again}"
            ),
        ),
        (_, Some(Reply::NotAllowed)) => {
            ("the credentials are not accepted", format!("mend the token and {again}"))
        }
        (_, Some(Reply::TooManyProjects)) => (
            "the account has registered as many new projects as the index takes in a day",
            format!("tomorrow, {again}"),
        ),
        (_, Some(Reply::Busy)) => {
            ("the index takes no more uploads for now", format!("wait a while, then {again}"))
        }
        (_, Some(Reply::Refused)) => {
            ("the index refuses the file", format!("mend it, cargo xtask bump {name}, and {again}"))
        }
        (_, Some(Reply::Unclear)) => {
            ("the index did not take the upload, or did not say so", again.to_owned())
        }
        ("build", _) => ("its build failed", format!("mend it, commit, and {again}")),
        ("check", _) => {
            let advice = advice.unwrap_or_else(|| "mend it, commit".to_owned());
            ("what was built is not fit to be uploaded", format!("{advice}; then {again}"))
        }
        ("smoke", _) if real => (
            "its smoke test failed",
            format!(
                "mend it, then cargo xtask bump {name}, or --restage: staging has these names now; {again}"
            ),
        ),
        ("try" | "smoke", _) => ("its smoke test failed", format!("mend it, commit, and {again}")),
        ("tag", _) => {
            ("it is published, and its tag could not be set", format!("mend it and {again}"))
        }
        _ => ("it did not get through", again.to_owned()),
    };
    (what.to_owned(), hint)
}
