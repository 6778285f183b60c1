//! Scene → SVG: a figure for a paper or a page, from the same marks as the terminal shows. Text stays text, curves and
//! rasters are paths, images are runs of equal colour, so that everything can be edited and nothing is blurred.

mod axes;
mod marks;
mod plane;
mod screen;
#[cfg(test)]
mod tests;
mod text;

pub use screen::of_grid;

use std::fmt::Write as _;

use super::cells::Placed;
use super::colour::{Palette, Role, Theme};
#[cfg(test)]
use super::grid::CellGrid;
use super::grid::{Area, columns};
use super::map::Rgb;
use super::scene::{Body, Panel, Plot, Scene};
use super::ticks::{self, Tick};
use spikedeck_core::visible::{is_hidden, write_out};

/// Size and colours of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Width in CSS pixels (96 an inch).
    pub width: usize,
    /// Height in CSS pixels.
    pub height: usize,
    /// Colours; figures are light unless asked otherwise.
    pub palette: Palette,
    /// Size of tick labels in pixels; titles are larger.
    pub font: f64,
}

impl Default for Figure {
    fn default() -> Self {
        Self { width: 720, height: 450, palette: Palette { theme: Theme::Light, ..Palette::default() }, font: 13.0 }
    }
}

/// Text as XML carries it.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            c if is_hidden(c) => write_out(c, &mut out),
            c => out.push(c),
        }
    }
    out
}

/// Whether the text face lacks a character (arrows, operators, box drawing), so that the monospaced face must give it.
pub(crate) fn foreign(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2211}' | '\u{2213}'..='\u{2bff}')
}

/// Escaped text with foreign characters in spans of the monospaced face: without them, viewers change the face of the
/// whole line.
fn spans(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let odd = foreign(first);
        let end = rest.find(|c| foreign(c) != odd).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if odd {
            let _ = write!(out, "<tspan font-family=\"Hack, 'DejaVu Sans Mono', monospace\">{}</tspan>", escape(part));
        } else {
            out.push_str(&escape(part));
        }
        rest = after;
    }
    out
}

/// `#rrggbb`.
pub(crate) fn hex((r, g, b): Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A length with two decimals at most.
pub(crate) fn length(v: f64) -> String {
    let text = format!("{v:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The document under construction.
pub(crate) struct Page {
    pub(crate) out: String,
    pub(crate) figure: Figure,
}

/// Where text stands relative to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Page {
    pub(crate) fn colour(&self, role: Role) -> String {
        hex(self.figure.palette.rgb(role))
    }

    /// Width of text in pixels, near enough for layout.
    pub(crate) fn text_width(text: &str, size: f64) -> f64 {
        columns(text) as f64 * size * 0.56
    }

    pub(crate) fn text(&mut self, at: (f64, f64), text: &str, size: f64, role: Role, anchor: Anchor) {
        self.text_with(at, text, size, role, anchor, "");
    }

    /// Text over marks: a rim of the ground's colour keeps it readable.
    pub(crate) fn text_over(&mut self, at: (f64, f64), text: &str, size: f64, role: Role, anchor: Anchor) {
        let ground = hex(self.figure.palette.ground());
        let rim = format!(" stroke=\"{ground}\" stroke-width=\"3\" stroke-linejoin=\"round\" paint-order=\"stroke\"");
        self.text_with(at, text, size, role, anchor, &rim);
    }

    fn text_with(&mut self, at: (f64, f64), text: &str, size: f64, role: Role, anchor: Anchor, rest: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let fill = self.colour(role);
        let weight = if role == Role::Title { " font-weight=\"600\"" } else { "" };
        let _ = writeln!(
            self.out,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{fill}\" text-anchor=\"{anchor}\"{weight}{rest}>{}</text>",
            length(at.0),
            length(at.1),
            length(size),
            spans(text)
        );
    }

    pub(crate) fn line(&mut self, a: (f64, f64), b: (f64, f64), stroke: &str, width: f64, dash: &str) {
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        let _ = writeln!(
            self.out,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{stroke}\" stroke-width=\"{}\"{dash}/>",
            length(a.0),
            length(a.1),
            length(b.0),
            length(b.1),
            length(width)
        );
    }

    /// A path in group coordinates; `fill` or `stroke` may be "none".
    pub(crate) fn path(&mut self, d: &str, fill: &str, stroke: &str, width: f64, rest: &str) {
        if !d.is_empty() {
            let _ = writeln!(
                self.out,
                "<path d=\"{d}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{}\"{rest}/>",
                length(width)
            );
        }
    }
}

/// A standalone SVG document of a scene.
pub fn figure(scene: &Scene<'_>, figure: &Figure) -> String {
    let figure = Figure {
        width: figure.width.clamp(1, 20_000),
        height: figure.height.clamp(1, 20_000),
        font: figure.font.clamp(4.0, 100.0),
        ..*figure
    };
    let mut page = Page { out: String::new(), figure };
    let height = match &scene.body {
        Body::Plot(plot) => {
            draw_plot(plot, &scene.title, &mut page);
            figure.height
        }
        Body::Table(rows) => text::scalars(rows, &scene.title, &mut page),
        Body::Text(sections) => text::sections(sections, &scene.title, &mut page),
    };
    let (width, ground) = (figure.width, hex(figure.palette.ground()));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} \
         {height}\" \
         font-family=\"Ubuntu, 'Helvetica Neue', Helvetica, Arial, sans-serif\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{ground}\"/>\n{}</svg>\n",
        escape(&scene.title),
        page.out
    )
}

/// A panel with its place in pixels and the ticks of its y axis.
pub(crate) struct Framed<'s, 'a> {
    pub(crate) panel: &'s Panel<'a>,
    pub(crate) placed: Placed,
    pub(crate) y_ticks: Vec<Tick>,
}

fn y_ticks(panel: &Panel<'_>, height: usize, font: f64) -> Vec<Tick> {
    let axis = &panel.y;
    match &axis.names {
        None => ticks::fit(
            axis.range,
            axis.log,
            height,
            ((height as f64 / (font * 3.4)) as usize).clamp(2, 9),
            |_| font * 1.3,
            font * 0.5,
        ),
        Some(names) => ticks::names(names, axis.range, height as f64, |_| font * 1.15),
    }
}

fn draw_plot(plot: &Plot<'_>, title: &str, page: &mut Page) {
    let (font, width, height) = (page.figure.font, page.figure.width as f64, page.figure.height as f64);
    let framed = plot.panels.iter().any(|p| p.framed);
    let mut top = font;
    if !title.is_empty() {
        top += font * 1.5;
        page.text((font * 1.2, top), title, font * 1.25, Role::Title, Anchor::Start);
        top += font * 0.5;
    }
    top = axes::legend(plot, top, page) + font * 0.6;
    let bottom = if framed { font * 3.6 } else { font };
    let right = if plot.colour_bar.is_some() { font * 7.0 } else { font * 1.6 };
    let gap = font * 1.4;
    let body = (height - top - bottom - gap * plot.panels.len().saturating_sub(1) as f64).max(1.0);
    let total: f64 = plot.panels.iter().map(|p| p.share).sum::<f64>().max(1e-9);
    let heights: Vec<usize> = plot.panels.iter().map(|p| ((p.share / total * body) as usize).max(1)).collect();
    let labels: Vec<Vec<Tick>> = plot
        .panels
        .iter()
        .zip(&heights)
        .map(|(p, &h)| if p.framed { y_ticks(p, h, font) } else { Vec::new() })
        .collect();
    let widest = labels.iter().flatten().map(|t| Page::text_width(&t.label, font)).fold(0.0, f64::max).min(width / 4.0);
    let left = if framed { widest + font * 3.0 } else { font };
    let inner = (width - left - right).max(1.0) as usize;
    let mut y = top;
    for (index, ((panel, y_ticks), &h)) in plot.panels.iter().zip(labels).zip(&heights).enumerate() {
        let area = Area { x: left as usize, y: y as usize, width: inner, height: h };
        let mut placed = Placed::of(panel, area);
        if plot.equal && panel.framed {
            proportion(&mut placed);
        } else if plot.equal {
            equalise(&mut placed);
        }
        let last = index + 1 == plot.panels.len();
        let framed = Framed { panel, placed, y_ticks };
        marks::panel(&framed, index, plot, page);
        if panel.framed {
            axes::frame(&framed, last, widest, page);
        }
        y += h as f64 + gap;
    }
    if let Some(bar) = &plot.colour_bar {
        axes::colour_bar(bar, (left + inner as f64 + font * 1.4, top), (font, body.min(height - top - bottom)), page);
    }
}

/// Takes from the area what is too wide or too high for one unit to be as long across as down.
fn proportion(p: &mut Placed) {
    let shape = (p.x.1 - p.x.0) / (p.y.1 - p.y.0);
    if shape.is_finite() && shape > 0.0 {
        let (across, down) = (p.area.width as f64, p.area.height as f64);
        p.area.width = across.min(down * shape).max(1.0) as usize;
        p.area.height = down.min(across / shape).max(1.0) as usize;
    }
}

fn equalise(p: &mut Placed) {
    let (across, down) = (p.area.width as f64, p.area.height as f64);
    let per = ((p.x.1 - p.x.0) / (across * 0.75)).max((p.y.1 - p.y.0) / (down * 0.9));
    let middle = |(low, high): (f64, f64)| f64::midpoint(low, high);
    p.x = (middle(p.x) - per * across / 2.0, middle(p.x) + per * across / 2.0);
    p.y = (middle(p.y) - per * down / 2.0, middle(p.y) + per * down / 2.0);
}
