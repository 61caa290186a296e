//! Commit messages as people and forges write them, read by Conventional Commits 1.0.0 and what is
//! near it: what each asks of a version, its entries in a changelog, and what it reverts.
//!
//! Must not know git, which files a commit touched, nor what a version is.

use crate::changelog::{ChangelogEntry, ChangelogSection};

/// A change that calls for a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConventionalCommit {
    pub kind: CommitKind,
    /// The scope in parentheses, if any.
    pub scope: Option<String>,
    /// The header after the colon, or a footer's text.
    pub description: String,
}

/// The kinds of changes that call for a release, the most significant last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommitKind {
    Fix,
    Performance,
    Feature,
    Breaking,
}

/// A commit message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitMessage {
    /// The changes that call for a release; none for `docs:`, `chore:` and the like.
    pub asks: Vec<ConventionalCommit>,
    /// Abbreviated hashes or titles of the commits that it reverts.
    pub reverts: Vec<String>,
    /// It says of what kind the change is.
    pub is_readable: bool,
}

/// A header: the kind is `None` where the type calls for no release.
struct Header<'a> {
    kind: Option<CommitKind>,
    scope: Option<&'a str>,
    description: &'a str,
}

/// Reads one commit message.
pub fn read(message: &str) -> CommitMessage {
    let message = message.trim_start();
    let (mut title, mut body) = message.split_once('\n').unwrap_or((message, ""));
    if is_merge(title) {
        // The title of the pull request is the next paragraph.
        (title, body) = body.trim_start().split_once('\n').unwrap_or((body.trim_start(), ""));
    }
    let title = without_forge(title);
    if let Some(reverted) = reverted(title, body) {
        return CommitMessage { reverts: reverted, is_readable: true, ..CommitMessage::default() };
    }
    let header = header(title);
    let mut asks = Vec::new();
    let footers = footers(body);
    let lower = body.lines().any(|line| line.to_ascii_lowercase().starts_with("breaking change:"));
    let is_readable = header.is_some() && (!lower || !footers.is_empty());
    let own = header.as_ref().and_then(|header| header.asked());
    let weight = own.as_ref().map(|own| own.kind);
    let is_release = title.starts_with("chore(release)") || title.starts_with("chore(main)");
    let scope = header.as_ref().and_then(|header| header.scope).map(str::to_owned);
    asks.extend(own);
    // A squash merge lists the commits of the branch; its title speaks for all that weighs no more.
    if header.is_none() || (is_squash(title) && !is_release) {
        asks.extend(bullets(body).filter(|bullet| Some(bullet.kind) > weight));
    }
    for description in footers {
        let kind = CommitKind::Breaking;
        // The footer says in more words what `!` announces.
        let scope = scope.clone();
        match asks.iter_mut().find(|ask| ask.kind == kind) {
            Some(marked) if marked.description == header.as_ref().map_or("", |h| h.description) => {
                marked.description = description;
            }
            _ => asks.push(ConventionalCommit { kind, scope, description }),
        }
    }
    let is_readable = is_readable || (header.is_none() && !asks.is_empty());
    CommitMessage { asks, reverts: Vec::new(), is_readable }
}

fn is_merge(title: &str) -> bool {
    [
        "Merge pull request ",
        "Merge branch ",
        "Merge remote-tracking branch ",
        "Merged in ",
        "Merge tag ",
    ]
    .iter()
    .any(|start| title.starts_with(start))
}

/// A title without what a forge or `git commit --squash` puts in front: `Merged PR 12: feat: a`.
fn without_forge(title: &str) -> &str {
    let title = title.trim().trim_start_matches("Draft: ");
    let rest = title.strip_prefix("Merged PR ").and_then(|rest| rest.split_once(": "));
    rest.filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit())).map_or(title, |(_, t)| t)
}

/// Whether a title ends with the number of a pull request: `Better queues (#12)`, `… (!7)`.
fn is_squash(title: &str) -> bool {
    let number = title.strip_suffix(')').and_then(|title| title.rsplit_once('('));
    number.is_some_and(|(_, number)| {
        number.strip_prefix(['#', '!']).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    })
}

impl Header<'_> {
    fn asked(&self) -> Option<ConventionalCommit> {
        let scope = self.scope.map(str::to_owned);
        Some(ConventionalCommit {
            kind: self.kind?,
            scope,
            description: self.description.to_owned(),
        })
    }
}

/// `type(scope)!: description`, with the liberties that people take; `None` for any other text.
fn header(title: &str) -> Option<Header<'_>> {
    let (rest, emoji, bracket) = without_decoration(title);
    let Some((prefix, description)) = rest.split_once([':', '：']) else {
        return emoji.filter(|_| !rest.is_empty()).map(|kind| Header {
            kind: Some(kind),
            scope: bracket,
            description: rest,
        });
    };
    let description = description.trim();
    let mut prefix = prefix.trim();
    let mut is_marked = false;
    let mut scope = bracket;
    while let Some(shorter) = prefix.strip_suffix('!') {
        is_marked = true;
        prefix = shorter.trim_end();
    }
    if let Some((word, inside)) = prefix.split_once('(') {
        scope = Some(inside.strip_suffix(')')?.trim());
        prefix = word.trim_end();
    }
    if let Some(shorter) = prefix.strip_suffix('!') {
        is_marked = true;
        prefix = shorter;
    }
    let is_word = !prefix.is_empty()
        && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == ' ');
    if !is_word || description.is_empty() {
        return None;
    }
    let known = kind_of(prefix);
    let is_one_word = !prefix.contains(' ');
    let kind = match known {
        _ if is_marked && is_one_word => Some(CommitKind::Breaking),
        Some(kind) => kind,
        None => Some(emoji?),
    };
    Some(Header { kind, scope, description })
}

/// The change that a type calls for; `None` for an unknown one.
fn kind_of(word: &str) -> Option<Option<CommitKind>> {
    Some(match word.to_ascii_lowercase().as_str() {
        "feat" | "feats" | "feature" | "features" | "enh" | "enhancement" => {
            Some(CommitKind::Feature)
        }
        "fix" | "fixes" | "fixed" | "bugfix" | "hotfix" | "bug" | "security" | "sec" => {
            Some(CommitKind::Fix)
        }
        "perf" | "performance" => Some(CommitKind::Performance),
        "breaking change" | "breaking-change" | "breaking" => Some(CommitKind::Breaking),
        "docs" | "doc" | "chore" | "ci" | "style" | "refactor" | "refact" | "test" | "tests"
        | "build" | "bld" | "release" | "rel" | "maint" | "tst" | "sty" | "bench" | "deps"
        | "wip" | "typo" | "lint" | "cleanup" | "merge" | "bump" | "meta" | "examples" | "i18n"
        | "revert" => None,
        _ => return None,
    })
}

/// A title without the emoji, `:shortcode:` or `[scope]` in front, what the emoji means (gitmoji), and
/// the scope.
fn without_decoration(title: &str) -> (&str, Option<CommitKind>, Option<&str>) {
    let mut rest = title.trim();
    let mut kind = None;
    let mut scope = None;
    loop {
        let (sign, after) = if let Some(code) = rest.strip_prefix(':')
            && let Some((name, after)) = code.split_once(':')
            && !name.is_empty()
            && !name.contains(' ')
        {
            (name, after)
        } else if let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']'))
        {
            scope = Some(inside.trim());
            ("", after)
        } else {
            let end = rest.find(|c: char| c.is_ascii() || c.is_alphanumeric());
            let end = end.unwrap_or(rest.len());
            if end == 0 || rest.starts_with('：') {
                return (rest, kind, scope);
            }
            rest.split_at(end)
        };
        kind = kind.or(match sign.trim_matches(['\u{fe0f}', ' ']) {
            "✨" | "sparkles" => Some(CommitKind::Feature),
            "🐛" | "bug" | "🚑" | "ambulance" | "🔒" | "lock" | "🩹" | "adhesive_bandage" => {
                Some(CommitKind::Fix)
            }
            "⚡" | "zap" => Some(CommitKind::Performance),
            "💥" | "boom" => Some(CommitKind::Breaking),
            _ => None,
        });
        rest = after.trim_start();
    }
}

/// The commits in the body of a squash merge: `* feat: add priorities`.
fn bullets(body: &str) -> impl Iterator<Item = ConventionalCommit> {
    body.lines().filter_map(|line| {
        let item = line.strip_prefix("* ").or_else(|| line.strip_prefix("- "))?;
        let header = header(item.trim())?;
        header.asked()
    })
}

/// The texts of the breaking-change footers, one for each change that they list.
fn footers(body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in body.lines() {
        let text = line.trim().trim_start_matches(['*', '-', ' ']);
        if let Some(text) = breaking(text) {
            found.push(text.trim().to_owned());
            is_open = true;
            continue;
        }
        let item = line.trim().strip_prefix("- ").or_else(|| line.trim().strip_prefix("* "));
        let is_footer = line.split_once(": ").is_some_and(|(token, _)| {
            token.contains('-') && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        match (found.last_mut(), item) {
            _ if !is_open => {}
            (Some(last), Some(item)) if last.is_empty() => *last = item.to_owned(),
            (Some(_), Some(item)) if header(item).is_none() => found.push(item.to_owned()),
            (Some(last), None) if last.is_empty() => *last = line.trim().to_owned(),
            (Some(last), None) if !line.trim().is_empty() && !is_footer => {
                *last = format!("{last} {}", line.trim());
            }
            _ => is_open = false,
        }
    }
    let nothing = |text: &String| {
        let text = text.to_ascii_lowercase();
        ["", "none", "no", "n/a", "-", "nothing"].contains(&text.trim_end_matches('.'))
    };
    found.retain(|text| !nothing(text));
    found
}

/// The text of a breaking-change footer. Footers are the one part that the standard makes
/// case-sensitive.
fn breaking(line: &str) -> Option<&str> {
    let rest =
        line.strip_prefix("BREAKING CHANGE").or_else(|| line.strip_prefix("BREAKING-CHANGE"))?;
    let rest = rest.strip_prefix('S').unwrap_or(rest).trim_start_matches(['*', ' ']);
    rest.strip_prefix(':')
        .or_else(|| rest.strip_prefix('：'))
        .map(|text| text.trim_start_matches('*'))
}

/// The hashes in a revert of git or of a forge, or else the title that it names; `None` where a
/// message is not a revert.
fn reverted(title: &str, body: &str) -> Option<Vec<String>> {
    let quoted = ["Revert \"", "Reapply \""].iter().find_map(|start| title.strip_prefix(start));
    let typed = title
        .split_once(':')
        .filter(|(word, _)| {
            word.split('(')
                .next()
                .is_some_and(|w| w.trim_end_matches('!').eq_ignore_ascii_case("revert"))
        })
        .map(|(_, text)| text.trim());
    let is_hash = |word: &&str| word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut hashes = Vec::new();
    for line in body.lines() {
        let says =
            ["This reverts commit", "This reverts merge request", "Refs:", "This reapplies commit"];
        if says.iter().any(|says| line.trim().starts_with(says)) {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_hash);
            // "This reverts commit A, reversing changes made to B."
            let count = if line.contains("reversing changes") { 1 } else { usize::MAX };
            hashes.extend(words.take(count).map(str::to_owned));
        }
    }
    if quoted.is_none() && typed.is_none() {
        return (body.contains("This reverts commit") && !hashes.is_empty()).then_some(hashes);
    }
    if hashes.is_empty() {
        let quoted = quoted.and_then(|text| text.rsplit_once('"')).map(|(text, _)| text);
        hashes.extend(quoted.or(typed).map(|text| text.trim_matches('"').to_owned()));
    }
    Some(hashes)
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

    /// The letters of what is asked: `B`reaking, `F`eature, `P`erformance, fi`x`; `-` for nothing,
    /// `?` for a message that cannot be read, `<` in front of what is reverted.
    const MESSAGES: &[(&str, &str)] = &[
        ("feat: a", "F"),
        ("feat(api): b", "F"),
        ("Feat: a", "F"),
        ("FEAT: a", "F"),
        ("fix: a", "x"),
        ("Fix: a", "x"),
        ("perf: faster", "P"),
        ("feat!: a", "B"),
        ("fix(x)!: drop", "B"),
        ("refactor!: drop", "B"),
        ("feat!(core): a", "B"),
        ("feat(core)! : a", "B"),
        ("feat(core) : a", "F"),
        ("feat (core): a", "F"),
        ("feat(core,sched): a", "F"),
        ("feat:a", "F"),
        ("fix：a", "x"),
        ("feature: a", "F"),
        ("bugfix: a", "x"),
        ("hotfix: a", "x"),
        ("ENH: a", "F"),
        ("BUG: a", "x"),
        ("DOC: a", "-"),
        ("MAINT: a", "-"),
        ("✨ feat: a", "F"),
        (":sparkles: feat: a", "F"),
        ("✨ add a", "F"),
        (":bug: a", "x"),
        ("⚡️ faster", "P"),
        ("💥 drop", "B"),
        ("🎨 fix: a", "x"),
        ("[core] feat: a", "F"),
        ("[core] a", "?"),
        ("docs: x", "-"),
        ("chore: x", "-"),
        ("ci: x", "-"),
        ("refactor(core): x", "-"),
        ("build(deps): bump x from 1 to 2 (#3)", "-"),
        ("chore(release): core 1.2.0\n\n# 1.2.0\n\n* **core:** feat: x", "-"),
        ("chore(main): release 1.2.0 (#4)\n\n### Features\n\n* feat: x", "-"),
        ("release: 1.0", "-"),
        ("chore: x\n\nwords\n\nBREAKING CHANGE: y", "B"),
        ("chore: x\n\nBREAKING-CHANGE: y", "B"),
        ("feat: a\r\n\r\nBREAKING CHANGE: x\r\n", "FB"),
        ("feat: a\n\nBREAKING CHANGE:\n- old gone\n- b gone", "FBB"),
        ("feat: a\n\nBREAKING CHANGE:\told gone", "FB"),
        ("feat: a\n\nBREAKING CHANGES: old gone", "FB"),
        ("feat: a\n\nBREAKING CHANGE : old gone", "FB"),
        ("feat: a\n\n**BREAKING CHANGE**: old gone", "FB"),
        ("feat: a\n\nRefs: #1\nBREAKING CHANGE: y\nReviewed-by: z", "FB"),
        ("feat!: a\n\nBREAKING CHANGE: y", "B"),
        ("feat: a\n\nBREAKING CHANGE: none", "F"),
        ("chore: x\n\nbreaking change: y", "?"),
        ("BREAKING CHANGE: y", "B"),
        (
            "Better queues (#12)\n\n* feat: add priorities\n\n* fix: no lost items\n\n* feat!: drop",
            "FxB",
        ),
        ("feat: queues (#12)\n\n* feat: a\n* fix: b\n* feat!: drop", "FB"),
        ("fix: queues (!12)\n\n- feat: a", "xF"),
        ("docs: how to commit\n\n* feat: is a feature", "-"),
        ("Merge pull request #12 from u/topic\n\nfeat: add priorities", "F"),
        ("Merge branch 'topic' into 'main'\n\nfix: a\n\nSee merge request g/p!12", "x"),
        ("Merge branch 'topic'", "?"),
        ("Merged in topic (pull request #12)\n\nfeat: a", "F"),
        ("Merged PR 12: feat: a", "F"),
        ("Draft: feat: a", "F"),
        ("Revert \"feat: a\"\n\nThis reverts commit 0123456789abcdef.", "<0123456789abcdef"),
        ("Revert \"feat: a (#1)\" (#2)\n\nReverts o/r#1", "<feat: a (#1)"),
        ("revert: feat: a\n\nRefs: 676104e, a215868", "<676104e<a215868"),
        ("revert(core): feat: a", "<feat: a"),
        ("Reapply \"feat: a\"\n\nThis reverts commit 0123456.", "<0123456"),
        (
            "Revert \"Merge x\"\n\nThis reverts commit 0123456, reversing\nchanges made to 7654321.",
            "<0123456",
        ),
        ("fix typo", "?"),
        ("fix(: x", "?"),
        ("fix: ", "?"),
        ("", "?"),
        ("see http://x: y", "?"),
        ("core: rename x", "?"),
        ("fixup! feat: a", "?"),
    ];

    #[test]
    fn what_commits_ask_for() {
        assert!(MESSAGES.len() >= 60);
        for (message, expected) in MESSAGES {
            let read = read(message);
            let letter = |ask: &ConventionalCommit| match ask.kind {
                CommitKind::Breaking => "B",
                CommitKind::Feature => "F",
                CommitKind::Performance => "P",
                CommitKind::Fix => "x",
            };
            let mut shown: String = read.asks.iter().map(letter).collect();
            shown.extend(read.reverts.iter().map(|hash| format!("<{hash}")));
            if shown.is_empty() {
                shown = if read.is_readable { "-" } else { "?" }.to_owned();
            }
            assert_eq!(shown, *expected, "{message}");
        }
    }

    #[test]
    fn entries_are_sentences() {
        let commits = [
            "feat(api): add `x`",
            "fix!: drop y.",
            "perf: é",
            "feat!: a\n\nBREAKING CHANGE: b\nis gone",
        ];
        let commits = commits.map(|message| read(message).asks.remove(0));
        let texts: Vec<_> = entries(&commits).into_iter().map(|e| (e.section, e.text)).collect();
        assert_eq!(
            texts,
            [
                (ChangelogSection::Added, "Add `x`.".to_owned()),
                (ChangelogSection::Changed, "**Breaking:** Drop y.".to_owned()),
                (ChangelogSection::Changed, "É.".to_owned()),
                (ChangelogSection::Changed, "**Breaking:** B is gone.".to_owned()),
            ]
        );
    }
}
