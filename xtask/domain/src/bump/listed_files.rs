//! Files that the configuration of another tool says to hold the version: commitizen's, bumpversion's,
//! bumpver's, tbump's and python-semantic-release's.
//!
//! Must not know what becomes of them.

use std::sync::Arc;

use formats::setup_cfg;
use jzon::JsonValue;
use regex_lite::escape;
use toml_edit::{Item, Value};

use crate::source::{Files, SourceFile};
use crate::text::toml::{TomlFile, line_of, start};

/// A file that is said to hold the version.
pub(crate) struct ListedFile {
    /// Relative to the folder of the configuration; it may be a glob pattern.
    pub(crate) path: String,
    /// Only lines that match this.
    pub(crate) pattern: Option<String>,
    /// The configuration.
    pub(crate) config: Arc<str>,
    pub(crate) line: usize,
    /// Why it is not known which files are listed.
    pub(crate) unread: Option<String>,
}

impl ListedFile {
    /// Whether it is the configuration itself, which need not hold the version.
    pub(crate) fn is_config(&self) -> bool {
        self.config.ends_with(&self.path)
    }
}

/// The files of every such tool whose configuration is in `dir`; `paths` are the files below it.
pub(crate) fn listed(dir: &str, paths: &[String], files: Files<'_>) -> Vec<ListedFile> {
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(dir).unwrap_or(path).trim_start_matches('/');
        let read = match name {
            "pyproject.toml" | ".bumpversion.toml" | ".cz.toml" | "cz.toml" | "tbump.toml" => {
                of_toml
            }
            ".bumpversion.cfg" | "setup.cfg" => of_cfg,
            ".cz.json" | "cz.json" => of_json,
            ".cz.yaml" | "cz.yaml" => of_yaml,
            _ => continue,
        };
        let Some(source) = (files.read)(path) else { continue };
        if !source.text.contains("version") {
            continue;
        }
        let config = Config { source: &source, name };
        found.extend(read(&config));
        // The copies in these two are known by their keys.
        if !["pyproject.toml", "setup.cfg"].contains(&name) {
            let own = r#"^\s*"?(current_version|current|version)"?\s*[=:]"#;
            found.push(config.file(name, Some(own.to_owned()), 0));
        }
    }
    found
}

/// A configuration; `name` is that of its file.
struct Config<'a> {
    source: &'a SourceFile,
    name: &'a str,
}

impl Config<'_> {
    /// A file that is listed at a byte of the configuration.
    fn file(&self, path: &str, pattern: Option<String>, at: usize) -> ListedFile {
        let line = line_of(&self.source.text, at);
        let path = path.trim_start_matches("./").to_owned();
        ListedFile { path, pattern, config: self.source.path.clone(), line, unread: None }
    }
}

fn of_toml(config: &Config<'_>) -> Vec<ListedFile> {
    let Ok(file) = TomlFile::parse(&config.source.path, config.source.text.clone()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let lists = ["tool.commitizen.version_files", "tool.semantic_release.version_variables"];
    for value in lists.into_iter().filter_map(|key| file.get(key)?.as_array()).flatten() {
        let Some(text) = value.as_str() else { continue };
        found.push(with_pattern(config, text, value.span().map_or(0, |span| span.start)));
    }
    let tables = [("tool.bumpversion.files", "filename"), ("tool.bumpversion.files", "glob")];
    for (table, key) in tables.into_iter().chain([("tool.tbump.file", "src"), ("file", "src")]) {
        let tables = file.get(table).and_then(Item::as_array_of_tables);
        for table in tables.into_iter().flatten() {
            let Some(item) = table.get(key) else { continue };
            let Some(path) = item.as_str() else { continue };
            let search = table.get("search").and_then(Item::as_str);
            let is_regex = table.get("regex").and_then(Item::as_bool) == Some(true);
            let pattern = search.and_then(|search| before_version(search, is_regex));
            found.push(config.file(path, pattern, start(item)));
        }
    }
    let patterns = file.get("tool.bumpver.file_patterns").and_then(Item::as_table_like);
    for (path, item) in patterns.into_iter().flat_map(|table| table.iter()) {
        for search in item.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let search = search.trim_start_matches('^');
            found.push(config.file(path, before_version(search, false), start(item)));
        }
    }
    // The copies in the manifest itself are known by their keys.
    found.retain(|listed| listed.path != "pyproject.toml");
    found
}

/// `PATH:PATTERN`, as commitizen and python-semantic-release write it.
fn with_pattern(config: &Config<'_>, text: &str, at: usize) -> ListedFile {
    match text.split_once(':') {
        Some((path, pattern)) => config.file(path, Some(pattern.to_owned()), at),
        None => config.file(text, None, at),
    }
}

/// The text in front of the version on its line, as a pattern. Tools search for the version
/// with the text around it.
fn before_version(search: &str, is_regex: bool) -> Option<String> {
    let before = search.split('{').next()?.rsplit('\n').next()?.trim_start();
    let pattern = if is_regex { before.to_owned() } else { escape(before) };
    (!before.is_empty()).then_some(pattern)
}

/// Sections such as `[bumpversion:file:src/core/__init__.py]`, which seldom have a key.
fn of_cfg(config: &Config<'_>) -> Vec<ListedFile> {
    let text = &config.source.text;
    let entries = setup_cfg::entries(text);
    let mut found = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let section = line.trim().strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let listed = section.and_then(|section| {
            let (kind, path) = section.strip_prefix("bumpversion:")?.split_once(':')?;
            ["file", "glob"].iter().any(|known| kind.starts_with(known)).then_some((section, path))
        });
        if let Some((section, path)) = listed {
            let is_search =
                |entry: &&setup_cfg::ConfigEntry| entry.section == section && entry.key == "search";
            let search = entries.iter().find(is_search).and_then(|entry| entry.lines.first());
            let pattern = search.and_then(|line| before_version(line.text, false));
            found.push(config.file(path, pattern, at));
        }
        at += line.len();
    }
    if text.contains("[bumpversion]") {
        found.push(config.file(config.name, Some(r"^\s*current_version\s*[=:]".to_owned()), 0));
    }
    found
}

fn of_json(config: &Config<'_>) -> Vec<ListedFile> {
    let json = jzon::parse(&config.source.text).unwrap_or(JsonValue::Null);
    let files = json["commitizen"]["version_files"].members();
    files.filter_map(|file| Some(with_pattern(config, file.as_str()?, 0))).collect()
}

fn of_yaml(config: &Config<'_>) -> Vec<ListedFile> {
    let text = &config.source.text;
    let Some(at) = text.find("version_files") else { return Vec::new() };
    let unread =
        format!("the files of `version_files` are not read from `{}` and stay", config.name);
    vec![ListedFile { unread: Some(unread), ..config.file("version_files", None, at) }]
}
