//! The commit of what a command has written.

use std::fs;

use anyhow::Result;
use domain::finding::{Finding, Rule};

use super::{Git, literal};
use crate::effects::fs::temporary::Temporary;

impl Git {
    /// Makes one commit of exactly these files, whatever else is staged; and of what the user's
    /// hooks add to it. Returns what a person should know about it.
    ///
    /// # Errors
    /// git refuses; a hook may be the reason.
    pub(crate) fn commit(&self, message: &str, paths: &[String]) -> Result<Vec<Finding>> {
        let paths: Vec<String> = paths.iter().map(|path| literal(path)).collect();
        // The message comes by standard input, so that a failure does not show it as part of the
        // command.
        let mut commit = vec!["commit", "--quiet", "--only", "--file=-"];
        // A change that only the message tells is recorded all the same.
        commit.extend(paths.is_empty().then_some("--allow-empty"));
        self.on_paths(&commit, &paths, Some(message))?;
        Ok(self.update_index().err().into_iter().map(stale_index).collect())
    }

    /// Takes into the index what HEAD changes. `commit --only` commits from an index of its own, in
    /// which hooks run: what they add would look as if it had been removed again.
    fn update_index(&self) -> Result<()> {
        let changed = ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD~", "HEAD"];
        let changed = self.read(&changed)?;
        let paths: Vec<String> = changed.split_terminator('\0').map(literal).collect();
        // Without a path it would reset the whole index.
        if paths.is_empty() { Ok(()) } else { self.on_paths(&["reset", "--quiet"], &paths, None) }
    }

    /// Runs a command on paths, of which there may be more than a command line holds.
    fn on_paths(&self, command: &[&str], paths: &[String], input: Option<&str>) -> Result<()> {
        let temporary = Temporary::new()?;
        let list = temporary.path().join("paths");
        fs::write(&list, paths.join("\0"))?;
        let from = format!("--pathspec-from-file={}", list.display());
        let arguments = [command, &["--pathspec-file-nul", &from]].concat();
        self.read_fed(&arguments, input).map(drop)
    }
}

fn stale_index(error: anyhow::Error) -> Finding {
    let message = format!("the commit is made, and the index is as it was: {error:#}");
    Finding::warning(Rule::Commit, message).hint("git reset")
}

#[cfg(test)]
mod tests {
    use crate::effects::repository::git::testing::Repository;

    #[test]
    fn what_a_hook_adds_is_in_the_commit_and_what_else_is_staged_is_not() {
        let repository = Repository::new();
        repository.write("a*", "1");
        repository.write("ab", "1");
        repository.commit("feat: x");
        repository.hook(
            "pre-commit",
            "echo formatted >> 'a*'\necho new > other\ngit add . ':(exclude)ab' ':(exclude)staged'",
        );
        repository.write("a*", "2");
        repository.write("ab", "2");
        repository.write("staged", "mine");
        repository.run(&["add", "staged"]);
        assert!(repository.git().commit("chore: y", &["a*".to_owned()]).unwrap().is_empty());
        let committed = repository.run(&["show", "--name-only", "--format="]);
        assert_eq!(committed, "a*\nother");
        assert_eq!(repository.run(&["show", "HEAD:a*"]), "2formatted");
        assert_eq!(repository.run(&["status", "--porcelain"]), " M ab\nA  staged");
    }

    /// Patterns in a hook mean what they always do.
    #[test]
    fn a_hook_sees_patterns() {
        let repository = Repository::new();
        repository.write("a.py", "1");
        repository.commit("feat: x");
        repository.hook("pre-commit", "[ \"$(git ls-files '*.py')\" = a.py ]");
        repository.write("a.py", "2");
        repository.git().commit("chore: y", &["a.py".to_owned()]).unwrap();
    }
}
