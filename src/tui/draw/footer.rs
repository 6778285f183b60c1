//! The last line of every screen: what can be done, or what there is to know.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use crate::draw::cells::{line, line_right};
use crate::input::commands::COMMANDS;
use crate::state::app::App;
use crate::state::layout::part;

/// The last line: hints on the left by their priority, state on the right. `? help` stays longest.
pub fn footer(app: &App, buf: &mut Buffer, area: Rect) {
    let t = &app.theme;
    let mut right: Vec<(String, Style)> = Vec::new();
    if app.columns.frozen() {
        right.push((" frozen ".to_owned(), t.warn.add_modifier(Modifier::REVERSED)));
    }
    if app.views.free && app.columns.len() > 1 {
        right.push((" own scales ".to_owned(), t.warn.add_modifier(Modifier::REVERSED)));
    }
    if let Some((rate, frame)) = app.link {
        let fps = 1.0 / frame.as_secs_f64().max(1e-3);
        let text = format!(
            "link {} kB/s, {} fps",
            crate::number::short((rate / 1000.0).round()),
            crate::number::short((fps * 10.0).round() / 10.0)
        );
        right.push((text, t.warn));
    }
    if app.mouse {
        right.push(("mouse".to_owned(), t.dim));
    }
    let mut spaced: Vec<(&str, Style)> = Vec::new();
    for (text, style) in &right {
        spaced.push(("  ", t.text));
        spaced.push((text, *style));
    }
    let used = if area.width > 50 { line_right(buf, area, &spaced) } else { 0 };
    let left = part(area, 0, 0, area.width.saturating_sub(used), 1);
    if let Some(notice) = app.log.notice() {
        let style = if notice.bad { t.bad } else { t.warn };
        line(buf, left, &[(if notice.bad { "✗ " } else { "" }, style), (&notice.text, style)]);
        return;
    }
    hints(app, buf, left);
}

fn hints(app: &App, buf: &mut Buffer, area: Rect) {
    let t = &app.theme;
    let context = app.context();
    let mut offers: Vec<(u8, usize, String, &str)> = COMMANDS
        .iter()
        .enumerate()
        .filter(|(_, c)| c.binding.context.applies_in(context))
        .filter_map(|(i, c)| {
            let hint = c.hint.filter(|h| (h.useful)(app))?;
            let key = app.keymap.keys(c.binding.id).first()?.to_string();
            Some((hint.priority, i, key, hint.word))
        })
        .collect();
    offers.sort();
    let mut width = usize::from(area.width);
    let mut kept: Vec<(usize, String, &str)> = Vec::new();
    for (_, i, key, word) in offers {
        let need = key.width() + 1 + word.width() + 2;
        if need > width + 2 {
            break;
        }
        width = width.saturating_sub(need);
        kept.push((i, key, word));
    }
    // Drawn in the order of the table, with help first.
    kept.sort_by_key(|k| k.0);
    let pieces: Vec<(&str, Style)> =
        kept.iter().flat_map(|(_, k, w)| [(k.as_str(), t.key), (" ", t.dim), (*w, t.dim), ("  ", t.dim)]).collect();
    line(buf, area, &pieces);
}
