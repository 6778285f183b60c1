//! Values that may differ from unit to unit or connection to connection, made into numbers.

use super::expression::{Expression, Operand};
use super::geometry::Geometry;
use super::stepper::UnitValues;
use spikedeck_core::math::{cos, exp, log};
use spikedeck_core::rng::{Key, Stream};
use spikedeck_equation::Formula;
use spikedeck_scenario::{Distribution, UnitName, Value};

/// What an expression of a value may name: how many units there are, where they are, and quantities known already.
pub(super) struct UnitNames<'a> {
    /// Number of units (`N`).
    pub size: usize,
    /// Positions, if any.
    pub geometry: &'a Geometry,
    /// Parameters whose values are known.
    pub known: &'a [Option<UnitValues>],
}

impl UnitNames<'_> {
    /// What a name stands for. Time has no value here: whoever knows time fills it in.
    pub fn column(&self, name: UnitName) -> UnitValues {
        match name {
            UnitName::Index => UnitValues::Each((0..self.size).map(|i| i as f64).collect()),
            UnitName::Count => UnitValues::Shared(self.size as f64),
            UnitName::Position(axis) => UnitValues::Each(self.geometry.positions.iter().map(|p| p[axis]).collect()),
            UnitName::PathDistance => UnitValues::Each(self.geometry.distance.clone()),
            UnitName::Diameter => UnitValues::Each(self.geometry.diameter.clone()),
            UnitName::Parameter(id) => self.known[id.index()]
                .clone()
                .expect("the scenario refuses expressions of parameters that are not known before them"),
            UnitName::Time => UnitValues::Shared(0.0),
        }
    }

    /// What the names of an expression stand for, in their order.
    pub fn columns(&self, formula: &Formula<UnitName>) -> Vec<UnitValues> {
        formula.names().iter().map(|n| self.column(*n)).collect()
    }
}

/// One number a unit for `value`. Drawn values are keyed by `key` and unit, so they depend on nothing else.
pub(super) fn resolve(value: &Value, names: &UnitNames<'_>, key: Key) -> UnitValues {
    match value {
        Value::Constant(v) => UnitValues::Shared(*v),
        Value::Each(list) => {
            assert_eq!(list.len(), names.size, "the scenario refuses lists that are not one value a unit");
            UnitValues::Each(list.to_vec())
        }
        Value::Drawn(distribution) => UnitValues::Each(
            (0..names.size).map(|i| draw(distribution, &mut key.stream(i as u32, 0), i, names.size)).collect(),
        ),
        Value::Expression(formula) => {
            let columns = names.columns(formula);
            let values: Vec<Operand<'_>> = columns.iter().map(Operand::from).collect();
            let mut out = vec![0.0; names.size];
            Expression::new(formula, |_| false).evaluate(0.0, &values, &mut out);
            UnitValues::Each(out)
        }
    }
}

/// The part of a column that belongs to lanes `first..first + lanes`.
pub(super) fn slice(column: &UnitValues, first: usize, lanes: usize) -> UnitValues {
    match column {
        UnitValues::Shared(v) => UnitValues::Shared(*v),
        UnitValues::Each(v) => UnitValues::Each(v[first..first + lanes].to_vec()),
    }
}

/// Value of a column for unit `i`.
#[inline]
pub(super) fn at(column: &UnitValues, i: usize) -> f64 {
    match column {
        UnitValues::Shared(v) => *v,
        UnitValues::Each(v) => v[i],
    }
}

/// One number from `distribution`; `index` of `count` places evenly spaced values.
pub(super) fn draw(distribution: &Distribution, stream: &mut Stream, index: usize, count: usize) -> f64 {
    match *distribution {
        Distribution::Uniform { low, high } => (high - low).mul_add(stream.uniform(), low),
        Distribution::Normal { mean, sd, min, max, clip: true } => {
            sd.mul_add(normal(stream), mean).max(min.unwrap_or(f64::NEG_INFINITY)).min(max.unwrap_or(f64::INFINITY))
        }
        Distribution::Normal { mean, sd, min, max, clip: false } => {
            // Redrawing terminates: bounds that exclude nearly everything are cut after many tries, at the nearer
            // bound.
            for _ in 0..10_000 {
                let v = sd.mul_add(normal(stream), mean);
                if min.is_none_or(|m| v >= m) && max.is_none_or(|m| v <= m) {
                    return v;
                }
            }
            mean.max(min.unwrap_or(mean)).min(max.unwrap_or(f64::INFINITY))
        }
        Distribution::Lognormal { mu, sigma, unit } => unit * exp(sigma.mul_add(normal(stream), mu)),
        Distribution::Gamma { shape, scale } => scale * gamma(shape, stream),
        Distribution::Linspace { from, to } => {
            if count < 2 {
                from
            } else {
                let f = index as f64 / (count - 1) as f64;
                (to - from).mul_add(f, from)
            }
        }
    }
}

/// A standard normal number (Box and Muller 1958, doi:10.1214/aoms/1177706645), with the cosine of each pair only.
pub(super) fn normal(stream: &mut Stream) -> f64 {
    let radius = (-2.0 * log(1.0 - stream.uniform())).sqrt();
    radius * cos(std::f64::consts::TAU * stream.uniform())
}

/// Standard gamma number (Marsaglia and Tsang 2000, doi:10.1145/358407.358414).
pub(super) fn gamma(shape: f64, stream: &mut Stream) -> f64 {
    if shape < 1.0 {
        let u = stream.uniform().max(f64::MIN_POSITIVE);
        return gamma(shape + 1.0, stream) * exp(log(u) / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(stream);
        let v = c.mul_add(x, 1.0);
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = stream.uniform().max(f64::MIN_POSITIVE);
        if log(u) < 0.5 * x * x + d - d * v + d * log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(distribution: &Distribution) -> (f64, f64) {
        let key = Key::new(5, "populations.a", "initial.V_m");
        let n = 40_000;
        let v: Vec<f64> = (0..n).map(|i| draw(distribution, &mut key.stream(i as u32, 0), i, n)).collect();
        let mean = v.iter().sum::<f64>() / n as f64;
        (mean, (v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64).sqrt())
    }

    #[test]
    fn moments_of_every_distribution() {
        // Means and standard deviations in closed form; 40,000 draws give 0.5 % of a standard deviation.
        let close = |d: &Distribution, mean: f64, sd: f64| {
            let (m, s) = moments(d);
            assert!((m - mean).abs() < 0.02 * sd && (s - sd).abs() < 0.03 * sd, "{d:?}: {m} {s}, expected {mean} {sd}");
        };
        close(&Distribution::Uniform { low: -2.0, high: 4.0 }, 1.0, 6.0 / 12f64.sqrt());
        close(&Distribution::Normal { mean: 3.0, sd: 0.5, min: None, max: None, clip: false }, 3.0, 0.5);
        close(
            &Distribution::Lognormal { mu: 0.0, sigma: 0.5, unit: 2.0 },
            2.0 * 0.125f64.exp(),
            2.0 * (0.25f64.exp().powi(2) - 0.25f64.exp()).sqrt(),
        );
        close(&Distribution::Gamma { shape: 2.5, scale: 3.0 }, 7.5, 3.0 * 2.5f64.sqrt());
        close(&Distribution::Gamma { shape: 0.4, scale: 1.0 }, 0.4, 0.4f64.sqrt());
    }

    #[test]
    fn bounds_hold_and_ends_are_included() {
        let key = Key::new(1, "a", "b");
        for i in 0..500 {
            let v = draw(
                &Distribution::Normal { mean: 0.0, sd: 1.0, min: Some(-0.5), max: Some(0.1), clip: false },
                &mut key.stream(i, 0),
                0,
                1,
            );
            assert!((-0.5..=0.1).contains(&v));
        }
        // The positive half of a normal distribution with the other half at zero.
        let (mean, _) = moments(&Distribution::Normal { mean: 0.0, sd: 1.0, min: Some(0.0), max: None, clip: true });
        assert!((mean - 1.0 / (2.0 * std::f64::consts::PI).sqrt()).abs() < 0.01, "{mean}");
        let line = Distribution::Linspace { from: 1.0, to: 2.0 };
        assert_eq!(draw(&line, &mut key.stream(0, 0), 0, 5), 1.0);
        assert_eq!(draw(&line, &mut key.stream(0, 0), 4, 5), 2.0);
    }
}
