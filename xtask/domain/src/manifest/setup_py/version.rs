//! The version of a setup.py: a literal, or the file that it reads it from.
//!
//! Must not know requirements.

use formats::python::{self, Expr, Text, eval};

use crate::manifest::python_attribute::{attribute, module_file, text as attribute_text};
use crate::manifest::setup_py::{SetupPy, environment_default, is_environment, is_of_environment};
use crate::manifest::version_source::{DeclaredVersion, literal, unknown, whole_file};
use crate::source::{Files, SourceFile};
use crate::text::toml::line_of;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

/// Where the version of a setup.py is.
pub(crate) fn version(setup: &SourceFile, files: Files<'_>, dir: &str) -> DeclaredVersion {
    let Some(read) = SetupPy::read(&setup.text) else {
        return unknown(&setup.path, 1, "setup.py does not call `setup` where it can be followed");
    };
    let tag = |tool: &str| DeclaredVersion::FromTag {
        file: setup.path.clone(),
        line: line_of(&setup.text, read.offset),
        tool: tool.to_owned(),
    };
    for (keyword, tool) in [("use_scm_version", "setuptools-scm"), ("pbr", "pbr")] {
        if read.keyword(keyword).is_some() {
            return tag(tool);
        }
    }
    let resolver = Resolver { setup, read: &read, files, dir };
    let Some(value) = read.keyword("version") else {
        return resolver.computed("setup.py names no version");
    };
    if names_tool(value, "versioneer") {
        return tag("versioneer");
    }
    resolver.resolve(value, 0)
}

/// Whether an alternative is of the environment, through a name too.
fn is_unset(read: &SetupPy, value: &Expr) -> bool {
    let Expr::Name(name) = value else { return is_of_environment(value) };
    read.values_of(name).next().is_some() && read.values_of(name).all(is_of_environment)
}

fn names_tool(value: &Expr, tool: &str) -> bool {
    let mut found = false;
    python::walk(value, &mut |part| {
        found |= matches!(part, Expr::Name(name) if name.split('.').next() == Some(tool));
    });
    found
}

struct Resolver<'a> {
    setup: &'a SourceFile,
    read: &'a SetupPy,
    files: Files<'a>,
    dir: &'a str,
}

impl Resolver<'_> {
    fn computed(&self, reason: &str) -> DeclaredVersion {
        unknown(&self.setup.path, line_of(&self.setup.text, self.read.offset), reason)
    }

    fn resolve(&self, value: &Expr, depth: usize) -> DeclaredVersion {
        match value {
            Expr::Text(text) if !text.formatted => literal(self.setup, text.span.clone()),
            Expr::Text(text) => self.formatted(text, depth),
            _ if depth > 4 => self.computed("the version is passed through too many names"),
            Expr::Name(name) => self.name(name, value, depth),
            Expr::Call { function, .. } if is_environment(function) => {
                match environment_default(value) {
                    Some(default) => self.resolve(default, depth + 1),
                    None => self.computed("the version comes from the environment alone"),
                }
            }
            Expr::Choice(alternatives) => self.choice(value, alternatives, depth),
            Expr::Sum(parts) => self.sum(value, parts),
            other => self.in_a_file(other),
        }
    }

    /// The one alternative that is not of the environment.
    fn choice(&self, value: &Expr, alternatives: &[Expr], depth: usize) -> DeclaredVersion {
        let mut left = alternatives.iter().filter(|value| !is_unset(self.read, value));
        match (left.next(), left.next()) {
            (Some(one), None) => self.resolve(one, depth + 1),
            _ => self.in_a_file(value),
        }
    }

    /// A literal with suffixes behind it that are empty unless set outside.
    fn sum(&self, value: &Expr, parts: &[Expr]) -> DeclaredVersion {
        let [Expr::Text(first), suffixes @ ..] = parts else { return self.in_a_file(value) };
        let is_empty = |part: &Expr| {
            let default = environment_default(part).unwrap_or(part);
            eval::text(default, &|name| self.read.assigned(name)).is_some_and(|t| t.is_empty())
        };
        if !first.formatted && suffixes.iter().all(is_empty) {
            return literal(self.setup, first.span.clone());
        }
        self.in_a_file(value)
    }

    fn name(&self, name: &str, value: &Expr, depth: usize) -> DeclaredVersion {
        if let Some(assigned) = self.read.assigned(name) {
            return self.resolve(assigned, depth + 1);
        }
        let imports = &self.read.source.imports;
        if let Some(import) = imports.iter().find(|import| import.bound == name)
            && let Some(attr) = &import.name
            && let Some(module) = module_file(self.files, self.dir, &import.module)
        {
            return attribute(&module, attr, self.files, 0);
        }
        if let Some((module, attr)) = name.rsplit_once('.')
            && let Some(module) = module_file(self.files, self.dir, module)
        {
            return attribute(&module, attr, self.files, 0);
        }
        if self.read.values_of(name).count() > 1 {
            return self.computed(&format!("`{name}` is assigned more than once"));
        }
        self.in_a_file(value)
    }

    /// `f"{version}"`, or a literal with fields behind it that are empty unless set outside.
    fn formatted(&self, text: &Text, depth: usize) -> DeclaredVersion {
        let raw = text.raw.as_str();
        if let Some(field) = raw.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            && !field.contains(['{', '}'])
        {
            let inner = python::read(&format!("_ = {field}\n"));
            let shifted = inner.assignments.first().map(|assignment| &assignment.value);
            return match shifted {
                Some(Expr::Name(name)) => self.name(name, &Expr::Name(name.clone()), depth + 1),
                Some(call @ Expr::Call { function, .. }) if is_environment(function) => {
                    self.default_inside(text, environment_default(call))
                }
                _ => self.computed("the version is computed in an f-string"),
            };
        }
        self.computed("the version is put together in an f-string")
    }

    /// The default of an environment lookup inside an f-string, as a place in the file.
    fn default_inside(&self, text: &Text, default: Option<&Expr>) -> DeclaredVersion {
        if let Some(Expr::Text(default)) = default
            && let Some(at) = text.raw.find(&default.raw)
            && text.raw.matches(&default.raw).count() == 1
        {
            let start = text.span.start + at;
            return literal(self.setup, start..start + default.raw.len());
        }
        self.computed("the version is computed in an f-string")
    }

    /// The version is in a file that setup.py reads: the one that it opens and that holds a
    /// version, else the one that is named like a version file.
    fn in_a_file(&self, value: &Expr) -> DeclaredVersion {
        let mut places = Vec::new();
        for path in self.read.opened() {
            if let Some(source) = self.files.beside(self.dir, &path) {
                add_place(&mut places, version_in(&source, &path, self.files));
            }
        }
        if places.len() != 1 {
            let mut named = Vec::new();
            self.paths(value, &mut named, 0);
            places = self.places(&named);
        }
        if places.is_empty() {
            let all: Vec<String> =
                self.read.source.texts.iter().map(|text| text.raw.clone()).collect();
            places = self.places(&all);
        }
        match places.len() {
            1 => places.remove(0),
            0 => self.miniver().unwrap_or_else(|| {
                self.computed("the version is computed in a way that cannot be followed")
            }),
            _ => self.computed("several files could define the version"),
        }
    }

    /// The version of miniver, whose `_version.py` is copied into the package: `version` in
    /// `_static_version.py` beside it, or `git describe` where that says so.
    fn miniver(&self) -> Option<DeclaredVersion> {
        let texts: Vec<String> =
            self.read.source.texts.iter().map(|text| text.raw.clone()).collect();
        let copied = (0..texts.len()).find_map(|index| {
            let is_named = texts[index].ends_with("_version.py");
            self.version_file(&texts, index).filter(|_| is_named)
        })?;
        let dir = copied.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let (file, name) = attribute_text(&copied, "STATIC_VERSION_FILE", self.files, 0).ok()?;
        let fixed = self.files.beside(dir, &file.text[name])?;
        let (source, span) = attribute_text(&fixed, "version", self.files, 0).ok()?;
        if &source.text[span.clone()] == "__use_git__" {
            let line = line_of(&source.text, span.start);
            let tool = "miniver".to_owned();
            return Some(DeclaredVersion::FromTag { file: source.path, line, tool });
        }
        Some(literal(&source, span))
    }

    /// Texts of an expression, through the names in it.
    fn paths(&self, value: &Expr, found: &mut Vec<String>, depth: usize) {
        let mut names = Vec::new();
        python::walk(value, &mut |part| match part {
            Expr::Text(text) => found.push(text.raw.clone()),
            Expr::Name(name) => names.push(name.split('.').next().unwrap_or("").to_owned()),
            _ => {}
        });
        for name in names.iter().filter(|_| depth < 3) {
            self.read.values_of(name).for_each(|value| self.paths(value, found, depth + 1));
        }
    }

    fn places(&self, texts: &[String]) -> Vec<DeclaredVersion> {
        let mut places: Vec<DeclaredVersion> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let Some(source) = self.version_file(texts, index) else { continue };
            add_place(&mut places, version_in(&source, text, self.files));
        }
        places
    }

    /// The file that a text names, alone or with the texts before it (`os.path.join`).
    fn version_file(&self, texts: &[String], index: usize) -> Option<SourceFile> {
        let name = texts[index].trim_start_matches("./");
        if !looks_like_version_file(name) {
            return None;
        }
        let before = index.saturating_sub(4);
        for from in before..=index {
            let path = texts[from..=index].join("/");
            if let Some(source) = self.files.beside(self.dir, &path) {
                return Some(source);
            }
        }
        let end = format!("/{name}");
        let all = (self.files.list)(self.dir);
        let mut matching = all.iter().filter(|path| path.ends_with(&end));
        match (matching.next(), matching.next()) {
            (Some(one), None) => (self.files.read)(one),
            _ => None,
        }
    }
}

/// Adds a place that is not there yet.
fn add_place(places: &mut Vec<DeclaredVersion>, found: Option<DeclaredVersion>) {
    let Some(found) = found else { return };
    if places.iter().all(|other| other.location() != found.location()) {
        places.push(found);
    }
}

fn looks_like_version_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or("");
    let known = ["version", "_version", "__version__", "__init__", "__about__", "about", "_about"];
    let python = name.ends_with(".py");
    known.contains(&stem) && (python || matches!(name.as_str(), "version" | "version.txt"))
}

/// The version that a file holds, as a module or as its whole text.
fn version_in(source: &SourceFile, name: &str, files: Files<'_>) -> Option<DeclaredVersion> {
    if !name.ends_with(".py") {
        let named = name.to_ascii_lowercase().contains("version");
        return Some(whole_file(source))
            .filter(|_| named)
            .filter(|place| place.version().is_some());
    }
    ["__version__", "VERSION", "version", "__VERSION__"]
        .into_iter()
        .map(|attr| attribute(source, attr, files, 0))
        .find(|place| place.version().is_some())
}
