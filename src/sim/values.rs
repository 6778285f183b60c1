//! Values that may differ from unit to unit or connection to connection, made into numbers.

use super::connect::Link;
use super::expression::{Expression, Operand};
use super::geometry::Geometry;
use super::stepper::UnitValues;
use spikedeck_core::math::{cos, exp, log};
use spikedeck_core::rng::{Key, SIDE, Stream, philox_each, unit_interval_wide};
use spikedeck_core::vector::vectorised;
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

/// One number from `distribution` for each of `links`, as [`draw`] makes them of the stream of each; `placed` gives
/// index and count of evenly spaced values.
pub(super) fn draw_each(
    distribution: &Distribution,
    key: Key,
    links: &[Link],
    placed: impl Fn(&Link) -> (usize, usize),
    out: &mut [f64],
) {
    let alone = |link: &Link| {
        let (index, count) = placed(link);
        draw(distribution, &mut key.stream(link.row, u64::from(link.draw)), index, count)
    };
    let shape = match *distribution {
        Distribution::Uniform { low, high } => Shape { normal: false, scale: high - low, shift: low, unit: None },
        Distribution::Normal { mean, sd, .. } => Shape { normal: true, scale: sd, shift: mean, unit: None },
        Distribution::Lognormal { mu, sigma, unit } => {
            Shape { normal: true, scale: sigma, shift: mu, unit: Some(unit) }
        }
        Distribution::Gamma { .. } | Distribution::Linspace { .. } => {
            return links.iter().zip(out).for_each(|(link, v)| *v = alone(link));
        }
    };
    for (links, out) in links.chunks(SIDE).zip(out.chunks_mut(SIDE)) {
        let (mut rows, mut draws, mut values) = ([0; SIDE], [0; SIDE], [0.0; SIDE]);
        for ((row, draw), link) in rows.iter_mut().zip(&mut draws).zip(links) {
            (*row, *draw) = (link.row, link.draw);
        }
        side(key, &rows, &draws, &shape, &mut values);
        out.copy_from_slice(&values[..out.len()]);
        if let Distribution::Normal { min, max, clip, .. } = *distribution {
            let (low, high) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
            for (v, link) in out.iter_mut().zip(links) {
                if clip {
                    *v = v.max(low).min(high);
                } else if *v < low || *v > high {
                    *v = alone(link);
                }
            }
        }
    }
}

/// What becomes of a uniform or normal number z: `scale z + shift`, or the exponential of that in a unit.
struct Shape {
    normal: bool,
    scale: f64,
    shift: f64,
    unit: Option<f64>,
}

vectorised! {
    /// Numbers drawn side by side for connections, by what keys the draws of each.
    fn side(key: Key, rows: &[u32; SIDE], draws: &[u32; SIDE], shape: &Shape, out: &mut [f64; SIDE]) {
        let [a, b, c, d] = philox_each(key, *rows, *draws);
        let mut z = [0.0; SIDE];
        for i in 0..SIDE {
            z[i] = unit_interval_wide(a[i], b[i]);
        }
        if shape.normal {
            for v in &mut z {
                *v = (-2.0 * log(1.0 - *v)).sqrt();
            }
            for i in 0..SIDE {
                z[i] *= cos(std::f64::consts::TAU * unit_interval_wide(c[i], d[i]));
            }
        }
        for i in 0..SIDE {
            out[i] = shape.scale.mul_add(z[i], shape.shift);
        }
        if let Some(unit) = shape.unit {
            for v in out {
                *v = unit * exp(*v);
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

    /// Numbers for many connections are those of each by itself, bit by bit, of every distribution.
    #[test]
    fn many_connections_draw_what_each_draws() {
        let key = Key::new(9, "projections.p", "weight");
        let normal = |min, max, clip| Distribution::Normal { mean: 0.3, sd: 2.0, min, max, clip };
        let distributions = [
            Distribution::Uniform { low: -2.0, high: 4.5 },
            normal(None, None, false),
            normal(Some(0.0), None, false),
            normal(None, Some(0.5), false),
            normal(Some(-1.0), Some(1.0), true),
            // Bounds that hardly anything lies between.
            normal(Some(1.0), Some(1.000_001), false),
            Distribution::Lognormal { mu: -1.0, sigma: 0.7, unit: 1e-12 },
            Distribution::Gamma { shape: 2.5, scale: 3.0 },
            Distribution::Linspace { from: 1.0, to: 2.0 },
        ];
        for count in [0, 1, 15, 16, 17, 100] {
            let link = |i: u32| Link { source: i, target: 3 * i, row: i.wrapping_mul(77_777_777), draw: i % 5 };
            let links: Vec<Link> = (0..count).map(link).collect();
            for distribution in &distributions {
                let placed = |l: &Link| (l.source as usize, count as usize);
                let mut out = vec![f64::NAN; links.len()];
                draw_each(distribution, key, &links, placed, &mut out);
                for (link, v) in links.iter().zip(&out) {
                    let (index, count) = placed(link);
                    let alone = draw(distribution, &mut key.stream(link.row, u64::from(link.draw)), index, count);
                    assert_eq!(v.to_bits(), alone.to_bits(), "{distribution:?} {link:?}");
                }
            }
        }
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
