//! Branches of equilibria by pseudo-arclength continuation (Keller 1977), with what happens on them: folds, branch
//! points and Hopf points, found where a test function changes its sign and located to rounding (Kuznetsov 2004,
//! doi:10.1007/978-1-4757-3978-7, chapter 10).
//!
//! All is done in the numbers of [`Plain`]: the parameter goes from 0 to 1, states are of size 1.

mod branch;
mod measure;

pub use branch::{Branch, End, Kind, Point, Special};

use super::bracket::Bracket;
use super::family::{Family, Member, Plain};
use super::linear::{eigenvalues, solve};
use super::phase::fixed_points;
use measure::{critical, dot, far, foot, growing, hopf_test, norm, told};
use nalgebra::DMatrix;
use std::cell::{Cell, RefCell};

/// How finely and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Longest step along the branch, the range of the parameter being 1.
    pub step: f64,
    /// Most points to either side of where a branch was found.
    pub points: usize,
    /// Size of a state, in typical ones, beyond which a branch is no longer followed.
    pub bound: f64,
}

/// Shortest step: what is not resolved by it is given up.
const SHORTEST: f64 = 1e-8;
/// Least cosine between the directions of two steps.
const STRAIGHT: f64 = 0.95;
/// Two points of which no number differs by more than this are one.
const SAME: f64 = 1e-6;
/// How far a branch may lie from the chord of a step, in lengths of it: what is farther is another one for certain.
const BEND: f64 = 0.2;
/// Parameters at which equilibria are looked for.
const STARTS: usize = 5;

/// A point on its way: state and parameter in one vector, the direction of the branch there, and what the tests say.
#[derive(Debug, Clone)]
struct Node {
    z: Vec<f64>,
    tangent: Vec<f64>,
    eigenvalues: Vec<(f64, f64)>,
    /// Fold, branch point (sign and logarithm), Hopf.
    fold: f64,
    branch: (f64, f64),
    hopf: f64,
}

impl Node {
    fn unstable(&self) -> usize {
        growing(&self.eigenvalues)
    }
}

/// Branches through all equilibria that Newton's method finds from `seeds` at some values of the parameter, and through
/// those that cross them. `proceed` is told how much is done, roughly, and says whether to go on; when it says no, what
/// there is comes back.
pub fn branches<F: Family + ?Sized>(
    family: &Plain<'_, F>,
    seeds: &[Vec<f64>],
    settings: Settings,
    mut proceed: impl FnMut(f64) -> bool,
) -> Vec<Branch> {
    let n = family.dimension();
    let ones = vec![1.0; n];
    let seeds: Vec<Vec<f64>> = seeds.iter().map(|x| family.plain(x)).collect();
    let proceed: RefCell<&mut dyn FnMut(f64) -> bool> = RefCell::new(&mut proceed);
    let walker = Walker { family, settings, proceed, done: Cell::new(0.0), stopped: Cell::new(false) };
    let (mut found, mut known): (Vec<Branch>, Vec<Vec<Vec<f64>>>) = (Vec::new(), Vec::new());
    for k in 0..STARTS {
        let mu = k as f64 / (STARTS - 1) as f64;
        let member = Member { family, parameter: mu };
        for rest in fixed_points(&member, 0.0, seeds.iter().cloned(), &ones, || walker.goes_on()) {
            let mut z = rest.state;
            z.push(mu);
            if walker.stopped.get() || walker.is_known(&known, &z) {
                continue;
            }
            let mut row = vec![0.0; n + 1];
            row[n] = 1.0;
            let Some(start) = walker.node(&z, &row, 1.0) else { continue };
            let mut waiting = vec![start];
            // Branches that cross are followed from where they do, and those that cross them.
            while let Some(start) = waiting.pop() {
                if walker.stopped.get() || walker.is_known(&known, &start.z) {
                    continue;
                }
                let (branch, path, crossing) = walker.both_ways(&start, &known);
                found.push(branch);
                known.push(path);
                waiting.extend(crossing.iter().flat_map(|c| walker.across(c)));
            }
        }
        walker.done.set((k + 1) as f64 / STARTS as f64);
    }
    found
}

/// The end of a step, the rounds that it took, and what happens in it.
type Step = (Node, usize, Vec<(Kind, Node)>);

/// Two halves of a branch, how they look, and where others cross.
type Halves = (Branch, Vec<Vec<f64>>, Vec<Node>);

struct Walker<'a, 'f, F: ?Sized> {
    family: &'a Plain<'f, F>,
    settings: Settings,
    proceed: RefCell<&'a mut dyn FnMut(f64) -> bool>,
    done: Cell<f64>,
    stopped: Cell<bool>,
}

impl<F: Family + ?Sized> Walker<'_, '_, F> {
    /// Whether to go on; once not, never again.
    fn goes_on(&self) -> bool {
        if !self.stopped.get() && !(self.proceed.borrow_mut())(self.done.get()) {
            self.stopped.set(true);
        }
        !self.stopped.get()
    }

    /// Whether a point lies on one of the paths.
    fn is_known(&self, paths: &[Vec<Vec<f64>>], z: &[f64]) -> bool {
        paths.iter().any(|path| path.windows(2).any(|w| self.is_between(&w[0], &w[1], z)))
    }

    /// Whether a point lies on the branch between two of its points: it is where the branch leaves the plane through it
    /// across the chord. However long the step and much the branch bends in it, two branches are not taken for one.
    fn is_between(&self, from: &[f64], to: &[f64], z: &[f64]) -> bool {
        let Some((foot, row, off, length)) = foot(from, to, z) else { return far(from, z) < SAME };
        if off > BEND * length + SAME {
            return false;
        }
        self.correct(&foot, &row).is_some_and(|(there, _)| far(&there, z) < SAME)
    }

    /// df/dy beside df/dμ, and f.
    fn linear(&self, z: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let n = z.len() - 1;
        let (mut f, mut jacobian, mut slope) = (vec![0.0; n], vec![0.0; n * n], vec![0.0; n]);
        self.family.rate(&z[..n], z[n], &mut f);
        self.family.jacobian(&z[..n], z[n], &mut jacobian, &mut slope);
        (f, jacobian, slope)
    }

    /// [df/dy df/dμ] over `row`.
    fn bordered(jacobian: &[f64], slope: &[f64], row: &[f64]) -> Vec<f64> {
        let n = slope.len();
        let mut matrix = Vec::with_capacity((n + 1) * (n + 1));
        for i in 0..n {
            matrix.extend_from_slice(&jacobian[i * n..(i + 1) * n]);
            matrix.push(slope[i]);
        }
        matrix.extend_from_slice(row);
        matrix
    }

    /// Newton's method for f = 0 on the plane through `z` whose normal is `row`; the point and the number of rounds.
    fn correct(&self, z: &[f64], row: &[f64]) -> Option<(Vec<f64>, usize)> {
        let n = z.len() - 1;
        let mut at = z.to_vec();
        let mut before = f64::INFINITY;
        for round in 1..=12 {
            let (f, jacobian, slope) = self.linear(&at);
            let mut right: Vec<f64> = f.iter().map(|f| -f).collect();
            right.push(row.iter().zip(z.iter().zip(&at)).map(|(r, (z, a))| r * (z - a)).sum());
            let step = solve(&Self::bordered(&jacobian, &slope, row), &right)?;
            at.iter_mut().zip(&step).for_each(|(a, s)| *a += s);
            let size = norm(&step);
            if size < 1e-12 || (size < 1e-9 && size >= 0.5 * before) {
                return at[..n].iter().all(|v| v.is_finite()).then_some((at, round));
            }
            if !size.is_finite() || (round > 3 && size > before) {
                return None;
            }
            before = size;
        }
        None
    }

    /// What the point `z` is, which is an equilibrium; the branch leaves it as `row` times `sense` points.
    fn node(&self, z: &[f64], row: &[f64], sense: f64) -> Option<Node> {
        let n = z.len() - 1;
        let (_, jacobian, slope) = self.linear(z);
        let mut right = vec![0.0; n + 1];
        right[n] = sense;
        let mut tangent = solve(&Self::bordered(&jacobian, &slope, row), &right)?;
        let length = norm(&tangent);
        for t in &mut tangent {
            *t /= length;
        }
        let eigenvalues = eigenvalues(&jacobian, n)?;
        let lu = DMatrix::from_row_slice(n + 1, n + 1, &Self::bordered(&jacobian, &slope, &tangent)).lu();
        let diagonal = lu.u().diagonal();
        let swaps: f64 = lu.p().determinant();
        let sign = diagonal.iter().fold(swaps, |s, d| s * d.signum());
        let log = diagonal.iter().map(|d| d.abs().ln()).sum();
        let hopf = hopf_test(&eigenvalues);
        Some(Node { z: z.to_vec(), fold: tangent[n], tangent, eigenvalues, branch: (sign, log), hopf })
    }

    /// The point a step of `s` from `from`, with the number of rounds that it took.
    fn step(&self, from: &Node, s: f64) -> Option<(Node, usize)> {
        let ahead: Vec<f64> = from.z.iter().zip(&from.tangent).map(|(z, t)| s.mul_add(*t, *z)).collect();
        // The normal in the weights of the norm.
        let n = ahead.len() - 1;
        let row: Vec<f64> =
            from.tangent.iter().enumerate().map(|(i, t)| if i < n { t / n as f64 } else { *t }).collect();
        let (z, rounds) = self.correct(&ahead, &row)?;
        Some((self.node(&z, &row, 1.0)?, rounds))
    }

    /// Both halves of the branch through `start`.
    fn both_ways(&self, start: &Node, known: &[Vec<Vec<f64>>]) -> Halves {
        let mut back = start.clone();
        for t in &mut back.tangent {
            *t = -*t;
        }
        back.fold = -back.fold;
        back.branch.0 = -back.branch.0;
        let (mut nodes, mut special, mut crossing, end) = self.walk(&back, known);
        nodes.reverse();
        special.reverse();
        let mut ends = [end, End::Closed];
        if end != End::Closed {
            let (ahead, more, others, end) = self.walk(start, known);
            nodes.extend(ahead.into_iter().skip(1));
            special.extend(more);
            crossing.extend(others);
            ends[1] = end;
        } else if let [first, .., last] = &special[..]
            && std::mem::discriminant(&first.kind) == std::mem::discriminant(&last.kind)
            && self.are_near(&first.at, &last.at)
        {
            // What happens where a closed branch was found is met once more where it closes.
            special.pop();
        }
        let points = nodes.iter().map(|n| self.point(n)).collect();
        let path = nodes.into_iter().map(|n| n.z).collect();
        (Branch { points, special, ends }, path, crossing)
    }

    fn are_near(&self, a: &Point, b: &Point) -> bool {
        let place = |p: &Point| {
            let mut z = self.family.plain(&p.x);
            z.push((p.parameter - self.family.from) / self.family.span);
            z
        };
        far(&place(a), &place(b)) < SAME
    }

    fn point(&self, node: &Node) -> Point {
        let n = node.z.len() - 1;
        let time = self.family.time;
        Point {
            x: self.family.state(&node.z[..n]),
            parameter: self.family.parameter(node.z[n]),
            eigenvalues: node.eigenvalues.iter().map(|e| (e.0 / time, e.1 / time)).collect(),
        }
    }

    /// Follows the branch from `start` where its tangent points.
    fn walk(&self, start: &Node, known: &[Vec<Vec<f64>>]) -> (Vec<Node>, Vec<Special>, Vec<Node>, End) {
        let n = start.z.len() - 1;
        let (mut nodes, mut special, mut crossing) = (vec![start.clone()], Vec::new(), Vec::new());
        let mut step = 0.1 * self.settings.step;
        let end = loop {
            let from = nodes[nodes.len() - 1].clone();
            if nodes.len() > self.settings.points {
                break End::Points;
            }
            if !self.goes_on() {
                break End::Points;
            }
            let Some((mut to, rounds, found)) = self.shortened(&from, &mut step) else {
                break if self.stopped.get() { End::Points } else { End::Lost };
            };
            let mut end = None;
            if to.z[n] < 0.0 || to.z[n] > 1.0 {
                let edge = if to.z[n] < 0.0 { 0.0 } else { 1.0 };
                // From a start on the edge there is nothing beyond it.
                if (from.z[n] - edge).abs() < 1e-12 {
                    break End::Range;
                }
                let Some(last) = self.at_edge(&from, &to, edge) else { break End::Lost };
                to = last;
                end = Some(End::Range);
            } else if to.z[..n].iter().any(|y| y.abs() > self.settings.bound) {
                end = Some(End::Bound);
            } else if nodes.len() > 3 && self.closes(start, &from, &to) {
                end = Some(End::Closed);
            } else if nodes.len() > 2 && crossing.is_empty() && found.is_empty() && self.is_known(known, &to.z) {
                end = Some(End::Known);
            }
            let within = |x: &Node| end != Some(End::Range) || (0.0..=1.0).contains(&x.z[n]);
            for (kind, at) in found.into_iter().filter(|(_, at)| within(at)) {
                special.push(Special { kind, at: self.point(&at) });
                if kind == Kind::BranchPoint {
                    crossing.push(at.clone());
                }
                nodes.push(at);
            }
            nodes.push(to);
            if let Some(end) = end {
                break end;
            }
            if rounds <= 3 {
                step = (1.5 * step).min(self.settings.step);
            }
        };
        (nodes, special, crossing, end)
    }

    /// A step from `from` of at most `step`, which is shortened until the branch bends little and all that changes in
    /// its stability is told by what was found between.
    fn shortened(&self, from: &Node, step: &mut f64) -> Option<Step> {
        loop {
            if let Some((to, rounds)) = self.step(from, *step)
                && dot(&from.tangent, &to.tangent) > STRAIGHT
            {
                let found = self.between(from, &to, *step);
                let explained = from.unstable().abs_diff(to.unstable())
                    == told(found.iter().map(|f| f.0), from.unstable(), to.unstable());
                // What no shorter step tells apart is taken as it is.
                if explained || *step < 1e-5 {
                    return Some((to, rounds, found));
                }
            }
            *step *= 0.5;
            if *step < SHORTEST || !self.goes_on() {
                return None;
            }
        }
    }

    /// The point between `from` and `to` at which the parameter has the value of the edge.
    fn at_edge(&self, from: &Node, to: &Node, edge: f64) -> Option<Node> {
        let n = from.z.len() - 1;
        let share = (edge - from.z[n]) / (to.z[n] - from.z[n]);
        let mut z: Vec<f64> = from.z.iter().zip(&to.z).map(|(a, b)| a + share * (b - a)).collect();
        z[n] = edge;
        let mut row = vec![0.0; n + 1];
        row[n] = 1.0;
        let (z, _) = self.correct(&z, &row)?;
        self.node(&z, &row, to.tangent[n].signum())
    }

    /// What happens in the step from `from` to `to`, in its order.
    fn between(&self, from: &Node, to: &Node, step: f64) -> Vec<(Kind, Node)> {
        let reference = to.branch.1.max(from.branch.1);
        let branch = |n: &Node| n.branch.0 * (n.branch.1 - reference).exp();
        let mut found = Vec::new();
        if from.fold * to.fold < 0.0 {
            found.extend(self.locate(from, to, step, |n| n.fold).map(|(s, n)| (s, Kind::Fold, n)));
        }
        if branch(from) * branch(to) < 0.0 {
            found.extend(self.locate(from, to, step, branch).map(|(s, n)| (s, Kind::BranchPoint, n)));
        }
        // Two real eigenvalues that add up to zero are no Hopf point.
        if from.hopf * to.hopf < 0.0
            && let Some((s, n)) = self.locate(from, to, step, |n| n.hopf)
            && let Some(omega) = critical(&n.eigenvalues)
        {
            found.push((s, Kind::Hopf { omega: omega / self.family.time }, n));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        found.into_iter().map(|(_, kind, n)| (kind, n)).collect()
    }

    /// Where `test` is zero in the step from `from` to `to`.
    fn locate(&self, from: &Node, to: &Node, step: f64, test: impl Fn(&Node) -> f64) -> Option<(f64, Node)> {
        let (first, last) = (test(from), test(to));
        let mut bracket = Bracket::new((0.0, first), (step, last));
        let (mut at, mut best) = if first.abs() < last.abs() { (0.0, from.clone()) } else { (step, to.clone()) };
        let mut least = f64::INFINITY;
        for _ in 0..80 {
            if !self.goes_on() {
                break;
            }
            let s = bracket.place();
            // At a branch point itself the equations are singular: what is beside it stands for it.
            let found = self.step(from, s).or_else(|| self.step(from, s + 1e-7 * step));
            let Some((node, _)) = found else { break };
            let value = test(&node);
            if value.abs() < least {
                (least, at, best) = (value.abs(), s, node);
            }
            if value == 0.0 {
                break;
            }
            bracket.take(s, value);
            if bracket.width() < 1e-14 * (1.0 + step) {
                break;
            }
        }
        // A test that jumps over zero, as at a kink of the equations, has none.
        let small = 1e-3 * first.abs().max(last.abs());
        (least <= small).then_some((at, best))
    }

    /// Whether the branch has come back to where it began.
    fn closes(&self, start: &Node, from: &Node, to: &Node) -> bool {
        dot(&start.tangent, &to.tangent) > 0.0 && self.is_between(&from.z, &to.z, &start.z)
    }

    /// Where the branch that crosses at `at` goes, to either side: along what, besides the tangent, the linearisation
    /// leaves free.
    fn across(&self, at: &Node) -> Vec<Node> {
        let n = at.z.len() - 1;
        let (_, jacobian, slope) = self.linear(&at.z);
        let matrix = DMatrix::from_row_slice(n + 1, n + 1, &Self::bordered(&jacobian, &slope, &at.tangent));
        let Some(v) = matrix.svd(false, true).v_t else { return Vec::new() };
        let mut other: Vec<f64> = v.row(n).iter().copied().collect();
        let length = norm(&other);
        for v in &mut other {
            *v /= length;
        }
        let mut starts = Vec::new();
        for sense in [1.0, -1.0] {
            let step = sense * self.settings.step;
            let ahead: Vec<f64> = at.z.iter().zip(&other).map(|(z, v)| step.mul_add(*v, *z)).collect();
            let row: Vec<f64> = other.iter().enumerate().map(|(i, v)| if i < n { v / n as f64 } else { *v }).collect();
            if let Some((z, _)) = self.correct(&ahead, &row)
                && (0.0..=1.0).contains(&z[n])
            {
                starts.extend(self.node(&z, &row, sense));
            }
        }
        starts
    }
}

#[cfg(test)]
mod tests;
