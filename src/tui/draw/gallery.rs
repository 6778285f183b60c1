//! The gallery: a list on the left, what it is on the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{line, line_right, tint};
use crate::draw::footer::footer;
use crate::draw::thumbnail;
use crate::number::{count, fit};
use crate::state::app::App;
use crate::state::gallery::{Line, Preview};
use crate::state::layout::{gallery, part};
use crate::state::steps::Step;
use spikedeck_plot::grid::wrap;
use spikedeck_plot::thumbnail::HEIGHT;

/// Draws the gallery.
pub fn draw(app: &App, buf: &mut Buffer) {
    let l = gallery(app.size.0, app.size.1);
    head(app, buf, l.head);
    list(app, buf, l.list);
    preview(app, buf, l.preview);
    footer(app, buf, l.footer);
}

fn head(app: &App, buf: &mut Buffer, area: Rect) {
    let (t, g) = (&app.theme, &app.gallery);
    if area.height == 0 {
        return;
    }
    let top = part(area, 0, 0, area.width, 1);
    let name = line(buf, top, &[(" spikedeck", t.accent)]);
    let rest = part(top, name, 0, top.width - name, 1);
    if g.typing || !g.query.is_empty() {
        let cursor = if g.typing { "▏" } else { "" };
        line(buf, rest, &[("   / ", t.key), (&g.query, t.strong), (cursor, t.accent)]);
    } else {
        let said = line(buf, rest, &[("   a laboratory for neural dynamics", t.dim)]);
        if let Some(step) = app.steps.in_gallery().filter(|_| rest.width >= 90) {
            hint(app, buf, part(rest, said + 3, 0, rest.width - said - 3, 1), step);
        }
    }
    let found = if g.query.trim().is_empty() {
        format!("{} scenarios and runs ", g.entries.len())
    } else {
        format!("{} of {} ", g.hits.len(), g.entries.len())
    };
    let marked = if g.marked.is_empty() { String::new() } else { format!("{} marked · ", g.marked.len()) };
    line_right(buf, top, &[(&marked, t.accent), (&found, t.dim)]);
    let rule = "─".repeat(usize::from(area.width));
    line(buf, part(area, 0, 1, area.width, 1), &[(&rule, t.faint)]);
}

/// A step for newcomers: its key and what it does, as much as there is room for; nothing where that is too little.
pub fn hint(app: &App, buf: &mut Buffer, area: Rect, step: Step) {
    let t = &app.theme;
    let Some(key) = app.keymap.keys(step.command).first().map(ToString::to_string) else { return };
    let number = format!("  {} of 3", step.number);
    let short = step.words.split(',').next().unwrap_or(step.words);
    let room = usize::from(area.width).saturating_sub(key.width() + 1);
    let said = [(step.words, number.as_str()), (step.words, ""), (short, "")];
    if let Some((words, number)) = said.into_iter().find(|(words, number)| words.width() + number.width() <= room) {
        line(buf, area, &[(&key, t.key), (" ", t.dim), (words, t.dim), (number, t.faint)]);
    }
}

fn list(app: &App, buf: &mut Buffer, area: Rect) {
    let (t, g) = (&app.theme, &app.gallery);
    let rows = usize::from(area.height);
    if g.hits.is_empty() {
        let text = if g.entries.is_empty() { "no scenarios here" } else { "nothing matches" };
        line(buf, part(area, 1, 0, area.width.saturating_sub(1), 1), &[(text, t.dim)]);
        return;
    }
    let widest = g.hits.iter().map(|h| g.entries[h.index].name.width() + 4).max().unwrap_or(0);
    let room = usize::from(area.width).saturating_sub(3);
    // A promise beside each name where there is room for one.
    let names = if room >= 50 { widest.min(30) } else { widest.min(room) };
    let lines = g.lines();
    let first = g.first_line(&lines, rows);
    for (row, shown) in lines.iter().skip(first).take(rows).enumerate() {
        let place = part(area, 0, row as u16, area.width, 1);
        match *shown {
            Line::Heading(group) => {
                line(buf, place, &[(" ", t.text), (group.title(), t.key)]);
            }
            Line::Hit(at) => hit(app, buf, place, at, names),
        }
    }
}

/// A line of the list: mark, name with the number of variants that are folded under it, title.
fn hit(app: &App, buf: &mut Buffer, place: Rect, at: usize, names: usize) {
    let (t, g) = (&app.theme, &app.gallery);
    let hit = &g.hits[at];
    let entry = &g.entries[hit.index];
    let chosen = at == g.selected;
    let mark = match (g.marked.contains(&hit.index), chosen) {
        (true, _) => ("◆", t.accent),
        (false, true) => ("▌", t.accent),
        (false, false) => (" ", t.text),
    };
    let folded = match g.folded(hit.index) {
        0 => String::new(),
        n => format!(" +{n}"),
    };
    let indent = if g.is_variant(hit.index) && g.query.trim().is_empty() { "  " } else { "" };
    let room = names.saturating_sub(folded.width() + indent.width());
    let name = short_name(&entry.name, room);
    let name_style = if chosen { t.strong } else { t.text };
    line(buf, place, &[mark, (" ", t.text), (indent, t.text), (&name, name_style), (&folded, t.dim)]);
    for letter in hit.letters.iter().filter(|_| name == entry.name) {
        let x = place.x + 2 + (indent.width() + *letter as usize) as u16;
        if usize::from(x - place.x) < names + 2 && x < place.right() {
            tint(buf, Rect::new(x, place.y, 1, 1), t.found);
        }
    }
    let from = names as u16 + 3;
    if place.width > from + 16 {
        let title = fit(&entry.title, usize::from(place.width - from));
        line(buf, part(place, from, 0, place.width - from, 1), &[(&title, t.dim)]);
    }
    if chosen {
        tint(buf, place, t.selection);
    }
}

/// A name in `width` cells. Of `name:variant` the name is cut, since the variants of a scenario stand below each other.
fn short_name(name: &str, width: usize) -> String {
    match name.split_once(':') {
        Some((stem, variant)) if name.width() > width && variant.width() + 8 < width => {
            format!("{}:{variant}", fit(stem, width - variant.width() - 1))
        }
        _ => fit(name, width),
    }
}

fn preview(app: &App, buf: &mut Buffer, area: Rect) {
    let (t, g) = (&app.theme, &app.gallery);
    if area.width < 20 || area.height == 0 {
        return;
    }
    let Some(index) = g.chosen() else { return };
    let mut lines: Vec<Vec<(String, Style)>> = Vec::new();
    let picture = thumbnail::of(app, area).filter(|_| matches!(g.previews.get(&index), Some(Ok(_))));
    match g.previews.get(&index) {
        None => {
            lines.push(vec![(g.entries[index].title.clone(), t.strong)]);
        }
        Some(Err(why)) => {
            lines.push(vec![(g.entries[index].title.clone(), t.strong)]);
            lines.push(Vec::new());
            for l in why.lines() {
                lines.push(vec![(l.to_owned(), t.bad)]);
            }
        }
        Some(Ok(p)) => describe(app, p, usize::from(area.width.min(88)), picture.is_some(), &mut lines),
    }
    let rows = usize::from(area.height);
    let first = g.scroll.min(lines.len().saturating_sub(rows));
    for (row, pieces) in lines.iter().skip(first).take(rows).enumerate() {
        let borrowed: Vec<(&str, Style)> = pieces.iter().map(|(s, st)| (s.as_str(), *st)).collect();
        line(buf, part(area, 0, row as u16, area.width, 1), &borrowed);
    }
    if let Some(grid) = &picture {
        thumbnail::draw(app, buf, part(area, 0, 0, area.width.min(88), area.height), grid, first);
    }
    if lines.len() > first + rows {
        let more =
            format!(" ↓ {} ", spikedeck_core::number::counted(lines.len() - first - rows, "more line", "more lines"));
        line_right(buf, part(area, 0, area.height - 1, area.width, 1), &[(&more, t.dim)]);
    }
}

/// Text in lines of which the first so many are short.
fn around(text: &str, short: usize, count: usize, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text;
    while lines.len() < count && !rest.is_empty() {
        let (paragraph, others) = rest.split_once('\n').unwrap_or((rest, ""));
        let broken = wrap(paragraph, short);
        if lines.len() + broken.len() <= count {
            lines.extend(broken);
            rest = others;
            continue;
        }
        // What no longer fits beside is broken anew below.
        let kept = &broken[..count - lines.len()];
        let letters = kept.iter().flat_map(|l| l.chars()).filter(|c| !c.is_whitespace()).count();
        lines.extend_from_slice(kept);
        let below = paragraph.char_indices().filter(|(_, c)| !c.is_whitespace()).nth(letters);
        lines.extend(below.map_or_else(Vec::new, |(at, _)| wrap(&paragraph[at..], width)));
        rest = others;
    }
    if !rest.is_empty() {
        lines.extend(wrap(rest, width));
    }
    lines
}

fn describe(app: &App, p: &Preview, width: usize, has_picture: bool, out: &mut Vec<Vec<(String, Style)>>) {
    let t = &app.theme;
    // Beside the picture lines are short, below it they have all the width.
    let beside = if has_picture { width - thumbnail::TAKEN } else { width };
    for l in wrap(&p.title, beside) {
        out.push(vec![(l, t.strong)]);
    }
    if !p.tags.is_empty() {
        for l in wrap(&p.tags.join(" · "), beside) {
            out.push(vec![(l, t.key.remove_modifier(ratatui::style::Modifier::BOLD))]);
        }
    }
    out.push(Vec::new());
    let text = crate::panes::cards::flowing(&p.description);
    let free = if has_picture { (HEIGHT + 1).saturating_sub(out.len()) } else { 0 };
    for l in around(&text, beside, free, width) {
        out.push(vec![(l, t.text)]);
    }
    while has_picture && out.len() < HEIGHT {
        out.push(Vec::new());
    }
    let heading = |title: &str, out: &mut Vec<Vec<(String, Style)>>| {
        out.push(Vec::new());
        out.push(vec![(title.to_owned(), t.dim)]);
    };
    if !p.populations.is_empty() {
        heading("Populations", out);
        let names = p.populations.iter().map(|x| x.0.width()).max().unwrap_or(0).min(24);
        let sizes = p.populations.iter().map(|x| count(x.1).width()).max().unwrap_or(0);
        for (name, size, model) in &p.populations {
            out.push(vec![
                (format!("  {:<names$}  {:>sizes$}  ", fit(name, names), count(*size)), t.text),
                (model.clone(), t.dim),
            ]);
        }
    }
    if !p.facts.is_empty() {
        heading("Size", out);
        let names = p.facts.iter().map(|x| x.0.width()).max().unwrap_or(0);
        for (name, value) in &p.facts {
            out.push(vec![(format!("  {name:<names$}  "), t.dim), (value.clone(), t.text)]);
        }
    }
    if !p.analyses.is_empty() {
        heading("Analyses", out);
        let all: Vec<String> = p
            .analyses
            .iter()
            .map(|(name, kind)| if name == kind { name.clone() } else { format!("{name} ({kind})") })
            .collect();
        for l in wrap(&all.join(", "), width.saturating_sub(2)) {
            out.push(vec![(format!("  {l}"), t.text)]);
        }
    }
    if !p.variants.is_empty() {
        heading("Variants", out);
        for l in wrap(&p.variants.join(", "), width.saturating_sub(2)) {
            out.push(vec![(format!("  {l}"), t.text)]);
        }
    }
    if !p.references.is_empty() {
        heading("References", out);
        for r in &p.references {
            for l in wrap(r, width.saturating_sub(2)) {
                out.push(vec![(format!("  {l}"), t.text)]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Nothing is lost beside a picture, no short line is longer than it may be, and below there is all the width.
        #[test]
        fn words_flow_around_a_picture(text in "[a-z]{1,30}( [a-z]{1,30}|\n[a-z]{1,9}){0,40}", count in 0usize..9) {
            let lines = around(&text, 12, count, 40);
            let plain = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(plain(&lines.concat()), plain(&text));
            prop_assert!(lines.iter().take(count).all(|l| l.width() <= 12));
            prop_assert!(lines.iter().all(|l| l.width() <= 40));
        }
    }
}
