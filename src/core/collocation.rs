//! Cycles as solutions of a boundary value problem: collocation at Gauss points on a mesh that follows where the cycle
//! is fast (de Boor and Swartz 1973, doi:10.1137/0710052; Doedel, Keller, Kernévez 1991,
//! doi:10.1142/S0218127491000555).
//!
//! In each interval of the mesh the solution is a polynomial through the first node and [`STAGES`] points, which
//! fulfils the equations at these points: a step of the Gauss method, of eighth order at the nodes. The intervals are
//! chained by orthogonal elimination (Wright 1992, doi:10.1137/0913044), which stays sound where the cycle repels
//! strongly.

use super::family::Family;
use nalgebra::{DMatrix, DVector};

/// Gauss points in an interval.
pub const STAGES: usize = 4;

/// Places of the Gauss points in an interval of length 1.
const PLACES: [f64; STAGES] =
    [0.069_431_844_202_973_71, 0.330_009_478_207_571_87, 0.669_990_521_792_428_1, 0.930_568_155_797_026_3];

/// The Gauss method: the integrals of the Lagrange polynomials through the points, up to each of them, and up to 1.
#[derive(Debug)]
pub struct Gauss {
    inner: [[f64; STAGES]; STAGES],
    weights: [f64; STAGES],
}

impl Gauss {
    /// From the places of its points.
    pub fn new() -> Self {
        let coefficients: Vec<Vec<f64>> = (0..STAGES).map(lagrange).collect();
        let integral = |c: &[f64], to: f64| -> f64 {
            c.iter().enumerate().map(|(k, c)| c * to.powi(k as i32 + 1) / (k + 1) as f64).sum()
        };
        let weights = std::array::from_fn(|k| integral(&coefficients[k], 1.0));
        let inner = std::array::from_fn(|i| std::array::from_fn(|k| integral(&coefficients[k], PLACES[i])));
        Self { inner, weights }
    }
}

impl Default for Gauss {
    fn default() -> Self {
        Self::new()
    }
}

/// Coefficients, lowest first, of the polynomial that is 1 at the `k`-th Gauss point and 0 at the others.
fn lagrange(k: usize) -> Vec<f64> {
    let mut c = vec![1.0];
    for (_, place) in PLACES.iter().enumerate().filter(|(i, _)| *i != k) {
        let over = PLACES[k] - place;
        let mut next = vec![0.0; c.len() + 1];
        for (i, v) in c.iter().enumerate() {
            next[i] -= v * place / over;
            next[i + 1] += v / over;
        }
        c = next;
    }
    c
}

/// Values along a cycle of period 1: at the nodes of a mesh, and at the Gauss points between them; with those of the
/// period and of the parameter. A cycle, or a direction in which cycles change.
#[derive(Debug, Clone, PartialEq)]
pub struct Orbit {
    /// Nodes of the mesh from 0 to 1.
    pub mesh: Vec<f64>,
    /// States at the nodes, one after the other; the last is the first.
    pub nodes: Vec<f64>,
    /// States at the Gauss points.
    pub stages: Vec<f64>,
    /// Period.
    pub period: f64,
    /// Value of the parameter.
    pub parameter: f64,
}

impl Orbit {
    /// From what it is at each time from 0 to 1.
    pub fn from_fn(mesh: Vec<f64>, period: f64, parameter: f64, at: impl Fn(f64) -> Vec<f64>) -> Self {
        let nodes = mesh.iter().flat_map(|&t| at(t)).collect();
        let inside = mesh.windows(2).flat_map(|w| PLACES.map(|c| c.mul_add(w[1] - w[0], w[0])));
        let stages = inside.flat_map(&at).collect();
        Self { mesh, nodes, stages, period, parameter }
    }

    /// Number of intervals.
    pub fn intervals(&self) -> usize {
        self.mesh.len() - 1
    }

    /// Number of states.
    pub fn dimension(&self) -> usize {
        self.nodes.len() / self.mesh.len()
    }

    /// The state at node `j`.
    pub fn node(&self, j: usize) -> &[f64] {
        let n = self.dimension();
        &self.nodes[j * n..(j + 1) * n]
    }

    /// The state at Gauss point `k` of interval `j`.
    pub fn stage(&self, j: usize, k: usize) -> &[f64] {
        let n = self.dimension();
        let first = (j * STAGES + k) * n;
        &self.stages[first..first + n]
    }

    /// The state at time `t` of interval `j`, from 0 to 1 in the interval: the polynomial through both nodes and all
    /// Gauss points.
    pub fn inside(&self, j: usize, t: f64) -> Vec<f64> {
        let places: [f64; STAGES + 2] = std::array::from_fn(|k| match k {
            0 => 0.0,
            k if k <= STAGES => PLACES[k - 1],
            _ => 1.0,
        });
        let mut out = vec![0.0; self.dimension()];
        for (k, place) in places.iter().enumerate() {
            let weight: f64 = places
                .iter()
                .enumerate()
                .filter(|(i, _)| *i != k)
                .map(|(_, other)| (t - other) / (place - other))
                .product();
            let value = match k {
                0 => self.node(j),
                k if k <= STAGES => self.stage(j, k - 1),
                _ => self.node(j + 1),
            };
            out.iter_mut().zip(value).for_each(|(o, v)| *o += weight * v);
        }
        out
    }

    /// The state at time `t` from 0 to 1.
    pub fn at(&self, t: f64) -> Vec<f64> {
        let j = self.mesh.partition_point(|m| *m <= t).clamp(1, self.intervals()) - 1;
        self.inside(j, (t - self.mesh[j]) / (self.mesh[j + 1] - self.mesh[j]))
    }

    /// The same on another mesh.
    #[must_use]
    pub fn on(&self, mesh: &[f64]) -> Self {
        let mut new = Self::from_fn(mesh.to_vec(), self.period, self.parameter, |t| self.at(t));
        // The last node is the first, and not what rounding makes of it.
        let n = new.dimension();
        let first = new.nodes[..n].to_vec();
        let last = new.nodes.len() - n;
        new.nodes[last..].copy_from_slice(&first);
        new
    }

    /// This plus `factor` times another on the same mesh.
    #[must_use]
    pub fn plus(&self, factor: f64, other: &Self) -> Self {
        let add = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| factor.mul_add(*b, *a)).collect();
        Self {
            mesh: self.mesh.clone(),
            nodes: add(&self.nodes, &other.nodes),
            stages: add(&self.stages, &other.stages),
            period: factor.mul_add(other.period, self.period),
            parameter: factor.mul_add(other.parameter, self.parameter),
        }
    }

    /// The part of time that node `j` stands for, over the number of states: the weights of inner products.
    fn share(&self, j: usize) -> f64 {
        let last = self.intervals();
        let before = if j == 0 { self.mesh[last] - self.mesh[last - 1] } else { self.mesh[j] - self.mesh[j - 1] };
        0.5 * (before + self.mesh[j + 1] - self.mesh[j]) / self.dimension() as f64
    }

    /// The mean over time and states of the product with another on the same mesh.
    pub fn overlap(&self, other: &Self) -> f64 {
        let product = |j: usize| self.node(j).iter().zip(other.node(j)).map(|(a, b)| a * b).sum::<f64>();
        (0..self.intervals()).map(|j| self.share(j) * product(j)).sum()
    }

    /// The mean of each state over time.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.dimension()];
        for j in 0..self.intervals() {
            let weight = self.share(j) * self.dimension() as f64;
            mean.iter_mut().zip(self.node(j)).for_each(|(m, v)| *m += weight * v);
        }
        mean
    }

    /// A mesh of as many intervals on which the error of each is about the same: the derivative that the polynomials
    /// leave out, estimated from how the highest that they have changes between intervals, is spread evenly.
    pub(crate) fn even_mesh(&self) -> Vec<f64> {
        let (n, count) = (self.dimension(), self.intervals());
        let step = |j: usize| self.mesh[j + 1] - self.mesh[j];
        // The highest derivative of the polynomial through the first node and the Gauss points.
        let highest: Vec<Vec<f64>> = (0..count)
            .map(|j| {
                let places: [f64; STAGES + 1] = std::array::from_fn(|k| if k == 0 { 0.0 } else { PLACES[k - 1] });
                let mut out = vec![0.0; n];
                for (k, place) in places.iter().enumerate() {
                    let below: f64 =
                        places.iter().enumerate().filter(|(i, _)| *i != k).map(|(_, other)| place - other).product();
                    let value = if k == 0 { self.node(j) } else { self.stage(j, k - 1) };
                    out.iter_mut().zip(value).for_each(|(o, v)| *o += v / below);
                }
                out.iter().map(|o| o / step(j).powi(STAGES as i32)).collect()
            })
            .collect();
        let next: Vec<f64> = (0..count)
            .map(|j| {
                let k = (j + 1) % count;
                let over = 0.5 * (step(j) + step(k));
                let change: f64 = highest[j].iter().zip(&highest[k]).map(|(a, b)| (a - b) * (a - b)).sum();
                change.sqrt() / over
            })
            .collect();
        let density: Vec<f64> = (0..count)
            .map(|j| (0.5 * (next[j] + next[(j + count - 1) % count])).powf(1.0 / (STAGES + 1) as f64))
            .collect();
        let total: f64 = (0..count).map(|j| density[j] * step(j)).sum();
        if !total.is_finite() || total <= 0.0 {
            return self.mesh.clone();
        }
        // Some of the mesh is spread over time whatever happens there, so that no interval is very long.
        let mut sums = vec![0.0];
        for j in 0..count {
            sums.push(sums[j] + step(j) * 0.8_f64.mul_add(density[j] / total, 0.2));
        }
        let end = sums[count];
        let mut mesh = vec![0.0];
        let mut j = 0;
        for k in 1..count {
            let wanted = end * k as f64 / count as f64;
            while sums[j + 1] < wanted {
                j += 1;
            }
            mesh.push(self.mesh[j] + step(j) * (wanted - sums[j]) / (sums[j + 1] - sums[j]));
        }
        mesh.push(1.0);
        mesh
    }
}

/// What one round of Newton's method gives.
#[derive(Debug, Clone)]
pub struct Round {
    /// What to add.
    pub change: Orbit,
    /// Where the branch goes: the change along which the plane is left at the rate 1.
    pub along: Orbit,
    /// What a turn does to small deviations; `None` where it forgets them beyond what numbers tell.
    pub turn: Option<DMatrix<f64>>,
}

/// One interval with its Gauss points eliminated: what follows at its end, and at the points, from its beginning, the
/// period, the parameter, and from what is not fulfilled yet (columns in this order).
struct Interval {
    stages: DMatrix<f64>,
    end: DMatrix<f64>,
}

/// A node's value as it follows from the next node, the first, the period, the parameter and the rest.
struct Eliminated {
    first: DMatrix<f64>,
    next: DMatrix<f64>,
    rest: DMatrix<f64>,
}

/// One round of Newton's method for the cycle `at`: on the plane through `ahead` whose normal is `normal`, shifted in
/// time so that it keeps to `ahead`. `None` where the linear system is singular.
pub fn round<F: Family + ?Sized>(
    family: &F,
    gauss: &Gauss,
    at: &Orbit,
    ahead: &Orbit,
    normal: &Orbit,
) -> Option<Round> {
    let (n, count) = (at.dimension(), at.intervals());
    let intervals: Vec<Interval> = (0..count).map(|j| interval(family, gauss, at, j)).collect::<Option<_>>()?;
    // Two rows over all nodes: keep the time, keep to the plane. Columns: period, parameter, right side.
    let mut phase = vec![vec![0.0; n]; count];
    let mut plane = vec![vec![0.0; n]; count];
    let mut border = DMatrix::zeros(2, 3);
    let mut speed = vec![0.0; n];
    for j in 0..count {
        family.rate(ahead.node(j), ahead.parameter, &mut speed);
        for i in 0..n {
            let off = at.node(j)[i] - ahead.node(j)[i];
            phase[j][i] = at.share(j) * speed[i] * ahead.period;
            plane[j][i] = at.share(j) * normal.node(j)[i];
            border[(0, 2)] -= phase[j][i] * off;
            border[(1, 2)] -= plane[j][i] * off;
        }
    }
    let by_period = normal.period / (ahead.period * ahead.period);
    border[(1, 0)] = by_period;
    border[(1, 1)] = normal.parameter;
    border[(1, 2)] -= by_period * (at.period - ahead.period) + normal.parameter * (at.parameter - ahead.parameter);

    // P x₀ + Q x_j + c (T, μ, r) = 0, from interval to interval.
    let row = |j: usize| -> (DMatrix<f64>, DMatrix<f64>) {
        let end = &intervals[j].end;
        (-end.columns(0, n).into_owned(), -end.columns(n, 3).into_owned())
    };
    let (mut p, mut c) = row(0);
    let mut q = DMatrix::identity(n, n);
    let mut chain: Vec<Eliminated> = Vec::new();
    for j in 1..count {
        let (own, rest) = row(j);
        let mut pivot = DMatrix::zeros(2 * n, n);
        pivot.rows_mut(0, n).copy_from(&q);
        pivot.rows_mut(n, n).copy_from(&own);
        // Columns: first node, next node, (period, parameter, rest).
        let mut beside = DMatrix::zeros(2 * n, 2 * n + 3);
        beside.view_mut((0, 0), (n, n)).copy_from(&p);
        beside.view_mut((n, n), (n, n)).fill_with_identity();
        beside.view_mut((0, 2 * n), (n, 3)).copy_from(&c);
        beside.view_mut((n, 2 * n), (n, 3)).copy_from(&rest);
        let qr = pivot.qr();
        qr.q_tr_mul(&mut beside);
        let solved = qr.r().solve_upper_triangular(&beside.rows(0, n).into_owned())?;
        let eliminated = Eliminated {
            first: solved.columns(0, n).into_owned(),
            next: solved.columns(n, n).into_owned(),
            rest: solved.columns(2 * n, 3).into_owned(),
        };
        p = beside.view((n, 0), (n, n)).into_owned();
        q = beside.view((n, n), (n, n)).into_owned();
        c = beside.view((n, 2 * n), (n, 3)).into_owned();
        for (k, rows) in [&mut phase, &mut plane].into_iter().enumerate() {
            let own = DVector::from_column_slice(&rows[j]).transpose();
            let (first, next, rest) = (&own * &eliminated.first, &own * &eliminated.next, &own * &eliminated.rest);
            let after = (j + 1) % count;
            for i in 0..n {
                rows[0][i] -= first[i];
                rows[after][i] -= next[i];
            }
            border[(k, 0)] -= rest[0];
            border[(k, 1)] -= rest[1];
            border[(k, 2)] += rest[2];
        }
        chain.push(eliminated);
    }
    let turn = q.clone().lu().solve(&-&p).filter(|m| m.iter().all(|v| v.is_finite()));
    let mut last = DMatrix::zeros(n + 2, n + 2);
    last.view_mut((0, 0), (n, n)).copy_from(&(&p + &q));
    last.view_mut((0, n), (n, 2)).copy_from(&c.columns(0, 2));
    for i in 0..n {
        last[(n, i)] = phase[0][i];
        last[(n + 1, i)] = plane[0][i];
    }
    last.view_mut((n, n), (2, 2)).copy_from(&border.columns(0, 2));
    let mut right = DMatrix::zeros(n + 2, 2);
    for i in 0..n {
        right[(i, 0)] = -c[(i, 2)];
    }
    right[(n, 0)] = border[(0, 2)];
    right[(n + 1, 0)] = border[(1, 2)];
    right[(n + 1, 1)] = 1.0;
    let solution = last.lu().solve(&right)?;
    if solution.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let back = |k: usize, rest: f64| back(at, &intervals, &chain, &solution.column(k).into_owned(), rest);
    Some(Round { change: back(0, 1.0), along: back(1, 0.0), turn })
}

/// All values from those of the first node, the period and the parameter.
fn back(at: &Orbit, intervals: &[Interval], chain: &[Eliminated], solved: &DVector<f64>, rest: f64) -> Orbit {
    let (n, count) = (at.dimension(), at.intervals());
    let first = solved.rows(0, n).into_owned();
    let others = DVector::from_column_slice(&[solved[n], solved[n + 1], rest]);
    let mut nodes = vec![first.clone(); count + 1];
    for j in (1..count).rev() {
        let e = &chain[j - 1];
        nodes[j] = -(&e.first * &first + &e.next * &nodes[j + 1] + &e.rest * &others);
    }
    let mut stages = Vec::with_capacity(count * STAGES * n);
    for (j, interval) in intervals.iter().enumerate() {
        let values = interval.stages.columns(0, n) * &nodes[j] + interval.stages.columns(n, 3) * &others;
        stages.extend(values.iter());
    }
    Orbit {
        mesh: at.mesh.clone(),
        nodes: nodes.iter().flat_map(|v| v.iter().copied()).collect(),
        stages,
        period: solved[n],
        parameter: solved[n + 1],
    }
}

/// Interval `j` with its Gauss points eliminated.
fn interval<F: Family + ?Sized>(family: &F, gauss: &Gauss, at: &Orbit, j: usize) -> Option<Interval> {
    let n = at.dimension();
    let h = (at.mesh[j + 1] - at.mesh[j]) * at.period;
    let h_alone = at.mesh[j + 1] - at.mesh[j];
    let mut rates = vec![vec![0.0; n]; STAGES];
    let mut jacobians = vec![vec![0.0; n * n]; STAGES];
    let mut slopes = vec![vec![0.0; n]; STAGES];
    for k in 0..STAGES {
        family.rate(at.stage(j, k), at.parameter, &mut rates[k]);
        family.jacobian(at.stage(j, k), at.parameter, &mut jacobians[k], &mut slopes[k]);
    }
    // X_i − x − h Σ a_ik f(X_k) = 0, linearised.
    let mut matrix = DMatrix::identity(STAGES * n, STAGES * n);
    let mut right = DMatrix::zeros(STAGES * n, n + 3);
    for i in 0..STAGES {
        for s in 0..n {
            let place = i * n + s;
            right[(place, s)] = 1.0;
            right[(place, n + 2)] = at.node(j)[s] - at.stage(j, i)[s];
            for k in 0..STAGES {
                let a = gauss.inner[i][k];
                for other in 0..n {
                    matrix[(place, k * n + other)] -= h * a * jacobians[k][s * n + other];
                }
                right[(place, n)] += h_alone * a * rates[k][s];
                right[(place, n + 1)] += h * a * slopes[k][s];
                right[(place, n + 2)] += h * a * rates[k][s];
            }
        }
    }
    let stages = matrix.lu().solve(&right)?;
    // x' − x − h Σ b_k f(X_k) = 0, likewise.
    let mut end = DMatrix::zeros(n, n + 3);
    for s in 0..n {
        end[(s, s)] = 1.0;
        end[(s, n + 2)] = at.node(j)[s] - at.node(j + 1)[s];
        for k in 0..STAGES {
            let b = gauss.weights[k];
            end[(s, n)] += h_alone * b * rates[k][s];
            end[(s, n + 1)] += h * b * slopes[k][s];
            end[(s, n + 2)] += h * b * rates[k][s];
            for other in 0..n {
                let factor = h * b * jacobians[k][s * n + other];
                for column in 0..n + 3 {
                    end[(s, column)] += factor * stages[(k * n + other, column)];
                }
            }
        }
    }
    Some(Interval { stages, end })
}
