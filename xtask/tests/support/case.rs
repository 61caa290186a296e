//! Case files: repositories, commands, and everything that comes of them, in one grammar.
//!
//! ```text
//! == TITLE                      a case; in front of the first one there may be a comment
//! -- PATH                       a file of the repository; its text follows
//! a line
//! -| a line before the commands only
//! +| a line after them only     (`-- PATH (new)` and `-- PATH (removed)` are whole files)
//! $ cargo xtask check           a command; what it prints on both streams follows,
//! error: …                      in the order in which it is printed
//! [1]                           its exit code, where that is not 0
//! ```
//!
//! A `~` at the end of a line in a file is not part of it; it shows blanks at the end.

use std::path::{Path, PathBuf};
use std::{fmt, fs};

use super::repo::Repo;
use super::snapshot;

/// Files by their path; the text of a symbolic link is `-> TARGET`.
pub(crate) type Tree = Vec<(String, String)>;

#[derive(Clone, Default)]
pub(crate) struct Document {
    comment: String,
    pub sections: Vec<Section>,
}

#[derive(Clone)]
pub(crate) struct Section {
    pub title: String,
    pub items: Vec<Item>,
}

#[derive(Clone)]
pub(crate) enum Item {
    Text(String),
    /// The text before and after the commands, `None` where there is no such file.
    File {
        path: String,
        before: Option<String>,
        after: Option<String>,
    },
    Command {
        line: String,
        printed: String,
    },
}

/// The folder of the case files for one kind of tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Fails where a folder holds other case files than the tests that were declared for it.
#[track_caller]
pub(crate) fn every_file_is_a_test(name: &str, tests: &[&str]) {
    let files = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> =
        files.map(|file| file.file_stem().unwrap().to_string_lossy().replace('-', "_")).collect();
    files.sort();
    assert_eq!(files, tests, "the files of {name} and the tests declared for them");
}

/// Declares a test for each case file of a folder: `cases!(check, "life/check": cycle license)`.
/// Names are in alphabetical order, with `_` for `-`.
#[allow(unused_macros, reason = "not every test binary has case files")]
macro_rules! cases {
    ($run:ident, $folder:literal: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let file = concat!(stringify!($name), ".txt").replace('_', "-");
                super::$run(&crate::support::case::folder($folder).join(file));
            }
        )*

        #[test]
        fn every_file_is_a_test() {
            crate::support::case::every_file_is_a_test($folder, &[$(stringify!($name)),*]);
        }
    };
}
pub(crate) use cases;

impl Document {
    #[track_caller]
    pub(crate) fn open(path: &Path) -> Document {
        Document::read(&fs::read_to_string(path).unwrap())
    }

    pub(crate) fn read(text: &str) -> Document {
        let mut document = Document::default();
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("== ") {
                document.sections.push(Section { title: title.to_owned(), items: Vec::new() });
            } else if let Some(section) = document.sections.last_mut() {
                section.add(line);
            } else {
                document.comment += &format!("{line}\n");
            }
        }
        document
    }
}

impl Section {
    fn add(&mut self, line: &str) {
        if let Some(path) = line.strip_prefix("-- ") {
            let is_new = path.ends_with(" (new)");
            let is_removed = path.ends_with(" (removed)");
            let path = path.trim_end_matches(" (new)").trim_end_matches(" (removed)").to_owned();
            let before = (!is_new).then(String::new);
            let after = (!is_removed).then(String::new);
            return self.items.push(Item::File { path, before, after });
        }
        if let Some(command) = line.strip_prefix("$ ") {
            let line = command.to_owned();
            return self.items.push(Item::Command { line, printed: String::new() });
        }
        match self.items.last_mut() {
            None => self.items.push(Item::Text(line.to_owned())),
            Some(Item::Text(text)) => *text += &format!("\n{line}"),
            Some(Item::Command { printed, .. }) => *printed += &format!("{line}\n"),
            Some(Item::File { before, after, .. }) => {
                let old = line.strip_prefix("-| ");
                let new = line.strip_prefix("+| ");
                let text = old.or(new).unwrap_or(line);
                let text = format!("{}\n", text.strip_suffix('~').unwrap_or(text));
                if let Some(before) = before.as_mut().filter(|_| new.is_none()) {
                    *before += &text;
                }
                if let Some(after) = after.as_mut().filter(|_| old.is_none()) {
                    *after += &text;
                }
            }
        }
    }

    pub(crate) fn before(&self) -> Tree {
        self.files(|before, _| before)
    }

    pub(crate) fn after(&self) -> Tree {
        self.files(|_, after| after)
    }

    fn files<'a>(
        &'a self,
        state: impl Fn(&'a Option<String>, &'a Option<String>) -> &'a Option<String>,
    ) -> Tree {
        let mut files = Vec::new();
        for item in &self.items {
            if let Item::File { path, before, after } = item
                && let Some(text) = state(before, after)
            {
                files.push((path.clone(), text.clone()));
            }
        }
        files
    }

    pub(crate) fn commands(&self) -> Vec<&str> {
        let commands = self.items.iter().filter_map(|item| match item {
            Item::Command { line, .. } => Some(line.as_str()),
            Item::Text(_) | Item::File { .. } => None,
        });
        commands.collect()
    }

    /// What the first command prints.
    pub(crate) fn printed(&self) -> &str {
        let mut printed = self.items.iter().filter_map(|item| match item {
            Item::Command { printed, .. } => Some(printed.as_str()),
            Item::Text(_) | Item::File { .. } => None,
        });
        printed.next().unwrap_or_default()
    }

    /// Runs the commands that `runs` picks, and notes what they print. The files are in the
    /// repository already.
    #[track_caller]
    pub(crate) fn run(&mut self, repo: &Repo, runs: impl Fn(&str) -> bool) {
        for item in &mut self.items {
            if let Item::Command { line, printed } = item
                && runs(line)
            {
                *printed = repo.prints(line);
            }
        }
    }

    /// Notes how a repository looks now.
    pub(crate) fn note_tree(&mut self, tree: Tree) {
        let mut tree = tree;
        for item in &mut self.items {
            if let Item::File { path, after, .. } = item {
                let found = tree.iter().position(|(found, _)| found == path);
                *after = found.map(|at| tree.remove(at).1);
            }
        }
        let new = tree.into_iter();
        self.items.extend(new.map(|(path, text)| Item::File {
            path,
            before: None,
            after: Some(text),
        }));
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.comment)?;
        for section in &self.sections {
            writeln!(f, "== {}", section.title)?;
            section.items.iter().try_for_each(|item| item.fmt(f))?;
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Text(text) => writeln!(f, "{text}"),
            Item::Command { line, printed } => write!(f, "$ {line}\n{printed}"),
            Item::File { path, before, after } => {
                let state = match (before, after) {
                    (None, _) => " (new)",
                    (_, None) => " (removed)",
                    _ => "",
                };
                let before = before.as_ref().or(after.as_ref()).map_or("", String::as_str);
                let after = after.as_deref().unwrap_or(before);
                write!(f, "-- {path}{state}\n{}", merged(before, after))
            }
        }
    }
}

/// Two texts in one: `-| ` before lines of the first alone, `+| ` before lines of the second alone.
/// Blanks at the end of a line are followed by a `~`.
pub(crate) fn merged(before: &str, after: &str) -> String {
    let old: Vec<&str> = before.lines().collect();
    let new: Vec<&str> = after.lines().collect();
    // The length of the longest common part of what begins at each pair of lines.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let line = |mark: &str, line: &str| {
        let tilde = if line.ends_with([' ', '~']) || (line.is_empty() && !mark.is_empty()) {
            "~"
        } else {
            ""
        };
        format!("{mark}{line}{tilde}\n")
    };
    let mut text = String::new();
    let mut i = 0;
    let mut j = 0;
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            text += &line("", old[i]);
            i += 1;
            j += 1;
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            text += &line("-| ", old[i]);
            i += 1;
        } else {
            text += &line("+| ", new[j]);
            j += 1;
        }
    }
    text
}
