//! Uploads files to an index: only those that it lacks, and never without knowing what it has.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::ids::PackageId;
use domain::release::plan::{Artifact, Lookup, ServedFile, Upload, names_taken, to_upload};
use domain::release::upload_reply::UploadReply;
use formats::name::Name;

use crate::effects::index::Index;
use crate::effects::index::twine::{self, Repository, UploadFailed};
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
}

/// Why one attempt failed.
enum AttemptError {
    /// The index did not say which files it has.
    Unanswered {
        index: String,
        why: String,
    },
    /// The index has other contents under names of the set.
    NamesTaken {
        index: String,
        files: Vec<String>,
    },
    Upload(UploadFailed),
    /// The tools' environment does not answer.
    Tools(anyhow::Error),
}

impl AttemptError {
    /// The pause before the next attempt; `None` when there is to be none.
    fn pause(&self, attempt: u32) -> Option<Duration> {
        let wanted = match self {
            AttemptError::Unanswered { .. } => Duration::ZERO,
            AttemptError::Upload(failed) if failed.reply.may_pass() => {
                failed.retry_after.unwrap_or_default()
            }
            AttemptError::Upload(_) | AttemptError::NamesTaken { .. } | AttemptError::Tools(_) => {
                return None;
            }
        };
        let pause = Duration::from_secs(1 << (attempt - 1)).max(wanted);
        (attempt < ATTEMPTS && pause <= LONGEST_PAUSE).then_some(pause)
    }

    fn sent(&self) -> Sent {
        match self {
            AttemptError::Upload(failed) if failed.reply == UploadReply::Unclear => Sent::Something,
            AttemptError::Upload(_) => Sent::Refused,
            AttemptError::Unanswered { .. }
            | AttemptError::NamesTaken { .. }
            | AttemptError::Tools(_) => Sent::Nothing,
        }
    }

    fn is_name_taken_on_upload(&self) -> bool {
        matches!(self, AttemptError::Upload(failed) if failed.reply == UploadReply::NameTaken)
    }
}

impl From<AttemptError> for anyhow::Error {
    fn from(error: AttemptError) -> anyhow::Error {
        match error {
            AttemptError::Unanswered { index, why } => anyhow!("could not query `{index}`: {why}"),
            AttemptError::NamesTaken { index, files } => anyhow!(names_taken(&index, &files)),
            AttemptError::Upload(failed) => failed.into(),
            AttemptError::Tools(error) => error,
        }
    }
}

/// An attempt that did not fail.
enum Attempt {
    /// The index already had every file; what it lists.
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
        let (tools, patience) = (self.release.tools, self.patience());
        let mut sent = Sent::Nothing;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(set, index) {
                Ok(Attempt::NothingToSend(listed)) if sent == Sent::Nothing => {
                    return Ok(Uploaded { sent, listed });
                }
                Ok(Attempt::NothingToSend(_) | Attempt::Sent) => break,
                Err(error) => error,
            };
            sent = sent.max(error.sent());
            if error.is_name_taken_on_upload() {
                // It may be from an earlier attempt of ours that the index does not list yet.
                let confirmed =
                    index.confirm(tools, set.name, &set.files, SECOND_LOOK.min(patience));
                return match confirmed {
                    Ok(listed) => Ok(Uploaded { sent: Sent::Something, listed }),
                    Err(_) => Err(NotUploaded { sent, error: error.into() }),
                };
            }
            let pause = error.pause(attempt);
            let error = anyhow::Error::from(error);
            let Some(pause) = pause else { return Err(NotUploaded { sent, error }) };
            self.show_retry(&error, pause);
            sleep(pause);
            attempt += 1;
        }
        let sent = Sent::Something;
        match index.confirm(tools, set.name, &set.files, patience) {
            Ok(listed) => Ok(Uploaded { sent, listed }),
            Err(error) => Err(NotUploaded { sent, error }),
        }
    }

    /// Asks an index which files it has, and sends those that it lacks. It is asked at every
    /// attempt, because the last one may have arrived after all.
    fn attempt(&self, set: &UploadSet, index: &Index) -> Result<Attempt, AttemptError> {
        let lookup = index.files_of(self.release.tools, set.name).map_err(AttemptError::Tools)?;
        let name = index.repository.clone();
        let listed = match lookup {
            Lookup::Known(listed) => listed,
            Lookup::Unknown(why) => return Err(AttemptError::Unanswered { index: name, why }),
        };
        match to_upload(&set.files, &listed) {
            Upload::Nothing => Ok(Attempt::NothingToSend(listed)),
            Upload::Conflict(files) => Err(AttemptError::NamesTaken { index: name, files }),
            Upload::Send(missing) => match self.upload(set, index, &missing) {
                Ok(()) => Ok(Attempt::Sent),
                Err(failed) => Err(AttemptError::Upload(failed)),
            },
        }
    }

    fn upload(
        &self,
        set: &UploadSet,
        index: &Index,
        files: &[Artifact],
    ) -> Result<(), UploadFailed> {
        let paths: Vec<PathBuf> = files.iter().map(|file| set.dir.join(&file.name)).collect();
        let config = self.release.target.twine_config.as_deref();
        let limit = Duration::from_secs(self.release.workspace.config.upload_limit);
        twine::upload(self.release.tools, &self.twines, &index.repository, config, &paths, limit)
    }

    /// How long an index may take to list an uploaded file.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.release.workspace.config.patience)
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
