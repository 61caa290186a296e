//! `cargo xtask`: releases the Python distributions of the monorepo that it is part of.
//!
//! The way through the crate: `cli` (arguments) → `commands` (facts, plan, apply) → `domain` (pure)
//! and `effects` (files, git, processes, indexes) → `ui` (output).

// Its macros are for all that follow.
#[macro_use]
mod ui;
mod cli;
mod commands;
mod effects;
mod exit_status;

use std::path::PathBuf;

use anyhow::{Context, Result};
use cli::{Command, Invocation};
use domain::finding::{Finding, Refusal, Rule};
pub use exit_status::ExitStatus;
use ui::say;

/// Runs the command of this process's arguments.
pub fn main() -> ExitStatus {
    let invocation = match cli::parse(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(usage) => {
            ui::usage(&usage.message, &usage.hint);
            if std::env::args_os().any(|argument| argument == "--json") {
                let finding = Finding::error(Rule::Usage, usage.message).hint(usage.hint);
                ui::json::refused(&[], &Refusal::from(finding).into());
            }
            return ExitStatus::Usage;
        }
    };
    ui::set_up(invocation.color, invocation.verbosity);
    let json_lists = invocation.command.json_lists();
    let result = run(invocation);
    // A failure after its children were ended is not the reason why this run ends.
    effects::process::interrupt::hold();
    result.unwrap_or_else(|error| {
        ui::error(&error);
        if let Some(lists) = json_lists {
            ui::json::refused(lists, &error);
        }
        match error.downcast_ref::<Refusal>() {
            Some(Refusal(findings)) if findings.iter().all(is_usage) => ExitStatus::Usage,
            _ => ExitStatus::Refused,
        }
    })
}

/// Whether a refusal is about what was typed.
fn is_usage(finding: &Finding) -> bool {
    [Rule::Target, Rule::Change].contains(&finding.rule)
}

fn run(invocation: Invocation) -> Result<ExitStatus> {
    let root = || root(invocation.root.clone());
    if !matches!(invocation.command, Command::Print(_) | Command::Embed(_)) {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if commands::recover::finish_interrupted(&root()?, &arguments)? {
            return Ok(ExitStatus::Done);
        }
    }
    match invocation.command {
        Command::Print(text) => {
            say!("{}", text.trim_end());
            Ok(ExitStatus::Done)
        }
        Command::Status(options) => commands::status::run(&root()?, &options),
        Command::Check(options) => commands::check::run(&root()?, &options),
        Command::Graph(options) => commands::graph::run(&root()?, &options),
        Command::Bump(options) => commands::bump::run(&root()?, &options),
        Command::Release(options) => commands::release::run(&root()?, &options),
        Command::New(options) => commands::new::run(&root()?, &options),
        Command::Sync(options) => commands::sync::run(&root()?, &options),
        Command::Embed(options) => commands::embed::run(&options),
        Command::Test(options) => commands::test::run(&root()?, &options),
    }
}

fn root(named: Option<PathBuf>) -> Result<PathBuf> {
    match named {
        Some(dir) => dir.canonicalize().with_context(|| format!("`--root {}`", dir.display())),
        None => effects::repository::discover::root_around(&std::env::current_dir()?),
    }
}
