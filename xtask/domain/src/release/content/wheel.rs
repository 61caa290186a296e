//! A wheel against itself, its RECORD and tags, and against the other files of its release.

use std::collections::BTreeSet;

use formats::requirement::Requirement;

use crate::finding::{Finding, Rule};
use crate::release::content::archive::{Archive, Built};
use crate::release::content::problem::Problem;
use crate::text::globs::any_matches;
use crate::text::words::first_few;

/// The statements of RECORD and WHEEL that the wheel contradicts.
pub(crate) fn problems(wheel: &Archive) -> Vec<Problem> {
    if !wheel.is_wheel() || wheel.record.is_empty() && wheel.tags.is_empty() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    // A file that is listed without a digest is listed: no index refuses that.
    let is_wrong = |path: &str, digest: &String| match wheel.record.get(path) {
        None => true,
        Some(recorded) => recorded.as_ref().is_some_and(|recorded| recorded != digest),
    };
    let wrong: Vec<&str> = wheel
        .members
        .iter()
        .filter(|(path, digest)| !is_signature(path) && is_wrong(path, digest))
        .map(|(path, _)| path.as_str())
        .collect();
    if !wrong.is_empty() {
        let message = format!("has a RECORD without the right SHA-256 of {}", first_few(&wrong));
        problems.push(
            Problem::new(Rule::Files, message)
                .hint("fix the build back end; a RECORD lists every file of the wheel"),
        );
    }
    let absent: Vec<&str> = wheel
        .record
        .keys()
        .map(String::as_str)
        .filter(|path| !wheel.members.contains_key(*path) && !is_signature(path))
        .collect();
    if !absent.is_empty() {
        let message =
            format!("has a RECORD that lists {}, which it does not contain", first_few(&absent));
        problems.push(Problem::new(Rule::Files, message).hint("fix the build back end"));
    }
    problems.extend(tags(wheel));
    problems
}

/// RECORD itself, and signatures of it, are listed without a digest (PEP 427).
fn is_signature(path: &str) -> bool {
    path.ends_with(".dist-info/RECORD")
        || path.ends_with(".dist-info/RECORD.jws")
        || path.ends_with(".dist-info/RECORD.p7s")
}

fn tags(wheel: &Archive) -> Option<Problem> {
    let stem = wheel.file.strip_suffix(".whl")?;
    let fields: Vec<&str> = stem.rsplitn(4, '-').collect();
    let [platform, abi, python, _] = fields[..] else { return None };
    let named = expanded(&format!("{python}-{abi}-{platform}"));
    let inside: BTreeSet<String> = wheel.tags.iter().flat_map(|tag| expanded(tag)).collect();
    if named == inside {
        return None;
    }
    let shown: Vec<&str> = inside.iter().map(String::as_str).collect();
    let message = if shown.is_empty() {
        "has a WHEEL file without a tag".to_owned()
    } else {
        format!("has a WHEEL file with the tag {}, unlike its name", first_few(&shown))
    };
    Some(
        Problem::new(Rule::FileName, message)
            .hint("rename wheels with `wheel tags`, which changes both"),
    )
}

/// Every single tag of a compressed one (PEP 425).
fn expanded(tag: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let fields: Vec<&str> = tag.trim().split('-').collect();
    let [pythons, abis, platforms] = fields[..] else { return BTreeSet::from([tag.to_owned()]) };
    for python in pythons.split('.') {
        for abi in abis.split('.') {
            found.extend(platforms.split('.').map(|platform| format!("{python}-{abi}-{platform}")));
        }
    }
    found
}

/// The first Python file that two wheels of one version have with different contents, of those that
/// git tracks and that no build writes.
pub fn stale_member<'a>(
    ours: &'a Archive,
    theirs: &Archive,
    tracked: &[String],
    generated: &[String],
) -> Option<&'a str> {
    let python = |path: &str| path.ends_with(".py") || path.ends_with(".pyi");
    let mut members = ours.members.iter().filter(|(path, digest)| {
        python(path) && theirs.members.get(*path).is_some_and(|other| other != *digest)
    });
    let from_source = |path: &str| {
        let below = format!("/{path}");
        tracked.iter().any(|source| {
            (source == path || source.ends_with(&below)) && !any_matches(generated, source)
        })
    };
    members.find(|(path, _)| from_source(path)).map(|(path, _)| path.as_str())
}

/// Requirements that one wheel has and the sdist or another wheel does not: users of one file
/// install what users of the other do not.
pub(crate) fn disagreements(built: &Built) -> Vec<Finding> {
    let sdist = built.archives.iter().find(|archive| !archive.is_wheel());
    let Some(sdist) = sdist.filter(|sdist| says_what_it_requires(sdist)) else { return Vec::new() };
    let stated = requirements(sdist);
    let mut findings = Vec::new();
    for wheel in built.archives.iter().filter(|archive| archive.is_wheel()) {
        let own = requirements(wheel);
        for (one, other, from, to) in [(&own, &stated, wheel, sdist), (&stated, &own, sdist, wheel)]
        {
            let lacking: Vec<&str> = one.difference(other).map(String::as_str).collect();
            if !lacking.is_empty() {
                let message = format!(
                    "`{}` requires {}, which `{}` does not",
                    from.file,
                    first_few(&lacking),
                    to.file
                );
                let hint =
                    "declare it under `dependencies`, or as `dynamic` where the build computes it";
                findings.push(Finding::error(Rule::Requirement, message).hint(hint));
            }
        }
    }
    findings
}

/// Whether the metadata of an sdist is final: not where it calls its requirements dynamic (PEP 643),
/// nor where an old setuptools has written them beside it alone.
fn says_what_it_requires(sdist: &Archive) -> bool {
    let mut dynamic = sdist.headers("Dynamic").map(str::to_ascii_lowercase);
    let is_dynamic = dynamic.any(|field| field == "requires-dist" || field == "provides-extra");
    let is_beside = sdist.members.keys().any(|path| path.ends_with(".egg-info/requires.txt"))
        && sdist.headers("Requires-Dist").next().is_none();
    !is_dynamic && !is_beside
}

fn requirements(archive: &Archive) -> BTreeSet<String> {
    archive.headers("Requires-Dist").map(normal).collect()
}

/// A requirement without what may be spelled in several ways.
fn normal(text: &str) -> String {
    let (body, marker) = text.split_once(';').unwrap_or((text, ""));
    let Ok(requirement) = Requirement::parse(body.trim()) else { return text.to_owned() };
    let body = body.trim();
    let mut clauses: Vec<String> = body[requirement.specifiers.clone()]
        .split(',')
        .map(|clause| clause.replace([' ', '(', ')'], ""))
        .collect();
    clauses.sort();
    let mut extras: Vec<String> =
        requirement.extras.iter().map(|extra| formats::name::normalize(extra)).collect();
    extras.sort();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let marker: String = marker
        .replace('\'', "\"")
        .chars()
        .filter(|c| !c.is_whitespace() && !"()".contains(*c))
        .collect();
    format!(
        "{}{extras}{}{}{marker}",
        requirement.name.normal(),
        clauses.join(","),
        if marker.is_empty() { "" } else { "; " }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::content::Siblings;
    use crate::release::content::tests::{archive, messages, pair};

    fn wheel() -> Archive {
        let mut wheel = archive("a-1-py2.py3-none-any.whl", &["a.py", "a-1.dist-info/RECORD"], &[]);
        wheel.tags = vec!["py3-none-any".into(), "py2-none-any".into()];
        wheel.record.insert("a.py".into(), Some(String::new()));
        wheel.record.insert("a-1.dist-info/RECORD".into(), None);
        wheel
    }

    #[track_caller]
    fn check(wheel: &Archive, expected: &[&str]) {
        let found: Vec<String> = problems(wheel).into_iter().map(|p| p.message).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_record_lists_every_file_and_no_other() {
        check(&wheel(), &[]);
        let mut bare = wheel();
        bare.record.insert("a.py".into(), None);
        check(&bare, &[]);
        let mut other = wheel();
        other.record.remove("a.py");
        other.record.insert("ghost.py".into(), Some("00".into()));
        check(
            &other,
            &[
                "has a RECORD without the right SHA-256 of `a.py`",
                "has a RECORD that lists `ghost.py`, which it does not contain",
            ],
        );
    }

    #[test]
    fn tags_agree_with_the_name() {
        let mut other = wheel();
        other.tags = vec!["py2.py3-none-any".into()];
        check(&other, &[]);
        other.tags = vec!["cp39-abi3-linux_x86_64".into()];
        check(&other, &["has a WHEEL file with the tag `cp39-abi3-linux_x86_64`, unlike its name"]);
    }

    #[test]
    fn collected_wheels_have_the_same_python() {
        let ours = archive("a-1-py3-none-any.whl", &["a/x.py", "a/_version.py", "a/b.so"], &[]);
        let mut theirs = ours.clone();
        let tracked = ["src/a/x.py".to_owned(), "src/a/b.so".to_owned()];
        theirs.members.values_mut().for_each(|digest| *digest = "1".into());
        assert_eq!(stale_member(&ours, &theirs, &tracked, &[]), Some("a/x.py"));
        assert_eq!(stale_member(&ours, &theirs, &tracked, &["src/a/x.py".into()]), None);
        assert_eq!(stale_member(&ours, &ours, &tracked, &[]), None);
    }

    #[test]
    fn sdist_and_wheel_require_the_same() {
        let mut archives = pair("core", "1", &[], &["x>=1,<2; extra == 'y'"]);
        let spelled = vec!["x<2,>=1 ; extra == \"y\"".to_owned()];
        archives[1].metadata.insert("Requires-Dist".into(), spelled);
        let none = Siblings::default();
        assert_eq!(messages(&[("core", "1", archives.clone())], &none), Vec::<String>::new());
        archives[1].metadata.get_mut("Requires-Dist").unwrap().push("evil".into());
        assert_eq!(
            messages(&[("core", "1", archives.clone())], &none),
            ["`core-1-py3-none-any.whl` requires `evil`, which `core-1.tar.gz` does not"]
        );
        archives[0].metadata.insert("Dynamic".into(), vec!["Requires-Dist".into()]);
        assert_eq!(messages(&[("core", "1", archives)], &none), Vec::<String>::new());
    }
}
