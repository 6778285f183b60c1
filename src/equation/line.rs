//! The lines of a model file's equations.

use std::ops::Range;

use super::syntax::{Expr, expression, parts};
use spikedeck_core::diagnostic::Diagnostic;
use spikedeck_core::units::{Dimension, parse_unit};

/// One equation as written.
pub(super) struct Line {
    /// Where it stands, without a comment.
    pub span: Range<usize>,
    pub name: String,
    pub name_span: Range<usize>,
    pub differential: bool,
    pub expr: Option<Expr>,
    pub dimension: Option<Dimension>,
}

/// Reads all lines; those that are no equation are left out, and `found` says what is wrong with them.
pub(super) fn read_lines(text: &str, weight: Option<Dimension>, found: &mut Vec<Diagnostic>) -> Vec<Line> {
    let mut out = Vec::new();
    for range in parts(text, &['\n']) {
        // Comments inside a continued line are skipped by the lexer; here only the visible end matters.
        let visible = text[range.clone()].find('#').map_or(range.end, |p| {
            if text[range.start + p..range.end].contains('\n') { range.end } else { range.start + p }
        });
        let line = &text[range.start..visible];
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let start = range.start + (line.len() - line.trim_start().len());
        out.extend(read_line(text, start..start + trimmed.len(), weight, found));
    }
    out
}

/// Reads one line: `dX/dt = expression : unit` or `name = expression : unit`. In a plasticity rule the unit `weight` is
/// that of the weights that the rule changes.
fn read_line(text: &str, range: Range<usize>, weight: Option<Dimension>, found: &mut Vec<Diagnostic>) -> Option<Line> {
    let line = &text[range.clone()];
    let whole = range.clone();
    let Some(equals) = line.find('=').filter(|&p| !line[p + 1..].starts_with('=')) else {
        found.push(
            Diagnostic::error("this line is no equation", whole)
                .help("write `dV_m/dt = ... : V` or `name = ... : unit`"),
        );
        return None;
    };
    let left = line[..equals].trim();
    let (name, differential) =
        match left.strip_suffix("dt").map(str::trim_end).and_then(|l| l.strip_suffix('/')).map(str::trim_end) {
            Some(top) if top.starts_with('d') => (top[1..].trim(), true),
            _ => (left, false),
        };
    let offset = name.as_ptr() as usize - text.as_ptr() as usize;
    let name_span = offset..offset + name.len();
    let mut start = name.chars();
    let fits =
        start.next().is_some_and(|c| c.is_alphabetic() || c == '_') && start.all(|c| c.is_alphanumeric() || c == '_');
    if !fits {
        found.push(
            Diagnostic::error(
                format!("`{left}` cannot stand on the left of an equation"),
                range.start..range.start + left.len().max(1),
            )
            .help("write `dV_m/dt = ... : V` for a state, `name = ... : unit` for a subexpression"),
        );
        return None;
    }
    let name_text = name.to_owned();
    let mut line_out =
        Line { span: range.clone(), name: name_text, name_span, differential, expr: None, dimension: None };
    let body = range.start + equals + 1;
    let colon = line[equals + 1..].rfind(':').map(|p| body + p);
    let end = colon.unwrap_or(range.end);
    line_out.expr = expression(text, body..end, found);
    match colon {
        None => found.push(
            Diagnostic::error(format!("the unit of `{name}` is missing"), range.end..range.end)
                .help("end the line with `: unit`, such as `: V` (`: 1` for a plain number)"),
        ),
        Some(colon) => {
            let unit = &text[colon + 1..range.end];
            let skipped = unit.len() - unit.trim_start().len();
            if let Some(flag) = unit.find("(unless").or_else(|| unit.find("(constant")) {
                found.push(
                    Diagnostic::error("flags of equations are not known here", colon + 1 + flag..range.end).help(
                        "states that are held while refractory are listed in `refractory = \
                               { time = \"t_ref\", hold = [\"V_m\"] }`",
                    ),
                );
            } else if let (Some(d), "weight") = (weight, unit.trim()) {
                line_out.dimension = Some(d);
            } else {
                match parse_unit(unit.trim()) {
                    Ok((_, d)) => line_out.dimension = Some(d),
                    Err(d) => found.push(d.shifted(colon + 1 + skipped)),
                }
            }
        }
    }
    Some(line_out)
}
