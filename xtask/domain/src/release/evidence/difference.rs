//! The changes for the users of a distribution: its wheels against those published before.

use std::collections::BTreeSet;

use formats::name::normalize;
use formats::pep440::specifier::{self, Dialect, Op};
use formats::pep440::{Version, next_incompatible};
use formats::requirement::admits;

use crate::finding::{Finding, Rule, Severity};
use crate::release::content::Archive;
use crate::release::evidence::settle::{Need, needs, series};
use crate::text::words::{first_few, plural};

/// Names at the top of a wheel that are meant for the repository alone, and clash with everybody's.
const GENERIC: [&str; 16] = [
    "benchmarks",
    "bin",
    "build",
    "conftest",
    "dist",
    "doc",
    "docs",
    "example",
    "examples",
    "scripts",
    "setup",
    "src",
    "test",
    "testing",
    "tests",
    "tools",
];

/// Distributions whose module has another name.
const MODULES: [(&str, &str); 8] = [
    ("attrs", "attr"),
    ("beautifulsoup4", "bs4"),
    ("opencv-python", "cv2"),
    ("pillow", "pil"),
    ("pyjwt", "jwt"),
    ("python-dateutil", "dateutil"),
    ("pyyaml", "yaml"),
    ("scikit-learn", "sklearn"),
];

/// The statements of a wheel beside its contents.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// The modules that it imports without being prepared to miss them, with file and line.
    pub imports: Vec<(String, String)>,
    /// Group and name of each entry point.
    pub entry_points: BTreeSet<(String, String)>,
    /// Files that the oldest Python that it admits cannot read.
    pub syntax: Vec<TooNew>,
}

/// A file that an admitted Python cannot read.
#[derive(Clone, Debug)]
pub struct TooNew {
    /// File and line.
    pub place: String,
    pub why: String,
    /// The first Python that can read it.
    pub since: String,
}

/// One version of a distribution.
pub struct Release<'a> {
    pub version: &'a Version,
    /// One of its wheels.
    pub wheel: &'a Archive,
    pub details: &'a Details,
    /// The names of all of its wheels.
    pub wheels: Vec<&'a str>,
}

/// How far a version is from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Patch,
    Minor,
    Breaking,
}

fn step(before: &Version, after: &Version) -> Step {
    if series(before) != series(after) {
        Step::Breaking
    } else if before.segment(1) != after.segment(1) {
        Step::Minor
    } else {
        Step::Patch
    }
}

/// Everything that changes, each with how much it weighs.
pub fn differences(name: &str, before: &Release, after: &Release) -> Vec<Finding> {
    let step = step(before.version, after.version);
    // A new major version removes on purpose.
    let loss = if step == Step::Breaking { Severity::Note } else { Severity::Warning };
    let mut found = vec![overview(before, after)];
    found.extend(new_files(before, after));
    found.extend(lost_wheels(before, after));
    found.extend(lost_files(before, after).map(|text| of(loss, text)));
    found.extend(entry_points(before, after).map(|text| of(loss, text)));
    found.extend(requirements(name, before, after, loss));
    found.extend(python(before, after, step));
    found
}

fn of(severity: Severity, text: impl Into<String>) -> Finding {
    Finding { severity, ..Finding::new(Rule::Difference, text) }
}

fn overview(before: &Release, after: &Release) -> Finding {
    let old = code(before.wheel);
    let new = code(after.wheel);
    let added = new.difference(&old).count();
    let removed = old.difference(&new).count();
    let changed = new
        .intersection(&old)
        .filter(|path| before.wheel.members[**path] != after.wheel.members[**path])
        .count();
    let size = if after.wheel.size > 2 * before.wheel.size {
        format!(", {} bytes instead of {}", after.wheel.size, before.wheel.size)
    } else {
        String::new()
    };
    let files = plural(added, "file");
    let version = before.version;
    of(
        Severity::Note,
        format!("since {version}: {files} added, {removed} removed, {changed} changed{size}"),
    )
}

/// The files of a wheel apart from its metadata.
fn code(wheel: &Archive) -> BTreeSet<&str> {
    let all = wheel.members.keys().map(String::as_str);
    all.filter(|path| !path.split('/').next().unwrap_or_default().ends_with(".dist-info")).collect()
}

/// The part of a path below `NAME.data/purelib/`, or the path.
fn installed(path: &str) -> &str {
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(top), Some("purelib" | "platlib"), Some(rest)) if top.ends_with(".data") => rest,
        _ => path,
    }
}

/// The name at the top that a path is imported by.
fn top(path: &str) -> Option<&str> {
    let first = path.split('/').next()?;
    let name = first.split('.').next()?;
    let is_code = path.ends_with(".py") || path.ends_with(".so") || path.ends_with(".pyd");
    (is_code && !first.ends_with(".data")).then_some(name)
}

fn new_files(before: &Release, after: &Release) -> Vec<Finding> {
    let tops = |wheel: &Archive| -> BTreeSet<String> {
        let paths = code(wheel).into_iter().map(installed);
        paths.filter_map(top).map(str::to_owned).collect()
    };
    let file = &after.wheel.file;
    let version = before.version;
    let mut found = Vec::new();
    let old: BTreeSet<&str> = code(before.wheel).into_iter().map(installed).collect();
    for path in code(after.wheel).into_iter().map(installed).filter(|path| !old.contains(path)) {
        let runs = ["sitecustomize.py", "usercustomize.py"].contains(&path);
        if runs || path.ends_with(".pth") && !path.contains('/') {
            let text = format!(
                "`{file}` contains `{path}`, which {version} did not: every Python of its users runs it at its start"
            );
            found.push(Finding::error(Rule::NewFile, text).hint("leave it out of the wheel"));
        }
    }
    for name in tops(after.wheel).difference(&tops(before.wheel)) {
        if GENERIC.contains(&name.as_str()) {
            let text = format!(
                "`{file}` installs `{name}` beside every other package, which {version} did not"
            );
            found.push(Finding::error(Rule::NewFile, text).hint("leave it out of the wheel"));
        } else if !name.ends_with("customize") {
            found.push(of(Severity::Note, format!("new top-level name `{name}`")));
        }
    }
    found
}

/// The kinds of machines that a wheel is for.
fn machines(file: &str) -> BTreeSet<String> {
    let platforms = file.trim_end_matches(".whl").rsplit('-').next().unwrap_or_default();
    let kind = |tag: &str| {
        let system = tag.split('_').next().unwrap_or_default();
        let system = system.trim_end_matches(|c: char| c.is_ascii_digit());
        let machine = ["x86_64", "amd64", "aarch64", "arm64", "universal2", "i686", "win32"];
        let machine =
            machine.into_iter().find(|machine| tag.ends_with(machine)).unwrap_or_default();
        format!("{system} {machine}").trim_end().to_owned()
    };
    platforms.split('.').map(kind).collect()
}

fn lost_wheels(before: &Release, after: &Release) -> Option<Finding> {
    let all = |files: &[&str]| -> BTreeSet<String> {
        files.iter().flat_map(|file| machines(file)).collect()
    };
    let now = all(&after.wheels);
    if now.contains("any") {
        return None;
    }
    let lost: Vec<String> = all(&before.wheels).difference(&now).cloned().collect();
    let text = format!(
        "{} has no wheel for {}, which {} had",
        after.version,
        first_few(&lost),
        before.version
    );
    (!lost.is_empty()).then(|| {
        Finding::error(Rule::LostWheel, text)
            .hint("build it there, and pass the folder with `--wheels DIR`")
    })
}

/// Files whose loss users notice.
fn lost_files<'a>(before: &'a Release, after: &'a Release) -> impl Iterator<Item = String> + 'a {
    let new = code(after.wheel);
    let matters = |path: &str| path.ends_with("/py.typed") || path.contains(".data/scripts/");
    let lost = code(before.wheel).into_iter().filter(move |path| !new.contains(path));
    lost.filter(move |path| matters(path)).map(|path| format!("`{path}` is gone"))
}

fn entry_points<'a>(before: &'a Release, after: &'a Release) -> impl Iterator<Item = String> + 'a {
    let lost = before.details.entry_points.difference(&after.details.entry_points);
    lost.map(|(group, name)| match group.as_str() {
        "console_scripts" | "gui_scripts" => format!("the command `{name}` is gone"),
        group => format!("the entry point `{name}` of `{group}` is gone"),
    })
}

fn requirements(name: &str, before: &Release, after: &Release, loss: Severity) -> Vec<Finding> {
    let old = needs(before.wheel);
    let new = needs(after.wheel);
    let same = |one: &Need, other: &Need| one.name == other.name && one.extra == other.extra;
    let mut found = Vec::new();
    let of_extra = |need: &Need| {
        need.extra.as_ref().map(|extra| format!(" in its extra `{extra}`")).unwrap_or_default()
    };
    for need in &old {
        if need.name == normalize(name) {
            continue;
        }
        let now: Vec<&Need> = new.iter().filter(|other| same(need, other)).collect();
        let extra = of_extra(need);
        if now.is_empty() && need.extra.is_none() {
            found.push(lost_requirement(need, before, after, new.is_empty(), loss));
        } else if !now.is_empty()
            && has_upper_bound(&need.specifiers)
            && !now.iter().any(|now| has_upper_bound(&now.specifiers))
        {
            let text = format!(
                "the requirement on `{}`{extra} has lost its upper bound (`{}` before)",
                need.name, need.specifiers
            );
            found.push(of(Severity::Warning, text));
        }
    }
    let extras = |wheel: &Archive| -> BTreeSet<String> {
        wheel.headers("Provides-Extra").map(normalize).collect()
    };
    for extra in extras(before.wheel).difference(&extras(after.wheel)) {
        found.push(of(loss, format!("the extra `{extra}` is gone")));
    }
    for need in new.iter().filter(|need| !old.iter().any(|other| same(need, other))) {
        let extra = of_extra(need);
        found.push(of(Severity::Note, format!("requires `{}`{extra} by now", need.name)));
    }
    found
}

/// A requirement that is gone: meant where the import is gone too.
fn lost_requirement(
    need: &Need,
    before: &Release,
    after: &Release,
    is_all: bool,
    loss: Severity,
) -> Finding {
    let import = |details: &Details| {
        let known = MODULES.iter().find(|(name, _)| *name == need.name);
        let module = known.map_or(need.name.replace('-', "_"), |(_, module)| (*module).to_owned());
        let is_it =
            |name: &str| name.split('.').next().unwrap_or_default().to_lowercase() == module;
        details.imports.iter().find(|(name, _)| is_it(name)).map(|(_, place)| place.clone())
    };
    let name = &need.name;
    if let Some(place) = import(after.details) {
        let text = format!("no longer requires `{name}`, and still imports it ({place})");
        return of(Severity::Warning, text)
            .hint(format!("require `{name}{}` again", need.specifiers));
    }
    let is_meant = import(before.details).is_some() || !is_all;
    let severity = if is_meant { Severity::Note } else { loss };
    of(severity, format!("no longer requires `{name}`"))
}

fn has_upper_bound(specifiers: &str) -> bool {
    let clauses = specifier::parse(specifiers, Dialect::Pep440).unwrap_or_default();
    clauses.iter().any(|clause| {
        matches!(
            clause.op,
            Op::Less | Op::LessEqual | Op::Compatible | Op::Equal | Op::EqualPrefix | Op::Arbitrary
        )
    })
}

/// The minor versions of Python 3 that a wheel admits.
fn pythons(wheel: &Archive) -> Option<Vec<u64>> {
    let stated = wheel.header("Requires-Python")?;
    let admitted = |minor: &u64| admits(stated, &Version::new([3, *minor, 99])) == Some(true);
    Some((0..=40).filter(admitted).collect())
}

/// The oldest Python that a wheel admits, where it says one.
pub fn oldest_python(wheel: &Archive) -> Option<String> {
    let oldest = pythons(wheel)?.first().copied().filter(|minor| *minor > 0)?;
    Some(format!("3.{oldest}"))
}

fn python(before: &Release, after: &Release, step: Step) -> Option<Finding> {
    let stated = |release: &Release| release.wheel.header("Requires-Python").map(str::to_owned);
    let old = stated(before)?;
    let Some(new) = stated(after) else {
        return Some(of(Severity::Warning, format!("`requires-python` is gone (`{old}` before)")));
    };
    let now = pythons(after.wheel)?;
    let lost = pythons(before.wheel)?.into_iter().find(|minor| !now.contains(minor))?;
    let text = format!("`requires-python` is `{new}` instead of `{old}`: not for 3.{lost} by now");
    Some(of(if step == Step::Patch { Severity::Warning } else { Severity::Note }, text))
}

/// A public name that is gone, or takes other arguments.
pub struct Break {
    pub name: String,
    pub why: String,
}

/// The breaks in the public API, judged by the step from one version to the next.
pub fn api(name: &str, before: &Version, after: &Version, breaks: &[Break]) -> Option<Finding> {
    if breaks.is_empty() {
        return None;
    }
    let shown: Vec<String> =
        breaks.iter().take(5).map(|one| format!("`{}` {}", one.name, one.why)).collect();
    let more = breaks.len().saturating_sub(5);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let list = format!("{}{more}", shown.join(", "));
    let word = match step(before, after) {
        Step::Breaking => {
            let text = format!("breaks its public API of {before}, as its version says: {list}");
            return Some(Finding::note(Rule::Api, text));
        }
        Step::Minor => "minor",
        Step::Patch => "patch",
    };
    let text = format!("is a {word} release after {before}, and breaks its public API: {list}");
    let next =
        next_incompatible(&before.clone().with_segments(3)).map(|next| next.with_segments(3));
    let hint = next.map(|next| format!("keep them, or run `cargo xtask bump {name} {next}`"));
    Some(Finding { hint, ..Finding::warning(Rule::Api, text) })
}

/// Files that a sibling installs by now: an upgrade installs the sibling first, and then removes the
/// files of the old version.
pub fn moved(
    name: &str,
    sibling: &str,
    before: &Archive,
    after: &Archive,
    theirs: &Archive,
) -> Option<Finding> {
    let mut gone = code(before).into_iter().map(installed);
    let now: BTreeSet<&str> = code(after).into_iter().map(installed).collect();
    let there: BTreeSet<&str> = code(theirs).into_iter().map(installed).collect();
    let path =
        gone.find(|path| top(path).is_some() && !now.contains(path) && there.contains(path))?;
    let text = format!(
        "`{path}` moved from `{name}` to `{sibling}`: `pip install --upgrade` deletes it again when it removes the old `{name}`"
    );
    let hint =
        format!("give it another name in `{sibling}`, and keep one in `{name}` that imports it");
    Some(Finding::warning(Rule::Moved, text).hint(hint))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// `files` of a wheel; those with a colon are headers.
    fn wheel(version: &str, files: &[&str]) -> Archive {
        let (headers, members): (Vec<&str>, Vec<&str>) =
            files.iter().partition(|f| f.contains(": "));
        let headers: Vec<(&str, &str)> =
            headers.iter().filter_map(|header| header.split_once(": ")).collect();
        let mut metadata: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in headers {
            metadata.entry(key.into()).or_default().push(value.into());
        }
        let members = members.iter().map(|member| ((*member).into(), String::new())).collect();
        let file = format!("core-{version}-py3-none-any.whl");
        Archive { file, members, metadata, ..Archive::default() }
    }

    /// What is more than a note, of a version after 1.0.0.
    #[track_caller]
    fn check(version: &str, old: &[&str], new: &[&str], expected: &[&str]) {
        let imports: Vec<(String, String)> = new
            .iter()
            .filter_map(|file| {
                Some((file.strip_prefix("import ")?.to_owned(), "x.py:1".to_owned()))
            })
            .collect();
        let details = Details { imports, ..Details::default() };
        let keep = |files: &[&str]| -> Archive {
            let files: Vec<&str> =
                files.iter().copied().filter(|file| !file.starts_with("import ")).collect();
            wheel(version, &files)
        };
        let (old, new) = (keep(old), keep(new));
        let before: Version = "1.0.0".parse().unwrap();
        let after: Version = version.parse().unwrap();
        let release =
            |version, wheel| Release { version, wheel, details: &details, wheels: vec![] };
        let found = differences("core", &release(&before, &old), &release(&after, &new));
        let found: Vec<String> = found
            .iter()
            .filter(|one| one.severity != Severity::Note)
            .map(|one| format!("{}: {}", one.severity.word(), one.message))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn files_that_came_in() {
        let runs = "error: `core-1.1.0-py3-none-any.whl` contains `x.pth`, which 1.0.0 did not: every Python of its users runs it at its start";
        check("1.1.0", &["a.py"], &["a.py", "x.pth"], &[runs]);
        check("1.1.0", &["x.pth"], &["x.pth", "a/x.pth"], &[]);
        let tests = "error: `core-2.0.0-py3-none-any.whl` installs `tests` beside every other package, which 1.0.0 did not";
        check("2.0.0", &["a.py"], &["tests/x.py", "a.py"], &[tests]);
        check("1.0.1", &["a.py"], &["a.py", "b.py", "a/tests/x.py"], &[]);
    }

    #[test]
    fn files_that_are_gone() {
        check("1.1.0", &["a/py.typed"], &[], &["warning: `a/py.typed` is gone"]);
        check("2.0.0", &["a/py.typed"], &[], &[]);
    }

    #[test]
    fn requirements_that_are_gone() {
        let old = ["Requires-Dist: rich>=1,<2", "Requires-Dist: yarl"];
        let kept = "warning: the requirement on `rich` has lost its upper bound (`>=1,<2` before)";
        check("1.1.0", &old, &["Requires-Dist: rich>=1", old[1]], &[kept]);
        check("1.1.0", &old, &["Requires-Dist: rich>=1.5,<3", old[1]], &[]);
        check("1.1.0", &old, &[old[0]], &[]);
        let used = "warning: no longer requires `yarl`, and still imports it (x.py:1)";
        check("1.1.0", &old, &[old[0], "import yarl.x"], &[used]);
        let all = ["warning: no longer requires `rich`", "warning: no longer requires `yarl`"];
        check("1.1.0", &old, &[], &all);
        let extra = ["Provides-Extra: all", "Requires-Dist: x; extra == 'all'"];
        check("1.1.0", &extra, &[], &["warning: the extra `all` is gone"]);
    }

    #[test]
    fn pythons_that_are_gone() {
        let old = ["Requires-Python: >=3.8"];
        let raised =
            "warning: `requires-python` is `>=3.10` instead of `>=3.8`: not for 3.8 by now";
        check("1.0.1", &old, &["Requires-Python: >=3.10"], &[raised]);
        check("1.1.0", &old, &["Requires-Python: >=3.10"], &[]);
        check("1.0.1", &old, &["Requires-Python: >=3.7"], &[]);
        check("2.0.0", &old, &[], &["warning: `requires-python` is gone (`>=3.8` before)"]);
        assert_eq!(oldest_python(&wheel("1", &old)).as_deref(), Some("3.8"));
        assert_eq!(oldest_python(&wheel("1", &["Requires-Python: <4"])), None);
    }

    #[test]
    fn wheels_that_are_gone() {
        let lost = |before: &[&'static str], after: &[&'static str]| {
            let (wheel, details) = (Archive::default(), Details::default());
            let (old, new) = ("1.0".parse().unwrap(), "1.1".parse().unwrap());
            let release = |version, files: &[&'static str]| Release {
                version,
                wheel: &wheel,
                details: &details,
                wheels: files.to_vec(),
            };
            let found = lost_wheels(&release(&old, before), &release(&new, after));
            found.map(|found| found.message)
        };
        let linux = "a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl";
        let windows = "a-1-cp312-cp312-win_amd64.whl";
        assert_eq!(
            lost(&[linux, windows], &[linux]).as_deref(),
            Some("1.1 has no wheel for `win amd64`, which 1.0 had")
        );
        assert_eq!(lost(&[linux], &["a-1-cp313-cp313-manylinux_2_28_x86_64.whl"]), None);
        assert_eq!(lost(&[linux, windows], &["a-1-py3-none-any.whl"]), None);
        assert!(lost(&["a-1-py3-none-any.whl"], &[linux]).is_some());
    }

    #[test]
    fn a_break_is_judged_by_the_version() {
        let breaks = [Break { name: "core.old".into(), why: "is missing".into() }];
        let judged = |before: &str, after: &str| {
            api("core", &before.parse().unwrap(), &after.parse().unwrap(), &breaks).unwrap()
        };
        let patch = judged("1.2.0", "1.2.1");
        assert_eq!(
            patch.message,
            "is a patch release after 1.2.0, and breaks its public API: `core.old` is missing"
        );
        assert!(patch.hint.unwrap().contains("bump core 2.0.0"));
        assert_eq!(judged("1.2.0", "1.3.0").severity, Severity::Warning);
        assert_eq!(judged("1.2.0", "2.0.0").severity, Severity::Note);
        assert_eq!(judged("0.2.0", "0.3.0").severity, Severity::Note);
        assert_eq!(judged("0.2.0", "0.2.1").severity, Severity::Warning);
    }

    #[test]
    fn a_module_that_moves_to_a_sibling() {
        let [old, new, theirs] =
            [&["a/x.py", "a/y.py"][..], &["a/y.py"], &["a/x.py"]].map(|files| wheel("1", files));
        let found = moved("core", "extra", &old, &new, &theirs).unwrap();
        assert!(found.message.starts_with("`a/x.py` moved from `core` to `extra`"));
        assert_eq!(moved("core", "extra", &old, &old, &theirs), None);
    }
}
