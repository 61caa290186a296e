//! A small repository for the unit tests of git.

use std::fs;
use std::path::PathBuf;

use super::Git;
use crate::effects::fs::temporary::Temporary;
use crate::effects::process::shell;

/// A repository with an identity.
pub(super) struct Repository {
    pub(super) dir: Temporary,
    pub(super) root: PathBuf,
}

impl Repository {
    pub(super) fn new() -> Repository {
        let dir = Temporary::new().unwrap();
        let root = dir.path().join("repo");
        fs::create_dir(&root).unwrap();
        let repository = Repository { dir, root };
        repository.run(&["init", "--quiet", "--initial-branch=main"]);
        repository.configure("user.name", "x");
        repository.configure("user.email", "x@example.invalid");
        // Whatever the user of this machine has set.
        repository.configure("commit.gpgSign", "false");
        repository.configure("tag.gpgSign", "false");
        repository.configure("core.hooksPath", ".git/hooks");
        repository
    }

    pub(super) fn git(&self) -> Git {
        Git::at(&self.root).unwrap()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> String {
        let sh = shell::at(&self.root).unwrap();
        shell::read(sh.cmd("git").args(arguments)).unwrap()
    }

    pub(super) fn configure(&self, key: &str, value: &str) {
        self.run(&["config", key, value]);
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn commit(&self, message: &str) {
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    pub(super) fn hook(&self, name: &str, script: &str) {
        let path = format!(".git/hooks/{name}");
        self.write(&path, &format!("#!/bin/sh\n{script}\n"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(self.root.join(path), mode).unwrap();
        }
    }
}
