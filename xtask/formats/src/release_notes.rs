//! Release notes: the section of a changelog that is about one version.
//!
//! Reads Markdown as people keep it (Keep a Changelog and its relatives). Must not know where a
//! changelog lies nor what the notes are for.

use crate::pep440::Version;

/// What the changelog says about a version, without the heading itself; `None` where it has no
/// section of it, or an empty one.
pub fn of(changelog: &str, version: &Version) -> Option<String> {
    let mut fenced = false;
    let mut level = 0;
    let mut lines: Vec<&str> = Vec::new();
    for line in changelog.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = if fenced { None } else { heading(line) };
        match heading {
            Some((_, title)) if level == 0 && speaks_of(title, version) => {
                level = heading.map_or(0, |(level, _)| level);
            }
            Some((other, _)) if level > 0 && other <= level => break,
            // The link definitions at the foot of the file belong to no section.
            _ if level > 0 && !is_link_definition(line) => lines.push(line),
            _ => {}
        }
    }
    let text = lines.join("\n");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then_some((level, title.trim()))
}

/// `1.2.0`, `[1.2.0] - 2026-01-31`, `v1.2.0 (2026-01-31)`, `Version 1.2.0`.
fn speaks_of(title: &str, version: &Version) -> bool {
    let first = title.trim_start_matches("Version ").trim_start_matches(['[', 'v']);
    let end = first.find([']', ' ', '(', ',', ':']).unwrap_or(first.len());
    first[..end].parse::<Version>().is_ok_and(|found| found == *version)
}

fn is_link_definition(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n\
                             - A thing.\n\n```\n## 1.1.0\n```\n\n## v1.1.0\n\n## 1.0 (2025-01-01)\n\n- First.\n\n\
                             [1.2.0]: https://host.example/x\n";

    #[track_caller]
    fn notes(version: &str, expected: Option<&str>) {
        assert_eq!(of(CHANGELOG, &version.parse().unwrap()).as_deref(), expected);
    }

    #[test]
    fn one_section() {
        notes("1.2.0", Some("### Added\n\n- A thing.\n\n```\n## 1.1.0\n```"));
        notes("1.1.0", None);
        notes("1.0.0", Some("- First."));
        notes("0.9", None);
    }
}
