//! Commands of the gallery, and typing into its search line.

use crossterm::event::KeyCode;

use crate::input::motion::Motion;
use crate::input::run::open;
use crate::state::app::{App, Screen};
use crate::state::keys::Key;
use crate::state::layout;
use crate::state::message::Effect;

/// Moves the choice; to the right shows variants, and then more of the preview.
pub fn moved(app: &mut App, motion: Motion) -> Vec<Effect> {
    let list = layout::gallery(app.size.0, app.size.1).list;
    let page = isize::from(i16::try_from(list.height).unwrap_or(i16::MAX)).max(2) - 1;
    let gallery = &mut app.gallery;
    match motion {
        Motion::Up => gallery.step(-1),
        Motion::Down => gallery.step(1),
        Motion::PageUp => gallery.step(-page),
        Motion::PageDown => gallery.step(page),
        Motion::Home => gallery.step(isize::MIN / 2),
        Motion::End => gallery.step(isize::MAX / 2),
        Motion::Left => {
            if gallery.scroll > 0 || !gallery.unfold(false) {
                gallery.scroll = gallery.scroll.saturating_sub(3);
            }
        }
        Motion::Right => {
            if !gallery.unfold(true) {
                gallery.scroll += 3;
            }
        }
    }
    app.ask_preview()
}

/// Keys go into the search line from now on.
pub fn search(app: &mut App) {
    app.gallery.typing = true;
}

/// Marks the chosen entry and goes to the next one.
pub fn mark(app: &mut App) -> Vec<Effect> {
    app.gallery.toggle_mark();
    app.gallery.step(1);
    app.ask_preview()
}

/// Runs what is marked, or the chosen entry.
pub fn run(app: &mut App) -> Vec<Effect> {
    let sources = app.gallery.take_chosen();
    if sources.is_empty() { app.ask_preview() } else { open(app, sources) }
}

/// Back to the runs that are open.
pub fn runs(app: &mut App) {
    if !app.columns.is_empty() {
        app.screen = Screen::Run;
    }
}

/// Clears the search, then the marks; then back to the runs.
pub fn escape(app: &mut App) -> Vec<Effect> {
    if !app.gallery.query.is_empty() {
        app.gallery.clear_query();
    } else if !app.gallery.marked.is_empty() {
        app.gallery.marked.clear();
    } else {
        runs(app);
    }
    app.ask_preview()
}

/// A key while the search line has the keys; whether it was used.
pub fn typed(app: &mut App, key: Key) -> bool {
    match key.code {
        KeyCode::Esc => {
            app.gallery.typing = false;
            app.gallery.clear_query();
        }
        // A space is part of what is looked for.
        KeyCode::Tab => {
            app.gallery.toggle_mark();
            let told = app.gallery.marked.len();
            app.say(format!("{told} marked; Enter shows them side by side, Tab marks and takes marks away"), false);
            app.gallery.clear_query();
        }
        KeyCode::Backspace => {
            app.gallery.query.pop();
            app.gallery.filter();
        }
        KeyCode::Enter => {
            app.gallery.typing = false;
            return false;
        }
        _ => match key.typed() {
            Some(c) => type_char(app, c),
            None => return false,
        },
    }
    true
}

/// A character for the search line.
pub fn type_char(app: &mut App, c: char) {
    app.gallery.query.push(c);
    app.gallery.filter();
}
