//! Fuzzy search: which entries match, how well, and which letters did.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A match: index of the entry and positions (in characters) of the letters that matched in its first field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Index of the entry.
    pub index: usize,
    /// Letters of the first field that matched.
    pub letters: Vec<u32>,
}

/// Entries that match a query, best first; with an empty query all of them in their order. Each entry has fields: a
/// match in the first counts most.
pub fn search<'a, F: IntoIterator<Item = &'a str>>(query: &str, entries: impl IntoIterator<Item = F>) -> Vec<Hit> {
    if query.trim().is_empty() {
        return entries.into_iter().enumerate().map(|(index, _)| Hit { index, letters: Vec::new() }).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut hits: Vec<(u32, Hit)> = Vec::new();
    for (index, fields) in entries.into_iter().enumerate() {
        let mut best = None;
        let mut letters = Vec::new();
        let mut all = String::new();
        for (number, field) in fields.into_iter().enumerate() {
            let mut found = Vec::new();
            if let Some(score) = pattern.indices(Utf32Str::new(field, &mut buffer), &mut matcher, &mut found) {
                let weighted = if number == 0 { score * 2 } else { score };
                best = best.max(Some(weighted));
                if number == 0 {
                    found.sort_unstable();
                    found.dedup();
                    letters = found;
                }
            }
            all.push_str(field);
            all.push(' ');
        }
        if best.is_none() && query.trim().contains(' ') {
            // Several words may be spread over the fields.
            best = pattern.score(Utf32Str::new(&all, &mut buffer), &mut matcher).map(|s| s / 2);
        }
        if let Some(score) = best {
            hits.push((score, Hit { index, letters }));
        }
    }
    hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
    hits.into_iter().map(|h| h.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_more_than_texts_and_letters_are_told() {
        let entries = [["brunel-ai", "asynchronous irregular"], ["coba", "as Brunel did"], ["lorenz", "chaos"]];
        let hits = search("brunel", entries.iter().map(|e| e.iter().copied()));
        assert_eq!(hits.iter().map(|h| h.index).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(hits[0].letters, [0, 1, 2, 3, 4, 5]);
        assert!(hits[1].letters.is_empty());
    }

    #[test]
    fn an_empty_query_keeps_the_order_and_words_may_be_spread() {
        let entries = [["b", "network"], ["a", "single"]];
        assert_eq!(search(" ", entries.iter().map(|e| e.iter().copied())).len(), 2);
        let hits = search("sing a", entries.iter().map(|e| e.iter().copied()));
        assert_eq!(hits.iter().map(|h| h.index).collect::<Vec<_>>(), [1]);
    }
}
