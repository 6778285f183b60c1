use super::*;
use crate::continuation::{self, Kind, branches};
use crate::hopf::onset;

/// A family by its right side; derivatives by differences of fourth order.
struct By<G: Fn(&[f64], f64, &mut [f64])>(usize, G);

impl<G: Fn(&[f64], f64, &mut [f64])> Family for By<G> {
    fn dimension(&self) -> usize {
        self.0
    }
    fn rate(&self, x: &[f64], p: f64, out: &mut [f64]) {
        (self.1)(x, p, out);
    }
    fn jacobian(&self, x: &[f64], p: f64, out: &mut [f64], slope: &mut [f64]) {
        let n = self.0;
        let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
        for j in 0..=n {
            let size = if j < n { x[j] } else { p };
            let h = 1e-3 * size.abs().max(0.1);
            let by = |factor: f64, out: &mut [f64]| {
                let mut moved = x.to_vec();
                if j < n {
                    moved[j] += factor * h;
                }
                (self.1)(&moved, if j < n { p } else { p + factor * h }, out);
            };
            let mut sum = vec![0.0; n];
            for (factor, weight) in [(1.0, 2.0 / 3.0), (2.0, -1.0 / 12.0)] {
                by(factor, &mut up);
                by(-factor, &mut down);
                sum.iter_mut().zip(up.iter().zip(&down)).for_each(|(s, (a, b))| *s += weight * (a - b) / h);
            }
            for i in 0..n {
                if j < n {
                    out[i * n + j] = sum[i];
                } else {
                    slope[i] = sum[i];
                }
            }
        }
    }
}

const SETTINGS: Settings = Settings { step: 0.05, cycles: 500, intervals: 60, longest: 40.0 };

/// The branches of cycles from all Hopf points in the range, with where each begins.
fn all<F: Family>(family: &F, scale: &[f64], (from, to): (f64, f64), start: &[f64]) -> Vec<(f64, Branch)> {
    let plain = Plain { inner: family, scale: scale.to_vec(), from, span: to - from, time: 1.0 };
    let plain = plain.with_time_of(start, 0.0);
    let settings = continuation::Settings { step: 0.02, points: 2000, bound: 100.0 };
    let found = branches(&plain, &[start.to_vec()], settings, |_| true);
    let mut list: Vec<(f64, Branch)> = found
        .iter()
        .flat_map(|b| &b.special)
        .filter_map(|s| {
            let Kind::Hopf { omega } = s.kind else { return None };
            let mu = (s.at.parameter - from) / (to - from);
            let begins = onset(&plain, &plain.plain(&s.at.x), mu, omega * plain.time, scale).unwrap();
            Some((s.at.parameter, branch(&plain, s, omega, &begins, SETTINGS, || true)))
        })
        .collect();
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list
}

fn folds(branch: &Branch) -> Vec<f64> {
    branch.turns.iter().filter(|t| t.0 == Turn::Fold).map(|t| t.1.parameter).collect()
}

/// r' = r(μ + r² − r⁴), θ' = 3: cycles with r² = (1 ± √(1 + 4μ))/2, unstable where they begin, a fold at −1/4, and the
/// multiplier exp(T(2r² − 4r⁴)).
#[test]
fn a_subcritical_branch_turns_where_it_should() {
    let family = By(2, |v, mu, o| {
        let r = v[0] * v[0] + v[1] * v[1];
        let growth = mu + r - r * r;
        o[0] = growth * v[0] - 3.0 * v[1];
        o[1] = growth * v[1] + 3.0 * v[0];
    });
    let found = all(&family, &[1.0, 1.0], (-1.0, 1.0), &[0.0, 0.0]);
    assert_eq!(found.len(), 1);
    let (hopf, branch) = &found[0];
    assert!(hopf.abs() < 1e-10, "{hopf}");
    assert_eq!((folds(branch).len(), branch.end), (1, End::Range));
    assert!((folds(branch)[0] + 0.25).abs() < 1e-8, "{:?}", folds(branch));
    let mut stable = 0;
    for c in &branch.cycles {
        let r = c.extent[0].1 * c.extent[0].1;
        assert!((c.parameter + r - r * r).abs() < 2e-3, "{c:?}");
        assert!((c.period - TAU / 3.0).abs() < 1e-9, "{c:?}");
        let wanted = (c.period * (2.0 * r - 4.0 * r * r)).exp();
        let got = c.multipliers.as_ref().unwrap()[0].0;
        assert!((got - wanted).abs() < 0.03 * (1.0 + wanted), "{got} {wanted}");
        assert_eq!(c.is_stable(), Some(r > 0.5), "{c:?}");
        stable += usize::from(c.is_stable() == Some(true));
    }
    assert!(stable > 5 && branch.cycles.len() - stable > 5);
}

/// FitzHugh-Nagumo (a .7, b .8, ε .08): one branch joins both Hopf points; its periods are those of ground truth C7.
#[test]
fn fitzhugh_nagumo_has_one_branch_between_its_hopf_points() {
    let family = By(2, |v, i, o| {
        o[0] = v[0] - v[0].powi(3) / 3.0 - v[1] + i;
        o[1] = 0.08 * (v[0] + 0.7 - 0.8 * v[1]);
    });
    let found = all(&family, &[2.0, 1.0], (0.0, 2.0), &[-1.2, -0.6]);
    assert_eq!(found.len(), 2);
    assert!((found[0].0 - 0.331_281_337_454_7).abs() < 1e-9 && (found[1].0 - 1.418_718_662_545_3).abs() < 1e-9);
    for (start, branch) in &found {
        assert_eq!(branch.end, End::Point, "from {start}");
        let last = branch.cycles.last().unwrap();
        assert!((last.parameter + start - 1.75).abs() < 0.03, "from {start} to {}", last.parameter);
        // The periods at .5 and 1.0, between neighbours on the branch.
        for (current, period) in [(0.5, 39.4744), (1.0, 36.6988)] {
            let near =
                branch.cycles.windows(2).filter(|w| (w[0].parameter - current) * (w[1].parameter - current) <= 0.0);
            let interpolated: Vec<f64> = near
                .map(|w| {
                    let share = (current - w[0].parameter) / (w[1].parameter - w[0].parameter);
                    w[0].period + share * (w[1].period - w[0].period)
                })
                .collect();
            assert!(interpolated.iter().any(|p| (p - period).abs() < 0.05), "{current}: {interpolated:?}");
        }
    }
}

/// Hodgkin-Huxley (ground truth C4, leak at −54.387 mV): Hopf points at 9.7754 and 154.5224, folds of cycles down to
/// 6.2603.
#[test]
fn hodgkin_huxley_has_its_fold_of_cycles() {
    let family = By(4, |x, i, o| {
        let (v, m, h, n) = (x[0], x[1], x[2], x[3]);
        let relative = |u: f64| if u.abs() < 1e-5 { 1.0 + 0.5 * u } else { u.exp_m1() / u };
        let (am, bm) = (1.0 / relative(-(v + 40.0) / 10.0), 4.0 * (-(v + 65.0) / 18.0).exp());
        let (ah, bh) = (0.07 * (-(v + 65.0) / 20.0).exp(), 1.0 / (1.0 + (-(v + 35.0) / 10.0).exp()));
        let (an, bn) = (0.1 / relative(-(v + 55.0) / 10.0), 0.125 * (-(v + 65.0) / 80.0).exp());
        o[0] = i - 120.0 * m.powi(3) * h * (v - 50.0) - 36.0 * n.powi(4) * (v + 77.0) - 0.3 * (v + 54.387);
        o[1] = am * (1.0 - m) - bm * m;
        o[2] = ah * (1.0 - h) - bh * h;
        o[3] = an * (1.0 - n) - bn * n;
    });
    let found = all(&family, &[65.0, 1.0, 1.0, 1.0], (0.0, 200.0), &[-65.0, 0.053, 0.596, 0.3177]);
    assert_eq!(found.len(), 2);
    assert!(
        (found[0].0 - 9.7754).abs() < 1e-4 && (found[1].0 - 154.5224).abs() < 1e-4,
        "{} {}",
        found[0].0,
        found[1].0
    );
    for (start, branch) in &found {
        assert_eq!(branch.end, End::Point, "from {start}");
        let lowest = folds(branch).into_iter().fold(f64::INFINITY, f64::min);
        assert!((lowest - 6.2603).abs() < 1e-4, "from {start}: {:?}", folds(branch));
    }
}

/// A Rössler system (b 2, c 4) whose cycles have one turn at a = 0.3 and two at 0.35: between them a multiplier is −1.
#[test]
fn roessler_doubles_its_period() {
    let family = By(3, |x, a, o| {
        o[0] = -x[1] - x[2];
        o[1] = x[0] + a * x[1];
        o[2] = 2.0 + x[2] * (x[0] - 4.0);
    });
    let found = all(&family, &[5.0, 5.0, 5.0], (0.0, 0.4), &[0.1, -0.5, 0.5]);
    let doublings: Vec<&Cycle> =
        found.iter().flat_map(|b| &b.1.turns).filter(|t| t.0 == Turn::PeriodDoubling).map(|t| &t.1).collect();
    assert!(doublings.iter().any(|c| c.parameter > 0.3 && c.parameter < 0.35), "{doublings:?}");
    for c in doublings {
        let nearest = c.multipliers.as_ref().unwrap().iter().map(|m| (m.0 + 1.0).hypot(m.1)).fold(1.0, f64::min);
        assert!(nearest < 1e-5, "{c:?}");
    }
}
