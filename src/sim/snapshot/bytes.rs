//! A state as bytes, and back: names and numbers, little end first.

use super::{Piece, Pieces, State, StateError};

/// What stands before a piece.
const WHOLE: u64 = 0;
const COLUMN: u64 = 1;
const LISTS: u64 = 2;

/// Appends numbers to bytes.
fn put(words: impl IntoIterator<Item = u64>, to: &mut Vec<u8>) {
    to.extend(words.into_iter().flat_map(u64::to_le_bytes));
}

/// What is left of the bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (own, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(own)
    }

    fn number(&mut self) -> Option<u64> {
        self.bytes(8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// As many numbers as the one before them says.
    fn words(&mut self) -> Option<Vec<u64>> {
        let bytes = self.count()?.checked_mul(8)?;
        let (chunks, _) = self.bytes(bytes)?.as_chunks::<8>();
        Some(chunks.iter().map(|b| u64::from_le_bytes(*b)).collect())
    }

    fn lengths(&mut self) -> Option<Vec<u32>> {
        let bytes = self.count()?.checked_mul(4)?;
        let (chunks, _) = self.bytes(bytes)?.as_chunks::<4>();
        Some(chunks.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    fn name(&mut self) -> Option<String> {
        let count = self.count()?;
        String::from_utf8(self.bytes(count)?.to_vec()).ok()
    }

    /// The first place of an axis; units are numbered by 32 bits, and places are not many times as many.
    fn first(&mut self) -> Option<u64> {
        self.number().filter(|first| *first < 1 << 48)
    }

    fn piece(&mut self) -> Option<Piece> {
        Some(match self.number()? {
            WHOLE => Piece::Whole(self.words()?),
            COLUMN => Piece::Column { first: self.first()?, words: self.words()? },
            LISTS => {
                let (first, lengths, words) = (self.first()?, self.lengths()?, self.words()?);
                let total: u64 = lengths.iter().map(|n| u64::from(*n)).sum();
                (total == words.len() as u64).then_some(Piece::Lists { first, lengths, words })?
            }
            _ => return None,
        })
    }

    fn state(&mut self) -> Option<State> {
        let (step, names) = (self.number()?, self.number()?);
        let mut pieces = Pieces::new();
        for _ in 0..names {
            let (name, count) = (self.name()?, self.number()?);
            let mut own = Vec::new();
            for _ in 0..count {
                own.push(self.piece()?);
            }
            pieces.insert(name, own);
        }
        self.0.is_empty().then_some(State { step, pieces })
    }
}

impl State {
    /// All of it as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.put_bytes(&mut bytes);
        bytes
    }

    /// Appends all of it as bytes.
    pub fn put_bytes(&self, bytes: &mut Vec<u8>) {
        let Self { step, pieces } = self;
        put([*step, pieces.len() as u64], bytes);
        for (name, pieces) in pieces {
            put([name.len() as u64], bytes);
            bytes.extend_from_slice(name.as_bytes());
            put([pieces.len() as u64], bytes);
            for piece in pieces {
                let words = match piece {
                    Piece::Whole(words) => {
                        put([WHOLE], bytes);
                        words
                    }
                    Piece::Column { first, words } => {
                        put([COLUMN, *first], bytes);
                        words
                    }
                    Piece::Lists { first, lengths, words } => {
                        put([LISTS, *first, lengths.len() as u64], bytes);
                        bytes.extend(lengths.iter().flat_map(|n| n.to_le_bytes()));
                        words
                    }
                };
                put([words.len() as u64], bytes);
                put(words.iter().copied(), bytes);
            }
        }
    }

    /// The state that was written as these bytes.
    ///
    /// # Errors
    /// When they are cut short, or no state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let message = "its bytes are no state: they are cut short or damaged";
        Reader(bytes).state().ok_or_else(|| StateError { message: message.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_cut_or_changed_in_their_form_are_no_state() {
        let mut pieces = Pieces::new();
        pieces.insert("a/whole".into(), vec![Piece::Whole(vec![1, u64::MAX])]);
        let column = Piece::Column { first: 3, words: vec![2.5_f64.to_bits()] };
        pieces
            .insert("b".into(), vec![column, Piece::Lists { first: 0, lengths: vec![2, 0, 1], words: vec![7, 8, 9] }]);
        let state = State { step: 12, pieces };
        let bytes = state.to_bytes();
        assert_eq!(State::from_bytes(&bytes).unwrap(), state);
        for cut in 0..bytes.len() {
            State::from_bytes(&bytes[..cut]).unwrap_err();
        }
        State::from_bytes(&[&bytes[..], &[0]].concat()).unwrap_err();
        // A length that says more than there is.
        let mut longer = bytes;
        longer[8] = 200;
        State::from_bytes(&longer).unwrap_err();
    }
}
