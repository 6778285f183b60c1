//! A zero between two places at which a function has different signs: false position with the weight of an end that
//! stays halved (Illinois: Dowell and Jarratt 1971, doi:10.1007/BF01934364), each third time the middle.

/// Two places with values of different signs.
#[derive(Debug, Clone, Copy)]
pub struct Bracket {
    low: (f64, f64),
    high: (f64, f64),
    rounds: u32,
}

impl Bracket {
    /// Between two places, each with its value; the first is the lower one.
    pub fn new(low: (f64, f64), high: (f64, f64)) -> Self {
        Self { low, high, rounds: 0 }
    }

    /// Where to look next.
    pub fn place(&mut self) -> f64 {
        let (low, high) = (self.low, self.high);
        self.rounds += 1;
        if self.rounds.is_multiple_of(3) {
            f64::midpoint(low.0, high.0)
        } else {
            (low.0 * high.1 - high.0 * low.1) / (high.1 - low.1)
        }
    }

    /// Takes the value at a place inside; zero counts as the sign of the upper end.
    pub fn take(&mut self, at: f64, value: f64) {
        if value != 0.0 && (value > 0.0) == (self.low.1 > 0.0) {
            self.low = (at, value);
            self.high.1 *= 0.5;
        } else {
            self.high = (at, value);
            self.low.1 *= 0.5;
        }
    }

    /// The upper end.
    pub fn high(&self) -> f64 {
        self.high.0
    }

    /// How far the ends are apart.
    pub fn width(&self) -> f64 {
        self.high.0 - self.low.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros of rising and falling functions, also of those that are flat there, to the last digits.
    #[test]
    fn zeros_are_found() {
        type Case = (fn(f64) -> f64, f64);
        let cases: [Case; 4] = [
            (|x| x * x - 2.0, 2.0_f64.sqrt()),
            (|x| 1.0 - x.exp() / 3.0, 3.0_f64.ln()),
            (|x| (x - 0.3).powi(5), 0.3),
            (|x| 1.0 - 2.0 * x, 0.5),
        ];
        for (f, zero) in cases {
            let mut bracket = Bracket::new((0.0, f(0.0)), (2.0, f(2.0)));
            for _ in 0..200 {
                let at = bracket.place();
                bracket.take(at, f(at));
                if bracket.width() < 1e-13 {
                    break;
                }
            }
            assert!((bracket.high() - zero).abs() < 1e-9, "{} is not {zero}", bracket.high());
        }
    }
}
