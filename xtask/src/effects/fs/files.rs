//! Changes a set of files, all or none: temporary files beside them, then renames.
//!
//! A crash between two renames is the one thing that cannot be undone; each takes microseconds.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use domain::parallel;
use domain::text::edit::Write;

use crate::effects::fs::staged::{Staged, discard};

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
    fn each(&self) -> Vec<PendingWrite<'_>> {
        let new = self.new.iter();
        let new = new.map(|(path, text)| PendingWrite { path, before: None, after: Some(text) });
        let gone = self.gone.iter();
        let gone = gone.map(|(path, text)| PendingWrite { path, before: Some(text), after: None });
        rewritten(&self.writes).chain(new).chain(gone).collect()
    }
}

/// One file; `None` where it does not exist.
struct PendingWrite<'a> {
    path: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

fn rewritten(writes: &[Write]) -> impl Iterator<Item = PendingWrite<'_>> {
    writes.iter().map(|write| PendingWrite {
        path: &write.path,
        before: Some(&write.before),
        after: Some(&write.after),
    })
}

/// Makes every change, or none: what was done is undone when a later one fails.
///
/// # Errors
/// A file is not what the plan was made from any more, or cannot be written; nothing has changed
/// then.
pub(crate) fn change(root: &Path, changes: &Changes) -> Result<()> {
    change_with(root, &changes.each(), &|_| Ok(()))
}

/// The same for files that exist and stay.
///
/// # Errors
/// As [`change`].
pub(crate) fn write_all(root: &Path, writes: &[Write]) -> Result<()> {
    change_with(root, &rewritten(writes).collect::<Vec<_>>(), &|_| Ok(()))
}

/// Undoes changes that were made. A new file that somebody has replaced since then stays.
///
/// # Errors
/// A file cannot be restored; it is named.
pub(crate) fn undo(root: &Path, changes: &Changes) -> Result<()> {
    put_back(root, &changes.writes)?;
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

/// Undoes writes that were made.
///
/// # Errors
/// A file cannot be restored; it is named.
pub(crate) fn put_back(root: &Path, writes: &[Write]) -> Result<()> {
    for write in writes {
        Staged::new(root.join(&write.path), Some(&write.before))
            .and_then(|file| file.carry_out())
            .with_context(|| not_restored(&write.path))?;
    }
    Ok(())
}

fn not_restored(path: &str) -> String {
    format!("cannot restore `{path}`; run `git checkout -- '{path}'`")
}

/// `before_each` is called before every operation on the file system, with its number, so that
/// tests can make any of them fail.
fn change_with(
    root: &Path,
    changes: &[PendingWrite],
    before_each: &(dyn Fn(usize) -> io::Result<()> + Sync),
) -> Result<()> {
    let count = AtomicUsize::new(0);
    let step = || before_each(count.fetch_add(1, Ordering::Relaxed) + 1);
    let staged = parallel::waiting(changes, |change| stage(root, change, &step));
    if staged.iter().any(Result::is_err) {
        discard(&staged.iter().flatten().collect::<Vec<_>>());
        return staged.into_iter().collect::<Result<Vec<_>>>().map(drop);
    }
    let staged: Vec<Staged> = staged.into_iter().flatten().collect();
    // Side by side, since a disk takes its time to replace a file.
    let results = parallel::waiting(&staged, |file| step().and_then(|()| file.carry_out()));
    let Some(failed) = results.iter().position(Result::is_err) else {
        staged.iter().for_each(Staged::finish);
        return Ok(());
    };
    for ((file, change), result) in staged.iter().zip(changes).zip(&results) {
        if result.is_ok() {
            file.take_back(change.before).with_context(|| not_restored(change.path))?;
        }
    }
    discard(&staged.iter().collect::<Vec<_>>());
    let message = format!("cannot replace `{}`; nothing was changed", changes[failed].path);
    results.into_iter().collect::<io::Result<()>>().context(message)
}

/// Prepares the change of a file that still is what the plan was made from.
fn stage(
    root: &Path,
    change: &PendingWrite,
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
        .and_then(|()| Staged::new(target, change.after))
        .with_context(|| format!("cannot write `{path}`; nothing was written"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

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
        for fault in 1..=each.len() * 2 {
            let failed = change_with(&root, &each, &|step| {
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
        assert!(write_all(&root, &writes).is_err());
        assert_eq!(tree(&root), before);
        fs::remove_dir_all(root).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_stays() {
        use std::os::unix::fs::PermissionsExt;
        let (root, writes) = repository();
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        write_all(&root, &writes).unwrap();
        assert_eq!(fs::metadata(root.join("a")).unwrap().permissions().mode() & 0o777, 0o755);
        fs::remove_dir_all(root).unwrap();
    }
}
