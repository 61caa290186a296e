//! Conventional Commits 1.0.0: how significant a commit is, and its entry in a changelog. Must not
//! know git, which files a commit touched, nor what a version is.

use crate::changelog::{ChangelogEntry, ChangelogSection};

/// A commit that calls for a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConventionalCommit {
    pub kind: CommitKind,
    /// The scope in parentheses, if any.
    pub scope: Option<String>,
    /// The header after the colon.
    pub description: String,
}

/// The kinds of commits that call for a release, the most significant last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommitKind {
    Fix,
    Performance,
    Feature,
    Breaking,
}

/// Reads one commit message; `None` for one that calls for no release (`docs:`, `chore:`, merges,
/// and everything that is not a Conventional Commit).
pub fn read(message: &str) -> Option<ConventionalCommit> {
    let (header, body) =
        message.trim_start().split_once('\n').unwrap_or((message.trim_start(), ""));
    let (prefix, description) = header.split_once(':')?;
    let description = description.strip_prefix(' ')?.trim();
    let marked = prefix.ends_with('!');
    let prefix = prefix.strip_suffix('!').unwrap_or(prefix);
    let (word, scope) = match prefix.split_once('(') {
        Some((word, scope)) => (word, Some(scope.strip_suffix(')')?.to_owned())),
        None => (prefix, None),
    };
    if word.is_empty()
        || description.is_empty()
        || !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    {
        return None;
    }
    let kind = match word.to_ascii_lowercase().as_str() {
        _ if marked || body.lines().any(is_breaking_footer) => CommitKind::Breaking,
        "feat" => CommitKind::Feature,
        "fix" => CommitKind::Fix,
        "perf" => CommitKind::Performance,
        _ => return None,
    };
    Some(ConventionalCommit { kind, scope, description: description.to_owned() })
}

/// Footers are the one part that the standard makes case-sensitive.
fn is_breaking_footer(line: &str) -> bool {
    line.starts_with("BREAKING CHANGE: ") || line.starts_with("BREAKING-CHANGE: ")
}

/// The changelog entries of `commits`, in their order.
pub fn entries(commits: &[ConventionalCommit]) -> Vec<ChangelogEntry> {
    commits.iter().map(entry).collect()
}

fn entry(commit: &ConventionalCommit) -> ChangelogEntry {
    let mut letters = commit.description.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let sentence = format!("{first}{}", letters.as_str());
    let stop = if sentence.ends_with(['.', '!', '?']) { "" } else { "." };
    let (section, mark) = match commit.kind {
        CommitKind::Breaking => (ChangelogSection::Changed, "**Breaking:** "),
        CommitKind::Feature => (ChangelogSection::Added, ""),
        CommitKind::Performance => (ChangelogSection::Changed, ""),
        CommitKind::Fix => (ChangelogSection::Fixed, ""),
    };
    ChangelogEntry { section, text: format!("{mark}{sentence}{stop}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: Option<CommitKind>) {
        assert_eq!(read(message).map(|commit| commit.kind), expected, "{message}");
    }

    #[test]
    fn what_a_commit_amounts_to() {
        check("feat(api): b", Some(CommitKind::Feature));
        check("perf: faster", Some(CommitKind::Performance));
        check("Fix: a", Some(CommitKind::Fix));
        check("refactor!: drop", Some(CommitKind::Breaking));
        check("fix(x)!: drop", Some(CommitKind::Breaking));
        check("chore: x\n\nwords\n\nBREAKING CHANGE: y", Some(CommitKind::Breaking));
        check("chore: x\n\nBREAKING-CHANGE: y", Some(CommitKind::Breaking));
    }

    #[test]
    fn what_asks_for_no_release() {
        for message in [
            "docs: x",
            "chore: b",
            "Merge branch 'x'",
            "fix typo",
            "feat:no blank",
            "fix(: x",
            "fix: ",
            "",
            "release: 1.0",
            "see http://x: y",
            "chore: x\n\nbreaking change: y",
            "revert: feat: x",
        ] {
            check(message, None);
        }
    }

    #[test]
    fn entries_are_sentences() {
        let commits = ["feat(api): add `x`", "fix!: drop y.", "perf: é"].map(|m| read(m).unwrap());
        let texts: Vec<_> = entries(&commits).into_iter().map(|e| (e.section, e.text)).collect();
        assert_eq!(
            texts,
            [
                (ChangelogSection::Added, "Add `x`.".to_owned()),
                (ChangelogSection::Changed, "**Breaking:** Drop y.".to_owned()),
                (ChangelogSection::Changed, "É.".to_owned()),
            ]
        );
    }
}
