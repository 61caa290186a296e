//! Writes a set of files all or none: temporary files beside them, then renames.
//!
//! A crash between two renames is the one thing this cannot undo; it takes microseconds for each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};

use super::parallel;
use crate::domain::edit::Write;

/// Writes every file, or none: what was renamed is put back when a later one fails.
///
/// # Errors
/// A file is no longer what the plan was made from, or cannot be written; nothing has changed then.
pub fn write_all(root: &Path, writes: &[Write]) -> Result<()> {
    write_all_with(root, writes, &|_| Ok(()))
}

/// `before_each` is asked before every operation on the file system, with its number, so that
/// tests can make any of them fail.
fn write_all_with(
    root: &Path,
    writes: &[Write],
    before_each: &(dyn Fn(usize) -> io::Result<()> + Sync),
) -> Result<()> {
    let count = AtomicUsize::new(0);
    let step = || before_each(count.fetch_add(1, Ordering::Relaxed) + 1);
    let staged = parallel::quick(writes, |write| stage(root, write, &step));
    if staged.iter().any(Result::is_err) {
        staged.iter().flatten().for_each(Staged::discard);
        return staged.into_iter().collect::<Result<Vec<_>>>().map(drop);
    }
    let staged: Vec<Staged> = staged.into_iter().flatten().collect();
    // Side by side, since a disk takes its time over replacing what it has.
    let renamed = parallel::quick(&staged, |file| {
        step().and_then(|()| fs::rename(&file.temporary, &file.target))
    });
    let failed = |at: &usize| renamed[*at].is_err();
    let (failed, done): (Vec<usize>, Vec<usize>) = (0..writes.len()).partition(failed);
    let Some(&first) = failed.first() else { return Ok(()) };
    failed.iter().for_each(|&at| staged[at].discard());
    put_back(root, done.iter().map(|&at| &writes[at]))?;
    let message = format!("cannot replace {}; everything is as it was", writes[first].path);
    renamed.into_iter().collect::<io::Result<()>>().context(message)
}

/// The new contents beside a file that still is what the plan was made from.
fn stage(root: &Path, write: &Write, step: &(dyn Fn() -> io::Result<()> + Sync)) -> Result<Staged> {
    let now = fs::read(root.join(&write.path));
    if now.with_context(|| format!("cannot read {}", write.path))? != write.before.as_bytes() {
        bail!("{} has been changed meanwhile; nothing was written", write.path);
    }
    step()
        .and_then(|()| Staged::new(root, &write.path, &write.after))
        .with_context(|| format!("cannot write {}; nothing was written", write.path))
}

/// Undoes writes that were carried out.
///
/// # Errors
/// A file cannot be put back; it is named.
pub fn put_back<'a>(root: &Path, writes: impl IntoIterator<Item = &'a Write>) -> Result<()> {
    for write in writes {
        Staged::new(root, &write.path, &write.before)
            .and_then(|file| fs::rename(&file.temporary, &file.target))
            .with_context(|| format!("cannot put {} back: `git checkout` it", write.path))?;
    }
    Ok(())
}

/// Makes a directory with files in it, all or nothing: beside its place, then one rename. `dir` and
/// the files' paths are `/`-separated.
///
/// # Errors
/// It is there already, or cannot be written; nothing is left behind then.
pub fn create_dir(root: &Path, dir: &str, files: &[(String, String)]) -> Result<()> {
    let target = root.join(dir);
    if target.symlink_metadata().is_ok() {
        bail!("{dir} is there already; nothing was written");
    }
    let parent = target.parent().context("a directory lies in another")?;
    let made = missing_above(parent);
    let half = parent.join(format!(".{}.{}.tmp", dir.replace('/', "-"), std::process::id()));
    let written = fill(&half, files).and_then(|()| fs::rename(&half, &target));
    if written.is_err() {
        // It may never have been created; either way nothing more can be done about it.
        let _ = fs::remove_dir_all(&half);
        made.iter().for_each(|dir| _ = fs::remove_dir(dir));
    }
    written.with_context(|| format!("cannot write {dir}; nothing was written"))
}

/// Writes files that are not there yet; paths are relative to the root.
///
/// # Errors
/// One is there, or cannot be written; it is named.
pub fn create_new(root: &Path, files: &[(String, String)]) -> Result<()> {
    for (path, text) in files {
        let target = root.join(path);
        let written = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            io::Write::write_all(&mut fs::File::create_new(&target)?, text.as_bytes())
        });
        written.with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
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

struct Staged {
    temporary: PathBuf,
    target: PathBuf,
}

impl Staged {
    /// The new contents beside the file, with its mode.
    fn new(root: &Path, path: &str, text: &str) -> io::Result<Staged> {
        let target = root.join(path);
        let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let staged = Staged { temporary, target };
        let written = fs::metadata(&staged.target).and_then(|metadata| {
            let mut file = fs::File::create(&staged.temporary)?;
            io::Write::write_all(&mut file, text.as_bytes())?;
            file.set_permissions(metadata.permissions())
        });
        if written.is_err() {
            staged.discard();
        }
        written.map(|()| staged)
    }

    fn discard(&self) {
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
        // Enough for several threads.
        let more = (0..28).map(|number| format!("d/{number}"));
        let paths = ["a", "d/b", "c", "d/e"].map(str::to_owned).into_iter().chain(more);
        let writes = paths.map(|path| {
            fs::write(root.join(&path), format!("{path} old")).unwrap();
            let (before, after) = (format!("{path} old"), format!("{path} new"));
            Write { path, before: before.into(), after }
        });
        let writes = writes.collect();
        (root, writes)
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

    #[test]
    fn a_fault_at_any_operation_leaves_all_or_nothing() {
        let (root, writes) = repository();
        let before = tree(&root);
        for fault in 1..=writes.len() * 2 {
            // Once, and from then on.
            for last in [fault, usize::MAX] {
                let failed =
                    write_all_with(&root, &writes, &|step| match (fault..=last).contains(&step) {
                        true => Err(io::Error::other("fault")),
                        false => Ok(()),
                    });
                assert!(failed.is_err());
                assert_eq!(tree(&root), before, "fault at {fault}");
            }
        }
        write_all(&root, &writes).unwrap();
        assert!(tree(&root).iter().all(|(_, text)| text.ends_with("new")));
        assert_eq!(tree(&root).len(), before.len());
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
