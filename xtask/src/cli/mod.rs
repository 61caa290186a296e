//! The command line: arguments become one [`Invocation`], wrong ones a [`Usage`] error.

mod options;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
pub(crate) use options::{
    BumpOptions, CheckOptions, Command, EmbedOptions, GraphFormat, GraphOptions, NewOptions,
    ReleaseOptions, StatusOptions, SyncOptions, TestOptions,
};
use options::{SUBCOMMANDS, Subcommand, choice, flag};
pub(crate) use usage::Usage;

use crate::ui::{Color, Verbosity};

/// One run of the tool.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// `--root DIR`; `None` means the repository around the current directory.
    pub(crate) root: Option<PathBuf>,
    pub(crate) color: Color,
    pub(crate) verbosity: Verbosity,
    pub(crate) command: Command,
}

/// The topic of `cargo xtask help TOPIC` that is not a command.
const CONFIGURATION: &str = "configuration";

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// The arguments are not a command line of this tool.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, Usage> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut grammar = grammar();
    let printed = |text| Invocation {
        root: None,
        color: Color::default(),
        verbosity: Verbosity::default(),
        command: Command::Print(text),
    };
    let matches = match grammar.try_get_matches_from_mut(&arguments) {
        Ok(matches) => matches,
        Err(error) => {
            return match error.kind() {
                ErrorKind::DisplayHelp => Ok(printed(error.render().to_string())),
                ErrorKind::DisplayVersion => {
                    Ok(printed(concat!("xtask ", env!("CARGO_PKG_VERSION")).to_owned()))
                }
                _ => Err(Usage::from_clap(&error, &grammar, &arguments)),
            };
        }
    };
    Ok(Invocation {
        root: matches.get_one("root").cloned(),
        color: matches.get_one("color").copied().unwrap_or_default(),
        verbosity: if matches.get_flag("quiet") {
            Verbosity::Quiet
        } else if matches.get_flag("verbose") {
            Verbosity::Verbose
        } else {
            Verbosity::Normal
        },
        command: command(&mut grammar, &matches)?,
    })
}

fn command(grammar: &mut clap::Command, matches: &ArgMatches) -> Result<Command, Usage> {
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(Command::Print(page(grammar)));
    };
    let Some(subcommand) = SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) else {
        return Ok(Command::Print(topic(grammar, matches)));
    };
    let mut command = (subcommand.read)(matches);
    if let Command::Release(options) = &mut command {
        options.check_targets()?;
    }
    Ok(command)
}

/// The page that `help` prints.
fn topic(grammar: &mut clap::Command, matches: &ArgMatches) -> String {
    match matches.get_one::<String>("topic").map(String::as_str) {
        Some(CONFIGURATION) => include_str!("../help/configuration.txt").to_owned(),
        Some(name) => {
            grammar.build();
            grammar.find_subcommand_mut(name).map(page).unwrap_or_default()
        }
        None => page(grammar),
    }
}

fn page(command: &mut clap::Command) -> String {
    command.render_help().to_string()
}

fn grammar() -> clap::Command {
    let global = |arg: Arg| arg.global(true).help_heading("Global options");
    clap::Command::new("xtask")
        .bin_name("cargo xtask")
        .about("release the Python distributions of this repository")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .no_binary_name(true)
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .help_template("cargo xtask: {about}\n\n{usage-heading} {usage}\n\n{all-args}{after-help}")
        .override_usage("cargo xtask [OPTIONS] COMMAND ...")
        .after_help(include_str!("../help/overview.txt").trim_end())
        .subcommands(SUBCOMMANDS.iter().map(declared))
        .subcommand(help())
        .arg(global(
            Arg::new("root")
                .long("root")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .allow_hyphen_values(true)
                .help("The repository; by default the one around the current directory"),
        ))
        .arg(global(flag("quiet", "Print no progress").short('q').overrides_with("verbose")))
        .arg(global(flag("verbose", "Print every external command").short('v')))
        .arg(global(choice(
            "color",
            Color::ALL,
            "When to print in colour (default: auto, on a terminal)",
        )))
        .arg(global(
            Arg::new("help")
                .long("help")
                .short('h')
                .action(ArgAction::Help)
                .help("Print this page"),
        ))
        .arg(global(
            Arg::new("version")
                .long("version")
                .short('V')
                .action(ArgAction::Version)
                .help("Print the version of this tool"),
        ))
}

fn declared(subcommand: &Subcommand) -> clap::Command {
    let Subcommand { name, about, usage, notes, arguments, .. } = *subcommand;
    let page = "{about}\n\n{usage-heading} {usage}\n\n{all-args}{after-help}";
    let command = clap::Command::new(name)
        .about(about)
        .help_template(format!("cargo xtask {name}: {page}"))
        .after_help(notes.trim_end())
        .args_override_self(true)
        .args(arguments());
    if let Some(usage) = usage { command.override_usage(usage) } else { command }
}

fn help() -> clap::Command {
    let topics =
        SUBCOMMANDS.iter().map(|subcommand| subcommand.name).chain(["help", CONFIGURATION]);
    clap::Command::new("help").about("print the help of a command, or `help configuration`").arg(
        Arg::new("topic")
            .value_name("TOPIC")
            .value_parser(PossibleValuesParser::new(topics))
            .hide_possible_values(true)
            .help("A command or `configuration`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Invocation, Usage> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[track_caller]
    fn command(line: &str) -> Command {
        typed(line).unwrap_or_else(|usage| panic!("{line}: {}", usage.message)).command
    }

    #[track_caller]
    fn page(line: &str) -> String {
        let Command::Print(page) = command(line) else { panic!("{line} prints no page") };
        page
    }

    #[test]
    fn the_grammar_is_consistent() {
        grammar().debug_assert();
    }

    #[test]
    fn global_flags_may_be_anywhere() {
        for line in ["--root x status --json", "status --root x --json", "status --json --root=x"] {
            let invocation = typed(line).unwrap();
            assert_eq!(invocation.root.as_deref(), Some(std::path::Path::new("x")));
            assert!(matches!(
                invocation.command,
                Command::Status(StatusOptions { json: true, .. })
            ));
        }
        let loud = typed("-v status --color never").unwrap();
        assert_eq!((loud.verbosity, loud.color), (Verbosity::Verbose, Color::Never));
        assert_eq!(typed("status -q").unwrap().verbosity, Verbosity::Quiet);
        assert_eq!(typed("status").unwrap().verbosity, Verbosity::Normal);
    }

    #[test]
    fn flags_are_read() {
        let Command::Release(options) = command(
            "release core --until staged runner --jobs 2 --yes --wheels w --json --restage --yes",
        ) else {
            panic!("not a release");
        };
        assert_eq!(options.targets, ["core", "runner"]);
        assert_eq!(options.until, domain::release::stage::Until::Staged);
        assert_eq!((options.jobs, options.wheels), (Some(2), Some("w".into())));
        assert!(options.yes && options.json && options.restage);
        assert!(!(options.dry_run || options.rehearse || options.notes || options.github));

        let Command::Bump(options) =
            command("bump core --dependents none --ranges=fit 1.0 -- --odd - --commit")
        else {
            panic!("not a bump");
        };
        assert_eq!(options.words, ["core", "1.0", "--odd", "-", "--commit"]);
        assert_eq!(options.ranges, Some(domain::policy::RangePolicy::Fit));
        assert_eq!(options.dependents, Some(domain::policy::DependentsPolicy::None));
        assert!(!options.commit);

        let Command::New(options) = command("new a --needs b,c --needs d --online") else {
            panic!("not a new");
        };
        assert_eq!((options.name.as_str(), options.template.as_str()), ("a", "library"));
        assert_eq!(options.needs.unwrap(), ["b", "c", "d"]);
        let Command::New(options) = command("new a --needs=") else { panic!("not a new") };
        assert_eq!(options.needs, Some(Vec::new()));

        let Command::Release(options) = command("release all") else { panic!("not a release") };
        assert!(options.targets.is_empty());
    }

    #[test]
    fn wrong_usage_says_what_to_type() {
        for (line, message, hint) in REFUSED {
            let usage = typed(line).unwrap_err();
            assert_eq!((usage.message.as_str(), usage.hint.as_str()), (*message, *hint));
        }
    }

    const REFUSED: &[(&str, &str, &str)] = &[
        ("relase", "unknown command `relase`", "did you mean `cargo xtask release`?"),
        ("xyzzy", "unknown command `xyzzy`", "`cargo xtask --help` lists the commands"),
        ("release all --rehearsal", "unknown flag `--rehearsal`", "did you mean `--rehearse`?"),
        ("bump core --dry", "unknown flag `--dry`", "did you mean `--dry-run`?"),
        ("status -x", "unknown flag `-x`", "`cargo xtask status --help` lists arguments and flags"),
        ("--json", "unknown flag `--json`", "`cargo xtask --help` lists arguments and flags"),
        (
            "status core",
            "unexpected argument `core`",
            "`cargo xtask status --help` lists arguments and flags",
        ),
        (
            "release all --until tested",
            "invalid value `tested` for `--until`: expected `built`, `staged` or `published`",
            "`cargo xtask release --help` lists arguments and flags",
        ),
        (
            "bump all --ranges",
            "missing value for `--ranges`: expected `align` or `fit`",
            "`cargo xtask bump --help` lists arguments and flags",
        ),
        (
            "status --root",
            "missing value for `--root`",
            "`cargo xtask status --help` lists arguments and flags",
        ),
        (
            "release all --jobs 0",
            "invalid value `0` for `--jobs`: expected a number of at least 1",
            "`cargo xtask release --help` lists arguments and flags",
        ),
        (
            "status --json=1",
            "unexpected value `1` for `--json`",
            "`cargo xtask status --help` lists arguments and flags",
        ),
        ("new", "missing argument `NAME`", "`cargo xtask new --help` shows examples"),
        ("embed", "missing argument `DIR`", "`cargo xtask embed --help` shows examples"),
        (
            "release --yes",
            "missing target",
            "`cargo xtask release all` releases every distribution",
        ),
        (
            "release core all",
            "`all` cannot be combined with other targets",
            "pass either `all` or the names",
        ),
        (
            "help configurations",
            "invalid value `configurations` for `TOPIC`: expected `status`, `check`, `graph`, \
             `bump`, `release`, `new`, `sync`, `embed`, `test`, `help` or `configuration`",
            "did you mean `configuration`?",
        ),
    ];

    #[cfg(unix)]
    #[test]
    fn only_paths_may_be_other_than_utf_8() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(vec![b'x', 0xff]);
        let parsed = parse(["status".into(), "--root".into(), odd.clone()]).unwrap();
        assert_eq!(parsed.root, Some(PathBuf::from(&odd)));
        let usage = parse(["release".into(), odd]).unwrap_err();
        assert_eq!(usage.message, "an argument is not valid UTF-8");
    }

    #[test]
    fn every_command_has_its_help() {
        let overview = page("");
        for spelling in ["--help", "-h", "help"] {
            assert_eq!(page(spelling), overview);
        }
        for name in SUBCOMMANDS.iter().map(|subcommand| subcommand.name) {
            let page = page(&format!("{name} --help"));
            assert_eq!(page, self::page(&format!("help {name}")));
            assert!(page.starts_with(&format!("cargo xtask {name}: ")), "{name}");
            let example = page.split("\nExample").nth(1).unwrap_or_default();
            assert!(example.contains(&format!("\n  cargo xtask {name}")), "{name} has no example");
            assert!(overview.contains(&format!("\n  {name} ")), "{name} is not in the overview");
            assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
        }
        assert!(page("help configuration").contains("[tool.xtask]"));
        assert!(page("help help").contains("[TOPIC]"));
        for line in ["--version", "-V", "status --version"] {
            assert_eq!(page(line), format!("xtask {}", env!("CARGO_PKG_VERSION")));
        }
    }
}
