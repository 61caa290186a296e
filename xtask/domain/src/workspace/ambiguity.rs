//! Tags that could be read as another distribution's, or that git refuses.

use std::collections::HashMap;

use formats::pep440::Version;

use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::workspace::{Distribution, Workspace};

impl Workspace {
    /// An error for every distribution whose tags could be read as another one's. Distributions that
    /// share one version may share one tag.
    pub(super) fn ambiguities(&self) -> Vec<Finding> {
        let distributions = &self.distributions;
        let groups = self.version_groups();
        let mut findings = Vec::new();
        let mut owners: HashMap<(&str, &str), DistributionId> = HashMap::new();
        let released = |distribution: &&Distribution| distribution.manifest.excluded.is_none();
        for (id, distribution) in distributions.enumerate().filter(|(_, d)| released(d)) {
            let pattern = &distribution.tag;
            match owners.entry(pattern.affixes()) {
                std::collections::hash_map::Entry::Occupied(owner) => {
                    let shares = groups.get(&id).is_some_and(|group| group.contains(owner.get()));
                    if !shares {
                        findings.push(ambiguity(distribution, &distributions[*owner.get()]));
                    }
                }
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(id);
                }
            }
        }
        // `v1.0` is a version too, so `{version}` would claim the tags of `v{version}`: look for every
        // shorter prefix behind which a version still stands.
        for distribution in distributions.iter().filter(released) {
            let (prefix, suffix) = distribution.tag.affixes();
            let claims = prefix.char_indices().filter_map(|(cut, _)| {
                let rest = &prefix[cut..];
                // Cheaper than looking each of them up.
                let begins = rest.starts_with(|c: char| c.is_ascii_digit() || "vV".contains(c));
                let owner = begins.then(|| owners.get(&(&prefix[..cut], suffix)))??;
                format!("{rest}1.0").parse::<Version>().ok().map(|_| &distributions[*owner])
            });
            findings.extend(claims.map(|owner| ambiguity(distribution, owner)));
        }
        findings
    }
}

fn ambiguity(one: &Distribution, other: &Distribution) -> Finding {
    // A configured tag is the one that can be changed.
    let configured =
        one.manifest.config.tag_line.is_some() || other.manifest.config.tag_line.is_none();
    let (distribution, owner) = if configured { (one, other) } else { (other, one) };
    let tag = distribution.tag.tag(&Version::new([1, 0]));
    let (name, other) = (distribution.name(), owner.name());
    let line = distribution.manifest.config.tag_line.unwrap_or(1);
    Finding::error(
        Rule::AmbiguousTag,
        format!("`tool.xtask.tag`: the tag `{tag}` of `{name}` could also be one of `{other}`"),
    )
    .at(&distribution.manifest.path, line)
    .hint(format!(
        "set a distinct tag, such as `tag = \"{}-v{{version}}\"`, or list both in one of `groups` in `[workspace.metadata.xtask]` to share version and tag",
        name.normal()
    ))
}
