//! Spike raster of populations with their rates below.

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, population_rate,
    subject,
};
use spikedeck_signal::{Axis, NamedShape, Raster, RasterGroup, Series, Shape};

/// The analysis `raster`.
pub struct RasterOfSpikes;

static CARD: AnalysisCard = AnalysisCard {
    title: "Raster",
    summary: "every spike of the chosen units, populations stacked, with the population rates below",
    formula: "a mark at (t, unit) for each spike; r_k = count_k/(N Δ) below",
    assumptions: "None. The transient is left out, as everywhere; run with `transient = \"0 s\"` to see it.",
    bias: "None; the rate below is that of population_rate.",
    cost: "O(spikes + bins)",
    caveats: "Where there are more units than rows on the screen, several share a row: a full row is not a fast unit. Random or sorted unit numbers change how synchrony looks, not what it is.",
    references: &["Brunel 2000, doi:10.1023/A:1008925309027"],
};

impl Analysis for RasterOfSpikes {
    fn declaration(&self) -> AnalysisDeclaration {
        AnalysisDeclaration { kind: "raster", subjects: Subjects::Of, options: population_rate::rate_options("5 ms") }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn live(&self) -> bool {
        true
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let base = request.recording.time_base;
        let window = request.recording.analysis_window();
        let mut raster = Raster {
            x: Axis::time(base),
            extent: (window.start, window.stop),
            groups: Vec::new(),
            rate: Series { x: Axis::time(base), y: Axis::new("rate", base.rate_unit()), ..Series::default() },
        };
        let (mut metrics, mut warnings) = (Vec::new(), Vec::new());
        for s in subject::of_or_all_spikes(request)? {
            request.check_cancelled()?;
            let trains = subject::trains(request, &s)?;
            let mut spikes: Vec<(f64, u32)> =
                trains.trains.iter().enumerate().flat_map(|(row, t)| t.iter().map(move |&t| (t, row as u32))).collect();
            spikes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let (times, units) = spikes.into_iter().unzip();
            let name = subject::population(request, &s)?.name.clone();
            metrics.push(Metric::new(&s.text, "spikes", trains.count() as f64, "", trains.count() as u64));
            if trains.count() == 0 {
                warnings.push(format!("{}: nothing fired", s.text));
            }
            raster.groups.push(RasterGroup { name, size: trains.trains.len(), times, units });
            // A window shorter than a bin has spikes but no rate.
            if let Ok((columns, smoothed)) = population_rate::rate(request, &trains, 5e-3) {
                let stepped = request.text("kernel").is_none_or(|k| k == "none");
                raster.rate.curves.push(population_rate::curve(&columns, smoothed, stepped));
            }
        }
        let total: f64 = metrics.iter().filter_map(|m| m.value).sum();
        let units: usize = raster.groups.iter().map(|g| g.size).sum();
        let summary =
            format!("{total} spikes of {units} units between {} and {} {}", window.start, window.stop, base.unit());
        Ok(request.outcome(
            "Raster",
            vec![NamedShape::new("raster", Shape::Raster(raster))],
            metrics,
            summary,
            warnings,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recording, run, subject};

    #[test]
    fn spikes_are_sorted_by_time_in_rows_of_the_chosen_units() {
        let mut r = recording(&[vec![1.0, 50.0], vec![20.0], vec![5.0, 20.0]], 100.0);
        r.transient = 2.0;
        let o = run(&RasterOfSpikes, &r, vec![subject("spikes", &[1, 2])], &[]).unwrap();
        let Shape::Raster(raster) = &o.shapes[0].shape else { panic!() };
        assert_eq!(raster.extent, (2.0, 100.0));
        assert_eq!(raster.groups[0].times, vec![5.0, 20.0, 20.0]);
        assert_eq!(raster.groups[0].units, vec![1, 0, 1]);
        assert_eq!((raster.groups[0].name.as_str(), raster.groups[0].size), ("p", 2));
        let total: f64 = raster.rate.curves[0].y.iter().sum::<f64>() * 2.0 * 0.005;
        assert!((total - 3.0).abs() < 1e-9);
        assert_eq!(o.summary, "3 spikes of 2 units between 2 and 100 ms");
    }
}
