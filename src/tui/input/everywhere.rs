//! Commands that apply on every screen.

use crate::input::motion::Motion;
use crate::input::{gallery, pane, panel, run};
use crate::state::app::{App, Screen};
use crate::state::columns::Column;
use crate::state::message::Effect;
use crate::state::overlay::Overlay;

fn moved(app: &mut App, motion: Motion) -> Vec<Effect> {
    match app.screen {
        Screen::Gallery => gallery::moved(app, motion),
        Screen::Run if app.panel.is_some() => panel::moved(app, motion),
        Screen::Run => {
            pane::moved(app, motion);
            Vec::new()
        }
    }
}

/// Moves up.
pub fn up(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::Up)
}

/// Moves down.
pub fn down(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::Down)
}

/// Moves left.
pub fn left(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::Left)
}

/// Moves right.
pub fn right(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::Right)
}

/// Moves a page up.
pub fn page_up(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::PageUp)
}

/// Moves a page down.
pub fn page_down(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::PageDown)
}

/// Moves to the start.
pub fn home(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::Home)
}

/// Moves to the end.
pub fn end(app: &mut App) -> Vec<Effect> {
    moved(app, Motion::End)
}

/// Shows the help.
pub fn help(app: &mut App) {
    app.overlay = Some(Overlay::Help { query: String::new(), scroll: 0 });
}

/// Shows the palette.
pub fn palette(app: &mut App) {
    app.overlay = Some(Overlay::Palette { query: String::new(), selected: 0 });
}

/// Shows the jobs, the newest one chosen.
pub fn jobs(app: &mut App) {
    app.overlay = Some(Overlay::Jobs { selected: app.jobs.list().len().saturating_sub(1) });
}

/// Shows the end of the log.
pub fn log(app: &mut App) {
    app.overlay = Some(Overlay::Log { up: 0 });
}

/// Closes what is open on this screen.
pub fn escape(app: &mut App) -> Vec<Effect> {
    match app.screen {
        Screen::Gallery => gallery::escape(app),
        Screen::Run => run::escape(app),
    }
}

/// Switches the mouse.
pub fn mouse(app: &mut App) -> Vec<Effect> {
    app.mouse = !app.mouse;
    app.drag = None;
    let text = if app.mouse {
        "mouse on: wheel zooms, click focuses, drag zooms into a box"
    } else {
        "mouse off: the terminal selects text"
    };
    app.say(text, false);
    vec![Effect::Mouse(app.mouse)]
}

/// Exit status of Ctrl-C: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;
/// What the command line named was refused.
const REFUSED: i32 = 2;

/// Leaves, or asks first if something runs, or took long and was not written.
pub fn quit(app: &mut App) -> Vec<Effect> {
    if app.jobs.busy() || app.columns.list().iter().any(Column::would_be_missed) {
        app.overlay = Some(Overlay::Quit);
        return Vec::new();
    }
    leave(app, status(app))
}

/// Stops what runs; leaves if nothing does, or if it was asked before and has not stopped.
pub fn interrupt(app: &mut App) -> Vec<Effect> {
    let stopping = app.jobs.cancel_all();
    if stopping.is_empty() { leave(app, INTERRUPTED) } else { stopping }
}

/// Exit status when somebody leaves: scripts are told what the screen said, that a named scenario or run was refused.
pub fn status(app: &App) -> i32 {
    if app.columns.refused() { REFUSED } else { 0 }
}

/// Stops everything and ends with an exit status.
pub fn leave(app: &mut App, code: i32) -> Vec<Effect> {
    let mut effects = app.jobs.cancel_all();
    effects.push(Effect::Quit(code));
    effects
}
