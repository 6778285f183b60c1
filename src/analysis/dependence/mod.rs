//! What depends on what: signals in pairs, estimates with chance level and interval. Shared by `mutual_information`,
//! `transfer_entropy` and `active_information_storage`.

pub mod assess;
pub mod interval;
pub mod prepare;
pub mod report;
pub mod signals;

#[cfg(test)]
pub(crate) mod fixtures;

pub use assess::{BiasCorrection, Data, Resampling, assess};
pub use report::{Binning, NeighbourOptions, Pair, PairEstimate, PairOptions};
pub use signals::{Pairs, alone, pairs};
