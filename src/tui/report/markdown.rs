//! A report as Markdown (CommonMark with tables): figures are SVG elements, each one block.

use std::fmt::Write as _;

use super::document::{Block, Document, Grid};
use spikedeck_core::visible::visible_line;

/// Text of one line in which nothing marks anything up.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible_line(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// The text.
pub fn text(document: &Document) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    let mut figures = 0;
    for block in &document.blocks {
        // Writing into a string cannot fail.
        let _ = match block {
            Block::Heading(text) => writeln!(out, "\n## {}", escape(text)),
            Block::Text(text) => writeln!(out, "\n{}", escape(text)),
            Block::Warning(text) => writeln!(out, "\n> **Warning:** {}", escape(text)),
            Block::Code(text) => {
                let fence = fence(text);
                writeln!(out, "\n{fence}toml\n{}\n{fence}", text.trim_end())
            }
            Block::Grid(grid) => {
                table(grid, &mut out);
                Ok(())
            }
            Block::Figure(figure) => {
                figures += 1;
                let _ = writeln!(out, "\n{}", figure.element(figures));
                for warning in &figure.warnings {
                    let _ = writeln!(out, "\n> **Warning:** {}", escape(warning));
                }
                writeln!(out, "\n*Figure {figures}.* {}", escape(&figure.caption))
            }
        };
    }
    out
}

fn table(grid: &Grid, out: &mut String) {
    let row = |cells: &[String]| {
        let escaped: Vec<String> = cells.iter().map(|c| escape(c)).collect();
        format!("| {} |\n", escaped.join(" | "))
    };
    let rules: Vec<&str> = grid.right.iter().map(|right| if *right { "---:" } else { "---" }).collect();
    out.push('\n');
    out.push_str(&row(&grid.heads));
    let _ = writeln!(out, "| {} |", rules.join(" | "));
    for cells in &grid.rows {
        out.push_str(&row(cells));
    }
}
