//! The stretch that all units were observed in: silence and absence are different things.

/// A stretch of time.
pub(super) type Span = (f64, f64);

/// The stretches that lie in each of `all`, whose own are joined where they meet.
pub(super) fn common(all: &[Vec<Span>]) -> Vec<Span> {
    let mut units = all.iter().map(|own| joined(own));
    let Some(mut shared) = units.next() else { return Vec::new() };
    for own in units {
        let mut both = Vec::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(&(a, b)), Some(&(c, d))) = (shared.get(i), own.get(j)) {
            let (start, stop) = (a.max(c), b.min(d));
            if start < stop {
                both.push((start, stop));
            }
            if b < d {
                i += 1;
            } else {
                j += 1;
            }
        }
        shared = both;
    }
    shared
}

/// Stretches in the order of time, joined where they meet.
fn joined(own: &[Span]) -> Vec<Span> {
    let mut sorted = own.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out: Vec<Span> = Vec::with_capacity(sorted.len());
    for (start, stop) in sorted {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(stop),
            _ => out.push((start, stop)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_saw_is_what_none_missed() {
        assert_eq!(common(&[vec![(0.0, 10.0)], vec![(0.0, 5.0)]]), [(0.0, 5.0)]);
        assert_eq!(common(&[vec![(6.0, 9.0), (0.0, 4.0)], vec![(1.0, 7.0)]]), [(1.0, 4.0), (6.0, 7.0)]);
        assert_eq!(common(&[vec![(0.0, 2.0), (2.0, 3.0), (1.0, 2.5)]]), [(0.0, 3.0)]);
        assert!(common(&[vec![(0.0, 1.0)], vec![(1.0, 2.0)]]).is_empty());
        assert!(common(&[]).is_empty());
    }

    /// A time is in the common stretches when it is in some stretch of every unit, whatever they are.
    #[test]
    fn common_stretches_hold_as_moments_do() {
        let mut state = 7_u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        for _ in 0..2000 {
            let all: Vec<Vec<Span>> = (0..=next(4))
                .map(|_| {
                    (0..next(5))
                        .map(|_| {
                            let start = next(20) as f64;
                            (start, start + 1.0 + next(6) as f64)
                        })
                        .collect()
                })
                .collect();
            let shared = common(&all);
            for k in 0..60 {
                let t = f64::from(k) * 0.5 + 0.25;
                let inside = |own: &[Span]| own.iter().any(|s| s.0 < t && t < s.1);
                assert_eq!(inside(&shared), all.iter().all(|own| inside(own)), "{t} {all:?}");
            }
        }
    }
}
