//! Tests of the language as a whole.

use super::samples::{adex, exp_conductance, source};
use super::*;
use spikedeck_core::units::Dimension;

#[test]
fn adex_is_understood_and_typeset() {
    let system = System::parse(&adex()).unwrap();
    assert_eq!(system.states().len(), 2);
    let lines = system.typeset();
    assert_eq!(lines[0], "dV_m/dt = (g_L·(E_L − V_m) + g_L·Delta_T·exp((V_m − V_T)/Delta_T) − w + I)/C_m");
    assert_eq!(lines[2], "spike when V_m > V_peak");
    assert_eq!(lines[3], "then V_m ← V_reset, w ← w + b");
}

/// What jumps has no slope, and is not in proportion for that: neither to a weight nor to noise.
#[test]
fn what_jumps_is_in_proportion_to_nothing() {
    for jump in ["floor(w)", "sign(w)", "where(w > 0.5, 1, 0)", "0.5*sign(w - 2) + 0.5"] {
        let s = Source { on_event: Some(format!("v += w + {jump}")), ..source("dv/dt = -v/tau : 1", "tau:s", "") };
        let errors = System::parse(&s).unwrap_err();
        assert!(errors[0].1.message.contains("in proportion to its weight"), "{jump}: {}", errors[0].1.message);
    }
    let errors = System::parse(&source("dv/dt = (sign(xi) - v)/tau : 1", "tau:s", "")).unwrap_err();
    assert!(errors[0].1.message.contains("`xi` may only be multiplied"), "{}", errors[0].1.message);
}

#[test]
fn wrong_units_name_both_dimensions_and_point_at_the_place() {
    let text = "dV_m/dt = (E_L - V_m + I)/tau_m : V";
    let errors = System::parse(&source(text, "E_L:V tau_m:s", "I:A")).unwrap_err();
    assert_eq!(errors.len(), 1);
    let d = &errors[0].1;
    assert_eq!(d.message, "two different units are added: the left side has unit V, the right side unit A");
    assert_eq!(&text[d.span.clone()], "(E_L - V_m + I)");
    let text = "dV_m/dt = (E_L - V_m) : V\nx = tua_m/tau_m : 1\ny = exp(V_m) : 1";
    let errors = System::parse(&source(text, "E_L:V tau_m:s", "I:A")).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|e| e.1.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "unknown name `tua_m`",
            "`exp` takes a plain number, this has unit V",
            "dV_m/dt has unit V/s, but this expression has unit V"
        ]
    );
    assert_eq!(errors[0].1.help.as_deref(), Some("did you mean `tau_m`?"));
}

/// `pi` is the number, unless a model has one of its own.
#[test]
fn pi_has_its_name() {
    let typeset = |text: &str, parameters: &str| System::parse(&source(text, parameters, "")).map(|s| s.typeset());
    let ours = typeset("dx/dt = sin(2*pi*f*t) * f : 1", "f:1/s").unwrap();
    assert_eq!(ours, typeset("dx/dt = sin(2*3.141592653589793*f*t) * f : 1", "f:1/s").unwrap());
    assert!(typeset("dx/dt = pi/tau - x/tau : 1", "tau:s pi:V").is_err(), "volts are no number");
    typeset("dx/dt = (pi - x)/tau : V", "tau:s pi:V").unwrap();
    assert!(typeset("dx/dt = -x/pi : 1", "").is_err(), "it has no unit");
}

#[test]
fn receptors_join_and_take_the_units_of_their_host() {
    let receptor = System::parse(&exp_conductance()).unwrap();
    let point = System::parse(&source("dV_m/dt = (g_L*(E_L - V_m) + I)/C_m : V", "g_L:S E_L:V C_m:F", "I:A")).unwrap();
    let both = point.carrying("ampa", &receptor).unwrap().carrying("gaba", &receptor).unwrap();
    assert_eq!(both.states()[1].name, "ampa.g");
    assert_eq!(both.event_ports()[1].name, "gaba");
    assert_eq!(both.event_ports()[0].weight, Dimension::SIEMENS);
    assert!(
        both.typeset().contains(&"dV_m/dt = (g_L·(E_L − V_m) + I + gaba.I + ampa.I)/C_m".to_owned()),
        "{:?}",
        both.typeset()
    );
    let density =
        System::parse(&source("dV_m/dt = (g_L*(E_L - V_m) + I)/C_m : V", "g_L:S/m**2 E_L:V C_m:F/m**2", "I:A/m**2"))
            .unwrap();
    let ampa = density.carrying("ampa", &receptor).unwrap();
    assert_eq!(ampa.event_ports()[0].weight.to_string(), "S/m**2");
    let plain = Source { time_unit: TimeUnit::Millisecond, ..source("dV_m/dt = -V_m + I : 1", "", "I:1") };
    let plain = System::parse(&plain).unwrap().carrying("ampa", &receptor).unwrap();
    assert!(plain.event_ports()[0].weight.is_none());
    assert!(point.carrying("ampa", &point).is_err());
}

mod properties {
    use super::super::check::Checker;
    use super::super::derive::derivative;
    use super::super::fuse::{Varies, fuse};
    use super::super::graph::{Binary, Graph, Id, Node, Symbol, Unary};
    use super::super::kernel::{Allocation, Kernel, Location, Memory, fill_hoisted};
    use super::super::print::Printer;
    use super::super::syntax::expression;
    use super::super::tape::{Tape, Values};
    use super::*;
    use proptest::prelude::*;

    /// Grows a random graph from bytes: each takes two earlier nodes and joins them.
    fn grow(bytes: &[u8], smooth: bool) -> (Graph, Id) {
        let mut g = Graph::new();
        let mut nodes: Vec<Id> = (0..4).map(|i| g.symbol(Symbol::State(i))).collect();
        nodes.push(g.symbol(Symbol::Parameter(0)));
        nodes.push(g.number(0.75));
        nodes.push(g.number(-1.5));
        for b in bytes.chunks(3) {
            let (op, x, y) =
                (b[0] % if smooth { 15 } else { 30 }, b.get(1).copied().unwrap_or(0), b.get(2).copied().unwrap_or(0));
            let pick = |k: u8| nodes[nodes.len() - 1 - usize::from(k) % nodes.len()];
            let (a, c) = (pick(x), pick(y));
            let id = match op {
                0 | 1 => g.add(a, c),
                2 => g.sub(a, c),
                3 | 4 => g.mul(a, c),
                5 => {
                    let t = g.unary(Unary::Tanh, c);
                    let two = g.number(2.5);
                    let bottom = g.add(two, t);
                    g.div(a, bottom)
                }
                6 => g.unary(Unary::Tanh, a),
                7 => {
                    let t = g.unary(Unary::Tanh, a);
                    g.unary(Unary::Exp, t)
                }
                8 => g.unary(Unary::Sigmoid, a),
                9 => g.unary(Unary::Sin, a),
                10 => {
                    let t = g.unary(Unary::Sin, a);
                    g.unary(Unary::Exprel, t)
                }
                11 => {
                    let s = g.unary(Unary::Sigmoid, a);
                    g.unary(Unary::Log, s)
                }
                12 => {
                    let s = g.unary(Unary::Sigmoid, a);
                    g.unary(Unary::Sqrt, s)
                }
                13 => {
                    let t = g.unary(Unary::Tanh, a);
                    g.unary(Unary::Powi(i32::from(y % 5)), t)
                }
                14 => {
                    let (s, t) = (g.unary(Unary::Sigmoid, a), g.unary(Unary::Tanh, c));
                    g.binary(Binary::Pow, s, t)
                }
                15 => g.unary(Unary::Neg, a),
                16 => g.unary(Unary::Exp, a),
                17 => g.unary(Unary::Expm1, a),
                18 => g.unary(Unary::Cosh, a),
                19 => g.unary(Unary::Sinh, a),
                20 => g.unary(Unary::Abs, a),
                21 => g.unary(Unary::Sign, a),
                22 => g.unary(Unary::Floor, a),
                23 => g.unary(Unary::Step, a),
                24 => g.binary(Binary::Min, a, c),
                25 => g.binary(Binary::Max, a, c),
                26 => g.div(a, c),
                27 => {
                    let condition = g.binary(Binary::Less, a, c);
                    g.choose(condition, c, a)
                }
                28 => g.unary(Unary::Tan, a),
                _ => {
                    let (p, q) = (g.binary(Binary::Greater, a, c), g.binary(Binary::LessEqual, a, c));
                    let both = g.binary(Binary::Or, p, q);
                    g.choose(both, a, c)
                }
            };
            nodes.push(id);
        }
        let last = nodes[nodes.len() - 1];
        (g, last)
    }

    fn names(s: Symbol) -> String {
        match s {
            Symbol::State(i) => format!("x{i}"),
            _ => "p".to_owned(),
        }
    }

    fn read(text: &str) -> (Graph, Id) {
        let mut found = Vec::new();
        let mut g = Graph::new();
        let e = expression(text, 0..text.len(), &mut found).unwrap_or_else(|| panic!("{text}: {found:?}"));
        let lookup = |g: &mut Graph, name: &str| {
            let s = if name == "p" { Symbol::Parameter(0) } else { Symbol::State(name[1..].parse().unwrap()) };
            Some(Ok((g.symbol(s), Dimension::NONE)))
        };
        let id = Checker { graph: &mut g, lookup: &lookup, known: &[], diagnostics: &mut found, space: None }
            .number(&e)
            .map(|n| n.0);
        (g, id.unwrap_or_else(|| panic!("{text}: {found:?}")))
    }

    /// Typeset text as a model file would have it; nothing in it is an absolute value inside another.
    fn typed(text: &str) -> String {
        let mut out = String::new();
        let (mut open, mut raised) = (false, false);
        for c in text.chars() {
            let digit = "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|d| d == c);
            if (digit.is_some() || c == '⁻') && !raised {
                out.push_str("**");
            }
            raised = digit.is_some() || c == '⁻';
            match (digit, c) {
                (Some(digit), _) => out.push_str(&digit.to_string()),
                (_, '−' | '⁻') => out.push('-'),
                (_, '·') => out.push('*'),
                (_, '√') => out.push_str("sqrt"),
                (_, '≤') => out.push_str("<="),
                (_, '≥') => out.push_str(">="),
                (_, '≠') => out.push_str("!="),
                (_, '=') => out.push_str("=="),
                (_, '|') => {
                    open = !open;
                    out.push_str(if open { "abs(" } else { ")" });
                }
                (_, c) => out.push(c),
            }
        }
        out
    }

    /// What is typeset, read again, has the same value.
    fn typeset_is_true(g: &Graph, id: Id) {
        let text = Printer::new(g, &names, Vec::new()).print(id);
        let (again, same) = read(&typed(&text));
        let values = Values { states: &[0.3, 0.7, 1.1, 0.45], parameters: &[0.4], ..Values::default() };
        let (a, b) = (Tape::new(g, &[id]).value(&values), Tape::new(&again, &[same]).value(&values));
        assert!((a - b).abs() <= 1e-9 * a.abs() || (a.is_nan() && b.is_nan()), "{text}: {a}, read again {b}");
    }

    /// Every three of a list.
    fn triples<T: Copy>(list: &[T]) -> Vec<(T, T, T)> {
        let two: Vec<(T, T)> = list.iter().flat_map(|a| list.iter().map(move |b| (*a, *b))).collect();
        two.iter().flat_map(|(a, b)| list.iter().map(move |c| (*a, *b, *c))).collect()
    }

    #[test]
    fn typeset_formulas_have_the_parentheses_that_they_need() {
        type Wrap = fn(&mut Graph, Id) -> Id;
        let joins = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Pow, Binary::Min];
        let wraps: [Wrap; 6] = [
            |_, x| x,
            |g, x| g.unary(Unary::Neg, x),
            |g, x| g.unary(Unary::Abs, x),
            |g, x| g.unary(Unary::Powi(3), x),
            |g, x| g.unary(Unary::Sqrt, x),
            |g, x| g.unary(Unary::Bernoulli, x),
        ];
        for (outer, left, right) in triples(&joins) {
            for (wrap, other) in wraps.iter().flat_map(|a| wraps.iter().map(move |b| (a, b))) {
                let mut g = Graph::new();
                let [a, b, c, d] = [0, 1, 2, 3].map(|i| g.symbol(Symbol::State(i)));
                let (l, r) = (g.binary(left, a, b), g.binary(right, c, d));
                let (l, r) = (wrap(&mut g, l), other(&mut g, r));
                let id = g.binary(outer, l, r);
                typeset_is_true(&g, id);
            }
        }
        let compare =
            [Binary::Less, Binary::LessEqual, Binary::Greater, Binary::GreaterEqual, Binary::Equal, Binary::NotEqual];
        let logic = [Binary::And, Binary::Or];
        let each = triples(&logic).into_iter().flat_map(|(o, i, _)| (0..8).map(move |denied| (o, i, denied)));
        let cases: Vec<_> = each.flat_map(|(o, i, denied)| compare.map(|c| (c, o, i, denied))).collect();
        for (compare, outer, inner, denied) in cases {
            let mut g = Graph::new();
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| g.symbol(Symbol::State(i)));
            let deny = |g: &mut Graph, bit: u8, x: Id| if denied & bit > 0 { g.unary(Unary::Not, x) } else { x };
            let (p, q, r) = (g.binary(compare, a, b), g.binary(compare, c, d), g.binary(compare, d, a));
            let q = deny(&mut g, 1, q);
            let pair = g.binary(inner, q, r);
            let pair = deny(&mut g, 2, pair);
            for (l, r) in [(p, pair), (pair, p)] {
                let whole = g.binary(outer, l, r);
                let whole = deny(&mut g, 4, whole);
                let id = g.choose(whole, a, b);
                typeset_is_true(&g, id);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn derivatives_agree_with_central_differences(
            bytes in prop::collection::vec(any::<u8>(), 3..36),
            which in 0u32..4,
        ) {
            let (mut g, id) = grow(&bytes, true);
            let d = derivative(&mut g, id, Symbol::State(which));
            let tape = Tape::new(&g, &[id, d]);
            let at = |shift: f64| {
                let mut states = [0.31, -0.72, 0.53, 0.11];
                states[which as usize] += shift;
                let mut out = [0.0; 2];
                tape.evaluate(&Values { states: &states, parameters: &[0.4], ..Values::default() }, &mut out);
                out
            };
            let h = 1e-4;
            let [value, exact] = at(0.0);
            prop_assume!(value.abs() < 50.0 && exact.abs() < 1e3);
            // Richardson extrapolation; its own error estimate says where the difference quotient can be trusted.
            let quotient = |h: f64| (at(h)[0] - at(-h)[0]) / (2.0 * h);
            let (coarse, fine) = (quotient(h), quotient(0.5 * h));
            prop_assume!((coarse - fine).abs() < 1e-4 * (1.0 + exact.abs()));
            let numeric = (4.0 * fine - coarse) / 3.0;
            prop_assert!((numeric - exact).abs() < 1e-6 * (1.0 + exact.abs()), "{} {}", numeric, exact);
        }

        #[test]
        fn kernels_give_the_bits_of_the_plain_evaluator(
            bytes in prop::collection::vec(any::<u8>(), 3..60),
            lanes in prop::sample::select(vec![0usize, 1, 1, 2, 3, 7, 16, 17, 256, 300]),
        ) {
            let (g, id) = grow(&bytes, false);
            let (h, other) = (g.clone(), Id((g.len() / 2) as u32));
            let roots = [id, other];
            let bind = |s: Symbol| match s {
                Symbol::State(i) => Location::Column(i),
                _ => Location::Column(4),
            };
            let steady = |s: Symbol| matches!(s, Symbol::Parameter(_));
            let class = |s: Symbol| if steady(s) { Varies::Lane } else { Varies::Step };
            let mut allocation = Allocation { columns: 5, ..Allocation::default() };
            let targets = [Some(Location::Column(1)), Some(Location::Column(0))];
            let (kernel, _) = Kernel::compile(&h, &roots, &targets, &bind, &steady, &mut allocation);
            let mut memory = Memory::new(lanes, allocation.columns as usize, allocation.scratch as usize);
            for c in 0..5 {
                for (k, v) in memory.padded_mut(c).iter_mut().enumerate() {
                    *v = ((k * 37 + c * 11) % 101) as f64 * 0.05 - 2.5;
                }
            }
            fill_hoisted(&allocation, &mut memory, &bind);
            let mut kernel = kernel;
            kernel.settle(&mut memory);
            let before = memory.clone();
            for (start, count) in memory.blocks() {
                kernel.run(&mut memory, start, count);
            }
            let (fused, ids) = fuse(&g, &roots, &class);
            let tape = Tape::new(&fused, &ids);
            for lane in 0..lanes {
                let states: Vec<f64> = (0..4).map(|c| before.column(c)[lane]).collect();
                let mut want = [0.0; 2];
                let parameters = [before.column(4)[lane]];
                tape.evaluate(
                    &Values { states: &states, parameters: &parameters, ..Values::default() },
                    &mut want,
                );
                let got = [memory.column(1)[lane], memory.column(0)[lane]];
                for (a, b) in want.iter().zip(got) {
                    let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                    prop_assert!(same, "lane {} of {}: {:e} {:e}", lane, lanes, a, b);
                }
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let everywhere = Source {
                threshold: Some(text.clone()), reset: Some(text.clone()), refractory_time: Some(text.clone()),
                on_event: Some(text.clone()), ..source(&text, "a:V", "I:A")
            };
            let _ = System::parse(&everywhere);
        }

        #[test]
        fn no_mutated_model_makes_the_parser_panic(
            edits in prop::collection::vec((any::<u16>(), any::<u8>(), 0u8..3), 1..12),
        ) {
            let mut s = adex();
            s.on_event = Some("V_m += [1 mV]".to_owned());
            for text in [&mut s.equations, s.threshold.as_mut().unwrap(), s.reset.as_mut().unwrap()] {
                let mut chars: Vec<char> = text.chars().collect();
                for &(at, with, kind) in &edits {
                    let at = usize::from(at) % (chars.len() + 1);
                    let list: Vec<char> = "()[]:=+-*/.,#<> \n;dtVxi09eµé".chars().collect();
                    let with = list[usize::from(with) % list.len()];
                    match kind {
                        0 => chars.insert(at, with),
                        1 if at < chars.len() => { chars.remove(at); }
                        _ if at < chars.len() => chars[at] = with,
                        _ => {}
                    }
                }
                *text = chars.into_iter().collect();
            }
            if let Err(list) = System::parse(&s) {
                for (part, d) in list {
                    let text = match part {
                        Part::Equations => &s.equations,
                        Part::Threshold => s.threshold.as_ref().unwrap(),
                        Part::Reset => s.reset.as_ref().unwrap(),
                        _ => continue,
                    };
                    prop_assert!(d.span.start <= d.span.end && d.span.end <= text.len(), "{:?} in {:?}", d, text);
                    prop_assert!(text.is_char_boundary(d.span.start) && text.is_char_boundary(d.span.end));
                }
            }
        }
    }

    /// Sums of all kinds as one operation, with numbers wherever they may stand.
    #[test]
    fn chains_give_the_bits_of_the_plain_evaluator() {
        let texts = [
            "0.3 + x0 + 0.5*x1",
            "x0 + 0.3 - x1*x2 + 2*x3",
            "x0*x1 + 0.25",
            "(x0*x1 + 0.25) + 0.5*(x2 - 1.5)",
            "x0 + x1 + x2 + x3 + p",
            "x0 - x1 - x2 - 2*x3 - 0.1*p",
            "1 - (x0 + 0.5*x1)",
            "0.1*(x0 - 0.7) + 0.2*(x1 + 0.3) + x2*x3 - 4",
            "exp((x0 - 0.7)/0.3) + exp((x1 + 0.2)/2) + 1",
        ];
        for text in texts {
            let (g, id) = read(text);
            let bind = |s: Symbol| if let Symbol::State(i) = s { Location::Column(i) } else { Location::Column(4) };
            let (fused, ids) =
                fuse(&g, &[id], &|s| if matches!(s, Symbol::Parameter(_)) { Varies::Lane } else { Varies::Step });
            for lanes in [1, 3, 20] {
                let mut allocation = Allocation { columns: 5, ..Allocation::default() };
                let steady = |s: Symbol| matches!(s, Symbol::Parameter(_));
                let (mut kernel, _) =
                    Kernel::compile(&g, &[id], &[Some(Location::Column(0))], &bind, &steady, &mut allocation);
                let mut memory = Memory::new(lanes, allocation.columns as usize, allocation.scratch as usize);
                for c in 0..5 {
                    for (k, v) in memory.padded_mut(c).iter_mut().enumerate() {
                        *v = ((k * 37 + c * 11) % 101) as f64 * 0.05 - 2.5;
                    }
                }
                fill_hoisted(&allocation, &mut memory, &bind);
                kernel.settle(&mut memory);
                let before = memory.clone();
                for (start, count) in memory.blocks() {
                    kernel.run(&mut memory, start, count);
                }
                for lane in 0..lanes {
                    let states: Vec<f64> = (0..4).map(|c| before.column(c)[lane]).collect();
                    let parameters = [before.column(4)[lane]];
                    let want = Tape::new(&fused, &ids).value(&Values {
                        states: &states,
                        parameters: &parameters,
                        ..Values::default()
                    });
                    assert_eq!(memory.column(0)[lane].to_bits(), want.to_bits(), "{text}, lane {lane} of {lanes}");
                }
            }
        }
    }

    /// One fused operation makes the argument of an exponential; where equality counts, a difference stays a
    /// difference.
    #[test]
    fn sums_are_multiplied_out_in_smooth_functions_only() {
        for text in ["exp((x0 - 3)/2)", "exp(0.5*(x0 - 3))"] {
            let (g, id) = read(text);
            let (out, ids) = fuse(&g, &[id], &|_| Varies::Step);
            let Node::Unary(Unary::Exp, argument) = out.node(ids[0]) else { panic!("{text}") };
            let Node::Fma { a, c, minus_product: false, minus_term: false, .. } = out.node(argument) else {
                panic!("{text}")
            };
            assert_eq!((out.value(a), out.value(c)), (Some(0.5), Some(-1.5)), "{text}");
        }
        for text in [
            "where((x0 - x1)/0.1 >= 0, x2, 1)",
            "sqrt(0.1*(x0 - x1))",
            "floor((x0 - 0.3)/0.1)",
            "sqrt(expm1((x0 - x1)/0.7))",
            "where(tanh((x0 - x1)/0.7) > 0, x2, 1)",
        ] {
            let (g, id) = read(text);
            let (out, ids) = fuse(&g, &[id], &|_| Varies::Step);
            let values = |g: &Graph, id: Id| {
                Tape::new(g, &[id]).value(&Values { states: &[0.3, 0.3, 7.0], ..Values::default() })
            };
            assert_eq!(values(&out, ids[0]), values(&g, id), "{text}");
        }
    }

    #[test]
    fn deep_and_long_expressions_are_refused_clearly() {
        for text in [
            "(".repeat(100_000),
            "-".repeat(100_000),
            "exp(".repeat(50_000),
            vec!["1"; 100_000].join("+"),
            "2**".repeat(50_000),
            "not ".repeat(50_000),
        ] {
            let errors = System::parse(&source(&format!("x = {text} : 1"), "", "")).unwrap_err();
            assert!(
                errors[0].1.message.contains("nested too deeply") || errors[0].1.message.contains("missing"),
                "{}",
                errors[0].1.message
            );
        }
    }
}

#[test]
fn mistakes_get_helpful_messages() {
    let first = |equations: &str| System::parse(&source(equations, "tau:s V_T:V", "I:A")).unwrap_err()[0].1.clone();
    assert!(first("dx/dt = -x/tau").message.contains("unit of `x` is missing"));
    assert!(first("a = b : 1\nb = a : 1").message.contains("depends on itself"));
    assert!(first("tau = 1 : 1").message.contains("declared twice"));
    assert!(first("y = xi : 1").message.contains("belongs in a differential equation"));
    assert!(
        first("y = 20 mV : V").help.unwrap_or_default().contains("product")
            || first("y = 20mV : V").help.unwrap().contains("[20 mV]")
    );
    assert!(first("dx/dt = xi**2*[1 Hz]*[1 s]/tau : 1").message.len() > 3);
    assert!(first("y = mV : V").help.unwrap().contains("[1 mV]"));
    assert!(first("y = sin(V_T) : 1").message.contains("takes a plain number"));
    assert!(first("dx/dt = -x/tau : 1 (unless refractory)").message.contains("flags"));
    let warned = System::parse(&source("y = V_T/(exp(V_T/[1 mV]) - 1) : V", "V_T:V", "")).unwrap();
    assert!(warned.warnings()[0].1.help.as_ref().unwrap().contains("exprel"));
}
