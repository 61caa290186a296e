//! Each command's flags: their one declaration, and the options that they become.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use domain::policy::{DependentsPolicy, PreRelease, RangePolicy};
use domain::release::stage::Until;
use domain::text::words::by_word;

use super::usage::Usage;

/// One subcommand.
pub(super) struct Subcommand {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// How it is typed, where clap would not say it well.
    pub(super) usage: Option<&'static str>,
    /// The text of its help page below the flags, with examples.
    pub(super) notes: &'static str,
    pub(super) arguments: fn() -> Vec<Arg>,
    pub(super) read: fn(&ArgMatches) -> Command,
}

/// Declares the subcommands in the order of the help: the type of the options, name, purpose, and
/// for every option its field, how it is read, and the argument.
macro_rules! subcommands {
    ($($command:ident($options:ident) $name:literal $about:literal $(usage $usage:literal)? {
        $($(#[$doc:meta])* $field:ident: $type:ty = $read:ident($argument:expr);)*
    })*) => {
        #[derive(Debug)]
        pub(crate) enum Command {
            /// A help page or the version, to be printed.
            Print(String),
            $($command($options),)*
        }

        $(#[derive(Debug)]
        pub(crate) struct $options { $($(#[$doc])* pub(crate) $field: $type),* })*

        pub(super) const SUBCOMMANDS: &[Subcommand] = &[$(Subcommand {
            name: $name,
            about: $about,
            usage: [$(Some(concat!("cargo xtask ", $name, " [OPTIONS] ", $usage)),)? None][0],
            notes: include_str!(concat!("../help/", $name, ".txt")),
            arguments: || vec![$($argument.id(stringify!($field))),*],
            read: |matches| Command::$command($options {
                $($field: $read(matches, stringify!($field))),*
            }),
        }),*];
    };
}

subcommands! {
    Status(StatusOptions) "status" "list the distributions in release order" {
        online: bool = is_set(flag("online", "Query the staging index and the index for each version"));
        /// List excluded projects too.
        all: bool = is_set(flag("all", "List the projects that are excluded too, and why"));
        json: bool = is_set(flag("json", "Print one JSON object"));
    }
    Check(CheckOptions) "check" "find everything wrong with the repository, offline" {
        fix: bool = is_set(flag("fix", "Fix what can be fixed with certainty, then list the rest"));
        list: bool = is_set(flag("list", "Explain the rules instead"));
        json: bool = is_set(flag("json", "Print one JSON object"));
    }
    Graph(GraphOptions) "graph" "print the dependencies and the release levels" {
        format: GraphFormat = or_default(choice("format", GraphFormat::ALL, "How to print it (default: tree)"));
    }
    Bump(BumpOptions) "bump" "rewrite versions, sibling ranges, changelogs and locks in place"
    usage "[TARGET]... [CHANGE]" {
        /// Targets and a change, in the order typed; only the repository tells one from the other.
        words: Vec<String> = all(words());
        dry_run: bool = is_set(flag("dry-run", "Print the plan and write nothing"));
        json: bool = is_set(flag("json", "Print the plan as one JSON object; never prompt"));
        commit: bool = is_set(flag("commit", "Commit what was written, and nothing else"));
        pre: Option<PreRelease> = optional(choice("pre", PreRelease::ALL,
            "Beside a level: the next pre-release of the version it leads to"));
        yes: bool = is_set(flag("yes", "Do not prompt"));
        /// `None` leaves it to the configuration.
        ranges: Option<RangePolicy> = optional(choice("ranges", RangePolicy::ALL,
            "align: the lower bound of every range follows the version (default)\n\
             fit: only ranges that exclude the new version change"));
        dependents: Option<DependentsPolicy> = optional(choice("dependents", DependentsPolicy::ALL,
            "patch: a distribution whose range changed is bumped too (default)\n\
             none: it keeps its version"));
    }
    Release(ReleaseOptions) "release" "build, stage, smoke-test, publish and tag, in dependency order"
    usage "TARGET...|all" {
        /// Empty means `all`, once they are checked.
        targets: Vec<String> = all(words());
        dry_run: bool = is_set(flag("dry-run", "Print preflight and plan; build and send nothing"));
        rehearse: bool = is_set(flag("rehearse", "Release to indexes and a git remote on this machine"));
        until: Until = or_default(choice("until", Until::ALL, "Stop after this stage (default: published)"));
        restage: bool = is_set(flag("restage", "Stage a version that staging refuses as a post-release of it"));
        tested: bool = is_set(flag("tested", "Publish what `--until staged` tested; build nothing")
            .conflicts_with_all(["until", "rehearse", "restage", "wheels", "jobs", "notes"]));
        wheels: Option<PathBuf> = optional(value("wheels", "DIR", "Also release wheels that other machines built")
            .value_parser(value_parser!(PathBuf)));
        notes: bool = is_set(flag("notes", "Print the release notes"));
        github: bool = is_set(flag("github", "Make a GitHub release of every tag that has none (needs gh)"));
        yes: bool = is_set(flag("yes", "Do not prompt; required without a terminal"));
        json: bool = is_set(flag("json", "Print the result as one JSON object"));
        /// `None` means one for every core.
        jobs: Option<usize> = optional(value("jobs", "N", "Builds and smoke tests at the same time (default: cores)")
            .value_parser(jobs));
    }
    New(NewOptions) "new" "create a distribution from a template, ready to be released" {
        name: String = or_default(positional("NAME", "Its name (PEP 508)"));
        template: String = or_default(value("template", "TEMPLATE",
            "library (default), cli, meta or a folder of pyproject-templates/")
            .default_value("library").hide_default_value(true));
        /// As typed; `None` leaves them to the template.
        needs: Option<Vec<String>> = listed(value("needs", "NAME,...", "Distributions of this repository that it depends on")
            .value_delimiter(',').action(ArgAction::Append));
        online: bool = is_set(flag("online", "Also query the indexes whether the name is free"));
    }
    Sync(SyncOptions) "sync" "copy the shared fields and files to every distribution" {
        check: bool = is_set(flag("check", "Write nothing; list the differences and exit 1 if there are any"));
    }
    Embed(EmbedOptions) "embed" "put this tool into another Python monorepo" {
        dir: PathBuf = or_default(positional("DIR", "The root of the other repository")
            .value_parser(value_parser!(PathBuf)));
    }
    Test(TestOptions) "test" "run the tests of the tool and of every distribution" {
        rust: bool = is_set(flag("rust", "Only the tests of the tool"));
        python: bool = is_set(flag("python", "Only the tests of the distributions"));
    }
}

by_word! {
    #[derive(Default)]
    pub(crate) enum GraphFormat {
        #[default]
        Tree = "tree",
        Mermaid = "mermaid",
        Dot = "dot",
        Json = "json",
    }
}

impl ReleaseOptions {
    /// Replaces the target `all` by none.
    ///
    /// # Errors
    /// No target was passed, or others beside `all`.
    pub(super) fn check_targets(&mut self) -> Result<(), Usage> {
        if self.targets.is_empty() {
            let hint = "`cargo xtask release all` releases every distribution";
            return Err(Usage::new("missing target", hint));
        }
        let has_all = self.targets.iter().any(|target| target == "all");
        self.targets.retain(|target| target != "all");
        if has_all && !self.targets.is_empty() {
            let message = "`all` cannot be combined with other targets";
            return Err(Usage::new(message, "pass either `all` or the names"));
        }
        Ok(())
    }
}

fn jobs(typed: &str) -> Result<usize, &'static str> {
    let jobs = typed.parse().ok().filter(|&jobs| jobs > 0);
    jobs.ok_or("expected a number of at least 1")
}

/// A flag without a value.
pub(super) fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// A flag with a value.
fn value(name: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value_name).help(help)
}

/// A flag whose value is one of a few words.
pub(super) fn choice<T, const N: usize>(
    name: &'static str,
    values: [T; N],
    help: &'static str,
) -> Arg
where
    T: Copy + ToString + Send + Sync + 'static,
{
    let words = values.map(|value| value.to_string());
    let arg = Arg::new(name).long(name).value_name(words.join("|")).hide_possible_values(true);
    let parser = PossibleValuesParser::new(words).try_map(move |typed| {
        values.into_iter().find(|value| value.to_string() == typed).ok_or("not a known word")
    });
    arg.value_parser(parser).help(help)
}

/// A required argument.
fn positional(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(name).required(true).help(help)
}

/// Any number of arguments, which `usage` describes.
fn words() -> Arg {
    Arg::new("words").num_args(0..).hide(true)
}

fn is_set(matches: &ArgMatches, id: &str) -> bool {
    matches.get_flag(id)
}

fn optional<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    matches.get_one(id).cloned()
}

fn or_default<T: Clone + Default + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> T {
    optional(matches, id).unwrap_or_default()
}

fn all(matches: &ArgMatches, id: &str) -> Vec<String> {
    matches.get_many(id).unwrap_or_default().cloned().collect()
}

/// The items of a list; `None` where it was not passed.
fn listed(matches: &ArgMatches, id: &str) -> Option<Vec<String>> {
    let items = matches.get_many::<String>(id)?;
    Some(items.filter(|item| !item.is_empty()).cloned().collect())
}

impl Command {
    /// The lists of the object that this run prints; `None` where it prints no JSON.
    pub(crate) fn json_lists(&self) -> Option<&'static [&'static str]> {
        match self {
            Command::Status(StatusOptions { json: true, .. })
            | Command::Graph(GraphOptions { format: GraphFormat::Json }) => Some(&["packages"]),
            Command::Check(CheckOptions { json: true, .. }) => Some(&[]),
            Command::Bump(BumpOptions { json: true, .. }) => Some(&["bumps", "edits", "notes"]),
            Command::Release(ReleaseOptions { json: true, .. }) => Some(&["packages", "preflight"]),
            _ => None,
        }
    }
}
