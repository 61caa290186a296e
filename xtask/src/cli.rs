//! What was typed: arguments become one value, wrong ones a sentence and a hint.

use std::ffi::OsString;
use std::path::PathBuf;

use domain::policy::{DependentsPolicy, RangePolicy};
use domain::release::plan::Until;
use domain::text::toml::nearest;
use lexopt::{Arg, Parser, ValueExt};

/// One run of the tool.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// `--root DIR`; the repository around the current directory where it is missing.
    pub(crate) root: Option<PathBuf>,
    pub(crate) command: Command,
}

#[derive(Debug)]
pub(crate) enum Command {
    /// A page of help, to be printed.
    Help(&'static str),
    Status(StatusOptions),
    Check(CheckOptions),
    Graph(GraphOptions),
    Bump(BumpOptions),
    Release(ReleaseOptions),
    Test(TestOptions),
    New(NewOptions),
    Sync(SyncOptions),
    Embed(EmbedOptions),
}

#[derive(Debug)]
pub(crate) struct NewOptions {
    pub(crate) name: String,
    /// A folder of `pyproject-templates/`.
    pub(crate) template: String,
    /// Distributions that it needs, as typed; `None` leaves it to the template.
    pub(crate) needs: Option<Vec<String>>,
    /// Ask the indexes whether the name is free.
    pub(crate) online: bool,
}

#[derive(Debug, Default)]
pub(crate) struct SyncOptions {
    pub(crate) check: bool,
}

#[derive(Debug, Default)]
pub(crate) struct EmbedOptions {
    /// The repository that gets the tool.
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Default)]
pub(crate) struct StatusOptions {
    pub(crate) json: bool,
    /// Ask the indexes too.
    pub(crate) online: bool,
}

#[derive(Debug, Default)]
pub(crate) struct CheckOptions {
    pub(crate) json: bool,
    /// Mend what can be mended with certainty.
    pub(crate) fix: bool,
    /// Explain the rules instead.
    pub(crate) list: bool,
}

#[derive(Debug, Default)]
pub(crate) struct GraphOptions {
    pub(crate) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum GraphFormat {
    #[default]
    Tree,
    Mermaid,
    Dot,
    Json,
}

#[derive(Debug, Default)]
pub(crate) struct BumpOptions {
    /// Targets and a change, in the order typed; which is which is told by looking at the
    /// repository.
    pub(crate) words: Vec<String>,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
    pub(crate) commit: bool,
    pub(crate) yes: bool,
    pub(crate) ranges: Option<RangePolicy>,
    pub(crate) dependents: Option<DependentsPolicy>,
}

#[derive(Debug, Default)]
pub(crate) struct ReleaseOptions {
    /// Empty stands for `all`.
    pub(crate) targets: Vec<String>,
    pub(crate) dry_run: bool,
    pub(crate) rehearse: bool,
    /// Stage a version that staging has burnt as a post-release.
    pub(crate) restage: bool,
    pub(crate) until: Until,
    pub(crate) yes: bool,
    pub(crate) json: bool,
    /// Print what the changelogs say about what was released.
    pub(crate) notes: bool,
    /// Make releases of the tags on GitHub, with those notes.
    pub(crate) github: bool,
    /// A folder of wheels that other machines built of the same commit.
    pub(crate) wheels: Option<PathBuf>,
    /// Builds and smoke tests at the same time; `None` means one for every core.
    pub(crate) jobs: Option<usize>,
}

#[derive(Debug, Default)]
pub(crate) struct TestOptions {
    pub(crate) rust: bool,
    pub(crate) python: bool,
}

/// Wrong usage: the sentence, and what to type instead.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// The subcommands with their help pages.
const COMMANDS: [(&str, &str); 9] = [
    ("status", include_str!("help/status.txt")),
    ("check", include_str!("help/check.txt")),
    ("graph", include_str!("help/graph.txt")),
    ("bump", include_str!("help/bump.txt")),
    ("release", include_str!("help/release.txt")),
    ("new", include_str!("help/new.txt")),
    ("sync", include_str!("help/sync.txt")),
    ("embed", include_str!("help/embed.txt")),
    ("test", include_str!("help/test.txt")),
];

/// What is no command, for `cargo xtask help TOPIC`.
const CONFIGURATION: &str = include_str!("help/configuration.txt");

const OVERVIEW: &str = include_str!("help/overview.txt");

/// Reads the arguments behind the program's name.
///
/// # Errors
/// What was typed is no command line of this tool.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, Usage> {
    let mut line = Line { parser: Parser::from_args(arguments), root: None, page: OVERVIEW };
    let command = match line.command() {
        Ok(command) => command,
        Err(Stop::Help) => Command::Help(line.page),
        Err(Stop::Usage(usage)) => return Err(usage),
    };
    Ok(Invocation { root: line.root, command })
}

/// Why reading the arguments ended early.
enum Stop {
    Help,
    Usage(Usage),
}

impl Stop {
    fn usage(message: impl Into<String>, hint: impl Into<String>) -> Stop {
        Stop::Usage(Usage { message: message.into(), hint: hint.into() })
    }
}

/// One argument, without what it borrows from the parser.
enum Word {
    Flag(String),
    Value(String),
}

struct Line {
    parser: Parser,
    root: Option<PathBuf>,
    /// The help page of what has been understood so far.
    page: &'static str,
}

impl Line {
    fn command(&mut self) -> Result<Command, Stop> {
        let name = match self.next()? {
            None => return Err(Stop::Help),
            Some(Word::Flag(flag)) => return Err(self.unknown_flag(&flag, &[])),
            Some(Word::Value(name)) if name == "help" => match self.next()? {
                Some(Word::Value(name)) => {
                    self.page = if name == "configuration" { CONFIGURATION } else { page(&name)? };
                    return Err(Stop::Help);
                }
                _ => return Err(Stop::Help),
            },
            Some(Word::Value(name)) => name,
        };
        self.page = page(&name)?;
        match name.as_str() {
            "status" => self.status(),
            "check" => self.check(),
            "graph" => self.graph(),
            "bump" => self.bump(),
            "release" => self.release(),
            "new" => self.new_distribution(),
            "sync" => self.sync(),
            "embed" => self.embed(),
            _ => self.test(),
        }
    }

    fn status(&mut self) -> Result<Command, Stop> {
        let mut options = StatusOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Flag(flag) if flag == "json" => options.json = true,
                Word::Flag(flag) if flag == "online" => options.online = true,
                other => return Err(self.unexpected(other, &["json", "online"])),
            }
        }
        Ok(Command::Status(options))
    }

    fn check(&mut self) -> Result<Command, Stop> {
        let mut options = CheckOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Flag(flag) if flag == "json" => options.json = true,
                Word::Flag(flag) if flag == "fix" => options.fix = true,
                Word::Flag(flag) if flag == "list" => options.list = true,
                other => return Err(self.unexpected(other, &["json", "fix", "list"])),
            }
        }
        Ok(Command::Check(options))
    }

    fn graph(&mut self) -> Result<Command, Stop> {
        let mut options = GraphOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Flag(flag) if flag == "format" => {
                    options.format =
                        match self.one_of("--format", &["tree", "mermaid", "dot", "json"])? {
                            "tree" => GraphFormat::Tree,
                            "mermaid" => GraphFormat::Mermaid,
                            "dot" => GraphFormat::Dot,
                            _ => GraphFormat::Json,
                        }
                }
                other => return Err(self.unexpected(other, &["format"])),
            }
        }
        Ok(Command::Graph(options))
    }

    fn bump(&mut self) -> Result<Command, Stop> {
        const FLAGS: [&str; 6] = ["dry-run", "json", "commit", "yes", "ranges", "dependents"];
        let mut options = BumpOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Value(word) => options.words.push(word),
                Word::Flag(flag) => match flag.as_str() {
                    "dry-run" => options.dry_run = true,
                    "json" => options.json = true,
                    "commit" => options.commit = true,
                    "yes" => options.yes = true,
                    "ranges" => {
                        let words = RangePolicy::ALL.map(RangePolicy::word);
                        options.ranges = self.one_of("--ranges", &words)?.parse().ok();
                    }
                    "dependents" => {
                        let words = DependentsPolicy::ALL.map(DependentsPolicy::word);
                        options.dependents = self.one_of("--dependents", &words)?.parse().ok();
                    }
                    _ => return Err(self.unknown_flag(&flag, &FLAGS)),
                },
            }
        }
        Ok(Command::Bump(options))
    }

    fn release(&mut self) -> Result<Command, Stop> {
        const FLAGS: [&str; 10] = [
            "dry-run", "rehearse", "restage", "until", "yes", "json", "jobs", "wheels", "notes",
            "github",
        ];
        let mut options = ReleaseOptions::default();
        let mut all = false;
        while let Some(word) = self.next()? {
            match word {
                Word::Value(target) if target == "all" => all = true,
                Word::Value(target) => options.targets.push(target),
                Word::Flag(flag) => match flag.as_str() {
                    "dry-run" => options.dry_run = true,
                    "rehearse" => options.rehearse = true,
                    "restage" => options.restage = true,
                    "yes" => options.yes = true,
                    "notes" => options.notes = true,
                    "github" => options.github = true,
                    "json" => options.json = true,
                    "jobs" => options.jobs = Some(self.jobs()?),
                    "wheels" => options.wheels = Some(self.value()?.into()),
                    "until" => {
                        options.until =
                            match self.one_of("--until", &["built", "staged", "published"])? {
                                "built" => Until::Built,
                                "staged" => Until::Staged,
                                _ => Until::Published,
                            }
                    }
                    _ => return Err(self.unknown_flag(&flag, &FLAGS)),
                },
            }
        }
        match (all, options.targets.is_empty()) {
            (false, true) => Err(Stop::usage(
                "`release` needs to know what to release",
                "cargo xtask release all, or the names of distributions",
            )),
            (true, false) => Err(Stop::usage(
                "`all` leaves nothing to be named beside it",
                "type `all` or names",
            )),
            _ => Ok(Command::Release(options)),
        }
    }

    fn new_distribution(&mut self) -> Result<Command, Stop> {
        const FLAGS: [&str; 3] = ["template", "needs", "online"];
        let (mut name, mut template) = (None, "library".to_owned());
        let (mut needs, mut online) = (None, false);
        while let Some(word) = self.next()? {
            match word {
                Word::Value(word) if name.is_none() => name = Some(word),
                Word::Flag(flag) if flag == "template" => template = self.value()?,
                Word::Flag(flag) if flag == "needs" => {
                    let typed = self.value()?;
                    let names = typed.split(',').filter(|name| !name.is_empty());
                    needs.get_or_insert_with(Vec::new).extend(names.map(str::to_owned));
                }
                Word::Flag(flag) if flag == "online" => online = true,
                other => return Err(self.unexpected(other, &FLAGS)),
            }
        }
        let name = name.ok_or_else(|| {
            Stop::usage("`new` needs a name", "cargo xtask new NAME --template library")
        })?;
        Ok(Command::New(NewOptions { name, template, needs, online }))
    }

    fn sync(&mut self) -> Result<Command, Stop> {
        let mut options = SyncOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Flag(flag) if flag == "check" => options.check = true,
                other => return Err(self.unexpected(other, &["check"])),
            }
        }
        Ok(Command::Sync(options))
    }

    fn embed(&mut self) -> Result<Command, Stop> {
        let mut dir = None;
        while let Some(word) = self.next()? {
            match word {
                Word::Value(word) if dir.is_none() => dir = Some(PathBuf::from(word)),
                other => return Err(self.unexpected(other, &[])),
            }
        }
        let dir = dir.ok_or_else(|| {
            Stop::usage(
                "`embed` needs the other repository",
                "cargo xtask embed ../other-repository",
            )
        })?;
        Ok(Command::Embed(EmbedOptions { dir }))
    }

    fn test(&mut self) -> Result<Command, Stop> {
        let mut options = TestOptions::default();
        while let Some(word) = self.next()? {
            match word {
                Word::Flag(flag) if flag == "rust" => options.rust = true,
                Word::Flag(flag) if flag == "python" => options.python = true,
                other => return Err(self.unexpected(other, &["rust", "python"])),
            }
        }
        Ok(Command::Test(options))
    }

    /// The next argument that is not `--root DIR`.
    fn next(&mut self) -> Result<Option<Word>, Stop> {
        loop {
            let word = match self.parser.next().map_err(|error| wrong(&error))? {
                None => return Ok(None),
                Some(Arg::Long("help") | Arg::Short('h')) => return Err(Stop::Help),
                Some(Arg::Long("root")) => {
                    self.root =
                        Some(PathBuf::from(self.parser.value().map_err(|error| wrong(&error))?));
                    continue;
                }
                Some(Arg::Long(flag)) => Word::Flag(flag.to_owned()),
                Some(Arg::Short(flag)) => Word::Flag(flag.to_string()),
                Some(Arg::Value(value)) => {
                    Word::Value(value.string().map_err(|error| wrong(&error))?)
                }
            };
            return Ok(Some(word));
        }
    }

    fn one_of(&mut self, flag: &str, allowed: &[&'static str]) -> Result<&'static str, Stop> {
        let value = self.value()?;
        allowed.iter().copied().find(|word| *word == value).ok_or_else(|| {
            Stop::usage(
                format!("`{flag} {value}` is not known"),
                format!("{flag} takes {}", allowed.join(" or ")),
            )
        })
    }

    fn jobs(&mut self) -> Result<usize, Stop> {
        let value = self.value()?;
        let jobs = value.parse().ok().filter(|&jobs| jobs > 0);
        jobs.ok_or_else(|| {
            Stop::usage(format!("`--jobs {value}` is no number of jobs"), "--jobs takes 1 or more")
        })
    }

    fn value(&mut self) -> Result<String, Stop> {
        let value = self.parser.value().map_err(|error| wrong(&error))?;
        value.string().map_err(|error| wrong(&error))
    }

    fn unexpected(&self, word: Word, known: &[&'static str]) -> Stop {
        match word {
            Word::Flag(flag) => self.unknown_flag(&flag, known),
            Word::Value(value) => Stop::usage(
                format!("`{value}` was not expected here"),
                "--help shows what this command takes",
            ),
        }
    }

    fn unknown_flag(&self, flag: &str, known: &[&'static str]) -> Stop {
        let dashes = if flag.chars().count() == 1 { "-" } else { "--" };
        let hint = match nearest(flag, known.iter().copied().chain(["root", "help"])) {
            Some(meant) => format!("did you mean `--{meant}`?"),
            None => "--help shows what this command takes".to_owned(),
        };
        Stop::usage(format!("`{dashes}{flag}` is not a flag of this command"), hint)
    }
}

fn wrong(error: &lexopt::Error) -> Stop {
    Stop::usage(error.to_string(), "--help shows what this command takes")
}

fn page(name: &str) -> Result<&'static str, Stop> {
    let known = COMMANDS.iter().find(|(known, _)| *known == name);
    known.map(|(_, page)| *page).ok_or_else(|| {
        let names = COMMANDS.map(|(name, _)| name);
        let hint = match nearest(name, names.into_iter()) {
            Some(meant) => format!("did you mean `cargo xtask {meant}`?"),
            None => format!("the commands are {}", names.join(", ")),
        };
        Stop::usage(format!("`{name}` is not a command"), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Invocation, Usage> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn root_may_stand_anywhere() {
        for line in ["--root x status --json", "status --root x --json", "status --json --root=x"] {
            let invocation = typed(line).unwrap();
            assert_eq!(invocation.root.as_deref(), Some(std::path::Path::new("x")));
            assert!(matches!(
                invocation.command,
                Command::Status(StatusOptions { json: true, .. })
            ));
        }
    }

    #[track_caller]
    fn refused(line: &str, message: &str, hint: &str) {
        let usage = typed(line).unwrap_err();
        assert_eq!((usage.message.as_str(), usage.hint.as_str()), (message, hint));
    }

    #[test]
    fn wrong_usage_says_what_to_type() {
        refused("relase", "`relase` is not a command", "did you mean `cargo xtask release`?");
        refused(
            "release all --rehearsal",
            "`--rehearsal` is not a flag of this command",
            "did you mean `--rehearse`?",
        );
        refused(
            "release all --until tested",
            "`--until tested` is not known",
            "--until takes built or staged or published",
        );
        refused(
            "release",
            "`release` needs to know what to release",
            "cargo xtask release all, or the names of distributions",
        );
    }

    #[test]
    fn every_command_has_its_help() {
        for (name, page) in COMMANDS {
            let Command::Help(shown) = typed(&format!("{name} --help")).unwrap().command else {
                panic!("{name} --help is no help");
            };
            assert_eq!(shown, page);
            assert!(page.starts_with(&format!("cargo xtask {name}")), "{name}");
            let example = page.split("\nExample").nth(1).unwrap_or_default();
            assert!(example.contains(&format!("\n  cargo xtask {name}")), "{name} has no example");
            assert!(OVERVIEW.contains(&format!("\n  {name} ")), "{name} is not in the overview");
        }
    }
}
