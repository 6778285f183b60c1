//! The gallery's state: what can be run, what was searched, chosen and marked, and previews as they arrive.

use std::collections::{BTreeSet, HashMap};

use crate::state::layout::scroll_to;
use crate::state::search::Hit;
use crate::state::source::{Source, split_variant};

/// The questions by which the gallery is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A few to begin with.
    Start,
    /// Of this folder, or named on the command line.
    Own,
    /// What a cell does.
    Cells,
    /// What a synapse does.
    Synapses,
    /// What many cells do.
    Networks,
    /// What oscillates.
    Rhythms,
    /// What spreads.
    Fields,
    /// What a tree does.
    Dendrites,
    /// What changes with use.
    Learning,
    /// What tells of what.
    Coding,
    /// What cannot be foretold.
    Chaos,
    /// Studies that were made again.
    Earlier,
}

impl Group {
    /// Which tags belong to which group; the first row that has a tag of a scenario decides.
    const TAGS: &'static [(Self, &'static [&'static str])] = &[
        (Self::Start, &["start here"]),
        (Self::Learning, &["plasticity", "learning", "STDP", "homeostasis"]),
        (Self::Dendrites, &["dendrite", "cable", "axon", "morphology"]),
        (Self::Fields, &["field", "grid", "pattern", "wave"]),
        (Self::Cells, &["single neuron"]),
        (Self::Rhythms, &["rhythm", "half-centre", "neural mass", "beta", "gamma", "theta", "oscillators"]),
        (
            Self::Coding,
            &[
                "information",
                "coding",
                "population code",
                "trials",
                "events",
                "spike trains",
                "spike source",
                "coherence",
            ],
        ),
        (Self::Chaos, &["chaos", "lyapunov", "map", "data analysis"]),
        (Self::Synapses, &["synapse", "receptor", "gap junction"]),
        (Self::Networks, &["network", "rate", "circuit", "mean field"]),
    ];

    fn of(name: &str, tags: &[String]) -> Self {
        if name.starts_with("prior-") {
            return Self::Earlier;
        }
        let has = |wanted: &[&str]| tags.iter().any(|t| wanted.contains(&t.as_str()));
        Self::TAGS.iter().find(|(_, wanted)| has(wanted)).map_or(Self::Cells, |(group, _)| *group)
    }

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Start => "Start here",
            Self::Own => "Of this folder",
            Self::Cells => "Cells",
            Self::Synapses => "Synapses",
            Self::Networks => "Networks",
            Self::Rhythms => "Rhythms",
            Self::Fields => "Fields, waves and patterns",
            Self::Dendrites => "Dendrites and axons",
            Self::Learning => "Learning",
            Self::Coding => "Coding and information",
            Self::Chaos => "Chaos and data",
            Self::Earlier => "Earlier studies",
        }
    }
}

/// What the gallery lists. Cheap: only what stands at the top of the file.
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
    /// Under which heading it stands.
    pub group: Group,
    /// What else it is found by: description, models, analyses.
    pub text: String,
}

impl Entry {
    /// A scenario with its tags, which say where it stands.
    pub fn new(source: Source, name: String, title: String, tags: Vec<String>) -> Self {
        let group = Group::of(&name, &tags);
        Self { source, name, title, tags, group, text: String::new() }
    }

    /// The same, found by the words of a text too.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.text = plain(text);
        self
    }

    /// One of this folder, or of the command line.
    #[must_use]
    pub fn own(mut self) -> Self {
        self.group = Group::Own;
        self
    }

    /// The scenario of which it is a variant.
    fn stem(&self) -> Option<&str> {
        split_variant(&self.name).1.map(|_| split_variant(&self.name).0)
    }
}

/// Text as it is searched: small letters, and words apart that names join.
fn plain(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '_' | '-') { ' ' } else { c.to_ascii_lowercase() }).collect()
}

/// What stands in a line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Of a group.
    Heading(Group),
    /// A hit, by its place among them.
    Hit(usize),
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
    /// Scenarios whose variants are shown, by index.
    unfolded: BTreeSet<usize>,
    /// For each entry the scenario of which it is a variant.
    parents: Vec<Option<usize>>,
}

/// How well a word is found in a field: at its beginning, at that of a word, inside one.
fn found_in(field: &str, word: &str) -> Option<u32> {
    let at = field.find(word)?;
    let begins = |at: usize| !field[..at].chars().next_back().is_some_and(char::is_alphanumeric);
    match at {
        0 => Some(3),
        _ if field.match_indices(word).any(|(at, _)| begins(at)) => Some(2),
        // A letter or two are in everything.
        _ => (word.len() > 2).then_some(1),
    }
}

impl Gallery {
    /// A gallery of entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut parents: Vec<Option<usize>> = Vec::with_capacity(entries.len());
        let mut last = None;
        for (index, entry) in entries.iter().enumerate() {
            let parent = last.filter(|k: &usize| entry.stem() == Some(entries[*k].name.as_str()));
            parents.push(parent);
            if parent.is_none() {
                last = Some(index);
            }
        }
        let mut gallery = Self { entries, parents, ..Self::default() };
        gallery.filter();
        gallery
    }

    /// Index of the chosen entry.
    pub fn chosen(&self) -> Option<usize> {
        self.hits.get(self.selected).map(|h| h.index)
    }

    /// Searches anew.
    pub fn filter(&mut self) {
        self.hits = if self.query.trim().is_empty() { self.grouped() } else { self.found() };
        self.selected = 0;
        self.scroll = 0;
    }

    /// Forgets what was looked for, and stays on what was chosen: on its scenario, where it is a folded variant.
    pub fn clear_query(&mut self) {
        let chosen = self.chosen();
        self.query.clear();
        self.filter();
        let Some(index) = chosen else { return };
        let place = |index: usize| self.hits.iter().position(|h| h.index == index);
        let parent = self.parents.get(index).copied().flatten();
        self.selected = place(index).or_else(|| place(parent?)).unwrap_or(0);
    }

    /// Everything by group, variants folded under their scenario.
    fn grouped(&self) -> Vec<Hit> {
        let parent = |index: usize| self.parents.get(index).copied().flatten();
        let shown = |index: &usize| parent(*index).is_none_or(|p| self.unfolded.contains(&p));
        let mut all: Vec<usize> = (0..self.entries.len()).filter(shown).collect();
        all.sort_by_key(|index| self.entries[parent(*index).unwrap_or(*index)].group);
        all.into_iter().map(|index| Hit { index, letters: Vec::new() }).collect()
    }

    /// What has every word of the query in its name, title, tags or text, best first; a variant only for a word of its
    /// own.
    fn found(&self) -> Vec<Hit> {
        let query = plain(&self.query);
        let words: Vec<&str> = query.split_whitespace().collect();
        let ranked = |(index, entry): (usize, &Entry)| {
            let name = plain(&entry.name);
            let own = self.parents.get(index).copied().flatten().and_then(|p| name.get(self.entries[p].name.len()..));
            if own.is_some_and(|own| !words.iter().any(|w| own.contains(w) || w.contains(':'))) {
                return None;
            }
            let (title, tags) = (plain(&entry.title), plain(&entry.tags.join(" ")));
            let fields = [(&name, 40), (&title, 20), (&tags, 20), (&entry.text, 4)];
            let mut score = 0;
            let mut letters = BTreeSet::new();
            for word in &words {
                score += fields.iter().filter_map(|(field, worth)| Some(found_in(field, word)? * worth)).max()?;
                let bytes = name.match_indices(word).flat_map(|(at, _)| at..at + word.len());
                letters.extend(bytes.map(|at| name[..at.min(name.len())].chars().count() as u32));
            }
            Some((score, Hit { index, letters: letters.into_iter().collect() }))
        };
        let mut hits: Vec<(u32, Hit)> = self.entries.iter().enumerate().filter_map(ranked).collect();
        hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
        hits.into_iter().map(|h| h.1).collect()
    }

    /// The lines of the list: hits, with headings where all are listed.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(self.hits.len() + 12);
        let mut last = None;
        for (place, hit) in self.hits.iter().enumerate() {
            let index = self.parents.get(hit.index).copied().flatten().unwrap_or(hit.index);
            let group = self.entries[index].group;
            if self.query.trim().is_empty() && last != Some(group) {
                lines.push(Line::Heading(group));
                last = Some(group);
            }
            lines.push(Line::Hit(place));
        }
        lines
    }

    /// The first of these lines that is shown in so many rows: the chosen one is seen, and at the top its heading.
    pub fn first_line(&self, lines: &[Line], rows: usize) -> usize {
        let at = lines.iter().position(|l| *l == Line::Hit(self.selected)).unwrap_or(0);
        if at < rows { 0 } else { scroll_to(at, rows, lines.len()) }
    }

    /// Number of variants that are folded under an entry.
    pub fn folded(&self, index: usize) -> usize {
        if !self.query.trim().is_empty() || self.unfolded.contains(&index) {
            return 0;
        }
        self.parents.iter().filter(|p| **p == Some(index)).count()
    }

    /// Whether an entry is a variant.
    pub fn is_variant(&self, index: usize) -> bool {
        self.parents.get(index).copied().flatten().is_some()
    }

    /// Shows the variants of the chosen scenario, or takes them away; whether there was something to do.
    pub fn unfold(&mut self, shown: bool) -> bool {
        let Some(index) = self.chosen() else { return false };
        let parent = self.parents.get(index).copied().flatten().unwrap_or(index);
        let can = if shown { self.folded(index) > 0 } else { self.unfolded.contains(&parent) };
        if !can || !self.query.trim().is_empty() {
            return false;
        }
        if shown {
            self.unfolded.insert(parent);
        } else {
            self.unfolded.remove(&parent);
        }
        self.hits = self.grouped();
        self.selected = self.hits.iter().position(|h| h.index == parent).unwrap_or(0);
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gallery() -> Gallery {
        let entry = |name: &str, title: &str, tag: &str, text: &str| {
            Entry::new(Source::Scenario(name.into()), name.into(), title.into(), vec![tag.into()]).with_text(text)
        };
        Gallery::new(vec![
            entry("balanced-cuba", "A balanced network", "start here", "[analyses.isi] kind = 'isi'"),
            entry("cable", "A passive cable", "cable", "model = 'passive'"),
            entry("cable:long", "A passive cable (long)", "cable", ""),
            entry("cable:short", "A passive cable (short)", "cable", ""),
            entry("one-way", "Who drives whom", "information", "kind = 'transfer_entropy'"),
            entry("prior-001-pair", "A pair", "cable", ""),
            entry("step", "A step", "single neuron", "model = 'adex'"),
        ])
    }

    fn names(g: &Gallery) -> Vec<&str> {
        g.hits.iter().map(|h| g.entries[h.index].name.as_str()).collect()
    }

    #[test]
    fn all_stand_by_group_and_variants_are_folded() {
        let mut g = gallery();
        assert_eq!(names(&g), ["balanced-cuba", "step", "cable", "one-way", "prior-001-pair"]);
        let headings = g.lines().iter().filter(|l| matches!(l, Line::Heading(_))).count();
        assert_eq!((headings, g.lines().len()), (5, 10));
        g.selected = 2;
        assert_eq!(g.folded(1), 2);
        assert!(g.unfold(true) && !g.unfold(true));
        assert_eq!(names(&g)[2..5], ["cable", "cable:long", "cable:short"]);
        g.selected = 4;
        assert!(g.unfold(false), "from one of its variants too");
        assert_eq!((names(&g).len(), g.chosen()), (5, Some(1)));
        assert!(!g.unfold(false));
    }

    /// Words are looked for in names, titles, tags, descriptions, models and analyses; what has none of them is not
    /// there, and a variant is there for its own words.
    #[test]
    fn words_are_found_and_nonsense_is_not() {
        let mut g = gallery();
        let mut of = |query: &str| -> Vec<String> {
            g.query = query.into();
            g.filter();
            names(&g).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(of("transfer entropy"), ["one-way"]);
        assert_eq!(of("adex"), ["step"]);
        assert_eq!(of("CABLE"), ["cable", "prior-001-pair"]);
        assert_eq!(of("long"), ["cable:long"]);
        assert_eq!(of("cable:short"), ["cable:short"]);
        assert_eq!(of("balanced isi"), ["balanced-cuba"]);
        assert!(of("bcuba").is_empty(), "letters that are scattered over a name are no word");
        assert!(of("qqzz").is_empty() && of("transfer of zzz").is_empty());
        g.query = "cuba".into();
        g.filter();
        assert_eq!(g.hits[0].letters, [9, 10, 11, 12]);
    }

    #[test]
    fn what_was_found_stays_chosen() {
        let mut g = gallery();
        for (query, then) in [("adex", "step"), ("long", "cable"), ("qqzz", "balanced-cuba")] {
            g.query = query.into();
            g.filter();
            g.clear_query();
            assert_eq!(g.entries[g.chosen().unwrap()].name, then, "{query}");
        }
    }

    /// The chosen line is on the screen, whatever its height, and above the first one stands its heading.
    #[test]
    fn the_chosen_line_is_seen() {
        let mut g = gallery();
        for rows in 1..12 {
            for selected in 0..g.hits.len() {
                g.selected = selected;
                let lines = g.lines();
                let first = g.first_line(&lines, rows);
                let at = lines.iter().position(|l| *l == Line::Hit(selected)).unwrap();
                assert!(first <= at && at < first + rows, "{rows} {selected}");
            }
        }
        g.selected = 0;
        assert_eq!(g.first_line(&g.lines(), 8), 0);
    }
}
