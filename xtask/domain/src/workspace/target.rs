//! Which distribution a person means by what was typed.

use formats::name::{Name, normalize};
use formats::pep440::Version;

use crate::finding::{Finding, Refusal, Rule};
use crate::ids::DistributionId;
use crate::text::toml::nearest;
use crate::workspace::{Distribution, Workspace};

/// `core=1.1.0`, `core==1.1.0` or `core@1.1.0` as the name and the version.
pub fn with_version(target: &str) -> (&str, Option<&str>) {
    match target.split_once(['@', '=']) {
        Some((name, version)) => (name, Some(version.trim_start_matches('='))),
        None => (target, None),
    }
}

impl Workspace {
    /// The meaning of TARGET: a distribution's name in any spelling, its directory's name, or a
    /// unique suffix of its name (`core`).
    ///
    /// # Errors
    /// No such distribution, or several; the hint says what may have been meant.
    pub fn resolve(&self, target: &str) -> Result<DistributionId, Finding> {
        match self.meant_by(target).as_slice() {
            [one] => Ok(*one),
            [] => Err(self.no_such_target(target, &normalize(target.trim_end_matches('/')))),
            several => Err(self.ambiguous_target(target, several)),
        }
    }

    /// The meaning of several targets, in the order typed.
    ///
    /// # Errors
    /// The findings of [`Workspace::resolve`] for all wrong targets together.
    pub fn resolve_all(&self, targets: &[impl AsRef<str>]) -> Result<Vec<DistributionId>, Refusal> {
        let mut resolved = Vec::new();
        let mut findings = Vec::new();
        for target in targets {
            match self.resolve(target.as_ref()) {
                Ok(id) => resolved.push(id),
                Err(finding) => findings.push(finding),
            }
        }
        Refusal::unless_clean(findings)?;
        Ok(resolved)
    }

    /// The meaning of several targets, each of which may say a version: `core=1.1.0`.
    ///
    /// # Errors
    /// The findings of [`Workspace::resolve`], and those of wrong versions, for all of them together.
    pub fn resolve_versioned(
        &self,
        targets: &[impl AsRef<str>],
    ) -> Result<Vec<(DistributionId, Option<Version>)>, Refusal> {
        let typed: Vec<(&str, Option<&str>)> =
            targets.iter().map(|target| with_version(target.as_ref())).collect();
        let names: Vec<&str> = typed.iter().map(|(name, _)| *name).collect();
        let ids = self.resolve_all(&names)?;
        let mut findings = Vec::new();
        let mut resolved = Vec::new();
        for (id, (name, version)) in ids.into_iter().zip(typed) {
            match version.map(str::parse).transpose() {
                Ok(version) => resolved.push((id, version)),
                Err(why) => {
                    let hint = format!("write it as in `{name}=1.2.0`");
                    findings.push(Finding::error(Rule::Target, format!("{why}")).hint(hint));
                }
            }
        }
        Refusal::unless_clean(findings)?;
        Ok(resolved)
    }

    /// Whether TARGET means one distribution.
    pub fn is_target(&self, target: &str) -> bool {
        self.meant_by(target).len() == 1
    }

    /// All that TARGET may mean; exactly one where it is as it should be.
    fn meant_by(&self, target: &str) -> Vec<DistributionId> {
        // A shell on Windows completes paths with backslashes.
        let target = target.replace('\\', "/");
        let typed = normalize(target.trim_end_matches('/'));
        let matching = |test: &dyn Fn(&Distribution) -> bool| -> Vec<DistributionId> {
            self.distributions.ids().filter(|&id| test(&self.distributions[id])).collect()
        };
        if let Some(&exact) = self.by_name.get(&typed) {
            let bearer = &self.distributions[exact];
            // An excluded one may have the name of others.
            return match bearer.manifest.excluded {
                Some(_) => matching(&|d| d.name() == bearer.name()),
                None => vec![exact],
            };
        }
        let path = target.trim_end_matches('/').trim_start_matches("./");
        let path = if path == "." { "" } else { path };
        let by_dir = matching(&|d| d.dir == path || d.dir.rsplit('/').next() == Some(path));
        let suffix = format!("-{typed}");
        let by_suffix = matching(&|d| d.name().normal().ends_with(&suffix));
        if by_dir.is_empty() { by_suffix } else { by_dir }
    }

    fn no_such_target(&self, target: &str, typed: &str) -> Finding {
        let full = self.distributions.iter().map(|d| d.name().normal());
        let last = full.clone().filter_map(|name| name.rsplit_once('-')).map(|(_, last)| last);
        let names: Vec<String> = self.distributions.iter().map(|d| d.name().to_string()).collect();
        Finding::error(Rule::Target, format!("no distribution is called `{target}`")).hint(
            match nearest(typed, full.chain(last)) {
                None if names.is_empty() => {
                    "this repository has no distribution; `cargo xtask new NAME` creates one"
                        .to_owned()
                }
                Some(meant) => format!("did you mean `{meant}`?"),
                None if names.len() <= 12 => format!("there are {}", names.join(", ")),
                None => format!("`cargo xtask status` lists all {}", names.len()),
            },
        )
    }

    fn ambiguous_target(&self, target: &str, several: &[DistributionId]) -> Finding {
        let several = several.iter().map(|&id| &self.distributions[id]);
        let mut names: Vec<&Name> = several.clone().map(Distribution::name).collect();
        names.dedup();
        let dir = |distribution: &'_ Distribution| match distribution.dir.as_str() {
            "" => ".".to_owned(),
            dir => dir.to_owned(),
        };
        let dirs: Vec<String> = several.map(dir).collect();
        let (matches, hint) = match names.as_slice() {
            [_] => (dirs.join(", "), format!("name one of the directories {}", dirs.join(", "))),
            names => (
                names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
                "use the full name".to_owned(),
            ),
        };
        let message = format!("`{target}` is ambiguous: it matches {matches}");
        Finding::error(Rule::Target, message).hint(hint)
    }
}
