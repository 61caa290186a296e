//! setup.py read without running it: the name, the version and the requirements it states.
//!
//! Must not know pyproject.toml, nor which requirements name siblings.

pub(crate) mod version;

use formats::python::{self, Expr, PythonSource, Text, eval};

use crate::manifest::python_attribute;
use crate::manifest::requirement::RequirementTable;
use crate::source::{Files, SourceFile};

/// Whether a value is of the environment alone, so that it is not in any file: `os.environ["X"]`,
/// `os.getenv("X")` without a default.
fn is_of_environment(value: &Expr) -> bool {
    match value {
        Expr::Index { of, .. } => {
            matches!(&**of, Expr::Name(name) if ["os.environ", "environ"].contains(&name.as_str()))
        }
        Expr::Call { function, .. } if is_environment(function) => {
            environment_default(value).is_none()
        }
        _ => false,
    }
}

fn is_placeholder(value: &Expr) -> bool {
    match value {
        Expr::Name(name) => name == "None",
        Expr::Text(text) => text.raw.is_empty(),
        value => is_of_environment(value),
    }
}

fn is_environment(function: &Expr) -> bool {
    matches!(function, Expr::Name(name)
        if ["os.environ.get", "environ.get", "os.getenv", "getenv", "os.environ.pop"]
            .contains(&name.as_str()))
}

/// The value of a keyword of a call.
fn named<'a>(keywords: &'a [(String, Expr)], wanted: &str) -> Option<&'a Expr> {
    keywords.iter().find(|(keyword, _)| keyword == wanted).map(|(_, value)| value)
}

/// The default of a look-up in the environment.
fn environment_default(call: &Expr) -> Option<&Expr> {
    let Expr::Call { arguments, keywords, .. } = call else { return None };
    let default = arguments.get(1).or_else(|| named(keywords, "default"))?;
    (!matches!(default, Expr::Name(name) if name == "None")).then_some(default)
}

/// The keywords of `setup` that hold a list of requirements.
fn keywords() -> [(&'static str, RequirementTable); 4] {
    [
        ("install_requires", RequirementTable::Dependencies),
        ("requires", RequirementTable::Dependencies),
        ("setup_requires", RequirementTable::Build),
        ("tests_require", RequirementTable::Group("tests".into())),
    ]
}

fn is_setup(call: &Expr) -> bool {
    let Expr::Call { function, .. } = call else { return false };
    matches!(&**function, Expr::Name(name) if name == "setup" || name.ends_with(".setup"))
}

/// A setup.py that calls `setup`.
pub(crate) struct SetupPy {
    source: PythonSource,
    call: Expr,
    /// The byte its call of `setup` starts at.
    offset: usize,
}

impl SetupPy {
    /// Reads the text; `None` where nothing in it calls `setup`.
    pub(crate) fn read(text: &str) -> Option<SetupPy> {
        let source = python::read(text);
        let (call, offset) = source.calls.iter().find(|(call, _)| is_setup(call))?.clone();
        Some(SetupPy { source, call, offset })
    }

    /// The value of a keyword, also through `setup(**metadata)`.
    fn keyword(&self, wanted: &str) -> Option<&Expr> {
        let Expr::Call { arguments, keywords, .. } = &self.call else { return None };
        if let Some(value) = named(keywords, wanted) {
            return Some(value);
        }
        arguments.iter().find_map(|argument| {
            let Expr::Opaque(parts) = argument else { return None };
            let name = parts.iter().find_map(|part| match part {
                Expr::Name(name) => Some(name),
                _ => None,
            })?;
            match self.assigned(name)? {
                Expr::Dict(entries) => entries.iter().find_map(|(key, value)| {
                    matches!(key, Expr::Text(text) if text.raw == wanted).then_some(value)
                }),
                Expr::Call { keywords, .. } => named(keywords, wanted),
                _ => None,
            }
        })
    }

    /// The value of a name that is assigned one value; `None` and `""` are placeholders.
    fn assigned(&self, name: &str) -> Option<&Expr> {
        let mut values = self.values_of(name).filter(|value| !is_placeholder(value));
        values.next().filter(|_| values.next().is_none())
    }

    /// Everything that is assigned to a name.
    fn values_of<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Expr> {
        let assignments = self.source.assignments.iter();
        assignments.filter(move |a| a.name == name).map(|a| &a.value)
    }

    /// Every expression of the file: its calls, its assigned values, the others.
    fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let calls = self.source.calls.iter().map(|(call, _)| call);
        let assigned = self.source.assignments.iter().map(|assignment| &assignment.value);
        calls.chain(assigned).chain(&self.source.others)
    }

    /// The distribution's name, as far as literals go, with the byte that it is at.
    pub(crate) fn name(&self, files: Files<'_>, dir: &str) -> Option<(String, usize)> {
        let value = self.keyword("name")?;
        if let Some(text) = self.literal("name") {
            return Some((text.raw.clone(), text.span.start));
        }
        let text = eval::text(value, &|name| self.assigned(name))
            .or_else(|| self.of_a_module(value, files, dir))?;
        Some((text, self.offset))
    }

    /// Where a name is stated that cannot be followed, as an offset. A bare `setup()` leaves it to
    /// other files.
    pub(crate) fn unfollowed_name(&self) -> Option<usize> {
        let Expr::Call { arguments, .. } = &self.call else { return None };
        let is_unpacked = arguments.iter().any(|argument| matches!(argument, Expr::Opaque(_)));
        (self.keyword("name").is_some() || is_unpacked).then_some(self.offset)
    }

    /// A text that a module beside setup.py defines: imported, or executed into a dictionary.
    fn of_a_module(&self, value: &Expr, files: Files<'_>, dir: &str) -> Option<String> {
        let read = |module: &SourceFile, name: &str| {
            let (source, span) = python_attribute::text(module, name, files, 0).ok()?;
            Some(source.text[span].to_owned())
        };
        let (of, key) = match value {
            Expr::Index { of, index } => match (&**of, &**index) {
                (Expr::Name(of), Expr::Text(key)) => (of.as_str(), key.raw.as_str()),
                _ => return None,
            },
            Expr::Name(name) => match self.assigned(name) {
                Some(assigned) => return self.of_a_module(assigned, files, dir),
                None => name.rsplit_once('.').unwrap_or(("", name)),
            },
            _ => return None,
        };
        let imports = self.source.imports.iter();
        let import =
            imports.clone().find(|import| import.bound == if of.is_empty() { key } else { of });
        if let Some(import) = import {
            let package = import.name.as_ref().filter(|_| !of.is_empty());
            let module = match package {
                Some(name) => format!("{}.{name}", import.module),
                None => import.module.clone(),
            };
            let module = python_attribute::module_file(files, dir, module.trim_start_matches('.'))?;
            return read(&module, import.name.as_deref().filter(|_| of.is_empty()).unwrap_or(key));
        }
        let mut found = self.opened().into_iter().filter_map(|path| {
            let module = files.beside(dir, &path).filter(|_| path.ends_with(".py"))?;
            read(&module, key)
        });
        found.next().filter(|first| found.all(|other| other == *first))
    }

    /// The paths of everything that is opened, read or run, wherever it happens.
    fn opened(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut visit = |expr: &Expr| {
            let Expr::Call { function, arguments, keywords } = expr else { return };
            let opened = match &**function {
                Expr::Name(name) if name == "open" || name.ends_with(".open") => arguments.first(),
                Expr::Name(name) if name.ends_with("run_path") => arguments.first(),
                Expr::Name(name) if name.ends_with("SourceFileLoader") => {
                    arguments.get(1).or_else(|| named(keywords, "path"))
                }
                Expr::Name(name) if name.ends_with("spec_from_file_location") => {
                    arguments.get(1).or_else(|| named(keywords, "location"))
                }
                Expr::Attribute { of, name } if name == "read_text" || name == "open" => {
                    Some(&**of)
                }
                _ => None,
            };
            paths.extend(opened.and_then(|path| eval::path(path, &|name| self.assigned(name))));
        };
        self.expressions().for_each(|expr| python::walk(expr, &mut visit));
        paths
    }

    /// The value of a keyword, where it is one string.
    pub(crate) fn literal(&self, keyword: &str) -> Option<&Text> {
        let mut value = self.keyword(keyword)?;
        for _ in 0..3 {
            match value {
                Expr::Text(text) => return Some(text).filter(|text| !text.formatted),
                Expr::Name(name) => value = self.assigned(name)?,
                _ => return None,
            }
        }
        None
    }

    /// Every string of the requirement keywords with its table.
    pub(crate) fn requirements(&self) -> Vec<(RequirementTable, Text)> {
        let mut found = Vec::new();
        for (keyword, table) in keywords() {
            if let Some(value) = self.keyword(keyword) {
                self.collect(value, &table, &mut found, 0);
            }
        }
        if let Some(extras) = self.keyword("extras_require") {
            self.extras(extras, &mut found);
        }
        found
    }

    /// The requirements files that the file reads, relative to it. One that no keyword reaches is
    /// told by its name: the plain one holds dependencies, any other those of an extra.
    pub(crate) fn requirement_files(&self) -> Vec<(RequirementTable, String)> {
        let mut reached = Vec::new();
        for (keyword, table) in keywords() {
            let paths = self.keyword(keyword).map(|value| self.paths(value)).unwrap_or_default();
            reached.extend(paths.into_iter().map(|path| (table.clone(), path)));
        }
        for path in self.expressions().flat_map(|value| self.paths(value)) {
            let name = path.rsplit('/').next().unwrap_or_default();
            if reached.iter().any(|(_, known)| *known == path) || !path.contains("requirement") {
                continue;
            }
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let plain = ["requirements", "base", "core", "main", "install"].contains(&stem);
            let table = if plain {
                RequirementTable::Dependencies
            } else {
                RequirementTable::Extra(stem.to_owned())
            };
            reached.push((table, path));
        }
        reached
    }

    /// The names of text files that calls in an expression are given.
    fn paths(&self, value: &Expr) -> Vec<String> {
        let mut found = Vec::new();
        python::walk(value, &mut |part| {
            let Expr::Call { function, arguments, keywords } = part else { return };
            let of = match &**function {
                Expr::Attribute { of, .. } => Some(&**of),
                _ => None,
            };
            let values = keywords.iter().map(|(_, value)| value);
            let paths = arguments.iter().chain(values).chain(of);
            found.extend(paths.filter_map(|path| eval::path(path, &|name| self.assigned(name))));
        });
        found.retain(|path| path.ends_with(".txt") || path.ends_with(".in"));
        found
    }

    /// The strings that are arguments of a call.
    pub(crate) fn argument_texts(&self) -> Vec<&Text> {
        let mut found = Vec::new();
        let assigned = self.source.assignments.iter().map(|assignment| &assignment.value);
        for value in assigned.chain([&self.call]) {
            python::walk(value, &mut |part| {
                let Expr::Call { arguments, .. } = part else { return };
                found.extend(arguments.iter().filter_map(|argument| match argument {
                    Expr::Text(text) => Some(text),
                    _ => None,
                }));
            });
        }
        found
    }

    /// The strings of the keywords of `setup` that hold no requirements.
    pub(crate) fn other_texts(&self) -> Vec<&Text> {
        let Expr::Call { keywords: given, .. } = &self.call else { return Vec::new() };
        let other = given.iter().filter(|(keyword, _)| !keyword.contains("require"));
        other.flat_map(|(_, value)| python::texts(value)).collect()
    }

    /// Every string of the file: one that no keyword reaches may be put into a list in between.
    pub(crate) fn texts(&self) -> &[Text] {
        &self.source.texts
    }

    fn extras(&self, value: &Expr, found: &mut Vec<(RequirementTable, Text)>) {
        match value {
            Expr::Dict(entries) => {
                for (key, value) in entries {
                    let extra = python::texts(key).first().map(|text| text.raw.clone());
                    let table = RequirementTable::Extra(extra.unwrap_or_default());
                    self.collect(value, &table, found, 0);
                }
            }
            Expr::Name(name) => {
                let values = self.values_of(name);
                values
                    .filter(|value| matches!(value, Expr::Dict(_)))
                    .for_each(|value| self.extras(value, found));
            }
            other => self.collect(other, &RequirementTable::Extra(String::new()), found, 0),
        }
    }

    fn collect(
        &self,
        value: &Expr,
        table: &RequirementTable,
        found: &mut Vec<(RequirementTable, Text)>,
        depth: usize,
    ) {
        python::walk(value, &mut |part| match part {
            Expr::Text(text) if !found.iter().any(|(_, known)| known.span == text.span) => {
                found.push((table.clone(), text.clone()));
            }
            Expr::Name(name) if depth < 3 => {
                self.values_of(name).for_each(|value| self.collect(value, table, found, depth + 1));
            }
            _ => {}
        });
    }
}
