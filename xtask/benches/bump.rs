//! A repository of 1,000 and one of 5,000 distributions (20,000 ranges): planning and writing a
//! bump of the one that most depend on, which all others follow.
//!
//! `cargo bench --bench bump` fails when 5,000 take a second of processor time, or when time does
//! not grow with the number of distributions alone. Processor time, because what a busy machine
//! adds to the time on the clock (printed as well) says nothing about this tool.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn main() {
    let small = measure(1_000);
    let large = measure(5_000);
    let growth = large.as_secs_f64() / small.as_secs_f64();
    println!("growth from 1,000 to 5,000: {growth:.1} times");
    assert!(large < Duration::from_secs(1), "5,000 distributions took {large:?}");
    assert!(growth < 8.0, "time grows faster than the repository: {growth:.1} times");
}

/// The best of five runs: plan and write.
fn measure(count: usize) -> Duration {
    // Memory where there is some to write to: a disk would be measured along with the tool.
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let root = base.join(format!("xtask-bench-{}-{count}", std::process::id()));
    generate(&root, count);
    let mut best = Duration::MAX;
    for run in 1..=5 {
        let (plan, _) = timed(&root, &["--dry-run", "--json"]);
        let (whole, clock) = timed(&root, &["--yes"]);
        println!(
            "{count} distributions, run {run}: plan {plan:?}, plan and write {whole:?} (clock {clock:?})"
        );
        best = best.min(whole);
    }
    fs::remove_dir_all(root).unwrap();
    best
}

/// Processor time and time on the clock; the shell's `times` counts what its children used.
fn timed(root: &Path, flags: &[&str]) -> (Duration, Duration) {
    let start = Instant::now();
    let output = Command::new("sh")
        .args(["-c", "\"$@\" >/dev/null && times", "sh", env!("CARGO_BIN_EXE_xtask")])
        .args(["bump", "p0", "minor", "--root"])
        .arg(root)
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let clock = start.elapsed();
    let times = String::from_utf8(output.stdout).unwrap();
    let children = times.lines().nth(1).unwrap().split(' ').map(seconds).sum();
    (Duration::from_secs_f64(children), clock)
}

/// Reads `0m0.51s`.
fn seconds(text: &str) -> f64 {
    let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
    minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
}

/// Distribution N needs 0 and three of those before it.
fn generate(root: &Path, count: usize) {
    for number in 0..count {
        let dir = root.join(format!("packages/p{number}"));
        fs::create_dir_all(dir.join(format!("src/p{number}"))).unwrap();
        let mut needs: Vec<String> = [0, number / 2, number / 3, number.saturating_sub(1)]
            .iter()
            .filter(|n| **n < number)
            .map(|n| format!("  \"p{n}>=1.0.0,<2.0.0\",\n"))
            .collect();
        needs.dedup();
        let manifest = format!(
            "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n\n[project]\nname = \"p{number}\"\nversion = \"1.0.0\"\ndependencies = [\n{}  \"click>=8\",\n]\n",
            needs.concat()
        );
        fs::write(dir.join("pyproject.toml"), manifest).unwrap();
        fs::write(dir.join(format!("src/p{number}/__init__.py")), "\"\"\"Nothing.\"\"\"\n")
            .unwrap();
    }
}
