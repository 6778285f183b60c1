//! Making a program for a few lanes: places as bytes, results in places of their own, functions of one kind put
//! together.

use super::{Code, Operation, PLACES, TOGETHER};
use crate::graph::{Binary, Unary};
use crate::kernel::instruction::Term;
use crate::kernel::{Instruction, Location, Memory};

/// Numbers that no equation holds, one after the other: their places are free to be written.
const SPARE: u64 = 0x7ff8_5bad_0000_0001;

/// An operation before its place in the program is known.
struct Draft {
    code: Code,
    to: u8,
    reads: Vec<u8>,
    /// Index of a function, which follows the operands.
    function: Option<u8>,
}

pub(super) struct Maker<'a> {
    memory: &'a mut Memory,
    drafts: Vec<Draft>,
    unary: Vec<Unary>,
    binary: Vec<Binary>,
    /// Where the value of a register stands now, if not in the register.
    renamed: Vec<(u32, u8)>,
    /// How often each register is still to be written.
    writes: Vec<(u32, usize)>,
    apart: bool,
    spare: u64,
}

/// A program: operations, and the functions that they name by their index.
type Made = (Vec<Operation>, Vec<Unary>, Vec<Binary>);

/// The index of a function in the list of those in use.
fn listed<T: PartialEq>(list: &mut Vec<T>, function: T) -> Option<u8> {
    let index = list.iter().position(|f| *f == function).unwrap_or_else(|| {
        list.push(function);
        list.len() - 1
    });
    u8::try_from(index).ok()
}

/// The places that an instruction writes, in order.
fn written(instruction: &Instruction) -> impl Iterator<Item = Location> {
    let to = match *instruction {
        Instruction::Copy(to, ..)
        | Instruction::Unary(_, to, _)
        | Instruction::Binary(_, to, ..)
        | Instruction::Where(to, ..)
        | Instruction::Fma { to, .. }
        | Instruction::Linear { to, .. }
        | Instruction::Logistic { to, .. } => to,
    };
    let terms: &[Term] = if let Instruction::Linear { terms, .. } = instruction { terms } else { &[] };
    std::iter::once(to).chain(terms.iter().filter(|t| t.decay.is_some()).map(|t| t.x))
}

impl<'a> Maker<'a> {
    /// The operations of a program, if there are places enough; with `apart`, what a register holds for a while gets a
    /// place of its own (what it holds at the end stays there).
    pub fn make(program: &[Instruction], memory: &'a mut Memory, apart: bool) -> Option<Made> {
        let mut writes: Vec<(u32, usize)> = Vec::new();
        for place in program.iter().flat_map(written) {
            if let Location::Scratch(r) = place {
                match writes.iter_mut().find(|w| w.0 == r) {
                    Some(w) => w.1 += 1,
                    None => writes.push((r, 1)),
                }
            }
        }
        let mut maker = Self {
            memory,
            drafts: Vec::new(),
            unary: Vec::new(),
            binary: Vec::new(),
            renamed: Vec::new(),
            writes,
            apart,
            spare: 0,
        };
        for instruction in program {
            maker.take(instruction)?;
        }
        let Maker { drafts, unary, binary, .. } = maker;
        Some((schedule(&drafts), unary, binary))
    }

    fn address(&mut self, place: Location) -> Option<u8> {
        let at = match place {
            Location::Column(c) => c as usize * self.memory.padded,
            Location::Scratch(r) => self.memory.scratch_base(r as usize),
            Location::Number(v) => self.memory.number(v)?,
        };
        u8::try_from(at).ok()
    }

    /// Where a value is read.
    fn from(&mut self, place: Location) -> Option<u8> {
        if let Location::Scratch(r) = place
            && let Some(&(_, at)) = self.renamed.iter().find(|n| n.0 == r)
        {
            return Some(at);
        }
        self.address(place)
    }

    fn spare(&mut self) -> Option<u8> {
        self.spare += 1;
        self.address(Location::Number(f64::from_bits(SPARE + self.spare)))
    }

    /// Where a result is written.
    fn to(&mut self, place: Location) -> Option<u8> {
        let Location::Scratch(r) = place else { return self.address(place) };
        self.renamed.retain(|n| n.0 != r);
        let left = self.writes.iter_mut().find(|w| w.0 == r).map_or(0, |w| {
            w.1 -= 1;
            w.1
        });
        if !self.apart || left == 0 {
            return self.address(place);
        }
        let at = self.spare()?;
        self.renamed.push((r, at));
        Some(at)
    }

    fn push(&mut self, code: Code, to: Location, reads: &[Location], function: Option<u8>) -> Option<()> {
        let reads = reads.iter().map(|&p| self.from(p)).collect::<Option<Vec<u8>>>()?;
        let to = self.to(to)?;
        self.drafts.push(Draft { code, to, reads, function });
        Some(())
    }

    fn take(&mut self, instruction: &Instruction) -> Option<()> {
        match *instruction {
            Instruction::Copy(to, a) => self.push(Code::Copy, to, &[a], None),
            Instruction::Unary(Unary::Exp, to, a) => self.push(Code::Exp, to, &[a], None),
            Instruction::Unary(op, to, a) => {
                let index = listed(&mut self.unary, op)?;
                self.push(Code::Unary, to, &[a], Some(index))
            }
            Instruction::Binary(op, to, a, b) => {
                let (code, function) = match op {
                    Binary::Add => (Code::Add, None),
                    Binary::Sub => (Code::Sub, None),
                    Binary::Mul => (Code::Mul, None),
                    Binary::Div => (Code::Div, None),
                    op => (Code::Binary, Some(listed(&mut self.binary, op)?)),
                };
                self.push(code, to, &[a, b], function)
            }
            Instruction::Where(to, condition, yes, no) => self.push(Code::Where, to, &[condition, yes, no], None),
            Instruction::Fma { to, a, b, c, minus_product, minus_term } => {
                let code = match (minus_product, minus_term) {
                    (false, false) => Code::Terms1,
                    (true, false) => Code::MinusProduct,
                    (false, true) => Code::MinusTerm,
                    (true, true) => Code::MinusBoth,
                };
                self.push(code, to, &[c, a, b], None)
            }
            Instruction::Linear { to, base, ref terms } => self.linear(to, base, terms),
            Instruction::Logistic { to, a, x } => self.push(Code::Logistic, to, &[x, a], None),
        }
    }

    fn linear(&mut self, to: Location, base: Location, terms: &[Term]) -> Option<()> {
        let code = match terms.len() {
            1 => Code::Terms1,
            2 => Code::Terms2,
            3 => Code::Terms3,
            4 => Code::Terms4,
            _ => return None,
        };
        let reads: Vec<Location> =
            std::iter::once(base).chain(terms.iter().flat_map(|t| [Location::Number(t.factor), t.x])).collect();
        self.push(code, to, &reads, None)?;
        for term in terms {
            if let Some(decay) = term.decay {
                self.push(Code::Mul, term.x, &[Location::Number(decay), term.x], None)?;
            }
        }
        Some(())
    }
}

/// How an operation that is computed together with others of its kind is called then.
fn together(code: Code) -> Option<Code> {
    match code {
        Code::Copy => Some(Code::Copies),
        Code::Terms1 => Some(Code::Terms1s),
        Code::Exp => Some(Code::Exps),
        Code::Logistic => Some(Code::Logistics),
        _ => None,
    }
}

/// Whether it pays to wait until as many as possible can be computed together.
fn is_costly(code: Code) -> bool {
    matches!(code, Code::Exp | Code::Logistic)
}

/// What each draft has to wait for: reads of what is written, writes of what was read, writes of what was written.
fn waits_for(drafts: &[Draft]) -> Vec<Vec<usize>> {
    let needs = |late: &Draft, early: &Draft| {
        late.reads.contains(&early.to) || early.reads.contains(&late.to) || early.to == late.to
    };
    (0..drafts.len()).map(|i| (0..i).filter(|&j| needs(&drafts[i], &drafts[j])).collect()).collect()
}

/// The operations in an order in which each comes after what it needs, and those of a kind stand together.
fn schedule(drafts: &[Draft]) -> Vec<Operation> {
    let needed = waits_for(drafts);
    let mut done = vec![false; drafts.len()];
    let mut out = Vec::new();
    while let ready @ [_, ..] =
        &(0..drafts.len()).filter(|&i| !done[i] && needed[i].iter().all(|&j| done[j])).collect::<Vec<usize>>()[..]
    {
        // Cheap ones as they come, for those that are costly may become more meanwhile.
        let first = ready.iter().copied().find(|&i| !is_costly(drafts[i].code)).unwrap_or(ready[0]);
        let code = drafts[first].code;
        let alike = ready.iter().copied().filter(|&i| drafts[i].code == code);
        let chosen: Vec<usize> = alike.take(if together(code).is_some() { TOGETHER } else { 1 }).collect();
        match together(code) {
            Some(code) if chosen.len() > 1 => {
                out.push(grouped(code, &chosen.iter().map(|&i| &drafts[i]).collect::<Vec<_>>()));
            }
            _ => out.push(single(&drafts[first])),
        }
        for i in chosen {
            done[i] = true;
        }
    }
    out
}

fn single(draft: &Draft) -> Operation {
    let mut x = [0; PLACES];
    for (slot, operand) in x.iter_mut().zip(draft.reads.iter().copied().chain(draft.function)) {
        *slot = operand;
    }
    x[PLACES - 1] = draft.to;
    Operation { code: draft.code, x }
}

/// One operation of several; missing ones repeat the last.
fn grouped(code: Code, group: &[&Draft]) -> Operation {
    let mut x = [0; PLACES];
    for k in 0..TOGETHER {
        let draft = group[k.min(group.len() - 1)];
        for (row, &read) in draft.reads.iter().enumerate() {
            x[row * TOGETHER + k] = read;
        }
        x[3 * TOGETHER + k] = draft.to;
    }
    Operation { code, x }
}
