//! The literal that a name of a Python module stands for, followed through names and imports.
//!
//! Modules are looked for as Python would, never imported.

use formats::python::{self, Expr};

use crate::manifest::version_source::{DeclaredVersion, literal, unknown};
use crate::source::{Files, SourceFile};
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
    let source = module_file(files, dir, module)
        .ok_or_else(|| format!("the module of `{dotted}` is not found"))?;
    Ok(attribute(&source, attr, files, 0))
}

/// The file of a module: below `dir` or a source folder, or the only one with that path.
pub(crate) fn module_file(files: Files<'_>, dir: &str, module: &str) -> Option<SourceFile> {
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
pub(crate) fn attribute(
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
