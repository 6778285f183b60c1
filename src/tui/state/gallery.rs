//! The gallery's state: what can be run, what was searched, chosen and marked, and previews as they arrive.

use std::collections::{BTreeSet, HashMap};

use crate::state::search::{Hit, search};
use crate::state::source::Source;

/// A line of the gallery. Cheap: only what stands at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What Enter runs or opens.
    pub source: Source,
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// What is known of an entry before running it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Tags.
    pub tags: Vec<String>,
    /// References.
    pub references: Vec<String>,
    /// Populations: name, size, model.
    pub populations: Vec<(String, u64, String)>,
    /// Other facts: name and value (duration, connections, memory).
    pub facts: Vec<(String, String)>,
    /// Analyses, by name and kind.
    pub analyses: Vec<(String, String)>,
    /// Variants.
    pub variants: Vec<String>,
}

/// State of the gallery.
#[derive(Debug, Clone, Default)]
pub struct Gallery {
    /// Everything that can be run or opened.
    pub entries: Vec<Entry>,
    /// What was typed.
    pub query: String,
    /// Whether keys go into the query.
    pub typing: bool,
    /// What matches, best first.
    pub hits: Vec<Hit>,
    /// Chosen line of `hits`.
    pub selected: usize,
    /// Marked entries, by index, to be run side by side.
    pub marked: BTreeSet<usize>,
    /// Previews by index of the entry.
    pub previews: HashMap<usize, Result<Preview, String>>,
    /// First line of the preview that is shown.
    pub scroll: usize,
    asked: BTreeSet<usize>,
}

impl Gallery {
    /// A gallery of entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut gallery = Self { entries, ..Self::default() };
        gallery.filter();
        gallery
    }

    /// Index of the chosen entry.
    pub fn chosen(&self) -> Option<usize> {
        self.hits.get(self.selected).map(|h| h.index)
    }

    /// Searches anew.
    pub fn filter(&mut self) {
        self.hits = search(
            &self.query,
            self.entries
                .iter()
                .map(|e| [e.name.as_str(), e.title.as_str()].into_iter().chain(e.tags.iter().map(String::as_str))),
        );
        self.selected = 0;
        self.scroll = 0;
    }

    /// Moves the choice.
    pub fn step(&mut self, by: isize) {
        let last = self.hits.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
        self.scroll = 0;
    }

    /// The preview of the chosen entry is asked for, once: its index, and what it is of.
    pub fn ask_preview(&mut self) -> Option<(usize, Source)> {
        let index = self.chosen()?;
        if self.previews.contains_key(&index) || !self.asked.insert(index) {
            return None;
        }
        Some((index, self.entries[index].source.clone()))
    }

    /// Marks the chosen entry, or takes its mark away.
    pub fn toggle_mark(&mut self) {
        if let Some(index) = self.chosen()
            && !self.marked.remove(&index)
        {
            self.marked.insert(index);
        }
    }

    /// What Enter runs: all that is marked, in the order of the list, or the chosen one.
    pub fn take_chosen(&mut self) -> Vec<Source> {
        let marked = std::mem::take(&mut self.marked);
        let indices: Vec<usize> =
            if marked.is_empty() { self.chosen().into_iter().collect() } else { marked.into_iter().collect() };
        indices.into_iter().map(|i| self.entries[i].source.clone()).collect()
    }
}
