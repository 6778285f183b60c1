//! The random numbers of NumPy's default generator, so that a run of a Python program can be repeated number by number.
//!
//! PCG64 (O'Neill 2014, PCG: a family of simple fast space-efficient statistically good algorithms for random number
//! generation, HMC-CS-2014-0905; the XSL-RR output of 128 bits of state), seeded as `numpy.random.default_rng(seed)`
//! does, and normal numbers by the ziggurat of Marsaglia and Tsang (2000, doi:10.18637/jss.v005.i08) in 256 layers. A
//! stream is sequential: what a draw is depends on how many were made before. Everything else in this program uses
//! [`super::rng`], whose draws depend on nothing but what they are for.

use std::sync::OnceLock;

use super::math::{exp, log, sqrt};

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;
/// Where the tail of the ziggurat starts, and the area of each layer.
const TAIL: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_974_655;
const LAYERS: usize = 256;
/// Numbers of 52 bits.
const FULL: f64 = 4_503_599_627_370_496.0;

/// A stream of NumPy's default generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcg64 {
    state: u128,
    increment: u128,
}

/// Widths, acceptance bounds and heights of the layers.
struct Ziggurat {
    width: [f64; LAYERS],
    inside: [u64; LAYERS],
    height: [f64; LAYERS],
}

impl Pcg64 {
    /// The stream of `numpy.random.default_rng(seed)`.
    pub fn new(seed: u64) -> Self {
        let [a, b, c, d] = spread(seed);
        let pair = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut pcg = Self { state: 0, increment: pair(c, d) << 1 | 1 };
        pcg.step();
        pcg.state = pcg.state.wrapping_add(pair(a, b));
        pcg.step();
        pcg
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.step();
        ((self.state >> 64) as u64 ^ self.state as u64).rotate_right((self.state >> 122) as u32)
    }

    /// A number in [0, 1) with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A standard normal number.
    pub fn normal(&mut self) -> f64 {
        let layers = ziggurat();
        loop {
            let bits = self.bits();
            let layer = (bits & 0xff) as usize;
            let place = bits >> 9 & 0x000f_ffff_ffff_ffff;
            let size = place as f64 * layers.width[layer];
            let x = if bits >> 8 & 1 == 1 { -size } else { size };
            if place < layers.inside[layer] {
                return x;
            }
            if layer == 0 {
                return self.tail(place >> 8 & 1 == 1);
            }
            let [above, here] = [layers.height[layer - 1], layers.height[layer]];
            if (above - here) * self.uniform() + here < exp(-0.5 * x * x) {
                return x;
            }
        }
    }

    /// Beyond the layers: Marsaglia 1964, doi:10.1080/00401706.1964.10490150.
    fn tail(&mut self, negative: bool) -> f64 {
        loop {
            let x = -log_of_rest(self.uniform()) / TAIL;
            let y = -log_of_rest(self.uniform());
            if y + y > x * x {
                return if negative { -(TAIL + x) } else { TAIL + x };
            }
        }
    }
}

/// log(1 - u) without the rounding of 1 - u (Kahan).
fn log_of_rest(u: f64) -> f64 {
    let rest = 1.0 - u;
    if rest >= 1.0 { -u } else { log(rest) * (-u / (rest - 1.0)) }
}

fn ziggurat() -> &'static Ziggurat {
    static TABLES: OnceLock<Ziggurat> = OnceLock::new();
    TABLES.get_or_init(|| {
        let density = |x: f64| exp(-0.5 * x * x);
        let (mut width, mut inside, mut height) = ([0.0; LAYERS], [0; LAYERS], [0.0; LAYERS]);
        let (mut x, mut outer) = (TAIL, TAIL);
        let base = AREA / density(TAIL);
        inside[0] = (TAIL / base * FULL) as u64;
        width[0] = base / FULL;
        width[LAYERS - 1] = TAIL / FULL;
        height[0] = 1.0;
        height[LAYERS - 1] = density(TAIL);
        for layer in (1..LAYERS - 1).rev() {
            x = sqrt(-2.0 * log(AREA / x + density(x)));
            inside[layer + 1] = (x / outer * FULL) as u64;
            outer = x;
            height[layer] = density(x);
            width[layer] = x / FULL;
        }
        Ziggurat { width, inside, height }
    })
}

/// Four words from a seed, as NumPy's `SeedSequence` spreads it.
fn spread(seed: u64) -> [u64; 4] {
    const POOL: usize = 4;
    let entropy: Vec<u32> = if seed >> 32 == 0 { vec![seed as u32] } else { vec![seed as u32, (seed >> 32) as u32] };
    let mut factor = 0x43b0_d7e5_u32;
    let mut hash = |value: u32| {
        let mixed = value ^ factor;
        factor = factor.wrapping_mul(0x931e_8875);
        let mixed = mixed.wrapping_mul(factor);
        mixed ^ mixed >> 16
    };
    let mut pool: [u32; POOL] = std::array::from_fn(|i| hash(entropy.get(i).copied().unwrap_or(0)));
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(hash(pool[from]).wrapping_mul(0x4973_f715));
            pool[to] = mixed ^ mixed >> 16;
        }
    }
    let mut factor = 0x8b51_f9dd_u32;
    let mut word = |i: usize| {
        let mixed = pool[i % POOL] ^ factor;
        factor = factor.wrapping_mul(0x58f3_8ded);
        let mixed = mixed.wrapping_mul(factor);
        u64::from(mixed ^ mixed >> 16)
    };
    std::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written out by NumPy 2.5 (the state and the raw outputs also in an independent implementation).
    #[test]
    fn the_stream_of_seed_42_is_numpys() {
        let mut pcg = Pcg64::new(42);
        assert_eq!(pcg.state, 274_674_114_334_540_486_603_088_602_300_644_985_544);
        assert_eq!(pcg.increment, 332_724_090_758_049_132_448_979_897_138_935_081_983);
        let raw: Vec<u64> = (0..3).map(|_| pcg.bits()).collect();
        assert_eq!(raw, [14_276_969_152_011_380_360, 8_095_878_257_575_067_585, 15_838_336_090_824_644_132]);
    }

    #[test]
    fn a_million_normal_numbers_are_numpys() {
        let mut pcg = Pcg64::new(42);
        let all: Vec<f64> = (0..1_000_000).map(|_| pcg.normal()).collect();
        let first = [
            0.304_717_079_754_431_35,
            -1.039_984_106_240_495_5,
            0.750_451_195_806_457_2,
            0.940_564_716_391_213_9,
            -1.951_035_188_653_836_4,
            -1.302_179_506_862_318,
            0.127_840_403_167_285_37,
            -0.316_242_592_343_582_2,
        ];
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-14 * b.abs(), "{a} {b}");
        all.iter().zip(first).for_each(|(a, b)| close(*a, b));
        close(all[199_999], 0.269_002_882_423_473_26);
        close(all[999_999], 0.876_789_925_785_765_5);
        // From the tail beyond the layers.
        close(all[42_665], 5.007_235_231_908_996_6);
        close(all[198_627], -4.928_238_480_785_121);
        let sum: f64 = all.iter().sum();
        let squares: f64 = all.iter().map(|z| z * z).sum();
        assert!(
            (sum - 97.502_497_893_764_26).abs() < 1e-8 && (squares - 1_000_965.528_931_871_5).abs() < 1e-5,
            "{sum} {squares}"
        );
    }

    #[test]
    fn seeds_of_more_than_32_bits_are_spread_as_numpy_does() {
        let first = |seed: u64| Pcg64::new(seed).normal();
        assert!((first(7) - 0.001_230_153_357_482_574_2).abs() < 1e-16);
        assert!((first((1 << 40) + 5) + 0.098_185_521_489_288_54).abs() < 1e-15);
    }
}
