//! Which distributions share one version, so that a bump of one is a bump of all.

use std::collections::HashMap;

use formats::name::Name;

use crate::bump::plan::BumpFacts;
use crate::finding::{Finding, Refusal, Rule};
use crate::ids::DistributionId;
use crate::manifest::version_source::DeclaredVersion;

/// The distributions that share a version, for each of them: the configured groups, and those whose
/// version is the same literal.
pub(crate) fn shared_versions(
    facts: BumpFacts<'_>,
) -> Result<HashMap<DistributionId, Vec<DistributionId>>, Refusal> {
    let workspace = facts.workspace;
    let mut errors = Vec::new();
    let mut sets: Vec<Vec<DistributionId>> = Vec::new();
    for group in &workspace.config.groups {
        let mut members = Vec::new();
        for name in group {
            if let Some(id) = Name::new(name).and_then(|name| workspace.find(&name)) {
                members.push(id);
                continue;
            }
            let message = format!("`groups` names `{name}`, which is not a distribution here");
            errors.push(Finding::error(Rule::Config, message).at("Cargo.toml", 1));
        }
        sets.push(members);
    }
    Refusal::unless_clean(errors)?;
    let mut literals: HashMap<(&str, usize), Vec<DistributionId>> = HashMap::new();
    for (id, distribution) in workspace.distributions.enumerate() {
        if let DeclaredVersion::Literal { file, span, .. } = &distribution.manifest.version {
            literals.entry((file, span.start)).or_default().push(id);
        }
    }
    sets.extend(literals.into_values().filter(|members| members.len() > 1));
    let mut groups: HashMap<DistributionId, Vec<DistributionId>> = HashMap::new();
    for set in sets {
        // A member of two sets joins them.
        let mut joined: Vec<DistributionId> = set
            .iter()
            .flat_map(|id| groups.get(id).cloned().unwrap_or_else(|| vec![*id]))
            .collect();
        joined.sort_unstable();
        joined.dedup();
        for id in &joined {
            groups.insert(*id, joined.clone());
        }
    }
    Ok(groups)
}
