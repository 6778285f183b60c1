//! Where the values of a kernel live.

use super::CHUNK;
use crate::core::aligned::Aligned;

/// Columns and scratch registers of a population part.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// All values.
    pub data: Aligned,
    /// Lanes of a column, padded to whole chunks.
    pub padded: usize,
    /// Lanes of a block.
    pub block: usize,
    /// Lanes in use.
    pub lanes: usize,
    pub(super) columns: usize,
}

impl Memory {
    /// Memory for `columns` and `scratch` registers; blocks are chosen so that what a step touches stays in L1.
    pub fn new(lanes: usize, columns: usize, scratch: usize) -> Self {
        let padded = if lanes < 4 { lanes } else { lanes.div_ceil(CHUNK) * CHUNK };
        let touched = (columns + scratch).max(1);
        let block = (24_576 / 8 / touched / CHUNK * CHUNK).clamp(2 * CHUNK, 512).min(padded.max(1));
        Self { data: Aligned::zeros(columns * padded + scratch * block), padded, block, lanes, columns }
    }

    /// A column.
    pub fn column(&self, c: usize) -> &[f64] {
        &self.data[c * self.padded..c * self.padded + self.lanes]
    }

    /// A column, to be changed.
    pub fn column_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.padded..c * self.padded + self.lanes]
    }

    /// A column with its padding.
    pub fn padded_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.padded..(c + 1) * self.padded]
    }

    /// A scratch register.
    pub fn scratch_mut(&mut self, r: usize) -> &mut [f64] {
        let base = self.columns * self.padded + r * self.block;
        &mut self.data[base..base + self.block]
    }

    /// A scratch register.
    pub fn scratch(&self, r: usize) -> &[f64] {
        let base = self.columns * self.padded + r * self.block;
        &self.data[base..base + self.block]
    }

    /// Where a scratch register starts in `data`.
    pub fn scratch_base(&self, r: usize) -> usize {
        self.columns * self.padded + r * self.block
    }

    /// Starts and lengths of the blocks.
    pub fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (padded, block) = (self.padded, self.block.max(1));
        (0..padded.div_ceil(block)).map(move |b| (b * block, block.min(padded - b * block)))
    }
}
