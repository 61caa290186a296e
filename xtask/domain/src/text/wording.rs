//! Counts and lists of names, as messages show them.

/// `1 commit`, `2 commits`.
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first five names, and how many more there are.
pub fn first_few<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_lists() {
        assert_eq!(plural(1, "sdist"), "1 sdist");
        assert_eq!(plural(0, "wheel"), "0 wheels");
        assert_eq!(first_few(&["a", "b"]), "`a`, `b`");
        assert_eq!(first_few(&["a"; 7]), "`a`, `a`, `a`, `a`, `a` and 2 more");
    }
}
