//! Text of others, made harmless before it is shown: control characters, workflow commands of a CI
//! runner, and secrets in every form.

use std::fmt::Write;

/// The colours that this tool paints with. No other escape sequence reaches a terminal.
pub const COLORS: [&str; 7] =
    ["\x1b[1;31m", "\x1b[1;33m", "\x1b[1;36m", "\x1b[32m", "\x1b[2m", "\x1b[1m", "\x1b[0m"];

/// Replaces control characters, and those that change the direction of text, by `�`. Line ends, tabs
/// and, where `is_painted`, the colours of this tool stay.
pub fn without_controls(text: &str, is_painted: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let color = COLORS.iter().find(|color| is_painted && rest.starts_with(*color));
        let kept = match color {
            Some(color) => color.len(),
            None if character == '\r' && rest[1..].starts_with('\n') => 2,
            None if is_control(character) => 0,
            None => character.len_utf8(),
        };
        if kept == 0 {
            shown.push('\u{fffd}');
            rest = &rest[character.len_utf8()..];
        } else {
            shown.push_str(&rest[..kept]);
            rest = &rest[kept..];
        }
    }
    shown
}

pub(crate) fn is_control(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Separates the signs of a workflow command, so that GitHub's runner, which removes blanks in front
/// of them first, takes no line for one.
pub fn without_commands(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let start = line.trim_start();
        let line = match start.strip_prefix("::") {
            Some(command) => format!("{}: :{command}", &line[..line.len() - start.len()]),
            None => line.to_owned(),
        };
        // The older form is found anywhere in a line.
        line.replace("##[", "# #[")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The value of a property, or the message, of a workflow command.
pub fn command_value(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

/// Secrets shorter than this are not looked for: they would be found in any text.
const SHORTEST: usize = 6;

/// Every form in which a secret may be echoed: plain, percent-encoded, and as one of these users
/// sends it in a `Basic` header. Longer forms come first.
pub fn forms(secret: &str, users: &[&str]) -> Vec<String> {
    if secret.trim().len() < SHORTEST {
        return Vec::new();
    }
    let mut forms = vec![secret.to_owned(), secret.trim().to_owned(), percent(secret)];
    // As JSON has it.
    forms.push(secret.replace('\\', r"\\").replace('"', "\\\""));
    forms.push(base64(secret.as_bytes()));
    forms.extend(users.iter().map(|user| base64(format!("{user}:{secret}").as_bytes())));
    // Padding may be left out.
    forms.iter_mut().for_each(|form| form.truncate(form.trim_end_matches('=').len()));
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

/// The forms of the passwords in the addresses of a text.
pub fn forms_of_addresses(text: &str) -> Vec<String> {
    let logins = text.split("://").skip(1).filter_map(|rest| login(rest)?.split_once(':'));
    logins.flat_map(|(user, password)| forms(password, &[user])).collect()
}

/// Replaces the forms of secrets, and the passwords in addresses, by `***`.
pub fn masked(text: &str, forms: &[String]) -> String {
    let mut text = text.to_owned();
    for form in forms {
        if text.contains(form) {
            text = text.replace(form, "***");
        }
    }
    without_passwords(&text)
}

/// `https://user:password@host` with `***` for what is in front of the `@`. A name alone is one only
/// where it is not that of an account (`ssh://git@host`): some hosts take a token for it.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown += before;
        let is_web = before.ends_with("http://") || before.ends_with("https://");
        rest = after;
        if let Some(login) = login(after)
            && (is_web || login.contains(':'))
        {
            shown += "***";
            rest = &after[login.len()..];
        }
    }
    shown + rest
}

/// The text in front of the `@` of an address, given without its scheme.
fn login(address: &str) -> Option<&str> {
    let word = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '`');
    let word = &address[..address.find(word).unwrap_or(address.len())];
    let authority = &word[..word.find(['/', '?', '#']).unwrap_or(word.len())];
    if let Some((login, _)) = authority.rsplit_once('@') {
        return Some(login);
    }
    // The text behind a colon is a port, or a password with a slash in it.
    let (_, port) = authority.split_once(':')?;
    let is_port = port.chars().all(|c| c.is_ascii_digit());
    word.rsplit_once('@').filter(|_| !is_port).map(|(login, _)| login)
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * digit)) & 63;
            encoded.push(char::from(DIGITS[index as usize]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_replaced_and_own_colors_stay() {
        let text = "a\x1b[2Jb\x1b]0;t\x07\r\n\tc\u{9b}\x1b[1md\x1b[0m";
        assert_eq!(
            without_controls(text, true),
            "a\u{fffd}[2Jb\u{fffd}]0;t\u{fffd}\r\n\tc\u{fffd}\x1b[1md\x1b[0m"
        );
        assert!(!without_controls(text, false).contains('\x1b'));
    }

    #[test]
    fn no_line_is_a_workflow_command() {
        let text = "a::b\n  ::set-env name=x::1\n\t##[error]c";
        assert_eq!(without_commands(text), "a::b\n  : :set-env name=x::1\n\t# #[error]c");
        assert_eq!(command_value("a:b,\n%", true), "a%3Ab%2C%0A%25");
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let forms = forms("pypi-a/b+c", &["__token__"]);
        let header = base64(b"__token__:pypi-a/b+c");
        for echoed in ["pypi-a/b+c", "pypi-a%2Fb%2Bc", &header] {
            assert_eq!(masked(&format!("<{echoed}>"), &forms), "<***>");
        }
        let quoted = self::forms("a\"b\\cdef", &[]);
        assert_eq!(masked(r#"{"x": "a\"b\\cdef"}"#, &quoted), r#"{"x": "***"}"#);
        assert_eq!(base64(b"ab:cde"), "YWI6Y2Rl");
        let header = base64(b"me:hunter2");
        let forms = forms_of_addresses("https://me:hunter2@h/simple");
        assert_eq!(masked(&format!("hunter2 {header}"), &forms), "*** ***");
        for (text, shown) in [
            ("https://u:p@w@h/x, http://h/a:b@c", "https://***@h/x, http://h/a:b@c"),
            ("https://u:p/w#d@h/x", "https://***@h/x"),
            ("https://ghp_x@h/x ssh://git@h/x", "https://***@h/x ssh://git@h/x"),
            ("ssh://git:p@h/x http://h:80/@x", "ssh://***@h/x http://h:80/@x"),
        ] {
            assert_eq!(masked(text, &[]), shown);
        }
    }
}
