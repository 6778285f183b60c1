//! The workbench of a column: every value of its scenario, what was changed, what is asked for and not yet understood.
//!
//! A change is understood (by the same reader as the file) before it is taken: what is wrong changes nothing. One
//! question is under way at a time, and the newest waits behind it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::state::source::{Settings, unquoted};
use spikedeck_scenario::Adjustable;

/// Number of a question whether a scenario can be understood.
pub type AskId = u64;

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The scenario as it is: its values, and whether its file is sound.
    Look,
    /// A change at a path; one that goes on from the last (a held key) is one with it for undo.
    Change {
        /// Which value.
        path: String,
        /// Whether it goes on from the last.
        slides: bool,
    },
    /// One change back.
    Undo,
    /// One change on.
    Redo,
}

/// A question: what the settings would be, and what is to be done when they are understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The settings.
    pub set: Settings,
    /// What it is about.
    pub kind: Kind,
    /// Whether it is run then, whatever it takes.
    pub run: bool,
}

/// A value that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub path: String,
    /// The value, as TOML text.
    pub value: Option<String>,
    /// Why, as the file would be told.
    pub why: String,
}

/// The workbench of a column.
#[derive(Debug, Clone, Default)]
pub struct Bench {
    /// Every value, as it was understood last; none before that.
    pub list: Option<Arc<Vec<Adjustable>>>,
    /// What the column began with: reset goes back to it.
    pub begun: Settings,
    /// The last value that was refused.
    pub refused: Option<Refused>,
    /// Settings changed since they were run.
    pub stale: bool,
    /// It is run again when what runs is over.
    pub again: bool,
    /// The duration is doubled when the values are known.
    pub longer: bool,
    past: Vec<Settings>,
    future: Vec<Settings>,
    /// What stood at a path before it was changed first.
    was: HashMap<String, String>,
    slid: Option<String>,
    asking: Option<(AskId, Want)>,
    next: Option<Want>,
}

impl Bench {
    /// One that begins with settings.
    pub fn new(begun: Settings) -> Self {
        Self { begun, ..Self::default() }
    }

    /// The same with nothing changed: what was changed stands in the file.
    pub fn of_file(&self) -> Self {
        Self { list: self.list.clone(), stale: self.stale, ..Self::default() }
    }

    /// The values, in order.
    pub fn values(&self) -> &[Adjustable] {
        self.list.as_deref().map_or(&[], Vec::as_slice)
    }

    /// The value at a path, as it was understood.
    pub fn value(&self, path: &str) -> Option<&Adjustable> {
        self.values().iter().find(|a| a.path == path)
    }

    /// What is asked for at a path, refused there, or stands there; as TOML text.
    pub fn shown(&self, path: &str) -> Option<String> {
        let of = |set: &Settings| set.iter().rev().find(|(p, _)| p == path).map(|(_, v)| v.clone());
        let wanted =
            |w: &Want| matches!(&w.kind, Kind::Change { path: p, .. } if p == path).then(|| of(&w.set)).flatten();
        let newest = self.next.as_ref().and_then(wanted).or_else(|| self.asking.as_ref().and_then(|(_, w)| wanted(w)));
        let refused = || self.refused.as_ref().filter(|r| r.path == path).and_then(|r| r.value.clone());
        newest.or_else(refused).or_else(|| self.value(path)?.value.clone())
    }

    /// What stood at a path before it was changed, if it was.
    pub fn was(&self, path: &str) -> Option<&str> {
        self.was.get(path).map(|v| unquoted(v))
    }

    /// Whether a question is under way.
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// The newest settings that were asked for; those of the column otherwise.
    pub fn newest<'a>(&'a self, own: &'a Settings) -> &'a Settings {
        let newest = self.next.as_ref().or(self.asking.as_ref().map(|(_, w)| w));
        newest.map_or(own, |w| &w.set)
    }

    /// Takes a question: what is to be asked now, if nothing is under way; else it waits, and is the only one that
    /// does.
    pub fn ask(&mut self, mut want: Want, id: AskId) -> Option<(AskId, Settings)> {
        if self.asking.is_some() {
            // A look at the file is part of every question; what is to be run stays so.
            match self.next.take() {
                Some(next) if want.kind == Kind::Look => want = Want { run: next.run || want.run, ..next },
                Some(next) => want.run |= next.run,
                None => {}
            }
            self.next = Some(want);
            return None;
        }
        let set = want.set.clone();
        self.asking = Some((id, want));
        Some((id, set))
    }

    /// The answer to a question came: what it was about, if it is the one under way.
    pub fn answered(&mut self, id: AskId) -> Option<Want> {
        self.asking.take_if(|(asked, _)| *asked == id).map(|(_, want)| want)
    }

    /// What waits behind the question that was answered.
    pub fn take_next(&mut self) -> Option<Want> {
        self.next.take()
    }

    /// Takes what was understood: `own` are the settings of the column, changed here. Whether they are others now.
    pub fn accept(&mut self, want: &Want, list: Arc<Vec<Adjustable>>, own: &mut Settings) -> bool {
        let changed = *own != want.set;
        match &want.kind {
            Kind::Change { path, slides } if changed => {
                let before = self.value(path).and_then(|a| a.value.clone()).unwrap_or_default();
                self.was.entry(path.clone()).or_insert(before);
                if !(*slides && self.slid.as_deref() == Some(path)) {
                    self.past.push(own.clone());
                }
                self.future.clear();
            }
            // What changes nothing is no step of undo.
            Kind::Look | Kind::Change { .. } => {}
            Kind::Undo => {
                if self.past.pop().is_some() {
                    self.future.push(own.clone());
                }
            }
            Kind::Redo => {
                if self.future.pop().is_some() {
                    self.past.push(own.clone());
                }
            }
        }
        self.slid = match &want.kind {
            Kind::Change { path, slides: true } if changed => Some(path.clone()),
            Kind::Look | Kind::Change { slides: true, .. } => self.slid.take(),
            Kind::Change { .. } | Kind::Undo | Kind::Redo => None,
        };
        self.list = Some(list);
        self.refused = None;
        own.clone_from(&want.set);
        let begun = &self.begun;
        self.was.retain(|path, _| own.iter().any(|s| s.0 == *path && !begun.contains(s)));
        self.stale |= changed;
        changed
    }

    /// The settings before the last change.
    pub fn before(&self) -> Option<&Settings> {
        self.past.last()
    }

    /// The settings after the change that was taken back last.
    pub fn after(&self) -> Option<&Settings> {
        self.future.last()
    }

    /// What `own` has that the column did not begin with: paths, in order.
    pub fn changed<'a>(&'a self, own: &'a Settings) -> impl Iterator<Item = &'a str> {
        own.iter().filter(|s| !self.begun.contains(s)).map(|(path, _)| path.as_str())
    }
}

/// Settings with a value put at a path: where it is set already, there; else at the end.
pub fn with(set: &Settings, path: &str, value: &str) -> Settings {
    let mut set: Settings = set.iter().filter(|(p, _)| p != path).cloned().collect();
    set.push((path.to_owned(), value.to_owned()));
    set
}

/// Settings without the one at a path.
pub fn without(set: &Settings, path: &str) -> Settings {
    set.iter().filter(|(p, _)| p != path).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What leads to the settings that there are is no step of undo, and leaves what can be taken on again.
    #[test]
    fn a_change_that_changes_nothing_is_no_step() {
        let value = |v: &str| with(&Settings::new(), "a.b", v);
        for slides in [false, true] {
            let change = |set: Settings| Want { set, kind: Kind::Change { path: "a.b".into(), slides }, run: false };
            let (mut bench, mut own) = (Bench::default(), Settings::new());
            let list = Arc::new(Vec::new());
            assert!(!bench.accept(&change(Settings::new()), list.clone(), &mut own));
            assert_eq!(bench.before(), None);
            assert!(bench.accept(&change(value("1")), list.clone(), &mut own));
            assert!(!bench.accept(&change(value("1")), list.clone(), &mut own));
            assert_eq!((bench.past.len(), bench.before()), (1, Some(&Settings::new())));
            let undo = Want { set: Settings::new(), kind: Kind::Undo, run: false };
            assert!(bench.accept(&undo, list.clone(), &mut own));
            assert!(!bench.accept(&change(Settings::new()), list, &mut own));
            assert_eq!(bench.after(), Some(&value("1")), "{slides}");
        }
    }
}
