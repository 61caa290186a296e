//! Changes a set of files all or none: temporary files beside them, then renames.
//!
//! A crash between two renames is the one thing this cannot undo; it takes microseconds for each.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use domain::parallel;
use domain::text::edit::Write;

/// Files that change together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) writes: Vec<Write>,
    /// Paths and texts of files that are not there yet.
    pub(crate) new: Vec<(String, String)>,
    /// Paths of files that go away, and the texts that they have.
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

/// One file, `None` where it is not there.
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
/// A file is no longer what the plan was made from, or cannot be written; nothing has changed then.
pub(crate) fn change(root: &Path, changes: &Changes) -> Result<()> {
    change_with(root, &changes.each(), &|_| Ok(()))
}

/// The same for files that are there and stay there.
///
/// # Errors
/// As [`change`].
pub(crate) fn write_all(root: &Path, writes: &[Write]) -> Result<()> {
    change_with(root, &rewritten(writes).collect::<Vec<_>>(), &|_| Ok(()))
}

/// Takes back changes that were made. What somebody has put in the place of a new file stays.
///
/// # Errors
/// A file cannot be put back; it is named.
pub(crate) fn undo(root: &Path, changes: &Changes) -> Result<()> {
    put_back(root, &changes.writes)?;
    for (path, text) in &changes.new {
        let path = root.join(path);
        if fs::read_to_string(&path).is_ok_and(|written| written == *text) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    for (path, text) in &changes.gone {
        fs::write(root.join(path), text)
            .with_context(|| format!("cannot put {path} back: `git checkout` it"))?;
    }
    Ok(())
}

/// Undoes writes that were carried out.
///
/// # Errors
/// A file cannot be put back; it is named.
pub(crate) fn put_back(root: &Path, writes: &[Write]) -> Result<()> {
    for write in writes {
        Staged::new(root.join(&write.path), Some(&write.before))
            .and_then(|file| file.carry_out())
            .with_context(|| format!("cannot put {} back: `git checkout` it", write.path))?;
    }
    Ok(())
}

/// `before_each` is asked before every operation on the file system, with its number, so that
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
    // Side by side, since a disk takes its time over replacing what it has.
    let carried = parallel::waiting(&staged, |file| step().and_then(|()| file.carry_out()));
    let Some(failed) = carried.iter().position(Result::is_err) else {
        staged.iter().filter(|file| file.removes).for_each(Staged::forget);
        return Ok(());
    };
    for ((file, change), carried) in staged.iter().zip(changes).zip(&carried) {
        if carried.is_ok() {
            file.take_back(change.before)
                .with_context(|| format!("cannot put {} back: `git checkout` it", change.path))?;
        }
    }
    discard(&staged.iter().collect::<Vec<_>>());
    let message = format!("cannot replace {}; everything is as it was", changes[failed].path);
    carried.into_iter().collect::<io::Result<()>>().context(message)
}

/// The new contents beside a file that still is what the plan was made from.
fn stage(
    root: &Path,
    change: &PendingWrite,
    step: &(dyn Fn() -> io::Result<()> + Sync),
) -> Result<Staged> {
    let path = change.path;
    let target = root.join(path);
    match change.before {
        Some(before) => {
            let now = fs::read(&target).with_context(|| format!("cannot read {path}"))?;
            if now != before.as_bytes() {
                bail!("{path} has been changed meanwhile; nothing was written");
            }
        }
        None if target.symlink_metadata().is_ok() => {
            bail!("{path} is there already; nothing was written");
        }
        None => {}
    }
    step()
        .and_then(|()| Staged::new(target, change.after))
        .with_context(|| format!("cannot write {path}; nothing was written"))
}

/// Leaves nothing of changes that were not made.
fn discard(staged: &[&Staged]) {
    staged.iter().for_each(|file| file.forget());
    let mut made: Vec<&PathBuf> = staged.iter().flat_map(|file| &file.made).collect();
    made.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    // What somebody else has put into one of them stays.
    made.iter().for_each(|dir| _ = fs::remove_dir(dir));
}

/// Makes a directory with files in it, all or nothing: beside its place, then one rename. `dir` and
/// the files' paths are `/`-separated.
///
/// # Errors
/// It is there already, or cannot be written; nothing is left behind then.
pub(crate) fn create_dir(root: &Path, dir: &str, files: &[(String, String)]) -> Result<()> {
    let target = root.join(dir);
    if target.symlink_metadata().is_ok() {
        bail!("{dir} is there already; nothing was written");
    }
    let parent = target.parent().context("a directory lies in another")?;
    let made = missing_above(parent);
    let partial = parent.join(format!(".{}.{}.tmp", dir.replace('/', "-"), std::process::id()));
    let written = fill(&partial, files).and_then(|()| fs::rename(&partial, &target));
    if written.is_err() {
        // It may never have been created; either way nothing more can be done about it.
        let _ = fs::remove_dir_all(&partial);
        made.iter().for_each(|dir| _ = fs::remove_dir(dir));
    }
    written.with_context(|| format!("cannot write {dir}; nothing was written"))
}

fn fill(dir: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (path, text) in files {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    Ok(())
}

/// The directories that have to be made for `dir` to be there, the innermost first.
fn missing_above(dir: &Path) -> Vec<PathBuf> {
    dir.ancestors().take_while(|dir| !dir.exists()).map(Path::to_owned).collect()
}

/// A change that is prepared.
struct Staged {
    /// The new contents; for a file that goes away, where it waits until all is done.
    temporary: PathBuf,
    target: PathBuf,
    removes: bool,
    /// Directories that were made for it.
    made: Vec<PathBuf>,
}

impl Staged {
    /// The new contents beside the file, with the mode of what is there.
    fn new(target: PathBuf, after: Option<&str>) -> io::Result<Staged> {
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let made = target.parent().map(missing_above).unwrap_or_default();
        let staged = Staged { temporary, target, removes: after.is_none(), made };
        let written = after.map_or(Ok(()), |text| staged.write(text));
        if written.is_err() {
            discard(&[&staged]);
        }
        written.map(|()| staged)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        if !self.made.is_empty() {
            self.target.parent().map_or(Ok(()), fs::create_dir_all)?;
        }
        let mut file = fs::File::create(&self.temporary)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        let wanted = match fs::metadata(&self.target) {
            Ok(there) => there.permissions(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // Mostly the same: a disk has to write down every change of them.
        match file.metadata()?.permissions() == wanted {
            true => Ok(()),
            false => file.set_permissions(wanted),
        }
    }

    fn carry_out(&self) -> io::Result<()> {
        match self.removes {
            true => fs::rename(&self.target, &self.temporary),
            false => fs::rename(&self.temporary, &self.target),
        }
    }

    fn take_back(&self, before: Option<&str>) -> io::Result<()> {
        match before {
            _ if self.removes => fs::rename(&self.temporary, &self.target),
            None => fs::remove_file(&self.target),
            Some(text) => {
                self.write(text)?;
                fs::rename(&self.temporary, &self.target)
            }
        }
    }

    fn forget(&self) {
        // It may never have been created; either way nothing more can be done about it.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
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
            let (before, after) = (format!("{path} old"), format!("{path} new"));
            Write { path: path.into(), before: before.into(), after }
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

    #[test]
    fn a_directory_is_made_whole_or_not_at_all() {
        let (root, _) = repository();
        let before = tree(&root);
        let files =
            |name: &str| vec![("x/a".to_owned(), "1".to_owned()), (name.to_owned(), String::new())];
        // `x` cannot be both a folder and a file.
        assert!(create_dir(&root, "new/one", &files("x")).is_err());
        assert!(create_dir(&root, "d", &files("b")).is_err());
        assert_eq!(tree(&root), before);
        assert!(!root.join("new").exists());
        create_dir(&root, "new/one", &files("b")).unwrap();
        assert_eq!(fs::read_to_string(root.join("new/one/x/a")).unwrap(), "1");
        fs::remove_dir_all(root).unwrap();
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
            let failed = change_with(&root, &each, &|step| match step == fault {
                true => Err(io::Error::other("fault")),
                false => Ok(()),
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
    fn what_is_there_is_not_made_anew() {
        let (root, changes) = changes();
        fs::create_dir(root.join("new")).unwrap();
        fs::write(root.join("new/g"), "mine").unwrap();
        let before = tree(&root);
        let said = change(&root, &changes).unwrap_err().to_string();
        assert_eq!(said, "new/g is there already; nothing was written");
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
