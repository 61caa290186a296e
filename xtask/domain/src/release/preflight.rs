//! The checks before a release does anything, judged from facts. Every check is made, and all that
//! fail are reported together.
//!
//! Must not know where the facts come from.

use formats::name::Name;
use formats::pep440::Version;

use crate::finding::{Finding, Refusal, Rule};
use crate::release::index_address::token_variable;
use crate::release::plan::{FileKind, Lookup};
use crate::text::globs::any_matches;
use crate::text::words::{first_few, plural};

/// One check: its subject, whether it holds, and what to do where it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub rule: Rule,
    pub ok: bool,
    pub detail: String,
    pub hint: Option<String>,
}

impl Check {
    pub fn passed(rule: Rule, detail: impl Into<String>) -> Check {
        Check { rule, ok: true, detail: detail.into(), hint: None }
    }

    /// A check that holds, with something that a person should know before going on.
    pub fn noted(rule: Rule, detail: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { rule, ok: true, detail: detail.into(), hint: Some(hint.into()) }
    }

    pub fn failed(rule: Rule, detail: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { rule, ok: false, detail: detail.into(), hint: Some(hint.into()) }
    }
}

/// The failed checks as a refusal.
///
/// # Errors
/// At least one check failed.
pub fn refuse_failed(checks: &[Check]) -> Result<(), Refusal> {
    let failed = checks.iter().filter(|check| !check.ok);
    let findings = failed.map(|check| Finding {
        hint: check.hint.clone(),
        ..Finding::error(check.rule, &check.detail)
    });
    Refusal::unless_clean(findings.collect())
}

/// Leaves out the checks that only an upload or a push needs: a job that only builds has no
/// credentials.
pub fn for_building(mut checks: Vec<Check>) -> Vec<Check> {
    checks.retain(|check| ![Rule::Secrets, Rule::Push, Rule::Git].contains(&check.rule));
    checks
}

/// The state of the repository that is released from.
pub struct RepositoryFacts<'a> {
    /// Full hash of HEAD.
    pub head: &'a str,
    /// `None` when HEAD is detached.
    pub branch: Option<&'a str>,
    /// Glob patterns of the branches to release from; none allows any.
    pub branches: &'a [String],
    /// Paths that differ from HEAD, and files that git does not know.
    pub dirty: &'a [String],
    pub shallow: bool,
    pub remote: &'a str,
    /// Whether one of the remote's branches contains HEAD.
    pub on_remote: Lookup<bool>,
    /// Why the remote would not accept a tag.
    pub refuses_tags: Option<String>,
    /// The tag of a released version that HEAD has.
    pub tag: Option<&'a str>,
}

/// Branch, tree, history and remote.
pub fn repository(facts: &RepositoryFacts) -> Vec<Check> {
    let mut checks = vec![branch(facts), tree(facts), history(facts)];
    checks.extend(remote(facts));
    checks
}

fn branch(facts: &RepositoryFacts) -> Check {
    let literal = facts.branches.iter().find(|pattern| !pattern.contains(['*', '?', '[']));
    let switch = format!("run `git switch {}`", literal.map_or("BRANCH", String::as_str));
    let Some(name) = facts.branch else {
        if let Some(tag) = facts.tag {
            return Check::passed(Rule::Branch, format!("HEAD is the tag `{tag}`"));
        }
        return Check::failed(
            Rule::Branch,
            format!("HEAD is detached at {}", short(facts.head)),
            format!("{switch}; releases are made from a branch"),
        );
    };
    if facts.branches.is_empty() || any_matches(facts.branches, name) {
        return Check::passed(Rule::Branch, name);
    }
    Check::failed(
        Rule::Branch,
        format!(
            "the branch is `{name}`, but releases are made from `{}`",
            facts.branches.join("` or `")
        ),
        format!(
            "{switch}, or add `{name}` to `branches` in [workspace.metadata.xtask] of Cargo.toml"
        ),
    )
}

fn tree(facts: &RepositoryFacts) -> Check {
    if facts.dirty.is_empty() {
        return Check::passed(Rule::Tree, "clean");
    }
    Check::failed(
        Rule::Tree,
        format!("the working tree is not clean: {}", first_few(facts.dirty)),
        "commit, stash or ignore these files; only commits are released",
    )
}

fn history(facts: &RepositoryFacts) -> Check {
    if facts.shallow {
        Check::failed(
            Rule::History,
            "the clone is shallow: tags and commits may be missing",
            "run `git fetch --unshallow --tags`",
        )
    } else {
        Check::passed(Rule::History, "complete")
    }
}

fn remote(facts: &RepositoryFacts) -> Vec<Check> {
    let remote = facts.remote;
    let head = short(facts.head);
    let on_remote = match &facts.on_remote {
        Lookup::Known(true) => Check::passed(Rule::Remote, format!("`{remote}` has {head}")),
        Lookup::Known(false) => Check::failed(
            Rule::Remote,
            format!("no branch of the git remote `{remote}` has HEAD ({head})"),
            format!(
                "run `git push {remote} HEAD`, after `git pull --rebase` if it is rejected; \
                 the commit of a release has to be public"
            ),
        ),
        // Whether it accepts tags cannot be known then.
        Lookup::Unknown(why) => {
            return vec![Check::failed(
                Rule::Remote,
                format!("could not query the git remote `{remote}`: {why}"),
                "run `git remote -v` to see its address, or set `remote` in [workspace.metadata.xtask] of Cargo.toml",
            )];
        }
    };
    let writable = match &facts.refuses_tags {
        None => Check::passed(Rule::Push, format!("`{remote}` accepts tags")),
        Some(why) => Check::failed(
            Rule::Push,
            format!("the git remote `{remote}` does not accept tags: {why}"),
            "get permission to push tags, or push with other credentials",
        ),
    };
    vec![on_remote, writable]
}

/// Why git would not make a tag here, in its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagRefusal {
    /// It does not know who tags.
    Tagger(String),
    /// The tag itself cannot be made, mostly because it cannot be signed.
    Object(String),
    /// The name cannot be set: a hook refuses, or a tag of a part of that name exists.
    Reference(String),
}

/// Whether git would make the tags of this release, which are made last.
pub fn tagging(refusal: Option<TagRefusal>) -> Check {
    match refusal {
        None => Check::passed(Rule::Git, "it would make the tags"),
        Some(TagRefusal::Tagger(why)) => Check::failed(
            Rule::Git,
            format!("git has no identity to tag with: {why}"),
            "git config user.name NAME && git config user.email ADDRESS",
        ),
        Some(TagRefusal::Object(why)) => Check::failed(
            Rule::Git,
            format!("git cannot make a tag: {why}"),
            "`git tag --sign --message test test` shows whether signing works; \
             `git config --unset tag.gpgSign` turns it off",
        ),
        Some(TagRefusal::Reference(why)) => Check::failed(
            Rule::Git,
            format!("git would not set the tags: {why}"),
            "the hook is `reference-transaction` in the folder that `git rev-parse --git-path hooks` prints",
        ),
    }
}

/// Credentials for one index.
pub struct CredentialFacts<'a> {
    /// twine's name for it.
    pub repository: &'a str,
    /// The variable that may hold a token for it, whether it is set or not.
    pub variable: &'a str,
    /// Where they come from; the error when twine cannot read its configuration.
    pub source: Result<Option<String>, String>,
}

/// Whether twine has credentials for an index.
pub fn credentials(facts: &CredentialFacts) -> Check {
    let CredentialFacts { repository, variable, source } = facts;
    match source {
        Ok(Some(source)) => {
            Check::passed(Rule::Credentials, format!("{repository}: from {source}"))
        }
        Ok(None) => Check::failed(
            Rule::Credentials,
            format!("twine finds no credentials for `{repository}`"),
            format!(
                "set `{variable}` to an API token, or add credentials to [{repository}] in .pypirc"
            ),
        ),
        Err(why) => Check::failed(
            Rule::Credentials,
            format!("twine cannot use `{repository}`: {why}"),
            format!("add a valid [{repository}] section to .pypirc"),
        ),
    }
}

/// Two indexes that get one secret: the operator of the lesser one could publish to the other.
pub fn separate_secrets(shared_by: Option<[&str; 2]>) -> Check {
    match shared_by {
        None => Check::passed(Rule::Secrets, "each index has its own"),
        Some([staging, index]) => Check::failed(
            Rule::Secrets,
            format!("`{staging}` and `{index}` would both get the same secret"),
            format!(
                "create an API token for each, and set `{}` and `{}`",
                token_variable(staging),
                token_variable(index)
            ),
        ),
    }
}

/// Variables of this environment that would redirect a tool. The tools do not get them.
pub fn environment(hostile: &[String]) -> Check {
    if hostile.is_empty() {
        return Check::passed(Rule::Environment, "no variable redirects pip, twine or Python");
    }
    Check::noted(
        Rule::Environment,
        format!("the release tools do not see these variables: {}", hostile.join(", ")),
        "unset them to silence this note",
    )
}

/// Whether foreign code is shut in on this machine; see `docs/security.md`.
pub fn isolation(is_shut_in: bool) -> Check {
    if is_shut_in {
        let detail = "builds and smoke tests cannot see other processes";
        return Check::passed(Rule::Secrets, detail);
    }
    Check::noted(
        Rule::Secrets,
        "builds and smoke tests are not isolated here: their code can read the tokens of this process",
        "run it with `--until staged` where the token of the index is not set, then the rest elsewhere",
    )
}

/// Whether a version is not below those that an index has, within its own series: a fix for an old
/// series may follow a newer one.
pub fn upwards(name: &Name, version: &Version, published: &[Version]) -> Check {
    let highest_with_same = |segments: usize| {
        let same = published.iter().filter(|other| {
            other.release().iter().take(segments).eq(version.release().iter().take(segments))
        });
        same.max()
    };
    let highest =
        highest_with_same(2).or_else(|| highest_with_same(1)).or_else(|| highest_with_same(0));
    match highest {
        Some(highest) if highest > version => Check::failed(
            Rule::Version,
            format!("{name} {version} is lower than {highest}, which is published"),
            format!("run `cargo xtask bump {name}`"),
        ),
        Some(highest) => {
            Check::passed(Rule::Version, format!("{name} {version}: not below {highest}"))
        }
        None => Check::passed(Rule::Version, format!("{name} {version}: the first version")),
    }
}

/// Names that are new to an index, which accepts only about four a day from one account.
pub fn new_names(index: &str, names: &[String]) -> Check {
    const A_DAY: usize = 4;
    match names.len() {
        0 => Check::passed(Rule::Names, format!("`{index}` has every project")),
        count if count > A_DAY => Check::noted(
            Rule::Names,
            format!(
                "{count} names are new to `{index}`, which accepts about {A_DAY} a day: {}",
                names.join(", ")
            ),
            "if it stops with status 429, run the same command again the next day",
        ),
        _ => Check::noted(
            Rule::Names,
            format!("new to `{index}`: {}", names.join(", ")),
            "they will belong to your account",
        ),
    }
}

/// A tagged version of which an index lacks a kind of file.
pub struct IncompleteFacts<'a> {
    pub name: &'a Name,
    pub version: &'a Version,
    pub tag: &'a str,
    pub index: &'a str,
    pub missing: FileKind,
    /// Whether the release is too old to get more files.
    pub closed: bool,
}

/// An incomplete release, which is either completed or left as it is.
pub fn incomplete(facts: &IncompleteFacts) -> Check {
    let IncompleteFacts { name, version, tag, index, missing, closed } = facts;
    let found = format!("`{index}` has {name} {version} without its {missing}");
    if *closed {
        Check::noted(
            Rule::Files,
            format!(
                "{found}, and accepts no more files two weeks after the first; \
                 `cargo xtask bump {name}` makes a version with both"
            ),
            "ignore this if one of them is enough",
        )
    } else {
        Check::noted(
            Rule::Files,
            format!("{found}, which is built from `{tag}`"),
            "files that are already there stay as they are",
        )
    }
}

/// One distribution that is to be released, and what git knows of its tag.
pub struct PackageFacts {
    pub name: String,
    /// `None` when the version is unknown; the reason is a finding of its own.
    pub version: Option<String>,
    /// Whether its version is made from a tag: what lacks one is reported together.
    pub is_made: bool,
    pub tag: String,
    pub local_tag: Option<String>,
    pub remote_tag: Lookup<Option<String>>,
    /// The commits that this release may tag: HEAD, and the one that the ledger was built from.
    pub own_commits: Vec<String>,
    /// Commits since the tag that touch the distribution; `None` when they cannot be counted.
    pub changed: Option<usize>,
    /// Siblings it needs that are neither tagged nor part of this release.
    pub unreleased: Vec<String>,
    /// Published requirements on siblings without a range that nothing allows, as written.
    pub without_range: Vec<String>,
}

/// The checks of one distribution.
pub fn package(facts: &PackageFacts) -> Vec<Check> {
    let mut checks = Vec::new();
    if facts.version.is_some() || !facts.is_made {
        checks.push(tag(facts));
    }
    if !facts.unreleased.is_empty() {
        checks.push(Check::failed(
            Rule::Dependencies,
            format!(
                "`{}` needs `{}`, not released and not part of this release",
                facts.name,
                facts.unreleased.join("` and `")
            ),
            format!("run `cargo xtask release {} {}`", facts.unreleased.join(" "), facts.name),
        ));
    }
    if let Some(first) = facts.without_range.first() {
        let all = facts.without_range.join("`, `");
        checks.push(Check::failed(
            Rule::NoRange,
            format!("`{}` requires `{all}` in any version, also in incompatible ones", facts.name),
            format!(
                "add ranges (`cargo xtask check --fix`), or `keep = [\"{first}\"]` to [tool.xtask]"
            ),
        ));
    }
    checks
}

fn tag(facts: &PackageFacts) -> Check {
    let PackageFacts { name, tag, .. } = facts;
    let Some(version) = &facts.version else {
        return Check::failed(
            Rule::Version,
            format!("the version of `{name}` is unknown"),
            format!(
                "run `cargo xtask status` to see where it was looked for, or name it: \
                 `cargo xtask release {name}=1.0.0`"
            ),
        );
    };
    if let Lookup::Known(Some(commit)) = &facts.remote_tag {
        return tag_on_remote(facts, version, commit);
    }
    match &facts.local_tag {
        None => Check::passed(Rule::Tag, format!("{name} {version}: `{tag}` is free")),
        Some(commit) if facts.own_commits.contains(commit) => Check::passed(
            Rule::Tag,
            format!("{name} {version}: `{tag}` exists here and is not yet on the remote"),
        ),
        Some(commit) => Check::failed(
            Rule::Tag,
            format!(
                "the tag `{tag}` of {name} {version} exists here on {}, but not on the remote",
                short(commit)
            ),
            format!("run `git tag -d {tag}` if it is a leftover, else `cargo xtask bump {name}`"),
        ),
    }
}

/// Distributions whose versions are made from tags, and of which nothing says which they are: the
/// three ways to say it. `example` is a tag of the first one.
pub fn versions_from_tags(names: &[String], example: &str) -> Option<Check> {
    let name = names.first()?;
    Some(Check::failed(
        Rule::Version,
        format!("versions come from tags, and nothing says those of {}", first_few(names)),
        format!(
            "run `cargo xtask bump {name} 1.0.0 --commit`, which records it; or name it, \
             `cargo xtask release {name}=1.0.0`; or tag HEAD, `git tag {example}`"
        ),
    ))
}

/// A version that is tagged on the remote may be released again only if nothing has changed.
fn tag_on_remote(facts: &PackageFacts, version: &str, commit: &str) -> Check {
    let PackageFacts { name, tag, .. } = facts;
    match facts.changed {
        Some(0) => {
            Check::passed(Rule::Tag, format!("{name} {version}: tagged `{tag}`, unchanged since"))
        }
        Some(commits) => Check::failed(
            Rule::Tag,
            format!(
                "{name} {version} is already tagged `{tag}`, with {} to it since",
                plural(commits, "commit")
            ),
            format!("run `cargo xtask bump {name}`"),
        ),
        None => Check::failed(
            Rule::Tag,
            format!(
                "{name} {version} is tagged `{tag}` on {}, which HEAD does not contain",
                short(commit)
            ),
            format!("run `cargo xtask bump {name}`, or release from the branch with that tag"),
        ),
    }
}

/// The first digits of a commit's hash, as git shows it.
pub fn short(commit: &str) -> &str {
    &commit[..commit.len().min(9)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository_facts<'a>(
        branch: Option<&'a str>,
        branches: &'a [String],
        dirty: &'a [String],
    ) -> Vec<Check> {
        repository(&RepositoryFacts {
            head: "0123456789abcdef",
            branch,
            branches,
            dirty,
            shallow: false,
            remote: "origin",
            on_remote: Lookup::Known(true),
            refuses_tags: None,
            tag: None,
        })
    }

    #[test]
    fn branches_match_by_pattern() {
        let patterns = ["main".to_owned(), "release/*".to_owned()];
        assert!(repository_facts(Some("release/2.x"), &patterns, &[])[0].ok);
        assert!(!repository_facts(Some("feature"), &patterns, &[])[0].ok);
        assert!(repository_facts(Some("feature"), &[], &[])[0].ok);
        let detached = &repository_facts(None, &patterns, &[])[0];
        assert_eq!(detached.detail, "HEAD is detached at 012345678");
        let facts = RepositoryFacts {
            head: "0123456789abcdef",
            branch: None,
            branches: &patterns,
            dirty: &[],
            shallow: false,
            remote: "origin",
            on_remote: Lookup::Known(true),
            refuses_tags: None,
            tag: Some("core-v1.0"),
        };
        assert_eq!(branch(&facts), Check::passed(Rule::Branch, "HEAD is the tag `core-v1.0`"));
    }

    #[test]
    fn everything_wrong_is_refused_at_once() {
        let dirty: Vec<String> = (0..7).map(|n| format!("f{n}")).collect();
        let patterns = ["main".to_owned()];
        let refusal = refuse_failed(&repository_facts(Some("x"), &patterns, &dirty)).unwrap_err();
        assert_eq!(refusal.0.len(), 2);
        assert!(refusal.0.iter().all(|finding| finding.hint.is_some()));
        assert!(refusal.to_string().contains("`f4` and 2 more"), "{refusal}");
    }

    fn facts(
        remote_tag: Option<&str>,
        local_tag: Option<&str>,
        changed: Option<usize>,
    ) -> PackageFacts {
        PackageFacts {
            name: "core".into(),
            version: Some("2.3.0".into()),
            is_made: false,
            tag: "core-v2.3.0".into(),
            local_tag: local_tag.map(str::to_owned),
            remote_tag: Lookup::Known(remote_tag.map(str::to_owned)),
            own_commits: vec!["head".into()],
            changed,
            unreleased: Vec::new(),
            without_range: Vec::new(),
        }
    }

    #[track_caller]
    fn tag_check(facts: &PackageFacts, ok: bool, detail: &str) {
        let check = tag(facts);
        assert_eq!((check.ok, check.detail.as_str()), (ok, detail));
    }

    #[test]
    fn tags() {
        tag_check(&facts(None, None, None), true, "core 2.3.0: `core-v2.3.0` is free");
        tag_check(
            &facts(Some("old"), Some("old"), Some(0)),
            true,
            "core 2.3.0: tagged `core-v2.3.0`, unchanged since",
        );
        tag_check(
            &facts(Some("old"), Some("old"), Some(2)),
            false,
            "core 2.3.0 is already tagged `core-v2.3.0`, with 2 commits to it since",
        );
        // The ledger of that release says nothing about later commits.
        tag_check(
            &facts(Some("head"), None, Some(1)),
            false,
            "core 2.3.0 is already tagged `core-v2.3.0`, with 1 commit to it since",
        );
        tag_check(
            &facts(Some("elsewhere"), None, None),
            false,
            "core 2.3.0 is tagged `core-v2.3.0` on elsewhere, which HEAD does not contain",
        );
        tag_check(
            &facts(None, Some("head"), None),
            true,
            "core 2.3.0: `core-v2.3.0` exists here and is not yet on the remote",
        );
        tag_check(
            &facts(None, Some("old"), None),
            false,
            "the tag `core-v2.3.0` of core 2.3.0 exists here on old, but not on the remote",
        );
    }

    #[track_caller]
    fn goes_upwards(version: &str, published: &[&str], ok: bool) {
        let published: Vec<Version> = published.iter().map(|v| v.parse().unwrap()).collect();
        assert_eq!(
            upwards(&Name::new("core").unwrap(), &version.parse().unwrap(), &published).ok,
            ok,
            "{version} {published:?}"
        );
    }

    #[test]
    fn versions_go_upwards_within_their_series() {
        goes_upwards("1.0", &[], true);
        goes_upwards("2.4.0", &["2.3.0", "2.3.1"], true);
        goes_upwards("2.3.0", &["2.3.1"], false);
        goes_upwards("1.9.1", &["1.9.0", "2.0.0"], true);
        goes_upwards("1.8.0", &["1.9.0", "2.0.0"], false);
        goes_upwards("2.3.0", &["2.3.0"], true);
        goes_upwards("1.0", &["2025.1"], false);
    }

    #[test]
    fn many_new_names_are_announced() {
        let names: Vec<String> = (0..5).map(|n| format!("n{n}")).collect();
        assert!(new_names("pypi", &names).detail.contains("about 4 a day"));
        assert!(new_names("pypi", &names[..4]).ok);
        assert_eq!(new_names("pypi", &[]).hint, None);
    }

    #[test]
    fn an_unreleased_dependency_is_named_with_the_command() {
        let facts = PackageFacts { unreleased: vec!["base".into()], ..facts(None, None, None) };
        assert_eq!(package(&facts)[1].hint.as_deref(), Some("run `cargo xtask release base core`"));
    }
}
