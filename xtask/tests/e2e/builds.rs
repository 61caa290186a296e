//! What goes into the archives: what is committed, and nothing else.

use crate::support::Repo;

/// With setuptools, which takes whatever lies in the folder, and reuses what it finds in `build/`.
const SETUPTOOLS: &str = "[build-system]\nrequires = [\"setuptools>=77\"]\n\
    build-backend = \"setuptools.build_meta\"\n\n\
    [project]\nname = \"core\"\nversion = \"2.3.0\"\nreadme = \"README.md\"\n";

#[test]
fn archives_hold_only_tracked_files() {
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

/// A back end of the distribution's own around another one, which must not see those of others,
/// nor what the tools are made of.
fn jealous(backend: &str, module: &str, others: &[&str]) -> (String, String) {
    let manifest = format!(
        "[build-system]\nrequires = [\"{backend}\"]\nbuild-backend = \"jealous\"\n\
         backend-path = [\".\"]\n\n\
         [project]\nname = \"{{}}\"\nversion = \"1.0\"\ndescription = \"x\"\nreadme = \"README.md\"\n\n\
         [tool.flit.sdist]\ninclude = [\"jealous.py\"]\n"
    );
    let looks = format!(
        "import importlib.util\nfrom {module} import *\n\
         seen = [name for name in {others:?} if importlib.util.find_spec(name)]\n\
         assert not seen, seen\n"
    );
    (manifest, looks)
}

#[test]
fn build_environments_are_isolated_from_each_other() {
    let (hatch, sees_no_flit) =
        jealous("hatchling", "hatchling.build", &["flit_core", "twine", "requests"]);
    let (flit, sees_no_hatch) =
        jealous("flit_core>=3.9", "flit_core.buildapi", &["hatchling", "twine", "requests"]);
    let repo = Repo::new()
        .package("core", "1.0")
        .file("packages/core/pyproject.toml", &hatch.replace("{}", "core"))
        .file("packages/core/jealous.py", &sees_no_flit)
        .package("app", "1.0")
        .file("packages/app/pyproject.toml", &flit.replace("{}", "app"))
        .file("packages/app/jealous.py", &sees_no_hatch)
        .commit();
    repo.xtask("release all --rehearse --until built").ok();
}
