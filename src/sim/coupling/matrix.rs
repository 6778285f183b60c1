//! Sums over the connections of each lane as products with a matrix: one row a lane, one column a place among the
//! values of the sources.
//!
//! Every sum is formed in the order in which the connections of its lane were given, product by product, each rounded
//! (no fused multiply-adds): the bits are those of a plain loop over a list of connections, whether the matrix is
//! stored whole or only what is connected, however lanes are shared out among threads, and on every machine. Vectors
//! run across lanes.

use spikedeck_core::aligned::Aligned;
use spikedeck_core::vector::vectorised;

/// Lanes whose sums grow together in a whole matrix: enough chains of additions to hide their latency.
const PANEL: usize = 32;

/// Lanes whose sums grow together where only what is connected is stored.
const SLICE: usize = 8;

/// A matrix of coefficients.
#[derive(Debug)]
pub(super) enum Matrix {
    /// All coefficients, with 0 where nothing is connected: panels of lanes, in each source by source.
    Whole { columns: usize, panels: Aligned },
    /// What is connected: slices of lanes with about as many connections each, in each the first connections of all
    /// lanes, the second, and so on. Lanes without one have a coefficient of 0 for the place that holds 0.
    Connected { order: Vec<u32>, starts: Vec<usize>, places: Vec<[u32; SLICE]>, coefficients: Vec<[f64; SLICE]> },
}

/// What a matrix is made of: for each connection its lane, its place among the values and its coefficient, sorted by
/// lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries<'a> {
    /// Number of lanes.
    pub lanes: usize,
    /// Lane of each connection.
    pub lane: &'a [u32],
    /// Place of each connection.
    pub place: &'a [u32],
    /// Coefficient of each connection.
    pub coefficient: &'a [f64],
}

impl Entries<'_> {
    /// Where the connections of each lane begin, and where the last ones end.
    fn starts(&self) -> Vec<usize> {
        let mut starts = vec![0; self.lanes + 1];
        self.lane.iter().for_each(|&l| starts[l as usize + 1] += 1);
        for lane in 0..self.lanes {
            starts[lane + 1] += starts[lane];
        }
        starts
    }

    /// Whether a lane has no place twice, and all places in ascending order.
    fn ascends(&self) -> bool {
        let mut pairs = self.lane.iter().zip(self.place);
        let Some(mut before) = pairs.next() else { return true };
        pairs.all(|next| {
            let ascends = before < next;
            before = next;
            ascends
        })
    }
}

impl Matrix {
    /// The matrix of `entries`; `columns` is the number of places if these are few enough to store all, and at `zero`
    /// stands a value that is always 0.
    pub fn new(entries: Entries<'_>, columns: Option<usize>, zero: u32) -> Self {
        let count = entries.lane.len();
        match columns {
            // Half of a whole matrix takes no more memory than the places of what is connected.
            Some(columns) if 2 * count >= entries.lanes.next_multiple_of(PANEL) * columns && entries.ascends() => {
                Self::whole(entries, columns)
            }
            _ => Self::connected(entries, zero),
        }
    }

    fn whole(entries: Entries<'_>, columns: usize) -> Self {
        let mut panels = Aligned::zeros(entries.lanes.next_multiple_of(PANEL) * columns);
        for ((&lane, &place), &coefficient) in entries.lane.iter().zip(entries.place).zip(entries.coefficient) {
            let (panel, lane) = (lane as usize / PANEL, lane as usize % PANEL);
            panels[(panel * columns + place as usize) * PANEL + lane] = coefficient;
        }
        Self::Whole { columns, panels }
    }

    fn connected(entries: Entries<'_>, zero: u32) -> Self {
        let from = entries.starts();
        let count = |lane: u32| from[lane as usize + 1] - from[lane as usize];
        let mut order: Vec<u32> = (0..entries.lanes as u32).collect();
        order.sort_by_key(|&lane| std::cmp::Reverse(count(lane)));
        let lengths = order.chunks(SLICE).map(|slice| count(slice[0]));
        let starts: Vec<usize> = std::iter::once(0)
            .chain(lengths.scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            }))
            .collect();
        let total = starts.last().copied().unwrap_or(0);
        let (mut places, mut coefficients) = (vec![[zero; SLICE]; total], vec![[0.0; SLICE]; total]);
        for (slice, &start) in order.chunks(SLICE).zip(&starts) {
            for (i, &lane) in slice.iter().enumerate() {
                let first = from[lane as usize];
                for k in 0..count(lane) {
                    places[start + k][i] = entries.place[first + k];
                    coefficients[start + k][i] = entries.coefficient[first + k];
                }
            }
        }
        Self::Connected { order, starts, places, coefficients }
    }

    /// Adds to each entry of `row` the sum of its lane over `values`, which has as many entries as there are places.
    pub fn add(&self, values: &[f64], row: &mut [f64]) {
        match self {
            Self::Whole { columns, panels } => whole(panels, &values[..*columns], row),
            Self::Connected { order, starts, places, coefficients } => {
                for (slice, ends) in order.chunks(SLICE).zip(starts.windows(2)) {
                    let mut sums = [0.0; SLICE];
                    for (sum, &lane) in sums.iter_mut().zip(slice) {
                        *sum = row[lane as usize];
                    }
                    let links = ends[0]..ends[1];
                    connected(&places[links.clone()], &coefficients[links], values, &mut sums);
                    for (sum, &lane) in sums.iter().zip(slice) {
                        row[lane as usize] = *sum;
                    }
                }
            }
        }
    }
}

vectorised! {
    /// Sums of a whole matrix.
    fn whole(panels: &[f64], values: &[f64], row: &mut [f64]) {
        let (columns, _) = panels.as_chunks::<PANEL>();
        for (row, panel) in row.chunks_mut(PANEL).zip(columns.chunks_exact(values.len())) {
            let mut sums = [0.0; PANEL];
            sums[..row.len()].copy_from_slice(row);
            // Nothing is changed by a product that is 0, of whichever sign, once no sum is -0.
            for sum in &mut sums {
                *sum += 0.0;
            }
            for (column, &value) in panel.iter().zip(values) {
                for (sum, coefficient) in sums.iter_mut().zip(column) {
                    *sum += coefficient * value;
                }
            }
            row.copy_from_slice(&sums[..row.len()]);
        }
    }
}

vectorised! {
    up to avx2:
    /// Sums of one slice.
    fn connected(places: &[[u32; SLICE]], coefficients: &[[f64; SLICE]], values: &[f64], sums: &mut [f64; SLICE]) {
        let mut own = sums.map(|sum| sum + 0.0);
        for (places, coefficients) in places.iter().zip(coefficients) {
            for ((sum, &place), coefficient) in own.iter_mut().zip(places).zip(coefficients) {
                *sum += coefficient * values[place as usize];
            }
        }
        *sums = own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::rng::Key;

    /// Whatever is stored, sums have the bits of a loop over the connections: few and many, lanes with none, and lanes
    /// that have one source twice.
    #[test]
    fn sums_have_the_bits_of_a_plain_loop() {
        for (case, (lanes, columns, p)) in
            [(1, 1, 1.0), (33, 17, 1.0), (64, 40, 0.7), (9, 5, 0.0), (70, 50, 0.1), (31, 8, 0.9)]
                .into_iter()
                .enumerate()
        {
            for twice in [false, true] {
                let mut stream = Key::new(5, "matrix", "test").stream(case as u32, u64::from(twice));
                let (mut lane, mut place, mut coefficient) = (Vec::new(), Vec::new(), Vec::new());
                for l in 0..lanes {
                    for c in 0..columns {
                        let times = usize::from(stream.uniform() < p) * if twice && c % 3 == 0 { 2 } else { 1 };
                        for _ in 0..times {
                            lane.push(l as u32);
                            place.push(c as u32);
                            coefficient.push(stream.uniform() - 0.5);
                        }
                    }
                }
                let entries = Entries { lanes, lane: &lane, place: &place, coefficient: &coefficient };
                // The last place holds 0.
                let mut values: Vec<f64> = (0..columns).map(|_| 4.0 * stream.uniform() - 2.0).collect();
                values.push(0.0);
                let start: Vec<f64> = (0..lanes).map(|_| stream.uniform()).collect();
                let mut expected = start.clone();
                for ((&l, &c), w) in lane.iter().zip(&place).zip(&coefficient) {
                    expected[l as usize] += w * values[c as usize];
                }
                for columns in [Some(columns), None] {
                    let mut row = start.clone();
                    Matrix::new(entries, columns, values.len() as u32 - 1).add(&values, &mut row);
                    assert_eq!(row, expected, "{lanes} {columns:?} {p} {twice}");
                }
            }
        }
    }

    #[test]
    fn a_dense_matrix_is_stored_whole_and_a_sparse_one_is_not() {
        let whole = |p: usize, twice: bool| {
            let links = (0..64_u32)
                .flat_map(|l| (0..10_u32).map(move |c| (l, c)))
                .filter(|(l, c)| (l * 10 + c) as usize % 10 < p);
            let (lane, mut place): (Vec<u32>, Vec<u32>) = links.unzip();
            if twice {
                place[1] = place[0];
            }
            let coefficient = vec![1.0; lane.len()];
            let entries = Entries { lanes: 64, lane: &lane, place: &place, coefficient: &coefficient };
            matches!(Matrix::new(entries, Some(10), 10), Matrix::Whole { .. })
        };
        assert!(whole(10, false) && whole(5, false) && !whole(4, false) && !whole(10, true));
    }
}
