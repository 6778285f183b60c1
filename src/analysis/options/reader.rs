//! Options as they are read, and what is noted on the way.

use crate::Request;
use spikedeck_scenario::OptionValue;
use spikedeck_signal::{Setting, TimeBase};
use std::collections::BTreeMap;

/// Options as they are read.
pub struct Reader<'a> {
    pub(super) options: &'a BTreeMap<&'static str, OptionValue>,
    pub(super) base: TimeBase,
    /// What values are derived from; nothing before there are data.
    pub(super) request: Option<&'a Request<'a>>,
    /// What was derived from the data on the way.
    pub settings: Vec<Setting>,
    /// The lengths of pieces into which time is cut: keys, and seconds or units of time.
    pub pieces: Vec<(&'static str, f64)>,
}

impl<'a> Reader<'a> {
    /// Of a request.
    pub fn new(request: &'a Request<'a>) -> Self {
        let base = request.recording.time_base;
        Self { options: &request.spec.options, base, request: Some(request), settings: Vec::new(), pieces: Vec::new() }
    }

    /// Of a scenario before it runs: what is derived from data cannot be read.
    pub fn before(options: &'a BTreeMap<&'static str, OptionValue>, base: TimeBase) -> Self {
        Self { options, base, request: None, settings: Vec::new(), pieces: Vec::new() }
    }
}
