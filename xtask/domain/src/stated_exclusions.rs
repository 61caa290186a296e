//! The files that a back end's own configuration keeps out of archives.
//!
//! Read leniently: what it gives decides between an error and a note, never between files.

use toml_edit::{Item, Value};

use crate::text::globs::any_matches;
use crate::text::toml::TomlFile;

/// The tables of back ends in which keys such as `exclude`, `wheel-exclude` or `exclude-package-data`
/// may be.
const TOOLS: [&str; 8] =
    ["flit", "hatch", "maturin", "pdm", "poetry", "scikit-build", "setuptools", "uv"];

/// Every pattern that a pyproject.toml states under such a key.
pub(crate) fn patterns(file: &TomlFile) -> Vec<String> {
    let tools = TOOLS.iter().filter_map(|tool| file.get(&format!("tool.{tool}")));
    tools.flat_map(of_table).collect()
}

fn of_table(item: &Item) -> Vec<String> {
    let keys = item.as_table_like().into_iter().flat_map(|table| table.iter());
    keys.flat_map(|(key, item)| {
        let is_list = key.contains("exclude") && item.is_value();
        if is_list { item.as_value().map(texts).unwrap_or_default() } else { of_table(item) }
    })
    .collect()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.value().clone()],
        Value::Array(array) => array.iter().flat_map(texts).collect(),
        Value::InlineTable(table) => table.iter().flat_map(|(_, value)| texts(value)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a pattern excludes a path: itself, a folder around it, or by the dotted name of a package.
pub(crate) fn exclude(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| {
        let pattern = pattern.trim_start_matches("./").trim_matches('/');
        let pattern = pattern.trim_start_matches("**/").trim_end_matches("/**");
        let dotted = pattern.replace('.', "/");
        [pattern, &dotted].iter().any(|pattern| {
            let around = [
                (*pattern).to_owned(),
                format!("{pattern}/*"),
                format!("*/{pattern}"),
                format!("*/{pattern}/*"),
            ];
            !pattern.is_empty() && any_matches(&around, path)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, excluded: &[&str], kept: &[&str]) {
        let patterns = patterns(&TomlFile::parse("pyproject.toml", text.into()).unwrap());
        for (paths, expected) in [(excluded, true), (kept, false)] {
            let found: Vec<_> =
                paths.iter().filter(|path| exclude(&patterns, path) != expected).collect();
            assert_eq!(found, Vec::<&&str>::new(), "{patterns:?}");
        }
    }

    #[test]
    fn each_back_end_has_its_key() {
        check(
            "[tool.hatch.build.targets.wheel]\nexclude = [\"/src/a/data\", \"*.bin\"]\n",
            &["src/a/data/x.txt", "src/a/y.bin"],
            &["src/a/x.py"],
        );
        check(
            "[tool.setuptools.packages.find]\nexclude = [\"a.tests*\"]\n",
            &["src/a/tests/data/x.json"],
            &["src/a/x.json"],
        );
        check(
            "[tool.setuptools]\nexclude-package-data = { a = [\"*.c\"] }\n",
            &["src/a/x.c"],
            &["src/a/x.json"],
        );
        check(
            "[tool.poetry]\nexclude = [\"**/fixtures/**\"]\n",
            &["src/a/fixtures/x.json"],
            &["src/a/x.json"],
        );
        check("[tool.ruff]\nexclude = [\"src\"]\n", &[], &["src/a/x.json"]);
    }
}
