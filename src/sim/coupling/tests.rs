//! Continuous projections by themselves: parts evaluated once a unit against every connection evaluated by itself.

use super::super::delivery::{Properties, Property};
use super::*;
use crate::geometry::Geometry;
use crate::tests::spec;
use spikedeck_core::rng::Key;
use spikedeck_scenario::{Apart, Spec};

#[test]
fn before_time_zero_stand_the_initial_values() {
    let mut h = History::new(2, 3);
    h.row_mut(0).copy_from_slice(&[1.0, 2.0]);
    h.start();
    h.row_mut(1).copy_from_slice(&[3.0, 4.0]);
    assert_eq!(h.row(1), [3.0, 4.0]);
    assert_eq!(h.row(1_u64.wrapping_sub(3)), [1.0, 2.0]);
}

/// A scenario whose projection carries `value`, made of `a` and `b` of both ends.
fn carrying(value: &str) -> Spec {
    let model = "time_unit = \"1\"\nequations = \"\"\"\nda/dt = I - a : 1\ndb/dt = -b : 1\n\"\"\"\n\
                 inputs = { I = \"1\" }\ninitial = { a = 0.0, b = 0.0 }\n";
    spec(&format!(
        "[simulation]\nduration = 1.0\ndt = 0.1\n[models.pair]\n{model}[populations.p]\nmodel = \"pair\"\nsize = 3\n\
         [projections.c]\nkind = \"continuous\"\nfrom = \"p\"\nto = \"p.I\"\nconnect = \"all_to_all\"\nweight = 1.0\n\
         value = \"{value}\"\n"
    ))
}

/// What the projection carries: histories 0 and 1 are a and b of the source, 2 and 3 those of the target.
fn carried(spec: &Spec) -> Carried<'_> {
    let spikedeck_scenario::Coupling::Continuous { value } = &spec.projections[0].coupling else {
        panic!("it is continuous")
    };
    let number = |v: VariableId| if let VariableId::State(id) = v { id.index() } else { panic!("{v:?} is no state") };
    Carried::new(value, number, |v| 2 + number(v))
}

/// Who is connected, and with which delays in steps: one for all, or each its own.
struct Case {
    rule: Rule,
    ends: (u32, u32),
    multapses: bool,
    apart: bool,
    delay: Option<u16>,
}

/// Longest delay in steps.
const LONGEST: u16 = 9;

impl Case {
    fn wiring<'a>(&'a self, place: &'a Geometry) -> Wiring<'a> {
        Wiring {
            rule: &self.rule,
            sources: self.ends.0,
            targets: self.ends.1,
            apart: self.apart.then_some(Apart { sources: 1, targets: 1 }),
            multapses: self.multapses,
            key: Key::new(7, "projections.c", "connect"),
            from: place,
            to: place,
        }
    }

    fn coupling(&self, carried: &Carried<'_>, range: Range<u32>, factored: bool) -> Coupling {
        let place = Geometry::default();
        let wiring = self.wiring(&place);
        let weight = |l: &Link| f64::from((l.source * 31 + l.target * 17 + l.draw * 7) % 23) / 7.0 - 1.5;
        let each = |l: &Link| ((l.source * 5 + l.target * 3) % (u32::from(LONGEST) + 1)) as u16;
        let delay = self.delay.map_or(Property::Each(&each), Property::Same);
        let mut coupling =
            Coupling::new(carried, &wiring, range, &Properties { weight: Property::Each(&weight), delay });
        if factored {
            coupling.factor(carried, &wiring);
        }
        coupling
    }
}

fn cases() -> Vec<Case> {
    // Twice the same pair, in both orders of the list.
    let source: Vec<u32> = (0..900).map(|i| (i * 7) % 40).collect();
    let target: Vec<u32> = (0..900).map(|i| (i * 11) % 37).collect();
    let rules = [
        (Rule::AllToAll, (50, 50), false, true),
        (Rule::AllToAll, (30, 71), false, false),
        (Rule::Probability { p: 0.3 }, (60, 45), false, false),
        (Rule::FixedIndegree { indegree: 25 }, (40, 64), true, false),
        (
            Rule::Edges { source: source.into(), target: target.into(), weight: None, delay: None },
            (40, 37),
            true,
            false,
        ),
    ];
    let of = |(rule, ends, multapses, apart): (Rule, (u32, u32), bool, bool)| {
        [Some(0), Some(4), None].map(|delay| Case { rule: rule.clone(), ends, multapses, apart, delay })
    };
    rules.into_iter().flat_map(of).collect()
}

/// Histories of both ends, of which a new row is drawn in each step.
struct Past {
    histories: Vec<History>,
    key: Key,
}

impl Past {
    fn new(ends: (u32, u32)) -> Self {
        let sizes = [ends.0, ends.0, ends.1, ends.1];
        let mut past = Self {
            histories: sizes.map(|n| History::new(n as usize, LONGEST.into())).into(),
            key: Key::new(3, "past", "values"),
        };
        past.step(0);
        past.histories.iter_mut().for_each(History::start);
        past
    }

    fn step(&mut self, k: u64) {
        for (index, history) in self.histories.iter_mut().enumerate() {
            let mut stream = self.key.stream(index as u32, k);
            history.row_mut(k).iter_mut().for_each(|v| *v = 4.0 * stream.uniform() - 2.0);
        }
    }
}

/// The property behind the shorter way: for whatever is a sum of products, whoever is connected, and all delays, it
/// gives what each connection by itself gives, to rounding; and the same bits however targets are shared out.
#[test]
fn parts_of_both_ends_give_what_each_connection_gives() {
    // Whether it is such a sum, and whether the bits are those of the connections one by one.
    let values = [
        ("w*a_pre", true, true),
        ("w*tanh(a_pre)", true, true),
        ("-w*a_pre", true, false),
        ("w*(a_pre - a_post)", true, false),
        ("w*a_pre*b_pre*exp(-a_post**2)", true, false),
        ("w*sin(a_pre - a_post - 0.3)", true, false),
        ("w**2*b_pre + 0.2*a_post", true, false),
        ("a_pre", true, true),
        ("(a_pre + 1)/(3 + b_post)", true, false),
        ("b_post*(w + 0.5)", true, false),
        ("w*tanh(a_pre - a_post)", false, true),
        ("w*(a_pre - a_post)**2", false, true),
        ("exp(0.2*w*a_pre)", false, true),
    ];
    for (value, products, bits) in values {
        let spec = carrying(value);
        let carried = carried(&spec);
        for case in cases() {
            let (n, m) = case.ends;
            let told = format!("{value} {:?} {:?}", (n, m), case.delay);
            let mut slow = case.coupling(&carried, 0..m, false);
            let mut fast = case.coupling(&carried, 0..m, true);
            assert_eq!(fast.factored.is_some(), products, "{told}");
            let shares = [0..m / 3, m / 3..m / 2, m / 2..m];
            let mut parts = shares.clone().map(|range| case.coupling(&carried, range, true));
            let mut past = Past::new(case.ends);
            for k in 0..30 {
                past.step(k);
                let start: Vec<f64> = (0..m).map(|lane| f64::from(lane % 5) - 2.0).collect();
                let mut rows = [start.clone(), start.clone(), start.clone()];
                slow.add(k, 0.0, &past.histories, &mut rows[0]);
                fast.add(k, 0.0, &past.histories, &mut rows[1]);
                for (range, part) in shares.iter().zip(&mut parts) {
                    part.add(k, 0.0, &past.histories, &mut rows[2][range.start as usize..range.end as usize]);
                }
                assert_eq!(rows[1], rows[2], "{told} {k}");
                let worst = rows[0].iter().zip(&rows[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-11 && (!bits || worst == 0.0), "{told} {k}: {worst}");
                assert_ne!(rows[0], start, "{told} {k}: something arrives");
            }
        }
    }
}

/// Few connections for each unit are evaluated one by one, also where a thread has a share of them that is dense.
#[test]
fn whether_parts_are_evaluated_is_asked_of_the_whole_projection() {
    let spec = carrying("w*(a_pre - a_post)");
    let carried = carried(&spec);
    let few = Case { rule: Rule::Probability { p: 0.05 }, ends: (60, 45), multapses: false, apart: false, delay: None };
    assert!(few.coupling(&carried, 0..45, true).factored.is_none());
    let many = Case { rule: Rule::Probability { p: 0.3 }, ..few };
    assert!(many.coupling(&carried, 0..45, true).factored.is_some());
    assert!(many.coupling(&carried, 44..45, true).factored.is_some());
}

/// A value without bound reaches those that its source is connected to, when it arrives, and nobody else.
#[test]
fn what_is_no_finite_number_reaches_only_what_it_is_connected_to() {
    for delay in [Some(0), Some(4), None] {
        let case = Case { rule: Rule::Probability { p: 0.7 }, ends: (40, 64), multapses: false, apart: false, delay };
        let spec = carrying("w*a_pre");
        let carried = carried(&spec);
        let (mut slow, mut fast) = (case.coupling(&carried, 0..64, false), case.coupling(&carried, 0..64, true));
        assert!(fast.factored.is_some());
        let mut past = Past::new(case.ends);
        let mut reached = 0;
        for k in 0..40 {
            past.step(k);
            if k == 15 {
                past.histories[0].row_mut(k)[3] = f64::INFINITY;
            }
            let mut rows = [vec![0.0; 64], vec![0.0; 64]];
            slow.add(k, 0.0, &past.histories, &mut rows[0]);
            fast.add(k, 0.0, &past.histories, &mut rows[1]);
            let bits = |row: &[f64]| row.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&rows[0]), bits(&rows[1]), "{delay:?} {k}");
            reached += rows[0].iter().filter(|v| !v.is_finite()).count();
        }
        let connected = slow.connections().iter().filter(|c| c.0 == 3).count();
        assert_eq!(reached, connected, "{delay:?}");
    }
}

/// A part of the target without a finite value matters where something is connected, and nowhere else.
#[test]
fn nothing_arrives_at_units_without_connections() {
    let source: Vec<u32> = (0..900).map(|i| (i * 7) % 40).collect();
    let target: Vec<u32> = (0..900).map(|i| (i * 11) % 37).collect();
    let rule = Rule::Edges { source: source.into(), target: target.into(), weight: None, delay: None };
    let case = Case { rule, ends: (40, 40), multapses: true, apart: false, delay: Some(0) };
    for value in ["w*a_pre/a_post", "w*a_pre*log(abs(a_post))", "w*(a_pre - 1/a_post)"] {
        let spec = carrying(value);
        let carried = carried(&spec);
        let (mut slow, mut fast) = (case.coupling(&carried, 0..40, false), case.coupling(&carried, 0..40, true));
        assert!(fast.factored.is_some(), "{value}");
        let mut past = Past::new(case.ends);
        past.histories[2].row_mut(0)[39] = 0.0;
        let mut rows = [vec![1.5; 40], vec![1.5; 40]];
        slow.add(0, 0.0, &past.histories, &mut rows[0]);
        fast.add(0, 0.0, &past.histories, &mut rows[1]);
        assert_eq!((rows[0][39], rows[1][39]), (1.5, 1.5), "{value}");
        // Where something is connected, both are without a value, or both have the same.
        past.histories[2].row_mut(0)[5] = 0.0;
        let mut rows = [vec![0.0; 40], vec![0.0; 40]];
        slow.add(0, 0.0, &past.histories, &mut rows[0]);
        fast.add(0, 0.0, &past.histories, &mut rows[1]);
        for (lane, (a, b)) in rows[0].iter().zip(&rows[1]).enumerate() {
            assert_eq!(a.is_finite(), b.is_finite(), "{value} {lane}");
            assert_eq!(a.is_finite(), lane != 5, "{value} {lane}");
            assert!(!a.is_finite() || (a - b).abs() < 1e-9 * (1.0 + a.abs()), "{value} {lane}: {a} {b}");
        }
    }
}
