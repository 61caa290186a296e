//! Which Python the tools run on.

use std::fs;

use crate::support::Repo;
use crate::support::machine::too_old_python;

#[test]
fn a_python_that_is_too_old_is_refused_by_name_and_version() {
    let Some(python) = too_old_python() else {
        eprintln!("skipped: this machine has no Python older than 3.10");
        return;
    };
    let repo = Repo::new().package("core", "2.3.0").commit();
    let python = python.to_string_lossy();
    let run = repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", &python)]).refused(1);
    run.says("Python 3.").says("3.10").says("XTASK_PYTHON").says("python3");
}

#[test]
fn a_missing_python_is_named() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let run = repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", "python-of-nowhere")]);
    run.refused(1).shows("a missing Python");
}

#[cfg(unix)]
#[test]
fn a_python_has_to_be_executable_and_to_answer() {
    use std::os::unix::fs::PermissionsExt;

    let repo = Repo::new().package("core", "2.3.0").file("bin/python3", "#!/bin/sh\n").commit();
    let python = repo.path("bin/python3");
    let named = python.to_string_lossy();
    let find = || repo.xtask_with("release all --rehearse", &[("XTASK_PYTHON", &named)]).refused(1);
    find().shows("a Python that is not executable");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    find().shows("a Python that does not answer");
}
