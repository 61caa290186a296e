//! README, CONTRIBUTING and `docs/`: what they show of the tool is what it says, and every command
//! in them is one.
//!
//! A block of the language `text` begins with `$ cargo xtask …` and goes on with what that says in a
//! copy of this repository. Versions are not compared: a bump would make every document stale.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use regex_lite::Regex;

use crate::support::{Repo, snapshot};

const PROMPT: &str = "$ cargo xtask ";

struct Block {
    language: String,
    /// The bytes between the fences.
    body: Range<usize>,
}

fn documents() -> Vec<PathBuf> {
    let home = Repo::here();
    let docs = fs::read_dir(home.path("docs")).unwrap().map(|entry| entry.unwrap().path());
    let top = ["README.md", "CONTRIBUTING.md"].map(|name| home.path(name));
    let mut all: Vec<PathBuf> = top.into_iter().chain(docs).collect();
    all.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    all
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut open, mut at) = (Vec::new(), None, 0);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(language) = line.strip_prefix("```") else { continue };
        open = match open {
            None => Some((language.trim().to_owned(), at)),
            Some((language, from)) => {
                blocks.push(Block { language, body: from..start });
                None
            }
        };
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What is compared: neither versions nor the widths that depend on them.
fn masked(text: &str) -> String {
    let version = Regex::new(r"\d+(\.\d+)+((a|b|rc|\.post|\.dev)\d+)*").unwrap();
    let text = snapshot::masked(text, Repo::here().root());
    let text = version.replace_all(&text, "0");
    Regex::new(" +").unwrap().replace_all(&text, " ").into_owned()
}

/// The blocks that show output, with a text of today for each of them; `today` is given the
/// command and its old output. A block is replaced only where it is of another day.
fn hold(today: impl Fn(&str, &str) -> String) -> usize {
    let mut seen = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let (mut current, mut end) = (String::new(), 0);
        for block in blocks(&text).into_iter().filter(|block| block.language == "text") {
            let body = &text[block.body.clone()];
            assert!(body.starts_with(PROMPT), "{}: whose output is that?\n{body}", path.display());
            current += &text[end..block.body.start];
            end = block.body.end;
            for part in body.split(PROMPT).skip(1) {
                let (command, before) = part.split_once('\n').unwrap();
                let said = today(command, before);
                let same = masked(before) == masked(&said);
                current += &format!("{PROMPT}{command}\n{}", if same { before } else { &said });
                seen += 1;
            }
        }
        snapshot::file(&path, &(current + &text[end..]));
    }
    seen
}

#[test]
fn output_in_the_documents_is_current() {
    let shown = hold(|command, before| match command.starts_with("release") {
        // That is held against the one rehearsal of these distributions, below.
        true => before.to_owned(),
        false => Repo::copy_of_here().prints(&format!("cargo xtask {command}")),
    });
    assert!(shown > 2, "where have the blocks gone?");
}

/// Holds the rehearsal in the README against one in which others took part as well.
#[track_caller]
pub(crate) fn a_rehearsal_is_shown(said: &str, others: &[&str]) {
    let lines: Vec<&str> =
        said.lines().filter(|line| !others.iter().any(|other| line.contains(other))).collect();
    let count = Regex::new(r"\d+ distributions").unwrap();
    let ours = lines.iter().filter(|line| line.contains(" tag ") && !line.contains(" s ")).count();
    let ours = format!("{ours} distributions");
    let said: String = count.replace_all(&lines.join("\n"), ours.as_str()).into_owned() + "\n";
    // What runs side by side is told as it is done; all else has its order.
    let side_by_side = |line: &String| {
        let mut stages = ["build", "smoke"].into_iter();
        stages.find(|stage| line.split(' ').any(|word| word == *stage))
    };
    let sorted = |text: &str| {
        let mut lines: Vec<String> = masked(text).lines().map(str::to_owned).collect();
        let together = |a: &String, b: &String| {
            side_by_side(a).is_some() && side_by_side(a) == side_by_side(b)
        };
        lines.chunk_by_mut(together).for_each(<[String]>::sort);
        lines
    };
    hold(|command, before| match command {
        "release all --rehearse" if sorted(before) != sorted(&said) => said.clone(),
        _ => before.to_owned(),
    });
}

#[test]
fn every_command_in_the_documents_exists() {
    let mut shown = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for block in blocks(&text).into_iter().filter(|block| block.language == "console") {
            for line in text[block.body].lines() {
                let typed = line.split(" #").next().unwrap();
                let command = typed.strip_prefix("$ ").unwrap_or_else(|| {
                    panic!(
                        "{}: `{line}` is no command; output is of the language `text`",
                        path.display()
                    )
                });
                for arguments in
                    command.split(" && ").filter_map(|part| part.strip_prefix("cargo xtask "))
                {
                    Repo::here().xtask(&format!("{arguments} --help")).exits(0);
                    shown += 1;
                }
            }
        }
    }
    assert!(shown > 10, "where have the commands gone?");
}
