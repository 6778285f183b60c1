//! What an analysis is: the trait that an estimator writes, and what follows from it for the list.

use super::error::AnalysisError;
use super::findings::{Findings, Measured, Progress};
use super::options::{Declared, Options, Reader};
use super::{prefilter, uneven};
use spikedeck_core::rng::Key;
use spikedeck_scenario::catalog::{AnalysisDeclaration, Subjects};
use spikedeck_scenario::{AnalysisSpec, OptionValue, RunTimes, Spec, Together, Wrong};
use spikedeck_signal::{Outcome, Recording, SpikeTrains};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The card of an analysis, shown by `explain`.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisCard {
    /// Title.
    pub title: &'static str,
    /// What else it is called, or is looked for as: lower case, words joined by `_`.
    pub synonyms: &'static [&'static str],
    /// One line for lists.
    pub summary: &'static str,
    /// Formula in plain Unicode.
    pub formula: &'static str,
    /// What must hold.
    pub assumptions: &'static str,
    /// Bias and how it is corrected.
    pub bias: &'static str,
    /// Cost, O(.).
    pub cost: &'static str,
    /// When it lies.
    pub caveats: &'static str,
    /// References with DOI.
    pub references: &'static [&'static str],
}

/// What an analysis is given.
pub struct Request<'a> {
    /// Its entry in the scenario.
    pub spec: &'a AnalysisSpec,
    /// The scenario (none for recordings from elsewhere).
    pub scenario: Option<&'a Spec>,
    /// What was recorded.
    pub recording: &'a Recording,
    /// Its spikes by unit, grouped once and lent to every analysis.
    pub trains: &'a SpikeTrains<'a>,
    /// Seed for surrogates and bootstraps.
    pub seed: u64,
    /// Raised when the reader no longer wants the result.
    pub cancel: &'a AtomicBool,
}

impl Request<'_> {
    /// Whether the result is still wanted; long loops ask now and then and return [`AnalysisError::Cancelled`].
    ///
    /// # Errors
    /// `Cancelled` when it is not.
    pub fn check_cancelled(&self) -> Result<(), AnalysisError> {
        if self.cancel.load(Ordering::Relaxed) { Err(AnalysisError::Cancelled) } else { Ok(()) }
    }

    /// A key for the surrogates and bootstraps of one subject.
    pub fn key(&self, subject: &str, purpose: &str) -> Key {
        Key::new(self.seed, &format!("analyses.{}.{subject}", self.spec.name), purpose)
    }
}

/// An estimator: one file, one line in the list, from which what a scenario may say and where it appears follow.
pub trait Estimator: Sync {
    /// What it can be told.
    type Options: Options;
    /// Name in `kind = ...`.
    const KIND: &'static str;
    /// What it looks at.
    const SUBJECTS: Subjects;
    /// Its card.
    const CARD: AnalysisCard;
    /// Heading of its pane.
    const TITLE: &'static str = Self::CARD.title;
    /// Name of the list of its numbers.
    const TABLE: &'static str = "numbers";
    /// Whether a live picture while the run lasts makes sense (cheap, and meaningful on part of the data).
    const LIVE: bool = false;
    /// Whether it looks at sampled signals, which may go through a filter first: it has the options of `prefilter`.
    const SAMPLED: bool = false;
    /// What becomes of it where a filter before it looks ahead, if it tells before from after, or tests what it has
    /// fitted on samples that were left out: a warning wherever there is a filter.
    const CAUSAL: Option<&str> = None;
    /// Whether it looks at all trials together ([`Recording::each_trial`]), and not at each by itself.
    const ACROSS_TRIALS: bool = false;

    /// Whether the options, each of which is sound, fit each other and the run: said when the scenario is read.
    ///
    /// # Errors
    /// The first that does not, and why.
    fn together(_options: &Self::Options, _times: RunTimes) -> Result<(), Wrong> {
        Ok(())
    }

    /// Measures.
    ///
    /// # Errors
    /// When nothing at all can be said; too few events is not an error but a missing value with a note.
    fn measure(&self, options: &Self::Options, findings: &mut Findings<'_>) -> Measured;
}

/// An estimator as the list holds it, whatever its options are.
pub trait Analysis: Sync {
    /// Name, subjects and options, for checking scenarios.
    fn declaration(&self) -> AnalysisDeclaration;
    /// Its card.
    fn card(&self) -> &'static AnalysisCard;
    /// Measures, and tells how far it is.
    ///
    /// # Errors
    /// When nothing at all can be said; too few events is not an error but a missing value with a note.
    fn run_telling(&self, request: &Request<'_>, progress: Progress<'_>) -> Result<Outcome, AnalysisError>;
    /// Measures, and tells nobody how far it is.
    ///
    /// # Errors
    /// As [`Analysis::run_telling`].
    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        self.run_telling(request, &|_| {})
    }
    /// Whether a live picture while the run lasts makes sense (cheap, and meaningful on part of the data).
    fn live(&self) -> bool;
    /// Whether it looks at all trials together.
    fn across_trials(&self) -> bool;
    /// Whether it looks at sampled signals; spikes are counts in bins to it, if anything.
    fn sampled(&self) -> bool;
}

/// Whether the options of `E` fit each other and the run, as far as that is known before it.
fn together<E: Estimator>(options: &BTreeMap<&'static str, OptionValue>, times: RunTimes) -> Result<(), Wrong> {
    // Where one is derived from data there is nothing to be said yet; `measure` says it then.
    E::Options::read(&mut Reader::before(options, times.base)).map_or(Ok(()), |o| E::together(&o, times))?;
    if E::SAMPLED { prefilter::together(options, times) } else { Ok(()) }
}

impl<E: Estimator> Analysis for E {
    fn declaration(&self) -> AnalysisDeclaration {
        let mut declared = Declared::default();
        E::Options::declare(&mut declared);
        if E::SAMPLED {
            prefilter::declare(&mut declared);
        }
        let Declared { specs, without_units } = declared;
        let together = Together::new(together::<E>);
        let synonyms = E::CARD.synonyms;
        AnalysisDeclaration { kind: E::KIND, synonyms, subjects: E::SUBJECTS, options: specs, without_units, together }
    }

    fn card(&self) -> &'static AnalysisCard {
        const { &E::CARD }
    }

    fn run_telling(&self, request: &Request<'_>, progress: Progress<'_>) -> Result<Outcome, AnalysisError> {
        let mut reader = Reader::new(request);
        let options = E::Options::read(&mut reader)?;
        let Reader { settings, pieces, .. } = reader;
        if E::ACROSS_TRIALS && request.recording.trials.is_empty() {
            let why = "there is one trial, and this is about several: `[trials]` with `count = 20` runs them, \
                       `trials` of a recording (`--trials`) says when its own were";
            return Err(AnalysisError::Unsuitable(why.into()));
        }
        prefilter::has_work(request)?;
        let mut findings = Findings::new(request, progress);
        if let Some(why) = E::CAUSAL {
            prefilter::warn(&mut findings, why);
        }
        for what in uneven::told(request, &pieces) {
            findings.warn(what);
        }
        self.measure(&options, &mut findings)?;
        Ok(findings.outcome(E::TITLE, E::TABLE, settings))
    }

    fn live(&self) -> bool {
        E::LIVE
    }

    fn across_trials(&self) -> bool {
        E::ACROSS_TRIALS
    }

    fn sampled(&self) -> bool {
        E::SAMPLED
    }
}
