//! Every table that names other distributions: pyproject.toml's, Poetry's, setup.cfg's, setup.py's.
//!
//! Gives each requirement with the bytes of its specifier in the file. Must not know which of them
//! name siblings, nor what becomes of a range.

use std::ops::Range;
use std::sync::Arc;

use formats::name::Name;
use formats::pep440::specifier::{self, Dialect, Unreadable};
use formats::python::{self, Text};
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
    reader.extras(file.get("project.optional-dependencies"));
    for (group, item) in entries(file.get("dependency-groups")) {
        reader.list(&RequirementTable::Group(group.to_owned()), Some(item));
    }
    reader.poetry();
    reader.forerunners();
    reader.tools();
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

    /// Lists of requirements under the names of extras.
    fn extras(&mut self, item: Option<&'a Item>) {
        for (extra, item) in entries(item) {
            self.list(&RequirementTable::Extra(extra.to_owned()), Some(item));
        }
    }

    /// One array element; only a string is a requirement (`{ include-group = … }` is not).
    fn requirement(&mut self, table: &RequirementTable, value: &Value) {
        let (Some(text), Some(span)) = (value.as_str(), value.span()) else { return };
        match Requirement::parse(text) {
            Ok(requirement) => self.push(table, requirement, text, span, Dialect::Pep440),
            Err(why) => {
                let message = format!("`{text}` is not a valid requirement (PEP 508): {why}");
                let line = self.file.line(span.start);
                let finding = Finding::new(Rule::RequirementSyntax, message);
                self.findings.push(finding.at(&self.file.path, line));
            }
        }
    }

    fn push(
        &mut self,
        table: &RequirementTable,
        requirement: Requirement,
        text: &str,
        span: Range<usize>,
        dialect: Dialect,
    ) {
        let specifier_span = as_written(self.file.text(), &span, text, &requirement.specifiers);
        self.found.push(DeclaredRequirement {
            table: table.clone(),
            file: self.file.path.clone(),
            line: self.file.line(specifier_span.as_ref().unwrap_or(&span).start),
            span,
            text: text.to_owned(),
            requirement,
            dialect,
            specifier_span,
        });
    }

    /// A table of `name = "range"`, `name = { version = "range", … }` or an array of the latter.
    fn named(&mut self, table: &RequirementTable, item: Option<&'a Item>, dialect: Dialect) {
        for (key, item) in entries(item) {
            let Some(name) = Name::new(key) else { continue };
            if let Item::ArrayOfTables(tables) = item {
                for inner in tables {
                    self.range(table, &name, inner, dialect);
                }
            } else if let Some(inner) = item.as_table_like() {
                self.range(table, &name, inner, dialect);
            } else if let Some(array) = item.as_array() {
                for inner in array.iter().filter_map(Value::as_inline_table) {
                    if let Some(version) = inner.get("version").filter(|_| !is_elsewhere(inner)) {
                        self.value(table, &name, version.as_str(), version.span(), dialect);
                    }
                }
            } else {
                self.value(table, &name, item.as_str(), item.span(), dialect);
            }
        }
    }

    fn range(
        &mut self,
        table: &RequirementTable,
        name: &Name,
        inner: &dyn TableLike,
        dialect: Dialect,
    ) {
        // Poetry installs it only with an extra, which another table names.
        let optional = inner.get("optional").and_then(Item::as_bool) == Some(true);
        let extra = RequirementTable::Extra(String::new());
        let table =
            if optional && *table == RequirementTable::Dependencies { &extra } else { table };
        let is_elsewhere = is_elsewhere(inner);
        if let Some(version) = inner.get("version").filter(|_| !is_elsewhere) {
            self.value(table, name, version.as_str(), version.span(), dialect);
        } else {
            // Without a range it still is an edge of the graph.
            let span = inner.iter().find_map(|(_, item)| item.span());
            let known = self.found.len();
            self.value(table, name, Some(""), span.map(|span| span.start..span.start), dialect);
            if let Some(value) = self.found.get_mut(known).filter(|_| is_elsewhere) {
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
        let requirement = Requirement {
            extras: Vec::new(),
            name: name.clone(),
            specifiers: 0..text.len(),
            url: None,
            marker: None,
        };
        self.push(table, requirement, text, span, dialect);
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

    /// Tables from before PEP 621 and PEP 735, and the plugin that sets setuptools' dynamic
    /// dependencies.
    fn forerunners(&mut self) {
        let file = self.file;
        self.list(&RequirementTable::Group("dev".into()), file.get("tool.uv.dev-dependencies"));
        for path in ["tool.setuptools_dynamic_dependencies", "tool.flit.metadata"] {
            let Some(table) = file.get(path) else { continue };
            self.dependencies_and_extras(table);
            self.list(&RequirementTable::Dependencies, table.get("requires"));
            self.extras(table.get("requires-extra"));
        }
    }

    fn dependencies_and_extras(&mut self, table: &'a Item) {
        self.list(&RequirementTable::Dependencies, table.get("dependencies"));
        self.extras(table.get("optional-dependencies"));
    }

    /// Tables that only one tool reads, for development.
    fn tools(&mut self) {
        let file = self.file;
        for (group, item) in entries(file.get("tool.pdm.dev-dependencies")) {
            self.of_tool(&format!("tool.pdm.dev-dependencies.{group}"), Some(item));
        }
        let lists = [
            "tool.uv.constraint-dependencies",
            "tool.uv.override-dependencies",
            "tool.uv.build-constraint-dependencies",
            "tool.rye.dev-dependencies",
        ];
        for path in lists {
            self.of_tool(path, file.get(path));
        }
        if let Some(hatch) = file.get("tool.hatch") {
            self.hatch(hatch);
        }
    }

    /// The environments of hatch and the lists that its metadata hooks are given; `hatch` is the
    /// table `tool.hatch`, or the whole of hatch.toml.
    fn hatch(&mut self, hatch: &'a Item) {
        for (name, environment) in entries(hatch.get("envs")) {
            for key in ["dependencies", "extra-dependencies"] {
                self.of_tool(&format!("tool.hatch.envs.{name}.{key}"), environment.get(key));
            }
        }
        let hooks = hatch.get("metadata").and_then(|metadata| metadata.get("hooks"));
        for (_, hook) in entries(hooks) {
            let known = self.findings.len();
            self.dependencies_and_extras(hook);
            self.findings.truncate(known);
        }
    }

    /// A list that is never part of the metadata. Tools allow more in it than PEP 508 does
    /// (`-e .`, `{root:uri}`), so what does not parse is not a fault.
    fn of_tool(&mut self, path: &str, item: Option<&'a Item>) {
        let known = self.findings.len();
        self.list(&RequirementTable::Group(path.to_owned()), item);
        self.findings.truncate(known);
    }
}

/// Whether a Poetry dependency comes from somewhere that no range selects.
fn is_elsewhere(table: &dyn TableLike) -> bool {
    ["path", "git", "url", "file"].iter().any(|key| table.contains_key(key))
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Where a part of a TOML string is in the file: at its place, where everything before it is
/// written as it is read, or else the one place where it is written so. `None` where it contains
/// escapes, or is there twice.
fn as_written(
    text: &str,
    span: &Range<usize>,
    decoded: &str,
    part: &Range<usize>,
) -> Option<Range<usize>> {
    let raw = text.get(span.clone())?;
    let triple = raw.starts_with("\"\"\"") || raw.starts_with("'''");
    let at = if triple { 3 } else { 1 };
    let inside = raw.get(at..)?;
    // TOML drops a line break behind the opening quotes.
    let dropped = ["\r\n", "\n"].iter().find(|end| triple && inside.starts_with(**end));
    let at = at + dropped.map_or(0, |end| end.len());
    if raw.get(at..)?.starts_with(&decoded[..part.end]) {
        return Some(shift(part, span.start + at));
    }
    let wanted = &decoded[part.clone()];
    let mut places = raw.match_indices(wanted).map(|(place, _)| span.start + place);
    let only = places.next().filter(|_| !wanted.is_empty() && places.next().is_none())?;
    Some(only..only + wanted.len())
}

/// Requirements in files that pyproject.toml names or implies: those that setuptools is told to read
/// (`dynamic.dependencies.file`), hatch.toml, and the metadata hook in hatch_build.py.
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
            found.extend(requirements_file(dir, path, table, files));
        }
    };
    read(&RequirementTable::Dependencies, file.get("tool.setuptools.dynamic.dependencies"));
    for (extra, item) in entries(file.get("tool.setuptools.dynamic.optional-dependencies")) {
        read(&RequirementTable::Extra(extra.to_owned()), Some(item));
    }
    found.extend(of_hatch(file, dir, files));
    found
}

fn of_hatch(file: &TomlFile, dir: &str, files: Files<'_>) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut custom = file.get("tool.hatch.metadata.hooks.custom").map(path_of_hook);
    if let Some(source) = files.beside(dir, "hatch.toml")
        && let Ok(hatch) = TomlFile::parse(&source.path, source.text)
    {
        let mut ignored = Vec::new();
        let mut reader = TableReader { file: &hatch, findings: &mut ignored, found: Vec::new() };
        reader.hatch(hatch.root());
        found.append(&mut reader.found);
        custom = custom.or_else(|| hatch.get("metadata.hooks.custom").map(path_of_hook));
    }
    if let Some(source) = custom.and_then(|path| files.beside(dir, &path)) {
        // The hook may do anything with a string; one with a range in it is a requirement.
        let texts = python::read(&source.text).texts;
        found.extend(texts.iter().filter_map(|text| ranged(&source, text)));
    }
    found
}

fn path_of_hook(custom: &Item) -> String {
    custom.get("path").and_then(Item::as_str).unwrap_or("hatch_build.py").to_owned()
}

/// The requirements in the lines of a requirements file and of those that it includes (`-r`).
pub(crate) fn requirements_file(
    dir: &str,
    path: &str,
    table: &RequirementTable,
    files: Files<'_>,
) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut read: Vec<Arc<str>> = Vec::new();
    let mut open: Vec<SourceFile> = files.beside(dir, path).into_iter().collect();
    while let Some(source) = open.pop() {
        if read.contains(&source.path) {
            continue;
        }
        let beside = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            // Comments, options of pip (` --hash=…`) and a continued line are not the requirement.
            let ends = [" #", " --", "\\"].into_iter().filter_map(|end| line.find(end));
            let text = line[..ends.min().unwrap_or(line.len())].trim();
            let at = start + line.find(text).unwrap_or(0);
            start += line.len();
            let included = text.strip_prefix("--requirement").or_else(|| text.strip_prefix("-r"));
            if let Some(included) = included {
                open.extend(files.beside(beside, included.trim_start_matches('=').trim()));
            } else if !text.is_empty() && !text.starts_with(['#', '-']) {
                found.extend(plain(&source, table, text, at));
            }
        }
        read.push(source.path.clone());
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

/// The requirement strings of a setup.py, and those in the requirements files that it reads. An
/// f-string is a template. A string that no requirement keyword reaches counts only with a range in
/// it: `"core"` may mean anything.
pub(crate) fn setup_py(
    source: &SourceFile,
    dir: &str,
    files: Files<'_>,
) -> Vec<DeclaredRequirement> {
    let Some(setup) = SetupPy::read(&source.text) else { return Vec::new() };
    let reached = setup.requirements();
    let arguments = setup.argument_texts();
    let mut found: Vec<_> =
        reached.iter().flat_map(|(table, text)| setup_text(source, table, text)).collect();
    // `read("core")` may name a folder.
    found.retain(|read| {
        !read.specifiers().is_empty()
            || !arguments.iter().any(|text| text.span.contains(&read.span.start))
    });
    let elsewhere = setup.other_texts();
    let known = |text: &Text| {
        let own = |known: &Text| known.span == text.span;
        reached.iter().any(|(_, known)| own(known)) || elsewhere.iter().any(|known| own(known))
    };
    let unreached = setup.texts().iter().filter(|text| !known(text));
    found.extend(unreached.filter_map(|text| ranged(source, text)));
    for (table, path) in setup.requirement_files() {
        found.extend(requirements_file(dir, &path, &table, files));
    }
    found
}

/// A string that can only be a requirement: one line, with a range.
fn ranged(source: &SourceFile, text: &Text) -> Option<DeclaredRequirement> {
    let mut found = setup_text(source, &RequirementTable::Dependencies, text);
    let only = found.pop().filter(|_| found.is_empty() && !text.raw.contains('\n'))?;
    let is_range = match specifier::parse(only.specifiers(), Dialect::Pep440) {
        Ok(clauses) => !clauses.is_empty(),
        Err(unreadable) => matches!(unreadable, Unreadable::Template(_)),
    };
    is_range.then_some(only)
}

/// The requirement of a string, or of every line where there are several.
fn setup_text(
    source: &SourceFile,
    table: &RequirementTable,
    text: &Text,
) -> Vec<DeclaredRequirement> {
    let mut found = Vec::new();
    let mut start = text.span.start;
    for line in text.raw.split_inclusive('\n') {
        let lead = line.len() - line.trim_start().len();
        if let Some(mut read) = plain(source, table, line.trim(), start + lead) {
            if read.specifiers().contains('\\') {
                read.specifier_span = None;
            }
            found.push(read);
        }
        start += line.len();
    }
    found
}
