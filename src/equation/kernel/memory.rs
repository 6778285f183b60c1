//! Where the values of a kernel live.

use super::CHUNK;
use super::few::REACH;
use spikedeck_core::aligned::Aligned;

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
    scratch: usize,
    /// Numbers that programs for few lanes read, a copy for each lane, behind the registers.
    pub(super) numbers: Vec<f64>,
}

/// Below so many lanes a column is not padded to whole chunks.
const FEW: usize = 4;

impl Memory {
    /// Memory for `columns` and `scratch` registers; blocks are chosen so that what a step touches stays in L1.
    pub fn new(lanes: usize, columns: usize, scratch: usize) -> Self {
        let padded = if lanes < FEW { lanes } else { lanes.div_ceil(CHUNK) * CHUNK };
        let touched = (columns + scratch).max(1);
        let block = (24_576 / 8 / touched / CHUNK * CHUNK).clamp(2 * CHUNK, 512).min(padded.max(1));
        let needed = columns * padded + scratch * block;
        let len = if lanes < FEW { needed.max(REACH + FEW) } else { needed };
        Self { data: Aligned::zeros(len), padded, block, lanes, columns, scratch, numbers: Vec::new() }
    }

    /// How many columns and registers there are.
    #[inline]
    pub fn shape(&self) -> (usize, usize) {
        (self.columns, self.scratch)
    }

    /// Memory for the lanes of one block.
    #[must_use]
    pub fn block_alike(&self) -> Self {
        if self.is_small() { self.clone() } else { Self::new(self.block.min(self.padded), self.columns, self.scratch) }
    }

    /// Whether the lanes are so few that programs name their places by a byte.
    #[inline]
    pub(super) fn is_small(&self) -> bool {
        (1..FEW).contains(&self.lanes)
    }

    /// Where a number stands; it is put there if it is new and there is room.
    pub(super) fn number(&mut self, value: f64) -> Option<usize> {
        let known = self.numbers.iter().position(|v| v.to_bits() == value.to_bits());
        let index = known.unwrap_or(self.numbers.len());
        let at = self.columns * self.padded + self.scratch * self.block + index * self.padded;
        if known.is_none() {
            self.data.get_mut(at..at + self.padded)?.fill(value);
            self.numbers.push(value);
        }
        Some(at)
    }

    /// A column.
    #[inline]
    pub fn column(&self, c: usize) -> &[f64] {
        &self.data[c * self.padded..c * self.padded + self.lanes]
    }

    /// A column, to be changed.
    #[inline]
    pub fn column_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.padded..c * self.padded + self.lanes]
    }

    /// A column with its padding.
    #[inline]
    pub fn padded_mut(&mut self, c: usize) -> &mut [f64] {
        &mut self.data[c * self.padded..(c + 1) * self.padded]
    }

    /// A scratch register.
    #[inline]
    pub fn scratch_mut(&mut self, r: usize) -> &mut [f64] {
        let base = self.columns * self.padded + r * self.block;
        &mut self.data[base..base + self.block]
    }

    /// A scratch register.
    #[inline]
    pub fn scratch(&self, r: usize) -> &[f64] {
        let base = self.columns * self.padded + r * self.block;
        &self.data[base..base + self.block]
    }

    /// Where a scratch register starts in `data`.
    #[inline]
    pub fn scratch_base(&self, r: usize) -> usize {
        self.columns * self.padded + r * self.block
    }

    /// Lanes to run for the first `n` of a block: whole chunks, except where there are only few.
    #[inline]
    pub fn whole(&self, n: usize) -> usize {
        if self.padded < FEW { n } else { n.next_multiple_of(CHUNK).min(self.block) }
    }

    /// Starts and lengths of the blocks.
    #[inline]
    pub fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (padded, block) = (self.padded, self.block.max(1));
        (0..padded.div_ceil(block)).map(move |b| (b * block, block.min(padded - b * block)))
    }
}
