//! The bump that the commits since the last tag ask of each distribution: reverts cancel what they revert, a
//! merge speaks where its own commits say nothing, and a scope may name another distribution.
//!
//! Must not know which version follows.

use std::collections::{HashMap, HashSet};

use formats::conventional_commits::{self, CommitKind, CommitMessage, ConventionalCommit};

use crate::ids::DistributionId;
use crate::workspace::Workspace;
use crate::workspace::history::{Commit, reached};

/// The bump that the commits since a tag ask of one distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// The newest first.
    pub asks: Vec<ConventionalCommit>,
    /// The number of commits that ask for something.
    pub count: usize,
    /// The titles of those that could not be read.
    pub unread: Vec<String>,
}

/// The commits of each distribution since its tag; `log` reaches back to all of these.
pub fn since_tags(
    workspace: &Workspace,
    tagged: &[(DistributionId, &str)],
    log: &[Commit],
) -> HashMap<DistributionId, Commits> {
    let messages: HashMap<&str, CommitMessage> = log
        .iter()
        .map(|commit| (commit.hash.as_str(), conventional_commits::read(&commit.message)))
        .collect();
    let reader = Reader {
        workspace,
        log: log.iter().map(|commit| (commit.hash.as_str(), commit)).collect(),
        merges: merges(log, &messages),
        messages,
    };
    let since = workspace.commits_since(tagged, log).into_iter();
    since.map(|(id, commits)| (id, reader.read(id, &commits))).collect()
}

/// The merges that speak or that are reverted, each with the commits that it brings.
fn merges<'a>(
    log: &'a [Commit],
    messages: &HashMap<&str, CommitMessage>,
) -> Vec<(&'a Commit, HashSet<&'a str>)> {
    let reverted: Vec<&String> = messages.values().flat_map(|message| &message.reverts).collect();
    let counts = |merge: &&Commit| {
        merge.parents.len() > 1
            && (!messages[merge.hash.as_str()].asks.is_empty()
                || reverted.iter().any(|named| merge.hash.starts_with(*named)))
    };
    let brought = |merge: &'a Commit| {
        let main = reached(log, &merge.parents[..1]);
        let mut side = reached(log, &merge.parents[1..]);
        side.retain(|hash| !main.contains(hash));
        (merge, side)
    };
    log.iter().filter(counts).map(brought).collect()
}

struct Reader<'a> {
    workspace: &'a Workspace,
    log: HashMap<&'a str, &'a Commit>,
    merges: Vec<(&'a Commit, HashSet<&'a str>)>,
    messages: HashMap<&'a str, CommitMessage>,
}

impl<'a> Reader<'a> {
    fn read(&self, id: DistributionId, commits: &[&'a Commit]) -> Commits {
        let hashes: Vec<&str> = commits.iter().map(|commit| commit.hash.as_str()).collect();
        let (cancelled, released) = self.reverts(&hashes);
        let mut asked: Vec<(&str, Vec<ConventionalCommit>)> = Vec::new();
        let mut unread = Vec::new();
        for &commit in commits {
            let hash = commit.hash.as_str();
            if cancelled.contains(hash) {
                continue;
            }
            let asks = if released.contains(hash) {
                vec![revert_of_released(&commit.message)]
            } else {
                self.asks(id, commit)
            };
            if asks.is_empty() && !self.messages[hash].is_readable {
                unread.push(hash);
            }
            asked.push((hash, asks));
        }
        for (merge, side) in &self.merges {
            let hash = merge.hash.as_str();
            let own = |(hash, _): &&(&str, Vec<ConventionalCommit>)| side.contains(hash);
            let speaks = !self.messages[hash].asks.is_empty() && !cancelled.contains(hash);
            let mut brought = asked.iter().filter(own).peekable();
            let says_nothing = brought.peek().is_some() && brought.all(|(_, asks)| asks.is_empty());
            if speaks && says_nothing {
                unread.retain(|hash| !side.contains(hash));
                asked.push((hash, self.messages[hash].asks.clone()));
            }
        }
        let count = asked.iter().filter(|(_, asks)| !asks.is_empty()).count();
        let title =
            |hash: &&str| self.log[hash].message.lines().next().unwrap_or("").trim().to_owned();
        Commits {
            asks: asked.into_iter().flat_map(|(_, asks)| asks).collect(),
            count,
            unread: unread.iter().map(title).filter(|title| !title.is_empty()).collect(),
        }
    }

    /// The commits that cancel each other out, and the reverts of what is released already. The
    /// newest come first, so that a revert that was reverted itself cancels nothing.
    fn reverts(&self, hashes: &[&'a str]) -> (HashSet<&'a str>, HashSet<&'a str>) {
        let mut cancelled: HashSet<&str> = HashSet::new();
        let mut released = HashSet::new();
        let own: HashSet<&str> = hashes.iter().copied().collect();
        for (at, &hash) in hashes.iter().enumerate() {
            let reverts = &self.messages[hash].reverts;
            if reverts.is_empty() || cancelled.contains(hash) {
                continue;
            }
            let mut targets: Vec<&str> = Vec::new();
            let mut is_complete = true;
            for named in reverts {
                let before = targets.len();
                let merged = self.merges.iter().find(|(merge, _)| merge.hash.starts_with(named));
                match merged {
                    Some((_, side)) => targets.extend(side.intersection(&own)),
                    None => targets.extend(self.named(named, &hashes[at + 1..], &cancelled)),
                }
                targets.extend(
                    merged.map(|(merge, _)| merge.hash.as_str()).filter(|_| targets.len() > before),
                );
                is_complete &= targets.len() > before;
            }
            cancelled.extend(targets);
            if is_complete {
                cancelled.insert(hash);
            } else {
                released.insert(hash);
            }
        }
        (cancelled, released)
    }

    /// The newest of `hashes` that a hash or a title names.
    fn named(&self, named: &str, hashes: &[&'a str], cancelled: &HashSet<&str>) -> Option<&'a str> {
        let without_number = |title: &str| match title.rsplit_once(" (#") {
            Some((text, _)) => text.to_owned(),
            None => title.to_owned(),
        };
        let wanted = without_number(named.trim());
        hashes.iter().copied().filter(|hash| !cancelled.contains(hash)).find(|hash| {
            let title = self.log[hash].message.lines().next().unwrap_or_default();
            hash.starts_with(named) || without_number(title.trim()) == wanted
        })
    }

    /// The bump that a commit asks of a distribution that it touches.
    fn asks(&self, id: DistributionId, commit: &Commit) -> Vec<ConventionalCommit> {
        let asks = self.messages[commit.hash.as_str()].asks.iter();
        asks.filter_map(|ask| match self.of_another(id, ask.scope.as_deref()) {
            None => Some(ask.clone()),
            // It changes what this one ships, but what it announces is not here.
            Some(other) if self.is_shipped(id, commit) => {
                let description = format!("follow a change of `{other}`");
                Some(ConventionalCommit { kind: CommitKind::Fix, description, ..ask.clone() })
            }
            Some(_) => None,
        })
        .collect()
    }

    /// The distribution that a scope names, where it does not name this one.
    fn of_another(&self, id: DistributionId, scope: Option<&str>) -> Option<String> {
        let words = scope?.split([',', '/', '&', '+', ' ']).map(str::trim);
        let named: Vec<DistributionId> =
            words.filter_map(|word| self.workspace.resolve(word).ok()).collect();
        let other = *named.first()?;
        (!named.contains(&id)).then(|| self.workspace.distributions[other].name().to_string())
    }

    /// Whether a commit changes more of a distribution than tests and documents.
    fn is_shipped(&self, id: DistributionId, commit: &Commit) -> bool {
        let mut own = commit.files.iter().filter_map(|file| self.workspace.own_path(id, file));
        own.any(|path| {
            let folder = path.split('/').next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_text = [".md", ".rst", ".txt"].iter().any(|suffix| name.ends_with(suffix));
            !["tests", "test", "docs", "doc", "examples"].contains(&folder)
                && !name.starts_with("test_")
                && !is_text
        })
    }
}

/// A revert of what users have already is a change for them.
fn revert_of_released(message: &str) -> ConventionalCommit {
    let title = message.lines().next().unwrap_or_default();
    let quoted = title.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
    let typed = title.split_once(": ").map(|(_, rest)| rest);
    let of = quoted.map(|(text, _)| text).or(typed).unwrap_or(title);
    let of = of.split_once(": ").map_or(of, |(_, text)| text);
    let description = format!("Revert \"{of}\"");
    ConventionalCommit { kind: CommitKind::Fix, scope: None, description }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::tests::workspace;

    /// Commits on a line, the oldest first: its message, and the files of `a` and `b`.
    #[track_caller]
    fn asked(commits: &[(&str, &[&str])], expected: &str) {
        let log: Vec<Commit> = commits
            .iter()
            .enumerate()
            .map(|(at, (message, files))| Commit {
                hash: format!("{at:07}"),
                parents: at.checked_sub(1).map(|at| format!("{at:07}")).into_iter().collect(),
                message: (*message).to_owned(),
                files: files.iter().map(|file| format!("packages/{file}")).collect(),
                renames: Vec::new(),
            })
            .rev()
            .collect();
        let workspace = workspace(&["acme-a 1.0", "acme-b 1.0: acme-a"]).ok().unwrap();
        let tagged: Vec<_> = workspace.distributions.ids().map(|id| (id, "0000000")).collect();
        let found = since_tags(&workspace, &tagged, &log);
        let mut lines = Vec::new();
        for (id, _) in tagged {
            let commits = &found[&id];
            let asks = commits.asks.iter().map(|ask| format!("{:?} {}", ask.kind, ask.description));
            lines.extend(asks.chain(commits.unread.iter().map(|title| format!("? {title}"))));
        }
        assert_eq!(lines.join(" | "), expected);
    }

    #[test]
    fn reverts_cancel_what_is_not_released() {
        let a: &[&str] = &["acme-a/x.py"];
        let revert = "Revert \"feat: b\"\n\nThis reverts commit 0000001.";
        asked(&[("start", a), ("feat: b", a), (revert, a)], "");
        asked(
            &[
                ("start", a),
                ("feat: b", a),
                (revert, a),
                ("Reapply \"feat: b\"\n\nThis reverts commit 0000002.", a),
            ],
            "Feature b",
        );
        asked(
            &[("start", a), ("feat: b (#3)", a), ("Revert \"feat: b\" (#4)\n\nReverts o/r#3", a)],
            "",
        );
        asked(
            &[("start", a), ("Revert \"fix: old\"\n\nThis reverts commit 9999999.", a)],
            "Fix Revert \"old\"",
        );
    }

    #[test]
    fn a_scope_may_name_another_distribution() {
        let both: &[&str] = &["acme-a/x.py", "acme-b/tests/test_x.py"];
        asked(&[("start", both), ("feat(a)!: drop", both)], "Breaking drop");
        let both: &[&str] = &["acme-a/x.py", "acme-b/x.py"];
        asked(
            &[("start", both), ("feat(a)!: drop", both)],
            "Breaking drop | Fix follow a change of `acme-a`",
        );
        asked(&[("start", both), ("feat(a,b): x", both)], "Feature x | Feature x");
        asked(&[("start", both), ("feat(ui): x", both)], "Feature x | Feature x");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        asked(
            &[("start", &[]), ("tidy up", &["acme-a/x.py"]), ("docs: x", &["acme-a/x.py"])],
            "? tidy up",
        );
    }
}
