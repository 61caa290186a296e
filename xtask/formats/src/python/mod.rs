//! Python source read without running it: assignments, imports and calls, as far as literals go.
//!
//! Anything else becomes [`Expr::Opaque`]; nothing is guessed. Must not know what
//! setup.py means, nor what a version is.

pub mod eval;
mod reader;
mod syntax;
pub mod tokens;

pub use syntax::{Assignment, Expr, Import, PythonSource, Text, texts, walk};

use crate::python::reader::{Reader, text_of};
use crate::python::tokens::{TokenKind, tokens};

/// Reads a source file. Never fails: text that is not Python is read as opaque.
pub fn read(text: &str) -> PythonSource {
    let tokens = tokens(text);
    let mut source = PythonSource::default();
    for token in &tokens {
        if let TokenKind::Text { formatted, .. } = token.kind {
            source.texts.push(text_of(text, token, formatted));
        }
    }
    let mut reader = Reader { text, tokens: &tokens, at: 0, depth: 0 };
    while reader.at < tokens.len() {
        let before = reader.at;
        reader.statement(&mut source);
        reader.skip_line();
        // A stray closing bracket is the one thing a statement does not step over.
        reader.at = reader.at.max(before + 1);
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(expr: &Expr) -> &str {
        match expr {
            Expr::Text(text) => &text.raw,
            other => panic!("no text: {other:?}"),
        }
    }

    #[test]
    fn statements() {
        let source = read(
            "# -*- coding: utf-8 -*-\n'''doc = \"x\"'''\nimport os, re as r\nfrom .a import (b as c,\n  d)\n\
             V: str = \"1.0\"  # version = 2\nif x:\n    W = 'w'\nsetup(name=\"n\", version=V,\n  deps=[\"a\", \"b\"],)\n",
        );
        let names: Vec<_> = source.assignments.iter().map(|a| (&*a.name, a.top_level)).collect();
        assert_eq!(names, [("V", true), ("W", false)]);
        assert_eq!(text(&source.assignments[0].value), "1.0");
        let bound: Vec<_> = source.imports.iter().map(|i| &*i.bound).collect();
        assert_eq!(bound, ["os", "r", "c", "d"]);
        let Expr::Call { keywords, .. } = &source.calls[0].0 else { panic!() };
        assert_eq!(text(&keywords[0].1), "n");
        assert_eq!(keywords[1].1, Expr::Name("V".into()));
        assert!(matches!(&keywords[2].1, Expr::List(items) if items.len() == 2));
    }

    #[test]
    fn expressions() {
        let value = |text: &str| read(&format!("x = {text}\n")).assignments[0].value.clone();
        assert!(
            matches!(value("os.environ.get('A', '1')"), Expr::Call { arguments, .. } if arguments.len() == 2)
        );
        assert!(matches!(value("'a' 'b' + c"), Expr::Sum(_)));
        assert!(matches!(value("Path(__file__).parent / 'VERSION'"), Expr::Path(_)));
        assert!(matches!(value("{'a': ['b'], **c}"), Expr::Dict(_) | Expr::List(_)));
        assert!(matches!(value("('a',)"), Expr::List(_)));
        assert!(matches!(value("('a')"), Expr::Text(_)));
        assert!(
            matches!(value("a if b(x, 'y')[0] else 'c'"), Expr::Choice(both) if both.len() == 2)
        );
        assert!(matches!(value("a or b or 'c'"), Expr::Choice(all) if all.len() == 3));
        assert!(matches!(value("a or b + 'c'"), Expr::Opaque(parts) if !parts.is_empty()));
        assert!(matches!(value("[a for a in b if a or c]"), Expr::List(_)));
        assert!(matches!(value("open('V').read().strip()"), Expr::Call { .. }));
        assert!(matches!(value("d['k']"), Expr::Index { .. }));
        assert!(matches!(value("f'{a}'"), Expr::Text(Text { formatted: true, .. })));
        assert!(matches!(value("'%s' % v"), Expr::Opaque(_)));
    }

    #[test]
    fn what_is_no_python_ends() {
        for text in [
            ")",
            "x = (",
            "x = [[[",
            "'",
            "'''",
            "x = {:",
            "a.b.",
            "from",
            "import",
            "x = \\",
            "é = 'ü'",
            "x = ]\n)(",
        ] {
            read(text);
        }
        read(&format!("x = {}", "(".repeat(100_000)));
        read(&"[".repeat(100_000));
    }
}
