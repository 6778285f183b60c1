//! The loops of a register program.

use std::cell::Cell;

use super::{CHUNK, Instruction, Location, Term};
use crate::graph::{Binary, Unary, fused};
use spikedeck_core::math;
use spikedeck_core::vector::vectorised;

#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub start: usize,
    pub padded: usize,
    pub base: usize,
    pub block: usize,
}

impl Layout {
    #[inline(always)]
    fn address(self, place: Location) -> usize {
        match place {
            Location::Column(c) => c as usize * self.padded + self.start,
            Location::Scratch(r) => self.base + r as usize * self.block,
            Location::Number(_) => 0,
        }
    }

    /// The same counted in chunks: then one comparison checks a whole chunk.
    fn in_chunks(self) -> Self {
        Self {
            start: self.start / CHUNK,
            padded: self.padded / CHUNK,
            base: self.base / CHUNK,
            block: self.block / CHUNK,
        }
    }
}

/// Chunks of lanes. What an instruction reads and writes may be the same place, or each a part of one column.
type Chunks<const W: usize> = [Cell<[f64; W]>];

/// A source of lanes: memory or a number.
trait Lanes: Copy {
    /// Its chunks by their number, of `n`.
    fn of<const W: usize>(self, data: &Chunks<W>, n: usize) -> impl Fn(usize) -> [f64; W];
}

#[derive(Clone, Copy)]
struct At(usize);
#[derive(Clone, Copy)]
struct Same(f64);

impl Lanes for At {
    #[inline(always)]
    fn of<const W: usize>(self, data: &Chunks<W>, n: usize) -> impl Fn(usize) -> [f64; W] {
        // Cut once, so that no chunk is compared with the end of the memory.
        let row = &data[self.0..self.0 + n];
        move |k| row[k].get()
    }
}

impl Lanes for Same {
    #[inline(always)]
    fn of<const W: usize>(self, _: &Chunks<W>, _: usize) -> impl Fn(usize) -> [f64; W] {
        move |_| [self.0; W]
    }
}

#[inline(always)]
fn map1<const W: usize>(data: &Chunks<W>, n: usize, to: usize, a: impl Lanes, f: impl Fn(f64) -> f64) {
    let (to, a) = (&data[to..to + n], a.of(data, n));
    for (k, to) in to.iter().enumerate() {
        let x = a(k);
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i]);
        }
        to.set(out);
    }
}

#[inline(always)]
fn map2<const W: usize>(
    data: &Chunks<W>,
    n: usize,
    to: usize,
    a: impl Lanes,
    b: impl Lanes,
    f: impl Fn(f64, f64) -> f64,
) {
    let (to, a, b) = (&data[to..to + n], a.of(data, n), b.of(data, n));
    for (k, to) in to.iter().enumerate() {
        let (x, y) = (a(k), b(k));
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i], y[i]);
        }
        to.set(out);
    }
}

#[inline(always)]
fn map3<const W: usize>(
    data: &Chunks<W>,
    n: usize,
    to: usize,
    (a, b, c): (impl Lanes, impl Lanes, impl Lanes),
    f: impl Fn(f64, f64, f64) -> f64,
) {
    let (to, a, b, c) = (&data[to..to + n], a.of(data, n), b.of(data, n), c.of(data, n));
    for (k, to) in to.iter().enumerate() {
        let (x, y, z) = (a(k), b(k), c(k));
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i], y[i], z[i]);
        }
        to.set(out);
    }
}

/// A term with its address and decay.
#[derive(Clone, Copy, Default)]
struct Read {
    factor: f64,
    at: usize,
    decay: Option<f64>,
}

#[inline(always)]
fn linear<const W: usize, const N: usize>(data: &Chunks<W>, n: usize, to: usize, base: impl Lanes, terms: &[Read]) {
    let mut fixed = [Read::default(); N];
    fixed.copy_from_slice(&terms[..N]);
    let rows = fixed.map(|t| &data[t.at..t.at + n]);
    let (to, base) = (&data[to..to + n], base.of(data, n));
    if fixed.iter().all(|t| t.decay.is_none()) {
        // Without a question in the loop, sums stay in registers.
        for k in 0..n {
            let mut sum = base(k);
            for (Read { factor, .. }, row) in fixed.iter().zip(rows) {
                let x = row[k].get();
                for i in 0..W {
                    sum[i] = factor.mul_add(x[i], sum[i]);
                }
            }
            to[k].set(sum);
        }
        return;
    }
    for k in 0..n {
        let mut sum = base(k);
        for (Read { factor, decay, .. }, row) in fixed.iter().zip(rows) {
            let mut x = row[k].get();
            for i in 0..W {
                sum[i] = factor.mul_add(x[i], sum[i]);
            }
            if let Some(decay) = decay {
                for v in &mut x {
                    *v *= decay;
                }
                row[k].set(x);
            }
        }
        to[k].set(sum);
    }
}

vectorised! {
    pub(super) fn wide(program: &[Instruction], data: &mut [f64], layout: Layout, n: usize) {
        execute::<CHUNK>(
            program,
            Cell::from_mut(data.as_chunks_mut().0).as_slice_of_cells(),
            layout.in_chunks(),
            n / CHUNK,
        );
    }
}

vectorised! {
    up to avx2:
    /// A few lanes one by one: a single neuron does not pay for sixteen.
    pub(super) fn narrow(program: &[Instruction], data: &mut [f64], layout: Layout, n: usize) {
        for lane in 0..n {
            for instruction in program {
                let at = |p: Location| match p {
                    Location::Number(v) => v,
                    p => data[layout.address(p) + lane],
                };
                let (to, value) = match instruction {
                    Instruction::Copy(to, a) => (to, at(*a)),
                    Instruction::Unary(op, to, a) => (to, op.apply(at(*a))),
                    Instruction::Binary(op, to, a, b) => (to, op.apply(at(*a), at(*b))),
                    Instruction::Where(to, c, a, b) => (to, math::choose(at(*c), at(*a), at(*b))),
                    Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                        (to, fused(at(*a), at(*b), at(*c), *minus_product, *minus_term))
                    }
                    Instruction::Linear { to, base, terms } => {
                        (to, terms.iter().fold(at(*base), |sum, t| t.factor.mul_add(at(t.x), sum)))
                    }
                    Instruction::Logistic { to, a, x } => (to, logistic(at(*a), at(*x))),
                };
                data[layout.address(*to) + lane] = value;
                if let Instruction::Linear { terms, .. } = instruction {
                    for Term { x, decay, .. } in terms {
                        if let Some(decay) = decay {
                            data[layout.address(*x) + lane] *= decay;
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn execute<const W: usize>(program: &[Instruction], data: &Chunks<W>, layout: Layout, n: usize) {
    let at = |p: Location| layout.address(p);
    for instruction in program {
        match instruction {
            Instruction::Copy(to, a) => match *a {
                Location::Number(v) => map1::<W>(data, n, at(*to), Same(v), |x| x),
                a => map1::<W>(data, n, at(*to), At(at(a)), |x| x),
            },
            Instruction::Unary(op, to, a) => unary::<W>(*op, data, n, at(*to), At(at(*a))),
            // Where both sides are in memory (the compiler sees to that) one loop is enough.
            Instruction::Binary(
                op @ (Binary::Pow | Binary::And | Binary::Or | Binary::Equal | Binary::NotEqual),
                to,
                a,
                b,
            ) => {
                rare::<W>(*op, data, n, at(*to), At(at(*a)), At(at(*b)));
            }
            Instruction::Binary(op, to, a, b) => match (*a, *b) {
                (Location::Number(v), b) => binary::<W>(*op, data, n, at(*to), Same(v), At(at(b))),
                (a, Location::Number(v)) => binary::<W>(*op, data, n, at(*to), At(at(a)), Same(v)),
                (a, b) => binary::<W>(*op, data, n, at(*to), At(at(a)), At(at(b))),
            },
            Instruction::Where(to, c, a, b) => {
                let c = At(at(*c));
                match (*a, *b) {
                    (Location::Number(a), Location::Number(b)) => {
                        map3::<W>(data, n, at(*to), (c, Same(a), Same(b)), math::choose);
                    }
                    (Location::Number(a), b) => map3::<W>(data, n, at(*to), (c, Same(a), At(at(b))), math::choose),
                    (a, Location::Number(b)) => map3::<W>(data, n, at(*to), (c, At(at(a)), Same(b)), math::choose),
                    (a, b) => map3::<W>(data, n, at(*to), (c, At(at(a)), At(at(b))), math::choose),
                }
            }
            Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                multiply_add::<W>(data, n, at(*to), (*a, *b, *c), (*minus_product, *minus_term), layout);
            }
            Instruction::Linear { to, base, terms } => {
                let mut list = [Read::default(); 4];
                for (slot, Term { factor, x, decay }) in list.iter_mut().zip(terms) {
                    *slot = Read { factor: *factor, at: at(*x), decay: *decay };
                }
                sum_terms::<W>(data, n, at(*to), *base, &list[..terms.len()], layout);
            }
            Instruction::Logistic { to, a, x } => match *a {
                Location::Number(a) => map1::<W>(data, n, at(*to), At(at(*x)), |x| logistic(a, x)),
                a => map2::<W>(data, n, at(*to), At(at(a)), At(at(*x)), logistic),
            },
        }
    }
}

#[inline(always)]
pub(super) fn logistic(a: f64, x: f64) -> f64 {
    a / math::one_plus_exp(x)
}

#[inline(always)]
fn sum_terms<const W: usize>(data: &Chunks<W>, n: usize, to: usize, base: Location, terms: &[Read], layout: Layout) {
    match (base, terms.len()) {
        (Location::Number(v), 1) => linear::<W, 1>(data, n, to, Same(v), terms),
        (Location::Number(v), 2) => linear::<W, 2>(data, n, to, Same(v), terms),
        (Location::Number(v), 3) => linear::<W, 3>(data, n, to, Same(v), terms),
        (Location::Number(v), _) => linear::<W, 4>(data, n, to, Same(v), terms),
        (base, 1) => linear::<W, 1>(data, n, to, At(layout.address(base)), terms),
        (base, 2) => linear::<W, 2>(data, n, to, At(layout.address(base)), terms),
        (base, 3) => linear::<W, 3>(data, n, to, At(layout.address(base)), terms),
        (base, _) => linear::<W, 4>(data, n, to, At(layout.address(base)), terms),
    }
}

#[inline(always)]
fn multiply_add<const W: usize>(
    data: &Chunks<W>,
    n: usize,
    to: usize,
    (a, b, c): (Location, Location, Location),
    signs: (bool, bool),
    layout: Layout,
) {
    // Signs are folded into numbers where there are some; the product commutes.
    let (a, b) = if matches!(b, Location::Number(_)) { (b, a) } else { (a, b) };
    let (minus_product, minus_term) = signs;
    let at = |p: Location| At(layout.address(p));
    let signed = |v: f64, minus: bool| if minus { -v } else { v };
    match (a, c) {
        (Location::Number(x), Location::Number(z)) => {
            map1::<W>(data, n, to, at(b), |y| signed(x, minus_product).mul_add(y, signed(z, minus_term)));
        }
        (Location::Number(x), c) if minus_term => {
            map2::<W>(data, n, to, at(b), at(c), |y, z| signed(x, minus_product).mul_add(y, -z));
        }
        (Location::Number(x), c) => map2::<W>(data, n, to, at(b), at(c), |y, z| signed(x, minus_product).mul_add(y, z)),
        (a, Location::Number(z)) if minus_product => {
            map2::<W>(data, n, to, at(a), at(b), |x, y| (-x).mul_add(y, signed(z, minus_term)));
        }
        (a, Location::Number(z)) => map2::<W>(data, n, to, at(a), at(b), |x, y| x.mul_add(y, signed(z, minus_term))),
        (a, c) => {
            let all = (at(a), at(b), at(c));
            match signs {
                (false, false) => map3::<W>(data, n, to, all, |x, y, z| fused(x, y, z, false, false)),
                (true, false) => map3::<W>(data, n, to, all, |x, y, z| fused(x, y, z, true, false)),
                (false, true) => map3::<W>(data, n, to, all, |x, y, z| fused(x, y, z, false, true)),
                (true, true) => map3::<W>(data, n, to, all, |x, y, z| fused(x, y, z, true, true)),
            }
        }
    }
}

#[inline(always)]
fn unary<const W: usize>(op: Unary, data: &Chunks<W>, n: usize, to: usize, a: At) {
    match op {
        Unary::Neg => map1::<W>(data, n, to, a, |x| -x),
        Unary::Not => map1::<W>(data, n, to, a, math::not),
        Unary::Exp => map1::<W>(data, n, to, a, math::exp),
        Unary::Expm1 => map1::<W>(data, n, to, a, math::expm1),
        Unary::Exprel => {
            let (to, a) = (&data[to..to + n], a.of(data, n));
            for (k, to) in to.iter().enumerate() {
                to.set(math::exprel_chunk(a(k)));
            }
        }
        Unary::ExprelDerivative => map1::<W>(data, n, to, a, math::exprel_derivative),
        Unary::Bernoulli => map1::<W>(data, n, to, a, math::bernoulli),
        Unary::Log => map1::<W>(data, n, to, a, math::log),
        Unary::Sqrt => map1::<W>(data, n, to, a, math::sqrt),
        Unary::Sin => map1::<W>(data, n, to, a, math::sin),
        Unary::Cos => map1::<W>(data, n, to, a, math::cos),
        Unary::Tan => map1::<W>(data, n, to, a, math::tan),
        Unary::Tanh => map1::<W>(data, n, to, a, math::tanh),
        Unary::Sinh => map1::<W>(data, n, to, a, math::sinh),
        Unary::Cosh => map1::<W>(data, n, to, a, math::cosh),
        Unary::Abs => map1::<W>(data, n, to, a, f64::abs),
        Unary::Sign => map1::<W>(data, n, to, a, math::sign),
        Unary::Floor => map1::<W>(data, n, to, a, f64::floor),
        Unary::Step => map1::<W>(data, n, to, a, math::step),
        Unary::Sigmoid => map1::<W>(data, n, to, a, math::sigmoid),
        Unary::Powi(2) => map1::<W>(data, n, to, a, |x| math::powi(x, 2)),
        Unary::Powi(3) => map1::<W>(data, n, to, a, |x| math::powi(x, 3)),
        Unary::Powi(4) => map1::<W>(data, n, to, a, |x| math::powi(x, 4)),
        Unary::Powi(e) => map1::<W>(data, n, to, a, |x| math::powi(x, e)),
    }
}

#[inline(always)]
fn binary<const W: usize>(op: Binary, data: &Chunks<W>, n: usize, to: usize, a: impl Lanes, b: impl Lanes) {
    match op {
        Binary::Add => map2::<W>(data, n, to, a, b, |x, y| x + y),
        Binary::Sub => map2::<W>(data, n, to, a, b, |x, y| x - y),
        Binary::Mul => map2::<W>(data, n, to, a, b, |x, y| x * y),
        Binary::Div => map2::<W>(data, n, to, a, b, |x, y| x / y),
        Binary::Min => map2::<W>(data, n, to, a, b, math::min),
        Binary::Max => map2::<W>(data, n, to, a, b, math::max),
        Binary::Less => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x < y)),
        Binary::LessEqual => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x <= y)),
        Binary::Greater => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x > y)),
        Binary::GreaterEqual => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x >= y)),
        Binary::Pow | Binary::Equal | Binary::NotEqual | Binary::And | Binary::Or => {
            unreachable!("these have their own loop, `rare`")
        }
    }
}

#[inline(always)]
fn rare<const W: usize>(op: Binary, data: &Chunks<W>, n: usize, to: usize, a: At, b: At) {
    match op {
        Binary::Pow => map2::<W>(data, n, to, a, b, math::pow),
        Binary::Equal => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x == y)),
        Binary::NotEqual => map2::<W>(data, n, to, a, b, |x, y| math::compared(x, y, x != y)),
        Binary::And => map2::<W>(data, n, to, a, b, math::both),
        Binary::Or => map2::<W>(data, n, to, a, b, math::either),
        Binary::Add
        | Binary::Sub
        | Binary::Mul
        | Binary::Div
        | Binary::Min
        | Binary::Max
        | Binary::Less
        | Binary::LessEqual
        | Binary::Greater
        | Binary::GreaterEqual => unreachable!("these have their own loops, `binary`"),
    }
}
