//! Recursive descent over the tokens of Python source; what is not understood becomes opaque.

use crate::python::syntax::{Assignment, Expr, Import, PythonSource, Text};
use crate::python::tokens::{Token, TokenKind};

/// Source of any depth is read; beyond this it is opaque, so that no input exhausts the stack.
const DEEPEST: usize = 60;

pub(crate) struct Reader<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
    pub at: usize,
    /// How deep the expression is nested.
    pub depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> &'a str {
        self.peek().map_or("", |token| &self.text[token.span.clone()])
    }

    fn is_name(&self) -> bool {
        self.peek().is_some_and(|token| token.kind == TokenKind::Name)
    }

    /// Takes the next token when it is this operator.
    fn eat(&mut self, operator: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == TokenKind::Operator)
            && self.word() == operator;
        self.at += usize::from(found);
        found
    }

    fn take_name(&mut self) -> Option<&'a str> {
        let word = self.is_name().then(|| self.word())?;
        self.at += 1;
        Some(word)
    }

    /// To the start of the next line that is not a continuation.
    pub(crate) fn skip_line(&mut self) {
        while let Some(token) = self.peek() {
            self.at += 1;
            if token.kind == TokenKind::Newline {
                break;
            }
        }
    }

    pub(crate) fn statement(&mut self, source: &mut PythonSource) {
        let Some(first) = self.peek() else { return };
        let offset = first.span.start;
        let top_level = first.column == 0;
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

    fn assignment_or_call(&mut self, source: &mut PythonSource, offset: usize, top_level: bool) {
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

    fn import_from(&mut self, source: &mut PythonSource) {
        self.at += 1;
        let mut module = String::new();
        while self.peek().is_some_and(|t| t.kind != TokenKind::Newline) && self.word() != "import" {
            module.push_str(self.word());
            self.at += 1;
        }
        self.at += 1;
        self.eat("(");
        while let Some(name) = self.take_name() {
            let bound = self.alias().unwrap_or(name);
            let name = Some(name.to_owned());
            let bound = bound.to_owned();
            source.imports.push(Import { module: module.clone(), name, bound });
            if !self.eat(",") {
                break;
            }
        }
    }

    fn import(&mut self, source: &mut PythonSource) {
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
        let operator = self.word().to_owned();
        if matches!(operator.as_str(), "or" | "if") {
            return self.choice(first);
        }
        let mut parts = vec![first];
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

    /// The values of `a or b` and of `a if condition else b`, behind `a`. The condition is dropped:
    /// it is never the value.
    fn choice(&mut self, first: Expr) -> Expr {
        let mut alternatives = vec![first];
        while self.word() == "or" {
            self.at += 1;
            alternatives.push(self.operand());
        }
        if self.word() == "if" && alternatives.len() == 1 {
            while !self.at_end() && self.word() != "else" {
                if matches!(self.word(), "(" | "[" | "{") {
                    self.skip_brackets();
                } else {
                    self.at += 1;
                }
            }
            if self.word() == "else" {
                self.at += 1;
                alternatives.push(self.expression());
            }
        }
        if self.at_end() && alternatives.len() > 1 {
            return Expr::Choice(alternatives);
        }
        self.opaque(alternatives)
    }

    /// Whether the expression ends here.
    fn at_end(&self) -> bool {
        self.peek().is_none_or(|token| {
            token.kind == TokenKind::Newline
                || (token.kind == TokenKind::Operator
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
            if token.kind == TokenKind::Operator {
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
            TokenKind::Text { .. } => self.adjacent_texts(),
            TokenKind::Name
                if matches!(self.word(), "not" | "in" | "is" | "if" | "else" | "lambda") =>
            {
                Expr::Opaque(Vec::new())
            }
            TokenKind::Name => Expr::Name(self.dotted()),
            TokenKind::Operator if self.eat("[") => Expr::List(self.items("]")),
            TokenKind::Operator if self.eat("(") => self.parenthesized(),
            TokenKind::Operator if self.eat("{") => self.braces(),
            _ => Expr::Opaque(Vec::new()),
        }
    }

    fn adjacent_texts(&mut self) -> Expr {
        let mut parts = Vec::new();
        while let Some(token) = self.peek() {
            let TokenKind::Text { formatted, .. } = token.kind else { break };
            parts.push(Expr::Text(text_of(self.text, token, formatted)));
            self.at += 1;
        }
        if parts.len() == 1 { parts.remove(0) } else { Expr::Sum(parts) }
    }

    fn parenthesized(&mut self) -> Expr {
        let start = self.at;
        let mut items = self.items(")");
        let tuple = match &self.tokens[start..self.at.min(self.tokens.len())] {
            [.., last, _] => &self.text[last.span.clone()] == ",",
            _ => false,
        };
        if items.len() == 1 && !tuple { items.remove(0) } else { Expr::List(items) }
    }

    fn braces(&mut self) -> Expr {
        let mut entries = Vec::new();
        let mut items = Vec::new();
        self.each("}", |reader| {
            let key = reader.expression();
            if reader.eat(":") {
                entries.push((key, reader.expression()));
            } else {
                items.push(key);
            }
        });
        if items.is_empty() { Expr::Dict(entries) } else { Expr::List(items) }
    }

    fn items(&mut self, close: &str) -> Vec<Expr> {
        let mut items = Vec::new();
        self.each(close, |reader| items.push(reader.expression()));
        items
    }

    fn arguments(&mut self) -> (Vec<Expr>, Vec<(String, Expr)>) {
        let mut arguments = Vec::new();
        let mut keywords = Vec::new();
        self.each(")", |reader| match reader.expression() {
            Expr::Name(name) if reader.eat("=") => keywords.push((name, reader.expression())),
            value => arguments.push(value),
        });
        (arguments, keywords)
    }

    /// Reads what commas separate, up to a closing bracket, whatever is in between.
    fn each(&mut self, close: &str, mut read: impl FnMut(&mut Self)) {
        while self.peek().is_some() && !self.eat(close) {
            let before = self.at;
            read(self);
            self.eat(",");
            self.at += usize::from(self.at == before);
        }
    }

    fn close(&mut self, bracket: &str) {
        while self.peek().is_some_and(|token| token.kind != TokenKind::Newline)
            && !self.eat(bracket)
        {
            self.at += 1;
        }
    }
}

/// A string token as a literal.
pub(crate) fn text_of(source: &str, token: &Token, formatted: bool) -> Text {
    let TokenKind::Text { ref inside, .. } = token.kind else {
        unreachable!("only texts are expected")
    };
    Text { span: inside.clone(), raw: source[inside.clone()].to_owned(), formatted }
}
