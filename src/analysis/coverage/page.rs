//! The measured pages: rows that are measured anew take the place of what stood there, and the others stay.

use super::{Case, cases};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A page of which every row is a metric of a case.
pub(super) struct Page {
    /// Its file in `data/reference`.
    pub name: &'static str,
    /// What stands before the rows.
    pub head: &'static str,
    /// The metrics of a case that have a row.
    pub metrics: fn(&Case) -> Vec<&'static str>,
}

impl Page {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/reference").join(self.name)
    }

    /// Measures the cases that `CASES` chooses, or all, and writes the page with their rows; `measure` gives one line
    /// for each of the metrics of a case, in their order.
    pub(super) fn renew(&self, measure: impl Fn(&Case) -> Vec<String>) {
        let stood = std::fs::read_to_string(self.path()).unwrap();
        let (stood, after) = rows_of(&stood);
        let only = std::env::var("CASES").ok();
        let mut due = Vec::new();
        // What one case does not say takes nothing from the others that were measured.
        let mut failed = Vec::new();
        for case in cases() {
            let metrics = (self.metrics)(&case);
            let missing = metrics.iter().any(|m| !stood.iter().any(|line| is_of(line, m, case.process)));
            let measured = !metrics.is_empty() && only.as_ref().is_none_or(|o| chooses(o, &case, missing));
            let made = measured.then(|| catch_unwind(AssertUnwindSafe(|| measure(&case))));
            let rows: Vec<Option<String>> = match made {
                Some(Ok(rows)) => rows.into_iter().map(Some).collect(),
                Some(Err(_)) => {
                    failed.push(case.process);
                    vec![None; metrics.len()]
                }
                None => vec![None; metrics.len()],
            };
            assert_eq!(rows.len(), metrics.len(), "{}: a row for each metric", case.process);
            due.extend(metrics.into_iter().zip(rows).map(|(metric, row)| Due { metric, process: case.process, row }));
        }
        // What stands after the table is older, and holds what is not measured again.
        let after = if only.is_some() { older(&after, &due) } else { String::new() };
        std::fs::write(self.path(), format!("{}{}{after}", self.head, merged(&stood, &due))).unwrap();
        assert!(failed.is_empty(), "not measured, see above: {failed:#?}");
    }
}

/// Whether one of the texts that `only` has between its `|` chooses a case: it stands in `ESTIMATOR: PROCESS`, or is
/// `new` and the case misses a row.
fn chooses(only: &str, case: &Case, missing: bool) -> bool {
    let parts = || only.split('|');
    // The name of the estimator is known only of what it gives.
    let named = || {
        let name = format!("{}: {}", (case.run)(1).kind, case.process);
        parts().any(|part| part != "new" && name.contains(part))
    };
    let new = parts().any(|part| part == "new");
    let others = parts().any(|part| part != "new");
    new && missing || parts().any(|part| case.process.contains(part)) || others && named()
}

/// The most repeats that `REPEATS` allows.
pub(super) fn most_repeats() -> u32 {
    std::env::var("REPEATS").map_or(u32::MAX, |r| r.parse().unwrap())
}

/// A row that a page should have, and its line if it is measured.
struct Due {
    metric: &'static str,
    process: &'static str,
    row: Option<String>,
}

/// The rows of the table of a page, and what stands after it.
fn rows_of(text: &str) -> (Vec<&str>, Vec<&str>) {
    let mut lines: Vec<&str> = text.lines().skip_while(|l| !l.starts_with("|---")).skip(1).collect();
    let end = lines.iter().position(|l| !l.starts_with("| ")).unwrap_or(lines.len());
    let after = lines.split_off(end);
    (lines, after)
}

/// Lines, each with its end.
fn lines<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.flat_map(|line| [line, "\n"]).collect()
}

/// What stands after a table, but for rows that are measured now.
fn older(after: &[&str], due: &[Due]) -> String {
    let measured: Vec<Vec<&str>> = due.iter().filter_map(|d| d.row.as_deref()).map(named).collect();
    let kept = after.iter().filter(|line| !measured.contains(&named(line)));
    lines(kept.copied())
}

/// Whether a line is of this metric of this process, whatever the estimator.
fn is_of(line: &str, metric: &str, process: &str) -> bool {
    let rest = line.strip_prefix("| ").and_then(|l| l.split_once(" | ")).map(|(_, rest)| rest);
    rest.is_some_and(|rest| rest.starts_with(&format!("{metric} | {process} |")))
}

/// The first three cells of a row: estimator, metric and process.
fn named(line: &str) -> Vec<&str> {
    line.split(" | ").take(3).map(|cell| cell.trim_end_matches(" |")).collect()
}

/// The rows that are due, in their order: as they are measured, and where they are not, as they stood. Rows that are
/// no longer due go.
fn merged(stood: &[&str], due: &[Due]) -> String {
    let mut stood = stood.to_vec();
    for row in due.iter().filter_map(|d| d.row.as_deref()) {
        stood.retain(|line| named(line) != named(row));
    }
    let mut rows = String::new();
    for d in due {
        let row = match &d.row {
            Some(row) => Some(row.as_str()),
            None => stood.iter().position(|line| is_of(line, d.metric, d.process)).map(|k| stood.remove(k)),
        };
        if let Some(row) = row {
            rows.push_str(row);
            rows.push('\n');
        }
    }
    rows
}

/// A new row comes to its place, a measured one replaces its own, the others stay, and what is not due goes.
#[test]
fn rows_that_are_not_measured_stay() {
    let stood = [
        "| psd | peak | noise | 1 |",
        "| multitaper | peak | noise | 2 |",
        "| psd | peak | a sine | 3 |",
        "| gone | mean | noise | 4 |",
        "| isi | cv | a sine | 5 |",
    ];
    let due = |metric, process, row: Option<&str>| Due { metric, process, row: row.map(str::to_owned) };
    let all = |measured: [Option<&str>; 5]| {
        let [a, b, new, c, d] = measured;
        merged(
            &stood,
            &[
                due("peak", "noise", a),
                due("peak", "noise", b),
                due("power", "noise", new),
                due("peak", "a sine", c),
                due("cv", "a sine", d),
            ],
        )
    };
    let lines = |list: &[&str]| lines(list.iter().copied());
    let kept = [stood[0], stood[1], stood[2], stood[4]];
    assert_eq!(all([None; 5]), lines(&kept));
    let new = "| psd | power | noise | 6 |";
    assert_eq!(all([None, None, Some(new), None, None]), lines(&[kept[0], kept[1], new, kept[2], kept[3]]));
    // Of two estimators of the same metric of the same process only the measured one changes.
    let again = "| multitaper | peak | noise | 7 |";
    assert_eq!(all([None, Some(again), None, None, None]), lines(&[kept[0], again, kept[2], kept[3]]));
    let first = "| psd | peak | noise | 8 |";
    assert_eq!(all([Some(first), None, None, None, None]), lines(&[first, kept[1], kept[2], kept[3]]));
}

/// What stands after the table stays, but for rows that are measured now.
#[test]
fn older_rows_go_when_they_are_measured() {
    let text = "# Page\n\n| e | m |\n|---|---|\n| psd | peak | noise | 1 |\n\n## Older\n\n| isi | cv | noise | 2 |\n\
                | isi | lv | noise | 3 |\n";
    let (rows, after) = rows_of(text);
    assert_eq!(rows, ["| psd | peak | noise | 1 |"]);
    let due = |metric, row: &str| Due { metric, process: "noise", row: Some(row.to_owned()) };
    let left = older(&after, &[due("cv", "| isi | cv | noise | 4 |")]);
    assert_eq!(left, "\n## Older\n\n| isi | lv | noise | 3 |\n");
}

/// With nothing measured, the pages as they are stay as they are, but for rows of cases that are gone.
#[test]
fn the_pages_are_in_the_order_of_the_cases() {
    for (page, text) in [
        (&super::INTERVALS, include_str!("../../../data/reference/coverage.md")),
        (&super::uniform::P_VALUES, include_str!("../../../data/reference/p_values.md")),
    ] {
        let (stood, _) = rows_of(text);
        let mut due = Vec::new();
        for case in cases() {
            let process = case.process;
            due.extend((page.metrics)(&case).into_iter().map(|metric| Due { metric, process, row: None }));
        }
        let rows = merged(&stood, &due);
        let kept: Vec<&str> = rows.lines().collect();
        let gone: Vec<&&str> = stood.iter().filter(|line| !kept.contains(line)).collect();
        assert_eq!(kept.len() + gone.len(), stood.len(), "{}", page.name);
        assert!(gone.is_empty(), "{}: rows of no case, measure a page with CASES=new: {gone:#?}", page.name);
        assert!(text.starts_with(page.head), "{}: another head, measure a page with CASES=new", page.name);
    }
}
