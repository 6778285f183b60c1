//! Sample entropy, at one scale and at several: how rarely stretches of a series that agree go on to agree.

use super::prelude::*;
use super::series::chance::{self, Null, Side};
use super::series::{self, Series};
use spikedeck_core::number::{shown, with_unit};
use spikedeck_core::sample_entropy::{LONGEST, Matches, coarse, matches};
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::surrogate::student_quantile;
use spikedeck_core::ties::Ties;
use spikedeck_signal::{Axis, CurveStyle, NamedShape, Series as Curves, Shape};

/// `kind = "sample_entropy"`.
#[derive(Debug, Clone, Copy)]
pub struct SampleEntropy;

const CARD: AnalysisCard = AnalysisCard {
    title: "Sample entropy",
    synonyms: &["sampen", "apen", "approximate_entropy", "multiscale_entropy"],
    summary: "how rarely stretches that agree go on to agree: small for what repeats itself; at several scales",
    formula: "SampEn = ln(B/A): B pairs of stretches of m values that agree within r, A those that agree in the next \
              value \
              as well; as many stretches for B as for A, none with itself\n\
              scale s: the same of means of s values in turn, r as at scale 1;  complexity = Σ over scales",
    assumptions: "Stationary over the window; N of 10^m to 20^m values or more at the largest scale. Each unit is a \
                  series \
                  of its own.",
    bias: "Little in itself; where few pairs agree (A below some ten) it scatters, and it is missing where none do.",
    cost: "O(N log N + pairs that agree) a scale, three times for its interval, once for each surrogate of the first",
    caveats: "The value depends on m and on r: compare like with like. r is a share of the standard deviation, which a \
              drift or an artefact makes large: then all agrees. Of white noise it falls with the scale (means scatter \
              less, r stays), of 1/f noise it does not: a low value at scale 1 alone is no measure of complexity. A \
              smooth signal sampled fast looks regular. Values on a grid of about r agree or not by the grid.",
    references: &[
        "Richman, Moorman 2000, Am J Physiol 278:H2039-H2049, doi:10.1152/ajpheart.2000.278.6.H2039",
        "Costa, Goldberger, Peng 2002, Phys Rev Lett 89:068102, doi:10.1103/PhysRevLett.89.068102",
        "Lake, Richman, Griffin, Moorman 2002, Am J Physiol 283:R789-R797, doi:10.1152/ajpregu.00069.2002",
        "Phipson, Smyth 2010, Stat Appl Genet Mol Biol 9:39, doi:10.2202/1544-6115.1585",
    ],
};

/// Blocks of the window that the interval rests on.
const BLOCKS: usize = 20;
/// Values that a scale needs at the least.
const LEAST: usize = 100;
/// Factor of the tolerance by which the value's dependence on it is told.
const STEP: f64 = 1.1;
/// Pairs that agree to the end, below which a value has no interval.
const LEAST_PAIRS: u64 = 20;

options! {
    /// What `sample_entropy` can be told.
    pub struct Options {
        m: usize = integer("2").between(1.0, LONGEST as f64), "values of a stretch";
        tolerance: f64 = number("0.2").between(1e-6, 100.0), "r, how far values that agree are apart, in standard \
        deviations";
        scales: usize = integer("5").between(1.0, 1000.0), "scales s, from 1: means of s values in turn";
        surrogate: Null = chance::null();
        surrogates: usize = chance::surrogates("39");
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

impl Estimator for SampleEntropy {
    type Options = Options;
    const KIND: &'static str = "sample_entropy";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let mut curves = Vec::new();
        series::each(f, o.bin, o.m + 3, &[("sample_entropy", "nats")], |f, s| {
            let tolerance = o.tolerance * deviation(&s.values, 0);
            let drawn = chance::each_drawn(f, s, o.surrogate, o.surrogates, |values| {
                matches(values, o.m, tolerance, 0).entropy()
            })?;
            let drawn: Vec<f64> = drawn.into_iter().flatten().collect();
            let first = at_scale(s, o, tolerance, 1, "sample_entropy");
            f.word(match first.value {
                Some(value) => format!("{}: sample entropy {} nats", s.name, shown(value)),
                None => format!("{}: no sample entropy, {}", s.name, first.note),
            });
            f.metric(chance::beside(first.clone(), &drawn, o.surrogate, Side::Below));
            warn(f, s, tolerance);
            let mut values = vec![first];
            for scale in 2..=o.scales {
                f.progress(scale as f64 / (o.scales + 1) as f64)?;
                values.push(at_scale(s, o, tolerance, scale, &format!("sample_entropy_{scale}")));
            }
            if o.scales > 1 {
                f.metrics(values[1..].iter().cloned());
                f.metric(complexity(s, &values));
                let (x, y) = values.iter().zip(1..).filter_map(|(m, k)| Some((f64::from(k), m.value?))).unzip();
                curves.push(curve(&s.name, x, y, CurveStyle::Line));
            }
            Ok(())
        })?;
        if curves.iter().any(|c: &spikedeck_signal::Curve| c.x.len() > 1) {
            let (x, y) = (Axis::new("scale", "samples"), Axis::new("sample entropy", "nats"));
            f.shapes([NamedShape::new("scales", Shape::Series(Curves { x, y, curves, ..Curves::default() }))]);
        }
        Ok(())
    }
}

/// The value at one scale.
fn at_scale(s: &Series, o: &Options, tolerance: f64, scale: usize, name: &str) -> Metric {
    let values = coarse(&s.values, scale);
    let n = values.len() as u64;
    if values.len() < LEAST.min(10_usize.pow(o.m as u32)) {
        return Metric::missing(&s.name, name, "nats", n, format!("{n} values at scale {scale}, fewer than {LEAST}"));
    }
    let found = matches(&values, o.m, tolerance, BLOCKS);
    let how = format!(
        "m {}, r {}; {} pairs agree, {} go on to agree; n = values",
        o.m,
        with_unit(tolerance, &s.unit),
        found.short,
        found.long
    );
    let Some(value) = found.entropy() else {
        return Metric::missing(&s.name, name, "nats", n, format!("no pair of stretches goes on to agree: {how}"));
    };
    let metric = Metric::new(&s.name, name, value, "nats", n).note(how);
    // Without a block the tolerance would be another.
    let slope = slope(&values, o.m, tolerance);
    let without = found.entropies_without().into_iter().zip(widths_without(&s.values));
    let left_out: Vec<f64> = without.map(|(v, width)| v + slope * width.ln()).collect();
    let half = half_width(&left_out, &found).filter(|_| found.long >= LEAST_PAIRS);
    let ends = half.map(|half| (value - half, value + half));
    match ends {
        Some((low, high)) => metric
            .interval(low.max(0.0), high)
            .interval_by(format!("95 % interval by leaving out the pairs of each of {BLOCKS} blocks (t)")),
        None if found.long >= LEAST_PAIRS => metric.note("no interval: every part of the values gives this value"),
        None => metric.note(format!("no interval: fewer than {LEAST_PAIRS} pairs go on to agree")),
    }
}

/// Half of the 95 % interval: Student's t of what is left without each block. Of pairs the jackknife counts twice what
/// each pair scatters by itself, 1/A − 1/B (Efron and Stein 1981, doi:10.1214/aos/1176345462), and once is taken off.
/// Of twenty blocks that difference scatters itself, and may come out near or below 0: the error is at least half of
/// that of the pairs. The interval stands about the value of all, which has no bias to speak of that a jackknife would
/// find.
fn half_width(left_out: &[f64], found: &Matches) -> Option<f64> {
    let count = left_out.len() as f64;
    let middle = mean(left_out);
    let square = left_out.iter().map(|v| (v - middle).powi(2)).sum::<f64>() * (count - 1.0) / count;
    let of_pairs = 1.0 / found.long as f64 - 1.0 / found.short as f64;
    let error = (square - of_pairs).max(0.25 * of_pairs).sqrt();
    (error.is_finite() && error > 0.0).then(|| student_quantile(left_out.len() - 1) * error)
}

/// The standard deviation of what is left of the values without each block, as a share of that of all: the tolerance
/// follows it.
fn widths_without(values: &[f64]) -> Vec<f64> {
    let middle = mean(values);
    let sums = |of: &[f64]| {
        of.iter().fold([0.0; 3], |s, v| {
            let d = v - middle;
            [s[0] + 1.0, s[1] + d, s[2] + d * d]
        })
    };
    let variance = |[n, sum, squares]: [f64; 3]| squares / n - (sum / n).powi(2);
    let all = sums(values);
    let block = |b: usize| &values[b * values.len() / BLOCKS..(b + 1) * values.len() / BLOCKS];
    let without = |b: usize| {
        let own = sums(block(b));
        (variance(std::array::from_fn(|k| all[k] - own[k])) / variance(all)).sqrt()
    };
    (0..BLOCKS).map(without).collect()
}

/// By how much the value changes with the logarithm of the tolerance; 0 where that cannot be told.
fn slope(values: &[f64], m: usize, tolerance: f64) -> f64 {
    let at = |factor: f64| matches(values, m, tolerance * factor, 0).entropy();
    match (at(STEP), at(1.0 / STEP)) {
        (Some(wide), Some(narrow)) => (wide - narrow) / (2.0 * STEP.ln()),
        _ => 0.0,
    }
}

/// The sum over scales (the area under the curve).
fn complexity(s: &Series, values: &[Metric]) -> Metric {
    let known: Vec<f64> = values.iter().filter_map(|m| m.value).collect();
    if known.len() < values.len() {
        return s.missing(
            "complexity",
            "nats",
            format!("{} of {} scales have no value", values.len() - known.len(), values.len()),
        );
    }
    s.metric("complexity", mean(&known) * known.len() as f64, "nats", s.n())
        .note(format!("sum over scales 1 to {}; no interval: scales share their samples", known.len()))
}

fn warn(f: &mut Findings<'_>, s: &Series, tolerance: f64) {
    let ties = Ties::of(&s.values);
    let step = ties.levels.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
    if ties.repeats(&s.values) && step > 0.25 * tolerance {
        f.warn(format!(
            "{}: {} distinct values stand {} or more apart, and agree within r = {} by that grid",
            s.name,
            ties.levels.len(),
            shown(step),
            shown(tolerance)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, logistic, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    #[test]
    fn noise_has_the_closed_form_at_every_scale() {
        let o = run(&SampleEntropy, &traces(&[noise(5, 6000)], 1.0), vec![subject("V_m", &[])], &[]).unwrap();
        // −ln erf(r √s/2): the mean of s values scatters by 1/√s.
        for (name, scale) in [("sample_entropy", 1.0), ("sample_entropy_3", 3.0), ("sample_entropy_5", 5.0_f64)] {
            let truth = -statrs::function::erf::erf(0.1 * scale.sqrt()).ln();
            let m = metric(&o, "p.V_m", name);
            let (low, high) = m.ends().unwrap();
            assert!(
                (m.value.unwrap() - truth).abs() < 0.12 && (m.value.unwrap() - truth).abs() < high - low,
                "{truth} {m:?}"
            );
        }
        let first = metric(&o, "p.V_m", "sample_entropy");
        assert!((first.value.unwrap() - first.chance.unwrap()).abs() < 0.05 && first.p_value.unwrap() > 0.02);
        assert!(value(&o, "p.V_m", "complexity") > 7.0);
    }

    #[test]
    fn chaos_is_below_chance_and_what_repeats_itself_is_zero() {
        let one = [("scales", OptionValue::Integer(1))];
        let of = |v: Vec<f64>| run(&SampleEntropy, &traces(&[v], 1.0), vec![subject("V_m", &[])], &one).unwrap();
        let o = of(logistic(3000));
        let m = metric(&o, "p.V_m", "sample_entropy");
        assert!((0.4..0.8).contains(&m.value.unwrap()) && m.p_value == Some(0.025), "{m:?}");
        let o = of((0..1000).map(|k| f64::from(k % 4)).collect());
        assert!(value(&o, "p.V_m", "sample_entropy") < 0.01);
        assert!(o.warnings.iter().any(|w| w.contains("grid")), "{:?}", o.warnings);
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&SampleEntropy, "sample_entropy");
        let o = run(
            &SampleEntropy,
            &traces(&[noise(1, 300)], 1.0),
            vec![subject("V_m", &[])],
            &[("m", OptionValue::Integer(6))],
        );
        let m = metric(&o.unwrap(), "p.V_m", "sample_entropy").clone();
        assert!(m.value.is_none() && m.note.contains("no pair"), "{m:?}");
    }
}
