//! A directory that is made with its files, all or nothing.

use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, bail};

use crate::effects::fs::staged::missing_above;

/// Makes a directory with files in it: beside its location, then with one rename. `dir` and the
/// files' paths are `/`-separated.
///
/// # Errors
/// It exists already, or cannot be written; nothing is left behind then.
pub(crate) fn create(root: &Path, dir: &str, files: &[(String, String)]) -> Result<()> {
    let target = root.join(dir);
    if target.symlink_metadata().is_ok() {
        bail!("`{dir}` exists already; nothing was written");
    }
    let parent = target.parent().context("the root of a repository has no name of its own")?;
    let made = missing_above(parent);
    let partial = parent.join(format!(".{}.{}.tmp", dir.replace('/', "-"), std::process::id()));
    let written = fill(&partial, files).and_then(|()| fs::rename(&partial, &target));
    if written.is_err() {
        // It may never have been created; either way nothing more can be done about it.
        let _ = fs::remove_dir_all(&partial);
        made.iter().for_each(|dir| _ = fs::remove_dir(dir));
    }
    written.with_context(|| format!("cannot write `{dir}`; nothing was written"))
}

fn fill(dir: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (path, text) in files {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::fs::temporary::Temporary;

    #[test]
    fn a_directory_is_made_whole_or_not_at_all() {
        let temporary = Temporary::new().unwrap();
        let root = temporary.path();
        let files =
            |name: &str| vec![("x/a".to_owned(), "1".to_owned()), (name.to_owned(), String::new())];
        // `x` cannot be both a folder and a file.
        assert!(create(root, "new/one", &files("x")).is_err());
        assert!(fs::read_dir(root).unwrap().next().is_none());
        fs::create_dir(root.join("d")).unwrap();
        assert!(create(root, "d", &files("b")).is_err());
        assert!(fs::read_dir(root.join("d")).unwrap().next().is_none());
        create(root, "new/one", &files("b")).unwrap();
        assert_eq!(fs::read_to_string(root.join("new/one/x/a")).unwrap(), "1");
    }
}
