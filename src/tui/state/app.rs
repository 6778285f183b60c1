//! The state of the dashboard: plain data. [`crate::update::update`] changes it, [`crate::draw::draw`] looks at it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::input::commands::{Context, Keymap};
use crate::panes::content::{Content, Pane};
use crate::settings::Settings;
use crate::state::gallery::{Entry, Gallery};
use crate::state::layout::{self, Extent, RunLayout, RunQuery};
use crate::state::message::{JobId, Source};
use crate::state::theme::Theme;
use crate::state::view::{Range, View, inside, join};
use spikedeck_plot as plot;
use spikedeck_run::Progress;
use spikedeck_signal::Shape;

/// Which screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Screen {
    /// The list of scenarios.
    #[default]
    Gallery,
    /// Columns of panes.
    Run,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq)]
pub enum JobState {
    /// It runs.
    Running,
    /// It was asked to stop and has not answered yet.
    Stopping,
    /// Over.
    Done,
    /// Stopped before its end.
    Stopped,
    /// It failed.
    Failed(String),
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Number.
    pub id: JobId,
    /// What it runs.
    pub label: String,
    /// How it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Option<Progress>,
}

impl Job {
    /// Whether it still works.
    pub fn active(&self) -> bool {
        matches!(self.state, JobState::Running | JobState::Stopping)
    }
}

/// A column: one scenario or finished run.
#[derive(Debug, Clone)]
pub struct Column {
    /// Where its panes come from.
    pub source: Source,
    /// Its heading.
    pub label: String,
    /// The newest job; what older ones tell is stale.
    pub job: JobId,
    /// File behind it, if it is watched.
    pub path: Option<PathBuf>,
    /// That file is another one now.
    pub changed: bool,
    /// Whole time axis.
    pub time: Option<Range>,
    /// What is shown.
    pub content: Option<Arc<Content>>,
    /// What arrived while the picture was frozen.
    pub waiting: Option<Arc<Content>>,
    /// Why there is nothing, or why the last attempt gave nothing.
    pub error: Option<String>,
}

/// What lies over the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// All keys, filtered by what is typed.
    Help {
        /// Typed text.
        query: String,
        /// First line shown.
        scroll: usize,
    },
    /// Commands to choose from.
    Palette {
        /// Typed text.
        query: String,
        /// Chosen line.
        selected: usize,
    },
    /// Metrics of two columns.
    Difference {
        /// First line shown.
        scroll: usize,
    },
    /// Jobs.
    Jobs {
        /// Chosen line.
        selected: usize,
    },
    /// Log.
    Log {
        /// Lines up from the end.
        up: usize,
    },
    /// What to write out.
    Export {
        /// Chosen line.
        selected: usize,
    },
    /// Whether to leave although something runs.
    Quit,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whether it tells of a failure.
    pub bad: bool,
    /// Text.
    pub text: String,
}

/// The log keeps this many lines.
const LOG_KEPT: usize = 2000;

/// Everything.
#[derive(Debug, Clone)]
pub struct App {
    /// Cells.
    pub size: (u16, u16),
    /// Which screen.
    pub screen: Screen,
    /// Gallery.
    pub gallery: Gallery,
    /// Columns.
    pub columns: Vec<Column>,
    /// Focused column.
    pub column: usize,
    /// Key of the focused pane.
    pub pane: Option<String>,
    /// How much the focused pane takes.
    pub extent: Extent,
    /// What the reader chose for each pane, by its key: the same in all columns.
    pub views: HashMap<String, View>,
    /// Time seen in all linked panes.
    pub time_view: Option<Range>,
    /// Whether crosshairs are shown.
    pub cross_on: bool,
    /// Crosshair of each pane by key; that of linked time axes is under [`LINKED`].
    pub cross: HashMap<String, f64>,
    /// The picture holds still.
    pub frozen: bool,
    /// Planes go through time.
    pub playing: bool,
    /// Time at which planes are shown; none is the end.
    pub moment: Option<f64>,
    /// What the command line named.
    pub named: Vec<Source>,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// Jobs, oldest first.
    pub jobs: Vec<Job>,
    /// Log, oldest first.
    pub log: Vec<LogLine>,
    /// Line in the footer until the next key; whether it tells of a failure.
    pub notice: Option<(String, bool)>,
    /// How the link does, when it holds frames back: bytes a second and time a frame.
    pub link: Option<(f64, Duration)>,
    /// Mouse is on.
    pub mouse: bool,
    /// Where a drag began and is.
    pub drag: Option<((u16, u16), (u16, u16))>,
    /// Settings.
    pub settings: Settings,
    /// Keys.
    pub keymap: Keymap,
    /// Looks.
    pub theme: Theme,
    /// Colours and marks of plots.
    pub look: plot::Look,
    /// Something changed since the last frame.
    pub dirty: bool,
    /// Number of the next job.
    pub next_job: JobId,
}

/// Key of the crosshair that linked time axes share.
pub const LINKED: &str = "\u{0}time";

impl App {
    /// A dashboard over a list of entries.
    pub fn new(settings: Settings, theme: Theme, look: plot::Look, entries: Vec<Entry>, size: (u16, u16)) -> Self {
        let (keymap, problems) = Keymap::new(&settings.keys);
        let mut app = Self {
            size,
            screen: Screen::Gallery,
            gallery: Gallery::new(entries),
            columns: Vec::new(),
            column: 0,
            pane: None,
            extent: Extent::Shared,
            views: HashMap::new(),
            time_view: None,
            cross_on: false,
            cross: HashMap::new(),
            frozen: false,
            playing: false,
            moment: None,
            named: Vec::new(),
            overlay: None,
            jobs: Vec::new(),
            log: Vec::new(),
            notice: None,
            link: None,
            mouse: false,
            drag: None,
            settings,
            keymap,
            theme,
            look,
            dirty: true,
            next_job: 1,
        };
        for problem in problems {
            app.say(problem, true);
        }
        app
    }

    /// Context of keys.
    pub fn context(&self) -> Context {
        match self.screen {
            Screen::Gallery => Context::Gallery,
            Screen::Run => Context::Run,
        }
    }

    /// A line for footer and log.
    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        let text = text.into();
        let first = text.lines().next().unwrap_or_default().trim_start();
        self.notice = Some((first.strip_prefix("× ").unwrap_or(first).to_owned(), bad));
        self.note(text, bad);
    }

    /// Lines for the log only.
    pub fn note(&mut self, text: impl AsRef<str>, bad: bool) {
        self.log.extend(text.as_ref().lines().map(|l| LogLine { bad, text: l.to_owned() }));
        let over = self.log.len().saturating_sub(LOG_KEPT);
        self.log.drain(..over);
    }

    /// Keys of all panes, in the order of the columns: every column shows the same pane at the same place.
    pub fn pane_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for content in self.columns.iter().filter_map(|c| c.content.as_deref()) {
            let mut at = 0;
            for pane in &content.panes {
                if let Some(found) = keys.iter().position(|k| *k == pane.key) {
                    at = found + 1;
                } else {
                    keys.insert(at, &pane.key);
                    at += 1;
                }
            }
        }
        keys
    }

    /// Place of the focused pane in [`App::pane_keys`].
    pub fn pane_index(&self) -> usize {
        let keys = self.pane_keys();
        self.pane.as_deref().and_then(|p| keys.iter().position(|k| *k == p)).unwrap_or(0)
    }

    /// The focused pane of the focused column.
    pub fn focused(&self) -> Option<&Pane> {
        let keys = self.pane_keys();
        let key = keys.get(self.pane_index())?;
        self.columns.get(self.column)?.content.as_deref()?.pane(key)
    }

    /// Where everything of the run view stands.
    pub fn layout(&self) -> RunLayout {
        let focus = (self.column, self.pane_index());
        layout::run(RunQuery {
            size: self.size,
            columns: self.columns.len(),
            panes: self.pane_keys().len(),
            focus,
            extent: self.extent,
        })
    }

    /// The job of a column.
    pub fn job_of(&self, column: usize) -> Option<&Job> {
        let id = self.columns.get(column)?.job;
        self.jobs.iter().rev().find(|j| j.id == id)
    }

    /// Whether anything runs.
    pub fn busy(&self) -> bool {
        self.jobs.iter().any(Job::active)
    }

    /// The time axis of all columns together.
    pub fn whole_time(&self) -> Option<Range> {
        self.columns.iter().map(|c| c.time).fold(None, join)
    }

    /// Whether a pane moves with the other time axes: its axis is time and shows a part of the recorded stretch (a lag,
    /// for example, does not).
    pub fn linked(&self, pane: &Pane) -> bool {
        if !pane.is_time() || self.views.get(&pane.key).is_some_and(|v| v.unlinked) {
            return false;
        }
        let Some(whole) = self.whole_time() else { return false };
        let Some(own) = fitted(pane, &plot::View::default()).map(|f| f.x) else { return false };
        let slack = (whole.1 - whole.0).abs() * 0.1;
        own.0 >= whole.0 - slack && own.1 <= whole.1 + slack
    }

    /// How a pane is to be drawn: what the reader chose, and where nothing was chosen the same scale in all columns.
    pub fn view_of(&self, pane: &Pane) -> plot::View {
        let chosen = self.views.get(&pane.key);
        let is_log = |s: Option<spikedeck_signal::Scale>| s.map(|s| s == spikedeck_signal::Scale::Log);
        let linked = self.linked(pane);
        let mut view = plot::View {
            x: if linked { self.time_view.or(self.whole_time()) } else { chosen.and_then(|v| v.x) },
            y: chosen.and_then(|v| v.y),
            z: pane.movie.as_ref().map(|m| m.range()),
            x_log: chosen.and_then(|v| is_log(v.x_scale)),
            y_log: chosen.and_then(|v| is_log(v.y_scale)),
            scroll: chosen.map_or(0, |v| v.scroll),
            ..plot::View::default()
        };
        if self.columns.len() > 1 {
            let others: Vec<_> = self
                .columns
                .iter()
                .filter_map(|c| c.content.as_deref()?.pane(&pane.key))
                .filter_map(|p| fitted(p, &view))
                .collect();
            if others.len() > 1 {
                let x = others.iter().map(|f| Some(f.x)).fold(None, join);
                let y = others.iter().map(|f| Some(f.y)).fold(None, join);
                let same_rows = !matches!(pane.shape.shape, Shape::Raster(_) | Shape::Matrix(_));
                view.x = view.x.or(x.filter(|_| same_rows || pane.is_time()));
                view.y = view.y.or(y.filter(|_| same_rows));
                view.y_below = others.iter().map(|f| f.below).fold(None, join);
                view.z = self.colours(pane).or(others.iter().map(|f| f.z).fold(None, join));
            }
        }
        if let Some(moment) = self.moment.filter(|_| linked && !self.cross_on) {
            // Where in time the planes are.
            view.cursor = Some(moment);
        } else if self.cross_on {
            view.cursor = self.cross.get(self.cross_key(pane, linked)).copied();
        }
        view
    }

    /// Colours of a plane that moves, the same in all columns.
    fn colours(&self, pane: &Pane) -> Option<Range> {
        let planes = self.columns.iter().filter_map(|c| c.content.as_deref()?.pane(&pane.key)?.movie.as_ref());
        planes.map(|m| Some(m.range())).fold(None, join)
    }

    /// Under which key a pane's crosshair is kept.
    pub fn cross_key<'a>(&self, pane: &'a Pane, linked: bool) -> &'a str {
        if linked { LINKED } else { &pane.key }
    }

    /// Ranges that a pane shows now, with logarithms: (x, x log), (y, y log).
    pub fn ranges(&self, pane: &Pane) -> Option<((Range, bool), (Range, bool))> {
        let scene = plot::scene::with_pyramids(&pane.shape, &self.view_of(pane), &pane.pyramids);
        match &scene.body {
            plot::scene::Body::Plot(p) => p.panels.first().map(|p| ((p.x.range, p.x.log), (p.y.range, p.y.log))),
            _ => None,
        }
    }

    /// Keeps a time range inside what was recorded.
    pub fn inside_time(&self, range: Range) -> Range {
        self.whole_time().map_or(range, |whole| inside(range, whole))
    }
}

/// Ranges that a pane shows by itself under a view.
struct Fitted {
    x: Range,
    y: Range,
    /// Of the panel below the first.
    below: Option<Range>,
    /// Of the colours.
    z: Option<Range>,
}

fn fitted(pane: &Pane, view: &plot::View) -> Option<Fitted> {
    let scene = plot::scene::with_pyramids(&pane.shape, view, &pane.pyramids);
    match &scene.body {
        plot::scene::Body::Plot(p) => p.panels.first().map(|a| Fitted {
            x: a.x.range,
            y: a.y.range,
            below: p.panels.get(1).map(|b| b.y.range),
            z: p.colour_bar.as_ref().map(|c| c.range),
        }),
        _ => None,
    }
}
