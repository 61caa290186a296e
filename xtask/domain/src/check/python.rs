//! `requires-python` against that of the siblings a distribution depends on.

use formats::pep440::Version;
use formats::pep440::specifier::{self, Op};
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
    let excluded = Excluded::of(own, needed)?;
    let (name, range) = (&sibling.name, &needed.text);
    let key = own.map_or_else(|| usual_key(subject), |own| own.key);
    let Some(RequiresPython { text, .. }) = own else {
        let message = format!("`{key}` is not set, but `{name}` requires {range}");
        let finding = Finding::warning(Rule::RequiresPython, message);
        return Some(finding.hint(format!("set `{key} = \"{range}\"`")));
    };
    let python = &excluded.first;
    let message =
        format!("`{key} = \"{text}\"` admits Python {python}, but `{name}` requires {range}");
    // Nobody's Python is above a cap yet, and most projects have none.
    let finding = if excluded.below || excluded.between {
        Finding::error(Rule::RequiresPython, message)
    } else {
        Finding::warning(Rule::RequiresPython, message)
    };
    Some(finding.hint(match excluded.narrowed(own, needed) {
        Some(narrowed) => format!("set `{key} = \"{narrowed}\"`"),
        None => format!("exclude Python {python} in `{key}`"),
    }))
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

/// The Pythons that a distribution admits and a sibling excludes.
struct Excluded {
    /// The lowest of them.
    first: String,
    /// Some are below all that the sibling admits.
    below: bool,
    /// Some are between Pythons that the sibling admits.
    between: bool,
    /// Some are above all that the sibling admits.
    above: bool,
}

impl Excluded {
    /// `None` where there is none. Only series that exist or will soon: `<4` against nothing is not a
    /// difference that anybody meets.
    fn of(own: Option<&RequiresPython>, needed: &RequiresPython) -> Option<Excluded> {
        let clauses = |range: &RequiresPython| specifier::parse(&range.text, range.dialect).ok();
        let own = own.map_or(Some(Vec::new()), clauses)?;
        let needed = clauses(needed)?;
        let series = std::iter::once((2, 7)).chain((0..30).map(|minor| (3, minor)));
        let pythons: Vec<(String, Version)> = series
            .flat_map(|(major, minor)| {
                [0, 50]
                    .map(|patch| (format!("{major}.{minor}"), Version::new([major, minor, patch])))
            })
            .collect();
        let needs = |(_, python): &&(String, Version)| specifier::admits(&needed, python);
        let lowest = pythons.iter().find(needs).map(|(_, python)| python);
        let highest = pythons.iter().rfind(needs).map(|(_, python)| python);
        let excluded: Vec<&(String, Version)> = pythons
            .iter()
            .filter(|python| specifier::admits(&own, &python.1) && !needs(python))
            .collect();
        let is_below = |python: &Version| lowest.is_none_or(|lowest| python < lowest);
        let is_above = |python: &Version| highest.is_some_and(|highest| python > highest);
        Some(Excluded {
            first: excluded.first()?.0.clone(),
            below: excluded.iter().any(|(_, python)| is_below(python)),
            between: excluded.iter().any(|(_, python)| !is_below(python) && !is_above(python)),
            above: excluded.iter().any(|(_, python)| is_above(python)),
        })
    }

    /// The distribution's own range with the bounds of the sibling where its own are too wide. It
    /// never admits more than before.
    fn narrowed(&self, own: Option<&RequiresPython>, needed: &RequiresPython) -> Option<String> {
        let own = own.filter(|own| own.dialect == needed.dialect)?;
        let is_lower = |op: Op| matches!(op, Op::Greater | Op::GreaterEqual);
        let is_upper = |op: Op| matches!(op, Op::Less | Op::LessEqual);
        let replaced = |op: Op| (self.below && is_lower(op)) || (self.above && is_upper(op));
        let taken = |op: Op| replaced(op) || (self.between && !is_lower(op) && !is_upper(op));
        let clauses = |range: &RequiresPython, wanted: &dyn Fn(Op) -> bool| {
            let parsed = specifier::parse(&range.text, range.dialect).ok()?;
            let wanted = parsed.into_iter().filter(|clause| wanted(clause.op));
            Some(wanted.map(|clause| range.text[clause.span].to_owned()).collect::<Vec<_>>())
        };
        let kept = clauses(own, &|op| !replaced(op))?;
        let mut all = clauses(needed, &taken)?;
        // Lower bounds are written first.
        let at = if self.below { all.len() } else { 0 };
        all.splice(at..at, kept);
        let text = all.join(",");
        let narrowed = RequiresPython { text: text.clone(), ..own.clone() };
        let is_enough = Excluded::of(Some(&narrowed), needed).is_none();
        let is_no_wider = Excluded::of(Some(&narrowed), own).is_none();
        (is_enough && is_no_wider).then_some(text)
    }
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
        let found = Excluded::of(own.as_ref(), &read(needed)).map(|excluded| excluded.first);
        assert_eq!(found.as_deref(), expected);
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

    #[track_caller]
    fn narrowed(own: &str, needed: &str, expected: Option<&str>) {
        let read = |text: &str| RequiresPython {
            key: "requires-python",
            text: text.to_owned(),
            dialect: if text.starts_with('^') { Dialect::Poetry } else { Dialect::Pep440 },
        };
        let (own, needed) = (read(own), read(needed));
        let excluded = Excluded::of(Some(&own), &needed).unwrap();
        assert_eq!(excluded.narrowed(Some(&own), &needed).as_deref(), expected);
    }

    #[test]
    fn a_hint_never_lowers_a_floor_or_raises_a_cap() {
        narrowed(">=3.12", ">=3.10,<3.15", Some(">=3.12,<3.15"));
        narrowed(">=3.8,<3.14", ">=3.10", Some(">=3.10,<3.14"));
        narrowed(">=3.8", ">=3.10,<3.15", Some(">=3.10,<3.15"));
        narrowed(">=3.8, !=3.9.1", ">=3.10", Some(">=3.10,!=3.9.1"));
        narrowed(">=3.8", ">=3.8,!=3.9.*", Some(">=3.8,!=3.9.*"));
        narrowed("^3.8", ">=3.10", None);
    }
}
