//! A plane seen from above: the state of every cell at one time, or how often every cell fires. While a run lasts it
//! moves.

use super::places::Cells;
use super::prelude::*;
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::units::{brief, short};
use spikedeck_scenario::{Observable, Subject};
use spikedeck_signal::{Axis, Shape};

/// The analysis `plane`.
pub struct Plane;

const CARD: AnalysisCard = AnalysisCard {
    title: "Plane",
    synonyms: &["map", "space_time"],
    summary: "cells of a plane from above: a state at one time (moving while the run lasts), or a map of firing rates",
    formula: "a state: its value in each cell at the last sample, or the last one that is not after `time`\nspikes: \
              rate of a cell = its spikes/length of the window",
    assumptions: "The population has a `grid` of two axes, or positions on a grid.",
    bias: "A rate of few spikes has a spread of its square root: at n spikes the map scatters by 1/√n.",
    cost: "O(cells), O(spikes) for a map of rates",
    caveats: "Cells that were not recorded are left empty. A map of rates hides when cells fired: look at the raster \
              for waves.",
    references: &["Ermentrout and Kleinfeld 2001, Neuron 29:33-44, doi:10.1016/S0896-6273(01)00178-7"],
};

options! {
    /// What `plane` can be told.
    pub struct Options {
        time: Option<Time> = time_if_given().or_zero(),
            "when a state is shown (default: at the end; while a run lasts, now)";
    }
}

impl Estimator for Plane {
    type Options = Options;
    const KIND: &'static str = "plane";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        f.each_subject(|f, s| {
            let cells =
                f.scenario().and_then(|spec| spec.population_at(s.place)).and_then(Cells::of).ok_or_else(|| {
                    AnalysisError::Unsuitable(format!(
                        "{}: its population has no grid of two axes (a line is shown by `space`)",
                        s.text
                    ))
                })?;
            let (units, seen, label, note) = match s.what {
                Observable::Spikes | Observable::Rate => rates(f.request, s)?,
                Observable::Variable(_) | Observable::Population => state(f.request, s, o.time)?,
            };
            let n = seen.len() as u64;
            let mut values = vec![f64::NAN; cells.count()];
            for (&unit, &v) in units.iter().zip(&seen) {
                if let Some(cell) = values.get_mut(unit as usize) {
                    *cell = v;
                }
            }
            f.metric(
                Metric::new(&s.text, "mean", mean(&seen), &label.unit, n)
                    .note(format!("over the cells, {note}; n = cells")),
            );
            f.metric(Metric::new(&s.text, "sd", deviation(&seen, 0), &label.unit, n).note("over the cells, ddof 0"));
            let greatest = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            f.metric(Metric::new(&s.text, "max", greatest, &label.unit, n).note("of the cells"));
            let none = seen.iter().filter(|v| **v == 0.0).count() as f64 / seen.len().max(1) as f64;
            f.metric(
                Metric::new(&s.text, "zero_share", none, "", n)
                    .note("share of cells at exactly zero: for spikes, of silent cells"),
            );
            f.word(format!("{}: mean {} {} {note}", s.text, brief(mean(&seen)), label.unit));
            f.shape(format!("{} in the plane", s.text), Shape::Image(cells.image(&values, label)));
            Ok(())
        })
    }
}

/// Units, a value for each, what the values are, and when.
type Seen = (Vec<u32>, Vec<f64>, Axis, String);

fn rates(request: &Request<'_>, s: &Subject) -> Result<Seen, AnalysisError> {
    let trains = subject::trains(request, s)?;
    let seconds = trains.duration();
    let values = trains.trains.iter().map(|t| t.len() as f64 / seconds).collect();
    let note = format!("over {} {}", short(trains.window.length()), trains.base.unit());
    Ok((trains.units, values, Axis::new("rate", trains.base.rate_unit()), note.trim_end().to_owned()))
}

fn state(request: &Request<'_>, s: &Subject, time: Option<Time>) -> Result<Seen, AnalysisError> {
    let columns = subject::variable(request, s)?;
    if columns.is_empty() || columns.units.is_empty() {
        return Err(AnalysisError::NotRecorded {
            subject: s.text.clone(),
            hint: "no sample of single cells lies in the window".into(),
        });
    }
    let last = columns.len() - 1;
    let chosen = time
        .map_or(last, |t| (((t.axis - columns.start) / columns.interval + 1e-9).floor().max(0.0) as usize).min(last));
    let time = columns.start + chosen as f64 * columns.interval;
    let values = columns.columns.iter().map(|c| c[chosen]).collect();
    let note = format!("at {} {}", short(time), columns.base.unit());
    Ok((columns.units, values, Axis::new(columns.label, columns.unit), note.trim_end().to_owned()))
}
