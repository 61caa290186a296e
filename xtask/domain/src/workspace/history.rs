//! Commits and tags as git prints them, and which commits a distribution has seen since a tag.

use std::collections::{HashMap, HashSet};

use crate::text::harmless::{is_control, without_commands};

/// A tag and the commit it stands for (an annotated one peeled).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRef {
    pub name: String,
    pub commit: String,
    /// The history of HEAD contains it, as far as is known here.
    pub in_head: bool,
}

/// One commit with the paths it touches, relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub hash: String,
    pub parents: Vec<String>,
    pub message: String,
    /// Those that it changes, by their old and new paths.
    pub files: Vec<String>,
    /// The old and the new path of each file that it moves.
    pub renames: Vec<(String, String)>,
}

/// Reads lines of `NAME OBJECT [PEELED]`, as `for-each-ref` prints them. Sorted by name.
pub fn parse_tags(text: &str) -> Vec<TagRef> {
    let tags = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, object) = (words.next()?, words.next()?);
        let commit = words.next().filter(|peeled| !peeled.is_empty()).unwrap_or(object);
        Some(TagRef { name: name.to_owned(), commit: commit.to_owned(), in_head: false })
    });
    let mut tags: Vec<TagRef> = tags.collect();
    tags.sort_by(|a, b| a.name.cmp(&b.name));
    tags
}

/// The tags whose names start with `prefix`, out of tags that are sorted by name.
pub(crate) fn starting_with<'a>(tags: &'a [TagRef], prefix: &str) -> &'a [TagRef] {
    let from = tags.partition_point(|tag| tag.name.as_str() < prefix);
    let count = tags[from..].partition_point(|tag| tag.name.starts_with(prefix));
    &tags[from..from + count]
}

/// Reads lines of `OBJECT<tab>refs/tags/NAME`, as `ls-remote` prints them; an annotated tag comes
/// twice, the second time peeled and with `^{}` behind its name.
pub fn parse_remote_tags(text: &str) -> Vec<TagRef> {
    let mut tags: Vec<TagRef> = Vec::new();
    for line in text.lines() {
        let Some((object, name)) = line.split_once("\trefs/tags/") else { continue };
        match (name.strip_suffix("^{}"), tags.last_mut()) {
            (Some(name), Some(last)) if last.name == name => last.commit = object.to_owned(),
            _ => tags.push(TagRef {
                name: name.to_owned(),
                commit: object.to_owned(),
                in_head: false,
            }),
        }
    }
    tags
}

/// The format of `git log` that [`parse_log`] reads. Only NUL is never part of a message.
pub const LOG_FORMAT: &str = "--format=%x00%H%x00%P%x00%B";

/// Reads the output of `git log -z --name-status` in [`LOG_FORMAT`]: an empty field, hash, parents,
/// message, and for each file its status and path, of which the first follows a newline; a file that is
/// moved (`R100`) has two.
pub fn parse_log(text: &str) -> Vec<Commit> {
    let mut fields = text.split('\0').peekable();
    let mut commits = Vec::new();
    while fields.next().is_some() {
        let (Some(hash), Some(parents), Some(message)) =
            (fields.next(), fields.next(), fields.next())
        else {
            break;
        };
        let mut files = Vec::new();
        let mut renames = Vec::new();
        while let Some(status) = fields.next_if(|field| !field.is_empty()) {
            let Some(path) = fields.next() else { break };
            files.push(path.to_owned());
            if status.trim_start().starts_with(['R', 'C']) {
                let Some(new) = fields.next() else { break };
                files.push(new.to_owned());
                renames.push((path.to_owned(), new.to_owned()));
            }
        }
        commits.push(Commit {
            hash: hash.to_owned(),
            parents: parents.split(' ').filter(|p| !p.is_empty()).map(str::to_owned).collect(),
            message: harmless(message.trim_end()),
            files,
            renames,
        });
    }
    commits
}

/// A message without the characters that steer a terminal or turn the direction of writing, and
/// without workflow commands: anyone who commits could put them into a changelog.
fn harmless(message: &str) -> String {
    without_commands(&message.replace(is_control, ""))
}

/// The commits of `log` that `ancestor` does not contain, in the order of `log`.
///
/// `log` has to reach back to `ancestor`, or the whole log is returned.
pub fn since<'a>(log: &'a [Commit], ancestor: &str) -> Vec<&'a Commit> {
    let contained = reached(log, &[ancestor.to_owned()]);
    log.iter().filter(|commit| !contained.contains(commit.hash.as_str())).collect()
}

/// The hashes of the commits of `log` that these are or contain.
pub(crate) fn reached<'a>(log: &'a [Commit], from: &[String]) -> HashSet<&'a str> {
    let by_hash: HashMap<&str, &Commit> =
        log.iter().map(|commit| (commit.hash.as_str(), commit)).collect();
    let mut found = HashSet::new();
    let mut open: Vec<&str> = from.iter().map(String::as_str).collect();
    while let Some(hash) = open.pop() {
        if let Some(commit) = by_hash.get(hash).filter(|commit| found.insert(commit.hash.as_str()))
        {
            open.extend(commit.parents.iter().map(String::as_str));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(hash: &str, parents: &[&str]) -> Commit {
        let parents = parents.iter().map(|p| (*p).to_owned()).collect();
        Commit {
            hash: hash.into(),
            parents,
            message: String::new(),
            files: Vec::new(),
            renames: Vec::new(),
        }
    }

    #[test]
    fn a_merge_brings_the_commits_of_its_side() {
        // d merges c (side) into b; the tag stands on b.
        let log =
            [commit("d", &["b", "c"]), commit("c", &["a"]), commit("b", &["a"]), commit("a", &[])];
        let hashes: Vec<_> = since(&log, "b").iter().map(|commit| commit.hash.as_str()).collect();
        assert_eq!(hashes, ["d", "c"]);
    }

    #[test]
    fn log_records() {
        let text = "\0h1\0p1 p2\0feat: x\n\nbody\n\0\nM\0a/b.py\0R100\0c\0d\0\0h2\0h3\0\0\0h3\0\0first\n\0";
        let log = parse_log(text);
        assert_eq!(log.len(), 3);
        assert_eq!(log[0].files, ["a/b.py", "c", "d"]);
        assert_eq!(log[0].renames, [("c".to_owned(), "d".to_owned())]);
        assert_eq!(log[0].message, "feat: x\n\nbody");
        assert_eq!((log[1].message.as_str(), log[1].files.len()), ("", 0));
        assert_eq!(log[2].parents, Vec::<String>::new());
    }

    #[test]
    fn a_message_neither_steers_a_terminal_nor_ends_its_record() {
        let log = parse_log("\0h\0\0fix: \x1b[2Ja\x01h2\x02\x02feat!: \u{202e}b\r\n\tc\u{9b}\0");
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].message, "fix: [2Jah2feat!: b\n\tc");
    }

    #[test]
    fn remote_tags_are_peeled() {
        let tags = parse_remote_tags("aa\trefs/tags/v1\nbb\trefs/tags/v1^{}\ncc\trefs/tags/v2");
        let commits: Vec<_> =
            tags.iter().map(|tag| (tag.name.as_str(), tag.commit.as_str())).collect();
        assert_eq!(commits, [("v1", "bb"), ("v2", "cc")]);
    }

    #[test]
    fn tags_by_what_they_start_with() {
        let tags = parse_tags("v2.0.0rc1 a b\nv2.0.0 c \nv10.0 d\nother-v11 e");
        assert_eq!(tags[3].commit, "b");
        let names = |prefix| starting_with(&tags, prefix).iter().map(|tag| tag.name.as_str());
        assert_eq!(names("v2").collect::<Vec<_>>(), ["v2.0.0", "v2.0.0rc1"]);
        assert_eq!((names("").count(), names("w").count()), (4, 0));
    }
}
