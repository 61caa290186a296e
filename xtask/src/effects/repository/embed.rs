//! Reads what a repository has before this tool is put into it, and puts it there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::embed::CRATE;
use domain::text::toml::TomlFile;
use walkdir::{DirEntry, WalkDir};
use xshell::cmd;

use crate::effects::fs::files::{self, Changes};
use crate::effects::paths;
use crate::effects::process::shell;
use crate::effects::repository::git::Git;
use crate::effects::repository::handbook::{self, HANDBOOK};

/// The crate that this program was built from.
pub(crate) fn own_crate() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The parts of the crate that go along, the benchmarks because the manifest names them; its tests of
/// this repository do not. The handbook that its messages name lies beside the crate, and joins it.
const PARTS: [&str; 6] = ["Cargo.toml", "benches", "domain", "formats", "src", "tools"];

/// A TOML file of a repository; `None` where there is none.
///
/// # Errors
/// It cannot be read, or is not TOML.
pub(crate) fn toml(root: &Path, path: &str) -> Result<Option<TomlFile>> {
    let full = root.join(path);
    if !full.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&full).with_context(|| format!("cannot read {path}"))?;
    Ok(Some(TomlFile::parse(path, text.into()).map_err(Refusal::from)?))
}

/// The only remote, where it is not called `origin`, and the branch that is checked out.
///
/// # Errors
/// git fails.
pub(crate) fn remote_and_branch(root: &Path) -> Result<(Option<String>, Option<String>)> {
    let Some(git) = Git::at(root) else { return Ok((None, None)) };
    let mut remotes = git.remotes()?;
    let remote = if remotes.len() == 1 { remotes.pop() } else { None };
    Ok((remote.filter(|name| name != "origin"), git.branch()))
}

/// Folders of crates outside `xtask/`, relative to the root, that have no workspace of their own:
/// a workspace around them would claim them.
pub(crate) fn lone_crates(root: &Path) -> Vec<String> {
    let own = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == "target" || name == "node_modules")
    };
    let manifests = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(own);
    manifests
        .filter_map(Result::ok)
        .filter(|entry| entry.depth() > 1 && entry.file_name() == "Cargo.toml")
        .filter_map(|entry| {
            let dir = entry.path().parent()?.strip_prefix(root).ok()?;
            let dir = dir.to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(entry.path()).ok()?;
            let file = TomlFile::parse("Cargo.toml", text.into()).ok()?;
            let lone = file.get("workspace").is_none() && file.get("package").is_some();
            (lone && !Path::new(&dir).starts_with(CRATE)).then_some(dir)
        })
        .collect()
}

/// The directories below the folders of `parent` that hold a pyproject.toml.
pub(crate) fn beside(root: &Path, parent: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(parent)).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter(|entry| entry.path().join("pyproject.toml").is_file())
        .map(|entry| format!("{parent}/{}", entry.file_name().to_string_lossy()))
        .collect()
}

/// Puts the crate and the files into the repository; nothing of it where one cannot be written.
///
/// # Errors
/// Something cannot be read or written.
pub(crate) fn put(root: &Path, plan: &Changes) -> Result<()> {
    let partial = root.join(format!(".{CRATE}.{}.tmp", std::process::id()));
    let copied = copy_crate(&partial).and_then(|()| files::change(root, plan)).and_then(|()| {
        // What fails in taking it back cannot be helped, and is what git shows.
        swap(&partial, &root.join(CRATE)).inspect_err(|_| _ = files::undo(root, plan))
    });
    if copied.is_err() {
        // Only a half-made copy; the error is what went wrong.
        let _ = fs::remove_dir_all(&partial);
    }
    copied
}

fn swap(partial: &Path, place: &Path) -> Result<()> {
    let old = partial.with_extension("old");
    if place.exists() {
        fs::rename(place, &old).with_context(|| format!("cannot replace {}", place.display()))?;
    }
    if let Err(error) = fs::rename(partial, place) {
        let _ = fs::rename(&old, place);
        return Err(error).with_context(|| format!("cannot replace {}", place.display()));
    }
    paths::remove(&old)
}

fn copy_crate(to: &Path) -> Result<()> {
    let from = own_crate();
    if !from.join("Cargo.toml").is_file() {
        bail!("the sources of this tool are no longer at {}", from.display());
    }
    for part in PARTS {
        for entry in WalkDir::new(from.join(part)) {
            let entry = entry?;
            let relative = entry.path().strip_prefix(from)?;
            let is_left_over = relative.to_string_lossy().contains("__pycache__");
            if entry.file_type().is_dir() || is_left_over {
                continue;
            }
            copy(entry.path(), &to.join(relative))?;
        }
    }
    handbook::file().map_or(Ok(()), |file| copy(&file, &to.join(HANDBOOK)))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy {}", from.display()))
}

/// The lock of the workspace that this crate lives in.
///
/// # Errors
/// It cannot be read.
pub(crate) fn own_lock() -> Result<String> {
    let path = own_crate().parent().context("the crate lies in a repository")?.join("Cargo.lock");
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Has Cargo put the lock in order: without a network where that is enough.
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
        anyhow!(Refusal::from(
            Finding::error(Rule::Embed, format!("Cargo cannot make a lock there: {error}"))
                .hint("the tool is in place; run `cargo update --workspace` there yourself"),
        ))
    })
}
