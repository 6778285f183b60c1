//! The line of tabs above the panes, as text: used by drawing and by the mouse alike.

use unicode_width::UnicodeWidthStr as _;

use crate::number::fit;
use crate::state::app::App;
use crate::state::layout::RunLayout;

/// Between two tabs.
pub const GAP: &str = "   ";

/// What the line of tabs says.
#[derive(Debug)]
pub struct Tabs {
    /// At the right end: which page this is, if there are several.
    pub page: String,
    /// All tabs.
    pub labels: Vec<String>,
    /// The first one that is shown: as many before the focused one as leave room for it.
    pub first: usize,
}

impl Tabs {
    /// The tabs of a run view.
    pub fn of(app: &App, layout: &RunLayout) -> Self {
        let page =
            if layout.pages > 1 { format!(" page {} of {} ", layout.page + 1, layout.pages) } else { String::new() };
        let width = usize::from(layout.tabs.width).saturating_sub(page.width());
        let focus = app.columns.pane_index();
        let labels: Vec<String> = app
            .columns
            .keys()
            .iter()
            .enumerate()
            .map(|(i, k)| format!("{} {}", i + 1, fit(title_of(app, k), 22)))
            .collect();
        let mut first = 0;
        while first < focus && labels[first..=focus].iter().map(|l| l.width() + GAP.len()).sum::<usize>() > width {
            first += 1;
        }
        Self { page, labels, first }
    }
}

/// The pane whose tab is at a cell of the screen, if there is one.
pub fn tab_at(app: &App, (x, y): (u16, u16)) -> Option<usize> {
    let layout = app.layout();
    let area = layout.tabs;
    let tabs = Tabs::of(app, &layout);
    let width = usize::from(area.width).saturating_sub(tabs.page.width());
    let x = usize::from(x.checked_sub(area.x)?);
    if area.height == 0 || y != area.y || x >= width {
        return None;
    }
    let mut from = 1;
    for (i, label) in tabs.labels.iter().enumerate().skip(tabs.first) {
        let to = from + label.width() + GAP.len();
        if x >= from && x < to {
            return Some(i);
        }
        from = to;
    }
    None
}

/// Heading of the pane of a key, in the first column that has it.
pub fn title_of<'a>(app: &'a App, key: &'a str) -> &'a str {
    app.columns.panes(key).next().map_or("", |p| p.title.as_str())
}
