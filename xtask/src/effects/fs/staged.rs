//! One change of one file, prepared elsewhere on its file system, so that carrying it out is one
//! rename.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A change that is prepared.
pub(crate) struct Staged {
    /// The new contents; for a file that is removed, where it waits until everything is done.
    temporary: PathBuf,
    target: PathBuf,
    removes: bool,
    /// Directories that were made for it.
    made: Vec<PathBuf>,
}

impl Staged {
    /// Writes the new contents to `temporary`, with the mode of what is there; `None` removes the
    /// file.
    ///
    /// # Errors
    /// They cannot be written; nothing is left behind then.
    pub(crate) fn new(
        target: PathBuf,
        temporary: PathBuf,
        after: Option<&str>,
    ) -> io::Result<Staged> {
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
        let mut file = File::create(&self.temporary)?;
        file.write_all(text.as_bytes())?;
        let wanted = match fs::metadata(&self.target) {
            Ok(there) => there.permissions(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // They are mostly the same, and a disk has to record every change of them.
        if file.metadata()?.permissions() == wanted { Ok(()) } else { file.set_permissions(wanted) }
    }

    /// Makes the change.
    ///
    /// # Errors
    /// The rename fails; the file is as it was then.
    pub(crate) fn carry_out(&self) -> io::Result<()> {
        if self.removes {
            return fs::rename(&self.target, &self.temporary);
        }
        // A rename from one folder to another lets no other one proceed until the file that it
        // replaces is freed, which takes a disk with TRIM long. Held open, that file is freed here,
        // side by side with others.
        let _replaced = cfg!(unix).then(|| File::open(&self.target));
        fs::rename(&self.temporary, &self.target)
    }

    /// Undoes the change after it was made: the file is `before` again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn take_back(&self, before: Option<&str>) -> io::Result<()> {
        match before {
            _ if self.removes => fs::rename(&self.temporary, &self.target),
            None => fs::remove_file(&self.target),
            Some(text) => {
                self.write(text)?;
                fs::rename(&self.temporary, &self.target)
            }
        }
    }

    /// Ends the change once all others are made, too: a file that was removed is gone then.
    pub(crate) fn finish(&self) {
        if self.removes {
            self.clean_up();
        }
    }

    /// Waits until the new contents are on the disk.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn sync(&self) -> io::Result<()> {
        if self.removes { Ok(()) } else { File::open(&self.temporary)?.sync_all() }
    }

    /// Where the new contents wait.
    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    fn clean_up(&self) {
        // It may never have been created; either way nothing more can be done about it.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Leaves nothing behind of changes that were not made.
pub(crate) fn discard(staged: &[&Staged]) {
    staged.iter().for_each(|file| file.clean_up());
    let mut made: Vec<&PathBuf> = staged.iter().flat_map(|file| &file.made).collect();
    made.sort_by_key(|dir| Reverse(dir.components().count()));
    // A directory that somebody else has put something into is not empty, and stays.
    made.iter().for_each(|dir| _ = fs::remove_dir(dir));
}

/// The directories that have to be made for `dir` to exist, the innermost first.
pub(crate) fn missing_above(dir: &Path) -> Vec<PathBuf> {
    dir.ancestors().take_while(|dir| !dir.exists()).map(Path::to_owned).collect()
}
