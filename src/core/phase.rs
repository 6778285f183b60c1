//! What a phase plane is made of: zero lines of a function on a grid, fixed points and what happens near them.

use super::dynamics::Dynamics;
use super::linear::{eigenvalues, solve};

/// A rectangle of the plane with `columns` by `rows` points on it, ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// First and last abscissa.
    pub x: (f64, f64),
    /// First and last ordinate.
    pub y: (f64, f64),
    /// Points along x.
    pub columns: usize,
    /// Points along y.
    pub rows: usize,
}

impl Grid {
    /// The point in a column and a row.
    pub fn at(&self, column: usize, row: usize) -> (f64, f64) {
        let along = |(from, to): (f64, f64), i: usize, n: usize| from + (to - from) * i as f64 / (n.max(2) - 1) as f64;
        (along(self.x, column, self.columns), along(self.y, row, self.rows))
    }
}

/// Where a function that was sampled on a grid (`values[row * columns + column]`) is zero: segments by marching squares
/// with linear interpolation. A cell with a saddle is decided by the mean of its corners; cells with a value that is
/// not finite are left empty. O(points).
pub fn zero_lines(values: &[f64], grid: &Grid) -> Vec<[f64; 4]> {
    let mut segments = Vec::new();
    for row in 0..grid.rows.saturating_sub(1) {
        for column in 0..grid.columns.saturating_sub(1) {
            cell(values, grid, column, row, &mut segments);
        }
    }
    segments
}

fn cell(values: &[f64], grid: &Grid, column: usize, row: usize, segments: &mut Vec<[f64; 4]>) {
    // Corners against the clock from the lower left.
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)];
    let v = corners.map(|(dx, dy)| values[(row + dy) * grid.columns + column + dx]);
    if v.iter().any(|v| !v.is_finite()) {
        return;
    }
    let p = corners.map(|(dx, dy)| grid.at(column + dx, row + dy));
    let above = v.map(|v| v > 0.0);
    let crossing = |i: usize| {
        let j = (i + 1) % 4;
        let f = v[i] / (v[i] - v[j]);
        (p[i].0 + f * (p[j].0 - p[i].0), p[i].1 + f * (p[j].1 - p[i].1))
    };
    let edges: Vec<usize> = (0..4).filter(|&i| above[i] != above[(i + 1) % 4]).collect();
    let mut push = |a: usize, b: usize| {
        let (a, b) = (crossing(a), crossing(b));
        segments.push([a.0, a.1, b.0, b.1]);
    };
    match edges[..] {
        [a, b] => push(a, b),
        [a, b, c, d] => {
            // Edge i lies between corners i and i + 1. If the middle goes with corner 0, lines cut off corners 1 and 3.
            if (v.iter().sum::<f64>() > 0.0) == above[0] {
                push(a, b);
                push(c, d);
            } else {
                push(d, a);
                push(b, c);
            }
        }
        _ => {}
    }
}

/// Newton's method on f = 0 for the states in `free`, the others as they are in `x`; damped, so that the residual (in
/// units of `scale` per time) never grows. Returns whether it arrived; `x` is the best point found.
pub fn newton<D: Dynamics + ?Sized>(system: &D, t: f64, x: &mut [f64], free: &[usize], scale: &[f64]) -> bool {
    let n = system.dimension();
    let (mut f, mut full) = (vec![0.0; n], vec![0.0; n * n]);
    let residual = |system: &D, x: &[f64], f: &mut [f64]| {
        system.rate(t, x, f);
        free.iter().map(|&i| (f[i] / scale[i]).powi(2)).sum::<f64>().sqrt()
    };
    let mut size = residual(system, x, &mut f);
    for _ in 0..200 {
        if !size.is_finite() {
            return false;
        }
        system.jacobian(t, x, &mut full);
        // In scaled coordinates, so that pivots compare.
        let matrix: Vec<f64> = free
            .iter()
            .flat_map(|&i| free.iter().map(move |&j| (i, j)))
            .map(|(i, j)| full[i * n + j] * scale[j] / scale[i])
            .collect();
        let right: Vec<f64> = free.iter().map(|&i| -f[i] / scale[i]).collect();
        let Some(step) = solve(&matrix, &right) else { return size == 0.0 };
        let longest = step.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        if longest < 1e-13 || size == 0.0 {
            return true;
        }
        let before = x.to_vec();
        // Far jumps are cut: an exponential would overflow on the way.
        let mut fraction = (2.0 / longest).min(1.0);
        let mut better = false;
        for _ in 0..40 {
            for (&i, s) in free.iter().zip(&step) {
                x[i] = before[i] + fraction * s * scale[i];
            }
            let now = residual(system, x, &mut f);
            if now < size {
                size = now;
                better = true;
                break;
            }
            fraction *= 0.5;
        }
        if !better {
            x.copy_from_slice(&before);
            system.rate(t, x, &mut f);
            // Rounding is all that is left if the step was tiny.
            return longest < 1e-8;
        }
    }
    false
}

/// A fixed point with the eigenvalues of its Jacobian, largest real part first.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibrium {
    /// State.
    pub state: Vec<f64>,
    /// Eigenvalues (real, imaginary), per unit of the system's time.
    pub eigenvalues: Vec<(f64, f64)>,
}

impl Equilibrium {
    /// Whether all real parts are negative, all positive, both, or one within rounding of zero: (negative, positive,
    /// zero) counts.
    pub fn signs(&self) -> (usize, usize, usize) {
        let largest = self.eigenvalues.iter().fold(0.0_f64, |m, e| m.max(e.0.hypot(e.1)));
        let zero = |e: &&(f64, f64)| e.0.abs() <= 1e-7 * largest;
        let zeros = self.eigenvalues.iter().filter(zero).count();
        let positive = self.eigenvalues.iter().filter(|e| !zero(e) && e.0 > 0.0).count();
        (self.eigenvalues.len() - zeros - positive, positive, zeros)
    }
}

/// Fixed points that Newton's method finds from `seeds`, each once, in the order found. `proceed` is asked at each
/// seed; when it says no, what there is comes back.
pub fn fixed_points<D: Dynamics + ?Sized>(
    system: &D,
    t: f64,
    seeds: impl IntoIterator<Item = Vec<f64>>,
    scale: &[f64],
    mut proceed: impl FnMut() -> bool,
) -> Vec<Equilibrium> {
    let n = system.dimension();
    let all: Vec<usize> = (0..n).collect();
    let mut found: Vec<Equilibrium> = Vec::new();
    for mut x in seeds {
        if !proceed() {
            break;
        }
        if !newton(system, t, &mut x, &all, scale) {
            continue;
        }
        // What rounding leaves of a zero is a zero.
        for (v, s) in x.iter_mut().zip(scale) {
            if v.abs() < 1e-13 * s {
                *v = 0.0;
            }
        }
        let near = |r: &Equilibrium| r.state.iter().zip(&x).zip(scale).all(|((a, b), s)| (a - b).abs() <= 1e-6 * s);
        if found.iter().any(near) {
            continue;
        }
        let mut jacobian = vec![0.0; n * n];
        system.jacobian(t, &x, &mut jacobian);
        if let Some(eigenvalues) = eigenvalues(&jacobian, n) {
            found.push(Equilibrium { state: x, eigenvalues });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FitzHugh-Nagumo, a .7, b .8, eps .08.
    struct Fhn(f64);

    impl Dynamics for Fhn {
        fn dimension(&self) -> usize {
            2
        }
        fn rate(&self, _t: f64, x: &[f64], o: &mut [f64]) {
            o[0] = x[0] - x[0].powi(3) / 3.0 - x[1] + self.0;
            o[1] = 0.08 * (x[0] + 0.7 - 0.8 * x[1]);
        }
        fn jacobian(&self, _t: f64, x: &[f64], o: &mut [f64]) {
            o.copy_from_slice(&[1.0 - x[0] * x[0], -1.0, 0.08, -0.064]);
        }
    }

    fn seeds() -> impl Iterator<Item = Vec<f64>> {
        (0..49).map(|i| vec![f64::from(i % 7) - 3.0, f64::from(i / 7) - 3.0])
    }

    /// Ground truth C7: rest at I 0 (-1.1994080, -.6242600), and Hopf points at I .3312813374547 and 1.4187186625453.
    #[test]
    fn fitzhugh_nagumo_rests_where_it_should() {
        let found = fixed_points(&Fhn(0.0), 0.0, seeds(), &[1.0, 1.0], || true);
        assert_eq!(found.len(), 1);
        assert!((found[0].state[0] + 1.199_408_0).abs() < 5e-8 && (found[0].state[1] + 0.624_260_0).abs() < 5e-8);
        assert_eq!(found[0].signs(), (2, 0, 0));
        for hopf in [0.331_281_337_454_7, 1.418_718_662_545_3] {
            let at = |current: f64| fixed_points(&Fhn(current), 0.0, seeds(), &[1.0, 1.0], || true)[0].clone();
            let rest = at(hopf);
            assert!(rest.eigenvalues[0].0.abs() < 1e-11, "{:?}", rest.eigenvalues);
            assert!(
                (rest.eigenvalues[0].1 - 0.275_506_8).abs() < 1e-7 && (rest.state[0].abs() - 0.967_470_9).abs() < 1e-7
            );
            assert_eq!(rest.signs(), (0, 0, 2));
            let inside = if hopf < 1.0 { 1e-3 } else { -1e-3 };
            assert_eq!(at(hopf + inside).signs(), (0, 2, 0));
            assert_eq!(at(hopf - inside).signs(), (2, 0, 0));
        }
    }

    /// The zero line of x² + y² - 1 lies on the circle, is closed, and has its length.
    #[test]
    fn zero_lines_follow_a_circle() {
        let grid = Grid { x: (-1.5, 1.5), y: (-1.5, 1.5), columns: 121, rows: 101 };
        let values: Vec<f64> = (0..grid.rows)
            .flat_map(|r| (0..grid.columns).map(move |c| (c, r)))
            .map(|(c, r)| grid.at(c, r))
            .map(|(x, y)| x * x + y * y - 1.0)
            .collect();
        let segments = zero_lines(&values, &grid);
        let length: f64 = segments.iter().map(|s| (s[2] - s[0]).hypot(s[3] - s[1])).sum();
        assert!((length - std::f64::consts::TAU).abs() < 3e-3, "{length}");
        assert!(segments.iter().all(|s| (s[0].hypot(s[1]) - 1.0).abs() < 1e-3));
        let holes = vec![f64::NAN; grid.rows * grid.columns];
        assert!(zero_lines(&holes, &grid).is_empty());
    }

    /// A saddle cell is cut into two lines that do not cross.
    #[test]
    fn saddle_cells() {
        let grid = Grid { x: (0.0, 1.0), y: (0.0, 1.0), columns: 2, rows: 2 };
        // Corners: lower left +, lower right -, upper left -, upper right +; the middle is positive.
        let segments = zero_lines(&[1.0, -0.5, -0.5, 1.0], &grid);
        assert_eq!(segments.len(), 2);
        for s in segments {
            let lower_right = s[0] + s[2] > 1.0 && s[1] + s[3] < 1.0;
            let upper_left = s[0] + s[2] < 1.0 && s[1] + s[3] > 1.0;
            assert!(lower_right || upper_left, "{s:?}");
        }
    }
}
