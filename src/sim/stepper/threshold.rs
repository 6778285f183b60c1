//! Block loops beside the register program: which lanes cross, and what arrives.

use spikedeck_core::vector::vectorised;
use spikedeck_equation::graph::{Binary, Graph, Id};
use spikedeck_equation::kernel::{CHUNK, Kernel, Location, Memory};
use spikedeck_equation::program::{Builder, Target};

/// A compiled threshold condition.
#[derive(Debug, Clone)]
pub struct Threshold {
    /// Computes what is compared, where that is more than states and parameters.
    pub kernel: Kernel,
    /// How `left` and `right` are compared; any other condition is compared with zero.
    pub compare: Binary,
    /// Left side.
    pub left: Location,
    /// Right side.
    pub right: Location,
}

impl Threshold {
    /// Compiles the two sides of a comparison.
    pub fn new(builder: &mut Builder<'_>, graph: &Graph, compare: Binary, (left, right): (Id, Id)) -> Self {
        let (kernel, places) = builder.kernel(graph, &[left, right], &[Target::Anywhere; 2]);
        Self { kernel, compare, left: places[0], right: places[1] }
    }

    /// Appends the lanes of a block in which the condition holds, and those in which it has no value.
    pub fn scan(&self, memory: &mut Memory, start: usize, count: usize, out: &mut Vec<u32>) {
        if !self.kernel.is_empty() {
            self.kernel.run(memory, start, count);
        }
        let sides = (address(memory, self.left, start), address(memory, self.right, start));
        crossing(&memory.data, sides, self.compare, start, count, out);
    }

    /// Whether a side has no value in a lane of the block from `start` that was scanned last.
    pub fn has_no_value(&self, memory: &Memory, start: usize, lane: usize) -> bool {
        let is_none = |side: Location| match address(memory, side, start) {
            Ok(at) => memory.data[at + lane - start].is_nan(),
            Err(number) => number.is_nan(),
        };
        is_none(self.left) || is_none(self.right)
    }
}

/// Where the values of a block from `start` are, or the number that all of them are.
fn address(memory: &Memory, place: Location, start: usize) -> Result<usize, f64> {
    match place {
        Location::Column(c) => Ok(c as usize * memory.padded + start),
        Location::Scratch(r) => Ok(memory.scratch_base(r as usize)),
        Location::Number(v) => Err(v),
    }
}

/// Whether one of two values is none: a comparison with it does not hold, and says nothing.
#[inline(always)]
fn unordered(a: f64, b: f64) -> bool {
    a.is_nan() | b.is_nan()
}

vectorised! {
    fn crossing(
        data: &[f64],
        sides: (Result<usize, f64>, Result<usize, f64>),
        compare: Binary,
        start: usize,
        count: usize,
        out: &mut Vec<u32>,
    ) {
        match compare {
            Binary::Greater => find(data, sides, start, count, out, |a, b| (a > b) | unordered(a, b)),
            Binary::GreaterEqual => find(data, sides, start, count, out, |a, b| (a >= b) | unordered(a, b)),
            Binary::Less => find(data, sides, start, count, out, |a, b| (a < b) | unordered(a, b)),
            Binary::LessEqual => find(data, sides, start, count, out, |a, b| (a <= b) | unordered(a, b)),
            Binary::Equal => find(data, sides, start, count, out, |a, b| (a == b) | unordered(a, b)),
            _ => find(data, sides, start, count, out, |a, b| (a != b) | unordered(a, b)),
        }
    }
}

#[inline(always)]
fn find(
    data: &[f64],
    (left, right): (Result<usize, f64>, Result<usize, f64>),
    start: usize,
    count: usize,
    out: &mut Vec<u32>,
    holds: impl Fn(f64, f64) -> bool,
) {
    match (left, right) {
        (Ok(a), Ok(b)) => {
            let (a, rest_a) = data[a..a + count].as_chunks::<CHUNK>();
            let (b, rest_b) = data[b..b + count].as_chunks::<CHUNK>();
            for (k, (a, b)) in a.iter().zip(b).enumerate() {
                note(start + k * CHUNK, out, |i| holds(a[i], b[i]));
            }
            note_rest(start + a.len() * CHUNK, out, rest_a.iter().zip(rest_b).map(|(a, b)| holds(*a, *b)));
        }
        (Ok(a), Err(b)) => {
            let (a, rest) = data[a..a + count].as_chunks::<CHUNK>();
            for (k, a) in a.iter().enumerate() {
                note(start + k * CHUNK, out, |i| holds(a[i], b));
            }
            note_rest(start + a.len() * CHUNK, out, rest.iter().map(|a| holds(*a, b)));
        }
        (Err(a), Ok(b)) => {
            let (b, rest) = data[b..b + count].as_chunks::<CHUNK>();
            for (k, b) in b.iter().enumerate() {
                note(start + k * CHUNK, out, |i| holds(a, b[i]));
            }
            note_rest(start + b.len() * CHUNK, out, rest.iter().map(|b| holds(a, *b)));
        }
        (Err(a), Err(b)) => {
            if holds(a, b) {
                out.extend(start as u32..(start + count) as u32);
            }
        }
    }
}

/// Appends the lanes of a chunk that hold; hardly ever does one.
#[inline(always)]
fn note(first: usize, out: &mut Vec<u32>, holds: impl Fn(usize) -> bool) {
    let mut any = false;
    for i in 0..CHUNK {
        any |= holds(i);
    }
    if any {
        out.extend((0..CHUNK).filter(|&i| holds(i)).map(|i| (first + i) as u32));
    }
}

/// The same for a population of a few lanes.
#[inline(always)]
fn note_rest(first: usize, out: &mut Vec<u32>, holds: impl Iterator<Item = bool>) {
    out.extend(holds.enumerate().filter(|h| h.1).map(|h| (first + h.0) as u32));
}

vectorised! {
    /// `to += gain * from`, and `from = 0` if `last`.
    pub fn add_scaled(to: &mut [f64], from: &mut [f64], gain: f64, last: bool) {
        if last {
            for (t, f) in to.iter_mut().zip(from.iter_mut()) {
                *t = gain.mul_add(*f, *t);
                *f = 0.0;
            }
        } else {
            for (t, f) in to.iter_mut().zip(from.iter()) {
                *t = gain.mul_add(*f, *t);
            }
        }
    }
}

vectorised! {
    /// `data[to..] += data[gain..] * from`.
    pub fn add_products(data: &mut [f64], to: usize, gain: usize, from: &[f64]) {
        let mut k = 0;
        while k < from.len() {
            let width = CHUNK.min(from.len() - k);
            for i in k..k + width {
                data[to + i] = data[gain + i].mul_add(from[i], data[to + i]);
            }
            k += width;
        }
    }
}
