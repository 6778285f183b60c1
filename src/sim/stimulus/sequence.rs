//! Normal numbers from a sequential stream, handed out as a table of draws by units.

use spikedeck_core::pcg64::Pcg64;

/// Row after row of a stream: one number a targeted unit and draw, whichever thread the unit lives on.
#[derive(Debug)]
pub(super) struct Sequence {
    stream: Pcg64,
    /// Numbers of a row.
    units: usize,
    /// Places in the row of the units of this thread.
    mine: Vec<usize>,
    /// Rows drawn so far.
    drawn: u64,
    row: Vec<f64>,
}

impl Sequence {
    /// The stream of `seed` for a row of `units` numbers.
    pub fn new(seed: u64, units: usize, mine: Vec<usize>) -> Self {
        Self { stream: Pcg64::new(seed), units, mine, drawn: 0, row: Vec::new() }
    }

    /// The numbers of row `row` for the units of this thread; rows before it are drawn and dropped, none comes twice.
    pub fn draw(&mut self, row: u64) -> impl Iterator<Item = f64> + '_ {
        while self.drawn <= row {
            self.row.clear();
            let Self { stream, row, units, .. } = self;
            row.extend((0..*units).map(|_| stream.normal()));
            self.drawn += 1;
        }
        self.mine.iter().map(|&m| self.row[m])
    }
}
