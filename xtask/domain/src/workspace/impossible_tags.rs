//! Tags that git would refuse, after everything is published.

use crate::finding::{Finding, Rule};
use crate::ids::{DistributionId, IdVec};
use crate::workspace::distribution::Distribution;

/// An error for every distribution whose tags git would refuse, after everything is published.
pub(crate) fn impossible(distributions: &IdVec<DistributionId, Distribution>) -> Vec<Finding> {
    let refused = distributions
        .into_iter()
        .filter_map(|distribution| Some((distribution, distribution.tag.objection()?)));
    refused
        .map(|(distribution, objection)| {
            let (tag, name) = (distribution.tag.example(), distribution.name());
            let line = distribution.manifest.config.tag_line.unwrap_or(1);
            Finding::error(
                Rule::Tag,
                format!("git rejects the tag `{tag}` of `{name}`: it {objection}"),
            )
            .at(&distribution.manifest.path, line)
            .hint(format!("set `tag = \"{}-v{{version}}\"` in `[tool.xtask]`", name.normal()))
        })
        .collect()
}
