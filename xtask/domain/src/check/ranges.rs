//! Requirements on siblings: ranges that exclude the sibling's own version, and ones without any.
//! And requirements on anything by its address.

use formats::pep440::specifier::{self, Dialect};
use formats::pep440::{Version, compatible_range};

use crate::bump::range;
use crate::check::subject::{CheckFacts, Fix, Found, Subject};
use crate::finding::{Finding, Rule};
use crate::manifest::requirement::{DeclaredRequirement, RequirementTable};
use crate::policy::RangePolicy;
use crate::workspace::Distribution;

pub(super) fn ranges(facts: CheckFacts, subject: &Subject) -> Vec<Found> {
    let manifest = &subject.distribution.manifest;
    let requirements = manifest.requirements.iter();
    requirements
        .filter(|declared| !manifest.config.keep.contains(&declared.requirement.name))
        // A build requirement is taken from an index where the version here is excluded.
        .filter(|declared| declared.table != RequirementTable::Build)
        .filter_map(|declared| {
            let id = facts.workspace.find(&declared.requirement.name)?;
            let sibling = &facts.workspace.distributions[id];
            let name = sibling.name().to_string();
            let found = if id == subject.id {
                None
            } else {
                unbounded(subject, declared, &name, sibling.version())
            };
            let policy = facts.workspace.config.ranges;
            found.or_else(|| excluding(subject, declared, sibling, policy))
        })
        .collect()
}

/// Requirements that go into the built metadata as a path or an address, on whatever it be.
pub(super) fn direct_references(subject: &Subject) -> Vec<Finding> {
    let manifest = &subject.distribution.manifest;
    let direct = manifest.requirements.iter().filter(|declared| {
        declared.is_published()
            && declared.requirement.url.is_some()
            && !manifest.config.keep.contains(&declared.requirement.name)
    });
    direct
        .map(|declared| {
            let name = &declared.requirement.name;
            let message =
                format!("`{name}` is required from a path or a URL, which an index rejects");
            Finding::error(Rule::DirectReference, message)
                .at(&declared.file, declared.line)
                .hint("give it a version range here; a dependency group can keep the path")
        })
        .collect()
}

fn unbounded(
    subject: &Subject,
    declared: &DeclaredRequirement,
    name: &str,
    version: Option<&Version>,
) -> Option<Found> {
    let bare = declared.specifiers().is_empty() && declared.requirement.url.is_none();
    if !bare || !declared.is_published() {
        return None;
    }
    let shown = declared.shown();
    let message = format!("`{}` admits every version of `{name}`", shown.trim_end());
    let range = version.map_or_else(|| ">=…".to_owned(), compatible_range);
    let place = version.and(declared.specifier_span.clone());
    let written =
        place.filter(|_| declared.dialect == Dialect::Pep440 && !declared.text.is_empty());
    let edit =
        written.map(|place| subject.edit(&declared.file, declared.line, place, ("", &range)));
    let hint = match edit {
        Some(_) => format!("`cargo xtask check --fix` makes it `{name}{range}`"),
        None => format!("add a range, such as `{name}{range}`"),
    };
    let finding = Finding::new(Rule::NoRange, message).at(&declared.file, declared.line).hint(hint);
    Some(Found::fixed_by(finding, edit.map(|edit| Fix::Edits(vec![edit]))))
}

fn excluding(
    subject: &Subject,
    declared: &DeclaredRequirement,
    sibling: &Distribution,
    policy: RangePolicy,
) -> Option<Found> {
    // A version that is made from a tag follows when the next one is planned.
    let version = sibling.manifest.version.version()?;
    let name = sibling.name();
    let specifiers = declared.specifiers();
    let clauses = specifier::parse(specifiers, declared.dialect).ok()?;
    let requirements = &subject.distribution.manifest.requirements;
    if specifier::admits(&clauses, version) || declared.has_conditional_alternative(requirements) {
        return None;
    }
    let shown = declared.shown();
    let message = format!("`{shown}` excludes `{name}` {version}, the version in this repository");
    let fix = moved(subject, declared, version, policy);
    let hint = match fix {
        Some(_) => "`cargo xtask check --fix` moves the range as a bump would",
        None => "edit the range, or list the sibling as `keep` in `[tool.xtask]`",
    };
    let finding =
        Finding::error(Rule::StaleRange, message).at(&declared.file, declared.line).hint(hint);
    Some(Found::fixed_by(finding, fix))
}

fn moved(
    subject: &Subject,
    declared: &DeclaredRequirement,
    version: &Version,
    policy: RangePolicy,
) -> Option<Fix> {
    let specifiers = declared.specifiers();
    let span = declared.specifier_span.as_ref()?;
    let outcome = range::follow(specifiers, declared.dialect, None, version, policy).ok()?;
    let edits: Vec<_> = outcome
        .replacements
        .iter()
        .map(|replacement| {
            let inside = &replacement.span;
            let place = span.start + inside.start..span.start + inside.end;
            let texts = (&specifiers[inside.clone()], replacement.text.as_str());
            subject.edit(&declared.file, declared.line, place, texts)
        })
        .collect();
    (!edits.is_empty()).then_some(Fix::Edits(edits))
}
