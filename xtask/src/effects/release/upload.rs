//! Uploads files to an index: only those that it lacks, and never without knowing what it has.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::ids::PackageId;
use domain::release::plan::{Artifact, Lookup, ServedFile, Upload, to_upload};
use domain::release::upload_reply::UploadReply;
use formats::name::Name;

use crate::effects::index::twine::{self, FilesToSend, Repository, UploadFailed};
use crate::effects::index::{Index, OtherBytes};
use crate::effects::release::run::Run;

/// The number of attempts after which a failure that may pass counts as permanent.
const ATTEMPTS: u32 = 5;

/// The longest pause that an index may ask for. The user waits out a longer one, and runs the
/// command again.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// How long to look for a file that the index claims to have already.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// The files of one distribution that go to an index together.
pub(super) struct UploadSet<'a> {
    pub(super) name: &'a Name,
    pub(super) dir: PathBuf,
    pub(super) files: Vec<Artifact>,
}

/// Files that are on an index now.
pub(super) struct Uploaded {
    pub(super) sent: Sent,
    /// Everything that the index lists for the distribution.
    pub(super) listed: Vec<ServedFile>,
}

/// How much of an upload set was sent, as far as the replies tell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sent {
    Nothing,
    /// Files were sent, and the index refused one of them.
    Refused,
    /// Files that have arrived, or may have.
    Something,
}

/// Why files are not on an index, or not known to be.
pub(super) struct NotUploaded {
    pub(super) sent: Sent,
    pub(super) error: anyhow::Error,
    then: Then,
}

/// The step that a failed attempt calls for.
enum Then {
    Stop,
    /// Look for the file of an earlier attempt, which the index may not list yet.
    LookAgain,
    /// Try again, after this time at least.
    Retry(Duration),
}

impl From<UploadFailed> for NotUploaded {
    fn from(failed: UploadFailed) -> NotUploaded {
        let retry = Then::Retry(failed.retry_after.unwrap_or_default());
        let (sent, then) = match failed.reply {
            UploadReply::Unclear => (Sent::Something, retry),
            UploadReply::Busy => (Sent::Refused, retry),
            UploadReply::NameTaken => (Sent::Refused, Then::LookAgain),
            UploadReply::NotAllowed | UploadReply::TooManyProjects | UploadReply::Rejected => {
                (Sent::Refused, Then::Stop)
            }
        };
        NotUploaded { sent, error: failed.into(), then }
    }
}

/// An attempt that did not fail.
enum Attempt {
    /// The index already had every file; everything that it lists.
    NothingToSend(Vec<ServedFile>),
    Sent,
}

impl Run<'_> {
    pub(super) fn upload_set(&self, id: PackageId) -> Result<UploadSet<'_>> {
        let name = self.distribution(id).name();
        Ok(UploadSet { name, dir: self.dir(id), files: self.ledger(id)?.files })
    }

    /// Sends the files that an index lacks, then waits until it lists them all.
    ///
    /// # Errors
    /// The index has other contents under a name, refuses a file, or fails at every attempt.
    pub(super) fn ensure_uploaded(
        &self,
        set: &UploadSet,
        index: &Index,
    ) -> Result<Uploaded, NotUploaded> {
        let patience = Duration::from_secs(self.release.workspace.config.patience);
        let mut sent = Sent::Nothing;
        let mut attempt = 1;
        loop {
            let mut failed = match self.attempt(set, index) {
                Ok(Attempt::NothingToSend(listed)) if sent == Sent::Nothing => {
                    return Ok(Uploaded { sent, listed });
                }
                Ok(Attempt::NothingToSend(_) | Attempt::Sent) => {
                    return self.confirm(set, index, patience);
                }
                Err(failed) => failed,
            };
            sent = sent.max(failed.sent);
            failed.sent = sent;
            let wanted = match failed.then {
                Then::Stop => return Err(failed),
                Then::LookAgain => {
                    return self.confirm(set, index, SECOND_LOOK.min(patience)).or(Err(failed));
                }
                Then::Retry(wanted) => wanted,
            };
            let pause = wanted.max(Duration::from_secs(1 << (attempt - 1)));
            if attempt == ATTEMPTS || pause > LONGEST_PAUSE {
                return Err(failed);
            }
            self.show_retry(&failed.error, pause);
            sleep(pause);
            attempt += 1;
        }
    }

    /// Asks an index which files it has, and sends those that it lacks. It is asked at every
    /// attempt, because the last one may have arrived after all.
    fn attempt(&self, set: &UploadSet, index: &Index) -> Result<Attempt, NotUploaded> {
        let failed = |then, error| NotUploaded { sent: Sent::Nothing, error, then };
        let name = &index.repository;
        let lookup = index.files_of(self.release.tools, set.name);
        let listed = match lookup.map_err(|error| failed(Then::Stop, error))? {
            Lookup::Known(listed) => listed,
            Lookup::Unknown(why) => {
                let error = anyhow!("could not query `{name}`: {why}");
                return Err(failed(Then::Retry(Duration::ZERO), error));
            }
        };
        match to_upload(&set.files, &listed) {
            Upload::Nothing => Ok(Attempt::NothingToSend(listed)),
            Upload::Conflict(files) => {
                Err(failed(Then::Stop, OtherBytes::new(name, &files).into()))
            }
            Upload::Send(missing) => {
                // Code of others has run since the release began.
                let intact = self.release.tools.refuse_changed();
                let files = intact
                    .and_then(|()| FilesToSend::copy(&set.dir, &missing))
                    .map_err(|error| failed(Then::Stop, error))?;
                self.upload(index, &files)?;
                Ok(Attempt::Sent)
            }
        }
    }

    /// Waits until an index lists files that were sent.
    fn confirm(
        &self,
        set: &UploadSet,
        index: &Index,
        patience: Duration,
    ) -> Result<Uploaded, NotUploaded> {
        let sent = Sent::Something;
        match index.confirm(self.release.tools, set.name, &set.files, patience) {
            Ok(listed) => Ok(Uploaded { sent, listed }),
            Err(error) => Err(NotUploaded { sent, error, then: Then::Stop }),
        }
    }

    fn upload(&self, index: &Index, files: &FilesToSend) -> Result<(), UploadFailed> {
        let config = self.release.target.twine_config.as_deref();
        let limit = Duration::from_secs(self.release.workspace.config.upload_limit);
        twine::upload(self.release.tools, &self.twines, &index.repository, config, files, limit)
    }

    fn show_retry(&self, error: &anyhow::Error, pause: Duration) {
        let error = error.to_string();
        let first_line = error.lines().next().unwrap_or_default().trim_end_matches(':');
        let seconds = pause.as_secs();
        self.release.progress.say(&format!("  {first_line}; retrying in {seconds} s"));
    }
}

/// The index of a repository.
///
/// # Errors
/// twine cannot use it.
pub(super) fn usable(repository: &Repository) -> Result<&Index> {
    let index = repository.index.as_ref();
    index.map_err(|why| anyhow!("twine cannot use `{}`: {why}", repository.name))
}
