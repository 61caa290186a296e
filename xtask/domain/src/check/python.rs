//! `requires-python` against that of the siblings a distribution cannot do without.

use toml_edit::Item;

use super::super::finding::Finding;
use super::super::manifest::Table;
use super::super::requirement::admits;
use super::super::toml::start;
use super::super::version::Version;
use super::{Facts, Subject};

/// One finding for each sibling that excludes a Python which the distribution admits.
pub(super) fn requires_python(facts: Facts, subject: &Subject) -> Vec<Finding> {
    let own = subject.distribution.manifest.requires_python.as_deref();
    let item = |key: &str| subject.toml.as_ref()?.get(key);
    let place = item("project.requires-python").or_else(|| item("project.name")).map_or(0, start);
    let line = subject.toml.as_ref().map_or(1, |file| file.line(place));
    let mut seen = Vec::new();
    facts
        .workspace
        .sibling_requirements(subject.at)
        .filter(|(_, declared)| {
            declared.table == Table::Dependencies && declared.requirement.marker.is_none()
        })
        .filter_map(|(sibling, _)| {
            let manifest = &facts.workspace.distributions[sibling].manifest;
            let needed = manifest.requires_python.as_deref()?;
            let python = first_excluded(own.unwrap_or(""), needed)?;
            if seen.contains(&sibling) {
                return None;
            }
            seen.push(sibling);
            let message = match own {
                Some(own) => format!(
                    "`requires-python = \"{own}\"` admits Python {python}, and {} needs {needed}",
                    manifest.name
                ),
                None => format!("no `requires-python`, and {} needs {needed}", manifest.name),
            };
            let rule = "requires-python";
            let finding = match own {
                Some(_) => Finding::error(rule, message),
                None => Finding::warning(rule, message),
            };
            Some(
                finding
                    .at(&subject.distribution.manifest.path, line)
                    .hint(format!("requires-python = \"{needed}\"")),
            )
        })
        .collect()
}

/// The first Python that `own` admits and `needed` does not. Only series that exist or will soon:
/// `<4` against nothing is no difference that anybody meets.
fn first_excluded(own: &str, needed: &str) -> Option<String> {
    let series = std::iter::once((2, 7)).chain((0..30).map(|minor| (3, minor)));
    let candidates = series.flat_map(|(major, minor)| {
        [0, 50].map(|patch| (format!("{major}.{minor}"), Version::new([major, minor, patch])))
    });
    let excluded = |(_, python): &(String, Version)| {
        admits(own, python) == Some(true) && admits(needed, python) == Some(false)
    };
    candidates.into_iter().find(excluded).map(|(shown, _)| shown)
}

/// Whether an array of a manifest holds a string.
pub(super) fn holds(item: Option<&Item>, text: &str) -> bool {
    item.and_then(Item::as_array)
        .is_some_and(|array| array.iter().any(|value| value.as_str() == Some(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn excluded(own: &str, needed: &str, expected: Option<&str>) {
        assert_eq!(first_excluded(own, needed).as_deref(), expected);
    }

    #[test]
    fn pythons() {
        excluded(">=3.10", ">=3.10", None);
        excluded(">=3.10", ">=3.12", Some("3.10"));
        excluded(">=3.12", ">=3.10", None);
        excluded(">=3.10", ">=3.10,<4", None);
        excluded(">=3.10", ">=3.10,<3.13", Some("3.13"));
        excluded("", ">=3.8", Some("2.7"));
        excluded(">=3.10", ">=3.10.2", Some("3.10"));
        excluded("nonsense", ">=3", None);
    }
}
