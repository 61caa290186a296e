//! The files of the work tree and of commits. Every path is relative to the root.

use std::collections::HashSet;

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use domain::release::content::{EntryKind, TreeEntry};

use super::{Git, literal, records};

impl Git {
    /// Those of the paths that git ignores.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn ignored(&self, paths: &[String]) -> Result<Vec<String>> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        // A tracked file is never ignored. git looks up each path in its whole index to tell, and
        // refuses to where one is in a submodule; so the index is read only here, where some path
        // matches a pattern.
        let matched = self.check_ignore(paths)?;
        if matched.is_empty() { Ok(matched) } else { self.untracked(&matched) }
    }

    /// The paths that match a pattern of ignored ones, tracked or not.
    fn check_ignore(&self, paths: &[String]) -> Result<Vec<String>> {
        let list = paths.join("\0");
        let check = ["check-ignore", "--no-index", "-z", "--stdin"];
        let output = self.output_fed(&check, Some(&list))?;
        match output.code {
            Some(0) => Ok(records(&output.stdout)),
            // No pattern matches any of them.
            Some(1) => Ok(Vec::new()),
            _ => Err(self.failure(&check, output)),
        }
    }

    /// Those of the folders that git ignores and tracks nothing of.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn ignored_folders(&self, dirs: &[String]) -> Result<Vec<String>> {
        if dirs.is_empty() {
            return Ok(Vec::new());
        }
        let slashed: Vec<String> = dirs.iter().map(|dir| format!("{dir}/")).collect();
        let mut ignored = self.check_ignore(&slashed)?;
        if ignored.is_empty() {
            return Ok(ignored);
        }
        let tracked = self.index()?;
        ignored.retain(|dir| !tracked.split_terminator('\0').any(|path| path.starts_with(dir)));
        for dir in &mut ignored {
            dir.truncate(dir.trim_end_matches('/').len());
        }
        Ok(ignored)
    }

    /// Those of the paths that git does not track; what is in a submodule it never does.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn untracked(&self, paths: &[String]) -> Result<Vec<String>> {
        Ok(absent(&self.index()?, paths))
    }

    /// The paths in the index, each with a NUL at its end.
    fn index(&self) -> Result<String> {
        self.read(&["ls-files", "-z", "--cached"])
    }

    /// Refuses to change files that git neither tracks nor ignores: it could not give them back.
    /// In a repository that tracks nothing yet, its user does not count on that.
    ///
    /// # Errors
    /// One of the paths is such a file, or git fails.
    pub(crate) fn refuse_untracked(&self, paths: &[String]) -> Result<()> {
        let tracked = self.index()?;
        if tracked.is_empty() {
            return Ok(());
        }
        let untracked = absent(&tracked, paths);
        let ignored = self.ignored(&untracked)?;
        let findings = untracked.into_iter().filter(|path| !ignored.contains(path)).map(|path| {
            let hint = format!("git add -- '{path}', or have git ignore it");
            Finding::error(Rule::Dirty, "it would be changed, and git does not track it")
                .at(&path, 1)
                .hint(hint)
        });
        Ok(Refusal::unless_clean(findings.collect())?)
    }

    /// The tracked files that a sparse checkout leaves out.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn left_out(&self) -> Result<Vec<String>> {
        let sparse = self.output(&["config", "--type=bool", "--get", "core.sparseCheckout"])?;
        if sparse.text() != "true" {
            return Ok(Vec::new());
        }
        // `S PATH` has the bit for it.
        let index = self.read(&["ls-files", "-z", "-t", "--cached"])?;
        Ok(index
            .split_terminator('\0')
            .filter_map(|e| e.strip_prefix("S "))
            .map(str::to_owned)
            .collect())
    }

    /// Every file that git tracks, or neither tracks nor ignores.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        self.read(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .map(|list| records(&list))
    }

    /// Every file of a commit, with those of the submodules that are checked out here.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn tracked(&self, commit: &str) -> Result<Vec<TreeEntry>> {
        let mut entries = Vec::new();
        for entry in self.listed(commit)? {
            match self.submodule(&entry).and_then(|inner| inner.tracked(&entry.id).ok()) {
                Some(inner) => entries.extend(inner.into_iter().map(|below| TreeEntry {
                    path: format!("{}/{}", entry.path, below.path),
                    ..below
                })),
                None => entries.push(entry),
            }
        }
        Ok(entries)
    }

    /// The submodules of a commit, checked out or not.
    pub(super) fn submodules(&self, commit: &str) -> Result<Vec<TreeEntry>> {
        let mut entries = self.listed(commit)?;
        entries.retain(|entry| entry.kind == EntryKind::Submodule);
        Ok(entries)
    }

    fn listed(&self, commit: &str) -> Result<Vec<TreeEntry>> {
        let list = self.read(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
        Ok(list.split_terminator('\0').filter_map(tree_entry).collect())
    }

    /// The repository of a submodule, where it is checked out.
    pub(super) fn submodule(&self, entry: &TreeEntry) -> Option<Git> {
        let inner = Git::at(&self.root.join(&entry.path))?;
        let is_one = entry.kind == EntryKind::Submodule;
        is_one.then(|| Git { kind: self.kind, ..inner.without(self.withheld.clone()) })
    }

    /// The text of a file in a commit; `None` where either is unknown here.
    pub(crate) fn contents(&self, commit: &str, path: &str) -> Option<String> {
        self.read(&["cat-file", "blob", &format!("{commit}:{path}")]).ok()
    }

    /// Whether a folder has the same contents in two commits; not when one of them is unknown here.
    pub(crate) fn is_unchanged(&self, from: &str, to: &str, dir: &str) -> bool {
        let dir = literal(if dir.is_empty() { "." } else { dir });
        // A program for differences may call different files the same, and so does a submodule
        // that is to be ignored.
        let exactly = ["--quiet", "--no-ext-diff", "--ignore-submodules=none"];
        self.succeeds(&[&["diff"], &exactly[..], &[from, to, "--", &dir]].concat())
    }

    /// Paths that differ from HEAD, and what git neither tracks nor ignores; a folder that is
    /// untracked as a whole is one path.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty(&self) -> Result<Vec<String>> {
        self.status("--untracked-files=normal")
    }

    /// Those of the paths that differ from HEAD, or are untracked.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn dirty_among(&self, paths: &[String]) -> Result<Vec<String>> {
        let paths: HashSet<&str> = paths.iter().map(String::as_str).collect();
        let mut dirty = self.status("--untracked-files=all")?;
        dirty.retain(|path| paths.contains(path.as_str()));
        Ok(dirty)
    }

    fn status(&self, untracked: &str) -> Result<Vec<String>> {
        self.read(&["status", "--porcelain", "-z", untracked]).map(|text| parse_status(&text))
    }
}

/// Reads a record of `git ls-tree -z`: `MODE TYPE ID<TAB>PATH`.
fn tree_entry(record: &str) -> Option<TreeEntry> {
    let (about, path) = record.split_once('\t')?;
    let mut fields = about.split(' ');
    let kind = match fields.next()? {
        "120000" => EntryKind::Link,
        "160000" => EntryKind::Submodule,
        _ => EntryKind::File,
    };
    Some(TreeEntry { path: path.to_owned(), kind, id: fields.nth(1)?.to_owned() })
}

/// The paths in the output of `git status --porcelain -z`: records `XY PATH`, X the state in the
/// index, Y that in the work tree. A moved file is followed by a record with its old path; that can
/// be said in either column (in Y after `git add --intent-to-add`).
fn parse_status(text: &str) -> Vec<String> {
    let mut records = text.split_terminator('\0');
    let mut paths = Vec::new();
    while let Some(record) = records.next() {
        let Some((columns, path)) = record.split_at_checked(3) else { continue };
        if columns.contains(['R', 'C']) {
            records.next();
        }
        paths.push(path.to_owned());
    }
    paths
}

/// Those of the paths that are not in the index.
fn absent(index: &str, paths: &[String]) -> Vec<String> {
    let tracked: HashSet<&str> = index.split_terminator('\0').collect();
    paths.iter().filter(|path| !tracked.contains(path.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effects::repository::git::testing::Repository;

    #[test]
    fn status_records() {
        let text = " M a b\0R  new\0old\0 R later\0before\0?? größe ä/\0UU d\0";
        assert_eq!(parse_status(text), ["a b", "new", "later", "größe ä/", "d"]);
    }

    #[test]
    fn a_dirty_name_is_as_it_is_on_disk() {
        let repository = Repository::new();
        let names = ["b/größe ä.txt", "größe ä.txt"];
        names.iter().for_each(|name| repository.write(name, ""));
        let git = repository.git();
        assert_eq!(git.dirty().unwrap(), ["b/", "größe ä.txt"]);
        assert_eq!(git.dirty_among(&names.map(str::to_owned)).unwrap(), names);
    }

    #[test]
    fn tracked_files_are_never_ignored_and_those_of_a_submodule_may_be() {
        let repository = Repository::new();
        repository.write("sub/pyproject.toml", "");
        repository.write("kept/x", "");
        repository.run(&["init", "--quiet", "sub"]);
        repository.run(&["-C", "sub", "add", "--all"]);
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"];
        let commit = ["commit", "--quiet", "--message", "x"];
        repository.run(&[&["-C", "sub"], &identity[..], &commit[..]].concat());
        repository.commit("feat: x");
        repository.write(".gitignore", "sub/*\nkept/\nlost/\n");
        let paths = ["kept/x", "lost/x", "sub/pyproject.toml", "other"].map(str::to_owned);
        let git = repository.git();
        assert_eq!(git.ignored(&paths).unwrap(), ["lost/x", "sub/pyproject.toml"]);
        assert_eq!(git.untracked(&paths).unwrap(), ["lost/x", "sub/pyproject.toml", "other"]);
    }

    #[test]
    fn untracked_files_are_refused_once_git_tracks_something() {
        let repository = Repository::new();
        repository.write("a/x", "");
        let git = repository.git();
        let new = ["b/y".to_owned()];
        git.refuse_untracked(&new).unwrap();
        repository.commit("feat: x");
        assert!(git.refuse_untracked(&new).is_err());
    }

    #[test]
    fn a_sparse_checkout_leaves_files_out() {
        let repository = Repository::new();
        repository.write("a/x", "");
        repository.write("b/größe", "");
        repository.commit("feat: x");
        assert!(repository.git().left_out().unwrap().is_empty());
        repository.run(&["sparse-checkout", "set", "a"]);
        assert_eq!(repository.git().left_out().unwrap(), ["b/größe"]);
    }

    /// Settings that call a folder unchanged, or look at another one.
    #[test]
    fn a_folder_has_changed_whatever_the_settings_say() {
        let repository = Repository::new();
        repository.write("a*/x", "1");
        repository.write("ab/x", "1");
        repository.commit("feat: x");
        repository.write("ab/x", "2");
        repository.commit("feat: y");
        repository.configure("diff.external", "true");
        repository.configure("diff.trustExitCode", "true");
        let git = repository.git();
        let unchanged = ["a*", "ab", ""].map(|dir| git.is_unchanged("HEAD~", "HEAD", dir));
        assert_eq!(unchanged, [true, false, false]);
    }
}
