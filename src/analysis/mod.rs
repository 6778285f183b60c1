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
mod estimator;
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
mod uneven;
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
mod first_passage;
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
pub use estimator::{Analysis, AnalysisCard, Estimator, Request};
pub use findings::Progress;
pub use places::Cells;
pub use spikedeck_scenario::catalog::{AnalysisDeclaration, Subjects};
pub use spikedeck_signal::{Metric, Outcome};

use std::collections::BTreeMap;

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
    &first_passage::FirstPassage,
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
