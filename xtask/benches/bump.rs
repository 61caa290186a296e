//! A repository of 1,000 and one of 5,000 distributions (20,000 ranges) on a disk: `status`, and
//! planning and writing a bump of the distribution that all others need.
//!
//! `cargo bench --bench bump` fails when 5,000 take longer or more memory than this tool promises,
//! or when time does not grow with the number of distributions alone. It takes the time on the
//! clock, the best of five, so it needs a machine that is doing nothing else.

mod monorepo;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STATUS: &[&str] = &["status"];
const PLAN: &[&str] = &["bump", "p0", "minor", "--dry-run", "--json"];
const WRITE: &[&str] = &["bump", "p0", "minor", "--yes"];

const RUNS: usize = 5;

fn main() {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bump-{}", std::process::id()));
    let small = measure(&base, 1_000);
    let large = measure(&base, 5_000);
    fs::remove_dir_all(&base).unwrap();
    let growth = large.plan.as_secs_f64() / small.plan.as_secs_f64();
    println!("growth of planning from 1,000 to 5,000: {growth:.1} times");
    let mut broken = Vec::new();
    let mut promise = |what: &str, kept: bool| {
        if !kept {
            broken.push(what.to_owned());
        }
    };
    promise("a bump is planned in 0.3 s", large.plan <= Duration::from_millis(300));
    promise("it is planned and written in 1 s", large.write < Duration::from_secs(1));
    promise("status takes 0.5 s", large.status <= Duration::from_millis(500));
    promise("50 MB of memory suffice", large.memory.is_none_or(|kilobytes| kilobytes <= 50_000));
    promise("time grows with the repository alone", growth < 7.0);
    assert!(broken.is_empty(), "not kept: {}", broken.join("; "));
}

struct Figures {
    status: Duration,
    plan: Duration,
    write: Duration,
    /// Kilobytes; unknown where no Python tells.
    memory: Option<u64>,
}

fn measure(base: &Path, count: usize) -> Figures {
    // One for each run that writes, and none is deleted in between: for minutes, ext4 looks past
    // what was deleted one by one, which is a measure of what ran before.
    let roots: Vec<PathBuf> = (0..RUNS).map(|run| base.join(format!("{count}-{run}"))).collect();
    roots.iter().for_each(|root| generate(root, count));
    // What has been made is not to be written out while the clock runs.
    let _ = Command::new("sync").status();
    let best = |arguments| roots.iter().map(|root| timed(root, arguments)).min().unwrap();
    let memory = [STATUS, PLAN].map(|arguments| memory(&roots[0], arguments));
    let status = best(STATUS);
    let plan = best(PLAN);
    let write = best(WRITE);
    let memory = memory.into_iter().max().flatten();
    println!(
        "{count} distributions: status {status:.0?}, plan {plan:.0?}, plan and write {write:.2?}, {} kB",
        memory.map_or("?".to_owned(), |kilobytes| kilobytes.to_string())
    );
    Figures { status, plan, write, memory }
}

fn tool(root: &Path, arguments: &[&str]) -> Vec<String> {
    let tool = env!("CARGO_BIN_EXE_xtask");
    let root = root.to_str().unwrap();
    [tool].iter().chain(arguments).chain(&["--root", root]).map(|word| word.to_string()).collect()
}

fn timed(root: &Path, arguments: &[&str]) -> Duration {
    let words = tool(root, arguments);
    let start = Instant::now();
    let status = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::null()).status().unwrap();
    let time = start.elapsed();
    assert!(status.success());
    time
}

/// The most memory that a run has used. Rust's library does not tell, Python's does.
fn memory(root: &Path, arguments: &[&str]) -> Option<u64> {
    let code = "import resource, subprocess, sys\n\
                subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n\
                print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    // Elsewhere the number is in other units, or not told.
    if !cfg!(target_os = "linux") {
        return None;
    }
    let mut python = Command::new("python3");
    python.args(["-I", "-c", code]).args(tool(root, arguments)).stderr(Stdio::inherit());
    String::from_utf8(python.output().ok()?.stdout).ok()?.trim().parse().ok()
}

fn generate(root: &Path, count: usize) {
    for (path, text) in monorepo::files(count) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
