//! Documents that are put together at random, awkward in the ways that real ones are: a bump
//! changes nothing but what it plans, what it writes can be read, and doing it again changes
//! nothing.

use std::hash::{BuildHasher, RandomState};

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use domain::bump::step::{Change, Step};
use domain::bump::{self, BumpFacts, BumpPlan, BumpRequest, History, range};
use domain::config::RepositoryConfig;
use domain::ids::IdVec;
use domain::manifest::Manifest;
use domain::policy::{DependentsPolicy, RangePolicy};
use domain::source::{Files, SourceFile};
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};
use formats::pep440::{Version, specifier};
use formats::splice;

type Tree = Vec<(String, String)>;

/// Tries a property 2,000 times, on other documents in every run and on small ones first. The seed of
/// one that fails is printed.
fn holds(mut property: impl FnMut(&mut Unstructured<'_>) -> Result<()>) {
    let random = RandomState::new();
    for number in 0..2_000 {
        // The lower half of a seed is how many bytes there are to choose by; the largest document
        // takes a thousand.
        let seed = random.hash_one(number) << 32 | (32 + number / 2);
        arbtest(&mut property).seed(seed).run();
    }
}

fn one_of<'a>(any: &mut Unstructured<'_>, of: &[&'a str]) -> Result<&'a str> {
    any.choose(of).copied()
}

fn several<T>(
    any: &mut Unstructured<'_>,
    most: usize,
    mut one: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = any.int_in_range(0..=most)?;
    (0..count).map(|_| one(any)).collect()
}

fn version(any: &mut Unstructured<'_>) -> Result<String> {
    let mut release = vec![any.int_in_range(0..=11)?.to_string()];
    release.extend(several(any, 3, |any| Ok(any.int_in_range(0..=11)?.to_string()))?);
    let epoch = one_of(any, &["", "", "", "", "", "", "1!", "2!"])?;
    let suffix = one_of(any, &["", "", "", ".post1", "rc1", ".dev2", "-alpha.1"])?;
    Ok(format!("{epoch}{}{suffix}", release.join(".")))
}

fn clause(any: &mut Unstructured<'_>) -> Result<String> {
    let operator = one_of(any, &["==", ">=", ">=", ">", "<", "<=", "~=", "!=", "===", "== "])?;
    let blank = one_of(any, &["", "", " ", "  "])?;
    let version = version(any)?;
    Ok(match operator {
        "==" if any.ratio(1, 10)? => {
            let release = version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap();
            format!("=={blank}{}.*", release.trim_end_matches('.'))
        }
        "~=" => format!("~={blank}1.{version}"),
        operator => format!("{operator}{blank}{version}"),
    })
}

fn specifiers(any: &mut Unstructured<'_>) -> Result<String> {
    let clauses = several(any, 3, clause)?;
    Ok(clauses.join(one_of(any, &[",", ", ", " , "])?))
}

/// A requirement on `acme-core` in some spelling, or on something else.
fn requirement(any: &mut Unstructured<'_>) -> Result<String> {
    let names = [
        "acme-core",
        "Acme_Core",
        "acme.core",
        "ACME-core",
        "acme-core [x]",
        "acme-core[a, b]",
        "acme-core-extra",
        "core",
        "acme-app[all]",
    ];
    let name = one_of(any, &names)?;
    let blank = one_of(any, &["", " "])?;
    let specifiers = specifiers(any)?;
    let markers = ["", "", "", "; python_version < '3.9'", " ; extra == 'é'"];
    Ok(format!("{name}{blank}{specifiers}{}", one_of(any, &markers)?))
}

/// An array with the layouts and comments that people write.
fn array(any: &mut Unstructured<'_>) -> Result<String> {
    let requirements = several(any, 4, requirement)?;
    let trailing: bool = any.arbitrary()?;
    let mut text = "[".to_owned();
    for (index, requirement) in requirements.iter().enumerate() {
        let single = any.arbitrary()? && !requirement.contains('\'');
        let quote = if single { '\'' } else { '"' };
        text += &format!("{quote}{requirement}{quote}");
        if index + 1 < requirements.len() || trailing {
            text += one_of(any, &[",", ", ", " ,\n  ", ", # why >=1.0\n  "])?;
        }
    }
    Ok(text + "]")
}

fn manifest(any: &mut Unstructured<'_>) -> Result<String> {
    let version = version(any)?;
    let needs = array(any)?;
    let extra = array(any)?;
    let group = array(any)?;
    let mut text = format!(
        "[project]\nname = 'Acme.App' # name\nversion = \"{version}\"\ndependencies = {needs}\n\n\
         [project.optional-dependencies]\n\"x-y\" = {extra}\n[dependency-groups]\ndev = {group}\n\
         [tool.decoy]\nversion = \"{version}\"\ndependencies = [\"acme-core==1.0\"]"
    );
    if any.arbitrary()? {
        text.push('\n');
    }
    if any.arbitrary()? {
        text = text.replace('\n', "\r\n");
    }
    if any.arbitrary()? {
        text.insert(0, '\u{feff}');
    }
    Ok(text)
}

fn ranges(any: &mut Unstructured<'_>) -> Result<RangePolicy> {
    Ok(*any.choose(&RangePolicy::ALL)?)
}

fn with_files<T>(tree: &Tree, then: impl FnOnce(Files<'_>) -> T) -> T {
    let read = |path: &str| {
        let (path, text) = tree.iter().find(|(known, _)| known == path)?;
        Some(SourceFile { path: path.as_str().into(), text: text.as_str().into() })
    };
    let list = |_: &str| tree.iter().map(|(path, _)| path.clone()).collect();
    then(Files { read: &read, list: &list })
}

fn workspace(tree: &Tree) -> Workspace {
    let manifests = with_files(tree, |files| {
        let parse =
            |(path, text): &(String, String)| TomlFile::parse(path, text.as_str().into()).unwrap();
        let read = |file: TomlFile| {
            Manifest::read_with(&file, files).unwrap_or_else(|e| panic!("{}", e[0])).unwrap()
        };
        tree.iter().map(parse).map(read).collect()
    });
    Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new(), Judgement::Warn)
        .unwrap()
}

fn plan(tree: &Tree, change: Change, ranges: RangePolicy) -> Option<BumpPlan> {
    let workspace = workspace(tree);
    let request = BumpRequest {
        targets: vec![workspace.resolve("acme-core").unwrap()],
        change,
        pre: None,
        ranges,
        dependents: DependentsPolicy::Patch,
        date: "2026-01-31".to_owned(),
    };
    let history = IdVec::like(&workspace.distributions, History::default);
    with_files(tree, |files| {
        bump::plan(BumpFacts { workspace: &workspace, files, history: &history }, &request).ok()
    })
}

#[test]
fn nothing_changes_but_what_is_planned() {
    holds(|any| {
        let app = manifest(any)?;
        let old = version(any)?;
        let step = *any.choose(&Step::ALL)?;
        let ranges = ranges(any)?;
        let core = format!("[project]\nname = \"acme-core\"\nversion = '{old}'\n");
        let files = [("app/pyproject.toml", app), ("core/pyproject.toml", core)];
        let mut tree = files.map(|(path, text)| (path.to_owned(), text)).to_vec();
        let Some(plan) = plan(&tree, Change::Step(step), ranges) else { return Ok(()) };
        write(&plan, &mut tree);
        admits_what_it_gets(&plan, &tree, ranges);
        Ok(())
    });
}

/// Makes the edits of a plan alone, from the end to the start, and holds its writes against that.
fn write(plan: &BumpPlan, tree: &mut Tree) {
    for (path, text) in tree {
        let mut expected = text.clone();
        for edit in plan.edits.iter().rev().filter(|edit| *edit.file == **path) {
            assert_eq!(&expected[edit.span.clone()], edit.before.as_str());
            let line = 1 + text[..edit.span.start].matches('\n').count();
            assert_eq!(line, edit.line);
            expected.replace_range(edit.span.clone(), &edit.after);
        }
        if let Some(write) = plan.writes.iter().find(|write| write.path == *path) {
            assert_eq!(&*write.before, text.as_str());
            assert_eq!(write.after, expected);
        }
        *text = expected;
    }
}

/// What was written can be read, has the version that was planned, and no range moves again.
fn admits_what_it_gets(plan: &BumpPlan, tree: &Tree, ranges: RangePolicy) {
    let after = workspace(tree);
    let core = after.resolve("acme-core").unwrap();
    let bump = plan.bumps.iter().find(|bump| bump.package == "acme-core");
    let new = after.distributions[core].version().unwrap();
    assert_eq!(Some(new), bump.map(|bump| &bump.to));
    let app = after.resolve("acme-app").unwrap();
    for (sibling, declared) in after.sibling_requirements(app) {
        assert_eq!(sibling, core);
        let left = format!("`{}` already excluded", declared.shown());
        let stays = |text: &str| text.starts_with(&left) && text.ends_with("stays");
        if plan.notes.iter().any(|note| stays(&note.text)) {
            continue;
        }
        let specifiers = declared.specifiers();
        let dialect = declared.dialect;
        let again = range::follow(specifiers, dialect, Some(new), new, ranges);
        assert_eq!(again.unwrap().replacements, vec![]);
    }
}

#[test]
fn a_range_that_follows_admits_the_new_version() {
    holds(|any| {
        let text = specifiers(any)?;
        let (old, new): (Version, Version) =
            (version(any)?.parse().unwrap(), version(any)?.parse().unwrap());
        let dialect = specifier::Dialect::Pep440;
        let followed = range::follow(&text, dialect, Some(&old), &new, RangePolicy::Align);
        let Ok(outcome) = followed else { return Ok(()) };
        let after = splice::apply(&text, &outcome.replacements);
        let before = specifier::parse(&text, dialect).unwrap();
        let now = specifier::parse(&after, dialect).unwrap();
        // A floor above the new version belongs to another line of releases, and stays.
        let is_left = outcome.stale && outcome.replacements.is_empty();
        assert!(is_left || specifier::admits(&now, &new));
        assert_eq!(before.len(), now.len());
        // What is not a version or its operator stays byte for byte.
        let bare = |text: &str| text.chars().filter(|c| " ,".contains(*c)).collect::<String>();
        assert_eq!(bare(&text), bare(&after));
        Ok(())
    });
}
