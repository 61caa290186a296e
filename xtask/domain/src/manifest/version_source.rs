//! Where a distribution's version stands, whatever the build backend: read, never run.
//!
//! Files come in through [`Files`]; which backend keeps its version where is written down here and
//! in `setup_py`. Must not know what a version is changed to.

use std::ops::Range;
use std::sync::Arc;

use formats::pep440::Version;
use formats::python::{self, Expr};
use toml_edit::{Item, TableLike};

use crate::manifest::{DeclaredVersion, setup_cfg, setup_py, version_regex};
use crate::text::toml::{TomlFile, line_of, start};

/// A file as the repository has it. Whoever holds one shares it: nothing is copied.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the root, `/`-separated; where a symbolic link leads to, if it is one.
    pub path: Arc<str>,
    pub text: Arc<str>,
}

/// The texts of the repository, handed in so that nothing here opens a file.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The file at a path relative to the root; `None` where there is none, or no text.
    pub read: &'a (dyn Fn(&str) -> Option<SourceFile> + Sync),
    /// The paths of all files below a directory, nested distributions left out.
    pub list: &'a (dyn Fn(&str) -> Vec<String> + Sync),
}

impl Files<'_> {
    /// The file at `path` relative to `dir`; `..` is followed.
    pub fn beside(&self, dir: &str, path: &str) -> Option<SourceFile> {
        (self.read)(&join(dir, path)?)
    }
}

/// `path` below `dir`, with `.` and `..` resolved; `None` where it leaves the repository.
pub fn join(dir: &str, path: &str) -> Option<String> {
    let mut joined = String::with_capacity(dir.len() + 1 + path.len());
    joined.push_str(dir);
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if joined.is_empty() => return None,
            ".." => joined.truncate(joined.rfind('/').unwrap_or(0)),
            name => {
                if !joined.is_empty() {
                    joined.push('/');
                }
                joined.push_str(name);
            }
        }
    }
    Some(joined)
}

/// The literal at `span` of `file`.
pub fn literal(file: &SourceFile, span: Range<usize>) -> DeclaredVersion {
    let line = line_of(&file.text, span.start);
    literal_at(&file.path, &file.text[span.clone()], span, line)
}

fn literal_at(file: &Arc<str>, text: &str, span: Range<usize>, line: usize) -> DeclaredVersion {
    match text.parse::<Version>() {
        Ok(version) => {
            let (file, text) = (file.clone(), text.to_owned());
            DeclaredVersion::Literal { file, line, span, text, version }
        }
        Err(error) => unknown(file, line, error.to_string()),
    }
}

/// No literal, and the sentence that says why.
pub fn unknown(file: &str, line: usize, reason: impl Into<String>) -> DeclaredVersion {
    DeclaredVersion::Unknown { file: file.into(), line, reason: reason.into() }
}

/// A version that is made from a tag by `tool`.
fn from_tag(file: &TomlFile, line: usize, tool: &str) -> DeclaredVersion {
    DeclaredVersion::FromTag { file: file.path.clone(), line, tool: tool.to_owned() }
}

/// What is known about a distribution before its version is.
pub struct Context<'a> {
    pub file: &'a TomlFile,
    pub files: Files<'a>,
    /// The distribution's directory, relative to the root.
    pub dir: &'a str,
    /// The distribution's name as written.
    pub name: &'a str,
}

/// Where the version stands.
pub fn declared(context: &Context<'_>) -> DeclaredVersion {
    let file = context.file;
    if let Some(item) = file.get("project.version") {
        return toml_literal(file, item);
    }
    if file.get("tool.poetry-dynamic-versioning.enable").and_then(Item::as_bool) == Some(true) {
        let line = line(file, "tool.poetry-dynamic-versioning");
        return from_tag(file, line, "poetry-dynamic-versioning");
    }
    if let Some(item) = file.get("tool.poetry.version") {
        return toml_literal(file, item);
    }
    let dynamic = || file.get("project.dynamic").and_then(Item::as_array);
    let is_dynamic = dynamic().is_some_and(|d| d.iter().any(|v| v.as_str() == Some("version")));
    if file.get("project").is_some() && !is_dynamic {
        let reason = "`[project] version` is not there, nor is `version` listed as dynamic";
        return unknown(&file.path, line(file, "project.name"), reason);
    }
    by_backend(context).unwrap_or_else(|| by_setup_files(context))
}

fn line(file: &TomlFile, path: &str) -> usize {
    file.get(path).map_or(1, |item| file.line(start(item)))
}

/// A version that stands as a TOML string.
fn toml_literal(file: &TomlFile, item: &Item) -> DeclaredVersion {
    let (Some(text), Some(span)) = (item.as_str(), item.span()) else {
        return unknown(&file.path, file.line(start(item)), "the version is no string");
    };
    let raw = &file.text()[span.clone()];
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let inside = span.start + quotes..span.end - quotes;
    if file.text()[inside.clone()] != *text {
        let reason = "the version is written with escapes";
        return unknown(&file.path, file.line(span.start), reason);
    }
    literal_at(&file.path, text, inside, file.line(span.start))
}

/// A tool that takes the version from a tag, with the table or build requirement that shows it.
const TAG_TOOLS: [(&str, &[&str]); 7] = [
    ("setuptools-scm", &["tool.setuptools_scm", "tool.setuptools-scm"]),
    ("versioningit", &["tool.versioningit"]),
    ("setuptools-git-versioning", &["tool.setuptools-git-versioning"]),
    ("vcs-versioning", &["tool.vcs-versioning"]),
    ("versioneer", &["tool.versioneer"]),
    ("pbr", &["tool.pbr"]),
    ("poetry-dynamic-versioning", &[]),
];

fn by_backend(context: &Context<'_>) -> Option<DeclaredVersion> {
    let file = context.file;
    let backend = file.get("build-system.build-backend").and_then(Item::as_str).unwrap_or("");
    if let Some(item) = file.get("tool.hatch.version") {
        return Some(hatch(context, item));
    }
    if let Some(item) = file.get("tool.pdm.version") {
        return Some(pdm(context, item));
    }
    if let Some(item) = file.get("tool.scikit-build.metadata.version") {
        return Some(scikit_build(context, item));
    }
    if let Some(item) = file.get("tool.setuptools.dynamic.version") {
        return Some(setuptools(context, item));
    }
    if backend.starts_with("flit") {
        return Some(flit(context));
    }
    if backend.starts_with("maturin") {
        return Some(maturin(context));
    }
    tag_tool(context)
}

/// A tag tool that is configured or required, where nothing else says where the version stands.
fn tag_tool(context: &Context<'_>) -> Option<DeclaredVersion> {
    let file = context.file;
    let requires = file.get("build-system.requires");
    let required: Vec<&str> = requires
        .and_then(Item::as_array)
        .map(|array| array.iter().filter_map(|value| value.as_str()).collect())
        .unwrap_or_default();
    for (tool, tables) in TAG_TOOLS {
        if let Some(table) = tables.iter().find(|table| file.get(table).is_some()) {
            return Some(from_tag(file, line(file, table), tool));
        }
        let normal = tool.replace('-', "_");
        let names = |requirement: &&str| requirement.replace('-', "_").starts_with(&normal);
        if required.iter().any(names) {
            return Some(from_tag(file, requires.map_or(1, |item| file.line(start(item))), tool));
        }
    }
    None
}

fn string<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Item::as_str)
}

/// `[tool.hatch.version]`: `path` and `pattern`, or a source that takes the version elsewhere.
fn hatch(context: &Context<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return unknown(&file.path, at, "`tool.hatch.version` is no table");
    };
    match string(table, "source").unwrap_or("regex") {
        "vcs" => return from_tag(file, at, "hatch-vcs"),
        source if source.contains("dynamic") || source.contains("versioningit") => {
            return from_tag(file, at, source);
        }
        "regex" | "regex_commit" | "code" => {}
        source => return unknown(&file.path, at, format!("the version comes from `{source}`")),
    }
    let Some(path) = string(table, "path") else {
        return unknown(&file.path, at, "`tool.hatch.version` names no `path`");
    };
    let Some(source) = context.files.beside(context.dir, path) else {
        return unknown(&file.path, at, format!("`{path}` cannot be read"));
    };
    if let Some(expression) = string(table, "expression") {
        return attribute(&source, expression, context.files, 0);
    }
    match table.get("pattern").and_then(Item::as_str) {
        Some(written) => version_regex::find(&source, written, &["version"])
            .unwrap_or_else(|reason| unknown(&file.path, at, reason)),
        None => version_regex::find(&source, version_regex::DEFAULT, &["version"])
            .unwrap_or_else(|reason| unknown(&source.path, 1, reason)),
    }
}

fn pdm(context: &Context<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return toml_literal(file, item);
    };
    let source = string(table, "source").or_else(|| string(table, "from").map(|_| "file"));
    match source {
        Some("file") => {}
        Some("scm") => return from_tag(file, at, "pdm's scm source"),
        other => {
            let source = other.unwrap_or("nothing");
            return unknown(&file.path, at, format!("the version comes from `{source}`"));
        }
    }
    let path = string(table, "path").or_else(|| string(table, "from")).unwrap_or("");
    match context.files.beside(context.dir, path) {
        Some(source) => attribute(&source, "__version__", context.files, 0),
        None => unknown(&file.path, at, format!("`{path}` cannot be read")),
    }
}

fn scikit_build(context: &Context<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    let Some(table) = item.as_table_like() else {
        return unknown(&file.path, at, "`tool.scikit-build.metadata.version` is no table");
    };
    let provider = string(table, "provider").unwrap_or("");
    if provider.ends_with("setuptools_scm") {
        return from_tag(file, at, "setuptools-scm");
    }
    let input = string(table, "input").filter(|_| provider.ends_with(".regex"));
    let Some(input) = input else {
        return unknown(&file.path, at, format!("the version comes from `{provider}`"));
    };
    let Some(source) = context.files.beside(context.dir, input) else {
        return unknown(&file.path, at, format!("`{input}` cannot be read"));
    };
    let written = string(table, "regex").unwrap_or(version_regex::DEFAULT);
    version_regex::find(&source, written, &["value", "version"])
        .unwrap_or_else(|reason| unknown(&file.path, at, reason))
}

/// `version = { attr = "pkg.__version__" }` or `{ file = "VERSION" }`.
fn setuptools(context: &Context<'_>, item: &Item) -> DeclaredVersion {
    let file = context.file;
    let at = file.line(start(item));
    if let Some(attr) = item.get("attr").and_then(Item::as_str) {
        return module_attribute(context.files, context.dir, attr)
            .unwrap_or_else(|reason| unknown(&file.path, at, reason));
    }
    let named = item.get("file").map(|named| match named.as_array() {
        Some(array) if array.len() == 1 => array.get(0).and_then(|value| value.as_str()),
        Some(_) => None,
        None => named.as_str(),
    });
    let Some(path) = named.flatten() else {
        return unknown(&file.path, at, "the version is put together from several places");
    };
    match context.files.beside(context.dir, path) {
        Some(source) => whole_file(&source),
        None => unknown(&file.path, at, format!("`{path}` cannot be read")),
    }
}

/// A file that holds the version and nothing else.
pub fn whole_file(source: &SourceFile) -> DeclaredVersion {
    let text = source.text.trim_start_matches('\u{feff}');
    let lead = source.text.len() - text.trim_start().len();
    literal(source, lead..lead + text.trim().len())
}

/// flit: `__version__` of the module, which bears the distribution's name unless configured.
fn flit(context: &Context<'_>) -> DeclaredVersion {
    let file = context.file;
    let configured =
        file.get("tool.flit.module.name").or_else(|| file.get("tool.flit.metadata.module"));
    let module = match configured.and_then(Item::as_str) {
        Some(module) => module.to_owned(),
        None => context.name.replace('-', "_"),
    };
    module_attribute(context.files, context.dir, &format!("{module}.__version__"))
        .unwrap_or_else(|reason| unknown(&file.path, line(file, "project.name"), reason))
}

/// maturin takes the version of the Cargo.toml beside it.
fn maturin(context: &Context<'_>) -> DeclaredVersion {
    let file = context.file;
    let named = file.get("tool.maturin.manifest-path").and_then(Item::as_str);
    let path = named.unwrap_or("Cargo.toml");
    let at = line(file, "project.name");
    let Some(source) = context.files.beside(context.dir, path) else {
        return unknown(&file.path, at, format!("`{path}` cannot be read"));
    };
    let Ok(cargo) = TomlFile::parse(&source.path, source.text) else {
        return unknown(&file.path, at, format!("`{path}` is not valid TOML"));
    };
    match cargo.get("package.version") {
        Some(item) if item.is_str() => toml_literal(&cargo, item),
        _ => unknown(&cargo.path, line(&cargo, "package"), "the version is the Cargo workspace's"),
    }
}

fn by_setup_files(context: &Context<'_>) -> DeclaredVersion {
    let (files, dir) = (context.files, context.dir);
    let cfg = files.beside(dir, "setup.cfg");
    if let Some(found) = cfg.as_ref().and_then(|cfg| setup_cfg::version(cfg, files, dir)) {
        return found;
    }
    match files.beside(dir, "setup.py") {
        Some(setup) => setup_py::version(&setup, files, dir),
        None => {
            let file = context.file;
            let reason = "the version is dynamic, and nothing says where it comes from";
            unknown(&file.path, line(file, "project.dynamic"), reason)
        }
    }
}

/// How far names are followed through assignments and imports.
const FARTHEST: usize = 4;

/// The literal that `module.attribute` names, the module looked for as Python would from `dir`
/// and from the usual source folders. Errors: a sentence.
pub fn module_attribute(
    files: Files<'_>,
    dir: &str,
    dotted: &str,
) -> Result<DeclaredVersion, String> {
    let (module, attr) = dotted.rsplit_once('.').ok_or(format!("`{dotted}` names no module"))?;
    let source = module_file(files, dir, module)
        .ok_or_else(|| format!("the module of `{dotted}` is not found"))?;
    Ok(attribute(&source, attr, files, 0))
}

/// The file of a module: below `dir` or a source folder, or the only one with that path.
pub fn module_file(files: Files<'_>, dir: &str, module: &str) -> Option<SourceFile> {
    let path = module.replace('.', "/");
    for base in ["", "src/", "lib/", "python/"] {
        for end in [".py", "/__init__.py"] {
            if let Some(source) = files.beside(dir, &format!("{base}{path}{end}")) {
                return Some(source);
            }
        }
    }
    let ends = [format!("/{path}.py"), format!("/{path}/__init__.py")];
    let all = (files.list)(dir);
    let mut matching = all.iter().filter(|p| ends.iter().any(|end| p.ends_with(end.as_str())));
    match (matching.next(), matching.next()) {
        (Some(one), None) => (files.read)(one),
        _ => None,
    }
}

/// The literal that a name of a Python file stands for, through other names and imports.
pub fn attribute(
    source: &SourceFile,
    name: &str,
    files: Files<'_>,
    depth: usize,
) -> DeclaredVersion {
    let parsed = python::read(&source.text);
    let computed = |offset: usize| {
        let reason = format!("`{name}` is computed in a way that cannot be followed");
        unknown(&source.path, line_of(&source.text, offset), reason)
    };
    if depth > FARTHEST {
        return computed(0);
    }
    let assigned: Vec<_> = parsed.assignments.iter().filter(|a| a.name == name).collect();
    match assigned.as_slice() {
        [] => match parsed.imports.iter().find(|import| import.bound == name) {
            Some(import) => imported(source, import, files, depth)
                .unwrap_or_else(|| computed(source.text.find("import").unwrap_or(0))),
            None => unknown(&source.path, 1, format!("`{name}` is not assigned here")),
        },
        [one] => match &one.value {
            Expr::Text(text) if !text.formatted => literal(source, text.span.clone()),
            Expr::Name(other) if other != name => attribute(source, other, files, depth + 1),
            _ => computed(one.offset),
        },
        [_, second, ..] => computed(second.offset),
    }
}

/// Follows `from .version import VERSION as __version__`.
fn imported(
    source: &SourceFile,
    import: &python::Import,
    files: Files<'_>,
    depth: usize,
) -> Option<DeclaredVersion> {
    let name = import.name.as_deref()?;
    let dir = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let dots = import.module.bytes().take_while(|byte| *byte == b'.').count();
    let module = &import.module[dots..];
    let found = if dots > 0 {
        let mut base = dir;
        for _ in 1..dots {
            base = base.rsplit_once('/').map_or("", |(up, _)| up);
        }
        let path = module.replace('.', "/");
        let ends = [".py", "/__init__.py"];
        ends.iter().find_map(|end| files.beside(base, &format!("{path}{end}")))
    } else {
        // The module's own package stands somewhere above this file.
        let mut base = Some(dir);
        std::iter::from_fn(|| {
            let current = base?;
            base = current.rsplit_once('/').map(|(up, _)| up);
            Some(current)
        })
        .chain([""])
        .find_map(|base| {
            let path = module.replace('.', "/");
            let ends = [".py", "/__init__.py"];
            ends.iter().find_map(|end| files.beside(base, &format!("{path}{end}")))
        })
    };
    Some(attribute(&found?, name, files, depth + 1))
}
