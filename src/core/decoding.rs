//! Decoding a population of counting units: tuning curves, the posterior of independent Poisson units, template,
//! population vector, Fisher information.

use std::f64::consts::TAU;

/// The values of a stimulus in bins of one width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StimulusAxis {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Number of bins.
    pub bins: usize,
    /// Whether the ends are the same value (an angle).
    pub circular: bool,
}

impl StimulusAxis {
    fn width(&self) -> f64 {
        (self.high - self.low) / self.bins as f64
    }

    /// The bin of a value; values outside go to the nearest end, or around.
    pub fn bin(&self, value: f64) -> usize {
        let position = ((value - self.low) / self.width()).floor();
        let position = if self.circular { position.rem_euclid(self.bins as f64) } else { position };
        (position.max(0.0) as usize).min(self.bins - 1)
    }

    /// The middle of a bin.
    pub fn centre(&self, bin: usize) -> f64 {
        self.low + (bin as f64 + 0.5) * self.width()
    }

    /// a - b, the short way around where the axis is a circle.
    pub fn difference(&self, a: f64, b: f64) -> f64 {
        let (d, period) = (a - b, self.high - self.low);
        if self.circular { d - period * (d / period).round() } else { d }
    }

    /// Mean of the bins' middles under `weights`, on the circle where it is one; `None` where it has no direction.
    pub fn mean(&self, weights: &[f64]) -> Option<f64> {
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        if !self.circular {
            return Some(weights.iter().enumerate().map(|(b, w)| w * self.centre(b)).sum::<f64>() / total);
        }
        let angle = |b: usize| TAU * (self.centre(b) - self.low) / (self.high - self.low);
        let (s, c) = weights
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(s, c), (b, w)| (s + w * angle(b).sin(), c + w * angle(b).cos()));
        (s.hypot(c) > 1e-12 * total).then(|| self.low + (s.atan2(c) / TAU).rem_euclid(1.0) * (self.high - self.low))
    }
}

/// Tuning curves of some units, and how often each value of the stimulus occurs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// The stimulus.
    pub axis: StimulusAxis,
    /// Rate of each unit in each bin of the stimulus, per second.
    pub rates: Vec<Vec<f64>>,
    /// Share of time that the stimulus spends in each bin.
    pub prior: Vec<f64>,
    /// Length of a count in seconds.
    pub seconds: f64,
}

impl Tuning {
    /// From counts (`counts[unit][time]`) and the stimulus in the same bins of time, at the times that `train` accepts.
    /// Each rate is drawn towards the unit's mean by the weight of one count, and raised by `floor`, so that no bin
    /// vetoes; each value of the stimulus has been seen once more than it has.
    pub fn fit(
        axis: StimulusAxis,
        counts: &[Vec<f64>],
        stimulus: &[f64],
        train: impl Fn(usize) -> bool,
        seconds: f64,
        floor: f64,
    ) -> Self {
        let times: Vec<usize> = (0..stimulus.len()).filter(|&k| train(k)).collect();
        let mut visits = vec![0.0; axis.bins];
        for &k in &times {
            visits[axis.bin(stimulus[k])] += 1.0;
        }
        let unit = |c: &Vec<f64>| {
            let mut spikes = vec![0.0; axis.bins];
            for &k in &times {
                spikes[axis.bin(stimulus[k])] += c[k];
            }
            let mean = spikes.iter().sum::<f64>() / times.len().max(1) as f64;
            spikes.iter().zip(&visits).map(|(s, v)| (s + mean) / ((v + 1.0) * seconds) + floor).collect()
        };
        let total = (times.len() + axis.bins) as f64;
        Self {
            axis,
            rates: counts.iter().map(unit).collect(),
            prior: visits.iter().map(|v| (v + 1.0) / total).collect(),
            seconds,
        }
    }

    /// Logarithm of P(counts | s) for independent Poisson units (`counts[unit]`), but for what no s changes, in a
    /// bin of the stimulus.
    fn log_likelihood(&self, counts: &[f64], b: usize) -> f64 {
        self.rates.iter().zip(counts).map(|(r, n)| n * r[b].ln() - self.seconds * r[b]).sum()
    }

    /// The value under which the counts are likeliest, whatever values occur how often (maximum likelihood).
    pub fn likeliest(&self, counts: &[f64]) -> f64 {
        let logs: Vec<f64> = (0..self.axis.bins).map(|b| self.log_likelihood(counts, b)).collect();
        self.axis.centre(largest(&logs))
    }

    /// P(s | counts) for independent Poisson units (`counts[unit]`), over the bins.
    pub fn posterior(&self, counts: &[f64]) -> Vec<f64> {
        let logs: Vec<f64> = (0..self.axis.bins).map(|b| self.log_likelihood(counts, b) + self.prior[b].ln()).collect();
        let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut p: Vec<f64> = logs.iter().map(|l| (l - top).exp()).collect();
        let total: f64 = p.iter().sum();
        for v in &mut p {
            *v /= total;
        }
        p
    }

    /// The value whose column of rates is most like the counts (Pearson correlation); `None` where no units fired.
    pub fn template(&self, counts: &[f64]) -> Option<f64> {
        let column = |b: usize| self.rates.iter().map(|r| r[b]).collect::<Vec<f64>>();
        let like = |b: usize| super::statistics::pearson(&column(b), counts);
        let best =
            (0..self.axis.bins).map(|b| (b, like(b))).filter(|x| x.1.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(self.axis.centre(best.0))
    }

    /// The population vector (Georgopoulos, Schwartz and Kettner 1986, doi:10.1126/science.3749885): the mean of the
    /// preferred values, weighted by how far each unit is above its least rate; `None` where nothing stands out.
    pub fn vector(&self, counts: &[f64]) -> Option<f64> {
        let mut weights = vec![0.0; self.axis.bins];
        for (rates, n) in self.rates.iter().zip(counts) {
            let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
            let above: Vec<f64> = rates.iter().map(|r| r - least).collect();
            let Some(preferred) = self.axis.mean(&above) else { continue };
            weights[self.axis.bin(preferred)] += (n - least * self.seconds).max(0.0);
        }
        self.axis.mean(&weights)
    }

    /// Fisher information of one set of counts at each bin, Δ Σ f'²/f, from curves smoothed by (1, 2, 1)/4 and central
    /// differences (one-sided at the ends of a line).
    pub fn fisher(&self) -> Vec<f64> {
        let n = self.axis.bins;
        let at = |b: usize, step: isize| -> usize {
            let moved = b as isize + step;
            if self.axis.circular {
                moved.rem_euclid(n as isize) as usize
            } else {
                moved.clamp(0, n as isize - 1) as usize
            }
        };
        let mut information = vec![0.0; n];
        for rates in &self.rates {
            let smooth: Vec<f64> =
                (0..n).map(|b| 0.25 * rates[at(b, -1)] + 0.5 * rates[b] + 0.25 * rates[at(b, 1)]).collect();
            for (b, j) in information.iter_mut().enumerate() {
                let (before, after) = (at(b, -1), at(b, 1));
                let span = if self.axis.circular { 2.0 } else { (after - before) as f64 };
                let slope = (smooth[after] - smooth[before]) / (span * self.axis.width());
                *j += self.seconds * slope * slope / smooth[b].max(f64::MIN_POSITIVE);
            }
        }
        information
    }
}

/// The place of the largest; the first of those that are alike.
pub fn largest(values: &[f64]) -> usize {
    (0..values.len()).reduce(|best, b| if values[b] > values[best] { b } else { best }).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    /// Gaussian tuning, spacing 0.5, width 1, peak 30 Hz, and Poisson counts of 0.2 s at a stimulus that wanders in the
    /// middle.
    fn population(times: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let key = Key::new(12, "decoding", "counts");
        let stimulus: Vec<f64> =
            (0..times).map(|k| 3.0 * (0.37 * k as f64).sin() + 0.9 * (0.111 * k as f64).cos()).collect();
        let units: Vec<f64> = (0..33).map(|i| -8.0 + 0.5 * f64::from(i)).collect();
        let counts = units
            .iter()
            .enumerate()
            .map(|(i, c)| {
                let mut stream = key.stream(i as u32, 0);
                stimulus
                    .iter()
                    .map(|s| {
                        let mean = 6.0 * (-0.5 * (s - c) * (s - c)).exp();
                        let (mut n, mut p) = (0.0, stream.uniform());
                        while p > (-mean).exp() {
                            p *= stream.uniform();
                            n += 1.0;
                        }
                        n
                    })
                    .collect()
            })
            .collect();
        (counts, stimulus)
    }

    const AXIS: StimulusAxis = StimulusAxis { low: -4.0, high: 4.0, bins: 40, circular: false };

    /// J = √(2π) f_max Δ/(δ σ) = 30.08 for this population: the decoder's variance is 1/J.
    #[test]
    fn the_variance_of_the_decoder_reaches_the_bound() {
        let (counts, stimulus) = population(20_000);
        let t = Tuning::fit(AXIS, &counts, &stimulus, |k| k % 2 == 0, 0.2, 1e-3);
        let exact = (TAU).sqrt() * 30.0 * 0.2 / 0.5;
        let measured: Vec<f64> = t.fisher()[8..32].to_vec();
        let mean = measured.iter().sum::<f64>() / measured.len() as f64;
        assert!((mean / exact - 1.0).abs() < 0.06, "{mean} {exact}");
        let (mut square, mut n) = (0.0, 0.0);
        for k in (1..stimulus.len()).step_by(2) {
            if stimulus[k].abs() < 2.5 {
                let now: Vec<f64> = counts.iter().map(|c| c[k]).collect();
                let e = t.axis.mean(&t.posterior(&now)).unwrap() - stimulus[k];
                square += e * e;
                n += 1.0;
            }
        }
        assert!((square / n * exact - 1.0).abs() < 0.12, "{}", square / n * exact);
    }

    #[test]
    fn circles_go_around() {
        let circle = StimulusAxis { low: 0.0, high: TAU, bins: 36, circular: true };
        assert!((circle.difference(0.1, TAU - 0.1) - 0.2).abs() < 1e-12);
        assert_eq!(circle.bin(-0.01), 35);
        let mut weights = vec![0.0; 36];
        (weights[0], weights[35]) = (1.0, 1.0);
        let mean = circle.mean(&weights).unwrap();
        assert!(mean < 1e-9 || (mean - TAU).abs() < 1e-9, "{mean}");
        assert_eq!(circle.mean(&[1.0; 36]), None, "no direction");
    }

    /// One unit that is tuned, by hand: without a prior the counts alone decide, with one what occurs often is
    /// preferred.
    #[test]
    fn peaks_by_hand() {
        let axis = StimulusAxis { low: 0.0, high: 3.0, bins: 3, circular: false };
        let t = Tuning { axis, rates: vec![vec![1.0, 4.0, 6.0]], prior: vec![0.1, 0.85, 0.05], seconds: 1.0 };
        // 5 ln 4 - 4 = 2.93, 5 ln 6 - 6 = 2.96: the last is likelier by 0.03, and rarer by a factor of 17.
        assert_eq!(t.likeliest(&[5.0]), 2.5);
        assert_eq!(axis.centre(largest(&t.posterior(&[5.0]))), 1.5);
        assert_eq!(t.likeliest(&[0.0]), 0.5);
        assert_eq!(largest(&[1.0, 1.0]), 0);
    }

    #[test]
    fn vector_and_template_are_near_and_worse() {
        let (counts, stimulus) = population(4000);
        let t = Tuning::fit(AXIS, &counts, &stimulus, |k| k % 2 == 0, 0.2, 1e-3);
        let mut error = [0.0; 5];
        let mut n = 0.0;
        for k in (1..stimulus.len()).step_by(2).filter(|&k| stimulus[k].abs() < 2.5) {
            let now: Vec<f64> = counts.iter().map(|c| c[k]).collect();
            let posterior = t.posterior(&now);
            let peaks = [Some(t.axis.centre(largest(&posterior))), Some(t.likeliest(&now))];
            let found = [t.axis.mean(&posterior), t.template(&now), t.vector(&now), peaks[0], peaks[1]];
            for (e, f) in error.iter_mut().zip(found) {
                *e += (f.unwrap() - stimulus[k]).powi(2);
            }
            n += 1.0;
        }
        let [bayes, template, vector, map, likeliest] = error.map(|e| (e / n).sqrt());
        // Of all, the posterior's mean has the least square error; its peak and that of the likelihood are close.
        assert!(bayes < map && bayes < likeliest && map < 1.3 * bayes && likeliest < 1.3 * bayes, "{map} {likeliest}");
        assert!(bayes < template && bayes < vector && template < 0.6 && vector < 0.6, "{bayes} {template} {vector}");
    }
}
