//! The versions of bumped distributions in lock files.

use std::collections::HashMap;

use formats::splice::Splice;

use crate::bump::plan::{Additions, Bump, BumpFacts};
use crate::ids::DistributionId;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::line_of;
use crate::workspace::locks::{LockedDistribution, locked, locked_crates};

/// The versions of crates in `Cargo.lock`, where `Cargo.toml` defines the version. `edits` are those
/// of the versions. A lock that does not have the old version is left to Cargo.
pub(crate) fn of_crates(facts: BumpFacts<'_>, edits: &[Edit]) -> Vec<Edit> {
    let versions = edits.iter().filter(|edit| edit.kind == EditKind::Version);
    let mut found = Vec::new();
    for edit in versions {
        for locked in locked_crates(facts.workspace, facts.files, &edit.file, &edit.span) {
            if locked.text() == edit.before {
                let splice = Splice { span: locked.span, text: edit.after.clone() };
                let (path, text) = (locked.lock.path, &locked.lock.text);
                found.push(Edit::new(path, text, splice, EditKind::Lock, &edit.package));
            }
        }
    }
    found
}

/// New versions where a lock has the old one; a lock that has neither is stale and stays.
pub(crate) fn additions(facts: BumpFacts<'_>, bumps: &[Bump]) -> Additions {
    let bumps: HashMap<DistributionId, &Bump> = bumps.iter().map(|bump| (bump.id, bump)).collect();
    let mut additions = Additions::default();
    for LockedDistribution { id, locked } in locked(facts.workspace, facts.files) {
        let Some(bump) = bumps.get(&id) else { continue };
        let version = locked.version();
        if version.is_some() && version == bump.from {
            let splice = Splice { span: locked.span.clone(), text: bump.to.to_string() };
            let file = locked.lock.path.clone();
            let text = &locked.lock.text;
            additions.edits.push(Edit::new(file, text, splice, EditKind::Lock, &bump.package));
        } else if version.as_ref() != Some(&bump.to) {
            let line = line_of(&locked.lock.text, locked.span.start);
            let text = format!("stale: it has {} {}", bump.package, locked.text());
            additions.notes.push(bump.note(&locked.lock.path, line, text));
        }
    }
    additions
}
