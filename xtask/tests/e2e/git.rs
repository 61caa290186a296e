//! The user's git: settings, hooks and variables that must not change what is released, and those
//! that must be respected.

use std::fs;
use std::path::Path;
use std::process::Command;

use domain::release::environment::REDIRECTS_GIT;
use domain::workspace::tags::objection;

use crate::indexes::Stubs;
use crate::support::{Repo, Run};

/// Every setting that changes an answer of git, or what is in a new repository or a checkout.
/// HERE is a folder with a template, attributes and hooks that change files or refuse pushes.
const HOSTILE: &str = "
[core]
autocrlf = true
eol = crlf
attributesFile = HERE/attributes
quotePath = true
pager = false
[init]
templateDir = HERE/template
defaultObjectFormat = sha256
defaultRefFormat = files
[clone]
defaultRemoteName = up
rejectShallow = true
[safe]
bareRepository = explicit
[push]
followTags = true
recurseSubmodules = on-demand
[log]
showSignature = true
showRoot = false
diffMerges = first-parent
follow = true
date = relative
decorate = full
[i18n]
logOutputEncoding = latin1
[diff]
external = true
trustExitCode = true
ignoreSubmodules = all
renames = copies
noprefix = true
relative = true
[status]
showUntrackedFiles = no
relativePaths = true
short = true
branch = true
[color]
ui = always
[column]
ui = always
[tag]
sort = -version:refname
[commit]
verbose = true
[fetch]
prune = true
[submodule]
recurse = true
[format]
pretty = oneline
";

/// A released distribution with a change since, and a new one.
fn repository() -> Repo {
    let repo = Repo::new().package("core", "2.3.0").commit();
    repo.git("tag --annotate --message x core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    let repo = repo
        .package("app", "1.0.0: core>=2.3,<3")
        .file("packages/core/src/core/größe.py", "\"\"\"Text.\"\"\"\n");
    repo.record("feat: größe");
    repo
}

/// Two indexes that have the released one.
fn indexes(repo: &Repo) -> Stubs {
    let stubs = Stubs::open(repo);
    stubs.index.put("core-2.3.0.tar.gz", Vec::new());
    stubs.index.put("core-2.3.0-py3-none-any.whl", repo.wheel("core", "2.3.0"));
    stubs
}

/// The global settings, with what they name.
fn configure(repo: &Repo) {
    let here = repo.beside("hostile");
    for path in ["attributes", "template/info/attributes", "system/attributes"] {
        let path = here.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "* text eol=crlf\n").unwrap();
    }
    hook(&here.join("template/hooks"), "pre-receive", "exit 1");
    hook(&here.join("template/hooks"), "post-checkout", "echo more >> README.md");
    let config = repo.home().join(".gitconfig");
    let old = fs::read_to_string(&config).unwrap();
    let hostile = HOSTILE.replace("HERE", &here.to_string_lossy());
    fs::write(config, old + &hostile).unwrap();
}

fn hook(dir: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The variables of a hook in this repository, and all others that lead git elsewhere.
fn variables(repo: &Repo) -> Vec<(&'static str, String)> {
    let at = |path: &str| repo.path(path).to_string_lossy().into_owned();
    let value = |name: &str| match name {
        "GIT_DIR" | "GIT_COMMON_DIR" => at(".git"),
        "GIT_WORK_TREE" => at(""),
        "GIT_INDEX_FILE" => at(".git/index"),
        "GIT_DEFAULT_HASH" => "sha256".to_owned(),
        "GIT_EXTERNAL_DIFF" => "true".to_owned(),
        "GIT_TEMPLATE_DIR" => repo.beside("hostile/template").to_string_lossy().into_owned(),
        name if name.ends_with("_PATHSPECS") => "1".to_owned(),
        _ => "elsewhere".to_owned(),
    };
    REDIRECTS_GIT.iter().map(|name| (*name, value(name))).collect()
}

/// What a person and a script see of a whole life: status, a bump with its commit, a rehearsal, a
/// release.
#[derive(Debug, PartialEq)]
struct Life {
    status: serde_json::Value,
    committed: String,
    tree: String,
    tags: Vec<(String, String)>,
    published: Vec<(String, String)>,
}

fn live(repo: &Repo, variables: &[(&str, &str)]) -> Life {
    let stubs = indexes(repo);
    let xtask = |line: &str| repo.xtask_with(line, variables).ok();

    let status = xtask("status --json").json()["packages"].clone();
    xtask("bump all --yes --commit");
    let branch = fs::read_to_string(repo.path(".git/HEAD")).unwrap();
    assert_eq!(branch, "ref: refs/heads/main\n");
    // git of the test reads the hostile settings, too: what is compared is objects.
    let committed = repo.git("diff-tree -r --name-only --no-commit-id HEAD");
    let tree = repo.git("rev-parse HEAD^{tree}");
    repo.git("push --quiet --no-follow-tags origin main");
    let before = repo.standing();
    xtask("release all --rehearse");
    assert_eq!(repo.standing(), before);
    xtask("release all --yes");

    let head = repo.git("rev-parse HEAD");
    let tags = repo.remote_tags().into_iter().map(|(name, kind, commit)| {
        let at = if commit == head { "HEAD" } else { "before" };
        (name, format!("{kind} {at}"))
    });
    let published = stubs.index.files().into_iter().filter(|file| !file.contains("2.3.0"));
    let published = published.filter(|file| file.ends_with(".whl")).map(|file| {
        fs::write(repo.path("target/published.whl"), stubs.index.bytes(&file)).unwrap();
        let files = repo.unpacked("target/published.whl");
        (file, String::from_utf8(files).unwrap())
    });
    Life { status, committed, tree, tags: tags.collect(), published: published.collect() }
}

#[test]
fn no_setting_and_no_variable_of_git_changes_what_is_released() {
    let plain = live(&repository(), &[]);
    assert_eq!(plain.published.len(), 2, "{plain:?}");
    assert!(!plain.published.iter().any(|(_, text)| text.contains('\r')));
    assert_eq!(plain.tags.len(), 3);

    let repo = repository();
    // It is not part of this release.
    repo.git("tag --annotate --message x mine");
    configure(&repo);
    let variables = variables(&repo);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(live(&repo, &variables), plain);
}

/// Where the work tree is linked, git hands an absolute GIT_DIR to its hooks.
#[test]
fn a_rehearsal_in_a_hook_of_a_linked_work_tree_leaves_no_trace() {
    let repo = repository();
    repo.git("worktree add --quiet -b topic ../linked");
    let (linked, log) = (repo.beside("linked"), repo.beside("log"));
    let tool = env!("CARGO_BIN_EXE_xtask");
    let (root, out) = (linked.display(), log.display());
    let line = format!("'{tool}' --root '{root}' release all --rehearse --dry-run > '{out}' 2>&1");
    hook(&repo.path(".git/hooks"), "post-commit", &format!("{line}\necho \"exit $?\" >> '{out}'"));
    repo.git("-C ../linked commit --quiet --allow-empty --message x");
    let said = fs::read_to_string(log).unwrap();
    assert!(said.ends_with("exit 0\n"), "{said}");
    assert_eq!(repo.git("-C ../linked symbolic-ref HEAD"), "refs/heads/topic");
    assert_eq!(repo.git("-C ../linked status --porcelain"), "");
    assert_eq!(repo.git("symbolic-ref HEAD"), "refs/heads/main");
}

/// The variable is for what is fetched from others.
#[test]
fn a_rehearsal_needs_no_protocol() {
    let repo = repository();
    let variables = [("GIT_ALLOW_PROTOCOL", "https")];
    repo.xtask_with("release app --rehearse --dry-run", &variables).ok();
}

/// All of them would stop a release after everything is published.
#[test]
fn what_stops_a_tag_is_found_by_a_dry_run() {
    let repo = repository();
    let _stubs = indexes(&repo);
    let dry_run = || repo.xtask("release app --dry-run");
    dry_run().ok().says("app");
    let refuse = "grep -q refs/tags/ && echo 'tags are protected' >&2 && exit 1\nexit 0";
    hook(&repo.path(".git/hooks"), "reference-transaction", refuse);
    dry_run().refused(1).says("tags are protected");
    fs::remove_file(repo.path(".git/hooks/reference-transaction")).unwrap();

    repo.git("config tag.gpgSign true");
    repo.git("config gpg.program /nowhere/gpg");
    dry_run().refused(1).says("git cannot make a tag");
    // A job that only builds neither tags nor signs.
    repo.xtask("release app --dry-run --until built").ok();
    repo.git("config --unset tag.gpgSign");

    fs::write(repo.home().join(".gitconfig"), "[user]\nuseConfigOnly = true\n").unwrap();
    dry_run().refused(1).says("git config user.name");
}

#[test]
fn a_commit_that_a_colleague_pushes_does_not_stop_a_release() {
    let repo = repository();
    let stubs = indexes(&repo);
    let head = repo.git("rev-parse HEAD");
    repo.git("clone --quiet ../remote.git ../colleague");
    repo.git("-C ../colleague commit --quiet --allow-empty --message x");
    repo.git("-C ../colleague push --quiet");
    let refs = repo.git("for-each-ref refs/heads refs/remotes");
    repo.xtask("release app --yes").ok();
    assert_eq!(repo.git("for-each-ref refs/heads refs/remotes"), refs);
    assert_eq!(stubs.index.files().len(), 4);
    let tag = ("app-v1.0.0".to_owned(), "tag".to_owned(), head);
    assert!(repo.remote_tags().contains(&tag));
}

/// What the index has cannot be taken back: exit code 1 would say that nothing is there.
#[test]
fn a_refusal_in_the_middle_of_a_release_exits_with_3() {
    let repo = repository();
    let stubs = indexes(&repo);
    let release = || repo.xtask("release app --yes");
    hook(&repo.beside("remote.git/hooks"), "pre-receive", "grep -q refs/tags/ && exit 1; exit 0");
    release().refused(3);
    repo.write("packages/app/README.md", "# changed\n");
    release().refused(3).says("packages/app/README.md");
    repo.git("checkout --quiet packages/app/README.md");
    fs::remove_file(repo.beside("remote.git/hooks/pre-receive")).unwrap();
    release().ok();
    assert_eq!(stubs.index.uploads().len(), 2);
}

#[test]
fn what_is_not_the_root_of_a_work_tree_is_refused_by_its_kind() {
    let repo = repository();
    let remote = repo.beside("remote.git").to_string_lossy().into_owned();
    let said = |run: Run, text: &str| {
        assert!(!run.stderr.contains("git init"), "{run}");
        run.refused(1).says(text);
    };
    let rehearse = |root: &str| repo.xtask(&format!("--root {root} release all --rehearse"));
    said(rehearse(&remote), "is a bare repository");
    said(rehearse("packages"), "is not the root of its repository");
    said(repo.xtask("--root packages bump core minor --yes --commit"), "is not the root");
}

/// The bump goes on to a file that git cannot give back, or to one of others.
#[test]
fn only_what_git_tracks_is_changed() {
    let repo = repository().package("draft", "0.1.0: core>=2.3,<3");
    let before = repo.standing();
    repo.xtask("bump core major --yes")
        .refused(1)
        .says("git add -- 'packages/draft/pyproject.toml'");
    assert_eq!(repo.standing(), before);

    fs::rename(repo.path("packages/draft"), repo.beside("draft")).unwrap();
    repo.write(
        "other/pyproject.toml",
        &fs::read_to_string(repo.beside("draft/pyproject.toml")).unwrap(),
    );
    repo.git("init --quiet other");
    repo.xtask("bump core major --yes").ok();
    assert!(repo.read("other/pyproject.toml").contains("core>=2.3,<3"));
}

/// git itself says which names it takes; that it makes no tag that looks like an option, and none
/// that hides HEAD, only `git tag` says, the latter since 2.48.
#[test]
fn a_tag_is_refused_exactly_where_git_refuses_it() {
    let parts = "a 1 . .. / - @ { @{ ~ : ? * [ \\ ^ .lock HEAD ä \u{7f} \u{1}";
    let parts: Vec<&str> = parts.split(' ').chain([" "]).collect();
    let pairs = parts.iter().flat_map(|one| parts.iter().map(move |two| format!("{one}{two}")));
    let between = parts.iter().map(|part| format!("a{part}a"));
    let names = parts.iter().map(|part| (*part).to_owned()).chain(pairs).chain(between);
    for name in names {
        let check = ["check-ref-format", &format!("refs/tags/{name}")];
        let takes = Command::new("git").args(check).status().unwrap().success();
        let possible = takes && !name.starts_with('-') && name != "HEAD";
        assert_eq!(objection(&name).is_none(), possible, "`{name}`");
    }
}
