//! Information of discrete and of Gaussian variables: plug-in entropies with their bias, transfer entropy of symbols,
//! covariances. All in bits.

use std::f64::consts::LN_2;

use super::linear::residual_variance;

/// How often each pair of symbols occurred: `counts[row * columns + column]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Number of row symbols.
    pub rows: usize,
    /// Number of column symbols.
    pub columns: usize,
    /// Counts row by row.
    pub counts: Vec<u32>,
}

/// What a [`Table`] says, in bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlugIn {
    /// Entropy of the rows.
    pub rows: f64,
    /// Entropy of the columns.
    pub columns: f64,
    /// Entropy of the pairs.
    pub joint: f64,
    /// Number of pairs counted.
    pub n: u64,
    /// Number of rows, columns and cells that occurred.
    pub occupied: (usize, usize, usize),
}

impl PlugIn {
    /// Plug-in mutual information, at least 0.
    pub fn information(&self) -> f64 {
        (self.rows + self.columns - self.joint).max(0.0)
    }

    /// What Miller and Madow's correction takes off the information: `(cells − rows − columns + 1)/(2 N ln 2)`.
    pub fn miller_madow_bias(&self) -> f64 {
        let (r, c, cells) = self.occupied;
        (cells as f64 - r as f64 - c as f64 + 1.0) / (2.0 * self.n as f64 * LN_2)
    }
}

impl Table {
    /// Counts pairs of symbols `a[i]`, `b[i]` below `rows` and `columns`.
    pub fn count(a: &[u32], b: &[u32], rows: usize, columns: usize) -> Self {
        let mut counts = vec![0; rows * columns];
        for (&i, &j) in a.iter().zip(b) {
            counts[i as usize * columns + j as usize] += 1;
        }
        Self { rows, columns, counts }
    }

    /// Entropies of the table: rows, columns, pairs.
    pub fn plug_in(&self) -> PlugIn {
        let (by_row, by_column) = self.margins();
        let n: u64 = by_row.iter().sum();
        let cells: Vec<u64> = self.counts.iter().map(|&c| u64::from(c)).collect();
        let occupied = |c: &[u64]| c.iter().filter(|&&v| v > 0).count();
        PlugIn {
            rows: entropy(&by_row),
            columns: entropy(&by_column),
            joint: entropy(&cells),
            n,
            occupied: (occupied(&by_row), occupied(&by_column), occupied(&cells)),
        }
    }

    /// How often each row and each column occurs.
    pub fn margins(&self) -> (Vec<u64>, Vec<u64>) {
        let mut by_row = vec![0; self.rows];
        let mut by_column = vec![0; self.columns];
        for (i, row) in self.counts.chunks_exact(self.columns.max(1)).enumerate() {
            for (j, &c) in row.iter().enumerate() {
                by_row[i] += u64::from(c);
                by_column[j] += u64::from(c);
            }
        }
        (by_row, by_column)
    }

    /// What Panzeri and Treves' correction takes off the information, `[Σ_s(R_s − 1) − (R − 1)]/(2 N ln 2)`, rows being
    /// stimuli s and columns responses. The numbers of relevant bins R come from their Bayes-like count, or
    /// (`naive`) are the bins that occurred. (Panzeri and Treves 1996, doi:10.1080/0954898X.1996.11978656)
    pub fn panzeri_treves_bias(&self, naive: bool) -> f64 {
        let (by_row, by_column) = self.margins();
        let n: u64 = by_row.iter().sum();
        let possible = by_column.iter().filter(|&&c| c > 0).count();
        let relevant = |counts: &[u64]| {
            if naive { counts.iter().filter(|&&c| c > 0).count() as f64 } else { bayes_count(counts, possible) }
        };
        let mut sum = 0.0;
        for (row, &total) in self.counts.chunks_exact(self.columns.max(1)).zip(&by_row) {
            if total > 0 {
                let row: Vec<u64> = row.iter().map(|&c| u64::from(c)).collect();
                sum += relevant(&row) - 1.0;
            }
        }
        (sum - (relevant(&by_column) - 1.0)) / (2.0 * n as f64 * LN_2)
    }
}

/// Plug-in entropy of counts, in bits.
pub fn entropy(counts: &[u64]) -> f64 {
    let n: u64 = counts.iter().sum();
    if n == 0 {
        return 0.0;
    }
    let n = n as f64;
    // log2 n - (1/n) Σ c log2 c: one division less a term, and exact for uniform counts of powers of two.
    let sum: f64 = counts.iter().filter(|&&c| c > 1).map(|&c| c as f64 * (c as f64).log2()).sum();
    (n.log2() - sum / n).max(0.0)
}

/// How many of `possible` bins are relevant, so that the expected number of occupied ones after this many draws is the
/// number that was seen (Panzeri and Treves 1996, appendix; as in their published routine).
pub(crate) fn bayes_count(counts: &[u64], possible: usize) -> f64 {
    let n: u64 = counts.iter().sum();
    let n = n as f64;
    let seen: Vec<f64> = counts.iter().filter(|&&c| c > 0).map(|&c| c as f64).collect();
    let occupied = seen.len() as f64;
    if seen.len() >= possible {
        return occupied;
    }
    let expected = occupied - seen.iter().map(|c| (1.0 - c / n).powf(n)).sum::<f64>();
    let mut previous = possible as f64;
    let mut distance = (occupied - expected).abs();
    let mut extra = 0.0;
    while distance < previous && occupied + extra < possible as f64 {
        extra += 1.0;
        let unseen = extra * (1.0 - (n / (n + occupied)).powf(1.0 / n));
        let of_seen: f64 = seen.iter().map(|c| 1.0 - (1.0 - (1.0 - unseen) / (n + occupied) * (c + 1.0)).powf(n)).sum();
        let expected = of_seen + extra * (1.0 - (1.0 - unseen / extra).powf(n));
        previous = distance;
        distance = (occupied - expected).abs();
    }
    let estimate = occupied + extra - 1.0;
    if distance < previous { estimate + 1.0 } else { estimate }
}

/// Quadratic extrapolation to endless data from the plug-in values with all, half and a quarter of the data:
/// the I∞ of I(N) = I∞ + a/N + b/N² (Strong et al. 1998, doi:10.1103/PhysRevLett.80.197).
pub fn quadratic_extrapolation(all: f64, half: f64, quarter: f64) -> f64 {
    (8.0 * all - 6.0 * half + quarter) / 3.0
}

/// Bins of equal width over the range of the values; symbols `0..bins`. Constant values are all 0.
pub fn equal_width(values: &[f64], bins: usize) -> Vec<u32> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = if high > low { bins as f64 / (high - low) } else { 0.0 };
    values.iter().map(|v| (((v - low) * scale) as u32).min(bins as u32 - 1)).collect()
}

/// Bins that hold as equal shares of the values as ties allow; equal values share a bin. Symbols `0..`, and how many
/// there are: `bins`, or as many as there are distinct values if these are fewer.
///
/// Where one value fills several bins, the bins that it leaves over divide what is left: values are never put together
/// because others are common.
pub fn quantile_bins(values: &[f64], bins: usize) -> (Vec<u32>, usize) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let least = sorted.first().copied();
    let mut edges: Vec<f64> = (1..bins).filter_map(|b| sorted.get(b * n / bins).copied()).collect();
    edges.dedup();
    edges.retain(|e| Some(*e) != least);
    while edges.len() + 1 < bins
        && let Some(edge) = split(&sorted, &edges)
    {
        edges.insert(edges.partition_point(|e| *e < edge), edge);
    }
    (values.iter().map(|v| edges.partition_point(|e| e <= v) as u32).collect(), edges.len() + 1)
}

/// An edge that divides the fullest bin with more than one value in it as evenly as its ties allow.
fn split(sorted: &[f64], edges: &[f64]) -> Option<f64> {
    let mut cuts: Vec<usize> = edges.iter().map(|e| sorted.partition_point(|v| v < e)).collect();
    cuts.insert(0, 0);
    cuts.push(sorted.len());
    let (from, to) = cuts
        .windows(2)
        .map(|w| (w[0], w[1]))
        .filter(|&(from, to)| from < to && sorted[from] < sorted[to - 1])
        .max_by_key(|&(from, to)| (to - from, sorted.len() - from))?;
    let middle = usize::midpoint(from, to);
    let before = sorted.partition_point(|v| *v < sorted[middle]);
    let after = sorted.partition_point(|v| *v <= sorted[middle]);
    let cut = [before, after].into_iter().filter(|c| *c > from && *c < to).min_by_key(|c| c.abs_diff(middle))?;
    Some(sorted[cut])
}

/// Whole numbers as symbols `0..n`, in the order of their values; the number of symbols stands beside them.
pub fn whole_numbers(values: &[f64]) -> (Vec<u32>, usize) {
    let mut distinct: Vec<i64> = values.iter().map(|v| v.round() as i64).collect();
    distinct.sort_unstable();
    distinct.dedup();
    (values.iter().map(|v| distinct.partition_point(|&d| d < v.round() as i64) as u32).collect(), distinct.len())
}

/// A word of several symbols as one symbol, renumbered without gaps: `columns[c][i]`, each below `alphabet`. The number
/// of words that occurred stands beside them. O(n log n), whatever the alphabet.
pub fn words(columns: &[Vec<u32>], alphabet: usize) -> (Vec<u32>, usize) {
    let Some(first) = columns.first() else { return (Vec::new(), 0) };
    let mut codes: Vec<u32> = first.clone();
    let mut distinct = alphabet;
    for column in &columns[1..] {
        let pairs: Vec<u64> =
            codes.iter().zip(column).map(|(&c, &s)| u64::from(c) * alphabet as u64 + u64::from(s)).collect();
        let mut sorted = pairs.clone();
        sorted.sort_unstable();
        sorted.dedup();
        codes = pairs.iter().map(|p| sorted.partition_point(|q| q < p) as u32).collect();
        distinct = sorted.len();
    }
    (codes, distinct)
}

/// What [`conditional`] finds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditional {
    /// Conditional mutual information in bits.
    pub bits: f64,
    /// How many (a, b, c), (a, c), (b, c) and c words occurred.
    pub occupied: [usize; 4],
    /// What it cannot exceed: the lesser of the entropies of `a` and of `b`, given `c`.
    pub most: f64,
}

/// Conditional mutual information I(a; b | c) of symbols. With `a` the target now, `b` the source's past and `c` the
/// target's past it is transfer entropy.
pub fn conditional(a: (&[u32], usize), b: (&[u32], usize), c: (&[u32], usize)) -> Conditional {
    let code = |parts: &[(&[u32], usize)]| -> Vec<u64> {
        (0..a.0.len())
            .map(|i| parts.iter().fold(0u64, |code, (s, size)| code * *size as u64 + u64::from(s[i])))
            .collect()
    };
    let size = |parts: &[(&[u32], usize)]| parts.iter().map(|p| p.1 as u128).product::<u128>();
    let count = |parts: &[(&[u32], usize)]| tally(code(parts), size(parts));
    let (abc, ac, bc, only) = (count(&[a, b, c]), count(&[a, c]), count(&[b, c]), count(&[c]));
    let [of_ac, of_bc, of_c] = [&ac, &bc, &only].map(|counts| entropy(counts));
    Conditional {
        bits: (of_ac + of_bc - entropy(&abc) - of_c).max(0.0),
        occupied: [abc.len(), ac.len(), bc.len(), only.len()],
        most: (of_ac.min(of_bc) - of_c).max(0.0),
    }
}

/// How often each code occurs, zeros left out: by a dense table where that is small, else by sorting.
fn tally(mut codes: Vec<u64>, size: u128) -> Vec<u64> {
    if size <= (4 * codes.len() as u128).max(1 << 16) {
        let mut counts = vec![0u64; size as usize];
        for &c in &codes {
            counts[c as usize] += 1;
        }
        counts.retain(|&c| c > 0);
        return counts;
    }
    codes.sort_unstable();
    codes.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect()
}

/// Miller-Madow bias in bits of [`conditional`], from the words that occurred and the number of samples.
pub fn conditional_bias(occupied: [usize; 4], n: usize) -> f64 {
    let [abc, ac, bc, c] = occupied.map(|v| v as f64);
    (abc - ac - bc + c) / (2.0 * n as f64 * LN_2)
}

/// Covariance matrix (row-major, divided by n) of columns of equal length.
pub fn covariance(columns: &[&[f64]]) -> Vec<f64> {
    let m = columns.len();
    let n = columns.first().map_or(0, |c| c.len()) as f64;
    let means: Vec<f64> = columns.iter().map(|c| c.iter().sum::<f64>() / n).collect();
    let mut matrix = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..=i {
            let sum: f64 = columns[i].iter().zip(columns[j]).map(|(a, b)| (a - means[i]) * (b - means[j])).sum();
            matrix[i * m + j] = sum / n;
            matrix[j * m + i] = sum / n;
        }
    }
    matrix
}

/// Information in bits that columns `b` carry about column `a` given columns `c`, if all are jointly Gaussian:
/// `½ log2(Var(a|c)/Var(a|b,c))`. `None` where the predictors are collinear or `a` is constant.
pub fn gaussian(a: &[f64], b: &[&[f64]], c: &[&[f64]]) -> Option<f64> {
    let with = |predictors: &[&[f64]]| {
        let mut columns = predictors.to_vec();
        columns.push(a);
        residual_variance(&covariance(&columns), columns.len())
    };
    let all: Vec<&[f64]> = c.iter().chain(b).copied().collect();
    Some(0.5 * (with(c)? / with(&all)?).log2())
}

#[cfg(test)]
#[path = "information_tests.rs"]
mod tests;
