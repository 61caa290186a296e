//! Which versions of siblings are installed together: as an installer chooses them, from the
//! requirements in the metadata of wheels.

use std::collections::{BTreeMap, BTreeSet};

use formats::name::normalize;
use formats::pep440::Version;
use formats::requirement::{Requirement, admits};

use crate::release::content::Archive;

/// A requirement in the metadata of a wheel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// In PEP 503 normal form.
    pub name: String,
    pub specifiers: String,
    pub extras: Vec<String>,
    /// The extra that it belongs to.
    pub extra: Option<String>,
    /// Whether it holds in some environments only.
    pub is_conditional: bool,
}

impl Need {
    /// Whether it admits a version. One of another environment excludes none.
    pub fn admits(&self, version: &Version) -> bool {
        self.is_conditional || admits(&self.specifiers, version).unwrap_or(true)
    }
}

/// The requirements of a wheel.
pub fn needs(wheel: &Archive) -> Vec<Need> {
    let read = |text: &str| {
        let requirement = Requirement::parse(text).ok()?;
        let marker = requirement.marker.map_or("", |span| &text[span]);
        let extra = extra_of(marker);
        Some(Need {
            name: requirement.name.normal().to_owned(),
            specifiers: text[requirement.specifiers].to_owned(),
            extras: requirement.extras.iter().map(|extra| normalize(extra)).collect(),
            is_conditional: !marker.is_empty() && extra.is_none(),
            extra,
        })
    };
    wheel.headers("Requires-Dist").filter_map(read).collect()
}

/// The extra that a marker asks for.
fn extra_of(marker: &str) -> Option<String> {
    let rest = &marker[marker.find("extra")? + "extra".len()..];
    let name = rest.trim_start().strip_prefix("==")?.trim_start();
    let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    name[1..].split_once(quote).map(|(name, _)| normalize(name))
}

/// Versions by the normal name of their distribution.
pub type Picks = BTreeMap<String, Version>;

/// Chooses a version of every sibling that is needed, directly or through others: the first of its
/// `candidates` that all requirements on it admit. A name without candidates is not a sibling;
/// `needs_of` gives the requirements of one version. `None` where no candidate is left.
///
/// # Errors
/// Those of `needs_of`.
pub fn settle<E>(
    root: &[Need],
    candidates: impl Fn(&str) -> Option<Vec<Version>>,
    mut needs_of: impl FnMut(&str, &Version) -> Result<Vec<Need>, E>,
) -> Result<Option<Picks>, E> {
    let mut picks = Picks::new();
    let mut stated: BTreeMap<String, Vec<Need>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<Need> = root.iter().filter(|need| need.extra.is_none()).cloned().collect();
    while let Some(need) = open.pop() {
        let Some(candidates) = candidates(&need.name) else { continue };
        let on_it = stated.entry(need.name.clone()).or_default();
        on_it.push(need.clone());
        let mut admitted =
            candidates.into_iter().filter(|version| on_it.iter().all(|need| need.admits(version)));
        let Some(version) = admitted.next() else { return Ok(None) };
        picks.insert(need.name.clone(), version.clone());
        if seen.insert((need.name.clone(), version.clone(), need.extras.clone())) {
            let own = needs_of(&need.name, &version)?.into_iter();
            open.extend(
                own.filter(|one| {
                    one.extra.as_ref().is_none_or(|extra| need.extras.contains(extra))
                }),
            );
        }
    }
    Ok(Some(picks))
}

/// The newest version of each of the newest series, the newest first. A series is what its first
/// number says, or its second where that is 0; pre-releases count where there is nothing else.
pub fn newest_of_series(versions: &[Version]) -> Vec<Version> {
    const SERIES: usize = 2;
    let finals: Vec<&Version> = versions.iter().filter(|v| !v.any_prerelease()).collect();
    let mut sorted = if finals.is_empty() { versions.iter().collect() } else { finals };
    sorted.sort();
    let mut newest: Vec<Version> = Vec::new();
    for version in sorted.into_iter().rev() {
        if newest.len() < SERIES && newest.iter().all(|known| series(known) != series(version)) {
            newest.push(version.clone());
        }
    }
    newest
}

/// The numbers that tell an incompatible version from the one before.
pub(crate) fn series(version: &Version) -> (u64, u64, u64) {
    let minor = if version.segment(0) == 0 { version.segment(1) } else { 0 };
    (version.epoch(), version.segment(0), minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::content::Archive;

    fn wheel(requires: &[&str]) -> Archive {
        let requires = requires.iter().map(|text| (*text).to_owned()).collect();
        Archive { metadata: [("Requires-Dist".to_owned(), requires)].into(), ..Archive::default() }
    }

    #[test]
    fn the_requirements_of_a_wheel() {
        let found = needs(&wheel(&[
            "Acme_Core[SQL]>=1,<2 ; extra == 'all'",
            "rich ; python_version < '3.11'",
        ]));
        assert_eq!((found[0].name.as_str(), found[0].specifiers.as_str()), ("acme-core", ">=1,<2"));
        assert_eq!((found[0].extras[0].as_str(), found[0].extra.as_deref()), ("sql", Some("all")));
        assert!(found[1].is_conditional && found[1].extra.is_none() && !found[0].is_conditional);
    }

    /// The candidates of a sibling, best first, each with its requirements.
    type Candidates<'a> = &'a [(&'a str, &'a [&'a str])];

    #[track_caller]
    fn settles(root: &[&str], known: &[(&str, Candidates)], expected: Option<&str>) {
        let of = |name: &str| known.iter().find(|(known, _)| *known == name).map(|(_, all)| *all);
        let picks = settle(
            &needs(&wheel(root)),
            |name| Some(of(name)?.iter().map(|(version, _)| version.parse().unwrap()).collect()),
            |name, picked| {
                let all = of(name).unwrap();
                let (_, requires) = all
                    .iter()
                    .find(|(version, _)| version.parse::<Version>().unwrap() == *picked)
                    .unwrap();
                Ok::<_, ()>(needs(&wheel(requires)))
            },
        );
        let shown = picks.unwrap().map(|picks| {
            let shown: Vec<String> =
                picks.iter().map(|(name, version)| format!("{name} {version}")).collect();
            shown.join(", ")
        });
        assert_eq!(shown.as_deref(), expected);
    }

    #[test]
    fn siblings_are_chosen_as_an_installer_does() {
        let core: Candidates = &[("2.0", &[]), ("1.1", &[]), ("1.0", &[])];
        settles(&["core>=1", "rich"], &[("core", core)], Some("core 2.0"));
        settles(&["core<2"], &[("core", core)], Some("core 1.1"));
        settles(&["core>2"], &[("core", core)], None);
        settles(&["core; extra == 'x'"], &[("core", core)], Some(""));
        let app: Candidates = &[("3", &["core<1.1", "app[y]", "core>2; extra == 'z'"])];
        settles(&["core", "app"], &[("core", core), ("app", app)], Some("app 3, core 1.0"));
        settles(&["app[z]"], &[("core", core), ("app", app)], None);
    }

    #[test]
    fn supported_series() {
        let newest = |versions: &[&str]| {
            let versions: Vec<Version> = versions.iter().map(|v| v.parse().unwrap()).collect();
            let newest: Vec<String> =
                newest_of_series(&versions).iter().map(ToString::to_string).collect();
            newest.join(" ")
        };
        assert_eq!(newest(&["1.0", "2.1", "2.0", "3.0rc1", "0.9"]), "2.1 1.0");
        assert_eq!(newest(&["0.1.0", "0.1.1", "0.2.0"]), "0.2.0 0.1.1");
        assert_eq!(newest(&["0.1.0rc1"]), "0.1.0rc1");
    }
}
