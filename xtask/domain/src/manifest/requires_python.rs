//! The range of Python versions that a distribution admits.

use formats::pep440::specifier::Dialect;

use crate::manifest::setup_files::Setup;
use crate::text::toml::TomlFile;

/// The Python versions that a distribution admits, and the key that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiresPython {
    /// `requires-python`, `python` (Poetry) or `python_requires` (setuptools).
    pub key: &'static str,
    pub text: String,
    pub dialect: Dialect,
}

impl RequiresPython {
    /// Of the pyproject.toml, else of setup.cfg or setup.py.
    pub(crate) fn read(file: Option<&TomlFile>, setup: &Setup) -> Option<RequiresPython> {
        let pep440 = |key, text| RequiresPython { key, text, dialect: Dialect::Pep440 };
        let of_table = |path: &str| Some(file?.get(path)?.as_str()?.to_owned());
        let keys = ["project.requires-python", "tool.flit.metadata.requires-python"];
        if let Some(text) = keys.into_iter().find_map(of_table) {
            return Some(pep440("requires-python", text));
        }
        if let Some(text) = of_table("tool.poetry.dependencies.python") {
            return Some(RequiresPython { key: "python", text, dialect: Dialect::Poetry });
        }
        Some(pep440("python_requires", setup.python()?))
    }

    /// The text that the built metadata has to repeat.
    pub fn in_metadata(&self) -> Option<&str> {
        (self.dialect == Dialect::Pep440).then_some(&self.text)
    }
}
