//! What depends on what: signals in pairs, estimates with chance level and interval. Shared by `mutual_information` and
//! `transfer_entropy`.

pub mod assess;
pub mod report;
pub mod signals;

#[cfg(test)]
pub(crate) mod fixtures;

pub use assess::{Assessed, Data, Estimator, Plan, assess};
pub use signals::{Signal, pairs};
