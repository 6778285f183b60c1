//! The dashboard in a real pseudo-terminal: keys, a run, resize, suspension, signals, and what is left on the screen.
//!
//! Every wait has a deadline far beyond what it takes, so that a busy machine fails no test.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Two neurons, 100 ms: over in no time on any machine.
pub const SMALL: &str = r#"
title = "Two neurons"
[simulation]
duration = "100 ms"
dt = "0.1 ms"
[populations.exc]
model = "lif"
size = 2
[stimuli.drive]
target = "exc.I"
kind = "constant"
amplitude = "1 nA"
[record.exc]
spikes = true
"#;

/// The same for longer than anybody waits.
const ENDLESS: &str = r#"
title = "Endless"
[simulation]
duration = "4000 s"
dt = "0.1 ms"
[populations.exc]
model = "lif"
size = 200
[stimuli.drive]
target = "exc.I"
kind = "constant"
amplitude = "1 nA"
[record.exc]
spikes = true
"#;

pub struct Dashboard {
    screen: Arc<Mutex<vt100::Parser>>,
    /// All bytes that it wrote.
    written: Arc<Mutex<Vec<u8>>>,
    keys: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    /// Says to the reader that it shall let go of the terminal after the next bytes.
    let_go: Arc<AtomicBool>,
    pub home: tempfile::TempDir,
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Dashboard {
    pub fn start(args: &[&str], size: (u16, u16)) -> Self {
        Self::start_with(args, size, &[])
    }

    /// The same in a folder of the caller's.
    pub fn start_in(folder: &Path, args: &[&str], size: (u16, u16)) -> Self {
        Self::open(Some(folder), args, size, &[])
    }

    /// The same with more of an environment.
    pub fn start_with(args: &[&str], size: (u16, u16), more: &[(&str, &str)]) -> Self {
        Self::open(None, args, size, more)
    }

    fn open(folder: Option<&Path>, args: &[&str], (columns, rows): (u16, u16), more: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("small.toml"), SMALL).unwrap();
        std::fs::write(home.path().join("endless.toml"), ENDLESS).unwrap();
        std::fs::write(home.path().join("wrong.toml"), SMALL.replace("\"lif\"", "\"no_such_model\"")).unwrap();
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_spikedeck"));
        command.args(args);
        command.cwd(folder.unwrap_or(home.path()));
        for (name, value) in [("TERM", "xterm-256color"), ("HOME", "/nonexistent"), ("XDG_CONFIG_HOME", "/nonexistent")]
        {
            command.env(name, value);
        }
        for name in ["NO_COLOR", "TMUX", "SSH_CONNECTION", "SSH_TTY", "COLORFGBG", "VISUAL", "EDITOR"] {
            command.env_remove(name);
        }
        for (name, value) in more {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let sink = screen.clone();
        let written: Arc<Mutex<Vec<u8>>> = Arc::default();
        let all = written.clone();
        let let_go = Arc::new(AtomicBool::new(false));
        let stop = let_go.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                sink.lock().unwrap().process(&bytes[..n]);
                all.lock().unwrap().extend_from_slice(&bytes[..n]);
                if stop.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { screen, written, keys: Some(keys), master: Some(pair.master), child, home, let_go }
    }

    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Everything that it wrote so far, with whatever acts on a terminal.
    pub fn transcript(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }

    pub fn alternate(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    #[track_caller]
    pub fn wait(&self, what: &str, is: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !is(&self.text()) {
            assert!(start.elapsed() < PATIENCE, "{what} did not happen; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    pub fn shows(&self, text: &str) {
        self.wait(&format!("`{text}` on the screen"), |s| s.contains(text));
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().cast_signed()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }

    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end; the screen is\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The state letter of the process: `T` when stopped.
    #[cfg(target_os = "linux")]
    fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid().as_raw_nonzero())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    #[track_caller]
    pub fn restored(&self) {
        let start = Instant::now();
        while self.alternate() {
            assert!(start.elapsed() < PATIENCE, "the alternate screen is still on");
            std::thread::sleep(Duration::from_millis(10));
        }
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_gallery_answers_keys_and_leaves_the_screen_as_it_was() {
    let mut d = Dashboard::start(&[], (100, 30));
    d.shows("balanced-cuba");
    assert!(d.alternate());
    d.press("/");
    d.press("lorenz");
    d.wait("the search", |s| s.contains("lorenz") && !s.contains("balanced-cuba"));
    d.press("\x1b");
    // The place that was searched for stays, among all.
    d.wait("all scenarios", |s| s.contains("scenarios and runs") && s.contains("lorenz") && !s.contains("/ lorenz"));
    d.press("?");
    d.shows("Suspend");
    d.press("\x1b");
    d.wait("help closes", |s| !s.contains("Back to the shell"));
    d.press("q");
    assert!(d.ended().success());
    d.restored();
}

/// For screen readers: lines below what stands there already, the same keys, nothing drawn over and nothing taken away.
#[test]
fn a_reader_is_told_in_lines_what_has_the_focus() {
    let mut d = Dashboard::start(&["--reader", "small.toml"], (150, 40));
    d.wait("the run and its first pane", |s| s.contains("done") && s.contains("Pane 1 of "));
    assert!(!d.alternate());
    assert!(d.text().contains("Spikes: exc: ") && d.text().contains(" spikes of 2 units, from 0 to 100 ms"));
    assert!(!d.text().contains('─'), "{}", d.text());
    d.press("\t");
    d.shows("Pane 2 of ");
    d.press("e");
    d.shows("Export, 1 of 9");
    d.press("\x1b");
    d.wait("the pane again", |s| s.matches("Pane 2 of ").count() == 2);
    d.press("q");
    assert!(d.ended().success());
    assert!(d.text().contains("Pane 1 of "), "what was said stays");
    d.restored();
}

/// The whole of what is said, byte for byte, on a terminal that knows lines alone: nothing acts on the terminal, each
/// line is said once, and what was said stays. Nobody has to ask for it there; elsewhere `--plain` does.
#[test]
fn a_terminal_of_lines_gets_lines_and_nothing_else() {
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)]);
    let cases: [Case; 3] = [
        (&["small.toml"], &[("TERM", "dumb"), ("LC_ALL", "C.UTF-8")]),
        (&["small.toml"], &[("TERM", "dumb"), ("LC_ALL", "C")]),
        (&["--plain", "small.toml"], &[("TERM", "dumb"), ("NO_COLOR", "1"), ("LC_ALL", "POSIX")]),
    ];
    for (args, more) in cases {
        let mut d = Dashboard::start_with(args, (150, 40), more);
        d.wait("the run and its first pane", |s| s.contains("done") && s.contains("Pane 1 of "));
        d.press("\t");
        d.shows("Pane 2 of ");
        d.press("m");
        d.shows("it has neither clipboard nor mouse");
        d.press("q");
        assert!(d.ended().success());
        let start = Instant::now();
        while !d.transcript().contains("neither") && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = d.transcript();
        let acts: Vec<char> = said.chars().filter(|c| c.is_control() && !matches!(c, '\r' | '\n')).collect();
        assert!(acts.is_empty(), "{more:?}: {acts:?} in {said:?}");
        assert!(!said.contains(|c: char| ('\u{2500}'..='\u{28ff}').contains(&c)), "neither boxes nor braille: {said}");
        if more.iter().any(|m| matches!(m.1, "C" | "POSIX")) {
            assert!(said.is_ascii(), "{more:?}: {said}");
        }
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "small", "{said}");
        // A pane is said again when the run is over; what is pressed is answered once.
        let at = |text: &str, most: usize| {
            let found: Vec<usize> = (0..lines.len()).filter(|k| lines[*k].contains(text)).collect();
            assert!((1..=most).contains(&found.len()), "`{text}` is said {} times: {said}", found.len());
            found[0]
        };
        let order = [
            at("Pane 1 of ", 2),
            at("spikes of 2 units, from 0 to 100 ms", 2),
            at("Pane 2 of ", 1),
            at("neither clipboard", 1),
        ];
        assert!(order.is_sorted(), "{order:?}: {said}");
    }
}

#[test]
fn several_keys_in_one_read_are_all_answered() {
    let mut d = Dashboard::start(&[], (100, 30));
    d.shows("balanced-cuba");
    d.press("/lorenz:stable");
    d.shows("/ lorenz:stable");
    d.press("\x1b");
    d.shows("scenarios and runs");
    d.press("jkjkq");
    assert!(d.ended().success());
}

#[test]
fn a_scenario_runs_to_its_end_and_its_screen_can_be_exported() {
    let mut d = Dashboard::start(&["small.toml"], (120, 40));
    d.shows("1 Spikes");
    d.wait("the end of the run", |s| s.contains("done"));
    d.press("P");
    d.shows("written:");
    let picture = std::fs::read_to_string(d.home.path().join("spikedeck-screen.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("Spikes"));
    d.press("q");
    assert!(d.ended().success());
    d.restored();
}

#[test]
fn escape_stops_a_run_and_what_there_is_stays() {
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.press("\x1b");
    d.shows("stopped");
    assert!(d.text().contains("Spikes"));
    d.press("q");
    assert!(d.ended().success());
}

#[test]
fn the_screen_follows_the_terminals_size_down_to_nothing() {
    let mut d = Dashboard::start(&[], (100, 30));
    d.shows(" scenarios");
    for (columns, rows) in [(20, 5), (10, 3), (1, 1), (120, 40)] {
        d.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        d.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert!(d.child.try_wait().unwrap().is_none(), "{columns}x{rows}");
    }
    d.wait("the wide footer", |s| s.lines().last().is_some_and(|l| l.contains("? help") && l.contains("search")));
    d.press("q");
    assert!(d.ended().success());
}

#[cfg(target_os = "linux")]
#[test]
fn suspended_it_gives_the_terminal_back_and_continued_takes_it_again() {
    let mut d = Dashboard::start(&[], (100, 30));
    d.shows("balanced-cuba");
    d.press("\x1a");
    let start = Instant::now();
    while d.state() != 'T' {
        assert!(start.elapsed() < PATIENCE, "it does not stop");
        std::thread::sleep(Duration::from_millis(10));
    }
    d.restored();
    d.signal(Signal::CONT);
    d.shows("balanced-cuba");
    assert!(d.alternate());
    d.press("q");
    assert!(d.ended().success());
    d.restored();
}

#[test]
fn a_signal_restores_the_terminal_and_ends_a_run() {
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.signal(Signal::TERM);
    assert_eq!(d.ended().exit_code(), 143);
    d.restored();
}

/// The first Ctrl-C stops what runs, the second leaves, and the status says that it was interrupted; so does the
/// signal.
#[test]
fn interrupted_it_ends_with_status_130() {
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.press("\x03");
    d.shows("stopped");
    d.press("\x03");
    assert_eq!(d.ended().exit_code(), 130);
    d.restored();
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.signal(Signal::INT);
    assert_eq!(d.ended().exit_code(), 130);
    d.restored();
}

#[test]
fn a_hang_up_ends_it_with_the_status_of_its_signal() {
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.signal(Signal::HUP);
    assert_eq!(d.ended().exit_code(), 129);
}

/// What the screen said stays in the terminal, and a script sees that nothing was run.
#[test]
fn a_refused_scenario_is_told_again_and_ends_with_status_2() {
    let mut d = Dashboard::start(&["wrong.toml"], (100, 30));
    d.shows("failed");
    d.press("q");
    assert_eq!(d.ended().exit_code(), 2);
    d.restored();
    d.shows("no_such_model");
}

/// Neither standard output nor anything else is a terminal: as in a batch job.
#[cfg(target_os = "linux")]
#[test]
fn without_a_terminal_it_says_so_and_ends_with_status_2() {
    // A session of its own has no controlling terminal.
    let out = std::process::Command::new("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_spikedeck")])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("needs a terminal") && said.contains("spikedeck run"), "{said}");
    assert!(out.stdout.is_empty());
}

#[test]
fn when_the_terminal_is_gone_the_process_goes_too() {
    let mut d = Dashboard::start(&["endless.toml"], (100, 30));
    d.shows("left");
    d.keys = None;
    d.master = None;
    // The run goes on drawing, so that the reader wakes and closes the last copy of the terminal's other end.
    d.let_go.store(true, Ordering::SeqCst);
    d.ended();
}

#[test]
fn a_wrong_argument_is_told_without_taking_the_screen() {
    let mut d = Dashboard::start(&["no-such-thing.toml"], (100, 30));
    assert_eq!(d.ended().exit_code(), 2);
    d.shows("no-such-thing");
    assert!(!d.alternate());
}

/// The tests write their own files only.
#[test]
fn nothing_is_written_unasked() {
    let mut d = Dashboard::start(&[], (80, 24));
    d.shows("scenarios");
    d.press("q");
    assert!(d.ended().success());
    let entries = |p: &Path| std::fs::read_dir(p).unwrap().count();
    assert_eq!(entries(d.home.path()), 3, "only the scenarios of the test");
}

/// The terminal's answer about its ground changes colours, and none of its characters is taken for a key (`/` would
/// search).
#[test]
fn a_light_ground_is_noticed_and_its_answer_is_no_command() {
    let mut d = Dashboard::start(&[], (100, 30));
    d.shows("balanced-cuba");
    let colours = |d: &Dashboard| {
        let parser = d.screen.lock().unwrap();
        let cell = |k: u16| parser.screen().cell(k / 100, k % 100).map(|c| format!("{:?}", c.fgcolor()));
        (0..3000).filter_map(cell).collect::<std::collections::BTreeSet<_>>()
    };
    let dark = colours(&d);
    d.press("\x1b]11;rgb:ffff/ffff/ffff\x07");
    let start = Instant::now();
    while colours(&d).intersection(&dark).count() > 1 {
        assert!(start.elapsed() < PATIENCE, "the colours stay: {dark:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!d.text().contains("rgb:") && !d.text().contains('▏'), "the search is open:\n{}", d.text());
    d.press("q");
    assert!(d.ended().success());
}
