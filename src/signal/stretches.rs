//! Stretches in which units were observed: silence and absence are different things.

/// A stretch of time, from its start to its stop.
pub type Stretch = (f64, f64);

/// The stretches that lie in each of `all`, whose own are joined where they meet.
pub fn common(all: &[Vec<Stretch>]) -> Vec<Stretch> {
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
pub fn joined(own: &[Stretch]) -> Vec<Stretch> {
    let mut sorted = own.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out: Vec<Stretch> = Vec::with_capacity(sorted.len());
    for (start, stop) in sorted {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(stop),
            _ => out.push((start, stop)),
        }
    }
    out
}

/// What of `own`, stretches in the order of time, lies in none of those that are left out.
pub fn without(own: &[Stretch], left_out: &[Stretch]) -> Vec<Stretch> {
    let gaps = joined(left_out);
    let mut kept = Vec::with_capacity(own.len());
    for &(start, stop) in own {
        let mut from = start;
        for &(a, b) in gaps.iter().filter(|(a, b)| *b > start && *a < stop) {
            if a > from {
                kept.push((from, a));
            }
            from = from.max(b);
        }
        if from < stop {
            kept.push((from, stop));
        }
    }
    kept
}

/// The longest of some stretches, the last of several.
pub fn longest(all: &[Stretch]) -> Option<Stretch> {
    all.iter().copied().fold(None, |best: Option<Stretch>, s| match best {
        Some(b) if b.1 - b.0 > s.1 - s.0 => Some(b),
        _ => Some(s),
    })
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
            let all: Vec<Vec<Stretch>> = (0..=next(4))
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
                let inside = |own: &[Stretch]| own.iter().any(|s| s.0 < t && t < s.1);
                assert_eq!(inside(&shared), all.iter().all(|own| inside(own)), "{t} {all:?}");
            }
        }
    }

    /// A moment is kept when it is in a stretch and in none that is left out.
    #[test]
    fn what_is_left_out_is_in_no_stretch_and_nothing_else_goes() {
        let mut state = 11_u64;
        let mut next = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let mut some = |most: u64| -> Vec<Stretch> {
            (0..next(most))
                .map(|_| {
                    let start = next(20) as f64;
                    (start, start + 1.0 + next(6) as f64)
                })
                .collect()
        };
        for _ in 0..2000 {
            let (own, gaps) = (joined(&some(5)), some(5));
            let kept = without(&own, &gaps);
            assert!(kept.array_windows().all(|[a, b]| a.1 <= b.0) && kept.iter().all(|s| s.0 < s.1), "{kept:?}");
            let inside = |all: &[Stretch], t: f64| all.iter().any(|s| s.0 < t && t < s.1);
            for k in 0..60 {
                let t = f64::from(k) * 0.5 + 0.25;
                assert_eq!(inside(&kept, t), inside(&own, t) && !inside(&gaps, t), "{t} {own:?} {gaps:?}");
            }
            let most = kept.iter().map(|s| s.1 - s.0).fold(0.0, f64::max);
            assert_eq!(longest(&kept).map_or(0.0, |s| s.1 - s.0), most);
        }
    }
}
