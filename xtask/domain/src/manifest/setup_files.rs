//! setup.cfg and setup.py of a distribution: its name, its Pythons and its requirements.

use std::sync::Arc;

use formats::setup_cfg;

use crate::finding::{Finding, Rule};
use crate::manifest::requirement::DeclaredRequirement;
use crate::manifest::requirement_sources;
use crate::manifest::setup_py::SetupPy;
use crate::source::{Files, SourceFile};
use crate::text::toml::line_of;

/// setup.cfg and setup.py beside a manifest.
pub(crate) struct Setup {
    pub(crate) cfg: Option<SourceFile>,
    pub(crate) py: Option<SourceFile>,
}

impl Setup {
    pub(crate) fn beside(dir: &str, files: Files<'_>) -> Setup {
        Setup { cfg: files.beside(dir, "setup.cfg"), py: files.beside(dir, "setup.py") }
    }

    /// The name that one of them states, with its location.
    pub(crate) fn name(&self, files: Files<'_>, dir: &str) -> Option<(Arc<str>, usize, String)> {
        if let Some(cfg) = &self.cfg
            && let Some(line) = setup_cfg::value(&setup_cfg::entries(&cfg.text), "metadata", "name")
        {
            let at = line_of(&cfg.text, line.span.start);
            return Some((cfg.path.clone(), at, line.text.to_owned()));
        }
        let py = self.py.as_ref()?;
        let read = SetupPy::read(&py.text)?;
        let (name, at) = read.name(files, dir)?;
        Some((py.path.clone(), line_of(&py.text, at), name))
    }

    /// The setup.py whose name cannot be followed.
    pub(crate) fn unfollowed_name(&self) -> Option<Finding> {
        let py = self.py.as_ref()?;
        let at = SetupPy::read(&py.text)?.unfollowed_name()?;
        let message = "the name is computed in a way that cannot be followed, so this distribution is left out";
        let hint = "write the name as a literal, or as `name` of `[metadata]` in setup.cfg";
        let at = line_of(&py.text, at);
        Some(Finding::warning(Rule::Packages, message).at(&py.path, at).hint(hint))
    }

    /// `python_requires`.
    pub(crate) fn python(&self) -> Option<String> {
        let entries =
            self.cfg.as_ref().map(|cfg| setup_cfg::entries(&cfg.text)).unwrap_or_default();
        if let Some(line) = setup_cfg::value(&entries, "options", "python_requires") {
            return Some(line.text.to_owned());
        }
        let setup = SetupPy::read(&self.py.as_ref()?.text)?;
        Some(setup.literal("python_requires")?.raw.clone())
    }

    /// `dir` is the folder of both, relative to the root.
    pub(crate) fn requirements(&self, dir: &str, files: Files<'_>) -> Vec<DeclaredRequirement> {
        let cfg = self.cfg.iter().flat_map(requirement_sources::setup_cfg);
        let py = self.py.iter();
        cfg.chain(py.flat_map(|py| requirement_sources::setup_py(py, dir, files))).collect()
    }
}
