//! The tokens of Python source, as far as they separate strings from code and lines from
//! continuations.
//! Must not know what any of them means.

use std::ops::Range;

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
    /// Bytes between the start of its line and the token.
    pub column: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Names and keywords.
    Name,
    Number,
    /// A string literal: the bytes between its quotes.
    Text {
        inside: Range<usize>,
        formatted: bool,
    },
    /// One character, or two for `**`, `==` and their like.
    Operator,
    /// The end of a line that is not continued.
    Newline,
}

/// The tokens of `text`; comments and blanks are dropped. Never fails.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut scanner = Scanner { text, at: 0, line: 0, open: 0, tokens: Vec::new() };
    // Rust does not count a byte-order mark as white space.
    scanner.at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    scanner.line = scanner.at;
    while scanner.at < text.len() {
        scanner.token();
    }
    scanner.tokens
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Where the current line starts.
    line: usize,
    /// Brackets that are open.
    open: usize,
    tokens: Vec<Token>,
}

/// Operators of two characters that must not be read as an assignment.
const DOUBLE: [&str; 12] = ["==", "!=", "<=", ">=", ":=", "**", "//", "->", "+=", "-=", "*=", "/="];

impl Scanner<'_> {
    fn push(&mut self, kind: TokenKind, start: usize) {
        let column = start - self.line;
        self.tokens.push(Token { kind, span: start..self.at, column });
    }

    fn token(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else { return };
        match first {
            '\n' => self.newline(),
            '#' => self.at += rest.find('\n').unwrap_or(rest.len()),
            '\\' => self.continuation(rest),
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '\'' | '"' => self.string(start, ""),
            c if c.is_alphabetic() || c == '_' => self.name_or_string(start),
            c if c.is_ascii_digit() => {
                self.at += rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')
                    .unwrap_or(rest.len());
                self.push(TokenKind::Number, start);
            }
            c => self.operator(start, c),
        }
    }

    fn newline(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.open == 0 {
            self.push(TokenKind::Newline, start);
        }
        self.line = self.at;
    }

    /// A backslash joins lines; anywhere else it is not valid Python and is skipped.
    fn continuation(&mut self, rest: &str) {
        let joined = ["\\\r\n", "\\\n"].iter().find(|end| rest.starts_with(**end));
        self.at += joined.map_or(1, |end| end.len());
    }

    fn operator(&mut self, start: usize, c: char) {
        match c {
            '(' | '[' | '{' => self.open += 1,
            ')' | ']' | '}' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        let double = DOUBLE.iter().any(|operator| self.text[start..].starts_with(operator));
        self.at += if double { 2 } else { c.len_utf8() };
        self.push(TokenKind::Operator, start);
    }

    fn name_or_string(&mut self, start: usize) {
        let rest = &self.text[start..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word = &rest[..end];
        let quoted = rest[end..].starts_with(['\'', '"']);
        if quoted && word.len() <= 2 && word.chars().all(|c| "rRbBuUfFtT".contains(c)) {
            self.at += end;
            self.string(start, word);
        } else {
            self.at += end;
            self.push(TokenKind::Name, start);
        }
    }

    fn string(&mut self, start: usize, prefix: &str) {
        let rest = &self.text[self.at..];
        let quote = &rest[..1];
        let triple = quote.repeat(3);
        let quotes = if rest.starts_with(&triple) { triple.as_str() } else { quote };
        let inside = self.at + quotes.len();
        let end = self.string_end(inside, quotes);
        self.at = (end + quotes.len()).min(self.text.len());
        if !self.text[end..].starts_with(quotes) {
            // Not closed: to the end of the line, or of the file for a triple quote.
            self.at = end;
        }
        let formatted = prefix.contains(['f', 'F']);
        self.push(TokenKind::Text { inside: inside..end, formatted }, start);
    }

    fn string_end(&self, inside: usize, quotes: &str) -> usize {
        let mut at = inside;
        while at < self.text.len() {
            let rest = &self.text[at..];
            if rest.starts_with(quotes) || (quotes.len() == 1 && rest.starts_with('\n')) {
                return at;
            }
            let mut chars = rest.chars();
            let first = chars.next().map_or(1, char::len_utf8);
            let escaped = rest.starts_with('\\');
            at += first + if escaped { chars.next().map_or(0, char::len_utf8) } else { 0 };
        }
        self.text.len()
    }
}
