//! `cargo xtask`: releases the Python distributions of the monorepo it lives in.
//!
//! The way through the crate: `cli` (what was typed) → `commands` (facts, plan, apply) →
//! `domain` (pure) and `effects` (the world) → `ui` (what a person sees).

mod cli;
mod commands;
mod effects;
mod ui;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cli::{Command, Invocation};
use ui::say;

/// Runs what was typed.
pub fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(usage) => {
            ui::usage(&usage);
            return ExitCode::from(2);
        }
    };
    match run(invocation) {
        Ok(code) => code,
        Err(error) => {
            ui::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(invocation: Invocation) -> Result<ExitCode> {
    let root = || root(invocation.root.clone());
    if !matches!(invocation.command, Command::Help(_) | Command::Embed(_)) {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if commands::recover::finish_interrupted(&root()?, &arguments)? {
            return Ok(ExitCode::SUCCESS);
        }
    }
    match invocation.command {
        Command::Help(page) => {
            say!("{}", page.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::Status(options) => commands::status::run(&root()?, &options),
        Command::Check(options) => commands::check::run(&root()?, &options),
        Command::Test(options) => commands::test::run(&root()?, &options),
        Command::Release(options) => commands::release::run(&root()?, &options),
        Command::Graph(options) => commands::graph::run(&root()?, &options),
        Command::Bump(options) => commands::bump::run(&root()?, &options),
        Command::New(options) => commands::new::run(&root()?, &options),
        Command::Sync(options) => commands::sync::run(&root()?, &options),
        Command::Embed(options) => commands::embed::run(&options),
    }
}

fn root(named: Option<PathBuf>) -> Result<PathBuf> {
    match named {
        Some(dir) => dir.canonicalize().with_context(|| format!("--root {}", dir.display())),
        None => effects::repository::discover::root_around(&std::env::current_dir()?),
    }
}
