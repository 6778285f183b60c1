//! The loop around the pure state: receives, updates, does what is to be done outside, draws when something changed.

pub(crate) mod backend;
mod editor;
mod export;
mod guarded;
mod jobs;
mod leave;
mod local;
mod replay;
mod shown;
mod watcher;

pub use local::LocalBackend;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ratatui::Terminal;

use crate::draw::{self, draw};
use crate::input::commands::keymap;
use crate::reader::Reader;
use crate::session::backend::Backend;
use crate::session::jobs::Jobs;
use crate::session::leave::hear_answers;
use crate::session::shown::Shown;
use crate::session::watcher::Watcher;
use crate::settings::{LinkMode, Settings};
use crate::state::app::App;
use crate::state::message::{Effect, Message};
use crate::state::source::Source;
use crate::state::theme::{self, Theme};
use crate::terminal::background::{self, Listener};
use crate::terminal::encoder::Encoder;
use crate::terminal::input::Input;
use crate::terminal::pace::{self, Pace};
use crate::terminal::{self, Guard, Hold, MOUSE_OFF, MOUSE_ON, Output, TtyRaw};
use crate::update::{HUNG_UP, begin, update};
use spikedeck_plot::{self as plot, Depth};

/// Name and title of everything that the gallery offers.
pub fn gallery() -> Vec<(String, String)> {
    LocalBackend::default().entries().into_iter().map(|entry| (entry.name, entry.title)).collect()
}

/// What the dashboard starts with.
pub struct Options {
    /// Scenarios and finished runs to open side by side; none shows the gallery.
    pub sources: Vec<Source>,
    /// Settings, flags already on top.
    pub settings: Settings,
    /// What was wrong with the settings: shown, never fatal.
    pub problems: Vec<String>,
    /// The rest of the program.
    pub backend: Arc<dyn Backend>,
}

/// Least time between frames that only a job asked for.
const JOB_FRAME: Duration = Duration::from_millis(50);
/// Time between frames of what is played.
const TICK: Duration = Duration::from_millis(100);
/// The same, of both, on a slow link.
const SLOW_FRAME: Duration = Duration::from_millis(250);
/// Time without a key after which a slow line carries the panes that did not follow the keys.
const CALM: Duration = Duration::from_millis(200);

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Colours and marks of plots for settings and depth.
fn look(settings: &Settings, light: bool, depth: Depth) -> plot::Look {
    plot::Look {
        palette: plot::Palette {
            theme: if light { plot::Theme::Light } else { plot::Theme::Dark },
            depth,
            ..plot::Palette::default()
        },
        marker: settings.marker,
        title: false,
    }
}

/// Runs the dashboard until it is left; gives the exit status. The terminal is restored whatever happens.
///
/// # Errors
/// When there is no terminal.
pub fn run(options: Options) -> io::Result<i32> {
    let out = Output::open()?;
    let size = out.size();
    let mut depth = theme::depth(options.settings.colours, env);
    if options.settings.link == LinkMode::Slow && depth == Depth::True {
        depth = Depth::Indexed;
    }
    let light = options.settings.theme.is_light(env);
    let look = look(&options.settings, light, depth);
    let is_bare = env("TERM").is_some_and(|term| term == "dumb");
    let reader = options.settings.reader.then(Reader::default);
    let mouse = reader.is_none() && options.settings.mouse_at_start(env);
    let entries = options.backend.entries();
    // What is wrong with the keys is among the problems of the settings.
    let (keymap, _) = keymap(&options.settings.keys);
    let mut app = App::new(keymap, Theme::new(light, depth), look, entries, (size.width, size.height));
    app.mouse = mouse;
    app.steps.off = options.settings.no_hints;
    for problem in options.problems {
        app.say(problem, true);
    }
    terminal::hook_panics();
    let hold = match reader {
        Some(_) if is_bare => Hold::Bare,
        Some(_) => Hold::Lines,
        None => Hold::Screen,
    };
    let mut guard = Guard::enter(Output::open()?, TtyRaw, hold)?;
    guard.resume(mouse)?;
    let (tell, messages) = channel();
    let terminal = Terminal::new(Encoder::new(out, size, depth))?;
    let watcher = Watcher::start(tell.clone())?;
    let ask = hold == Hold::Screen && depth != Depth::None && background::unknown(options.settings.theme, env);
    let listener = if ask { Listener::asked(Instant::now()) } else { Listener::default() };
    let input = Input::new()?;
    let mut session = Session {
        app,
        link: options.settings.link,
        terminal,
        guard,
        reader,
        jobs: Jobs::default(),
        watcher,
        input,
        backend: options.backend,
        tell,
        writes: Vec::new(),
        next: Instant::now(),
        pace: Pace::new(hold == Hold::Screen && !is_bare && options.settings.link != LinkMode::Fast),
        shown: None,
        calm: None,
    };
    let effects = begin(&mut session.app, options.sources);
    session.frame(false)?;
    if ask {
        session.guard.say(background::QUERY)?;
    }
    session.input.start(session.tell.clone(), listener)?;
    terminal::spawn_signals(session.tell.clone())?;
    let code = session.serve(effects, &messages);
    session.jobs.cancel_all();
    session.guard.leave();
    for write in session.writes.drain(..) {
        // One that panicked has said so.
        let _ = write.join();
    }
    replay::replay(&session.app);
    code
}

struct Session {
    app: App,
    link: LinkMode,
    terminal: Terminal<Encoder<Output>>,
    guard: Guard<Output, TtyRaw>,
    /// Says in lines what would be drawn, if that is wanted.
    reader: Option<Reader>,
    jobs: Jobs,
    watcher: Watcher,
    input: Input,
    backend: Arc<dyn Backend>,
    tell: Sender<Message>,
    /// Files that are being written: waited for at the end, also when the terminal is gone.
    writes: Vec<JoinHandle<()>>,
    /// No frame before this.
    next: Instant,
    /// When the line to the terminal takes another frame.
    pace: Pace,
    /// What stands on the screen, where the line is slow.
    shown: Option<Shown>,
    /// When the panes are drawn that did not follow the keys.
    calm: Option<Instant>,
}

impl Session {
    fn serve(&mut self, first: Vec<Effect>, messages: &Receiver<Message>) -> io::Result<i32> {
        if let Some(code) = self.perform(first, messages)? {
            return Ok(code);
        }
        let mut last_frame = Instant::now();
        let mut urgent = true;
        let mut only_keys = false;
        loop {
            // Blocks while nothing is to be drawn: an idle dashboard takes no time and sends no byte.
            let slow = self.link == LinkMode::Slow;
            let least = if slow { SLOW_FRAME } else { JOB_FRAME };
            self.pace.look(Instant::now());
            self.input.may_be_cut(self.pace.cuts());
            let free = self.pace.free_at().map_or(self.next, |free| free.max(self.next));
            let due = if urgent { free } else { free.max(last_frame + least) };
            let frame = if self.app.dirty { Some(due) } else { self.calm.map(|calm| calm.max(free)) };
            // What plays moves on when the frame before has been drawn.
            let tick = (self.app.playing && !self.app.dirty)
                .then(|| free.max(last_frame + if slow { SLOW_FRAME } else { TICK }));
            let message =
                match frame.or(tick).map(|at| at.checked_duration_since(Instant::now()).filter(|d| !d.is_zero())) {
                    Some(None) => None,
                    Some(Some(wait)) => match messages.recv_timeout(wait) {
                        Ok(message) => Some(message),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => return Ok(0),
                    },
                    None => match messages.recv() {
                        Ok(message) => Some(message),
                        Err(_) => return Ok(0),
                    },
                };
            let Some(message) = message else {
                if frame.is_some() {
                    self.frame(only_keys && self.app.dirty)?;
                    last_frame = Instant::now();
                    (urgent, only_keys) = (false, true);
                } else {
                    update(&mut self.app, Message::Tick);
                    // The panes that move are not those with the focus alone.
                    only_keys = false;
                }
                continue;
            };
            let mut batch = VecDeque::from([message]);
            batch.extend(messages.try_iter());
            let mut resized = false;
            for message in batch {
                if matches!(message, Message::SizeChanged) && std::mem::replace(&mut resized, true) {
                    continue;
                }
                if matches!(message, Message::TerminalGone) {
                    // Nobody is there: nothing more is written.
                    return Ok(HUNG_UP);
                }
                if matches!(message, Message::Answered) {
                    self.pace.answered(Instant::now());
                    continue;
                }
                urgent |= !matches!(message, Message::Job(..) | Message::Link(_));
                only_keys &= matches!(message, Message::Key(_));
                let was_dirty = self.app.dirty;
                let effects = update(&mut self.app, message);
                self.app.dirty |= was_dirty;
                if let Some(code) = self.perform(effects, messages)? {
                    return Ok(code);
                }
            }
        }
    }

    /// Draws, if something changed, and tells the state how the link does. After keys alone a slow line carries the
    /// pane with the focus, and the others when the keys have come to rest.
    fn frame(&mut self, only_keys: bool) -> io::Result<()> {
        self.app.dirty = false;
        self.calm = None;
        let app = &self.app;
        let is_slow = self.link == LinkMode::Slow || self.pace.slow().is_some();
        match &mut self.reader {
            Some(reader) => self.guard.say(&reader.news(app))?,
            None => {
                let before = self.shown.take().filter(|_| only_keys && is_slow);
                let mut is_part = false;
                let drawn = self.terminal.draw(|frame| {
                    draw(app, frame);
                    is_part = before.is_some_and(|shown| shown.put_back(app, frame.buffer_mut()));
                })?;
                if is_slow {
                    self.shown = Shown::of(app, drawn.buffer);
                    self.calm = is_part.then(|| Instant::now() + CALM);
                }
            }
        }
        let encoder = self.terminal.backend_mut();
        let before = encoder.link().total;
        let asks = self.pace.asks();
        let link = encoder.commit(if asks { pace::QUESTION } else { "" })?;
        if link.total > before && asks {
            self.pace.sent(link.bytes, Instant::now());
        }
        self.next = Instant::now() + link.pause();
        // A frame that blocks is followed by three times the pause.
        let blocked = link.rate.filter(|_| link.degraded()).map(|rate| (rate, link.flush * 4));
        let told = self.pace.slow().or(blocked);
        if told.is_some() == self.app.link.is_some() {
            self.app.link = told;
        } else {
            update(&mut self.app, Message::Link(told));
        }
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>, messages: &Receiver<Message>) -> io::Result<Option<i32>> {
        for effect in effects {
            match effect {
                Effect::Start(id, source) => self.jobs.start(id, source, self.backend.clone(), self.tell.clone()),
                Effect::Cancel(id) => self.jobs.cancel(id),
                Effect::Preview(index, source) => {
                    let (backend, tell) = (self.backend.clone(), self.tell.clone());
                    let work = move || {
                        let _ = tell.send(Message::Preview(index, backend.preview(&source)));
                    };
                    let _ = self.aside("preview", work, move |why| Message::Preview(index, Err(why)));
                }
                Effect::Understand(id, asked) => {
                    let (backend, tell) = (self.backend.clone(), self.tell.clone());
                    let work = move || {
                        let _ = tell.send(Message::Understood(id, backend.understand(&asked).map(Arc::new)));
                    };
                    let _ = self.aside("understand", work, move |why| Message::Understood(id, Err(why)));
                }
                Effect::Save { asked, path, edit } => {
                    let (backend, tell, of) = (self.backend.clone(), self.tell.clone(), asked.clone());
                    let work = move || {
                        let file = backend.save(&asked, &path).map(|()| path);
                        let _ = tell.send(Message::Saved { asked, file, edit });
                    };
                    let died = move |why| Message::Saved { asked: of, file: Err(why), edit };
                    self.writes.extend(self.aside("save", work, died));
                }
                Effect::Edit(path) => {
                    hear_answers(&mut self.pace, messages, &self.tell);
                    self.edit(&path)?;
                }
                Effect::Export { kind, content, all, pane, view, size } => {
                    let (look, tell) = (self.app.look, self.tell.clone());
                    self.writes.retain(|w| !w.is_finished());
                    let work = move || {
                        let message = match export::write(kind, &content, &all, pane, &view, size, look) {
                            Ok(path) => Message::Notice(format!("written: {}", path.display()), false),
                            Err(why) => Message::Notice(why, true),
                        };
                        let _ = tell.send(message);
                    };
                    self.writes.extend(self.aside("export", work, |why| Message::Notice(why, true)));
                }
                Effect::Picture => {
                    let (grid, palette, tell) = (draw::grid(&self.app), self.app.look.palette, self.tell.clone());
                    let work = move || {
                        let message = match export::screen(&grid, palette) {
                            Ok(path) => Message::Notice(format!("written: {}", path.display()), false),
                            Err(why) => Message::Notice(why, true),
                        };
                        let _ = tell.send(message);
                    };
                    self.writes.extend(self.aside("picture", work, |why| Message::Notice(why, true)));
                }
                Effect::Copy(_) | Effect::Mouse(_) if self.guard.hold() == Hold::Bare => {
                    self.app
                        .say("this terminal shows lines alone (TERM=dumb): it has neither clipboard nor mouse", false);
                    self.app.dirty = true;
                }
                Effect::Copy(text) => {
                    let sequence = export::osc52(&text, env("TMUX").is_some());
                    self.terminal.backend_mut().queue(&sequence);
                    self.app.say(format!("{} bytes sent to the terminal's clipboard (OSC 52)", text.len()), false);
                    self.app.dirty = true;
                }
                Effect::Watch(paths) => self.watcher.watch(paths),
                Effect::Mouse(on) => self.terminal.backend_mut().queue(if on { MOUSE_ON } else { MOUSE_OFF }),
                Effect::Suspend => {
                    hear_answers(&mut self.pace, messages, &self.tell);
                    self.guard.leave();
                    terminal::stop_self();
                    self.reenter()?;
                }
                Effect::Reenter => self.reenter()?,
                Effect::Redraw => self.redraw()?,
                Effect::AskSize => {
                    let size = self.terminal.backend_mut().writer().size();
                    if (size.width, size.height) != self.app.size {
                        self.terminal.backend_mut().resize(size);
                        update(&mut self.app, Message::Resize(size.width, size.height));
                    }
                }
                Effect::Quit(code) => {
                    hear_answers(&mut self.pace, messages, &self.tell);
                    return Ok(Some(code));
                }
            }
        }
        Ok(None)
    }

    /// Gives the terminal to an editor until it is left; keys are its own meanwhile.
    fn edit(&mut self, path: &std::path::Path) -> io::Result<()> {
        let paused = self.input.pause();
        self.guard.leave();
        let told = editor::edit(path, env);
        drop(paused);
        self.reenter()?;
        if let Err(why) = told {
            self.app.say(why, true);
        }
        Ok(())
    }

    /// Takes the screen again after a stop; harmless if it is ours already.
    fn reenter(&mut self) -> io::Result<()> {
        self.guard.resume(self.app.mouse)?;
        self.pace.forget();
        let size = self.terminal.backend_mut().writer().size();
        self.terminal.backend_mut().resize(size);
        self.app.size = (size.width, size.height);
        self.redraw()
    }

    /// Draws, or says, everything again.
    fn redraw(&mut self) -> io::Result<()> {
        match &mut self.reader {
            Some(reader) => reader.forget(),
            None => {
                self.terminal.backend_mut().forget();
                self.terminal.clear()?;
            }
        }
        self.app.dirty = true;
        Ok(())
    }

    /// Does something that takes time off the drawing thread; what is told if it dies is `died`.
    fn aside(
        &self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
        died: impl FnOnce(String) -> Message + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        let tell = self.tell.clone();
        let work = move || {
            guarded::guarded(work, |why| {
                let _ = tell.send(died(why));
            });
        };
        match std::thread::Builder::new().name(name.to_owned()).spawn(work) {
            Ok(thread) => Some(thread),
            Err(why) => {
                let _ = self.tell.send(Message::Notice(format!("no thread could be started: {why}"), true));
                None
            }
        }
    }
}
