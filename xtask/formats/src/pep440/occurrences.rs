//! Whether a text contains a version, as a word of its own.

/// The offsets at which `version` is in `text` without being part of a longer version: `1.2.0` is
/// not in `11.2.0`, `1.2.0.1` or `1.2.0rc1`, but it is in `v1.2.0.` at the end of a sentence.
pub fn occurrences(text: &str, version: &str) -> Vec<usize> {
    if version.is_empty() {
        return Vec::new();
    }
    let found = text.match_indices(version).map(|(at, _)| at);
    found.filter(|&at| is_whole(&text[..at], &text[at + version.len()..])).collect()
}

/// Whether what is between these texts is a whole version.
fn is_whole(before: &str, after: &str) -> bool {
    let starts = !before.ends_with(|c: char| c.is_ascii_digit() || c == '.' || c == '!');
    let continued = after.strip_prefix('.').unwrap_or(after);
    let ends =
        !after.starts_with('+') && !continued.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_longer_version_is_not_an_occurrence() {
        for (text, expected) in [
            ("version = '1.2.0'", vec![11]),
            ("v1.2.0, and again 1.2.0.", vec![1, 18]),
            ("1.2.0-py3", vec![0]),
            ("11.2.0 1.2.01 1.2.0.1 1.2.0rc1 1.2.0.dev1 1.2.0+local", vec![]),
            ("1!1.2.0 3.1.2.0", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(occurrences(text, "1.2.0"), expected, "{text}");
        }
    }
}
