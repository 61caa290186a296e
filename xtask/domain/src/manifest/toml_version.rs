//! TOML 1.1 in a manifest: this reader takes it, Python's `tomllib` and so the build back ends do
//! not.

/// The first byte of `text`, which is valid TOML 1.1, that TOML 1.0 does not allow: a line break or
/// a last comma in an inline table, the escapes `\e` and `\x`.
pub(crate) fn newer(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = Vec::new();
    let mut before = b' ';
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'"' | b'\'' => {
                let (end, escape) = string(text, at);
                if escape.is_some() {
                    return escape;
                }
                at = end;
                before = b'"';
                continue;
            }
            b'\n' if open.last() == Some(&b'{') => return Some(at),
            bracket @ (b'{' | b'[') => open.push(bracket),
            b'}' if before == b',' => return Some(at),
            b'}' | b']' => drop(open.pop()),
            _ => {}
        }
        if !bytes[at].is_ascii_whitespace() {
            before = bytes[at];
        }
        at += 1;
    }
    None
}

/// Where the string that starts at `start` ends, and its first new escape.
fn string(text: &str, start: usize) -> (usize, Option<usize>) {
    let quote = &text[start..=start];
    let triple = quote.repeat(3);
    let delimiter = if text[start..].starts_with(&triple) { triple.as_str() } else { quote };
    let mut at = start + delimiter.len();
    while at < text.len() && !text.as_bytes()[at..].starts_with(delimiter.as_bytes()) {
        if quote == "\"" && text.as_bytes()[at] == b'\\' {
            if matches!(text.as_bytes().get(at + 1), Some(b'e' | b'x')) {
                return (at, Some(at));
            }
            at += 1;
        }
        at += 1;
    }
    at = (at + delimiter.len()).min(text.len());
    // `""""a""""` ends with the last of its quotes.
    while delimiter.len() == 3 && text.as_bytes().get(at) == Some(&quote.as_bytes()[0]) {
        at += 1;
    }
    (at, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(newer(text).map(|at| &text[at..]), expected, "{text}");
    }

    #[test]
    fn what_tomllib_does_not_read() {
        check("a = { b = 1,\n c = 2 }\n", Some("\n c = 2 }\n"));
        check("a = { b = 1, }\n", Some("}\n"));
        check("a = \"\\e[0m\"", Some("\\e[0m\""));
        check("a = { b = [\n 1,\n], c = '''\n''' }\n", None);
        check("[a]\n[[b]]\nx = [\n  { c = \"},\\\"\" }, # {\n]\n", None);
        check("a = '\\e { \\x'\nb = \"\"\"\"x\"\"\"\"\nc = {}\n", None);
        check("a = \"{\"\n\"ü{\" = 1\n", None);
    }
}
