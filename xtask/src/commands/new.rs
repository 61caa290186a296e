//! `new`: a distribution from a template, written all or nothing.

use std::path::Path;

use anyhow::{Result, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::ids::DistributionId;
use domain::release::content::modules::Modules;
use domain::release::plan::Lookup;
use domain::scaffold::new::{self, NewFacts, NewPlan, NewRequest};
use domain::text::edit::splice;
use domain::text::toml::TomlFile;
use domain::workspace::Workspace;
use formats::name::Name;

use crate::ExitStatus;
use crate::cli::NewOptions;
use crate::effects::fs::files;
use crate::effects::fs::tree::Tree;
use crate::effects::index::twine;
use crate::effects::python::tools::Tools;
use crate::effects::repository::{discover, templates};
use crate::ui::{Style, paint, say};

/// # Errors
/// The name cannot be had, the template is not understood, or nothing can be written.
pub(crate) fn run(root: &Path, options: &NewOptions) -> Result<ExitStatus> {
    let name = Name::new(&options.name).ok_or_else(|| wrong_name(&options.name))?;
    let tree = Tree::walk(root)?;
    let workspace = discover::workspace(root)?;
    let template = templates::template(root, &options.template)?;
    let modules: Vec<Modules> =
        workspace.distributions.iter().map(|d| Modules::of(&d.dir, &tree.list(&d.dir))).collect();
    let shared = templates::shared(root)?;
    let cargo =
        tree.read("Cargo.toml").and_then(|source| TomlFile::parse(&source.path, source.text).ok());
    let needs = options.needs.as_ref().map(|needs| resolve(&workspace, needs)).transpose()?;
    let request = NewRequest { name: &name, template: &template, needs };
    let facts = NewFacts {
        workspace: &workspace,
        modules: &modules,
        shared: &shared,
        cargo: cargo.as_ref(),
    };
    let plan = new::plan(&request, &facts)?;
    if options.online {
        free_on_the_indexes(&workspace, &name)?;
    }
    apply(root, &plan, cargo.as_ref())?;
    print(&name, &plan);
    Ok(ExitStatus::Done)
}

fn wrong_name(typed: &str) -> Refusal {
    let message = format!("`{typed}` is not a name that PEP 508 allows");
    Finding::error(Rule::Name, message)
        .hint("letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends")
        .into()
}

fn resolve(workspace: &Workspace, names: &[String]) -> Result<Vec<DistributionId>> {
    let (mut found, mut findings) = (Vec::new(), Vec::new());
    for name in names {
        match workspace.resolve(name) {
            Ok(at) => found.push(at),
            Err(finding) => findings.push(finding),
        }
    }
    Refusal::unless_clean(findings)?;
    Ok(found)
}

/// Asks both indexes, because the name has to be free on the one that is staged on too.
fn free_on_the_indexes(workspace: &Workspace, name: &Name) -> Result<()> {
    let tools = Tools::ready(|what| eprintln!("{what}"))?;
    let config = &workspace.config;
    let mut findings = Vec::new();
    for repository in twine::repositories(&tools, None, [&config.staging, &config.index])? {
        let answer = match &repository.index {
            Ok(index) => index.files(&tools, &[name])?.remove(0),
            Err(why) => Lookup::Unknown(why.clone()),
        };
        let at = &repository.name;
        findings.extend(match answer {
            Lookup::Known(files) if files.is_empty() => None,
            Lookup::Known(_) => Some(
                Finding::error(Rule::Name, format!("{name} is taken on {at}"))
                    .hint("choose another name, or leave --online out if it is yours"),
            ),
            Lookup::Unknown(why) => Some(
                Finding::error(Rule::Name, format!("{at} was asked for {name}: {why}"))
                    .hint("try again, or leave --online out"),
            ),
        });
    }
    Ok(Refusal::unless_clean(findings)?)
}

fn apply(root: &Path, plan: &NewPlan, cargo: Option<&TomlFile>) -> Result<()> {
    let edits: Vec<_> = plan.edits.iter().collect();
    let writes = match cargo.filter(|_| !edits.is_empty()) {
        Some(file) => match splice(&file.path, file.text(), &edits) {
            Ok(write) => vec![write],
            Err(why) => bail!(why),
        },
        None => Vec::new(),
    };
    files::write_all(root, &writes)?;
    files::create_dir(root, &plan.dir, &plan.files).inspect_err(|_| {
        // What failed is the error to be told; this was written a moment ago.
        let _ = files::put_back(root, &writes);
    })
}

fn print(name: &Name, plan: &NewPlan) {
    eprintln!("{} {name} in {}", paint(Style::Good, "made:"), plan.dir);
    if let Some(module) = &plan.module {
        eprintln!("  import {module}");
    }
    eprintln!("  tags {}", plan.tag);
    for edit in &plan.edits {
        eprintln!("  {}:{}: listed there", edit.file, edit.line);
    }
    let edited = plan.edits.iter().map(|edit| format!(" {}", edit.file)).collect::<String>();
    let add = format!("git add {}{edited}", plan.dir);
    let next = format!("{add}, commit, then cargo xtask release all --rehearse");
    eprintln!("{} {next}", paint(Style::Hint, "hint:"));
    for (path, _) in &plan.files {
        say!("{}/{path}", plan.dir);
    }
}
