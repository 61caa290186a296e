//! The tag patterns that repositories use without configuring this tool.
//!
//! A configured pattern is never second-guessed; this is for repositories seen for the first time.

use formats::name::Name;
use formats::pep440::Version;

use crate::workspace::history::{TagRef, starting_with};
use crate::workspace::tags::TagPattern;

/// Between a distribution's name and its version, as found in public monorepos.
const BETWEEN: [&str; 10] = ["-v", "/v", "@v", "_v", "-", "/", "@", "==", "_", "-release-"];

/// The pattern under which the highest version is tagged: with the distribution's name or its
/// directory's in front or, where `shared` allows it, one that all distributions share (`v1.0`).
pub fn usual<'a>(
    name: &Name,
    dir: &str,
    shared: bool,
    tags: &'a [TagRef],
) -> Option<(TagPattern, Version, &'a TagRef)> {
    let normal = name.normal().to_owned();
    let folder = dir.rsplit('/').next().unwrap_or("").to_owned();
    let mut names = vec![name.to_string(), name.in_file_name(), normal, folder];
    names.retain(|name| !name.is_empty());
    names.dedup();
    // Repositories have tens of thousands of tags: look at few of them closely.
    let mine: Vec<&TagRef> = names.iter().flat_map(|name| starting_with(tags, name)).collect();
    let own = names.iter().flat_map(|name| BETWEEN.map(|b| format!("{name}{b}{{version}}")));
    let all = ["v{version}", "{version}", "release-{version}"].map(str::to_owned);
    highest(own, name, mine.into_iter())
        .or_else(|| highest(all.into_iter().filter(|_| shared), name, tags.iter()))
}

/// Of equal versions the first pattern wins.
fn highest<'a>(
    patterns: impl Iterator<Item = String>,
    name: &Name,
    tags: impl Iterator<Item = &'a TagRef> + Clone,
) -> Option<(TagPattern, Version, &'a TagRef)> {
    let mut best: Option<(TagPattern, Version, &TagRef)> = None;
    for pattern in patterns {
        let pattern = TagPattern::new(Some(&pattern), name);
        for tag in tags.clone() {
            let Some(version) = pattern.version(&tag.name) else { continue };
            if best.as_ref().is_none_or(|(_, highest, _)| version > *highest) {
                best = Some((pattern.clone(), version, tag));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tags: &[&str], shared: bool, expected: Option<&str>) {
        let tag = |name: &&str| TagRef { name: (*name).to_owned(), commit: String::new() };
        let mut tags: Vec<TagRef> = tags.iter().map(tag).collect();
        tags.sort_by(|a, b| a.name.cmp(&b.name));
        let found = usual(&Name::new("Acme.Core").unwrap(), "libs/core", shared, &tags);
        let next: Version = "9.9".parse().unwrap();
        assert_eq!(found.map(|(pattern, _, _)| pattern.tag(next)).as_deref(), expected);
    }

    #[test]
    fn patterns_that_are_in_use() {
        check(&["acme-core-v1.0", "v5.0"], true, Some("acme-core-v9.9"));
        check(&["acme_core==1.0"], false, Some("acme_core==9.9"));
        check(&["core/v1.0", "core/v1.10"], false, Some("core/v9.9"));
        check(&["Acme.Core@1.0"], false, Some("Acme.Core@9.9"));
        check(&["v1.0", "2.0"], true, Some("9.9"));
        check(&["v1.0"], false, None);
        check(&["acme-core-extra-v1.0", "nightly"], true, None);
    }
}
