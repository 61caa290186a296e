//! The literal that a name of a Python module stands for, followed through names and imports.
//!
//! Modules are looked for as Python would, never imported.

use std::ops::Range;
use std::sync::Arc;

use formats::python::{self, Expr};

use crate::manifest::version_source::{DeclaredVersion, literal, unknown};
use crate::source::{Files, SourceFile, ancestors};
use crate::text::toml::line_of;

/// How far names are followed through assignments and imports.
const FARTHEST: usize = 4;

/// The literal that `module.attribute` names, the module looked for as Python would from `dir`
/// and from the usual source folders. Errors: a sentence.
pub(crate) fn module_attribute(
    files: Files<'_>,
    dir: &str,
    dotted: &str,
) -> Result<DeclaredVersion, String> {
    let (module, attr) = dotted.rsplit_once('.').ok_or(format!("`{dotted}` names no module"))?;
    let source =
        module_file(files, dir, module).ok_or_else(|| format!("no module found for `{dotted}`"))?;
    Ok(attribute(&source, attr, files, 0))
}

/// The file of a module: below `dir` or a source folder, or the only one with that path.
pub(crate) fn module_file(files: Files<'_>, dir: &str, module: &str) -> Option<SourceFile> {
    let path = module.replace('.', "/");
    for base in ["", "src/", "lib/", "python/"] {
        if let Some(source) = module_below(files, dir, &format!("{base}{path}")) {
            return Some(source);
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

/// The version that a name of a Python file stands for, through other names and imports.
pub(crate) fn attribute(
    source: &SourceFile,
    name: &str,
    files: Files<'_>,
    depth: usize,
) -> DeclaredVersion {
    match text(source, name, files, depth) {
        Ok((source, span)) => literal(&source, span),
        Err(Computed { file, line, reason }) => unknown(&file, line, reason),
    }
}

/// Where and why a name is not followed to a literal.
pub(crate) struct Computed {
    file: Arc<str>,
    line: usize,
    reason: String,
}

/// The string literal that a name of a Python file stands for: its file and its bytes.
pub(crate) fn text(
    source: &SourceFile,
    name: &str,
    files: Files<'_>,
    depth: usize,
) -> Result<(SourceFile, Range<usize>), Computed> {
    let parsed = python::read(&source.text);
    let at = |offset: usize, reason: String| {
        Err(Computed { file: source.path.clone(), line: line_of(&source.text, offset), reason })
    };
    let computed =
        |offset| at(offset, format!("`{name}` is computed in a way that cannot be followed"));
    if depth > FARTHEST {
        return computed(0);
    }
    let assigned: Vec<_> = parsed.assignments.iter().filter(|a| a.name == name).collect();
    match assigned.as_slice() {
        [] => match parsed.imports.iter().find(|import| import.bound == name) {
            Some(import) => imported(source, import, files, depth)
                .unwrap_or_else(|| computed(source.text.find("import").unwrap_or(0))),
            None => at(0, format!("`{name}` is not assigned here")),
        },
        [one] => match &one.value {
            Expr::Text(text) if !text.formatted => Ok((source.clone(), text.span.clone())),
            Expr::Name(other) if other != name => text(source, other, files, depth + 1),
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
) -> Option<Result<(SourceFile, Range<usize>), Computed>> {
    let name = import.name.as_deref()?;
    let dir = source.path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let module = import.module.trim_start_matches('.');
    let found = match import.module.len() - module.len() {
        // An absolute import: the top-level package is in a folder above this file.
        0 => ancestors(dir).find_map(|base| module_below(files, base, module)),
        dots => module_below(files, ancestors(dir).nth(dots - 1).unwrap_or(""), module),
    };
    Some(text(&found?, name, files, depth + 1))
}

/// The file of a module in a directory, as a module or as a package.
fn module_below(files: Files<'_>, dir: &str, module: &str) -> Option<SourceFile> {
    let path = module.replace('.', "/");
    [".py", "/__init__.py"].iter().find_map(|end| files.beside(dir, &format!("{path}{end}")))
}
