//! Copies of a version: those in files that are the distribution's own follow; what only may be a
//! copy is reported.

use std::collections::HashSet;
use std::ops::Range;

use formats::name::normalize;
use formats::pep440::{Version, occurrences};
use formats::python::{self, Expr};
use formats::splice::Splice;

use crate::bump::listed_files::{ListedFile, listed};
use crate::bump::plan::{Additions, Bump, BumpFacts, BumpPlan};
use crate::manifest::version_source::{DeclaredVersion, toml_literal};
use crate::manifest::{Backend, evidence};
use crate::parallel;
use crate::source::{SourceFile, join};
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::{TomlFile, line_of};
use crate::workspace::Distribution;

/// The new version in the files that `version-files` names.
pub(crate) fn named(facts: BumpFacts<'_>, bumps: &[Bump]) -> Additions {
    let mut additions = Additions::default();
    for bump in bumps {
        let distribution = &facts.workspace.distributions[bump.id];
        let manifest = &distribution.manifest;
        let DeclaredVersion::Literal { text: old, .. } = &manifest.version else { continue };
        for path in &manifest.config.version_files {
            let Some(source) = facts.files.beside(&distribution.dir, path) else {
                let text = format!("cannot read `{path}` of `version-files`");
                additions.notes.push(bump.note(&manifest.path, 1, text));
                continue;
            };
            let found = copies_of(&source.text, old);
            if found.is_empty() {
                let text = format!("`version-files`: it does not contain {old}");
                additions.notes.push(bump.note(&source.path, 1, text));
            }
            additions.edits.extend(found.into_iter().map(|at| {
                let splice = Splice { span: at..at + old.len(), text: bump.to.to_string() };
                let file = source.path.clone();
                Edit::new(file, &source.text, splice, EditKind::Version, &bump.package)
            }));
        }
    }
    additions
}

/// Where a version is on a line with the word `version`, or, where no line has that, anywhere: the
/// same number may be another's version, too.
fn copies_of(text: &str, version: &str) -> Vec<usize> {
    let all = occurrences(text, version);
    let named = all
        .iter()
        .copied()
        .filter(|at| line_around(text, *at).to_ascii_lowercase().contains("version"));
    let named: Vec<usize> = named.collect();
    if named.is_empty() { all } else { named }
}

/// The edits of the copies in a distribution's own files that `plan` does not write yet, and notes
/// about what only may be one.
pub(crate) fn followed(facts: BumpFacts<'_>, plan: &BumpPlan) -> Additions {
    // Their files are most of what a large bump reads.
    let found = parallel::quick(&plan.bumps, |bump| copies(facts, bump));
    let mut additions = Additions::default();
    if found.iter().all(|found| found.edits.is_empty() && found.notes.is_empty()) {
        return additions;
    }
    let written: HashSet<(&str, usize)> =
        plan.edits.iter().map(|edit| (&*edit.file, edit.line)).collect();
    for Additions { edits, notes } in found {
        let edits = edits.into_iter();
        let new = edits.filter(|edit| !written.contains(&(&*edit.file, edit.line)));
        additions.edits.extend(new);
        additions.notes.extend(notes);
    }
    let edited: HashSet<(&str, usize)> =
        additions.edits.iter().map(|edit| (&*edit.file, edit.line)).collect();
    additions.notes.retain(|note| {
        let at = (&*note.file, note.line);
        !written.contains(&at) && !edited.contains(&at)
    });
    additions
}

/// A text in a file that is the old version.
struct Copy {
    source: SourceFile,
    span: Range<usize>,
    /// It is the distribution's own, beyond doubt.
    is_certain: bool,
}

fn copies(facts: BumpFacts<'_>, bump: &Bump) -> Additions {
    let mut additions = Additions::default();
    let Some(from) = &bump.from else { return additions };
    let distribution = &facts.workspace.distributions[bump.id];
    let manifest = (facts.files.read)(&distribution.manifest.path);
    let manifest = manifest.filter(|source| source.path.ends_with(".toml"));
    let mut copies = Vec::new();
    if let Some(source) = manifest.filter(|source| source.text.contains("[tool."))
        && let Ok(file) = TomlFile::parse(&source.path, source.text.clone())
    {
        copies.extend(manifest_copies(&file, &source, from));
    }
    let paths = (facts.files.list)(&distribution.dir);
    for listed in listed(&distribution.dir, &paths, facts.files) {
        match listed_copies(facts, bump, &paths, &listed) {
            Ok(found) => copies.extend(found),
            Err(reason) => {
                additions.notes.push(bump.note(&listed.config, listed.line, reason));
            }
        }
    }
    copies.extend(python_copies(facts, &distribution.dir, &paths, from));
    copies.extend(readme_copies(facts, distribution, &paths, from));
    let own = distribution.manifest.version.location();
    for Copy { source, span, is_certain } in copies {
        let line = line_of(&source.text, span.start);
        if (&*source.path, line) == own {
            continue;
        }
        if is_certain {
            let splice = Splice { span, text: bump.to.to_string() };
            let file = source.path.clone();
            let edit = Edit::new(file, &source.text, splice, EditKind::Version, &bump.package);
            additions.edits.push(edit);
        } else {
            let text = format!(
                "another copy of {from}: name it in `version-files` of [tool.xtask] to have it written"
            );
            additions.notes.push(bump.note(&source.path, line, text));
        }
    }
    additions
}

/// Modules that hold a second copy of the version in real repositories, next to `*version*.py`.
const MODULES: [&str; 3] = ["__init__.py", "__about__.py", "conf.py"];

/// Names that such a copy is assigned to.
const ATTRIBUTES: [&str; 5] = ["__version__", "VERSION", "version", "release", "__VERSION__"];

/// Folders of other people's code.
const VENDORED: [&str; 6] = ["vendor", "_vendor", "vendored", "third_party", "extern", "external"];

fn python_copies(facts: BumpFacts<'_>, dir: &str, paths: &[String], from: &Version) -> Vec<Copy> {
    let below = |path: &str| path.strip_prefix(dir).unwrap_or(path).trim_start_matches('/').len();
    let relative = |path: &String| path[path.len() - below(path)..].to_owned();
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let is_foreign = |relative: &str| {
        let folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        evidence::example_folder(folder).is_some()
            || folder.split('/').any(|part| VENDORED.contains(&part))
    };
    // The packages at the top; a copy further down may be somebody else's version.
    let own = paths.iter().map(relative).filter(|relative| !is_foreign(relative));
    let packages = own.filter(|relative| name(relative) == "__init__.py");
    let top = packages.map(|relative| relative.matches('/').count()).min().unwrap_or(0);
    let mut found = Vec::new();
    for path in paths {
        let name = name(path);
        let may_be =
            name.ends_with(".py") && (name.contains("version") || MODULES.contains(&name.as_str()));
        let Some(source) = may_be.then(|| (facts.files.read)(path)).flatten() else { continue };
        let relative = relative(path);
        let is_at_top = relative.matches('/').count() <= top && !is_foreign(&relative);
        found.extend(module_copies(&source, from).into_iter().map(|(attribute, span)| {
            let is_certain = match name.as_str() {
                "conf.py" => relative.starts_with("doc"),
                "__init__.py" => is_at_top && attribute.starts_with("__"),
                "version.py" | "_version.py" | "__version__.py" | "__about__.py" => is_at_top,
                _ => false,
            };
            Copy { source: source.clone(), span, is_certain }
        }));
    }
    found
}

/// The names that are assigned the version, and its bytes.
fn module_copies(source: &SourceFile, from: &Version) -> Vec<(String, Range<usize>)> {
    // Reading Python costs more than looking whether there is anything to find.
    if !["version", "VERSION", "release"].iter().any(|word| source.text.contains(word)) {
        return Vec::new();
    }
    let copies = python::read(&source.text).assignments.into_iter().filter_map(|assignment| {
        let Expr::Text(text) = assignment.value else { return None };
        let named = ATTRIBUTES.contains(&assignment.name.as_str()) && assignment.top_level;
        let same = text.raw.parse::<Version>().is_ok_and(|version| version == *from);
        (named && same).then_some((assignment.name, text.span))
    });
    copies.collect()
}

/// Tools that keep their own copy of the version in pyproject.toml.
pub(crate) const COPYING_TOOLS: [&str; 5] = [
    "tool.poetry.version",
    "tool.commitizen.version",
    "tool.bumpversion.current_version",
    "tool.bumpver.current_version",
    "tool.tbump.version.current",
];

fn manifest_copies(file: &TomlFile, source: &SourceFile, from: &Version) -> Vec<Copy> {
    // Beside another back end, Poetry's table was left behind.
    let is_poetry = Backend::declared(file).may_be(Backend::Poetry);
    let keys = COPYING_TOOLS.iter().filter(|key| is_poetry || !key.contains("poetry"));
    let copies = keys.filter_map(|key| match toml_literal(file, file.get(key)?) {
        DeclaredVersion::Literal { version, span, .. } if version == *from => {
            Some(Copy { source: source.clone(), span, is_certain: true })
        }
        _ => None,
    });
    copies.collect()
}

/// The copies in a listed file, which has to be the distribution's own. Errors: a sentence.
fn listed_copies(
    facts: BumpFacts<'_>,
    bump: &Bump,
    paths: &[String],
    listed: &ListedFile,
) -> Result<Vec<Copy>, String> {
    let distribution = &facts.workspace.distributions[bump.id];
    let path = &listed.path;
    if let Some(reason) = &listed.unread {
        return Err(reason.clone());
    }
    let pattern = listed.pattern.as_deref().map(regex_lite::Regex::new).transpose();
    let pattern = pattern.map_err(|error| format!("the pattern of `{path}`: {error}"))?;
    let full = join(&distribution.dir, path);
    let named = match full.as_deref().and_then(|full| glob::Pattern::new(full).ok()) {
        Some(glob) if path.contains('*') => {
            paths.iter().filter(|path| glob.matches(path)).cloned().collect()
        }
        _ => Vec::from_iter(full),
    };
    let own: Vec<String> =
        named.into_iter().filter(|full| facts.workspace.owner(full) == Some(bump.id)).collect();
    if own.is_empty() {
        let package = &bump.package;
        return Err(format!(
            "`{path}` is not in the folder of `{package}`, so the version in it stays"
        ));
    }
    let old = old_texts(distribution, bump.from.as_ref());
    let mut copies = Vec::new();
    for full in own {
        let source = (facts.files.read)(&full)
            .ok_or_else(|| format!("cannot read `{path}`, so the version in it stays"))?;
        for old in &old {
            let places = match &pattern {
                Some(pattern) => occurrences(&source.text, old)
                    .into_iter()
                    .filter(|at| pattern.is_match(line_around(&source.text, *at)))
                    .collect(),
                None => copies_of(&source.text, old),
            };
            copies.extend(places.into_iter().map(|at| Copy {
                source: source.clone(),
                span: at..at + old.len(),
                is_certain: true,
            }));
        }
    }
    let lacks = copies.is_empty() && !listed.is_config();
    if lacks {
        Err(format!("`{path}` does not contain {}, so it stays", old[0]))
    } else {
        Ok(copies)
    }
}

/// The old version as it is written, and in its canonical form.
fn old_texts(distribution: &Distribution, from: Option<&Version>) -> Vec<String> {
    let mut texts: Vec<String> = from.map(ToString::to_string).into_iter().collect();
    if let DeclaredVersion::Literal { text, .. } = &distribution.manifest.version
        && !texts.contains(text)
    {
        texts.push(text.clone());
    }
    texts
}

/// `pip install NAME==1.2.0`, `uvx NAME@1.2.0` and image tags `NAME:1.2.0` of the distribution's own
/// name, in its README and in that of the repository.
fn readme_copies(
    facts: BumpFacts<'_>,
    distribution: &Distribution,
    paths: &[String],
    from: &Version,
) -> Vec<Copy> {
    let is_readme = |path: &&String| {
        let relative = path.strip_prefix(&distribution.dir).unwrap_or(path);
        let relative = relative.trim_start_matches('/').to_ascii_lowercase();
        ["readme", "readme.md", "readme.rst", "readme.txt"].contains(&relative.as_str())
    };
    let mut readmes: Vec<&str> = paths.iter().filter(is_readme).map(String::as_str).collect();
    if !distribution.dir.is_empty() {
        readmes.extend(["README.md", "README.rst"]);
    }
    let old = old_texts(distribution, Some(from));
    let mut found = Vec::new();
    for source in readmes.into_iter().filter_map(|path| (facts.files.read)(path)) {
        for old in &old {
            let named = occurrences(&source.text, old).into_iter().filter(|&at| {
                let name = name_before(&source.text[..at]);
                name.is_some_and(|name| normalize(name) == distribution.name().normal())
            });
            found.extend(named.map(|at| {
                let span = at..at + old.len();
                Copy { source: source.clone(), span, is_certain: true }
            }));
        }
    }
    found
}

/// The name that a text ends with, before an operator that selects one version and after what an extra
/// adds; `>=` may tell what something needs.
fn name_before(whole: &str) -> Option<&str> {
    let operators = ["===", "==", "~=", ":", "@"];
    let unspaced = whole.trim_end_matches(' ');
    let (operator, text) =
        operators.iter().find_map(|operator| Some((operator, unspaced.strip_suffix(operator)?)))?;
    // After a blank, `:` ends a sentence's part and `@` begins an address.
    if operator.len() == 1 && (text.ends_with(' ') || unspaced.len() < whole.len()) {
        return None;
    }
    let text = text.trim_end_matches(' ');
    let text = match text.strip_suffix(']') {
        Some(inside) => &inside[..inside.rfind('[')?],
        None => text,
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let start = text
        .rfind(|c: char| !is_part(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    (start < text.len()).then(|| &text[start..])
}

/// The line that a byte is on.
fn line_around(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[start..].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_a_version() {
        assert_eq!(name_before("pip install acme-core=="), Some("acme-core"));
        assert_eq!(name_before("'Acme.Core[x,y] =="), Some("Acme.Core"));
        assert_eq!(name_before("ghcr.io/x/acme-core:"), Some("acme-core"));
        assert_eq!(name_before("pip install acme-core[x]~="), Some("acme-core"));
        assert_eq!(name_before("pip install acme-core == "), Some("acme-core"));
        assert_eq!(name_before("uvx acme-core@"), Some("acme-core"));
        assert_eq!(name_before("new in acme-core: "), None);
        assert_eq!(name_before("acme-core>="), None);
        assert_eq!(name_before("=="), None);
    }
}
