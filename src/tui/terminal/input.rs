//! What is typed, and what the terminal answers: read on a thread of its own, which can be held while an editor has the
//! terminal.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::state::keys::Key;
use crate::state::message::Message;
use crate::terminal::background::{Listener, Taken};
use crate::terminal::decode::{Decoder, Said};
use crate::terminal::keyboard;

/// What a wait for input found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ready {
    /// There is something to read.
    Input,
    /// Nobody is at the other end any more.
    Gone,
    /// Somebody asks to hold.
    Hold,
    /// Nothing, until the timeout.
    Nothing,
}

/// Waits for input or hang-up on a terminal, or for a word on `wake`.
pub fn wait_input(tty: BorrowedFd<'_>, wake: BorrowedFd<'_>, timeout: Option<Duration>) -> Ready {
    let mut fds = [PollFd::from_borrowed_fd(tty, PollFlags::IN), PollFd::from_borrowed_fd(wake, PollFlags::IN)];
    let began = Instant::now();
    let found = loop {
        let left = timeout.map(|t| t.saturating_sub(began.elapsed()));
        let limit = left.map(|t| Timespec { tv_sec: t.as_secs() as i64, tv_nsec: i64::from(t.subsec_nanos()) });
        match rustix::event::poll(&mut fds, limit.as_ref()) {
            // A signal is no silence: what has begun may go on.
            Err(rustix::io::Errno::INTR) => {}
            found => break found,
        }
    };
    match found {
        Ok(0) => Ready::Nothing,
        Ok(_) if !fds[1].revents().is_empty() => Ready::Hold,
        Ok(_) => {
            let found = fds[0].revents();
            if found.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) { Ready::Gone } else { Ready::Input }
        }
        Err(_) => Ready::Gone,
    }
}

/// The thread that reads what is typed.
#[derive(Debug)]
pub struct Input {
    /// A word on it asks the thread to hold.
    hold: UnixStream,
    /// The thread's end of it, until it is started.
    wake: Option<UnixStream>,
    /// Whether what comes may have been cut by a slow line.
    is_cut: Arc<AtomicBool>,
    /// The thread says that it holds, with what lets it go on when it is dropped.
    held: Option<Receiver<Sender<()>>>,
}

impl Input {
    /// One that is not started yet.
    ///
    /// # Errors
    /// When there is no more room for open files.
    pub fn new() -> io::Result<Self> {
        let (hold, wake) = UnixStream::pair()?;
        Ok(Self { hold, wake: Some(wake), is_cut: Arc::default(), held: None })
    }

    /// Whether an answer that comes next may come in pieces.
    pub fn may_be_cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }

    /// Reads keys, mouse and resizes until the terminal or the receiver is gone; `listener` takes the terminal's own
    /// words out.
    ///
    /// # Errors
    /// When there is no terminal to read from, or no thread can be started.
    pub fn start(&mut self, tell: Sender<Message>, mut listener: Listener) -> io::Result<()> {
        let Some(mut wake) = self.wake.take() else { return Ok(()) };
        let tty = keyboard()?;
        let (says_held, held) = channel();
        self.held = Some(held);
        let is_cut = self.is_cut.clone();
        std::thread::Builder::new().name("input".into()).spawn(move || {
            let mut decoder = Decoder::default();
            let mut bytes = [0; 4096];
            loop {
                let patience = decoder.patience(is_cut.load(Ordering::Relaxed));
                let said = match wait_input(tty.as_fd(), wake.as_fd(), patience) {
                    Ready::Nothing => decoder.give_up(),
                    Ready::Gone => {
                        let _ = tell.send(Message::TerminalGone);
                        return;
                    }
                    Ready::Hold => {
                        // The other end is gone with the dashboard.
                        if !wake.read(&mut [0]).is_ok_and(|n| n > 0) {
                            return;
                        }
                        let (until, goes_on) = channel();
                        if says_held.send(until).is_err() {
                            return;
                        }
                        // Nothing is sent: it ends when what was given is dropped.
                        let _ = goes_on.recv();
                        continue;
                    }
                    Ready::Input => match rustix::io::read(&tty, &mut bytes) {
                        Ok(0) => {
                            let _ = tell.send(Message::TerminalGone);
                            return;
                        }
                        Ok(n) => decoder.feed(&bytes[..n]),
                        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => continue,
                        Err(_) => {
                            let _ = tell.send(Message::TerminalGone);
                            return;
                        }
                    },
                };
                let mut messages = said.into_iter().flat_map(|said| translate(said, &mut listener));
                if !messages.all(|message| tell.send(message).is_ok()) {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Holds the thread: nothing is read until what is given back is dropped.
    pub fn pause(&mut self) -> Option<Sender<()>> {
        self.hold.write_all(&[1]).ok()?;
        self.held.as_ref()?.recv().ok()
    }
}

fn translate(said: Said, listener: &mut Listener) -> Vec<Message> {
    match said {
        Said::Key(k) => match listener.take(k, Instant::now()) {
            Taken::Keys(keys) => keys.into_iter().map(|k| Message::Key(Key::from(k))).collect(),
            Taken::Part => Vec::new(),
            Taken::Light(light) => vec![Message::Background(light)],
        },
        Said::Mouse(m) => vec![Message::Mouse(m)],
        Said::Paste(text) => vec![Message::Paste(text)],
        Said::Well => vec![Message::Answered],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_terminal_that_hangs_up_is_noticed() {
        use portable_pty::{PtySize, native_pty_system};
        let pair = native_pty_system().openpty(PtySize { rows: 5, cols: 20, pixel_width: 0, pixel_height: 0 }).unwrap();
        let name = pair.master.tty_name().unwrap();
        let tty = File::options().read(true).write(true).open(name).unwrap();
        let (mut asks, wake) = UnixStream::pair().unwrap();
        let wait = |millis| wait_input(tty.as_fd(), wake.as_fd(), Some(Duration::from_millis(millis)));
        assert_eq!(wait(20), Ready::Nothing);
        asks.write_all(&[1]).unwrap();
        assert_eq!(wait(2000), Ready::Hold);
        (&wake).read_exact(&mut [0]).unwrap();
        drop(pair.slave);
        drop(pair.master);
        assert_eq!(wait(2000), Ready::Gone);
    }
}
