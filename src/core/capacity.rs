//! The capacity of a channel: how many bits a use of it carries at most, over all ways of choosing its input.

/// Bounds this close in bits end the iteration.
const CLOSE: f64 = 1e-9;
/// Rounds after which it ends all the same.
const ROUNDS: usize = 5_000;

/// What a channel carries at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Bits a use, from below.
    pub bits: f64,
    /// By how much it may be more.
    pub gap: f64,
    /// How often each input is used then.
    pub input: Vec<f64>,
}

/// Capacity of a channel given by `rows`: in each, one an input, the probabilities of the outputs (they sum to 1).
///
/// Blahut's and Arimoto's iteration from even inputs, until its bounds from below and above meet within 1e-9 bits, or
/// for 5000 rounds: inputs that are nearly as good as others make it slow, and then `gap` is some 1e-5 bits at most.
/// Each round costs inputs times outputs. Where channels are noisy its steps are short, so that they are lengthened as
/// long as more is told by them (as Matz and Duhamel do, 2004, IEEE Information Theory Workshop, San Antonio, pages
/// 66-70). Without rows it is zero. (Blahut 1972, doi:10.1109/TIT.1972.1054855; Arimoto 1972,
/// doi:10.1109/TIT.1972.1054753)
pub fn capacity(rows: &[Vec<f64>]) -> Capacity {
    let even = vec![1.0 / rows.len().max(1) as f64; rows.len()];
    // Σ_j p(j|i) log2 p(j|i) never changes.
    let certain: Vec<f64> =
        rows.iter().map(|row| row.iter().filter(|p| **p > 0.0).map(|p| p * p.log2()).sum()).collect();
    let mut now = Round::new(rows, &certain, even);
    let mut length = 1.0;
    for _ in 0..ROUNDS {
        if now.best - now.told < CLOSE {
            break;
        }
        let next = Round::new(rows, &certain, now.step(length));
        if next.told >= now.told || length == 1.0 {
            now = next;
            length *= 1.5;
        } else {
            length = 1.0;
        }
    }
    Capacity { bits: now.told.max(0.0), gap: (now.best - now.told).max(0.0), input: now.input }
}

/// A choice of inputs and what it tells.
struct Round {
    input: Vec<f64>,
    /// What each input tells: how far its outputs are from those of all. The capacity is between the mean and the
    /// largest.
    of_each: Vec<f64>,
    told: f64,
    best: f64,
}

impl Round {
    fn new(rows: &[Vec<f64>], certain: &[f64], input: Vec<f64>) -> Self {
        let mut output = vec![0.0; rows.first().map_or(0, Vec::len)];
        for (row, share) in rows.iter().zip(&input) {
            row.iter().zip(&mut output).for_each(|(p, q)| *q += share * p);
        }
        for q in &mut output {
            *q = if *q > 0.0 { q.log2() } else { 0.0 };
        }
        let of_each: Vec<f64> = rows
            .iter()
            .zip(certain)
            .map(|(row, c)| c - row.iter().zip(&output).map(|(p, l)| p * l).sum::<f64>())
            .collect();
        let told = input.iter().zip(&of_each).map(|(p, d)| p * d).sum();
        let best = of_each.iter().copied().fold(0.0, f64::max);
        Self { input, of_each, told, best }
    }

    /// Inputs that tell much become more frequent; a `length` of 1 never goes too far.
    fn step(&self, length: f64) -> Vec<f64> {
        let weights: Vec<f64> =
            self.input.iter().zip(&self.of_each).map(|(p, d)| p * (length * (d - self.best)).exp2()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / sum).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 2e-9, "{got} is not {want}");
    }

    #[test]
    fn known_channels_have_their_capacities() {
        let symmetric = |e: f64| capacity(&[vec![1.0 - e, e], vec![e, 1.0 - e]]);
        near(symmetric(0.05).bits, 0.713_603_043);
        near(symmetric(0.11).bits, 0.500_084_042);
        near(symmetric(0.5).bits, 0.0);
        // One input is always heard, the other half the time: log2(5/4), by using the first 3/5 of the time.
        let z = capacity(&[vec![1.0, 0.0], vec![0.5, 0.5]]);
        near(z.bits, 1.25_f64.log2());
        assert!((z.input[0] - 0.6).abs() < 1e-4 && z.gap < 1e-9, "{z:?}");
        let erasing = capacity(&[vec![0.7, 0.0, 0.3], vec![0.0, 0.7, 0.3]]);
        near(erasing.bits, 0.7);
        let mut perfect = vec![vec![0.0; 5]; 5];
        (0..5).for_each(|i| perfect[i][i] = 1.0);
        near(capacity(&perfect).bits, 5_f64.log2());
        near(capacity(&[]).bits, 0.0);
        near(capacity(&[vec![0.3, 0.7]]).bits, 0.0);
    }

    #[test]
    fn an_input_that_says_nothing_of_its_own_is_not_used() {
        let c = capacity(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.5, 0.5]]);
        near(c.bits, 1.0);
        assert!(c.input[2] < 1e-6 && (c.input[0] - 0.5).abs() < 1e-6, "{c:?}");
    }

    /// No choice of inputs tells more, by Kuhn and Tucker's condition that `gap` is.
    #[test]
    fn the_gap_bounds_every_other_choice() {
        let rows = vec![vec![0.6, 0.3, 0.1], vec![0.1, 0.2, 0.7], vec![0.3, 0.5, 0.2], vec![0.25, 0.25, 0.5]];
        let best = capacity(&rows);
        let told = |input: &[f64]| {
            let q: Vec<f64> = (0..3).map(|j| rows.iter().zip(input).map(|(r, p)| r[j] * p).sum()).collect();
            rows.iter()
                .zip(input)
                .map(|(r, p)| p * r.iter().zip(&q).map(|(v, q)| v * (v / q).log2()).sum::<f64>())
                .sum::<f64>()
        };
        assert!((told(&best.input) - best.bits).abs() < 1e-6);
        for (a, b, c) in [(0.25, 0.25, 0.25), (0.5, 0.5, 0.0), (0.4, 0.4, 0.1), (0.45, 0.45, 0.05), (0.1, 0.1, 0.7)] {
            assert!(told(&[a, b, c, 1.0 - a - b - c]) <= best.bits + best.gap + 1e-12);
        }
    }
}
