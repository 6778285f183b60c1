use super::*;

/// A family by its right side and its derivatives: f, df/dx row by row, df/dp.
struct By<G: Fn(&[f64], f64) -> (Vec<f64>, Vec<f64>, Vec<f64>)>(usize, G);

impl<G: Fn(&[f64], f64) -> (Vec<f64>, Vec<f64>, Vec<f64>)> Family for By<G> {
    fn dimension(&self) -> usize {
        self.0
    }
    fn rate(&self, x: &[f64], p: f64, out: &mut [f64]) {
        out.copy_from_slice(&(self.1)(x, p).0);
    }
    fn jacobian(&self, x: &[f64], p: f64, out: &mut [f64], slope: &mut [f64]) {
        let (_, by_state, by_parameter) = (self.1)(x, p);
        out.copy_from_slice(&by_state);
        slope.copy_from_slice(&by_parameter);
    }
}

const SETTINGS: Settings = Settings { step: 0.02, points: 2000, bound: 100.0 };

fn follow<F: Family>(family: &F, scale: &[f64], (from, to): (f64, f64), seeds: &[Vec<f64>]) -> Vec<Branch> {
    let plain = Plain { inner: family, scale: scale.to_vec(), from, span: to - from, time: 1.0 };
    branches(&plain, seeds, SETTINGS, |_| true)
}

/// What happens on all branches, in the order of the parameter.
fn special(branches: &[Branch]) -> Vec<Special> {
    let mut list: Vec<Special> = branches.iter().flat_map(|b| b.special.clone()).collect();
    list.sort_by(|a, b| a.at.parameter.total_cmp(&b.at.parameter));
    list
}

/// x' = p − x²: a fold at 0, one half stable, and both halves followed to the end of the range.
#[test]
fn a_saddle_node() {
    let family = By(1, |x, p| (vec![p - x[0] * x[0]], vec![-2.0 * x[0]], vec![1.0]));
    let found = follow(&family, &[1.0], (-1.0, 1.0), &[vec![1.0]]);
    assert_eq!(found.len(), 1);
    let branch = &found[0];
    assert_eq!(branch.ends, [End::Range, End::Range]);
    assert_eq!(branch.special.len(), 1);
    assert_eq!(branch.special[0].kind, Kind::Fold);
    assert!(branch.special[0].at.parameter.abs() < 1e-12 && branch.special[0].at.x[0].abs() < 1e-6);
    for point in &branch.points {
        assert!((point.parameter - point.x[0] * point.x[0]).abs() < 1e-10, "{point:?}");
    }
    let ends = [&branch.points[0], &branch.points[branch.points.len() - 1]].map(|p| p.x[0]);
    assert!((ends[0] * ends[1] + 1.0).abs() < 1e-9, "{ends:?}");
}

/// x' = px − x³: three branches meet in one point; x' = px − x²: two cross. Each is found once, with its stability.
#[test]
fn branches_that_cross_are_followed() {
    let pitchfork = By(2, |x, p| {
        let by_state = vec![p - 3.0 * x[0] * x[0], 0.0, 0.0, -1.0];
        (vec![p * x[0] - x[0].powi(3), -x[1]], by_state, vec![x[0], 0.0])
    });
    let found = follow(&pitchfork, &[1.0, 1.0], (-1.0, 1.0), &[vec![0.0, 0.0]]);
    let at: Vec<Special> = special(&found).into_iter().filter(|s| s.kind == Kind::BranchPoint).collect();
    assert!(!at.is_empty() && at.iter().all(|s| s.at.parameter.abs() < 1e-6), "{at:?}");
    let ends: Vec<f64> =
        found.iter().flat_map(|b| b.points.iter()).filter(|p| p.parameter == 1.0).map(|p| p.x[0]).collect();
    for wanted in [-1.0, 0.0, 1.0] {
        assert!(ends.iter().any(|x| (x - wanted).abs() < 1e-9), "{wanted}: {ends:?}");
    }
    for point in found.iter().flat_map(|b| &b.points).filter(|p| p.parameter.abs() > 1e-3) {
        let stable = if point.x[0].abs() < 1e-6 { point.parameter < 0.0 } else { true };
        assert_eq!(point.unstable() == 0, stable, "{point:?}");
    }
    let transcritical = By(1, |x, p| (vec![p * x[0] - x[0] * x[0]], vec![p - 2.0 * x[0]], vec![x[0]]));
    let found = follow(&transcritical, &[1.0], (-1.0, 1.0), &[vec![0.0]]);
    let ends: Vec<f64> =
        found.iter().flat_map(|b| b.points.iter()).filter(|p| p.parameter == 1.0).map(|p| p.x[0]).collect();
    assert!(ends.iter().any(|x| x.abs() < 1e-9) && ends.iter().any(|x| (x - 1.0).abs() < 1e-9), "{ends:?}");
}

/// x' = 1 − x² − p²: a branch that comes back to where it began, with two folds.
#[test]
fn a_closed_branch_ends_where_it_began() {
    let family = By(1, |x, p| (vec![1.0 - x[0] * x[0] - p * p], vec![-2.0 * x[0]], vec![-2.0 * p]));
    let found = follow(&family, &[1.0], (-2.0, 2.0), &[vec![1.0], vec![-1.0]]);
    assert_eq!(found.len(), 1, "{:?}", found.iter().map(|b| b.ends).collect::<Vec<_>>());
    assert_eq!(found[0].ends, [End::Closed, End::Closed]);
    let folds: Vec<f64> = special(&found).iter().map(|s| s.at.parameter).collect();
    assert_eq!(folds.len(), 2);
    assert!((folds[0] + 1.0).abs() < 1e-10 && (folds[1] - 1.0).abs() < 1e-10, "{folds:?}");
}

/// Two real eigenvalues that add up to zero are no Hopf point: a saddle whose rates are 1 and −1 − p.
#[test]
fn a_neutral_saddle_is_nothing() {
    let family = By(2, |x, p| (vec![x[0], -(1.0 + p) * x[1]], vec![1.0, 0.0, 0.0, -1.0 - p], vec![0.0, -x[1]]));
    let found = follow(&family, &[1.0, 1.0], (-0.5, 0.5), &[vec![0.1, 0.1]]);
    assert_eq!((found.len(), special(&found).len()), (1, 0));
}

/// A kink at p = 0 over which a pair of eigenvalues jumps to the other side: no point has it on the axis, and none is
/// told as one.
#[test]
fn a_kink_is_no_hopf_point() {
    let family = By(2, |x, p| {
        let growth = if p > 0.0 { 0.3 } else { -0.2 };
        let rate = vec![growth * x[0] - x[1], x[0] + growth * x[1]];
        (rate, vec![growth, -1.0, 1.0, growth], vec![0.0, 0.0])
    });
    let found = follow(&family, &[1.0, 1.0], (-1.0, 0.9), &[vec![0.1, 0.1]]);
    assert!(special(&found).is_empty(), "{:?}", special(&found));
    assert_eq!(found[0].ends, [End::Range, End::Range]);
}

/// FitzHugh-Nagumo (ground truth C7): Hopf points at .3312813374547 and 1.4187186625453 with ω .2755068, and units of
/// the states, the parameter and time change nothing.
#[test]
fn hopf_points_do_not_depend_on_units() {
    for (volts, seconds) in [(1.0, 1.0), (1e-3, 1e-3), (1e3, 10.0)] {
        let family = By(2, move |x, i| {
            let (v, w, i) = (x[0] / volts, x[1], i / volts);
            let rate = vec![volts / seconds * (v - v.powi(3) / 3.0 - w + i), 0.08 / seconds * (v + 0.7 - 0.8 * w)];
            let by_state = vec![(1.0 - v * v) / seconds, -volts / seconds, 0.08 / seconds / volts, -0.064 / seconds];
            (rate, by_state, vec![1.0 / seconds, 0.0])
        });
        let plain = Plain { inner: &family, scale: vec![2.0 * volts, 1.0], from: 0.0, span: 2.0 * volts, time: 1.0 };
        let plain = plain.with_time_of(&[-volts, -0.5], 0.0);
        let found = branches(&plain, &[vec![-volts, -0.5]], SETTINGS, |_| true);
        let special = special(&found);
        assert_eq!(special.len(), 2, "{special:?}");
        for (s, wanted) in special.iter().zip([0.331_281_337_454_7, 1.418_718_662_545_3]) {
            let Kind::Hopf { omega } = s.kind else { panic!("{s:?}") };
            assert!((s.at.parameter / volts - wanted).abs() < 1e-9, "{s:?}");
            assert!((omega * seconds - 0.275_506_8).abs() < 1e-7, "{omega}");
        }
    }
}

/// When it is told to stop it comes back with what there is.
#[test]
fn it_stops_when_told() {
    let family = By(1, |x, p| (vec![p - x[0] * x[0]], vec![-2.0 * x[0]], vec![1.0]));
    let plain = Plain { inner: &family, scale: vec![1.0], from: -1.0, span: 2.0, time: 1.0 };
    let mut asked = 0;
    let found = branches(&plain, &[vec![1.0]], SETTINGS, |_| {
        asked += 1;
        asked < 5
    });
    assert!(found.iter().map(|b| b.points.len()).sum::<usize>() < 20);
}
