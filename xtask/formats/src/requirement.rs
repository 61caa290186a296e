//! One requirement (PEP 508), parsed with the spans of its parts.

use std::ops::Range;

use crate::name::Name;
use crate::pep440::Version;
use crate::pep440::specifier::{self, Dialect};

/// A requirement and the byte spans of its parts within the text it was parsed from.
#[derive(Clone, Debug)]
pub struct Requirement {
    pub name: Name,
    pub extras: Vec<String>,
    /// The specifier set without parentheses and without surrounding space; empty where there
    /// is none (then it is where one would go).
    pub specifiers: Range<usize>,
    /// The direct reference after `@`, if any; it excludes specifiers.
    pub url: Option<Range<usize>>,
    /// The environment marker after `;`, without surrounding space.
    pub marker: Option<Range<usize>>,
}

/// How a specifier set starts: an operator, Poetry's too, or a template in its place.
const OPERATORS: [char; 10] = ['<', '>', '=', '!', '~', '^', '*', '{', '%', '$'];

impl Requirement {
    /// Parses the grammar of PEP 508 as far as its shape goes; the specifier set and the marker
    /// are delimited, not validated, so that templates such as `core == {version}` have spans, too.
    ///
    /// # Errors
    /// A sentence that says what was expected and where, as a byte offset.
    pub fn parse(text: &str) -> Result<Requirement, String> {
        let mut cursor = Cursor { text, at: 0 };
        cursor.skip_space();
        let name = cursor.take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let name = Name::new(&text[name]).ok_or("expected a distribution name at the start")?;
        cursor.skip_space();
        let extras = if cursor.eat('[') { cursor.extras()? } else { Vec::new() };
        let after_name = cursor.at;
        cursor.skip_space();

        if cursor.eat('@') {
            cursor.skip_space();
            let url = cursor.take_while(|c| !c.is_whitespace());
            if url.is_empty() {
                return Err("expected an address after `@`".to_owned());
            }
            let marker = cursor.marker()?;
            return Ok(Requirement {
                name,
                extras,
                specifiers: url.start..url.start,
                url: Some(url),
                marker,
            });
        }

        let parenthesized = cursor.eat('(');
        let end = if parenthesized { ')' } else { ';' };
        cursor.skip_space();
        let inside = cursor.take_while(|c| c != end);
        let mut specifiers = trim(text, inside);
        if parenthesized && !cursor.eat(')') {
            return Err("the parenthesis is not closed".to_owned());
        }
        if specifiers.is_empty() && !parenthesized {
            specifiers = after_name..after_name;
        } else if !text[specifiers.clone()].is_empty()
            && !text[specifiers.clone()].starts_with(OPERATORS)
        {
            return Err(format!("`{}` is not a version specifier", &text[specifiers]));
        }
        let marker = cursor.marker()?;
        Ok(Requirement { name, extras, specifiers, url: None, marker })
    }
}

/// Whether a specifier set admits a version, pre-releases included where the version is one.
/// `None` when the set is not valid under PEP 440, for example a template.
pub fn admits(specifiers: &str, version: &Version) -> Option<bool> {
    Some(specifier::admits(&specifier::parse(specifiers, Dialect::Pep440).ok()?, version))
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|c| !keep(c)).unwrap_or(rest.len());
        start..self.at
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// The extras after the opening bracket, up to the closing one.
    fn extras(&mut self) -> Result<Vec<String>, String> {
        let inside = self.take_while(|c| c != ']');
        let inside = self.text[inside].to_owned();
        if !self.eat(']') {
            return Err("the bracket of the extras is not closed".to_owned());
        }
        let names = inside.split(',').map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| Name::new(name).map(|_| name.to_owned()))
            .collect::<Option<_>>()
            .ok_or_else(|| format!("`[{inside}]` is not a list of extras"))
    }

    /// The rest of the text: nothing, or `;` and a marker.
    fn marker(&mut self) -> Result<Option<Range<usize>>, String> {
        self.skip_space();
        if self.rest().is_empty() {
            return Ok(None);
        }
        if !self.eat(';') {
            return Err(format!("`{}` was not expected at byte {}", self.rest(), self.at));
        }
        let marker = trim(self.text, self.at..self.text.len());
        if marker.is_empty() {
            Err("expected a marker after `;`".to_owned())
        } else {
            Ok(Some(marker))
        }
    }
}

/// The span without the white space at its ends.
fn trim(text: &str, span: Range<usize>) -> Range<usize> {
    let inside = &text[span.clone()];
    let start = span.start + (inside.len() - inside.trim_start().len());
    start..start + inside.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, extras: &[&str], specifiers: &str, marker: Option<&str>) {
        let parsed = Requirement::parse(text).unwrap();
        assert_eq!(parsed.name.to_string(), name);
        assert_eq!(parsed.extras, extras);
        assert_eq!(&text[parsed.specifiers], specifiers);
        assert_eq!(parsed.marker.map(|span| &text[span]), marker);
    }

    #[test]
    fn parts_and_their_places() {
        check("core", "core", &[], "", None);
        check("core>=2.3,<3", "core", &[], ">=2.3,<3", None);
        check(" Core_X [a, b] >= 2.3 , < 3 ", "Core_X", &["a", "b"], ">= 2.3 , < 3", None);
        check("core (>=1.0)", "core", &[], ">=1.0", None);
        check(
            "core ~=1.0 ; python_version < '3.11'",
            "core",
            &[],
            "~=1.0",
            Some("python_version < '3.11'"),
        );
        check("core; os_name == 'nt'", "core", &[], "", Some("os_name == 'nt'"));
        check("core == {version}", "core", &[], "== {version}", None);
    }

    #[test]
    fn a_direct_reference_has_no_specifiers() {
        let text = "core @ file:///x/core.whl ; extra == 'a'";
        let parsed = Requirement::parse(text).unwrap();
        assert_eq!(&text[parsed.url.unwrap()], "file:///x/core.whl");
        assert_eq!(&text[parsed.marker.unwrap()], "extra == 'a'");
        assert!(parsed.specifiers.is_empty());
    }

    #[test]
    fn what_is_not_a_requirement_is_refused() {
        for bad in [
            "",
            ">=1",
            "core[a",
            "core (>=1",
            "core 1.0",
            "core @ ",
            "core;",
            "core[!]",
            "core/notes.txt",
            "core: it",
        ] {
            assert!(Requirement::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[track_caller]
    fn admitted(specifiers: &str, version: &str, expected: Option<bool>) {
        assert_eq!(admits(specifiers, &version.parse().unwrap()), expected);
    }

    #[test]
    fn containment() {
        admitted(">=2.3.0,<3.0.0", "2.4.0", Some(true));
        admitted(">=2.3.0,<3.0.0", "3.0.0", Some(false));
        admitted(">=2.3.0", "2.4.0rc1", Some(true));
        admitted("", "1.0", Some(true));
        admitted("== {version}", "1.0", None);
    }
}
