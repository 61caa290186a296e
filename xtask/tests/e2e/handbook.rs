//! docs/when-a-release-stops.md has every situation in which a release stops.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the messages of a release are made.
const SOURCES: [&str; 12] = [
    "domain/src/preflight.rs",
    "src/effects/facts.rs",
    "src/effects/index.rs",
    "src/effects/ledger.rs",
    "src/effects/lock.rs",
    "src/effects/release/collect.rs",
    "src/effects/release/mod.rs",
    "src/effects/release/produce.rs",
    "src/effects/release/restage.rs",
    "src/effects/release/send.rs",
    "src/effects/release/stop.rs",
    "src/effects/release/try_out.rs",
];

/// What a message stands behind, and how many literals come before it.
const MARKERS: [(&str, usize); 8] = [
    ("Check::failed(", 1),
    ("Finding::error(", 1),
    ("bail!(", 0),
    ("anyhow!(", 0),
    // The table of `explain`: what is wrong comes before what to do.
    (") => (", 0),
    (") => { (", 0),
    ("_ => (", 0),
    ("to_owned()); (", 0),
];

/// A piece of a message, and words of the handbook that speak of it.
#[rustfmt::skip]
const SITUATIONS: [(&str, &str); 43] = [
    // domain/preflight.rs
    (", and not on the remote", "exists here on COMMIT, and not on the remote"),
    (", and releases are made from", "*the branch is …*"),
    (", not released and not part of this release", "not released and not part of this release"),
    (", which HEAD does not contain", "which HEAD does not contain"),
    (", which is published", "is lower than …, which is published"),
    (": its version is not known", "*its version is not known*"),
    ("HEAD is detached at", "*HEAD is detached*"),
    ("` cannot be asked:", "*the git remote cannot be asked*"),
    ("` would not take a tag:", "*would not take a tag*"),
    ("already, and", "already, and N commits touch it since*"),
    ("no branch of the git remote `", "*no branch of the git remote has HEAD*"),
    ("one secret would go to both", "*one secret would go to both*"),
    ("the clone is shallow: tags and commits may be missing", "*the clone is shallow*"),
    ("the working tree is not clean:", "*The working tree is not clean*"),
    ("twine cannot use `", "*twine cannot use INDEX*"),
    ("twine cannot use", "*twine cannot use INDEX*"),
    ("twine finds no credentials for `", "*twine finds no credentials*"),
    // effects
    ("does not have it", "but the index does not have it*"),
    ("was asked for", "*INDEX was asked for …*"),
    ("does not show what was uploaded after", "does not show what was uploaded after"),
    ("serves other bytes as", "serves other bytes than were sent"),
    ("the index lists the files and does not hand them out:", "lists files and does not hand them out"),
    ("is not the file that", "*… is not the file that … describes*"),
    ("is no ledger of this tool", "somebody changed what lies in `dist/`"),
    // The hint of the lock, whose message is made elsewhere.
    ("wait until it is over", "The second release of one repository is refused and told by whom"),
    // effects/release
    ("a file name is taken there for ever, with other bytes", "**A file name is taken.**"),
    ("the credentials are not accepted", "**The credentials are not accepted**"),
    ("the account has registered as many new projects as the index takes in a day", "as many new projects as the index takes in a day**"),
    ("the index refuses the file", "**The index refuses the file**"),
    ("the index did not take the upload, or did not say so", "**The index did not take the upload, or did not say so.**"),
    ("the index takes no more uploads for now", "**The index takes no more uploads for now.**"),
    ("its build failed", "**The build or the checks failed.**"),
    ("what was built is not fit to be uploaded", "**The build or the checks failed.**"),
    ("twine check --strict:", "**The build or the checks failed.**"),
    ("its smoke test failed", "**The smoke test of what staging served failed.**"),
    ("it is published, and its tag could not be set", "**It is published, and its tag could not be set**"),
    ("it did not get through", "do what the `hint:` says, and run the same command again"),
    ("stands in no file, so it cannot be restaged", "stands in no file*"),
    ("has other bytes under", "The index has other bytes under this name"),
    ("was asked what it has:", "It was asked what it has before every new attempt"),
    ("what the index serves as", "serves other bytes than were sent"),
    ("is not the file of that name that was built here", "*… is not the file of that name that was built here*"),
    (", which it needs", "has no wheel of …, which it needs"),
];

/// Failures that nobody can do anything about, because they cannot happen.
const INTERNAL: [&str; 1] = ["it was not built"];

#[test]
fn every_way_to_stop_is_in_the_handbook() {
    let handbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/when-a-release-stops.md");
    let handbook = in_one_line(&fs::read_to_string(handbook).unwrap());
    let said: BTreeSet<String> = SOURCES.into_iter().flat_map(messages).collect();
    let known: BTreeSet<&str> =
        SITUATIONS.iter().map(|(piece, _)| *piece).chain(INTERNAL).collect();
    let unknown: Vec<_> = said.iter().filter(|piece| !known.contains(piece.as_str())).collect();
    assert!(unknown.is_empty(), "tell the handbook, and the table here, about {unknown:#?}");
    let gaps: Vec<_> = SITUATIONS
        .iter()
        .filter(|(piece, words)| !said.contains(*piece) || !handbook.contains(words))
        .collect();
    assert!(gaps.is_empty(), "no message says that any more, or the handbook does not: {gaps:#?}");
}

/// Of every text that a stop can consist of, the longest piece without a placeholder.
fn messages(source: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = in_one_line(&code.collect::<Vec<_>>().join("\n"));
    let mut found = BTreeSet::new();
    for (marker, skipped) in MARKERS {
        for call in code.split(marker).skip(1) {
            // One call: its statement, without what comes behind.
            let call = call.split(';').next().unwrap();
            found.extend(call.split('"').skip(1).step_by(2).nth(skipped).map(piece));
        }
    }
    found.remove("");
    found
}

fn piece(text: &str) -> String {
    let pieces = text.split(['{', '}']).step_by(2).map(str::trim);
    pieces.max_by_key(|piece| piece.len()).unwrap_or_default().to_owned()
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
