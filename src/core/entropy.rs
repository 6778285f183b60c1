//! Entropy of discrete variables from few counts: estimators that differ in what they make of what was never seen. In
//! nats.

use statrs::function::gamma::digamma;

use super::statistics::log_gamma;

/// Counts of symbols as an estimator sees them: how many symbols there are of each count.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Count and number of symbols that occurred so often, by rising count.
    classes: Vec<(u64, u64)>,
    /// Number of draws.
    n: u64,
    /// Symbols that occurred.
    occupied: u64,
    /// Symbols that are possible.
    possible: f64,
}

impl Counts {
    /// Of `counts`, zeros among them or not, when `possible` symbols are possible (at least those that occurred).
    pub fn new(counts: &[u64], possible: f64) -> Self {
        let mut sorted: Vec<u64> = counts.iter().copied().filter(|c| *c > 0).collect();
        sorted.sort_unstable();
        let classes = sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect();
        let occupied = sorted.len() as u64;
        Self { classes, n: sorted.iter().sum(), occupied, possible: possible.max(occupied as f64) }
    }

    /// Number of draws.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Symbols that occurred.
    pub fn occupied(&self) -> u64 {
        self.occupied
    }

    /// Sum over the symbols that occurred.
    fn sum(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.classes.iter().map(|&(c, m)| m as f64 * of(c as f64)).sum()
    }

    /// −Σ p ln p of the frequencies.
    pub fn plug_in(&self) -> f64 {
        let n = self.n as f64;
        (n.ln() - self.sum(|c| c * c.ln()) / n).max(0.0)
    }

    /// Plug-in and (m − 1)/(2 N) for m symbols that occurred (Miller 1955).
    pub fn miller_madow(&self) -> f64 {
        self.plug_in() + (self.occupied as f64 - 1.0) / (2.0 * self.n as f64)
    }

    /// Plug-in and (R − 1)/(2 N), R being the symbols that matter by the Bayes-like count of Panzeri and Treves 1996
    /// (doi:10.1080/0954898X.1996.11978656).
    pub fn panzeri_treves(&self) -> f64 {
        let counts: Vec<u64> = self.classes.iter().flat_map(|&(c, m)| (0..m).map(move |_| c)).collect();
        let relevant = super::information::bayes_count(&counts, self.possible.min(1e6) as usize);
        self.plug_in() + (relevant - 1.0) / (2.0 * self.n as f64)
    }

    /// Frequencies less what is missing by the share of symbols seen once, each term over its chance to be seen (Chao
    /// and Shen 2003, doi:10.1023/A:1026096204727).
    pub fn chao_shen(&self) -> f64 {
        let n = self.n as f64;
        let once = self.classes.first().filter(|c| c.0 == 1).map_or(0, |c| c.1) as f64;
        // Where all were seen once nothing would be left: one of them counts as known.
        let coverage = 1.0 - if once >= n { n - 1.0 } else { once } / n;
        self.sum(|c| {
            let p = coverage * c / n;
            if p >= 1.0 { 0.0 } else { -p * p.ln() / (1.0 - (1.0 - p).powf(n)) }
        })
    }

    /// ln N − Σ n G(n)/N, G(n) = ψ(n) + ½(−1)ⁿ(ψ((n + 1)/2) − ψ(n/2)) (Grassberger 2003, arXiv:physics/0307138).
    pub fn grassberger(&self) -> f64 {
        let n = self.n as f64;
        let of = |c: f64| {
            let sign = if (c as u64).is_multiple_of(2) { 0.5 } else { -0.5 };
            c * (digamma(c) + sign * (digamma(f64::midpoint(c, 1.0)) - digamma(c / 2.0)))
        };
        n.ln() - self.sum(of) / n
    }

    /// Plug-in of frequencies that are drawn towards uniform ones by as much as their variance says (James and Stein;
    /// Hausser and Strimmer 2009, J Mach Learn Res 10:1469-1484, arXiv:0811.3579).
    pub fn shrinkage(&self) -> f64 {
        let (n, k) = (self.n as f64, self.possible);
        let squares = self.sum(|c| (c / n) * (c / n));
        // Σ (1/K − p)² over all symbols, those that did not occur as well.
        let distance = squares - 1.0 / k;
        let weight =
            if distance > 0.0 && n > 1.0 { ((1.0 - squares) / ((n - 1.0) * distance)).clamp(0.0, 1.0) } else { 1.0 };
        let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let unseen = (k - self.occupied as f64) * term(weight / k);
        self.sum(|c| term(weight / k + (1.0 - weight) * c / n)) + unseen
    }

    /// Mean of the entropy under a mixture of Dirichlet priors that expects every entropy alike, and its standard
    /// deviation (Nemenman, Shafee, Bialek 2002, arXiv:physics/0108025). NaN without draws or with one possible symbol.
    pub fn nsb(&self) -> (f64, f64) {
        if self.n == 0 || self.possible < 2.0 {
            return (if self.n == 0 { f64::NAN } else { 0.0 }, f64::NAN);
        }
        // Over the logarithm of β: coarse first, then fine where the weight is.
        let weight = |u: f64| self.log_weight(u);
        let highest = |list: &mut dyn Iterator<Item = f64>| {
            let all = list.map(|u| (u, weight(u)));
            all.fold((0.0, f64::NEG_INFINITY), |best, c| if c.1 > best.1 { c } else { best })
        };
        let mut best = highest(&mut (0..=150).map(|k| SMALLEST + f64::from(k) / 150.0 * (LARGEST - SMALLEST)));
        for step in [0.05, 0.01, 0.002] {
            let middle = best.0;
            best = highest(&mut (-6..=6).map(|k| (middle + f64::from(k) * step).clamp(SMALLEST, LARGEST)));
        }
        let edge = |way: f64| {
            let mut reach = 1e-3;
            while weight(best.0 + way * reach) > best.1 - 36.0 && reach < LARGEST - SMALLEST {
                reach *= 1.3;
            }
            (best.0 + way * reach).clamp(SMALLEST, LARGEST)
        };
        let (low, high) = (edge(-1.0), edge(1.0));
        let (mut total, mut first, mut second) = (0.0, 0.0, 0.0);
        for k in 0..=POINTS {
            let u = low + (high - low) * f64::from(k) / f64::from(POINTS);
            let w = (weight(u) - best.1).exp();
            let (mean, square) = self.moments(u.exp());
            total += w;
            first += w * mean;
            second += w * square;
        }
        let mean = first / total;
        (mean, (second / total - mean * mean).max(0.0).sqrt())
    }

    /// Logarithm of the weight of β = exp(u): evidence, and how fast the expected entropy changes.
    fn log_weight(&self, u: f64) -> f64 {
        let (beta, k, n) = (u.exp(), self.possible, self.n as f64);
        let kappa = k * beta;
        // How fast the expected entropy changes with β; for large ones by series, as the terms cancel.
        let change = if beta < 1e3 {
            k * trigamma(kappa + 1.0) - trigamma(beta + 1.0)
        } else {
            ((1.0 - 1.0 / k) / 2.0 - (1.0 - 1.0 / (k * k)) / (6.0 * beta)) / (beta * beta)
        };
        let evidence = self.sum(|c| log_rising(beta, c)) - log_rising(kappa, n);
        if change > 0.0 { evidence + change.ln() + u } else { f64::NEG_INFINITY }
    }

    /// Mean of entropy and of its square at one β (Wolpert and Wolf 1995, doi:10.1103/PhysRevE.52.6841).
    fn moments(&self, beta: f64) -> (f64, f64) {
        let (n, k) = (self.n as f64, self.possible);
        let a = n + k * beta;
        let (psi, psi1) = (digamma(a + 2.0), trigamma(a + 2.0));
        let unseen = k - self.occupied as f64;
        let all =
            |of: &dyn Fn(f64) -> f64| self.sum(|c| of(c + beta)) + if unseen > 0.0 { unseen * of(beta) } else { 0.0 };
        let mean = digamma(a + 1.0) - all(&|x| x * digamma(x + 1.0)) / a;
        let f = |x: f64| digamma(x + 1.0) - psi;
        let linear = all(&|x| x * f(x));
        let own = all(&|x| x * x * f(x) * f(x));
        let squares = all(&|x| x * x);
        let same = all(&|x| {
            let g = digamma(x + 2.0) - psi;
            x * (x + 1.0) * (g * g + trigamma(x + 2.0) - psi1)
        });
        let square = (linear * linear - own - psi1 * (a * a - squares) + same) / (a * (a + 1.0));
        (mean, square)
    }
}

/// Logarithms of the smallest and the largest β that are looked at. Beyond them all symbols are as good as one, or as
/// good as equally likely.
const SMALLEST: f64 = -30.0;
const LARGEST: f64 = 30.0;
/// Steps of the integral over the logarithm of β.
const POINTS: u32 = 240;

/// ln Γ(x + n) − ln Γ(x), also where x is so large that the difference of both would be rounding.
fn log_rising(x: f64, n: f64) -> f64 {
    if x < 30.0 {
        return log_gamma(x + n) - log_gamma(x);
    }
    let rest = |x: f64| (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / (1260.0 * x * x)) / (x * x)) / x;
    (x + n - 0.5) * (n / x).ln_1p() + n * x.ln() - n + rest(x + n) - rest(x)
}

/// Second derivative of the logarithm of the gamma function of a positive number (recurrence and asymptotic series).
pub(crate) fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 12.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    sum + 1.0 / x
        + y / 2.0
        + y / x * (1.0 / 6.0 - y * (1.0 / 30.0 - y * (1.0 / 42.0 - y * (1.0 / 30.0 - y * (5.0 / 66.0)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance, "{got} is not {want}");
    }

    /// Quadrature with 30 digits (mpmath; the last to ln β = 30, as its weight falls as 1/β only), and closed forms.
    #[test]
    fn reference_counts() {
        let counts = [4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2];
        let c = Counts::new(&counts, 100.0);
        near(c.nsb().0, 2.806_096_917, 1e-8);
        near(c.plug_in(), 2.635_444_265, 1e-9);
        near(c.miller_madow(), 2.737_716_992, 1e-9);
        near(Counts::new(&counts, 19.0).nsb().0, 2.725_060_328, 1e-8);
        near(Counts::new(&[4, 2, 3, 0, 2, 4, 0, 0, 1, 2], 10.0).nsb().0, 2.070_567_601_970, 1e-11);
    }

    #[test]
    fn rising_factorials_of_small_and_of_large_numbers() {
        for (x, n) in [(0.5, 3.0), (29.0, 7.0), (31.0, 7.0), (1000.0, 4.0), (1e6, 5.0_f64)] {
            let want: f64 = (0..n as u32).map(|k| (x + f64::from(k)).ln()).sum();
            near(log_rising(x, n), want, 1e-12 * want.abs().max(10.0));
        }
    }

    #[test]
    fn trigamma_of_known_numbers() {
        let sixth = std::f64::consts::PI.powi(2) / 6.0;
        near(trigamma(1.0), sixth, 1e-13);
        near(trigamma(2.0), sixth - 1.0, 1e-13);
        near(trigamma(0.5), 3.0 * sixth, 1e-12);
    }

    /// By hand: two of one, one of another. G(1) = −γ − ln 2, G(2) = 2 − γ − ln 2.
    #[test]
    fn three_draws_by_hand() {
        let c = Counts::new(&[2, 1], 2.0);
        let g1 = -0.577_215_664_901_532_9 - std::f64::consts::LN_2;
        near(c.grassberger(), 3_f64.ln() - (g1 + 2.0 * (g1 + 2.0)) / 3.0, 1e-12);
        let p = [4.0 / 9.0, 2.0 / 9.0_f64];
        near(c.chao_shen(), p.iter().map(|p| -p * p.ln() / (1.0 - (1.0 - p).powi(3))).sum(), 1e-12);
        // λ = (1 − 5/9)/(2 (5/9 − 1/2)) = 4 → 1: uniform.
        near(c.shrinkage(), std::f64::consts::LN_2, 1e-12);
    }

    /// Many draws: all agree with the truth, and the posterior is as wide as the plug-in scatters.
    #[test]
    fn many_draws_agree() {
        let p = [0.5, 0.25, 0.125, 0.125_f64];
        let counts: Vec<u64> = p.iter().map(|p| (p * 80_000.0) as u64).collect();
        let truth = 1.75 * std::f64::consts::LN_2;
        let c = Counts::new(&counts, 4.0);
        for value in [
            c.plug_in(),
            c.miller_madow(),
            c.panzeri_treves(),
            c.chao_shen(),
            c.grassberger(),
            c.shrinkage(),
            c.nsb().0,
        ] {
            near(value, truth, 2e-4);
        }
        let spread = (p.iter().map(|p| p * (p.ln() + truth).powi(2)).sum::<f64>() / 80_000.0).sqrt();
        near(c.nsb().1, spread, 0.02 * spread);
    }

    #[test]
    fn one_symbol_and_none() {
        let one = Counts::new(&[7], 5.0);
        assert_eq!(one.plug_in(), 0.0);
        assert!(one.nsb().0 > 0.0 && one.chao_shen() == 0.0 && one.grassberger().abs() < 0.2);
        assert!(Counts::new(&[], 5.0).nsb().0.is_nan());
    }
}
