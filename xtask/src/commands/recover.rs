//! Before any command: finishes what a killed one has left half written.

use std::path::Path;

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};

use crate::effects::fs::journal::Interrupted;
use crate::effects::repository::git::Git;
use crate::ui;

/// Finishes an interrupted command, and says so. Returns whether that is what `arguments` asks
/// for: then there is nothing left to do.
///
/// # Errors
/// A file has changed since, so that neither finishing nor undoing is safe; or a file cannot be
/// replaced.
pub(crate) fn finish_interrupted(root: &Path, arguments: &[String]) -> Result<bool> {
    let Some(interrupted) = Interrupted::find(root)? else { return Ok(false) };
    if interrupted.has_not_begun() {
        interrupted.end();
        return Ok(false);
    }
    let request = interrupted.request.join(" ");
    let (written, all) = interrupted.written();
    if let [first, ..] = interrupted.changed()[..] {
        let message = format!(
            "`{request}` was interrupted after {written} of {all} files, and `{first}` has changed since"
        );
        interrupted.end();
        let finding = Finding::error(Rule::Edit, message);
        return Err(Refusal::from(finding.hint("git diff")).into());
    }
    interrupted.finish_files(root)?;
    commit(root, &interrupted)?;
    eprintln!(
        "note: `{request}` was interrupted; finished it ({written} of {all} files were written)"
    );
    let same = interrupted.request == arguments;
    interrupted.end();
    Ok(same)
}

/// Makes the commit that belongs to it, unless it was made.
fn commit(root: &Path, interrupted: &Interrupted) -> Result<()> {
    let Some(commit) = &interrupted.commit else { return Ok(()) };
    let Some(git) = Git::at(root) else { return Ok(()) };
    if git.dirty_among(&commit.paths)?.is_empty() {
        return Ok(());
    }
    let warnings = git.commit(&commit.message, &commit.paths).map_err(|error| {
        let request = interrupted.request.join(" ");
        let message = format!("`{request}` was interrupted, and its commit still fails: {error:#}");
        // git leaves its lock when it is killed, and cannot tell whether its owner is alive.
        let lock = root.join(".git/index.lock");
        let hint = if lock.exists() { "rm .git/index.lock" } else { "git status" };
        Refusal::from(Finding::error(Rule::Commit, message).hint(hint))
    })?;
    ui::findings(&warnings);
    Ok(())
}
