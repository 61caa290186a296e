//! Python source read without running it: assignments, imports and calls, as far as literals go.
//!
//! What this does not understand becomes [`Expr::Opaque`]; nothing is guessed. Must not know what
//! setup.py means, nor what a version is.

pub mod eval;
mod reader;
pub mod tokens;

use std::ops::Range;

use crate::python::reader::Reader;
use crate::python::tokens::{Token, TokenKind, tokens};

/// An expression, as far as it matters for reading literals.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Text(Text),
    /// A dotted name: `os.environ.get`.
    Name(String),
    /// A list, a tuple or a set.
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Call {
        function: Box<Expr>,
        arguments: Vec<Expr>,
        keywords: Vec<(String, Expr)>,
    },
    /// `of.name` where `of` is no plain name.
    Attribute {
        of: Box<Expr>,
        name: String,
    },
    /// `of[index]`.
    Index {
        of: Box<Expr>,
        index: Box<Expr>,
    },
    /// Texts side by side, `a + b`.
    Sum(Vec<Expr>),
    /// `a / b`.
    Path(Vec<Expr>),
    /// Anything else, with the parts that were understood.
    Opaque(Vec<Expr>),
}

/// A string literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// The bytes between the quotes.
    pub span: Range<usize>,
    /// What stands between the quotes, escapes not resolved.
    pub raw: String,
    /// An f-string.
    pub formatted: bool,
}

/// `name = value`, also inside `with`, `if` and `try`.
#[derive(Clone, Debug)]
pub struct Assignment {
    pub name: String,
    pub value: Expr,
    pub offset: usize,
    /// Not indented.
    pub top_level: bool,
}

/// `from module import name as bound`, or `import module as bound` with no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// As written, leading dots included.
    pub module: String,
    pub name: Option<String>,
    pub bound: String,
}

/// What a source file says at the level of statements.
#[derive(Clone, Debug, Default)]
pub struct PythonSource {
    pub assignments: Vec<Assignment>,
    pub imports: Vec<Import>,
    /// Calls that stand as statements, with the byte they start at.
    pub calls: Vec<(Expr, usize)>,
    /// Every string literal of the file.
    pub texts: Vec<Text>,
    /// Expressions of `with` statements and other lines, for the calls in them.
    pub others: Vec<Expr>,
}

/// Reads a source file. Never fails: what is no Python is read as opaque.
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

/// Every string literal inside an expression.
pub fn texts(expr: &Expr) -> Vec<&Text> {
    let mut found = Vec::new();
    walk(expr, &mut |expr| {
        if let Expr::Text(text) = expr {
            found.push(text);
        }
    });
    found
}

/// Visits an expression and everything in it.
pub fn walk<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Expr)) {
    visit(expr);
    match expr {
        Expr::Text(_) | Expr::Name(_) => {}
        Expr::List(parts) | Expr::Sum(parts) | Expr::Path(parts) | Expr::Opaque(parts) => {
            parts.iter().for_each(|part| walk(part, visit));
        }
        Expr::Dict(entries) => entries.iter().for_each(|(key, value)| {
            walk(key, visit);
            walk(value, visit);
        }),
        Expr::Call { function, arguments, keywords } => {
            walk(function, visit);
            arguments.iter().for_each(|argument| walk(argument, visit));
            keywords.iter().for_each(|(_, value)| walk(value, visit));
        }
        Expr::Attribute { of, .. } => walk(of, visit),
        Expr::Index { of, index } => {
            walk(of, visit);
            walk(index, visit);
        }
    }
}

fn text_of(source: &str, token: &Token, formatted: bool) -> Text {
    let TokenKind::Text { ref inside, .. } = token.kind else {
        unreachable!("only texts are asked for")
    };
    Text { span: inside.clone(), raw: source[inside.clone()].to_owned(), formatted }
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
        assert!(matches!(value("a if b else 'c'"), Expr::Opaque(parts) if !parts.is_empty()));
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
