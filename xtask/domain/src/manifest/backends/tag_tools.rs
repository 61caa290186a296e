//! Tools that make the version from a tag, whatever the back end.

use formats::name::Name;
use formats::pep440::Version;
use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::version_source::{DeclaredVersion, from_tag};
use crate::text::toml::start;

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

/// The variables that tools take a version from, by the start of the tool's name.
const VARIABLES: [(&str, &str); 7] = [
    ("hatch-vcs", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_"),
    ("setuptools-scm", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_"),
    ("vcs-versioning", "VCS_VERSIONING_PRETEND_VERSION_FOR_"),
    ("pdm", "PDM_BUILD_SCM_VERSION"),
    ("poetry-dynamic-versioning", "POETRY_DYNAMIC_VERSIONING_BYPASS"),
    ("uv-dynamic-versioning", "UV_DYNAMIC_VERSIONING_BYPASS"),
    ("pbr", "PBR_VERSION"),
];

/// The variable that tells a tool the version of a distribution; `None` where it has none.
pub(crate) fn variable(tool: &str, name: &Name, version: &Version) -> Option<(String, String)> {
    let (_, variable) = VARIABLES.iter().find(|(start, _)| tool.starts_with(start))?;
    let mut variable = (*variable).to_owned();
    if variable.ends_with('_') {
        variable += &name.normal().replace('-', "_").to_uppercase();
    }
    Some((variable, version.to_string()))
}

/// A tag tool that is configured or required, where nothing else says where the version stands.
pub(crate) fn version(context: &VersionContext<'_>) -> Option<DeclaredVersion> {
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
        if required.iter().any(|text| text.replace('-', "_").starts_with(&normal)) {
            return Some(from_tag(file, requires.map_or(1, |item| file.line(start(item))), tool));
        }
    }
    None
}
