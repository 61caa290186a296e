//! `docs/when-a-release-stops.md`, which the report of every interrupted release names: its path as
//! seen from the repository that is released. It is copied where this crate is embedded.

use std::path::{Path, PathBuf};

/// Its path in the crate, or in the repository that the crate comes from.
pub(crate) const HANDBOOK: &str = "docs/when-a-release-stops.md";

/// The file itself: in the crate where that was embedded, beside the crate in the repository that it
/// comes from.
pub(crate) fn file() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [Some(own), own.parent()].into_iter().flatten();
    folders.map(|folder| folder.join(HANDBOOK)).find(|file| file.is_file())
}

/// Its path from `root`, or an absolute path where it is outside; `None` where this crate's sources
/// are gone.
pub(crate) fn seen_from(root: &Path) -> Option<String> {
    let file = file()?;
    let shown = file.strip_prefix(root).unwrap_or(&file);
    Some(shown.display().to_string().replace('\\', "/"))
}
