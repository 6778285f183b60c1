//! Directed graphs: degrees, density, reciprocity, clustering (Fagiolo), paths, modularity, rich club, spectral radius,
//! the census of triads, and the same graph with its edges exchanged.

use super::rng::Stream;
use std::collections::VecDeque;

/// A directed graph without loops and parallel edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    n: usize,
    /// Neighbours of each node, ascending: where its edges go to, and where they come from.
    to: Vec<Vec<u32>>,
    from: Vec<Vec<u32>>,
    /// Edges.
    m: usize,
}

/// Names of the sixteen kinds of three nodes, as Holland and Leinhardt (1970, doi:10.1086/224954) call them: mutual,
/// asymmetric and null pairs, then which way the edges go.
pub const TRIADS: [&str; 16] = [
    "003", "012", "102", "021D", "021U", "021C", "111D", "111U", "030T", "030C", "201", "120D", "120U", "120C", "210",
    "300",
];
/// Those of them in which all three nodes hang together.
pub const CONNECTED: std::ops::Range<usize> = 3..16;

/// What is known of shortest paths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paths {
    /// Mean number of edges of the shortest path, over ordered pairs that have one.
    pub mean: f64,
    /// The longest of them.
    pub longest: usize,
    /// Ordered pairs that have one, and all that were looked at.
    pub reached: u64,
    /// Pairs that were looked at.
    pub pairs: u64,
}

impl Graph {
    /// Of edges (from, to) among `n` nodes; loops and repeated edges are left out, and are counted (loops, repeats).
    pub fn new(n: usize, edges: impl IntoIterator<Item = (u32, u32)>) -> (Self, [usize; 2]) {
        let (mut to, mut from) = (vec![Vec::new(); n], vec![Vec::new(); n]);
        let (mut loops, mut all) = (0, 0);
        for (a, b) in edges {
            if a == b {
                loops += 1;
            } else {
                all += 1;
                to[a as usize].push(b);
                from[b as usize].push(a);
            }
        }
        let mut m = 0;
        for list in to.iter_mut().chain(&mut from) {
            list.sort_unstable();
            list.dedup();
            m += list.len();
        }
        let m = m / 2;
        (Self { n, to, from, m }, [loops, all - m])
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.n
    }

    /// Number of edges.
    pub fn edges(&self) -> usize {
        self.m
    }

    /// Edges that arrive at each node.
    pub fn in_degrees(&self) -> Vec<f64> {
        self.from.iter().map(|f| f.len() as f64).collect()
    }

    /// Edges that leave each node.
    pub fn out_degrees(&self) -> Vec<f64> {
        self.to.iter().map(|t| t.len() as f64).collect()
    }

    /// All edges, in the order of their first node.
    pub fn list(&self) -> Vec<(u32, u32)> {
        self.to.iter().enumerate().flat_map(|(a, t)| t.iter().map(move |&b| (a as u32, b))).collect()
    }

    fn has(&self, a: u32, b: u32) -> bool {
        self.to[a as usize].binary_search(&b).is_ok()
    }

    /// Share of the possible edges.
    pub fn density(&self) -> f64 {
        self.m as f64 / (self.n * self.n.saturating_sub(1)) as f64
    }

    /// Share of the edges whose opposite is there too.
    pub fn reciprocity(&self) -> f64 {
        self.list().into_iter().filter(|&(a, b)| self.has(b, a)).count() as f64 / self.m as f64
    }

    /// Clustering of each node after Fagiolo (2007, doi:10.1103/PhysRevE.76.026107): directed triangles over those that
    /// its edges could close. 0 where none could, as bctpy's `clustering_coef_bd`. O(Σ degree²).
    pub fn clustering(&self) -> Vec<f64> {
        let mut multiplicity = vec![0_u32; self.n];
        let of = |a: u32, b: u32| u32::from(self.has(a, b)) + u32::from(self.has(b, a));
        (0..self.n)
            .map(|i| {
                let (to, from) = (&self.to[i], &self.from[i]);
                let mut around: Vec<u32> = to.iter().chain(from).copied().collect();
                for &j in &around {
                    multiplicity[j as usize] += 1;
                }
                around.sort_unstable();
                around.dedup();
                // (A + Aᵀ)³_ii / 2, each two neighbours once.
                let mut triangles = 0_u64;
                for (k, &a) in around.iter().enumerate() {
                    for &b in &around[k + 1..] {
                        let sides = multiplicity[a as usize] * multiplicity[b as usize];
                        triangles += u64::from(sides * of(a, b));
                    }
                }
                let degree = (to.len() + from.len()) as f64;
                let both = around.iter().filter(|&&j| multiplicity[j as usize] == 2).count() as f64;
                for &j in &around {
                    multiplicity[j as usize] = 0;
                }
                let possible = degree * (degree - 1.0) - 2.0 * both;
                if possible > 0.0 { triangles as f64 / possible } else { 0.0 }
            })
            .collect()
    }

    /// Shortest paths from each of `sources` to all other nodes. O(sources · edges).
    pub fn paths(&self, sources: impl IntoIterator<Item = u32>) -> Paths {
        let (mut sum, mut reached, mut longest, mut pairs) = (0_u64, 0_u64, 0, 0_u64);
        let mut far = vec![u32::MAX; self.n];
        let mut queue = VecDeque::new();
        for source in sources {
            far.fill(u32::MAX);
            far[source as usize] = 0;
            queue.push_back(source);
            while let Some(a) = queue.pop_front() {
                for &b in &self.to[a as usize] {
                    if far[b as usize] == u32::MAX {
                        far[b as usize] = far[a as usize] + 1;
                        queue.push_back(b);
                    }
                }
            }
            pairs += self.n as u64 - 1;
            for &d in far.iter().filter(|&&d| d != 0 && d != u32::MAX) {
                sum += u64::from(d);
                reached += 1;
                longest = longest.max(d as usize);
            }
        }
        Paths { mean: sum as f64 / reached as f64, longest, reached, pairs }
    }

    /// Modularity of a division of the nodes, directed (Leicht and Newman 2008, doi:10.1103/PhysRevLett.100.118703):
    /// Σ (A_ij − k_out_i k_in_j/m) over pairs of one part, over m.
    pub fn modularity(&self, parts: &[u32]) -> f64 {
        let count = parts.iter().max().map_or(0, |&p| p as usize + 1);
        let (mut inside, mut out, mut into) = (0.0, vec![0.0; count], vec![0.0; count]);
        for (a, to) in self.to.iter().enumerate() {
            out[parts[a] as usize] += to.len() as f64;
            into[parts[a] as usize] += self.from[a].len() as f64;
            inside += to.iter().filter(|&&b| parts[b as usize] == parts[a]).count() as f64;
        }
        let m = self.m as f64;
        inside / m - out.iter().zip(&into).map(|(o, i)| o * i).sum::<f64>() / (m * m)
    }

    /// A division of great modularity by Louvain's method (Blondel and others 2008,
    /// doi:10.1088/1742-5468/2008/10/P10008) with the directed gain: nodes move in random order as long as that helps,
    /// then parts become nodes. The best of a few orders is taken, as each ends where no single move helps. The parts
    /// are numbered by their first node.
    pub fn communities(&self, stream: &mut Stream) -> Vec<u32> {
        const ORDERS: usize = 5;
        let found = (0..ORDERS).map(|_| self.division(stream));
        let scored = found.map(|parts| (self.modularity(&parts), parts));
        scored.reduce(|best, other| if other.0 > best.0 { other } else { best }).expect("there are some orders").1
    }

    fn division(&self, stream: &mut Stream) -> Vec<u32> {
        let mut level: Vec<Vec<(u32, f64)>> =
            (0..self.n).map(|a| self.to[a].iter().map(|&b| (b, 1.0)).collect()).collect();
        let mut parts: Vec<u32> = (0..self.n as u32).collect();
        loop {
            let (moved, count) = louvain_pass(&level, self.m as f64, stream);
            for p in &mut parts {
                *p = moved[*p as usize];
            }
            if count == level.len() {
                return renumbered(&parts).0;
            }
            let mut weights = vec![std::collections::BTreeMap::new(); count];
            for (a, edges) in level.iter().enumerate() {
                for &(b, w) in edges {
                    *weights[moved[a] as usize].entry(moved[b as usize]).or_insert(0.0) += w;
                }
            }
            level = weights.into_iter().map(|w| w.into_iter().collect()).collect();
        }
    }

    /// Rich-club coefficient: density among the nodes of more than `degree` edges (both ways together); `None` with
    /// fewer than two of them (Zhou and Mondragon 2004, doi:10.1109/LCOMM.2004.823426).
    pub fn rich_club(&self, degree: usize) -> Option<f64> {
        let rich: Vec<bool> = (0..self.n).map(|i| self.to[i].len() + self.from[i].len() > degree).collect();
        let count = rich.iter().filter(|r| **r).count();
        if count < 2 {
            return None;
        }
        let among = |a: usize| self.to[a].iter().filter(|&&b| rich[b as usize]).count();
        let edges: usize = (0..self.n).filter(|&a| rich[a]).map(among).sum();
        Some(edges as f64 / (count * (count - 1)) as f64)
    }

    /// Largest modulus of the eigenvalues of the adjacency matrix, which is an eigenvalue itself (Perron): power
    /// iteration on A + 1, whose largest is simple in modulus. 0 of a graph without cycles.
    pub fn spectral_radius(&self) -> f64 {
        if self.is_acyclic() {
            return 0.0;
        }
        let mut x = vec![1.0; self.n];
        let mut value = 0.0;
        for _ in 0..20_000 {
            let next: Vec<f64> =
                (0..self.n).map(|a| x[a] + self.to[a].iter().map(|&b| x[b as usize]).sum::<f64>()).collect();
            let largest = next.iter().copied().fold(0.0, f64::max);
            let found = largest - 1.0;
            x = next.into_iter().map(|v| v / largest).collect();
            if (found - value).abs() <= 1e-13 * found {
                return found;
            }
            value = found;
        }
        value
    }

    /// Whether no walk comes back (nodes without edges that arrive are taken away until none is left).
    fn is_acyclic(&self) -> bool {
        let mut open: Vec<usize> = self.from.iter().map(Vec::len).collect();
        let mut free: Vec<usize> = (0..self.n).filter(|&a| open[a] == 0).collect();
        let mut taken = 0;
        while let Some(a) = free.pop() {
            taken += 1;
            for &b in &self.to[a] {
                open[b as usize] -= 1;
                if open[b as usize] == 0 {
                    free.push(b as usize);
                }
            }
        }
        taken == self.n
    }

    /// How often each of [`TRIADS`] occurs (Batagelj and Mrvar 2001, doi:10.1016/S0378-8733(01)00035-1).
    /// O(Σ degree²) whatever the number of nodes.
    pub fn triads(&self) -> [u64; 16] {
        let mut counts = [0_u64; 16];
        let around: Vec<Vec<u32>> = (0..self.n)
            .map(|i| {
                let mut all: Vec<u32> = self.to[i].iter().chain(&self.from[i]).copied().collect();
                all.sort_unstable();
                all.dedup();
                all
            })
            .collect();
        let edge = |a: u32, b: u32, bit: usize| usize::from(self.has(a, b)) << bit;
        for v in 0..self.n as u32 {
            for &u in around[v as usize].iter().filter(|&&u| u > v) {
                // Nodes near one of the two, each once.
                let mut near: Vec<u32> = around[v as usize]
                    .iter()
                    .chain(&around[u as usize])
                    .copied()
                    .filter(|&w| w != u && w != v)
                    .collect();
                near.sort_unstable();
                near.dedup();
                let pair = edge(v, u, 0) | edge(u, v, 1);
                counts[if pair == 3 { 2 } else { 1 }] += (self.n - near.len() - 2) as u64;
                for w in near {
                    if u < w || (v < w && w < u && around[v as usize].binary_search(&w).is_err()) {
                        let code = pair | edge(v, w, 2) | edge(w, v, 3) | edge(u, w, 4) | edge(w, u, 5);
                        counts[triad_of(code)] += 1;
                    }
                }
            }
        }
        let n = self.n as u64;
        counts[0] = n * n.saturating_sub(1) * n.saturating_sub(2) / 6 - counts.iter().sum::<u64>();
        counts
    }

    /// The same degrees, in and out, of every node, and otherwise chance: two edges exchange their ends, `swaps` times
    /// for each edge, where that makes no loop and no second edge (Maslov and Sneppen 2002,
    /// doi:10.1126/science.1065103).
    #[must_use]
    pub fn rewired(&self, swaps: usize, stream: &mut Stream) -> Self {
        let mut edges = self.list();
        let mut there: std::collections::HashSet<(u32, u32)> = edges.iter().copied().collect();
        let m = edges.len() as u32;
        if m > 1 {
            for _ in 0..swaps * edges.len() {
                let (i, j) = (stream.below(m) as usize, stream.below(m) as usize);
                let ((a, b), (c, d)) = (edges[i], edges[j]);
                if a == d || c == b || there.contains(&(a, d)) || there.contains(&(c, b)) {
                    continue;
                }
                there.remove(&(a, b));
                there.remove(&(c, d));
                there.insert((a, d));
                there.insert((c, b));
                (edges[i], edges[j]) = ((a, d), (c, b));
            }
        }
        Self::new(self.n, edges).0
    }
}

/// One pass of moves over the nodes of a level; the part of each, and how many parts there are.
fn louvain_pass(level: &[Vec<(u32, f64)>], m: f64, stream: &mut Stream) -> (Vec<u32>, usize) {
    let n = level.len();
    let mut back: Vec<Vec<(u32, f64)>> = vec![Vec::new(); n];
    let (mut out, mut into) = (vec![0.0; n], vec![0.0; n]);
    for (a, edges) in level.iter().enumerate() {
        for &(b, w) in edges {
            out[a] += w;
            into[b as usize] += w;
            back[b as usize].push((a as u32, w));
        }
    }
    let mut parts: Vec<u32> = (0..n as u32).collect();
    let (mut part_out, mut part_in) = (out.clone(), into.clone());
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, stream.below(i as u32 + 1) as usize);
    }
    let mut weight = vec![0.0; n];
    loop {
        let mut moves = 0;
        for &a in &order {
            let own = parts[a];
            let mut near = vec![own];
            for &(b, w) in level[a].iter().chain(&back[a]).filter(|(b, _)| *b as usize != a) {
                let p = parts[b as usize];
                near.push(p);
                weight[p as usize] += w;
            }
            part_out[own as usize] -= out[a];
            part_in[own as usize] -= into[a];
            let gain = |p: u32| {
                let p = p as usize;
                weight[p] - (out[a] * part_in[p] + into[a] * part_out[p]) / m
            };
            near.sort_unstable();
            near.dedup();
            let mut best = (own, gain(own));
            for &p in &near {
                if gain(p) > best.1 + 1e-12 {
                    best = (p, gain(p));
                }
            }
            moves += usize::from(best.0 != own);
            parts[a] = best.0;
            part_out[best.0 as usize] += out[a];
            part_in[best.0 as usize] += into[a];
            for p in near {
                weight[p as usize] = 0.0;
            }
        }
        if moves == 0 {
            return renumbered(&parts);
        }
    }
}

/// Parts numbered in the order in which they first occur, and how many there are.
fn renumbered(parts: &[u32]) -> (Vec<u32>, usize) {
    let mut names = std::collections::HashMap::new();
    let list = parts
        .iter()
        .map(|p| {
            let next = names.len() as u32;
            *names.entry(*p).or_insert(next)
        })
        .collect();
    (list, names.len())
}

/// Which of [`TRIADS`] six edges among v, u, w make: bits v→u, u→v, v→w, w→v, u→w, w→u.
fn triad_of(code: usize) -> usize {
    let bit = |k: usize| code >> k & 1 == 1;
    let pairs = [[bit(0), bit(1)], [bit(2), bit(3)], [bit(4), bit(5)]];
    let mutual = pairs.iter().filter(|p| p[0] && p[1]).count();
    let asymmetric = pairs.iter().filter(|p| p[0] != p[1]).count();
    let out = [
        [bit(0), bit(2)].iter().filter(|b| **b).count(),
        [bit(1), bit(4)].iter().filter(|b| **b).count(),
        [bit(3), bit(5)].iter().filter(|b| **b).count(),
    ];
    let into = [
        [bit(1), bit(3)].iter().filter(|b| **b).count(),
        [bit(0), bit(5)].iter().filter(|b| **b).count(),
        [bit(2), bit(4)].iter().filter(|b| **b).count(),
    ];
    let any = |list: [usize; 3], value: usize| list.contains(&value);
    // The node of the two that belongs to no mutual pair's other end: for 111 the node that both pairs share.
    match (mutual, asymmetric) {
        (0, 0) => 0,
        (0, 1) => 1,
        (1, 0) => 2,
        // Two edges: both from one node (down), both to one (up), or in a chain.
        (0, 2) if any(out, 2) => 3,
        (0, 2) if any(into, 2) => 4,
        (0, 2) => 5,
        // A mutual pair and an edge: towards it, or away from it.
        (1, 1) if any(into, 2) => 6,
        (1, 1) => 7,
        // Three edges: transitive, or a cycle.
        (0, 3) if any(out, 2) => 8,
        (0, 3) => 9,
        (2, 0) => 10,
        // A mutual pair and two edges from (down) or to (up) the third node, or through it.
        (1, 2) if (0..3).any(|k| out[k] == 2 && into[k] == 0) => 11,
        (1, 2) if (0..3).any(|k| into[k] == 2 && out[k] == 0) => 12,
        (1, 2) => 13,
        (2, 1) => 14,
        _ => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Key;

    fn complete(n: u32) -> Graph {
        Graph::new(n as usize, (0..n).flat_map(|a| (0..n).map(move |b| (a, b)))).0
    }

    fn ring(n: u32) -> Graph {
        Graph::new(n as usize, (0..n).map(|a| (a, (a + 1) % n))).0
    }

    fn random(n: u32, p: f64, seed: u64) -> Graph {
        let mut s = Key::new(seed, "graph", "random").stream(0, 0);
        let pairs: Vec<(u32, u32)> =
            (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).filter(|&(a, b)| a != b && s.uniform() < p).collect();
        Graph::new(n as usize, pairs).0
    }

    #[test]
    fn complete_graph_and_ring_in_closed_form() {
        let g = complete(6);
        assert_eq!((g.edges(), g.density(), g.reciprocity(), g.spectral_radius().round()), (30, 1.0, 1.0, 5.0));
        assert!(g.clustering().iter().all(|c| (c - 1.0).abs() < 1e-15));
        assert_eq!(g.paths(0..6), Paths { mean: 1.0, longest: 1, reached: 30, pairs: 30 });
        assert_eq!((g.triads()[15], g.triads().iter().sum::<u64>()), (20, 20));
        let r = ring(9);
        assert_eq!((r.paths(0..9).mean, r.paths(0..9).longest, r.reciprocity()), (4.5, 8, 0.0));
        assert!(r.clustering().iter().all(|c| *c == 0.0) && (r.spectral_radius() - 1.0).abs() < 1e-12);
        assert_eq!(r.triads()[5], 9);
        // A chain has no cycle, and reaches one way only.
        let (chain, left) = Graph::new(4, [(0, 1), (1, 2), (2, 3), (2, 3), (1, 1)]);
        assert_eq!((chain.spectral_radius(), left), (0.0, [1, 1]));
        assert_eq!(chain.paths(0..4), Paths { mean: 10.0 / 6.0, longest: 3, reached: 6, pairs: 12 });
    }

    /// Each of the 64 graphs of three labelled nodes is one of the sixteen, as often as it has labellings.
    #[test]
    fn kinds_of_triads_have_their_numbers_of_labellings() {
        let mut seen = [0; 16];
        (0..64).for_each(|code| seen[triad_of(code)] += 1);
        assert_eq!(seen, [1, 6, 3, 3, 3, 6, 6, 6, 6, 2, 3, 3, 3, 6, 6, 1]);
    }

    /// By looking at all triples.
    #[test]
    fn census_is_that_of_all_triples() {
        let g = random(25, 0.15, 1);
        let mut wanted = [0_u64; 16];
        for v in 0..25 {
            for u in v + 1..25 {
                for w in u + 1..25 {
                    let e = |a, b, k: usize| usize::from(g.has(a, b)) << k;
                    let code = e(v, u, 0) | e(u, v, 1) | e(v, w, 2) | e(w, v, 3) | e(u, w, 4) | e(w, u, 5);
                    wanted[triad_of(code)] += 1;
                }
            }
        }
        assert_eq!(g.triads(), wanted);
    }

    /// Erdős–Rényi: density, reciprocity, clustering and the triads have closed forms.
    #[test]
    fn a_random_graph_has_what_theory_says() {
        let (n, p) = (400, 0.1);
        let g = random(n, p, 2);
        let clustering = g.clustering().iter().sum::<f64>() / f64::from(n);
        assert!((g.density() - p).abs() < 0.004 && (g.reciprocity() - p).abs() < 0.01, "{}", g.reciprocity());
        assert!((clustering - p).abs() < 0.004, "{clustering}");
        let mean = f64::from(n - 1) * p;
        assert!((g.spectral_radius() - mean).abs() < 1.0);
        let variance = |d: &[f64]| d.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / d.len() as f64;
        assert!((variance(&g.in_degrees()) / (mean * (1.0 - p)) - 1.0).abs() < 0.3);
        let triples = f64::from(n) * f64::from(n - 1) * f64::from(n - 2) / 6.0;
        let cycles = triples * 2.0 * p.powi(3) * (1.0 - p).powi(3);
        assert!((g.triads()[9] as f64 / cycles - 1.0).abs() < 0.1);
    }

    #[test]
    fn rewiring_keeps_degrees_and_nothing_else() {
        // Two groups that know their own only.
        let inside = |a: u32, b: u32| a / 20 == b / 20;
        let edges = (0..40).flat_map(|a| (0..40).map(move |b| (a, b))).filter(|&(a, b)| a != b && inside(a, b));
        let g = Graph::new(40, edges).0;
        let mut s = Key::new(3, "graph", "rewired").stream(0, 0);
        let r = g.rewired(10, &mut s);
        assert_eq!((r.in_degrees(), r.out_degrees(), r.edges()), (g.in_degrees(), g.out_degrees(), g.edges()));
        let crossing = r.list().iter().filter(|(a, b)| !inside(*a, *b)).count() as f64 / g.edges() as f64;
        assert!((crossing - 0.5).abs() < 0.06, "{crossing}");
        let parts = g.communities(&mut s);
        assert!(parts.iter().enumerate().all(|(i, &p)| p as usize == i / 20), "{parts:?}");
        assert!((g.modularity(&parts) - 0.5).abs() < 1e-12);
        assert!(g.modularity(&[0; 40]).abs() < 1e-12);
        assert!(r.modularity(&r.communities(&mut s)) < 0.2);
    }

    /// Sixteen cliques in a ring: each is a part.
    #[test]
    fn cliques_in_a_ring_are_found() {
        let mut edges = Vec::new();
        for c in 0..16_u32 {
            for a in 0..5 {
                for b in 0..5 {
                    edges.push((5 * c + a, 5 * c + b));
                }
            }
            edges.push((5 * c, (5 * c + 6) % 80));
        }
        let g = Graph::new(80, edges).0;
        let parts = g.communities(&mut Key::new(1, "graph", "cliques").stream(0, 0));
        assert!((0..16).all(|c| (0..5).all(|a| parts[5 * c + a] == parts[5 * c])));
        assert!(g.modularity(&parts) > 0.85);
    }

    #[test]
    fn the_rich_know_each_other() {
        // Three hubs all joined, each with two leaves.
        let mut edges = vec![(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)];
        for hub in 0..3 {
            edges.extend([(hub, 3 + 2 * hub), (hub, 4 + 2 * hub)]);
        }
        let g = Graph::new(9, edges).0;
        assert_eq!((g.rich_club(2), g.rich_club(6), g.rich_club(0)), (Some(1.0), None, Some(12.0 / 72.0)));
    }
}
