//! A report as one page for a browser: styles and figures are in it, nothing is fetched, nothing runs.

use std::fmt::Write as _;

use super::document::{Block, Document, Grid};
use spikedeck_core::visible::{is_hidden, write_out};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.7rem;line-height:1.2}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;font-size:.875rem;display:block;overflow-x:auto;margin:1rem 0}
th,td{padding:.2rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid #e4e4e4}
th{color:#5f5f5f;font-weight:600;white-space:nowrap}td.r,th.r{text-align:right;font-variant-numeric:tabular-nums}
figure{margin:2rem 0}figure svg{max-width:100%;height:auto}figcaption{font-size:.9rem;color:#444}
.w{color:#8a4b00;background:#fff6e5;padding:.2rem .6rem;border-left:3px solid #e69f00}
pre{background:#f5f5f5;padding:1rem;overflow-x:auto;font-size:.85rem;line-height:1.35}
@media print{body{max-width:none;margin:0}figure,table{break-inside:avoid}}
";

/// Text that acts on nothing; line breaks stay.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if is_hidden(c) => write_out(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

/// The page.
pub fn page(document: &Document) -> String {
    let title = escape(&document.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}</h1>\n"
    );
    let mut figures = 0;
    for block in &document.blocks {
        // Writing into a string cannot fail.
        let _ = match block {
            Block::Heading(text) => writeln!(out, "<h2>{}</h2>", escape(text)),
            Block::Text(text) => writeln!(out, "<p>{}</p>", escape(text)),
            Block::Warning(text) => writeln!(out, "<p class=\"w\">{}</p>", escape(text)),
            Block::Code(text) => writeln!(out, "<pre>{}</pre>", escape(text)),
            Block::Grid(grid) => {
                table(grid, &mut out);
                Ok(())
            }
            Block::Figure(figure) => {
                figures += 1;
                let _ = writeln!(out, "<figure>\n{}", figure.element(figures));
                let _ = writeln!(out, "<figcaption>Figure {figures}. {}</figcaption>", escape(&figure.caption));
                for warning in &figure.warnings {
                    let _ = writeln!(out, "<p class=\"w\">{}</p>", escape(warning));
                }
                writeln!(out, "</figure>")
            }
        };
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn table(grid: &Grid, out: &mut String) {
    out.push_str("<table>\n");
    row(&grid.heads, "th", &grid.right, out);
    for cells in &grid.rows {
        row(cells, "td", &grid.right, out);
    }
    out.push_str("</table>\n");
}

fn row(cells: &[String], tag: &str, right: &[bool], out: &mut String) {
    out.push_str("<tr>");
    for (cell, right) in cells.iter().zip(right) {
        let class = if *right { " class=\"r\"" } else { "" };
        let _ = write!(out, "<{tag}{class}>{}</{tag}>", escape(cell));
    }
    out.push_str("</tr>\n");
}
