//! `test`: the tests of this tool, and those of every distribution against its installed wheel.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::parallel;
use domain::workspace::{Distribution, Workspace};
use formats::pep440::Version;
use xshell::{Cmd, cmd};

use crate::ExitStatus;
use crate::cli::TestOptions;
use crate::effects::paths;
use crate::effects::process::shell;
use crate::effects::python::build;
use crate::effects::python::interpreter::Environment;
use crate::effects::python::tools::Tools;
use crate::effects::repository::discover;
use crate::effects::repository::git::Git;
use crate::ui::progress::Progress;
use crate::ui::say;

/// # Errors
/// Something cannot be built or installed. A failing test is exit code 1.
pub(crate) fn run(root: &Path, options: &TestOptions) -> Result<ExitStatus> {
    let both = options.rust == options.python;
    let mut passed = true;
    if (both || options.rust) && root.join("Cargo.toml").is_file() {
        passed &= rust(root)?;
    }
    if both || options.python {
        passed &= python(root)?;
    }
    Ok(ExitStatus::done_if(passed))
}

fn rust(root: &Path) -> Result<bool> {
    let sh = shell::at(root)?;
    // cargo sets CARGO to its own path for its children.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    shell::watched(cmd!(sh, "{cargo} test --workspace --locked --no-fail-fast"))
}

fn python(root: &Path) -> Result<bool> {
    let progress = Progress::start();
    let workspace = discover::workspace(root)?;
    let tested: Vec<&Distribution> = workspace
        .distributions
        .iter()
        .filter(|distribution| has_tests(&root.join(&distribution.dir)))
        .collect();
    if tested.is_empty() {
        progress.say("no distribution has a `tests` or `test` directory");
        return Ok(true);
    }
    let tools = Tools::ready(|what| progress.say(what))?;
    let scratch = paths::scratch(root)?.join("test");
    paths::remove(&scratch)?;
    let (wheels, _) = progress.during("building", || wheels(root, &workspace, &tools, &scratch));
    let wheels = wheels?;
    let (environment, _) =
        progress.during("installing", || install(root, &tools, &tested, &wheels, &scratch));
    let environment = environment?;
    drop(progress);

    let mut passed = true;
    for distribution in tested {
        say!("\n{}", distribution.name());
        passed &= pytest(root, distribution, &environment)?;
    }
    Ok(passed)
}

fn has_tests(dir: &Path) -> bool {
    ["tests", "test"].iter().any(|name| dir.join(name).is_dir())
}

/// Builds every distribution from the files of the working tree that git tracks or would track, so
/// that a left-over of an earlier build is not tested.
fn wheels(
    root: &Path,
    workspace: &Workspace,
    tools: &Tools,
    scratch: &Path,
) -> Result<Vec<PathBuf>> {
    let source = scratch.join("source");
    let out = scratch.join("dist");
    snapshot(root, &source)?;
    let epoch = "315532800"; // 1980-01-01, the oldest date that a wheel can hold
    let built =
        parallel::map(parallel::jobs(), workspace.distributions.as_slice(), |distribution| {
            let requires = distribution.manifest.build_requires();
            // The snapshot has no tag to make a version from.
            let version = distribution.version().cloned().unwrap_or_else(|| Version::new([0]));
            let variable = distribution.manifest.version_variable(&version);
            let dir = source.join(&distribution.dir);
            build::build(tools, &dir, &requires, &out, epoch, variable)
                .with_context(|| format!("cannot build `{}`", distribution.name()))
        });
    built.into_iter().collect::<Result<Vec<_>>>()?;
    let files = build::artifacts(&out)?.into_iter().filter(|file| file.name.ends_with(".whl"));
    Ok(files.map(|file| out.join(file.name)).collect())
}

/// Copies every file that git tracks, or neither tracks nor ignores.
fn snapshot(root: &Path, to: &Path) -> Result<()> {
    for path in Git::required(root)?.files()? {
        let from = root.join(&path);
        let to = to.join(&path);
        // A deleted file may still be tracked, and a dangling link has nothing to copy.
        if from.is_file() {
            fs::create_dir_all(to.parent().context("a file has no directory")?)?;
            fs::copy(&from, &to).with_context(|| format!("cannot copy `{path}`"))?;
        }
    }
    Ok(())
}

/// One environment with all wheels, pytest, and the `test` groups (PEP 735) of the distributions.
fn install(
    root: &Path,
    tools: &Tools,
    tested: &[&Distribution],
    wheels: &[PathBuf],
    scratch: &Path,
) -> Result<Environment> {
    let environment = tools.interpreter.environment(&scratch.join("env"))?;
    let sh = shell::at(scratch)?;
    let mut install =
        tools.pip_for(&sh, &environment).args(["install", "--quiet", "pytest"]).args(wheels);
    for distribution in tested.iter().filter(|distribution| distribution.manifest.has_group("test"))
    {
        let manifest = root.join(&*distribution.manifest.path);
        install = install.arg("--group").arg(format!("{}:test", manifest.display()));
    }
    shell::read(install)
        .context("cannot install the distributions with their test requirements")?;
    Ok(environment)
}

fn pytest(root: &Path, distribution: &Distribution, environment: &Environment) -> Result<bool> {
    let sh = shell::at(&root.join(&distribution.dir))?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [environment.scripts()].into_iter().chain(std::env::split_paths(&path)),
    )?;
    let python = environment.python();
    // Isolated, so that the checkout cannot be imported; nothing is written into it either.
    let pytest: Cmd = cmd!(sh, "{python} -I -B -m pytest -q -p no:cacheprovider .");
    shell::watched(shell::scrubbed(pytest).env("PATH", path).env("PYTHONDONTWRITEBYTECODE", "1"))
}
