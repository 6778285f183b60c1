//! Roles, not colours: what a thing is decides how it looks; the terminal's depth decides how that is sent.

use ratatui::style::{Color, Modifier, Style};
use spikedeck_plot::Depth;

/// How many colours the terminal shows: what was said, over NO_COLOR over COLORTERM over TERM `*-direct` over 256.
pub fn depth(said: Option<Depth>, env: impl Fn(&str) -> Option<String>) -> Depth {
    if let Some(depth) = said {
        return depth;
    }
    if env("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        return Depth::None;
    }
    let term = env("TERM").unwrap_or_default();
    if env("COLORTERM").is_some_and(|v| v == "truecolor" || v == "24bit") || term.ends_with("-direct") {
        return Depth::True;
    }
    match term.as_str() {
        "dumb" => Depth::None,
        "linux" | "vt100" | "vt220" | "ansi" | "xterm-16color" => Depth::Sixteen,
        _ => Depth::Indexed,
    }
}

/// The nearest colour that a terminal of this depth shows.
pub fn nearest(depth: Depth, color: Color) -> Color {
    match (depth, color) {
        (Depth::None, _) => Color::Reset,
        (Depth::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(to_256(r, g, b)),
        (Depth::Sixteen, Color::Rgb(r, g, b)) => to_16(r, g, b),
        (Depth::Sixteen, Color::Indexed(i)) if i >= 16 => {
            let (r, g, b) = from_256(i);
            to_16(r, g, b)
        }
        (_, c) => c,
    }
}

const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Nearest of the colour cube and the grey ramp.
fn to_256(r: u8, g: u8, b: u8) -> u8 {
    let nearest = |v: u8| (0..6).min_by_key(|&i| LEVELS[i].abs_diff(v)).unwrap_or(0);
    let (i, j, k) = (nearest(r), nearest(g), nearest(b));
    let cube = distance((r, g, b), (LEVELS[i], LEVELS[j], LEVELS[k]));
    let grey = ((u16::from(r) + u16::from(g) + u16::from(b)) / 3).saturating_sub(3) / 10;
    let step = grey.min(23) as u8;
    let level = 8 + 10 * step;
    if distance((r, g, b), (level, level, level)) < cube { 232 + step } else { (16 + 36 * i + 6 * j + k) as u8 }
}

fn from_256(i: u8) -> (u8, u8, u8) {
    if i >= 232 {
        let v = 8 + 10 * (i - 232);
        return (v, v, v);
    }
    let n = usize::from(i.saturating_sub(16));
    (LEVELS[n / 36], LEVELS[n / 6 % 6], LEVELS[n % 6])
}

fn to_16(r: u8, g: u8, b: u8) -> Color {
    const TABLE: [(Color, (u8, u8, u8)); 14] = [
        (Color::Black, (0, 0, 0)),
        (Color::Red, (170, 0, 0)),
        (Color::Green, (0, 170, 0)),
        (Color::Yellow, (170, 110, 0)),
        (Color::Blue, (0, 60, 190)),
        (Color::Magenta, (170, 0, 170)),
        (Color::Cyan, (0, 160, 170)),
        (Color::Gray, (180, 180, 180)),
        (Color::DarkGray, (95, 95, 95)),
        (Color::LightYellow, (240, 228, 66)),
        (Color::LightBlue, (86, 160, 235)),
        (Color::LightCyan, (100, 230, 240)),
        (Color::LightMagenta, (230, 130, 200)),
        (Color::White, (255, 255, 255)),
    ];
    TABLE.iter().min_by_key(|(_, c)| distance((r, g, b), *c)).map_or(Color::Gray, |(c, _)| *c)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let d = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * d(a.0, b.0) + 4 * d(a.1, b.1) + 3 * d(a.2, b.2)
}

/// Which set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeChoice {
    /// By COLORFGBG where the terminal sets it, else by what it answers, else dark.
    #[default]
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
}

impl ThemeChoice {
    /// Whether colours for a light background are wanted.
    pub fn is_light(self, env: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Dark => false,
            Self::Light => true,
            // `15;0` is light on dark; the last number is the background.
            Self::Auto => env("COLORFGBG").is_some_and(|v| matches!(v.rsplit(';').next(), Some("7" | "15"))),
        }
    }
}

/// What each role looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// For a light background.
    pub light: bool,
    /// Colours there are.
    pub depth: Depth,
    /// Without colours.
    pub plain: bool,
    /// Ordinary text.
    pub text: Style,
    /// Headings.
    pub strong: Style,
    /// What explains.
    pub dim: Style,
    /// Rules and frames.
    pub faint: Style,
    /// What has the focus.
    pub accent: Style,
    /// A key in a hint.
    pub key: Style,
    /// The chosen row.
    pub selection: Style,
    /// It is well.
    pub good: Style,
    /// Look at this.
    pub warn: Style,
    /// It failed.
    pub bad: Style,
    /// Crosshair and its values.
    pub cross: Style,
    /// What matched a search.
    pub found: Style,
    /// Part of a bar that is done.
    pub bar: Style,
}

impl Theme {
    /// Colours for a background; without colours if the terminal has none.
    pub fn new(light: bool, depth: Depth) -> Self {
        let plain = depth == Depth::None;
        let rgb = |dark: (u8, u8, u8), bright: (u8, u8, u8)| {
            let (r, g, b) = if light { bright } else { dark };
            if plain { Style::new() } else { Style::new().fg(Color::Rgb(r, g, b)) }
        };
        let reversed = |s: Style| if plain { s.add_modifier(Modifier::REVERSED) } else { s };
        let selection_bg = if light { Color::Rgb(215, 228, 245) } else { Color::Rgb(38, 50, 70) };
        let selection = if plain { Style::new() } else { Style::new().bg(selection_bg) };
        Self {
            light,
            depth,
            plain,
            text: Style::new(),
            strong: Style::new().add_modifier(Modifier::BOLD),
            dim: if plain { Style::new().add_modifier(Modifier::DIM) } else { rgb((138, 138, 138), (110, 110, 110)) },
            faint: if plain { Style::new().add_modifier(Modifier::DIM) } else { rgb((78, 78, 78), (188, 188, 188)) },
            accent: rgb((95, 175, 255), (0, 95, 175)).add_modifier(Modifier::BOLD),
            key: rgb((175, 175, 215), (60, 60, 130)).add_modifier(Modifier::BOLD),
            selection: reversed(selection).add_modifier(Modifier::BOLD),
            good: rgb((95, 200, 140), (0, 120, 70)),
            warn: rgb((230, 175, 60), (160, 100, 0)).add_modifier(if plain {
                Modifier::BOLD
            } else {
                Modifier::empty()
            }),
            bad: rgb((240, 110, 95), (185, 30, 20)).add_modifier(Modifier::BOLD),
            cross: rgb((255, 215, 95), (150, 80, 0)).add_modifier(if plain {
                Modifier::REVERSED
            } else {
                Modifier::empty()
            }),
            found: rgb((255, 215, 95), (150, 80, 0)).add_modifier(Modifier::UNDERLINED),
            bar: rgb((95, 175, 255), (0, 95, 175)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        move |k| pairs.iter().find(|p| p.0 == k).map(|p| p.1.to_owned())
    }

    #[test]
    fn depth_is_found_in_the_stated_order() {
        let all = [("NO_COLOR", "1"), ("COLORTERM", "truecolor"), ("TERM", "xterm-direct")];
        assert_eq!(depth(Some(Depth::Sixteen), env(&all)), Depth::Sixteen);
        assert_eq!(depth(None, env(&all)), Depth::None);
        assert_eq!(depth(None, env(&all[1..2])), Depth::True);
        assert_eq!(depth(None, env(&all[2..])), Depth::True);
        assert_eq!(depth(None, env(&[("TERM", "screen")])), Depth::Indexed);
        assert_eq!(depth(None, env(&[("NO_COLOR", ""), ("TERM", "xterm")])), Depth::Indexed);
    }

    #[test]
    fn colours_map_to_their_nearest() {
        assert_eq!(nearest(Depth::Indexed, Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(nearest(Depth::Indexed, Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(nearest(Depth::None, Color::Red), Color::Reset);
        assert_eq!(nearest(Depth::Sixteen, Color::Rgb(0, 150, 40)), Color::Green);
        assert_eq!(nearest(Depth::True, Color::Rgb(1, 2, 3)), Color::Rgb(1, 2, 3));
    }

    #[test]
    fn without_colours_the_selection_is_reversed() {
        let theme = Theme::new(false, Depth::None);
        assert!(theme.selection.add_modifier.contains(Modifier::REVERSED));
        assert_eq!(theme.accent.fg, None);
    }
}
