//! Expressions over many units: a register program that runs block by block.
//!
//! Values live in one [`Memory`]: columns (one number a lane: states, parameters that differ, propagators) and scratch
//! registers (one number a lane of the current block). Each instruction is one loop over the block, in chunks of sixteen
//! lanes through local arrays, which LLVM turns into vector code for the instruction set found at run time. Every lane's
//! value is computed by the operations of the plain evaluator ([`super::tape`]) in their order, so the bits are the same
//! whatever the block, the lane and the instruction set.

use super::fuse::{Varies, fuse, varies};
use super::graph::{Binary, Graph, Id, Node, Symbol, Unary, fused, truth};
use super::tape::{Tape, Values};
use crate::core::math;

/// Lanes of a chunk.
pub const CHUNK: usize = 16;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A column of the memory.
    Column(u32),
    /// A scratch register.
    Scratch(u32),
    /// A number.
    Number(f64),
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
enum Instruction {
    Copy(Place, Place),
    Unary(Unary, Place, Place),
    Binary(Binary, Place, Place, Place),
    Where(Place, Place, Place, Place),
    Fma {
        to: Place,
        a: Place,
        b: Place,
        c: Place,
        minus_product: bool,
        minus_term: bool,
    },
    /// `to = base + Σ factor * x`, the factors numbers.
    Linear {
        to: Place,
        base: Place,
        terms: Vec<(f64, Place)>,
    },
}

/// A compiled set of expressions.
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    program: Vec<Instruction>,
}

/// Columns and scratch registers of a population part.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// All values.
    pub data: Vec<f64>,
    /// Lanes of a column, padded to whole chunks.
    pub padded: usize,
    /// Lanes of a block.
    pub block: usize,
    /// Lanes in use.
    pub lanes: usize,
    columns: usize,
}

impl Memory {
    /// Memory for `columns` and `scratch` registers; blocks are chosen so that what a step touches stays in L1.
    pub fn new(lanes: usize, columns: usize, scratch: usize) -> Self {
        let padded = if lanes < 4 { lanes } else { lanes.div_ceil(CHUNK) * CHUNK };
        let touched = (columns + scratch).max(1);
        let block = (24_576 / 8 / touched / CHUNK * CHUNK).clamp(2 * CHUNK, 256).min(padded.max(1));
        Self { data: vec![0.0; columns * padded + scratch * block], padded, block, lanes, columns }
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

/// Registers and columns while kernels of one memory are compiled.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Columns so far.
    pub columns: u32,
    /// Scratch registers that are reserved (inputs, noise, time).
    pub reserved: u32,
    /// Most scratch registers that any kernel uses.
    pub scratch: u32,
    /// Columns to be filled once from lane values: expression and column.
    pub hoisted: Vec<(Tape, u32)>,
}

impl Plan {
    /// A new column.
    pub fn column(&mut self) -> u32 {
        self.columns += 1;
        self.columns - 1
    }

    /// A new reserved scratch register.
    pub fn reserve(&mut self) -> u32 {
        self.reserved += 1;
        self.scratch = self.scratch.max(self.reserved);
        self.reserved - 1
    }
}

impl Kernel {
    /// Compiles `roots`, whose values go to `targets` (all symbols are read before any target is written, as far as the
    /// result goes). `bind` says where a symbol is; what depends on `Column` symbols that `constant` names only is computed
    /// once and kept in a column of its own.
    pub fn compile(
        graph: &Graph,
        roots: &[Id],
        targets: &[Option<Place>],
        bind: &dyn Fn(Symbol) -> Place,
        steady: &dyn Fn(Symbol) -> bool,
        plan: &mut Plan,
    ) -> (Self, Vec<Place>) {
        let class_of = |s: Symbol| match bind(s) {
            Place::Number(_) => Varies::Never,
            _ if steady(s) => Varies::Lane,
            _ => Varies::Step,
        };
        let (graph, roots) = fuse(graph, roots, &class_of);
        let class = varies(&graph, &class_of);
        Compiler::new(&graph, &class, bind, plan).compile(&roots, targets)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
    }

    /// Number of instructions.
    pub fn len(&self) -> usize {
        self.program.len()
    }

    /// Runs on the block of `count` lanes from `start`.
    #[inline]
    pub fn run(&self, memory: &mut Memory, start: usize, count: usize) {
        let layout = Layout { start, padded: memory.padded, base: memory.columns * memory.padded, block: memory.block };
        if count % CHUNK == 0 {
            wide(&self.program, &mut memory.data, layout, count);
        } else {
            narrow(&self.program, &mut memory.data, layout, count);
        }
    }
}

/// Fills the columns that depend on lane values only, by the plain evaluator.
pub fn fill_hoisted(plan: &Plan, memory: &mut Memory, value: &dyn Fn(Symbol) -> Place) {
    // Expressions name parameters and variables; collect their columns lane by lane.
    for (tape, column) in &plan.hoisted {
        for lane in 0..memory.padded {
            let read = |s: Symbol| match value(s) {
                Place::Column(c) => memory.data[c as usize * memory.padded + lane],
                Place::Number(v) => v,
                Place::Scratch(_) => f64::NAN,
            };
            let parameters: Vec<f64> = (0..tape.parameters()).map(|i| read(Symbol::Parameter(i))).collect();
            let variables: Vec<f64> = (0..tape.variables()).map(|i| read(Symbol::Variable(i))).collect();
            let v = tape.value(&Values { parameters: &parameters, variables: &variables, ..Values::default() });
            memory.data[*column as usize * memory.padded + lane] = v;
        }
    }
}

struct Compiler<'a> {
    graph: &'a Graph,
    class: &'a [Varies],
    bind: &'a dyn Fn(Symbol) -> Place,
    plan: &'a mut Plan,
    place: Vec<Option<Place>>,
    last_use: Vec<usize>,
    free: Vec<u32>,
    top: u32,
    program: Vec<Instruction>,
}

impl<'a> Compiler<'a> {
    fn new(graph: &'a Graph, class: &'a [Varies], bind: &'a dyn Fn(Symbol) -> Place, plan: &'a mut Plan) -> Self {
        let n = graph.len();
        let top = plan.reserved;
        Self { graph, class, bind, plan, place: vec![None; n], last_use: vec![0; n], free: Vec::new(), top, program: Vec::new() }
    }

    /// Arguments that an instruction reads: those of a fused chain with number factors are read by its last link.
    fn reads(&self, id: Id, folded: &[bool]) -> Vec<Id> {
        let mut out = Vec::new();
        let mut at = id;
        loop {
            match self.graph.node(at) {
                Node::Fma { a, b, c, .. } => {
                    out.extend([a, b]);
                    if folded[c.index()] {
                        at = c;
                        continue;
                    }
                    out.push(c);
                }
                _ => out.extend(self.graph.arguments(at)),
            }
            return out;
        }
    }

    fn compile(mut self, roots: &[Id], targets: &[Option<Place>]) -> (Kernel, Vec<Place>) {
        let needed = self.graph.reachable(roots);
        let mut uses = vec![0u32; needed.len()];
        for i in (0..needed.len()).filter(|&i| needed[i]) {
            for a in self.graph.arguments(Id(i as u32)) {
                uses[a.index()] += 1;
            }
        }
        for r in roots {
            uses[r.index()] += 1;
        }
        let number = |g: &Graph, x: Id| g.value(x).is_some();
        // A link of a chain: fused multiply-add with a number factor, used once, by another such link.
        let link = |g: &Graph, i: Id| match g.node(i) {
            Node::Fma { a, minus_term: false, .. } => number(g, a),
            _ => false,
        };
        let mut folded = vec![false; needed.len()];
        // One instruction takes four terms.
        let mut length = vec![1u8; needed.len()];
        for i in (0..needed.len()).filter(|&i| needed[i]) {
            if let Node::Fma { c, .. } = self.graph.node(Id(i as u32)) {
                if link(self.graph, Id(i as u32)) && link(self.graph, c) && uses[c.index()] == 1 && length[c.index()] < 4 {
                    folded[c.index()] = true;
                    length[i] = length[c.index()] + 1;
                }
            }
        }
        // Order: roots one after the other, those that overwrite a symbol after those that read it, where possible.
        let order = self.order(roots, targets, &needed, &folded);
        for (position, &id) in order.iter().enumerate() {
            for a in self.reads(id, &folded) {
                self.last_use[a.index()] = position + 1;
            }
        }
        let never = usize::MAX;
        for r in roots {
            self.last_use[r.index()] = never;
        }
        // Where roots may be computed in place: nothing later reads the symbol that lives there.
        let mut target_of: Vec<Option<Place>> = vec![None; self.graph.len()];
        let position_of: std::collections::HashMap<Id, usize> = order.iter().enumerate().map(|(p, &id)| (id, p)).collect();
        for (k, (&root, target)) in roots.iter().zip(targets).enumerate() {
            let (Some(target), Some(&position)) = (target, position_of.get(&root)) else { continue };
            let first = roots[..k].contains(&root);
            let read_later = (0..self.graph.len()).filter(|&i| needed[i]).any(|i| match self.graph.node(Id(i as u32)) {
                Node::Symbol(s) if (self.bind)(s) == *target => self.last_use[i] > position + 1,
                _ => false,
            });
            // A root that is itself the old value of the symbol must not be overwritten before it is copied.
            let root_symbol = roots.iter().any(|r| matches!(self.graph.node(*r), Node::Symbol(s) if (self.bind)(s) == *target));
            if !first && !read_later && !root_symbol && target_of[root.index()].is_none() {
                target_of[root.index()] = Some(*target);
            }
        }
        for (position, &id) in order.iter().enumerate() {
            self.emit(id, position, target_of[id.index()], &folded);
        }
        let mut places = Vec::new();
        let mut copies = Vec::new();
        for (&root, target) in roots.iter().zip(targets) {
            let place = self.located(root);
            match target {
                Some(t) if place != *t => {
                    copies.push((*t, place));
                    places.push(*t);
                }
                _ => places.push(place),
            }
        }
        self.copies(copies);
        self.plan.scratch = self.plan.scratch.max(self.top);
        (Kernel { program: self.program }, places)
    }

    /// Copies to targets, through registers where one target is the source of another.
    fn copies(&mut self, copies: Vec<(Place, Place)>) {
        let targets: Vec<Place> = copies.iter().map(|c| c.0).collect();
        let mut staged = Vec::new();
        for (to, from) in copies {
            if targets.contains(&from) {
                let r = self.register();
                self.program.push(Instruction::Copy(r, from));
                staged.push((to, r));
            } else {
                staged.push((to, from));
            }
        }
        for (to, from) in staged {
            self.program.push(Instruction::Copy(to, from));
        }
    }

    /// Nodes to compute, each after its arguments.
    fn order(&self, roots: &[Id], targets: &[Option<Place>], needed: &[bool], folded: &[bool]) -> Vec<Id> {
        let computed = |i: usize| {
            needed[i] && !folded[i] && self.class[i] == Varies::Step && !matches!(self.graph.node(Id(i as u32)), Node::Symbol(_))
        };
        // Which roots read the symbol that root k overwrites.
        let reads: Vec<Vec<Symbol>> = roots.iter().map(|&r| self.graph.symbols(r)).collect();
        let overwrites = |k: usize, j: usize| j != k && targets[k].is_some_and(|t| reads[j].iter().any(|&s| (self.bind)(s) == t));
        let mut left: Vec<usize> = (0..roots.len()).collect();
        let mut out: Vec<Id> = Vec::new();
        let mut done = vec![false; needed.len()];
        while !left.is_empty() {
            let pick = left.iter().position(|&k| !left.iter().any(|&j| overwrites(k, j))).unwrap_or(0);
            let k = left.remove(pick);
            let mut mine = vec![false; needed.len()];
            mine[roots[k].index()] = true;
            for i in (0..=roots[k].index()).rev().filter(|&i| needed[i]) {
                if mine[i] {
                    for a in self.graph.arguments(Id(i as u32)) {
                        mine[a.index()] = true;
                    }
                }
            }
            for i in (0..needed.len()).filter(|&i| mine[i] && computed(i)) {
                if !std::mem::replace(&mut done[i], true) {
                    out.push(Id(i as u32));
                }
            }
        }
        out
    }

    fn register(&mut self) -> Place {
        let r = self.free.pop().unwrap_or_else(|| {
            self.top += 1;
            self.top - 1
        });
        Place::Scratch(r)
    }

    /// Where a value is that is not computed here: a number, a symbol, or a column for what never changes in time.
    fn located(&mut self, id: Id) -> Place {
        if let Some(p) = self.place[id.index()] {
            return p;
        }
        let place = match self.graph.node(id) {
            Node::Constant(bits, _) => Place::Number(f64::from_bits(bits)),
            Node::Symbol(s) => (self.bind)(s),
            _ => {
                let column = self.plan.column();
                self.plan.hoisted.push((Tape::new(self.graph, &[id]), column));
                Place::Column(column)
            }
        };
        self.place[id.index()] = Some(place);
        place
    }

    fn emit(&mut self, id: Id, position: usize, target: Option<Place>, folded: &[bool]) {
        let reads = self.reads(id, folded);
        let places: Vec<Place> = reads.iter().map(|&a| self.located(a)).collect();
        // Where a number has to stand in memory; these registers are free again only after the instruction.
        let original = places.clone();
        let mut places = places;
        let mut spread = Vec::new();
        if let Node::Binary(Binary::Pow | Binary::And | Binary::Or | Binary::Equal | Binary::NotEqual, ..) = self.graph.node(id) {
            for place in &mut places {
                if matches!(place, Place::Number(_)) {
                    let register = self.register();
                    self.program.push(Instruction::Copy(register, *place));
                    *place = register;
                    spread.push(register);
                }
            }
        }
        // Registers that are read for the last time here may take the result: each chunk is read before it is written.
        for (a, place) in reads.iter().zip(&original) {
            if let (Place::Scratch(r), true) = (place, self.last_use[a.index()] == position + 1) {
                if *r >= self.plan.reserved && !self.free.contains(r) {
                    self.free.push(*r);
                }
            }
        }
        let to = target.unwrap_or_else(|| self.register());
        let instruction = match self.graph.node(id) {
            Node::Unary(op, _) => Instruction::Unary(op, to, places[0]),
            Node::Binary(op, ..) => Instruction::Binary(op, to, places[0], places[1]),
            Node::Where(..) => Instruction::Where(to, places[0], places[1], places[2]),
            Node::Fma { minus_product, minus_term, .. } => self.chain(id, to, &places, folded).unwrap_or(Instruction::Fma {
                to,
                a: places[0],
                b: places[1],
                c: places[2],
                minus_product,
                minus_term,
            }),
            Node::Constant(..) | Node::Symbol(_) => Instruction::Copy(to, places.first().copied().unwrap_or(Place::Number(f64::NAN))),
        };
        self.program.push(instruction);
        for register in spread {
            if let Place::Scratch(r) = register {
                self.free.push(r);
            }
        }
        self.place[id.index()] = Some(to);
    }

    /// A chain of fused multiply-adds with number factors as one instruction, innermost first.
    fn chain(&self, id: Id, to: Place, places: &[Place], folded: &[bool]) -> Option<Instruction> {
        let mut terms = Vec::new();
        let mut at = id;
        let mut k = 0;
        loop {
            let Node::Fma { a, c, minus_product, minus_term: false, .. } = self.graph.node(at) else { return None };
            let factor = self.graph.value(a)?;
            terms.push((if minus_product { -factor } else { factor }, places[k + 1]));
            k += 2;
            if !folded[c.index()] {
                break;
            }
            at = c;
        }
        terms.reverse();
        Some(Instruction::Linear { to, base: places[k], terms })
    }
}

#[derive(Clone, Copy)]
struct Layout {
    start: usize,
    padded: usize,
    base: usize,
    block: usize,
}

impl Layout {
    #[inline(always)]
    fn address(self, place: Place) -> usize {
        match place {
            Place::Column(c) => c as usize * self.padded + self.start,
            Place::Scratch(r) => self.base + r as usize * self.block,
            Place::Number(_) => 0,
        }
    }
}

/// A source of lanes: memory or a number.
trait Lanes: Copy {
    fn load<const W: usize>(self, data: &[f64], k: usize) -> [f64; W];
}

#[derive(Clone, Copy)]
struct At(usize);
#[derive(Clone, Copy)]
struct Same(f64);

impl Lanes for At {
    #[inline(always)]
    fn load<const W: usize>(self, data: &[f64], k: usize) -> [f64; W] {
        let mut out = [0.0; W];
        out.copy_from_slice(&data[self.0 + k..self.0 + k + W]);
        out
    }
}

impl Lanes for Same {
    #[inline(always)]
    fn load<const W: usize>(self, _: &[f64], _: usize) -> [f64; W] {
        [self.0; W]
    }
}

#[inline(always)]
fn map1<const W: usize>(data: &mut [f64], n: usize, to: usize, a: impl Lanes, f: impl Fn(f64) -> f64) {
    for k in (0..n).step_by(W) {
        let x: [f64; W] = a.load(data, k);
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i]);
        }
        data[to + k..to + k + W].copy_from_slice(&out);
    }
}

#[inline(always)]
fn map2<const W: usize>(data: &mut [f64], n: usize, to: usize, a: impl Lanes, b: impl Lanes, f: impl Fn(f64, f64) -> f64) {
    for k in (0..n).step_by(W) {
        let x: [f64; W] = a.load(data, k);
        let y: [f64; W] = b.load(data, k);
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i], y[i]);
        }
        data[to + k..to + k + W].copy_from_slice(&out);
    }
}

#[inline(always)]
fn map3<const W: usize>(
    data: &mut [f64],
    n: usize,
    to: usize,
    (a, b, c): (impl Lanes, impl Lanes, impl Lanes),
    f: impl Fn(f64, f64, f64) -> f64,
) {
    for k in (0..n).step_by(W) {
        let x: [f64; W] = a.load(data, k);
        let y: [f64; W] = b.load(data, k);
        let z: [f64; W] = c.load(data, k);
        let mut out = [0.0; W];
        for i in 0..W {
            out[i] = f(x[i], y[i], z[i]);
        }
        data[to + k..to + k + W].copy_from_slice(&out);
    }
}

#[inline(always)]
fn linear<const W: usize, const N: usize>(data: &mut [f64], n: usize, to: usize, base: impl Lanes, terms: &[(f64, usize)]) {
    let mut fixed = [(0.0, 0); N];
    fixed.copy_from_slice(&terms[..N]);
    for k in (0..n).step_by(W) {
        let mut sum: [f64; W] = base.load(data, k);
        for (factor, address) in fixed {
            let x: [f64; W] = At(address).load(data, k);
            for i in 0..W {
                sum[i] = factor.mul_add(x[i], sum[i]);
            }
        }
        data[to + k..to + k + W].copy_from_slice(&sum);
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
fn wide(program: &[Instruction], data: &mut [f64], layout: Layout, n: usize) {
    execute::<CHUNK>(program, data, layout, n);
}

/// A few lanes one by one: a single neuron does not pay for sixteen.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512dq+avx512vl+avx512bw+fma+avx2", "x86_64+avx2+fma"))]
fn narrow(program: &[Instruction], data: &mut [f64], layout: Layout, n: usize) {
    for lane in 0..n {
        for instruction in program {
            let at = |p: Place| match p {
                Place::Number(v) => v,
                p => data[layout.address(p) + lane],
            };
            let (to, value) = match instruction {
                Instruction::Copy(to, a) => (to, at(*a)),
                Instruction::Unary(op, to, a) => (to, op.apply(at(*a))),
                Instruction::Binary(op, to, a, b) => (to, op.apply(at(*a), at(*b))),
                Instruction::Where(to, c, a, b) => (to, if at(*c) == 0.0 { at(*b) } else { at(*a) }),
                Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                    (to, fused(at(*a), at(*b), at(*c), *minus_product, *minus_term))
                }
                Instruction::Linear { to, base, terms } => {
                    (to, terms.iter().fold(at(*base), |sum, (factor, x)| factor.mul_add(at(*x), sum)))
                }
            };
            data[layout.address(*to) + lane] = value;
        }
    }
}

#[inline(always)]
fn execute<const W: usize>(program: &[Instruction], data: &mut [f64], layout: Layout, n: usize) {
    let at = |p: Place| layout.address(p);
    for instruction in program {
        match instruction {
            Instruction::Copy(to, a) => match *a {
                Place::Number(v) => map1::<W>(data, n, at(*to), Same(v), |x| x),
                a => map1::<W>(data, n, at(*to), At(at(a)), |x| x),
            },
            Instruction::Unary(op, to, a) => unary::<W>(*op, data, n, at(*to), At(at(*a))),
            // Where both sides are in memory (the compiler sees to that) one loop is enough.
            Instruction::Binary(op @ (Binary::Pow | Binary::And | Binary::Or | Binary::Equal | Binary::NotEqual), to, a, b) => {
                rare::<W>(*op, data, n, at(*to), At(at(*a)), At(at(*b)));
            }
            Instruction::Binary(op, to, a, b) => match (*a, *b) {
                (Place::Number(v), b) => binary::<W>(*op, data, n, at(*to), Same(v), At(at(b))),
                (a, Place::Number(v)) => binary::<W>(*op, data, n, at(*to), At(at(a)), Same(v)),
                (a, b) => binary::<W>(*op, data, n, at(*to), At(at(a)), At(at(b))),
            },
            Instruction::Where(to, c, a, b) => {
                let choose = |c: f64, a: f64, b: f64| if c == 0.0 { b } else { a };
                let c = At(at(*c));
                match (*a, *b) {
                    (Place::Number(a), Place::Number(b)) => map3::<W>(data, n, at(*to), (c, Same(a), Same(b)), choose),
                    (Place::Number(a), b) => map3::<W>(data, n, at(*to), (c, Same(a), At(at(b))), choose),
                    (a, Place::Number(b)) => map3::<W>(data, n, at(*to), (c, At(at(a)), Same(b)), choose),
                    (a, b) => map3::<W>(data, n, at(*to), (c, At(at(a)), At(at(b))), choose),
                }
            }
            Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                multiply_add::<W>(data, n, at(*to), (*a, *b, *c), (*minus_product, *minus_term), layout);
            }
            Instruction::Linear { to, base, terms } => {
                let mut list = [(0.0, 0); 4];
                for (slot, (factor, place)) in list.iter_mut().zip(terms) {
                    *slot = (*factor, at(*place));
                }
                sum_terms::<W>(data, n, at(*to), *base, &list[..terms.len()], layout);
            }
        }
    }
}

#[inline(always)]
fn sum_terms<const W: usize>(data: &mut [f64], n: usize, to: usize, base: Place, terms: &[(f64, usize)], layout: Layout) {
    match (base, terms.len()) {
        (Place::Number(v), 1) => linear::<W, 1>(data, n, to, Same(v), terms),
        (Place::Number(v), 2) => linear::<W, 2>(data, n, to, Same(v), terms),
        (Place::Number(v), 3) => linear::<W, 3>(data, n, to, Same(v), terms),
        (Place::Number(v), _) => linear::<W, 4>(data, n, to, Same(v), terms),
        (base, 1) => linear::<W, 1>(data, n, to, At(layout.address(base)), terms),
        (base, 2) => linear::<W, 2>(data, n, to, At(layout.address(base)), terms),
        (base, 3) => linear::<W, 3>(data, n, to, At(layout.address(base)), terms),
        (base, _) => linear::<W, 4>(data, n, to, At(layout.address(base)), terms),
    }
}

#[inline(always)]
fn multiply_add<const W: usize>(
    data: &mut [f64],
    n: usize,
    to: usize,
    (a, b, c): (Place, Place, Place),
    signs: (bool, bool),
    layout: Layout,
) {
    // Signs are folded into numbers where there are some; the product commutes.
    let (a, b) = if matches!(b, Place::Number(_)) { (b, a) } else { (a, b) };
    let (minus_product, minus_term) = signs;
    let at = |p: Place| At(layout.address(p));
    let signed = |v: f64, minus: bool| if minus { -v } else { v };
    match (a, c) {
        (Place::Number(x), Place::Number(z)) => {
            map1::<W>(data, n, to, at(b), |y| signed(x, minus_product).mul_add(y, signed(z, minus_term)));
        }
        (Place::Number(x), c) if minus_term => map2::<W>(data, n, to, at(b), at(c), |y, z| signed(x, minus_product).mul_add(y, -z)),
        (Place::Number(x), c) => map2::<W>(data, n, to, at(b), at(c), |y, z| signed(x, minus_product).mul_add(y, z)),
        (a, Place::Number(z)) if minus_product => map2::<W>(data, n, to, at(a), at(b), |x, y| (-x).mul_add(y, signed(z, minus_term))),
        (a, Place::Number(z)) => map2::<W>(data, n, to, at(a), at(b), |x, y| x.mul_add(y, signed(z, minus_term))),
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
fn unary<const W: usize>(op: Unary, data: &mut [f64], n: usize, to: usize, a: At) {
    match op {
        Unary::Neg => map1::<W>(data, n, to, a, |x| -x),
        Unary::Not => map1::<W>(data, n, to, a, |x| truth(x == 0.0)),
        Unary::Exp => map1::<W>(data, n, to, a, math::exp),
        Unary::Expm1 => map1::<W>(data, n, to, a, math::expm1),
        Unary::Exprel => map1::<W>(data, n, to, a, math::exprel),
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
fn binary<const W: usize>(op: Binary, data: &mut [f64], n: usize, to: usize, a: impl Lanes, b: impl Lanes) {
    match op {
        Binary::Add => map2::<W>(data, n, to, a, b, |x, y| x + y),
        Binary::Sub => map2::<W>(data, n, to, a, b, |x, y| x - y),
        Binary::Mul => map2::<W>(data, n, to, a, b, |x, y| x * y),
        Binary::Div => map2::<W>(data, n, to, a, b, |x, y| x / y),
        Binary::Min => map2::<W>(data, n, to, a, b, math::min),
        Binary::Max => map2::<W>(data, n, to, a, b, math::max),
        Binary::Less => map2::<W>(data, n, to, a, b, |x, y| truth(x < y)),
        Binary::LessEqual => map2::<W>(data, n, to, a, b, |x, y| truth(x <= y)),
        Binary::Greater => map2::<W>(data, n, to, a, b, |x, y| truth(x > y)),
        Binary::GreaterEqual => map2::<W>(data, n, to, a, b, |x, y| truth(x >= y)),
        _ => {}
    }
}

#[inline(always)]
fn rare<const W: usize>(op: Binary, data: &mut [f64], n: usize, to: usize, a: At, b: At) {
    match op {
        Binary::Pow => map2::<W>(data, n, to, a, b, math::pow),
        Binary::Equal => map2::<W>(data, n, to, a, b, |x, y| truth(x == y)),
        Binary::NotEqual => map2::<W>(data, n, to, a, b, |x, y| truth(x != y)),
        Binary::And => map2::<W>(data, n, to, a, b, |x, y| truth((x != 0.0) & (y != 0.0))),
        Binary::Or => map2::<W>(data, n, to, a, b, |x, y| truth((x != 0.0) | (y != 0.0))),
        _ => {}
    }
}
