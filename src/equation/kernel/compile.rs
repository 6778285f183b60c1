//! From an expression graph to a register program: order, registers, chains.

use super::instruction::{Instruction, Term, fold_decays, fold_logistic};
use super::{Allocation, Kernel, Location};
use crate::fuse::Varies;
use crate::graph::{Binary, Graph, Id, Node, Symbol};
use crate::tape::Tape;

/// See [`Compiler::link`].
struct Link {
    factor: f64,
    x: Id,
    c: Id,
}

pub(super) struct Compiler<'a> {
    graph: &'a Graph,
    class: &'a [Varies],
    bind: &'a dyn Fn(Symbol) -> Location,
    allocation: &'a mut Allocation,
    place: Vec<Option<Location>>,
    last_use: Vec<usize>,
    free: Vec<u32>,
    top: u32,
    program: Vec<Instruction>,
}

impl<'a> Compiler<'a> {
    pub fn new(
        graph: &'a Graph,
        class: &'a [Varies],
        bind: &'a dyn Fn(Symbol) -> Location,
        allocation: &'a mut Allocation,
    ) -> Self {
        let n = graph.len();
        let top = allocation.reserved;
        Self {
            graph,
            class,
            bind,
            allocation,
            place: vec![None; n],
            last_use: vec![0; n],
            free: Vec::new(),
            top,
            program: Vec::new(),
        }
    }

    /// A link of a chain, `c + factor x`: a fused multiply-add with a number factor, or a plain sum, whose factor is 1
    /// or -1.
    fn link(&self, id: Id) -> Option<Link> {
        if self.class[id.index()] != Varies::Step {
            return None;
        }
        let sum = |x: Id| matches!(self.graph.node(x), Node::Fma { .. } | Node::Binary(Binary::Add | Binary::Sub, ..));
        // A term stands in memory; a number can only be what the sum begins with.
        let stands = |x: Id| self.class[x.index()] != Varies::Never;
        match self.graph.node(id) {
            Node::Fma { a, b, c, minus_product, minus_term: false } => {
                let factor = self.graph.value(a)?;
                Some(Link { factor: if minus_product { -factor } else { factor }, x: b, c })
            }
            Node::Binary(Binary::Add, a, b) if sum(b) && !sum(a) && stands(a) => Some(Link { factor: 1.0, x: a, c: b }),
            Node::Binary(Binary::Add, a, b) if stands(b) => Some(Link { factor: 1.0, x: b, c: a }),
            Node::Binary(Binary::Add, a, b) if stands(a) => Some(Link { factor: 1.0, x: a, c: b }),
            Node::Binary(Binary::Sub, a, b) if stands(b) => Some(Link { factor: -1.0, x: b, c: a }),
            _ => None,
        }
    }

    /// Arguments that an instruction reads: those of a chain are read by its last link, two a link and the first sum.
    fn reads(&self, id: Id, folded: &[bool]) -> Vec<Id> {
        let mut out = Vec::new();
        let mut at = id;
        loop {
            let c = match (self.graph.node(at), self.link(at)) {
                (Node::Fma { a, b, c, .. }, _) => {
                    out.extend([a, b]);
                    c
                }
                (_, Some(Link { x, c, .. })) if at != id || folded[c.index()] => {
                    out.extend([x, x]);
                    c
                }
                _ => {
                    out.extend(self.graph.arguments(at));
                    return out;
                }
            };
            if !folded[c.index()] {
                out.push(c);
                return out;
            }
            at = c;
        }
    }

    pub fn compile(mut self, roots: &[Id], targets: &[Option<Location>]) -> (Kernel, Vec<Location>) {
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
        // Links that are used once, by another link, are part of that.
        let mut folded = vec![false; needed.len()];
        // One instruction takes four terms.
        let mut length = vec![1u8; needed.len()];
        for i in (0..needed.len()).filter(|&i| needed[i]) {
            if let Some(Link { c, .. }) = self.link(Id(i as u32))
                && self.link(c).is_some()
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
        let mut target_of: Vec<Option<Location>> = vec![None; self.graph.len()];
        let position_of: std::collections::HashMap<Id, usize> =
            order.iter().enumerate().map(|(p, &id)| (id, p)).collect();
        for (k, (&root, target)) in roots.iter().zip(targets).enumerate() {
            let (Some(target), Some(&position)) = (target, position_of.get(&root)) else { continue };
            let first = roots[..k].contains(&root);
            let read_later =
                (0..self.graph.len()).filter(|&i| needed[i]).any(|i| match self.graph.node(Id(i as u32)) {
                    Node::Symbol(s) if (self.bind)(s) == *target => self.last_use[i] > position + 1,
                    _ => false,
                });
            // A root that is itself the old value of the symbol must not be overwritten before it is copied.
            let root_symbol =
                roots.iter().any(|r| matches!(self.graph.node(*r), Node::Symbol(s) if (self.bind)(s) == *target));
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
        self.allocation.scratch = self.allocation.scratch.max(self.top);
        (Kernel { program: self.program, few: None }, places)
    }

    /// Copies to targets, through registers where one target is the source of another.
    fn copies(&mut self, copies: Vec<(Location, Location)>) {
        let targets: Vec<Location> = copies.iter().map(|c| c.0).collect();
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
    fn order(&self, roots: &[Id], targets: &[Option<Location>], needed: &[bool], folded: &[bool]) -> Vec<Id> {
        let computed = |i: usize| {
            needed[i]
                && !folded[i]
                && self.class[i] == Varies::Step
                && !matches!(self.graph.node(Id(i as u32)), Node::Symbol(_))
        };
        // Which roots read the symbol that root k overwrites.
        let reads: Vec<Vec<Symbol>> = roots.iter().map(|&r| self.graph.symbols(r)).collect();
        let overwrites =
            |k: usize, j: usize| j != k && targets[k].is_some_and(|t| reads[j].iter().any(|&s| (self.bind)(s) == t));
        let mut left: Vec<usize> = (0..roots.len()).collect();
        let mut out: Vec<Id> = Vec::new();
        let mut done = vec![false; needed.len()];
        while !left.is_empty() {
            // The first that is free; where each overwrites what another reads, the first.
            let free = (0..left.len()).find(|&at| !left.iter().any(|&j| overwrites(left[at], j)));
            let k = left.remove(free.unwrap_or(0));
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

    fn register(&mut self) -> Location {
        let r = self.free.pop().unwrap_or_else(|| {
            self.top += 1;
            self.top - 1
        });
        Location::Scratch(r)
    }

    /// Where a value is that is not computed here: a number, a symbol, or a column for what never changes in time.
    fn located(&mut self, id: Id) -> Location {
        if let Some(p) = self.place[id.index()] {
            return p;
        }
        let place = match self.graph.node(id) {
            Node::Constant(bits, _) => Location::Number(f64::from_bits(bits)),
            Node::Symbol(s) => (self.bind)(s),
            _ => {
                let column = self.allocation.column();
                self.allocation.hoisted.push((Tape::new(self.graph, &[id]), column));
                Location::Column(column)
            }
        };
        self.place[id.index()] = Some(place);
        place
    }

    fn emit(&mut self, id: Id, position: usize, target: Option<Location>, folded: &[bool]) {
        let reads = self.reads(id, folded);
        let places: Vec<Location> = reads.iter().map(|&a| self.located(a)).collect();
        // Where a number has to stand in memory; these registers are free again only after the instruction.
        let original = places.clone();
        let mut places = places;
        let mut spread = Vec::new();
        if let Node::Binary(Binary::Pow | Binary::And | Binary::Or | Binary::Equal | Binary::NotEqual, ..) =
            self.graph.node(id)
        {
            for place in &mut places {
                if matches!(place, Location::Number(_)) {
                    let register = self.register();
                    self.program.push(Instruction::Copy(register, *place));
                    *place = register;
                    spread.push(register);
                }
            }
        }
        // Registers that are read for the last time here may take the result: each chunk is read before it is written.
        for (a, place) in reads.iter().zip(&original) {
            if let (Location::Scratch(r), true) = (place, self.last_use[a.index()] == position + 1)
                && *r >= self.allocation.reserved
                && !self.free.contains(r)
            {
                self.free.push(*r);
            }
        }
        let to = target.unwrap_or_else(|| self.register());
        let instruction = match self.graph.node(id) {
            Node::Unary(op, _) => Instruction::Unary(op, to, places[0]),
            Node::Binary(..) if places.len() > 2 => {
                self.chain(id, to, &places, folded).unwrap_or(Instruction::Copy(to, places[0]))
            }
            Node::Binary(op, ..) => Instruction::Binary(op, to, places[0], places[1]),
            Node::Where(..) => Instruction::Where(to, places[0], places[1], places[2]),
            Node::Fma { minus_product, minus_term, .. } => {
                self.chain(id, to, &places, folded).unwrap_or(Instruction::Fma {
                    to,
                    a: places[0],
                    b: places[1],
                    c: places[2],
                    minus_product,
                    minus_term,
                })
            }
            Node::Constant(..) | Node::Symbol(_) => unreachable!("numbers and symbols are in their places already"),
        };
        self.program.push(instruction);
        for register in spread {
            if let Location::Scratch(r) = register {
                self.free.push(r);
            }
        }
        self.place[id.index()] = Some(to);
    }

    /// A chain as one instruction, innermost first.
    fn chain(&self, id: Id, to: Location, places: &[Location], folded: &[bool]) -> Option<Instruction> {
        let mut terms = Vec::new();
        let mut at = id;
        let mut k = 0;
        loop {
            let Link { factor, c, .. } = self.link(at)?;
            terms.push(Term { factor, x: places[k + 1], decay: None });
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
