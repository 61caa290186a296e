//! Progress of long work: a live line on a terminal, one plain line per finished stage elsewhere,
//! nothing in a quiet run.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::ui::{self, Style, Verbosity, output, paint};

/// Shows on standard error which work is running and which is finished.
pub(crate) struct Progress {
    shared: Arc<ProgressState>,
    ticker: Option<JoinHandle<()>>,
}

struct ProgressState {
    live: bool,
    screen: Mutex<Screen>,
}

#[derive(Default)]
struct Screen {
    running: Vec<(String, Instant)>,
    /// A live line is on the screen and has to be wiped before anything else is written.
    drawn: bool,
    over: bool,
}

impl Progress {
    pub(crate) fn start() -> Progress {
        let live = ui::settings().1 != Verbosity::Quiet
            && std::io::stderr().is_terminal()
            && !ui::terminal_is_dumb()
            && !ui::in_github_actions();
        let shared = Arc::new(ProgressState { live, screen: Mutex::default() });
        let ticker = live.then(|| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                while !shared.screen().over {
                    shared.draw();
                    thread::sleep(Duration::from_millis(100));
                }
            })
        });
        Progress { shared, ticker }
    }

    /// Prints a line at once.
    pub(crate) fn say(&self, line: &str) {
        let mut screen = self.shared.screen();
        screen.wipe();
        ui::progress_line(line);
    }

    /// Does `work`, shown under `name` until it returns; returns its result and the seconds it took.
    pub(crate) fn during<T>(&self, name: &str, work: impl FnOnce() -> T) -> (T, f64) {
        let start = Instant::now();
        self.shared.screen().running.push((name.to_owned(), start));
        let result = work();
        let mut screen = self.shared.screen();
        if let Some(at) = screen.running.iter().position(|(running, _)| running == name) {
            screen.running.remove(at);
        }
        (result, start.elapsed().as_secs_f64())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        {
            let mut screen = self.shared.screen();
            screen.over = true;
            screen.wipe();
        }
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}

impl ProgressState {
    /// Locks the screen; a panic in one thread must not silence the progress of the others.
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self) {
        let mut screen = self.screen();
        screen.wipe();
        if screen.running.is_empty() || !self.live {
            return;
        }
        let running = screen.running.iter();
        let parts: Vec<String> = running
            .map(|(name, since)| format!("{name} {:.0} s", since.elapsed().as_secs_f64()))
            .collect();
        // A line that the terminal wraps could not be wiped.
        let line: String = format!("  … {}", parts.join("  ")).chars().take(78).collect();
        eprint!("{}", paint(Style::Faint, &line));
        let _ = std::io::stderr().flush();
        screen.drawn = true;
    }
}

impl Screen {
    fn wipe(&mut self) {
        if std::mem::take(&mut self.drawn) {
            output::control("\r\x1b[2K");
        }
    }
}
