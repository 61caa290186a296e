//! docs/when-a-release-stops.md explains every failure that stops a release.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::snapshot;

/// The folders in which the messages of a release are made.
const SOURCES: [&str; 3] = ["domain/src/release", "src/effects/release", "src/effects/index"];

/// Calls and match arms whose first string is the message of a failure.
const MARKERS: [&str; 6] =
    ["bail!(", "anyhow!(", "Check::failed(", "Finding::error(", "=> (", "=> \""];

/// A message is in the handbook where the two share so many words in a row, or where the handbook
/// has all of a shorter one.
const WORDS: usize = 4;

/// The snapshot has every message with the words that the handbook shares with it: a message that
/// is new, or that the handbook no longer has, shows in its diff.
#[test]
fn the_handbook_covers_every_failure_of_a_release() {
    let krate = Path::new(env!("CARGO_MANIFEST_DIR"));
    let handbook = fs::read_to_string(krate.join("../docs/when-a-release-stops.md")).unwrap();
    let handbook = format!(" {} ", words(&handbook).join(" "));
    let mut messages: Vec<String> = SOURCES
        .iter()
        .flat_map(|folder| sources(&krate.join(folder)))
        .flat_map(|source| messages(&source))
        .collect();
    messages.sort();
    messages.dedup();
    assert!(messages.len() > 30, "where are the messages made? {messages:#?}");
    let covered = messages.iter().map(|message| match longest_quote(message, &handbook) {
        Some(quote) => format!("{message}\n  in the handbook: {quote}\n"),
        None => format!("{message}\n  not in the handbook\n"),
    });
    snapshot::section("messages of a release and the handbook", &covered.collect::<String>());
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

fn messages(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    let first_string = |call: &str| {
        // The rest of the statement, without what comes behind it.
        let call = call.split(';').next()?;
        Some(call.split('"').nth(1)?.to_owned())
    };
    MARKERS
        .iter()
        .flat_map(|marker| {
            let calls = code.split(marker).skip(1);
            let quoted = marker.ends_with('"');
            calls.filter_map(move |call| {
                if quoted { call.split('"').next().map(str::to_owned) } else { first_string(call) }
            })
        })
        .filter(|message| words(message).len() >= 3)
        .collect()
}

/// The most words in a row, at least [`WORDS`] or all of them, that are in the handbook too.
fn longest_quote(message: &str, handbook: &str) -> Option<String> {
    let words = words(message);
    let enough = WORDS.min(words.len());
    (enough..=words.len())
        .rev()
        .flat_map(|length| words.windows(length))
        .map(|run| run.join(" "))
        .find(|run| handbook.contains(&format!(" {run} ")))
}

/// Lower-case words without marks of Markdown and without the parts that differ.
fn words(text: &str) -> Vec<String> {
    let text = text.split(['{', '}']).step_by(2).collect::<Vec<_>>().join(" ");
    let bare =
        |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_lowercase();
    text.split_whitespace().map(bare).filter(|word| !word.is_empty()).collect()
}
