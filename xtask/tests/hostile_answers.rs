//! Answers of indexes and archives of any shape: each is read as what it is, or refused with a
//! sentence. `XTASK_CASES` sets how many of each are tried for every seed.

use std::path::Path;
use std::process::Command;

#[test]
fn nothing_but_a_listing_is_a_listing_and_no_archive_breaks_the_reader() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rounds = std::env::var("XTASK_CASES").unwrap_or_else(|_| "500".into());
    for seed in ["1", "2", "3", "4"] {
        let output = Command::new("python3")
            .arg("-I")
            .arg(here.join("tests/hostile_answers/run.py"))
            .arg(here.join("tools"))
            .args([seed, &rounds])
            .output()
            .expect("python3 is needed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
