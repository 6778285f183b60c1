//! Eigenvalues of the connection weights: spectral abscissa and radius, which decide whether a rate network is stable.

use super::prelude::*;
use spikedeck_core::linear::eigenvalues;
use spikedeck_core::statistics::{deviation, mean};
use spikedeck_core::units::brief;
use spikedeck_scenario::{PopulationId, ProjectionId, Spec};
use spikedeck_signal::{Axis, Connections, CurveStyle, ReferenceLine, Series, Shape};
use std::f64::consts::TAU;

/// The analysis `weight_spectrum`.
pub struct WeightSpectrum;

/// Most units whose matrix is decomposed: O(N³).
const MOST: usize = 2000;

const CARD: AnalysisCard = AnalysisCard {
    title: "Spectrum of the weights",
    synonyms: &["eigenvalues", "spectral_radius", "spectral_abscissa"],
    summary: "eigenvalues of the connection weights: spectral abscissa and radius, which decide about stability",
    formula: "W_ij = sum of the weights from unit j to unit i over the projections among the populations of `of` that \
              end at one input\n\
              spectral abscissa = max Re λ(W);  spectral radius = max |λ(W)|",
    assumptions: "Rate units, τ r' = −r + g φ(W r + I) with slope 1: the silent state is stable if g times the \
                  abscissa is below 1, and its modes decay at (1 − g λ)/τ. Delays and slopes other than 1 are not \
                  part of it.",
    bias: "None: the matrix is known. The chance level is the radius √N·sd of a matrix of independent entries with \
           the variance of these (circular law, exact for large N; \
           the abscissa of a finite one exceeds or falls short of it by about N^(−1/2)).",
    cost: "O(N³), for up to 2000 units",
    caveats: "Weights of spiking networks are currents or conductances: their eigenvalues say how patterns are \
              amplified only together with the slope of each unit's rate. A matrix far from normal \
              amplifies for a while although all its eigenvalues are small. A mean different from 0 gives one \
              eigenvalue far outside the disc.",
    references: &[
        "Girko 1985, Theory Probab Appl 29:694-706, doi:10.1137/1129095",
        "Rajan and Abbott 2006, Phys Rev Lett 97:188104, doi:10.1103/PhysRevLett.97.188104",
        "Dayan and Abbott 2001, Theoretical Neuroscience, chapter 7, MIT Press",
    ],
};

options! {
    /// What `weight_spectrum` can be told.
    pub struct Options {
        input: Vec<ProjectionId> = arrival(),
            "input or receptor whose projections count (default: that of the first projection)";
    }
}

impl Estimator for WeightSpectrum {
    type Options = Options;
    const KIND: &'static str = "weight_spectrum";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let Some(spec) = f.scenario() else {
            return Err(AnalysisError::Unsuitable("weights belong to a scenario, and this recording has none".into()));
        };
        let populations: Vec<PopulationId> = f.request.spec.of.iter().filter_map(|s| s.place.population()).collect();
        let name = populations.iter().map(|&p| spec.population(p).name.as_str()).collect::<Vec<_>>().join("+");
        let (matrix, n, count) = weights(f.request, o, spec, &populations)?;
        f.request.check_cancelled()?;
        let Some(values) = eigenvalues(&matrix, n) else {
            return Err(AnalysisError::Unsuitable(format!("{name}: the eigenvalues of the weights did not converge")));
        };
        let abscissa = values[0].0;
        let radius = values.iter().map(|v| v.0.hypot(v.1)).fold(0.0, f64::max);
        let disc = (n as f64).sqrt() * deviation(&matrix, 0);
        f.metrics([
            Metric::new(&name, "spectral_abscissa", abscissa, "", n as u64)
                .chance(disc)
                .note("n = units")
                .chance_by("chance: independent weights of this variance, √N·sd")
                .note(format!("{count} connections")),
            Metric::new(&name, "spectral_radius", radius, "", n as u64).chance(disc).note("n = units"),
            Metric::new(&name, "mean_weight", mean(&matrix), "", (n * n) as u64).note("n = pairs, connected or not"),
            Metric::new(&name, "connections", count as f64, "", count as u64),
        ]);
        let circle = |k: usize| (disc * (TAU * k as f64 / 100.0).cos(), disc * (TAU * k as f64 / 100.0).sin());
        let (re, im) = values.into_iter().unzip();
        let (x, y) = (0..=100).map(circle).unzip();
        let series = Series {
            x: Axis::new("real part", ""),
            y: Axis::new("imaginary part", ""),
            curves: vec![curve("eigenvalues", re, im, CurveStyle::Points), curve("√N·sd", x, y, CurveStyle::Chance)],
            references: vec![ReferenceLine { name: "limit of stability".into(), at: 1.0, vertical: true }],
        };
        f.word(format!("{name}: spectral abscissa {}, radius {}", brief(abscissa), brief(radius)));
        f.shape("eigenvalues", Shape::Series(series));
        Ok(())
    }
}

/// The matrix of weights among the populations (row: target), its size and the number of connections.
fn weights(
    request: &Request<'_>,
    o: &Options,
    spec: &Spec,
    populations: &[PopulationId],
) -> Result<(Vec<f64>, usize, usize), AnalysisError> {
    let mut first = Vec::new();
    let mut n = 0;
    for &p in populations {
        first.push(n);
        n += spec.population(p).size;
    }
    if n > MOST {
        return Err(AnalysisError::Unsuitable(format!("{n} units are too many for eigenvalues (at most {MOST})")));
    }
    let place = |p: PopulationId| populations.iter().position(|&q| q == p).map(|k| first[k]);
    let (mut matrix, mut count, mut unit) = (vec![0.0; n * n], 0, None);
    for projection in o.input.iter().map(|&id| spec.projection(id)) {
        let among = "the scenario takes projections among these populations";
        let (from, to) = (place(projection.from).expect(among), place(projection.to.population).expect(among));
        let Some(c) = request.recording.connections.iter().find(|c| c.projection == projection.name) else {
            return Err(AnalysisError::NotRecorded {
                subject: format!("the weights of `{}`", projection.name),
                hint: format!("write `connections = true` under [record.{}]", spec.population(projection.from).name),
            });
        };
        if *unit.get_or_insert(c.weight_unit.as_str()) != c.weight_unit {
            return Err(AnalysisError::Unsuitable(
                "the projections have weights of different units, which do not add".into(),
            ));
        }
        count += add(&mut matrix, n, (from, to), c);
    }
    if count == 0 {
        return Err(AnalysisError::Unsuitable(
            "no projection connects these populations with each other at this input".into(),
        ));
    }
    Ok((matrix, n, count))
}

fn add(matrix: &mut [f64], n: usize, (from, to): (usize, usize), c: &Connections) -> usize {
    for ((&s, &t), &w) in c.source.iter().zip(&c.target).zip(&c.weight) {
        matrix[(to + t as usize) * n + from + s as usize] += w;
    }
    c.source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directed_ring_has_the_roots_of_unity() {
        let c = Connections {
            source: vec![0, 1, 2, 3],
            target: vec![1, 2, 3, 0],
            weight: vec![0.7; 4],
            ..Connections::default()
        };
        let mut matrix = vec![0.0; 16];
        assert_eq!(add(&mut matrix, 4, (0, 0), &c), 4);
        let values = eigenvalues(&matrix, 4).unwrap();
        assert!((values[0].0 - 0.7).abs() < 1e-12 && values[0].1.abs() < 1e-12);
        assert!((values[3].0 + 0.7).abs() < 1e-12);
        assert!((values[1].1 - 0.7).abs() < 1e-12, "{values:?}");
    }

    #[test]
    fn rows_are_targets() {
        // Unit 0 of a drives unit 1 of b, which stands behind a: two units each.
        let c = Connections { source: vec![0], target: vec![1], weight: vec![3.0], ..Connections::default() };
        let mut matrix = vec![0.0; 16];
        add(&mut matrix, 4, (0, 2), &c);
        assert_eq!(matrix[3 * 4], 3.0);
        assert_eq!(matrix.iter().filter(|v| **v != 0.0).count(), 1);
    }
}
