//! The remote. Its name or address comes from a file of the repository, so that it always follows
//! `--`: git never takes it for an option, some of which run programs.

use anyhow::Result;
use domain::release::plan::Lookup;
use domain::workspace::history::{TagRef, parse_remote_tags};

use super::{Git, Kind, reason};

/// Whatever is configured, one tag is sent, and nothing that happens to belong to it.
const ALONE: [&str; 2] = ["--no-follow-tags", "--no-recurse-submodules"];

impl Git {
    /// The names of the remotes.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn remotes(&self) -> Result<Vec<String>> {
        Ok(self.read(&["remote"])?.lines().map(str::to_owned).collect())
    }

    /// The tags of a remote with the commits that they name.
    pub(crate) fn remote_tags(&self, remote: &str) -> Lookup<Vec<TagRef>> {
        self.list(remote, "--tags").map_or_else(
            |error| Lookup::Unknown(reason(&error)),
            |text| Lookup::Known(parse_remote_tags(&text)),
        )
    }

    /// Whether one of the remote's branches contains HEAD. A branch that has moved on since the last
    /// fetch is fetched.
    pub(crate) fn remote_has_head(&self, remote: &str) -> Lookup<bool> {
        let heads = match self.list(remote, "--heads") {
            Ok(heads) => heads,
            Err(error) => return Lookup::Unknown(reason(&error)),
        };
        let heads: Vec<(&str, &str)> =
            heads.lines().filter_map(|line| line.split_once('\t')).collect();
        if heads.iter().any(|(head, _)| self.is_ancestor("HEAD", head)) {
            return Lookup::Known(true);
        }
        // The others may have thousands of commits that nobody here has asked for.
        let own = self.own_refs();
        let moved = heads.iter().find(|(_, name)| own.iter().any(|own| own == name));
        let Some((head, name)) = moved.filter(|(head, _)| !self.knows(head)) else {
            return Lookup::Known(false);
        };
        match self.fetch(remote, name) {
            Ok(()) => Lookup::Known(self.is_ancestor("HEAD", head)),
            Err(error) => Lookup::Unknown(reason(&error)),
        }
    }

    /// The refs of a remote that the current branch may be on: the configured one, and that of its
    /// own name.
    fn own_refs(&self) -> Vec<String> {
        let Some(branch) = self.branch() else { return Vec::new() };
        let configured = self.read(&["config", "--get", &format!("branch.{branch}.merge")]);
        configured.into_iter().chain([format!("refs/heads/{branch}")]).collect()
    }

    fn knows(&self, commit: &str) -> bool {
        self.succeeds(&["cat-file", "-e", &format!("{commit}^{{commit}}")])
    }

    /// Fetches the commits of one branch of a remote, and sets no ref: what the user sees of the
    /// remote stays what they have fetched.
    fn fetch(&self, remote: &str, branch: &str) -> Result<()> {
        let quietly = ["--quiet", "--no-auto-maintenance", "--no-recurse-submodules"];
        let no_refs = ["--no-write-fetch-head", "--no-tags", "--no-prune", "--refmap="];
        self.read(&[&["fetch"], &quietly[..], &no_refs[..], &["--", remote, branch]].concat())
            .map(drop)
    }

    /// Why the remote would refuse this tag on HEAD, found out without sending it. The hooks of the
    /// remote run only when something is sent, so what they refuse is not found out; the user's own
    /// may do more than judge, and run when the tag is sent.
    pub(crate) fn refusal_of_tag(&self, remote: &str, tag: &str) -> Option<String> {
        let refspec = format!("HEAD:refs/tags/{tag}");
        let push = self.push(&["--dry-run", "--no-verify"], remote, &refspec);
        push.err().map(|error| reason(&error))
    }

    /// Pushes one tag. A tag that the remote has already succeeds as well.
    ///
    /// # Errors
    /// The remote cannot be reached, or has another tag of that name; or a hook refuses.
    pub(crate) fn push_tag(&self, remote: &str, tag: &str) -> Result<()> {
        let refspec = format!("refs/tags/{tag}:refs/tags/{tag}");
        // The user's hooks judge what the user sends.
        let hooks: &[&str] = if self.kind == Kind::User { &[] } else { &["--no-verify"] };
        self.push(hooks, remote, &refspec)
    }

    fn push(&self, flags: &[&str], remote: &str, refspec: &str) -> Result<()> {
        let to = ["--porcelain", "--", remote, refspec];
        self.read(&[&["push"], flags, &ALONE, &to].concat()).map(drop)
    }

    fn list(&self, remote: &str, kind: &str) -> Result<String> {
        self.read(&["ls-remote", kind, "--", remote])
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::effects::repository::git::testing::Repository;

    /// A repository whose `origin` is bare, and has `main`.
    fn with_remote() -> (Repository, String) {
        let repository = Repository::new();
        repository.commit("feat: x");
        let bare = repository.dir.path().join("remote.git").to_string_lossy().into_owned();
        repository.run(&["init", "--quiet", "--bare", "--initial-branch=main", &bare]);
        repository.run(&["remote", "add", "origin", &bare]);
        repository.run(&["push", "--quiet", "origin", "main"]);
        (repository, bare)
    }

    #[test]
    fn one_tag_is_pushed_and_nothing_with_it() {
        let (repository, bare) = with_remote();
        repository.configure("push.followTags", "true");
        repository.configure("push.recurseSubmodules", "on-demand");
        repository.run(&["tag", "--annotate", "--message", "x", "other"]);
        let git = repository.git();
        git.tag("mine", "HEAD", "x").unwrap();
        git.push_tag("origin", "mine").unwrap();
        let pushed = repository.run(&["--git-dir", &bare, "tag"]);
        assert_eq!(pushed, "mine");
    }

    #[test]
    fn the_hook_of_the_user_judges_a_push_and_no_dry_run() {
        let (repository, _) = with_remote();
        repository.hook("pre-push", "echo 'not on a Friday' >&2; exit 1");
        let git = repository.git();
        git.tag("mine", "HEAD", "x").unwrap();
        assert_eq!(git.refusal_of_tag("origin", "mine"), None);
        let refused = git.push_tag("origin", "mine").unwrap_err();
        assert!(refused.to_string().contains("not on a Friday"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn a_remote_that_looks_like_an_option_runs_nothing() {
        let (repository, _) = with_remote();
        let ran = repository.dir.path().join("ran");
        repository.write("program", &format!("#!/bin/sh\ntouch '{}'\n", ran.display()));
        let program = repository.dir.path().join("repo/program");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&program, mode).unwrap();
        let remote = format!("--upload-pack={}", program.display());
        let git = repository.git();
        assert!(matches!(git.remote_tags(&remote), Lookup::Unknown(_)));
        assert!(matches!(git.remote_has_head(&remote), Lookup::Unknown(_)));
        assert!(git.refusal_of_tag(&remote, "v1").is_some());
        assert!(git.push_tag(&remote, "v1").is_err());
        assert!(!ran.exists());
    }

    #[test]
    fn a_branch_that_has_moved_on_is_fetched_without_a_trace() {
        let (repository, bare) = with_remote();
        let other = repository.dir.path().join("other").to_string_lossy().into_owned();
        repository.run(&["clone", "--quiet", &bare, &other]);
        let identity = ["-c", "user.name=x", "-c", "user.email=x@example.invalid"];
        let commit = ["commit", "--quiet", "--allow-empty", "--message", "x"];
        repository.run(&[&["-C", &other], &identity[..], &commit[..]].concat());
        repository.run(&["-C", &other, "push", "--quiet"]);
        repository.run(&["-C", &other, "push", "--quiet", "origin", "HEAD:refs/heads/side"]);
        let git = repository.git();
        let before = repository.run(&["for-each-ref"]);
        assert!(matches!(git.remote_has_head("origin"), Lookup::Known(true)));
        assert_eq!(repository.run(&["for-each-ref"]), before);
        assert!(!repository.dir.path().join("repo/.git/FETCH_HEAD").exists());

        repository.commit("feat: not pushed");
        assert!(matches!(git.remote_has_head("origin"), Lookup::Known(false)));
    }
}
