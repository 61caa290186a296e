//! `bump`: versions, sibling ranges, changelogs and locks, rewritten in place.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write as _};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::bump::step::Change;
use domain::bump::{self, Bump, BumpFacts, BumpPlan, BumpRequest, History, RangeMove, usual_tags};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::{DistributionId, IdVec};
use domain::manifest::version_source::DeclaredVersion;
use domain::text::edit::EditKind;
use domain::text::toml::nearest;
use domain::workspace::history::{TagRef, last_tag};
use domain::workspace::{Judgement, Workspace};
use formats::conventional_commits;

use crate::cli::BumpOptions;
use crate::effects::clock;
use crate::effects::fs::files;
use crate::effects::fs::tree::Tree;
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::{json, say};

/// # Errors
/// Nothing was written: the repository cannot be understood, or the bump is refused.
pub(crate) fn run(root: &Path, options: &BumpOptions) -> Result<ExitCode> {
    // Given back to the system with the process, at once, where dropping takes a piece at a time.
    let tree = ManuallyDrop::new(Tree::walk(root)?);
    let workspace = ManuallyDrop::new(discover::judged(root, &tree, Judgement::Warn)?);
    let request = request(&workspace, options)?;
    let git = Git::at(root);
    let history = histories(&workspace, git.as_ref(), &request)?;
    let plan = tree.with_files(|files| {
        bump::plan(BumpFacts { workspace: &workspace, files, history: &history }, &request)
    })?;
    let plan = ManuallyDrop::new(plan);

    match options.json {
        true => print_json(&plan)?,
        false => io::stdout().write_all(as_text(&workspace, &plan).as_bytes())?,
    }
    if options.dry_run || plan.writes.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if options.commit {
        refuse_dirty(git.as_ref(), &plan)?;
    }
    if !options.yes && !options.json && !confirmed()? {
        eprintln!("nothing was written");
        return Ok(ExitCode::FAILURE);
    }
    apply(root, git.as_ref().filter(|_| options.commit), &plan)?;
    if !options.json {
        say!("{} written", count(plan.writes.len(), "file"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the words mean here: all but the last are targets; the last is a change, if it reads as
/// one and names no distribution.
fn request(workspace: &Workspace, options: &BumpOptions) -> Result<BumpRequest> {
    let mut words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let mut change = Change::Auto;
    if let Some(last) = words.last() {
        let is_target = *last == "all" || workspace.is_target(last);
        let read: Result<Change, _> = last.parse();
        match read {
            Ok(read) if !is_target || words.len() > 1 => {
                change = read;
                words.pop();
            }
            Err(no_change) if !is_target && words.len() > 1 => {
                let hint = match nearest(last, Change::words()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "`cargo xtask status` lists the distributions".to_owned(),
                };
                let message = format!("{no_change}; nor is it a distribution");
                return Err(Refusal::from(Finding::error(Rule::Change, message).hint(hint)).into());
            }
            _ => {}
        }
    }
    let all = words.is_empty() || words == ["all"];
    let mut targets = Vec::new();
    let mut errors = Vec::new();
    for word in words.iter().filter(|_| !all) {
        match workspace.resolve(word) {
            Ok(at) => targets.push(at),
            Err(finding) => errors.push(finding),
        }
    }
    Refusal::unless_clean(errors)?;
    Ok(BumpRequest {
        targets,
        change,
        ranges: options.ranges.unwrap_or(workspace.config.ranges),
        dependents: options.dependents.unwrap_or_default(),
        date: clock::today(),
    })
}

/// What git knows, as far as the request needs it: tags for versions that come from them, and the
/// commits since them for `auto`.
fn histories(
    workspace: &Workspace,
    git: Option<&Git>,
    request: &BumpRequest,
) -> Result<IdVec<DistributionId, History>> {
    let distributions = &workspace.distributions;
    let auto = request.change == Change::Auto;
    let from_tag = |version: &DeclaredVersion| matches!(version, DeclaredVersion::FromTag { .. });
    let needed = auto || distributions.iter().any(|d| from_tag(&d.manifest.version));
    let mut histories = IdVec::like(distributions, History::default);
    let Some(git) = git.filter(|_| needed) else {
        if auto {
            let finding = Finding::error(
                Rule::Auto,
                "`auto` needs the commits since the last tag, and there is no git repository",
            )
            .hint("name the change: `cargo xtask bump all minor`");
            return Err(Refusal::from(finding).into());
        }
        return Ok(histories);
    };
    let tags = git.tags()?;
    let mut last: IdVec<DistributionId, Option<&TagRef>> = IdVec::like(distributions, || None);
    for id in distributions.ids() {
        let (distribution, history) = (&distributions[id], &mut histories[id]);
        let manifest = &distribution.manifest;
        let shared = from_tag(&manifest.version);
        let mut found = last_tag(&distribution.tag, &tags);
        if found.is_none() && manifest.config.tag.is_none() && (auto || shared) {
            let usual = usual_tags::usual(distribution.name(), &distribution.dir, shared, &tags);
            found = usual.map(|(pattern, version, tag)| {
                history.pattern = Some(pattern);
                (tag, version)
            });
        }
        last[id] = found.as_ref().map(|(tag, _)| *tag);
        history.last = found.map(|(tag, version)| (version, tag.name.clone()));
    }
    if auto {
        refuse_shallow(git, workspace, request, &last)?;
        add_commits(git, workspace, &last, &mut histories)?;
    }
    Ok(histories)
}

/// A clone that is cut off may lack tags, or commits between a tag and now.
fn refuse_shallow(
    git: &Git,
    workspace: &Workspace,
    request: &BumpRequest,
    last: &IdVec<DistributionId, Option<&TagRef>>,
) -> Result<()> {
    if !git.is_shallow()? {
        return Ok(());
    }
    let wanted = |id: &DistributionId| request.targets.is_empty() || request.targets.contains(id);
    let missing = last
        .ids()
        .filter(wanted)
        .filter(|id| last[*id].is_none_or(|tag| !git.is_ancestor(&tag.commit)));
    let names: Vec<String> =
        missing.map(|id| workspace.distributions[id].name().to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let shown = match names.len() {
        0..=5 => names.join(", "),
        many => format!("{} and {} more", names[..5].join(", "), many - 5),
    };
    let message = format!(
        "`auto` needs the commits since the last tag, and this clone is shallow: no tag of {shown} is in it"
    );
    let hint = "git fetch --unshallow --tags, or name the change";
    Err(Refusal::from(Finding::error(Rule::Auto, message).hint(hint)).into())
}

fn add_commits(
    git: &Git,
    workspace: &Workspace,
    last: &IdVec<DistributionId, Option<&TagRef>>,
    histories: &mut IdVec<DistributionId, History>,
) -> Result<()> {
    let tagged: Vec<(DistributionId, &str)> = last
        .enumerate()
        .filter_map(|(id, tag)| Some((id, tag.as_ref()?.commit.as_str())))
        .collect();
    let log = git.log_since(&tagged)?;
    for (id, commits) in workspace.commits_since(&tagged, &log) {
        let read = commits.iter().filter_map(|commit| conventional_commits::read(&commit.message));
        histories[id].commits.extend(read);
    }
    Ok(())
}

fn print_json(plan: &BumpPlan) -> io::Result<()> {
    let mut lists = json::Lists::new(io::stdout().lock());
    lists.list("bumps", &plan.bumps, |bump, fields| {
        fields.text("package", &bump.package)?;
        let from = bump.from.as_ref().map(ToString::to_string);
        fields.text_or_null("from", from.as_deref())?;
        fields.text("to", &bump.to.to_string())?;
        fields.text("reason", &bump.reason)
    })?;
    lists.list("edits", &plan.edits, |edit, fields| {
        fields.text("file", &edit.file)?;
        fields.number("line", edit.line)?;
        fields.text("kind", edit.kind.word())?;
        fields.text("package", &edit.package)?;
        fields.text("before", &edit.before)?;
        fields.text("after", &edit.after)
    })?;
    lists.list("notes", &plan.notes, |note, fields| {
        fields.text("file", &note.file)?;
        fields.number("line", note.line)?;
        fields.text("package", &note.package)?;
        fields.text("text", &note.text)
    })?;
    lists.end()
}

/// The plan for people: every bump with its ranges, then what goes with it, then the notes.
fn as_text(workspace: &Workspace, plan: &BumpPlan) -> String {
    let mut lines = Vec::new();
    lines.push(match plan.bumps.len() {
        0 => "Nothing to bump: no commit since the last tags asks for a release.".to_owned(),
        many => format!("Bump plan: {}, in release order", count(many, "distribution")),
    });
    let mut moves: HashMap<DistributionId, Vec<&RangeMove>> = HashMap::new();
    for moved in &plan.moves {
        moves.entry(moved.id).or_default().push(moved);
    }
    let versions = |bump: &Bump| {
        let from = bump.from.as_ref().map_or("?".to_owned(), ToString::to_string);
        format!("{from} -> {}", bump.to)
    };
    let names = plan.bumps.iter().map(|bump| bump.package.chars().count());
    let name_width = names.max().unwrap_or(0);
    let move_width = plan.bumps.iter().map(|bump| versions(bump).len()).max().unwrap_or(0);
    let indent = name_width + 4;
    for bump in &plan.bumps {
        let (name, versions) = (&bump.package, versions(bump));
        lines.push(format!("  {name:name_width$}  {versions:move_width$}  {}", bump.reason));
        let moves = moves.remove(&bump.id).unwrap_or_default();
        lines.extend(moves.iter().map(|moved| move_line(workspace, moved, indent)));
    }
    for moved in &plan.moves {
        if let Some(moves) = moves.remove(&moved.id) {
            let name = workspace.distributions[moved.id].name();
            lines.push(format!("  {name:name_width$}  not bumped, its ranges follow"));
            lines.extend(moves.iter().map(|moved| move_line(workspace, moved, indent)));
        }
    }
    for kind in [EditKind::Changelog, EditKind::Lock] {
        let mut files: Vec<&str> =
            plan.edits.iter().filter(|e| e.kind == kind).map(|e| &*e.file).collect();
        files.dedup();
        lines.extend(files.iter().map(|file| format!("  {file}  {}", kind.word())));
    }
    lines.extend(
        plan.notes.iter().map(|note| {
            format!("note: {}:{}: {}: {}", note.file, note.line, note.package, note.text)
        }),
    );
    lines.join("\n") + "\n"
}

fn move_line(workspace: &Workspace, moved: &RangeMove, indent: usize) -> String {
    let declared = moved.declared(workspace);
    let after = declared.shown_with(&moved.specifiers);
    format!("{:indent$}{} -> {after}", "", declared.shown())
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Asks on a terminal; elsewhere there is nobody to ask, and nothing that git cannot undo.
fn confirmed() -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    eprint!("Write this? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

fn refuse_dirty(git: Option<&Git>, plan: &BumpPlan) -> Result<()> {
    let Some(git) = git else {
        let finding = Finding::error(Rule::Commit, "`--commit` needs a git repository at the root");
        return Err(Refusal::from(finding.hint("leave `--commit` out")).into());
    };
    let paths: Vec<String> = plan.writes.iter().map(|write| write.path.clone()).collect();
    let dirty = git.dirty_among(&paths)?;
    let findings = dirty.into_iter().map(|path| {
        Finding::error(Rule::Dirty, format!("{path} has changes that are not committed"))
            .hint("commit or stash them first: `--commit` commits whole files")
    });
    Ok(Refusal::unless_clean(findings.collect())?)
}

/// Carries the plan out.
fn apply(root: &Path, commit: Option<&Git>, plan: &BumpPlan) -> Result<()> {
    files::write_all(root, &plan.writes)?;
    let Some(git) = commit else { return Ok(()) };
    let paths: Vec<String> = plan.writes.iter().map(|write| write.path.clone()).collect();
    if let Err(error) = git.commit(&message(plan), &paths) {
        files::put_back(root, &plan.writes)?;
        return Err(error.context("the commit failed, so the files are as they were"));
    }
    Ok(())
}

/// A Conventional Commit that names what it releases.
fn message(plan: &BumpPlan) -> String {
    let versions: Vec<String> =
        plan.bumps.iter().map(|bump| format!("{} {}", bump.package, bump.to)).collect();
    match versions.len() {
        0..=3 => format!("chore(release): {}", versions.join(", ")),
        many => format!("chore(release): {many} distributions\n\n{}", versions.join("\n")),
    }
}
