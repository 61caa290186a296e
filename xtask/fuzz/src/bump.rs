//! Documents and ranges of any shape: nothing panics, and what is planned holds.
//!
//! Run it with `xtask/fuzz/run SECONDS` (nightly).
#![no_main]

use domain::bump::{self, BumpFacts, BumpPlan, BumpRequest, History};
use domain::bump::range;
use domain::bump::step::{self, Change, Step};
use domain::config::RepositoryConfig;
use domain::ids::IdVec;
use domain::manifest::Manifest;
use domain::policy::{DependentsPolicy, RangePolicy};
use domain::source::{Files, SourceFile};
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};
use formats::pep440::Version;
use formats::pep440::specifier::{self, Dialect};
use formats::splice;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match first % 8 {
        0 => version_text(&text),
        1 => range_text(&text, Dialect::Pep440),
        2 => range_text(&text, Dialect::Poetry),
        3 => document("app/pyproject.toml", &text),
        4 => document("app/setup.py", &text),
        5 => document("app/setup.cfg", &text),
        6 => changelog(&text),
        _ => {
            formats::lockfile::members(&text).iter().for_each(|m| assert_eq!(&text[m.span.clone()], m.version));
            let _ = formats::conventional_commits::read(&text);
        }
    }
});

fn version_text(text: &str) {
    let Ok(version) = text.parse::<Version>() else { return };
    let again: Version = version.to_string().parse().unwrap();
    assert_eq!(version, again);
    for step in Step::ALL {
        if let Ok(next) = step::apply(&version, step) {
            assert!(next > version);
        }
    }
}

/// `SPECIFIER\nOLD\nNEW`.
fn range_text(text: &str, dialect: Dialect) {
    let mut lines = text.splitn(3, '\n');
    let specifier = lines.next().unwrap_or("");
    let old = lines.next().and_then(|line| line.parse::<Version>().ok());
    let new = lines.next().and_then(|line| line.parse::<Version>().ok());
    let new = new.unwrap_or_else(|| Version::new([2, 4, 0]));
    for ranges in RangePolicy::ALL {
        let Ok(outcome) = range::follow(specifier, dialect, old.as_ref(), &new, ranges) else { continue };
        let after = splice::apply(specifier, &outcome.replacements);
        let clauses = specifier::parse(&after, dialect).unwrap();
        // A floor above the new version belongs to another line of releases, and stays.
        let is_left = outcome.stale && outcome.replacements.is_empty();
        if ranges == RangePolicy::Align && !is_left {
            assert!(specifier::admits(&clauses, &new), "{after} refuses {new}");
        }
        let again = range::follow(&after, dialect, Some(&new), &new, ranges).unwrap();
        assert!(again.replacements.is_empty(), "{specifier} -> {after} -> {again:?}");
    }
}

/// A distribution of any contents beside one that is bumped.
fn document(path: &str, text: &str) {
    let other = "[project]\nname = \"core\"\nversion = \"2.3.0\"\n";
    let mut tree = vec![(path.to_owned(), text.to_owned()), ("core/pyproject.toml".to_owned(), other.to_owned())];
    let Some(plan) = plan(&tree, "2.4.0") else { return };
    for write in &plan.writes {
        let (_, text) = tree.iter_mut().find(|(path, _)| *path == write.path).unwrap();
        assert_eq!(*text, *write.before);
        text.clone_from(&write.after);
    }
    let untouched: usize = plan.writes.iter().map(|write| write.before.len()).sum::<usize>()
        - plan.edits.iter().map(|edit| edit.before.len()).sum::<usize>();
    let written: usize = plan.writes.iter().map(|write| write.after.len()).sum::<usize>()
        - plan.edits.iter().map(|edit| edit.after.len()).sum::<usize>();
    assert_eq!(untouched, written);
    assert!(read(&tree).is_some(), "what was written can no longer be read");
}

fn files<'a>(
    tree: &'a [(String, String)],
) -> (impl Fn(&str) -> Option<SourceFile> + 'a, impl Fn(&str) -> Vec<String> + 'a) {
    let read = |path: &str| {
        let (path, text) = tree.iter().find(|(known, _)| known == path)?;
        Some(SourceFile { path: path.as_str().into(), text: text.as_str().into() })
    };
    (read, |_: &str| tree.iter().map(|(path, _)| path.clone()).collect())
}

fn read(tree: &[(String, String)]) -> Option<Workspace> {
    let (read, list) = files(tree);
    let files = Files { read: &read, list: &list };
    let mut manifests = Vec::new();
    for (path, text) in tree {
        let manifest = if path.ends_with(".toml") {
            Manifest::read_with(&TomlFile::parse(path, text.as_str().into()).ok()?, files)
        } else {
            Manifest::from_setup("app", files)
        };
        manifests.extend(manifest.ok()?);
    }
    Workspace::assemble(RepositoryConfig::default(), manifests, Vec::new(), Judgement::Warn).ok()
}

fn plan(tree: &[(String, String)], to: &str) -> Option<BumpPlan> {
    let workspace = read(tree)?;
    let (read, list) = files(tree);
    let files = Files { read: &read, list: &list };
    let request = BumpRequest {
        targets: vec![workspace.resolve("core").ok()?],
        change: Change::To(to.parse().unwrap()), pre: None,
        ranges: RangePolicy::Align,
        dependents: DependentsPolicy::Patch,
        date: "2026-01-31".to_owned(),
    };
    let history = IdVec::like(&workspace.distributions, History::default);
    bump::plan(BumpFacts { workspace: &workspace, files, history: &history }, &request).ok()
}

fn changelog(text: &str) {
    let to = "1.3.0".parse().unwrap();
    let name = formats::name::Name::new("core").unwrap();
    let entry = formats::changelog::ChangelogEntry { section: formats::changelog::ChangelogSection::Fixed, text: "F.".into() };
    let release = formats::changelog::ChangelogRelease { name: &name, abandoned: None, to: &to, tag: "v2", date: "2026-01-31", entries: &[entry] };
    let Ok(written) = formats::changelog::release("CHANGELOG", text, &release) else { return };
    let edits = written.edits;
    let mut after = text.to_owned();
    let mut end = text.len();
    for edit in edits.iter().rev() {
        assert!(edit.span.end <= end, "edits overlap or are out of order");
        end = edit.span.start;
        after.replace_range(edit.span.clone(), &edit.text);
    }
}
