//! Tags the commit that was built, and pushes the tag.

use anyhow::Result;
use domain::ids::PackageId;
use domain::release::ledger::Event;
use domain::release::preflight::short;

use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::Run;

impl Run<'_> {
    pub(super) fn tag(&self, id: PackageId) -> Result<StageOutcome> {
        let target = self.release.target;
        let tag = &self.package(id).tag;
        let remote = &target.git_target.remote;
        let commit = self.ledger(id)?.commit;
        self.git().tag(tag, &commit, &self.label(id))?;
        self.git().push_tag(remote, tag)?;
        self.record(id, format!("{}{tag}", Event::TAGGED))?;
        let remote = target.shown(remote);
        Ok(StageOutcome::done(format!("{tag} on {}, pushed to {remote}", short(&commit))))
    }
}
