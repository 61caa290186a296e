//! Python source read without running it: assignments, imports and calls, as far as literals go.
//!
//! What this does not understand becomes [`Expr::Opaque`]; nothing is guessed. Must not know what
//! setup.py means, nor what a version is.

use std::ops::Range;

use super::python_tokens::{Kind, Token, tokens};

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
pub struct Source {
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
pub fn read(text: &str) -> Source {
    let tokens = tokens(text);
    let mut source = Source::default();
    for token in &tokens {
        if let Kind::Text { formatted, .. } = token.kind {
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
    let Kind::Text { ref inside, .. } = token.kind else {
        unreachable!("only texts are asked for")
    };
    Text { span: inside.clone(), raw: source[inside.clone()].to_owned(), formatted }
}

/// Source of any depth is read; beyond this it is opaque, so that no input exhausts the stack.
const DEEPEST: usize = 60;

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> &'a str {
        self.peek().map_or("", |token| &self.text[token.span.clone()])
    }

    fn is_name(&self) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Name)
    }

    /// Takes the next token when it is this operator.
    fn eat(&mut self, operator: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == Kind::Operator)
            && self.word() == operator;
        self.at += usize::from(found);
        found
    }

    fn take_name(&mut self) -> Option<&'a str> {
        let word = self.is_name().then(|| self.word())?;
        self.at += 1;
        Some(word)
    }

    /// To the start of the next line that is no continuation.
    fn skip_line(&mut self) {
        while let Some(token) = self.peek() {
            self.at += 1;
            if token.kind == Kind::Newline {
                break;
            }
        }
    }

    fn statement(&mut self, source: &mut Source) {
        let Some(first) = self.peek() else { return };
        let (offset, top_level) = (first.span.start, first.column == 0);
        match self.word() {
            "from" => self.import_from(source),
            "import" => self.import(source),
            "with" | "if" | "elif" | "return" | "for" | "while" | "assert" => {
                self.at += 1;
                let value = self.expression();
                source.others.push(value);
            }
            _ if self.is_name() => self.assignment_or_call(source, offset, top_level),
            _ => {}
        }
    }

    fn assignment_or_call(&mut self, source: &mut Source, offset: usize, top_level: bool) {
        let start = self.at;
        let name = self.dotted();
        if self.eat(":") {
            // An annotation; `else:` and `try:` have nothing behind it.
            self.expression();
        }
        if ["+=", "-=", "*=", "/=", ":="].contains(&self.word()) {
            let value = Expr::Opaque(Vec::new());
            source.assignments.push(Assignment { name, value, offset, top_level });
            return;
        }
        if self.eat("=") {
            let mut names = vec![name];
            let mut value = self.expression();
            // `__version__ = version = "1.0"`.
            while self.eat("=") {
                if let Expr::Name(name) = value {
                    names.push(name);
                }
                value = self.expression();
            }
            source.assignments.extend(names.into_iter().map(|name| {
                let value = value.clone();
                Assignment { name, value, offset, top_level }
            }));
            return;
        }
        self.at = start;
        let value = self.expression();
        if matches!(value, Expr::Call { .. }) {
            source.calls.push((value, offset));
        } else {
            source.others.push(value);
        }
    }

    fn dotted(&mut self) -> String {
        let mut name = self.take_name().unwrap_or_default().to_owned();
        while !name.is_empty() && self.eat(".") {
            name.push('.');
            name.push_str(self.take_name().unwrap_or_default());
        }
        name
    }

    fn import_from(&mut self, source: &mut Source) {
        self.at += 1;
        let mut module = String::new();
        while self.peek().is_some_and(|t| t.kind != Kind::Newline) && self.word() != "import" {
            module.push_str(self.word());
            self.at += 1;
        }
        self.at += 1;
        self.eat("(");
        while let Some(name) = self.take_name() {
            let bound = self.alias().unwrap_or(name);
            let (name, bound) = (Some(name.to_owned()), bound.to_owned());
            source.imports.push(Import { module: module.clone(), name, bound });
            if !self.eat(",") {
                break;
            }
        }
    }

    fn import(&mut self, source: &mut Source) {
        self.at += 1;
        loop {
            let module = self.dotted();
            let bound = self.alias().map_or_else(|| module.clone(), str::to_owned);
            if module.is_empty() {
                return;
            }
            source.imports.push(Import { module, name: None, bound });
            if !self.eat(",") {
                return;
            }
        }
    }

    fn alias(&mut self) -> Option<&'a str> {
        if self.is_name() && self.word() == "as" {
            self.at += 1;
            return self.take_name();
        }
        None
    }

    /// An expression up to a comma, a closing bracket, a colon, `=` or the end of the line.
    fn expression(&mut self) -> Expr {
        if self.depth >= DEEPEST {
            return self.opaque(Vec::new());
        }
        self.depth += 1;
        let expr = self.operands();
        self.depth -= 1;
        expr
    }

    fn operands(&mut self) -> Expr {
        let first = self.operand();
        if self.at_end() {
            return first;
        }
        let (operator, mut parts) = (self.word().to_owned(), vec![first]);
        if !matches!(operator.as_str(), "+" | "/") {
            return self.opaque(parts);
        }
        while self.eat(&operator) {
            parts.push(self.operand());
        }
        match operator.as_str() {
            _ if !self.at_end() => self.opaque(parts),
            "+" => Expr::Sum(parts),
            _ => Expr::Path(parts),
        }
    }

    /// Whether the expression ends here.
    fn at_end(&self) -> bool {
        self.peek().is_none_or(|token| {
            token.kind == Kind::Newline
                || (token.kind == Kind::Operator
                    && matches!(self.word(), "," | ")" | "]" | "}" | ":" | "="))
        })
    }

    /// Steps to the end of the expression, keeping the operands on the way.
    fn opaque(&mut self, mut parts: Vec<Expr>) -> Expr {
        while !self.at_end() {
            let before = self.at;
            if self.depth < DEEPEST {
                parts.push(self.operand());
            } else if matches!(self.word(), "(" | "[" | "{") {
                self.skip_brackets();
            }
            if self.at == before {
                self.at += 1;
            }
        }
        Expr::Opaque(parts)
    }

    /// Over a bracket and everything in it.
    fn skip_brackets(&mut self) {
        let mut open = 0usize;
        while let Some(token) = self.peek() {
            if token.kind == Kind::Operator {
                match self.word() {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" | "}" => open = open.saturating_sub(1),
                    _ => {}
                }
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    /// One value with its calls, attributes and subscripts.
    fn operand(&mut self) -> Expr {
        self.depth += 1;
        let expr = if self.depth >= DEEPEST { Expr::Opaque(Vec::new()) } else { self.postfixed() };
        self.depth -= 1;
        expr
    }

    fn postfixed(&mut self) -> Expr {
        let mut expr = self.atom();
        loop {
            if self.eat("(") {
                let (arguments, keywords) = self.arguments();
                expr = Expr::Call { function: Box::new(expr), arguments, keywords };
            } else if self.eat("[") {
                let index = Box::new(self.expression());
                self.close("]");
                expr = Expr::Index { of: Box::new(expr), index };
            } else if self.eat(".") {
                let name = self.take_name().unwrap_or_default().to_owned();
                expr = Expr::Attribute { of: Box::new(expr), name };
            } else {
                return expr;
            }
        }
    }

    fn atom(&mut self) -> Expr {
        let Some(token) = self.peek() else { return Expr::Opaque(Vec::new()) };
        match token.kind {
            Kind::Text { .. } => self.adjacent_texts(),
            Kind::Name if matches!(self.word(), "not" | "in" | "is" | "if" | "else" | "lambda") => {
                Expr::Opaque(Vec::new())
            }
            Kind::Name => Expr::Name(self.dotted()),
            Kind::Operator if self.eat("[") => Expr::List(self.items("]")),
            Kind::Operator if self.eat("(") => self.parenthesized(),
            Kind::Operator if self.eat("{") => self.braces(),
            _ => Expr::Opaque(Vec::new()),
        }
    }

    fn adjacent_texts(&mut self) -> Expr {
        let mut parts = Vec::new();
        while let Some(token) = self.peek() {
            let Kind::Text { formatted, .. } = token.kind else { break };
            parts.push(Expr::Text(text_of(self.text, token, formatted)));
            self.at += 1;
        }
        if parts.len() == 1 { parts.remove(0) } else { Expr::Sum(parts) }
    }

    fn parenthesized(&mut self) -> Expr {
        let start = self.at;
        let mut items = self.items(")");
        let tuple = self.tokens[start..self.at.min(self.tokens.len())]
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|last| &self.text[last.span.clone()] == ",");
        if items.len() == 1 && !tuple { items.remove(0) } else { Expr::List(items) }
    }

    fn braces(&mut self) -> Expr {
        let mut entries = Vec::new();
        let mut items = Vec::new();
        while self.peek().is_some() && !self.eat("}") {
            let before = self.at;
            let key = self.expression();
            if self.eat(":") {
                let value = self.expression();
                entries.push((key, value));
            } else {
                items.push(key);
            }
            self.eat(",");
            self.at += usize::from(self.at == before);
        }
        if items.is_empty() { Expr::Dict(entries) } else { Expr::List(items) }
    }

    fn items(&mut self, close: &str) -> Vec<Expr> {
        let mut items = Vec::new();
        while self.peek().is_some() && !self.eat(close) {
            let before = self.at;
            items.push(self.expression());
            self.eat(",");
            self.at += usize::from(self.at == before);
        }
        items
    }

    fn arguments(&mut self) -> (Vec<Expr>, Vec<(String, Expr)>) {
        let (mut arguments, mut keywords) = (Vec::new(), Vec::new());
        while self.peek().is_some() && !self.eat(")") {
            let before = self.at;
            let value = self.expression();
            match value {
                Expr::Name(name) if self.eat("=") => keywords.push((name, self.expression())),
                value => arguments.push(value),
            }
            self.eat(",");
            self.at += usize::from(self.at == before);
        }
        (arguments, keywords)
    }

    fn close(&mut self, bracket: &str) {
        while self.peek().is_some_and(|token| token.kind != Kind::Newline) && !self.eat(bracket) {
            self.at += 1;
        }
    }
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
