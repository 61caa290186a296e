//! The parts of Python source that matter for reading literals.

use std::ops::Range;

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
    /// `of.name` where `of` is not a plain name.
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
    /// `a or b`, `a if condition else b`: one of these.
    Choice(Vec<Expr>),
    /// Anything else, with the parts that were understood.
    Opaque(Vec<Expr>),
}

/// A string literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// The bytes between the quotes.
    pub span: Range<usize>,
    /// The text between the quotes, escapes not resolved.
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

/// The statements of a source file.
#[derive(Clone, Debug, Default)]
pub struct PythonSource {
    pub assignments: Vec<Assignment>,
    pub imports: Vec<Import>,
    /// Calls that are statements, with the byte they start at.
    pub calls: Vec<(Expr, usize)>,
    /// Every string literal of the file.
    pub texts: Vec<Text>,
    /// Expressions of `with` statements and other lines, for the calls in them.
    pub others: Vec<Expr>,
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
        Expr::List(parts)
        | Expr::Sum(parts)
        | Expr::Path(parts)
        | Expr::Choice(parts)
        | Expr::Opaque(parts) => {
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
