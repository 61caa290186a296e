//! Versions that come from tags, tags that come first, and one tag for several distributions.

use crate::indexes::Indexes;
use crate::support::Repo;

/// A distribution of one module in `NAME/`, with a manifest that ends like this.
fn tagged(repo: Repo, name: &str, requires: &str, backend: &str, manifest: &str) -> Repo {
    let head =
        format!("[build-system]\nrequires = [{requires}]\nbuild-backend = \"{backend}\"\n\n");
    repo.file(&format!("{name}/pyproject.toml"), &(head + &manifest.replace("NAME", name)))
        .file(&format!("{name}/README.md"), &format!("# {name}\n"))
        .file(&format!("{name}/src/{name}/__init__.py"), "\"\"\"A fixture.\"\"\"\n")
}

/// PEP 621 with these dependencies, and the tool's own tables.
fn project(dependencies: &str, tables: &str) -> String {
    format!(
        "[project]\nname = \"NAME\"\ndynamic = [\"version\"]\ndescription = \"x\"\n\
         readme = \"README.md\"\nrequires-python = \">=3.10\"\ndependencies = [{dependencies}]\n\n{tables}"
    )
}

const HATCH_VCS: &str = r#"[tool.hatch.version]
source = "vcs"
raw-options = { root = "..", tag_regex = "^NAME-v(?P<version>.*)$", git_describe_command = "git describe --dirty --tags --long --match NAME-v*" }
[tool.hatch.build.targets.wheel]
packages = ["src/NAME"]
"#;

const SETUPTOOLS_SCM: &str = r#"[tool.setuptools_scm]
root = ".."
version_file = "src/NAME/_version.py"
tag_regex = "^NAME-v(?P<version>.*)$"
git_describe_command = "git describe --dirty --tags --long --match NAME-v*"
"#;

const PDM: &str = r#"[tool.pdm.version]
source = "scm"
tag_filter = "NAME-v*"
tag_regex = "^NAME-v(?P<version>.*)$"
"#;

fn with_hatch_vcs(repo: Repo, name: &str, dependencies: &str) -> Repo {
    let manifest = project(dependencies, HATCH_VCS);
    tagged(repo, name, "\"hatchling\", \"hatch-vcs\"", "hatchling.build", &manifest)
}

fn with_setuptools(repo: Repo, name: &str, tool: &str, manifest: &str) -> Repo {
    let requires = format!("\"setuptools>=77\", \"{tool}\"");
    tagged(repo, name, &requires, "setuptools.build_meta", manifest)
}

/// Three that need each other in this order, each with another tool.
fn three() -> Repo {
    let repo = with_hatch_vcs(Repo::new(), "core", "");
    let runner = project("\"core>=1.0,<2\"", SETUPTOOLS_SCM);
    let repo = with_setuptools(repo, "runner", "setuptools-scm>=8", &runner);
    let app = project("\"runner>=1.0,<2\"", PDM);
    tagged(repo, "app", "\"pdm-backend\"", "pdm.backend", &app)
        .file(".gitignore", "_version.py\n")
        .commit()
}

#[test]
fn versions_from_tags_are_bumped_pushed_released_killed_resumed_and_released_again() {
    let repo = three();
    let indexes = Indexes::open(&repo);
    repo.xtask("release all --yes").refused(1).shows("no version to be told");
    repo.xtask("bump all 1.0.0 --commit").ok();
    repo.git("push --quiet origin HEAD");
    let first = repo.git("rev-parse HEAD");

    let mut run = repo.start("release all --yes", &[]);
    run.wait_for(&["core 1.0.0", " publish ", "done"]);
    run.kill();
    // The other two are not released yet, wherever HEAD is meanwhile.
    repo.write("README.md", "# Fixture\n");
    repo.record("docs");
    repo.xtask("release all --yes").ok();
    let expected = ["app-v1.0.0", "core-v1.0.0", "runner-v1.0.0"];
    assert_eq!(tags_on(&repo, &first), expected);

    repo.write("core/src/core/more.py", "");
    repo.record("feat: more");
    let bump = repo.xtask("bump --commit").ok();
    assert!(bump.stdout.contains("1.0.0 -> 1.1.0"), "{bump}");
    repo.git("push --quiet origin HEAD");
    let second = repo.git("rev-parse HEAD");
    repo.xtask("release all --yes").ok();
    assert_eq!(tags_on(&repo, &second), ["app-v1.0.1", "core-v1.1.0", "runner-v1.0.1"]);
    for index in [&indexes.staging, &indexes.index] {
        let mut uploads = index.uploads();
        uploads.sort();
        assert_eq!(uploads, index.files(), "every file is sent once");
        assert_eq!(uploads.len(), 12);
    }
    let wheel = repo.unpacked("dist/runner-1.0.1/runner-1.0.1-py3-none-any.whl");
    let held = String::from_utf8_lossy(&wheel).replace('"', "'");
    assert!(held.contains("__version__ = version = '1.0.1'"), "{held}");
    assert!(held.contains("Requires-Dist: core<2,>=1.1"), "{held}");
}

/// The tags that the remote has on a commit.
fn tags_on(repo: &Repo, commit: &str) -> Vec<String> {
    let tags = repo.remote_tags().into_iter().filter(|(_, _, on)| on == commit);
    tags.map(|(name, _, _)| name).collect()
}

const POETRY: &str = r#"[tool.poetry]
name = "NAME"
version = "0.0.0"
description = "x"
authors = []
readme = "README.md"
packages = [{ include = "NAME", from = "src" }]
[tool.poetry-dynamic-versioning]
enable = true
pattern-prefix = "NAME-"
"#;

const UV: &str = r#"[tool.hatch.version]
source = "uv-dynamic-versioning"
[tool.uv-dynamic-versioning]
pattern-prefix = "NAME-"
[tool.hatch.build.targets.wheel]
packages = ["src/NAME"]
"#;

const VERSIONINGIT: &str = r#"[tool.versioningit.vcs]
match = ["NAME-v*"]
[tool.versioningit.tag2version]
rmprefix = "NAME-v"
"#;

const GIT_VERSIONING: &str = r#"[tool.setuptools-git-versioning]
enabled = true
tag_filter = "NAME-v(?P<tag>.*)"
tag_formatter = "NAME-v(?P<tag>.*)"
"#;

const VERSIONEER: &str = r#"[tool.versioneer]
VCS = "git"
style = "pep440"
versionfile_source = "src/NAME/_version.py"
versionfile_build = "NAME/_version.py"
tag_prefix = "NAME-v"
"#;

/// pbr reads all that it needs from setup.cfg, and only a version from its variable: it knows no tag
/// with a name.
const PBR: &str = "[metadata]\nname = pebar\nsummary = x\ndescription_file = README.md\n\
    python_requires = >=3.10\n[options]\npackage_dir =\n    = src\n\
    [files]\npackages =\n    pebar\npackage_root = src\n";

/// One distribution of each tool that makes versions from tags, in one repository: each sees its own
/// tag alone.
#[test]
fn every_tool_makes_the_version_that_was_planned() {
    let repo = three();
    let poetry = "\"poetry-core>=1\", \"poetry-dynamic-versioning>=1\"";
    let repo = tagged(repo, "rhymed", poetry, "poetry_dynamic_versioning.backend", POETRY);
    let uv = "\"hatchling\", \"uv-dynamic-versioning\"";
    let repo = tagged(repo, "sunny", uv, "hatchling.build", &project("", UV));
    let repo = with_setuptools(repo, "vitted", "versioningit", &project("", VERSIONINGIT));
    let git_versioning = project("", GIT_VERSIONING);
    let repo = with_setuptools(repo, "gitted", "setuptools-git-versioning", &git_versioning);
    let versioneer = project("", VERSIONEER);
    let repo = with_setuptools(repo, "versed", "versioneer[toml]", &versioneer).file(
        "versed/setup.py",
        "import versioneer\nfrom setuptools import setup\n\
             setup(version=versioneer.get_version(), cmdclass=versioneer.get_cmdclass())\n",
    );
    let repo = tagged(repo, "pebar", "\"pbr>=6\", \"setuptools>=77\"", "pbr.build", "")
        .file("pebar/setup.cfg", PBR)
        .file("pebar/setup.py", "import setuptools\nsetuptools.setup(pbr=True)\n")
        .file("pebar/MANIFEST.in", "include setup.py\n")
        .commit();
    repo.xtask("bump all 1.4.0 --commit").ok();
    repo.xtask("release all --rehearse --until built").ok();
    for name in TOOLS {
        let built = repo.files(&format!("target/xtask/rehearsal/dist/{name}-1.4.0"));
        let wheels = [
            format!("{name}-1.4.0-py3-none-any.whl"),
            format!("{name}-1.4.0-py2.py3-none-any.whl"),
        ];
        assert!(wheels.iter().any(|wheel| built.contains_key(wheel)), "{name}: {:?}", built.keys());
    }
}

const TOOLS: [&str; 9] =
    ["core", "runner", "app", "rhymed", "sunny", "vitted", "gitted", "versed", "pebar"];

/// A person tags and pushes, a workflow checks the tag out and publishes.
#[test]
fn a_tag_that_is_there_first_is_released_from_its_shallow_checkout() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    repo.git("tag -a -m core core-v2.3.0");
    repo.git("push --quiet origin core-v2.3.0");
    let before = repo.remote_tags();
    let repo = repo.cloned("--depth 1 --branch core-v2.3.0");
    let indexes = Indexes::open(&repo);
    repo.xtask("release core --yes").ok();
    assert_eq!(indexes.index.files().len(), 2);
    assert_eq!(repo.remote_tags(), before);
}

/// The tag of a group says that every member can be installed.
#[test]
fn the_one_tag_of_a_group_comes_when_all_are_published() {
    let tag = "\n[tool.xtask]\ntag = \"v{version}\"\n";
    let repo = Repo::new()
        .package("core", "1.2.0")
        .package("runner", "1.2.0: core==1.2.0")
        .append("packages/core/pyproject.toml", tag)
        .append("packages/runner/pyproject.toml", tag)
        .file("Cargo.toml", "[workspace.metadata.xtask]\ngroups = [[\"core\", \"runner\"]]\n")
        .commit();
    let indexes = Indexes::open(&repo);
    indexes.index.refuse("runner");
    repo.xtask("release all --yes").refused(3).published("core 1.2.0").unpublished("runner 1.2.0");
    assert_eq!(repo.remote_tags(), []);

    indexes.index.refuse_nothing();
    repo.xtask("release all --yes").ok();
    let head = repo.git("rev-parse HEAD");
    assert_eq!(tags_on(&repo, &head), ["v1.2.0"]);
    assert_eq!(indexes.index.files().len(), 4);
    let idle = repo.xtask("release all --yes --json").ok().json();
    assert!(idle["packages"].as_array().unwrap().iter().all(|p| p["tag"] == "v1.2.0"), "{idle}");
}

/// The version is told on the command line, and contradicts nothing.
#[test]
fn a_version_that_is_named_is_built() {
    let repo = with_hatch_vcs(Repo::new(), "core", "").commit();
    repo.xtask("release core=1.2.0rc1 --rehearse --until built").ok();
    let built = repo.files("target/xtask/rehearsal/dist/core-1.2.0rc1");
    assert!(built.contains_key("core-1.2.0rc1.tar.gz"), "{:?}", built.keys());
    repo.git("tag core-v1.1.0");
    repo.xtask("release core=1.2.0 --rehearse").refused(1).shows("a version against a tag");
}
