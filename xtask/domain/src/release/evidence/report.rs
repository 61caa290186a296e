//! The evidence of a release as a page for the person who approves it.

use std::fmt::Write;

use formats::pep440::Version;

use crate::finding::{Finding, Severity};
use crate::release::plan::Artifact;
use crate::text::words::plural;

/// One package of the report.
pub struct Section<'a> {
    pub name: &'a str,
    pub version: &'a Version,
    pub tag: &'a str,
    pub files: &'a [Artifact],
    pub evidence: &'a [Finding],
}

/// The report in Markdown: the packages in release order, what stops first.
pub fn report(commit: &str, sections: &[Section]) -> String {
    let all = || sections.iter().flat_map(|section| section.evidence);
    let count = |severity| all().filter(|one| one.severity == severity).count();
    let mut text = format!(
        "# What users will get\n\nBuilt from {commit}: {}, {}, {}.\n",
        plural(count(Severity::Error), "stop"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Note), "note"),
    );
    for section in sections {
        let Section { name, version, tag, files, evidence } = section;
        // Writing to a string does not fail.
        let _ = write!(text, "\n## {name} {version}\n\nTag `{tag}`.\n");
        if evidence.is_empty() {
            text += "\nNothing is published that it can be compared with.\n";
        }
        for (severity, title) in [
            (Severity::Error, "Stops the release"),
            (Severity::Warning, "Warnings"),
            (Severity::Note, "Notes"),
        ] {
            let mut found = evidence.iter().filter(|one| one.severity == severity).peekable();
            if found.peek().is_some() {
                let _ = write!(text, "\n### {title}\n\n");
            }
            found.for_each(|one| text += &item(one));
        }
        text += "\n### Files\n\n";
        for Artifact { name, sha256, size } in *files {
            let _ = writeln!(text, "- `{name}`, {size} bytes, SHA-256 `{sha256}`");
        }
    }
    text
}

/// One finding; lines after the first one are output of a program.
fn item(finding: &Finding) -> String {
    let (first, rest) = finding.message.split_once('\n').unwrap_or((&finding.message, ""));
    let mut text = format!("- {first}\n");
    if !rest.is_empty() {
        let lines: Vec<String> = rest.lines().map(|line| format!("  {line}")).collect();
        text += &format!("\n  ```text\n{}\n  ```\n", lines.join("\n"));
    }
    if let Some(hint) = &finding.hint {
        text += &format!("  **hint:** {hint}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Rule;

    #[test]
    fn what_stops_comes_first() {
        let version: Version = "1.0".parse().unwrap();
        let evidence = [
            Finding::note(Rule::Difference, "since 0.9: 1 file added"),
            Finding::error(Rule::Neighbours, "published `api` breaks:\n    a\n    b")
                .hint("keep it"),
        ];
        let files = [Artifact { name: "a.whl".into(), sha256: "00".into(), size: 7 }];
        let section = |evidence| Section {
            name: "core",
            version: &version,
            tag: "t",
            files: &files,
            evidence,
        };
        assert_eq!(
            report("abc", &[section(&evidence)]),
            "# What users will get\n\nBuilt from abc: 1 stop, 0 warnings, 1 note.\n\n## core 1.0\n\n\
             Tag `t`.\n\n### Stops the release\n\n- published `api` breaks:\n\n  ```text\n      a\n      b\n  ```\n  \
             **hint:** keep it\n\n### Notes\n\n- since 0.9: 1 file added\n\n### Files\n\n\
             - `a.whl`, 7 bytes, SHA-256 `00`\n"
        );
        assert!(report("abc", &[section(&[])]).contains("Nothing is published"));
    }
}
