//! `requires-python` against that of the siblings a distribution depends on.

use formats::pep440::{Version, specifier};
use toml_edit::Item;

use crate::check::subject::{CheckFacts, Subject};
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::requirement::RequirementTable;
use crate::manifest::{Manifest, RequiresPython};
use crate::text::toml::start;

/// One finding for each sibling that excludes a Python which the distribution admits.
pub(super) fn requires_python(facts: CheckFacts, subject: &Subject) -> Vec<Finding> {
    let line = line_of_key(subject);
    let mut siblings: Vec<DistributionId> = Vec::new();
    for (sibling, declared) in facts.workspace.sibling_requirements(subject.id) {
        let always = declared.table == RequirementTable::Dependencies
            && declared.requirement.marker.is_none();
        if always && !siblings.contains(&sibling) {
            siblings.push(sibling);
        }
    }
    siblings
        .into_iter()
        .filter_map(|sibling| excluding(subject, &facts.workspace.distributions[sibling].manifest))
        .map(|finding| finding.at(&subject.distribution.manifest.path, line))
        .collect()
}

/// The line of the key in the pyproject.toml, or of the name where the key is missing.
fn line_of_key(subject: &Subject) -> usize {
    let keys = [
        "project.requires-python",
        "tool.poetry.dependencies.python",
        "project.name",
        "tool.poetry.name",
    ];
    let Some(file) = &subject.toml else { return 1 };
    file.line(keys.into_iter().find_map(|key| file.get(key)).map_or(0, start))
}

/// The finding about one sibling, where it excludes a Python that the distribution admits.
fn excluding(subject: &Subject, sibling: &Manifest) -> Option<Finding> {
    let own = subject.distribution.manifest.requires_python.as_ref();
    let needed = sibling.requires_python.as_ref()?;
    let python = first_excluded(own, needed)?;
    let (name, needed) = (&sibling.name, &needed.text);
    let key = own.map_or_else(|| usual_key(subject), |own| own.key);
    let finding = if let Some(RequiresPython { text, .. }) = own {
        let message =
            format!("`{key} = \"{text}\"` admits Python {python}, but `{name}` requires {needed}");
        Finding::error(Rule::RequiresPython, message)
    } else {
        let message = format!("`{key}` is not set, but `{name}` requires {needed}");
        Finding::warning(Rule::RequiresPython, message)
    };
    Some(finding.hint(format!("set `{key} = \"{needed}\"`")))
}

/// The key to set where none is.
fn usual_key(subject: &Subject) -> &'static str {
    let has = |key: &str| subject.toml.as_ref().is_some_and(|file| file.get(key).is_some());
    if has("project") {
        "requires-python"
    } else if has("tool.poetry") {
        "python"
    } else {
        "python_requires"
    }
}

/// The first Python that `own` admits and `needed` does not. Only series that exist or will soon:
/// nobody meets the difference between `<4` and no bound.
fn first_excluded(own: Option<&RequiresPython>, needed: &RequiresPython) -> Option<String> {
    let clauses = |range: &RequiresPython| specifier::parse(&range.text, range.dialect).ok();
    let own = own.map_or(Some(Vec::new()), clauses)?;
    let needed = clauses(needed)?;
    let series = std::iter::once((2, 7)).chain((0..30).map(|minor| (3, minor)));
    let candidates = series.flat_map(|(major, minor)| {
        [0, 50].map(|patch| (format!("{major}.{minor}"), Version::new([major, minor, patch])))
    });
    let excluded = |(_, python): &(String, Version)| {
        specifier::admits(&own, python) && !specifier::admits(&needed, python)
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
    use formats::pep440::specifier::Dialect;

    use super::*;

    #[track_caller]
    fn excluded(own: &str, needed: &str, expected: Option<&str>) {
        let read = |text: &str| RequiresPython {
            key: "requires-python",
            text: text.to_owned(),
            dialect: if text.starts_with('^') { Dialect::Poetry } else { Dialect::Pep440 },
        };
        let own = (!own.is_empty()).then(|| read(own));
        assert_eq!(first_excluded(own.as_ref(), &read(needed)).as_deref(), expected);
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
        excluded("^3.10", ">=3.10", None);
        excluded("^3.8", ">=3.10", Some("3.8"));
        excluded(">=3.10", "^3.10", None);
    }
}
