//! A register program for a few lanes: one neuron or one column pays neither for sixteen lanes nor for finding its
//! operands.
//!
//! Columns, registers and numbers of such a population fit in 256 places, so an operand is one byte, which no slice has
//! to check, and a program is a list of small operations. What an operation computes, and so its bits, is what the wide
//! program computes.

mod make;

use self::make::Maker;
use super::run::logistic;
use super::{Instruction, Memory};
use crate::graph::{Binary, Unary, fused};
use spikedeck_core::math;
use spikedeck_core::vector::vectorised;

/// Places that a byte can name.
pub(super) const REACH: usize = 256;

/// Functions of one kind that are computed together.
const TOGETHER: usize = 4;

/// What an operation does; its operands are `x0`, `x1`, ..., and the last place is where the result goes. One byte and
/// no fields: choosing it is one jump.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Code {
    Copy,
    Add,
    Sub,
    Mul,
    Div,
    /// `x1 x2 + x0`.
    Terms1,
    /// `x3 x4 + (x1 x2 + x0)`, and so on.
    Terms2,
    Terms3,
    Terms4,
    /// `x0 - x1 x2`.
    MinusProduct,
    /// `x1 x2 - x0`.
    MinusTerm,
    /// `-x1 x2 - x0`.
    MinusBoth,
    /// `x1` where `x0` holds, else `x2`.
    Where,
    Exp,
    /// `x1 / (1 + exp(x0))`.
    Logistic,
    /// Up to four of these: all their first operands, all second ones, all third ones, and all results.
    Copies,
    Terms1s,
    Exps,
    Logistics,
    /// A function of one operand: its index among those of the program comes second.
    Unary,
    /// A function of two: its index comes third.
    Binary,
}

/// One operation; operands are places of the first lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
struct Operation {
    code: Code,
    x: [u8; PLACES],
}

/// Places that an operation names.
const PLACES: usize = 4 * TOGETHER;

/// The program, and the memory that it was made for.
#[derive(Debug, Clone)]
pub struct Few {
    operations: Vec<Operation>,
    unary: Vec<Unary>,
    binary: Vec<Binary>,
    shape: [usize; 4],
}

/// What has to be the same in two memories for a program to fit both.
fn shape(memory: &Memory) -> [usize; 4] {
    [memory.padded, memory.columns, memory.block, memory.numbers.len()]
}

/// What a register holds in each of many runs: one number a lane, run by run.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    /// The register.
    pub scratch: usize,
    /// The numbers.
    pub rows: Vec<f64>,
}

/// What columns hold before some of many runs.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Which runs, in ascending order.
    pub before: Vec<usize>,
    /// The numbers: column by column, run by run, one a lane.
    pub values: Vec<f64>,
}

impl Few {
    /// The program for a memory, whose numbers it puts there; `None` if the lanes are many or the places do not
    /// suffice.
    pub(super) fn new(program: &[Instruction], memory: &mut Memory) -> Option<Self> {
        if !memory.is_small() {
            return None;
        }
        // Where there is room, results get places of their own, so that more of them can be computed side by side.
        let numbers = memory.numbers.len();
        let made = Maker::make(program, memory, true).or_else(|| {
            memory.numbers.truncate(numbers);
            Maker::make(program, memory, false)
        });
        let (operations, unary, binary) = made?;
        Some(Self { operations, unary, binary, shape: shape(memory) })
    }

    /// Whether it was made for this memory, or one like it, and nothing was added to that since.
    #[inline]
    pub(super) fn fits(&self, memory: &Memory) -> bool {
        self.shape[..3] == shape(memory)[..3] && self.shape[3] <= memory.numbers.len()
    }

    /// Runs on the first `lanes` lanes.
    #[inline]
    pub fn run(&self, memory: &mut Memory, lanes: usize) {
        for lane in 0..lanes {
            once(self, of_lane(memory, lane));
        }
    }

    /// Makes `runs` runs on all lanes, with what the feeds hold for each, and keeps the first `states` columns as they
    /// are before those runs that `seen` names. After every `every` runs these columns are looked at: a lane in which
    /// one of them is not finite stops. The first run and lane that stopped.
    pub fn run_many(
        &self,
        memory: &mut Memory,
        feeds: &[Feed],
        seen: &mut Seen,
        [runs, every, states]: [usize; 3],
    ) -> Option<(usize, usize)> {
        let lanes = memory.lanes;
        seen.values.resize(seen.before.len() * states * lanes, 0.0);
        let mut first: Option<(usize, usize)> = None;
        for lane in 0..lanes {
            // A register that no operation can name is read by none.
            let feeds: smallvec::SmallVec<[(u8, &[f64]); 8]> = feeds
                .iter()
                .filter_map(|f| Some((u8::try_from(memory.scratch_base(f.scratch)).ok()?, f.rows.get(lane..)?)))
                .collect();
            let data = of_lane(memory, lane);
            if let Some(run) = many(
                self,
                data,
                &feeds,
                (&seen.before, seen.values.get_mut(lane..).unwrap_or_default()),
                [runs, lanes, every, states],
            ) && first.is_none_or(|f| run < f.0)
            {
                first = Some((run, lane));
            }
        }
        first
    }
}

/// The memory as a lane sees it: each is the first to itself.
#[inline]
fn of_lane(memory: &mut Memory, lane: usize) -> &mut [f64; REACH] {
    memory.data[lane..].first_chunk_mut::<REACH>().expect("a small memory reaches as far for each of its lanes")
}

// One lane at a time: wider vectors would only make it longer to compile.
vectorised! {
    up to avx2:
    fn once(few: &Few, data: &mut [f64; REACH]) {
        execute(few, data);
    }
}

vectorised! {
    up to avx2:
    fn many(
        few: &Few,
        data: &mut [f64; REACH],
        feeds: &[(u8, &[f64])],
        looks: (&[usize], &mut [f64]),
        counts: [usize; 4],
    ) -> Option<usize> {
        let ((before, seen), [runs, lanes, every, states]) = (looks, counts);
        let mut left = every;
        // From one look to the next.
        let ends = before.iter().copied().chain([runs]);
        let mut from = 0;
        for (row, to) in ends.enumerate() {
            for run in from..to {
                for &(place, rows) in feeds {
                    data[usize::from(place)] = rows[run * lanes];
                }
                execute(few, data);
                left -= 1;
                if left == 0 {
                    left = every;
                    if !are_finite(data, lanes, states) {
                        return Some(run);
                    }
                }
            }
            from = to;
            if row < before.len() {
                for state in 0..states {
                    seen[(state * before.len() + row) * lanes] = data[state * lanes];
                }
            }
        }
        None
    }
}

/// Whether the first columns are finite: a sum of zeros is zero then.
#[inline(always)]
fn are_finite(data: &[f64; REACH], lanes: usize, states: usize) -> bool {
    let zeroed = |sum: f64, value: &f64| value.mul_add(0.0, sum);
    let sum = if lanes == 1 {
        let (fours, rest) = data[..states].as_chunks::<4>();
        rest.iter().fold(fours.iter().flatten().fold(0.0, zeroed), zeroed)
    } else {
        data.iter().step_by(lanes).take(states).fold(0.0, zeroed)
    };
    sum == 0.0
}

#[inline(always)]
fn execute(few: &Few, data: &mut [f64; REACH]) {
    for Operation { code, x } in &few.operations {
        let at = |k: usize| data[usize::from(x[k])];
        let term = |k: usize, sum: f64| at(k).mul_add(at(k + 1), sum);
        let value = match code {
            Code::Copy => at(0),
            Code::Add => at(0) + at(1),
            Code::Sub => at(0) - at(1),
            Code::Mul => at(0) * at(1),
            Code::Div => at(0) / at(1),
            Code::Terms1 => term(1, at(0)),
            Code::Terms2 => term(3, term(1, at(0))),
            Code::Terms3 => term(5, term(3, term(1, at(0)))),
            Code::Terms4 => term(7, term(5, term(3, term(1, at(0))))),
            Code::MinusProduct => fused(at(1), at(2), at(0), true, false),
            Code::MinusTerm => fused(at(1), at(2), at(0), false, true),
            Code::MinusBoth => fused(at(1), at(2), at(0), true, true),
            Code::Where => math::choose(at(0), at(1), at(2)),
            Code::Exp => math::exp(at(0)),
            Code::Logistic => logistic(at(1), at(0)),
            Code::Unary => few.unary[usize::from(x[1])].apply(at(0)),
            Code::Binary => few.binary[usize::from(x[2])].apply(at(0), at(1)),
            Code::Copies => {
                spread(data, x, std::array::from_fn(at));
                continue;
            }
            Code::Terms1s => {
                spread(data, x, std::array::from_fn(|k| at(TOGETHER + k).mul_add(at(2 * TOGETHER + k), at(k))));
                continue;
            }
            Code::Exps => {
                let mut values: [f64; TOGETHER] = std::array::from_fn(at);
                for v in &mut values {
                    *v = math::exp(*v);
                }
                spread(data, x, together(values));
                continue;
            }
            Code::Logistics => {
                let mut values: [f64; TOGETHER] = std::array::from_fn(at);
                for (k, v) in values.iter_mut().enumerate() {
                    *v = logistic(at(TOGETHER + k), *v);
                }
                spread(data, x, together(values));
                continue;
            }
        };
        data[usize::from(x[PLACES - 1])] = value;
    }
}

/// The same numbers, of which LLVM must believe that they lie side by side in memory: then it computes them as one
/// vector.
#[inline(always)]
fn together(values: [f64; TOGETHER]) -> [f64; TOGETHER] {
    std::hint::black_box(values)
}

/// Results of functions computed together to their places.
#[inline(always)]
fn spread(data: &mut [f64; REACH], x: &[u8; PLACES], values: [f64; TOGETHER]) {
    for (k, v) in values.into_iter().enumerate() {
        data[usize::from(x[3 * TOGETHER + k])] = v;
    }
}
