//! Uploads a package to the index. It cannot be undone.

use anyhow::Result;
use domain::ids::PackageId;
use domain::release::ledger::Event;
use domain::release::plan::Lookup;

use crate::effects::index::Index;
use crate::effects::process::interrupt;
use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::{PublishState, Run};
use crate::effects::release::upload::{Sent, usable};

impl Run<'_> {
    pub(super) fn publish(&self, id: PackageId) -> Result<StageOutcome> {
        let index = usable(&self.release.target.index)?;
        // An interruption may come while files are on their way.
        self.state(id).publish_state = PublishState::Unconfirmed;
        interrupt::stand(self.standing());
        let uploaded = match self.ensure_uploaded(&self.upload_set(id)?, index) {
            Ok(uploaded) => uploaded,
            Err(stopped) => {
                let publish_state = self.state_after_failure(id, index, stopped.sent);
                self.state(id).publish_state = publish_state;
                return Err(stopped.error);
            }
        };
        self.state(id).publish_state = PublishState::Published;
        interrupt::stand(self.standing());
        if uploaded.sent == Sent::Nothing {
            return Ok(StageOutcome::skipped("already there, same bytes"));
        }
        self.record(id, format!("{}{}", Event::PUBLISHED, index.repository))?;
        let name = self.release.target.shown(&index.repository);
        Ok(StageOutcome::done(format!("confirmed by {name}")))
    }

    /// Whether files of a package are on the index although publishing it failed.
    fn state_after_failure(&self, id: PackageId, index: &Index, sent: Sent) -> PublishState {
        if sent == Sent::Nothing {
            return PublishState::Unpublished;
        }
        let lookup = index.files_of(self.release.tools, self.distribution(id).name());
        let Ok(Lookup::Known(listed)) = lookup else { return PublishState::Unconfirmed };
        let built = self.artifacts(id);
        let arrived = built.iter().filter(|own| listed.iter().any(|file| file.name == own.name));
        match arrived.count() {
            count if count == built.len() => PublishState::Published,
            // The index has answered with a refusal: no file is still on its way.
            0 if sent == Sent::Refused => PublishState::Unpublished,
            0 => PublishState::Unconfirmed,
            _ => PublishState::Partial,
        }
    }
}
