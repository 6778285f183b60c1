//! The terminal as a thing that is borrowed and always given back: on return, error, panic, signal and hang-up.

pub mod background;
mod decode;
pub mod encoder;
pub mod input;
pub mod pace;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ratatui::layout::Size;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::state::message::Message;

/// Alternate screen, cursor off, bracketed paste, focus unaffected.
pub const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[2J";
/// Everything that [`ENTER`] and the mouse switched, back: also ends a synchronized update that a panic cut short.
pub const LEAVE: &str = "\x1b[?2026l\x1b[0m\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";
/// Where lines are said and nothing is drawn: bracketed paste only.
const ENTER_LINES: &str = "\x1b[?2004h";
/// The same, back.
const LEAVE_LINES: &str = "\x1b[?2026l\x1b[0m\x1b[?2004l";

/// What a terminal is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// To be drawn on: the whole screen.
    Screen,
    /// To be written to, line after line, below what is there.
    Lines,
    /// The same on a terminal that knows nothing but lines (TERM=dumb): no sequence is sent to it.
    Bare,
}

impl Hold {
    /// What switches the terminal, and what switches it back.
    const fn sequences(self) -> (&'static str, &'static str) {
        match self {
            Self::Screen => (ENTER, LEAVE),
            Self::Lines => (ENTER_LINES, LEAVE_LINES),
            Self::Bare => ("", ""),
        }
    }
}
/// Clicks, drags and wheel, with coordinates beyond 223.
pub const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
/// The terminal's own selection works again.
pub const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// Whether some guard holds the terminal (the panic hook and a second restore ask this).
static HELD: AtomicBool = AtomicBool::new(false);
/// What gives the terminal back that is held.
static BACK: Mutex<&str> = Mutex::new(LEAVE);

/// What gives the terminal back.
fn leaving() -> &'static str {
    *BACK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether there is a terminal to draw on and one to read keys from.
///
/// # Errors
/// What is missing, and what can be done without.
pub fn present() -> Result<(), String> {
    let without = "`spikedeck run` prints results without one";
    Output::open().map_err(|e| format!("the dashboard needs a terminal, and {e}; {without}"))?;
    keyboard().map_err(|e| {
        format!(
            "the dashboard needs a terminal to read keys from: standard input is none, and /dev/tty: {e}; {without}"
        )
    })?;
    Ok(())
}

/// Where keys come from: standard input if it is a terminal, else `/dev/tty`.
fn keyboard() -> io::Result<OwnedFd> {
    if io::stdin().is_terminal() {
        return io::stdin().as_fd().try_clone_to_owned();
    }
    Ok(File::options().read(true).open("/dev/tty")?.into())
}

/// Where frames go: standard output, or the terminal behind it when that is a pipe.
#[derive(Debug)]
pub struct Output(File);

impl Output {
    /// Standard output if it is a terminal, else `/dev/tty`, else standard error.
    ///
    /// # Errors
    /// When there is no terminal at all.
    pub fn open() -> io::Result<Self> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            return Ok(Self(File::from(stdout.as_fd().try_clone_to_owned()?)));
        }
        if let Ok(tty) = File::options().write(true).open("/dev/tty") {
            return Ok(Self(tty));
        }
        let stderr = io::stderr();
        if stderr.is_terminal() {
            return Ok(Self(File::from(stderr.as_fd().try_clone_to_owned()?)));
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            "neither standard output nor standard error is one, and /dev/tty cannot be opened",
        ))
    }

    /// Its size in cells.
    pub fn size(&self) -> Size {
        rustix::termios::tcgetwinsize(&self.0).map_or(Size::new(0, 0), |w| Size::new(w.ws_col, w.ws_row))
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Switches raw mode; a test gives its own.
pub trait Raw {
    /// Raw mode on or off.
    ///
    /// # Errors
    /// When the terminal refuses.
    fn raw(&mut self, on: bool) -> io::Result<()>;
}

/// Raw mode of the process's terminal.
#[derive(Debug, Default)]
pub struct TtyRaw;

impl Raw for TtyRaw {
    fn raw(&mut self, on: bool) -> io::Result<()> {
        if on { crossterm::terminal::enable_raw_mode() } else { crossterm::terminal::disable_raw_mode() }
    }
}

/// Holds the terminal; gives it back when dropped.
#[derive(Debug)]
pub struct Guard<W: Write, R: Raw> {
    out: W,
    raw: R,
    held: bool,
    hold: Hold,
}

impl<W: Write, R: Raw> Guard<W, R> {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When raw mode or writing fails; what was switched is switched back.
    pub fn enter(out: W, raw: R, hold: Hold) -> io::Result<Self> {
        *BACK.lock().unwrap_or_else(PoisonError::into_inner) = hold.sequences().1;
        let mut guard = Self { out, raw, held: false, hold };
        guard.resume(false)?;
        Ok(guard)
    }

    /// Takes it (again), with or without the mouse.
    ///
    /// # Errors
    /// As [`Guard::enter`].
    pub fn resume(&mut self, mouse: bool) -> io::Result<()> {
        self.raw.raw(true)?;
        self.held = true;
        HELD.store(true, Ordering::SeqCst);
        self.out.write_all(self.hold.sequences().0.as_bytes())?;
        if mouse && self.hold != Hold::Bare {
            self.out.write_all(MOUSE_ON.as_bytes())?;
        }
        self.out.flush()
    }

    /// What it is held for.
    pub fn hold(&self) -> Hold {
        self.hold
    }

    /// Tells the terminal something outside of frames.
    ///
    /// # Errors
    /// When writing fails.
    pub fn say(&mut self, sequence: &str) -> io::Result<()> {
        self.out.write_all(sequence.as_bytes())?;
        self.out.flush()
    }

    /// Gives it back; harmless when it was given back already.
    pub fn leave(&mut self) {
        if !self.held {
            return;
        }
        self.held = false;
        HELD.store(false, Ordering::SeqCst);
        // A terminal that is gone cannot be restored, and there is nobody left to tell.
        let _ = self.out.write_all(leaving().as_bytes());
        let _ = self.out.flush();
        let _ = self.raw.raw(false);
    }
}

impl<W: Write, R: Raw> Drop for Guard<W, R> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What panics in other threads said: they become log lines, since standard error would tear the screen.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the last thread said that panicked while the screen was taken.
pub fn last_panic() -> Option<String> {
    PANICS.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
}

/// From now on a panic of this thread restores the terminal first, and one of another thread is kept as text.
pub fn hook_panics() {
    let ui = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // A damaged file is told as one.
        if spikedeck_store::panics_are_caught() {
            return;
        }
        if !HELD.load(Ordering::SeqCst) {
            before(info);
        } else if std::thread::current().id() == ui {
            HELD.store(false, Ordering::SeqCst);
            if let Ok(mut out) = Output::open() {
                let _ = out.write_all(leaving().as_bytes());
            }
            let _ = crossterm::terminal::disable_raw_mode();
            before(info);
        } else {
            let what = info.payload_as_str().unwrap_or("panic");
            let place = info.location().map_or_else(String::new, |l| format!(" ({}:{})", l.file(), l.line()));
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{what}{place}"));
        }
    }));
}

/// Stops this process as the terminal's ^Z would; returns when somebody continues it.
pub fn stop_self() {
    // SIGTSTP would be dropped for an orphaned process group; SIGSTOP never is.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
    std::thread::sleep(Duration::from_millis(5));
}

/// Turns signals into messages until the receiver is gone.
///
/// # Errors
/// When signals cannot be listened to, or no thread can be started.
pub fn spawn_signals(tell: Sender<Message>) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGTERM, SIGINT, SIGTSTP, SIGCONT, SIGWINCH])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGWINCH => Message::SizeChanged,
                SIGTSTP => Message::Suspend,
                SIGCONT => Message::Continued,
                SIGHUP => Message::TerminalGone,
                other => Message::Terminate(128 + other),
            };
            if tell.send(message).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl Write for Shared {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(buf)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    #[derive(Clone, Default)]
    struct Switch(Arc<Mutex<Vec<bool>>>);
    impl Raw for Switch {
        fn raw(&mut self, on: bool) -> io::Result<()> {
            self.0.lock().unwrap().push(on);
            Ok(())
        }
    }

    #[test]
    fn dropping_the_guard_undoes_what_it_did() {
        let (out, raw) = (Shared::default(), Switch::default());
        drop(Guard::enter(out.clone(), raw.clone(), Hold::Screen).unwrap());
        assert_eq!(*raw.0.lock().unwrap(), [true, false]);
        let mut parser = vt100::Parser::new(std::num::NonZero::new(4).unwrap(), std::num::NonZero::new(10).unwrap(), 0);
        parser.process(b"shell");
        parser.process(&out.0.lock().unwrap());
        let s = parser.screen();
        assert!(!s.alternate_screen() && !s.hide_cursor() && !s.bracketed_paste());
        assert_eq!(s.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(s.contents().starts_with("shell"));
    }

    #[test]
    fn leaving_twice_and_resuming_with_the_mouse() {
        let (out, raw) = (Shared::default(), Switch::default());
        let mut guard = Guard::enter(out.clone(), raw.clone(), Hold::Screen).unwrap();
        guard.leave();
        guard.leave();
        guard.resume(true).unwrap();
        assert_eq!(*raw.0.lock().unwrap(), [true, false, true]);
        let mut parser = vt100::Parser::new(std::num::NonZero::new(4).unwrap(), std::num::NonZero::new(10).unwrap(), 0);
        parser.process(&out.0.lock().unwrap());
        assert!(parser.screen().alternate_screen());
        assert_eq!(parser.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::ButtonMotion);
    }

    /// A terminal that knows lines alone is sent nothing else, in whatever order it is taken and given back.
    #[test]
    fn a_bare_terminal_is_sent_no_sequence() {
        let (out, raw) = (Shared::default(), Switch::default());
        let mut guard = Guard::enter(out.clone(), raw.clone(), Hold::Bare).unwrap();
        guard.leave();
        guard.resume(true).unwrap();
        drop(guard);
        assert_eq!(*out.0.lock().unwrap(), b"");
        assert_eq!(*raw.0.lock().unwrap(), [true, false, true, false]);
    }
}
