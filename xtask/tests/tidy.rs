//! House rules that no compiler knows: every module says what it is for, the tool does not know
//! the repository it grew up in, and the README names everything that can be typed or configured.

use std::fs;
use std::path::{Path, PathBuf};

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> &'static Path {
    crate_dir().parent().expect("the crate is in a repository")
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
fn every_module_has_a_header() {
    for path in [files("src", "rs"), files("tests", "rs"), pure_files()].concat() {
        assert!(read(&path).starts_with("//! "), "{} starts without a word", path.display());
    }
    for path in files("tools", "py") {
        assert!(read(&path).starts_with("\"\"\""), "{} starts without a word", path.display());
    }
}

#[test]
fn the_tool_does_not_know_this_repository() {
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
fn the_pure_crates_have_no_effects() {
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

/// All sources of the three crates, with their text.
fn sources() -> Vec<(PathBuf, String)> {
    let all = [files("src", "rs"), pure_files()].concat();
    all.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

/// The lines of a source up to its unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().enumerate().map(|(at, line)| (at + 1, line))
}

#[test]
fn no_function_is_longer_than_64_lines() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let words: Vec<&str> = line.split_whitespace().take(4).collect();
            let is_function = words.contains(&"fn") && !line.trim_start().starts_with("//");
            if !is_function || line.ends_with(';') || line.ends_with('}') {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[at..].iter().take_while(|line| **line != end).count() + 1;
            if length > 64 {
                found.push(format!("{}:{}: {length} lines", path.display(), at + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_match_on_a_bool() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (at, line) in code(&text) {
            let arm = line.trim_start();
            if arm.starts_with("true =>") || arm.starts_with("false =>") {
                found.push(format!("{}:{at}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "a `match` on a bool:\n{}", found.join("\n"));
}

/// Each file of a crate by the path of its module, with the modules that it names.
fn imports(crate_sources: &Path) -> Vec<(Vec<String>, Vec<Vec<String>>)> {
    let mut modules: Vec<(Vec<String>, String)> = Vec::new();
    for entry in walkdir::WalkDir::new(crate_sources).into_iter().map(Result::unwrap) {
        let path = entry.path();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        if !is_source || path.ends_with("tests.rs") {
            continue;
        }
        let path = path.strip_prefix(crate_sources).unwrap().with_extension("");
        let mut module: Vec<String> =
            path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            module.pop();
        }
        modules.push((module, read(entry.path())));
    }
    let known: Vec<Vec<String>> = modules.iter().map(|(module, _)| module.clone()).collect();
    modules
        .iter()
        .map(|(module, text)| {
            let mut named: Vec<Vec<String>> =
                paths(text, module).iter().filter_map(|path| file_of(path, &known)).collect();
            let children = known
                .iter()
                .filter(|child| child.split_last().is_some_and(|(_, parent)| parent == module));
            named.extend(
                children.filter(|child| names_child(text, &child[child.len() - 1])).cloned(),
            );
            named.retain(|other| other != module);
            named.sort();
            named.dedup();
            (module.clone(), named)
        })
        .collect()
}

/// Whether a source has `child::` in its code.
fn names_child(text: &str, child: &str) -> bool {
    let path = format!("{child}::");
    code(text).map(|(_, line)| line.split("//").next().unwrap_or_default()).any(|line| {
        let before = |at: usize| line[..at].chars().next_back();
        line.match_indices(&path)
            .any(|(at, _)| !before(at).is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':'))
    })
}

/// The longest known module that a path starts with; the root of the crate is none.
fn file_of(path: &[String], known: &[Vec<String>]) -> Option<Vec<String>> {
    (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|path| known.contains(path))
}

/// The paths that the `use` items of a source and the code below them start with `crate`, `super` or
/// `self`, seen from the root of the crate.
fn paths(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let code: String = code(text)
        .map(|(_, line)| line.split("//").next().unwrap_or_default())
        .flat_map(|line| [line, " "])
        .collect();
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        let mut rest = code.as_str();
        while let Some(at) = rest.find(start) {
            let before = rest[..at].chars().next_back();
            let from = &rest[at..];
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                let end = from.find(|c: char| !(c.is_alphanumeric() || "_:{}, \n".contains(c)));
                let tree = &from[..end.unwrap_or(from.len())];
                found.extend(branches(tree).into_iter().map(|path| absolute(&path, module)));
            }
            rest = &rest[at + start.len()..];
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`, up to where its braces close.
fn branches(tree: &str) -> Vec<Vec<String>> {
    let head_end = tree.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let (head, rest) = tree.split_at(head_end.unwrap_or(tree.len()));
    let head: Vec<String> =
        head.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let Some(inner) = rest.strip_prefix('{') else { return vec![head] };
    let mut depth = 1;
    let mut parts = vec![String::new()];
    for c in inner.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if depth == 0 {
            break;
        }
        if c == ',' && depth == 1 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let below = parts.iter().flat_map(|part| branches(part.trim()));
    below.map(|path| [head.clone(), path].concat()).collect()
}

fn absolute(path: &[String], module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        match first.as_str() {
            "crate" => base.clear(),
            "super" => {
                base.pop();
            }
            "self" => {}
            _ => break,
        }
        rest = others;
    }
    [base, rest.to_vec()].concat()
}

#[test]
fn files_import_each_other_in_one_direction() {
    for folder in ["formats/src", "domain/src", "src"] {
        let mut open = imports(&crate_dir().join(folder));
        let named: usize = open.iter().map(|(_, named)| named.len()).sum();
        assert!(named > 8, "{folder}: where are the imports? {open:#?}");
        // A file that imports nothing of what is left is not in a circle.
        loop {
            let left: Vec<Vec<String>> = open.iter().map(|(module, _)| module.clone()).collect();
            let before = open.len();
            open.retain(|(_, named)| named.iter().any(|other| left.contains(other)));
            if open.len() == before {
                break;
            }
        }
        assert!(open.is_empty(), "{folder}: in a circle, or above one: {open:#?}");
    }
}

/// A closure gets a name where it is called twice; otherwise it is a function, or has none.
#[test]
fn closures_are_named_to_be_used_twice() {
    let mut lines = 0;
    let mut found = Vec::new();
    for (path, text) in sources() {
        let code: Vec<(usize, &str)> = code(&text).collect();
        lines += code.len();
        for (index, (at, line)) in code.iter().enumerate() {
            let declared = line.trim_start().strip_prefix("let ").and_then(|l| l.split_once(" = "));
            let closure =
                declared.filter(|(_, value)| value.starts_with('|') || value.starts_with("move |"));
            let Some((name, value)) = closure else { continue };
            let indent = line.len() - line.trim_start().len();
            let scope = code[index + 1..].iter().map(|(_, line)| *line).take_while(|line| {
                line.is_empty() || line.len() - line.trim_start().len() >= indent
            });
            let uses: usize = scope.chain([value]).map(|line| words(line, name)).sum();
            if uses == 1 {
                found.push(format!("{}:{at}: {name}", path.display()));
            }
        }
    }
    assert!(found.len() * 1000 < lines * 2, "in {lines} lines:\n{}", found.join("\n"));
}

/// How often a word or a phrase occurs in a line, not as a part of other words.
fn words(line: &str, word: &str) -> usize {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word)
        .filter(|(at, _)| !inside(line[..*at].chars().next_back()))
        .filter(|(at, _)| !inside(line[at + word.len()..].chars().next()))
        .count()
}

/// Phrases that the house style avoids, with what it says instead (CONTRIBUTING.md).
const BANNED: [(&str, &str); 20] = [
    ("is no", "is not a …, invalid …"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("stands in", "is in, is defined in"),
    ("stand in", "are in, are defined in"),
    ("lies in", "is in"),
    ("lie in", "are in"),
    ("whoever", "anyone who, or the role"),
    ("for ever", "permanently, never … again"),
    ("take away", "remove"),
    ("takes away", "removes"),
    ("asked for it", "could not query …"),
    ("was asked", "could not query …"),
    ("not fit to be", "failed its checks"),
    ("all of it", "leave it out"),
    ("kept from every", "not passed to …"),
    ("made anew", "made again"),
    ("printed anew", "printed again"),
    ("of no interest", "irrelevant"),
];

/// A document with the lines of its fenced blocks left empty.
fn without_blocks(text: &str) -> String {
    let mut is_inside = false;
    let lines = text.lines().map(|line| {
        let is_fence = line.starts_with("```");
        is_inside ^= is_fence;
        if is_inside || is_fence { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Starts of a sentence that has no noun as its subject.
const BARE_WHAT: [&str; 6] =
    ["/// What ", "//! What ", "// What ", ". What ", "- What ", "\"what "];

#[test]
fn the_words_of_the_house_are_used() {
    let mut texts: Vec<PathBuf> = files("src", "txt");
    texts.extend(files("tools", "py"));
    texts.extend(files("../docs", "md"));
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    texts.extend(top.map(|name| root().join(name)));
    // A transcript repeats messages, which have their place in the sources.
    let texts = texts.into_iter().map(|path| (path.clone(), without_blocks(&read(&path))));
    let mut found = Vec::new();
    for (path, text) in sources().into_iter().chain(texts) {
        let path = path.strip_prefix(root()).unwrap_or(&path).display();
        for (at, line) in code(&text) {
            // A table of these words is not a use of them.
            let is_quoted = line.contains(" → ");
            let lower = line.to_lowercase().replace("there is no ", "");
            for (banned, instead) in BANNED {
                if !is_quoted && words(&lower, banned) > 0 {
                    found.push(format!("{path}:{at}: `{banned}`: {instead}"));
                }
            }
            if BARE_WHAT.iter().any(|what| line.contains(what) || line.starts_with("What ")) {
                found.push(format!("{path}:{at}: `What …`: name the subject"));
            }
        }
    }
    assert!(found.is_empty(), "{} in all\n{}", found.len(), found.join("\n"));
}

/// A section of a snapshot that no test compares is one that nobody updates.
#[test]
fn every_snapshot_is_compared() {
    for snapshot in files("tests", "txt") {
        if snapshot.parent().is_none_or(|folder| !folder.ends_with("said")) {
            continue;
        }
        let name = snapshot.file_stem().unwrap().to_string_lossy();
        let tests = snapshot.parent().and_then(Path::parent).unwrap();
        let module = read(&tests.join(format!("{name}.rs")));
        // A title that is put together is found by its last words.
        let titles = read(&snapshot);
        for title in titles.lines().filter_map(|line| line.strip_prefix("== ")) {
            let known = module.contains(title) || module.contains("shows(&format!");
            assert!(known, "{}: `{title}` is not in {name}.rs", snapshot.display());
        }
    }
}
