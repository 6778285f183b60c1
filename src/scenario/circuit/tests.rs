//! Circuits against the same written out, and what is said where they are wrong.

use crate::tests::read as understood;
use crate::{Overrides, Report, Spec, find_built_in, rewritten};
use toml_edit::DocumentMut;

/// The cortical microcircuit with every population, projection and stimulus written out, as
/// `data/reference/microcircuit.py long` writes it.
const LONG: &str = include_str!("microcircuit_long.toml");

fn load(text: &str, variant: Option<&str>, set: &[(&str, &str)]) -> Result<Spec, Report> {
    let set = set.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect();
    understood(text, &Overrides { variant: variant.map(str::to_owned), set }).map(|read| read.0)
}

/// A scenario without analyses, which are of another room, and without what expects something of them.
fn without_analyses(text: &str) -> String {
    let mut document: DocumentMut = text.parse().unwrap();
    for table in ["analyses", "expect"] {
        document.remove(table);
    }
    let variants = document.get_mut("variants").and_then(|v| v.as_table_like_mut()).unwrap();
    for (_, variant) in variants.iter_mut() {
        let variant = variant.as_table_like_mut().unwrap();
        let keys: Vec<String> = variant.iter().map(|(key, _)| key.to_owned()).collect();
        keys.iter().filter(|key| key.starts_with("expect")).for_each(|key| drop(variant.remove(key)));
    }
    document.to_string()
}

#[test]
fn the_microcircuit_said_briefly_is_the_one_written_out() {
    let brief = without_analyses(find_built_in("microcircuit").unwrap().text);
    let long = without_analyses(LONG);
    assert!(brief.lines().count() * 4 < long.lines().count());
    for variant in [None, Some("one_percent"), Some("two_percent"), Some("ten_percent")] {
        let (a, b) = (load(&brief, variant, &[]).unwrap(), load(&long, variant, &[]).unwrap());
        assert_eq!(a.canonical, b.canonical, "{variant:?}");
        assert_eq!((a.hash.len(), &a.hash), (64, &b.hash));
    }
}

/// Sizes and numbers of connections of the large variants as `data/reference/microcircuit.py` works them out; the
/// second sum counts the k-th projection k times, so that none can stand for another.
#[test]
fn the_large_microcircuit_has_the_published_numbers() {
    let brief = without_analyses(find_built_in("microcircuit-large").unwrap().text);
    for (variant, sizes, total, numbered) in [
        (None, [4137, 1167, 4383, 1096, 970, 213, 2879, 590], 11_955_239, 198_431_752),
        (Some("half"), [10_342, 2917, 10_958, 2740, 2425, 532, 7198, 1474], 74_720_238, 1_240_198_361),
        (Some("full"), [20_683, 5834, 21_915, 5479, 4850, 1065, 14_395, 2948], 298_880_968, 4_960_793_976_usize),
    ] {
        let spec = load(&brief, variant, &[]).unwrap();
        assert_eq!(spec.populations.iter().map(|p| p.size).collect::<Vec<_>>(), sizes, "{variant:?}");
        let drawn = |p: &crate::ProjectionSpec| match p.rule {
            crate::Rule::FixedTotalNumber { total } => total,
            ref other => panic!("{}: {other:?}", p.name),
        };
        let totals: Vec<usize> = spec.projections.iter().map(drawn).collect();
        let sums = (totals.iter().sum::<usize>(), totals.iter().zip(1..).map(|(n, k)| n * k).sum::<usize>());
        assert_eq!(sums, (total, numbered), "{variant:?}");
    }
}

/// Two populations with their tables.
const SMALL: &str = r#"
[simulation]
duration = "0.5 s"
dt = "0.1 ms"
[circuits.c]
populations = ["exc", "inh"]
sizes = [80, 20]
each.model = "lif"
each.receptors.syn = { kind = "exp_current", tau = "2 ms" }
receptor = "syn"
probability = [[0.1, 0.2], [0.3, 0.0]]
weight = ["20 pA", "-80 pA"]
delay = "1.5 ms"
"#;

/// The same written out.
const SMALL_LONG: &str = r#"
[simulation]
duration = "0.5 s"
dt = "0.1 ms"
[populations.exc]
model = "lif"
size = 80
receptors.syn = { kind = "exp_current", tau = "2 ms" }
[populations.inh]
model = "lif"
size = 20
receptors.syn = { kind = "exp_current", tau = "2 ms" }
[projections.exc_exc]
from = "exc"
to = "exc.syn"
connect = { rule = "probability", p = 0.1 }
weight = "20 pA"
delay = "1.5 ms"
[projections.inh_exc]
from = "inh"
to = "exc.syn"
connect = { rule = "probability", p = 0.2 }
weight = "-80 pA"
delay = "1.5 ms"
[projections.exc_inh]
from = "exc"
to = "inh.syn"
connect = { rule = "probability", p = 0.3 }
weight = "20 pA"
delay = "1.5 ms"
"#;

/// Two texts and settings that say the same.
fn same(a: (&str, &[(&str, &str)]), b: (&str, &[(&str, &str)])) {
    let read = |(text, set)| load(text, None, set).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(read(a).canonical, read(b).canonical);
}

#[test]
fn tables_of_any_kind_are_written_out() {
    same((SMALL, &[]), (SMALL_LONG, &[]));
    let indegrees = SMALL.replace("probability = [[0.1, 0.2], [0.3, 0.0]]", "indegree = [[8, 4], [24, 0]]");
    let connect = |name, value| (name, value);
    same(
        (&indegrees, &[]),
        (
            SMALL_LONG,
            &[
                connect("projections.exc_exc.connect", "{ rule = 'fixed_indegree', indegree = 8 }"),
                connect("projections.inh_exc.connect", "{ rule = 'fixed_indegree', indegree = 4 }"),
                connect("projections.exc_inh.connect", "{ rule = 'fixed_indegree', indegree = 24 }"),
            ],
        ),
    );
    let totals = |more: &str| indegrees.replace("delay =", &format!("rule = 'fixed_total_number'\n{more}\ndelay ="));
    let long = [
        ("projections.exc_exc.connect", "{ rule = 'fixed_total_number', total = 640, multapses = true }"),
        ("projections.inh_exc.connect", "{ rule = 'fixed_total_number', total = 320, multapses = true }"),
        ("projections.exc_inh.connect", "{ rule = 'fixed_total_number', total = 480, multapses = true }"),
    ];
    same((&totals("multapses = true"), &[]), (SMALL_LONG, &long));
    let said = totals("multapses = true").replace("indegree = [[8, 4], [24, 0]]", "total = [[640, 320], [480, 0]]");
    same((&said, &[]), (SMALL_LONG, &long));
}

#[test]
fn a_pair_has_values_of_its_own_and_what_stands_by_itself_holds_before_all() {
    let pair = "[circuits.c.pairs]\nexc_inh = { probability = 0.5, weight = '40 pA', delay = '2 ms' }\n\
                inh_inh = { indegree = 3 }\n";
    let long = [
        ("projections.exc_inh.connect.p", "0.5"),
        ("projections.exc_inh.weight", "40 pA"),
        ("projections.exc_inh.delay", "2 ms"),
        (
            "projections.inh_inh",
            "{ from = 'inh', to = 'inh.syn', weight = '-80 pA', delay = '1.5 ms', connect = { rule = \
             'fixed_indegree', indegree = 3 } }",
        ),
    ];
    same((&format!("{SMALL}{pair}"), &[]), (SMALL_LONG, &long));
    let own = "[populations.exc]\nparameters.tau_m = '15 ms'\n[projections.exc_inh]\nweight = '50 pA'\n\
               [projections]\ninh_exc = false\n";
    let changes: [(&str, &str); 3] = [
        ("populations.exc.parameters.tau_m", "15 ms"),
        ("projections.exc_inh.weight", "50 pA"),
        ("projections.inh_exc", "false"),
    ];
    same(
        (&format!("{SMALL}{}", own.replace("[projections]\ninh_exc = false\n", "")), &[]),
        (SMALL_LONG, &changes[..2]),
    );
    // By `--set`, and in a file that was saved with these changes.
    same((SMALL, &changes), (SMALL_LONG, &changes));
    let set: Vec<(String, String)> = changes.iter().map(|(p, v)| ((*p).to_owned(), (*v).to_owned())).collect();
    same((&rewritten(SMALL, &set).unwrap(), &[]), (SMALL_LONG, &changes));
    let variant =
        format!("{SMALL}[variants.v]\n'populations.exc.parameters.tau_m' = '15 ms'\n'circuits.c.scale' = 0.5\n");
    let variant = load(&variant, Some("v"), &[]).unwrap();
    assert_eq!(variant.populations.iter().map(|p| p.size).collect::<Vec<_>>(), [40, 10]);
}

/// The sizes, the connections and the weights of van Albada and others, and the mean that the current replaces.
#[test]
fn a_scaled_circuit_keeps_mean_and_variance() {
    let more =
        "scale = 0.25\nrates = ['5 Hz', '10 Hz']\nbackground = { sources = 400, rate = '8 Hz', weight = '20 pA' }\n";
    let small = SMALL.replace("delay = ", &format!("{more}delay = "));
    let long = [
        ("populations.exc.size", "20"),
        ("populations.inh.size", "5"),
        ("projections.exc_exc.weight", "40 pA"),
        ("projections.inh_exc.weight", "-160 pA"),
        ("projections.exc_inh.weight", "40 pA"),
    ];
    // Half of the mean is lost: 8 sources of 5 Hz and 4 of 10 Hz, 400 of 8 Hz; and 24 of 5 Hz, 400 of 8 Hz.
    let current = |sum: f64| format!("{} pA", 0.5 * 2e-3 * sum);
    let stimuli = [("exc", 8.0 * 20.0 * 5.0 - 4.0 * 80.0 * 10.0), ("inh", 24.0 * 20.0 * 5.0)].map(|(p, sum)| {
        format!(
            "[stimuli.background_{p}]\ntarget = '{p}.syn'\nkind = 'poisson'\nrate = '8 Hz'\nsources = 100\nweight = \
             '40 pA'\n[stimuli.constant_{p}]\ntarget = '{p}.I'\nkind = 'constant'\namplitude = '{}'\n",
            current(sum + 400.0 * 20.0 * 8.0)
        )
    });
    let written = format!("{SMALL_LONG}{}", stimuli.concat());
    let (a, b) = (load(&small, None, &[]).unwrap(), load(&written, None, &long).unwrap());
    let close = |a: &str, b: &str| {
        // The currents are computed here and there; all else is the same text.
        let split = |text: &str| -> Vec<String> { text.split(['"', ' ']).map(str::to_owned).collect() };
        let (a, b) = (split(a), split(b));
        a.len() == b.len()
            && a.iter().zip(&b).all(|(a, b)| {
                let near = |(x, y): (f64, f64)| (x - y).abs() <= 1e-12 * x.abs();
                a == b || a.parse().ok().zip(b.parse().ok()).is_some_and(near)
            })
    };
    assert!(close(&a.canonical, &b.canonical), "{}\n{}", a.canonical, b.canonical);
    // As a current, the background is whole at any scale.
    let constant = load(&small, None, &[("circuits.c.background.kind", "constant")]).unwrap();
    let names: Vec<&str> = constant.stimuli.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["constant_exc", "constant_inh"]);
    // Fewer units with all their connections need more of the pairs.
    let dense = load(SMALL, None, &[("circuits.c.scale", "0.5"), ("circuits.c.indegree_scale", "1")]).unwrap();
    assert!(matches!(dense.projections[0].rule, crate::Rule::Probability { p } if p == 0.2));
    let (_, warnings) =
        understood(SMALL, &Overrides { variant: None, set: vec![("circuits.c.scale".to_owned(), "0.5".to_owned())] })
            .unwrap();
    assert!(warnings.iter().any(|w| w.contains("lose a part of the mean")), "{warnings:?}");
}

#[test]
fn spreads_are_normal_values_on_one_side() {
    let spread = SMALL.replace("delay = ", "weight_spread = 0.1\ndelay_spread = 0.5\ndelay = ");
    let weight = |mean: &str, sd: &str, bound: &str| {
        format!("{{ normal = {{ mean = '{mean}', sd = '{sd}', {bound} = '0 pA' }} }}")
    };
    let (exc, inh) = (weight("20 pA", "2 pA", "min"), weight("-80 pA", "8 pA", "max"));
    let delay = "{ normal = { mean = '1.5 ms', sd = '0.75 ms', min = '0.1 ms' } }";
    let long = [
        ("projections.exc_exc.weight", exc.as_str()),
        ("projections.inh_exc.weight", &inh),
        ("projections.exc_inh.weight", &exc),
        ("projections.exc_exc.delay", delay),
        ("projections.inh_exc.delay", delay),
        ("projections.exc_inh.delay", delay),
    ];
    same((&spread, &[]), (SMALL_LONG, &long));
}

#[test]
fn circuits_connect_populations_of_the_scenario_too() {
    let populations = &SMALL_LONG[..SMALL_LONG.find("[projections").unwrap()];
    let circuit = "[circuits.c]\nsources = ['exc']\ntargets = ['exc', 'inh']\nreceptor = 'syn'\nprobability = [[0.1], \
                   [0.3]]\nweight = '20 pA'\ndelay = '1.5 ms'\n";
    same((&format!("{populations}{circuit}"), &[]), (SMALL_LONG, &[("projections.inh_exc", "false")]));
    let twice = format!("{populations}{circuit}{}", circuit.replace("circuits.c", "circuits.d"));
    assert!(load(&twice, None, &[]).unwrap_err().to_string().contains("`projections.exc_exc` already"));
    let other = twice.replace("circuits.d]", "circuits.d]\nprefix = 'slow_'");
    assert_eq!(load(&other, None, &[]).unwrap().projections.len(), 4);
}

#[test]
fn what_is_wrong_is_told_where_it_stands() {
    let changed = |from: &str, to: &str| {
        assert!(SMALL.contains(from), "{from}");
        let e = load(&SMALL.replace(from, to), None, &[]).map(|s| s.canonical).unwrap_err().to_string();
        // Said once, though each pair is concerned.
        assert_eq!(e.matches("error: ").count().max(1), 1, "{e}");
        e
    };
    let table = "[[0.1, 0.2], [0.3, 0.0]]";
    for (from, to, told) in [
        (table, "[[0.1, 0.2]]", "`probability` has 1 row, and there are 2 targets"),
        (table, "[[0.1, 0.2], [0.3]]", "the row of `probability` for `inh` has 1 entry, and there are 2 sources"),
        (table, "[[0.1, 0.2], 0.3]", "a row of `probability` is a list, not a number"),
        (table, "0.1", "`probability` is a table of rows, not a number"),
        (table, "[[0.1, 1.2], [0.3, 0.0]]", "an entry of `probability` is from 0 to 1, not 1.2"),
        (table, "[[0.1, 0.2], [0.3, 0.0]]\nindegree = [[1, 2], [3, 4]]", "both say how many connections"),
        ("[\"20 pA\", \"-80 pA\"]", "[\"20 pA\"]", "`weight` has 1 entry, and there are 2 sources"),
        ("weight = [\"20 pA\", \"-80 pA\"]\n", "", "a circuit with connections needs `weight`"),
        ("receptor = \"syn\"\n", "", "a circuit with connections needs `receptor`"),
        ("sizes = [80, 20]", "sizes = [80]", "`sizes` has 1 entry, and there are 2 populations"),
        ("sizes = [80, 20]\n", "", "there is no population `exc`"),
        ("\"exc\", \"inh\"", "\"exc\", \"exc\"", "`exc` stands in `populations` already"),
        ("delay =", "sources = [\"ecx\"]\ndelay =", "there is no `ecx` in `populations`"),
        ("delay =", "pairs.exc_ihn = {}\ndelay =", "there is no pair `exc_ihn`"),
        ("delay =", "pairs.inh_inh = { weight = '1 pA' }\ndelay =", "there are no connections of `inh_inh`"),
        ("delay =", "scale = 0\ndelay =", "`scale` is above zero"),
        ("delay =", "sacle = 2\ndelay =", "did you mean `scale`?"),
        ("delay =", "rates = [\"1 Hz\"]\ndelay =", "`rates` has 1 entry, and there are 2 populations"),
        ("delay =", "each.size = 3\ndelay =", "are in `sizes`"),
        ("delay =", "each.parameters.tau_n = '3 ms'\ndelay =", "`tau_n`"),
        ("-80 pA", "-80 mV", "the weight is a current (A), but this is a voltage (V)"),
    ] {
        let e = changed(from, to);
        assert!(e.contains(told), "{to}: {e}");
    }
    let scaled = |kind: &str| {
        SMALL
            .replace("exp_current", kind)
            .replace("pA", "nS")
            .replace("-80", "80")
            .replace("delay =", "scale = 0.5\nrates = ['1 Hz', '1 Hz']\ndelay =")
    };
    let e = load(&scaled("exp_conductance"), None, &[]).unwrap_err().to_string();
    assert!(e.contains("brings in the mean is no constant current"), "{e}");
}
