//! Names and paths matched by glob patterns, as in the configuration.

use glob::Pattern;

/// Whether one of the patterns matches. `*` also matches `/`, so that `data/*` is all below it; a
/// pattern that is not valid matches nothing.
pub(crate) fn any_matches(patterns: &[impl AsRef<str>], text: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| Pattern::new(pattern.as_ref()).is_ok_and(|pattern| pattern.matches(text)))
}

#[cfg(test)]
mod tests {
    use crate::text::globs::any_matches;

    #[test]
    fn patterns() {
        assert!(any_matches(&["main", "release/*"], "release/2.x"));
        assert!(!any_matches(&["main"], "maintenance"));
        assert!(!any_matches(&["[bad"], "[bad"));
        assert!(!any_matches(&[] as &[&str], "main"));
    }
}
