//! What every estimator needs.

pub(crate) use crate::findings::{Findings, Measured, curve};
pub(crate) use crate::options::{
    Opt, adjustable, another_state, arrival, assignments, bands, choice, flag, frequency, frequency_if_given, input,
    integer, integer_if_given, number, number_if_given, of_input, options, quantity, quantity_if_given, range_of,
    rate_bin, shared, signal_bin, state, state_if_given, time, time_if_given, variable, words,
};
pub(crate) use crate::value::{Choice, Ends, Frequency, Quantity, Time};
pub(crate) use spikedeck_scenario::{RunTimes, Wrong};
pub(crate) use spikedeck_signal::Basis;

pub(crate) use crate::{AnalysisCard, AnalysisError, Estimator, Metric, Request, Subjects, derived, subject};
