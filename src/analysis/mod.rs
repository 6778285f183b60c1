//! Analyses: trait [`Analysis`] and the one list, [`ANALYSES`].
//!
//! An analysis is one file and one line in the list; all else follows. `subject` resolves what it looks at to data.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::atomic::AtomicBool;
//!
//! use spikedeck_analysis::{Request, find};
//! use spikedeck_scenario::AnalysisSpec;
//! use spikedeck_signal::{Population, Recording, SpikeTrains, Spikes, Window};
//!
//! let times: Vec<f64> = (1..=100).map(|k| 10.0 * f64::from(k)).collect();
//! let populations = vec![Population { name: "clock".into(), size: 1, ..Population::default() }];
//! let spikes = Spikes { population: "clock".into(), size: 1, units: vec![0; times.len()], times };
//! let window = Window { start: 0.0, stop: 1000.0 };
//! let recording = Recording { dt: 0.1, window, populations, spikes: vec![spikes], ..Recording::default() };
//!
//! let (kind, none) = ("rates".to_owned(), Vec::new());
//! let spec = AnalysisSpec {
//!     name: kind.clone(), kind, of: none.clone(), source: none.clone(), target: none, options: BTreeMap::new(),
//! };
//! let outcome = find("rates").expect("it is in the list").run(&Request {
//!     spec: &spec,
//!     scenario: None,
//!     recording: &recording,
//!     trains: &SpikeTrains::new(&recording),
//!     seed: 1,
//!     cancel: &AtomicBool::new(false),
//! })?;
//! let rate = outcome.metrics.iter().find(|m| m.metric == "mean_rate").expect("it is measured");
//! assert_eq!((rate.value, rate.unit.as_str(), rate.n), (Some(100.0), "Hz", Some(100)));
//! # Ok::<(), spikedeck_analysis::AnalysisError>(())
//! ```

// What estimators are made of.
mod derived;
mod error;
mod findings;
mod options;
mod prefilter;
pub(crate) mod prelude;
mod series;
mod stretches;
mod subject;
mod tapers;
mod train_pairs;
mod train_profile;
mod value;

// Spikes, rates, spectra, synchrony: one line a file.
mod agreement;
mod ap_shape;
mod attenuation;
mod autocorrelation_time;
mod autocorrelogram;
mod avalanches;
mod band_filter;
mod band_power;
mod bursts;
mod cable;
mod cell_assemblies;
mod coherence;
mod correlogram;
mod event_average;
mod fano_curve;
mod front;
mod granger;
mod growth;
mod isi;
mod isi_distance;
mod isi_histogram;
mod joint_psth;
mod lags;
mod levels;
mod moments;
mod multitaper;
mod noise_correlation;
mod phase_amplitude_coupling;
mod phase_locking;
mod phase_of_firing;
mod phase_precession;
mod places;
mod plane;
mod population_rate;
mod psd;
mod psth;
mod raster;
mod rate_kernel;
mod rates;
mod rhythm;
mod scalogram;
mod signal_to_noise;
mod space;
mod spectrogram;
mod spike_count_correlation;
mod spike_distance;
mod spike_field;
mod spike_order;
mod spike_synchronization;
mod spike_triggered;
mod sttc;
mod synchrony;
mod unitary_events;
mod value_distribution;
mod van_rossum;
mod victor_purpura;

// Information and dynamics: one line a file.
mod active_information_storage;
mod bifurcation;
mod binding;
mod channel_capacity;
mod connectivity;
mod correlation_dimension;
mod decoder;
mod dependence;
mod dfa;
mod dimensionality;
mod embedding;
mod entropy;
mod fi_curve;
mod functional_connectivity;
mod impedance;
mod kalman_decoder;
mod kantz;
mod lempel_ziv;
mod lyapunov;
mod multivariate_transfer_entropy;
mod mutual_information;
mod o_information;
mod partial_information;
mod permutation_entropy;
mod phase_plane;
mod phase_response;
mod recurrence;
mod rosenstein;
mod sample_entropy;
mod spike_information;
mod spike_transfer_entropy;
mod stimulus_information;
mod transfer_entropy;
mod weight_spectrum;
mod zero_one_test;

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod equation_fixtures;
#[cfg(test)]
mod on_disk_tests;
#[cfg(test)]
#[path = "../core/reference_sets.rs"]
mod reference_sets;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod unit_table_tests;

pub use error::AnalysisError;
pub use findings::Progress;
pub use places::Cells;
pub use spikedeck_scenario::catalog::{AnalysisDeclaration, Subjects};
pub use spikedeck_signal::{Metric, Outcome};

use findings::{Findings, Measured};
use options::{Declared, Options, Reader};
use spikedeck_core::rng::Key;
use spikedeck_scenario::{AnalysisSpec, OptionValue, RunTimes, Spec, Together, Wrong};
use spikedeck_signal::{Recording, SpikeTrains};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Every analysis, one line each.
pub static ANALYSES: &[&dyn Analysis] = &[
    // Spikes, rates, spectra, synchrony.
    &rates::Rates,
    &rate_kernel::RateByKernel,
    &isi::Isi,
    &isi_histogram::IsiHistogram,
    &fano_curve::FanoCurve,
    &psth::Psth,
    &levels::Levels,
    &raster::RasterOfSpikes,
    &population_rate::PopulationRate,
    &psd::Psd,
    &multitaper::Multitaper,
    &band_power::BandPower,
    &spectrogram::Spectrogram,
    &scalogram::Scalogram,
    &autocorrelation_time::AutocorrelationTime,
    &coherence::Coherence,
    &phase_locking::PhaseLocking,
    &spike_field::SpikeField,
    &phase_precession::PhasePrecession,
    &event_average::EventAverage,
    &spike_triggered::SpikeTriggered,
    &phase_amplitude_coupling::PhaseAmplitudeCoupling,
    &granger::Granger,
    &value_distribution::ValueDistribution,
    &correlogram::Correlogram,
    &autocorrelogram::Autocorrelogram,
    &lags::Lags,
    &synchrony::Synchrony,
    &sttc::Sttc,
    &spike_count_correlation::SpikeCountCorrelation,
    &noise_correlation::NoiseCorrelation,
    &joint_psth::JointPsth,
    &unitary_events::UnitaryEvents,
    &cell_assemblies::CellAssemblies,
    &isi_distance::IsiDistance,
    &spike_distance::SpikeDistance,
    &spike_synchronization::SpikeSynchronization,
    &spike_order::SpikeOrder,
    &victor_purpura::VictorPurpura,
    &van_rossum::VanRossum,
    &bursts::Bursts,
    &avalanches::Avalanches,
    &rhythm::Rhythm,
    &signal_to_noise::SignalToNoise,
    &agreement::Agreement,
    &growth::Growth,
    &ap_shape::ApShape,
    &attenuation::Attenuation,
    &cable::Cable,
    &front::Front,
    &space::Space,
    &plane::Plane,
    // Information and dynamics.
    &fi_curve::FiCurve,
    &lyapunov::Lyapunov,
    &mutual_information::MutualInformation,
    &channel_capacity::ChannelCapacity,
    &phase_plane::PhasePlane,
    &phase_response::PhaseResponse,
    &impedance::Impedance,
    &bifurcation::Bifurcation,
    &transfer_entropy::TransferEntropy,
    &spike_transfer_entropy::SpikeTransferEntropy,
    &active_information_storage::ActiveInformationStorage,
    &multivariate_transfer_entropy::MultivariateTransferEntropy,
    &partial_information::PartialInformation,
    &o_information::OInformation,
    &stimulus_information::StimulusInformation,
    &phase_of_firing::PhaseOfFiring,
    &spike_information::SpikeInformation,
    &decoder::Decoder,
    &kalman_decoder::KalmanDecoder,
    &functional_connectivity::FunctionalConnectivity,
    &dimensionality::Dimensionality,
    &connectivity::Connectivity,
    &weight_spectrum::WeightSpectrum,
    // One series at a time: its order, its entropy, its exponents.
    &entropy::Entropy,
    &permutation_entropy::PermutationEntropy,
    &sample_entropy::SampleEntropy,
    &lempel_ziv::LempelZiv,
    &dfa::Dfa,
    &embedding::UnfoldedSeries,
    &rosenstein::Rosenstein,
    &kantz::Kantz,
    &correlation_dimension::CorrelationDimension,
    &zero_one_test::ZeroOneTest,
    &recurrence::Recurrence,
];

/// The analysis called `kind`.
pub fn find(kind: &str) -> Option<&'static dyn Analysis> {
    ANALYSES.iter().copied().find(|a| a.declaration().kind == kind)
}

/// What every analysis declares, by kind: what `run` hands to the scenario's catalog.
pub fn declarations() -> BTreeMap<&'static str, AnalysisDeclaration> {
    ANALYSES.iter().map(|a| a.declaration()).map(|d| (d.kind, d)).collect()
}

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
        let settings = reader.settings;
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
