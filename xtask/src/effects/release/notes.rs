//! Release notes: read from the changelog of what was released, handed to `gh`.

use std::path::Path;

use anyhow::Result;
use domain::bump::changelog_paths;
use domain::finding::Rule;
use domain::release::plan::Lookup;
use domain::release::preflight::Check;
use domain::text::harmless;
use domain::workspace::Distribution;
use formats::pep440::Version;
use formats::release_notes;
use xshell::cmd;

use crate::effects::process::{programs, shell};

/// The entry of a version in the changelog of a distribution. `source` is the released tree.
pub(crate) fn read(
    source: &Path,
    distribution: &Distribution,
    version: &Version,
) -> Option<String> {
    let folders = [distribution.dir.as_str(), ""];
    let paths = folders.iter().flat_map(|dir| changelog_paths().map(move |path| (dir, path)));
    let (path, text) = paths.into_iter().find_map(|(dir, path)| {
        let text = std::fs::read_to_string(source.join(dir).join(&path)).ok()?;
        Some((path, text))
    })?;
    let notes = release_notes::of(&path, &text, distribution.name(), version)?;
    Some(harmless::without_controls(&notes, false))
}

/// Whether `gh` is there and logged in, which announcing needs once everything is published.
pub(crate) fn check() -> Check {
    let login = "run `gh auth login`, or set `GH_TOKEN`, or leave `--github` out";
    if programs::find("gh").is_none() {
        let hint = "install it (https://cli.github.com), or leave `--github` out";
        return Check::failed(Rule::Github, "`--github` needs `gh`, which is not installed", hint);
    }
    let status = shell::at(Path::new(".")).and_then(|sh| shell::output(cmd!(sh, "gh auth status")));
    let said = match status {
        Ok(output) if output.success() => return Check::passed(Rule::Github, "`gh` is logged in"),
        Ok(output) => output.both(),
        Err(error) => format!("{error:#}"),
    };
    let reason = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    // Its words for no login, and for one that has expired; every other failure may pass.
    let fails = said.contains("not logged in") || said.contains("Failed to log in");
    if fails && !said.contains("Logged in to") {
        return Check::failed(Rule::Github, format!("`gh` is not logged in: {reason}"), login);
    }
    Check::noted(
        Rule::Github,
        format!("`gh auth status` does not say whether it is logged in: {reason}"),
        login,
    )
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
