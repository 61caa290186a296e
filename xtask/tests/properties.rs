//! Documents that are put together at random, awkward in the ways that real ones are: a bump
//! changes nothing but what it plans, what it writes can be read, and doing it again changes
//! nothing.

use domain::bump::{Facts, History, Plan, Request};
use domain::config::RepositoryConfig;
use domain::manifest::Manifest;
use domain::place::{Files, SourceFile};
use domain::toml::TomlFile;
use domain::workspace::Workspace;
use formats::range::{self, Ranges};
use formats::specifier;
use formats::version::{Change, Step, Version};
use proptest::prelude::*;

type Tree = Vec<(String, String)>;

fn version() -> impl Strategy<Value = String> {
    let release = prop::collection::vec(0u64..12, 1..5);
    (
        release,
        prop::option::weighted(0.2, 0u64..3),
        prop::sample::select(vec!["", "", "", ".post1", "rc1", ".dev2", "-alpha.1"]),
    )
        .prop_map(|(release, epoch, suffix)| {
            let release: Vec<String> = release.iter().map(u64::to_string).collect();
            let epoch =
                epoch.filter(|epoch| *epoch > 0).map_or(String::new(), |epoch| format!("{epoch}!"));
            format!("{epoch}{}{suffix}", release.join("."))
        })
}

fn clause() -> impl Strategy<Value = String> {
    let operator =
        prop::sample::select(vec!["==", ">=", ">=", ">", "<", "<=", "~=", "!=", "===", "== "]);
    (operator, prop::sample::select(vec!["", "", " ", "  "]), version(), prop::bool::weighted(0.1))
        .prop_map(|(operator, blank, version, star)| match operator {
            "==" if star => {
                let release =
                    version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap();
                format!("=={blank}{}.*", release.trim_end_matches('.'))
            }
            "~=" => format!("~={blank}1.{version}"),
            operator => format!("{operator}{blank}{version}"),
        })
}

fn specifiers() -> impl Strategy<Value = String> {
    let separator = prop::sample::select(vec![",", ", ", " , "]);
    (prop::collection::vec(clause(), 0..4), separator)
        .prop_map(|(clauses, separator)| clauses.join(separator))
}

/// A requirement on `acme-core` in some spelling, or on something else.
fn requirement() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "acme-core",
        "Acme_Core",
        "acme.core",
        "ACME-core",
        "acme-core [x]",
        "acme-core[a, b]",
        "acme-core-extra",
        "core",
        "acme-app[all]",
    ]);
    let marker =
        prop::sample::select(vec!["", "", "", "; python_version < '3.9'", " ; extra == 'é'"]);
    (name, prop::sample::select(vec!["", " "]), specifiers(), marker)
        .prop_map(|(name, blank, specifiers, marker)| format!("{name}{blank}{specifiers}{marker}"))
}

/// An array with the layouts and comments that people give it.
fn array() -> impl Strategy<Value = String> {
    let item = (
        requirement(),
        any::<bool>(),
        prop::sample::select(vec![",", ", ", " ,\n  ", ", # why >=1.0\n  "]),
    );
    (prop::collection::vec(item, 0..5), any::<bool>()).prop_map(|(items, trailing)| {
        let mut text = "[".to_owned();
        let last = items.len().saturating_sub(1);
        for (index, (requirement, single, separator)) in items.iter().enumerate() {
            let quote = if *single && !requirement.contains('\'') { '\'' } else { '"' };
            text += &format!("{quote}{requirement}{quote}");
            if index < last || trailing {
                text += separator;
            }
        }
        text + "]"
    })
}

fn manifest() -> impl Strategy<Value = String> {
    (version(), array(), array(), array(), 0..8u8).prop_map(|(version, needs, extra, group, shape)| {
        let mut text = format!(
            "[project]\nname = 'Acme.App' # name\nversion = \"{version}\"\ndependencies = {needs}\n\n\
             [project.optional-dependencies]\n\"x-y\" = {extra}\n[dependency-groups]\ndev = {group}\n\
             [tool.decoy]\nversion = \"{version}\"\ndependencies = [\"acme-core==1.0\"]"
        );
        if shape & 1 != 0 {
            text.push('\n');
        }
        if shape & 2 != 0 {
            text = text.replace('\n', "\r\n");
        }
        if shape & 4 != 0 {
            text.insert(0, '\u{feff}');
        }
        text
    })
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
    Workspace::assemble_lenient(RepositoryConfig::default(), manifests, Vec::new())
}

fn plan(tree: &Tree, change: Change, ranges: Ranges) -> Option<Plan> {
    let workspace = workspace(tree);
    let request = Request {
        targets: vec![workspace.resolve("acme-core").unwrap()],
        change,
        ranges,
        cascade: true,
        date: "2026-01-31".to_owned(),
    };
    let history = vec![History::default(); workspace.distributions.len()];
    with_files(tree, |files| {
        Plan::new(Facts { workspace: &workspace, files, history: &history }, &request).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_but_what_is_planned(
        app in manifest(),
        old in version(),
        step in prop::sample::select(Step::ALL.map(|(_, step)| step).to_vec()),
        fit in any::<bool>(),
    ) {
        let core = format!("[project]\nname = \"acme-core\"\nversion = '{old}'\n");
        let mut tree = vec![("app/pyproject.toml".to_owned(), app), ("core/pyproject.toml".to_owned(), core)];
        let ranges = if fit { Ranges::Fit } else { Ranges::Align };
        let Some(plan) = plan(&tree, Change::Step(step), ranges) else { return Ok(()) };
        for (path, text) in &mut tree {
            // Made from the edits alone, from the end to the start.
            let mut expected = text.clone();
            for edit in plan.edits.iter().rev().filter(|edit| *edit.file == **path) {
                prop_assert_eq!(&expected[edit.span.clone()], edit.before.as_str());
                let line = 1 + text[..edit.span.start].matches('\n').count();
                prop_assert_eq!(line, edit.line);
                expected.replace_range(edit.span.clone(), &edit.after);
            }
            if let Some(write) = plan.writes.iter().find(|write| write.path == *path) {
                prop_assert_eq!(&*write.before, text.as_str());
                prop_assert_eq!(&write.after, &expected);
            }
            *text = expected;
        }
        let after = workspace(&tree);
        let core = after.resolve("acme-core").unwrap();
        prop_assert_eq!(after.distributions[core].version(), plan.bumps.iter().find(|b| b.package == "acme-core").map(|b| &b.to));
        let new = after.distributions[core].version().unwrap();
        let app = after.resolve("acme-app").unwrap();
        for (sibling, declared) in after.sibling_requirements(app) {
            prop_assert_eq!(sibling, core);
            let left = format!("`{}` excluded", declared.shown());
            if plan.notes.iter().any(|note| note.text.starts_with(&left) && note.text.ends_with("stays")) {
                continue;
            }
            let again = range::follow(declared.specifiers(), declared.dialect, Some(new), new, ranges);
            prop_assert_eq!(again.unwrap().replacements, vec![]);
        }
    }

    #[test]
    fn a_range_that_follows_admits_the_new_version(text in specifiers(), old in version(), new in version()) {
        let (old, new): (Version, Version) = (old.parse().unwrap(), new.parse().unwrap());
        let dialect = specifier::Dialect::Pep440;
        let Ok(outcome) = range::follow(&text, dialect, Some(&old), &new, Ranges::Align) else { return Ok(()) };
        let after = range::apply(&text, &outcome.replacements);
        let (before, now) = (specifier::parse(&text, dialect).unwrap(), specifier::parse(&after, dialect).unwrap());
        prop_assert!(specifier::admits(&now, &new));
        prop_assert_eq!(before.len(), now.len());
        // What is not a version or its operator stays byte for byte.
        let bare = |text: &str| text.chars().filter(|c| " ,".contains(*c)).collect::<String>();
        prop_assert_eq!(bare(&text), bare(&after));
    }
}
