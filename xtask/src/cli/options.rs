//! Each command's flags: their one declaration, and the options that they become.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use domain::policy::{DependentsPolicy, RangePolicy};
use domain::release::stage::Until;

use super::usage::Usage;

#[derive(Debug)]
pub(crate) enum Command {
    /// A help page or the version, to be printed.
    Print(String),
    Status(StatusOptions),
    Check(CheckOptions),
    Graph(GraphOptions),
    Bump(BumpOptions),
    Release(ReleaseOptions),
    New(NewOptions),
    Sync(SyncOptions),
    Embed(EmbedOptions),
    Test(TestOptions),
}

/// One subcommand.
pub(super) struct Subcommand {
    pub(super) name: &'static str,
    /// Adds what the command does and its arguments.
    pub(super) declare: fn(clap::Command) -> clap::Command,
    /// The text of its help page below the flags, with examples.
    pub(super) notes: &'static str,
    pub(super) read: fn(&ArgMatches) -> Result<Command, Usage>,
}

/// Every subcommand, in the order of the help.
pub(super) const SUBCOMMANDS: [Subcommand; 9] = [
    Subcommand {
        name: "status",
        declare: StatusOptions::declare,
        notes: include_str!("../help/status.txt"),
        read: |matches| Ok(Command::Status(StatusOptions::read(matches))),
    },
    Subcommand {
        name: "check",
        declare: CheckOptions::declare,
        notes: include_str!("../help/check.txt"),
        read: |matches| Ok(Command::Check(CheckOptions::read(matches))),
    },
    Subcommand {
        name: "graph",
        declare: GraphOptions::declare,
        notes: include_str!("../help/graph.txt"),
        read: |matches| Ok(Command::Graph(GraphOptions::read(matches))),
    },
    Subcommand {
        name: "bump",
        declare: BumpOptions::declare,
        notes: include_str!("../help/bump.txt"),
        read: |matches| Ok(Command::Bump(BumpOptions::read(matches))),
    },
    Subcommand {
        name: "release",
        declare: ReleaseOptions::declare,
        notes: include_str!("../help/release.txt"),
        read: |matches| ReleaseOptions::read(matches).map(Command::Release),
    },
    Subcommand {
        name: "new",
        declare: NewOptions::declare,
        notes: include_str!("../help/new.txt"),
        read: |matches| Ok(Command::New(NewOptions::read(matches))),
    },
    Subcommand {
        name: "sync",
        declare: SyncOptions::declare,
        notes: include_str!("../help/sync.txt"),
        read: |matches| Ok(Command::Sync(SyncOptions::read(matches))),
    },
    Subcommand {
        name: "embed",
        declare: EmbedOptions::declare,
        notes: include_str!("../help/embed.txt"),
        read: |matches| Ok(Command::Embed(EmbedOptions::read(matches))),
    },
    Subcommand {
        name: "test",
        declare: TestOptions::declare,
        notes: include_str!("../help/test.txt"),
        read: |matches| Ok(Command::Test(TestOptions::read(matches))),
    },
];

#[derive(Debug)]
pub(crate) struct StatusOptions {
    pub(crate) json: bool,
    /// Query the indexes too.
    pub(crate) online: bool,
    /// List excluded projects too.
    pub(crate) all: bool,
}

impl StatusOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("list the distributions in release order")
            .arg(flag("all", "List the projects that are excluded too, and why"))
            .arg(flag("online", "Query the staging index and the index for each version"))
            .arg(flag("json", "Print one JSON object"))
    }

    fn read(matches: &ArgMatches) -> StatusOptions {
        StatusOptions {
            json: matches.get_flag("json"),
            online: matches.get_flag("online"),
            all: matches.get_flag("all"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct CheckOptions {
    pub(crate) json: bool,
    /// Fix what can be fixed with certainty.
    pub(crate) fix: bool,
    /// Explain the rules instead.
    pub(crate) list: bool,
}

impl CheckOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("find everything wrong with the repository, offline")
            .arg(flag("fix", "Fix what can be fixed with certainty, then list the rest"))
            .arg(flag("list", "Explain the rules instead"))
            .arg(flag("json", "Print one JSON object"))
    }

    fn read(matches: &ArgMatches) -> CheckOptions {
        CheckOptions {
            json: matches.get_flag("json"),
            fix: matches.get_flag("fix"),
            list: matches.get_flag("list"),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum GraphFormat {
    Tree,
    Mermaid,
    Dot,
    Json,
}

impl GraphFormat {
    const ALL: [GraphFormat; 4] =
        [GraphFormat::Tree, GraphFormat::Mermaid, GraphFormat::Dot, GraphFormat::Json];

    fn word(self) -> &'static str {
        match self {
            GraphFormat::Tree => "tree",
            GraphFormat::Mermaid => "mermaid",
            GraphFormat::Dot => "dot",
            GraphFormat::Json => "json",
        }
    }
}

#[derive(Debug)]
pub(crate) struct GraphOptions {
    pub(crate) format: GraphFormat,
}

impl GraphOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command.about("print the dependencies and the release levels").arg(choice(
            "format",
            &GraphFormat::ALL,
            GraphFormat::word,
            "How to print it (default: tree)",
        ))
    }

    fn read(matches: &ArgMatches) -> GraphOptions {
        GraphOptions { format: matches.get_one("format").copied().unwrap_or(GraphFormat::Tree) }
    }
}

#[derive(Debug)]
pub(crate) struct BumpOptions {
    /// Targets and a change, in the order typed; only the repository tells one from the other.
    pub(crate) words: Vec<String>,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
    pub(crate) commit: bool,
    pub(crate) yes: bool,
    /// `None` leaves it to the configuration.
    pub(crate) ranges: Option<RangePolicy>,
    pub(crate) dependents: Option<DependentsPolicy>,
}

impl BumpOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("rewrite versions, sibling ranges, changelogs and locks in place")
            .override_usage("cargo xtask bump [OPTIONS] [TARGET]... [CHANGE]")
            .arg(Arg::new("words").num_args(0..).hide(true))
            .arg(flag("dry-run", "Print the plan and write nothing"))
            .arg(flag("json", "Print the plan as one JSON object; never prompt"))
            .arg(flag("commit", "Commit what was written, and nothing else"))
            .arg(flag("yes", "Do not prompt"))
            .arg(choice(
                "ranges",
                &RangePolicy::ALL,
                RangePolicy::word,
                "align: the lower bound of every range follows the version (default)\n\
                 fit: only ranges that exclude the new version change",
            ))
            .arg(choice(
                "dependents",
                &DependentsPolicy::ALL,
                DependentsPolicy::word,
                "patch: a distribution whose range changed is bumped too (default)\n\
                 none: it keeps its version",
            ))
    }

    fn read(matches: &ArgMatches) -> BumpOptions {
        BumpOptions {
            words: many(matches, "words").unwrap_or_default(),
            dry_run: matches.get_flag("dry-run"),
            json: matches.get_flag("json"),
            commit: matches.get_flag("commit"),
            yes: matches.get_flag("yes"),
            ranges: matches.get_one("ranges").copied(),
            dependents: matches.get_one("dependents").copied(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct ReleaseOptions {
    /// Empty means `all`.
    pub(crate) targets: Vec<String>,
    pub(crate) dry_run: bool,
    pub(crate) rehearse: bool,
    /// Stage a version whose file names staging cannot take any more as a post-release.
    pub(crate) restage: bool,
    pub(crate) until: Until,
    pub(crate) yes: bool,
    pub(crate) json: bool,
    /// Print the release notes of what was released.
    pub(crate) notes: bool,
    /// Make releases of the tags on GitHub, with those notes.
    pub(crate) github: bool,
    /// A directory of wheels that other machines built of the same commit.
    pub(crate) wheels: Option<PathBuf>,
    /// Builds and smoke tests at the same time; `None` means one for every core.
    pub(crate) jobs: Option<usize>,
}

impl ReleaseOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("build, stage, smoke-test, publish and tag, in dependency order")
            .override_usage("cargo xtask release [OPTIONS] TARGET...|all")
            .arg(Arg::new("targets").num_args(0..).hide(true))
            .arg(flag("dry-run", "Print preflight and plan; build and send nothing"))
            .arg(flag("rehearse", "Release to indexes and a git remote on this machine"))
            .arg(choice(
                "until",
                &Until::ALL,
                Until::word,
                "Stop after this stage (default: published)",
            ))
            .arg(flag("restage", "Stage a version that staging refuses as a post-release of it"))
            .arg(
                value("wheels", "DIR", "Also release wheels that other machines built")
                    .value_parser(value_parser!(PathBuf)),
            )
            .arg(flag("notes", "Print the release notes"))
            .arg(flag("github", "Make a GitHub release of every tag that has none (needs gh)"))
            .arg(flag("yes", "Do not prompt; required without a terminal"))
            .arg(flag("json", "Print the result as one JSON object"))
            .arg(
                value("jobs", "N", "Builds and smoke tests at the same time (default: cores)")
                    .value_parser(jobs),
            )
    }

    fn read(matches: &ArgMatches) -> Result<ReleaseOptions, Usage> {
        let mut targets = many(matches, "targets").unwrap_or_default();
        if targets.is_empty() {
            return Err(Usage::new(
                "missing target",
                "`cargo xtask release all` releases every distribution",
            ));
        }
        if targets.iter().any(|target| target == "all") {
            targets.retain(|target| target != "all");
            if !targets.is_empty() {
                return Err(Usage::new(
                    "`all` cannot be combined with other targets",
                    "pass either `all` or the names",
                ));
            }
        }
        Ok(ReleaseOptions {
            targets,
            dry_run: matches.get_flag("dry-run"),
            rehearse: matches.get_flag("rehearse"),
            restage: matches.get_flag("restage"),
            until: matches.get_one("until").copied().unwrap_or_default(),
            yes: matches.get_flag("yes"),
            json: matches.get_flag("json"),
            notes: matches.get_flag("notes"),
            github: matches.get_flag("github"),
            wheels: matches.get_one("wheels").cloned(),
            jobs: matches.get_one("jobs").copied(),
        })
    }
}

fn jobs(typed: &str) -> Result<usize, &'static str> {
    let jobs = typed.parse().ok().filter(|&jobs| jobs > 0);
    jobs.ok_or("expected a number of at least 1")
}

#[derive(Debug)]
pub(crate) struct NewOptions {
    pub(crate) name: String,
    /// A folder of `pyproject-templates/`.
    pub(crate) template: String,
    /// Distributions that it needs, as typed; `None` leaves it to the template.
    pub(crate) needs: Option<Vec<String>>,
    /// Query the indexes whether the name is free.
    pub(crate) online: bool,
}

impl NewOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("create a distribution from a template, ready to be released")
            .arg(Arg::new("name").value_name("NAME").required(true).help("Its name (PEP 508)"))
            .arg(value(
                "template",
                "TEMPLATE",
                "library (default), cli, meta or a folder of pyproject-templates/",
            ))
            .arg(
                value("needs", "NAME,...", "Distributions of this repository that it depends on")
                    .value_delimiter(',')
                    .action(ArgAction::Append),
            )
            .arg(flag("online", "Also query the indexes whether the name is free"))
    }

    fn read(matches: &ArgMatches) -> NewOptions {
        let text = |id| matches.get_one::<String>(id).cloned();
        NewOptions {
            name: text("name").unwrap_or_default(),
            template: text("template").unwrap_or_else(|| "library".to_owned()),
            needs: many(matches, "needs")
                .map(|needs| needs.into_iter().filter(|name| !name.is_empty()).collect()),
            online: matches.get_flag("online"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct SyncOptions {
    pub(crate) check: bool,
}

impl SyncOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("copy the shared fields and files to every distribution")
            .arg(flag("check", "Write nothing; list the differences and exit 1 if there are any"))
    }

    fn read(matches: &ArgMatches) -> SyncOptions {
        SyncOptions { check: matches.get_flag("check") }
    }
}

#[derive(Debug)]
pub(crate) struct EmbedOptions {
    /// The repository that gets the tool.
    pub(crate) dir: PathBuf,
}

impl EmbedOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command.about("put this tool into another Python monorepo").arg(
            Arg::new("dir")
                .value_name("DIR")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("The root of the other repository"),
        )
    }

    fn read(matches: &ArgMatches) -> EmbedOptions {
        EmbedOptions { dir: matches.get_one("dir").cloned().unwrap_or_default() }
    }
}

#[derive(Debug)]
pub(crate) struct TestOptions {
    pub(crate) rust: bool,
    pub(crate) python: bool,
}

impl TestOptions {
    fn declare(command: clap::Command) -> clap::Command {
        command
            .about("run the tests of the tool and of every distribution")
            .arg(flag("rust", "Only the tests of the tool"))
            .arg(flag("python", "Only the tests of the distributions"))
    }

    fn read(matches: &ArgMatches) -> TestOptions {
        TestOptions { rust: matches.get_flag("rust"), python: matches.get_flag("python") }
    }
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
pub(super) fn choice<T: Copy + Send + Sync + 'static>(
    name: &'static str,
    values: &'static [T],
    word: fn(T) -> &'static str,
    help: &'static str,
) -> Arg {
    let words: Vec<&str> = values.iter().map(|&value| word(value)).collect();
    let value_name = words.join("|");
    let parser = PossibleValuesParser::new(words).try_map(move |typed| {
        values.iter().copied().find(|&value| word(value) == typed).ok_or("not a known word")
    });
    let arg = Arg::new(name).long(name).value_name(value_name).hide_possible_values(true);
    arg.value_parser(parser).help(help)
}

/// All values of an argument; `None` where it was not passed.
fn many(matches: &ArgMatches, id: &str) -> Option<Vec<String>> {
    matches.get_many(id).map(|values| values.cloned().collect())
}
