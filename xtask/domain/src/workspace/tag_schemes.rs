//! How the tags of each distribution are made, and which of them is its last: configured, stated by
//! its build tool, or read off the tags that the repository has.
//!
//! A pattern that is configured or stated is never second-guessed.

use std::collections::HashMap;

use formats::pep440::Version;

use crate::finding::{Finding, Rule};
use crate::ids::{DistributionId, IdVec};
use crate::manifest::version_source::DeclaredVersion;
use crate::text::words::first_few;
use crate::workspace::history::{TagRef, starting_with};
use crate::workspace::tags::{LastTag, TagPattern};
use crate::workspace::{Distribution, Workspace};

/// Words before a distribution's name in tags such as `python-core-v1.0`.
const BEFORE: [&str; 9] =
    ["python", "py", "pypi", "release", "releases", "pkg", "packages", "libs", "tags"];

/// How surely tags are those of a distribution, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    Name,
    /// `python-NAME`, `folder/NAME`.
    NameBehind,
    Path,
    Folder,
    /// The name without its first word: `core` for `acme-core`.
    ShortName,
    /// A folder that only this distribution is in.
    FolderAbove,
}

/// The tags with one prefix, such as `core-v`.
#[derive(Default)]
struct Prefix<'a> {
    /// From the highest version to the lowest.
    tags: Vec<(Version, &'a TagRef)>,
}

impl Prefix<'_> {
    fn highest(&self) -> Option<&Version> {
        self.tags.first().map(|(version, _)| version)
    }
}

/// All tags that end with a version, by what is before it.
struct TagIndex<'a>(HashMap<&'a str, Prefix<'a>>);

impl<'a> TagIndex<'a> {
    fn of(tags: &'a [TagRef]) -> TagIndex<'a> {
        let mut index: HashMap<&str, Prefix> = HashMap::new();
        for tag in tags {
            for (prefix, version) in readings(&tag.name).filter(|(prefix, _)| is_name(prefix, tag))
            {
                index.entry(prefix).or_default().tags.push((version, tag));
            }
        }
        for prefix in index.values_mut() {
            prefix.tags.sort_by(|(a, _), (b, _)| b.cmp(a));
        }
        TagIndex(index)
    }

    /// The prefixes of tags that name no distribution (`v1.0`), the highest version first.
    fn shared(&self) -> Vec<&'a str> {
        let shared = self.0.iter().filter(|(prefix, _)| is_shared(prefix));
        let mut shared: Vec<(&str, &Prefix)> = shared.map(|(prefix, of)| (*prefix, of)).collect();
        shared.sort_by(|(a, one), (b, other)| (other.highest(), b).cmp(&(one.highest(), a)));
        shared.into_iter().map(|(prefix, _)| prefix).collect()
    }
}

/// Whether a prefix is a name, or none before a version with a dot: a bare number is a build or a
/// date more often than a version, and `@scope/name` is a package of npm.
fn is_name(prefix: &str, tag: &TagRef) -> bool {
    if prefix.starts_with('@') && prefix.contains('/') {
        return false;
    }
    let stem = stem(prefix);
    if stem.is_empty() { tag.name.contains('.') } else { stem.contains(char::is_alphabetic) }
}

/// The ways to read a tag as a prefix and a version.
fn readings(tag: &str) -> impl Iterator<Item = (&str, Version)> {
    let bytes = tag.as_bytes();
    let separates = |at: usize| at == 0 || b"-/@_=:+ ".contains(&bytes[at - 1]);
    let starts = (0..bytes.len()).filter(move |&at| {
        let behind_v = at > 0 && b"vV".contains(&bytes[at - 1]) && separates(at - 1);
        bytes[at].is_ascii_digit() && (separates(at) || behind_v)
    });
    starts.filter_map(|at| Some((&tag[..at], tag[at..].parse().ok()?)))
}

/// The name in a prefix, in lower case with single dashes: `acme-core` of `Acme.Core-v`.
fn stem(prefix: &str) -> String {
    const SEPARATORS: [char; 7] = ['-', '/', '@', '_', '=', ':', '+'];
    let trimmed = prefix.strip_suffix(['v', 'V']).unwrap_or(prefix);
    let trimmed =
        if trimmed.is_empty() || trimmed.ends_with(SEPARATORS) { trimmed } else { prefix };
    dashed(trimmed)
}

/// A stem without a last word that names the kind of tag: `core` of `core-release`.
fn without_kind(stem: &str) -> Option<&str> {
    ["release", "releases", "rel", "version"]
        .into_iter()
        .find_map(|word| stem.strip_suffix(word))
        .filter(|name| name.is_empty() || name.ends_with('-'))
        .map(|name| name.trim_end_matches('-'))
}

/// Whether a prefix names nothing but the kind of tag: `v`, `release-`.
fn is_shared(prefix: &str) -> bool {
    let stem = stem(prefix);
    without_kind(&stem).unwrap_or(&stem).is_empty()
}

fn dashed(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

/// Which distribution each name in a tag means; `None` where it could be several.
struct Owners(HashMap<String, (Claim, Option<DistributionId>)>);

impl Owners {
    fn of(distributions: &IdVec<DistributionId, Distribution>) -> Owners {
        let mut owners: HashMap<String, (Claim, Option<DistributionId>)> = HashMap::new();
        let released = distributions.enumerate().filter(|(_, d)| d.manifest.excluded.is_none());
        for (id, distribution) in released {
            for (claim, name) in claims(distribution) {
                let new = (claim, Some(id));
                let entry = owners.entry(name).or_insert(new);
                if claim < entry.0 {
                    *entry = new;
                } else if claim == entry.0 && entry.1 != Some(id) {
                    entry.1 = None;
                }
            }
        }
        Owners(owners)
    }

    fn owner(&self, prefix: &str) -> Option<(Claim, DistributionId)> {
        let stem = stem(prefix);
        let known = self.0.get(&stem).or_else(|| self.0.get(without_kind(&stem)?));
        let (claim, owner) = known?;
        Some((*claim, (*owner)?))
    }
}

/// The names by which tags may mean a distribution.
fn claims(distribution: &Distribution) -> Vec<(Claim, String)> {
    let name = distribution.name().normal();
    let mut claims = vec![(Claim::Name, name.to_owned())];
    claims.extend(BEFORE.map(|word| (Claim::NameBehind, format!("{word}-{name}"))));
    if let Some((_, short)) = name.split_once('-') {
        claims.push((Claim::ShortName, short.to_owned()));
    }
    let folders: Vec<&str> = distribution.dir.split('/').filter(|dir| !dir.is_empty()).collect();
    for (depth, folder) in folders.iter().enumerate() {
        claims
            .push((Claim::NameBehind, format!("{}-{name}", dashed(&folders[..=depth].join("/")))));
        claims.push((Claim::FolderAbove, dashed(folder)));
    }
    if let Some(folder) = folders.last() {
        claims.push((Claim::Path, dashed(&distribution.dir)));
        claims.push((Claim::Folder, dashed(folder)));
    }
    claims
}

impl Workspace {
    /// Gives every distribution the tags that the repository has: the pattern of the next one, the
    /// last one, and that of the current version in the spelling that it has. `tags` is sorted by
    /// name.
    pub fn follow_tags(&mut self, tags: &[TagRef]) {
        self.findings.retain(|finding| finding.rule != Rule::TagScheme);
        let index = TagIndex::of(tags);
        let schemes = Schemes::of(self, &index);
        let mut asked = Vec::new();
        for id in self.distributions.ids().collect::<Vec<_>>() {
            let scheme = schemes.of_one(self, id);
            let known = scheme.tags(&index, tags);
            let distribution = &mut self.distributions[id];
            let pattern = scheme.pattern.clone().unwrap_or_else(|| distribution.tag.clone());
            // Shared tags of old show how versions are spelled, too.
            let prefix = pattern.prefix().to_owned();
            let own = known.iter().filter(|(_, tag)| tag.name.starts_with(&prefix));
            distribution.tag = pattern.spelled_like(own.map(|(_, tag)| tag.name.as_str()));
            distribution.tagged = tagged(distribution, &known);
            distribution.last_tag =
                base(distribution.version(), &known).map(|(version, tag)| LastTag {
                    name: tag.name.clone(),
                    commit: tag.commit.clone(),
                    version: version.clone(),
                });
            let current = distribution.version();
            let is_elsewhere = |(version, tag): &&(Version, &TagRef)| {
                !tag.in_head || current.is_some_and(|current| version > current)
            };
            let taken = known.iter().filter(is_elsewhere);
            distribution.taken = taken.map(|(v, tag)| (v.clone(), tag.name.clone())).collect();
            if scheme.is_a_guess && distribution.manifest.excluded.is_none() {
                asked.push(id);
            }
        }
        self.findings.extend(self.scheme_question(&asked, &index));
    }

    /// Asks for the pattern of distributions for which tags of another scheme are there.
    fn scheme_question(&self, asked: &[DistributionId], index: &TagIndex) -> Option<Finding> {
        let first = &self.distributions[*asked.first()?];
        let last = first.last_tag.as_ref().map(|last| last.name.as_str());
        let newest = || {
            let shared = index.shared().first().and_then(|prefix| index.0.get(prefix));
            let most =
                shared.or_else(|| index.0.values().max_by_key(|of| (of.tags.len(), of.highest())));
            most?.tags.first().map(|(_, tag)| tag.name.as_str())
        };
        let there = last.or_else(newest)?;
        let next = first.version().cloned().unwrap_or_else(|| Version::new([1, 0]));
        let names: Vec<String> =
            asked.iter().map(|&id| self.distributions[id].name().to_string()).collect();
        let message = format!(
            "the repository has tags such as `{there}`, which do not name {}; the next tag would be `{}`",
            first_few(&names),
            first.tag.tag(&next)
        );
        let hint = format!(
            "set `tag` in `[tool.xtask]`: `tag = \"{}\"`, or `tag = \"v{{version}}\"` and the distributions that share it as one of `groups`",
            first.tag.written()
        );
        Some(Finding::new(Rule::TagScheme, message).at(&first.manifest.path, 1).hint(hint))
    }
}

/// The tag that a distribution counts from: the highest that HEAD contains. Where releases are made on
/// branches that never come back, and in a shallow clone, the highest up to its version.
fn base<'a, 't>(
    current: Option<&Version>,
    known: &'a [(Version, &'t TagRef)],
) -> Option<&'a (Version, &'t TagRef)> {
    let contained = known.iter().find(|(_, tag)| tag.in_head);
    contained.or_else(|| {
        known.iter().find(|(version, _)| current.is_none_or(|current| version <= current))
    })
}

/// The tag of the version that a distribution has now, where there is one.
fn tagged(distribution: &Distribution, known: &[(Version, &TagRef)]) -> Option<String> {
    let version = distribution.version()?;
    let mut tags = known.iter().filter(|(tagged, _)| tagged == version).map(|(_, tag)| &tag.name);
    let usual = distribution.tag.tag(version);
    let first = tags.next()?;
    Some(if tags.any(|tag| *tag == usual) { usual } else { first.clone() })
}

/// The scheme of one distribution's tags.
struct Scheme<'a> {
    /// The pattern of the next tag; `None` for the one that it has already.
    pattern: Option<TagPattern>,
    /// Tags of other patterns that are its own as well.
    others: Vec<&'a str>,
    /// Nothing tells what the next tag is called, while the repository has tags.
    is_a_guess: bool,
}

impl Scheme<'_> {
    /// All its tags, the highest version first.
    fn tags<'t>(&self, index: &TagIndex<'t>, tags: &'t [TagRef]) -> Vec<(Version, &'t TagRef)> {
        let mut known: Vec<(Version, &TagRef)> = Vec::new();
        if let Some(pattern) = &self.pattern {
            let candidates = starting_with(tags, pattern.prefix()).iter();
            known.extend(candidates.filter_map(|tag| Some((pattern.version(&tag.name)?, tag))));
        }
        if known.is_empty() || self.pattern.is_none() || !self.others.is_empty() {
            for prefix in &self.others {
                let of = index.0.get(prefix);
                known.extend(of.into_iter().flat_map(|of| of.tags.iter().cloned()));
            }
        }
        known.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.name.cmp(&other.name)));
        known.dedup_by(|(_, one), (_, other)| one.name == other.name);
        known
    }
}

/// The schemes that the tags of the whole repository show.
struct Schemes<'a> {
    /// The prefixes that name a distribution, the highest version first, for each.
    own: HashMap<DistributionId, Vec<&'a str>>,
    /// Prefixes of tags that name no distribution.
    shared: Vec<&'a str>,
    /// The highest version under these.
    last_shared: Option<Version>,
    has_tags: bool,
    /// How most distributions are tagged, for those that have no tag yet.
    template: Option<Template>,
    /// Distributions to which the shared tags belong.
    sharing: Vec<DistributionId>,
}

impl<'a> Schemes<'a> {
    fn of(workspace: &Workspace, index: &TagIndex<'a>) -> Schemes<'a> {
        let distributions = &workspace.distributions;
        let owners = Owners::of(distributions);
        let mut claimed: HashMap<DistributionId, Vec<(Claim, &str)>> = HashMap::new();
        for prefix in index.0.keys() {
            if let Some((claim, id)) = owners.owner(prefix) {
                claimed.entry(id).or_default().push((claim, prefix));
            }
        }
        let own = claimed.into_iter().map(|(id, prefixes)| (id, surest(prefixes, index)));
        let own: HashMap<DistributionId, Vec<&str>> = own.collect();
        let shared = index.shared();
        let last_shared = shared.first().and_then(|prefix| index.0.get(prefix)?.highest().cloned());
        Schemes {
            template: Template::of(distributions, &own),
            sharing: sharing(workspace, &own),
            own,
            last_shared,
            shared,
            has_tags: index.0.values().any(|prefix| !prefix.tags.is_empty()),
        }
    }

    fn of_one(&self, workspace: &Workspace, id: DistributionId) -> Scheme<'a> {
        let distribution = &workspace.distributions[id];
        let config = &distribution.manifest.config;
        let own = self.own.get(&id).cloned().unwrap_or_default();
        let before = || if own.is_empty() { self.shared_before(distribution) } else { own.clone() };
        let decided = |pattern: TagPattern, others: Vec<&'a str>| Scheme {
            pattern: Some(pattern),
            others,
            is_a_guess: false,
        };
        if config.tag.is_some() {
            return decided(distribution.tag.clone(), before());
        }
        let stated = config.stated_tag.as_ref();
        let stated = stated.map(|stated| TagPattern::new(Some(stated), distribution.name()));
        // Tools take `core-1.0` and `core-v1.0` for the same.
        let without_v = |prefix: &str| prefix.trim_end_matches(['v', 'V']).to_owned();
        if let Some(stated) = stated
            && own.first().is_none_or(|own| without_v(own) != without_v(stated.prefix()))
        {
            return decided(stated, Vec::new());
        }
        if let Some(prefix) = own.first() {
            return decided(TagPattern::with_prefix((*prefix).to_owned()), own.clone());
        }
        let from_tag = matches!(distribution.manifest.version, DeclaredVersion::FromTag { .. });
        let shares = from_tag || self.sharing.contains(&id);
        if let Some(prefix) = self.shared.first().filter(|_| shares) {
            return decided(TagPattern::with_prefix((*prefix).to_owned()), self.shared.clone());
        }
        if let Some(pattern) = self.template.as_ref().and_then(|t| t.pattern(distribution)) {
            return decided(pattern, self.shared_before(distribution));
        }
        if from_tag && self.sharing.contains(&id) {
            // Every tool reads these as long as nothing tells it otherwise.
            return decided(TagPattern::with_prefix("v".to_owned()), Vec::new());
        }
        Scheme {
            pattern: None,
            others: self.shared_before(distribution),
            is_a_guess: self.has_tags,
        }
    }

    /// The shared tags that can be those of a distribution from before it had its own: the last one
    /// names its version or, where no other distribution is tagged so, leads up to it.
    fn shared_before(&self, distribution: &Distribution) -> Vec<&'a str> {
        let Some(version) = distribution.version() else { return Vec::new() };
        let leads_up = self.last_shared.as_ref().is_some_and(|highest| {
            let is_next = highest < version && highest.segment(0) == version.segment(0);
            highest == version || (is_next && self.sharing.is_empty())
        });
        if leads_up { self.shared.clone() } else { Vec::new() }
    }
}

/// The prefixes of the surest claims; of those the one with the highest version comes first.
fn surest<'a>(mut prefixes: Vec<(Claim, &'a str)>, index: &TagIndex) -> Vec<&'a str> {
    let is_sure = |claim: Claim| claim < Claim::ShortName;
    if prefixes.iter().any(|(claim, _)| is_sure(*claim)) {
        prefixes.retain(|(claim, _)| is_sure(*claim));
    }
    let highest = |prefix: &str| index.0.get(prefix).and_then(Prefix::highest);
    prefixes.sort_by(|(one, a), (other, b)| {
        highest(b).cmp(&highest(a)).then_with(|| (one, a).cmp(&(other, b)))
    });
    prefixes.into_iter().map(|(_, prefix)| prefix).collect()
}

/// The distributions that tags without a name belong to: the only one, the one at the root, or all
/// that are configured to share one version.
fn sharing(workspace: &Workspace, own: &HashMap<DistributionId, Vec<&str>>) -> Vec<DistributionId> {
    let distributions = &workspace.distributions;
    let mut open: Vec<DistributionId> = distributions
        .enumerate()
        .filter(|(_, distribution)| distribution.manifest.excluded.is_none())
        .map(|(id, _)| id)
        .collect();
    let only = open.len() == 1;
    open.retain(|id| !own.contains_key(id));
    let groups = workspace.version_groups();
    if only
        || open.iter().all(|id| groups.get(id) == groups.get(&open[0]) && groups.contains_key(id))
    {
        return open;
    }
    open.retain(|&id| distributions[id].dir.is_empty());
    open
}

/// A tag prefix with the place of the distribution's name in it.
#[derive(Clone, PartialEq, Eq)]
struct Template {
    before: String,
    name: NameForm,
    after: String,
}

/// How a prefix writes a distribution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NameForm {
    Written,
    Normal,
    InFileName,
    Path,
    Folder,
}

impl NameForm {
    const ALL: [NameForm; 5] = [
        NameForm::Written,
        NameForm::Normal,
        NameForm::InFileName,
        NameForm::Path,
        NameForm::Folder,
    ];

    fn of(self, distribution: &Distribution) -> String {
        match self {
            NameForm::Written => distribution.name().to_string(),
            NameForm::Normal => distribution.name().normal().to_owned(),
            NameForm::InFileName => distribution.name().in_file_name(),
            NameForm::Path => distribution.dir.clone(),
            NameForm::Folder => distribution.dir.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }
}

impl Template {
    /// The one that most distributions have; of equally many the first in release order.
    fn of(
        distributions: &IdVec<DistributionId, Distribution>,
        own: &HashMap<DistributionId, Vec<&str>>,
    ) -> Option<Template> {
        let mut counted: Vec<(usize, Template)> = Vec::new();
        for (id, distribution) in distributions.enumerate() {
            let prefix = own.get(&id).and_then(|prefixes| prefixes.first());
            let Some(template) = prefix.and_then(|prefix| Template::read(prefix, distribution))
            else {
                continue;
            };
            match counted.iter_mut().find(|(_, known)| *known == template) {
                Some((count, _)) => *count += 1,
                None => counted.push((1, template)),
            }
        }
        // `max_by_key` takes the last of equals.
        counted.into_iter().rev().max_by_key(|(count, _)| *count).map(|(_, template)| template)
    }

    fn read(prefix: &str, distribution: &Distribution) -> Option<Template> {
        NameForm::ALL.into_iter().find_map(|name| {
            let form = name.of(distribution);
            let at = prefix.rfind(&form).filter(|_| !form.is_empty())?;
            let after = prefix[at + form.len()..].to_owned();
            Some(Template { before: prefix[..at].to_owned(), name, after })
        })
    }

    fn pattern(&self, distribution: &Distribution) -> Option<TagPattern> {
        let name = self.name.of(distribution);
        if name.is_empty() {
            return None;
        }
        Some(TagPattern::with_prefix([&self.before, name.as_str(), &self.after].concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RepositoryConfig;
    use crate::manifest::Manifest;
    use crate::text::toml::TomlFile;
    use crate::workspace::Judgement;

    /// Distributions as `DIR NAME VERSION`, with `-` for a version that comes from tags.
    fn workspace(distributions: &[&str]) -> Workspace {
        let manifest = |line: &&str| {
            let [dir, name, version]: [&str; 3] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let version = match version {
                "-" => "dynamic = ['version']\n[tool.setuptools_scm]".to_owned(),
                version => format!("version = '{version}'"),
            };
            let text = format!("[project]\nname = '{name}'\n{version}\n");
            let path = if dir == "." { String::new() } else { format!("{dir}/") };
            let file = TomlFile::parse(&format!("{path}pyproject.toml"), text.into()).unwrap();
            Manifest::read(&file).unwrap().unwrap()
        };
        let manifests = distributions.iter().map(manifest).collect();
        let config = RepositoryConfig::default();
        Workspace::assemble(config, manifests, Vec::new(), Judgement::Refuse).unwrap()
    }

    /// `expected`, for each distribution: its last tag, and the tag of version 9.9.
    #[track_caller]
    fn check(distributions: &[&str], tags: &[&str], expected: &[(&str, &str)], asks: bool) {
        let mut workspace = workspace(distributions);
        let tag =
            |name: &&str| TagRef { name: (*name).to_owned(), commit: String::new(), in_head: true };
        let mut tags: Vec<TagRef> = tags.iter().map(tag).collect();
        tags.sort_by(|a, b| a.name.cmp(&b.name));
        workspace.follow_tags(&tags);
        let next = "9.9".parse().unwrap();
        let found: Vec<(String, String)> = workspace
            .distributions
            .iter()
            .map(|d| {
                (d.last_tag.as_ref().map_or("", |last| &last.name).to_owned(), d.tag.tag(&next))
            })
            .collect();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(last, next)| (last.as_str(), next.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(!workspace.findings.is_empty(), asks, "{:?}", workspace.findings);
    }

    #[test]
    fn each_distribution_has_tags_of_its_own() {
        let two = ["libs/core Acme.Core 1.0", "libs/io acme-io 1.0"];
        let core = |tags: &[&str], last, next| check(&two[..1], tags, &[(last, next)], false);
        core(&["acme-core-v1.0", "v5.0"], "acme-core-v1.0", "acme-core-v9.9");
        core(&["acme_core==1.0"], "acme_core==1.0", "acme_core==9.9");
        core(&["core/v1.0", "core/v1.10"], "core/v1.10", "core/v9.9");
        core(&["Acme.Core@1.0"], "Acme.Core@1.0", "Acme.Core@9.9");
        core(&["python-acme-core-v1.0"], "python-acme-core-v1.0", "python-acme-core-v9.9");
        core(&["libs/acme-core-v1.0"], "libs/acme-core-v1.0", "libs/acme-core-v9.9");
        core(&["acme-core-release-1.0"], "acme-core-release-1.0", "acme-core-release-9.9");
        core(&["acme-core-1.0", "core/2.0"], "core/2.0", "core/9.9");
        core(&["v1.0", "2.0"], "2.0", "9.9");
        core(&["nightly", "2026-01-02", "@acme/core@1.0"], "", "Acme.Core-v9.9");
        check(
            &two,
            &["acme-core/1.0", "acme-io/1.2"],
            &[("acme-core/1.0", "acme-core/9.9"), ("acme-io/1.2", "acme-io/9.9")],
            false,
        );
    }

    #[test]
    fn a_name_within_a_name_is_another_distribution() {
        check(
            &["a acme 1.0", "b acme-2 4.0", "c acme-release 1.0"],
            &["acme-v1.0", "acme-2-v4.0", "acme-release-v0.1", "acme-extra-v7.0"],
            &[
                ("acme-v1.0", "acme-v9.9"),
                ("acme-2-v4.0", "acme-2-v9.9"),
                ("acme-release-v0.1", "acme-release-v9.9"),
            ],
            false,
        );
    }

    #[test]
    fn a_new_distribution_is_tagged_as_its_siblings_are() {
        check(
            &["a acme-a 1.0", "b acme-b 0.1"],
            &["acme-a@1.0"],
            &[("acme-a@1.0", "acme-a@9.9"), ("", "acme-b@9.9")],
            false,
        );
        check(
            &["a acme-a 2.0", "b acme-b 1.2"],
            &["v1.1", "v1.2", "a/2.0"],
            &[("a/2.0", "a/9.9"), ("v1.2", "b/9.9")],
            false,
        );
    }

    #[test]
    fn tags_without_a_name() {
        // Those of the distribution at the root.
        check(
            &["packages/io acme-io 0.2", ". acme 1.2"],
            &["v1.2", "v0.2"],
            &[("v1.2", "v9.9"), ("", "acme-io-v9.9")],
            true,
        );
        // Nobody knows how the next one is named.
        let two = ["a acme-a 1.2", "b acme-b 1.2"];
        check(&two, &["v1.2"], &[("v1.2", "acme-a-v9.9"), ("v1.2", "acme-b-v9.9")], true);
        check(&two, &["site-5"], &[("", "acme-a-v9.9"), ("", "acme-b-v9.9")], true);
        check(&two, &[], &[("", "acme-a-v9.9"), ("", "acme-b-v9.9")], false);
        // Tools that make versions from tags take them without being told.
        check(&["a acme-a -", "b acme-b -"], &["v1.2"], &[("v1.2", "v9.9"); 2], false);
    }
}
