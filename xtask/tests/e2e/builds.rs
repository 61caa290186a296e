//! What goes into the archives: what is committed, and nothing else.

use crate::support::Repo;

/// With setuptools, which takes whatever lies in the folder, and reuses what it finds in `build/`.
const SETUPTOOLS: &str = "[build-system]\nrequires = [\"setuptools>=77\"]\n\
    build-backend = \"setuptools.build_meta\"\n\n\
    [project]\nname = \"core\"\nversion = \"2.3.0\"\nreadme = \"README.md\"\n";

#[test]
fn nothing_that_git_does_not_track_is_in_an_archive() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .file("packages/core/pyproject.toml", SETUPTOOLS)
        .file("packages/core/src/core/deleted.py", "")
        .file("packages/core/MANIFEST.in", "recursive-include src *\n")
        .file(".gitignore", "*.ignored.py\nbuild/\n")
        .commit();
    repo.git("rm --quiet packages/core/src/core/deleted.py");
    repo.record("one module less");
    for left_over in ["src/core/untracked.py", "src/core/x.ignored.py", "build/lib/core/deleted.py"]
    {
        repo.write(&format!("packages/core/{left_over}"), "");
    }
    repo.xtask("release core --rehearse --until built").ok();

    let built = "target/xtask/rehearsal/dist/core-2.3.0";
    for (archive, own) in
        [("core-2.3.0-py3-none-any.whl", ""), ("core-2.3.0.tar.gz", "core-2.3.0/src/")]
    {
        let members = repo.members(&format!("{built}/{archive}"));
        assert!(members.contains(&format!("{own}core/__init__.py")), "{archive}: {members:?}");
        for foreign in ["untracked", "ignored", "deleted", "build/"] {
            let found: Vec<_> = members.iter().filter(|m| m.contains(foreign)).collect();
            assert_eq!(found, [""; 0], "{archive} holds what is not committed");
        }
    }
}
