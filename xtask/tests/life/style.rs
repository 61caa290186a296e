//! The Python of this repository, held against its own `ruff.toml`.

use std::path::Path;
use std::process::Command;

use crate::support::succeeds;
use crate::workflows::tools;

#[test]
fn python_is_clean_under_ruff() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for arguments in [vec!["check"], vec!["format", "--check"]] {
        let ruff = tools().join("ruff");
        let folders = ["packages", "examples", "xtask/tools"];
        succeeds(
            Command::new(ruff).args(arguments).arg("--no-cache").args(folders).current_dir(root),
        );
    }
}
