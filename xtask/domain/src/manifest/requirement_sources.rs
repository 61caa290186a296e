//! Every table that names other distributions: pyproject.toml's, Poetry's, setup.cfg's, setup.py's.
//!
//! Gives each requirement with the bytes of its specifier in the file. Must not know which of them
//! name siblings, nor what becomes of a range.

use std::ops::Range;

use formats::name::Name;
use formats::pep440::specifier::Dialect;
use formats::python::Text;
use formats::requirement::Requirement;
use formats::setup_cfg::{self, ValueLine};
use toml_edit::{Item, TableLike, Value};

use crate::finding::{Finding, Rule};
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::manifest::setup_py::SetupPy;
use crate::source::{Files, SourceFile};
use crate::text::toml::{TomlFile, line_of, start};

/// The requirements in a pyproject.toml itself, in a fixed order of tables. `findings`
/// gets what is wrong with them.
pub(crate) fn requirements(
    file: &TomlFile,
    findings: &mut Vec<Finding>,
) -> Vec<DeclaredRequirement> {
    let mut reader = TableReader { file, findings, found: Vec::new() };
    reader.list(&RequirementTable::Dependencies, file.get("project.dependencies"));
    reader.list(&RequirementTable::Build, file.get("build-system.requires"));
    for (extra, item) in entries(file.get("project.optional-dependencies")) {
        reader.list(&RequirementTable::Extra(extra.to_owned()), Some(item));
    }
    for (group, item) in entries(file.get("dependency-groups")) {
        reader.list(&RequirementTable::Group(group.to_owned()), Some(item));
    }
    reader.poetry();
    reader.forerunners();
    let misplaced = file.get("project.dependencies").filter(|item| item.is_table_like());
    if let Some(item) = misplaced {
        findings_of_table(file, item, reader.findings);
    }
    reader.found
}

fn findings_of_table(file: &TomlFile, item: &Item, findings: &mut Vec<Finding>) {
    let message =
        "`[project.dependencies]` must be an array (PEP 621); build back ends reject the table";
    findings.push(
        Finding::error(Rule::DependenciesTable, message)
            .at(&file.path, file.line(start(item)))
            .hint("`cargo xtask check --fix` turns it into an array"),
    );
}

fn entries(item: Option<&Item>) -> impl Iterator<Item = (&str, &Item)> {
    item.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter)
}

struct TableReader<'a> {
    file: &'a TomlFile,
    findings: &'a mut Vec<Finding>,
    found: Vec<DeclaredRequirement>,
}

impl<'a> TableReader<'a> {
    /// An array of requirements, or the table that people write instead.
    fn list(&mut self, table: &RequirementTable, item: Option<&'a Item>) {
        if let Some(array) = item.and_then(Item::as_array) {
            for value in array {
                self.requirement(table, value);
            }
        } else {
            self.named(table, item, Dialect::Poetry);
        }
    }

    /// One array element; only a string is a requirement (`{ include-group = … }` is not).
    fn requirement(&mut self, table: &RequirementTable, value: &Value) {
        let (Some(text), Some(span)) = (value.as_str(), value.span()) else { return };
        let line = self.file.line(span.start);
        match Requirement::parse(text) {
            Ok(requirement) => {
                let inside = inside(self.file.text(), &span, text, requirement.specifiers.end);
                let specifier_span = inside.map(|at| shift(&requirement.specifiers, at));
                self.found.push(DeclaredRequirement {
                    table: table.clone(),
                    file: self.file.path.clone(),
                    line: self.file.line(specifier_span.as_ref().unwrap_or(&span).start),
                    span,
                    text: text.to_owned(),
                    requirement,
                    dialect: Dialect::Pep440,
                    specifier_span,
                });
            }
            Err(why) => self.findings.push(
                Finding::new(
                    Rule::RequirementSyntax,
                    format!("`{text}` is not a valid requirement (PEP 508): {why}"),
                )
                .at(&self.file.path, line),
            ),
        }
    }

    /// A table of `name = "range"`, `name = { version = "range", … }` or an array of the latter.
    fn named(&mut self, table: &RequirementTable, item: Option<&'a Item>, dialect: Dialect) {
        for (key, item) in entries(item) {
            let Some(name) = Name::new(key) else { continue };
            match item {
                Item::ArrayOfTables(tables) => {
                    for inner in tables {
                        self.range(table, &name, inner.get("version"), inner, dialect);
                    }
                }
                _ => self.named_value(table, &name, item, dialect),
            }
        }
    }

    fn named_value(
        &mut self,
        table: &RequirementTable,
        name: &Name,
        item: &'a Item,
        dialect: Dialect,
    ) {
        if let Some(inner) = item.as_table_like() {
            self.range(table, name, inner.get("version"), inner, dialect);
        } else if let Some(array) = item.as_array() {
            for inner in array.iter().filter_map(Value::as_inline_table) {
                let version = inner.get("version");
                let placed = placed_elsewhere(inner);
                if let Some(version) = version.filter(|_| !placed) {
                    self.value(table, name, version.as_str(), version.span(), dialect);
                }
            }
        } else {
            self.value(table, name, item.as_str(), item.span(), dialect);
        }
    }

    fn range(
        &mut self,
        table: &RequirementTable,
        name: &Name,
        version: Option<&Item>,
        inner: &dyn TableLike,
        dialect: Dialect,
    ) {
        // Poetry installs it only with an extra, which another table names.
        let optional = inner.get("optional").and_then(Item::as_bool) == Some(true);
        let extra = RequirementTable::Extra(String::new());
        let table =
            if optional && *table == RequirementTable::Dependencies { &extra } else { table };
        let placed = placed_elsewhere(inner);
        if let Some(version) = version.filter(|_| !placed) {
            self.value(table, name, version.as_str(), version.span(), dialect);
        } else {
            // Without a range it still is an edge of the graph.
            let span = inner.iter().find_map(|(_, item)| item.span());
            let known = self.found.len();
            self.value(table, name, Some(""), span.map(|span| span.start..span.start), dialect);
            if let Some(value) = self.found.get_mut(known).filter(|_| placed) {
                value.requirement.url = Some(0..0);
            }
        }
    }

    fn value(
        &mut self,
        table: &RequirementTable,
        name: &Name,
        text: Option<&str>,
        span: Option<Range<usize>>,
        dialect: Dialect,
    ) {
        let (Some(text), Some(span)) = (text, span) else { return };
        let specifiers = 0..text.len();
        let inside = inside(self.file.text(), &span, text, text.len());
        let requirement = Requirement {
            extras: Vec::new(),
            name: name.clone(),
            specifiers: specifiers.clone(),
            url: None,
            marker: None,
        };
        self.found.push(DeclaredRequirement {
            table: table.clone(),
            file: self.file.path.clone(),
            line: self.file.line(span.start),
            span,
            text: text.to_owned(),
            requirement,
            dialect,
            specifier_span: inside.map(|at| shift(&specifiers, at)),
        });
    }

    fn poetry(&mut self) {
        let file = self.file;
        self.named(
            &RequirementTable::Dependencies,
            file.get("tool.poetry.dependencies"),
            Dialect::Poetry,
        );
        let dev = RequirementTable::Group("dev".into());
        self.named(&dev, file.get("tool.poetry.dev-dependencies"), Dialect::Poetry);
        for (group, item) in entries(file.get("tool.poetry.group")) {
            let table = RequirementTable::Group(group.to_owned());
            self.named(&table, item.get("dependencies"), Dialect::Poetry);
        }
    }

    /// Tables from before PEP 735, and the plugin that sets setuptools' dynamic dependencies.
    fn forerunners(&mut self) {
        let file = self.file;
        self.list(&RequirementTable::Group("dev".into()), file.get("tool.uv.dev-dependencies"));
        let Some(plugin) = file.get("tool.setuptools_dynamic_dependencies") else { return };
        self.list(&RequirementTable::Dependencies, plugin.get("dependencies"));
        for (extra, item) in entries(plugin.get("optional-dependencies")) {
            self.list(&RequirementTable::Extra(extra.to_owned()), Some(item));
        }
    }
}

/// Whether a Poetry dependency comes from somewhere that no range selects.
fn placed_elsewhere(table: &dyn TableLike) -> bool {
    ["path", "git", "url", "file"].iter().any(|key| table.contains_key(key))
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Where the contents of a TOML string start in the file; `None` where its first `needed` bytes
/// are not written as they are read.
fn inside(text: &str, span: &Range<usize>, decoded: &str, needed: usize) -> Option<usize> {
    let raw = text.get(span.clone())?;
    let triple = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let at = if triple { 3 } else { 1 };
    raw.get(at..)?.starts_with(&decoded[..needed]).then_some(span.start + at)
}

/// Requirements in files that setuptools is told to read (`dynamic.dependencies.file`).
pub(crate) fn referenced(file: &TomlFile, dir: &str, files: Files<'_>) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut read = |table: &RequirementTable, item: Option<&Item>| {
        let named = item.and_then(|item| item.get("file"));
        let paths: Vec<&str> = match named.map(|named| (named.as_str(), named.as_array())) {
            Some((Some(path), _)) => vec![path],
            Some((_, Some(array))) => array.iter().filter_map(|value| value.as_str()).collect(),
            _ => Vec::new(),
        };
        for path in paths {
            if let Some(source) = files.beside(dir, path) {
                found.extend(requirements_file(&source, table));
            }
        }
    };
    read(&RequirementTable::Dependencies, file.get("tool.setuptools.dynamic.dependencies"));
    for (extra, item) in entries(file.get("tool.setuptools.dynamic.optional-dependencies")) {
        read(&RequirementTable::Extra(extra.to_owned()), Some(item));
    }
    found
}

fn requirements_file(source: &SourceFile, table: &RequirementTable) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let end = line.find(" #").unwrap_or(line.len());
        let text = line[..end].trim();
        let at = start + line.find(text).unwrap_or(0);
        start += line.len();
        if !text.is_empty() && !text.starts_with(['#', '-']) {
            found.extend(plain(source, table, text, at));
        }
    }
    found
}

/// A requirement that is written in a file as it is read.
fn plain(
    source: &SourceFile,
    table: &RequirementTable,
    text: &str,
    at: usize,
) -> Option<DeclaredRequirement> {
    let requirement = Requirement::parse(text).ok()?;
    let specifier_span = Some(shift(&requirement.specifiers, at));
    Some(DeclaredRequirement {
        table: table.clone(),
        file: source.path.clone(),
        line: line_of(&source.text, at),
        span: at..at + text.len(),
        text: text.to_owned(),
        requirement,
        dialect: Dialect::Pep440,
        specifier_span,
    })
}

/// `install_requires`, `setup_requires`, `tests_require` and the extras of a setup.cfg.
pub(crate) fn setup_cfg(source: &SourceFile) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    for entry in setup_cfg::entries(&source.text) {
        let table = match (entry.section, entry.key) {
            ("options", "install_requires") => RequirementTable::Dependencies,
            ("options", "setup_requires") => RequirementTable::Build,
            ("options", "tests_require") => RequirementTable::Group("tests".into()),
            ("options.extras_require", extra) => RequirementTable::Extra(extra.to_owned()),
            _ => continue,
        };
        for ValueLine { text, span } in &entry.lines {
            // A comment behind a requirement belongs to the value here, but to no range.
            let end = text.find(" #").unwrap_or(text.len());
            found.extend(plain(source, &table, text[..end].trim_end(), span.start));
        }
    }
    found
}

/// The requirement strings of a setup.py. An f-string is a template. A string that no requirement
/// keyword reaches counts only with a range in it: `"core"` may mean anything.
pub(crate) fn setup_py(source: &SourceFile) -> Vec<DeclaredRequirement> {
    let Some(setup) = SetupPy::read(&source.text) else { return Vec::new() };
    let reached = setup.requirements();
    let mut found: Vec<_> =
        reached.iter().flat_map(|(table, text)| setup_text(source, table, text)).collect();
    let unreached = |text: &&Text| !reached.iter().any(|(_, known)| known.span == text.span);
    for text in setup.texts().iter().filter(unreached) {
        let read = setup_text(source, &RequirementTable::Dependencies, text);
        found.extend(read.into_iter().filter(|read| !read.requirement.specifiers.is_empty()));
    }
    found
}

/// The requirement of a string, or of every line where there are several.
fn setup_text(
    source: &SourceFile,
    table: &RequirementTable,
    text: &Text,
) -> Vec<DeclaredRequirement> {
    let as_written = !text.formatted && !text.raw.contains('\\');
    let mut found = Vec::new();
    let mut start = text.span.start;
    for line in text.raw.split_inclusive('\n') {
        let lead = line.len() - line.trim_start().len();
        if let Some(read) = plain(source, table, line.trim(), start + lead) {
            let specifier_span = read.specifier_span.clone().filter(|_| as_written);
            found.push(DeclaredRequirement { specifier_span, ..read });
        }
        start += line.len();
    }
    found
}
