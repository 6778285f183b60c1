//! The state of a simulation: saved between two steps, and put back into a network that was built anew.
//!
//! What is saved belongs to units, connections, projections and populations, and to no thread, so that a run that was
//! saved on some threads goes on on others with the same bits. Pieces have a name and stand on an axis (the units of a
//! population, the places of a port); each thread hands over what it has of the axis, and takes back what it has then.
//! What follows from the scenario and the number of the step (random numbers, waves, programs, tables of connections
//! that do not change) is made anew and is no part of it.

mod bytes;

use std::collections::BTreeMap;
use std::ops::Range;

/// What has a state that a run goes on from.
pub(super) trait Snapshot {
    /// Hands every piece of the state to `pass`, which keeps it or puts it back: one description for both ways.
    ///
    /// Whoever implements it takes the structure apart without `..`, so that a new field does not compile until it is
    /// handed over, or named as one that is no state of its own.
    fn visit(&mut self, pass: &mut Pass<'_>);
}

/// A number of a state, as 64 bits.
pub(super) trait Word: Copy {
    /// Its bits.
    fn bits(self) -> u64;
    /// The number of some bits.
    fn of(bits: u64) -> Self;
}

impl Word for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }

    fn of(bits: u64) -> Self {
        Self::from_bits(bits)
    }
}

impl Word for u64 {
    fn bits(self) -> u64 {
        self
    }

    fn of(bits: u64) -> Self {
        bits
    }
}

impl Word for u32 {
    fn bits(self) -> u64 {
        self.into()
    }

    fn of(bits: u64) -> Self {
        bits as Self
    }
}

/// A piece of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// The same on all threads.
    Whole(Vec<u64>),
    /// One number for each place of an axis from `first` on.
    Column { first: u64, words: Vec<u64> },
    /// As many numbers as `lengths` says for each place of an axis from `first` on.
    Lists { first: u64, lengths: Vec<u32>, words: Vec<u64> },
}

/// Pieces by their names.
type Pieces = BTreeMap<String, Vec<Piece>>;

/// The whole state of a simulation between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The step that comes next.
    step: u64,
    pieces: Pieces,
}

/// Why a state cannot be gone on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StateError {
    /// What is wrong.
    pub message: String,
}

impl State {
    /// The state before step `step`, of nothing yet.
    pub(super) fn new(step: u64) -> Self {
        Self { step, pieces: Pieces::new() }
    }

    /// The step that comes next: the number of steps that were made.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Keeps what `what` has.
    pub(super) fn save(&mut self, what: &mut dyn Snapshot) {
        what.visit(&mut Pass::new(&mut self.pieces, self.step, true));
    }

    /// Puts back what `what` had.
    pub(super) fn restore(&mut self, what: &mut dyn Snapshot) -> Result<(), StateError> {
        let mut pass = Pass::new(&mut self.pieces, self.step, false);
        what.visit(&mut pass);
        pass.wrong.map_or(Ok(()), |message| Err(StateError { message }))
    }

    /// Takes in what another thread kept at the same step.
    pub(super) fn join(&mut self, other: Self) {
        for (name, pieces) in other.pieces {
            let own = self.pieces.entry(name).or_default();
            for piece in pieces {
                if own.is_empty() || !matches!(piece, Piece::Whole(_)) {
                    own.push(piece);
                }
            }
        }
    }
}

/// A walk over everything that has a state, to keep it or to put it back.
pub(super) struct Pass<'a> {
    pieces: &'a mut Pieces,
    saves: bool,
    now: u64,
    place: String,
    axis: Range<u64>,
    wrong: Option<String>,
}

impl<'a> Pass<'a> {
    fn new(pieces: &'a mut Pieces, now: u64, saves: bool) -> Self {
        Self { pieces, saves, now, place: String::new(), axis: 0..0, wrong: None }
    }

    /// Whether pieces are kept; otherwise they are put back.
    pub fn saves(&self) -> bool {
        self.saves
    }

    /// The grid point of the state.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// First place of the axis that pieces stand on.
    pub fn first(&self) -> u64 {
        self.axis.start
    }

    /// Lets `act` hand over what belongs to a named part.
    pub fn inside(&mut self, part: &str, act: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        self.place.push_str(part);
        self.place.push('/');
        act(self);
        self.place.truncate(length);
    }

    /// Lets `act` hand over what stands on an axis from place `first` on.
    pub fn along(&mut self, first: u64, places: usize, act: impl FnOnce(&mut Self)) {
        let axis = std::mem::replace(&mut self.axis, first..first + places as u64);
        act(self);
        self.axis = axis;
    }

    /// Says that something is not as it was.
    pub fn refuse(&mut self, message: impl Into<String>) {
        self.wrong.get_or_insert(message.into());
    }

    /// A number that is the same on all threads.
    pub fn number(&mut self, name: &str, value: &mut u64) {
        self.whole(name, std::slice::from_mut(value));
    }

    /// Numbers that are the same on all threads.
    pub fn whole<T: Word>(&mut self, name: &str, values: &mut [T]) {
        let mut all = if self.saves { values.to_vec() } else { Vec::new() };
        self.all(name, &mut all);
        if !self.saves && all.len() == values.len() {
            values.copy_from_slice(&all);
        } else if !self.saves {
            self.miss(name);
        }
    }

    /// The same, as many as there are.
    pub fn all<T: Word>(&mut self, name: &str, values: &mut Vec<T>) {
        let name_here = self.named(name);
        if self.saves {
            let pieces = self.pieces.entry(name_here).or_default();
            if pieces.is_empty() {
                pieces.push(Piece::Whole(values.iter().map(|v| v.bits()).collect()));
            }
        } else if let Some([Piece::Whole(words)]) = self.pieces.get(&name_here).map(Vec::as_slice) {
            values.clear();
            values.extend(words.iter().map(|w| T::of(*w)));
        } else {
            self.miss(name);
        }
    }

    /// A number for each place of the axis.
    pub fn column<T: Word>(&mut self, name: &str, values: &mut [T]) {
        if self.cover(name, values) != values.len() {
            self.miss(name);
        }
    }

    /// The same of a piece that some threads have and others do not: what was kept of it is put back. Whether anything
    /// was.
    pub fn part<T: Word>(&mut self, name: &str, values: &mut [T]) -> bool {
        self.cover(name, values) > 0
    }

    /// Keeps a column, or puts it back; for how many places there is a number.
    fn cover<T: Word>(&mut self, name: &str, values: &mut [T]) -> usize {
        let name = self.named(name);
        let axis = self.axis.clone();
        if self.saves {
            let words = values.iter().map(|v| v.bits()).collect();
            self.pieces.entry(name).or_default().push(Piece::Column { first: axis.start, words });
            return values.len();
        }
        let mut covered = 0;
        for piece in self.pieces.get(&name).into_iter().flatten() {
            let Piece::Column { first, words } = piece else { continue };
            let (from, to) = (axis.start.max(*first), axis.end.min(first + words.len() as u64));
            if from >= to {
                continue;
            }
            let words = &words[(from - first) as usize..(to - first) as usize];
            let Some(own) = values.get_mut((from - axis.start) as usize..(to - axis.start) as usize) else { continue };
            own.iter_mut().zip(words).for_each(|(v, w)| *v = T::of(*w));
            covered += words.len();
        }
        covered
    }

    /// Numbers of some places of the axis, several of one in their order. Put back, they stand in the order of places;
    /// of places that no thread had anything to keep of there are none.
    pub fn lists<T: Word>(&mut self, name: &str, entries: &mut Vec<(u32, T)>) {
        let axis = self.axis.clone();
        if self.saves {
            let mut lengths = vec![0; (axis.end - axis.start) as usize];
            for e in entries.iter() {
                lengths[e.0 as usize] += 1;
            }
            let mut sorted: Vec<&(u32, T)> = entries.iter().collect();
            sorted.sort_by_key(|e| e.0);
            let words = sorted.into_iter().map(|e| e.1.bits()).collect();
            let name = self.named(name);
            self.pieces.entry(name).or_default().push(Piece::Lists { first: axis.start, lengths, words });
            return;
        }
        entries.clear();
        for (place, words) in self.stored(name) {
            entries.extend(words.iter().map(|w| ((place - axis.start) as u32, T::of(*w))));
        }
        entries.sort_by_key(|e| e.0);
    }

    /// Numbers of what each place of the axis has as many of as `lengths` says, in the order of places.
    pub fn listed<T: Word>(&mut self, name: &str, lengths: &[u32], values: &mut [T]) {
        let axis = self.axis.clone();
        if self.saves {
            let words = values.iter().map(|v| v.bits()).collect();
            let (name, lengths) = (self.named(name), lengths.to_vec());
            self.pieces.entry(name).or_default().push(Piece::Lists { first: axis.start, lengths, words });
            return;
        }
        let mut starts = vec![0; lengths.len() + 1];
        for (k, n) in lengths.iter().enumerate() {
            starts[k + 1] = starts[k] + *n as usize;
        }
        let mut covered = 0;
        for (place, words) in self.stored(name) {
            let k = (place - axis.start) as usize;
            let own = &mut values[starts[k]..starts[k + 1]];
            if own.len() == words.len() {
                covered += 1;
                own.iter_mut().zip(words).for_each(|(v, w)| *v = T::of(*w));
            }
        }
        if covered != axis.end - axis.start {
            self.miss(name);
        }
    }

    /// What was kept of each place of the axis.
    fn stored(&self, name: &str) -> impl Iterator<Item = (u64, &[u64])> {
        let axis = self.axis.clone();
        let pieces = self.pieces.get(&self.named(name)).map_or(&[][..], Vec::as_slice);
        pieces.iter().flat_map(move |piece| {
            let (first, lengths, words) = match piece {
                Piece::Lists { first, lengths, words } => (*first, lengths.as_slice(), words.as_slice()),
                Piece::Whole(_) | Piece::Column { .. } => (0, &[][..], &[][..]),
            };
            let (axis, mut at) = (axis.clone(), 0);
            (first..).zip(lengths).filter_map(move |(place, n)| {
                let own = at..at + *n as usize;
                at = own.end;
                axis.contains(&place).then(|| (place, &words[own]))
            })
        })
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    fn miss(&mut self, name: &str) {
        let name = self.named(name);
        self.refuse(format!("the state of another network: {name} is not there, or of another size"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A share of ten places with a number each, lists of some, and one number for all.
    #[derive(Clone)]
    struct Share {
        places: Range<u64>,
        column: Vec<f64>,
        lists: Vec<(u32, u32)>,
        listed: Vec<u64>,
        common: u64,
        here: Option<f64>,
    }

    impl Share {
        fn lengths(&self) -> Vec<u32> {
            self.places.clone().map(|p| p as u32 % 3).collect()
        }

        fn of(places: Range<u64>, filled: bool) -> Self {
            let value = |v: u64| if filled { v } else { 0 };
            let mut share = Self {
                column: places.clone().map(|p| value(p) as f64 / 4.0).collect(),
                lists: Vec::new(),
                listed: Vec::new(),
                common: value(77),
                here: (filled && places.contains(&7)).then_some(7.5),
                places: places.clone(),
            };
            for p in places.clone() {
                (0..p % 3).for_each(|k| share.listed.push(value(p * 10 + k)));
                let local = (p - places.start) as u32;
                (0..p % 4).filter(|_| filled).for_each(|k| share.lists.push((local, (p * 100 + k) as u32)));
            }
            share
        }
    }

    impl Snapshot for Share {
        fn visit(&mut self, pass: &mut Pass<'_>) {
            let lengths = self.lengths();
            let Self { places, column, lists, listed, common, here } = self;
            pass.number("common", common);
            pass.along(places.start, lengths.len(), |pass| {
                pass.inside("share", |pass| {
                    pass.column("column", column);
                    pass.lists("lists", lists);
                    pass.listed("listed", &lengths, listed);
                });
                let mut one = vec![here.unwrap_or(0.0); lengths.len()];
                if (!pass.saves() || here.is_some()) && pass.part("here", &mut one) {
                    *here = Some(one[0].max(one[one.len() - 1]));
                }
            });
        }
    }

    fn saved(shares: &[Range<u64>]) -> State {
        let mut state = State::new(3);
        for places in shares {
            let mut own = State::new(3);
            own.save(&mut Share::of(places.clone(), true));
            state.join(own);
        }
        State::from_bytes(&state.to_bytes()).unwrap()
    }

    #[test]
    fn what_some_threads_kept_others_take_back() {
        let splits: [&[Range<u64>]; 3] = [&[0..4, 4..10], &[0..10, 10..10], &[0..1, 1..7, 7..10]];
        for from in splits {
            let mut state = saved(from);
            assert_eq!(state.step(), 3);
            for places in splits.into_iter().flatten() {
                let (mut share, whole) = (Share::of(places.clone(), false), Share::of(places.clone(), true));
                state.restore(&mut share).unwrap();
                assert_eq!((share.column, share.lists), (whole.column, whole.lists), "{from:?} {places:?}");
                assert_eq!((share.listed, share.common), (whole.listed, 77), "{from:?} {places:?}");
                assert!(!places.contains(&7) || share.here == Some(7.5), "{from:?} {places:?}");
            }
        }
    }

    #[test]
    fn what_was_not_kept_is_said() {
        let mut state = saved(&[0..4, 4..8]);
        let error = state.restore(&mut Share::of(0..10, false)).unwrap_err();
        assert!(error.message.contains("share/column"), "{error}");
        let mut share = Share::of(4..6, false);
        share.listed.push(0);
        let Share { listed, .. } = &mut share;
        let mut pass = Pass::new(&mut state.pieces, 3, false);
        pass.along(4, 2, |pass| pass.inside("share", |pass| pass.listed("listed", &[1, 3], listed)));
        assert!(pass.wrong.is_some_and(|w| w.contains("share/listed")));
    }
}
