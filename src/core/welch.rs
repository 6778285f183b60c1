//! Welch's averaged periodogram, number for number as SciPy's `signal.welch` (Welch 1967,
//! doi:10.1109/TAU.1967.1161901).
//!
//! Two real segments ride in one complex transform: for z = a + i b, |A_k|² + |B_k|² = (|Z_k|² + |Z_(N-k)|²)/2, so
//! that segments are summed without ever being told apart. O(n log segment).

use super::fft::{Complex64, complex_plan, real_plan};
use super::statistics::chi_squared_quantile;
use std::f64::consts::TAU;

/// Taper of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Taper {
    /// ½(1 − cos(2πn/N)): periodic, SciPy's default.
    #[default]
    Hann,
    /// ½(1 − cos(2πn/(N−1))): NumPy's `hanning`.
    HannSymmetric,
    /// 0.54 − 0.46 cos(2πn/N).
    Hamming,
    /// 1.
    Boxcar,
}

impl Taper {
    /// The weights of a segment of `n` samples.
    pub fn weights(self, n: usize) -> Vec<f64> {
        let raised = |a: f64, denominator: usize| -> Vec<f64> {
            (0..n).map(|i| a - (1.0 - a) * (TAU * i as f64 / denominator as f64).cos()).collect()
        };
        match self {
            _ if n <= 1 => vec![1.0; n],
            Self::Hann => raised(0.5, n),
            Self::HannSymmetric => raised(0.5, n - 1),
            Self::Hamming => raised(0.54, n),
            Self::Boxcar => vec![1.0; n],
        }
    }
}

/// What is taken off each segment before it is tapered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detrend {
    /// Its mean.
    #[default]
    Constant,
    /// Its least-squares line.
    Linear,
    /// Nothing.
    None,
}

/// What the ordinates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// Power per hertz: the integral is the variance.
    #[default]
    Density,
    /// Power: a sine of amplitude A at a bin shows A²/2.
    Spectrum,
}

/// How a signal is cut and weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Samples of a segment.
    pub segment: usize,
    /// Samples that two neighbouring segments share.
    pub overlap: usize,
    /// Taper.
    pub taper: Taper,
    /// Detrending.
    pub detrend: Detrend,
    /// Scaling.
    pub scaling: Scaling,
}

impl Settings {
    /// SciPy's defaults for a segment of this length: half overlap, periodic Hann, segment mean removed, density.
    pub fn new(segment: usize) -> Self {
        Self {
            segment,
            overlap: segment / 2,
            taper: Taper::Hann,
            detrend: Detrend::Constant,
            scaling: Scaling::Density,
        }
    }

    /// Samples from the start of one segment to the start of the next.
    pub fn step(&self) -> usize {
        (self.segment - self.overlap.min(self.segment.saturating_sub(1))).max(1)
    }

    /// Number of whole segments in `n` samples; a partial last one is dropped.
    pub fn segments(&self, n: usize) -> usize {
        if self.segment == 0 || n < self.segment { 0 } else { (n - self.segment) / self.step() + 1 }
    }

    /// Equivalent degrees of freedom of the mean of `segments` overlapping periodograms of white noise (Welch 1967;
    /// Percival and Walden 1993, eq. 292b). DC and Nyquist have half of it.
    pub fn freedom(&self, segments: usize) -> f64 {
        let w = self.taper.weights(self.segment);
        let square: f64 = w.iter().map(|v| v * v).sum();
        let k = segments as f64;
        let shared: f64 = (1..segments)
            .take_while(|m| m * self.step() < self.segment)
            .map(|m| {
                let rho = w.iter().zip(&w[m * self.step()..]).map(|(a, b)| a * b).sum::<f64>() / square;
                (1.0 - m as f64 / k) * rho * rho
            })
            .sum();
        2.0 * k / (1.0 + 2.0 * shared)
    }
}

/// Lags, in ordinates, at which estimates under a taper are taken as correlated.
pub const CORRELATED: usize = 4;

impl Settings {
    /// How estimates of neighbouring ordinates of white noise are correlated, at distances 0 (1) to [`CORRELATED`]: a
    /// taper smears what it keeps (Hann: 4/9 to the next, 1/36 to the one after), and so does overlap (Percival and
    /// Walden 1993, section 6.6).
    pub fn correlation(&self, segments: usize) -> [f64; CORRELATED + 1] {
        let w = self.taper.weights(self.segment);
        let k = segments.max(1) as f64;
        // |Σ w_n w_(n + s) exp(−2πi m n/N)|² for segments s samples apart and ordinates m apart.
        let shared = |shift: usize, m: usize| {
            let turn = -TAU * m as f64 / self.segment as f64;
            let sum: Complex64 = w
                .iter()
                .zip(&w[shift..])
                .enumerate()
                .map(|(n, (a, b))| Complex64::cis(turn * n as f64) * (a * b))
                .sum();
            sum.norm_sqr()
        };
        let of = |m: usize| {
            let apart: f64 = (1..segments)
                .take_while(|s| s * self.step() < self.segment)
                .map(|s| 2.0 * (1.0 - s as f64 / k) * shared(s * self.step(), m))
                .sum();
            shared(0, m) + apart
        };
        let own = of(0);
        std::array::from_fn(|m| of(m) / own)
    }

    /// Shares of the power at an ordinate that come from those 0 to [`CORRELATED`] away on either side.
    pub fn smear(&self) -> [f64; CORRELATED + 1] {
        let w = self.taper.weights(self.segment);
        let at = |m: usize| {
            let turn = -TAU * m as f64 / self.segment as f64;
            w.iter().enumerate().map(|(n, v)| Complex64::cis(turn * n as f64) * *v).sum::<Complex64>().norm_sqr()
        };
        let raw: [f64; CORRELATED + 1] = std::array::from_fn(at);
        let total = raw[0] + 2.0 * raw[1..].iter().sum::<f64>();
        raw.map(|v| v / total)
    }
}

/// Largest power of two of at most n/4.5 samples: eight half-overlapping segments or more. At least 8 samples.
pub fn default_segment(n: usize) -> usize {
    let most = ((n as f64 / 4.5).floor() as usize).max(8);
    1 << most.ilog2()
}

/// A one-sided spectrum.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Distance of two frequencies; the first is 0.
    pub step: f64,
    /// Power (or density) at each frequency.
    pub power: Vec<f64>,
    /// Number of segments averaged.
    pub segments: usize,
    /// Equivalent degrees of freedom of each ordinate but DC and Nyquist.
    pub freedom: f64,
    /// Means over consecutive groups of segments, in time order: for resampling.
    pub groups: Vec<Vec<f64>>,
    /// How estimates of ordinates 0 to [`CORRELATED`] apart are correlated (1 at 0).
    pub correlation: [f64; CORRELATED + 1],
    /// Shares of an ordinate's power that come from those 0 to [`CORRELATED`] away on either side.
    pub smear: [f64; CORRELATED + 1],
}

/// Neither correlation nor smearing: ordinates of disjoint stretches without a taper.
pub const SEPARATE: [f64; CORRELATED + 1] = [1.0, 0.0, 0.0, 0.0, 0.0];

impl Spectrum {
    /// Frequency of ordinate `k`.
    pub fn frequency(&self, k: usize) -> f64 {
        k as f64 * self.step
    }

    /// Ordinates with frequencies in `[low, high]`.
    pub fn range(&self, low: f64, high: f64) -> std::ops::Range<usize> {
        let from = (low / self.step - 1e-9).ceil().max(0.0) as usize;
        let to = ((high / self.step + 1e-9).floor() + 1.0).clamp(0.0, self.power.len() as f64) as usize;
        from.min(to)..to
    }

    /// Degrees of freedom of the sum of some ordinates: ν (ΣP)²/ΣΣ P_k P_l c(k − l), which is Satterthwaite's where
    /// they are not correlated.
    pub fn freedom_of_sum(&self, ordinates: std::ops::Range<usize>) -> f64 {
        let power = &self.power[ordinates];
        let sum: f64 = power.iter().sum();
        let spread: f64 = self
            .correlation
            .iter()
            .enumerate()
            .map(|(m, c)| {
                let products: f64 = power.iter().zip(power.get(m..).unwrap_or(&[])).map(|(a, b)| a * b).sum();
                if m == 0 { products } else { 2.0 * c * products }
            })
            .sum();
        self.freedom * sum * sum / spread
    }

    /// How many independent units a mean over `units` of them is worth: from the scatter of groups of segments, each
    /// with `freedom` degrees of freedom for one unit, over all ordinates but the ends. 1 with fewer than four groups.
    pub fn independent_units(&self, units: usize, freedom: f64) -> f64 {
        let (count, last) = (self.groups.len(), self.power.len().saturating_sub(1));
        if units < 2 || count < 4 || last < 2 {
            return 1.0;
        }
        let (mut sum, mut n) = (0.0, 0.0);
        for k in 1..last {
            let at: Vec<f64> = self.groups.iter().map(|g| g[k]).collect();
            let mean = super::statistics::mean(&at);
            if mean > 0.0 {
                sum += super::statistics::variance(&at, 1) / (mean * mean);
                n += 1.0;
            }
        }
        if sum > 0.0 { (2.0 / freedom * n / sum).clamp(1.0, units as f64) } else { units as f64 }
    }

    /// Interval of an ordinate under the chi-squared law with this spectrum's freedom.
    pub fn factors(&self, level: f64) -> (f64, f64) {
        chi_squared_factors(self.freedom, level)
    }
}

/// Factors that turn an estimate with `freedom` degrees of freedom into its chi-squared interval.
pub fn chi_squared_factors(freedom: f64, level: f64) -> (f64, f64) {
    let tail = (1.0 - level) / 2.0;
    (freedom / chi_squared_quantile(freedom, 1.0 - tail), freedom / chi_squared_quantile(freedom, tail))
}

/// The averaged spectrum of `signal` sampled at `rate`; `None` if it is shorter than one segment.
pub fn welch(signal: &[f64], rate: f64, settings: &Settings) -> Option<Spectrum> {
    welch_in_groups(signal, rate, settings, 1)
}

/// The same, with the means of up to `groups` consecutive groups of segments kept.
pub fn welch_in_groups(signal: &[f64], rate: f64, settings: &Settings, groups: usize) -> Option<Spectrum> {
    let segments = settings.segments(signal.len());
    if segments == 0 {
        return None;
    }
    let n = settings.segment;
    let bins = n / 2 + 1;
    let groups = groups.clamp(1, segments);
    let weights = settings.taper.weights(n);
    let scale = scale(std::slice::from_ref(&weights), rate, settings.scaling);
    let plan = complex_plan(n);
    let mut scratch = vec![Complex64::default(); plan.get_inplace_scratch_len()];
    let mut buffer = vec![Complex64::default(); n];
    let mut sums = vec![0.0; n];
    let mut total = vec![0.0; bins];
    let mut kept = Vec::new();
    for group in 0..groups {
        let (from, to) = (group * segments / groups, (group + 1) * segments / groups);
        sums.fill(0.0);
        let mut k = from;
        while k < to {
            let first = segment(signal, settings, k);
            let trend = Trend::of(first, settings.detrend);
            if k + 1 < to {
                let second = segment(signal, settings, k + 1);
                let other = Trend::of(second, settings.detrend);
                for (i, (((z, &a), &b), &w)) in buffer.iter_mut().zip(first).zip(second).zip(&weights).enumerate() {
                    *z = Complex64::new((a - trend.at(i)) * w, (b - other.at(i)) * w);
                }
            } else {
                for (i, ((z, &a), &w)) in buffer.iter_mut().zip(first).zip(&weights).enumerate() {
                    *z = Complex64::new((a - trend.at(i)) * w, 0.0);
                }
            }
            plan.process_with_scratch(&mut buffer, &mut scratch);
            sums.iter_mut().zip(&buffer).for_each(|(s, z)| *s += z.norm_sqr());
            k += 2;
        }
        let folded = |k: usize| 0.5 * (sums[k] + sums[(n - k) % n]) * scale * sides(k, n);
        if groups > 1 {
            kept.push((0..bins).map(|k| folded(k) / (to - from) as f64).collect());
        }
        total.iter_mut().enumerate().for_each(|(k, t)| *t += folded(k));
    }
    for t in &mut total {
        *t /= segments as f64;
    }
    Some(Spectrum {
        step: rate / n as f64,
        power: total,
        segments,
        freedom: settings.freedom(segments),
        groups: kept,
        correlation: settings.correlation(segments),
        smear: settings.smear(),
    })
}

/// The spectrum of each segment in time order, handed to `each` with its number, under several tapers as long as a
/// segment, all of which count alike: the mean of their spectra (of a line the power that all together let through).
pub fn segment_spectra_under(
    tapers: &[Vec<f64>],
    signal: &[f64],
    rate: f64,
    settings: &Settings,
    mut each: impl FnMut(usize, &[f64]),
) {
    let segments = settings.segments(signal.len());
    let n = settings.segment;
    let scale = scale(tapers, rate, settings.scaling);
    if segments == 0 {
        return;
    }
    let plan = real_plan(n);
    let (mut input, mut output, mut scratch) = (plan.make_input_vec(), plan.make_output_vec(), plan.make_scratch_vec());
    let mut power = vec![0.0; output.len()];
    for k in 0..segments {
        let samples = segment(signal, settings, k);
        let trend = Trend::of(samples, settings.detrend);
        power.fill(0.0);
        for weights in tapers {
            for (i, ((x, &a), &w)) in input.iter_mut().zip(samples).zip(weights).enumerate() {
                *x = (a - trend.at(i)) * w;
            }
            plan.process_with_scratch(&mut input, &mut output, &mut scratch)
                .expect("input, output and scratch are those of the plan");
            power.iter_mut().zip(&output).for_each(|(p, z)| *p += z.norm_sqr());
        }
        power.iter_mut().enumerate().for_each(|(k, p)| *p = *p * scale * sides(k, n));
        each(k, &power);
    }
}

fn segment<'a>(signal: &'a [f64], settings: &Settings, k: usize) -> &'a [f64] {
    let from = k * settings.step();
    &signal[from..from + settings.segment]
}

fn scale(tapers: &[Vec<f64>], rate: f64, scaling: Scaling) -> f64 {
    let all = |of: fn(&Vec<f64>) -> f64| tapers.iter().map(of).sum::<f64>();
    match scaling {
        Scaling::Density => 1.0 / (rate * all(|t| t.iter().map(|w| w * w).sum::<f64>())),
        Scaling::Spectrum => 1.0 / all(|t| t.iter().sum::<f64>().powi(2)),
    }
}

/// 2 where a negative frequency folds onto the ordinate: all but DC and, for even lengths, Nyquist.
fn sides(k: usize, n: usize) -> f64 {
    if k == 0 || 2 * k == n { 1.0 } else { 2.0 }
}

/// What is left of samples without their trend, in place of what `into` holds.
pub(crate) fn detrend_into(samples: &[f64], detrend: Detrend, into: &mut Vec<f64>) {
    let trend = Trend::of(samples, detrend);
    into.clear();
    into.extend(samples.iter().enumerate().map(|(i, x)| x - trend.at(i)));
}

/// A straight line under a segment.
#[derive(Clone, Copy)]
struct Trend {
    at_zero: f64,
    slope: f64,
}

impl Trend {
    fn of(samples: &[f64], detrend: Detrend) -> Self {
        let n = samples.len() as f64;
        if detrend == Detrend::None {
            return Self { at_zero: 0.0, slope: 0.0 };
        }
        let mean = samples.iter().sum::<f64>() / n;
        if detrend == Detrend::Constant || samples.len() < 2 {
            return Self { at_zero: mean, slope: 0.0 };
        }
        let centre = (n - 1.0) / 2.0;
        let product: f64 = samples.iter().enumerate().map(|(i, &x)| (i as f64 - centre) * (x - mean)).sum();
        let slope = product / (n * (n * n - 1.0) / 12.0);
        Self { at_zero: mean - slope * centre, slope }
    }

    #[inline(always)]
    fn at(self, i: usize) -> f64 {
        self.at_zero + self.slope * i as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn close(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() <= tolerance, "{a} is not {b}");
    }

    /// ground-truth.md C11: amplitude 2 at a bin, segment 256, fs 1000; a cosine at Nyquist.
    #[test]
    fn sines_and_nyquist() {
        let sine: Vec<f64> = (0..2048).map(|i| 2.0 * (TAU * 32.0 * f64::from(i) / 256.0).sin()).collect();
        let density = welch(&sine, 1000.0, &Settings::new(256)).unwrap();
        close(density.power[32], 2.0 / (1.5 * 1000.0 / 256.0), 1e-12);
        close(density.power[32], 0.341333333, 1e-9);
        close(density.power.iter().sum::<f64>() * density.step, 2.0, 1e-12);
        let spectrum = welch(&sine, 1000.0, &Settings { scaling: Scaling::Spectrum, ..Settings::new(256) }).unwrap();
        close(spectrum.power[32], 2.0, 1e-12);
        let alternating: Vec<f64> = (0..2048).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let s = welch(&alternating, 1000.0, &Settings::new(256)).unwrap();
        close(s.power[128], 0.170666667, 1e-9);
        close(s.power.iter().sum::<f64>() * s.step, 1.0, 1e-12);
    }

    /// ground-truth.md C11: the defaults of SciPy on a sum of two waves.
    #[test]
    fn two_waves_at_the_defaults() {
        let x: Vec<f64> = (0..1000).map(f64::from).map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos()).collect();
        let s = welch(&x, 100.0, &Settings::new(256)).unwrap();
        for (p, q) in
            s.power.iter().zip([3.21713231e-4, 9.47749483e-5, 9.91160898e-5, 0.168712653, 0.847253186, 0.263745811])
        {
            close(*p, q, 6e-10);
        }
        close(s.power.iter().sum::<f64>() * s.step, 0.625159781, 1e-9);
        assert_eq!((0..s.power.len()).max_by(|&a, &b| s.power[a].total_cmp(&s.power[b])), Some(4));
        assert_eq!(s.segments, 6);
    }

    /// data/reference/welch_scipy.py: every taper, detrending and scaling, odd lengths, other overlaps.
    #[test]
    fn scipy_in_every_setting() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/welch_scipy.json")).unwrap();
        let x: Vec<f64> =
            (0..1000).map(f64::from).map(|n| (0.1 * n).sin() + 0.5 * (0.37 * n + 1.0).cos() + 0.003 * n).collect();
        let base = Settings::new(256);
        let cases = [
            ("default", base),
            ("linear", Settings { segment: 200, overlap: 150, detrend: Detrend::Linear, ..base }),
            (
                "none_hamming",
                Settings { segment: 125, overlap: 60, taper: Taper::Hamming, detrend: Detrend::None, ..base },
            ),
            ("symmetric", Settings { taper: Taper::HannSymmetric, scaling: Scaling::Spectrum, ..Settings::new(128) }),
            ("boxcar_odd", Settings { segment: 101, overlap: 0, taper: Taper::Boxcar, ..base }),
        ];
        for (name, settings) in cases {
            let expected: Vec<f64> = reference[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
            let got = welch(&x, 100.0, &settings).unwrap();
            assert_eq!(got.power.len(), expected.len(), "{name}");
            let most = expected.iter().copied().fold(0.0, f64::max);
            for (k, (a, b)) in got.power.iter().zip(&expected).enumerate() {
                assert!((a - b).abs() < 1e-10 * b + 1e-15 * most, "{name} {k}: {a} is not {b}");
            }
            // One by one they average to the same.
            let mut sum = vec![0.0; expected.len()];
            let tapers = [settings.taper.weights(settings.segment)];
            segment_spectra_under(&tapers, &x, 100.0, &settings, |_, p| {
                sum.iter_mut().zip(p).for_each(|(s, p)| *s += p / got.segments as f64);
            });
            for (a, b) in sum.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-10 * b + 1e-15 * most, "{name}: {a} is not {b}");
            }
        }
    }

    #[test]
    fn tapers() {
        let hann = Taper::Hann.weights(8);
        for (a, b) in hann.iter().zip([0.0, 0.14644661, 0.5, 0.85355339, 1.0]) {
            close(*a, b, 5e-9);
        }
        let symmetric = Taper::HannSymmetric.weights(5);
        for (a, b) in symmetric.iter().zip([0.0, 0.5, 1.0, 0.5, 0.0]) {
            close(*a, b, 1e-15);
        }
    }

    #[test]
    fn groups_average_to_the_whole() {
        let mut s = Key::new(2, "welch", "noise").stream(0, 0);
        let x: Vec<f64> = (0..4000).map(|_| s.uniform()).collect();
        let settings = Settings { overlap: 0, ..Settings::new(100) };
        let whole = welch_in_groups(&x, 1.0, &settings, 8).unwrap();
        assert_eq!((whole.groups.len(), whole.segments), (8, 40));
        for k in 0..51 {
            close(whole.groups.iter().map(|g| g[k]).sum::<f64>() / 8.0, whole.power[k], 1e-12);
        }
    }

    /// Half-overlapping Hann segments: variance of white noise ordinates is 2/ν of their squared mean.
    #[test]
    fn freedom_is_that_of_white_noise() {
        let settings = Settings::new(64);
        let ratios: Vec<f64> = (0..600)
            .map(|trial| {
                let mut s = Key::new(3, "welch", "freedom").stream(trial, 0);
                let x: Vec<f64> = (0..64 * 8).map(|_| (0..6).map(|_| s.uniform()).sum::<f64>() - 3.0).collect();
                welch(&x, 1.0, &settings).unwrap().power[10]
            })
            .collect();
        let freedom = settings.freedom(settings.segments(64 * 8));
        let (m, v) = (crate::statistics::mean(&ratios), crate::statistics::variance(&ratios, 1));
        close(2.0 * m * m / v, freedom, 0.15 * freedom);
        close(m, 1.0, 0.05); // one-sided density of unit variance at rate 0.5 * 2
        // Without overlap: two for each segment.
        close(Settings { overlap: 0, taper: Taper::Boxcar, ..settings }.freedom(7), 14.0, 1e-12);
    }

    #[test]
    fn too_short_is_nothing() {
        assert_eq!(welch(&[1.0; 9], 1.0, &Settings::new(10)), None);
        assert_eq!(default_segment(1000), 128);
        assert!(Settings::new(default_segment(1000)).segments(1000) >= 8);
    }
}
