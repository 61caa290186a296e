//! `embed`: puts this tool into another repository and reports the distributions there.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::embed::{self, CRATE, Settings};
use domain::scaffold::template::TEMPLATES;
use domain::scaffold::{flat_layout, shared};
use domain::text::edit::{Edit, Write, splice};
use domain::text::insert;
use domain::text::toml::TomlFile;
use domain::workspace::{Distribution, Judgement, Workspace};
use formats::splice::Splice;

use crate::ExitStatus;
use crate::cli::EmbedOptions;
use crate::commands::recover;
use crate::effects::fs::files::{self, Changes};
use crate::effects::fs::tree::Tree;
use crate::effects::repository::git::Git;
use crate::effects::repository::{discover, embed as there, templates, toml_file};
use crate::ui::text::table;
use crate::ui::{self, Style, paint};

const CARGO: &str = "Cargo.toml";
const CONFIG: &str = ".cargo/config.toml";
const LOCK: &str = "Cargo.lock";

/// # Errors
/// The other repository has no distribution, or another crate `xtask`, or cannot be written.
pub(crate) fn run(options: &EmbedOptions) -> Result<ExitStatus> {
    let dir = &options.dir;
    let root = dir.canonicalize().with_context(|| format!("`{}`", dir.display()))?;
    refuse_foreign_crate(&root)?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Whatever it was, this run brings the files up to date.
    recover::finish_interrupted(&root, &arguments)?;
    let tree = discover::tree(&root)?;
    let workspace = discover::judged(&root, &tree, Judgement::Warn)?;
    if workspace.distributions.iter().all(|d| d.manifest.excluded.is_some()) {
        return refuse(
            &format!("`{}` has no distribution", root.display()),
            "add a pyproject.toml with a project name",
        );
    }
    let again = root.join(CRATE).is_dir();
    let mut files = Changes::default();
    cargo_toml(&root, &workspace, &mut files)?;
    cargo_config(&root, &mut files)?;
    lock(&tree, &mut files)?;
    ignore_target(&root, &tree, &mut files)?;
    if !root.join(TEMPLATES).exists() {
        add_templates(&root, &workspace, &mut files)?;
    }
    let of_crate = there::crate_changes(&root)?;
    let mut all = files.clone();
    all.writes.extend(of_crate.writes);
    all.new.extend(of_crate.new);
    all.gone.extend(of_crate.gone);
    files::change(&root, &all)?;
    there::settle_lock(&root)?;
    report_files(&root, &files, again);
    report_distributions(&root, &tree, &workspace);
    let next = format!("`cd {} && cargo xtask status`", root.display());
    eprintln!("{} {next}", paint(Style::Hint, "hint:"));
    Ok(ExitStatus::Done)
}

fn refuse<T>(message: &str, hint: &str) -> Result<T> {
    Err(Refusal::from(Finding::error(Rule::Embed, message).hint(hint)).into())
}

/// Refuses this repository itself, and one with another crate where this one belongs.
fn refuse_foreign_crate(root: &Path) -> Result<()> {
    let own = there::own_crate();
    let dir = root.join(CRATE);
    if dir.canonicalize().ok() == own.canonicalize().ok() {
        let message = format!("`{}` is the repository of this tool", root.display());
        return refuse(&message, "pass the directory of another repository");
    }
    if !dir.exists() {
        return Ok(());
    }
    // An embedded crate has no fuzz targets.
    if dir.join("fuzz/Cargo.toml").is_file() {
        let message = format!("`{}` is another checkout of this tool", root.display());
        return refuse(&message, "run `git pull` there");
    }
    let ours = toml_file(own, CARGO)?.context("this crate has no Cargo.toml")?;
    match toml_file(&dir, CARGO)? {
        Some(theirs) if embed::is_this_crate(&theirs, &ours) => Ok(()),
        _ => Err(Refusal::from(
            Finding::error(Rule::Embed, "another crate is called `xtask`")
                .at(format!("{CRATE}/{CARGO}"), 1)
                .hint("rename it first; this tool is always called `xtask`"),
        )
        .into()),
    }
}

fn cargo_toml(root: &Path, workspace: &Workspace, files: &mut Changes) -> Result<()> {
    let (remote, branch) = there::remote_and_branch(root)?;
    let settings = Settings {
        packages: embed::patterns(workspace, &|parent| there::beside(root, parent)),
        branch: branch.filter(|branch| !["main", "master"].contains(&branch.as_str())),
        remote,
        crates: there::lone_crates(root),
    };
    match toml_file(root, CARGO)? {
        None => files.new.push((CARGO.to_owned(), embed::new_cargo_toml(&settings))),
        Some(file) => {
            let splices = embed::cargo_toml(&file, &settings).map_err(Refusal::from)?;
            files.writes.extend(changed(&file, splices)?);
        }
    }
    Ok(())
}

fn cargo_config(root: &Path, files: &mut Changes) -> Result<()> {
    // The old name without an extension, which Cargo prefers where both exist.
    let old = ".cargo/config";
    let path = if root.join(old).is_file() { old } else { CONFIG };
    match toml_file(root, path)? {
        None => files.new.push((path.to_owned(), embed::new_cargo_config())),
        Some(file) => {
            let splice = embed::cargo_config(&file).map_err(Refusal::from)?;
            files.writes.extend(changed(&file, splice.into_iter().collect())?);
        }
    }
    Ok(())
}

fn changed(file: &TomlFile, splices: Vec<Splice>) -> Result<Option<Write>> {
    if splices.is_empty() {
        return Ok(None);
    }
    let edits: Vec<Edit> =
        splices.into_iter().map(|splice| Edit::of_field(file, splice, "")).collect();
    let write = splice(&file.path, file.text(), &edits.iter().collect::<Vec<_>>());
    write.map(Some).map_err(|why| anyhow!(why))
}

fn lock(tree: &Tree, files: &mut Changes) -> Result<()> {
    let ours = there::own_lock()?;
    let before = tree.read(LOCK).map(|source| source.text);
    let after = match &before {
        Some(theirs) => embed::merged_lock(theirs, &ours),
        None => ours,
    };
    files.put(LOCK.to_owned(), before, after);
    Ok(())
}

/// Has git ignore `target/`, unless it does already.
fn ignore_target(root: &Path, tree: &Tree, files: &mut Changes) -> Result<()> {
    let Some(git) = Git::at(root) else { return Ok(()) };
    if !git.ignored(&["target/debug/xtask".to_owned()])?.is_empty() {
        return Ok(());
    }
    let before = tree.read(".gitignore").map(|source| source.text);
    let text = before.as_deref().unwrap_or_default();
    let newline = insert::newline(text);
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { newline };
    let after = format!("{text}{gap}/target/{newline}");
    files.put(".gitignore".to_owned(), before, after);
    Ok(())
}

fn add_templates(root: &Path, workspace: &Workspace, files: &mut Changes) -> Result<()> {
    let manifests: Vec<TomlFile> = workspace
        .distributions
        .iter()
        .filter(|distribution| distribution.manifest.excluded.is_none())
        .filter_map(|distribution| toml_file(root, &distribution.manifest.path).ok().flatten())
        .collect();
    files.new.push((shared::FILE.to_owned(), embed::shared_toml(&manifests)));
    let Some(folder) = templates::beside_the_crate().filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    let own = [shared::FILE, shared::FOLDER].map(|path| path.trim_start_matches(TEMPLATES));
    for (path, text) in templates::texts(&folder)? {
        // The shared fields and files of this repository are its own.
        let is_shared = own.iter().any(|own| {
            format!("/{path}")
                .strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !is_shared {
            files.new.push((format!("{TEMPLATES}/{path}"), text));
        }
    }
    Ok(())
}

fn report_files(root: &Path, files: &Changes, again: bool) {
    let done = if again { "updated:" } else { "embedded:" };
    eprintln!("{} xtask in {}", paint(Style::Good, done), root.display());
    let changed = files.writes.iter().filter(|write| *write.before != write.after);
    let mut written: Vec<String> =
        changed.map(|write| format!("{} (changed)", write.path)).collect();
    written.extend(files.new.iter().map(|(path, _)| match path.split_once('/') {
        Some((top, _)) => format!("{top}/"),
        None => path.clone(),
    }));
    written.push(format!("{CRATE}/"));
    written.dedup();
    eprintln!("  {}", written.join(", "));
}

fn report_distributions(root: &Path, tree: &Tree, workspace: &Workspace) {
    let included: Vec<&Distribution> =
        workspace.distributions.iter().filter(|d| d.manifest.excluded.is_none()).collect();
    let rows = included.iter().map(|distribution| {
        let (file, line) = distribution.manifest.version.location();
        let version = distribution.version().map_or("?".to_owned(), ToString::to_string);
        vec![distribution.name().to_string(), version, format!("{file}:{line}")]
    });
    table(&["distribution", "version", "defined in"], &rows.collect::<Vec<_>>());
    ui::findings(&embed::limits(workspace));
    if included.iter().any(|distribution| distribution.dir.is_empty()) {
        let swallowed = tree.with_files(|files| flat_layout::swallows(CRATE, files));
        ui::findings(swallowed.as_slice());
    }
    // As every other command will read the repository.
    if let Err(error) = discover::workspace(root) {
        ui::error(&error);
    }
    if Git::at(root).is_none() {
        let message = "this is not a git repository, so nothing can be released";
        ui::findings(&[
            Finding::warning(Rule::Embed, message).hint("run `git init`, then make a first commit")
        ]);
    }
    for (path, why) in embed::excluded(workspace) {
        eprintln!("  excluded: {path}, {why}");
    }
}
