//! The Python of this machine, and environments made with it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use domain::finding::{Finding, Refusal, Rule};
use xshell::{Shell, cmd};

use crate::effects::process::{programs, shell};

/// The oldest Python that the tools run on.
const OLDEST: (u32, u32) = (3, 10);

/// An interpreter, resolved once: a shim in front of it costs time at every call.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    pub(crate) executable: PathBuf,
    /// Such as `3.12.1`.
    pub(crate) version: String,
}

impl Python {
    /// The interpreter named by XTASK_PYTHON, else `python3`, else `python`.
    ///
    /// # Errors
    /// There is none, or it is too old: named, with its version.
    pub(crate) fn find() -> Result<Python> {
        let named = std::env::var("XTASK_PYTHON").ok().filter(|name| !name.is_empty());
        let candidates = named.as_deref().map_or(vec!["python3", "python"], |name| vec![name]);
        let python = Python::first_of(&candidates)?;
        if python.series() < OLDEST { Err(too_old(&python)) } else { Ok(python) }
    }

    /// The interpreter of a version such as `3.12`, or a program by its name or path.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn named(name: &str) -> Result<Python> {
        let is_version = name.starts_with(|c: char| c.is_ascii_digit());
        Python::first_of(&[&if is_version { format!("python{name}") } else { name.to_owned() }])
    }

    fn first_of(candidates: &[&str]) -> Result<Python> {
        let Some(found) = candidates.iter().find_map(|name| programs::find(name)) else {
            return Err(missing(candidates));
        };
        let ask = "import sys; print(sys.executable, '.'.join(map(str, sys.version_info[:3])), sep='\\n')";
        let shell = Shell::new()?;
        let answer = shell::read(shell::scrubbed(cmd!(shell, "{found} -I -c {ask}")))
            .or_else(|_| shell::read(shell::scrubbed(cmd!(shell, "{found} -c {ask}"))))?;
        let Some((executable, version)) = answer.split_once('\n') else {
            return Err(silent(&found));
        };
        let version = version.trim().to_owned();
        Ok(Python { executable: PathBuf::from(executable.trim()), version })
    }

    fn series(&self) -> (u32, u32) {
        let mut numbers = self.version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// Makes an empty environment, without pip.
    ///
    /// # Errors
    /// `venv` fails.
    pub(crate) fn environment(&self, dir: &Path) -> Result<Environment> {
        let shell = Shell::new()?;
        let python = &self.executable;
        shell::read(shell::scrubbed(cmd!(shell, "{python} -I -m venv --without-pip {dir}")))?;
        Ok(Environment { dir: dir.to_owned() })
    }
}

/// A virtual environment.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) dir: PathBuf,
}

impl Environment {
    /// Where its scripts lie.
    pub(crate) fn scripts(&self) -> PathBuf {
        self.dir.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// Where its packages lie, when `base` made it.
    pub(crate) fn site_packages(&self, base: &Python) -> PathBuf {
        let (major, minor) = base.series();
        match cfg!(windows) {
            true => self.dir.join("Lib/site-packages"),
            false => self.dir.join(format!("lib/python{major}.{minor}/site-packages")),
        }
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.scripts().join(if cfg!(windows) { "python.exe" } else { "python" })
    }
}

fn missing(names: &[&str]) -> anyhow::Error {
    Refusal::from(
        Finding::error(Rule::Python, format!("no Python found as {}", names.join(" or ")))
            .hint("install Python 3.10 or newer, or set XTASK_PYTHON to one"),
    )
    .into()
}

fn silent(found: &Path) -> anyhow::Error {
    Refusal::from(
        Finding::error(
            Rule::Python,
            format!("{} does not answer as a Python does", found.display()),
        )
        .hint("set XTASK_PYTHON to a Python 3.10 or newer"),
    )
    .into()
}

fn too_old(python: &Python) -> anyhow::Error {
    let (path, version) = (python.executable.display(), &python.version);
    Refusal::from(
        Finding::error(
            Rule::Python,
            format!("{path} is Python {version}, too old: 3.10 is the least"),
        )
        .hint("set XTASK_PYTHON to a newer one, such as XTASK_PYTHON=python3.12"),
    )
    .into()
}
