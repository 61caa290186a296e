//! Embeds this tool into a repository: reads what the repository has, and copies the crate.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::embed::CRATE;
use domain::text::toml::TomlFile;
use walkdir::{DirEntry, WalkDir};
use xshell::cmd;

use crate::effects::fs::files::{self, Changes};
use crate::effects::fs::tree::relative;
use crate::effects::paths;
use crate::effects::process::shell;
use crate::effects::repository::git::Git;
use crate::effects::repository::handbook::{self, HANDBOOK};

/// The crate that this program was built from.
pub(crate) fn own_crate() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The parts of the crate that are copied; the benchmarks because the manifest names them. Its tests
/// of this repository are not. The handbook, which is beside the crate, is copied into it.
const PARTS: [&str; 6] = ["Cargo.toml", "benches", "domain", "formats", "src", "tools"];

/// The only remote, if it is not called `origin`, and the branch that is checked out.
///
/// # Errors
/// git fails.
pub(crate) fn remote_and_branch(root: &Path) -> Result<(Option<String>, Option<String>)> {
    let Some(git) = Git::at(root) else { return Ok((None, None)) };
    let mut remotes = git.remotes()?;
    let remote = if remotes.len() == 1 { remotes.pop() } else { None };
    Ok((remote.filter(|name| name != "origin"), git.branch()))
}

/// Folders of crates outside `xtask/`, relative to the root, that have no workspace of their own: a
/// workspace around them would claim them.
pub(crate) fn lone_crates(root: &Path) -> Vec<String> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(may_hold_sources)
        .filter_map(Result::ok)
        .filter(|entry| entry.depth() > 1 && entry.file_name() == "Cargo.toml")
        .filter(|entry| is_lone_crate(entry.path()))
        .filter_map(|entry| Some(relative(root, entry.path().parent()?)))
        .filter(|dir| !Path::new(dir).starts_with(CRATE))
        .collect()
}

fn may_hold_sources(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "node_modules")
}

fn is_lone_crate(manifest: &Path) -> bool {
    let Ok(text) = fs::read_to_string(manifest) else { return false };
    TomlFile::parse("Cargo.toml", text.into())
        .is_ok_and(|file| file.get("workspace").is_none() && file.get("package").is_some())
}

/// The folders in `parent` that hold a pyproject.toml.
pub(crate) fn beside(root: &Path, parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(parent)).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter(|entry| entry.path().join("pyproject.toml").is_file())
        .map(|entry| format!("{parent}/{}", entry.file_name().to_string_lossy()))
        .collect()
}

/// Copies the crate into the repository and makes the changes, all or nothing.
///
/// # Errors
/// A file cannot be read or written.
pub(crate) fn put(root: &Path, plan: &Changes) -> Result<()> {
    let partial = root.join(format!(".{CRATE}.{}.tmp", std::process::id()));
    let copied = copy_crate(&partial).and_then(|()| files::change(root, plan)).and_then(|()| {
        // If undoing them fails as well, git shows what is left of them.
        swap(&partial, &root.join(CRATE)).inspect_err(|_| _ = files::undo(root, plan))
    });
    if copied.is_err() {
        // A partial copy, which git would show; the error told why it is partial.
        let _ = fs::remove_dir_all(&partial);
    }
    copied
}

fn swap(partial: &Path, target: &Path) -> Result<()> {
    let old = partial.with_extension("old");
    let failed = || format!("cannot replace `{}`", target.display());
    if target.exists() {
        fs::rename(target, &old).with_context(failed)?;
    }
    if let Err(error) = fs::rename(partial, target) {
        let _ = fs::rename(&old, target);
        return Err(error).with_context(failed);
    }
    paths::remove(&old)
}

fn copy_crate(to: &Path) -> Result<()> {
    let from = own_crate();
    if !from.join("Cargo.toml").is_file() {
        bail!("cannot copy this tool: its sources are not in `{}` any more", from.display());
    }
    for part in PARTS {
        for entry in WalkDir::new(from.join(part)) {
            let entry = entry?;
            let relative = entry.path().strip_prefix(from)?;
            let is_compiled = relative.to_string_lossy().contains("__pycache__");
            if entry.file_type().is_dir() || is_compiled {
                continue;
            }
            copy(entry.path(), &to.join(relative))?;
        }
    }
    handbook::file().map_or(Ok(()), |file| copy(&file, &to.join(HANDBOOK)))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy `{}`", from.display()))
}

/// The Cargo.lock of the workspace that this crate is in.
///
/// # Errors
/// It cannot be read.
pub(crate) fn own_lock() -> Result<String> {
    let path = own_crate().parent().context("the crate is not in a repository")?.join("Cargo.lock");
    fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Lets Cargo update the lock for the crate: offline if that is enough.
///
/// # Errors
/// Cargo cannot make a lock for this workspace.
pub(crate) fn settle_lock(root: &Path) -> Result<()> {
    let sh = shell::at(root)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let offline = shell::output(cmd!(sh, "{cargo} update --quiet --workspace --offline"))?;
    if offline.success() {
        return Ok(());
    }
    shell::read(cmd!(sh, "{cargo} update --quiet --workspace")).map(drop).map_err(|error| {
        let message = format!("Cargo could not update `Cargo.lock`: {error}");
        let hint = "the tool is embedded; run `cargo update --workspace` in that repository";
        Refusal::from(Finding::error(Rule::Embed, message).hint(hint)).into()
    })
}
