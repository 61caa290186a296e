//! Changes a set of files, all or none: new contents first, a record of them, then renames. A run
//! that is killed between two renames is finished by the next one (`journal.rs`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use anyhow::{Context, Result, anyhow, bail};
use domain::parallel;
use domain::text::edit::Write;
use xshell::{Shell, cmd};

use crate::effects::fs::journal::{CommitRequest, Entry, Pending};
use crate::effects::fs::staged::{Staged, discard};
use crate::effects::paths::digest;
use crate::effects::process::shell;

/// Files that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) writes: Vec<Write>,
    /// Paths and texts of files that do not exist yet.
    pub(crate) new: Vec<(String, String)>,
    /// Paths of files that are removed, and the texts that they have.
    pub(crate) gone: Vec<(String, String)>,
}

impl Changes {
    /// Adds a file that is to have the text `after`; `before` is the one that it has now.
    pub(crate) fn put(&mut self, path: String, before: Option<Arc<str>>, after: String) {
        match before {
            Some(before) => self.writes.push(Write { path, before, after }),
            None => self.new.push((path, after)),
        }
    }

    fn each(&self) -> Vec<PendingWrite<'_>> {
        let new = self.new.iter();
        let new = new.map(|(path, text)| PendingWrite { path, before: None, after: Some(text) });
        let gone = self.gone.iter();
        let gone = gone.map(|(path, text)| PendingWrite { path, before: Some(text), after: None });
        rewritten(&self.writes).chain(new).chain(gone).collect()
    }
}

/// One file; `None` where it does not exist.
#[derive(Clone, Copy)]
struct PendingWrite<'a> {
    path: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl PendingWrite<'_> {
    fn entry(&self, staged: &Staged) -> Entry {
        let digest = |text: Option<&str>| text.map(|text| digest(text.as_bytes()));
        Entry {
            path: self.path.to_owned(),
            temporary: staged.temporary().to_owned(),
            before: digest(self.before),
            after: digest(self.after),
        }
    }
}

fn rewritten(writes: &[Write]) -> impl Iterator<Item = PendingWrite<'_>> {
    writes.iter().map(|write| PendingWrite {
        path: &write.path,
        before: Some(&write.before),
        after: Some(&write.after),
    })
}

/// Makes every change, or none: what was done is undone when a later one fails, and finished by the
/// next command when this process is killed.
///
/// # Errors
/// A file is not what the plan was made from any more, or cannot be written; nothing has changed
/// then.
pub(crate) fn change(root: &Path, changes: &Changes) -> Result<()> {
    change_with(root, &changes.each(), None, &|_| Ok(())).map(Made::end)
}

/// The same for files that exist and stay, with the commit that is to follow.
///
/// # Errors
/// As [`change`].
pub(crate) fn write_all<'a>(
    root: &Path,
    writes: &'a [Write],
    commit: Option<&CommitRequest>,
) -> Result<Made<'a>> {
    change_with(root, &rewritten(writes).collect::<Vec<_>>(), commit, &|_| Ok(()))
}

/// Changes that are made, and recorded as unfinished until they are ended.
pub(crate) struct Made<'a> {
    pending: Pending,
    staged: Vec<(Staged, PendingWrite<'a>)>,
}

impl Made<'_> {
    /// Ends the changes: they stay.
    pub(crate) fn end(self) {
        self.staged.iter().for_each(|(file, _)| file.finish());
        self.pending.end();
    }

    /// Undoes the changes.
    ///
    /// # Errors
    /// A file cannot be restored; it is named.
    pub(crate) fn undo(self) -> Result<()> {
        for (file, change) in &self.staged {
            file.take_back(change.before).with_context(|| not_restored(change.path))?;
        }
        discard(&self.staged.iter().map(|(file, _)| file).collect::<Vec<_>>());
        self.pending.end();
        Ok(())
    }
}

/// Undoes changes that were made and ended. A new file that someone has replaced since then stays.
///
/// # Errors
/// A file cannot be restored; it is named.
pub(crate) fn undo(root: &Path, changes: &Changes) -> Result<()> {
    for write in &changes.writes {
        fs::write(root.join(&write.path), &*write.before)
            .with_context(|| not_restored(&write.path))?;
    }
    for (path, text) in &changes.new {
        let path = root.join(path);
        if fs::read_to_string(&path).is_ok_and(|written| written == *text) {
            fs::remove_file(&path)
                .with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    for (path, text) in &changes.gone {
        fs::write(root.join(path), text).with_context(|| not_restored(path))?;
    }
    Ok(())
}

fn not_restored(path: &str) -> String {
    format!("cannot restore `{path}`; run `git checkout -- '{path}'`")
}

/// `before_each` is called before every operation on the file system, with its number, so that
/// tests can make any of them fail.
fn change_with<'a>(
    root: &Path,
    changes: &[PendingWrite<'a>],
    commit: Option<&CommitRequest>,
    before_each: &(dyn Fn(usize) -> io::Result<()> + Sync),
) -> Result<Made<'a>> {
    let count = AtomicUsize::new(0);
    let step = || before_each(count.fetch_add(1, Ordering::Relaxed) + 1);
    let pending = Pending::begin(root)?;
    let numbered: Vec<(usize, &PendingWrite)> = changes.iter().enumerate().collect();
    let staged = parallel::waiting(&numbered, |(number, change)| {
        stage(root, change, |target| pending.temporary(target, *number), &step)
    });
    if staged.iter().any(Result::is_err) {
        discard(&staged.iter().flatten().collect::<Vec<_>>());
        pending.end();
        return Err(staged
            .into_iter()
            .filter_map(Result::err)
            .next()
            .unwrap_or_else(|| anyhow!("")));
    }
    let staged: Vec<Staged> = staged.into_iter().flatten().collect();
    let entries: Vec<Entry> =
        staged.iter().zip(changes).map(|(file, change)| change.entry(file)).collect();
    let recorded =
        step().and_then(|()| sync(&staged)).and_then(|()| pending.record(&entries, commit));
    if let Err(error) = recorded {
        discard(&staged.iter().collect::<Vec<_>>());
        pending.end();
        return Err(error).context("cannot record the changes; nothing was written");
    }
    // Side by side, since a disk takes its time to replace a file.
    let results = parallel::waiting(&staged, |file| step().and_then(|()| file.carry_out()));
    let Some(failed) = results.iter().position(Result::is_err) else {
        let staged = staged.into_iter().zip(changes.iter().copied()).collect();
        return Ok(Made { pending, staged });
    };
    for ((file, change), result) in staged.iter().zip(changes).zip(&results) {
        if result.is_ok() {
            file.take_back(change.before).with_context(|| not_restored(change.path))?;
        }
    }
    discard(&staged.iter().collect::<Vec<_>>());
    pending.end();
    let message = format!("cannot replace `{}`; nothing was changed", changes[failed].path);
    results.into_iter().collect::<io::Result<()>>().context(message)?;
    unreachable!("one of the results is an error")
}

/// As many files as are worth asking the file system once instead of for each of them.
const MANY: usize = 100;

/// Waits until the new contents of all files are on the disk.
fn sync(staged: &[Staged]) -> io::Result<()> {
    if let [first, .., last] = staged
        && staged.len() > MANY
        && sync_file_systems(&[first.temporary(), last.temporary()])
    {
        return Ok(());
    }
    parallel::waiting(staged, Staged::sync).into_iter().collect()
}

/// Syncs the file systems that files are on, with `sync` of coreutils; whether that was possible.
/// For 5,000 files it takes a tenth of a second, where syncing each takes six.
fn sync_file_systems(files: &[&Path]) -> bool {
    let Ok(sh) = Shell::new() else { return false };
    shell::output(cmd!(sh, "sync --file-system {files...}")).is_ok_and(|output| output.success())
}

/// Prepares the change of a file that still is what the plan was made from.
fn stage(
    root: &Path,
    change: &PendingWrite,
    temporary: impl Fn(&Path) -> PathBuf,
    step: &(dyn Fn() -> io::Result<()> + Sync),
) -> Result<Staged> {
    let path = change.path;
    let target = root.join(path);
    match change.before {
        Some(before) => {
            let now = fs::read(&target).with_context(|| format!("cannot read `{path}`"))?;
            if now != before.as_bytes() {
                bail!("`{path}` has changed in the meantime; nothing was written");
            }
        }
        None if target.symlink_metadata().is_ok() => {
            bail!("`{path}` exists already; nothing was written");
        }
        None => {}
    }
    step()
        .and_then(|()| {
            let temporary = temporary(&target);
            Staged::new(target, temporary, change.after)
        })
        .with_context(|| format!("cannot write `{path}`; nothing was written"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::effects::fs::journal::Interrupted;

    fn repository() -> (PathBuf, Vec<Write>) {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("xtask-files-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join("d")).unwrap();
        let writes = ["a", "d/b", "c", "d/e"].map(|path| {
            fs::write(root.join(path), format!("{path} old")).unwrap();
            let before = format!("{path} old").into();
            Write { path: path.into(), before, after: format!("{path} new") }
        });
        (root, writes.to_vec())
    }

    fn tree(root: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = walkdir::WalkDir::new(root)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .filter(|entry| !entry.path().starts_with(root.join("target")))
            .map(|entry| {
                (entry.path().display().to_string(), fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    /// Four files rewritten, two made in folders that are not there, one removed.
    fn changes() -> (PathBuf, Changes) {
        let (root, writes) = repository();
        fs::write(root.join("d/gone"), "old").unwrap();
        let new = ["new/x/f", "new/g"].map(|path| (path.to_owned(), "new".to_owned()));
        let gone = vec![("d/gone".to_owned(), "old".to_owned())];
        (root, Changes { writes, new: new.to_vec(), gone })
    }

    #[test]
    fn a_fault_at_any_operation_leaves_all_or_nothing() {
        let (root, changes) = changes();
        let before = tree(&root);
        let each = changes.each();
        for fault in 1..=each.len() * 2 + 1 {
            let failed = change_with(&root, &each, None, &|step| {
                if step == fault { Err(io::Error::other("fault")) } else { Ok(()) }
            });
            assert!(failed.is_err());
            assert_eq!(tree(&root), before, "fault at {fault}");
            assert!(!root.join("new").exists(), "fault at {fault}");
        }
        change(&root, &changes).unwrap();
        assert!(tree(&root).iter().all(|(_, text)| text.ends_with("new")));
        assert_eq!(tree(&root).len(), before.len() + 1);
        undo(&root, &changes).unwrap();
        assert_eq!(tree(&root), before);
        fs::remove_dir_all(root).unwrap();
    }

    /// What is recorded. A process that another test is starting has a copy of the lock until it
    /// runs its program.
    fn recorded(root: &Path) -> Option<Interrupted> {
        let is_there = root.join("target/xtask/pending/journal.json").exists();
        for _ in 0..if is_there { 500 } else { 1 } {
            if let Some(found) = Interrupted::find(root).unwrap() {
                return Some(found);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        None
    }

    /// A panic leaves everything as a kill does.
    #[test]
    fn a_kill_at_any_operation_is_finished_by_the_next_command() {
        let (root, changes) = changes();
        let before = tree(&root);
        let each = changes.each();
        for kill in 1..=each.len() * 2 + 1 {
            let killed = std::panic::catch_unwind(|| {
                change_with(&root, &each, None, &|step| {
                    assert!(step != kill, "killed");
                    Ok(())
                })
                .map(drop)
            });
            assert!(killed.is_err());
            let recorded = recorded(&root);
            assert_eq!(recorded.is_some(), kill > each.len() + 1, "kill at {kill}");
            let begun = recorded.as_ref().is_some_and(|recorded| !recorded.has_not_begun());
            if let Some(recorded) = recorded {
                assert!(recorded.changed().is_empty());
                if begun {
                    recorded.finish_files(&root).unwrap();
                }
                recorded.end();
            }
            if begun {
                assert!(tree(&root).iter().all(|(_, text)| text.ends_with("new")));
                assert_eq!(tree(&root).len(), before.len() + 1);
                undo(&root, &changes).unwrap();
            }
            assert_eq!(tree(&root), before, "kill at {kill}");
            assert!(Interrupted::find(&root).unwrap().is_none());
            let _ = fs::remove_dir_all(root.join("new"));
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn what_someone_changed_after_a_kill_is_named() {
        let (root, writes) = repository();
        let each: Vec<PendingWrite> = rewritten(&writes).collect();
        drop(change_with(&root, &each, None, &|_| Ok(())).unwrap());
        fs::write(root.join("c"), "mine").unwrap();
        fs::write(root.join("a"), "a old").unwrap();
        let interrupted = recorded(&root).unwrap();
        assert_eq!((interrupted.changed(), interrupted.written()), (vec!["c"], (2, 4)));
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_new_file_does_not_replace_another() {
        let (root, changes) = changes();
        fs::create_dir(root.join("new")).unwrap();
        fs::write(root.join("new/g"), "mine").unwrap();
        let before = tree(&root);
        let said = change(&root, &changes).unwrap_err().to_string();
        assert_eq!(said, "`new/g` exists already; nothing was written");
        assert_eq!(tree(&root), before);
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_not_overwritten() {
        let (root, writes) = repository();
        fs::write(root.join("d/e"), "other").unwrap();
        let before = tree(&root);
        assert!(write_all(&root, &writes, None).is_err());
        assert_eq!(tree(&root), before);
        fs::remove_dir_all(root).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_stays() {
        use std::os::unix::fs::PermissionsExt;
        let (root, writes) = repository();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        write_all(&root, &writes, None).unwrap().end();
        assert_eq!(fs::metadata(root.join("a")).unwrap().permissions().mode() & 0o777, 0o755);
        fs::remove_dir_all(root).unwrap();
    }
}
