//! Who leads: SPIKE-order of pairs of trains, and the order of all.

use super::prelude::*;
use super::train_pairs::{self, Compared, Surrogates};
use super::train_profile;
use spikedeck_core::number::shown;
use spikedeck_core::spike_distance::{Edges, leads, pairs};
use spikedeck_core::statistics::mean;
use spikedeck_core::surrogate::p_value;
use spikedeck_signal::{Axis, Matrix, Shape};

/// The analysis `spike_order`.
pub struct SpikeOrder;

const CARD: AnalysisCard = AnalysisCard {
    title: "SPIKE-order: who leads",
    synonyms: &["spike_directionality", "spike_train_order"],
    summary: "directionality of pairs of trains, the order in which all fire, and how much of a synfire chain that is",
    formula: "D(a, b) = 2 Σ sign(t_b − t_a)/(n_a + n_b) over coincident spikes\nsynfire indicator = 2 Σ_(a before b) Σ \
              sign(t_b − t_a)/((N − 1) M), M = all spikes",
    assumptions: "Coincidences as in spike_synchronization: without a time scale, but for `max_tau`. D is positive \
                  where the first train (row) leads; it is at most the share of coincident spikes. The order is the \
                  one found by moving units as long as that raises the indicator: 1 for a perfect chain in it, 0 for \
                  none.",
    bias: "The indicator is the greatest over orders, and above 0 by chance: compare with the surrogates, of which \
           each is sorted anew.",
    cost: "O(pairs · spikes + units³), once for each surrogate",
    caveats: "A leader is no cause: a common input with different delays gives an order as well. With two units the \
              sorted indicator is |D|.",
    references: &[
        "Kreuz, Satuvuori, Pofahl, Mulansky 2017, doi:10.1088/1367-2630/aa68c3",
        "Satuvuori and others 2017, doi:10.1016/j.jneumeth.2017.05.028",
    ],
};

options! {
    /// What `spike_order` can be told.
    pub struct Options {
        max_tau: Option<Time> = time_if_given(), "upper bound of the window of a coincidence";
        threshold: train_profile::Adaptive = shared();
        made: Surrogates = shared();
        max_units: usize = integer("100").between(2.0, 1000.0),
            "units that are compared pair by pair (evenly spaced over the population)";
    }
}

impl Estimator for SpikeOrder {
    type Options = Options;
    const KIND: &'static str = "spike_order";
    const SUBJECTS: Subjects = Subjects::Of;
    const CARD: AnalysisCard = CARD;

    fn measure(&self, o: &Options, f: &mut Findings<'_>) -> Measured {
        train_pairs::each_group(f, o.max_units, true, |f, c| {
            let (threshold, max_tau) = (o.threshold.of(c), o.max_tau.map(|t| t.axis));
            let n = c.trains.len();
            let spikes: usize = c.trains.iter().map(Vec::len).sum();
            if spikes == 0 {
                for name in ["synfire", "synfire_as_listed"] {
                    f.metric(Metric::missing(&c.subject, name, "", 0, "nothing fired"));
                }
                f.word(format!("{}: nothing fired", c.subject));
                return Ok(());
            }
            let of = |trains: &[Vec<f64>]| Leads::of(trains, c.edges, max_tau, threshold);
            let found = of(&c.trains);
            let order = found.order();
            let per = 2.0 / ((n - 1) as f64 * spikes as f64);
            let listed: Vec<usize> = (0..n).collect();
            let value = per * found.sum(&order);
            let mut drawn = Vec::with_capacity(o.made.surrogates);
            train_pairs::each_surrogate(f, &o.made, c, o.made.surrogates, |trains| {
                let made = of(trains);
                drawn.push(per * made.sum(&made.order()));
                Ok(())
            })?;
            let mut metric = Metric::new(&c.subject, "synfire", value, "", spikes as u64)
                .note("n = spikes; units in the order found; the greatest over orders: no interval");
            if !drawn.is_empty() {
                metric = metric.chance(mean(&drawn)).p(p_value(value - 1e-12, &drawn)).null_by(format!(
                    "chance and p (as large): {} surrogates of each train ({}), sorted anew",
                    drawn.len(),
                    o.made.surrogate.word()
                ));
            }
            f.metric(metric);
            f.metric(
                Metric::new(&c.subject, "synfire_as_listed", per * found.sum(&listed), "", spikes as u64)
                    .chance(0.0)
                    .ground(Basis::Chance, "chance of the order as listed: 0, neither leads")
                    .note("n = spikes; units in the order of the subject; negative: the later ones lead"),
            );
            let name = |k: usize| c.names[order[k]].as_str();
            let last = n - 1;
            f.word(format!(
                "{}: synfire indicator {}, {} first and {} last",
                c.subject,
                shown(value),
                name(0),
                name(last)
            ));
            f.shape(format!("SPIKE-order of {}", c.subject), Shape::Matrix(found.matrix(&order, c)));
            Ok(())
        })
    }
}

/// How many more coincident spikes of each train come before those of each other than after.
struct Leads {
    n: usize,
    counts: Vec<f64>,
}

impl Leads {
    fn of(trains: &[Vec<f64>], edges: Edges, max_tau: Option<f64>, threshold: f64) -> Self {
        let n = trains.len();
        let values = pairs(n, |i, j| leads(&trains[i], &trains[j], edges, max_tau, threshold));
        let mut counts = vec![0.0; n * n];
        let mut next = values.iter();
        for i in 0..n {
            for j in i + 1..n {
                let v = *next.next().expect("as many values as pairs");
                counts[i * n + j] = v;
                counts[j * n + i] = -v;
            }
        }
        Self { n, counts }
    }

    fn lead(&self, a: usize, b: usize) -> f64 {
        self.counts[a * self.n + b]
    }

    /// What an order sums up to: leads of each over those after it.
    fn sum(&self, order: &[usize]) -> f64 {
        order.iter().enumerate().flat_map(|(k, a)| order[k + 1..].iter().map(move |b| self.lead(*a, *b))).sum()
    }

    /// By how much each leads all others, and then each moved to its best place as long as that raises the sum.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n).collect();
        let total = |a: usize| (0..self.n).map(|b| self.lead(a, b)).sum::<f64>();
        order.sort_by(|a, b| total(*b).total_cmp(&total(*a)).then(a.cmp(b)));
        // Each move raises a sum of whole numbers that is bounded.
        loop {
            let mut best = (0.0, 0, 0);
            for from in 0..self.n {
                let (mut up, mut down) = (0.0, 0.0);
                for to in (0..from).rev() {
                    up += 2.0 * self.lead(order[from], order[to]);
                    if up > best.0 {
                        best = (up, from, to);
                    }
                }
                for to in from + 1..self.n {
                    down += 2.0 * self.lead(order[to], order[from]);
                    if down > best.0 {
                        best = (down, from, to);
                    }
                }
            }
            let (gain, from, to) = best;
            if gain <= 0.0 {
                return order;
            }
            let unit = order.remove(from);
            order.insert(to, unit);
        }
    }

    /// Directionality of all pairs, in this order.
    fn matrix(&self, order: &[usize], c: &Compared) -> Matrix {
        let names: Vec<String> = order.iter().map(|k| c.names[*k].clone()).collect();
        let value = |a: usize, b: usize| {
            let all = (c.trains[a].len() + c.trains[b].len()) as f64;
            if a == b { 0.0 } else { 2.0 * self.lead(a, b) / all }
        };
        Matrix {
            value: Axis::new("SPIKE-order", ""),
            row_axis: "leads".into(),
            column_axis: "follows".into(),
            rows: names.clone(),
            columns: names,
            values: order.iter().flat_map(|a| order.iter().map(move |b| value(*a, *b))).collect(),
            chance: None,
            significant: None,
            diverging: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{metric, poisson, recording, run, same_values, shifted, value};
    use spikedeck_core::rng::Key;
    use spikedeck_scenario::OptionValue;

    fn none() -> [(&'static str, OptionValue); 1] {
        [("surrogates", OptionValue::Integer(0))]
    }

    /// A chain of events 200 ms apart that each unit follows 3 ms after the one before it, in a hidden order.
    fn chain(units: &[usize], stop: f64) -> Vec<Vec<f64>> {
        let place = |u: usize| units.iter().position(|k| *k == u).unwrap() as f64;
        (0..units.len())
            .map(|u| (1..1000).map(|k| f64::from(k) * 200.0 + 3.0 * place(u)).take_while(|t| *t < stop).collect())
            .collect()
    }

    #[test]
    fn a_perfect_chain_is_found_in_its_order() {
        let hidden = [3, 0, 4, 1, 2, 5];
        let o = run(&SpikeOrder, &recording(&chain(&hidden, 10_000.0), 10_000.0), vec![], &[]).unwrap();
        let m = metric(&o, "p.spikes", "synfire");
        assert!((m.value.unwrap() - 1.0).abs() < 1e-12 && m.p_value == Some(0.005), "{m:?}");
        let Shape::Matrix(matrix) = &o.shapes[0].shape else { panic!() };
        assert_eq!(matrix.rows, hidden.map(|u| u.to_string()));
        for i in 0..6 {
            for j in 0..6 {
                let expected = i8::from(i < j) - i8::from(j < i);
                assert_eq!(matrix.values[6 * i + j], f64::from(expected));
            }
        }
        assert!(o.summary.contains("3 first and 5 last"), "{}", o.summary);
        // As listed: 15 pairs, of which those out of order count against it.
        let wrong =
            (0..6).flat_map(|i| (i + 1..6).map(move |j| (i, j))).filter(|(i, j)| hidden[*i] > hidden[*j]).count();
        let listed = value(&o, "p.spikes", "synfire_as_listed");
        assert!((listed - (15.0 - 2.0 * wrong as f64) / 15.0).abs() < 1e-12, "{listed}");
    }

    /// The order is the best of all orders of few units.
    #[test]
    fn no_other_order_is_better() {
        for seed in 0..30 {
            let mut s = Key::new(seed, "spike_order", "leads").stream(0, 0);
            let n = 6;
            let mut counts = vec![0.0; n * n];
            for i in 0..n {
                for j in i + 1..n {
                    let v = (20.0 * s.uniform()).floor() - 10.0;
                    counts[i * n + j] = v;
                    counts[j * n + i] = -v;
                }
            }
            let leads = Leads { n, counts };
            let found = leads.sum(&leads.order());
            let mut all = vec![vec![]];
            for _ in 0..n {
                let longer = |o: Vec<usize>| -> Vec<Vec<usize>> {
                    (0..n).filter(|k| !o.contains(k)).map(|k| o.iter().copied().chain([k]).collect()).collect()
                };
                all = all.into_iter().flat_map(longer).collect();
            }
            let best = all.iter().map(|o| leads.sum(o)).fold(f64::NEG_INFINITY, f64::max);
            // Moves of one unit at a time nearly always reach it.
            assert!(found >= 0.85 * best, "{seed}: {found} of {best}");
        }
    }

    #[test]
    fn strangers_have_no_order_and_bad_input_is_said() {
        let small = (0..40)
            .filter(|seed| {
                let trains: Vec<Vec<f64>> = (0..4).map(|u| poisson(*seed, u, 20.0, 5000.0)).collect();
                let few = [("surrogates", OptionValue::Integer(39))];
                let o = run(&SpikeOrder, &recording(&trains, 5000.0), vec![], &few).unwrap();
                metric(&o, "p.spikes", "synfire").p_value.unwrap() <= 0.05
            })
            .count();
        assert!(small <= 7, "{small} of 40 have an order at 5 %");
        let trains: Vec<Vec<f64>> = (0..4).map(|u| poisson(3, u, 20.0, 8192.0)).collect();
        let r = recording(&trains, 8192.0);
        let o = run(&SpikeOrder, &r, vec![], &none()).unwrap();
        same_values(&o, &run(&SpikeOrder, &shifted(&r, 65536.0), vec![], &none()).unwrap(), 1e-8);
        let o = run(&SpikeOrder, &recording(&[vec![], vec![]], 100.0), vec![], &[]).unwrap();
        assert!(metric(&o, "p.spikes", "synfire").value.is_none());
        let o = run(&SpikeOrder, &recording(&[vec![5.0, 5.0], vec![5.0]], 100.0), vec![], &[]).unwrap();
        assert_eq!(value(&o, "p.spikes", "synfire"), 0.0);
        let e = run(&SpikeOrder, &recording(&[vec![5.0]], 100.0), vec![], &[]).unwrap_err().to_string();
        assert!(e.contains("spike_order needs at least two units"), "{e}");
    }
}
