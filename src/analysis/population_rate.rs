//! Population rate in bins, plain or smoothed, and how much it fluctuates.

use super::{
    Analysis, AnalysisCard, AnalysisDeclaration, AnalysisError, Metric, Outcome, Request, Subjects, option, subject,
};
use spikedeck_core::bootstrap;
use spikedeck_core::kernel_smoothing::{Kernel, smooth};
use spikedeck_core::statistics::{deviation, mean, variance};
use spikedeck_scenario::OptionKind;
use spikedeck_signal::{Axis, Curve, CurveStyle, NamedShape, Series, Shape};

/// The analysis `population_rate`.
pub struct PopulationRate;

static CARD: AnalysisCard = AnalysisCard {
    title: "Population rate",
    summary: "spikes per unit and second in bins, plain or smoothed, and its fluctuation against a Poisson population",
    formula: "r_k = count_k/(N Δ), bins (left, right]\nfano = var(count)/mean(count) over bins (ddof 1)",
    assumptions: "A bin's value stands at its right edge. The interval of the mean resamples blocks of bins, so that it holds for a rate that fluctuates on scales below a tenth of the window.",
    bias: "Smoothing widens peaks by the kernel's width and lowers them; the numbers are of the unsmoothed bins.",
    cost: "O(spikes + bins · kernel width)",
    caveats: "The count Fano factor depends on the bin: independent Poisson units give 1 at any bin, common input raises it with N and Δ. It says that units fluctuate together, not at which scale (see psd, correlogram).",
    references: &[
        "Brunel 2000, doi:10.1023/A:1008925309027",
        "Shimazaki and Shinomoto 2010, doi:10.1007/s10827-009-0180-4",
    ],
};

/// Options that the raster has as well.
pub(super) fn rate_options(bin: &'static str) -> Vec<spikedeck_scenario::ParamSpec> {
    vec![
        option("bin", OptionKind::Time, Some(bin), "width of the rate's bins"),
        option(
            "kernel",
            OptionKind::Choice(&["none", "boxcar", "gaussian", "exponential"]),
            Some("none"),
            "kernel that smooths the rate",
        ),
        option(
            "width",
            OptionKind::Time,
            Some("5 ms"),
            "width of the kernel: full (boxcar), standard deviation (gaussian), time constant (exponential)",
        ),
    ]
}

/// The rate of a subject in bins, and its smoothed values.
pub(super) fn rate(
    request: &Request<'_>,
    trains: &subject::Trains,
    default_bin: f64,
) -> Result<(subject::Columns, Vec<f64>), AnalysisError> {
    let bin = request.number("bin").unwrap_or(default_bin);
    let columns = subject::rate_of(trains, bin)?;
    let kernel = match request.text("kernel") {
        Some("boxcar") => Some(Kernel::Boxcar),
        Some("gaussian") => Some(Kernel::Gaussian),
        Some("exponential") => Some(Kernel::Exponential),
        _ => None,
    };
    let smoothed = kernel.map_or_else(
        || columns.columns[0].clone(),
        |k| smooth(&columns.columns[0], k, request.number("width").unwrap_or(0.005) / bin),
    );
    Ok((columns, smoothed))
}

/// The rate as a curve.
pub(super) fn curve(columns: &subject::Columns, values: Vec<f64>, stepped: bool) -> Curve {
    let x = (0..values.len()).map(|k| columns.start + k as f64 * columns.interval).collect();
    Curve {
        name: columns.subject.clone(),
        x,
        y: values,
        band: None,
        style: if stepped { CurveStyle::Steps } else { CurveStyle::Line },
    }
}

impl Analysis for PopulationRate {
    fn declaration(&self) -> AnalysisDeclaration {
        AnalysisDeclaration { kind: "population_rate", subjects: Subjects::Of, options: rate_options("1 ms") }
    }

    fn card(&self) -> &'static AnalysisCard {
        &CARD
    }

    fn live(&self) -> bool {
        true
    }

    fn run(&self, request: &Request<'_>) -> Result<Outcome, AnalysisError> {
        let base = request.recording.time_base;
        let (mut metrics, mut curves, mut warnings, mut words) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for s in subject::of_or_all_spikes(request)? {
            request.check_cancelled()?;
            let trains = subject::trains(request, &s)?;
            let (columns, smoothed) = rate(request, &trains, 1e-3)?;
            let values = &columns.columns[0];
            let bins = values.len() as u64;
            let m = Metric::new(&s.text, "mean", mean(values), base.rate_unit(), bins);
            // Blocks of a tenth of the window: fluctuations inside a block are kept together.
            let block = (values.len() / 10).max(1);
            let blocks: Vec<f64> = values.chunks_exact(block).map(mean).collect();
            let drawn = bootstrap::mean_interval(&blocks, 1000, 0.95, request.key(&s.text, "mean"));
            metrics.push(drawn.map_or(m.clone(), |(l, h)| {
                m.interval(l, h).note(format!("n = bins; 95 % bootstrap over {} blocks", blocks.len()))
            }));
            metrics.push(
                Metric::new(&s.text, "sd", deviation(values, 1), base.rate_unit(), bins).note("over bins, ddof 1"),
            );
            let peak = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a))).unwrap_or(0);
            metrics.push(Metric::new(&s.text, "max", values[peak], base.rate_unit(), bins));
            metrics.push(if values[peak] == 0.0 {
                Metric::missing(&s.text, "time_of_max", base.unit(), bins, "no bin has a spike")
            } else {
                Metric::new(&s.text, "time_of_max", columns.start + peak as f64 * columns.interval, base.unit(), bins)
                    .note("right edge of the bin")
            });
            metrics.push(fano(request, &s.text, &trains, &columns));
            if trains.count() < 20 {
                warnings.push(format!("{}: {} spikes are few for a rate in bins", s.text, trains.count()));
            }
            words.push(format!("{} mean {:.3} {}", s.text, mean(values), base.rate_unit()));
            let stepped = request.text("kernel").is_none_or(|k| k == "none");
            curves.push(curve(&columns, smoothed, stepped));
        }
        let series =
            Series { x: Axis::time(base), y: Axis::new("rate", base.rate_unit()), curves, references: Vec::new() };
        Ok(request.outcome(
            "Population rate",
            vec![NamedShape::new("rate", Shape::Series(series))],
            metrics,
            words.join("; "),
            warnings,
        ))
    }
}

fn fano(request: &Request<'_>, name: &str, trains: &subject::Trains, columns: &subject::Columns) -> Metric {
    let counts: Vec<f64> = {
        let per = columns.averaged.max(1) as f64 * columns.interval * trains.base.seconds();
        columns.columns[0].iter().map(|r| r * per).collect()
    };
    let n = counts.len() as u64;
    if counts.len() < 2 || trains.count() == 0 {
        return Metric::missing(name, "fano", "", n, "needs spikes and two bins");
    }
    let ratio = |c: &[f64]| variance(c, 1) / mean(c);
    let block = (counts.len() / 50).max(1);
    let blocks: Vec<&[f64]> = counts.chunks_exact(block).collect();
    let drawn = bootstrap::interval(blocks.len(), 300, 0.95, request.key(name, "fano"), |d| {
        ratio(&d.iter().flat_map(|&i| blocks[i].iter().copied()).collect::<Vec<_>>())
    });
    let m = Metric::new(name, "fano", ratio(&counts), "", n)
        .chance(1.0)
        .note("pooled counts over bins, ddof 1; chance: independent Poisson units");
    drawn.map_or(m.clone(), |(l, h)| m.interval(l, h).note("95 % bootstrap over blocks of bins"))
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
