//! The dashboard without a terminal: scenarios are run, keys pressed, and what is on the screen is a picture. This
//! makes README's picture and the thumbnails of the gallery (`.ci/tour`).
//!
//! ```no_run
//! use spikedeck_tui::tour::Tour;
//!
//! let mut tour = Tour::start(&["balanced-cuba"], (120, 40)).unwrap();
//! tour.press("tab z").unwrap();
//! assert!(tour.picture().starts_with("<svg"));
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::draw;
use crate::input::commands::keymap;
use crate::panes::content::Content;
use crate::session::LocalBackend;
use crate::session::backend::Backend;
use crate::state::app::App;
use crate::state::keys::Key;
use crate::state::message::{Effect, JobEvent, JobId, Message};
use crate::state::source::{Asked, Source};
use crate::state::theme::Theme;
use crate::update::{begin, update};
use spikedeck_plot::{self as plot, Depth, View};
use spikedeck_run::{self as run, Finished};

/// A dashboard that is led by a script.
#[derive(Debug)]
pub struct Tour {
    app: App,
    backend: LocalBackend,
}

impl Tour {
    /// Opens scenarios (or the gallery, where there are none) on so many cells, dark, with all colours, and waits until
    /// they have run.
    ///
    /// # Errors
    /// What is wrong with a scenario, or went wrong in its run.
    pub fn start(references: &[&str], size: (u16, u16)) -> Result<Self, String> {
        let backend = LocalBackend::default();
        let look = plot::Look {
            palette: plot::Palette { theme: plot::Theme::Dark, depth: Depth::True, ..plot::Palette::default() },
            ..plot::Look::default()
        };
        // What lies in this folder is on nobody else's screen.
        let entries = backend.entries().into_iter().filter(|e| e.group != crate::state::gallery::Group::Own).collect();
        let mut app = App::new(keymap(&[]).0, Theme::new(false, Depth::True), look, entries, size);
        let sources = references.iter().map(|r| Source::Scenario(Asked::from(*r))).collect();
        let effects = begin(&mut app, sources);
        let mut tour = Self { app, backend };
        tour.settle(effects)?;
        Ok(tour)
    }

    /// Presses keys, with spaces between them, and waits until what they started is over.
    ///
    /// # Errors
    /// What is no key; what went wrong in a run that they started.
    pub fn press(&mut self, keys: &str) -> Result<(), String> {
        for text in keys.split_whitespace() {
            let effects = update(&mut self.app, Message::Key(Key::parse(text)?));
            self.settle(effects)?;
        }
        Ok(())
    }

    /// The screen as it is, as SVG.
    pub fn picture(&self) -> String {
        plot::svg::of_grid(&draw::grid(&self.app), self.app.look.palette)
    }

    /// The screen as it is, as lines of text.
    pub fn text(&self) -> String {
        draw::grid(&self.app).to_plain()
    }

    /// Does what is to be done, and what follows from it.
    fn settle(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        let mut left = VecDeque::from(effects);
        while let Some(effect) = left.pop_front() {
            let messages = match effect {
                Effect::Start(id, Source::Scenario(asked)) => self.run(id, &asked)?,
                Effect::Preview(index, source) => vec![Message::Preview(index, self.backend.preview(&source))],
                Effect::Understand(id, asked) => {
                    vec![Message::Understood(id, self.backend.understand(&asked).map(Arc::new))]
                }
                // A tour leaves no files, and nobody sees what goes to a clipboard.
                _ => Vec::new(),
            };
            for message in messages {
                left.extend(update(&mut self.app, message));
            }
        }
        Ok(())
    }

    fn run(&self, id: JobId, asked: &Asked) -> Result<Vec<Message>, String> {
        let prepared = self.backend.prepare(asked)?;
        let resolved = JobEvent::Resolved {
            label: prepared.label,
            path: None,
            beside: Vec::new(),
            time: prepared.time,
            facts: prepared.facts,
        };
        let done = JobEvent::Done(Arc::new(shown(asked, true)?));
        Ok(vec![Message::Job(id, resolved), Message::Job(id, done)])
    }
}

/// What a scenario shows when it has run, with its trials and, if so `swept`, with the points of its sweep.
fn shown(asked: &Asked, swept: bool) -> Result<Content, String> {
    let (spec, _) = run::load(&asked.reference, &asked.set).map_err(|e| e.render(false))?;
    let points = run::points(&spec, &|more| run::again(&spec, more)).map_err(|e| e.to_string())?;
    let spec = Arc::new(spec);
    let (cancel, tell): (_, run::Tell) = (AtomicBool::new(false), Arc::new(|_| {}));
    let options = run::Options { threads: 1, ..run::Options::default() };
    let finished = if points.len() > 1 && (swept || spec.trials.is_some()) {
        run::ensemble(&spec, &points, options, &cancel, &tell).map(|e| e.finished)
    } else {
        run::execute(&spec, options, &cancel, &tell).map(Arc::new)
    };
    Ok(Content::of(&Arc::new(timeless(finished.map_err(|e| e.to_string())?))))
}

/// A run as if it had taken no time, which is different on every machine.
fn timeless(finished: Arc<Finished>) -> Finished {
    let mut finished = Arc::unwrap_or_clone(finished);
    let facts = &mut finished.facts;
    (facts.build_seconds, facts.simulate_seconds, facts.analyse_seconds) = (0.0, 0.0, 0.0);
    facts.threads = 1;
    finished
}

/// What a scenario shows first when it has run (of a sweep its first point), small and without words, as the gallery
/// keeps it; nothing where it shows no picture.
///
/// # Errors
/// What is wrong with the scenario, or went wrong in its run.
pub fn thumbnail(reference: &str) -> Result<Option<String>, String> {
    Ok(small(&shown(&Asked::from(reference), false)?))
}

fn small(content: &Content) -> Option<String> {
    content.panes.iter().find_map(|pane| {
        let x = content.opening.filter(|_| pane.is_time_of_run());
        let grid = plot::thumbnail::of(pane.scene(&View { x, ..View::default() }))?;
        Some(plot::thumbnail::written(&grid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario is run, keys do what they do, and the picture is that of the screen.
    #[test]
    fn a_script_leads_through_the_dashboard() {
        let mut tour = Tour::start(&[], (120, 40)).unwrap();
        assert!(tour.text().contains("scenarios and runs"), "{}", tour.text());
        tour.press("/ h e n o n enter").unwrap();
        let opened = tour.text();
        assert!(opened.contains("henon-map") && opened.contains("expected"), "{opened}");
        assert!(!opened.contains("scenarios and runs"), "{opened}");
        tour.press("?").unwrap();
        assert!(tour.text().contains("─ Help"), "{}", tour.text());
        assert!(tour.picture().starts_with("<svg"));
        assert!(tour.press("no-key").is_err());
        assert!(Tour::start(&["no-such-scenario"], (120, 40)).unwrap_err().contains("no-such-scenario"));
    }

    #[test]
    fn a_run_has_a_thumbnail() {
        let text = small(&crate::testing::content("a", 10.0)).unwrap();
        let grid = plot::thumbnail::read(&text).unwrap();
        assert_eq!((grid.width, grid.height), (plot::thumbnail::WIDTH, plot::thumbnail::HEIGHT));
        assert_eq!(small(&Content::default()), None);
    }
}
