//! `docs/when-a-release-stops.md`, which every stop names: where it lies from the repository that
//! is worked on. It goes along where this crate is embedded.

use std::path::{Path, PathBuf};

/// Its path below the folder that holds it.
pub(crate) const HANDBOOK: &str = "docs/when-a-release-stops.md";

/// The file itself: in the crate where that was embedded, beside it in the repository that it
/// comes from.
pub(crate) fn file() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [Some(own), own.parent()].into_iter().flatten();
    places.map(|place| place.join(HANDBOOK)).find(|file| file.is_file())
}

/// As somebody who stands in `root` would open it; `None` where this crate's sources are gone.
pub(crate) fn seen_from(root: &Path) -> Option<String> {
    let file = file()?;
    let shown = file.strip_prefix(root).unwrap_or(&file);
    Some(shown.display().to_string().replace('\\', "/"))
}
