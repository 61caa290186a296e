//! House rules that no compiler knows: every module says what it is for, the tool does not know
//! the repository it grew up in, and the README names everything that can be typed or configured.

use std::fs;
use std::path::{Path, PathBuf};

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> &'static Path {
    crate_dir().parent().expect("the crate lies in a repository")
}

/// The files below a folder of the crate that have this extension.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![crate_dir().join(folder)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder} ends with .{extension}");
    found
}

/// The sources of the crates that are pure.
fn pure_files() -> Vec<PathBuf> {
    [files("domain/src", "rs"), files("formats/src", "rs")].concat()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in [files("src", "rs"), files("tests", "rs"), pure_files()].concat() {
        assert!(read(&path).starts_with("//! "), "{} starts without a word", path.display());
    }
    for path in files("tools", "py") {
        assert!(read(&path).starts_with("\"\"\""), "{} starts without a word", path.display());
    }
}

#[test]
fn the_tool_does_not_know_where_it_grew_up() {
    let own = [("src", "rs"), ("src", "txt"), ("tools", "py")];
    let own = own.iter().flat_map(|(folder, extension)| files(folder, extension));
    for path in own.chain(pure_files()) {
        // Unit tests may use the names that the documents use.
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        assert!(!code.to_lowercase().contains("aetherflow"), "{}", path.display());
    }
}

#[test]
fn what_is_pure_touches_nothing() {
    for path in pure_files() {
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for world in ["std::fs", "std::process", "std::env", "std::net", "SystemTime", "println!"] {
            assert!(!code.contains(world), "{} uses {world}", path.display());
        }
    }
}

#[test]
fn readme_and_help_name_every_command_and_every_key() {
    let readme = read(&root().join("README.md"));
    for page in files("src/help", "txt") {
        let command = page.file_stem().unwrap().to_string_lossy().into_owned();
        let shown = command == "overview"
            || ["", "help "]
                .iter()
                .any(|verb| readme.contains(&format!("cargo xtask {verb}{command}")));
        assert!(shown, "the README does not show `cargo xtask {command}`");
    }
    let help = read(&crate_dir().join("src/help/configuration.txt"));
    let config = read(&crate_dir().join("domain/src/config.rs"));
    let keys = config.split("section.").skip(1).filter_map(|call| {
        let (getter, arguments) = call.split_once('(')?;
        let known = ["get", "string", "strings"].contains(&getter);
        arguments.trim_start().strip_prefix('"').filter(|_| known)?.split('"').next()
    });
    let keys: Vec<&str> = keys.collect();
    assert!(keys.len() > 10, "the keys of the configuration were not found: {keys:?}");
    for key in keys {
        let shown =
            ["`", "smoke."].iter().any(|before| readme.contains(&format!("{before}{key}`")));
        assert!(shown, "the README does not explain `{key}`");
        let shown =
            ["  ", "smoke."].iter().any(|before| help.contains(&format!("{before}{key} = ")));
        assert!(shown, "help configuration does not explain `{key}`");
    }
}
