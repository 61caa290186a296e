//! Sends files to an index: only what it lacks, and never without knowing what it has.

use std::thread::sleep;

use super::*;
use crate::effects::python;

/// How often a file is sent before a failure that may pass is taken for one that stays.
const TRIES: u32 = 5;

/// The longest pause that an index may ask for; who has to wait longer runs the command again.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How long to look for a file that the index says it has already.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// What was sent, as far as the replies tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Nothing,
    /// Some of it, and the index said no to the rest.
    Refused,
    /// Something that has arrived, or may have.
    Something,
}

/// The files of one distribution on their way to an index.
pub(super) struct UploadSet<'a> {
    pub(crate) name: &'a Name,
    pub(crate) dir: PathBuf,
    pub(crate) files: Vec<Artifact>,
}

impl Run<'_> {
    pub(super) fn upload_to_staging(&self, id: PackageId) -> Result<StageOutcome> {
        if self.is_published(id) {
            self.state(id).staged = self.files(id);
            return Ok(skipped("published already"));
        }
        let index = usable(&self.release.target.staging)?;
        let upload_set = match self.is_burnt(id) {
            true => self.restaged(id)?,
            false => self.upload_set(id)?,
        };
        let (sent, served) = self.ensure_uploaded(&upload_set, index, &mut Sent::Nothing)?;
        self.state(id).staged = self.fetch_back(&upload_set, &served)?;
        let version = self.staged_version(id);
        let detail = match (sent, version == self.package(id).version) {
            (false, _) => return Ok(skipped("there already, same bytes")),
            (true, true) => format!("served back by {}, same bytes", index.repository),
            (true, false) => {
                format!("served back by {} as {version}, same bytes", index.repository)
            }
        };
        self.record(id, format!("uploaded to {} as {version}", index.repository))?;
        Ok(done(detail))
    }

    pub(super) fn publish(&self, id: PackageId) -> Result<StageOutcome> {
        let index = usable(&self.release.target.index)?;
        let mut sent = Sent::Nothing;
        let uploaded = self.ensure_uploaded(&self.upload_set(id)?, index, &mut sent);
        let publish_state = match &uploaded {
            Ok(_) => PublishState::Yes,
            Err(_) => self.publish_state(id, index, sent),
        };
        self.state(id).publish_state = publish_state;
        let (sent, _) = uploaded?;
        if !sent {
            return Ok(skipped("there already, same bytes"));
        }
        self.record(id, format!("published to {}", index.repository))?;
        Ok(done(format!("confirmed by {}", index.repository)))
    }

    fn upload_set(&self, id: PackageId) -> Result<UploadSet<'_>> {
        let name = self.distribution(id).name();
        Ok(UploadSet { name, dir: self.dir(id), files: self.ledger(id)?.files })
    }

    /// Whether something of a package is on the index although publishing it failed.
    fn publish_state(&self, id: PackageId, index: &Index, sent: Sent) -> PublishState {
        let name = self.distribution(id).name();
        let built = self.ledger(id).map(|ledger| ledger.files).unwrap_or_default();
        let listed = index.files(self.release.tools, &[name]).map(|mut answers| answers.remove(0));
        let there = |files: &[ServedFile]| {
            built.iter().filter(|b| files.iter().any(|f| f.name == b.name)).count()
        };
        match listed {
            _ if sent == Sent::Nothing => PublishState::No,
            Ok(Lookup::Known(files)) if there(&files) == built.len() => PublishState::Yes,
            Ok(Lookup::Known(files)) if there(&files) > 0 => PublishState::Partial,
            // It answered, and it said no: nothing of it is under way.
            Ok(Lookup::Known(_)) if sent == Sent::Refused => PublishState::No,
            _ => PublishState::Perhaps,
        }
    }

    /// Sends what an index lacks, then waits until it shows all of it. Returns whether anything
    /// was sent, and what the index lists; `sent` says what was, also when it fails.
    fn ensure_uploaded(
        &self,
        upload_set: &UploadSet,
        index: &Index,
        sent: &mut Sent,
    ) -> Result<(bool, Vec<ServedFile>)> {
        let UploadSet { name, files: built, .. } = upload_set;
        let tools = self.release.tools;
        let patience = Duration::from_secs(self.release.workspace.config.patience);
        for attempt in 1.. {
            // Asked before every attempt: the last one may have arrived after all.
            let failure = match index.files(tools, &[name])?.remove(0) {
                Lookup::Unknown(why) => {
                    anyhow!("{} was asked what it has: {why}", index.repository)
                }
                Lookup::Known(files) => match to_upload(built, &files) {
                    Upload::Nothing if *sent > Sent::Nothing => break,
                    Upload::Nothing => return Ok((false, files)),
                    Upload::Conflict(files) => {
                        bail!("{} has other bytes under {}", index.repository, files.join(" and "))
                    }
                    Upload::Send(missing) => {
                        let Err(failed) = self.upload(upload_set, index, &missing) else {
                            *sent = Sent::Something;
                            break;
                        };
                        let unclear = failed.reply == Reply::Unclear;
                        *sent = (*sent).max(if unclear { Sent::Something } else { Sent::Refused });
                        match failed.reply {
                            Reply::Unclear | Reply::Busy => failed.into(),
                            // It may be ours, from an attempt that the listing does not show yet.
                            Reply::Taken => {
                                let soon = SECOND_LOOK.min(patience);
                                let seen = index.confirm(tools, name, built, soon);
                                return seen.map(|files| (true, files)).map_err(|_| failed.into());
                            }
                            _ => return Err(failed.into()),
                        }
                    }
                },
            };
            let asked = failure.downcast_ref::<UploadFailed>().and_then(|f| f.retry_after);
            let pause = Duration::from_secs(1 << (attempt - 1)).max(asked.unwrap_or_default());
            if attempt == TRIES || pause > LONGEST_PAUSE {
                return Err(failure);
            }
            let first = failure.to_string();
            let first = first.lines().next().unwrap_or_default().trim_end_matches(':');
            self.release.progress.say(&format!("  {first}; asking again in {} s", pause.as_secs()));
            sleep(pause);
        }
        let served = index.confirm(tools, name, built, patience)?;
        Ok((true, served))
    }

    fn upload(
        &self,
        upload_set: &UploadSet,
        index: &Index,
        files: &[Artifact],
    ) -> Result<(), UploadFailed> {
        let paths: Vec<PathBuf> =
            files.iter().map(|file| upload_set.dir.join(&file.name)).collect();
        let config = self.release.target.twine_config.as_deref();
        let limit = Duration::from_secs(self.release.workspace.config.upload_limit);
        let (tools, twines) = (self.release.tools, &self.twines);
        twine::upload(tools, twines, &index.repository, config, &paths, limit)
    }

    /// Downloads what an index serves under the names of a shipment and compares it byte for byte.
    fn fetch_back(&self, upload_set: &UploadSet, served: &[ServedFile]) -> Result<Vec<PathBuf>> {
        let dir = self
            .release
            .target
            .git_target
            .scratch
            .join("staged")
            .join(upload_set.name.in_file_name());
        remove(&dir)?;
        fs::create_dir_all(&dir)?;
        let ours = |file: &&ServedFile| upload_set.files.iter().any(|own| own.name == file.name);
        let wanted: Vec<ServedFile> = served.iter().filter(ours).cloned().collect();
        fetch(self.release.tools, &wanted, &dir)?;
        for file in &upload_set.files {
            if python::build::artifact(&dir.join(&file.name))? != *file {
                bail!("what the index serves as {} is not what was built", file.name);
            }
        }
        Ok(upload_set.files.iter().map(|file| dir.join(&file.name)).collect())
    }

    pub(super) fn tag(&self, id: PackageId) -> Result<StageOutcome> {
        let target = self.release.target;
        let (package, ledger) = (self.package(id), self.ledger(id)?);
        let message = format!("{} {}", self.distribution(id).name(), package.version);
        target.git_target.git.tag(&package.tag, &ledger.commit, &message)?;
        target.git_target.git.push_tag(&target.git_target.remote, &package.tag)?;
        self.record(id, format!("tagged {}", package.tag))?;
        Ok(done(format!(
            "{} on {}, pushed to {}",
            package.tag,
            short(&ledger.commit),
            target.git_target.remote
        )))
    }
}

fn usable(repository: &twine::Repository) -> Result<&Index> {
    repository.index.as_ref().map_err(|why| anyhow!("twine cannot use {}: {why}", repository.name))
}
