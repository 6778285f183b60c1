//! Panes in words and as plain tables: for people who do not see the picture, for `--describe`, and for the clipboard.

use super::content::{Content, Pane};
use spikedeck_signal::Shape;

/// One line of text for a pane.
pub fn line(pane: &Pane) -> String {
    let words = pane.shape.shape.in_words();
    if pane.summary.is_empty() || words.contains(&pane.summary) {
        format!("{}: {words}", pane.title)
    } else {
        format!("{}: {}. {words}", pane.title, pane.summary.trim_end_matches('.'))
    }
}

/// The first page of a run as text: its name and title, how it ended, what a reader should know, and a line for each
/// pane in the order of the page.
pub fn page(content: &Content) -> Vec<String> {
    let spec = content.finished.as_ref().and_then(|f| f.spec.as_ref());
    let title = spec.map(|s| s.title.as_str()).filter(|t| !t.is_empty());
    let mut lines = vec![title.map_or_else(|| content.label.clone(), |t| format!("{}: {t}", content.label))];
    lines.extend(content.failure.iter().map(|why| format!("Failed: {why}")));
    lines.extend(content.panes.iter().map(line));
    // What a card of the page tells already is not told twice.
    let untold = |warning: &&String| !lines.iter().any(|line| line.contains(warning.as_str()));
    let warnings: Vec<String> =
        content.warnings.iter().filter(untold).map(|warning| format!("Warning: {warning}")).collect();
    lines.extend(warnings);
    lines
}

/// Longest text that is put into the clipboard; longer ones are cut at a line.
pub const CLIPBOARD: usize = 70_000;

/// The pane as tab-separated text with a heading, at most [`CLIPBOARD`] bytes: the columns that an export has too. Of a
/// card its text.
pub fn table(pane: &Pane) -> String {
    if let Shape::Card(card) = &pane.shape.shape {
        return card.sections.iter().flat_map(|s| [&s.heading, "\n", &s.text, "\n"]).collect();
    }
    // Cells stay cells.
    let plain = |cell: String| cell.replace(['\t', '\n'], " ");
    let data = pane.data();
    let columns = data.columns();
    let headings: Vec<String> = columns.iter().map(|c| plain(c.heading())).collect();
    let mut out = headings.join("\t");
    out.push('\n');
    let rows = columns.first().map_or(0, |c| c.values.rows());
    for row in 0..rows {
        let cells: Vec<String> = columns.iter().map(|c| plain(c.values.cell(row))).collect();
        let line = cells.join("\t");
        if out.len() + line.len() >= CLIPBOARD {
            break;
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::content;
    use super::*;
    use spikedeck_signal::{Axis, Image};

    #[test]
    fn every_pane_has_a_line() {
        let mut content = content("a", 10.0);
        // One that nothing else tells, and one that a pane tells already.
        content.warnings = vec!["little was recorded".into(), "200 spikes of 20 units".into()];
        let lines = page(&content);
        assert!(lines[0].starts_with('a') && lines.len() > content.panes.len());
        assert!(lines.iter().skip(1).all(|l| l.len() > 12 && !l.contains('\n')), "{lines:?}");
        assert!(lines[1] == "Spikes: exc: 200 spikes of 20 units, from 0 to 1,000 ms", "{}", lines[1]);
        assert!(lines.iter().any(|l| l.contains("largest at 10 Hz")), "{lines:?}");
        for warning in &content.warnings {
            assert_eq!(lines.iter().filter(|l| l.contains(warning.as_str())).count(), 1, "{warning}: {lines:?}");
        }
    }

    #[test]
    fn tables_are_those_of_an_export_and_are_cut_at_a_line() {
        let c = content("a", 10.0);
        let text = table(c.pane("spikes").unwrap());
        assert!(text.starts_with("population\tunit\ttime_ms\nexc\t0\t5\n"), "{text}");
        assert_eq!(text.lines().count(), 201);
        let image = |n: usize| {
            let image = Image {
                x: Axis::new("time", "ms"),
                y: Axis::new("frequency", "Hz"),
                value: Axis::new("power", "mV**2"),
                x_range: (0.0, 1.0),
                y_range: (5.0, 10.0),
                width: n,
                height: 2,
                values: vec![0.5; 2 * n],
                ..Image::default()
            };
            Pane::new("image", "Image", Shape::Image(image), "")
        };
        assert_eq!(
            table(&image(1)),
            "time_ms\tfrequency_Hz\tvalue_mV2\n0\t5\t0.5\n0\t10\t0.5\n",
            "an image is copied as its pixels"
        );
        let long = table(&image(10_000));
        assert!(long.len() <= CLIPBOARD && long.ends_with('\n') && long.lines().all(|l| l.matches('\t').count() == 2));
    }
}
