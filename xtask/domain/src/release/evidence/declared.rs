//! Whether the metadata of a wheel says what its code needs.

use std::collections::BTreeSet;

use crate::finding::{Finding, Rule};
use crate::release::evidence::difference::{Details, TooNew};

/// Siblings that a wheel imports and does not require, each once: what the smoke test reaches stops
/// the release there, the rest breaks who calls it. `owner` is the sibling that ships a
/// module; `required` are the normal names of what is required, directly or through others.
pub fn undeclared(
    details: &Details,
    owner: impl Fn(&str) -> Option<String>,
    required: &BTreeSet<String>,
) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (module, place) in &details.imports {
        let Some(sibling) = owner(module).filter(|sibling| !required.contains(sibling)) else {
            continue;
        };
        if seen.insert(sibling.clone()) {
            let text =
                format!("imports `{module}` of `{sibling}`, and does not require it ({place})");
            let hint =
                format!("add `{sibling}` to its dependencies, or handle an `ImportError` there");
            found.push(Finding::warning(Rule::Undeclared, text).hint(hint));
        }
    }
    found
}

/// Code that is newer than the oldest Python that the metadata admits.
pub fn too_new(python: &str, files: &[TooNew]) -> Option<Finding> {
    let TooNew { place, why, .. } = files.first()?;
    let minor = |one: &TooNew| one.since.trim_start_matches("3.").parse::<u64>().unwrap_or(0);
    let since = files.iter().map(minor).max()?;
    let more = match files.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    let text = format!("admits Python {python}, which cannot read {place}{more}: {why}");
    let hint = format!("set `requires-python = \">=3.{since}\"`");
    Some(Finding::error(Rule::PythonSyntax, text).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_that_is_imported_is_required() {
        let import = |name: &str| (name.to_owned(), "a/x.py:3".to_owned());
        let details = Details {
            imports: vec![import("core.x"), import("core.y"), import("os")],
            ..Details::default()
        };
        let owner = |module: &str| module.starts_with("core").then(|| "acme-core".to_owned());
        let found = undeclared(&details, owner, &BTreeSet::new());
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "imports `core.x` of `acme-core`, and does not require it (a/x.py:3)"
        );
        assert!(undeclared(&details, owner, &BTreeSet::from(["acme-core".to_owned()])).is_empty());
    }

    #[test]
    fn the_oldest_python_reads_every_file() {
        assert!(too_new("3.8", &[]).is_none());
        let file = TooNew { place: "a.py:1".into(), why: "no match".into(), since: "3.10".into() };
        let found = too_new("3.8", &[file]).unwrap();
        assert_eq!(found.message, "admits Python 3.8, which cannot read a.py:1: no match");
        assert_eq!(found.hint.unwrap(), "set `requires-python = \">=3.10\"`");
    }
}
