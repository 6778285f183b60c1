//! Convolution on a ring with a fixed kernel, through Fourier transforms whose bits are the same on every machine.
//!
//! The transforms of [`super::fft`] take the order of their operations from the instructions that the machine has: as
//! good as any for an estimate, but not for what is simulated. These here are plain: radix 2 with the last two stages
//! in one, decimation in frequency on the way there and in time on the way back, so that nothing is ever put in order
//! (Cooley and Tukey 1965, doi:10.1090/S0025-5718-1965-0178586-1), and with cosines of our own. A ring whose length is
//! no power of two is convolved without being closed, on one of at least twice its length.

use super::math::cos_sin_turn;
use super::vector::vectorised;

/// A kernel that values on a ring are convolved with.
#[derive(Debug, Clone)]
pub struct CircularConvolution {
    length: usize,
    /// Cosines and sines of the transforms, stage after stage: half a stage's width of each.
    cosines: Vec<f64>,
    sines: Vec<f64>,
    /// Spectrum of the kernel over its size, in the order in which the transform leaves it.
    spectrum: [Vec<f64>; 2],
}

impl CircularConvolution {
    /// `kernel[d]` is the weight of the value `d` places before, around a ring of as many places.
    pub fn new(kernel: &[f64]) -> Self {
        Self::complex(kernel, &vec![0.0; kernel.len()])
    }

    /// Each Fourier mode of a ring of `length` places is multiplied: mode `k` and its mirror image by `factor(k)`,
    /// where `k` is up to half the length.
    pub fn of_modes(length: usize, factor: impl Fn(usize) -> f64) -> Self {
        let factors: Vec<f64> = (0..length).map(|k| factor(k.min(length - k))).collect();
        if length.is_power_of_two() {
            let mut made = Self::empty(length);
            let bits = length.trailing_zeros();
            for (k, f) in factors.iter().enumerate() {
                let at = if bits == 0 { 0 } else { k.reverse_bits() >> (usize::BITS - bits) };
                made.spectrum[0][at] = f / length as f64;
            }
            return made;
        }
        // The kernel is the transform of the factors: a convolution with a chirp (Bluestein 1970,
        // doi:10.1109/TAU.1970.1162132).
        let chirp = |k: usize| {
            let turns = (k as u128 * k as u128 % (2 * length as u128)) as f64 / (2 * length) as f64;
            cos_sin_turn(turns)
        };
        // Of both signs of the distance at once: a chirp around a ring of twice the length, of which half is empty.
        let (mut re, mut im): (Vec<f64>, Vec<f64>) =
            factors.iter().enumerate().map(|(k, f)| (f * chirp(k).0, f * chirp(k).1)).unzip();
        re.resize(2 * length, 0.0);
        im.resize(2 * length, 0.0);
        let distance = |d: usize| if d < length { d } else { 2 * length - d };
        let (cosines, sines): (Vec<f64>, Vec<f64>) =
            (0..2 * length).map(|d| chirp(distance(d))).map(|(c, s)| (c, -s)).unzip();
        Self::complex(&cosines, &sines).apply(&mut re, &mut im);
        let kernel: Vec<f64> = (0..length).map(|d| (chirp(d).0 * re[d] - chirp(d).1 * im[d]) / length as f64).collect();
        Self::new(&kernel)
    }

    /// Places of the ring.
    pub fn length(&self) -> usize {
        self.length
    }

    fn empty(length: usize) -> Self {
        let size = if length.is_power_of_two() { length } else { (2 * length).next_power_of_two() };
        let (mut cosines, mut sines) = (Vec::with_capacity(size), Vec::with_capacity(size));
        let mut half = size / 2;
        while half > 0 {
            for j in 0..half {
                let (c, s) = cos_sin_turn(j as f64 / (2 * half) as f64);
                cosines.push(c);
                sines.push(s);
            }
            half /= 2;
        }
        Self { length, cosines, sines, spectrum: [vec![0.0; size], vec![0.0; size]] }
    }

    fn complex(re: &[f64], im: &[f64]) -> Self {
        let mut made = Self::empty(re.len());
        let size = made.spectrum[0].len();
        for (part, kernel) in made.spectrum.iter_mut().zip([re, im]) {
            for (d, &v) in kernel.iter().enumerate() {
                part[d] = v / size as f64;
                // The same distance the other way, where the ring is not closed.
                if d > 0 && size > kernel.len() {
                    part[size - (kernel.len() - d)] = v / size as f64;
                }
            }
        }
        let [re, im] = &mut made.spectrum;
        forward(re, im, &made.cosines, &made.sines);
        made
    }

    /// Convolves two rings at once, the real and the imaginary parts of one. What stands beyond their places is
    /// scratch.
    pub fn apply(&self, re: &mut Vec<f64>, im: &mut Vec<f64>) {
        let size = self.spectrum[0].len();
        for part in [&mut *re, &mut *im] {
            part.truncate(self.length);
            part.resize(size, 0.0);
        }
        forward(re, im, &self.cosines, &self.sines);
        multiply(re, im, &self.spectrum[0], &self.spectrum[1]);
        back(re, im, &self.cosines, &self.sines);
    }
}

vectorised! {
    /// The spectrum, with bits of its places reversed.
    fn forward(re: &mut [f64], im: &mut [f64], cosines: &[f64], sines: &[f64]) {
        let mut half = re.len() / 2;
        let mut stage = 0;
        while half > 2 || half == 1 && re.len() == 2 {
            let (c, s) = (&cosines[stage..stage + half], &sines[stage..stage + half]);
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let ((re, re_far), (im, im_far)) = (re.split_at_mut(half), im.split_at_mut(half));
                let (re_far, im_far) = (&mut re_far[..half], &mut im_far[..half]);
                for j in 0..half {
                    let (a, b) = (re[j] - re_far[j], im[j] - im_far[j]);
                    re[j] += re_far[j];
                    im[j] += im_far[j];
                    re_far[j] = a.mul_add(c[j], b * s[j]);
                    im_far[j] = b.mul_add(c[j], -(a * s[j]));
                }
            }
            stage += half;
            half /= 2;
        }
        // The last two stages turn by quarters only.
        for (re, im) in re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0) {
            let ([p, q, r, t], [u, v, w, x]) = (*re, *im);
            let ((a, b, c, d), (e, f, g, h)) = ((p + r, q + t, p - r, v - x), (u + w, v + x, u - w, t - q));
            *re = [a + b, a - b, c + d, c - d];
            *im = [e + f, e - f, g + h, g - h];
        }
    }
}

vectorised! {
    /// From such a spectrum to what it is of, times the size.
    fn back(re: &mut [f64], im: &mut [f64], cosines: &[f64], sines: &[f64]) {
        let size = re.len();
        let mut half = if size == 2 { 1 } else { 4 };
        for (re, im) in re.as_chunks_mut::<4>().0.iter_mut().zip(im.as_chunks_mut::<4>().0) {
            let ([p, q, r, t], [u, v, w, x]) = (*re, *im);
            let ((a, b, c, d), (e, f, g, h)) = ((p + q, p - q, r + t, w - x), (u + v, u - v, w + x, r - t));
            *re = [a + c, b - d, a - c, b + d];
            *im = [e + g, f + h, e - g, f - h];
        }
        while half < size {
            let stage = size - 2 * half;
            let (c, s) = (&cosines[stage..stage + half], &sines[stage..stage + half]);
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let ((re, re_far), (im, im_far)) = (re.split_at_mut(half), im.split_at_mut(half));
                let (re_far, im_far) = (&mut re_far[..half], &mut im_far[..half]);
                for j in 0..half {
                    let a = re_far[j].mul_add(c[j], -(im_far[j] * s[j]));
                    let b = re_far[j].mul_add(s[j], im_far[j] * c[j]);
                    (re_far[j], im_far[j]) = (re[j] - a, im[j] - b);
                    re[j] += a;
                    im[j] += b;
                }
            }
            half *= 2;
        }
    }
}

vectorised! {
    fn multiply(re: &mut [f64], im: &mut [f64], by_re: &[f64], by_im: &[f64]) {
        for ((a, b), (c, d)) in re.iter_mut().zip(im).zip(by_re.iter().zip(by_im)) {
            (*a, *b) = (a.mul_add(*c, -(*b * d)), a.mul_add(*d, *b * c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn noise(n: usize, unit: u32) -> Vec<f64> {
        let mut s = Key::new(1, "ring", "noise").stream(unit, 0);
        (0..n).map(|_| s.uniform() - 0.5).collect()
    }

    const LENGTHS: [usize; 10] = [1, 2, 3, 8, 22, 47, 60, 94, 128, 211];

    fn far(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn sums_are_those_taken_directly() {
        for n in LENGTHS {
            let (kernel, x, y) = (noise(n, 0), noise(n, 1), noise(n, 2));
            let direct =
                |x: &[f64]| (0..n).map(|i| (0..n).map(|d| kernel[d] * x[(i + n - d) % n]).sum()).collect::<Vec<f64>>();
            let (mut re, mut im) = (x.clone(), y.clone());
            CircularConvolution::new(&kernel).apply(&mut re, &mut im);
            assert!(
                far(&re, &direct(&x)) < 1e-14 && far(&im, &direct(&y)) < 1e-14,
                "{n}: {} {}",
                far(&re, &direct(&x)),
                far(&im, &direct(&y))
            );
        }
    }

    #[test]
    fn modes_are_multiplied_by_their_factors() {
        for n in LENGTHS {
            let ring = CircularConvolution::of_modes(n, |k| 1.0 / (1.0 + k as f64));
            assert_eq!(ring.length(), n);
            for k in [0, 1, n / 3, n / 2] {
                let mode = |part: fn((f64, f64)) -> f64| {
                    (0..n).map(|j| part(cos_sin_turn((k * j % n) as f64 / n as f64))).collect::<Vec<_>>()
                };
                let (cosine, sine) = (mode(|w| w.0), mode(|w| w.1));
                let (mut re, mut im) = (cosine.clone(), sine.clone());
                ring.apply(&mut re, &mut im);
                let factor = 1.0 / (1.0 + k.min(n - k) as f64);
                let wanted = |x: &[f64]| x.iter().map(|v| v * factor).collect::<Vec<_>>();
                assert!(far(&re, &wanted(&cosine)) < 4e-15 && far(&im, &wanted(&sine)) < 4e-15, "{n} {k}");
            }
        }
    }
}
