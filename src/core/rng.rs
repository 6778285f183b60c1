//! Counter-based random numbers: a draw is a function of what it is for, never of when or where it was made.
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, doi:10.1145/2063384.2063405). The key is made of the seed and the
//! full name of the entity and purpose; the counter of unit (or connection), step, and draw. So results depend neither
//! on the number of threads, nor on the order of lanes, nor on what else exists.

use std::convert::Infallible;

use super::vector::vectorised;

const M0: u32 = 0xD251_1F53;
const M1: u32 = 0xCD9E_8D57;
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// One block of Philox4x32-10: 128 random bits for a counter and a key.
#[inline(always)]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for _ in 0..10 {
        let p0 = u64::from(M0) * u64::from(c[0]);
        let p1 = u64::from(M1) * u64::from(c[2]);
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(W0), k[1].wrapping_add(W1)];
    }
    c
}

/// Blocks of [`philox_side`] that keep the rounds in vector registers (8 and 32 take two to three times as long).
pub const SIDE: usize = 16;

const LOW: u64 = 0xFFFF_FFFF;

/// [`Key::block`] 0 of the units `first`, `first + 1`, ..., word by word in the low halves of the numbers.
#[inline(always)]
pub fn philox_side(key: Key, first: u32, step: u64) -> [[u64; SIDE]; 4] {
    let units = std::array::from_fn(|i| u64::from(first.wrapping_add(i as u32)));
    side_by_side(key, [units, [step & LOW; SIDE], [step >> 32; SIDE], [0; SIDE]])
}

/// [`Key::block`] 0 of `unit` in the steps `first`, `first + 1`, ..., word by word in the low halves of the numbers.
#[inline(always)]
pub(crate) fn philox_steps(key: Key, unit: u32, first: u64) -> [[u64; SIDE]; 4] {
    let step = |i: usize| first.wrapping_add(i as u64);
    let (low, high) = (std::array::from_fn(|i| step(i) & LOW), std::array::from_fn(|i| step(i) >> 32));
    side_by_side(key, [[u64::from(unit); SIDE], low, high, [0; SIDE]])
}

/// [`Key::block`] 0 of each of `units`, each in its own step, word by word in the low halves of the numbers.
#[inline(always)]
pub fn philox_each(key: Key, units: [u32; SIDE], steps: [u32; SIDE]) -> [[u64; SIDE]; 4] {
    side_by_side(key, [units.map(u64::from), steps.map(u64::from), [0; SIDE], [0; SIDE]])
}

/// [`Key::block`] of `unit` at `step`, blocks `first`, `first + 1`, ..., word by word in the low halves of the numbers.
#[inline(always)]
pub fn philox_blocks(key: Key, unit: u32, step: u64, first: u32) -> [[u64; SIDE]; 4] {
    let blocks = std::array::from_fn(|i| u64::from(first.wrapping_add(i as u32)));
    side_by_side(key, [[u64::from(unit); SIDE], [step & LOW; SIDE], [step >> 32; SIDE], blocks])
}

/// Philox for many counters. The words are carried in 64 bits each, so that a round is two widening multiplications,
/// shifts and xors, which compile to vector instructions as they stand; what stands in the high halves is never looked
/// at.
#[inline(always)]
fn side_by_side(key: Key, counters: [[u64; SIDE]; 4]) -> [[u64; SIDE]; 4] {
    let [mut a, mut b, mut c, mut d] = counters;
    let mut k = key.0;
    for _ in 0..10 {
        let (k0, k1) = (u64::from(k[0]), u64::from(k[1]));
        for i in 0..SIDE {
            let p0 = u64::from(M0) * (a[i] & LOW);
            let p1 = u64::from(M1) * (c[i] & LOW);
            a[i] = (p1 >> 32) ^ b[i] ^ k0;
            c[i] = (p0 >> 32) ^ d[i] ^ k1;
            b[i] = p1;
            d[i] = p0;
        }
        k = [k[0].wrapping_add(W0), k[1].wrapping_add(W1)];
    }
    [a, b, c, d]
}

/// What a random number is for: seed, entity and purpose, mixed to 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(pub [u32; 2]);

impl Key {
    /// The key of `purpose` (`"initial.V_m"`, `"weight"`, `"xi.V_m"`) of `entity` (`"populations.exc"`) under `seed`.
    pub fn new(seed: u64, entity: &str, purpose: &str) -> Self {
        // FNV-1a over the name, then two rounds of SplitMix64's finaliser with the seed: short names differ in all
        // bits.
        let mut h = 0xcbf2_9ce4_8422_2325_u64;
        for b in entity.bytes().chain([0xff]).chain(purpose.bytes()) {
            h = (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mixed = split_mix(split_mix(h) ^ split_mix(seed.wrapping_add(0x9E37_79B9_7F4A_7C15)));
        Self([mixed as u32, (mixed >> 32) as u32])
    }

    /// 128 bits for `unit` at `step`, draw block `block`. The counter is (unit, step low, step high, block).
    #[inline(always)]
    pub fn block(self, unit: u32, step: u64, block: u32) -> [u32; 4] {
        philox([unit, step as u32, (step >> 32) as u32, block], self.0)
    }

    /// A generator for everything drawn for one unit or connection (or one step of it).
    pub fn stream(self, unit: u32, step: u64) -> Stream {
        Stream { key: self.0, unit, step, block: 0, buffer: [0; 4], used: 4 }
    }
}

fn split_mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A uniform number in `[0, 1)` with 53 bits.
#[inline(always)]
pub fn unit_interval(high: u32, low: u32) -> f64 {
    ((u64::from(high) << 32 | u64::from(low)) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// [`unit_interval`] of the low halves of two numbers, by operations that vectorise (no conversion from 64-bit
/// integers).
#[inline(always)]
pub fn unit_interval_wide(high: u64, low: u64) -> f64 {
    const WHOLE: f64 = (1u64 << 52) as f64;
    // Whole numbers below 2^52 stand as they are in the mantissa; both parts and their sum are exact.
    let number = |bits: u64| f64::from_bits(bits | WHOLE.to_bits()) - WHOLE;
    (number(high & LOW) * (1u64 << 21) as f64 + number((low & LOW) >> 11)) * (1.0 / (1u64 << 53) as f64)
}

/// Draws of one unit, as a generator that `rand_distr` accepts.
#[derive(Debug, Clone)]
pub struct Stream {
    key: [u32; 2],
    unit: u32,
    step: u64,
    block: u32,
    buffer: [u32; 4],
    used: usize,
}

impl Stream {
    #[inline]
    fn draw(&mut self) -> u32 {
        if self.used == 4 {
            self.buffer = philox([self.unit, self.step as u32, (self.step >> 32) as u32, self.block], self.key);
            self.block = self.block.wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    /// A uniform number in `[0, 1)`.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        let high = self.draw();
        unit_interval(high, self.draw())
    }

    /// A uniform whole number in `0..n` without modulo bias (Lemire 2019, doi:10.1145/3230636).
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        below(n, || self.draw())
    }
}

/// What [`Stream`] draws, with many blocks made at once: for units that draw much.
#[derive(Debug, Clone)]
pub struct Bulk {
    key: Key,
    unit: u32,
    step: u64,
    block: u32,
    words: [[u64; SIDE]; 4],
    used: usize,
}

vectorised! {
    /// The words of some blocks.
    fn make(key: Key, unit: u32, step: u64, first: u32, words: &mut [[u64; SIDE]; 4]) {
        *words = philox_blocks(key, unit, step, first);
    }
}

impl Bulk {
    /// The draws of [`Key::stream`].
    pub fn new(key: Key, unit: u32, step: u64) -> Self {
        Self { key, unit, step, block: 0, words: [[0; SIDE]; 4], used: 4 * SIDE }
    }

    #[inline]
    fn draw(&mut self) -> u32 {
        if self.used == 4 * SIDE {
            make(self.key, self.unit, self.step, self.block, &mut self.words);
            self.block = self.block.wrapping_add(SIDE as u32);
            self.used = 0;
        }
        let word = self.words[self.used % 4][self.used / 4] as u32;
        self.used += 1;
        word
    }

    /// See [`Stream::below`].
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        below(n, || self.draw())
    }
}

/// A uniform whole number in `0..n` without modulo bias (Lemire 2019, doi:10.1145/3230636) of random words.
#[inline(always)]
fn below(n: u32, mut draw: impl FnMut() -> u32) -> u32 {
    let mut product = u64::from(draw()) * u64::from(n);
    if is_doubtful(product, n) {
        let threshold = n.wrapping_neg() % n;
        while (product as u32) < threshold {
            product = u64::from(draw()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

/// Whether the product of a random word with `n` may have to be drawn anew for all of `0..n` to be equally likely; the
/// number is its high half.
#[inline(always)]
pub fn is_doubtful(product: u64, n: u32) -> bool {
    (product as u32) < n
}

impl rand::TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.draw())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let high = u64::from(self.draw());
        Ok(high << 32 | u64::from(self.draw()))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(4) {
            let bytes = self.draw().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn names_and_seeds_give_independent_streams() {
        let mean = |key: Key| (0..4000).map(|u| key.stream(u, 0).uniform()).sum::<f64>() / 4000.0;
        for (seed, name) in [(1, "populations.a"), (2, "populations.a"), (1, "populations.b")] {
            assert!((mean(Key::new(seed, name, "x")) - 0.5).abs() < 0.02);
        }
        assert_ne!(Key::new(1, "ab", "c"), Key::new(1, "a", "bc"));
    }

    /// Many blocks at once are the blocks one by one, of all three kinds; numbers of wide words are those of words.
    #[test]
    fn many_at_once_are_one_by_one() {
        let key = Key::new(11, "entity", "purpose");
        let words = |[a, b, c, d]: [[u64; SIDE]; 4], i: usize| [a[i], b[i], c[i], d[i]].map(|w| w as u32);
        let units: [u32; SIDE] = std::array::from_fn(|i| (i as u32).wrapping_mul(0x9E37_79B9));
        let steps: [u32; SIDE] = std::array::from_fn(|i| u32::MAX - 3 * i as u32);
        let each = philox_each(key, units, steps);
        let step = (7 << 32) + 5;
        let blocks = philox_blocks(key, 77, step, 3);
        for i in 0..SIDE {
            let block = key.block(units[i], u64::from(steps[i]), 0);
            assert_eq!(words(each, i), block);
            assert_eq!(words(blocks, i), key.block(77, step, 3 + i as u32));
            assert_eq!(unit_interval_wide(each[0][i], each[1][i]), unit_interval(block[0], block[1]));
        }
        for (high, low) in [(0, 0), (u32::MAX, u32::MAX), (1, 0), (0, 1 << 11), (0x8000_0000, 0x7FF)] {
            let wide = |word: u32| u64::from(word) | 0xABCD << 32;
            assert_eq!(unit_interval_wide(wide(high), wide(low)), unit_interval(high, low));
        }
        let (mut bulk, mut stream) = (Bulk::new(key, 4, 9), key.stream(4, 9));
        for n in (1..3000).chain([u32::MAX, u32::MAX / 2 + 2, 3 << 30]).cycle().take(9000) {
            assert_eq!(bulk.below(n), stream.below(n));
        }
    }

    #[test]
    fn whole_numbers_are_even() {
        let mut s = Key::new(3, "t", "below").stream(0, 0);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[s.below(7) as usize] += 1;
        }
        assert!(counts.iter().all(|&c| (9_600..10_400).contains(&c)), "{counts:?}");
    }
}
