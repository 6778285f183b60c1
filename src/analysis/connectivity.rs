//! Graph measures of the connections among populations.

use super::prelude::*;
use spikedeck_core::graph::{CONNECTED, Graph, TRIADS};
use spikedeck_core::number::{counted, shown};
use spikedeck_core::rng::Key;
use spikedeck_core::statistics::{deviation, mean, variance};
use spikedeck_core::units::short;
use spikedeck_scenario::{PopulationId, Spec};
use spikedeck_signal::{Axis, Curve, CurveStyle, Distribution, GraphEdge, Series, Shape};

/// The analysis `connectivity`.
pub struct Connectivity;

const CARD: AnalysisCard = AnalysisCard {
    title: "Graph of the connections",
    synonyms: &[
        "graph",
        "graph_measures",
        "degree",
        "degrees",
        "density",
        "reciprocity",
        "clustering",
        "clustering_coefficient",
        "path_length",
        "small_world",
        "modularity",
        "louvain",
        "rich_club",
        "motifs",
        "triad_census",
        "network_topology",
    ],
    summary: "degrees, density, reciprocity, clustering, paths, modularity, rich club and triads of the connections \
              among populations, held against graphs with the same degrees",
    formula: "edges: weight ≠ 0, each once, without loops;  density = m/(N(N − 1));  reciprocity = share of edges \
              whose opposite is there\n\
              clustering (Fagiolo): ½(A + Aᵀ)³_ii/(k_i(k_i − 1) − 2k↔_i), mean over nodes\n\
              path_length = mean over ordered pairs with a path;  modularity = (1/m) Σ (A_ij − k_out k_in/m) within \
              parts (Louvain)\n\
              z = (value − mean)/sd over rewired graphs: ends of edges exchanged, 10 swaps an edge, all degrees kept",
    assumptions: "The graph is known as a whole: there is no sampling error, and no interval. p: of graphs with the \
                  same in- and out-degrees of every node, how many have a value as far from their mean (two-sided).",
    bias: "Modularity is the best that one search found, and is above 0 in every random graph: the rewired ones show \
           by how much.",
    cost: "O(Σ degree²) for clustering and triads, O(N m) for paths (from 2000 nodes at the most), each once for each \
           rewired graph",
    caveats: "Weights do not count, but for being 0. Populations with different rules make a graph whose degrees are \
              not alike by design: rewiring keeps them, and still mixes the populations. Triads of hundreds of nodes \
              have p-values that say little: look at z and at the ratio.",
    references: &[
        "Fagiolo 2007, Phys Rev E 76:026107, doi:10.1103/PhysRevE.76.026107",
        "Maslov, Sneppen 2002, Science 296:910-913, doi:10.1126/science.1065103",
        "Milo and others 2002, Science 298:824-827, doi:10.1126/science.298.5594.824",
        "Leicht, Newman 2008, Phys Rev Lett 100:118703, doi:10.1103/PhysRevLett.100.118703",
        "Rubinov, Sporns 2010, Neuroimage 52:1059-1069, doi:10.1016/j.neuroimage.2009.10.003",
    ],
};

options! {
    /// What `connectivity` can be told.
    pub struct Options {
        rewired: usize = integer("50").between(0.0, 10_000.0),
            "graphs with the same degrees that chance levels come from; 0 for none";
        final_weights: bool = flag(false), "whether the weights at the end decide which edges there are";
    }
}

/// Nodes from which paths are followed, at the most.
const MOST_SOURCES: usize = 2000;
/// Pairs of edges at one unit that are looked at, over all graphs: some minutes.
const MOST_WORK: f64 = 2e10;
/// Exchanges for each edge.
const SWAPS: usize = 10;
/// Nodes of a graph that can still be read.
const MOST_DRAWN: usize = 40;

impl Estimator for Connectivity {
    type Options = Options;
    const KIND: &'static str = "connectivity";
    const SUBJECTS: Subjects = Subjects::Population;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        let Some(spec) = f.scenario() else {
            return Err(AnalysisError::Unsuitable("projections belong to a scenario, and there is none".into()));
        };
        let populations: Vec<PopulationId> = f.request.spec.of.iter().filter_map(|s| s.place.population()).collect();
        let name = populations.iter().map(|&p| spec.population(p).name.as_str()).collect::<Vec<_>>().join("+");
        let Edges { n, all, zero } = edges(f.request, spec, &populations, o.final_weights)?;
        let connections = all.len();
        let (graph, [loops, repeats]) = Graph::new(n, all);
        if n < 3 || graph.edges() == 0 {
            return Err(AnalysisError::Unsuitable(format!(
                "{name}: {n} units and {} edges make no graph of which anything could be said",
                graph.edges()
            )));
        }
        let work = total(&graph).iter().map(|d| d * d).sum::<f64>() * (1.0 + o.rewired as f64);
        if work > MOST_WORK {
            return Err(AnalysisError::Unsuitable(format!(
                "{name}: {} edges with {} rewired graphs would take about {} looks at pairs of edges (at most {}): \
                 fewer `rewired`, or fewer populations",
                graph.edges(),
                o.rewired,
                short(work),
                short(MOST_WORK)
            )));
        }
        let left: Vec<String> = [(loops, "loops"), (repeats, "repeated edges"), (zero, "weights of 0")]
            .iter()
            .filter(|l| l.0 > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let left = if left.is_empty() { String::new() } else { format!("left out: {}", left.join(", ")) };
        degrees(f, &name, &graph, (connections, &left));
        let own = Measures::of(&graph, f.key(&name, "parts"));
        let key = f.key(&name, "rewired");
        let mut drawn = Vec::with_capacity(o.rewired);
        for k in 0..o.rewired {
            f.progress(k as f64 / o.rewired as f64)?;
            let other = graph.rewired(SWAPS, &mut key.stream(k as u32, 0));
            drawn.push(Measures::of(&other, f.key(&name, &format!("parts {k}"))));
        }
        told(f, &name, &graph, &own, &drawn);
        draw(f, spec, &populations, &graph, &own, &drawn);
        f.word(format!(
            "{name}: {} among {}, density {}, clustering {}, path length {}",
            counted(graph.edges(), "edge", "edges"),
            counted(n, "unit", "units"),
            shown(graph.density()),
            shown(own.clustering),
            shown(own.path)
        ));
        Ok(())
    }
}

/// The edges among populations.
struct Edges {
    /// Number of units.
    n: usize,
    /// From, to: weights that are not 0.
    all: Vec<(u32, u32)>,
    /// How many weights are 0.
    zero: usize,
}

/// All edges among the populations.
fn edges(request: &Request<'_>, spec: &Spec, populations: &[PopulationId], last: bool) -> Result<Edges, AnalysisError> {
    let (mut first, mut n) = (Vec::new(), 0);
    for &p in populations {
        first.push(n);
        n += spec.population(p).size;
    }
    let place = |p: PopulationId| populations.iter().position(|&q| q == p).map(|k| first[k] as u32);
    let (mut all, mut zero, mut found) = (Vec::new(), 0, false);
    for projection in &spec.projections {
        let (Some(from), Some(to)) = (place(projection.from), place(projection.to.population)) else { continue };
        found = true;
        let Some(c) = request.recording.connections.iter().find(|c| c.projection == projection.name) else {
            return Err(AnalysisError::NotRecorded {
                subject: format!("the connections of `{}`", projection.name),
                hint: format!("write `connections = true` under [record.{}]", spec.population(projection.from).name),
            });
        };
        let weights = if last && !c.weight_final.is_empty() { &c.weight_final } else { &c.weight };
        for ((&s, &t), &w) in c.source.iter().zip(&c.target).zip(weights) {
            if w == 0.0 {
                zero += 1;
            } else {
                all.push((from + s, to + t));
            }
        }
    }
    if !found {
        return Err(AnalysisError::Unsuitable("no projection connects these populations with each other".into()));
    }
    Ok(Edges { n, all, zero })
}

/// What is held against rewired graphs.
struct Measures {
    reciprocity: f64,
    clustering: f64,
    path: f64,
    longest: usize,
    unreached: f64,
    pairs: u64,
    modularity: f64,
    parts: usize,
    radius: f64,
    triads: [u64; 16],
    /// Rich-club coefficient at each total degree that occurs.
    rich: Vec<(usize, f64)>,
}

impl Measures {
    fn of(graph: &Graph, key: Key) -> Self {
        let n = graph.nodes();
        let step = n.div_ceil(MOST_SOURCES);
        let paths = graph.paths((0..n as u32).step_by(step));
        let parts = graph.communities(&mut key.stream(0, 0));
        let degrees = total(graph);
        let mut levels: Vec<usize> = degrees.iter().map(|d| *d as usize).collect();
        levels.sort_unstable();
        levels.dedup();
        let step = levels.len().div_ceil(100);
        let rich = levels.iter().step_by(step).filter_map(|&k| Some((k, graph.rich_club(k)?))).collect();
        Self {
            reciprocity: graph.reciprocity(),
            clustering: mean(&graph.clustering()),
            path: paths.mean,
            longest: paths.longest,
            unreached: 1.0 - paths.reached as f64 / paths.pairs as f64,
            pairs: paths.pairs,
            modularity: graph.modularity(&parts),
            parts: parts.iter().max().map_or(0, |p| *p as usize + 1),
            radius: graph.spectral_radius(),
            triads: graph.triads(),
            rich,
        }
    }
}

/// Edges of each node, both ways together.
fn total(graph: &Graph) -> Vec<f64> {
    graph.in_degrees().iter().zip(graph.out_degrees()).map(|(a, b)| a + b).collect()
}

fn degrees(f: &mut Findings<'_>, name: &str, graph: &Graph, (all, left): (usize, &str)) {
    let (n, known) = (graph.nodes() as u64, "no interval: the graph is known as a whole");
    let edges = Metric::new(name, "edges", graph.edges() as f64, "", all as u64).note("n = connections");
    f.metric(if left.is_empty() { edges } else { edges.note(left) });
    f.metric(
        Metric::new(name, "density", graph.density(), "", n * (n - 1)).note(format!("n = ordered pairs; {known}")),
    );
    let expected = graph.density();
    for (which, d) in [("in", graph.in_degrees()), ("out", graph.out_degrees())] {
        f.metric(Metric::new(name, format!("{which}_degree"), mean(&d), "", n).note("n = units; mean over them"));
        f.metric(
            Metric::new(name, format!("{which}_degree_variance"), variance(&d, 1), "", n)
                .chance(expected * (1.0 - expected) * (n - 1) as f64)
                .chance_by("chance: edges that are drawn alone, p(1 − p)(N − 1)"),
        );
    }
}

/// A value beside those of rewired graphs: their mean, and how many are as far from it.
fn held(metric: Metric, value: f64, drawn: &[f64]) -> Metric {
    let drawn: Vec<f64> = drawn.iter().copied().filter(|v| v.is_finite()).collect();
    if drawn.len() < 19 {
        return metric.note("no chance level: fewer than 19 rewired graphs have a value");
    }
    let (middle, sd) = (mean(&drawn), deviation(&drawn, 1));
    if sd <= 1e-12 * middle.abs() {
        return metric.chance(middle).chance_by(format!("all {} rewired graphs have one value", drawn.len()));
    }
    // About the mean of all, the graph's own among them: then each of them is as likely to be the farthest.
    let all = (drawn.iter().sum::<f64>() + value) / (1 + drawn.len()) as f64;
    let seen = (value - all).abs() * (1.0 - 1e-12);
    let far = drawn.iter().filter(|v| (*v - all).abs() >= seen).count();
    let null = format!("against {} graphs with the same degrees", drawn.len());
    metric
        .chance(middle)
        .p((1 + far) as f64 / (1 + drawn.len()) as f64)
        .note(format!("z = {:.2} {null}", (value - middle) / sd))
        .ground(Basis::Null, format!("chance and p {null}"))
}

fn told(f: &mut Findings<'_>, name: &str, graph: &Graph, own: &Measures, drawn: &[Measures]) {
    let n = graph.nodes() as u64;
    let beside = |metric: &str, count: u64, of: fn(&Measures) -> f64| {
        let values: Vec<f64> = drawn.iter().map(of).collect();
        held(Metric::new(name, metric, of(own), "", count), of(own), &values)
    };
    f.metrics([
        beside("reciprocity", graph.edges() as u64, |m| m.reciprocity).note("n = edges"),
        beside("clustering", n, |m| m.clustering).note("n = units; after Fagiolo, 0 where no triangle could be"),
        beside("modularity", n, |m| m.modularity).note(format!("{} parts, by Louvain's method", own.parts)),
        beside("spectral_radius", n, |m| m.radius).note("of the matrix of zeros and ones"),
    ]);
    let sources = if graph.nodes() > MOST_SOURCES { ", from every few nodes" } else { "" };
    f.metric(if own.path.is_finite() {
        beside("path_length", own.pairs, |m| m.path)
            .note(format!("n = ordered pairs{sources}; longest {}", own.longest))
    } else {
        Metric::missing(name, "path_length", "", own.pairs, "no unit reaches another")
    });
    f.metric(beside("unreached", own.pairs, |m| m.unreached).note("share of the ordered pairs without a path"));
    for k in CONNECTED {
        let values: Vec<f64> = drawn.iter().map(|m| m.triads[k] as f64).collect();
        let value = own.triads[k] as f64;
        let m = Metric::new(name, format!("triads_{}", TRIADS[k]), value, "", own.triads.iter().sum());
        f.metric(held(m, value, &values).note("n = all triples"));
    }
}

fn draw(
    f: &mut Findings<'_>,
    spec: &Spec,
    populations: &[PopulationId],
    graph: &Graph,
    own: &Measures,
    drawn: &[Measures],
) {
    let (into, out) = (graph.in_degrees(), graph.out_degrees());
    let most = into.iter().chain(&out).copied().fold(0.0, f64::max);
    let width = (most / 40.0).ceil().max(1.0);
    let bins = (most / width) as usize + 1;
    let heights = |d: &[f64]| {
        let mut h = vec![0.0; bins];
        for v in d {
            h[(v / width) as usize] += 1.0;
        }
        h
    };
    f.shape(
        "degrees",
        Shape::Distribution(Distribution {
            x: Axis::new("degree", ""),
            y: Axis::new("units", ""),
            edges: (0..=bins).map(|k| k as f64 * width - 0.5).collect(),
            heights: vec![("in".into(), heights(&into)), ("out".into(), heights(&out))],
            references: Vec::new(),
        }),
    );
    let at = |m: &Measures, k: usize| m.rich.iter().find(|r| r.0 == k).map_or(f64::NAN, |r| r.1);
    let levels: Vec<usize> = own.rich.iter().map(|r| r.0).collect();
    let x: Vec<f64> = levels.iter().map(|&k| k as f64).collect();
    let chance: Vec<f64> = levels
        .iter()
        .map(|&k| mean(&drawn.iter().map(|m| at(m, k)).filter(|v| v.is_finite()).collect::<Vec<_>>()))
        .collect();
    let mut curves = vec![curve("this graph", x.clone(), own.rich.iter().map(|r| r.1).collect(), CurveStyle::Line)];
    if !drawn.is_empty() {
        curves.push(Curve { style: CurveStyle::Chance, ..curve("rewired", x, chance, CurveStyle::Chance) });
    }
    let (x, y) = (Axis::new("units with more edges than", ""), Axis::new("density among them", ""));
    f.shape("rich club", Shape::Series(Series { x, y, curves, references: Vec::new() }));
    if graph.nodes() <= MOST_DRAWN {
        let nodes = populations.iter().flat_map(|&p| {
            let p = spec.population(p);
            (0..p.size).map(|k| format!("{}[{k}]", p.name))
        });
        let edges = graph.list().into_iter().map(|(a, b)| GraphEdge { from: a as usize, to: b as usize, weight: 1.0 });
        f.shape("graph", Shape::Graph { nodes: nodes.collect(), edges: edges.collect() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_rewired_graphs_and_never_of_too_few() {
        let m = || Metric::new("p", "x", 5.0, "", 1);
        let list: Vec<f64> = (0..40).map(|k| f64::from(k % 5)).collect();
        let with = held(m(), 5.0, &list);
        assert_eq!((with.chance, with.p_value), (Some(2.0), Some(1.0 / 41.0)));
        assert!(with.note.contains("z = 2.0") || with.note.contains("z = 2.1"), "{}", with.note);
        assert!(
            held(m(), 5.0, &list[..10]).note.contains("fewer than 19") && held(m(), 5.0, &[3.0; 20]).p_value.is_none()
        );
    }

    /// Of graphs whose edges are drawn alone p is uniform: rewired ones are such graphs, too.
    #[test]
    fn chance_of_random_graphs_is_even() {
        let (mut of_clustering, mut of_reciprocity) = (Vec::new(), Vec::new());
        for seed in 0..60 {
            let mut s = Key::new(seed, "connectivity", "random").stream(0, 0);
            let mut edges = Vec::new();
            for a in 0..25_u32 {
                edges.extend((0..25).filter(|b| *b != a && s.uniform() < 0.2).map(|b| (a, b)));
            }
            let graph = Graph::new(25, edges).0;
            let drawn: Vec<Graph> = (0..19).map(|_| graph.rewired(SWAPS, &mut s)).collect();
            let p = |of: fn(&Graph) -> f64| {
                let values: Vec<f64> = drawn.iter().map(of).collect();
                held(Metric::new("p", "x", of(&graph), "", 1), of(&graph), &values).p_value.unwrap()
            };
            of_clustering.push(p(|g| mean(&g.clustering())));
            of_reciprocity.push(p(Graph::reciprocity));
        }
        for p in [of_clustering, of_reciprocity] {
            let below = |level: f64| p.iter().filter(|p| **p <= level).count();
            // Binomial of 60: 0.1 gives more than 13 with a chance of 0.003, 0.5 fewer than 18 with one of 0.001.
            assert!(below(0.1) <= 13 && (18..=42).contains(&below(0.5)), "{p:?}");
        }
    }

    /// A ring in which each reaches the next two: clustering by hand, and far above that of rewired rings.
    #[test]
    fn a_ring_lattice_is_clustered_and_a_rewired_one_is_not() {
        let n = 60_u32;
        let edges = (0..n).flat_map(|a| [(a, (a + 1) % n), (a, (a + 2) % n)]);
        let graph = Graph::new(n as usize, edges).0;
        let own = Measures::of(&graph, Key::new(1, "a", "b"));
        // Neighbours of a: a ± 1, a ± 2; joined: (a−2, a−1), (a−1, a+1), (a+1, a+2), each by one edge: 3/(4·3).
        assert!((own.clustering - 0.25).abs() < 1e-12 && own.reciprocity == 0.0 && own.unreached == 0.0);
        assert_eq!((own.longest, own.triads[8]), (30, 60));
        let other = Measures::of(&graph.rewired(SWAPS, &mut Key::new(2, "a", "b").stream(0, 0)), Key::new(1, "a", "b"));
        assert!(other.clustering < 0.12 && other.modularity < own.modularity, "{}", other.clustering);
    }

    /// networkx 3.6.1 on the same graph: `data/reference/graphs_networkx.py`.
    #[test]
    fn networkx_has_the_same() {
        let text = include_str!("../../data/reference/graphs_networkx.csv");
        let wanted: Vec<(&str, f64)> =
            text.lines().skip(1).map(|l| l.split_once(',').unwrap()).map(|(k, v)| (k, v.parse().unwrap())).collect();
        let mut s = 1_u64;
        let mut edges = Vec::new();
        for a in 0..40_u32 {
            for b in (0..40).filter(|b| *b != a) {
                s = 16_807 * s % 2_147_483_647;
                if (s as f64 / 2_147_483_647.0) < if a / 10 == b / 10 { 0.4 } else { 0.12 } {
                    edges.push((a, b));
                }
            }
        }
        let graph = Graph::new(40, edges).0;
        let own = Measures::of(&graph, Key::new(1, "a", "b"));
        let tens: Vec<u32> = (0..40).map(|k| k / 10).collect();
        let found = |name: &str| match name {
            "edges" => graph.edges() as f64,
            "density" => graph.density(),
            "reciprocity" => own.reciprocity,
            "clustering" => own.clustering,
            "path_length" => own.path,
            "diameter" => own.longest as f64,
            "modularity_of_tens" => graph.modularity(&tens),
            triad => own.triads[TRIADS.iter().position(|t| *t == triad).unwrap()] as f64,
        };
        assert_eq!(wanted.len(), 23);
        for (name, value) in wanted {
            assert!((found(name) - value).abs() < 1e-12, "{name}: {} {value}", found(name));
        }
        assert!(own.modularity >= graph.modularity(&tens) - 0.02);
    }
}
