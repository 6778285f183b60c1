//! Frames and marks in ASCII, where the terminal's font or locale has nothing else. Names keep their letters.

use ratatui::buffer::Buffer;

/// What stands for a character of frames, rules, marks and numbers, if one does.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '─' | '━' | '╌' | '┄' | '┈' | '−' | '–' | '—' => '-',
        '│' | '┃' | '┊' | '▏' | '▌' | '▎' | '▍' | '▋' | '▊' | '▉' => '|',
        '╭' | '╮' | '╯' | '╰' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => '+',
        '●' | '•' | '◆' | '■' => '*',
        '○' => 'o',
        '×' | '✗' => 'x',
        '…' => '~',
        '·' => '.',
        '█' | '▓' | '▒' | '░' => '#',
        '↑' | '▲' => '^',
        '↓' | '▼' | '✓' => 'v',
        '←' | '◀' | '‹' => '<',
        '→' | '▶' | '›' | '▸' => '>',
        '²' => '2',
        '³' => '3',
        'µ' | 'μ' => 'u',
        _ => return None,
    })
}

/// Puts ASCII in the place of all of them.
pub fn frames(buf: &mut Buffer) {
    for cell in &mut buf.content {
        let mut chars = cell.symbol().chars();
        if let (Some(c), None) = (chars.next(), chars.next())
            && let Some(plain) = plain(c)
        {
            cell.set_char(plain);
        }
    }
}

/// A text in ASCII as far as frames, marks and numbers go.
pub fn text(text: &str) -> String {
    text.chars().map(|c| plain(c).unwrap_or(c)).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::{buffer, comparing, press, running, text};
    use spikedeck_plot::Marker;

    /// With the marker of ASCII every screen is ASCII: panes, columns, help, differences, the parameters' panel.
    #[test]
    fn nothing_else_is_drawn() {
        for size in [(120, 40), (80, 24), (30, 8)] {
            for (mut app, keys) in [
                (running(size), "c"),
                (running(size), "?"),
                (comparing(size), "d"),
                (comparing(size), "e"),
                (running(size), "g"),
            ] {
                app.look.marker = Marker::Ascii;
                press(&mut app, keys);
                let shown = text(&buffer(&app));
                let odd: String = shown.chars().filter(|c| !c.is_ascii()).collect();
                assert!(odd.is_empty(), "{size:?} {keys}: {odd}\n{shown}");
            }
        }
    }
}
