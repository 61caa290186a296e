//! The files of the work tree and of commits. Every path is relative to the root.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use xshell::cmd;

use super::{Git, records};
use crate::effects::process::shell;

/// How `git status` lists files that git neither tracks nor ignores.
#[derive(Clone, Copy)]
enum Untracked {
    /// A folder that holds nothing tracked is one entry, with a `/` at its end.
    Folders,
    Files,
}

/// One entry of `git status`.
#[derive(Debug, PartialEq, Eq)]
enum StatusEntry {
    /// Changed, added, removed, in conflict or untracked.
    Changed(String),
    /// Renamed or copied; the path that it has now.
    Moved(String),
}

impl StatusEntry {
    fn into_path(self) -> String {
        match self {
            StatusEntry::Changed(path) | StatusEntry::Moved(path) => path,
        }
    }
}

impl Git {
    /// Those of the paths that git ignores.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) fn ignored(&self, paths: &[String]) -> Result<Vec<String>> {
        // A tracked file is never ignored, but to tell, git looks for every path in its whole
        // index. So it is asked only about paths that match some pattern, which are few.
        let matched = self.check_ignore(paths, Some("--no-index"))?;
        if matched.is_empty() { Ok(matched) } else { self.check_ignore(&matched, None) }
    }

    /// Those of the folders that git ignores and tracks nothing of.
    ///
    /// # Errors
    /// git cannot be run.
    pub(crate) fn ignored_folders(&self, dirs: &[String]) -> Result<Vec<String>> {
        let slashed: Vec<String> = dirs.iter().map(|dir| format!("{dir}/")).collect();
        let mut ignored = self.check_ignore(&slashed, Some("--no-index"))?;
        for dir in &mut ignored {
            dir.truncate(dir.trim_end_matches('/').len());
        }
        if ignored.is_empty() {
            return Ok(ignored);
        }
        let paths: Vec<&str> = ignored.iter().map(String::as_str).collect();
        let tracked = self.read(&[&["ls-files", "-z", "--"], &*paths].concat())?;
        let tracked = records(&tracked);
        ignored.retain(|dir| !tracked.iter().any(|path| path.starts_with(&format!("{dir}/"))));
        Ok(ignored)
    }

    /// Tracked files of these names that a sparse checkout leaves out.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn out_of_sight(&self, names: &[&str]) -> Result<Vec<String>> {
        let git_dir = self.read(&["rev-parse", "--absolute-git-dir"])?;
        if !Path::new(&git_dir).join("info/sparse-checkout").exists() {
            return Ok(Vec::new());
        }
        let patterns: Vec<String> = names.iter().map(|name| format!(":(glob)**/{name}")).collect();
        let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
        let listed = self.read(&[&["ls-files", "-z", "-t", "--"], &*patterns].concat())?;
        let skipped = records(&listed).into_iter();
        Ok(skipped.filter_map(|entry| Some(entry.strip_prefix("S ")?.to_owned())).collect())
    }

    fn check_ignore(&self, paths: &[String], flag: Option<&str>) -> Result<Vec<String>> {
        let sh = self.shell()?;
        let list = paths.join("\0");
        // Exit code 1 means that none of them is ignored.
        let output = shell::output(cmd!(sh, "git check-ignore {flag...} -z --stdin").stdin(list))?;
        Ok(records(&output.stdout))
    }

    /// Every file that git tracks, or neither tracks nor ignores.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        self.read(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .map(|list| records(&list))
    }

    /// Every file of a commit.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn tracked(&self, commit: &str) -> Result<Vec<String>> {
        self.read(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit])
            .map(|list| records(&list))
    }

    /// Whether a folder has the same contents in two commits; not when one of them is unknown here.
    pub(crate) fn is_unchanged(&self, from: &str, to: &str, dir: &str) -> bool {
        let dir = if dir.is_empty() { "." } else { dir };
        self.succeeds(&["diff", "--quiet", from, to, "--", dir])
    }

    /// Paths that differ from HEAD, and what git neither tracks nor ignores; a folder that is
    /// untracked as a whole is one path.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty(&self) -> Result<Vec<String>> {
        let entries = self.status(Untracked::Folders)?;
        Ok(entries.into_iter().map(StatusEntry::into_path).collect())
    }

    /// Those of the paths that differ from HEAD, or are untracked.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty_among(&self, paths: &[String]) -> Result<Vec<String>> {
        let paths: HashSet<&str> = paths.iter().map(String::as_str).collect();
        let dirty = self.status(Untracked::Files)?.into_iter().map(StatusEntry::into_path);
        Ok(dirty.filter(|path| paths.contains(path.as_str())).collect())
    }

    fn status(&self, untracked: Untracked) -> Result<Vec<StatusEntry>> {
        let untracked = match untracked {
            Untracked::Folders => "--untracked-files=normal",
            Untracked::Files => "--untracked-files=all",
        };
        self.read(&["status", "--porcelain", "-z", untracked]).map(|text| parse_status(&text))
    }
}

/// Reads the output of `git status --porcelain -z`: records `XY PATH`, X the state in the index, Y
/// that in the work tree. A moved file is followed by a record with its old path; that can be said
/// in either column (in Y after `git add --intent-to-add`).
fn parse_status(text: &str) -> Vec<StatusEntry> {
    let mut records = text.split_terminator('\0');
    let mut entries = Vec::new();
    while let Some(record) = records.next() {
        let Some((columns, path)) = record.split_at_checked(3) else { continue };
        let path = path.to_owned();
        if columns.contains(['R', 'C']) {
            records.next();
            entries.push(StatusEntry::Moved(path));
        } else {
            entries.push(StatusEntry::Changed(path));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::fs::temporary::Temporary;

    #[test]
    fn status_records() {
        let text = " M a b\0R  new\0old\0 R later\0before\0?? größe ä/\0UU d\0";
        let changed = |path: &str| StatusEntry::Changed(path.to_owned());
        let moved = |path: &str| StatusEntry::Moved(path.to_owned());
        assert_eq!(
            parse_status(text),
            [changed("a b"), moved("new"), moved("later"), changed("größe ä/"), changed("d")]
        );
    }

    #[test]
    fn a_dirty_name_is_as_it_is_on_disk() {
        let dir = Temporary::new().unwrap();
        let sh = shell::at(dir.path()).unwrap();
        shell::read(cmd!(sh, "git init --quiet")).unwrap();
        let names = ["b/größe ä.txt", "größe ä.txt"];
        names.iter().for_each(|name| sh.write_file(name, "").unwrap());
        let git = Git::at(dir.path()).unwrap();
        assert_eq!(git.dirty().unwrap(), ["b/", "größe ä.txt"]);
        assert_eq!(git.dirty_among(&names.map(str::to_owned)).unwrap(), names);
    }
}
