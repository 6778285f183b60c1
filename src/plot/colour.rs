//! Roles, not colours: what a mark means is decided in the scene, how that looks is decided here, by theme and by what
//! the terminal can show.

use super::map::{ColourMap, Rgb, rgb};

/// A colour of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Colour {
    /// The terminal's own foreground or background.
    #[default]
    Default,
    /// One of the 16 colours that the terminal's user chose (0 to 15).
    Ansi(u8),
    /// One of the fixed 256 colours (16 to 255).
    Indexed(u8),
    /// 24-bit colour.
    Rgb(u8, u8, u8),
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// 24 bits.
    #[default]
    True,
    /// 256 colours.
    Indexed,
    /// The 16 colours of the user's palette.
    Sixteen,
    /// None: bold, dim, underline, reverse and the shapes of glyphs carry the meaning (`NO_COLOR`).
    None,
}

/// Dark or light ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Light text on dark ground.
    #[default]
    Dark,
    /// Dark text on light ground.
    Light,
}

/// What something on the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Role {
    /// Ordinary text.
    #[default]
    Text,
    /// Secondary text: units, notes.
    Dim,
    /// Axis lines and tick labels.
    Axis,
    /// Headings.
    Title,
    /// The `n`-th curve or population (0 first).
    Series(u16),
    /// What theory says.
    Theory,
    /// A chance level or surrogate band.
    Chance,
    /// A line across with a name.
    Reference,
    /// A stable fixed point.
    Stable,
    /// An unstable fixed point.
    Unstable,
    /// A saddle.
    Saddle,
    /// A fixed point that linearisation does not decide.
    Marginal,
    /// The crosshair.
    Cursor,
    /// Something to look at.
    Warning,
    /// The chosen row, the focused pane.
    Accent,
}

/// How a cell's text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Style {
    /// Foreground.
    pub fg: Colour,
    /// Background.
    pub bg: Colour,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Underlined.
    pub underline: bool,
    /// Foreground and background exchanged.
    pub reverse: bool,
}

/// Series colours of Okabe and Ito (2008), in the order that keeps neighbours far apart on dark ground.
const SERIES_DARK: [u32; 7] = [0x56b4e9, 0xe69f00, 0x009e73, 0xcc79a7, 0xf0e442, 0xd55e00, 0x0072b2];
/// The same colours for light ground, strong ones first; yellow, which cannot be read there, is black.
const SERIES_LIGHT: [u32; 7] = [0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000];
/// The user's own colours for series.
const SERIES_ANSI_DARK: [u8; 7] = [14, 11, 10, 13, 3, 9, 12];
const SERIES_ANSI_LIGHT: [u8; 7] = [4, 1, 2, 5, 3, 6, 0];

/// Theme, depth and colour map together: turns roles and values into colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Palette {
    /// Ground.
    pub theme: Theme,
    /// What the terminal shows.
    pub depth: Depth,
    /// Map of images and matrices.
    pub map: ColourMap,
}

impl Palette {
    fn dark(self) -> bool {
        self.theme == Theme::Dark
    }

    /// The 24-bit colour of a role; figures use it as it is.
    pub fn rgb(self, role: Role) -> Rgb {
        let pick = |dark, light| rgb(if self.dark() { dark } else { light });
        match role {
            Role::Text => pick(0xe4e4e4, 0x1c1c1c),
            Role::Title | Role::Theory | Role::Cursor => pick(0xffffff, 0x000000),
            Role::Dim => pick(0x9a9a9a, 0x5f5f5f),
            Role::Axis => pick(0xa8a8a8, 0x444444),
            Role::Series(n) => {
                let table = if self.dark() { &SERIES_DARK } else { &SERIES_LIGHT };
                rgb(table[usize::from(n) % table.len()])
            }
            Role::Chance | Role::Marginal => pick(0x8a8a8a, 0x7a7a7a),
            Role::Reference => pick(0xbcbcbc, 0x606060),
            Role::Stable => pick(0x00c08b, 0x007a59),
            Role::Unstable => pick(0xff8060, 0xb03a00),
            Role::Saddle | Role::Warning => pick(0xf0e442, 0x8a6a00),
            Role::Accent => pick(0x56b4e9, 0x0072b2),
        }
    }

    /// The colour of a role as the terminal shows it.
    pub fn colour(self, role: Role) -> Colour {
        match self.depth {
            Depth::True => {
                let (r, g, b) = self.rgb(role);
                if role == Role::Text { Colour::Default } else { Colour::Rgb(r, g, b) }
            }
            Depth::Indexed => {
                if role == Role::Text {
                    Colour::Default
                } else {
                    nearest_indexed(self.rgb(role))
                }
            }
            Depth::Sixteen => self.ansi(role),
            Depth::None => Colour::Default,
        }
    }

    fn ansi(self, role: Role) -> Colour {
        let pick = |dark, light| Colour::Ansi(if self.dark() { dark } else { light });
        match role {
            Role::Text | Role::Title | Role::Theory | Role::Cursor => Colour::Default,
            Role::Dim | Role::Axis | Role::Chance | Role::Marginal | Role::Reference => pick(7, 8),
            Role::Series(n) => {
                let n = usize::from(n) % SERIES_ANSI_DARK.len();
                pick(SERIES_ANSI_DARK[n], SERIES_ANSI_LIGHT[n])
            }
            Role::Stable => pick(10, 2),
            Role::Unstable => pick(9, 1),
            Role::Saddle | Role::Warning => pick(11, 3),
            Role::Accent => pick(14, 4),
        }
    }

    /// Colour and weight of a role. Without colours, weight alone tells roles apart.
    pub fn style(self, role: Role) -> Style {
        let mut style = Style { fg: self.colour(role), bold: matches!(role, Role::Title), ..Style::default() };
        if self.depth == Depth::None {
            match role {
                Role::Title | Role::Stable | Role::Theory => style.bold = true,
                Role::Dim | Role::Axis | Role::Chance | Role::Reference | Role::Marginal => style.dim = true,
                Role::Unstable | Role::Accent => style.reverse = true,
                Role::Warning | Role::Saddle => style.underline = true,
                Role::Series(n) => style.bold = n % 2 == 1,
                Role::Text | Role::Cursor => {}
            }
        }
        style
    }

    /// The 24-bit colour of a value at `t` of its range (0 to 1; for diverging maps 0.5 is the natural middle).
    pub fn value_rgb(self, t: f64, diverging: bool) -> Rgb {
        let t = super::map::quantise(t, super::map::LEVELS);
        if diverging { ColourMap::diverging(self.dark(), t) } else { self.map.sequential(t) }
    }

    /// The same as the terminal shows it; with 16 colours six steps, without colours none (glyphs carry the value).
    pub fn value(self, t: f64, diverging: bool) -> Colour {
        match self.depth {
            Depth::True => {
                let (r, g, b) = self.value_rgb(t, diverging);
                Colour::Rgb(r, g, b)
            }
            Depth::Indexed => Colour::Indexed(self.map.indexed(self.dark(), t, diverging)),
            Depth::Sixteen => {
                let ramp: [u8; 6] = if diverging { [14, 12, 4, 1, 9, 11] } else { [0, 4, 6, 2, 11, 15] };
                Colour::Ansi(ramp[((t.clamp(0.0, 1.0) * 6.0) as usize).min(5)])
            }
            Depth::None => Colour::Default,
        }
    }

    /// A shade of a role, `part` from nothing (0) to its own strength (1): dim in the ground's direction, and of one
    /// hue. For terminals whose colours can be mixed; the others show the role itself.
    pub(crate) fn shade(self, role: Role, part: f64) -> Colour {
        let part = part.clamp(0.0, 1.0);
        match (self.depth, role) {
            (Depth::True, _) => {
                let (a, b) = (self.rgb(role), self.ground());
                let part = 0.14 + 0.86 * part;
                let mix = |a: u8, b: u8| (f64::from(a) * part + f64::from(b) * (1.0 - part)).round() as u8;
                Colour::Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
            }
            (Depth::Indexed, Role::Series(n)) => {
                let ladders = if self.dark() { &SHADES_DARK } else { &SHADES_LIGHT };
                let ladder = &ladders[usize::from(n) % ladders.len()];
                Colour::Indexed(ladder[((part * ladder.len() as f64) as usize).min(ladder.len() - 1)])
            }
            (Depth::Indexed | Depth::Sixteen | Depth::None, _) => self.colour(role),
        }
    }

    /// Ground of figures.
    pub fn ground(self) -> Rgb {
        rgb(if self.dark() { 0x16181d } else { 0xffffff })
    }
}

/// Shades of one hue among the 256 colours, for each series on dark ground: from a dim grey up, each lighter than the
/// one before. The nearest colours of a mixture would be of three hues and not in order.
const SHADES_DARK: [[u8; 6]; 7] = [
    [236, 24, 32, 74, 117, 153],
    [236, 94, 136, 172, 214, 222],
    [236, 23, 29, 36, 43, 86],
    [236, 89, 132, 175, 212, 218],
    [236, 58, 100, 142, 184, 227],
    [236, 94, 130, 166, 202, 216],
    [236, 25, 32, 33, 75, 153],
];
/// The same on light ground: from a pale grey down, each darker.
const SHADES_LIGHT: [[u8; 6]; 7] = [
    [253, 153, 110, 32, 25, 24],
    [253, 216, 209, 202, 166, 130],
    [253, 115, 79, 72, 36, 29],
    [253, 218, 175, 132, 126, 89],
    [254, 222, 179, 172, 136, 94],
    [253, 153, 110, 74, 31, 24],
    [252, 248, 244, 240, 237, 16],
];

/// The nearest of the 240 fixed colours (a 6x6x6 cube and 24 greys), by squared distance.
pub fn nearest_indexed((r, g, b): Rgb) -> Colour {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let near = |v: u8| (0..6).min_by_key(|&i| (STEPS[i] - i32::from(v)).abs()).unwrap_or(0);
    let distance =
        |c: (i32, i32, i32)| (c.0 - i32::from(r)).pow(2) + (c.1 - i32::from(g)).pow(2) + (c.2 - i32::from(b)).pow(2);
    let (i, j, k) = (near(r), near(g), near(b));
    let cube = distance((STEPS[i], STEPS[j], STEPS[k]));
    let mean = (i32::from(r) + i32::from(g) + i32::from(b)) / 3;
    let grey = ((mean - 8 + 5) / 10).clamp(0, 23);
    let level = 8 + 10 * grey;
    if distance((level, level, level)) < cube {
        Colour::Indexed(232 + grey as u8)
    } else {
        Colour::Indexed((16 + 36 * i + 6 * j + k) as u8)
    }
}

/// What an indexed or ANSI colour looks like in a figure (xterm's table).
pub fn to_rgb(colour: Colour, default: Rgb) -> Rgb {
    const ANSI: [u32; 16] = [
        0x000000, 0xcd3131, 0x0dbc79, 0xb58900, 0x2472c8, 0xbc3fbc, 0x11a8cd, 0xcccccc, 0x767676, 0xf14c4c, 0x23d18b,
        0xf5f543, 0x3b8eea, 0xd670d6, 0x29b8db, 0xffffff,
    ];
    match colour {
        Colour::Default => default,
        Colour::Rgb(r, g, b) => (r, g, b),
        Colour::Ansi(n) | Colour::Indexed(n @ 0..16) => rgb(ANSI[usize::from(n % 16)]),
        Colour::Indexed(n @ 16..232) => {
            let step = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
            let n = n - 16;
            (step(n / 36), step(n / 6 % 6), step(n % 6))
        }
        Colour::Indexed(n) => {
            let level = 8 + 10 * (n - 232);
            (level, level, level)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lightness (CIE 1976), and hue in degrees where a colour has one.
    fn light_and_hue(colour: Colour) -> (f64, Option<f64>) {
        let (r, g, b) = to_rgb(colour, (0, 0, 0));
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        let y = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        let light = if y > 0.008_856 { 116.0 * y.cbrt() - 16.0 } else { 903.3 * y };
        let (r, g, b) = (f64::from(r), f64::from(g), f64::from(b));
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let d = most - least;
        let hue = if most <= r {
            ((g - b) / d).rem_euclid(6.0)
        } else if most <= g {
            (b - r) / d + 2.0
        } else {
            (r - g) / d + 4.0
        };
        (light, (d > 0.0).then_some(60.0 * hue))
    }

    /// Shades of every population leave the ground step by step and are of one hue, with 24 bits and with 256 colours.
    #[test]
    fn shades_keep_their_hue_and_their_order() {
        for (depth, theme) in
            [Depth::True, Depth::Indexed].into_iter().flat_map(|d| [(d, Theme::Dark), (d, Theme::Light)])
        {
            let palette = Palette { theme, depth, ..Palette::default() };
            for n in 0..7 {
                let role = Role::Series(n);
                let mut ladder: Vec<Colour> = (0..=40).map(|k| palette.shade(role, f64::from(k) / 40.0)).collect();
                ladder.dedup();
                assert!(ladder.len() >= 6, "{role:?}: {ladder:?}");
                let seen: Vec<(f64, Option<f64>)> = ladder.iter().map(|c| light_and_hue(*c)).collect();
                let up = theme == Theme::Dark;
                assert!(
                    seen.windows(2).all(|w| (w[1].0 > w[0].0) == up && w[1].0 != w[0].0),
                    "{theme:?} {n}: {seen:?}"
                );
                if depth == Depth::Indexed {
                    let hues: Vec<f64> = seen.iter().filter_map(|s| s.1).collect();
                    let apart = |a: f64, b: f64| (a - b).abs().min(360.0 - (a - b).abs());
                    let most = hues.iter().flat_map(|a| hues.iter().map(|b| apart(*a, *b))).fold(0.0, f64::max);
                    assert!(most <= 25.0, "{theme:?} {n}: {hues:?}");
                }
            }
        }
    }

    /// Values that grow get lighter with 256 colours too, and signed ones leave their middle on both sides.
    #[test]
    fn maps_of_256_colours_are_in_order() {
        for (map, theme) in
            [ColourMap::Viridis, ColourMap::Cividis].into_iter().flat_map(|m| [(m, Theme::Dark), (m, Theme::Light)])
        {
            let palette = Palette { depth: Depth::Indexed, theme, map };
            let ramp = |from: f64, to: f64, diverging: bool| {
                let at = |k: u32| palette.value(from + (to - from) * f64::from(k) / 60.0, diverging);
                let mut all: Vec<Colour> = (0..=60).map(at).collect();
                all.dedup();
                all.iter().map(|c| light_and_hue(*c).0).collect::<Vec<f64>>()
            };
            let up = ramp(0.0, 1.0, false);
            assert!(up.len() >= 9 && up.is_sorted(), "{map:?} {up:?}");
            for side in [ramp(0.5, 0.0, true), ramp(0.5, 1.0, true)] {
                let away = side.windows(2).all(|w| (w[1] > w[0]) == (theme == Theme::Dark));
                assert!(side.len() >= 5 && away, "{theme:?} {side:?}");
            }
        }
    }

    #[test]
    fn nearest_is_nearest() {
        assert_eq!(nearest_indexed((255, 0, 0)), Colour::Indexed(196));
        assert_eq!(nearest_indexed((0, 0, 0)), Colour::Indexed(16));
        assert_eq!(nearest_indexed((128, 128, 128)), Colour::Indexed(244));
        for n in 16..=255 {
            let colour = to_rgb(Colour::Indexed(n), (0, 0, 0));
            assert_eq!(to_rgb(nearest_indexed(colour), (0, 0, 0)), colour, "{n}");
        }
    }

    #[test]
    fn without_colours_nothing_is_coloured_and_roles_still_differ() {
        let palette = Palette { depth: Depth::None, ..Palette::default() };
        for role in [Role::Title, Role::Series(0), Role::Series(1), Role::Unstable, Role::Warning, Role::Axis] {
            assert_eq!(palette.style(role).fg, Colour::Default);
        }
        assert_ne!(palette.style(Role::Unstable), palette.style(Role::Warning));
        assert_ne!(palette.style(Role::Series(0)), palette.style(Role::Series(1)));
    }

    #[test]
    fn series_can_be_read_on_their_ground() {
        let light = |(r, g, b): Rgb| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
        for theme in [Theme::Dark, Theme::Light] {
            let palette = Palette { theme, ..Palette::default() };
            for n in 0..7 {
                let gap = (light(palette.rgb(Role::Series(n))) - light(palette.ground())).abs();
                assert!(gap > 60.0, "{theme:?} series {n}: {gap}");
            }
        }
    }
}
