//! Which distributions share one version, and names in the configuration that no distribution has.

use std::collections::HashMap;

use formats::name::Name;

use crate::config::ConfiguredName;
use crate::finding::{Finding, Rule};
use crate::ids::DistributionId;
use crate::manifest::version_source::DeclaredVersion;
use crate::text::toml::nearest;
use crate::workspace::Workspace;

impl Workspace {
    /// The distributions that share a version, for each of them: the configured groups, and those
    /// whose version is the same literal or made from the same tags.
    pub(crate) fn version_groups(&self) -> HashMap<DistributionId, Vec<DistributionId>> {
        let configured = self.config.groups.iter().map(|group| {
            group.iter().filter_map(|name| self.find(&Name::new(name)?)).collect::<Vec<_>>()
        });
        let mut sets: Vec<Vec<DistributionId>> = configured.collect();
        let mut literals: HashMap<(&str, usize), Vec<DistributionId>> = HashMap::new();
        for (id, distribution) in self.distributions.enumerate() {
            if let DeclaredVersion::Literal { file, span, .. } = &distribution.manifest.version {
                literals.entry((file, span.start)).or_default().push(id);
            }
        }
        sets.extend(literals.into_values().filter(|members| members.len() > 1));
        let mut tags: HashMap<(&str, &str), Vec<DistributionId>> = HashMap::new();
        let made = self.distributions.enumerate().filter(|(_, distribution)| {
            distribution.makes_version() && distribution.manifest.excluded.is_none()
        });
        made.for_each(|(id, made)| tags.entry(made.tag.affixes()).or_default().push(id));
        sets.extend(tags.into_values().filter(|members| members.len() > 1));
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
        groups
    }

    /// An error for every name in `groups` and `keep` that no distribution has.
    pub(crate) fn unknown_names(&self) -> Vec<Finding> {
        let groups = self
            .config
            .group_names
            .iter()
            .map(|name| ("Cargo.toml", "workspace.metadata.xtask.groups", name));
        let kept = self.distributions.iter().flat_map(|distribution| {
            let manifest = &distribution.manifest;
            manifest.config.keep_names.iter().map(|name| (&*manifest.path, "tool.xtask.keep", name))
        });
        let unknown = groups.chain(kept).filter(|(_, _, ConfiguredName { name, .. })| {
            Name::new(name).and_then(|name| self.find(&name)).is_none()
        });
        unknown.map(|(file, key, name)| self.unknown_name(file, key, name)).collect()
    }

    fn unknown_name(&self, file: &str, key: &str, configured: &ConfiguredName) -> Finding {
        let name = &configured.name;
        let names = self.distributions.iter().map(|distribution| distribution.name().normal());
        Finding::error(Rule::Config, format!("`{key}`: no distribution is called `{name}`"))
            .at(file, configured.line)
            .hint(match nearest(name, names) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    "correct or remove it; `cargo xtask status` lists the distributions".to_owned()
                }
            })
    }
}
