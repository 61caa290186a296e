//! `new`: creates a distribution from a template, in full or not at all.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use domain::finding::{Finding, Refusal, Rule};
use domain::release::content::modules::Modules;
use domain::release::plan::Lookup;
use domain::scaffold::new::{self, NewFacts, NewPlan, NewRequest};
use domain::text::edit::splice;
use domain::text::toml::TomlFile;
use domain::workspace::{Judgement, Workspace};
use formats::name::Name;

use crate::ExitStatus;
use crate::cli::NewOptions;
use crate::effects::fs::files::{self, Changes};
use crate::effects::index::twine;
use crate::effects::python::interpreter::Interpreter;
use crate::effects::python::tools::Tools;
use crate::effects::repository::{discover, templates};
use crate::ui::{self, Style, paint, say};

/// # Errors
/// The name is invalid or taken, the template is not understood, or a file cannot be written.
pub(crate) fn run(root: &Path, options: &NewOptions) -> Result<ExitStatus> {
    let name = Name::new(&options.name).ok_or_else(|| wrong_name(&options.name))?;
    let tree = discover::tree(root)?;
    let workspace = discover::judged(root, &tree, Judgement::Refuse)?;
    let template = templates::template(root, &options.template)?;
    let modules: Vec<Modules> =
        workspace.distributions.iter().map(|d| Modules::of(&d.dir, &tree.list(&d.dir))).collect();
    let shared = templates::shared(root)?;
    let cargo =
        tree.read("Cargo.toml").and_then(|source| TomlFile::parse(&source.path, source.text).ok());
    let needs = options.needs.as_ref().map(|needs| workspace.resolve_all(needs)).transpose()?;
    let request = NewRequest { name: &name, template: &template, needs };
    let facts = NewFacts {
        workspace: &workspace,
        modules: &modules,
        shared: &shared,
        cargo: cargo.as_ref(),
    };
    let plan = new::plan(&request, &facts)?;
    refuse_shadowed_module(&plan)?;
    if options.online {
        refuse_taken_name(&workspace, &name)?;
    }
    apply(root, &plan, cargo.as_ref())?;
    print(&name, &plan);
    Ok(ExitStatus::Done)
}

fn wrong_name(typed: &str) -> Refusal {
    let message = format!("`{typed}` is not a valid name (PEP 508)");
    Finding::error(Rule::Name, message)
        .hint("use letters, digits, `-`, `_` and `.`, with a letter or a digit at both ends")
        .into()
}

/// Refuses a module that no `import` statement reaches.
fn refuse_shadowed_module(plan: &NewPlan) -> Result<()> {
    let Some(module) = &plan.module else { return Ok(()) };
    let Some(why) = Interpreter::find()?.shadows(module)? else { return Ok(()) };
    let message = format!("the module `{module}` could not be imported: {why}");
    Err(Refusal::from(Finding::error(Rule::Name, message).hint("choose another name")).into())
}

/// Refuses a name that either index has: it has to be free on the staging index too.
fn refuse_taken_name(workspace: &Workspace, name: &Name) -> Result<()> {
    let tools = Tools::ready(ui::progress_line)?;
    let config = &workspace.config;
    let mut findings = Vec::new();
    for repository in twine::repositories(&tools, None, [&config.staging, &config.index])? {
        let lookup = match &repository.index {
            Ok(index) => index.files(&tools, &[name])?.remove(0),
            Err(why) => Lookup::Unknown(why.clone()),
        };
        let index = &repository.name;
        findings.extend(match lookup {
            Lookup::Known(files) if files.is_empty() => None,
            Lookup::Known(_) => Some(
                Finding::error(Rule::Name, format!("`{name}` is taken on `{index}`"))
                    .hint("choose another name, or leave out `--online` if it is yours"),
            ),
            Lookup::Unknown(why) => Some(
                Finding::error(
                    Rule::Name,
                    format!("could not query `{index}` for `{name}`: {why}"),
                )
                .hint("try again, or leave out `--online`"),
            ),
        });
    }
    Ok(Refusal::unless_clean(findings)?)
}

fn apply(root: &Path, plan: &NewPlan, cargo: Option<&TomlFile>) -> Result<()> {
    let edits: Vec<_> = plan.edits.iter().collect();
    let mut writes = Vec::new();
    if let Some(file) = cargo.filter(|_| !edits.is_empty()) {
        writes.push(splice(&file.path, file.text(), &edits).map_err(|why| anyhow!(why))?);
    }
    if root.join(&plan.dir).symlink_metadata().is_ok() {
        bail!("`{}` exists already; nothing was written", plan.dir);
    }
    let new = plan.files.iter().map(|(path, text)| (format!("{}/{path}", plan.dir), text.clone()));
    files::change(root, &Changes { writes, new: new.collect(), gone: Vec::new() })
}

fn print(name: &Name, plan: &NewPlan) {
    eprintln!("{} {name} in {}", paint(Style::Good, "created:"), plan.dir);
    if let Some(module) = &plan.module {
        eprintln!("  import {module}");
    }
    eprintln!("  tags {}", plan.tag);
    for edit in &plan.edits {
        eprintln!("  listed in {}:{}", edit.file, edit.line);
    }
    let edited: String = plan.edits.iter().map(|edit| format!(" {}", edit.file)).collect();
    eprintln!(
        "{} `git add {}{edited}`, commit, then `cargo xtask release all --rehearse`",
        paint(Style::Hint, "hint:"),
        plan.dir
    );
    for (path, _) in &plan.files {
        say!("{}/{path}", plan.dir);
    }
}
