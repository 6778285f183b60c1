//! How many words a sequence is made of, each the shortest that did not occur before (Lempel and Ziv 1976,
//! doi:10.1109/TIT.1976.1055501).

use std::collections::BTreeMap;

/// A set of words that is closed under taking parts: the suffix automaton of a sequence that grows (Blumer and others
/// 1985, doi:10.1016/0304-3975(85)90157-4).
struct Automaton {
    states: Vec<State>,
    last: usize,
}

#[derive(Clone, Default)]
struct State {
    /// Length of the longest word that leads here.
    longest: usize,
    /// Where the longest suffix that leads elsewhere leads; none of the beginning.
    suffix: Option<usize>,
    next: BTreeMap<u32, usize>,
}

impl Automaton {
    fn new(capacity: usize) -> Self {
        let mut states = Vec::with_capacity(2 * capacity + 1);
        states.push(State::default());
        Self { states, last: 0 }
    }

    fn push(&mut self, symbol: u32) {
        let new = self.states.len();
        self.states.push(State { longest: self.states[self.last].longest + 1, ..State::default() });
        let mut at = Some(self.last);
        while let Some(p) = at
            && !self.states[p].next.contains_key(&symbol)
        {
            self.states[p].next.insert(symbol, new);
            at = self.states[p].suffix;
        }
        self.last = new;
        let Some(p) = at else {
            self.states[new].suffix = Some(0);
            return;
        };
        let q = self.states[p].next[&symbol];
        if self.states[p].longest + 1 == self.states[q].longest {
            self.states[new].suffix = Some(q);
            return;
        }
        let copy = self.states.len();
        self.states.push(State { longest: self.states[p].longest + 1, ..self.states[q].clone() });
        let mut at = Some(p);
        while let Some(p) = at
            && self.states[p].next.get(&symbol) == Some(&q)
        {
            self.states[p].next.insert(symbol, copy);
            at = self.states[p].suffix;
        }
        self.states[q].suffix = Some(copy);
        self.states[new].suffix = Some(copy);
    }
}

/// Number of words of the exhaustive history of `symbols`; a last word that occurred before counts as one. O(n log a)
/// for an alphabet of a.
pub fn words(symbols: &[u32]) -> u64 {
    // The automaton holds all symbols before the one that is looked at: a word may overlap with its earlier self.
    let mut seen = Automaton::new(symbols.len());
    let (mut at, mut length, mut words) = (0, 0, 0);
    for &symbol in symbols {
        let next = seen.states[at].next.get(&symbol).copied();
        seen.push(symbol);
        let Some(next) = next else {
            words += 1;
            (at, length) = (0, 0);
            continue;
        };
        (at, length) = (next, length + 1);
        // The state may have been divided by what was added: the shorter words moved.
        while let Some(suffix) = seen.states[at].suffix
            && length <= seen.states[suffix].longest
        {
            at = suffix;
        }
    }
    words + u64::from(length > 0)
}

/// Words over what a sequence of independent symbols with the same frequencies would have in the limit, n h/log₂ n with
/// its entropy h in bits: tends to 1 for independent symbols and to the share of h that is the entropy rate for others.
/// `None` without two symbols.
pub fn relative(words: u64, symbols: &[u32], bits: f64) -> Option<f64> {
    let n = symbols.len() as f64;
    (symbols.len() > 1 && bits > 0.0).then(|| words as f64 * n.log2() / (n * bits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn of(text: &str) -> u64 {
        words(&text.bytes().map(u32::from).collect::<Vec<_>>())
    }

    /// Word by word as it is defined: O(n³).
    fn brute(s: &[u32]) -> u64 {
        let (mut from, mut count) = (0, 0);
        while from < s.len() {
            let occurs = |to: usize| s[..to - 1].windows(to - from).any(|w| *w == s[from..to]);
            let to = (from + 1..=s.len()).find(|&to| !occurs(to)).unwrap_or(s.len());
            (from, count) = (to, count + 1);
        }
        count
    }

    #[test]
    fn examples_with_known_words() {
        // 0.001.10.100.1000.101 of Lempel and Ziv 1976; Kaspar and Schuster 1987.
        assert_eq!(of("0001101001000101"), 6);
        assert_eq!((of("0000000000000000"), of("0101010101"), of("01"), of("0"), of("")), (2, 3, 2, 1, 0));
    }

    #[test]
    fn the_automaton_equals_the_definition() {
        for seed in 0..60 {
            let mut s = Key::new(seed, "lempel_ziv", "test").stream(0, 0);
            let letters = 1 + s.below(4);
            let n = s.below(120) as usize;
            let symbols: Vec<u32> = (0..n).map(|_| s.below(letters)).collect();
            assert_eq!(words(&symbols), brute(&symbols), "{symbols:?}");
        }
    }
}
