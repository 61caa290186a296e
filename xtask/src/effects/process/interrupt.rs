//! Ctrl-C and SIGTERM during a release: one line says what is published, the children end, and so
//! does this process.
//!
//! Must not know how a release gets that far.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::ExitStatus;
use crate::ui::output;

/// The exit code of a run that Ctrl-C has ended before anything was published, by custom.
const INTERRUPTED: i32 = 130;

/// How long children have to end by themselves; git removes its locks meanwhile.
const GRACE: Duration = Duration::from_secs(3);

/// The published and the unpublished part of a release, by name and version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) published: Vec<String>,
    pub(crate) unpublished: Vec<String>,
}

static STANDING: Mutex<Standing> =
    Mutex::new(Standing { published: Vec::new(), unpublished: Vec::new() });

static IS_INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Ends this process as described above once it is interrupted, from now on.
///
/// # Errors
/// The system does not allow it.
pub(crate) fn watch() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // The second one does not wait for anything.
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&IS_INTERRUPTED))
            .and_then(|_| flag::register(signal, Arc::clone(&IS_INTERRUPTED)))
            .context("cannot watch for signals")?;
    }
    thread::spawn(|| {
        while !IS_INTERRUPTED.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        end()
    });
    Ok(())
}

/// Notes what an interrupted run is to say from now on.
pub(crate) fn stand(standing: Standing) {
    *STANDING.lock().unwrap_or_else(PoisonError::into_inner) = standing;
}

/// Returns, unless this run is interrupted: then it ends while the caller waits. Nothing is started
/// and nothing is reported any more.
pub(crate) fn hold() {
    while IS_INTERRUPTED.load(Ordering::Relaxed) {
        thread::sleep(GRACE);
    }
}

fn end() -> ! {
    let standing = STANDING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (line, code) = last_line(&standing);
    output::last_line(&line);
    end_children();
    std::process::exit(code)
}

/// The last words of a run, and the exit code.
fn last_line(Standing { published, unpublished }: &Standing) -> (String, i32) {
    if published.is_empty() {
        return ("interrupted; nothing of this release is published".to_owned(), INTERRUPTED);
    }
    let mut line = format!("interrupted; published: {}", published.join(", "));
    if !unpublished.is_empty() {
        line += &format!("; not published: {}", unpublished.join(", "));
    }
    (line + "; the same command again continues", ExitStatus::Interrupted as i32)
}

/// Ends everything that this process has started, directly or not. A child that is
/// shut in, and one that watches its standard input, would end with this process in any case.
fn end_children() {
    let start = Instant::now();
    signal("-TERM", &descendants());
    while !descendants().is_empty() && start.elapsed() < GRACE {
        thread::sleep(Duration::from_millis(50));
    }
    signal("-KILL", &descendants());
}

fn signal(signal: &str, processes: &[u32]) {
    if processes.is_empty() {
        return;
    }
    // Built into every shell; the program of this name is not everywhere.
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill \"$@\" 2>/dev/null", "sh", signal]);
    // Some of them may have ended already.
    let _ = kill.args(processes.iter().map(u32::to_string)).status();
}

/// The processes below this one that have not ended.
fn descendants() -> Vec<u32> {
    let all = processes();
    let mut found = vec![std::process::id()];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        at += 1;
    }
    found.split_off(1)
}

/// Every process with its parent, but for those that nobody has waited for.
fn processes() -> Vec<(u32, u32)> {
    let listed = fs::read_dir("/proc").map(|entries| {
        let stats = entries.flatten().filter_map(|entry| {
            let process = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in parentheses may hold anything.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?;
            Some((process, fields.next()?.parse().ok()?)).filter(|_| state != "Z")
        });
        stats.collect()
    });
    match listed {
        Ok(listed) => listed,
        Err(_) => listed_by_ps().unwrap_or_default(),
    }
}

fn listed_by_ps() -> Option<Vec<(u32, u32)>> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let fields = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let living = fields.filter(|fields| fields.get(2).is_some_and(|state| !state.starts_with('Z')));
    Some(
        living
            .filter_map(|fields| Some((fields[0].parse().ok()?, fields[1].parse().ok()?)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line() {
        let said = |published: &[&str], unpublished: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            last_line(&Standing { published: owned(published), unpublished: owned(unpublished) })
        };
        let nothing = "interrupted; nothing of this release is published";
        assert_eq!(said(&[], &["a 1"]), (nothing.to_owned(), 130));
        let (line, code) = said(&["a 1"], &["b 1", "c 1"]);
        assert!(line.starts_with("interrupted; published: a 1; not published: b 1, c 1; "));
        assert_eq!(code, 3);
    }

    #[cfg(unix)]
    #[test]
    fn children_and_theirs_end() {
        let mut child = Command::new("sh").args(["-c", "sleep 60 & sleep 61"]).spawn().unwrap();
        let below = || {
            let all = processes();
            let own = all.iter().filter(|(_, parent)| *parent == child.id());
            own.map(|(process, _)| *process).collect::<Vec<_>>()
        };
        while below().len() < 2 {
            thread::sleep(Duration::from_millis(10));
        }
        let found = descendants();
        assert!(found.contains(&child.id()) && below().iter().all(|one| found.contains(one)));
        let mut ended = below();
        ended.push(child.id());
        signal("-KILL", &ended);
        child.wait().unwrap();
        // Their new parent may take a while to wait for them.
        let end = Instant::now() + Duration::from_secs(10);
        while processes().iter().any(|(process, _)| ended.contains(process)) {
            assert!(Instant::now() < end, "one of {ended:?} is still there");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
