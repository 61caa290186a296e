//! Whether a wheel ships a folder of the source tree, as far as its manifest tells.

use toml_edit::{Item, Value};

use crate::check::subject::Subject;
use crate::text::toml::{TomlFile, strings};

/// Whether a wheel ships a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shipped {
    Yes,
    No,
    /// The manifest does not tell.
    Unknown,
}

/// Whether the wheel of a distribution ships `folder`, which is relative to its modules.
pub(super) fn ships(subject: &Subject, folder: &str) -> Shipped {
    let Some(file) = &subject.toml else { return Shipped::Unknown };
    let backend = file.get("build-system.build-backend").and_then(Item::as_str).unwrap_or_default();
    let own = subject.distribution.name().in_file_name();
    let listed = match backend.split(['.', ':']).next().unwrap_or_default() {
        "setuptools" | "" => return by_setuptools(file, subject, folder),
        "hatchling" => hatch_folders(file, &own),
        "flit_core" | "flit_scm" => {
            let module =
                file.get("tool.flit.module.name").or_else(|| file.get("tool.flit.metadata.module"));
            Some(vec![first_part(module.and_then(Item::as_str).unwrap_or(&own))])
        }
        "uv_build" => module_names(file.get("tool.uv.build-backend.module-name"), &own),
        "poetry" => poetry_folders(file, &own),
        _ => None,
    };
    let Some(listed) = listed else { return Shipped::Unknown };
    let top = folder.split('/').next().unwrap_or_default();
    // A folder within it is shipped without what is beside that.
    if listed.iter().any(|path| path.rsplit('/').next() == Some(top)) {
        Shipped::Yes
    } else if listed.iter().any(|path| path.split('/').any(|part| part == top)) {
        Shipped::Unknown
    } else {
        Shipped::No
    }
}

fn first_part(module: &str) -> String {
    module.split('.').next().unwrap_or_default().to_owned()
}

/// Module names of a key, one or several; the distribution's own without it.
fn module_names(item: Option<&Item>, own: &str) -> Option<Vec<String>> {
    match item {
        None => Some(vec![own.to_owned()]),
        Some(item) => {
            let names =
                item.as_str().map(|name| vec![name.to_owned()]).or_else(|| strings(item))?;
            Some(names.iter().map(|name| first_part(name)).collect())
        }
    }
}

/// The folders that `[tool.hatch.build.targets.wheel]` selects; `None` where it takes more than folders.
fn hatch_folders(file: &TomlFile, own: &str) -> Option<Vec<String>> {
    let key = |name: &str| file.get(&format!("tool.hatch.build.targets.wheel.{name}"));
    let has_more = ["include", "force-include", "artifacts", "sources", "hooks"];
    let elsewhere = file.get("tool.hatch.build.include").is_some();
    if elsewhere || has_more.iter().any(|name| key(name).is_some()) {
        return None;
    }
    match key("packages").or_else(|| key("only-include")) {
        Some(item) => strings(item),
        None => Some(vec![own.to_owned()]),
    }
}

fn poetry_folders(file: &TomlFile, own: &str) -> Option<Vec<String>> {
    let Some(packages) = file.get("tool.poetry.packages") else {
        return Some(vec![own.to_owned()]);
    };
    let include =
        |value: &Value| Some(value.as_inline_table()?.get("include")?.as_str()?.to_owned());
    packages.as_array()?.iter().map(include).collect()
}

/// setuptools: a list of packages, patterns for `find`, or what its discovery finds.
fn by_setuptools(file: &TomlFile, subject: &Subject, folder: &str) -> Shipped {
    let package = folder.replace('/', ".");
    if let Some(packages) = file.get("tool.setuptools.packages").and_then(strings) {
        return if packages.contains(&package) { Shipped::Yes } else { Shipped::No };
    }
    let patterns =
        |key: &str| file.get(&format!("tool.setuptools.packages.find.{key}")).and_then(strings);
    let matches = |patterns: &[String]| {
        let mut globs = patterns.iter().filter_map(|pattern| glob::Pattern::new(pattern).ok());
        globs.any(|glob| glob.matches(&package))
    };
    if file.get("tool.setuptools.packages.find").is_some() {
        let included = patterns("include").is_none_or(|patterns| matches(&patterns));
        let excluded = patterns("exclude").is_some_and(|patterns| matches(&patterns));
        return if included && !excluded { Shipped::Yes } else { Shipped::No };
    }
    // Its own discovery takes all of `src`, but refuses several packages beside each other.
    let is_src = subject.modules.source.ends_with("src/");
    let is_static = !subject.paths.iter().any(|path| *path == subject.path("setup.py"));
    if is_src && is_static { Shipped::Yes } else { Shipped::Unknown }
}
