//! What the interval, the chance level and the p-value of a number stand on, in words of a kind: whoever tells how
//! numbers were come by reads these, and never the text of a note.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::metric::{Metric, Outcome};

/// What is told of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// What kind of interval it has, and over what.
    Interval,
    /// What its chance level is the value of.
    Chance,
    /// The null hypothesis of its p-value, and of its chance level where that is the mean under the same.
    Null,
    /// How its p-value was corrected for the number of tests.
    Correction,
}

/// A sentence on what a number stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ground {
    /// What it is about.
    pub of: Basis,
    /// The sentence, without a full stop.
    pub words: String,
}

impl Metric {
    /// Name of the p-value of a subject that was corrected for the number of tests.
    pub const ADJUSTED: &'static str = "p_adjusted";

    /// A p-value that was corrected for the number of tests, `n` being what the tested value rests on, and how.
    pub fn adjusted(subject: impl Into<String>, p: f64, n: u64, how: impl AsRef<str>) -> Self {
        Self::new(subject, Self::ADJUSTED, p, "", n).told(Basis::Correction, how.as_ref())
    }

    /// Whether it is a p-value that was corrected for the number of tests.
    pub fn is_adjusted(&self) -> bool {
        self.metric == Self::ADJUSTED
    }

    /// The same with a note on what kind of interval it has.
    #[must_use]
    pub fn interval_by(self, words: impl AsRef<str>) -> Self {
        self.told(Basis::Interval, words.as_ref())
    }

    /// The same with a note on what its chance level is.
    #[must_use]
    pub fn chance_by(self, words: impl AsRef<str>) -> Self {
        self.told(Basis::Chance, words.as_ref())
    }

    /// The same with a note on the null hypothesis of its p-value and, where that is the mean under the same, of its
    /// chance level.
    #[must_use]
    pub fn null_by(self, words: impl AsRef<str>) -> Self {
        self.told(Basis::Null, words.as_ref())
    }

    /// The same, which stands on what its notes say in other words or not at all.
    #[must_use]
    pub fn ground(mut self, of: Basis, words: impl Into<String>) -> Self {
        self.grounds.push(Ground { of, words: words.into() });
        self
    }

    /// A note that is a ground too.
    fn told(self, of: Basis, words: &str) -> Self {
        self.note(words).ground(of, words)
    }

    /// What it has of an interval, a chance level, a p-value and a correction, as `of` asks.
    fn has(&self, of: Basis) -> bool {
        match of {
            Basis::Interval => self.ends().is_some(),
            Basis::Chance => self.chance.is_some(),
            Basis::Null => self.chance.is_some() || self.p_value.is_some(),
            Basis::Correction => self.is_adjusted(),
        }
    }

    /// Its interval or its p-value, where nothing says what that stands on.
    pub fn groundless(&self) -> Option<Basis> {
        let tells = |of| self.grounds.iter().any(|g| g.of == of);
        let needs = [
            (self.ends().is_some(), Basis::Interval),
            (self.p_value.is_some(), Basis::Null),
            (self.is_adjusted(), Basis::Correction),
        ];
        needs.into_iter().find(|(has, of)| *has && !tells(*of)).map(|n| n.1)
    }
}

impl Outcome {
    /// Takes what its numbers stand on out of them, each sentence once; what is told of an interval, a chance level or
    /// a p-value that is missing is left out.
    pub fn gather_grounds(&mut self) {
        for metric in &mut self.metrics {
            let grounds = std::mem::take(&mut metric.grounds);
            self.grounds.extend(grounds.into_iter().filter(|g| metric.has(g.of)));
        }
    }

    /// Whether some number has a chance level and no sentence says what that is.
    pub fn has_groundless_chance(&self) -> bool {
        let told: BTreeSet<Basis> = self.grounds.iter().map(|g| g.of).collect();
        self.metrics.iter().any(|m| m.chance.is_some())
            && !told.contains(&Basis::Chance)
            && !told.contains(&Basis::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_gathers_what_its_numbers_stand_on_and_no_more() {
        let sure = Metric::new("a", "m", 1.0, "", 9).interval(0.5, 2.0).chance(0.0).p(0.01);
        assert_eq!(sure.groundless(), Some(Basis::Interval));
        let sure = sure.note("n = bins").interval_by("95 % interval (t)");
        assert_eq!(sure.groundless(), Some(Basis::Null));
        let sure = sure.null_by("p: 99 surrogates").ground(Basis::Chance, "0 without dependence");
        assert_eq!((sure.groundless(), sure.note.as_str()), (None, "n = bins; 95 % interval (t); p: 99 surrogates"));
        // Nothing stands on the words of an interval that is none.
        let bare = Metric::new("b", "m", 1.0, "", 9).interval(f64::NAN, 2.0).interval_by("95 % jackknife");
        let corrected = Metric::adjusted("a", 0.02, 9, "Holm over all pairs");
        assert!(corrected.is_adjusted() && corrected.note == "Holm over all pairs" && !sure.is_adjusted());
        let chance = Metric::new("a", "m", 1.0, "", 9).chance(1.0);
        let mut outcome = Outcome { metrics: vec![chance], ..Outcome::default() };
        outcome.gather_grounds();
        assert!(outcome.has_groundless_chance());
        outcome.metrics.extend([sure.clone(), bare, corrected, sure]);
        outcome.gather_grounds();
        let told: Vec<(Basis, &str)> = outcome.grounds.iter().map(|g| (g.of, g.words.as_str())).collect();
        let wanted = [
            (Basis::Interval, "95 % interval (t)"),
            (Basis::Chance, "0 without dependence"),
            (Basis::Null, "p: 99 surrogates"),
            (Basis::Correction, "Holm over all pairs"),
        ];
        assert_eq!(told, wanted);
        assert!(!outcome.has_groundless_chance() && outcome.metrics.iter().all(|m| m.grounds.is_empty()));
    }
}
