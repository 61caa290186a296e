//! The input of a back end: the manifest, the files around it, and the name.

use toml_edit::{Item, TableLike};

use crate::source::Files;
use crate::text::toml::{TomlFile, start};

/// The facts about a distribution that are known before its version.
pub(crate) struct VersionContext<'a> {
    pub file: &'a TomlFile,
    pub files: Files<'a>,
    /// The distribution's directory, relative to the root.
    pub dir: &'a str,
    /// The distribution's name as written.
    pub name: &'a str,
}

/// The line of a key, or 1 where it is not there.
pub(crate) fn line(file: &TomlFile, path: &str) -> usize {
    file.get(path).map_or(1, |item| file.line(start(item)))
}

/// The string at a key of a table.
pub(crate) fn string<'a>(table: &'a dyn TableLike, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Item::as_str)
}
