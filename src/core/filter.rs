//! Filters that move nothing in time: Butterworth's forward and backward (as SciPy's `sosfiltfilt`, the ends of which
//! go on over [`Filter::reach`] here and over three times the number of coefficients there, unless `padlen` says it),
//! and windowed sincs that are symmetric. Frequencies are in cycles a sample.

use super::fft::{Complex64, complex_plan};
use std::f64::consts::{PI, TAU};

/// Which frequencies are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kept {
    /// Those below.
    Below(f64),
    /// Those above.
    Above(f64),
    /// Those between.
    Between(f64, f64),
    /// All but those between.
    Outside(f64, f64),
}

impl Kept {
    /// The edges.
    pub fn edges(self) -> impl Iterator<Item = f64> + Clone {
        let (first, second) = match self {
            Self::Below(f) | Self::Above(f) => (f, None),
            Self::Between(low, high) | Self::Outside(low, high) => (low, Some(high)),
        };
        std::iter::once(first).chain(second)
    }

    /// From the lower edge to the upper, where there are two.
    fn width(self) -> Option<f64> {
        match self {
            Self::Below(_) | Self::Above(_) => None,
            Self::Between(low, high) | Self::Outside(low, high) => Some(high - low),
        }
    }

    /// Whether a constant is kept.
    fn keeps_constants(self) -> bool {
        matches!(self, Self::Below(_) | Self::Outside(..))
    }
}

/// How a filter is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Design {
    /// Butterworth's of this order (twice as many poles between two edges), forward and backward: its gain is applied
    /// twice, and is a half at each edge (Butterworth 1930; Gustafsson 1996, doi:10.1109/78.492552).
    Butterworth(usize),
    /// A sinc under a Hamming window, applied once: the gain is a half at each edge and falls over a quarter of its
    /// frequency, at least over `softest`, at most over what there is beside it and between the edges (Harris 1978,
    /// doi:10.1109/PROC.1978.10837).
    Sinc {
        /// The least width of a fall, where there is room for it.
        softest: f64,
    },
}

/// A filter that is ready for samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    parts: Parts,
    keeps_constants: bool,
    reach: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Parts {
    /// Sections of second order: b0, b1, b2, a1, a2.
    Sections(Vec<[f64; 5]>),
    /// The middle and the right half of a symmetric kernel.
    Kernel(Vec<f64>),
}

/// Share of its beginning to which a response has fallen where it is no longer counted.
const FALLEN: f64 = 1e-3;

/// Most samples on either side that a kernel may rest on.
const MOST_REACH: f64 = 1e7;

impl Filter {
    /// A filter, or in words why there is none.
    ///
    /// # Errors
    /// Edges that are not between 0 and 1/2 in their order, an order of 0, and edges so near to 0, to 1/2 or to each
    /// other that the filter's poles cannot be told from the unit circle, or that a kernel rests on more than ten
    /// million samples on either side.
    pub fn new(design: Design, kept: Kept) -> Result<Self, String> {
        if kept.edges().any(|f| !(f > 0.0 && f < 0.5)) || kept.width().is_some_and(|w| w <= 0.0) {
            return Err("its edges are not between 0 and half of the sampling rate, the lower first".into());
        }
        let (parts, reach) = match design {
            Design::Butterworth(0) => return Err("a filter of order 0 does nothing".into()),
            Design::Butterworth(order) => {
                let poles = poles(order, kept);
                let largest = poles.iter().map(|p| p.norm()).fold(0.0, f64::max);
                // Rounding moves a pole of a section by about the root of the precision.
                if largest >= 1.0 - 1e-6 {
                    return Err("its edges are too close to 0, to half of the sampling rate or to each other".into());
                }
                let reach = (FALLEN.ln() / largest.max(f64::MIN_POSITIVE).ln()).ceil() as usize;
                (Parts::Sections(sections(&poles, kept)), reach.max(1))
            }
            Design::Sinc { softest } => {
                // 3.3 over the fall: what a Hamming window needs (Harris 1978).
                let half = (3.3 / fall(kept, softest) / 2.0).ceil();
                if half.is_nan() || half > MOST_REACH {
                    return Err(format!(
                        "its edges are too close to 0, to half of the sampling rate or to each other: values rest on \
                         {half:.1e} samples on either side, more than {MOST_REACH:.0e}"
                    ));
                }
                let kernel = kernel(kept, half as usize);
                let reach = kernel.len() - 1;
                (Parts::Kernel(kernel), reach)
            }
        };
        Ok(Self { parts, keeps_constants: kept.keeps_constants(), reach })
    }

    /// Samples on either side that a value rests on: all of a kernel; of sections, as far as the response of the
    /// slowest pole by itself needs to fall to a thousandth (several poles next to each other leave more there).
    pub fn reach(&self) -> usize {
        self.reach
    }

    /// The gain at a frequency.
    pub fn gain(&self, frequency: f64) -> f64 {
        match &self.parts {
            Parts::Sections(list) => {
                let back = Complex64::cis(-TAU * frequency);
                let one = |s: &[f64; 5]| {
                    let above = s[0] + back * (s[1] + back * s[2]);
                    let below = 1.0 + back * (s[3] + back * s[4]);
                    above.norm_sqr() / below.norm_sqr()
                };
                list.iter().map(one).product()
            }
            Parts::Kernel(half) => {
                let sides = half.iter().enumerate().skip(1);
                half[0] + 2.0 * sides.map(|(m, h)| h * (TAU * frequency * m as f64).cos()).sum::<f64>()
            }
        }
    }

    /// The filtered samples, as many as before. Beyond both ends the samples go on as their odd mirror image about the
    /// last of them, over [`Filter::reach`] or as far as there are samples. O(N) for sections, O(N log N) for kernels.
    pub fn apply(&self, samples: &[f64]) -> Vec<f64> {
        let n = samples.len();
        let Some(&first) = samples.first() else { return Vec::new() };
        if samples.iter().all(|v| *v == first) {
            return vec![if self.keeps_constants { first } else { 0.0 }; n];
        }
        // What is constant is taken out and put back: a small rhythm on a large level loses no digits.
        let level = samples.iter().sum::<f64>() / n as f64;
        let pad = self.reach.min(n - 1);
        let last = samples[n - 1];
        let before = (1..=pad).rev().map(|i| 2.0 * first - samples[i]);
        let after = (1..=pad).map(|i| 2.0 * last - samples[n - 1 - i]);
        let mut longer: Vec<f64> = before.chain(samples.iter().copied()).chain(after).map(|v| v - level).collect();
        match &self.parts {
            Parts::Sections(list) => {
                for _ in 0..2 {
                    run(list, &mut longer);
                    longer.reverse();
                }
            }
            Parts::Kernel(half) => convolve(half, &mut longer),
        }
        let back = if self.keeps_constants { level } else { 0.0 };
        longer[pad..pad + n].iter().map(|v| v + back).collect()
    }
}

/// Poles of the digital filter by the bilinear transform, the edges prewarped. Conjugate pairs stand together, the one
/// above the real axis first; real ones last.
fn poles(order: usize, kept: Kept) -> Vec<Complex64> {
    let warped = |f: f64| (PI * f).tan();
    let prototype = (0..order).map(|k| Complex64::cis(PI * (2 * k + order + 1) as f64 / (2 * order) as f64));
    let two = |middle: Complex64, product: f64| {
        let root = (middle * middle - product).sqrt();
        [middle + root, middle - root]
    };
    let analog: Vec<Complex64> = match kept {
        Kept::Below(f) => prototype.map(|p| p * warped(f)).collect(),
        Kept::Above(f) => prototype.map(|p| Complex64::from(warped(f)) / p).collect(),
        Kept::Between(low, high) => {
            let (low, high) = (warped(low), warped(high));
            prototype.flat_map(|p| two(p * (0.5 * (high - low)), low * high)).collect()
        }
        Kept::Outside(low, high) => {
            let (low, high) = (warped(low), warped(high));
            prototype.flat_map(|p| two(Complex64::from(0.5 * (high - low)) / p, low * high)).collect()
        }
    };
    let is_real = |p: &Complex64| p.im.abs() <= 1e-12 * p.norm();
    let (mut real, others): (Vec<Complex64>, Vec<Complex64>) = analog.into_iter().partition(is_real);
    real.sort_by(|a, b| a.re.total_cmp(&b.re));
    let above = others.into_iter().filter(|p| p.im > 0.0).flat_map(|p| [p, p.conj()]);
    above.chain(real.into_iter().map(|p| Complex64::from(p.re))).map(|s| (1.0 + s) / (1.0 - s)).collect()
}

/// Sections of two poles each (the last of one where their number is odd), each with a gain of one where the whole has
/// one.
fn sections(poles: &[Complex64], kept: Kept) -> Vec<[f64; 5]> {
    // The middle of what is kept, where the gain of Butterworth's is one.
    let warped = |f: f64| (PI * f).tan();
    let middle = |low: f64, high: f64| TAU * (warped(low) * warped(high)).sqrt().atan() / PI;
    let (reference, zeros): (f64, [f64; 2]) = match kept {
        Kept::Below(_) => (0.0, [2.0, 1.0]),
        Kept::Above(_) => (PI, [-2.0, 1.0]),
        Kept::Between(low, high) => (middle(low, high), [0.0, -1.0]),
        Kept::Outside(low, high) => (0.0, [-2.0 * middle(low, high).cos(), 1.0]),
    };
    let back = Complex64::cis(-reference);
    let mut list: Vec<[f64; 5]> = poles
        .chunks(2)
        .map(|pair| {
            let (b, a) = match *pair {
                [p, q] => ([1.0, zeros[0], zeros[1]], [-(p + q).re, (p * q).re]),
                // One pole and its zero.
                [p] => ([1.0, 0.5 * zeros[0], 0.0], [-p.re, 0.0]),
                _ => unreachable!("chunks of two hold one or two"),
            };
            let above = b[0] + back * (b[1] + back * b[2]);
            let below = 1.0 + back * (a[0] + back * a[1]);
            let scale = (below / above).norm();
            [b[0] * scale, b[1] * scale, b[2] * scale, a[0], a[1]]
        })
        .collect();
    // The poles next to the circle come last, so that nothing grows on the way.
    list.sort_by(|a, b| a[4].total_cmp(&b[4]));
    list
}

/// One way through all sections (direct form II transposed), which begin as if the first sample had been there for
/// ever.
fn run(sections: &[[f64; 5]], samples: &mut [f64]) {
    let mut level = samples[0];
    for &[b0, b1, b2, a1, a2] in sections {
        let gain = (b0 + b1 + b2) / (1.0 + a1 + a2);
        let mut later = (b2 - a2 * gain) * level;
        let mut next = (b1 - a1 * gain) * level + later;
        level *= gain;
        for x in samples.iter_mut() {
            let y = b0.mul_add(*x, next);
            next = b1.mul_add(*x, later) - a1 * y;
            later = b2 * *x - a2 * y;
            *x = y;
        }
    }
}

/// The width over which the gain falls at an edge: the narrowest of them, for all have one kernel.
fn fall(kept: Kept, softest: f64) -> f64 {
    // A band that is narrower than a fall would never be whole.
    let between = kept.width().unwrap_or(f64::INFINITY).min(0.25);
    let at = |f: f64| (0.25 * f).max(softest).min(f).min(0.5 - f).min(between);
    kept.edges().map(at).fold(f64::INFINITY, f64::min)
}

/// The middle and the right half of the kernel.
fn kernel(kept: Kept, half: usize) -> Vec<f64> {
    let below = |f: f64| -> Vec<f64> {
        let at = |m: usize| {
            let sinc = if m == 0 { 2.0 * f } else { (TAU * f * m as f64).sin() / (PI * m as f64) };
            sinc * (0.54 + 0.46 * (PI * m as f64 / half as f64).cos())
        };
        let list: Vec<f64> = (0..=half).map(at).collect();
        // A constant goes through as it is.
        let total = list[0] + 2.0 * list[1..].iter().sum::<f64>();
        list.into_iter().map(|v| v / total).collect()
    };
    let rest = |list: Vec<f64>| -> Vec<f64> {
        list.into_iter().enumerate().map(|(m, v)| if m == 0 { 1.0 - v } else { -v }).collect()
    };
    let between = |low: f64, high: f64| below(high).iter().zip(below(low)).map(|(h, l)| h - l).collect::<Vec<f64>>();
    match kept {
        Kept::Below(f) => below(f),
        Kept::Above(f) => rest(below(f)),
        Kept::Between(low, high) => between(low, high),
        Kept::Outside(low, high) => rest(between(low, high)),
    }
}

/// Samples under a symmetric kernel, in place, by transforms of blocks.
fn convolve(half: &[f64], samples: &mut [f64]) {
    let (n, reach) = (samples.len(), half.len() - 1);
    let size = (4 * (2 * reach + 1)).next_power_of_two().min((n + 2 * reach).next_power_of_two());
    let plan = complex_plan(size);
    let mut response = vec![Complex64::default(); size];
    for (m, h) in half.iter().enumerate() {
        response[m].re = *h;
        response[(size - m) % size].re = *h;
    }
    plan.process(&mut response);
    // Two blocks at once: one is the real part, the other the imaginary part, for the kernel is real.
    let step = size - 2 * reach;
    let source = samples.to_vec();
    let at = |i: usize| i.checked_sub(reach).and_then(|i| source.get(i)).copied().unwrap_or(0.0);
    for start in (0..n).step_by(2 * step) {
        let mut block: Vec<Complex64> =
            (0..size).map(|k| Complex64::new(at(start + k), at(start + step + k))).collect();
        plan.process(&mut block);
        for (z, r) in block.iter_mut().zip(&response) {
            // Back by the forward transform: conjugate before and after. The response is real.
            *z = (*z * (r.re / size as f64)).conj();
        }
        plan.process(&mut block);
        let mut put = |at: usize, value: f64| {
            if let Some(sample) = samples.get_mut(at) {
                *sample = value;
            }
        };
        for k in 0..step {
            put(start + k, block[k + reach].re);
        }
        for k in 0..step {
            put(start + step + k, -block[k + reach].im);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [Kept; 10] = [
        Kept::Below(0.08),
        Kept::Above(0.03),
        Kept::Between(0.04, 0.08),
        Kept::Outside(0.1, 0.13),
        Kept::Between(0.002, 0.3),
        // Narrower than a quarter of their frequency: what hums at 50 Hz, sampled at 1 kHz, and all but that.
        Kept::Between(0.047, 0.053),
        Kept::Outside(0.047, 0.053),
        // Next to 0 and to half of the sampling rate.
        Kept::Below(0.006),
        Kept::Above(0.48),
        Kept::Between(0.45, 0.49),
    ];

    fn wave(n: usize) -> Vec<f64> {
        let at = |k: f64| (0.1 * k).sin() + 0.5 * (0.37 * k + 1.0).cos() + 0.3 * (0.002 * k * k).sin() + 0.003 * k;
        (0..n).map(|k| at(k as f64)).collect()
    }

    /// Butterworth's gain in closed form over the warped frequency, twice; a half at the edges, one in the middle.
    #[test]
    fn the_gain_is_butterworths_twice() {
        for order in 1..=8 {
            for kept in SHAPES {
                let filter = Filter::new(Design::Butterworth(order), kept).unwrap();
                let warped = |f: f64| (PI * f).tan();
                let wanted = |f: f64| {
                    let x = match kept {
                        Kept::Below(c) => warped(f) / warped(c),
                        Kept::Above(c) => warped(c) / warped(f),
                        Kept::Between(a, b) => {
                            (warped(f).powi(2) - warped(a) * warped(b)) / (warped(f) * (warped(b) - warped(a)))
                        }
                        Kept::Outside(a, b) => {
                            (warped(f) * (warped(b) - warped(a))) / (warped(f).powi(2) - warped(a) * warped(b))
                        }
                    };
                    1.0 / (1.0 + x.powi(2 * order as i32))
                };
                for k in 1..100 {
                    let f = 0.005 * f64::from(k) - 0.0013;
                    assert!((filter.gain(f) - wanted(f)).abs() < 1e-7, "{order} {kept:?} {f}: {}", filter.gain(f));
                }
                for edge in kept.edges() {
                    assert!((filter.gain(edge) - 0.5).abs() < 1e-7, "{order} {kept:?}: {}", filter.gain(edge));
                }
            }
        }
    }

    /// data/reference/filters_scipy.py: `sosfiltfilt` of `butter`, all samples, the ends continued over as many.
    #[test]
    fn all_samples_are_those_of_scipy() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../../data/reference/filters_scipy.json")).unwrap();
        let x = wave(1000);
        for case in reference["cases"].as_array().unwrap() {
            let edge = |k: usize| case["edges"][k].as_f64().unwrap();
            let kept = match case["kind"].as_str().unwrap() {
                "lowpass" => Kept::Below(edge(0)),
                "highpass" => Kept::Above(edge(0)),
                "bandpass" => Kept::Between(edge(0), edge(1)),
                _ => Kept::Outside(edge(0), edge(1)),
            };
            let filter = Filter::new(Design::Butterworth(case["order"].as_u64().unwrap() as usize), kept).unwrap();
            assert_eq!(filter.reach(), case["padlen"].as_u64().unwrap() as usize, "{case}");
            let y = filter.apply(&x);
            for (k, wanted) in case["every_20th"].as_array().unwrap().iter().enumerate() {
                let far = (y[20 * k] - wanted.as_f64().unwrap()).abs();
                assert!(far < 1e-9, "{kept:?} at {}: {far}", 20 * k);
            }
            let far = (y[999] - case["last"].as_f64().unwrap()).abs();
            assert!(far < 1e-9, "{kept:?} at the end: {far}");
        }
    }

    /// A sinc has a half at its edges, keeps what is inside to 0.7 % and stops what is outside to as little; blocks
    /// give what the sum over the kernel gives.
    #[test]
    fn sincs_keep_and_stop() {
        for kept in SHAPES {
            let filter = Filter::new(Design::Sinc { softest: 0.004 }, kept).unwrap();
            let is_kept = |f: f64| match kept {
                Kept::Below(c) => f < c,
                Kept::Above(c) => f > c,
                Kept::Between(a, b) => f > a && f < b,
                Kept::Outside(a, b) => f < a || f > b,
            };
            for edge in kept.edges() {
                assert!((filter.gain(edge) - 0.5).abs() < 0.02, "{kept:?} {edge}: {}", filter.gain(edge));
            }
            let (mut inside, half) = (0, 0.5 * fall(kept, 0.004));
            for k in 0..=500 {
                let f = 0.001 * f64::from(k);
                if kept.edges().all(|e| (f - e).abs() > half - 1e-9) {
                    let wanted = f64::from(u8::from(is_kept(f)));
                    assert!((filter.gain(f) - wanted).abs() < 7e-3, "{kept:?} {f}: {}", filter.gain(f));
                    inside += u32::from(is_kept(f));
                }
            }
            assert!(inside > 0, "{kept:?} keeps nothing whole");
            let Parts::Kernel(half) = &filter.parts else { unreachable!("it is a kernel") };
            let x = wave(1777);
            let mut y = x.clone();
            convolve(half, &mut y);
            for k in (0..x.len()).step_by(13) {
                let at = |i: isize| usize::try_from(i).ok().and_then(|i| x.get(i)).copied().unwrap_or(0.0);
                let reach = half.len() as isize - 1;
                let sum: f64 = (-reach..=reach).map(|m| half[m.unsigned_abs()] * at(k as isize + m)).sum();
                assert!((y[k] - sum).abs() < 1e-10, "{kept:?} {k}");
            }
        }
    }

    /// A wave keeps its phase and is multiplied by the gain, away from the ends; a constant is kept or gone exactly; a
    /// large level takes no digits; mirrored samples give the mirror image of the result.
    #[test]
    fn nothing_is_moved_in_time() {
        for kept in SHAPES {
            for design in [Design::Butterworth(3), Design::Sinc { softest: 0.004 }] {
                let filter = Filter::new(design, kept).unwrap();
                let n = 4 * filter.reach() + 2000;
                for frequency in [0.01, 0.06, 0.11, 0.2] {
                    let phase = |k: usize| TAU * frequency * k as f64 + 0.7;
                    let x: Vec<f64> = (0..n).map(|k| phase(k).cos()).collect();
                    let (y, gain) = (filter.apply(&x), filter.gain(frequency));
                    let edge = 2 * filter.reach();
                    for (k, y) in y.iter().enumerate().take(n - edge).skip(edge) {
                        let far = (y - gain * phase(k).cos()).abs();
                        assert!(far < 1e-3, "{kept:?} {design:?} {frequency} {k}: {far}");
                    }
                }
                let keeps = matches!(kept, Kept::Below(_) | Kept::Outside(..));
                let constant = filter.apply(&vec![-65.3; n]);
                assert!(constant.iter().all(|v| *v == if keeps { -65.3 } else { 0.0 }));
                let x = wave(n);
                let y = filter.apply(&x);
                let raised = filter.apply(&x.iter().map(|v| v + 1e6).collect::<Vec<f64>>());
                let level = if keeps { 1e6 } else { 0.0 };
                assert!(y.iter().zip(&raised).all(|(a, b)| (a + level - b).abs() < 1e-7), "{kept:?} {design:?}");
                let mirrored = filter.apply(&x.iter().rev().copied().collect::<Vec<f64>>());
                let edge = 2 * filter.reach();
                let far = |k: usize| (mirrored[n - 1 - k] - y[k]).abs();
                assert!((edge..n - edge).all(|k| far(k) < 5e-3), "{kept:?} {design:?}");
            }
        }
    }

    #[test]
    fn what_is_no_filter_says_so() {
        let new = |order: usize, kept: Kept| Filter::new(Design::Butterworth(order), kept).map(|f| f.reach());
        for kept in [
            Kept::Below(0.0),
            Kept::Below(0.5),
            Kept::Above(f64::NAN),
            Kept::Between(0.2, 0.1),
            Kept::Between(0.2, 0.2),
            Kept::Outside(-0.1, 0.2),
        ] {
            assert!(new(4, kept).is_err(), "{kept:?}");
            assert!(Filter::new(Design::Sinc { softest: 0.0 }, kept).is_err(), "{kept:?}");
        }
        assert!(new(0, Kept::Below(0.1)).is_err());
        // A kernel that no memory holds: 1 uHz at 10 kHz.
        for kept in [Kept::Above(1e-10), Kept::Below(0.5 - 1e-12), Kept::Between(0.1, 0.1 + 1e-13)] {
            let why = Filter::new(Design::Sinc { softest: 2e-4 }, kept).unwrap_err();
            assert!(why.contains("on either side, more than 1e7"), "{kept:?}: {why}");
        }
        assert!(new(4, Kept::Above(1e-9)).is_err(), "poles on the circle");
        assert!(new(4, Kept::Between(4e-4, 8e-4)).is_ok(), "theta at 10 kHz");
        let filter = Filter::new(Design::Butterworth(2), Kept::Below(0.1)).unwrap();
        assert_eq!(filter.apply(&[]), [0.0; 0]);
        assert_eq!(filter.apply(&[3.0]), [3.0]);
        assert_eq!(filter.apply(&[1.0, 2.0]).len(), 2);
    }
}
