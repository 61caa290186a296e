//! `embed`: this tool, put into another repository, and what it finds there.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use domain::finding::{Finding, Refusal, Rule};
use domain::scaffold::embed::{self, CRATE, Settings};
use domain::scaffold::template::TEMPLATES;
use domain::scaffold::{flat_layout, shared};
use domain::text::edit::{Edit, Write, splice};
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};
use formats::splice::Splice;

use crate::cli::EmbedOptions;
use crate::effects::fs::files::Changes;
use crate::effects::fs::tree::Tree;
use crate::effects::repository::git::Git;
use crate::effects::repository::{discover, embed as there, templates};
use crate::ui::{self, Style, paint};

const CARGO: &str = "Cargo.toml";
const CONFIG: &str = ".cargo/config.toml";
const LOCK: &str = "Cargo.lock";

/// # Errors
/// There is nothing to release there, something else is called xtask, or it cannot be written.
pub(crate) fn run(options: &EmbedOptions) -> Result<ExitCode> {
    let dir = &options.dir;
    let root = dir.canonicalize().with_context(|| format!("{}", dir.display()))?;
    refuse_what_is_not_ours(&root)?;
    let tree = Tree::walk(&root)?;
    let workspace = discover::judged(&root, &tree, Judgement::Warn)?;
    if workspace.distributions.iter().all(|d| d.manifest.excluded.is_some()) {
        let nothing = Finding::error(Rule::Embed, format!("no distribution in {}", root.display()));
        return Err(
            Refusal::from(nothing.hint("a distribution is a pyproject.toml with a name")).into()
        );
    }
    let again = root.join(CRATE).is_dir();
    let mut files = Changes::default();
    cargo_toml(&root, &workspace, &mut files)?;
    cargo_config(&root, &mut files)?;
    lock(&tree, &mut files)?;
    ignored(&root, &tree, &mut files)?;
    if !root.join(TEMPLATES).exists() {
        all_templates(&root, &workspace, &mut files)?;
    }
    there::put(&root, &files)?;
    there::settle_lock(&root)?;
    report(&root, &tree, &workspace, &files, again)?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_what_is_not_ours(root: &Path) -> Result<()> {
    let own = there::own_crate();
    let place = root.join(CRATE);
    if place.canonicalize().ok().as_deref() == own.canonicalize().ok().as_deref() {
        let here =
            Finding::error(Rule::Embed, format!("{} is where this tool lives", root.display()));
        return Err(Refusal::from(here.hint("name another repository")).into());
    }
    if !place.exists() {
        return Ok(());
    }
    let ours = there::toml(own, CARGO)?.context("this crate has a Cargo.toml")?;
    match there::toml(&place, CARGO)? {
        Some(theirs) if embed::is_this_crate(&theirs, &ours) => Ok(()),
        _ => Err(Refusal::from(
            Finding::error(Rule::Embed, "something else is called xtask there")
                .at(format!("{CRATE}/{CARGO}"), 1)
                .hint("give it another name first; this tool is always called xtask"),
        )
        .into()),
    }
}

fn cargo_toml(root: &Path, workspace: &Workspace, files: &mut Changes) -> Result<()> {
    let (remote, branch) = there::remote_and_branch(root)?;
    let usual = ["main", "master"];
    let settings = Settings {
        packages: embed::patterns(workspace, &|parent| there::beside(root, parent)),
        branch: branch.filter(|branch| !usual.contains(&branch.as_str())),
        remote,
        crates: there::lone_crates(root),
    };
    match there::toml(root, CARGO)? {
        None => files.new.push((CARGO.to_owned(), embed::new_cargo_toml(&settings))),
        Some(file) => {
            let splices = embed::cargo_toml(&file, &settings).map_err(Refusal::from)?;
            files.writes.extend(changed(&file, splices)?);
        }
    }
    Ok(())
}

fn cargo_config(root: &Path, files: &mut Changes) -> Result<()> {
    // The old name without an extension; Cargo reads it first where both are there.
    let old = ".cargo/config";
    let path = if root.join(old).is_file() { old } else { CONFIG };
    match there::toml(root, path)? {
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
    match tree.read(LOCK) {
        None => files.new.push((LOCK.to_owned(), ours)),
        Some(source) => {
            let after = embed::merged_lock(&source.text, &ours);
            let path = LOCK.to_owned();
            files.writes.push(Write { path, before: source.text, after });
        }
    }
    Ok(())
}

/// What Cargo builds is nothing for git.
fn ignored(root: &Path, tree: &Tree, files: &mut Changes) -> Result<()> {
    let Some(git) = Git::at(root) else { return Ok(()) };
    let built = "target/debug/xtask".to_owned();
    if !git.ignored(std::slice::from_ref(&built))?.is_empty() {
        return Ok(());
    }
    let path = ".gitignore".to_owned();
    match tree.read(&path) {
        None => files.new.push((path, "/target/\n".to_owned())),
        Some(source) => {
            let newline = if source.text.contains("\r\n") { "\r\n" } else { "\n" };
            let gap =
                if source.text.is_empty() || source.text.ends_with('\n') { "" } else { newline };
            let after = format!("{}{gap}/target/{newline}", source.text);
            files.writes.push(Write { path, before: source.text, after });
        }
    }
    Ok(())
}

fn all_templates(root: &Path, workspace: &Workspace, files: &mut Changes) -> Result<()> {
    let manifests: Vec<TomlFile> = workspace
        .distributions
        .iter()
        .filter(|distribution| distribution.manifest.excluded.is_none())
        .filter_map(|distribution| there::toml(root, &distribution.manifest.path).ok().flatten())
        .collect();
    files.new.push((shared::FILE.to_owned(), embed::shared_toml(&manifests)));
    let Some(folder) = templates::beside_the_crate().filter(|folder| folder.is_dir()) else {
        return Ok(());
    };
    let own = [shared::FILE, shared::FOLDER].map(|path| path.trim_start_matches(TEMPLATES));
    for (path, text) in templates::texts(&folder)? {
        // What is shared here is this repository's own.
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

fn report(
    root: &Path,
    tree: &Tree,
    workspace: &Workspace,
    files: &Changes,
    again: bool,
) -> Result<()> {
    let done = if again { "updated:" } else { "embedded:" };
    eprintln!("{} xtask in {}", paint(Style::Good, done), root.display());
    let folders =
        |path: &str| path.split_once('/').map_or(path.to_owned(), |(top, _)| format!("{top}/"));
    let mut written: Vec<String> = files
        .writes
        .iter()
        .filter(|write| *write.before != write.after)
        .map(|write| format!("{} (changed)", write.path))
        .chain(files.new.iter().map(|(path, _)| folders(path)))
        .chain([format!("{CRATE}/")])
        .collect();
    written.dedup();
    eprintln!("  {}", written.join(", "));
    let real = workspace.distributions.iter().filter(|d| d.manifest.excluded.is_none());
    let rows: Vec<Vec<String>> = real
        .map(|distribution| {
            let (file, line) = distribution.manifest.version.place();
            let version = distribution.version().map_or("?".to_owned(), ToString::to_string);
            vec![distribution.name().to_string(), version, format!("{file}:{line}")]
        })
        .collect();
    ui::table(&["distribution", "version", "where it stands"], &rows);
    ui::findings(&embed::limits(workspace));
    if workspace.distributions.iter().any(|d| d.dir.is_empty() && d.manifest.excluded.is_none()) {
        let swallowed = tree.with_files(|files| flat_layout::swallows(CRATE, files));
        ui::findings(swallowed.as_slice());
    }
    // Read as every other command will read it.
    if let Err(error) = discover::workspace(root) {
        ui::error(&error);
    }
    if Git::at(root).is_none() {
        let note =
            Finding::warning(Rule::Embed, "there is no git repository: nothing can be released");
        ui::findings(&[note.hint("git init, and a first commit")]);
    }
    for (path, why) in embed::excluded(workspace) {
        eprintln!("  left aside: {path}, {why}");
    }
    let next = format!("cd {} && cargo xtask status", root.display());
    eprintln!("{} {next}", paint(Style::Hint, "hint:"));
    Ok(())
}
