//! Nearest neighbours in the maximum norm: a k-d tree with a box at every node, which finds the k-th neighbour and
//! counts points in a ball exactly, with a window of times left out (Theiler 1986, doi:10.1103/PhysRevA.34.2427).
//!
//! Counting needs no list of the points found, and whole subtrees inside the ball are counted at once; so an own tree
//! and not a general one. Comparisons are those of brute force, `|a − b| < ε` in floating point, so results equal it to
//! the bit.

/// Points of a leaf: few enough that testing them all is cheaper than another level.
const LEAF: usize = 12;

/// A k-d tree over points of `D` coordinates.
#[derive(Debug, Clone)]
pub struct Tree<const D: usize> {
    points: Vec<[f64; D]>,
    /// Original index of the point at each place.
    origin: Vec<u32>,
    /// Place of the point with each original index.
    place: Vec<u32>,
    nodes: Vec<Node<D>>,
}

#[derive(Debug, Clone, Copy)]
struct Node<const D: usize> {
    low: [f64; D],
    high: [f64; D],
    from: u32,
    to: u32,
    /// Index of the first of two children that stand side by side; 0 for a leaf.
    child: u32,
}

/// The nearest points found so far.
#[derive(Debug, Clone, Default)]
pub struct Nearest {
    /// Distance and place in the tree of each, nearest first.
    found: Vec<(f64, u32)>,
    k: usize,
}

impl Nearest {
    /// Room for `k` neighbours.
    pub fn new(k: usize) -> Self {
        Self { found: Vec::with_capacity(k + 1), k }
    }

    /// Distance of the k-th neighbour; infinite if there are fewer.
    pub fn radius(&self) -> f64 {
        if self.found.len() < self.k { f64::INFINITY } else { self.found.last().map_or(f64::INFINITY, |f| f.0) }
    }

    fn offer(&mut self, distance: f64, place: u32) {
        if self.found.len() == self.k {
            self.found.pop();
        }
        let at = self.found.partition_point(|f| f.0 <= distance);
        self.found.insert(at, (distance, place));
    }
}

/// How distances are measured where both ways are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norm {
    /// The greatest of the differences.
    Maximum,
    /// The root of the sum of their squares.
    Euclidean,
}

impl Norm {
    /// What grows with the distance and is cheap: the distance itself, or its square.
    #[inline]
    fn grown(self, differences: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Maximum => differences.fold(0.0, f64::max),
            Self::Euclidean => differences.fold(0.0, |sum, d| sum + d * d),
        }
    }

    /// The same of a distance.
    #[inline]
    fn of(self, distance: f64) -> f64 {
        if self == Self::Maximum { distance } else { distance * distance }
    }

    /// The distance again.
    #[inline]
    fn distance(self, grown: f64) -> f64 {
        if self == Self::Maximum { grown } else { grown.sqrt() }
    }

    /// Distance of two points.
    #[inline]
    pub fn between<const D: usize>(self, a: &[f64; D], b: &[f64; D]) -> f64 {
        self.distance(self.grown(a.iter().zip(b).map(|(a, b)| (a - b).abs())))
    }
}

#[inline]
fn distance<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    let mut most = 0.0_f64;
    for d in 0..D {
        most = most.max((a[d] - b[d]).abs());
    }
    most
}

impl<const D: usize> Node<D> {
    /// Least distance of a point of the box.
    #[inline]
    fn nearest(&self, q: &[f64; D]) -> f64 {
        let mut most = 0.0_f64;
        for ((low, high), v) in self.low.iter().zip(&self.high).zip(q) {
            most = most.max(low - v).max(v - high);
        }
        most
    }

    /// The same in a norm, as it is compared there.
    #[inline]
    fn least(&self, q: &[f64; D], norm: Norm) -> f64 {
        norm.grown(self.low.iter().zip(&self.high).zip(q).map(|((low, high), v)| (low - v).max(v - high).max(0.0)))
    }

    /// Greatest distance of a point of the box.
    #[inline]
    fn farthest(&self, q: &[f64; D]) -> f64 {
        let mut most = 0.0_f64;
        for ((low, high), v) in self.low.iter().zip(&self.high).zip(q) {
            most = most.max(v - low).max(high - v);
        }
        most
    }
}

impl<const D: usize> Tree<D> {
    /// Builds the tree: O(n log n).
    pub fn new(points: &[[f64; D]]) -> Self {
        let mut order: Vec<(u32, [f64; D])> = points.iter().enumerate().map(|(i, p)| (i as u32, *p)).collect();
        let mut tree = Self {
            points: Vec::new(),
            origin: Vec::new(),
            place: Vec::new(),
            nodes: Vec::with_capacity(2 * points.len() / LEAF + 2),
        };
        if !points.is_empty() {
            tree.nodes.push(bounds(&order, 0));
            tree.split(0, &mut order, 0);
        }
        tree.points = order.iter().map(|o| o.1).collect();
        tree.origin = order.iter().map(|o| o.0).collect();
        tree.place = vec![0; points.len()];
        for (place, &index) in tree.origin.iter().enumerate() {
            tree.place[index as usize] = place as u32;
        }
        tree
    }

    /// Splits node `at`, whose points are `order` and begin at `from`, along its longest side at the median.
    fn split(&mut self, at: usize, order: &mut [(u32, [f64; D])], from: u32) {
        let node = self.nodes[at];
        let side = |d: usize| node.high[d] - node.low[d];
        let longest = (0..D).fold(0, |best, d| if side(d) > side(best) { d } else { best });
        if order.len() <= LEAF || side(longest) <= 0.0 {
            return;
        }
        let middle = order.len() / 2;
        order.select_nth_unstable_by(middle, |a, b| a.1[longest].total_cmp(&b.1[longest]).then(a.0.cmp(&b.0)));
        let (left, right) = order.split_at_mut(middle);
        let child = self.nodes.len();
        self.nodes[at].child = child as u32;
        self.nodes.push(bounds(left, from));
        self.nodes.push(bounds(right, from + middle as u32));
        self.split(child, left, from);
        self.split(child + 1, right, from + middle as u32);
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The point at a place of the tree, and its original index. Places near each other hold points near each other, so
    /// asking in the order of places is kind to the caches.
    pub fn point(&self, place: usize) -> (&[f64; D], u32) {
        (&self.points[place], self.origin[place])
    }

    /// The points found, as coordinates.
    pub fn found<'a>(&'a self, nearest: &'a Nearest) -> impl Iterator<Item = &'a [f64; D]> {
        nearest.found.iter().map(|f| &self.points[f.1 as usize])
    }

    /// The points found, as original indices.
    pub fn indices<'a>(&'a self, nearest: &'a Nearest) -> impl Iterator<Item = u32> {
        nearest.found.iter().map(|f| self.origin[f.1 as usize])
    }

    /// The `k` nearest points to `q`, those with original indices within `window` of `index` left out (itself always).
    pub fn search(&self, q: &[f64; D], index: u32, window: u32, nearest: &mut Nearest) {
        nearest.found.clear();
        if !self.nodes.is_empty() && nearest.k > 0 {
            self.search_node(0, q, index, window, nearest);
        }
    }

    fn search_node(&self, at: usize, q: &[f64; D], index: u32, window: u32, nearest: &mut Nearest) {
        let node = &self.nodes[at];
        if node.child == 0 {
            for place in node.from..node.to {
                let d = distance(q, &self.points[place as usize]);
                if d < nearest.radius() && self.origin[place as usize].abs_diff(index) > window {
                    nearest.offer(d, place);
                }
            }
            return;
        }
        let (a, b) = (node.child as usize, node.child as usize + 1);
        let (da, db) = (self.nodes[a].nearest(q), self.nodes[b].nearest(q));
        let ((first, d_first), (second, d_second)) = if db < da { ((b, db), (a, da)) } else { ((a, da), (b, db)) };
        if d_first < nearest.radius() {
            self.search_node(first, q, index, window, nearest);
        }
        if d_second < nearest.radius() {
            self.search_node(second, q, index, window, nearest);
        }
    }

    /// The nearest point to `q` among those whose original index is admitted, with its index and distance; of points
    /// that are equally near that which stands first in the tree.
    pub fn nearest(&self, q: &[f64; D], norm: Norm, admits: &impl Fn(u32) -> bool) -> Option<(u32, f64)> {
        let mut best = (u32::MAX, f64::INFINITY);
        if !self.nodes.is_empty() {
            self.nearest_in(0, q, norm, admits, &mut best);
        }
        best.1.is_finite().then(|| (best.0, norm.distance(best.1)))
    }

    fn nearest_in(&self, at: usize, q: &[f64; D], norm: Norm, admits: &impl Fn(u32) -> bool, best: &mut (u32, f64)) {
        let node = &self.nodes[at];
        if node.child == 0 {
            for place in node.from as usize..node.to as usize {
                let d = norm.grown(self.points[place].iter().zip(q).map(|(a, b)| (a - b).abs()));
                if d < best.1 && admits(self.origin[place]) {
                    *best = (self.origin[place], d);
                }
            }
            return;
        }
        let (a, b) = (node.child as usize, node.child as usize + 1);
        let (da, db) = (self.nodes[a].least(q, norm), self.nodes[b].least(q, norm));
        let ((first, d_first), (second, d_second)) = if db < da { ((b, db), (a, da)) } else { ((a, da), (b, db)) };
        if d_first < best.1 {
            self.nearest_in(first, q, norm, admits, best);
        }
        if d_second < best.1 {
            self.nearest_in(second, q, norm, admits, best);
        }
    }

    /// Tells the original index and the distance of each point closer than `radius` to `q`.
    pub fn each_within(&self, q: &[f64; D], radius: f64, norm: Norm, tell: &mut impl FnMut(u32, f64)) {
        if !self.nodes.is_empty() {
            self.each_in(0, q, norm.of(radius), norm, tell);
        }
    }

    fn each_in(&self, at: usize, q: &[f64; D], radius: f64, norm: Norm, tell: &mut impl FnMut(u32, f64)) {
        let node = &self.nodes[at];
        if node.least(q, norm) >= radius {
            return;
        }
        if node.child == 0 {
            for place in node.from as usize..node.to as usize {
                let d = norm.grown(self.points[place].iter().zip(q).map(|(a, b)| (a - b).abs()));
                if d < radius {
                    tell(self.origin[place], norm.distance(d));
                }
            }
            return;
        }
        let child = node.child as usize;
        self.each_in(child, q, radius, norm, tell);
        self.each_in(child + 1, q, radius, norm, tell);
    }

    /// Number of points closer than `radius` to point `index` (at most as far, if `closed`), times within `window` of
    /// `index` left out (itself always).
    pub fn count(&self, index: u32, radius: f64, closed: bool, window: u32) -> usize {
        let q = self.points[self.place[index as usize] as usize];
        let inside = |d: f64| if closed { d <= radius } else { d < radius };
        let from = index.saturating_sub(window) as usize;
        let to = (index as usize + window as usize).min(self.place.len() - 1);
        let near_in_time = (from..=to).filter(|&j| inside(distance(&q, &self.points[self.place[j] as usize]))).count();
        self.count_node(0, &q, &inside) - near_in_time
    }

    /// Number of points closer than `radius` to `q`, wherever that is.
    pub fn count_around(&self, q: &[f64; D], radius: f64) -> usize {
        if self.nodes.is_empty() { 0 } else { self.count_node(0, q, &|d| d < radius) }
    }

    fn count_node(&self, at: usize, q: &[f64; D], inside: &impl Fn(f64) -> bool) -> usize {
        let node = &self.nodes[at];
        if !inside(node.nearest(q)) {
            return 0;
        }
        // Rounding is monotone: if the far corner is inside, so is every point by brute force.
        if inside(node.farthest(q)) {
            return (node.to - node.from) as usize;
        }
        if node.child == 0 {
            return (node.from..node.to).filter(|&p| inside(distance(q, &self.points[p as usize]))).count();
        }
        let child = node.child as usize;
        self.count_node(child, q, inside) + self.count_node(child + 1, q, inside)
    }
}

fn bounds<const D: usize>(points: &[(u32, [f64; D])], from: u32) -> Node<D> {
    let (mut low, mut high) = ([f64::INFINITY; D], [f64::NEG_INFINITY; D]);
    for (_, p) in points {
        for d in 0..D {
            low[d] = low[d].min(p[d]);
            high[d] = high[d].max(p[d]);
        }
    }
    Node { low, high, from, to: from + points.len() as u32, child: 0 }
}

/// Sorted values of one variable: counts in an interval by binary search.
#[derive(Debug, Clone)]
pub struct SortedAxis {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl SortedAxis {
    /// Sorts a copy: O(n log n).
    pub fn new(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        Self { values: values.to_vec(), sorted }
    }

    /// As [`Tree::count`], O(log n + window).
    pub fn count(&self, index: u32, radius: f64, closed: bool, window: u32) -> usize {
        let q = self.values[index as usize];
        let inside = |d: f64| if closed { d <= radius } else { d < radius };
        let from = self.sorted.partition_point(|&v| v < q && !inside(q - v));
        let to = from + self.sorted[from..].partition_point(|&v| inside((v - q).abs()));
        let first = index.saturating_sub(window) as usize;
        let last = (index as usize + window as usize).min(self.values.len() - 1);
        let near_in_time = self.values[first..=last].iter().filter(|&&v| inside((v - q).abs())).count();
        to - from - near_in_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn cloud<const D: usize>(n: usize, levels: u32) -> Vec<[f64; D]> {
        let mut s = Key::new(5, "neighbours", "cloud").stream(D as u32, 0);
        let mut draw = || if levels > 0 { f64::from(s.below(levels)) * 0.1 } else { s.uniform() + s.uniform() };
        (0..n).map(|_| std::array::from_fn(|_| draw())).collect()
    }

    fn against_brute_force<const D: usize>(points: &[[f64; D]], k: usize, window: u32) {
        let tree = Tree::new(points);
        assert_eq!(tree.len(), points.len());
        let mut nearest = Nearest::new(k);
        for place in 0..tree.len() {
            let (q, index) = tree.point(place);
            assert_eq!(*q, points[index as usize]);
            tree.search(q, index, window, &mut nearest);
            let others = || {
                points
                    .iter()
                    .enumerate()
                    .filter(|(j, _)| (*j as u32).abs_diff(index) > window)
                    .map(|(_, p)| distance(q, p))
            };
            let mut all: Vec<f64> = others().collect();
            all.sort_by(f64::total_cmp);
            assert_eq!(nearest.radius(), all[k - 1]);
            for closed in [false, true] {
                let inside = |d: f64| if closed { d <= all[k - 1] } else { d < all[k - 1] };
                assert_eq!(tree.count(index, all[k - 1], closed, window), others().filter(|&d| inside(d)).count());
            }
        }
    }

    #[test]
    fn equals_brute_force_with_and_without_ties_and_windows() {
        for levels in [0, 7] {
            against_brute_force(&cloud::<1>(300, levels), 4, 0);
            against_brute_force(&cloud::<2>(500, levels), 4, 0);
            against_brute_force(&cloud::<2>(400, levels), 1, 10);
            against_brute_force(&cloud::<3>(400, levels), 6, 3);
            against_brute_force(&cloud::<5>(200, levels), 3, 0);
        }
        against_brute_force(&[[1.0, 2.0]; 60], 4, 2);
    }

    #[test]
    fn the_nearest_and_those_within_a_radius_equal_brute_force_in_both_norms() {
        let points = cloud::<3>(400, 0);
        let tree = Tree::new(&points);
        for norm in [Norm::Maximum, Norm::Euclidean] {
            for (i, q) in points.iter().enumerate() {
                let admits = |j: u32| (j as usize).abs_diff(i) > 5 && j < 390;
                let others = || points.iter().enumerate().map(|(j, p)| (j as u32, norm.between(p, q)));
                let want = others().filter(|o| admits(o.0)).min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
                assert_eq!(tree.nearest(q, norm, &admits), Some(want));
                let mut found = Vec::new();
                tree.each_within(q, 0.3, norm, &mut |j, d| found.push((j, d)));
                found.sort_by_key(|f| f.0);
                let want: Vec<(u32, f64)> = others().filter(|o| o.1 < 0.3).collect();
                assert_eq!(found, want);
            }
        }
        assert_eq!(tree.nearest(&points[0], Norm::Euclidean, &|_| false), None);
    }

    #[test]
    fn a_sorted_axis_equals_brute_force() {
        for levels in [0, 9] {
            let points: Vec<f64> = cloud::<1>(400, levels).into_iter().map(|p| p[0]).collect();
            let axis = SortedAxis::new(&points);
            for (i, q) in points.iter().enumerate() {
                for (closed, window) in [(false, 0), (true, 0), (false, 5), (true, 5)] {
                    let radius = (points[(i + 7) % 400] - q).abs();
                    let want = points.iter().enumerate().filter(|(j, v)| {
                        let d = (*v - q).abs();
                        j.abs_diff(i) > window as usize && if closed { d <= radius } else { d < radius }
                    });
                    assert_eq!(axis.count(i as u32, radius, closed, window), want.count());
                }
            }
        }
    }
}
