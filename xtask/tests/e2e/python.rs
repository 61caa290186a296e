//! Which Python the tools run on.

use std::fs;

use crate::support::{Repo, too_old_python};

#[test]
fn a_python_that_is_too_old_is_refused_by_name_and_version() {
    let Some(python) = too_old_python() else {
        eprintln!("skipped: this machine has no Python older than 3.10");
        return;
    };
    let repo = Repo::new().package("core", "2.3.0").commit();
    let python = python.to_string_lossy();
    let run = repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", &python)]).refused(1);
    run.advises("is Python 3.", "XTASK_PYTHON").says("too old").says("python3");
}

#[test]
fn a_python_that_is_not_there_is_named() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let run = repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", "python-of-nowhere")]);
    run.refused(1).advises("no Python found as python-of-nowhere", "XTASK_PYTHON");
}

#[cfg(unix)]
#[test]
fn what_may_not_be_run_is_no_python() {
    use std::os::unix::fs::PermissionsExt;

    let repo = Repo::new().package("core", "2.3.0").file("bin/python3", "#!/bin/sh\n").commit();
    let python = repo.path("bin/python3");
    let named = python.to_string_lossy();
    let find = || repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", &named)]).refused(1);
    find().says("no Python found as");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    find().advises("does not answer as a Python does", "XTASK_PYTHON");
}
