//! SIGKILL at the effects of a release, and the same command again. A table is printed.
//!
//! By default one release of one distribution is killed again and again on its way. With
//! `XTASK_TEST_FULL=1` a release of three is killed at every effect, each on its own.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use crate::indexes::{Fault, On, Stubs};
use crate::support::{Repo, Run};
use crate::wrapped::{Moment, Plan, Traced, Wrapped};

const COMMAND: &str = "release all --yes --jobs 1";
const VERSIONS: [&str; 3] = ["core-2.3.0", "runner-1.5.0", "app-2.3.0"];

/// Where the tool is killed.
#[derive(Clone, Debug)]
enum Point {
    /// At a command that it starts. Only the tool dies.
    Command(String, Moment),
    /// At an upload, counted from 0. Everything dies, as when the power fails.
    Upload { to_index: bool, at: usize, stored: bool },
}

impl Point {
    fn moment(&self) -> String {
        match self {
            Point::Command(_, moment) => format!("{moment:?}").to_lowercase(),
            Point::Upload { stored: false, .. } => "before storing".to_owned(),
            Point::Upload { stored: true, .. } => "after storing".to_owned(),
        }
    }
}

/// A release that can be killed.
struct Victim {
    repo: Repo,
    stubs: Stubs,
    wrapped: Wrapped,
}

impl Victim {
    fn new(repo: Repo) -> Victim {
        let (stubs, wrapped) = (Stubs::open(&repo), Wrapped::beside(&repo));
        Victim { repo, stubs, wrapped }
    }

    fn run(&self, plan: Plan) -> Run {
        let run = self.wrapped.start(&self.repo, COMMAND, plan);
        self.stubs.staging.aims_at(run.id());
        self.stubs.index.aims_at(run.id());
        run.finish()
    }

    /// Runs it until the point comes; what there is then.
    #[track_caller]
    fn killed_at(&self, point: &Point) -> String {
        let plan = match point {
            Point::Command(words, moment) => Plan::Kill(words.clone(), *moment),
            Point::Upload { to_index, at, stored } => {
                let stub = if *to_index { &self.stubs.index } else { &self.stubs.staging };
                stub.fail_after(*at, On::Upload(""), 1, Fault::Kill { stored: *stored });
                Plan::Nothing
            }
        };
        let run = self.run(plan);
        assert_eq!(run.code, None, "{point:?}: nobody killed {run}");
        let (staged, published) = (self.stubs.staging.files(), self.stubs.index.files());
        let tags = self.repo.remote_tags().len();
        format!("{} staged, {} published, {tags} tagged", staged.len(), published.len())
    }

    #[track_caller]
    fn converges(&self, versions: &[&str]) {
        self.run(Plan::Nothing).ok();
        self.stubs.have_once(&self.repo, versions);
    }
}

fn heading() {
    println!("{:60} {:14} at the kill", "kill point", "");
}

/// Each run gets a little further than the one before.
#[test]
fn a_release_killed_repeatedly_still_completes() {
    let command = |words: &str, moment| Point::Command(words.to_owned(), moment);
    let upload = |to_index, at, stored| Point::Upload { to_index, at, stored };
    let points = [
        command("checkout --quiet --detach", Moment::After),
        command("-m build", Moment::During),
        command("-m build", Moment::After),
        upload(false, 0, true),
        command("--repository testpypi", Moment::During),
        upload(true, 0, false),
        upload(true, 0, true),
        upload(true, 0, true),
        command("tag --annotate --message core 2.3.0", Moment::After),
        command("push --no-follow-tags", Moment::During),
    ];
    let victim = Victim::new(Repo::new().package("core", "2.3.0").commit());
    heading();
    for point in points {
        let standing = victim.killed_at(&point);
        let name = match &point {
            Point::Command(words, _) => words.clone(),
            Point::Upload { .. } => "an upload".to_owned(),
        };
        println!("{name:60} {:14} {standing}", point.moment());
    }
    victim.converges(&VERSIONS[..1]);
}

fn three() -> Repo {
    Repo::new()
        .package("core", "2.3.0")
        .package("runner", "1.5.0: core>=2.3,<3")
        .package("app", "2.3.0: runner>=1.5,<2")
        .commit()
}

#[test]
fn a_release_killed_at_any_effect_is_finished_by_the_same_command() {
    if std::env::var_os("XTASK_TEST_FULL").is_none() {
        eprintln!("skipped: XTASK_TEST_FULL is not set");
        return;
    }
    let undisturbed = Victim::new(three());
    let commands = undisturbed.wrapped.trace(&undisturbed.repo, COMMAND);
    undisturbed.stubs.have_once(&undisturbed.repo, &VERSIONS);

    let points = every_point(&commands);
    let waiting = Mutex::new(points.into_iter());
    let failures = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap().next();
    let work = || {
        while let Some((name, point)) = next() {
            let moment = point.moment();
            let outcome = thread::spawn(move || {
                let victim = Victim::new(three());
                let standing = victim.killed_at(&point);
                victim.converges(&VERSIONS);
                standing
            });
            let outcome = outcome.join().map_or_else(
                |panic| {
                    let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                    failures.lock().unwrap().push(format!("{name} {moment}\n{why}"));
                    "DOES NOT CONVERGE".to_owned()
                },
                |standing| format!("{standing}; again: done"),
            );
            println!("{name:60} {moment:14} {outcome}");
        }
    };
    heading();
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Every command, before and after, and in the middle where it changes something; and every
/// upload. A kill that leaves the world as another one does is not tried again.
fn every_point(commands: &[Traced]) -> Vec<(String, Point)> {
    let (mut points, mut seen, mut uploads) = (Vec::new(), BTreeSet::new(), 0);
    for (at, command) in commands.iter().enumerate() {
        let mut add = |moment| {
            let point = Point::Command(format!("#{} ", at + 1), moment);
            points.push((format!("{:3} {}", at + 1, shown(&command.call)), point));
        };
        let sends = command.call.contains("upload.py ");
        if seen.insert((&command.before, uploads)) {
            add(Moment::Before);
        }
        let Some(after) = &command.after else {
            add(Moment::During);
            uploads += usize::from(sends);
            continue;
        };
        if command.before != *after {
            add(Moment::During);
        }
        if seen.insert((after, uploads)) {
            add(Moment::After);
        }
    }
    for (to_index, index) in [(false, "staging"), (true, "the index")] {
        for (at, stored) in (0..2 * VERSIONS.len()).flat_map(|at| [(at, false), (at, true)]) {
            let point = Point::Upload { to_index, at, stored };
            points.push((format!("    upload {} to {index}", at + 1), point));
        }
    }
    points
}

/// What a command is for, without the paths in it.
fn shown(call: &str) -> String {
    let words = call.split(' ').filter(|word| !word.starts_with('-') && *word != "utf8");
    let short = words.map(|word| word.rsplit('/').next().unwrap_or(word));
    short.take(6).collect::<Vec<_>>().join(" ").chars().take(56).collect()
}
