//! What can be known to be wrong with a repository without asking anybody.

use super::finding::Finding;
use super::manifest::{DeclaredVersion, Table};
use super::requirement::admits;
use super::workspace::Workspace;

/// Every finding, in the order of the files.
pub fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = workspace.findings.clone();
    for at in 0..workspace.distributions.len() {
        findings.extend(version(workspace, at));
        findings.extend(ranges(workspace, at));
    }
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings
}

fn version(workspace: &Workspace, at: usize) -> Option<Finding> {
    let manifest = &workspace.distributions[at].manifest;
    let DeclaredVersion::Unknown { file, line, reason } = &manifest.version else { return None };
    let message = format!("the version of {} is not known: {reason}", manifest.name);
    Some(Finding::warning("version", message).at(file, *line))
}

/// Requirements on siblings that exclude the sibling's own version, and ones without any range.
fn ranges(workspace: &Workspace, at: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (sibling, declared) in workspace.sibling_requirements(at) {
        let distribution = &workspace.distributions[sibling];
        let (name, specifiers) = (distribution.name(), declared.specifiers());
        let published = matches!(declared.table, Table::Dependencies | Table::Extra(_));
        if specifiers.is_empty() && declared.requirement.url.is_none() && published {
            let message =
                format!("`{}` admits every version of {name}, old and future ones", declared.text);
            let hint = "give it a range, such as the one that `cargo xtask new` writes";
            findings.push(
                Finding::warning("no-range", message).at(&declared.file, declared.line).hint(hint),
            );
        }
        let excluded =
            distribution.version().filter(|version| admits(specifiers, version) == Some(false));
        if let Some(version) = excluded {
            let message = format!(
                "`{}` excludes {name} {version}, the version in this repository",
                declared.text
            );
            let hint =
                format!("cargo xtask bump {name} moves the ranges on it, or change the range");
            findings.push(
                Finding::error("stale-range", message).at(&declared.file, declared.line).hint(hint),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::workspace::tests::workspace;
    use super::*;

    #[track_caller]
    fn found(descriptions: &[&str], expected: &[&str]) {
        let workspace = workspace(descriptions).unwrap_or_else(|refusal| panic!("{refusal}"));
        let rules: Vec<&str> = check(&workspace).iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected);
    }

    #[test]
    fn ranges_on_siblings() {
        found(&["core 2.3.0", "sched 1: core>=2.3,<3"], &[]);
        found(&["core 3.0.0", "sched 1: core>=2.3,<3"], &["stale-range"]);
        found(&["core 3.0.0", "sched 1: core"], &["no-range"]);
        found(&["core 3.0.0", "sched 1: core=={version}"], &[]);
    }

    #[test]
    fn versions() {
        found(&["core nonsense"], &["version"]);
    }
}
