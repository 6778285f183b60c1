//! A register program for a few lanes: one neuron or one column pays neither for sixteen lanes nor for finding its operands.
//!
//! Columns, registers and numbers of such a population fit in 256 places, so an operand is one byte, which no slice has to
//! check, and a program is a list of small operations. The operations of a lane and their order, and so its bits, are those of
//! the wide program.

use super::instruction::Term;
use super::run::logistic;
use super::{Instruction, Memory, Place};
use crate::core::math;
use crate::equation::graph::{Binary, Unary, fused};

/// A number that no equation holds: its place is free to be written.
const SPARE: f64 = f64::from_bits(0x7ff8_5bad_0000_0001);

/// Places that a byte can name.
pub(super) const REACH: usize = 256;

/// What an operation does. One byte and no fields: choosing it is one jump.
#[derive(Debug, Clone, Copy)]
enum Code {
    Copy,
    Add,
    Sub,
    Mul,
    Div,
    /// `a b + c`.
    Fma,
    /// `d e + (a b + c)`: two terms of a sum.
    Terms,
    /// `c - a b`.
    MinusProduct,
    /// `a b - c`.
    MinusTerm,
    /// `-a b - c`.
    MinusBoth,
    /// `b` where `a` is not zero, else `c`.
    Where,
    Exp,
    /// `b / (1 + exp(a))`.
    Logistic,
    /// A function of one operand: its index among those of the program stands in `b`.
    Unary,
    /// A function of two: its index stands in `c`.
    Binary,
}

/// One operation; operands are places of the first lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(8))]
struct Operation {
    code: Code,
    to: u8,
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
}

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

impl Few {
    /// The program for a memory, whose numbers it puts there; `None` if the lanes are many or the places do not suffice.
    pub(super) fn new(program: &[Instruction], memory: &mut Memory) -> Option<Self> {
        if !memory.is_small() {
            return None;
        }
        let mut maker = Maker { memory, operations: Vec::new(), unary: Vec::new(), binary: Vec::new() };
        for instruction in program {
            maker.take(instruction)?;
        }
        let Maker { operations, unary, binary, .. } = maker;
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
            // Seen from its own lane, each lane is the first.
            if let Some(data) = memory.data.get_mut(lane..).and_then(|d| d.first_chunk_mut::<REACH>()) {
                execute(self, data);
            }
        }
    }
}

struct Maker<'a> {
    memory: &'a mut Memory,
    operations: Vec<Operation>,
    unary: Vec<Unary>,
    binary: Vec<Binary>,
}

/// The index of a function in the list of those in use.
fn listed<T: PartialEq>(list: &mut Vec<T>, function: T) -> Option<u8> {
    let index = list.iter().position(|f| *f == function).unwrap_or_else(|| {
        list.push(function);
        list.len() - 1
    });
    u8::try_from(index).ok()
}

impl Maker<'_> {
    fn at(&mut self, place: Place) -> Option<u8> {
        let at = match place {
            Place::Column(c) => c as usize * self.memory.padded,
            Place::Scratch(r) => self.memory.scratch_base(r as usize),
            Place::Number(v) => self.memory.number(v)?,
        };
        u8::try_from(at).ok()
    }

    fn push(&mut self, code: Code, to: u8, [a, b, c]: [u8; 3]) {
        self.operations.push(Operation { code, to, a, b, c, d: 0, e: 0 });
    }

    fn take(&mut self, instruction: &Instruction) -> Option<()> {
        match *instruction {
            Instruction::Copy(to, a) => {
                let (to, a) = (self.at(to)?, self.at(a)?);
                self.push(Code::Copy, to, [a, 0, 0]);
            }
            Instruction::Unary(op, to, a) => {
                let (to, a) = (self.at(to)?, self.at(a)?);
                if op == Unary::Exp {
                    self.push(Code::Exp, to, [a, 0, 0]);
                } else {
                    let index = listed(&mut self.unary, op)?;
                    self.push(Code::Unary, to, [a, index, 0]);
                }
            }
            Instruction::Binary(op, to, a, b) => {
                let (to, a, b) = (self.at(to)?, self.at(a)?, self.at(b)?);
                match op {
                    Binary::Add => self.push(Code::Add, to, [a, b, 0]),
                    Binary::Sub => self.push(Code::Sub, to, [a, b, 0]),
                    Binary::Mul => self.push(Code::Mul, to, [a, b, 0]),
                    Binary::Div => self.push(Code::Div, to, [a, b, 0]),
                    op => {
                        let index = listed(&mut self.binary, op)?;
                        self.push(Code::Binary, to, [a, b, index]);
                    }
                }
            }
            Instruction::Where(to, condition, yes, no) => {
                let (to, operands) = (self.at(to)?, [self.at(condition)?, self.at(yes)?, self.at(no)?]);
                self.push(Code::Where, to, operands);
            }
            Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                let (to, operands) = (self.at(to)?, [self.at(a)?, self.at(b)?, self.at(c)?]);
                let code = match (minus_product, minus_term) {
                    (false, false) => Code::Fma,
                    (true, false) => Code::MinusProduct,
                    (false, true) => Code::MinusTerm,
                    (true, true) => Code::MinusBoth,
                };
                self.push(code, to, operands);
            }
            Instruction::Linear { to, base, ref terms } => self.linear(to, base, terms)?,
            Instruction::Logistic { to, a, x } => {
                let (to, a, x) = (self.at(to)?, self.at(a)?, self.at(x)?);
                self.push(Code::Logistic, to, [x, a, 0]);
            }
        }
        Some(())
    }

    fn linear(&mut self, to: Place, base: Place, terms: &[Term]) -> Option<()> {
        let to = self.at(to)?;
        let mut sum = self.at(base)?;
        // The sum may not stand in `to` while that is still to be read.
        let late = terms.iter().skip(2).map(|t| self.at(t.x)).collect::<Option<Vec<u8>>>()?.contains(&to);
        let between = if late { self.at(Place::Number(SPARE))? } else { to };
        let mut left = terms;
        while let Some(first) = left.first() {
            let (a, b) = (self.at(Place::Number(first.factor))?, self.at(first.x)?);
            let taken = left.len().min(2);
            let into = if taken == left.len() { to } else { between };
            if let Some(second) = left.get(1) {
                let (d, e) = (self.at(Place::Number(second.factor))?, self.at(second.x)?);
                self.operations.push(Operation { code: Code::Terms, to: into, a, b, c: sum, d, e });
            } else {
                self.push(Code::Fma, into, [a, b, sum]);
            }
            (left, sum) = (&left[taken..], into);
        }
        for term in terms {
            if let Some(decay) = term.decay {
                let (factor, x) = (self.at(Place::Number(decay))?, self.at(term.x)?);
                self.push(Code::Mul, x, [factor, x, 0]);
            }
        }
        Some(())
    }
}

// One lane at a time: wider vectors would only make it longer to compile.
#[multiversion::multiversion(targets("x86_64+avx2+fma"))]
fn execute(few: &Few, data: &mut [f64; REACH]) {
    let at = |place: u8| usize::from(place);
    for &Operation { code, to, a, b, c, d, e } in &few.operations {
        let value = match code {
            Code::Copy => data[at(a)],
            Code::Add => data[at(a)] + data[at(b)],
            Code::Sub => data[at(a)] - data[at(b)],
            Code::Mul => data[at(a)] * data[at(b)],
            Code::Div => data[at(a)] / data[at(b)],
            Code::Fma => fused(data[at(a)], data[at(b)], data[at(c)], false, false),
            Code::Terms => data[at(d)].mul_add(data[at(e)], data[at(a)].mul_add(data[at(b)], data[at(c)])),
            Code::MinusProduct => fused(data[at(a)], data[at(b)], data[at(c)], true, false),
            Code::MinusTerm => fused(data[at(a)], data[at(b)], data[at(c)], false, true),
            Code::MinusBoth => fused(data[at(a)], data[at(b)], data[at(c)], true, true),
            Code::Where => data[if data[at(a)] == 0.0 { at(c) } else { at(b) }],
            Code::Exp => math::exp(data[at(a)]),
            Code::Logistic => logistic(data[at(b)], data[at(a)]),
            Code::Unary => few.unary[usize::from(b)].apply(data[at(a)]),
            Code::Binary => few.binary[usize::from(c)].apply(data[at(a)], data[at(b)]),
        };
        data[at(to)] = value;
    }
}
