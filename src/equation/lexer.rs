//! Text → tokens with byte spans. Any bytes give tokens or diagnostics; nothing panics.

use std::ops::Range;

use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::Quantity;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A plain number.
    Number(f64),
    /// A literal quantity in brackets.
    Quantity(Quantity),
    /// A name; names that a receptor brought have a dot.
    Name(String),
    /// An operator, parenthesis, comma or equals sign, as written.
    Operator(&'static str),
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What.
    pub kind: TokenKind,
    /// Bytes of the text.
    pub span: Range<usize>,
}

/// Longest first, so that `**` is not two `*`.
const OPERATORS: [&str; 23] = [
    "**", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "+", "-", "*", "/", "(", ")", ",", "<", ">", "=", "^", "·",
    "−", "×",
];

/// Splits `text[range]` into tokens. White space and line ends separate; `#` starts a comment that ends with the line.
pub fn tokens(text: &str, range: Range<usize>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut out = Vec::new();
    let mut i = range.start;
    while i < range.end {
        let rest = &text[i..range.end];
        let Some(c) = rest.chars().next() else { break };
        if c.is_whitespace() {
            i += c.len_utf8();
        } else if c == '#' {
            i += rest.find('\n').unwrap_or(rest.len());
        } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let length = number(rest);
            let span = i..i + length;
            match rest[..length].replace('_', "").parse::<f64>() {
                Ok(v) if v.is_finite() => out.push(Token { kind: TokenKind::Number(v), span: span.clone() }),
                _ => diagnostics
                    .push(Diagnostic::error(format!("`{}` is not a number that fits", &rest[..length]), span.clone())),
            }
            i = span.end;
            // `20 mV` without brackets: the most common slip.
            if let Some(d) = text[i..range.end].chars().next().filter(|d| d.is_alphabetic() || *d == 'µ') {
                let word: String = text[i..range.end].chars().take_while(|c| c.is_alphanumeric()).collect();
                diagnostics.push(Diagnostic::error(format!("`{d}` directly after a number"), i..i + word.len()).help(
                    format!("a quantity is written in brackets, `[{} {word}]`; a product needs `*`", &rest[..length]),
                ));
                i += word.len();
            }
        } else if c.is_alphabetic() || c == '_' {
            let length = name(rest);
            out.push(Token { kind: TokenKind::Name(rest[..length].to_owned()), span: i..i + length });
            i += length;
        } else if c == '[' {
            let Some(close) = rest.find([']', '\n']).filter(|&p| rest[p..].starts_with(']')) else {
                diagnostics.push(
                    Diagnostic::error("`[` without `]`", i..i + 1).help("a literal quantity is written `[20 mV]`"),
                );
                i += 1;
                continue;
            };
            match Quantity::parse(&rest[1..close]) {
                Ok(q) if q.value.is_finite() => {
                    out.push(Token { kind: TokenKind::Quantity(q), span: i..i + close + 1 });
                }
                Ok(_) => diagnostics.push(Diagnostic::error("this quantity does not fit a number", i..i + close + 1)),
                Err(d) => diagnostics.push(d.shifted(i + 1)),
            }
            i += close + 1;
        } else if let Some(op) = OPERATORS.iter().find(|o| rest.starts_with(**o)) {
            let kind = match *op {
                "^" => "**",
                "·" | "×" => "*",
                "−" => "-",
                other => other,
            };
            out.push(Token { kind: TokenKind::Operator(kind), span: i..i + op.len() });
            i += op.len();
        } else {
            diagnostics.push(unexpected(c, i));
            i += c.len_utf8();
        }
    }
    out
}

fn unexpected(c: char, at: usize) -> Diagnostic {
    let d =
        Diagnostic::error(format!("`{}` does not belong in an expression", c.escape_debug()), at..at + c.len_utf8());
    match c {
        '&' | '|' | '!' => d.help("conditions are joined with `and`, `or`, `not`"),
        '%' => d.help("write `x - y*floor(x/y)` for a remainder"),
        ']' => d.help("a literal quantity is written `[20 mV]`"),
        _ => d,
    }
}

fn number(text: &str) -> usize {
    let b = text.as_bytes();
    let digits = |mut i: usize| {
        while i < b.len() && (b[i].is_ascii_digit() || b[i] == b'_') {
            i += 1;
        }
        i
    };
    let mut i = digits(0);
    if b.get(i) == Some(&b'.') {
        i = digits(i + 1);
    }
    if matches!(b.get(i), Some(b'e' | b'E')) {
        let j = i + 1 + usize::from(matches!(b.get(i + 1), Some(b'+' | b'-')));
        if b.get(j).is_some_and(u8::is_ascii_digit) {
            i = digits(j);
        }
    }
    i
}

/// Length of a name: letters, digits and underscores, parts joined by dots.
fn name(text: &str) -> usize {
    let mut length = 0;
    for (i, c) in text.char_indices() {
        let dot = c == '.' && text[i + 1..].starts_with(|d: char| d.is_alphabetic() || d == '_');
        if !(c.is_alphanumeric() || c == '_' || dot) {
            break;
        }
        length = i + c.len_utf8();
    }
    length
}
