//! Expressions over many units: a register program that runs block by block.
//!
//! Values live in one [`Memory`]: columns (one number a lane: states, parameters that differ, propagators) and scratch
//! registers (one number a lane of the current block). Each instruction is one loop over the block, in chunks of sixteen
//! lanes through local arrays, which LLVM turns into vector code for the instruction set found at run time. Every lane's
//! value is computed by the operations of the plain evaluator ([`super::tape`]) in their order, so the bits are the same
//! whatever the block, the lane and the instruction set.

use super::fuse::{Varies, fuse, varies};
use super::graph::{Binary, Graph, Id, Node, Symbol};
use super::tape::{Tape, Values};

mod few;
mod instruction;
mod memory;
mod run;

pub use self::few::Few;
use self::instruction::{Instruction, Term, fold_decays, fold_logistic};
pub use self::memory::Memory;
use self::run::{Layout, narrow, wide};

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

/// A compiled set of expressions.
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    program: Vec<Instruction>,
    few: Option<Few>,
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

    /// The same, but products and sums are rounded one by one, as the plain evaluator of the graph does.
    pub fn compile_as_written(
        graph: &Graph,
        roots: &[Id],
        targets: &[Option<Place>],
        bind: &dyn Fn(Symbol) -> Place,
        plan: &mut Plan,
    ) -> (Self, Vec<Place>) {
        let class = varies(graph, &|s| if matches!(bind(s), Place::Number(_)) { Varies::Never } else { Varies::Step });
        Compiler::new(graph, &class, bind, plan).compile(roots, targets)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
    }

    /// Number of instructions.
    pub fn len(&self) -> usize {
        self.program.len()
    }

    /// Makes the program short for a memory of few lanes, on which it will run.
    pub fn settle(&mut self, memory: &mut Memory) {
        self.few = Few::new(&self.program, memory);
    }

    /// The short program, if there is one for this memory.
    #[inline]
    pub fn short(&self, memory: &Memory) -> Option<&Few> {
        self.few.as_ref().filter(|f| f.fits(memory))
    }

    /// Runs on the block of `count` lanes from `start`.
    #[inline]
    pub fn run(&self, memory: &mut Memory, start: usize, count: usize) {
        if let (true, Some(few)) = (count < CHUNK, self.short(memory)) {
            few.run(memory, count);
            return;
        }
        let layout = Layout { start, padded: memory.padded, base: memory.columns * memory.padded, block: memory.block };
        if count.is_multiple_of(CHUNK) {
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
            if let Node::Fma { c, .. } = self.graph.node(Id(i as u32))
                && link(self.graph, Id(i as u32))
                && link(self.graph, c)
                && uses[c.index()] == 1
                && length[c.index()] < 4
            {
                folded[c.index()] = true;
                length[i] = length[c.index()] + 1;
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
        fold_decays(&mut self.program);
        fold_logistic(&mut self.program);
        self.plan.scratch = self.plan.scratch.max(self.top);
        (Kernel { program: self.program, few: None }, places)
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
            if let (Place::Scratch(r), true) = (place, self.last_use[a.index()] == position + 1)
                && *r >= self.plan.reserved
                && !self.free.contains(r)
            {
                self.free.push(*r);
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
            terms.push(Term { factor: if minus_product { -factor } else { factor }, x: places[k + 1], decay: None });
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
