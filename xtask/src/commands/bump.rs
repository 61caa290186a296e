//! `bump`: rewrites versions, sibling ranges, changelogs and locks in place.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use anyhow::Result;
use domain::bump::commits::{self, Commits};
use domain::bump::step::{Change, Step};
use domain::bump::{self, Bump, BumpFacts, BumpPlan, BumpRequest, History, RangeMove};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::{DistributionId, IdVec};
use domain::text::edit::EditKind;
use domain::text::toml::nearest;
use domain::text::words::{first_few, plural};
use domain::workspace::made_versions::TRAILER;
use domain::workspace::target::with_version;
use domain::workspace::{Distribution, Judgement, Workspace};
use jzon::object;

use crate::ExitStatus;
use crate::cli::BumpOptions;
use crate::effects::clock;
use crate::effects::fs::files;
use crate::effects::fs::journal::CommitRequest;
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::{self, json, say};

/// # Errors
/// Nothing was written: the repository is not understood, or the bump is refused.
pub(crate) fn run(root: &Path, options: &BumpOptions) -> Result<ExitStatus> {
    let tree = discover::tree(root)?;
    let workspace = discover::judged(root, &tree, Judgement::Warn)?;
    if workspace.distributions.is_empty() {
        ui::findings(&workspace.findings);
    } else {
        // A manifest that is not read is not followed.
        let found = workspace.findings.iter();
        let unseen = found.filter(|finding| finding.rule == Rule::Packages).cloned();
        ui::findings(&unseen.collect::<Vec<_>>());
    }
    let request = request(&workspace, options)?;
    if request.targets.is_empty() {
        ui::left_out(&workspace);
    }
    let git = Git::at(root);
    let history = histories(&workspace, git.as_ref(), &request)?;
    let plan = tree.with_files(|files| {
        bump::plan(BumpFacts { workspace: &workspace, files, history: &history }, &request)
    })?;
    if options.json {
        print_json(&plan)?;
    } else {
        say!("{}", as_text(&workspace, &plan).join("\n"));
    }
    let releases = if options.commit { releases(&workspace, &plan) } else { Vec::new() };
    if options.dry_run || (plan.writes.is_empty() && releases.is_empty()) {
        return Ok(ExitStatus::Done);
    }
    if let Some(git) = &git {
        git.refuse_untracked(&paths(&plan))?;
    }
    if options.commit {
        refuse_dirty(&Git::required(root)?, &plan)?;
    }
    // Without a terminal it goes on: git can undo everything that is written.
    let yes = options.yes || options.json || !ui::can_prompt();
    if !ui::confirm("Write these changes?", yes)? {
        eprintln!("nothing was written");
        return Ok(ExitStatus::Refused);
    }
    apply(root, git.as_ref().filter(|_| options.commit), &plan, &releases)?;
    if !options.json {
        if !plan.writes.is_empty() {
            say!("{} written", plural(plan.writes.len(), "file"));
        }
        releases.iter().for_each(|tag| say!("`{tag}` recorded: the release sets the tag"));
    }
    Ok(ExitStatus::Done)
}

/// The tags to come that no file holds, and that the commit therefore records.
fn releases(workspace: &Workspace, plan: &BumpPlan) -> Vec<String> {
    let bumps = plan.bumps.iter().map(|bump| (&workspace.distributions[bump.id], &bump.to));
    let from_tags = bumps.filter(|(distribution, _)| distribution.makes_version());
    let mut tags: Vec<String> =
        from_tags.map(|(distribution, to)| distribution.tag.tag(to)).collect();
    tags.dedup();
    tags
}

fn request(workspace: &Workspace, options: &BumpOptions) -> Result<BumpRequest> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let (targets, change) = match words.split_last() {
        Some((last, targets)) => match change(workspace, last, targets.is_empty())? {
            Some(change) => (targets, change),
            None => (words.as_slice(), Change::Auto),
        },
        None => (words.as_slice(), Change::Auto),
    };
    let targets = if targets == ["all"] { &[] } else { targets };
    if let Some(finding) = misplaced(workspace, &words, targets) {
        return Err(Refusal::from(finding).into());
    }
    let is_level =
        matches!(change, Change::Auto | Change::Step(Step::Major | Step::Minor | Step::Patch));
    if options.pre.is_some() && !is_level {
        let message = format!("`--pre` goes with a level, not with `{change}`");
        let hint = "`cargo xtask bump all minor --pre rc`";
        return Err(Refusal::from(Finding::error(Rule::Change, message).hint(hint)).into());
    }
    Ok(BumpRequest {
        targets: workspace.resolve_all(targets)?,
        change,
        pre: options.pre.map(Into::into),
        ranges: options.ranges.unwrap_or(workspace.config.ranges),
        dependents: options.dependents.unwrap_or_default(),
        date: clock::today(),
    })
}

/// The last word as a change; `None` where it is a target. A word that may be either (a
/// distribution called `post`) is a target when it is the only one.
fn change(workspace: &Workspace, last: &str, only: bool) -> Result<Option<Change>, Refusal> {
    let is_target = last == "all" || workspace.is_target(last) || with_version(last).1.is_some();
    match last.parse() {
        Ok(change) if !is_target || !only => Ok(Some(change)),
        Err(error) if !is_target && !only => {
            let hint = match nearest(last, Change::words()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`cargo xtask status` lists the distributions".to_owned(),
            };
            let message = format!("{error}, and no distribution has that name");
            Err(Finding::error(Rule::Change, message).hint(hint).into())
        }
        _ => Ok(None),
    }
}

/// A change among the targets, or a version behind one: what to type instead.
fn misplaced(workspace: &Workspace, words: &[&str], targets: &[&str]) -> Option<Finding> {
    let wrong = targets.iter().find(|word| **word != "all" && !workspace.is_target(word))?;
    if let (name, Some(version)) = with_version(wrong) {
        let message = format!("`{wrong}` is not a target: the version is a word of its own");
        let hint = format!("`cargo xtask bump {name} {version}`");
        return Some(Finding::error(Rule::Change, message).hint(hint));
    }
    wrong.parse::<Change>().ok()?;
    let names: Vec<&str> =
        words.iter().filter(|word| word.parse::<Change>().is_err()).copied().collect();
    let changes = words.len() - names.len();
    let message = if changes > 1 {
        format!("`{wrong}` is one change of {changes}: a bump takes one, as its last word")
    } else {
        format!("the change comes last, after the targets: `{wrong}` is in front of one")
    };
    let names = if names.is_empty() { "all".to_owned() } else { names.join(" ") };
    let hint = format!("`cargo xtask bump {names} {wrong}`");
    Some(Finding::error(Rule::Change, message).hint(hint))
}

/// The last tags, and for `auto` the commits since them.
fn histories(
    workspace: &Workspace,
    git: Option<&Git>,
    request: &BumpRequest,
) -> Result<IdVec<DistributionId, History>> {
    let distributions = &workspace.distributions;
    let mut commits = HashMap::new();
    if request.change != Change::Auto {
        // Changelogs tell of them; a bump works without.
        commits = git.map_or(Ok(HashMap::new()), |git| commits_since(git, workspace))?;
    } else if !distributions.is_empty() {
        let Some(git) = git else {
            let message =
                "`auto` needs the commits since the last tag, but this is not a git repository";
            let hint = "`cargo xtask bump all minor` names the change";
            return Err(Refusal::from(Finding::error(Rule::Auto, message).hint(hint)).into());
        };
        refuse_shallow(git, workspace, request)?;
        commits = commits_since(git, workspace)?;
    }
    let histories = distributions.enumerate().map(|(id, distribution)| {
        let last = distribution.last_tag.as_ref();
        History {
            last: last.map(|tag| (tag.version.clone(), tag.name.clone())),
            since: commits.remove(&id).unwrap_or_default(),
        }
    });
    Ok(histories.collect())
}

/// A shallow clone may lack tags, or commits between a tag and HEAD.
fn refuse_shallow(git: &Git, workspace: &Workspace, request: &BumpRequest) -> Result<()> {
    if !git.is_shallow()? {
        return Ok(());
    }
    let lacks = |distribution: &Distribution| {
        let last = distribution.last_tag.as_ref();
        last.is_none_or(|tag| !git.is_ancestor(&tag.commit, "HEAD"))
    };
    let names: Vec<String> = workspace
        .distributions
        .enumerate()
        .filter(|(id, _)| request.targets.is_empty() || request.targets.contains(id))
        .filter(|(_, distribution)| lacks(distribution))
        .map(|(_, distribution)| distribution.name().to_string())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`auto` needs the commits since the last tag, but this shallow clone has no tag of {}",
        first_few(&names)
    );
    let hint = "`git fetch --unshallow --tags` gets them; or name the change";
    Err(Refusal::from(Finding::error(Rule::Auto, message).hint(hint)).into())
}

fn commits_since(git: &Git, workspace: &Workspace) -> Result<HashMap<DistributionId, Commits>> {
    let tagged = workspace.tagged_commits();
    let log = git.log_since(&tagged)?;
    Ok(commits::since_tags(workspace, &tagged, &log))
}

fn print_json(plan: &BumpPlan) -> io::Result<()> {
    let mut bumps = plan.bumps.iter().map(|bump| {
        object! {
            "package": bump.package.as_str(),
            "from": bump.from.as_ref().map(ToString::to_string),
            "to": bump.to.to_string(),
            "reason": bump.reason.as_str(),
        }
    });
    let mut edits = plan.edits.iter().map(|edit| {
        object! {
            "file": &*edit.file,
            "line": edit.line,
            "kind": edit.kind.word(),
            "package": edit.package.as_str(),
            "before": edit.before.as_str(),
            "after": edit.after.as_str(),
        }
    });
    let mut notes = plan.notes.iter().map(|note| {
        object! {
            "file": &*note.file,
            "line": note.line,
            "package": note.package.as_str(),
            "text": note.text.as_str(),
        }
    });
    json::print_lists(&mut [("bumps", &mut bumps), ("edits", &mut edits), ("notes", &mut notes)])
}

/// The lines of the plan for people: every bump with its ranges, then the other files, then notes.
fn as_text(workspace: &Workspace, plan: &BumpPlan) -> Vec<String> {
    let mut lines = vec![match plan.bumps.len() {
        0 => nothing_to_bump(workspace),
        bumps => format!("Bump plan: {}, in release order", plural(bumps, "distribution")),
    }];
    let name_width = plan.bumps.iter().map(|bump| bump.package.chars().count()).max().unwrap_or(0);
    let move_width = plan.bumps.iter().map(|bump| versions(bump).len()).max().unwrap_or(0);
    // A version may be longer than any line.
    let move_width = move_width.min(80);
    let mut moves: HashMap<DistributionId, Vec<String>> = HashMap::new();
    for moved in &plan.moves {
        moves.entry(moved.id).or_default().push(move_line(workspace, moved, name_width + 4));
    }
    for bump in &plan.bumps {
        let versions = versions(bump);
        let (name, reason) = (&bump.package, &bump.reason);
        lines.push(format!("  {name:name_width$}  {versions:move_width$}  {reason}"));
        lines.extend(moves.remove(&bump.id).unwrap_or_default());
    }
    for moved in &plan.moves {
        if let Some(moves) = moves.remove(&moved.id) {
            let name = workspace.distributions[moved.id].name();
            lines.push(format!("  {name:name_width$}  not bumped, its ranges follow"));
            lines.extend(moves);
        }
    }
    for kind in [EditKind::Changelog, EditKind::Lock] {
        let edits = plan.edits.iter().filter(|edit| edit.kind == kind);
        let mut files: Vec<&str> = edits.map(|edit| &*edit.file).collect();
        files.dedup();
        lines.extend(files.iter().map(|file| format!("  {file}  {}", kind.word())));
    }
    for note in &plan.notes {
        lines.push(format!("note: {}:{}: {}: {}", note.file, note.line, note.package, note.text));
    }
    lines
}

/// Why a plan is empty.
fn nothing_to_bump(workspace: &Workspace) -> String {
    let distributions = &workspace.distributions;
    let why = if distributions.is_empty() {
        "this repository has no distribution"
    } else if distributions.iter().all(|distribution| distribution.last_tag.is_none()) {
        "no tag names a release yet"
    } else {
        "no commit since the last tags calls for a release"
    };
    format!("Nothing to bump: {why}")
}

fn versions(bump: &Bump) -> String {
    let from = bump.from.as_ref().map_or("?".to_owned(), ToString::to_string);
    format!("{from} -> {}", bump.to)
}

fn move_line(workspace: &Workspace, moved: &RangeMove, indent: usize) -> String {
    let declared = moved.declared(workspace);
    let after = declared.shown_with(&moved.specifiers);
    format!("{:indent$}{} -> {after}", "", declared.shown())
}

fn refuse_dirty(git: &Git, plan: &BumpPlan) -> Result<()> {
    let findings = git.dirty_among(&paths(plan))?.into_iter().map(|path| {
        Finding::error(Rule::Dirty, format!("`{path}` has uncommitted changes"))
            .hint("commit or stash them first: `--commit` commits whole files")
    });
    Ok(Refusal::unless_clean(findings.collect())?)
}

/// The files that are rewritten.
fn paths(plan: &BumpPlan) -> Vec<String> {
    plan.writes.iter().map(|write| write.path.clone()).collect()
}

/// Writes the files of the plan, and commits them where `commit` is a repository.
fn apply(root: &Path, commit: Option<&Git>, plan: &BumpPlan, releases: &[String]) -> Result<()> {
    let Some(git) = commit else {
        files::write_all(root, &plan.writes, None)?.end();
        return Ok(());
    };
    // An ignored lock is rewritten, and stays out of the commit.
    let mut paths = paths(plan);
    let ignored = git.ignored(&paths)?;
    paths.retain(|path| !ignored.contains(path));
    let commit = CommitRequest { message: message(plan, releases), paths };
    let written = files::write_all(root, &plan.writes, Some(&commit))?;
    match git.commit(&commit.message, &commit.paths) {
        Ok(warnings) => ui::findings(&warnings),
        Err(error) => {
            written.undo()?;
            return Err(error.context("the commit failed, so all files were restored"));
        }
    }
    written.end();
    Ok(())
}

/// A Conventional Commit that names what it releases, with a trailer for each tag that no file holds.
fn message(plan: &BumpPlan, releases: &[String]) -> String {
    let versions: Vec<String> =
        plan.bumps.iter().map(|bump| format!("{} {}", bump.package, bump.to)).collect();
    let mut message = match versions.len() {
        0..=3 => format!("chore(release): {}", versions.join(", ")),
        many => format!("chore(release): {many} distributions\n\n{}", versions.join("\n")),
    };
    let trailers: Vec<String> = releases.iter().map(|tag| format!("{TRAILER}{tag}")).collect();
    if !trailers.is_empty() {
        message += &format!("\n\n{}", trailers.join("\n"));
    }
    message
}
