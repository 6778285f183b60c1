//! Spikes in bins (left, right]: their rate, and those after the last whole bin.

use super::{Columns, each_train, spiking};
use crate::prefilter;
use crate::value::Time;
use crate::{AnalysisError, Request};
use spikedeck_core::units::short;
use spikedeck_scenario::Subject;
use spikedeck_signal::{TimeBase, Window};

/// Number of bins of `bin` (axis units) in a window, with a guard of 1e-9 bins against rounding; a partial last bin is
/// left out.
pub fn bin_count(window: Window, bin: f64) -> usize {
    if bin > 0.0 { ((window.length() / bin) + 1e-9).floor().max(0.0) as usize } else { 0 }
}

/// Bin of a time for bins (left, right] of `bin` that start at `start`, with a guard of 1e-9 bins.
pub fn bin_of(time: f64, start: f64, bin: f64) -> Option<usize> {
    let position = ((time - start) / bin - 1e-9).ceil();
    (position >= 1.0).then(|| position as usize - 1)
}

/// A rate in bins, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// The rate.
    pub columns: Columns,
    /// Spikes in the window.
    pub spikes: usize,
    /// What to say of those in no bin.
    pub outside: Option<String>,
}

/// Rate per unit (Hz) of the pooled trains of a subject in bins (left, right] of `width`, also of spikes that stay on
/// disk; the sample stands at the bin's right edge. After the filter that the analysis asks for. O(spikes + bins).
///
/// # Errors
/// As [`super::trains`]; `Unsuitable` when no whole bin fits.
pub fn rate(request: &Request<'_>, subject: &Subject, width: Time) -> Result<Rate, AnalysisError> {
    let (window, base) = (request.recording.analysis_window(), request.recording.time_base);
    // What was not recorded is told before what does not fit.
    spiking(request, subject)?;
    let mut binned = Binned::new(&subject.text, window, width, base)?;
    each_train(request, subject, |_, train| {
        binned.look(&train.within(window));
        Ok(())
    })?;
    let Rate { columns, spikes, outside } = binned.rate(&subject.text, base);
    Ok(Rate { columns: prefilter::applied(request, columns)?, spikes, outside })
}

/// Spikes of all trains counted in bins.
struct Binned {
    counts: Vec<f64>,
    outside: Outside,
    trains: usize,
}

impl Binned {
    fn new(subject: &str, window: Window, width: Time, base: TimeBase) -> Result<Self, AnalysisError> {
        let bins = bin_count(window, width.axis);
        if bins == 0 {
            return Err(AnalysisError::Unsuitable(format!(
                "{subject}: a bin of {} s does not fit into the {} s that are analysed",
                short(width.seconds),
                short(window.length() * base.seconds())
            )));
        }
        Ok(Self { counts: vec![0.0; bins], outside: Outside::new(window, width), trains: 0 })
    }

    fn look(&mut self, train: &[f64]) {
        let (start, bin) = (self.outside.window.start, self.outside.width.axis);
        for &t in train {
            if let Some(count) = bin_of(t, start, bin).and_then(|i| self.counts.get_mut(i)) {
                *count += 1.0;
            }
        }
        self.outside.look(train);
        self.trains += 1;
    }

    fn rate(self, subject: &str, base: TimeBase) -> Rate {
        let Self { mut counts, outside, trains } = self;
        let width = outside.width;
        let per = 1.0 / (trains.max(1) as f64 * width.seconds);
        for count in &mut counts {
            *count *= per;
        }
        let columns = Columns {
            subject: subject.to_owned(),
            stem: subject.to_owned(),
            label: "rate".into(),
            unit: base.rate_unit().into(),
            units: Vec::new(),
            names: Vec::new(),
            columns: vec![counts],
            start: outside.window.start + width.axis,
            interval: width.axis,
            base,
            averaged: trains,
        };
        Rate { columns, spikes: outside.spikes, outside: outside.told(subject, base) }
    }
}

/// Counts spikes in whole bins (left, right] of a window, and those after the last of them, which are in no bin.
#[derive(Debug, Clone, Copy)]
pub struct Outside {
    window: Window,
    width: Time,
    bins: usize,
    /// Spikes of all trains that were looked at.
    pub spikes: usize,
    outside: usize,
}

impl Outside {
    /// No spikes yet.
    pub fn new(window: Window, width: Time) -> Self {
        Self { window, width, bins: bin_count(window, width.axis), spikes: 0, outside: 0 }
    }

    /// Counts those of a train inside the window.
    pub fn look(&mut self, train: &[f64]) {
        let inside = |&t: &f64| bin_of(t, self.window.start, self.width.axis).is_some_and(|bin| bin < self.bins);
        self.outside += train.len() - train.partition_point(inside);
        self.spikes += train.len();
    }

    /// What to say of those in no bin. Nothing where there are none.
    pub fn told(&self, subject: &str, base: TimeBase) -> Option<String> {
        let rest = self.window.length() - self.bins as f64 * self.width.axis;
        (self.outside > 0).then(|| {
            format!(
                "{subject}: {} of {} spikes lie in the last {} s, which are no whole bin of {} s, and are not counted \
                 in bins",
                self.outside,
                self.spikes,
                short(rest * base.seconds()),
                short(self.width.seconds)
            )
        })
    }
}
