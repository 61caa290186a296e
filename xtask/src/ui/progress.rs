//! Progress of long work: live lines on a terminal, one plain line per finished stage elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::ui::{Style, paint};

/// Shows what is being done and what is finished, on standard error.
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
    /// A live line stands on the screen and has to be wiped before anything else is written.
    drawn: bool,
    over: bool,
}

impl Progress {
    pub(crate) fn start() -> Progress {
        let live = std::io::stderr().is_terminal() && !super::in_github_actions();
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

    /// A line of its own, at once.
    pub(crate) fn say(&self, line: &str) {
        let mut screen = self.shared.screen();
        screen.wipe();
        eprintln!("{line}");
    }

    /// Does `work`, shown as running until it returns; returns its result and the seconds it took.
    pub(crate) fn during<T>(&self, what: &str, work: impl FnOnce() -> T) -> (T, f64) {
        let start = Instant::now();
        self.shared.screen().running.push((what.to_owned(), start));
        let result = work();
        let mut screen = self.shared.screen();
        if let Some(at) = screen.running.iter().position(|(running, _)| running == what) {
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
    /// A panic elsewhere must not silence the progress of what goes on.
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
            .map(|(what, since)| format!("{what} {:.0} s", since.elapsed().as_secs_f64()))
            .collect();
        // One line only: a wrapped one could not be wiped.
        let line: String = format!("  … {}", parts.join("  ")).chars().take(78).collect();
        eprint!("{}", paint(Style::Faint, &line));
        let _ = std::io::stderr().flush();
        screen.drawn = true;
    }
}

impl Screen {
    fn wipe(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprint!("\r\x1b[2K");
        }
    }
}
