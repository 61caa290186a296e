//! The Pythons of this machine, and virtual environments made with them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::finding::{Finding, Refusal, Rule};
use xshell::{Shell, cmd};

use crate::effects::process::{programs, shell};

/// The oldest Python that the tools run on, major and minor version.
const OLDEST: (u32, u32) = (3, 10);

/// Prints what [`Interpreter`] holds, a line each.
const DESCRIBE: &str =
    "import sys; print(sys.executable, '.'.join(map(str, sys.version_info[:3])), sep='\\n')";

/// Prints why a module of the name given cannot be imported, or nothing.
const SHADOWED: &str = "\
import keyword, sys
parts = sys.argv[1].split('.')
words = [part for part in parts if keyword.iskeyword(part)]
if words:
    print(f'`{words[0]}` is a keyword of Python')
elif parts[0] in sys.stdlib_module_names:
    print(f'`{parts[0]}` is a module of the standard library')
";

/// A Python, resolved once: a shim in front of it (pyenv) takes time at every call.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) executable: PathBuf,
    /// Such as `3.12.1`.
    pub(crate) version: String,
}

impl Interpreter {
    /// The interpreter that `XTASK_PYTHON` names, else `python3`, else `python`.
    ///
    /// # Errors
    /// There is none, or it is too old: the message names it, with its version.
    pub(crate) fn find() -> Result<Interpreter> {
        let named = std::env::var("XTASK_PYTHON").ok().filter(|name| !name.is_empty());
        let candidates = named.as_deref().map_or(vec!["python3", "python"], |name| vec![name]);
        let found = Interpreter::first_of(&candidates)?;
        if found.series() < OLDEST { Err(too_old(&found).into()) } else { Ok(found) }
    }

    /// The interpreter of a version such as `3.12`, or a program by its name or path.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn named(name: &str) -> Result<Interpreter> {
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            Interpreter::first_of(&[&format!("python{name}")])
        } else {
            Interpreter::first_of(&[name])
        }
    }

    fn first_of(candidates: &[&str]) -> Result<Interpreter> {
        let Some(program) = candidates.iter().find_map(|name| programs::find(name)) else {
            return Err(missing(candidates).into());
        };
        let shell = Shell::new()?;
        // Python 2 has no `-I`, and is to be named as too old.
        let described = shell::read(shell::scrubbed(cmd!(shell, "{program} -I -c {DESCRIBE}")))
            .or_else(|_| shell::read(shell::scrubbed(cmd!(shell, "{program} -c {DESCRIBE}"))))?;
        let Some((executable, version)) = described.split_once('\n') else {
            return Err(not_python(&program).into());
        };
        let version = version.trim().to_owned();
        Ok(Interpreter { executable: PathBuf::from(executable.trim()), version })
    }

    /// Why a module of this name could not be imported; `None` if it can.
    ///
    /// # Errors
    /// Python cannot be run.
    pub(crate) fn shadows(&self, module: &str) -> Result<Option<String>> {
        let shell = Shell::new()?;
        let python = &self.executable;
        let said = shell::read(shell::scrubbed(cmd!(shell, "{python} -I -c {SHADOWED} {module}")))?;
        Ok(Some(said.trim().to_owned()).filter(|said| !said.is_empty()))
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
    /// The folder of its scripts.
    pub(crate) fn scripts(&self) -> PathBuf {
        self.dir.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// This process's `PATH` with the environment's scripts first.
    ///
    /// # Errors
    /// The environment is in a folder whose path cannot be in `PATH`.
    pub(crate) fn search_path(&self) -> Result<OsString> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [self.scripts()].into_iter().chain(std::env::split_paths(&path));
        std::env::join_paths(folders)
            .with_context(|| format!("`{}` cannot be put on `PATH`", self.dir.display()))
    }

    /// The folder of its packages, if `interpreter` made it.
    pub(crate) fn site_packages(&self, interpreter: &Interpreter) -> PathBuf {
        let (major, minor) = interpreter.series();
        if cfg!(windows) {
            self.dir.join("Lib/site-packages")
        } else {
            self.dir.join(format!("lib/python{major}.{minor}/site-packages"))
        }
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.scripts().join(if cfg!(windows) { "python.exe" } else { "python" })
    }
}

fn missing(names: &[&str]) -> Refusal {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("no Python found: tried {}", names.join(" and "));
    let hint = "install Python 3.10 or newer, or set `XTASK_PYTHON` to one";
    Finding::error(Rule::Python, message).hint(hint).into()
}

fn not_python(program: &Path) -> Refusal {
    let message = format!("`{}` is not a Python interpreter", program.display());
    let hint = "set `XTASK_PYTHON` to a Python 3.10 or newer";
    Finding::error(Rule::Python, message).hint(hint).into()
}

fn too_old(found: &Interpreter) -> Refusal {
    let path = found.executable.display();
    let message = format!(
        "`{path}` is Python {}, which is too old: 3.10 or newer is required",
        found.version
    );
    let hint = "set `XTASK_PYTHON` to a newer one, such as `XTASK_PYTHON=python3.12`";
    Finding::error(Rule::Python, message).hint(hint).into()
}
