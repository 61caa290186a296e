//! New text for some bytes of a text; everything else stays as it is.

use std::ops::Range;

/// Text that replaces the bytes of `span`; an empty span inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    pub span: Range<usize>,
    pub text: String,
}

impl Splice {
    /// New text before the byte `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Splice {
        Splice { span: at..at, text: text.into() }
    }
}

/// `text` with the splices applied, which must be in its order and must not overlap.
pub fn apply(text: &str, splices: &[Splice]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for splice in splices {
        result.push_str(&text[at..splice.span.start]);
        result.push_str(&splice.text);
        at = splice.span.end;
    }
    result.push_str(&text[at..]);
    result
}
