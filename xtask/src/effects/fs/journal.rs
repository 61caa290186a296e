//! The record of what a command is about to write, so that the next command finishes it when this
//! one is killed half-way.
//!
//! New contents are written and synced to a folder of ours first, then the record of all of them,
//! and only then are files replaced. Must not know what the files are for.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jzon::{JsonValue, object};

use crate::effects::paths::{digest, remove, scratch};

/// The folder of new contents and of the record, below our own folder in the repository.
const PENDING: &str = "target/xtask/pending";

const RECORD: &str = "journal.json";

/// One file that is about to change. Digests are SHA-256; `None` where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Relative to the root.
    pub(crate) path: String,
    /// Where the new contents wait; a file that is removed goes there.
    pub(crate) temporary: PathBuf,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// The commit that follows the writing, as part of one action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitRequest {
    pub(crate) message: String,
    pub(crate) paths: Vec<String>,
}

/// The right to write in a repository, and the folder for what is about to be written.
pub(crate) struct Pending {
    dir: PathBuf,
    _lock: File,
}

impl Pending {
    /// Waits for other writers of this repository to end, and starts with an empty folder.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(crate) fn begin(root: &Path) -> Result<Pending> {
        scratch(root)?;
        let dir = root.join(PENDING);
        let lock = File::create(lock_of(&dir)).context("cannot lock the files to be written")?;
        lock.lock().context("cannot lock the files to be written")?;
        remove(&dir)?;
        fs::create_dir(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
        Ok(Pending { dir, _lock: lock })
    }

    /// The file for the new contents of `target`: in our folder, or beside it where that is on
    /// another file system, which no rename crosses.
    pub(crate) fn temporary(&self, target: &Path, number: usize) -> PathBuf {
        if is_on_one_device(&self.dir, target) {
            return self.dir.join(number.to_string());
        }
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        target.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
    }

    /// Records what is about to happen, on the disk when this returns.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn record(
        &self,
        entries: &[Entry],
        commit: Option<&CommitRequest>,
    ) -> io::Result<()> {
        let partial = self.dir.join("journal.partial");
        let mut file = File::create(&partial)?;
        file.write_all(to_json(entries, commit).dump().as_bytes())?;
        file.sync_all()?;
        fs::rename(partial, self.dir.join(RECORD))?;
        sync_dir(&self.dir)
    }

    /// Forgets what was recorded: everything is done, or undone.
    pub(crate) fn end(self) {
        // Without the record, whatever stays of the folder is removed by the next writer.
        let _ = fs::remove_file(self.dir.join(RECORD));
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The work that a killed command left.
pub(crate) struct Interrupted {
    pending: Pending,
    /// The command as it was typed.
    pub(crate) request: Vec<String>,
    pub(crate) commit: Option<CommitRequest>,
    entries: Vec<(Entry, Progress)>,
}

/// How far one file has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Open,
    Done,
    /// Someone has changed it since.
    Changed,
}

impl Interrupted {
    /// The record of a repository whose writer is gone; `None` where there is none.
    ///
    /// # Errors
    /// The record cannot be read.
    pub(crate) fn find(root: &Path) -> Result<Option<Interrupted>> {
        let dir = root.join(PENDING);
        let Ok(text) = fs::read_to_string(dir.join(RECORD)) else { return Ok(None) };
        let lock = File::create(lock_of(&dir)).context("cannot lock the files to be written")?;
        match lock.try_lock() {
            Ok(()) => {}
            // It is at work: nothing is interrupted.
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let record = jzon::parse(&text)
            .with_context(|| format!("cannot read `{}`", dir.join(RECORD).display()))?;
        let entries = entries_of(&record);
        let entries = entries.into_iter().map(|entry| (progress(root, &entry), entry));
        let entries = entries.map(|(progress, entry)| (entry, progress)).collect();
        let pending = Pending { dir, _lock: lock };
        let request = strings(&record["request"]);
        Ok(Some(Interrupted { pending, request, commit: commit_of(&record), entries }))
    }

    /// Whether nothing was replaced, or everything has been put back since.
    pub(crate) fn has_not_begun(&self) -> bool {
        self.entries.iter().all(|(_, progress)| *progress == Progress::Open)
    }

    /// The files that someone has changed since.
    pub(crate) fn changed(&self) -> Vec<&str> {
        let changed = self.entries.iter().filter(|(_, progress)| *progress == Progress::Changed);
        changed.map(|(entry, _)| entry.path.as_str()).collect()
    }

    /// How many files are written, and how many there are.
    pub(crate) fn written(&self) -> (usize, usize) {
        let done = self.entries.iter().filter(|(_, progress)| *progress == Progress::Done).count();
        (done, self.entries.len())
    }

    /// Makes the changes that are left.
    ///
    /// # Errors
    /// A file cannot be replaced; running any command again tries again.
    pub(crate) fn finish_files(&self, root: &Path) -> Result<()> {
        let open = self.entries.iter().filter(|(_, progress)| *progress == Progress::Open);
        for (entry, _) in open {
            let target = root.join(&entry.path);
            let renamed = if entry.after.is_some() {
                target.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::rename(&entry.temporary, &target)
            } else {
                fs::rename(&target, &entry.temporary)
            };
            renamed.with_context(|| format!("cannot replace `{}`", entry.path))?;
        }
        Ok(())
    }

    /// Forgets what was recorded.
    pub(crate) fn end(self) {
        for (entry, _) in &self.entries {
            // Mostly in the folder, which goes as a whole.
            let _ = fs::remove_file(&entry.temporary);
        }
        self.pending.end();
    }
}

fn lock_of(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

fn progress(root: &Path, entry: &Entry) -> Progress {
    let now = match fs::read(root.join(&entry.path)) {
        Ok(bytes) => Some(digest(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(_) => return Progress::Changed,
    };
    if now == entry.after {
        Progress::Done
    } else if now == entry.before {
        Progress::Open
    } else {
        Progress::Changed
    }
}

fn to_json(entries: &[Entry], commit: Option<&CommitRequest>) -> JsonValue {
    let request: Vec<String> = std::env::args().skip(1).collect();
    let files = entries.iter().map(|entry| {
        object! {
            "path": entry.path.as_str(),
            "temporary": entry.temporary.to_string_lossy().as_ref(),
            "before": entry.before.as_deref(),
            "after": entry.after.as_deref(),
        }
    });
    let commit = commit.map_or(JsonValue::Null, |commit| {
        object! { "message": commit.message.as_str(), "paths": commit.paths.as_slice() }
    });
    object! { "request": request, "files": files.collect::<Vec<_>>(), "commit": commit }
}

fn entries_of(record: &JsonValue) -> Vec<Entry> {
    record["files"].members().filter_map(entry_of).collect()
}

fn entry_of(file: &JsonValue) -> Option<Entry> {
    let text = |key: &str| file[key].as_str().map(str::to_owned);
    Some(Entry {
        path: text("path")?,
        temporary: text("temporary")?.into(),
        before: text("before"),
        after: text("after"),
    })
}

fn commit_of(record: &JsonValue) -> Option<CommitRequest> {
    let commit = &record["commit"];
    let message = commit["message"].as_str()?.to_owned();
    Some(CommitRequest { message, paths: strings(&commit["paths"]) })
}

fn strings(list: &JsonValue) -> Vec<String> {
    list.members().filter_map(JsonValue::as_str).map(str::to_owned).collect()
}

/// A rename is on the disk only with its folder.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Windows syncs a rename by itself, and cannot open a folder as a file.
#[cfg(not(unix))]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_on_one_device(dir: &Path, target: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let existing = target.ancestors().skip(1).find_map(device);
    existing.is_some() && existing == device(dir)
}

#[cfg(not(unix))]
fn is_on_one_device(dir: &Path, target: &Path) -> bool {
    dir.components().next() == target.components().next()
}
