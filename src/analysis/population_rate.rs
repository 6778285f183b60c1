//! Population rate in bins, plain or smoothed, and how much it fluctuates.

use super::options::{Options as _, Reader};
use super::prelude::*;
use super::stretches;
use spikedeck_core::kernel_smoothing::{Kernel, smooth};
use spikedeck_core::number::{self, shown};
use spikedeck_core::statistics::{deviation, mean, poisson_interval, variance};
use spikedeck_signal::{Axis, Curve, CurveStyle, Series, Shape};

/// The analysis `population_rate`.
pub struct PopulationRate;

const CARD: AnalysisCard = AnalysisCard {
    title: "Population rate",
    synonyms: &["multi_unit_activity", "mua", "instantaneous_rate"],
    summary: "spikes per unit and second in bins, plain or smoothed, and its fluctuation against a Poisson population",
    formula: "r_k = count_k/(N Δ), bins (left, right]\nfano = var(count)/mean(count) over bins (ddof 1)",
    assumptions: "A bin's value stands at its right edge. The interval of the mean is that over blocks of bins, so \
                  that it holds for a rate that fluctuates on scales below a tenth of the window, and at least that \
                  of a Poisson count of the spikes. Spikes after the last whole bin are told and not counted.",
    bias: "Smoothing widens peaks by the kernel's width and lowers them; the numbers are of the unsmoothed bins.",
    cost: "O(spikes + bins · kernel width)",
    caveats: "The count Fano factor depends on the bin: independent Poisson units give 1 at any bin, common input \
              raises it with N and Δ. It says that units fluctuate together, not at which scale (see psd, \
              correlogram).",
    references: &[
        "Brunel 2000, doi:10.1023/A:1008925309027",
        "Shimazaki and Shinomoto 2010, doi:10.1007/s10827-009-0180-4",
    ],
};

words! {
    /// Kernel that smooths the rate.
    pub enum Smooth {
        /// None: bins as they are.
        None = "none",
        /// A rectangle.
        Boxcar = "boxcar",
        /// A normal density.
        Gaussian = "gaussian",
        /// A decay.
        Exponential = "exponential",
    }
}

options! {
    /// Which kernel smooths.
    pub struct Shaped {
        kernel: Smooth = choice(Smooth::None), "kernel that smooths the rate";
    }
}

/// A quarter of the typical interval, which counts where there is a kernel.
const WIDTH: derived::Derivation = derived::Derivation {
    matters: |r| Shaped::read(&mut Reader::new(r)).is_ok_and(|shaped| shaped.kernel != Smooth::None),
    ..derived::QUARTER
};

options! {
    /// How a rate is smoothed; the raster has it as well.
    pub struct Smoothing {
        shaped: Shaped = shared();
        width: Time = time("5 ms").or(WIDTH),
            "width of the kernel: full (boxcar), standard deviation (gaussian), time constant (exponential)";
    }
}

impl Smoothing {
    /// The rate as a curve, smoothed.
    pub fn curve(&self, columns: &subject::Columns, bin: Time) -> Curve {
        let kernel = match self.shaped.kernel {
            Smooth::None => None,
            Smooth::Boxcar => Some(Kernel::Boxcar),
            Smooth::Gaussian => Some(Kernel::Gaussian),
            Smooth::Exponential => Some(Kernel::Exponential),
        };
        let plain = &columns.columns[0];
        let values = kernel.map_or_else(|| plain.clone(), |k| smooth(plain, k, self.width.seconds / bin.seconds));
        // A bin that is drawn as a step is known by its right edge; a smoothed rate is that of the middles of bins.
        let back = if kernel.is_none() { 0.0 } else { 0.5 };
        let x = (0..values.len()).map(|k| columns.start + (k as f64 - back) * columns.interval).collect();
        curve(&columns.subject, x, values, if kernel.is_none() { CurveStyle::Steps } else { CurveStyle::Line })
    }
}

/// Blocks of the window that the Fano factor's interval leaves out in turn.
const FANO_BLOCKS: usize = 20;
/// Blocks that the interval of the mean is over: fluctuations inside a block are kept together.
const BLOCKS: usize = 10;

options! {
    /// What `population_rate` can be told.
    pub struct Options {
        bin: Time = time("1 ms").or(derived::TWENTIETH).piece(), "width of the rate's bins";
        smoothing: Smoothing = shared();
    }
}

impl Estimator for PopulationRate {
    type Options = Options;
    const KIND: &'static str = "population_rate";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const LIVE: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let (unit, per) = (f.base.unit(), f.base.rate_unit());
        let mut curves = Vec::new();
        f.each_spiking(|f, s| {
            let subject::Rate { columns, spikes, outside } = subject::rate(f.request, s, o.bin)?;
            let values = &columns.columns[0];
            let bins = values.len() as u64;
            let m = Metric::new(&s.text, "mean", mean(values), per, bins);
            let blocks = BLOCKS.min(values.len());
            let per_spike = 1.0 / (columns.averaged.max(1) as f64 * o.bin.seconds * values.len() as f64);
            let counted = (mean(values) / per_spike).round() as u64;
            let (least, most) = poisson_interval(counted, 0.95);
            let (low, high) = stretches::mean_about(values, BLOCKS).unwrap_or((f64::INFINITY, 0.0));
            f.metric(
                m.interval(low.clamp(0.0, least * per_spike), high.max(most * per_spike))
                    .note("n = bins")
                    .interval_by(format!("95 % interval over {blocks} blocks (t), at least that of a Poisson count")),
            );
            if let Some(told) = outside {
                f.warn(told);
            }
            f.metric(Metric::new(&s.text, "sd", deviation(values, 1), per, bins).note("over bins, ddof 1"));
            let (peak, most) = highest(values);
            f.metric(Metric::new(&s.text, "max", most, per, bins));
            f.metric(if most == 0.0 {
                Metric::missing(&s.text, "time_of_max", unit, bins, "no bin has a spike")
            } else {
                Metric::new(&s.text, "time_of_max", columns.start + peak as f64 * columns.interval, unit, bins)
                    .note("right edge of the bin")
            });
            f.metric(fano(&s.text, spikes, &columns));
            if spikes < 20 {
                f.warn(format!(
                    "{}: {} few for a rate in bins",
                    s.text,
                    number::counted(spikes, "spike is", "spikes are")
                ));
            }
            f.word(format!("{} mean {} {per}", s.text, shown(mean(values))));
            curves.push(o.smoothing.curve(&columns, o.bin));
            Ok(())
        })?;
        let series = Series { x: Axis::time(f.base), y: Axis::new("rate", per), curves, references: Vec::new() };
        f.shape("rate", Shape::Series(series));
        Ok(())
    }
}

/// The first bin with the highest rate, and that.
fn highest(values: &[f64]) -> (usize, f64) {
    let at = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0));
    values.iter().copied().enumerate().max_by(at).expect("a rate has at least one bin")
}

fn fano(name: &str, spikes: usize, columns: &subject::Columns) -> Metric {
    let counts: Vec<f64> = {
        let per = columns.averaged.max(1) as f64 * columns.interval * columns.base.seconds();
        columns.columns[0].iter().map(|r| r * per).collect()
    };
    let n = counts.len() as u64;
    if counts.len() < 2 || spikes == 0 {
        return Metric::missing(name, "fano", "", n, "needs spikes and two bins");
    }
    let ratio = |c: &[f64]| variance(c, 1) / mean(c);
    let sums = stretches::moments(&counts, FANO_BLOCKS, 0.0);
    let m = Metric::new(name, "fano", ratio(&counts), "", n)
        .chance(1.0)
        .note("pooled counts over bins, ddof 1")
        .chance_by("chance: independent Poisson units");
    match stretches::interval(&sums, |s| stretches::variance(s, 1) / (s[1] / s[0])) {
        Some((low, high)) => m.interval(low, high).interval_by("95 % interval by the jackknife over blocks of bins"),
        None => m.note("no interval: too few bins"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, subject, value};
    use spikedeck_scenario::OptionValue;

    #[test]
    fn bins_are_open_at_the_left_and_closed_at_the_right() {
        let r = recording(&[vec![1.0, 2.0, 2.5], vec![4.0]], 4.0);
        let o = run(&PopulationRate, &r, vec![subject("spikes", &[])], &[]).unwrap();
        let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
        assert_eq!(s.curves[0].x, vec![1.0, 2.0, 3.0, 4.0]);
        for (got, expected) in s.curves[0].y.iter().zip([500.0, 500.0, 500.0, 500.0]) {
            assert!((got - expected).abs() < 1e-9);
        }
        assert!((value(&o, "p.spikes", "mean") - 500.0).abs() < 1e-9);
    }

    /// Spikes in bins and those outside them, which are told, are the spikes of the window.
    #[test]
    fn spikes_outside_the_bins_are_told() {
        for (bin, stop) in [(2.0, 3000.0), (0.07, 1000.0), (0.3, 1000.0), (0.001, 1000.0), (0.25, 1000.0)] {
            let train = poisson(3, 0, 40.0, stop);
            let options = [("bin", OptionValue::Number(bin))];
            let o = run(&PopulationRate, &recording(std::slice::from_ref(&train), stop), vec![], &options).unwrap();
            let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
            let inside = (s.curves[0].y.iter().sum::<f64>() * bin).round() as usize;
            let outside = train.len() - inside;
            let told = o.warnings.iter().find(|w| w.contains("not counted in bins"));
            assert_eq!(told.is_some(), outside > 0, "{bin}");
            assert!(told.is_none_or(|w| w.contains(&format!(": {outside} of {} spikes", train.len()))), "{told:?}");
        }
    }

    #[test]
    fn spikes_on_a_grid_are_not_lost_to_rounding() {
        // 0.1 ms grid: k*0.1 is seldom exact.
        let train: Vec<f64> = (1..=10_000).map(|k| f64::from(k) * 0.1).collect();
        let r = recording(&[train], 1000.0);
        let o = run(&PopulationRate, &r, vec![], &[("bin", OptionValue::Number(0.0007))]).unwrap();
        let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
        assert_eq!(s.curves[0].y.len(), 1428);
        assert!(s.curves[0].y.iter().all(|&v| (v - 10_000.0).abs() < 1e-6), "each bin holds seven");
    }

    /// On average over where in a bin a spike lies, the centroid of its smoothed rate is the spike's time (with a
    /// causal kernel, later by the kernel's time constant).
    #[test]
    fn smoothed_rates_stand_where_the_spikes_are() {
        for (kernel, later) in [("boxcar", 0.0), ("gaussian", 0.0), ("exponential", 20.0)] {
            for bin in [1.0, 4.0] {
                let options = [
                    ("kernel", OptionValue::Text(kernel.into())),
                    ("bin", OptionValue::Number(bin / 1000.0)),
                    ("width", OptionValue::Number(0.02)),
                ];
                let mut sum = 0.0;
                for k in 0..40 {
                    let time = 500.05 + f64::from(k) * bin / 40.0;
                    let o = run(&PopulationRate, &recording(&[vec![time]], 1000.0), vec![], &options).unwrap();
                    let Shape::Series(s) = &o.shapes[0].shape else { panic!() };
                    let c = &s.curves[0];
                    let moment: f64 = c.x.iter().zip(&c.y).map(|(x, y)| x * y).sum();
                    sum += moment / c.y.iter().sum::<f64>() - time;
                }
                // The causal kernel is a row of samples, whose mean is below that of the decay by half a bin.
                let slack = if later > 0.0 { 0.56 * bin } else { 0.06 * bin };
                assert!((sum / 40.0 - later).abs() < slack, "{kernel} {bin}: {}", sum / 40.0);
            }
        }
    }

    #[test]
    fn independent_units_have_a_fano_factor_of_one_and_copies_of_n() {
        let trains: Vec<Vec<f64>> = (0..50).map(|u| poisson(5, u, 20.0, 20_000.0)).collect();
        let o = run(&PopulationRate, &recording(&trains, 20_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "fano");
        assert!((m.value.unwrap() - 1.0).abs() < 0.05);
        assert!(m.ci_low.unwrap() < 1.0 && m.ci_high.unwrap() > 1.0);
        let copies = vec![trains[0].clone(); 50];
        let o = run(&PopulationRate, &recording(&copies, 20_000.0), vec![], &[]).unwrap();
        assert!((value(&o, "p.spikes", "fano") / 50.0 - 1.0).abs() < 0.1);
    }

    #[test]
    fn properties() {
        let trains: Vec<Vec<f64>> = (0..10).map(|u| poisson(6, u, 30.0, 4096.0)).collect();
        let r = recording(&trains, 4096.0);
        for kernel in ["none", "boxcar", "gaussian", "exponential"] {
            let options = [("kernel", OptionValue::Text(kernel.into()))];
            let a = run(&PopulationRate, &r, vec![], &options).unwrap();
            let b = run(&PopulationRate, &shifted(&r, 8192.0), vec![], &options).unwrap();
            let times = |m: &&Metric| m.metric != "time_of_max";
            for (x, y) in a.metrics.iter().filter(times).zip(b.metrics.iter().filter(times)) {
                assert!((x.value.unwrap() - y.value.unwrap()).abs() < 1e-9);
            }
        }
        let mut mixed = trains;
        mixed.reverse();
        same_values(
            &run(&PopulationRate, &r, vec![], &[]).unwrap(),
            &run(&PopulationRate, &recording(&mixed, 4096.0), vec![], &[]).unwrap(),
            1e-12,
        );
        let e = run(&PopulationRate, &r, vec![], &[("bin", OptionValue::Number(10.0))]).unwrap_err().to_string();
        assert!(e.contains("does not fit"), "{e}");
    }
}
