//! Numbers that start on a cache line: a vector load or store that crosses two lines costs about twice as much.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// A slice of numbers whose first stands at the beginning of a cache line (where the allocator's address can be known).
#[derive(Debug, Default)]
pub struct Aligned {
    values: Vec<f64>,
    first: usize,
    len: usize,
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let spare = LINE / size_of::<f64>();
        let values = vec![0.0; len + spare];
        // The answer may be "cannot be known" (usize::MAX); then nothing is won, and nothing is lost.
        let first = values.as_ptr().align_offset(LINE);
        Self { values, first: if first <= spare { first } else { 0 }, len }
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Aligned {
    type Target = [f64];

    #[inline]
    fn deref(&self) -> &[f64] {
        &self.values[self.first..self.first + self.len]
    }
}

impl DerefMut for Aligned {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.values[self.first..self.first + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_on_a_line_and_copies_do_too() {
        for len in [0, 1, 7, 100, 4096] {
            let mut a = Aligned::zeros(len);
            assert_eq!(a.len(), len);
            assert_eq!(a.as_ptr().addr() % LINE, 0);
            if let Some(last) = a.last_mut() {
                *last = 3.0;
            }
            let b = a.clone();
            assert_eq!(&*a, &*b);
            assert_eq!(b.as_ptr().addr() % LINE, 0);
        }
    }
}
