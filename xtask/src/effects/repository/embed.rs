//! Embeds this tool into a repository: reads what the repository has, and the changes that copy the crate.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::embed::CRATE;
use domain::text::toml::TomlFile;
use domain::text::words::first_few;
use walkdir::{DirEntry, WalkDir};
use xshell::cmd;

use crate::effects::fs::files::Changes;
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

/// The hashes of the files that were written last, beside them.
const STAMP: &str = "xtask/.embedded";

/// The changes that bring the crate in `root` up to date. A file that somebody added stays.
///
/// # Errors
/// Somebody has changed a file that would be replaced, or a file cannot be read.
pub(crate) fn crate_changes(root: &Path) -> Result<Changes> {
    let stamp = fs::read_to_string(root.join(STAMP)).ok();
    let written = stamp.as_deref().map(read_stamp);
    let ours = crate_files()?;
    let mut changes = Changes::default();
    let mut changed = Vec::new();
    for (path, text) in &ours {
        let before = text_of(&root.join(path))?;
        let is_ours = before.as_ref().is_none_or(|before| {
            before == text || written.as_ref().is_none_or(|it| is_written(it, path, before))
        });
        if !is_ours {
            changed.push(path.clone());
        }
        changes.put(path.clone(), before.map(Into::into), text.clone());
    }
    for path in written.iter().flat_map(HashMap::keys) {
        let Some(text) = text_of(&root.join(path))? else { continue };
        if path.starts_with("xtask/") && ours.iter().all(|(own, _)| own != path) {
            if !written.as_ref().is_some_and(|it| is_written(it, path, &text)) {
                changed.push((*path).to_owned());
            }
            changes.gone.push(((*path).to_owned(), text));
        }
    }
    if stamp.is_none() {
        changed.extend(uncommitted(root)?);
    }
    refuse_changed(changed)?;
    let after =
        ours.iter().map(|(path, text)| format!("{}  {path}\n", paths::digest(text.as_bytes())));
    let after: String = after.collect();
    changes.put(STAMP.to_owned(), stamp.map(Into::into), after);
    Ok(changes)
}

fn read_stamp(text: &str) -> HashMap<&str, &str> {
    text.lines().filter_map(|line| line.split_once("  ")).map(|(hash, path)| (path, hash)).collect()
}

fn is_written(written: &HashMap<&str, &str>, path: &str, text: &str) -> bool {
    written.get(path).is_some_and(|hash| **hash == paths::digest(text.as_bytes()))
}

/// The files of the crate that git has not committed, where no stamp tells what was written.
fn uncommitted(root: &Path) -> Result<Vec<String>> {
    match Git::at(root) {
        Some(git) if root.join(CRATE).exists() => git.dirty_among(&[CRATE.to_owned()]),
        _ => Ok(Vec::new()),
    }
}

fn refuse_changed(mut changed: Vec<String>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    changed.sort();
    changed.dedup();
    let named = first_few(&changed);
    let message = format!("these files have changed since the tool was embedded: {named}");
    let hint =
        format!("commit or move the changes, then `rm {}` and embed again", changed.join(" "));
    Err(Refusal::from(Finding::error(Rule::Embed, message).hint(hint)).into())
}

fn text_of(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

/// Every file of the crate, by its path in another repository.
fn crate_files() -> Result<Vec<(String, String)>> {
    let from = own_crate();
    if !from.join("Cargo.toml").is_file() {
        bail!("cannot copy this tool: its sources are not in `{}` any more", from.display());
    }
    let mut files = Vec::new();
    for part in PARTS {
        for entry in WalkDir::new(from.join(part)).sort_by_file_name() {
            let entry = entry?;
            let path = relative(from, entry.path());
            if !entry.file_type().is_dir() && !path.contains("__pycache__") {
                files.push((format!("{CRATE}/{path}"), read(entry.path())?));
            }
        }
    }
    if let Some(handbook) = handbook::file() {
        files.push((format!("{CRATE}/{HANDBOOK}"), read(&handbook)?));
    }
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// The Cargo.lock of the workspace that this crate is in.
///
/// # Errors
/// It cannot be read.
pub(crate) fn own_lock() -> Result<String> {
    let root = own_crate().parent().context("the crate is not in a repository")?;
    read(&root.join("Cargo.lock"))
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
