//! Regular expressions that users write for Python's `re`, to find a version in a file.
//!
//! Must not know which backend asks.

use regex_lite::Regex;

use crate::manifest::version_source::{DeclaredVersion, literal};
use crate::source::SourceFile;

/// The pattern that hatch (`regex` source) and scikit-build-core take when none is configured.
pub(crate) const DEFAULT: &str =
    r#"(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *(['"])v?(?P<version>.+?)\2"#;

/// The version that `pattern` finds in `source`: the first of `groups` that it names, or the only
/// group it has. Errors: a sentence.
pub(crate) fn find(
    source: &SourceFile,
    pattern: &str,
    groups: &[&str],
) -> Result<DeclaredVersion, String> {
    let translated = format!("(?m){}", translate(pattern));
    let regex = Regex::new(&translated)
        .map_err(|error| format!("the pattern `{pattern}` cannot be followed: {error}"))?;
    let Some(captures) = regex.captures(&source.text) else {
        return Err(format!("the pattern `{pattern}` finds nothing in {}", source.path));
    };
    let named = groups.iter().find_map(|group| captures.name(group));
    let only = (captures.len() == 2).then(|| captures.get(1)).flatten();
    match named.or(only) {
        Some(found) => Ok(literal(source, found.range())),
        None => Err(format!("the pattern `{pattern}` has no group `version`")),
    }
}

/// Python's spelling in ours: a backreference to a quote becomes the quotes it can stand for.
fn translate(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(digit)) if ('1'..='9').contains(digit) => {
                chars.next();
                result.push_str("['\"]");
            }
            ('\\', Some('Z')) => {
                chars.next();
                result.push_str("\\z");
            }
            ('\\', Some(_)) => {
                result.push(c);
                result.extend(chars.next());
            }
            _ => result.push(c),
        }
    }
    while let Some(start) = result.find("(?P=") {
        let end = result[start..].find(')').map_or(result.len(), |end| start + end + 1);
        result.replace_range(start..end, "['\"]");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, pattern: &str, expected: Result<(usize, &str), &str>) {
        let source = SourceFile { path: "v.py".into(), text: text.into() };
        let found = find(&source, pattern, &["version", "value"]);
        let shown = found.as_ref().map(|found| match found {
            DeclaredVersion::Literal { line, text, .. } => (*line, text.as_str()),
            other => panic!("{other:?}"),
        });
        assert_eq!(shown.map_err(|reason| reason.as_str()), expected);
    }

    #[test]
    fn patterns() {
        check("x = 1\n__version__ = \"v1.2.3\"\n", DEFAULT, Ok((2, "1.2.3")));
        check("VERSION: str = '1.2'\n", DEFAULT, Ok((1, "1.2")));
        check("ver = 1.2.3;\n", r"ver = (?P<version>[^;]+)", Ok((1, "1.2.3")));
        check("ver = '1.2.3'\n", r#"ver = (?P<q>['"])(?P<value>.+?)(?P=q)"#, Ok((1, "1.2.3")));
        check("BASE 1.2.3", r"BASE (\S+)", Ok((1, "1.2.3")));
        check("x", DEFAULT, Err(&format!("the pattern `{DEFAULT}` finds nothing in v.py")));
    }
}
