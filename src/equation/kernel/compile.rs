//! From an expression graph to a register program: order, registers, chains.

use std::collections::HashMap;

use super::instruction::{Instruction, Term, fold_decays, fold_logistic};
use super::{Allocation, Kernel, Location};
use crate::fuse::Varies;
use crate::graph::{Binary, Graph, Id, Node, Symbol};
use crate::tape::Tape;

/// A place that can be written to: a column or a register, by its number.
type Key = (bool, u32);

fn key(place: Location) -> Option<Key> {
    match place {
        Location::Column(c) => Some((true, c)),
        Location::Scratch(r) => Some((false, r)),
        Location::Number(_) => None,
    }
}

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
        let order = self.order(roots, targets, &folded);
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
        let position_of: HashMap<Id, usize> = order.iter().enumerate().map(|(p, &id)| (id, p)).collect();
        let symbols = (0..needed.len()).filter(|&i| needed[i]).filter_map(|i| match self.graph.node(Id(i as u32)) {
            Node::Symbol(s) => Some((key((self.bind)(s))?, i)),
            _ => None,
        });
        let mut symbols_at: HashMap<Key, Vec<usize>> = HashMap::new();
        symbols.for_each(|(place, i)| symbols_at.entry(place).or_default().push(i));
        let root_symbols: Vec<Location> = roots
            .iter()
            .filter_map(|r| match self.graph.node(*r) {
                Node::Symbol(s) => Some((self.bind)(s)),
                _ => None,
            })
            .collect();
        for (k, (&root, target)) in roots.iter().zip(targets).enumerate() {
            let (Some(target), Some(&position)) = (target, position_of.get(&root)) else { continue };
            let first = roots[..k].contains(&root);
            let there = key(*target).and_then(|place| symbols_at.get(&place));
            let read_later = there.into_iter().flatten().any(|&i| self.last_use[i] > position + 1);
            // A root that is itself the old value of the symbol must not be overwritten before it is copied.
            let root_symbol = root_symbols.contains(target);
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
    fn order(&self, roots: &[Id], targets: &[Option<Location>], folded: &[bool]) -> Vec<Id> {
        let computed = |id: Id| {
            !folded[id.index()]
                && self.class[id.index()] == Varies::Step
                && !matches!(self.graph.node(id), Node::Symbol(_))
        };
        // The roots that overwrite what is at a place.
        let mut over: HashMap<Key, Vec<usize>> = HashMap::new();
        for (k, target) in targets.iter().enumerate() {
            if let Some(place) = target.and_then(key) {
                over.entry(place).or_default().push(k);
            }
        }
        // Those that overwrite what each root reads, and how many wait for another root to read first.
        let held: Vec<Vec<usize>> = roots
            .iter()
            .enumerate()
            .map(|(j, &root)| {
                let places = self.graph.symbols(root).into_iter().filter_map(|s| key((self.bind)(s)));
                places.filter_map(|place| over.get(&place)).flatten().copied().filter(|k| *k != j).collect()
            })
            .collect();
        let mut waits = vec![0_usize; roots.len()];
        held.iter().flatten().for_each(|&k| waits[k] += 1);
        let mut left: Vec<usize> = (0..roots.len()).collect();
        let mut out: Vec<Id> = Vec::new();
        let mut seen = vec![false; self.graph.len()];
        while !left.is_empty() {
            // The first that is free; where each overwrites what another reads, the first.
            let free = (0..left.len()).find(|&at| waits[left[at]] == 0);
            let k = left.remove(free.unwrap_or(0));
            held[k].iter().for_each(|&other| waits[other] -= 1);
            // What this root needs and none before it needed, arguments first.
            let (mut open, mut mine) = (vec![roots[k]], Vec::new());
            while let Some(id) = open.pop() {
                if !std::mem::replace(&mut seen[id.index()], true) {
                    mine.push(id);
                    open.extend(self.graph.arguments(id));
                }
            }
            mine.sort_unstable();
            out.extend(mine.into_iter().filter(|&id| computed(id)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use spikedeck_core::rng::Key as Seed;

    /// The order by looking at every root and every node again: what [`Compiler::order`] finds, in plain words.
    fn plain(c: &Compiler<'_>, roots: &[Id], targets: &[Option<Location>]) -> Vec<Id> {
        let reads = |j: usize| c.graph.symbols(roots[j]).into_iter().map(|s| (c.bind)(s)).collect::<Vec<_>>();
        let overwrites = |k: usize, j: usize| j != k && targets[k].is_some_and(|t| reads(j).contains(&t));
        let mut left: Vec<usize> = (0..roots.len()).collect();
        let mut out: Vec<Id> = Vec::new();
        while !left.is_empty() {
            let free = (0..left.len()).find(|&at| !left.iter().any(|&j| overwrites(left[at], j)));
            let k = left.remove(free.unwrap_or(0));
            let mine = c.graph.reachable(&[roots[k]]);
            let nodes = (0..mine.len()).filter(|&i| mine[i]).map(|i| Id(i as u32));
            let new: Vec<Id> = nodes.filter(|id| !out.contains(id)).collect();
            out.extend(new.into_iter().filter(|id| !matches!(c.graph.node(*id), Node::Symbol(_) | Node::Constant(..))));
        }
        out
    }

    /// Systems of states of which each reads some others, coupled in rings, chains and at random; some overwrite their
    /// own column and some nothing.
    #[test]
    fn nodes_are_computed_in_the_order_in_which_nothing_is_overwritten_too_early() {
        for case in 0..60 {
            let mut draw = Seed::new(case, "order", "case").stream(0, 0);
            let mut below = |n: usize| (draw.uniform() * n as f64) as usize;
            let (n, ring) = (2 + below(9), below(3));
            let mut graph = Graph::new();
            let states: Vec<Id> = (0..n).map(|i| graph.symbol(Symbol::State(i as u32))).collect();
            let roots: Vec<Id> = (0..n)
                .map(|i| {
                    let mut sum = graph.mul(states[i], states[(i + ring) % n]);
                    for _ in 0..below(4) {
                        let term = graph.mul(states[below(n)], states[below(n)]);
                        sum = graph.add(sum, term);
                    }
                    sum
                })
                .collect();
            let targets: Vec<Option<Location>> =
                (0..n).map(|i| (below(5) > 0).then_some(Location::Column(i as u32))).collect();
            let bind = |s: Symbol| match s {
                Symbol::State(i) => Location::Column(i),
                other => unreachable!("{other:?} is no state"),
            };
            let class = vec![Varies::Step; graph.len()];
            let mut allocation = Allocation { columns: n as u32, ..Allocation::default() };
            let compiler = Compiler::new(&graph, &class, &bind, &mut allocation);
            let folded = vec![false; graph.len()];
            assert_eq!(compiler.order(&roots, &targets, &folded), plain(&compiler, &roots, &targets), "case {case}");
        }
    }
}
