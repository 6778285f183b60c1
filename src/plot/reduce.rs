//! Minimum and maximum of each column of pixels, before anything is painted: a spike one sample wide never vanishes,
//! and a pyramid of block extremes makes any stretch of a long trace as cheap as a short one.

/// Samples of one block of the lowest level.
const BLOCK: usize = 64;
/// Blocks of one level that make one of the next.
const FAN: usize = 16;
/// Curves shorter than this are scanned directly.
pub const LONG: usize = 1 << 16;

/// Smallest and largest finite value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

impl Extremes {
    /// Of no values.
    pub const NONE: Self = Self { min: f64::INFINITY, max: f64::NEG_INFINITY };

    /// Of finite values among `values`.
    pub fn of(values: &[f64]) -> Self {
        let mut out = Self::NONE;
        for &v in values {
            if v.is_finite() {
                out.min = out.min.min(v);
                out.max = out.max.max(v);
            }
        }
        out
    }

    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// As a range, if there was any finite value.
    pub fn range(self) -> Option<(f64, f64)> {
        (self.min <= self.max).then_some((self.min, self.max))
    }
}

/// Sum and number of finite values.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    total: f64,
    count: f64,
}

impl Sum {
    fn of(values: &[f64]) -> Self {
        let finite = values.iter().filter(|v| v.is_finite());
        finite.fold(Self::default(), |all, v| Self { total: all.total + v, count: all.count + 1.0 })
    }

    fn and(self, other: Self) -> Self {
        Self { total: self.total + other.total, count: self.count + other.count }
    }
}

/// Block extremes of a long curve at several sizes, and the sums of all blocks up to each: 4 numbers every 64 samples.
#[derive(Debug, Clone, Default)]
pub struct Pyramid {
    levels: Vec<Vec<Extremes>>,
    /// Sum and number of the finite samples before each block, and of all.
    sums: Vec<Sum>,
    /// Whether the abscissae ascend, so that a stretch is found by bisection.
    pub ascending: bool,
}

impl Pyramid {
    /// The pyramid of a curve.
    pub fn new(x: &[f64], y: &[f64]) -> Self {
        let mut levels = vec![y.chunks(BLOCK).map(Extremes::of).collect::<Vec<_>>()];
        while let Some(last) = levels.last()
            && last.len() > FAN
        {
            let next = last.chunks(FAN).map(|c| c.iter().fold(Extremes::NONE, |a, &b| a.and(b))).collect();
            levels.push(next);
        }
        let mut sums = vec![Sum::default()];
        sums.extend(y.chunks(BLOCK).scan(Sum::default(), |all, block| {
            *all = all.and(Sum::of(block));
            Some(*all)
        }));
        Self { levels, sums, ascending: x.is_sorted() }
    }

    fn sum(&self, y: &[f64], from: usize, to: usize) -> Sum {
        let (first, last) = (from.div_ceil(BLOCK), to / BLOCK);
        if first >= last {
            return Sum::of(&y[from..to]);
        }
        let ends = Sum::of(&y[from..first * BLOCK]).and(Sum::of(&y[last * BLOCK..to]));
        let (before, all) = (self.sums[first], self.sums[last]);
        ends.and(Sum { total: all.total - before.total, count: all.count - before.count })
    }

    /// Extremes of `y[from..to]`.
    pub fn extremes(&self, y: &[f64], from: usize, to: usize) -> Extremes {
        let to = to.min(y.len());
        if from >= to {
            return Extremes::NONE;
        }
        let (first, last) = (from.div_ceil(BLOCK), to / BLOCK);
        if first >= last {
            return Extremes::of(&y[from..to]);
        }
        let ends = Extremes::of(&y[from..first * BLOCK]).and(Extremes::of(&y[last * BLOCK..to]));
        ends.and(self.blocks(0, first, last))
    }

    fn blocks(&self, level: usize, from: usize, to: usize) -> Extremes {
        let scan = |a: usize, b: usize| self.levels[level][a..b].iter().fold(Extremes::NONE, |x, &y| x.and(y));
        let (first, last) = (from.div_ceil(FAN), to / FAN);
        if first >= last || level + 1 >= self.levels.len() {
            return scan(from, to);
        }
        scan(from, first * FAN).and(scan(last * FAN, to)).and(self.blocks(level + 1, first, last))
    }
}

/// Extremes of `y[from..to]`, by the pyramid where there is one.
pub fn extremes(y: &[f64], from: usize, to: usize, pyramid: Option<&Pyramid>) -> Extremes {
    let to = to.min(y.len());
    if from >= to {
        return Extremes::NONE;
    }
    pyramid.map_or_else(|| Extremes::of(&y[from..to]), |p| p.extremes(y, from, to))
}

/// Mean of the finite values of `y[from..to]`, by the pyramid where there is one; not a number where there is none.
pub fn mean(y: &[f64], from: usize, to: usize, pyramid: Option<&Pyramid>) -> f64 {
    let to = to.min(y.len());
    if from >= to {
        return f64::NAN;
    }
    let sum = pyramid.map_or_else(|| Sum::of(&y[from..to]), |p| p.sum(y, from, to));
    sum.total / sum.count
}

/// What is drawn of the samples that fall into one column of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Which column.
    pub index: usize,
    /// First finite-or-not sample.
    pub first: f64,
    /// Last sample.
    pub last: f64,
    /// Extremes of the finite ones.
    pub extremes: Extremes,
    /// Which samples: the first, and the one after the last.
    pub samples: (usize, usize),
}

/// Reduces an ascending curve to columns. `edge(k)` is the left end of column `k` in data units (`edge(columns)` the
/// right end of the last); columns without samples are left out.
pub fn columns(
    x: &[f64],
    y: &[f64],
    pyramid: Option<&Pyramid>,
    columns: usize,
    edge: impl Fn(usize) -> f64,
) -> Vec<Column> {
    let length = x.len().min(y.len());
    let (x, y) = (&x[..length], &y[..length]);
    let mut out = Vec::with_capacity(columns);
    let mut from = x.partition_point(|&v| v < edge(0));
    for column in 0..columns {
        let stop = edge(column + 1);
        let is_last = column + 1 == columns;
        let to = from + bisect(&x[from..], |v| if is_last { v <= stop } else { v < stop });
        if to > from {
            out.push(Column {
                index: column,
                first: y[from],
                last: y[to - 1],
                extremes: extremes(y, from, to, pyramid),
                samples: (from, to),
            });
        }
        from = to;
    }
    out
}

/// Number of leading elements for which `before` holds: doubling steps, then bisection, since the end is mostly near.
fn bisect(x: &[f64], before: impl Fn(f64) -> bool) -> usize {
    let mut step = 1;
    while step < x.len() && before(x[step]) {
        step *= 2;
    }
    let low = step / 2;
    let high = (step + 1).min(x.len());
    if low >= high {
        return x.partition_point(|&v| before(v));
    }
    low + x[low..high].partition_point(|&v| before(v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pyramid_agrees_with_a_scan(
            seed in 0u64..1000,
            length in 0usize..5000,
            a in 0usize..5000,
            b in 0usize..5000,
        ) {
            let y: Vec<f64> = (0..length).map(|k| {
                let v = (k as u64).wrapping_mul(seed.wrapping_add(7)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
                if v % 97 == 0 { f64::NAN } else { v as f64 }
            }).collect();
            let x: Vec<f64> = (0..length).map(|k| k as f64).collect();
            let p = Pyramid::new(&x, &y);
            let (a, b) = (a.min(b).min(length), a.max(b).min(length));
            prop_assert_eq!(p.extremes(&y, a, b), Extremes::of(&y[a..b]));
            // All are whole numbers below 2^24: sums are exact.
            let (quick, slow) = (mean(&y, a, b, Some(&p)), mean(&y, a, b, None));
            prop_assert!(quick == slow || (quick.is_nan() && slow.is_nan()), "{quick} {slow}");
        }

        #[test]
        fn every_sample_is_in_one_column(
            length in 0usize..3000,
            n in 1usize..200,
            low in -50f64..50.0,
            span in 1f64..3000.0,
        ) {
            let x: Vec<f64> = (0..length).map(|k| k as f64).collect();
            let mut y = vec![0.0; length];
            if length > 10 { y[length / 2] = 100.0; }
            let out = columns(&x, &y, None, n, |k| low + span * k as f64 / n as f64);
            let peak = out.iter().fold(Extremes::NONE, |a, c| a.and(c.extremes));
            let seen = x.iter().zip(&y).filter(|p| *p.0 >= low && *p.0 <= low + span);
            let visible: Vec<f64> = seen.map(|p| *p.1).collect();
            prop_assert_eq!(peak, Extremes::of(&visible));
        }
    }

    #[test]
    fn a_single_spike_survives_every_zoom() {
        let n = 300_000;
        let x: Vec<f64> = (0..n).map(|k| f64::from(k) * 0.1).collect();
        let mut y = vec![-65.0; n as usize];
        y[123_456] = 40.0;
        let p = Pyramid::new(&x, &y);
        for columns_count in [1, 7, 80, 400] {
            let out = columns(&x, &y, Some(&p), columns_count, |k| 30_000.0 * k as f64 / columns_count as f64);
            assert!(out.iter().any(|c| c.extremes.max == 40.0));
        }
    }
}
