//! Tokens → syntax tree: expressions, conditions, and the statements of `reset` and `on_event`.

use std::ops::Range;

use super::graph::Binary;
use super::lexer::{Token, TokenKind, tokens};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::{Quantity, parse_unit};

/// How many levels an expression may have. A sum of n terms has n levels.
pub const DEPTH: usize = 250;

/// How many parentheses, calls and signs may stand inside each other.
const NESTING: usize = 80;

/// An expression as written, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Bytes of the text.
    pub span: Range<usize>,
    depth: usize,
}

/// Forms of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A plain number.
    Number(f64),
    /// A literal quantity.
    Quantity(Quantity),
    /// A name.
    Name(String),
    /// Minus.
    Neg(Box<Expr>),
    /// `not`.
    Not(Box<Expr>),
    /// An operator with two sides.
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// A function and its arguments.
    Call(String, Range<usize>, Vec<Expr>),
}

impl Expr {
    fn new(kind: ExprKind, span: Range<usize>) -> Self {
        let depth = 1 + match &kind {
            ExprKind::Number(_) | ExprKind::Quantity(_) | ExprKind::Name(_) => 0,
            ExprKind::Neg(x) | ExprKind::Not(x) => x.depth,
            ExprKind::Binary(_, a, b) => a.depth.max(b.depth),
            ExprKind::Call(_, _, list) => list.iter().map(|e| e.depth).max().unwrap_or(0),
        };
        Self { kind, span, depth }
    }

    /// Calls `f` for each name in it.
    pub fn names<'a>(&'a self, f: &mut impl FnMut(&'a str, &Range<usize>)) {
        match &self.kind {
            ExprKind::Name(n) => f(n, &self.span),
            ExprKind::Number(_) | ExprKind::Quantity(_) => {}
            ExprKind::Neg(x) | ExprKind::Not(x) => x.names(f),
            ExprKind::Binary(_, a, b) => {
                a.names(f);
                b.names(f);
            }
            ExprKind::Call(_, _, list) => list.iter().for_each(|e| e.names(f)),
        }
    }
}

/// How a statement changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assign {
    /// `=`.
    Set,
    /// `+=`, `-=`, `*=`, `/=`.
    Update(Binary),
}

/// `V_m = V_reset`, `w += b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The state.
    pub target: String,
    /// Where it stands.
    pub target_span: Range<usize>,
    /// How.
    pub assign: Assign,
    /// With what.
    pub value: Expr,
}

/// Reads an expression from all of `text[range]`.
pub fn expression(text: &str, range: Range<usize>, diagnostics: &mut Vec<Diagnostic>) -> Option<Expr> {
    let before = diagnostics.len();
    let list = tokens(text, range.clone(), diagnostics);
    if diagnostics.len() > before {
        return None;
    }
    let mut p = Parser { tokens: &list, at: 0, end: range.end, depth: 0 };
    if list.is_empty() {
        diagnostics.push(Diagnostic::error("an expression is missing", range));
        return None;
    }
    let result = p.or().and_then(|e| p.finished().map(|()| e));
    result.map_err(|d| diagnostics.push(d)).ok()
}

/// Reads statements, separated by `;` or line ends.
pub fn statements(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Statement> {
    let mut out = Vec::new();
    for range in parts(text, &[';', '\n']) {
        let before = diagnostics.len();
        let list = tokens(text, range.clone(), diagnostics);
        if diagnostics.len() > before || list.is_empty() {
            continue;
        }
        let mut p = Parser { tokens: &list, at: 0, end: range.end, depth: 0 };
        match p.statement() {
            Ok(s) => out.push(s),
            Err(d) => diagnostics.push(d),
        }
    }
    out
}

/// Ranges of `text` between separators that stand outside parentheses, brackets and comments.
pub fn parts(text: &str, separators: &[char]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut start, mut level, mut comment) = (0, 0usize, false);
    for (i, c) in text.char_indices() {
        if c == '\n' {
            comment = false;
        } else if comment {
            continue;
        }
        comment |= c == '#';
        level = match c {
            '(' | '[' => level + 1,
            ')' | ']' => level.saturating_sub(1),
            _ => level,
        };
        // A line end inside parentheses continues the expression; one inside brackets is reported by the lexer.
        if separators.contains(&c) && level == 0 {
            out.push(start..i);
            start = i + c.len_utf8();
        }
    }
    out.push(start..text.len());
    out
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    end: usize,
    depth: usize,
}

type Parsed = Result<Expr, Diagnostic>;

impl Parser<'_> {
    fn operator(&self) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token { kind: TokenKind::Operator(o), .. }) => Some(o),
            _ => None,
        }
    }

    fn word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token { kind: TokenKind::Name(n), .. }) if n == word)
    }

    fn take(&mut self, operator: &str) -> bool {
        let found = self.operator() == Some(operator);
        self.at += usize::from(found);
        found
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |t| t.span.clone())
    }

    fn finished(&self) -> Result<(), Diagnostic> {
        let Some(token) = self.tokens.get(self.at) else { return Ok(()) };
        let d = |m: &str| Diagnostic::error(m, token.span.clone());
        Err(match &token.kind {
            TokenKind::Operator(")") => d("`)` without `(`"),
            TokenKind::Operator("=") => d("`=` does not belong here").help("equality in a condition is written `==`"),
            TokenKind::Operator(o) => d(&format!("`{o}` does not belong here")),
            TokenKind::Name(n) => self.bare_quantity().unwrap_or_else(|| {
                d(&format!("an operator is missing before `{n}`")).help("a product is written `a*b`")
            }),
            TokenKind::Number(_) | TokenKind::Quantity(_) => d("an operator is missing before this number"),
        })
    }

    fn bounded(e: Expr) -> Parsed {
        if e.depth > DEPTH {
            return Err(too_deep(e.span));
        }
        Ok(e)
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= NESTING {
            return Err(too_deep(self.span()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn statement(&mut self) -> Result<Statement, Diagnostic> {
        let span = self.span();
        let Some(Token { kind: TokenKind::Name(target), .. }) = self.tokens.get(self.at) else {
            return Err(Diagnostic::error("a statement starts with the name of a state", span)
                .help("write `V_m = V_reset; w += b`"));
        };
        let target = target.clone();
        self.at += 1;
        let assign = match self.operator() {
            Some("=") => Assign::Set,
            Some("+=") => Assign::Update(Binary::Add),
            Some("-=") => Assign::Update(Binary::Sub),
            Some("*=") => Assign::Update(Binary::Mul),
            Some("/=") => Assign::Update(Binary::Div),
            _ => {
                return Err(Diagnostic::error(format!("`=` or `+=` is missing after `{target}`"), self.span())
                    .help("write `V_m = V_reset; w += b`"));
            }
        };
        self.at += 1;
        let value = self.or()?;
        self.finished()?;
        Ok(Statement { target, target_span: span, assign, value })
    }

    fn left(&mut self, next: fn(&mut Self) -> Parsed, find: fn(&Self) -> Option<Binary>) -> Parsed {
        let mut a = next(self)?;
        while let Some(op) = find(self) {
            self.at += 1;
            let b = next(self)?;
            let span = a.span.start..b.span.end;
            a = Self::bounded(Expr::new(ExprKind::Binary(op, Box::new(a), Box::new(b)), span))?;
        }
        Ok(a)
    }

    fn or(&mut self) -> Parsed {
        self.left(Self::and, |p| p.word("or").then_some(Binary::Or))
    }

    fn and(&mut self) -> Parsed {
        self.left(Self::not, |p| p.word("and").then_some(Binary::And))
    }

    fn not(&mut self) -> Parsed {
        if !self.word("not") {
            return self.comparison();
        }
        let start = self.span().start;
        self.at += 1;
        let x = self.nested(Self::not)?;
        let span = start..x.span.end;
        Self::bounded(Expr::new(ExprKind::Not(Box::new(x)), span))
    }

    fn comparison(&mut self) -> Parsed {
        let compare = |p: &Self| match p.operator() {
            Some("<") => Some(Binary::Less),
            Some("<=") => Some(Binary::LessEqual),
            Some(">") => Some(Binary::Greater),
            Some(">=") => Some(Binary::GreaterEqual),
            Some("==") => Some(Binary::Equal),
            Some("!=") => Some(Binary::NotEqual),
            _ => None,
        };
        let a = self.sum()?;
        let Some(op) = compare(self) else { return Ok(a) };
        self.at += 1;
        let b = self.sum()?;
        if compare(self).is_some() {
            return Err(Diagnostic::error("comparisons are not chained", self.span()).help("write `a < b and b < c`"));
        }
        let span = a.span.start..b.span.end;
        Self::bounded(Expr::new(ExprKind::Binary(op, Box::new(a), Box::new(b)), span))
    }

    fn sum(&mut self) -> Parsed {
        self.left(Self::product, |p| match p.operator() {
            Some("+") => Some(Binary::Add),
            Some("-") => Some(Binary::Sub),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed {
        self.left(Self::minus, |p| match p.operator() {
            Some("*") => Some(Binary::Mul),
            Some("/") => Some(Binary::Div),
            _ => None,
        })
    }

    fn minus(&mut self) -> Parsed {
        let start = self.span().start;
        if self.take("+") {
            return self.nested(Self::minus);
        }
        if !self.take("-") {
            return self.power();
        }
        let x = self.nested(Self::minus)?;
        let span = start..x.span.end;
        Self::bounded(Expr::new(ExprKind::Neg(Box::new(x)), span))
    }

    fn power(&mut self) -> Parsed {
        let base = self.atom()?;
        if !self.take("**") {
            return Ok(base);
        }
        let exponent = self.nested(Self::minus)?;
        let span = base.span.start..exponent.span.end;
        Self::bounded(Expr::new(ExprKind::Binary(Binary::Pow, Box::new(base), Box::new(exponent)), span))
    }

    fn atom(&mut self) -> Parsed {
        let Some(token) = self.tokens.get(self.at) else {
            return Err(Diagnostic::error("the expression ends too early", self.end..self.end));
        };
        let span = token.span.clone();
        match &token.kind {
            TokenKind::Number(v) => {
                self.at += 1;
                Ok(Expr::new(ExprKind::Number(*v), span))
            }
            TokenKind::Quantity(q) => {
                self.at += 1;
                Ok(Expr::new(ExprKind::Quantity(*q), span))
            }
            TokenKind::Name(n) if matches!(n.as_str(), "and" | "or" | "not") => {
                Err(Diagnostic::error(format!("something is missing before `{n}`"), span))
            }
            TokenKind::Name(n) => {
                let name = n.clone();
                self.at += 1;
                if !self.take("(") {
                    return Ok(Expr::new(ExprKind::Name(name), span));
                }
                let mut list = Vec::new();
                if !self.take(")") {
                    loop {
                        list.push(self.nested(Self::or)?);
                        if self.take(")") {
                            break;
                        }
                        if !self.take(",") {
                            return Err(self.unclosed(&span));
                        }
                    }
                }
                let end = self.tokens[self.at - 1].span.end;
                Self::bounded(Expr::new(ExprKind::Call(name, span.clone(), list), span.start..end))
            }
            TokenKind::Operator("(") => {
                self.at += 1;
                let mut inner = self.nested(Self::or)?;
                if !self.take(")") {
                    return Err(self.unclosed(&span));
                }
                inner.span = span.start..self.tokens[self.at - 1].span.end;
                Ok(inner)
            }
            TokenKind::Operator(o) => Err(Diagnostic::error(format!("a value is missing before `{o}`"), span)),
        }
    }

    fn unclosed(&self, open: &Range<usize>) -> Diagnostic {
        match self.tokens.get(self.at) {
            None => Diagnostic::error("`(` without `)`", open.clone()),
            Some(t) => self
                .bare_quantity()
                .unwrap_or_else(|| Diagnostic::error("`)` or an operator is missing here", t.span.clone())),
        }
    }

    /// What is wrong where a unit follows a number, as other tools write quantities.
    fn bare_quantity(&self) -> Option<Diagnostic> {
        let [before, unit] = self.tokens.get(self.at.checked_sub(1)?..=self.at)? else { return None };
        let (TokenKind::Number(value), TokenKind::Name(name)) = (&before.kind, &unit.kind) else { return None };
        parse_unit(name).ok()?;
        let span = before.span.start..unit.span.end;
        let wrong = Diagnostic::error(format!("`{name}` is a unit: quantities stand in brackets in equations"), span);
        Some(wrong.help(format!("write `[{value} {name}]`")).unknown(name))
    }
}

fn too_deep(span: Range<usize>) -> Diagnostic {
    Diagnostic::error(
        "this expression is nested too deeply (at most 80 parentheses inside each other, 250 terms in a row)",
        span,
    )
    .help("name parts of it: `part = ... : unit` on a line of its own")
}
