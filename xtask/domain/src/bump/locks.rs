//! The versions of bumped distributions in lock files.

use std::collections::HashMap;

use formats::splice::Splice;

use crate::bump::plan::{Additions, Bump, BumpFacts};
use crate::ids::DistributionId;
use crate::text::edit::{Edit, EditKind};
use crate::text::toml::line_of;
use crate::workspace::locks::locked;

/// New versions where a lock has the old one; a lock that has neither is stale and stays.
pub(crate) fn additions(facts: BumpFacts<'_>, bumps: &[Bump]) -> Additions {
    let bumps: HashMap<DistributionId, &Bump> = bumps.iter().map(|bump| (bump.id, bump)).collect();
    let mut additions = Additions::default();
    for locked in locked(facts.workspace, facts.files) {
        let Some(bump) = bumps.get(&locked.id) else { continue };
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
