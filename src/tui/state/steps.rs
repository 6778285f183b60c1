//! The first three steps of somebody who has not been here: a hint that goes when they are taken.

/// Which of the steps were taken since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Nobody wants hints.
    pub off: bool,
    has_run: bool,
    has_changed: bool,
    has_taken: bool,
}

/// A step that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its number, of three.
    pub number: usize,
    /// The command that takes it.
    pub command: &'static str,
    /// What that does, after its key.
    pub words: &'static str,
}

const RUN: Step = Step { number: 1, command: "run", words: "runs the chosen scenario" };
const CHANGE: Step = Step { number: 2, command: "parameters", words: "changes a value, and the run follows" };
const TAKE: Step = Step { number: 3, command: "export", words: "takes a figure, a table or a report away" };

impl Steps {
    /// A command was given; whether the panel of values is open after it.
    pub fn taken(&mut self, command: &str, has_panel: bool) {
        self.has_run |= command == RUN.command;
        self.has_changed |= command == CHANGE.command && has_panel;
        self.has_taken |= command == TAKE.command;
    }

    /// The step that the gallery offers.
    pub fn in_gallery(self) -> Option<Step> {
        (!self.off && !self.has_run).then_some(RUN)
    }

    /// The step that a run offers which is over. Of one that is stored no value can be changed.
    pub fn in_run(self, is_stored: bool) -> Option<Step> {
        let steps = [(self.has_changed || is_stored, CHANGE), (self.has_taken, TAKE)];
        let left = steps.into_iter().find(|(is_taken, _)| !is_taken);
        left.map(|(_, step)| step).filter(|_| !self.off)
    }
}

#[cfg(test)]
mod tests {
    use crate::state::source::Source;
    use crate::testing::{app, buffer, press, running, text};

    /// Each step is offered until it is taken, with the key that takes it, and after the third nothing is.
    #[test]
    fn three_steps_and_then_nothing() {
        let shown = |app: &crate::app::App| text(&buffer(app));
        let mut app = app((120, 40));
        assert!(shown(&app).contains("Enter runs the chosen scenario"));
        app.steps.off = true;
        assert!(!shown(&app).contains("Enter runs the chosen scenario"));
        for size in [(120, 40), (80, 24), (200, 60)] {
            let mut app = running(size);
            assert!(shown(&app).contains("v changes a value"), "{}", shown(&app));
            press(&mut app, "v v");
            assert!(!shown(&app).contains("v changes a value") && shown(&app).contains("e takes a figure"));
            press(&mut app, "e esc");
            assert!(!shown(&app).contains("e takes a figure"), "{}", shown(&app));
            press(&mut app, "g");
            assert!(!shown(&app).contains("runs the chosen scenario"), "it was run");
        }
        // Of a finished run that was opened no value can be changed, and `v` takes no step there.
        let mut stored = running((120, 40));
        stored.columns.get_mut(0).unwrap().source = Source::Finished("runs/cuba".into());
        assert!(shown(&stored).contains("e takes a figure"), "{}", shown(&stored));
        press(&mut stored, "v");
        assert!(!stored.steps.has_changed && stored.panel.is_none());
        let mut quiet = running((120, 40));
        quiet.steps.off = true;
        assert!(!shown(&quiet).contains("changes a value"));
    }
}
