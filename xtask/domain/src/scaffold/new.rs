//! A new distribution as files to write: its module, its tag, its requirements on siblings, and its
//! directory in the repository. Must not know a template by name.

use std::collections::BTreeSet;

use formats::name::{Name, normalize};
use formats::pep440::compatible_range;

use crate::config::RepositoryConfig;
use crate::finding::{Finding, Refusal, Rule};
use crate::ids::DistributionId;
use crate::release::content::modules::Modules;
use crate::scaffold::shared::SharedFields;
use crate::scaffold::template::{Filler, Template};
use crate::text::edit::{Edit, splice};
use crate::text::insert;
use crate::text::toml::TomlFile;
use crate::workspace::{Distribution, Workspace};

/// The request.
pub struct NewRequest<'a> {
    pub name: &'a Name,
    pub template: &'a Template,
    /// The siblings that it needs; `None` leaves them to the template.
    pub needs: Option<Vec<DistributionId>>,
}

/// The facts of the repository.
pub struct NewFacts<'a> {
    pub workspace: &'a Workspace,
    /// The modules of every distribution, in the order of the workspace.
    pub modules: &'a [Modules],
    pub shared: &'a SharedFields,
    /// The text of the repository's Cargo.toml, where there is one.
    pub cargo: Option<&'a TomlFile>,
}

/// Everything that has to be written.
#[derive(Debug)]
pub struct NewPlan {
    /// The new directory, relative to the root.
    pub dir: String,
    /// The module that users import; `None` for a template without one.
    pub module: Option<String>,
    /// Paths relative to `dir`, with their texts.
    pub files: Vec<(String, String)>,
    /// In the repository's Cargo.toml, where `packages` lists directories one by one.
    pub edits: Vec<Edit>,
    pub tag: String,
}

/// Plans a new distribution.
///
/// # Errors
/// Its name or its directory is taken, or the template has a placeholder that does not exist.
pub fn plan(request: &NewRequest, facts: &NewFacts) -> Result<NewPlan, Refusal> {
    let name = request.name;
    if let Some(bearer) = facts.workspace.find(name) {
        let path = &facts.workspace.distributions[bearer].manifest.path;
        let message = format!("{name} is already the name of a distribution here");
        return Err(Finding::error(Rule::Name, message)
            .at(path, 1)
            .hint("choose another name")
            .into());
    }
    let module = module_of(name, &namespaces(facts));
    let tag = tag_of(name, facts.workspace);
    let (dir, edits) = place_of(name, facts)?;
    let needs = needs(request, facts.workspace)?;
    let filler = Filler { name, module: &module, tag: &tag, needs: &needs };
    let mut files = filler.files(request.template)?;
    add_shared(&mut files, &dir, name, facts.shared)?;
    let has_module = files.iter().any(|(path, _)| path.ends_with("/__init__.py"));
    Ok(NewPlan { dir, module: has_module.then_some(module), files, edits, tag })
}

/// Namespaces (PEP 420) that a distribution of the repository is both in and named after.
fn namespaces(facts: &NewFacts) -> Vec<String> {
    let distributions = facts.workspace.distributions.iter().zip(facts.modules);
    let mut found: Vec<String> = distributions
        .flat_map(|(distribution, modules)| {
            let name = distribution.name().normal();
            let own = modules.namespaces().into_iter().filter(move |folder| {
                name.strip_prefix(&normalize(&folder.replace('/', "-")))
                    .is_some_and(|rest| rest.starts_with('-'))
            });
            own.map(|folder| folder.replace('/', "."))
        })
        .collect();
    found.sort_by_key(|namespace| std::cmp::Reverse(namespace.len()));
    found.dedup();
    found
}

/// The module that goes with a name: `a-b-c` is `a.b_c` in a repository of the namespace `a`,
/// else `a_b_c`. The longest namespace comes first.
fn module_of(name: &Name, namespaces: &[String]) -> String {
    let joined = namespaces.iter().find_map(|namespace| {
        let prefix = normalize(namespace);
        let rest = name.normal().strip_prefix(&prefix)?.strip_prefix('-')?;
        Some(format!("{namespace}.{}", rest.replace('-', "_")))
    });
    joined.unwrap_or_else(|| name.in_file_name())
}

/// The tag pattern: the one that is in use in its family and is free, else the default.
fn tag_of(name: &Name, workspace: &Workspace) -> String {
    let taken: Vec<&str> =
        workspace.distributions.iter().filter_map(|d| d.manifest.config.tag.as_deref()).collect();
    let mut family = workspace.distributions.iter().filter_map(|d| family_tag(name, d));
    let free = family.find(|tag| !taken.contains(&tag.as_str()));
    free.unwrap_or_else(|| format!("{}-v{{version}}", name.normal()))
}

/// The tag pattern that a sibling of the same family uses: for `family-http`, it is
/// `http-v{version}` where `family-core` has `core-v{version}`.
fn family_tag(name: &Name, sibling: &Distribution) -> Option<String> {
    let (family, last) = sibling.name().normal().split_once('-')?;
    let own = name.normal().strip_prefix(family)?.strip_prefix('-')?;
    let suffix = sibling.manifest.config.tag.as_deref()?.strip_prefix(last)?;
    Some(format!("{own}{suffix}"))
}

/// Its directory: beside the others, as `packages` says or where most of them are.
fn place_of(name: &Name, facts: &NewFacts) -> Result<(String, Vec<Edit>), Refusal> {
    let config: &RepositoryConfig = &facts.workspace.config;
    let patterns = config.packages.as_deref().unwrap_or_default();
    if let Some(parent) = patterns.iter().find_map(|pattern| pattern.strip_suffix("/*"))
        && !parent.contains('*')
    {
        return Ok((format!("{parent}/{}", name.normal()), Vec::new()));
    }
    let mut parents: Vec<&str> = facts
        .workspace
        .distributions
        .iter()
        .filter(|distribution| distribution.manifest.excluded.is_none())
        .map(|distribution| distribution.dir.rsplit_once('/').map_or("", |(parent, _)| parent))
        .collect();
    parents.sort_unstable();
    let most = parents.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map(|same| same[0]);
    // A distribution in the root has no neighbours there.
    let alone = facts.workspace.distributions.iter().any(|d| d.dir.is_empty());
    let parent = most.filter(|parent| !(parent.is_empty() && alone)).unwrap_or("packages");
    let dir = if parent.is_empty() {
        name.normal().to_owned()
    } else {
        format!("{parent}/{}", name.normal())
    };
    let edits = if config.packages.is_some() { listed(&dir, facts.cargo)? } else { Vec::new() };
    Ok((dir, edits))
}

/// Adds a directory to `packages`, where that lists them one by one.
fn listed(dir: &str, cargo: Option<&TomlFile>) -> Result<Vec<Edit>, Refusal> {
    let key = "workspace.metadata.xtask.packages";
    let found = cargo.and_then(|file| Some((file, file.get(key)?.as_array()?)));
    let splices = found
        .and_then(|(file, array)| insert::items(file, array, None, &[insert::string(dir)]))
        .unwrap_or_default();
    let Some(file) = cargo.filter(|_| !splices.is_empty()) else {
        let message = format!("cannot add `{dir}` to `{key}`");
        return Err(Finding::error(Rule::Place, message)
            .at("Cargo.toml", 1)
            .hint("add it by hand")
            .into());
    };
    Ok(splices.into_iter().map(|splice| Edit::of_field(file, splice, "")).collect())
}

/// The requirements on siblings: the requested ones or, where the template uses some and none are
/// requested, the distributions that no other one needs.
fn needs(request: &NewRequest, workspace: &Workspace) -> Result<Vec<String>, Refusal> {
    let wanted = request.template.files.iter().any(|(_, text)| text.contains("{{siblings}}"));
    let chosen = match &request.needs {
        Some(needs) => needs.clone(),
        None if wanted => tops(workspace),
        None => Vec::new(),
    };
    if wanted && chosen.is_empty() {
        let message = format!(
            "the template `{}` requires other distributions, and there are none",
            request.template.name
        );
        return Err(Finding::error(Rule::Needs, message)
            .hint("create one with `--template library` first")
            .into());
    }
    Ok(chosen.iter().map(|&id| requirement(&workspace.distributions[id])).collect())
}

fn tops(workspace: &Workspace) -> Vec<DistributionId> {
    let needed: BTreeSet<DistributionId> =
        workspace.distributions.iter().flat_map(|d| d.needs.iter().copied()).collect();
    let tops = workspace.distributions.enumerate().filter(|(id, distribution)| {
        !needed.contains(id) && distribution.manifest.excluded.is_none()
    });
    tops.map(|(id, _)| id).collect()
}

/// A requirement that admits what is compatible with the version in the repository.
fn requirement(sibling: &Distribution) -> String {
    match sibling.version() {
        Some(version) => format!("{}{}", sibling.name(), compatible_range(version)),
        None => sibling.name().to_string(),
    }
}

/// Adds the shared fields and files to the new distribution.
fn add_shared(
    files: &mut Vec<(String, String)>,
    dir: &str,
    name: &Name,
    shared: &SharedFields,
) -> Result<(), Refusal> {
    if let Some((path, text)) = files.iter_mut().find(|(path, _)| path == "pyproject.toml") {
        let shown = format!("{dir}/{path}");
        let manifest = TomlFile::parse(&shown, text.as_str().into()).map_err(Refusal::from)?;
        let found = shared.differences(&manifest, &[], name.normal());
        let edits: Vec<&Edit> = found.iter().flat_map(|difference| &difference.edits).collect();
        let write = splice(&shown, text.as_str(), &edits);
        *text = write.map_err(|why| Refusal::from(Finding::error(Rule::Template, why)))?.after;
    }
    let missing =
        shared.files.iter().filter(|file| !files.iter().any(|(path, _)| *path == file.path));
    let missing: Vec<_> = missing.map(|file| (file.path.clone(), file.text.clone())).collect();
    files.extend(missing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    fn template(files: &[(&str, &str)]) -> Template {
        let files = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
        Template { name: "t".into(), files }
    }

    fn planned(
        name: &str,
        descriptions: &[&str],
        files: &[(&str, &str)],
    ) -> Result<NewPlan, Refusal> {
        let workspace = workspace(descriptions).unwrap_or_else(|refusal| panic!("{refusal}"));
        let modules: Vec<Modules> = workspace
            .distributions
            .iter()
            .map(|d| {
                let path =
                    format!("{}/src/{}/__init__.py", d.dir, d.name().normal().replace('-', "/"));
                Modules::of(&d.dir, &[path])
            })
            .collect();
        let shared = SharedFields::read(None, Vec::new()).unwrap_or_else(|f| panic!("{f:?}"));
        let facts =
            NewFacts { workspace: &workspace, modules: &modules, shared: &shared, cargo: None };
        let name = Name::new(name).unwrap();
        let template = template(files);
        plan(&NewRequest { name: &name, template: &template, needs: None }, &facts)
    }

    #[track_caller]
    fn module(name: &str, descriptions: &[&str], expected: &str) {
        let plan = planned(name, descriptions, &[("{{module_path}}/__init__.py", "")]);
        assert_eq!(plan.unwrap_or_else(|r| panic!("{r}")).module.as_deref(), Some(expected));
    }

    #[test]
    fn the_module_joins_its_namespace() {
        module("ns-http", &["ns-core 1.0"], "ns.http");
        module("ns-http-x", &["ns-core 1.0"], "ns.http_x");
        module("other", &["ns-core 1.0"], "other");
        module("nsx-a", &["ns-core 1.0"], "nsx_a");
        module("a-b", &["core 1.0"], "a_b");
        module("a-b-c", &["a-b-core 1.0"], "a.b.c");
    }

    #[test]
    fn siblings_get_a_compatible_range() {
        let plan = planned(
            "all",
            &["core 2.3.0", "top 0.5.1: core>=2"],
            &[("pyproject.toml", "[project]\ndependencies = {{siblings}}\n")],
        );
        let plan = plan.unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(plan.files[0].1, "[project]\ndependencies = [\n    \"top>=0.5.1,<0.6.0\",\n]\n");
        assert_eq!(plan.dir, "packages/all");
    }

    #[track_caller]
    fn refused(name: &str, text: &str, expected: &str) {
        let refusal = planned(name, &["core 1.0"], &[("a", text)]).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        refused(
            "Core",
            "",
            "packages/core/pyproject.toml:1: Core is already the name of a distribution here",
        );
        refused(
            "x",
            "\n{{nam}}",
            "pyproject-templates/t/a:2: `{{nam}}` is not a placeholder of this tool",
        );
        refused("x", "{{name", "pyproject-templates/t/a:1: a placeholder is not closed");
    }
}
