//! Release notes: read from the changelog of what was released, handed to `gh`.

use std::path::Path;

use anyhow::Result;
use domain::bump::CHANGELOGS;
use domain::release::plan::Lookup;
use domain::workspace::Distribution;
use formats::pep440::Version;
use formats::release_notes;
use xshell::cmd;

use crate::effects::process::shell;

/// The entry of a version in the changelog of a distribution. `source` is the released tree.
pub(crate) fn read(
    source: &Path,
    distribution: &Distribution,
    version: &Version,
) -> Option<String> {
    let dir = source.join(&distribution.dir);
    let text = CHANGELOGS.iter().find_map(|name| std::fs::read_to_string(dir.join(name)).ok())?;
    release_notes::of(&text, version)
}

/// Whether GitHub has a release of a tag.
pub(crate) fn is_on_github(root: &Path, tag: &str) -> Lookup<bool> {
    let view = shell::at(root).and_then(|sh| shell::output(cmd!(sh, "gh release view {tag}")));
    match view {
        Ok(output) if output.success() => Lookup::Known(true),
        // The one message of gh for it; every other failure may be one of the network.
        Ok(output) if output.stderr.contains("release not found") => Lookup::Known(false),
        Ok(output) => Lookup::Unknown(output.stderr.trim().to_owned()),
        Err(error) => Lookup::Unknown(format!("{error:#}")),
    }
}

/// Creates the GitHub release of a tag. The tag has to be on the remote already.
///
/// # Errors
/// `gh` is not installed, or fails.
pub(crate) fn publish(root: &Path, tag: &str, title: &str, notes: &str) -> Result<()> {
    let sh = shell::at(root)?;
    let create = cmd!(sh, "gh release create {tag} --verify-tag --title {title} --notes-file -");
    shell::read(create.stdin(notes)).map(drop)
}
