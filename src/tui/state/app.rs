//! The state of the dashboard: plain data. [`crate::update::update`] changes it, [`crate::draw::draw`] looks at it.

use std::time::Duration;

use crate::state::bench::AskId;
use crate::state::columns::Columns;
use crate::state::gallery::{Entry, Gallery};
use crate::state::jobs::{Job, Jobs};
use crate::state::keymap::{Context, Keymap};
use crate::state::layout::{self, Extent, RunLayout, RunQuery};
use crate::state::log::Log;
use crate::state::message::Effect;
use crate::state::overlay::Overlay;
use crate::state::panel::Panel;
use crate::state::steps::Steps;
use crate::state::theme::Theme;
use crate::state::view::Views;
use spikedeck_plot as plot;

/// Which screen is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Screen {
    /// The list of scenarios.
    #[default]
    Gallery,
    /// Columns of panes.
    Run,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct App {
    /// Cells.
    pub size: (u16, u16),
    /// Which screen.
    pub screen: Screen,
    /// Gallery.
    pub gallery: Gallery,
    /// Columns, and which pane has the focus.
    pub columns: Columns,
    /// How much the focused pane takes.
    pub extent: Extent,
    /// What the reader chose to see of each pane.
    pub views: Views,
    /// Planes go through time.
    pub playing: bool,
    /// Time at which planes are shown; none is the end.
    pub moment: Option<f64>,
    /// The panel of parameters, where it is open.
    pub panel: Option<Panel>,
    /// Number of the last question whether a scenario can be understood.
    pub asks: AskId,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// Row of the command that opened it, whose key also closes it.
    pub opened_by: Option<usize>,
    /// Jobs.
    pub jobs: Jobs,
    /// Log, and the line in the footer.
    pub log: Log,
    /// What a newcomer is told to do next.
    pub steps: Steps,
    /// How the link does, when it holds frames back: bytes a second and time a frame.
    pub link: Option<(f64, Duration)>,
    /// Mouse is on.
    pub mouse: bool,
    /// Where a drag began and is.
    pub drag: Option<((u16, u16), (u16, u16))>,
    /// Keys.
    pub keymap: Keymap,
    /// Looks.
    pub theme: Theme,
    /// Colours and marks of plots.
    pub look: plot::Look,
    /// Something changed since the last frame.
    pub dirty: bool,
}

impl App {
    /// A dashboard over a list of entries.
    pub fn new(keymap: Keymap, theme: Theme, look: plot::Look, entries: Vec<Entry>, size: (u16, u16)) -> Self {
        Self {
            size,
            screen: Screen::Gallery,
            gallery: Gallery::new(entries),
            columns: Columns::default(),
            extent: Extent::Shared,
            views: Views::default(),
            playing: false,
            moment: None,
            panel: None,
            asks: 0,
            overlay: None,
            opened_by: None,
            jobs: Jobs::default(),
            log: Log::default(),
            steps: Steps::default(),
            link: None,
            mouse: false,
            drag: None,
            keymap,
            theme,
            look,
            dirty: true,
        }
    }

    /// Context of keys.
    pub fn context(&self) -> Context {
        match self.screen {
            Screen::Gallery => Context::Gallery,
            Screen::Run if self.panel.is_some() => Context::Panel,
            Screen::Run => Context::Run,
        }
    }

    /// A line for footer and log.
    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        self.log.say(text, bad);
    }

    /// Where everything of the run view stands.
    pub fn layout(&self) -> RunLayout {
        layout::run(RunQuery {
            size: self.size,
            columns: if self.columns.combined().is_some() { 1 } else { self.columns.len() },
            panes: self.columns.keys().len(),
            focus: (
                if self.columns.combined().is_some() { 0 } else { self.columns.focus() },
                self.columns.pane_index(),
            ),
            extent: self.extent,
            panel: self.panel.is_some(),
            second: self.rows_of_second(),
            plane: self.leads_with_plane(),
        })
    }

    /// Whether the first pane is a plane, in every column that has it.
    fn leads_with_plane(&self) -> bool {
        let key = self.columns.keys().first();
        let mut panes = key.into_iter().flat_map(|key| self.columns.panes(key)).peekable();
        panes.peek().is_some() && panes.all(crate::panes::pane::Pane::keeps_proportions)
    }

    /// Rows that the second pane needs for the numbers that are expected: those, their heading, and the title.
    fn rows_of_second(&self) -> u16 {
        let key = self.columns.keys().get(1);
        let panes = key.into_iter().flat_map(|key| self.columns.panes(key));
        let rows = panes.map(|p| p.expected_rows() + 2 + usize::from(!p.warnings.is_empty()));
        u16::try_from(rows.max().unwrap_or(0)).unwrap_or(u16::MAX)
    }

    /// The job of a column.
    pub fn job_of(&self, column: usize) -> Option<&Job> {
        self.jobs.get(self.columns.get(column)?.job)
    }

    /// Asks for the preview of the chosen entry, if it was not asked for before.
    pub fn ask_preview(&mut self) -> Vec<Effect> {
        self.gallery.ask_preview().map(|(index, source)| Effect::Preview(index, source)).into_iter().collect()
    }

    /// A dark or a light background.
    pub fn set_background(&mut self, light: bool) {
        self.theme = Theme::new(light, self.theme.depth);
        self.look.palette.theme = if light { plot::Theme::Light } else { plot::Theme::Dark };
    }
}
