//! A repository of 1,000 and one of 5,000 distributions (20,000 ranges): planning and writing a
//! bump of the one that most depend on, which all others follow.
//!
//! `cargo bench --bench bump` fails when 5,000 take a second, or when time does not grow with the
//! number of distributions alone.

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

/// The best of three runs: plan and write.
fn measure(count: usize) -> Duration {
    let root = std::env::temp_dir().join(format!("xtask-bench-{}-{count}", std::process::id()));
    generate(&root, count);
    let mut best = Duration::MAX;
    for run in 1..=3 {
        let dry = timed(&root, &["--dry-run", "--json"]);
        let whole = timed(&root, &["--yes"]);
        println!("{count} distributions, run {run}: plan {dry:?}, plan and write {whole:?}");
        best = best.min(whole);
    }
    fs::remove_dir_all(root).unwrap();
    best
}

fn timed(root: &Path, flags: &[&str]) -> Duration {
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["bump", "p0", "minor", "--root"])
        .arg(root)
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    start.elapsed()
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
