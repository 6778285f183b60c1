//! Files of every kind that people bring, read the same way whoever asks.

use proptest::prelude::*;

use super::*;
use spikedeck_core::units::Dimension;

fn table(columns: Vec<FileData>) -> FileTable {
    FileTable::of(columns)
}

fn times(name: &str, values: &[f64]) -> FileData {
    FileData::numbers(name, values.to_vec())
}

fn whole(name: &str, values: &[i64]) -> FileData {
    FileData::new(name, Cells::Whole(values.to_vec()))
}

fn plain() -> SpikeKeys<'static> {
    SpikeKeys { plain: Some(false), ..SpikeKeys::default() }
}

#[test]
fn every_name_of_a_column_is_that_column_and_its_unit_follows_from_the_name_or_is_asked_for() {
    for (name, scale) in [
        ("time_ms", 1e-3),
        ("time_s", 1.0),
        ("Time_ms", 1e-3),
        (" spike_time_us ", 1e-6),
        ("spike_times_s", 1.0),
        ("time (ms)", 1e-3),
        ("t [s]", 1.0),
        ("times_seconds", 1.0),
    ] {
        for unit in ["unit", "Unit", " unit", "unit_id", "neuron", "id", "node_id", "node_ids", "sender", "senders"] {
            let file = spikes(&table(vec![times(name, &[1.0, 2.0]), whole(unit, &[0, 1])]), &plain()).unwrap();
            assert_eq!(file.unit.unwrap().scale, scale, "{name}");
            assert_eq!(file.ids, Some(Ids::Numbers(vec![0, 1])), "{unit}");
            assert!(file.notes.is_empty(), "{:?}", file.notes);
        }
    }
    let bare = table(vec![times("time", &[0.01])]);
    let refused = spikes(&bare, &plain()).unwrap_err();
    assert!(refused.message.contains("`time` of this file has no unit"), "{refused}");
    assert!(refused.help.contains("time_unit"), "{refused}");
    let given = SpikeKeys { time_unit: FileUnit::parse("s"), ..plain() };
    assert_eq!(spikes(&bare, &given).unwrap().unit.unwrap().scale, 1.0);
    let typed = table(vec![FileData { unit: Some("us".into()), ..times("time", &[5.0]) }]);
    assert_eq!(spikes(&typed, &plain()).unwrap().unit.unwrap().scale, 1e-6);
    let said = FileTable { metadata: vec![("time_unit".into(), "ms".into())], ..bare.clone() };
    assert_eq!(spikes(&said, &plain()).unwrap().unit.unwrap().scale, 1e-3);
    assert!(
        spikes(&said, &given).unwrap_err().message.contains("`ms` by the metadata of the file and `s` by `time_unit`")
    );
    let voltage = spikes(&table(vec![times("time_mV", &[1.0])]), &plain()).unwrap_err();
    assert!(voltage.message.contains("no unit of time"), "{voltage}");
    let dimensionless = SpikeKeys { plain: Some(true), ..SpikeKeys::default() };
    assert!(spikes(&bare, &dimensionless).unwrap().unit.is_none());
    assert!(spikes(&table(vec![times("time_ms", &[1.0])]), &dimensionless).is_err());
}

#[test]
fn what_is_missing_is_told_with_what_is_accepted_and_what_is_there() {
    let refused = spikes(&table(vec![times("a", &[1.0]), whole("b", &[1])]), &plain()).unwrap_err();
    assert!(refused.message.contains("no column `time_ms`; its columns are `a`, `b`"), "{refused}");
    assert!(refused.help.contains("spike_times") && refused.help.contains("node_id"), "{refused}");
    let two = spikes(&table(vec![times("time_ms", &[1.0]), whole("unit", &[0]), whole("id", &[7])]), &plain());
    assert!(two.unwrap_err().message.contains("`unit` and `id` of this file both are the unit"));
    let near = spikes(&table(vec![times("time_ms", &[1.0]), whole("unti", &[0])]), &plain()).unwrap();
    assert!(near.notes[0].contains("`unti`") && near.notes[0].contains("did you mean `unit`?"), "{:?}", near.notes);
}

#[test]
fn populations_are_honoured() {
    let file = table(vec![
        times("time_ms", &[1.0, 2.0, 3.0]),
        whole("unit", &[0, 1, 2]),
        FileData::texts("population", ["exc", "inh", "exc"]),
    ]);
    let several = spikes(&file, &plain()).unwrap_err();
    assert!(several.message.contains("`exc`, `inh`") && several.help.contains("population = \"exc\""), "{several}");
    let exc = spikes(&file, &SpikeKeys { population: Some("exc"), ..plain() }).unwrap();
    assert_eq!((exc.times, exc.ids, exc.rows), (vec![1.0, 3.0], Some(Ids::Numbers(vec![0, 2])), vec![1, 3]));
    assert!(
        spikes(&file, &SpikeKeys { population: Some("e"), ..plain() }).unwrap_err().message.contains("`exc`, `inh`")
    );
    let all = spikes(&file, &SpikeKeys { several: true, ..plain() }).unwrap();
    assert_eq!(all.populations.unwrap().names, ["exc", "inh"]);
}

#[test]
fn names_are_units_in_their_natural_order_and_ids_are_never_shifted_unasked() {
    let named = spikes(
        &table(vec![times("time_ms", &[1.0, 2.0, 3.0]), FileData::texts("unit", ["ch_10", "ch_2", "ch_0"])]),
        &plain(),
    );
    let numbered = named.unwrap().ids.unwrap().within(3, "p", 0, false).unwrap();
    assert_eq!(numbered.units, [2, 1, 0]);
    assert!(numbered.note.unwrap().contains("`ch_0` is unit 0, `ch_2` is unit 1, `ch_10` is unit 2"));
    let ids = Ids::Numbers(vec![1, 3, 2]);
    let beyond = ids.within(3, "p", 0, false).unwrap_err();
    assert!(beyond.message.contains("unit 3") && beyond.help.contains("`first_id = 1`"), "{beyond}");
    assert_eq!(ids.within(3, "p", 1, false).unwrap().units, [0, 2, 1]);
    let large = Ids::Numbers(vec![1 << 40, 7, 1 << 40]);
    assert!(large.within(3, "p", 0, false).is_err());
    let ordered = large.within(3, "p", 0, true).unwrap();
    assert_eq!((ordered.units, ordered.note.is_some()), (vec![1, 0, 1], true));
    assert!(large.within(1, "p", 0, true).unwrap_err().message.contains("2 different ids"));
    assert!(Ids::Numbers(vec![-1]).within(3, "p", 0, false).is_err());
}

fn pairs(more: Vec<FileData>) -> FileTable {
    let mut columns = vec![whole("source", &[0, 1]), whole("target", &[1, 0])];
    columns.extend(more);
    table(columns)
}

#[test]
fn weights_carry_their_unit_wherever_it_stands() {
    let pa = Dimension::AMPERE;
    let weight = |file: &FileTable, keys: &EdgeKeys<'_>| edges(file, keys).map(|f| f.weight.unwrap());
    let none = EdgeKeys::default();
    let bare = pairs(vec![times("weight", &[500.0, 1.0])]);
    assert_eq!(weight(&pairs(vec![times("weight_pA", &[500.0, 1.0])]), &none).unwrap(), (vec![500e-12, 1e-12], pa));
    let column = pairs(vec![times("weight", &[500.0, 1.0]), FileData::texts("weight_unit", ["pA", "nA"])]);
    assert_eq!(weight(&column, &none).unwrap(), (vec![500e-12, 1e-9], pa));
    let key = EdgeKeys { weight_unit: FileUnit::parse("pA"), ..EdgeKeys::default() };
    assert_eq!(weight(&bare, &key).unwrap(), (vec![500e-12, 1e-12], pa));
    assert_eq!(weight(&bare, &none).unwrap(), (vec![500.0, 1.0], Dimension::NONE));
    assert!(weight(&column, &key).unwrap_err().message.contains("elsewhere"));
    assert!(weight(&pairs(vec![times("weight_nA", &[1.0, 2.0])]), &key).unwrap_err().message.contains("`nA`"));
    let mixed = pairs(vec![times("weight", &[1.0, 1.0]), FileData::texts("weight_unit", ["pA", "mV"])]);
    assert!(weight(&mixed, &none).unwrap_err().message.contains("mixes `pA` with `mV`"));
    let no_unit = pairs(vec![times("weight", &[1.0, 1.0]), FileData::texts("weight_unit", ["pA", "lots"])]);
    assert!(weight(&no_unit, &none).unwrap_err().message.contains("`lots`, which is no unit"));
    let density = FileUnit::parse("uA_per_cm2").unwrap();
    assert!((density.scale - 0.01).abs() < 1e-15, "{density:?}");
}

#[test]
fn strange_columns_of_connections_are_refused_with_a_suggestion() {
    let none = EdgeKeys::default();
    let refused = edges(&pairs(vec![times("weigth", &[1.0, 2.0])]), &none).unwrap_err();
    assert!(refused.message.contains("`weigth`") && refused.help.contains("did you mean `weight`?"), "{refused}");
    let delay = edges(&pairs(vec![times("delay", &[1.0, 2.0])]), &none).unwrap_err();
    assert!(delay.message.contains("`delay` of this file has no unit"), "{delay}");
    assert_eq!(edges(&pairs(vec![times("delay_s", &[1.0, 2.0])]), &none).unwrap().delay, Some(vec![1.0, 2.0]));
    let run = pairs(vec![
        FileData::texts("projection", ["ab", "bc"]),
        times("weight_pA", &[1.0, 2.0]),
        FileData { missing: vec![1], ..times("weight_final", &[3.0, f64::NAN]) },
    ]);
    assert!(edges(&run, &none).unwrap_err().message.contains("`ab`, `bc`"));
    let one = edges(&run, &EdgeKeys { projection: Some("bc"), ..EdgeKeys::default() }).unwrap();
    assert_eq!((one.source, one.rows), (Ids::Numbers(vec![1]), vec![2]));
    assert!(one.notes.is_empty(), "its own rows have no final weight: {:?}", one.notes);
    let other = edges(&run, &EdgeKeys { projection: Some("ab"), ..EdgeKeys::default() }).unwrap();
    assert!(other.notes[0].contains("`weight_final` of this file is not used (1 value)"), "{:?}", other.notes);
}

/// What stands in rows of one projection says nothing of another: its units, its gaps and what is wrong with it.
#[test]
fn rows_of_other_projections_have_no_say() {
    let texts = |name: &str, cells: [&str; 4]| FileData::texts(name, cells);
    let of = |projection: &'static str| EdgeKeys { projection: Some(projection), ..EdgeKeys::default() };
    let nan = f64::NAN;
    let file = FileTable::of(vec![
        texts("projection", ["p", "q", "p", "q"]),
        FileData { missing: vec![3], ..whole("source", &[0, 1, 2, 0]) },
        whole("target", &[3, 4, 5, 6]),
        FileData { missing: vec![1], ..times("weight", &[1.0, nan, 2.0, 7.0]) },
        texts("weight_unit", ["mV", "nS", "mV", "lots"]),
        FileData { missing: vec![1, 3], ..times("delay_ms", &[1.0, nan, 2.0, nan]) },
        FileData { missing: vec![0, 2], ..times("weight_final", &[nan, 1.0, nan, 1.0]) },
    ]);
    let p = edges(&file, &of("p")).unwrap();
    assert_eq!((p.source, p.target, p.rows), (Ids::Numbers(vec![0, 2]), Ids::Numbers(vec![3, 5]), vec![1, 3]));
    assert_eq!(p.weight, Some((vec![1e-3, 2e-3], Dimension::VOLT)));
    assert_eq!(p.delay, Some(vec![1e-3, 2e-3]));
    assert!(p.notes.is_empty(), "{:?}", p.notes);
    let refused = edges(&file, &of("q")).unwrap_err().message;
    assert!(refused.contains("row 4 of column `source` is empty"), "{refused}");
    // Of weights without a unit, too.
    let file = FileTable::of(vec![
        texts("projection", ["p", "q", "p", "q"]),
        whole("source", &[0, 1, 2, 0]),
        whole("target", &[3, 4, 5, 6]),
        times("weight", &[1.0, 3.0, 2.0, 7.0]),
        texts("weight_unit", ["mV", "", "mV", ""]),
    ]);
    assert_eq!(edges(&file, &of("p")).unwrap().weight, Some((vec![1e-3, 2e-3], Dimension::VOLT)));
    assert_eq!(edges(&file, &of("q")).unwrap().weight, Some((vec![3.0, 7.0], Dimension::NONE)));
}

#[test]
fn a_cell_that_is_no_value_is_refused_with_its_row_in_every_kind_of_file() {
    let gap = |values: &[f64]| FileData { missing: vec![1], ..times("x", values) };
    let text = |cells: [&str; 3]| FileData::texts("x", cells);
    let bad = [
        (times("x", &[1.0, f64::NAN, 2.0]), "row 2", "NaN"),
        (times("x", &[1.0, f64::INFINITY, f64::NAN]), "row 2", "infinite"),
        (gap(&[1.0, f64::NAN, 2.0]), "row 2", "empty"),
        (text(["1", "x", "2"]), "row 2", "no number: `x`"),
        (text(["1", "", "2"]), "row 2", "empty"),
    ];
    for (column, row, why) in bad {
        let named = |name: &str| FileData { name: name.into(), ..column.clone() };
        let said = [
            spikes(&table(vec![named("time_ms")]), &plain()).map(drop).unwrap_err(),
            edges(
                &FileTable::of(vec![whole("source", &[0, 0, 0]), whole("target", &[0, 0, 0]), named("weight_pA")]),
                &EdgeKeys::default(),
            )
            .map(drop)
            .unwrap_err(),
            signal(
                &table(vec![times("time_ms", &[0.0, 1.0, 2.0]), named("I_pA")]),
                &SignalKeys { plain: Some(false), ..SignalKeys::default() },
            )
            .map(drop)
            .unwrap_err(),
        ];
        for refused in said {
            assert!(refused.message.contains(row) && refused.message.contains(why), "{refused}");
        }
    }
    let nested = FileData::new("time_ms", Cells::Unreadable("lists".into()));
    assert!(spikes(&table(vec![nested]), &plain()).unwrap_err().message.contains("`time_ms` holds lists"));
}

#[test]
fn a_signal_names_what_it_does_not_use() {
    let keys = SignalKeys { plain: Some(false), ..SignalKeys::default() };
    let file =
        table(vec![times("time_ms", &[0.0, 1.0]), times("a_mV", &[1.0, 2.0]), FileData::texts("note", ["x", "y"])]);
    let read = signal(&file, &keys).unwrap();
    assert_eq!((read.columns[0].base.as_str(), read.columns[0].unit.as_ref().unwrap().scale), ("a", 1e-3));
    assert!(read.notes[0].contains("`note`"), "{:?}", read.notes);
    let wanted = ["b".to_owned()];
    let missing = signal(&file, &SignalKeys { columns: Some(&wanted), ..keys.clone() }).unwrap_err();
    assert!(missing.message.contains("no column `b`") && missing.help.contains("`a_mV`"), "{missing}");
    let twice = table(vec![times("time_ms", &[0.0, 0.0]), whole("unit", &[1, 1]), times("x", &[1.0, 2.0])]);
    assert!(
        signal(&twice, &keys).unwrap_err().message.contains("rows 1 and 2 of this file are of one time and one unit")
    );
}

/// A table of 50,000 times of as many units takes as much as it has rows, not 2.5e9 places.
#[test]
fn units_below_each_other_take_as_much_as_their_rows() {
    let n = 50_000;
    let at: Vec<f64> = (0..n).map(f64::from).collect();
    let names: Vec<i64> = (0..i64::from(n)).collect();
    let file = table(vec![times("time_ms", &at), whole("unit", &names), times("amplitude", &at)]);
    let refused = signal(&file, &SignalKeys { plain: Some(false), ..SignalKeys::default() }).unwrap_err();
    assert!(refused.message.contains("50000 times and 50000 units, but no sample of unit 1 at time 0"), "{refused}");
}

proptest! {
    /// Units below each other in any order of rows are read as the grid they are; with one left out or said twice they
    /// are refused.
    #[test]
    fn units_below_each_other_are_a_whole_grid_or_refused(
        m in 1_usize..6, n in 1_usize..6, seed in any::<u64>(), at in any::<prop::sample::Index>(), with in 0_u8..3,
    ) {
        let mut cells: Vec<(f64, i64, f64)> = (0..n * m)
            .map(|k| ((k / m) as f64 - 2.0, 3 * (k % m) as i64 - 1, k as f64))
            .map(|(t, u, v)| (if t == 0.0 && u % 2 == 0 { -0.0 } else { t }, u, v))
            .collect();
        // Any order of rows.
        cells.sort_by_key(|c| (c.2 as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let whole_grid = with == 0 || (with == 2 && n * m == 1);
        match with {
            1 => { let again = cells[at.index(n * m)]; cells.push(again); }
            2 if n * m > 1 => { cells.remove(at.index(n * m)); }
            _ => {}
        }
        let column = |name, f: fn(&(f64, i64, f64)) -> f64| times(name, &cells.iter().map(f).collect::<Vec<_>>());
        let units = whole("unit", &cells.iter().map(|c| c.1).collect::<Vec<_>>());
        let file = table(vec![column("time_ms", |c| c.0), units, column("x", |c| c.2)]);
        let read = signal(&file, &SignalKeys { plain: Some(false), ..SignalKeys::default() });
        // All of one time or of one unit left out is a smaller grid.
        let is_smaller = with == 2 && (n == 1 || m == 1);
        prop_assert_eq!(read.is_ok(), whole_grid || is_smaller);
        if let (Ok(read), true) = (read, whole_grid) {
            prop_assert_eq!((read.columns.len(), read.times.unwrap().len()), (m, n));
            for (u, c) in read.columns.iter().enumerate() {
                prop_assert_eq!(&c.values, &(0..n).map(|k| (k * m + u) as f64).collect::<Vec<_>>());
            }
        }
    }

    /// Times k h + s as a file writes them, in 32 bits or rounded to decimals, are even; with one sample left out they
    /// are not, and the row is named.
    #[test]
    fn rounded_times_are_even_and_gaps_are_not(
        h in 0.05_f64..20.0, start in -5.0_f64..50.0, n in 4_usize..300, digits in 2_i32..6, gap in 1_usize..300,
    ) {
        let exact: Vec<f64> = (0..n).map(|k| start + h * k as f64).collect();
        let scale = 10_f64.powi(digits);
        let single: Vec<f64> = exact.iter().map(|t| f64::from(*t as f32)).collect();
        let decimal: Vec<f64> = exact.iter().map(|t| (t * scale).round() / scale).collect();
        for written in [&exact, &single, &decimal] {
            if 1.0 / scale <= h / 2.0 {
                let found = even(written).unwrap();
                let slack = 2.2 / scale + 1e-6 * h + 2.2 * f64::from(f32::EPSILON) * exact[n - 1].abs().max(5.0);
                prop_assert!((found.interval - h).abs() * (n - 1) as f64 <= slack, "{:?}", found);
            }
            let mut broken = written.clone();
            let at = 1 + gap % (n - 2);
            broken.remove(at);
            let refused = even(&broken).unwrap_err();
            prop_assert!(refused.message.contains(&format!("row {}", at + 1)), "{refused}, {at} was left out of {n}");
        }
    }

    /// What is written in a unit and read back is written the same again.
    #[test]
    fn a_quantity_that_was_written_is_the_same_when_it_is_written_again(si in -1e6_f64..1e6, unit in 0_usize..6) {
        let unit = FileUnit::parse(["mV", "pA", "nS", "pF", "ms", "uA/cm**2"][unit]).unwrap();
        let shown = si / unit.scale;
        prop_assert_eq!(unit.si(shown) / unit.scale, shown);
    }

    /// Every row of a file of spikes is given, once, in the row's own unit, whatever ids are.
    #[test]
    fn no_row_of_spikes_is_lost(rows in prop::collection::vec((0.0_f64..1e4, 0_i64..50), 1..100), text: bool) {
        let (when, who): (Vec<f64>, Vec<i64>) = rows.into_iter().unzip();
        let ids = if text { FileData::texts("id", who.iter().map(|w| format!("n{w}"))) } else { whole("id", &who) };
        let file = spikes(&table(vec![times("time_ms", &when), ids]), &plain()).unwrap();
        prop_assert_eq!(&file.times, &when);
        let units = file.ids.unwrap().within(50, "p", 0, text).unwrap().units;
        for (a, b) in units.iter().zip(&who).zip(units.iter().zip(&who).skip(1)) {
            prop_assert_eq!(a.0.cmp(b.0), a.1.cmp(b.1));
        }
    }
}

/// Whole numbers that doubles do not hold are said to be rounded, of times and of samples; smaller ones are exact.
#[test]
fn whole_numbers_beyond_doubles_are_told() {
    let told = |notes: &[String]| notes.iter().any(|n| n.contains("to the nearest multiple of 256"));
    for (size, tells) in [(1_i64 << 53, false), (1_700_000_000_000_000_000, true)] {
        let values = [size, size + 1000, size + 2000];
        let file = table(vec![times("time_ms", &[0.0, 1.0, 2.0]), whole("v", &values)]);
        assert_eq!(told(&signal(&file, &SignalKeys::default()).unwrap().notes), tells, "{size}");
        let file = table(vec![whole("time_ns", &values)]);
        assert_eq!(told(&spikes(&file, &plain()).unwrap().notes), tells, "{size}");
    }
}

/// More channels than samples are usually an array that is turned.
#[test]
fn an_array_with_a_row_a_channel_is_told() {
    let of = |columns: usize, rows: usize| {
        let all = (0..columns).map(|k| FileData::numbers(format!("column {k}"), vec![k as f64; rows]));
        signal(&table(all.collect()), &SignalKeys::default()).unwrap().notes
    };
    assert!(of(300, 2).iter().any(|n| n.contains("300 columns of 2 samples each")));
    assert!(of(2, 300).is_empty());
}
