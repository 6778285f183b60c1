//! Tables of numbers with intervals, and text in sections.

use super::{Look, Marker};
use crate::colour::Role;
use crate::grid::{CellGrid, columns, fit, wrap};
use spikedeck_core::number::MISSING;
use spikedeck_signal::{CardSection, Metric, ScalarRow, Tone};

/// Subject and metric in a narrow column: the metric at the end says what the row is, the unit or place before it which
/// of many it is of, so that the beginning of the subject is what is cut.
fn measure(text: &str, most: usize) -> String {
    match text.rsplit_once(' ') {
        Some((subject, metric)) if columns(text) > most && columns(metric) + 4 <= most => {
            let room = most - columns(metric) - 1;
            format!("{} {metric}", subject_in(subject, room))
        }
        _ => fit(text, most),
    }
}

/// A subject in so many cells; a place in brackets at its end, `[3]`, stays where there is room for it and a letter.
fn subject_in(subject: &str, room: usize) -> String {
    let place = subject.rfind('[').filter(|_| subject.ends_with(']'));
    match place.map(|at| subject.split_at(at)) {
        Some((name, place)) if columns(subject) > room && columns(place) + 2 <= room => {
            format!("{}{place}", fit(name, room - columns(place)))
        }
        _ => fit(subject, room),
    }
}

/// An interval on its own scale: where it starts, ends, and where value and chance stand in it.
fn whisker(row: &ScalarRow, width: usize, look: &Look) -> Vec<(char, Role)> {
    let ascii = look.marker == Marker::Ascii;
    let mut cells = vec![(' ', Role::Dim); width];
    let m = &row.measured;
    let places: Vec<f64> =
        [m.value, m.chance, m.ci_low, m.ci_high].into_iter().flatten().filter(|v| v.is_finite()).collect();
    let (low, high) = places.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)));
    if width < 3 || low >= high || !(high - low).is_finite() {
        return cells;
    }
    let at = |v: f64| (((v - low) / (high - low)) * (width - 1) as f64).round().clamp(0.0, (width - 1) as f64) as usize;
    if let Some((a, b)) = m.ends().filter(|i| i.0.is_finite() && i.1.is_finite()) {
        let (a, b) = (at(a.min(b)), at(a.max(b)));
        for cell in &mut cells[a..=b] {
            *cell = (if ascii { '-' } else { '─' }, Role::Axis);
        }
        cells[a] = (if ascii { '[' } else { '├' }, Role::Axis);
        cells[b] = (if ascii { ']' } else { '┤' }, Role::Axis);
    }
    if let Some(c) = m.chance.filter(|c| c.is_finite()) {
        cells[at(c)] = (if ascii { ':' } else { '┊' }, Role::Warning);
    }
    if let Some(v) = m.value.filter(|v| v.is_finite()) {
        cells[at(v)] = (if ascii { 'o' } else { '●' }, Role::Series(0));
    }
    cells
}

/// A column as it is placed.
struct ColumnText {
    head: &'static str,
    cells: Vec<String>,
    is_right: bool,
    role: Role,
    /// Whether it is part of the number that the picture shows.
    is_measure: bool,
    /// Columns with low weights are placed first; those with 0 always.
    weight: u8,
    /// Width to which it may be cut; what is spare goes to columns that were.
    least: Option<usize>,
    /// Width to which it is cut for columns that are needed.
    tight: Option<usize>,
    /// Least width, for rows that are not seen now.
    floor: usize,
    /// Whether names are cut before it goes.
    is_needed: bool,
}

impl ColumnText {
    /// The names of the rows, and the columns of metrics that screens show.
    fn all(rows: &[ScalarRow]) -> Vec<Self> {
        let names = Self {
            head: "measure",
            cells: rows.iter().map(|r| r.name.clone()).collect(),
            is_right: false,
            role: Role::Text,
            is_measure: false,
            weight: 0,
            least: Some(28),
            // The metric at the end, and a few letters of what it is of.
            tight: rows.iter().filter_map(|r| Some(columns(r.name.rsplit_once(' ')?.1) + 4)).max(),
            floor: 0,
            is_needed: true,
        };
        let shown = Metric::shown().map(|(column, shown)| Self {
            head: shown.heading,
            cells: rows.iter().map(|r| column.text(&r.measured)).collect(),
            is_right: column.is_right(),
            role: role_of(shown.tone),
            is_measure: column.is_measure(),
            weight: shown.weight,
            least: column.is_prose().then_some(16),
            tight: None,
            floor: 0,
            is_needed: shown.is_needed(),
        });
        let mut all: Vec<Self> = std::iter::once(names).chain(shown).collect();
        all.retain(|c| c.weight == 0 || c.cells.iter().any(|t| !t.is_empty()));
        all
    }

    /// Columns of the rows that are seen, as wide as all rows need where all of that fits: then nothing moves while the
    /// table scrolls. In a narrow pane long names further down must not take room from what is looked at.
    fn of(rows: &[ScalarRow], seen: std::ops::Range<usize>, width: usize) -> Vec<Self> {
        let mut all = Self::all(rows);
        if all.iter().map(|c| c.natural() + 2).sum::<usize>() > width + 2 {
            return Self::all(&rows[seen]);
        }
        for column in &mut all {
            column.floor = column.natural();
            column.cells = column.cells[seen.clone()].to_vec();
        }
        all
    }

    /// Width that shows all of it.
    fn natural(&self) -> usize {
        self.cells.iter().map(|t| columns(t)).max().unwrap_or(0).max(columns(self.head)).max(self.floor)
    }

    /// Width that it needs.
    fn need(&self) -> usize {
        self.least.unwrap_or(usize::MAX).min(self.natural())
    }

    /// Width with which it is content where something that is needed would have to go.
    fn least_need(&self) -> usize {
        self.tight.map_or(self.need(), |tight| tight.max(12).min(self.need()))
    }
}

/// The role of a column of metrics.
pub(crate) fn role_of(tone: Tone) -> Role {
    match tone {
        Tone::Strong => Role::Title,
        Tone::Plain => Role::Text,
        Tone::Faint => Role::Dim,
    }
}

/// Name, value, unit, interval (numbers and a small picture), chance, p, n, note; where there is no room for all, unit,
/// interval, n, chance, p, note and picture are placed in this order as far as they fit. For the first three names are
/// cut.
pub(crate) fn scalars(rows: &[ScalarRow], scroll: usize, grid: &mut CellGrid, top: usize, look: &Look) -> usize {
    const PICTURE: usize = 14;
    let width = grid.width;
    let headed = grid.height.saturating_sub(top) > 2;
    let room = grid.height.saturating_sub(top + usize::from(headed));
    let first = scroll.min(rows.len().saturating_sub(room.max(1)));
    let shown = first..rows.len().min(first + room);
    let seen = &rows[shown.clone()];
    let mut all = ColumnText::of(rows, shown, width);
    let total = |all: &[ColumnText]| all.iter().map(ColumnText::need).sum::<usize>() + 2 * all.len().saturating_sub(1);
    // What matters most is placed first, and each further column only if it still fits.
    let mut by_weight: Vec<usize> = (0..all.len()).collect();
    by_weight.sort_by_key(|&k| all[k].weight);
    let (mut used, mut least_used) = (0, 0);
    let mut fits = vec![false; all.len()];
    for k in by_weight {
        let (column, gap) = (&all[k], if used > 0 { 2 } else { 0 });
        let (more, least_more) = (column.need() + gap, column.least_need() + gap);
        let has_room = if column.is_needed { least_used + least_more <= width } else { used + more <= width };
        fits[k] = column.weight == 0 || has_room;
        if fits[k] {
            used += more;
            least_used += least_more;
        }
    }
    let mut fits = fits.into_iter();
    all.retain(|_| fits.next().unwrap_or(false));
    let has_picture = |m: &Metric| m.ends().is_some() || (m.chance.is_some() && m.value.is_some());
    let pictured = seen.iter().any(|r| has_picture(&r.measured));
    let picture = pictured && total(&all) + PICTURE + 2 <= width && all.len() > 2;
    let mut spare = width.saturating_sub(total(&all) + if picture { PICTURE + 2 } else { 0 });
    let mut widths: Vec<usize> = all.iter().map(ColumnText::need).collect();
    let mut lacking = total(&all).saturating_sub(width);
    for (column, width) in all.iter().zip(&mut widths) {
        let less = width.saturating_sub(column.least_need()).min(lacking);
        *width -= less;
        lacking -= less;
    }
    for (column, width) in all.iter().zip(&mut widths) {
        if column.least.is_some() {
            let more = column.natural().saturating_sub(*width).min(spare);
            *width += more;
            spare -= more;
        }
    }
    if all.len() == 2 && widths.iter().sum::<usize>() + 2 > width {
        widths[0] = width.saturating_sub(widths[1] + 2);
    }
    // The picture stands behind the number that it shows.
    let after = all.iter().rposition(|c| c.is_measure).expect("the value is always placed");
    let mut line = top;
    let mut x = 0;
    let mut starts = Vec::with_capacity(all.len());
    let mut picture_at = None;
    for (k, (c, &w)) in all.iter().zip(&widths).enumerate() {
        starts.push(x);
        if headed {
            let head = fit(c.head, w);
            let shift = if c.is_right { w.saturating_sub(columns(&head)) } else { 0 };
            let style = crate::colour::Style { underline: true, ..look.palette.style(Role::Dim) };
            grid.text(x + shift, line, &head, style, w);
        }
        x += w + 2;
        if picture && k == after {
            picture_at = Some(x);
            x += PICTURE + 2;
        }
    }
    line += usize::from(headed);
    for (k, row) in seen.iter().enumerate() {
        for ((c, &w), &x) in all.iter().zip(&widths).zip(&starts) {
            let cell = if x == 0 { measure(&c.cells[k], w) } else { fit(&c.cells[k], w) };
            let shift = if c.is_right { w.saturating_sub(columns(&cell)) } else { 0 };
            let role = if c.cells[k] == MISSING { Role::Warning } else { c.role };
            grid.text(x + shift, line, &cell, look.palette.style(role), w);
        }
        if let Some(x) = picture_at {
            for (i, (ch, role)) in whisker(row, PICTURE, look).into_iter().enumerate() {
                grid.over(x + i, line, ch, look.palette.style(role));
            }
        }
        line += 1;
    }
    if rows.is_empty() {
        grid.text(0, line, "no values", look.palette.style(Role::Dim), width);
    }
    rows.len() + usize::from(headed)
}

/// Headings and wrapped text.
pub(crate) fn sections(sections: &[CardSection], scroll: usize, grid: &mut CellGrid, top: usize, look: &Look) -> usize {
    let mut lines: Vec<(String, Role)> = Vec::new();
    for (k, CardSection { heading, text, .. }) in sections.iter().enumerate() {
        if k > 0 {
            lines.push((String::new(), Role::Text));
        }
        if !heading.is_empty() {
            lines.push((heading.clone(), Role::Title));
        }
        lines.extend(wrap(text, grid.width).into_iter().map(|l| (l, Role::Text)));
    }
    let room = grid.height.saturating_sub(top);
    let first = scroll.min(lines.len().saturating_sub(room.max(1)));
    for (row, (line, role)) in lines.iter().skip(first).take(room).enumerate() {
        grid.text(0, top + row, line, look.palette.style(*role), grid.width);
    }
    let below = lines.len().saturating_sub(first + room);
    if below > 0 && room > 1 {
        let mark = format!(" ↓ {below} more ");
        let width = columns(&mark).min(grid.width);
        grid.text(grid.width - width, top + room - 1, &mark, look.palette.style(Role::Accent), width);
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the width, what is less worth never stands where what is worth more is missing although it had room;
    /// and the interval and n stand wherever they have room beside a cut name.
    #[test]
    fn what_a_number_rests_on_goes_last() {
        let row = |name: &str, value: f64, ends: (f64, f64), chance: f64| {
            let measured = Metric::new("", "", value, "Hz", 3948).interval(ends.0, ends.1).chance(chance);
            ScalarRow { name: name.into(), measured: measured.p(0.02).note("over units, by jackknife") }
        };
        let rows = [
            row("excitatory.spikes mean_rate", 12.34, (11.9, 12.8), 1.0),
            row("inhibitory.spikes lvr", 0.8712, (0.84, 0.9), 1.0),
        ];
        let look = Look::default();
        let text = |width: usize| {
            let mut grid = CellGrid::new(width, 6);
            scalars(&rows, 0, &mut grid, 0, &look);
            grid.to_plain()
        };
        let has = |text: &str, head: &str| text.lines().next().is_some_and(|l| l.split_whitespace().any(|w| w == head));
        let mut before = 0;
        for width in 14..140 {
            let text = text(width);
            assert!(text.contains("12.34") && text.contains("0.8712"), "{width}\n{text}");
            let shown: Vec<bool> = ["unit", "CI", "n", "chance", "p", "note"].map(|h| has(&text, h)).to_vec();
            // Names of 13, the value of 6, unit 4, interval 12, n 5, and gaps.
            if width >= 13 + 6 + 4 + 12 + 5 + 4 * 2 {
                assert!(shown[..3].iter().all(|s| *s), "{width}\n{text}");
                assert!(text.contains("mean_rate"), "{width}: the metric is what a row is about\n{text}");
            }
            let count = shown[3..].iter().filter(|s| **s).count();
            assert!(count == 0 || shown[..3].iter().all(|s| *s), "{width}\n{text}");
            before = before.max(count);
        }
        assert_eq!(before, 3, "where there is room for all, all stand");
    }

    /// Rows that differ by their place alone can be told apart in any pane that has room for the place, and what stands
    /// below the pane takes nothing from what is in it: neither room for intervals nor columns of blanks.
    #[test]
    fn a_narrow_table_is_laid_out_for_the_rows_that_are_seen() {
        let row = |name: String, ends: Option<(f64, f64)>| {
            let measured = Metric::new("", "", 0.4944, "pA", 605);
            ScalarRow { name, measured: ends.map_or(measured.clone(), |(a, b)| measured.interval(a, b)) }
        };
        let places = (0..12).map(|k| row(format!("synapses.w[{k}] last"), None));
        let below = row("synapses.w a_metric_whose_name_is_long_and_has_an_interval".into(), Some((0.4931, 0.4957)));
        let rows: Vec<ScalarRow> = places.chain([below]).collect();
        let text = |rows: &[ScalarRow], width: usize, height: usize, scroll: usize| {
            let mut grid = CellGrid::new(width, height);
            scalars(rows, scroll, &mut grid, 0, &Look::default());
            grid.to_plain()
        };
        for width in 34..90 {
            let shown = text(&rows, width, 10, 0);
            let names: Vec<&str> = shown.lines().skip(1).filter_map(|l| l.split(" last").next()).collect();
            let mut different = names.clone();
            different.dedup();
            assert_eq!(different.len(), 9, "{width}\n{shown}");
            assert!(!shown.contains("CI"), "{width}: nothing that is seen has an interval\n{shown}");
        }
        assert!(text(&rows, 120, 10, 0).contains("CI"), "where all fits, all stands where it will");
        // The other way round: the long name stands below, and the intervals of what is seen are there.
        let mut rows: Vec<ScalarRow> =
            (0..9).map(|k| row(format!("exc.spikes m{k}"), Some((0.4931, 0.4957)))).collect();
        rows.push(row("exc.spikes a_metric_whose_name_is_long_and_has_no_interval".into(), None));
        for width in 46..100 {
            assert!(text(&rows, width, 10, 0).contains("[0.4931, 0.4957]"), "{width}");
        }
        // Scrolling moves no column where all fits.
        let at = |scroll| text(&rows, 130, 6, scroll).lines().next().map(str::to_owned);
        assert!((1..6).all(|k| at(k) == at(0)));
    }

    #[test]
    fn a_cut_name_keeps_its_metric() {
        assert_eq!(measure("exc.spikes rate", 20), "exc.spikes rate");
        assert_eq!(measure("delayed_regular_bursting.spikes mean_rate", 24), "delayed_regul… mean_rate");
        assert_eq!(measure("a.b an_endless_metric_name", 20), "a.b an_endless_metr…");
        assert_eq!(measure("synapses.w[3] last", 16), "synapse…[3] last");
        assert_eq!(measure("synapses.w[3] last", 12), "syn…[3] last");
        assert_eq!(measure("cell.V_m[apical_14(0.5)] peak", 20), "cell.V_m[apica… peak", "no room for the place");
    }
}
