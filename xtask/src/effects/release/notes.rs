//! Release notes: read from the changelog of what was released, handed to `gh`.

use std::path::Path;

use anyhow::Result;
use domain::bump::CHANGELOGS;
use domain::release::plan::Lookup;
use domain::workspace::Distribution;
use formats::pep440::Version;
use formats::release_notes;
use xshell::{Shell, cmd};

use crate::effects::process::shell;

/// What the changelog of a distribution says about a version. `source` is the tree that was
/// released.
pub(crate) fn read(
    source: &Path,
    distribution: &Distribution,
    version: &Version,
) -> Option<String> {
    let dir = source.join(&distribution.dir);
    let text = CHANGELOGS.iter().find_map(|name| std::fs::read_to_string(dir.join(name)).ok())?;
    release_notes::of(&text, version)
}

/// Whether GitHub has a release of a tag. Not having got an answer is none.
pub(crate) fn is_on_github(root: &Path, tag: &str) -> Lookup<bool> {
    let view = |sh: &Shell| shell::output(cmd!(sh, "gh release view {tag}"));
    match shell::at(root).and_then(|sh| view(&sh)) {
        Ok(output) if output.success() => Lookup::Known(true),
        // The one sentence with which gh says so; everything else may be the way to GitHub.
        Ok(output) if output.stderr.contains("release not found") => Lookup::Known(false),
        Ok(output) => Lookup::Unknown(output.stderr.trim().to_owned()),
        Err(error) => Lookup::Unknown(format!("{error:#}")),
    }
}

/// Makes a release of a tag on GitHub. The tag has to be on the remote already.
///
/// # Errors
/// `gh` is not there, or refuses.
pub(crate) fn publish(root: &Path, tag: &str, title: &str, notes: &str) -> Result<()> {
    let sh = shell::at(root)?;
    let create = cmd!(sh, "gh release create {tag} --verify-tag --title {title} --notes-file -");
    shell::read(create.stdin(notes)).map(drop)
}
