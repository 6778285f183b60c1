//! The dashboard at the end of a slow line: a relay between it and its terminal that carries so many bytes a second and
//! takes its time there and back, as ssh does, which buffers all that it is given.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use super::pty::{PATIENCE, SMALL};

/// What the dashboard asks after a frame, and what a terminal answers.
const QUESTION: &[u8] = b"\x1b[5n";
const ANSWER: &[u8] = b"\x1b[0n";

/// A line: bytes a second towards the terminal, time one way, and whether the terminal at its end answers.
#[derive(Debug, Clone, Copy)]
struct Line {
    rate: f64,
    delay: Duration,
    answers: bool,
}

/// What was seen of the line.
#[derive(Debug, Default)]
struct Seen {
    /// Questions that the dashboard wrote.
    asked: AtomicUsize,
    /// Answers that were sent back to it.
    answered: AtomicUsize,
    /// Most questions that were open at once.
    most_open: AtomicUsize,
    /// Bytes that the dashboard wrote.
    written: AtomicUsize,
    /// Bytes that were written and not delivered yet, at most, since this was last set to zero.
    most_on_line: AtomicUsize,
    delivered: AtomicUsize,
}

struct Remote {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Seen>,
    over: Arc<AtomicBool>,
    /// Whoever has the terminal after the dashboard, as a shell has.
    _shell: std::fs::File,
    _home: tempfile::TempDir,
}

impl Remote {
    fn start(args: &[&str], (columns, rows): (u16, u16), line: Line) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("small.toml"), SMALL).unwrap();
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.args(args);
        command.cwd(home.path());
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("COLORFGBG", "15;0"),
            ("HOME", "/nonexistent"),
            ("XDG_CONFIG_HOME", "/nonexistent"),
            ("SSH_TTY", "/dev/pts/0"),
        ] {
            command.env(name, value);
        }
        for name in ["NO_COLOR", "TMUX", "VISUAL", "EDITOR", "SPIKEDECK_LINK", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        command.env("LANG", "C.UTF-8");
        let shell = std::fs::File::options().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let cells = |n| NonZero::new(n).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let (seen, over) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
        let queue: Arc<Mutex<VecDeque<(Instant, u8)>>> = Arc::default();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (filled, counts) = (queue.clone(), seen.clone());
        // The near end takes whatever it is given.
        std::thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            let mut tail: Vec<u8> = Vec::new();
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                let now = Instant::now();
                tail.extend_from_slice(&bytes[..n]);
                let asked = tail.windows(QUESTION.len()).filter(|w| *w == QUESTION).count();
                tail.drain(..tail.len().saturating_sub(QUESTION.len() - 1));
                let all = counts.asked.fetch_add(asked, Ordering::SeqCst) + asked;
                let open = all.saturating_sub(counts.answered.load(Ordering::SeqCst));
                counts.most_open.fetch_max(open, Ordering::SeqCst);
                let written = counts.written.fetch_add(n, Ordering::SeqCst) + n;
                let waiting = written - counts.delivered.load(Ordering::SeqCst);
                counts.most_on_line.fetch_max(waiting, Ordering::SeqCst);
                filled.lock().unwrap().extend(bytes[..n].iter().map(|b| (now, *b)));
            }
        });
        let (parser, back, counts, stop) = (screen.clone(), keys.clone(), seen.clone(), over.clone());
        // The far end gets it later, and no faster than the line is.
        std::thread::spawn(move || {
            let mut free = Instant::now();
            let mut tail: Vec<u8> = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
                let now = Instant::now();
                let mut come = Vec::new();
                {
                    let mut queue = queue.lock().unwrap();
                    while let Some((at, byte)) = queue.front().copied() {
                        let left = free.max(at) + Duration::from_secs_f64(1.0 / line.rate);
                        if left + line.delay > now {
                            break;
                        }
                        free = left;
                        come.push(byte);
                        queue.pop_front();
                    }
                }
                if come.is_empty() {
                    continue;
                }
                counts.delivered.fetch_add(come.len(), Ordering::SeqCst);
                parser.lock().unwrap().process(&come);
                tail.extend_from_slice(&come);
                let asked = tail.windows(QUESTION.len()).filter(|w| *w == QUESTION).count();
                tail.drain(..tail.len().saturating_sub(QUESTION.len() - 1));
                for _ in 0..asked * usize::from(line.answers) {
                    let (back, counts) = (back.clone(), counts.clone());
                    std::thread::spawn(move || {
                        std::thread::sleep(line.delay);
                        counts.answered.fetch_add(1, Ordering::SeqCst);
                        // A line may cut an answer in two; the terminal sends no key in the midst of it.
                        let mut line = back.lock().unwrap();
                        let _ = line.write_all(&ANSWER[..2]);
                        std::thread::sleep(Duration::from_millis(3));
                        let _ = line.write_all(&ANSWER[2..]);
                    });
                }
            }
        });
        Self { screen, keys, child, seen, over, _shell: shell, _home: home }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn wait(&self, what: &str, is: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !is(&self.text()) {
            assert!(start.elapsed() < PATIENCE, "{what} did not happen; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Presses a key whole, between two answers.
    fn press(&self, keys: &str) {
        self.keys.lock().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Nothing is on the line, and for some time nothing is put on it.
    #[track_caller]
    fn calm(&self) {
        let start = Instant::now();
        let count = || self.seen.written.load(Ordering::SeqCst);
        let mut last = (count(), Instant::now());
        while last.1.elapsed() < Duration::from_millis(1500) || self.seen.delivered.load(Ordering::SeqCst) < count() {
            assert!(start.elapsed() < PATIENCE, "it never rests");
            std::thread::sleep(Duration::from_millis(20));
            if count() != last.0 {
                last = (count(), Instant::now());
            }
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Holds a key on a run for a while, and tells how many bytes were on the line at most meanwhile and how many were
/// written in all.
fn held(line: Line) -> (usize, usize, Arc<Seen>) {
    let d = Remote::start(&["small.toml"], (120, 40), line);
    d.wait("the end of the run", |s| s.contains("done"));
    // Zoomed in, so that there is something to pan over.
    for _ in 0..3 {
        d.press("+");
        d.calm();
    }
    let before = d.seen.written.load(Ordering::SeqCst);
    d.seen.most_on_line.store(0, Ordering::SeqCst);
    for k in 0..40 {
        d.press(if k % 20 < 10 { "\x1b[C" } else { "\x1b[D" });
        std::thread::sleep(Duration::from_millis(33));
    }
    d.calm();
    let most = d.seen.most_on_line.load(Ordering::SeqCst);
    let all = d.seen.written.load(Ordering::SeqCst) - before;
    (most, all, d.seen.clone())
}

/// What is on the line while a key is held is a frame or two, however slow it is: the screen is so far behind and no
/// farther. Where the terminal does not answer all of it is on the line.
#[test]
fn a_held_key_never_fills_a_slow_line() {
    let slow = Line { rate: 15_000.0, delay: Duration::from_millis(60), answers: true };
    let (most, all, seen) = held(slow);
    assert!(seen.most_open.load(Ordering::SeqCst) <= 2, "{seen:?}");
    assert!(seen.asked.load(Ordering::SeqCst) > 2, "{seen:?}");
    // A pan of this screen is up to some 4 kB; forty of them would be far more than fits. How many are left out of
    // those that a faster line would carry is held in `pace`, where no machine is busy.
    assert!(most < 12_000, "{most} bytes on the line, {all} in all, {seen:?}");
    let (_, _, silent) = held(Line { answers: false, rate: 400_000.0, ..slow });
    assert!(
        silent.asked.load(Ordering::SeqCst) <= 2,
        "a terminal that does not answer is not asked on and on: {silent:?}"
    );
}

/// Who leaves while an answer is under way finds nothing typed at the shell, which would show it.
#[test]
fn no_answer_is_left_to_the_shell() {
    let line = Line { rate: 60_000.0, delay: Duration::from_millis(150), answers: true };
    for round in 0..2 {
        let mut d = Remote::start(&[], (100, 30), line);
        d.wait("the gallery", |s| s.contains("balanced-cuba"));
        d.calm();
        let asked = || d.seen.asked.load(Ordering::SeqCst);
        let before = asked();
        d.press("j");
        let start = Instant::now();
        while asked() == before {
            assert!(start.elapsed() < PATIENCE, "no frame follows the key");
            std::thread::sleep(Duration::from_millis(2));
        }
        // Its answer comes in 300 ms.
        d.press("q");
        assert!(d.child.wait().unwrap().success());
        std::thread::sleep(Duration::from_millis(800));
        let (asked, answered) = (asked(), d.seen.answered.load(Ordering::SeqCst));
        assert_eq!(asked, answered, "{round}");
        assert!(!d.text().contains("0n"), "{round}: {}", d.text());
    }
}

/// Answers between keys, cut in two, are no keys, and no key is lost for them.
#[test]
fn answers_eat_no_keys() {
    let d = Remote::start(&[], (100, 30), Line { rate: 60_000.0, delay: Duration::from_millis(15), answers: true });
    d.wait("the gallery", |s| s.contains("balanced-cuba"));
    d.press("/");
    for c in "lorenz:stable".chars() {
        d.press(&c.to_string());
        std::thread::sleep(Duration::from_millis(40));
    }
    d.wait("all that was typed", |s| s.contains("/ lorenz:stable"));
    d.press("\x1b");
    d.wait("the list", |s| s.contains("scenarios and runs") && !s.contains("/ lorenz"));
    d.calm();
    assert!(d.seen.asked.load(Ordering::SeqCst) > 3);
    // A notice that fades is a frame of its own, and has its question.
    let (asked, answered) = (|| d.seen.asked.load(Ordering::SeqCst), || d.seen.answered.load(Ordering::SeqCst));
    let start = Instant::now();
    while asked() != answered() {
        assert!(start.elapsed() < PATIENCE, "{:?}", d.seen);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(d.seen.most_open.load(Ordering::SeqCst) <= 2);
}
