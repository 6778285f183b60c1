//! The columns of the run view, which pane of which column has the focus, and what is held back while the picture is
//! frozen. What a column shows changes only here, so that the list of panes is made once a change and not once a look.

use std::path::PathBuf;
use std::sync::Arc;

use crate::panes::content::{Content, Pane};
use crate::panes::together::{Together, apart, combined, numbers_less};
use crate::state::bench::Bench;
use crate::state::message::{Effect, JobId};
use crate::state::source::{Asked, Source};
use crate::state::view::{Range, join};
use spikedeck_run::Finished;

/// Seconds that a run takes whose results are not thrown away without asking.
const LONG: f64 = 10.0;

/// Seconds of a run that goes along with a held key.
pub const QUICK: f64 = 1.0;

/// Seconds of a run that a person takes for no time at all.
const AT_ONCE: f64 = 0.2;

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
    /// Other files that it names, watched too.
    pub beside: Vec<PathBuf>,
    /// That file is another one now.
    pub changed: bool,
    /// Whole time axis.
    pub time: Option<Range>,
    /// Its size, as soon as it is known: name and value.
    pub facts: Vec<(String, String)>,
    /// Why there is nothing, or why the last attempt gave nothing.
    pub error: Option<String>,
    /// Whether what it shows was written as a whole run.
    pub written: bool,
    /// What is changed in it.
    pub bench: Bench,
    /// What it shows is of the run before the one that goes on.
    old: bool,
    content: Option<Arc<Content>>,
    /// What arrived while the picture was frozen.
    waiting: Option<Arc<Content>>,
}

impl Column {
    /// A column that waits for its job.
    pub fn new(source: Source, job: JobId) -> Self {
        Self {
            label: source.label(),
            path: source.asked().and_then(Asked::file),
            beside: Vec::new(),
            bench: Bench::new(source.asked().map(|a| a.set.clone()).unwrap_or_default()),
            old: false,
            source,
            job,
            changed: false,
            time: None,
            facts: Vec::new(),
            error: None,
            written: false,
            content: None,
            waiting: None,
        }
    }

    /// Seconds that the run took which it shows; none where none is over.
    pub fn cost(&self) -> Option<f64> {
        let facts = &self.content.as_deref()?.finished.as_deref()?.facts;
        Some(facts.build_seconds + facts.simulate_seconds + facts.analyse_seconds)
    }

    /// Whether what it shows is of other settings than those that are chosen or run now. A run that is over at once
    /// replaces what is shown without that being said.
    pub fn is_of_before(&self) -> bool {
        let renewed = self.old && self.cost().is_none_or(|c| c > AT_ONCE);
        self.content.is_some() && (self.bench.stale || renewed || self.error.is_some())
    }

    /// Whether what is shown stays until the run is over: it takes so little that parts of it would flicker.
    pub fn waits_for_all(&self) -> bool {
        self.old && self.cost().is_some_and(|c| c < QUICK)
    }

    /// Whether what it shows took long to compute and stands nowhere else.
    pub fn would_be_missed(&self) -> bool {
        let computed = self.content.as_deref().and_then(|c| c.finished.as_deref());
        matches!(self.source, Source::Scenario(_))
            && !self.written
            && computed.is_some_and(|run| run.facts.simulate_seconds + run.facts.analyse_seconds >= LONG)
    }

    /// What is told of a run that was computed and written nowhere, when the dashboard is left: how it is had again.
    pub fn unwritten(&self) -> Option<String> {
        let asked = self.source.asked().filter(|_| !self.written)?;
        self.content.as_deref()?.finished.as_ref()?;
        Some(format!("{} was not kept: `{} --out DIR` runs it again and keeps it", self.label, asked.command()))
    }

    /// What is shown.
    pub fn content(&self) -> Option<&Arc<Content>> {
        self.content.as_ref()
    }

    /// The pane of a key.
    pub fn pane(&self, key: &str) -> Option<&Pane> {
        self.content.as_deref()?.pane(key)
    }

    /// From now on a new job fills it; what it shows stays until then.
    pub fn restarted(&mut self, job: JobId) {
        (self.job, self.changed, self.error, self.waiting) = (job, false, None, None);
        (self.bench.stale, self.bench.again) = (false, false);
        self.old = true;
    }
}

/// All columns.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    list: Vec<Column>,
    /// The focused one.
    focus: usize,
    /// Key of the focused pane, the same in all columns; until one is chosen the first one is, whichever that is while
    /// a run goes on and when it is over.
    pane: Option<String>,
    /// Keys of all panes, in the order of the columns.
    keys: Vec<String>,
    /// The picture holds still.
    frozen: bool,
    /// What the command line named.
    named: Vec<Source>,
    /// How the panes of several columns are shown.
    together: Together,
    /// All columns in one, where they are not shown beside each other.
    combined: Option<Arc<Content>>,
}

impl Columns {
    /// All of them, from left to right.
    pub fn list(&self) -> &[Column] {
        &self.list
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One of them.
    pub fn get(&self, index: usize) -> Option<&Column> {
        self.list.get(index)
    }

    /// The same, to be changed in all but what it shows.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Column> {
        self.list.get_mut(index)
    }

    /// The column that the newest job of which this is fills.
    pub fn of_job(&self, job: JobId) -> Option<usize> {
        self.list.iter().position(|c| c.job == job)
    }

    /// Index of the focused column.
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// The focused column.
    pub fn focused(&self) -> Option<&Column> {
        self.list.get(self.focus)
    }

    /// Keys of all panes, in the order of the columns: every column shows the same pane at the same place.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Place of the focused pane in [`Columns::keys`]; until one is chosen, of the first that the focused column has.
    pub fn pane_index(&self) -> usize {
        let chosen = self.pane.as_deref().and_then(|p| self.keys.iter().position(|k| k == p));
        let first = || self.keys.iter().position(|k| self.focused().is_some_and(|c| c.pane(k).is_some()));
        chosen.or_else(first).unwrap_or(0)
    }

    /// The focused pane: of the focused column, or of all together.
    pub fn pane(&self) -> Option<&Pane> {
        self.shown(self.focus, self.pane_index())
    }

    /// The pane that a column shows at a place in [`Columns::keys`]; where all are in one, that of all.
    pub fn shown(&self, column: usize, pane: usize) -> Option<&Pane> {
        match &self.combined {
            Some(all) => all.panes.get(pane),
            None => self.list.get(column)?.pane(self.keys.get(pane)?),
        }
    }

    /// All columns in one, where they are not shown beside each other.
    pub fn combined(&self) -> Option<&Arc<Content>> {
        self.combined.as_ref()
    }

    /// How the panes of several columns are shown.
    pub fn together(&self) -> Together {
        self.together
    }

    /// Shows the panes of several columns in another way.
    pub fn bring_together(&mut self, together: Together) {
        self.together = together;
        self.combine();
    }

    fn combine(&mut self) {
        self.combined = None;
        if self.together == Together::Beside || self.list.len() < 2 {
            return;
        }
        let letter = |i: usize| char::from(b'A' + (i % 26) as u8);
        let panes = self.keys.iter().filter_map(|key| {
            let all = self.list.iter().enumerate().filter_map(|(i, c)| Some((letter(i), c.pane(key)?)));
            let all: Vec<(char, &Pane)> = all.collect();
            let (first, pane) = all.first()?;
            let runs: Option<Vec<&Finished>> =
                self.list.iter().map(|c| c.content.as_deref()?.finished.as_deref()).collect();
            if self.together == Together::Less
                && key == "numbers"
                && let Some(runs) = runs
            {
                let letters: Vec<char> = (0..runs.len()).map(letter).collect();
                return Some(Pane::new("less/numbers", "Differences", numbers_less(&runs, &letters), ""));
            }
            if all.len() == 1 && self.together == Together::Over {
                let mut one: Pane = (*pane).clone();
                one.title = format!("{first} {}", pane.title);
                return Some(one);
            }
            Some(combined(self.together, &all).unwrap_or_else(|| apart(self.together, &all, pane)))
        });
        let labels: Vec<String> =
            self.list.iter().enumerate().map(|(i, c)| format!("{} {}", letter(i), c.label)).collect();
        let finished = self.list.iter().map(|c| c.content.as_deref()?.finished.clone()).collect::<Option<Vec<_>>>();
        let finished = finished.and_then(|all| all.into_iter().next());
        let all = Content { label: labels.join("-"), panes: panes.collect(), finished, ..Content::default() };
        self.combined = Some(Arc::new(all));
    }

    /// The pane of a key in every column that has it.
    pub fn panes<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Pane> {
        self.list.iter().filter_map(move |c| c.pane(key))
    }

    /// Gives the focus to a pane, if there are so many.
    pub fn focus_pane(&mut self, index: usize) {
        if let Some(key) = self.keys.get(index) {
            self.pane = Some(key.clone());
        }
    }

    /// Gives the focus to a column, if there are so many.
    pub fn focus_column(&mut self, index: usize) {
        if index < self.list.len() {
            self.focus = index;
        }
    }

    /// New columns in place of those that are there.
    pub fn replace(&mut self, columns: Vec<Column>) {
        *self = Self { list: columns, named: std::mem::take(&mut self.named), ..Self::default() };
        self.collect_keys();
    }

    /// A new column behind the others, which has the focus now.
    pub fn add(&mut self, column: Column) {
        self.list.push(column);
        self.focus = self.list.len() - 1;
        self.collect_keys();
    }

    /// Takes the focused column away.
    pub fn remove_focused(&mut self) -> Option<Column> {
        let gone = (self.focus < self.list.len()).then(|| self.list.remove(self.focus));
        self.focus = self.focus.min(self.list.len().saturating_sub(1));
        self.collect_keys();
        gone
    }

    /// New results in a column; while the picture is frozen they wait. Gives back what was shown there.
    pub fn show(&mut self, index: usize, content: Arc<Content>) -> Option<Arc<Content>> {
        let column = self.list.get_mut(index)?;
        if self.frozen {
            column.waiting = Some(content);
            return None;
        }
        column.written = false;
        column.old = false;
        let old = column.content.replace(content);
        self.collect_keys();
        old
    }

    /// Shows all planes that move as they were at a time.
    pub fn show_moment(&mut self, time: f64) {
        for column in &mut self.list {
            if let Some(moved) = column.content.as_deref().and_then(|c| c.at_time(time)) {
                column.content = Some(Arc::new(moved));
            }
        }
        self.combine();
    }

    /// Whether the picture holds still.
    pub fn frozen(&self) -> bool {
        self.frozen
    }

    /// Holds the picture, or lets go and shows what has arrived since.
    pub fn freeze(&mut self, frozen: bool) {
        self.frozen = frozen;
        if !frozen {
            for column in &mut self.list {
                if let Some(content) = column.waiting.take() {
                    column.content = Some(content);
                    column.old = false;
                }
            }
            self.collect_keys();
        }
    }

    /// A file is another one now.
    pub fn file_changed(&mut self, path: &std::path::Path) {
        for column in &mut self.list {
            let beside = column.beside.iter().any(|p| p == path);
            column.changed |= beside || column.path.as_deref() == Some(path);
        }
    }

    /// The files that are to be watched now.
    pub fn watch(&self) -> Effect {
        let mut paths: Vec<PathBuf> = self.list.iter().flat_map(|c| c.path.iter().chain(&c.beside).cloned()).collect();
        paths.sort();
        paths.dedup();
        Effect::Watch(paths)
    }

    /// The time axis of all columns together.
    pub fn whole_time(&self) -> Option<Range> {
        self.list.iter().map(|c| c.time).fold(None, join)
    }

    /// Remembers what the command line named.
    pub fn name(&mut self, sources: &[Source]) {
        self.named = sources.to_vec();
    }

    /// Whether something that the command line named was refused.
    pub fn refused(&self) -> bool {
        self.list.iter().any(|c| c.error.is_some() && self.named.contains(&c.source))
    }

    fn collect_keys(&mut self) {
        let mut keys: Vec<String> = Vec::new();
        for content in self.list.iter().filter_map(|c| c.content.as_deref()) {
            let mut at = 0;
            for pane in &content.panes {
                if let Some(found) = keys.iter().position(|k| *k == pane.key) {
                    at = found + 1;
                } else {
                    keys.insert(at, pane.key.clone());
                    at += 1;
                }
            }
        }
        self.keys = keys;
        self.combine();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::content;
    use spikedeck_signal::Shape;

    fn two() -> Columns {
        let source = |name: &str| Source::Scenario(name.into());
        let mut columns = Columns::default();
        columns.replace(vec![Column::new(source("a"), 1), Column::new(source("b"), 2)]);
        columns
    }

    #[test]
    fn panes_that_only_one_column_has_stand_after_their_neighbour() {
        let mut columns = two();
        let (mut a, mut b) = (content("a", 10.0), content("b", 14.0));
        a.panes.retain(|p| p.key != "numbers");
        b.panes.retain(|p| p.key != "spikes");
        let all: Vec<String> = content("c", 10.0).panes.into_iter().map(|p| p.key).collect();
        columns.show(0, Arc::new(a));
        columns.show(1, Arc::new(b));
        let sorted = |keys: &[String]| {
            let mut keys = keys.to_vec();
            keys.sort();
            keys
        };
        assert_eq!(sorted(columns.keys()), sorted(&all), "every pane once");
        assert_eq!(columns.pane().unwrap().key, "spikes");
        columns.remove_focused();
        assert!(!columns.keys().contains(&"spikes".to_owned()), "what is gone has no place");
    }

    #[test]
    fn what_was_computed_and_written_nowhere_is_told() {
        let mut columns = two();
        assert_eq!(columns.list()[0].unwritten(), None, "nothing was computed");
        columns.show(0, Arc::new(content("a", 10.0)));
        let told = columns.list()[0].unwritten().unwrap();
        assert_eq!(told, "a was not kept: `spikedeck run a --out DIR` runs it again and keeps it");
        columns.get_mut(0).unwrap().written = true;
        assert_eq!(columns.list()[0].unwritten(), None);
    }

    /// A run ends with other panes than it had while it lasted: without a choice the focus is on the first, a chosen
    /// pane keeps it.
    #[test]
    fn the_focus_stays_where_it_was_put() {
        for chosen in [None, Some(0), Some(1)] {
            let mut columns = two();
            let mut live = content("a", 10.0);
            live.panes.reverse();
            columns.show(0, Arc::new(live));
            let keys = columns.keys().to_vec();
            if let Some(index) = chosen {
                columns.focus_pane(index);
            }
            columns.show(0, Arc::new(content("a", 10.0)));
            match chosen {
                None => assert_eq!(columns.pane_index(), 0),
                Some(index) => assert_eq!(columns.pane().unwrap().key, keys[index]),
            }
        }
    }

    /// All columns in one have a pane for every key, in their order; with one column left there is nothing to combine.
    #[test]
    fn columns_are_brought_together_and_apart() {
        let mut columns = two();
        columns.show(0, Arc::new(content("a", 10.0)));
        columns.show(1, Arc::new(content("b", 14.0)));
        for mode in [Together::Over, Together::Less] {
            columns.bring_together(mode);
            let all = columns.combined().unwrap();
            assert_eq!(all.panes.len(), columns.keys().len());
            let spectrum = columns.keys().iter().position(|k| k == "psd/spectrum").unwrap();
            let Shape::Series(s) = &columns.shown(1, spectrum).unwrap().shape.shape else { panic!() };
            assert_eq!(s.curves.len(), if mode == Together::Over { 2 } else { 1 }, "{mode:?}");
        }
        columns.remove_focused();
        assert!(columns.combined().is_none() && columns.pane().is_some());
        columns.bring_together(Together::Beside);
        assert!(columns.combined().is_none());
    }

    #[test]
    fn what_waits_is_listed_when_it_is_shown() {
        let mut columns = two();
        columns.freeze(true);
        assert!(columns.show(0, Arc::new(content("a", 10.0))).is_none());
        assert!(columns.keys().is_empty());
        columns.freeze(false);
        assert!(!columns.keys().is_empty());
    }
}
