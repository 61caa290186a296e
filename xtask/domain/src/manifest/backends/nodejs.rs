//! hatch-nodejs-version: `[tool.hatch.version] source = "nodejs"`, the version of a package.json.

use std::ops::Range;

use regex_lite::Regex;
use toml_edit::TableLike;

use crate::manifest::backends::context::{VersionContext, string};
use crate::manifest::version_source::{DeclaredVersion, semver_literal, unknown};

/// The version at the top level of the file at `path`, package.json unless configured. `line` is
/// that of the table.
pub(crate) fn version(
    context: &VersionContext<'_>,
    table: &dyn TableLike,
    line: usize,
) -> DeclaredVersion {
    let path = string(table, "path").unwrap_or("package.json");
    let Some(source) = context.files.beside(context.dir, path) else {
        return unknown(&context.file.path, line, format!("cannot read `{path}`"));
    };
    match top_level_string(&source.text, "version") {
        Some(span) => semver_literal(&source, span),
        None => unknown(&source.path, 1, format!("`{path}` has no string `version`")),
    }
}

/// The bytes between the quotes of a string at the top level of a JSON object; `None` where the
/// key is missing or its value has escapes.
fn top_level_string(text: &str, key: &str) -> Option<Range<usize>> {
    let token = Regex::new(r#""(?:[^"\\]|\\.)*"|[{}\[\]:,]"#).ok()?;
    let tokens: Vec<_> = token.find_iter(text).collect();
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            quoted if depth == 1 && quoted == format!("\"{key}\"") => {
                let [colon, value] = tokens.get(index + 1..index + 3)? else { return None };
                if colon.as_str() != ":" {
                    continue;
                }
                let plain = value.as_str().starts_with('"') && !value.as_str().contains('\\');
                return plain.then(|| value.start() + 1..value.end() - 1);
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(top_level_string(text, "version").map(|span| &text[span]), expected);
    }

    #[test]
    fn only_the_top_level_key_counts() {
        check("{\n  \"name\": \"version\",\n  \"version\": \"1.0.0\"\n}\n", Some("1.0.0"));
        check(
            "{\"a\": {\"version\": \"2\"}, \"version\":\"1.0.0-alpha.1\"}",
            Some("1.0.0-alpha.1"),
        );
        check("{\"a\": \"\\\"version\\\": {\", \"version\": \"1\"}", Some("1"));
        check("{\"version\": 1, \"b\": [\"version\"]}", None);
        check("{}", None);
    }
}
