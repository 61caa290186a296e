//! Which projects are excluded although nobody says so: examples, templates, tests and tools that
//! no tag and no released sibling shows to be released.
//!
//! Must not know git, nor where manifests are looked for.

use std::collections::HashSet;

use formats::name::normalize;
use formats::pep440::Version;

use crate::manifest::Manifest;

/// Words that name a folder of examples, also as a part of its name: `example-x`.
const EXAMPLE_WORDS: [&str; 8] =
    ["example", "examples", "sample", "samples", "fixture", "fixtures", "testdata", "cookiecutter"];

/// Names of folders whose projects are not released, as a rule.
const OTHER_FOLDERS: [&str; 14] = [
    "test",
    "tests",
    "testing",
    "test-data",
    "template",
    "templates",
    "demo",
    "demos",
    "tutorial",
    "tutorials",
    "tool",
    "tools",
    "benchmark",
    "benchmarks",
];

/// The folder that shows a path to be that of an example, a template, a test or a tool.
pub fn example_folder(dir: &str) -> Option<&str> {
    dir.split('/').find(|folder| is_example(folder) || is_other(folder))
}

fn is_example(folder: &str) -> bool {
    let lower = folder.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    folder.contains("{{") || words.any(|word| EXAMPLE_WORDS.contains(&word))
}

fn is_other(folder: &str) -> bool {
    let normal = normalize(folder);
    let name = normal.trim_matches('-');
    OTHER_FOLDERS.contains(&name) || name.split('-').any(|word| word == "tests")
}

/// Excludes the manifests that evidence is against; `tags` are those of the repository.
pub fn exclude(manifests: &mut [Manifest], tags: &[&str]) {
    let reasons: Vec<Option<String>> =
        manifests.iter().map(|manifest| reason(manifest, manifests)).collect();
    let mut released: HashSet<String> = tags.iter().filter_map(|tag| tagged_name(tag)).collect();
    let undoubted = || manifests.iter().zip(&reasons).filter(|(_, reason)| reason.is_none());
    for (manifest, _) in undoubted() {
        let published = manifest.requirements.iter().filter(|declared| declared.is_published());
        released.extend(published.map(|declared| declared.requirement.name.normal().to_owned()));
    }
    // A tag or a requirement that names such a manifest speaks for no other one of its name.
    for (manifest, _) in undoubted() {
        released.remove(manifest.name.normal());
    }
    for (manifest, reason) in manifests.iter_mut().zip(reasons) {
        if reason.is_some() && !is_released(manifest, &released) {
            manifest.excluded = reason;
        }
    }
}

fn reason(manifest: &Manifest, all: &[Manifest]) -> Option<String> {
    if let Some(known) = &manifest.excluded {
        return Some(known.clone());
    }
    let dir = manifest.dir();
    if dir.is_empty() && manifest.config.private != Some(false) && needs_by_path(manifest, all) {
        return Some("it requires siblings by their paths and was never released".to_owned());
    }
    let (above, own) = dir.rsplit_once('/').unwrap_or(("", dir));
    let folder = example_folder(above).or_else(|| {
        // A folder of this name among those of packages is a package like them.
        let is_package = |other: &Manifest| {
            let (parent, folder) = other.dir().rsplit_once('/').unwrap_or(("", other.dir()));
            parent == above && !above.is_empty() && !is_example(folder) && !is_other(folder)
        };
        let is_whole = is_other(own) || EXAMPLE_WORDS.contains(&own);
        let is_candidate = is_example(own) || is_other(own);
        (is_candidate && !(is_whole && all.iter().any(is_package))).then_some(own)
    })?;
    (manifest.config.private != Some(false))
        .then(|| format!("it is in a folder called `{folder}` and was never released"))
}

/// Whether it publishes a requirement on a sibling by its path or address, which an index rejects:
/// the root of a repository collects what is developed in it.
fn needs_by_path(manifest: &Manifest, all: &[Manifest]) -> bool {
    manifest.requirements.iter().any(|declared| {
        declared.is_published()
            && declared.requirement.url.is_some()
            && all.iter().any(|other| other.name == declared.requirement.name)
    })
}

/// Whether a tag or a released sibling names it. A private one stays excluded.
fn is_released(manifest: &Manifest, released: &HashSet<String>) -> bool {
    !manifest.is_private && released.contains(manifest.name.normal())
}

/// The name in a tag such as `NAME-v1.0`, `NAME@1.0` or `python/NAME/1.0`, normalized.
fn tagged_name(tag: &str) -> Option<String> {
    let mut starts = tag.char_indices().map(|(at, _)| at);
    let start = starts.find(|&at| {
        let (before, version) = tag.split_at(at);
        before.ends_with(|c: char| !c.is_ascii_alphanumeric())
            && version.trim_start_matches(['v', 'V']).parse::<Version>().is_ok()
    })?;
    let before = &tag[..start];
    let name = before.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    Some(normalize(name.rsplit('/').next().unwrap_or(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::toml::TomlFile;

    fn manifest(line: &str) -> Manifest {
        let (dir, rest) = line.split_once(": ").unwrap();
        let (name, needs) = rest.split_once(" needs ").unwrap_or((rest, ""));
        let needs = if needs.is_empty() { String::new() } else { format!("{needs:?}") };
        let text =
            format!("[project]\nname = {name:?}\nversion = \"1\"\ndependencies = [{needs}]\n");
        let file =
            TomlFile::parse(format!("{dir}/pyproject.toml").trim_start_matches("./"), text.into())
                .unwrap();
        Manifest::read(&file).unwrap().unwrap()
    }

    #[track_caller]
    fn check(lines: &[&str], tags: &[&str], left: &[&str]) {
        let mut manifests: Vec<Manifest> = lines.iter().map(|line| manifest(line)).collect();
        exclude(&mut manifests, tags);
        let included = manifests.iter().filter(|manifest| manifest.excluded.is_none());
        assert_eq!(included.map(|manifest| manifest.name.as_str()).collect::<Vec<_>>(), left);
    }

    #[test]
    fn folders_of_examples() {
        check(&["examples/a: demo", "examples/b: demo", "core: core"], &[], &["core"]);
        check(&["cli/uv-examples/app: agent", "core: core"], &[], &["core"]);
        check(&["example-x: x", "a/{{cookiecutter.name}}: y", "tests: t"], &[], &[]);
        let packages = ["packages/test: a-test", "packages/templates: a-t", "packages/core: core"];
        check(&packages, &[], &["a-test", "a-t", "core"]);
        check(&["latest/a: a", "contest/b: b", "pytest-x: c"], &[], &["a", "b", "c"]);
    }

    #[test]
    fn a_root_that_collects_siblings_by_their_paths() {
        let lines =
            [".: all needs core @ file:core", "core: core", "app: app needs core @ file:core"];
        check(&lines, &[], &["core", "app"]);
        check(&lines, &["all-v1.0"], &["all", "core", "app"]);
        check(&[".: all needs other @ file:core", "core: core"], &[], &["all", "core"]);
    }

    #[test]
    fn what_is_released_is_not_an_example() {
        let lines = ["core: core", "tests/utils: core-utils", "tests/app: app needs core"];
        check(&lines, &["core-v1.0"], &["core"]);
        for tag in
            ["core-utils-v1.0", "core_utils@1.0rc1", "py/core.utils/v2", "tests/core-utils-1.0"]
        {
            check(&lines, &[tag], &["core", "core-utils"]);
        }
        let lines = ["core: core needs core-utils>=1", "tests/utils: core-utils"];
        check(&lines, &[], &["core", "core-utils"]);
        // The tag and the requirement are those of the real one.
        let lines = ["core: core", "app: app needs core>=1", "app/tests/fixture: core"];
        check(&lines, &["core-v1.0"], &["core", "app"]);
    }
}
