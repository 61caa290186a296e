//! What has to hold before a release does anything, judged from facts; every check is made, and
//! all that fail are shown together.

use formats::name::Name;
use formats::pep440::Version;

use crate::finding::{Finding, Refusal, Rule};
use crate::release::index_address::token_variable;
use crate::release::plan::Lookup;
use crate::text::globs::any_matches;

/// One check: what was looked at, whether it holds, and what to do where it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub check: Rule,
    pub ok: bool,
    pub detail: String,
    pub hint: Option<String>,
}

impl Check {
    pub fn passed(check: Rule, detail: impl Into<String>) -> Check {
        Check { check, ok: true, detail: detail.into(), hint: None }
    }

    /// Holds, and there is something that a person should know before going on.
    pub(crate) fn noted(check: Rule, detail: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { check, ok: true, detail: detail.into(), hint: Some(hint.into()) }
    }

    pub fn failed(check: Rule, detail: impl Into<String>, hint: impl Into<String>) -> Check {
        Check { check, ok: false, detail: detail.into(), hint: Some(hint.into()) }
    }
}

/// The failed checks as a refusal.
///
/// # Errors
/// At least one check failed.
pub fn refuse_failed(checks: &[Check]) -> Result<(), Refusal> {
    let failed = checks.iter().filter(|check| !check.ok);
    let findings: Vec<Finding> = failed
        .map(|check| Finding {
            hint: check.hint.clone(),
            ..Finding::error(check.check, &check.detail)
        })
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(Refusal(findings)) }
}

/// Leaves out what only sending needs, for a run that builds and sends nothing: a job that builds
/// is given no credentials.
pub fn for_building(mut checks: Vec<Check>) -> Vec<Check> {
    checks.retain(|check| {
        ![Rule::Credentials, Rule::Secrets, Rule::Push, Rule::Git].contains(&check.check)
    });
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
    /// Whether one of the remote's branches holds HEAD.
    pub on_remote: Lookup<bool>,
    /// Why the remote would not take a tag.
    pub refuses_tags: Option<String>,
}

/// Branch, tree, history and remote.
pub fn repository(facts: &RepositoryFacts) -> Vec<Check> {
    let mut checks = vec![branch(facts), tree(facts), history(facts)];
    checks.extend(remote(facts));
    checks
}

fn branch(facts: &RepositoryFacts) -> Check {
    let allowed = |name: &str| facts.branches.is_empty() || any_matches(facts.branches, name);
    let wanted = facts.branches.join(" or ");
    let switch = format!("git switch {}", facts.branches.first().map_or("BRANCH", String::as_str));
    match facts.branch {
        None => Check::failed(
            Rule::Branch,
            format!("HEAD is detached at {}", short(facts.head)),
            format!("{switch}: a release is made from a branch"),
        ),
        Some(name) if allowed(name) => Check::passed(Rule::Branch, name),
        Some(name) => Check::failed(
            Rule::Branch,
            format!("the branch is {name}, and releases are made from {wanted}"),
            format!(
                "{switch}, or add it to `branches` in [workspace.metadata.xtask] of Cargo.toml"
            ),
        ),
    }
}

fn tree(facts: &RepositoryFacts) -> Check {
    let paths = facts.dirty;
    if paths.is_empty() {
        return Check::passed(Rule::Tree, "clean");
    }
    let shown = paths.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more =
        if paths.len() > 5 { format!(" and {} more", paths.len() - 5) } else { String::new() };
    Check::failed(
        Rule::Tree,
        format!("the working tree is not clean: {shown}{more}"),
        "commit it, stash it, or have git ignore it: only what is committed is released",
    )
}

fn history(facts: &RepositoryFacts) -> Check {
    if facts.shallow {
        Check::failed(
            Rule::History,
            "the clone is shallow: tags and commits may be missing",
            "git fetch --unshallow --tags",
        )
    } else {
        Check::passed(Rule::History, "complete")
    }
}

fn remote(facts: &RepositoryFacts) -> Vec<Check> {
    let remote = facts.remote;
    let on_remote = match &facts.on_remote {
        Lookup::Known(true) => {
            Check::passed(Rule::Remote, format!("{remote} has {}", short(facts.head)))
        }
        Lookup::Known(false) => Check::failed(
            Rule::Remote,
            format!("no branch of the git remote `{remote}` has HEAD ({})", short(facts.head)),
            format!("git push {remote}: what is released has to be there for others to see"),
        ),
        // Whether it would take a tag is no question then.
        Lookup::Unknown(why) => {
            return vec![Check::failed(
                Rule::Remote,
                format!("the git remote `{remote}` cannot be asked: {why}"),
                "git remote -v shows where it points; `remote` in [workspace.metadata.xtask] of Cargo.toml names another one",
            )];
        }
    };
    let writable = match &facts.refuses_tags {
        None => Check::passed(Rule::Push, format!("{remote} would take a tag")),
        Some(why) => Check::failed(
            Rule::Push,
            format!("the git remote `{remote}` would not take a tag: {why}"),
            "ask for the right to push tags, or push with other credentials",
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
    /// The variable that holds a token for it, set or not.
    pub variable: &'a str,
    /// Where they come from; the error when twine cannot read its configuration.
    pub source: Result<Option<String>, String>,
}

pub fn credentials(facts: &CredentialFacts) -> Check {
    let repository = facts.repository;
    match &facts.source {
        Ok(Some(source)) => {
            Check::passed(Rule::Credentials, format!("{repository}: from {source}"))
        }
        Ok(None) => Check::failed(
            Rule::Credentials,
            format!("twine finds no credentials for `{repository}`"),
            format!(
                "set {} to an API token, or add them to [{repository}] in .pypirc",
                facts.variable
            ),
        ),
        Err(why) => Check::failed(
            Rule::Credentials,
            format!("twine cannot use `{repository}`: {why}"),
            format!("describe it as [{repository}] in .pypirc"),
        ),
    }
}

/// One secret for two indexes: whoever runs the lesser one could publish to the other.
pub fn separate_secrets(shared_by: Option<[&str; 2]>) -> Check {
    match shared_by {
        None => Check::passed(Rule::Secrets, "each index has its own"),
        Some([staging, index]) => Check::failed(
            Rule::Secrets,
            format!("one secret would go to both {staging} and {index}"),
            format!(
                "make an API token for each: {} and {}",
                token_variable(staging),
                token_variable(index)
            ),
        ),
    }
}

/// Variables of this environment that would redirect a tool; the tools do not see them.
pub fn environment(hostile: &[String]) -> Check {
    if hostile.is_empty() {
        return Check::passed(Rule::Environment, "nothing in it redirects pip, twine or Python");
    }
    let names = hostile.join(", ");
    Check::noted(
        Rule::Environment,
        format!("{names}: kept from every tool"),
        "nothing to do; unset them to silence this",
    )
}

/// Whether a version goes upwards from what an index has, within its own series: a fix for an
/// old series may come after a newer one.
pub fn upwards(name: &str, version: &Version, published: &[Version]) -> Check {
    let series = |digits: usize| {
        let same = |other: &&Version| {
            other.release().iter().take(digits).eq(version.release().iter().take(digits))
        };
        published.iter().filter(same).max()
    };
    match series(2).or_else(|| series(1)).or_else(|| series(0)) {
        Some(highest) if highest > version => Check::failed(
            Rule::Version,
            format!("{name} {version} is lower than {highest}, which is published"),
            format!("cargo xtask bump {name}"),
        ),
        Some(highest) => {
            Check::passed(Rule::Version, format!("{name} {version}: above {highest}, or the same"))
        }
        None => Check::passed(Rule::Version, format!("{name} {version}: the first one")),
    }
}

/// Names that an index has never seen. It takes only about four a day from one account.
pub fn new_names(index: &str, names: &[String]) -> Check {
    const A_DAY: usize = 4;
    match names.len() {
        0 => Check::passed(Rule::Names, format!("{index} knows all of them")),
        count if count > A_DAY => Check::noted(
            Rule::Names,
            format!(
                "{count} names are new to {index}, which takes about {A_DAY} a day: {}",
                names.join(", ")
            ),
            "it may stop half-way with 429; then run the same command again the next day",
        ),
        _ => Check::noted(
            Rule::Names,
            format!("new to {index}: {}", names.join(", ")),
            "they will belong to your account",
        ),
    }
}

/// A version that is tagged, of which an index lacks a kind of file.
pub struct IncompleteFacts<'a> {
    pub name: &'a Name,
    pub version: &'a Version,
    pub tag: &'a str,
    pub index: &'a str,
    /// "sdist" or "wheel".
    pub missing: &'a str,
    /// Too old to take more files.
    pub closed: bool,
}

/// Half a release, which is either made whole or left as it is.
pub fn incomplete(facts: &IncompleteFacts) -> Check {
    let IncompleteFacts { name, version, tag, index, missing, closed } = facts;
    let found = format!("{index} has {name} {version} without its {missing}");
    match closed {
        false => Check::noted(
            Rule::Files,
            format!("{found}, which is built from {tag}"),
            "what is there already stays as it is",
        ),
        true => Check::noted(
            Rule::Files,
            format!(
                "{found}, and takes no more files two weeks after the first; \
                 cargo xtask bump {name} makes a version that has both"
            ),
            "nothing to do where that is enough",
        ),
    }
}

/// One distribution that is to be released, and what git knows of its tag.
pub struct PackageFacts {
    pub name: String,
    /// `None` when the version is not to be found; the reason is a finding of its own.
    pub version: Option<String>,
    pub tag: String,
    pub local_tag: Option<String>,
    pub remote_tag: Lookup<Option<String>>,
    /// Commits whose bytes this release stands for: HEAD, or the one a ledger was built from.
    pub own_commits: Vec<String>,
    /// Commits since the tag that touch the distribution; `None` when that cannot be counted.
    pub changed: Option<usize>,
    /// Siblings it needs that are neither tagged nor part of this release.
    pub unreleased: Vec<String>,
}

/// What stands in the way of releasing one distribution, and what is known of it.
pub fn package(facts: &PackageFacts) -> Vec<Check> {
    let mut checks = vec![tag(facts)];
    if !facts.unreleased.is_empty() {
        let missing = facts.unreleased.join(" and ");
        checks.push(Check::failed(
            Rule::Dependencies,
            format!("{} needs {missing}, not released and not part of this release", facts.name),
            format!("cargo xtask release {} {}", facts.unreleased.join(" "), facts.name),
        ));
    }
    checks
}

fn tag(facts: &PackageFacts) -> Check {
    let PackageFacts { name, tag, .. } = facts;
    let Some(version) = &facts.version else {
        return Check::failed(
            Rule::Version,
            format!("{name}: its version is not known"),
            "cargo xtask status shows where it was looked for",
        );
    };
    let known_remote = match &facts.remote_tag {
        Lookup::Known(commit) => commit.as_ref(),
        Lookup::Unknown(_) => None,
    };
    let ours = |commit: &&String| facts.own_commits.contains(commit);
    match (known_remote, facts.local_tag.as_ref(), facts.changed) {
        (Some(_), _, Some(0)) => {
            Check::passed(Rule::Tag, format!("{name} {version}: tagged {tag}, unchanged since"))
        }
        (Some(_), _, Some(commits)) => Check::failed(
            Rule::Tag,
            format!("{name} {version} is tagged {tag} already, and {} since", touched(commits)),
            format!("cargo xtask bump {name}"),
        ),
        (Some(commit), _, None) => Check::failed(
            Rule::Tag,
            format!(
                "{name} {version} is tagged {tag} on {}, which HEAD does not contain",
                short(commit)
            ),
            format!("cargo xtask bump {name}, or release from the branch that holds the tag"),
        ),
        (None, Some(commit), _) if ours(&commit) => Check::passed(
            Rule::Tag,
            format!("{name} {version}: {tag} is here and not on the remote yet"),
        ),
        (None, Some(commit), _) => Check::failed(
            Rule::Tag,
            format!(
                "the tag {tag} of {name} {version} exists here on {}, and not on the remote",
                short(commit)
            ),
            format!("git tag -d {tag} if it is a left-over, else cargo xtask bump {name}"),
        ),
        (None, None, _) => Check::passed(Rule::Tag, format!("{name} {version}: {tag} is free")),
    }
}

fn touched(commits: usize) -> String {
    if commits == 1 {
        "1 commit touches it".to_owned()
    } else {
        format!("{commits} commits touch it")
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
    }

    #[test]
    fn everything_wrong_is_refused_at_once() {
        let dirty: Vec<String> = (0..7).map(|n| format!("f{n}")).collect();
        let patterns = ["main".to_owned()];
        let refusal = refuse_failed(&repository_facts(Some("x"), &patterns, &dirty)).unwrap_err();
        assert_eq!(refusal.0.len(), 2);
        assert!(refusal.0.iter().all(|finding| finding.hint.is_some()));
        assert!(refusal.to_string().contains("f0, f1, f2, f3, f4 and 2 more"), "{refusal}");
    }

    fn facts(
        remote_tag: Option<&str>,
        local_tag: Option<&str>,
        changed: Option<usize>,
    ) -> PackageFacts {
        PackageFacts {
            name: "core".into(),
            version: Some("2.3.0".into()),
            tag: "core-v2.3.0".into(),
            local_tag: local_tag.map(str::to_owned),
            remote_tag: Lookup::Known(remote_tag.map(str::to_owned)),
            own_commits: vec!["head".into()],
            changed,
            unreleased: Vec::new(),
        }
    }

    #[track_caller]
    fn tag_check(facts: &PackageFacts, ok: bool, detail: &str) {
        let check = tag(facts);
        assert_eq!((check.ok, check.detail.as_str()), (ok, detail));
    }

    #[test]
    fn tags() {
        tag_check(&facts(None, None, None), true, "core 2.3.0: core-v2.3.0 is free");
        tag_check(
            &facts(Some("old"), Some("old"), Some(0)),
            true,
            "core 2.3.0: tagged core-v2.3.0, unchanged since",
        );
        tag_check(
            &facts(Some("old"), Some("old"), Some(2)),
            false,
            "core 2.3.0 is tagged core-v2.3.0 already, and 2 commits touch it since",
        );
        // A ledger of the release that was says nothing about what came after.
        tag_check(
            &facts(Some("head"), None, Some(1)),
            false,
            "core 2.3.0 is tagged core-v2.3.0 already, and 1 commit touches it since",
        );
        tag_check(
            &facts(Some("elsewhere"), None, None),
            false,
            "core 2.3.0 is tagged core-v2.3.0 on elsewhere, which HEAD does not contain",
        );
        tag_check(
            &facts(None, Some("head"), None),
            true,
            "core 2.3.0: core-v2.3.0 is here and not on the remote yet",
        );
        tag_check(
            &facts(None, Some("old"), None),
            false,
            "the tag core-v2.3.0 of core 2.3.0 exists here on old, and not on the remote",
        );
    }

    #[track_caller]
    fn goes_upwards(version: &str, published: &[&str], ok: bool) {
        let published: Vec<Version> = published.iter().map(|v| v.parse().unwrap()).collect();
        assert_eq!(
            upwards("core", &version.parse().unwrap(), &published).ok,
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
    fn many_new_names_are_said_beforehand() {
        let names: Vec<String> = (0..5).map(|n| format!("n{n}")).collect();
        assert!(new_names("pypi", &names).detail.contains("about 4 a day"));
        assert!(new_names("pypi", &names[..4]).ok);
        assert_eq!(new_names("pypi", &[]).hint, None);
    }

    #[test]
    fn an_unreleased_dependency_is_named_with_the_command() {
        let facts = PackageFacts { unreleased: vec!["base".into()], ..facts(None, None, None) };
        assert_eq!(package(&facts)[1].hint.as_deref(), Some("cargo xtask release base core"));
    }
}
