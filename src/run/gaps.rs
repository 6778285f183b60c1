//! Samples that are no numbers: a recorded expression may be one here and none there, and then it is said.

use spikedeck_core::number;
use spikedeck_core::units::short;
use spikedeck_signal::Recording;

/// Counts of what was recorded, trace by trace, over all parts of a recording.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    traces: Vec<Gap>,
    time_unit: &'static str,
}

/// What is missing of one trace.
#[derive(Debug, Default)]
struct Gap {
    name: String,
    samples: u64,
    missing: u64,
    /// Time and unit of the first that is missing.
    first: Option<(f64, u32)>,
}

impl Gaps {
    /// Counts in `part`, which is what follows what was looked at before.
    pub fn look(&mut self, part: &Recording) {
        self.time_unit = part.time_base.unit();
        self.traces.resize_with(part.traces.len().max(self.traces.len()), Gap::default);
        for (gap, trace) in self.traces.iter_mut().zip(&part.traces) {
            if gap.name.is_empty() {
                gap.name = format!("{}.{}", trace.population, trace.variable);
            }
            gap.samples += trace.values.len() as u64;
            let missing = trace.values.iter().filter(|v| !v.is_finite()).count() as u64;
            if missing > 0 && gap.first.is_none() {
                let at = trace.values.iter().position(|v| !v.is_finite()).expect("one was counted");
                let n = trace.units.len();
                gap.first = Some((trace.time(at / n), trace.units[at % n]));
            }
            gap.missing += missing;
        }
    }

    /// One sentence a variable that has gaps.
    pub fn warnings(&self) -> Vec<String> {
        let mut told: Vec<String> = Vec::new();
        for gap in self.traces.iter().filter(|g| g.missing > 0) {
            let Some((time, unit)) = gap.first else { continue };
            let text = format!(
                "{} is no finite number in {} of {} samples, at {} for the first time (unit {unit}): a number \
                 that is measured of it rests on the others, or is missing",
                gap.name,
                number::count(gap.missing),
                number::count(gap.samples),
                format!("{} {}", short(time), self.time_unit).trim_end(),
            );
            if !told.contains(&text) {
                told.push(text);
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_signal::Trace;

    #[test]
    fn what_is_no_number_is_counted_over_all_parts() {
        let part = |start: f64, values: Vec<f64>| {
            let trace = Trace {
                population: "p".into(),
                variable: "y".into(),
                units: vec![3, 5],
                start,
                interval: 1.0,
                values,
                ..Trace::default()
            };
            Recording { traces: vec![trace], ..Recording::default() }
        };
        let mut gaps = Gaps::default();
        gaps.look(&part(0.0, vec![1.0; 6]));
        assert!(gaps.warnings().is_empty());
        gaps.look(&part(3.0, vec![1.0, 1.0, 1.0, f64::NAN, f64::INFINITY, 1.0]));
        gaps.look(&part(6.0, vec![f64::NAN; 2]));
        let told = gaps.warnings();
        let start = "p.y is no finite number in 4 of 14 samples, at 4 ms for the first time (unit 5)";
        assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
    }
}
