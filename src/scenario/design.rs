//! Where the points of a drawn sweep lie in the unit cube: at random, on a Latin hypercube, on a Sobol' sequence.

use spikedeck_core::rng::{Key, Stream};

use super::language::Words as _;
use super::spec::Design;

/// Most axes of a Sobol' sequence: as many direction numbers are known here.
pub(super) const MOST_SOBOL_AXES: usize = DIRECTIONS.len() + 1;

/// `points` places in `axes` dimensions, each in [0, 1), place by place. They depend on `seed` alone.
///
/// - Random: independent uniform numbers.
/// - Latin hypercube (McKay, Beckman, Conover 1979, doi:10.1080/00401706.1979.10489755): each of `points` equal parts
///   of each axis holds one place.
/// - Sobol' (direction numbers of Joe and Kuo 2008, doi:10.1137/070709359) with a random digital shift: evenest for
///   powers of two.
///
/// None of a product or of lists, which are not drawn.
pub(super) fn drawn(design: Design, seed: u64, axes: usize, points: u64) -> Vec<Vec<f64>> {
    let stream = |axis: usize, part: u64| Key::new(seed, "sweep", design.word()).stream(axis as u32, part);
    let columns: Vec<Vec<f64>> = (0..axes)
        .map(|axis| {
            let mut stream = stream(axis, 0);
            match design {
                Design::Product | Design::Zip => Vec::new(),
                Design::Random => (0..points).map(|_| stream.uniform()).collect(),
                Design::LatinHypercube => latin(&mut stream, points),
                Design::Sobol => {
                    let shift = stream.below(u32::MAX);
                    let directions = directions(axis);
                    (0..points as u32).map(|k| fraction(sobol(&directions, k) ^ shift)).collect()
                }
            }
        })
        .collect();
    (0..points as usize).map(|k| columns.iter().filter_map(|c| c.get(k).copied()).collect()).collect()
}

/// One place in each of `points` equal parts, in random order.
fn latin(stream: &mut Stream, points: u64) -> Vec<f64> {
    let mut parts: Vec<u64> = (0..points).collect();
    for k in (1..parts.len()).rev() {
        parts.swap(k, stream.below(k as u32 + 1) as usize);
    }
    parts.into_iter().map(|part| (part as f64 + stream.uniform()) / points as f64).collect()
}

/// A number in [0, 1) with these 32 digits after the point.
fn fraction(digits: u32) -> f64 {
    f64::from(digits) / 4_294_967_296.0
}

/// Point `k` of the sequence with these direction numbers, in the order of Gray's code.
fn sobol(directions: &[u32; 32], k: u32) -> u32 {
    let gray = k ^ (k >> 1);
    directions.iter().enumerate().filter(|(bit, _)| gray >> bit & 1 == 1).fold(0, |sum, (_, v)| sum ^ v)
}

/// The direction numbers of one dimension.
fn directions(axis: usize) -> [u32; 32] {
    let mut v: [u32; 32] = std::array::from_fn(|k| 1 << (31 - k));
    let Some((coefficients, first)) = axis.checked_sub(1).map(|at| DIRECTIONS[at]) else { return v };
    let degree = first.len();
    for k in 0..32 {
        v[k] = if k < degree {
            first[k] << (31 - k)
        } else {
            let recent = (1..degree).filter(|i| coefficients >> (degree - 1 - i) & 1 == 1);
            recent.fold(v[k - degree] ^ (v[k - degree] >> degree), |sum, i| sum ^ v[k - i])
        };
    }
    v
}

/// Of each dimension but the first: the coefficients of its primitive polynomial, and its first direction numbers (the
/// file `new-joe-kuo-6.21201`).
const DIRECTIONS: [(u32, &[u32]); 20] = [
    (0, &[1]),
    (1, &[1, 3]),
    (1, &[1, 3, 1]),
    (2, &[1, 1, 1]),
    (1, &[1, 1, 3, 3]),
    (4, &[1, 3, 5, 13]),
    (2, &[1, 1, 5, 5, 17]),
    (4, &[1, 1, 5, 5, 5]),
    (7, &[1, 1, 7, 11, 19]),
    (11, &[1, 1, 5, 1, 1]),
    (13, &[1, 1, 1, 3, 11]),
    (14, &[1, 3, 5, 5, 31]),
    (1, &[1, 3, 3, 9, 7, 49]),
    (13, &[1, 1, 1, 15, 21, 21]),
    (16, &[1, 3, 1, 13, 27, 49]),
    (19, &[1, 1, 1, 15, 7, 5]),
    (22, &[1, 3, 1, 15, 13, 25]),
    (25, &[1, 1, 5, 5, 19, 61]),
    (1, &[1, 3, 7, 11, 23, 15, 103]),
    (4, &[1, 3, 7, 13, 13, 15, 69]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy 1.13, `qmc.Sobol(d=21, scramble=False)`, times 1024 (`data/reference/sobol_scipy.py`).
    #[test]
    fn sobol_points_are_those_of_scipy() {
        let scipy: [(u32, [u32; 21]); 3] = [
            (
                6,
                [
                    640, 128, 896, 640, 640, 896, 128, 128, 128, 384, 128, 640, 128, 896, 640, 640, 640, 640, 128, 384,
                    384,
                ],
            ),
            (
                100,
                [
                    424, 264, 792, 744, 904, 760, 24, 488, 648, 712, 472, 696, 488, 872, 328, 504, 696, 760, 856, 344,
                    776,
                ],
            ),
            (
                1023,
                [1, 771, 627, 149, 191, 449, 143, 633, 353, 871, 695, 37, 133, 681, 371, 475, 321, 897, 599, 327, 887],
            ),
        ];
        for (k, expected) in scipy {
            for (axis, expected) in expected.into_iter().enumerate() {
                assert_eq!(fraction(sobol(&directions(axis), k)) * 1024.0, f64::from(expected), "{k} {axis}");
            }
        }
    }

    /// Both even designs have one place in each part of each axis; the random one has not.
    #[test]
    fn even_designs_have_a_place_in_each_part() {
        let parts = |design: Design| {
            let places = drawn(design, 5, 3, 64);
            (0..3).all(|axis| {
                let mut parts: Vec<u32> = places.iter().map(|p| (p[axis] * 64.0) as u32).collect();
                parts.sort_unstable();
                parts.iter().enumerate().all(|(k, part)| k as u32 == *part)
            })
        };
        assert!(parts(Design::LatinHypercube) && parts(Design::Sobol) && !parts(Design::Random));
    }

    /// The share of places in a corner of half each side is a quarter: within five standard deviations at random,
    /// exactly on a Sobol' sequence.
    #[test]
    fn places_fill_the_square() {
        let share = |design: Design, seed: u64| {
            let places = drawn(design, seed, 2, 1024);
            places.iter().filter(|p| p[0] < 0.5 && p[1] < 0.5).count()
        };
        for seed in 0..20 {
            assert_eq!(share(Design::Sobol, seed), 256);
            for design in [Design::Random, Design::LatinHypercube] {
                assert!(share(design, seed).abs_diff(256) < 70, "{seed}");
            }
        }
        assert_ne!(drawn(Design::Sobol, 1, 2, 8), drawn(Design::Sobol, 2, 2, 8), "the shift is drawn");
    }
}
