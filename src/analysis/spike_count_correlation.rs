//! Correlation of spike counts of pairs of trains.

use super::prelude::*;
use super::train_pairs::{self, Measure, PairOptions, Tail};
use spikedeck_core::number::counted;
use spikedeck_core::spike_distance::Edges;
use spikedeck_core::statistics::{mean, varies};
use spikedeck_core::units::short;
use spikedeck_signal::Window;

/// The analysis `spike_count_correlation`.
pub struct SpikeCountCorrelation;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spike count correlation",
    synonyms: &["correlation_coefficient", "pearson", "rsc", "corrcoef"],
    summary: "Pearson correlation of spike counts in bins: each pair, mean, surrogates",
    formula: "r = cov(n_a, n_b)/(sd(n_a) sd(n_b)), n = spikes in bins (left, right]",
    assumptions: "Bins that do not depend much on each other: the intervals and surrogates take the trains as they \
                  are, and do not ask it. A train whose counts do not vary has no correlation. Spikes after the last \
                  whole bin are left out.",
    bias: "It depends on the bin: correlations on a time scale below it fall with the share of a lag that bins cut, \
           those on longer scales grow with the bin (r of counts tends to the integral of the cross-correlation).",
    cost: "O(pairs · bins), once for each surrogate",
    caveats: "It grows with the rates of the trains for the same common input (de la Rocha and others 2007); common \
              slow changes of the rates are correlation as well. Surrogates that shift or shuffle destroy these too, a \
              dither longer than the bin keeps them.",
    references: &[
        "Cohen and Kohn 2011, doi:10.1038/nn.2842",
        "de la Rocha and others 2007, doi:10.1038/nature06028",
        "Bair, Zohary, Newsome 2001, doi:10.1523/JNEUROSCI.21-05-01676.2001",
    ],
};

options! {
    /// What `spike_count_correlation` can be told.
    pub struct Options {
        bin: Time = time("50 ms").or(derived::TEN).piece(), "bins that spikes are counted in";
        pairs: PairOptions = shared();
    }
}

impl Estimator for SpikeCountCorrelation {
    type Options = Options;
    const KIND: &'static str = "spike_count_correlation";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.pairs.max_units, false, |f, c| {
            let bin = o.bin.axis;
            let window = Window { start: c.edges.start, stop: c.edges.stop };
            let bins = subject::bin_count(window, bin);
            if bins < 2 {
                return Err(AnalysisError::Unsuitable(format!(
                    "{}: two bins of {} s do not fit into the {} s that are analysed",
                    c.subject,
                    short(o.bin.seconds),
                    short(window.length() * c.base.seconds())
                )));
            }
            let mut outside = subject::Outside::new(window, o.bin);
            c.trains.iter().for_each(|t| outside.look(t));
            if let Some(told) = outside.told(&c.subject, c.base) {
                f.warn(told);
            }
            let m = Measure {
                name: "spike_count_correlation",
                label: "correlation of counts",
                unit: "",
                itself: 1.0,
                range: (-1.0, 1.0),
                diverging: true,
                chance: Some((0.0, "chance: independent trains")),
                tail: Tail::Both,
                growth: 0.0,
                by_spikes: false,
                work: 1.0,
            };
            let found = train_pairs::measure(
                f,
                &o.pairs,
                c,
                &m,
                |t, e| standard_counts(t, e, bin),
                |a, b| match (a, b) {
                    (Some(a), Some(b)) => a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0),
                    _ => f64::NAN,
                },
            )?;
            let how = format!("{bins} bins of {} {}", short(bin), f.base.unit());
            f.word(c.word("correlation of counts", found, Some(how)));
            if found.is_some() && bins < 20 {
                f.warn(format!("{}: {} few for a correlation", c.subject, counted(bins, "bin is", "bins are")));
            }
            Ok(())
        })
    }
}

/// Counts less their mean over the root of the sum of squares; nothing where they do not vary.
fn standard_counts(train: &[f64], edges: Edges, bin: f64) -> Option<Vec<f64>> {
    let bins = subject::bin_count(Window { start: edges.start, stop: edges.stop }, bin);
    let mut counts = vec![0.0; bins];
    for &t in train {
        if let Some(count) = subject::bin_of(t, edges.start, bin).and_then(|k| counts.get_mut(k)) {
            *count += 1.0;
        }
    }
    let middle = mean(&counts);
    for c in &mut counts {
        *c -= middle;
    }
    let squares: f64 = counts.iter().map(|c| c * c).sum();
    let root = squares.sqrt();
    for c in &mut counts {
        *c /= root;
    }
    varies(squares / bins as f64, middle).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_core::statistics::pearson;
    use spikedeck_scenario::OptionValue;
    use spikedeck_signal::Shape;

    fn matrix(o: &crate::Outcome) -> &spikedeck_signal::Matrix {
        let found = o.shapes.iter().find_map(|s| if let Shape::Matrix(m) = &s.shape { Some(m) } else { None });
        found.unwrap()
    }

    /// Counts by hand: 2 0 1 1 and 1 0 0 3 in four bins of 10 ms, spikes on edges belong to the bin that ends there.
    #[test]
    fn counts_by_hand() {
        let trains = [vec![1.0, 10.0, 25.0, 35.0], vec![2.0, 31.0, 32.0, 40.0], vec![5.0, 15.0, 25.0, 35.0]];
        let bin = [("bin", OptionValue::Number(0.01))];
        let o = run(&SpikeCountCorrelation, &recording(&trains, 40.0), vec![], &bin).unwrap();
        let expected = pearson(&[2.0, 0.0, 1.0, 1.0], &[1.0, 0.0, 0.0, 3.0]);
        assert!((matrix(&o).values[1] - expected).abs() < 1e-12);
        // The third has one spike in each bin: its counts do not vary.
        assert!(matrix(&o).values[2].is_nan() && matrix(&o).values[5].is_nan());
        assert_eq!(metric(&o, "p.spikes", "spike_count_correlation").n, Some(1));
        assert!(o.warnings.iter().any(|w| w.contains("4 bins are few")));
    }

    /// Trains that keep a tenth of the events of one common train have counts of correlation 0.1 (Kuhn, Aertsen, Rotter
    /// 2003), and Poisson trains of correlation 0.
    #[test]
    fn common_events_show_as_their_share() {
        let stop = 400_000.0;
        let common = poisson(5, 99, 100.0, stop);
        let thinned = |u: u32| -> Vec<f64> {
            let mut s = spikedeck_core::rng::Key::new(5, "counts", "thin").stream(u, 0);
            common.iter().copied().filter(|_| s.uniform() < 0.1).collect()
        };
        let trains: Vec<Vec<f64>> = (0..8).map(thinned).collect();
        let few = [("surrogates", OptionValue::Integer(39))];
        let o = run(&SpikeCountCorrelation, &recording(&trains, stop), vec![], &few).unwrap();
        let m = metric(&o, "p.spikes", "spike_count_correlation");
        let (low, high) = m.ends().unwrap();
        assert!((m.value.unwrap() - 0.1).abs() < 0.02 && low < 0.115 && high > 0.085, "{m:?}");
        assert_eq!(m.p_value, Some(0.05));
        let free: Vec<Vec<f64>> = (0..8).map(|u| poisson(6, u, 10.0, stop)).collect();
        let o = run(&SpikeCountCorrelation, &recording(&free, stop), vec![], &few).unwrap();
        assert!(value(&o, "p.spikes", "spike_count_correlation").abs() < 0.01);
    }

    #[test]
    fn time_and_order_do_not_matter_and_bad_input_is_said() {
        let mut trains: Vec<Vec<f64>> = (0..5).map(|u| poisson(7, u, 20.0, 8192.0)).collect();
        let none = [("surrogates", OptionValue::Integer(0))];
        let r = recording(&trains, 8192.0);
        let o = run(&SpikeCountCorrelation, &r, vec![], &none).unwrap();
        same_values(&o, &run(&SpikeCountCorrelation, &shifted(&r, 65536.0), vec![], &none).unwrap(), 1e-8);
        assert!(o.warnings.iter().any(|w| w.contains("no whole bin")), "{:?}", o.warnings);
        trains.reverse();
        same_values(&o, &run(&SpikeCountCorrelation, &recording(&trains, 8192.0), vec![], &none).unwrap(), 1e-12);
        let error = run(&SpikeCountCorrelation, &recording(&trains, 60.0), vec![], &[]).unwrap_err().to_string();
        assert!(error.contains("two bins of 0.05 s do not fit"), "{error}");
        let o = run(&SpikeCountCorrelation, &recording(&[vec![], vec![], vec![3.0]], 500.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "spike_count_correlation").value.is_none());
    }
}
