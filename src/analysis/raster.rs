//! Spike raster of populations with their rates below.

use super::population_rate::Smoothing;
use super::prelude::*;
use spikedeck_core::number::{counted, shown};
use spikedeck_scenario::Subject;
use spikedeck_signal::{Axis, Raster, RasterGroup, Recording, Series, Shape};

/// The analysis `raster`.
pub struct RasterOfSpikes;

const CARD: AnalysisCard = AnalysisCard {
    title: "Raster",
    synonyms: &["dot_plot", "spike_raster"],
    summary: "every spike of the chosen units, populations stacked, with the population rates below",
    formula: "a mark at (t, unit) for each spike; r_k = count_k/(N Δ) below",
    assumptions: "None. The transient is left out, as everywhere; run with `transient = \"0 s\"` to see it.",
    bias: "None; the rate below is that of population_rate.",
    cost: "O(spikes + bins)",
    caveats: "Where there are more units than rows on the screen, several share a row: a full row is not a fast unit. \
              Random or sorted unit numbers change how synchrony looks, not what it is.",
    references: &["Brunel 2000, doi:10.1023/A:1008925309027"],
};

options! {
    /// What `raster` can be told.
    pub struct Options {
        bin: Time = time("5 ms").or(derived::QUARTER).piece(), "width of the rate's bins";
        smoothing: Smoothing = shared();
    }
}

impl Estimator for RasterOfSpikes {
    type Options = Options;
    const KIND: &'static str = "raster";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let base = f.base;
        let window = f.recording.analysis_window();
        let mut raster = Raster {
            x: Axis::time(base),
            extent: (window.start, window.stop),
            groups: Vec::new(),
            rate: Series { x: Axis::time(base), y: Axis::new("rate", base.rate_unit()), ..Series::default() },
        };
        let (mut total, mut units) = (0, 0);
        f.each_spiking(|f, s| {
            let population = subject::population(f.request, s)?;
            let size = subject::units(f.request, s)?.len();
            let (count, drawn) = match subject::trains(f.request, s) {
                Ok(trains) => (trains.count(), Some(in_time(f.recording, &population.name, &trains))),
                // A figure is made of all its marks at once; they are counted all the same.
                Err(error @ AnalysisError::Absent { .. }) => {
                    let mut count = 0;
                    subject::each_train(f.request, s, |_, train| {
                        count += train.within(window).len();
                        Ok(())
                    })?;
                    f.warn(format!("they are counted and not drawn: {error}"));
                    (count, None)
                }
                Err(error) => return Err(error),
            };
            f.metric(Metric::new(&s.text, "spikes", count as f64, "", count as u64));
            if count == 0 {
                f.warn(format!("{}: nothing fired", s.text));
            }
            total += count;
            units += size;
            if let Some((times, units)) = drawn {
                raster.groups.push(RasterGroup { name: called(f.request, s, &population.name), size, times, units });
            }
            // A window shorter than a bin has spikes but no rate.
            if let Ok(rate) = subject::rate(f.request, s, o.bin) {
                raster.rate.curves.push(o.smoothing.curve(&rate.columns, o.bin));
            }
            Ok(())
        })?;
        f.word(format!(
            "{} of {} between {} and {} {}",
            counted(total, "spike", "spikes"),
            counted(units, "unit", "units"),
            shown(window.start),
            shown(window.stop),
            base.unit()
        ));
        if !raster.groups.is_empty() {
            f.shape("raster", Shape::Raster(raster));
        }
        Ok(())
    }
}

/// What a group is called: its population, or where several groups are of that, what it is of it.
fn called(request: &Request<'_>, s: &Subject, population: &str) -> String {
    let parts = request.spec.of.iter().filter(|other| other.place == s.place).count();
    if parts > 1 { s.text.clone() } else { population.to_owned() }
}

/// The spikes of all rows in the order of time, then row: as they were recorded, where rows are in the order of units.
fn in_time(recording: &Recording, population: &str, trains: &subject::Trains) -> (Vec<f64>, Vec<u32>) {
    if let Some(spikes) = recording.spikes_of(population).filter(|_| trains.units.is_sorted_by(|a, b| a < b)) {
        let mut rows: Vec<Option<u32>> = vec![None; spikes.size];
        for (row, &unit) in trains.units.iter().enumerate() {
            rows[unit as usize] = Some(row as u32);
        }
        let from = spikes.times.partition_point(|&t| t <= trains.window.start);
        let to = spikes.times.partition_point(|&t| t <= trains.window.stop).max(from);
        let inside = spikes.times[from..to].iter().zip(&spikes.units[from..to]);
        return inside.filter_map(|(&t, &u)| Some((t, rows.get(u as usize).copied().flatten()?))).unzip();
    }
    let mut spikes: Vec<(f64, u32)> =
        trains.trains.iter().enumerate().flat_map(|(row, t)| t.iter().map(move |&t| (t, row as u32))).collect();
    spikes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    spikes.into_iter().unzip()
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
        // Rows in another order than units: spikes of one time are in the order of rows.
        let o = run(&RasterOfSpikes, &r, vec![subject("spikes", &[2, 1])], &[]).unwrap();
        let Shape::Raster(raster) = &o.shapes[0].shape else { panic!() };
        assert_eq!((&raster.groups[0].times, &raster.groups[0].units), (&vec![5.0, 20.0, 20.0], &vec![0, 0, 1]));
    }

    /// Groups keep their spikes and their names apart through tables, whatever they are of.
    #[test]
    fn groups_of_one_population_come_back_as_they_were() {
        let r = recording(&[vec![1.0, 50.0], vec![20.0], vec![5.0, 20.0]], 100.0);
        for of in [vec![&[0][..], &[1, 2]], vec![&[], &[1]], vec![&[2, 0], &[2, 0], &[]], vec![&[1]]] {
            let subjects = of.iter().map(|units| subject("spikes", units)).collect();
            let o = run(&RasterOfSpikes, &r, subjects, &[]).unwrap();
            let shape = &o.shapes[0].shape;
            let mut back = shape.without_data();
            back.fill(shape.columns());
            let (Shape::Raster(there), Shape::Raster(back)) = (shape, &back) else { panic!() };
            assert_eq!(there.groups.len(), of.len());
            for (a, b) in there.groups.iter().zip(&back.groups) {
                assert_eq!((&a.times, &a.units, a.size), (&b.times, &b.units, b.size), "{of:?}");
            }
            let names: std::collections::BTreeSet<_> = back.groups.iter().map(|g| &g.name).collect();
            assert_eq!(names.len(), of.len(), "{names:?}");
        }
    }
}
