//! Diffusive coupling that is solved for: what `implicit` projections bring in a step is what the coupled quantities at
//! its end make of it.
//!
//! Every unit makes the step without the coupling; that leads its quantity to s. A current I held over the step leads
//! it to s + q I, with q how it answers in one step, and the currents are those of the end: `I_i = Σ_j g_ij (x_j -
//! x_i)` with `x_i = s_i + q_i I_i`. That is one linear system over all coupled units, whose matrix has a dominant
//! diagonal at any step, so that differences decay whatever the step is (backward Euler). Every thread solves it for
//! itself, with the same bits.

use spikedeck_scenario::PopulationId;

/// Root of the mean squared residual, as a part of the largest value, at which the iteration ends, and its most rounds.
const CLOSE: f64 = 1e-16;
const ROUNDS: usize = 500;

/// Rounds of relaxation where the iteration breaks down.
const RELAXATIONS: usize = 2000;

/// The coupled quantity of a population.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub population: PopulationId,
    /// The state, and the input port through which it is coupled.
    pub state: usize,
    pub port: usize,
    /// Place of its first unit among all coupled units.
    pub first: usize,
    /// How the state of each unit answers in one step to the input.
    pub answers: Vec<f64>,
}

/// All coupled units.
#[derive(Debug, Clone)]
pub(super) struct Joint {
    pub parts: Vec<Part>,
    /// For each unit where its connections begin; sources and conductances.
    starts: Vec<usize>,
    sources: Vec<u32>,
    conductances: Vec<f64>,
    /// Where each unit's step leads without the coupling, how it answers, and where it leads with it.
    ends: Vec<f64>,
    answers: Vec<f64>,
    solved: Vec<f64>,
}

impl Joint {
    /// Units that are coupled by `links`: target, source, conductance, sorted by target.
    pub fn new(parts: Vec<Part>, units: usize, links: &[(u32, u32, f64)]) -> Self {
        let mut starts = vec![0; units + 1];
        for link in links {
            starts[link.0 as usize + 1] += 1;
        }
        for i in 0..units {
            starts[i + 1] += starts[i];
        }
        let (sources, conductances) = links.iter().map(|l| (l.1, l.2)).unzip();
        let nothing = vec![0.0; units];
        let (ends, answers) = (nothing.clone(), nothing.clone());
        Self { parts, starts, sources, conductances, ends, answers, solved: nothing }
    }

    /// Number of coupled units.
    pub fn units(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Takes in where the steps of units of a part from unit `first` on lead, and then how they answer.
    pub fn take(&mut self, part: usize, first: usize, values: &[f64]) {
        let (ends, answers) = values.split_at(values.len() / 2);
        let at = self.parts[part].first + first;
        self.ends[at..at + ends.len()].copy_from_slice(ends);
        self.answers[at..at + ends.len()].copy_from_slice(answers);
    }

    /// Solves for the ends of the step. What is not finite stays so, for the run to stop at.
    pub fn solve(&mut self) {
        let mut x = self.ends.clone();
        if !self.iterate(&mut x) {
            x.clone_from(&self.ends);
            self.relax(&mut x);
        }
        self.solved = x;
    }

    /// What arrives at units of a part from unit `first` on is added to `row`.
    pub fn bring(&self, part: usize, first: usize, row: &mut [f64]) {
        let at = self.parts[part].first + first;
        for (unit, to) in (at..).zip(row) {
            // The current that leads there: so no unit leaves the range of those that it is coupled to, however close
            // the solution is. Where the state is held it leads nowhere.
            *to += if self.answers[unit] > 0.0 {
                (self.solved[unit] - self.ends[unit]) / self.answers[unit]
            } else {
                self.arriving(unit, &self.solved)
            };
        }
    }

    /// Σ g (x_j - x_i).
    fn arriving(&self, unit: usize, x: &[f64]) -> f64 {
        let links = self.starts[unit]..self.starts[unit + 1];
        self.sources[links.clone()]
            .iter()
            .zip(&self.conductances[links])
            .fold(0.0, |sum, (&j, g)| g.mul_add(x[j as usize] - x[unit], sum))
    }

    /// The conductances of a unit together.
    fn total(&self, unit: usize) -> f64 {
        self.conductances[self.starts[unit]..self.starts[unit + 1]].iter().sum()
    }

    /// BiCGSTAB (van der Vorst 1992, doi:10.1137/0913035) with the diagonal divided out, from `x` on. Whether it came
    /// close.
    fn iterate(&self, x: &mut [f64]) -> bool {
        let n = self.units();
        let diagonal: Vec<f64> = (0..n).map(|i| self.answers[i].mul_add(self.total(i), 1.0)).collect();
        let apply = |v: &[f64]| -> Vec<f64> {
            (0..n).map(|i| (v[i] - self.answers[i] * self.arriving(i, v)) / diagonal[i]).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |sum: f64, (a, b)| a.mul_add(*b, sum));
        let right: Vec<f64> = (0..n).map(|i| self.ends[i] / diagonal[i]).collect();
        let largest = x.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        let enough = (CLOSE * largest) * (CLOSE * largest) * n as f64;
        let mut r: Vec<f64> = right.iter().zip(apply(x)).map(|(b, a)| b - a).collect();
        let shadow = r.clone();
        let (mut p, mut v) = (vec![0.0; n], vec![0.0; n]);
        let (mut rho, mut alpha, mut omega) = (1.0, 1.0, 1.0);
        for _ in 0..ROUNDS {
            if dot(&r, &r) <= enough {
                return true;
            }
            let next = dot(&shadow, &r);
            let beta = next / rho * (alpha / omega);
            rho = next;
            for i in 0..n {
                p[i] = beta.mul_add(p[i] - omega * v[i], r[i]);
            }
            v = apply(&p);
            alpha = rho / dot(&shadow, &v);
            for i in 0..n {
                r[i] -= alpha * v[i];
                x[i] += alpha * p[i];
            }
            if dot(&r, &r) <= enough {
                return true;
            }
            let t = apply(&r);
            omega = dot(&t, &r) / dot(&t, &t);
            for i in 0..n {
                x[i] += omega * r[i];
                r[i] -= omega * t[i];
            }
            if !(alpha.is_finite() && omega.is_finite()) {
                return false;
            }
        }
        false
    }

    /// Gauss and Seidel's rounds, which stay in the range of the values wherever they end.
    fn relax(&self, x: &mut [f64]) {
        for _ in 0..RELAXATIONS {
            let mut moved: f64 = 0.0;
            for i in 0..self.units() {
                let around = self.total(i).mul_add(x[i], self.arriving(i, x));
                let new = self.answers[i].mul_add(around, self.ends[i]) / self.answers[i].mul_add(self.total(i), 1.0);
                moved = moved.max((new - x[i]).abs());
                x[i] = new;
            }
            if moved == 0.0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::linear;

    /// `n` units in a ring with a few long links, conductances that differ.
    fn ring(n: usize, scale: f64) -> Joint {
        let (mut starts, mut sources, mut conductances) = (vec![0], Vec::new(), Vec::new());
        for i in 0..n {
            for (k, j) in [(i + 1) % n, (i + n - 1) % n, (i * 7 + 3) % n].into_iter().enumerate() {
                sources.push(j as u32);
                conductances.push(scale * (1.0 + ((i * 31 + k * 17) % 11) as f64));
            }
            starts.push(sources.len());
        }
        let ends = (0..n).map(|i| ((i * 37) % 23) as f64 - 70.0).collect();
        let answers = (0..n).map(|i| if i % 5 == 0 { 0.0 } else { 0.5 + (i % 3) as f64 }).collect();
        Joint { parts: Vec::new(), starts, sources, conductances, ends, answers, solved: Vec::new() }
    }

    /// The same by elimination.
    fn eliminated(joint: &Joint) -> Vec<f64> {
        let n = joint.units();
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            matrix[i * n + i] += joint.answers[i].mul_add(joint.total(i), 1.0);
            for link in joint.starts[i]..joint.starts[i + 1] {
                matrix[i * n + joint.sources[link] as usize] -= joint.answers[i] * joint.conductances[link];
            }
        }
        linear::solve(&matrix, &joint.ends).unwrap()
    }

    #[test]
    fn iteration_relaxation_and_elimination_agree_at_any_strength() {
        for n in [2, 5, 40, 150] {
            for (scale, tolerance) in [(0.0, 1e-12), (1e-3, 1e-12), (1.0, 1e-10), (1e3, 1e-8), (1e7, 1e-4)] {
                let mut joint = ring(n, scale);
                joint.solve();
                let exact = eliminated(&joint);
                let mut relaxed = joint.ends.clone();
                joint.relax(&mut relaxed);
                for ((a, b), c) in joint.solved.iter().zip(&exact).zip(&relaxed) {
                    assert!((a - b).abs() < tolerance, "{n} units, {scale}: {a} and {b}");
                    assert!((c - b).abs() < 1e-6, "{n} units, {scale}: {c} and {b}");
                }
                // No unit leaves the range of all.
                let range = |f: fn(f64, f64) -> f64, from| joint.ends.iter().copied().fold(from, f);
                let (low, high) = (range(f64::min, f64::INFINITY), range(f64::max, f64::NEG_INFINITY));
                assert!(joint.solved.iter().all(|v| (low - 1e-9..=high + 1e-9).contains(v)), "{n}, {scale}");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let mut joint = ring(5, 1.0);
        joint.ends[2] = f64::NAN;
        joint.solve();
        assert!(joint.solved[2].is_nan());
    }
}
