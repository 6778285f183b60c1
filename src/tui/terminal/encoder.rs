//! The only way to the terminal: frames are gathered, bracketed, written in one go, counted and timed.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

use crate::state::theme::nearest;
use spikedeck_core::visible::is_hidden;
use spikedeck_plot::Depth;

/// What writing the last frames cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Link {
    /// Bytes of the last frame.
    pub bytes: usize,
    /// How long writing it blocked.
    pub flush: Duration,
    /// Bytes a second that the terminal takes, once a frame has blocked long enough to tell.
    pub rate: Option<f64>,
    /// All bytes so far.
    pub total: u64,
}

/// A frame that blocks longer than this tells how fast the link is.
const BLOCKED: Duration = Duration::from_millis(20);

impl Link {
    /// Whether frames are held back noticeably.
    pub fn degraded(&self) -> bool {
        self.rate.is_some() && self.flush > BLOCKED
    }

    /// Time to let pass before the next frame: three times what this one blocked.
    pub fn pause(&self) -> Duration {
        (self.flush * 3).min(Duration::from_secs(2))
    }

    fn note(&mut self, bytes: usize, flush: Duration) {
        self.bytes = bytes;
        self.flush = flush;
        self.total += bytes as u64;
        if flush > BLOCKED {
            let now = bytes as f64 / flush.as_secs_f64();
            self.rate = Some(self.rate.map_or(now, |r| 0.7 * r + 0.3 * now));
        } else if bytes > 2000 {
            self.rate = None;
        }
    }
}

/// A ratatui backend that encodes cells itself, with as few bytes as it can, in the colours the terminal has.
#[derive(Debug)]
pub struct Encoder<W: Write> {
    out: W,
    size: Size,
    depth: Depth,
    frame: String,
    cursor: Option<Position>,
    cursor_shown: bool,
    pen: (Color, Color, Modifier),
    at: Option<(u16, u16)>,
    link: Link,
}

impl<W: Write> Encoder<W> {
    /// A screen of a size on a writer.
    pub fn new(out: W, size: Size, depth: Depth) -> Self {
        Self {
            out,
            size,
            depth,
            frame: String::new(),
            cursor: None,
            cursor_shown: false,
            pen: (Color::Reset, Color::Reset, Modifier::empty()),
            at: None,
            link: Link::default(),
        }
    }

    /// Tells the new size (from the resize event).
    pub fn resize(&mut self, size: Size) {
        self.size = size;
    }

    /// What the last frames cost.
    pub fn link(&self) -> Link {
        self.link
    }

    /// The writer.
    pub fn writer(&mut self) -> &mut W {
        &mut self.out
    }

    /// Text that goes out with the next frame (a clipboard sequence, a mode switch).
    pub fn queue(&mut self, text: &str) {
        self.frame.push_str(text);
    }

    /// The terminal's state is unknown (after suspension): the next cell sets position and pen anew.
    pub fn forget(&mut self) {
        self.at = None;
        self.pen = (Color::Reset, Color::Reset, Modifier::empty());
        self.frame.push_str("\x1b[0m");
        self.cursor_shown = true;
    }

    /// Writes what was gathered, between the marks of a synchronized update (mode 2026), in one go, and `after` it what
    /// is no part of the picture; nothing where nothing was gathered.
    ///
    /// # Errors
    /// When the terminal does not take it (it is gone).
    pub fn commit(&mut self, after: &str) -> io::Result<Link> {
        if self.frame.is_empty() {
            return Ok(self.link);
        }
        let mut bytes = String::with_capacity(self.frame.len() + after.len() + 16);
        bytes.push_str("\x1b[?2026h");
        bytes.push_str(&self.frame);
        bytes.push_str("\x1b[?2026l");
        bytes.push_str(after);
        self.frame.clear();
        let start = Instant::now();
        self.out.write_all(bytes.as_bytes())?;
        self.out.flush()?;
        self.link.note(bytes.len(), start.elapsed());
        Ok(self.link)
    }

    fn go(&mut self, x: u16, y: u16) {
        match self.at {
            Some((ax, ay)) if (ax, ay) == (x, y) => {}
            Some((ax, ay)) if ay == y && x > ax => {
                let n = x - ax;
                let _ = if n == 1 { write!(self.frame, "\x1b[C") } else { write!(self.frame, "\x1b[{n}C") };
            }
            Some((_, ay)) if x == 0 && y == ay + 1 => self.frame.push_str("\r\n"),
            _ if x == 0 => {
                let _ = write!(self.frame, "\x1b[{}H", y + 1);
            }
            _ => {
                let _ = write!(self.frame, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
    }

    fn dip(&mut self, fg: Color, bg: Color, modifier: Modifier) {
        let (old_fg, old_bg, old_mod) = self.pen;
        if (fg, bg, modifier) == self.pen {
            return;
        }
        let mut codes = String::new();
        let mut push = |code: &str| {
            if !codes.is_empty() {
                codes.push(';');
            }
            codes.push_str(code);
        };
        let (mut old_fg, mut old_bg, mut old_mod) = (old_fg, old_bg, old_mod);
        if !(old_mod - modifier).is_empty() || (fg, bg, modifier) == (Color::Reset, Color::Reset, Modifier::empty()) {
            push("0");
            (old_fg, old_bg, old_mod) = (Color::Reset, Color::Reset, Modifier::empty());
        }
        for (bit, code) in MODIFIERS {
            if modifier.contains(*bit) && !old_mod.contains(*bit) {
                push(code);
            }
        }
        if fg != old_fg {
            push(&colour(fg, false));
        }
        if bg != old_bg {
            push(&colour(bg, true));
        }
        let _ = write!(self.frame, "\x1b[{}m", if codes == "0" { "" } else { &codes });
        self.pen = (fg, bg, modifier);
    }
}

const MODIFIERS: &[(Modifier, &str)] = &[
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::REVERSED, "7"),
    (Modifier::CROSSED_OUT, "9"),
];

fn colour(color: Color, background: bool) -> String {
    let base = if background { 40 } else { 30 };
    let named = |n: u8| if n < 8 { (base + n).to_string() } else { (base + 52 + n).to_string() };
    match color {
        Color::Reset => (base + 9).to_string(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(8),
        Color::LightRed => named(9),
        Color::LightGreen => named(10),
        Color::LightYellow => named(11),
        Color::LightBlue => named(12),
        Color::LightMagenta => named(13),
        Color::LightCyan => named(14),
        Color::White => named(15),
        Color::Indexed(i) => format!("{};5;{i}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

impl<W: Write> Backend for Encoder<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        for (x, y, cell) in content {
            self.go(x, y);
            let depth = self.depth;
            self.dip(nearest(depth, cell.fg), nearest(depth, cell.bg), cell.modifier);
            // A cell shows one thing, and does nothing.
            self.frame
                .extend(cell.symbol().chars().map(|c| if is_hidden(c) { char::REPLACEMENT_CHARACTER } else { c }));
            let width = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1) as u16;
            // After the last column terminals differ about where the cursor is.
            self.at = Some((x + width, y)).filter(|(next, _)| *next < self.size.width);
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor_shown {
            self.frame.push_str("\x1b[?25l");
            self.cursor_shown = false;
        }
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if !self.cursor_shown {
            self.frame.push_str("\x1b[?25h");
            self.cursor_shown = true;
        }
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let p = position.into();
        if self.at != Some((p.x, p.y)) {
            let _ = write!(self.frame, "\x1b[{};{}H", p.y + 1, p.x + 1);
            self.at = Some((p.x, p.y));
        }
        self.cursor = Some(p);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.dip(Color::Reset, Color::Reset, Modifier::empty());
        self.frame.push_str("\x1b[2J");
        self.at = None;
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size, pixels: Size::new(0, 0) })
    }

    /// Does nothing: a frame leaves whole, by [`Encoder::commit`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::style::Style;

    fn screen() -> Terminal<Encoder<Vec<u8>>> {
        Terminal::new(Encoder::new(Vec::new(), Size::new(20, 3), Depth::Indexed)).unwrap()
    }

    #[test]
    fn an_unchanged_frame_costs_nothing() {
        let mut t = screen();
        let draw = |f: &mut ratatui::Frame<'_>| {
            f.buffer_mut().set_string(2, 1, "12.3 Hz", Style::new().fg(Color::Indexed(75)));
        };
        t.draw(draw).unwrap();
        t.backend_mut().commit("").unwrap();
        let first = t.backend_mut().link().total;
        assert!(first > 10);
        t.draw(draw).unwrap();
        t.backend_mut().commit("").unwrap();
        assert_eq!(t.backend_mut().link().total, first);
    }

    #[test]
    fn the_bytes_give_the_screen_back() {
        let mut t = screen();
        t.draw(|f| {
            f.buffer_mut().set_string(0, 0, "abc", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
            f.buffer_mut().set_string(10, 0, "µ", Style::new().bg(Color::Indexed(17)));
            f.buffer_mut().set_string(0, 1, "second", Style::new());
            f.buffer_mut().set_string(15, 2, "right", Style::new().fg(Color::Rgb(255, 0, 0)));
        })
        .unwrap();
        t.backend_mut().commit("").unwrap();
        let bytes = t.backend_mut().writer().clone();
        assert!(bytes.starts_with(b"\x1b[?2026h") && bytes.ends_with(b"\x1b[?2026l"));
        let mut parser = vt100::Parser::new(std::num::NonZero::new(3).unwrap(), std::num::NonZero::new(20).unwrap(), 0);
        parser.process(&bytes);
        let rows: Vec<String> = parser.screen().rows(0, 20).collect();
        assert_eq!(rows[0], "abc       µ");
        assert_eq!(rows[1], "second");
        assert_eq!(rows[2], "               right");
        assert_eq!(parser.screen().cell(0, 0).unwrap().fgcolor(), vt100::Color::Idx(1));
        assert!(parser.screen().cell(0, 2).unwrap().bold());
        assert_eq!(parser.screen().cell(0, 10).unwrap().bgcolor(), vt100::Color::Idx(17));
        assert!(!parser.screen().cell(1, 0).unwrap().bold());
        assert_eq!(parser.screen().cell(2, 15).unwrap().fgcolor(), vt100::Color::Idx(196));
    }

    /// Names come from files: what acts on a terminal does not reach it, however it got into a cell.
    #[test]
    fn no_cell_acts_on_the_terminal() {
        for wrong in ["\u{1b}]0;title\u{7}", "\u{9b}", "\u{202e}a", "\n", "\u{7f}"] {
            let mut t = screen();
            t.draw(|f| {
                f.buffer_mut().set_string(2, 1, wrong, Style::new());
            })
            .unwrap();
            let mut cell = ratatui::buffer::Cell::default();
            cell.set_symbol(wrong);
            t.backend_mut().draw(std::iter::once((0, 0, &cell))).unwrap();
            t.backend_mut().commit("").unwrap();
            let text = String::from_utf8(t.backend_mut().writer().clone()).unwrap();
            let shown = text.replace("\u{1b}[", "");
            assert!(!shown.contains(|c: char| is_hidden(c) && !matches!(c, '\r' | '\n')), "{wrong:?}: {text:?}");
        }
    }

    #[test]
    fn a_slow_writer_is_measured_and_paced() {
        struct Slow;
        impl Write for Slow {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                std::thread::sleep(Duration::from_millis(40));
                Ok(buf.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut s = Encoder::new(Slow, Size::new(10, 1), Depth::True);
        s.queue(&"x".repeat(4000));
        let link = s.commit("").unwrap();
        assert!(link.degraded());
        assert!(link.pause() >= Duration::from_millis(120));
        assert!(link.rate.unwrap() < 110_000.0);
    }
}
