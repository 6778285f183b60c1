//! Recurrence quantification: when a series comes back to where it was, and how long it then runs alike.

use super::prelude::*;
use super::series::chance::{self, Null, Side};
use super::series::embedded::EmbeddingOptions;
use super::series::{self, Series};
use spikedeck_core::delay::Embedding;
use spikedeck_core::number::shown;
use spikedeck_core::recurrence::{LineStatistics, Recurrences, distances, radius_of_share};
use spikedeck_core::statistics::deviation;
use spikedeck_signal::{Axis, Image, NamedShape, Shape};

/// `kind = "recurrence"`.
#[derive(Debug, Clone, Copy)]
pub struct Recurrence;

const CARD: AnalysisCard = AnalysisCard {
    title: "Recurrence quantification",
    synonyms: &["rqa", "recurrence_plot", "recurrence_quantification", "determinism"],
    summary: "when a series comes back to where it was, and how long it then runs alike (determinism) or stays \
              (laminarity)",
    formula: "R_ij = 1 where ‖X_i − X_j‖ ≤ ε (maximum norm) and |i − j| > `theiler`\n\
              rate = Σ R/pairs;  determinism = share of recurrences in diagonal lines of `line` or more;  \
              mean_diagonal, longest_diagonal, diagonal_entropy (nats) of those lines\n\
              laminarity, trapping_time: the same share and mean length of vertical lines",
    assumptions: "Points that unfold the series (see `embedding`); what is compared is compared at the same rate.",
    bias: "Smooth series sampled fast have lines whatever they do: leave neighbours in time out (`theiler`), and \
           look at \
           chance. Coordinates that share samples make lines of independent values too: one coordinate does not.",
    cost: "O(points²), times surrogates",
    caveats: "All measures depend on ε, on the coordinates and on the least length of lines. With `rate` given, ε is \
              that \
              which makes it, and the rate itself says nothing. There are no intervals: pairs of points share \
              points, and \
              no law of these shares is known; surrogates tell chance.",
    references: &[
        "Marwan, Romano, Thiel, Kurths 2007, Phys Rep 438:237-329, doi:10.1016/j.physrep.2006.11.001",
        "Webber, Zbilut 1994, J Appl Physiol 76:965-973, doi:10.1152/jappl.1994.76.2.965",
        "Eckmann, Kamphorst, Ruelle 1987, Europhys Lett 4:973-977, doi:10.1209/0295-5075/4/9/004",
        "Theiler, Eubank, Longtin, Galdrikian, Farmer 1992, Physica D 58:77-94, doi:10.1016/0167-2789(92)90102-S",
    ],
};

/// Samples that recurrences need.
const LEAST: usize = 100;
/// Points that are looked at.
const MOST: usize = 2000;
/// Cells of the picture along an edge.
const CELLS: usize = 250;

options! {
    /// What `recurrence` can be told.
    pub struct Options {
        unfolded: EmbeddingOptions = shared();
        rate: f64 = number("0.05").between(1e-6, 0.9), "share of the pairs that are near: sets ε, unless that is given";
        radius: Option<f64> = number_if_given().between(1e-9, 100.0), "ε in standard deviations";
        line: usize = integer("2").between(2.0, 1000.0), "least length of a line, in points";
        surrogate: Null = chance::null();
        surrogates: usize = chance::surrogates("19");
        bin: Time = rate_bin(), "bin of rates (states are taken at their own samples)";
    }
}

/// The numbers, in the order in which `measures` gives them.
const NUMBERS: [(&str, &str); 7] = [
    ("determinism", ""),
    ("laminarity", ""),
    ("mean_diagonal", "samples"),
    ("longest_diagonal", "samples"),
    ("diagonal_entropy", "nats"),
    ("trapping_time", "samples"),
    ("rate", ""),
];

/// Which of them is the share of recurrences, which a radius gives and which gives a radius.
const RATE: usize = 6;

impl Estimator for Recurrence {
    type Options = Options;
    const KIND: &'static str = "recurrence";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;
    const SAMPLED: bool = true;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        series::each(f, o.bin, LEAST, &NUMBERS, |f, s| {
            let chosen = o.unfolded.of(s)?;
            let span = chosen.embedding.span();
            let kept = &s.values[..s.values.len().min(MOST + span)];
            let points = chosen.embedding.points(kept.len());
            if points < LEAST + chosen.window {
                let why = format!("{points} points, with none within {} samples, are too few", chosen.window);
                f.metrics(NUMBERS.iter().map(|(metric, unit)| s.missing(metric, unit, &why)));
                return Ok(());
            }
            if kept.len() < s.values.len() {
                f.warn(format!("{}: the first {} of {} samples are looked at", s.name, kept.len(), s.n()));
            }
            let look = |values: &[f64]| found(values, chosen.embedding, chosen.window, o);
            let Some((recurrences, numbers)) = look(kept) else {
                let why = "no two points are far apart in time";
                f.metrics(NUMBERS.iter().map(|(metric, unit)| s.missing(metric, unit, why)));
                return Ok(());
            };
            let looked =
                Series { values: kept.to_vec(), unit: s.unit.clone(), name: s.name.clone(), of: s.of.clone(), ..*s };
            let drawn = chance::each_drawn(f, &looked, o.surrogate, o.surrogates, |v| look(v).map(|d| d.1))?;
            let drawn: Vec<[f64; 7]> = drawn.into_iter().flatten().collect();
            for (k, (name, unit)) in NUMBERS.iter().enumerate() {
                let value = numbers[k];
                if !value.is_finite() {
                    f.metric(s.missing(name, unit, format!("no line is {} points long", o.line)));
                    continue;
                }
                let m = s.metric(name, value, unit, points as u64).note(format!(
                    "ε {} {}; {}; n = points; no interval",
                    shown(recurrences.radius),
                    s.unit,
                    chosen.how
                ));
                let by_chance: Vec<f64> = drawn.iter().map(|d| d[k]).filter(|v| v.is_finite()).collect();
                // At a given rate the rate says nothing.
                let told = k != RATE || o.radius.is_some();
                f.metric(if told { chance::beside(m, &by_chance, o.surrogate, Side::Above) } else { m });
            }
            f.word(format!("{}: determinism {}, laminarity {}", s.name, shown(numbers[0]), shown(numbers[1])));
            f.shapes([picture(s, &recurrences)]);
            Ok(())
        })
    }
}

/// The recurrences of a series and their numbers.
fn found(values: &[f64], embedding: Embedding, window: usize, o: &Options) -> Option<(Recurrences, [f64; 7])> {
    let radius = match o.radius {
        Some(radius) => radius * deviation(values, 0),
        None => radius_of_share(distances(values, embedding, window), o.rate)?,
    };
    let recurrences = Recurrences::new(values, embedding, window, radius);
    let lines = recurrences.quantified();
    let [diagonal, vertical] = [&lines.diagonal, &lines.vertical].map(|l| LineStatistics::of(l, o.line));
    let longest = if diagonal.longest >= o.line { diagonal.longest as f64 } else { f64::NAN };
    let numbers = [
        diagonal.share,
        vertical.share,
        diagonal.mean,
        longest,
        diagonal.entropy,
        vertical.mean,
        lines.near as f64 / lines.pairs as f64,
    ];
    Some((recurrences, numbers))
}

/// The plot: the share of near pairs in each cell.
fn picture(s: &Series, r: &Recurrences) -> NamedShape {
    let cells = CELLS.min(r.points);
    let edge = |k: usize| k * r.points / cells;
    let share = |a: usize, b: usize| {
        let pairs = (edge(a)..edge(a + 1)).flat_map(|i| (edge(b)..edge(b + 1)).map(move |j| (i, j)));
        let (near, all) = pairs.fold((0_u32, 0_u32), |(n, all), (i, j)| (n + u32::from(r.is_near(i, j)), all + 1));
        f64::from(near) / f64::from(all)
    };
    let values = (0..cells).flat_map(|a| (0..cells).map(move |b| (a, b))).map(|(a, b)| share(a, b)).collect();
    let half = 0.5 * r.points as f64 / cells as f64;
    let range = (s.axis(half), s.axis(r.points as f64 - half));
    let axis = || Axis::new("time from the first sample", s.base.unit());
    NamedShape::new(
        format!("recurrences of {}", s.name),
        Shape::Image(Image {
            x: axis(),
            y: axis(),
            value: Axis::new("near", ""),
            x_range: range,
            y_range: range,
            width: cells,
            height: cells,
            values,
            diverging: false,
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::fixtures::{bad_series, logistic, noise};
    use crate::testing::{metric, run, subject, traces, value};
    use spikedeck_scenario::OptionValue;

    fn of(values: Vec<f64>, options: &[(&'static str, OptionValue)]) -> crate::Outcome {
        run(&Recurrence, &traces(&[values], 1.0), vec![subject("V_m", &[])], options).unwrap()
    }

    /// One coordinate: a point of independent values is in a line of two or more with chance 1 − (1 − p)².
    #[test]
    fn noise_runs_alike_by_chance_only() {
        let o = of(noise(1, 1200), &[("dimension", OptionValue::Integer(1))]);
        let m = metric(&o, "p.V_m", "determinism");
        assert!((m.value.unwrap() - 0.0975).abs() < 0.01 && m.p_value.unwrap() > 0.05, "{m:?}");
        assert!((value(&o, "p.V_m", "rate") - 0.05).abs() < 1e-3);
    }

    #[test]
    fn order_and_chaos_run_alike() {
        let sine: Vec<f64> = (0..1500).map(|k| (f64::from(k) * 0.1).sin()).collect();
        assert!(value(&of(sine, &[]), "p.V_m", "determinism") > 0.99);
        let o = of(logistic(1200), &[]);
        let m = metric(&o, "p.V_m", "determinism");
        assert!(m.value.unwrap() > 0.3 && m.p_value == Some(0.05), "{m:?}");
        assert!(o.shapes.iter().any(|s| matches!(s.shape, Shape::Image(_))));
    }

    #[test]
    fn bad_input_is_missing() {
        bad_series(&Recurrence, "determinism");
    }
}
