//! A run, or several held against the first, as one document that needs nothing else: what was expected, figures,
//! numbers, how they were come by, the scenario, versions, warnings.

mod document;
mod html;
mod markdown;

use crate::number::{count, lasted, short, shown_or_missing, with_unit};
use crate::panes::cards::flowing;
use crate::panes::content::{Content, Pane};
use crate::panes::together::{Together, combined};
use document::{Block, Document, Figure, Grid};
use spikedeck_core::number::{interval, p_value};
use spikedeck_plot::{self as plot, View};
use spikedeck_run::{self as run, Check, Finished, Status};
use spikedeck_scenario as scenario;
use spikedeck_signal::{Metric, Shape};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A page for a browser.
    Html,
    /// Text for an editor or a repository; figures are SVG elements in it.
    Markdown,
}

/// The report of finished runs; `None` where none is over.
pub fn report(contents: &[&Content], form: Form) -> Option<String> {
    // Letters are of the runs that are over.
    let over = contents.iter().filter_map(|c| Some((*c, c.finished.as_deref()?)));
    let runs: Vec<Run<'_>> =
        over.enumerate().map(|(k, (content, finished))| Run { letter: letter(k), content, finished }).collect();
    let document = match &runs[..] {
        [] => return None,
        [one] => single(one),
        all => comparison(all),
    };
    Some(match form {
        Form::Html => html::page(&document),
        Form::Markdown => markdown::text(&document),
    })
}

/// Letter of a run.
fn letter(k: usize) -> char {
    char::from(if k < 26 { b'A' + k as u8 } else { b'a' + (k % 26) as u8 })
}

/// A run of a report.
struct Run<'a> {
    letter: char,
    content: &'a Content,
    finished: &'a Finished,
}

impl Run<'_> {
    fn title(&self) -> String {
        match &self.finished.spec {
            Some(spec) if !spec.title.is_empty() => spec.title.clone(),
            _ => self.finished.label.clone(),
        }
    }
}

fn single(run: &Run<'_>) -> Document {
    let mut d = Document { title: run.title(), blocks: Vec::new() };
    d.blocks.push(Block::Text(setting(run.finished)));
    d.blocks.extend(state(run.finished));
    if let Some(spec) = run.finished.spec.as_ref().filter(|s| !s.description.is_empty()) {
        d.blocks.extend(
            flowing(&spec.description)
                .lines()
                .filter(|l| !l.trim().is_empty())
                .map(|l| Block::Text(l.trim().to_owned())),
        );
    }
    d.section("Warnings", warnings(run.finished));
    d.section("What was expected", expectations(&run.finished.checks));
    let view = opening(run.content);
    let figures =
        run.content.panes.iter().flat_map(|p| said(p, "").into_iter().chain(figure(p, &view).map(Block::Figure)));
    d.section("Figures", figures.collect());
    d.section("Numbers", numbers(run.finished));
    d.section("Methods", methods(run.finished));
    d.section("Scenario", scenario_text(run.finished));
    d.section("References", references(run.finished));
    d.section("Versions", versions(&[run]));
    d
}

fn comparison(runs: &[Run<'_>]) -> Document {
    let all: Vec<&Finished> = runs.iter().map(|r| r.finished).collect();
    let compared = run::compare(&all);
    let names: Vec<String> =
        runs.iter().zip(&compared.labels).map(|(r, label)| format!("{} {label}", r.letter)).collect();
    let mut d = Document { title: format!("{} against {}", names[1..].join(", "), names[0]), blocks: Vec::new() };
    for (r, name) in runs.iter().zip(&names) {
        d.blocks.push(Block::Text(format!("{name}: {}. {}", r.title(), setting(r.finished))));
        d.blocks.extend(state(r.finished));
    }
    let told =
        runs.iter().flat_map(|r| r.finished.warnings.iter().map(move |w| Block::Warning(format!("{}: {w}", r.letter))));
    d.section("Warnings", told.collect());
    let mut differences: Vec<Block> = compared.notes.iter().map(|n| Block::Text(sentence(n))).collect();
    if !compared.rows.is_empty() {
        differences.insert(0, Block::Grid(difference_table(&compared, runs)));
    }
    d.section("Differences", differences);
    d.section("Figures", together(runs));
    for r in runs {
        d.section(&format!("{}: what was expected", r.letter), expectations(&r.finished.checks));
        d.section(&format!("{}: numbers", r.letter), numbers(r.finished));
        d.section(&format!("{}: methods", r.letter), methods(r.finished));
        d.section(&format!("{}: scenario", r.letter), scenario_text(r.finished));
    }
    let mut all: Vec<Block> = Vec::new();
    for block in runs.iter().flat_map(|r| references(r.finished)) {
        let is_known = |b: &Block| matches!((b, &block), (Block::Text(a), Block::Text(b)) if a == b);
        if !all.iter().any(is_known) {
            all.push(block);
        }
    }
    d.section("References", all);
    d.section("Versions", versions(&runs.iter().collect::<Vec<_>>()));
    d
}

/// Every pane with all runs in it, and what the others have beyond the first; what cannot be in one stands one by one.
fn together(runs: &[Run<'_>]) -> Vec<Block> {
    let mut keys: Vec<&str> = Vec::new();
    for pane in runs.iter().flat_map(|r| &r.content.panes) {
        if !keys.contains(&pane.key.as_str()) {
            keys.push(&pane.key);
        }
    }
    let view = opening(runs[0].content);
    let mut blocks = Vec::new();
    for key in keys {
        let all: Vec<(char, &Pane)> = runs.iter().filter_map(|r| Some((r.letter, r.content.pane(key)?))).collect();
        match combined(Together::Over, &all).filter(|_| all.len() > 1) {
            Some(pane) => blocks.extend(figure(&pane, &view).map(Block::Figure)),
            None => {
                for (letter, pane) in &all {
                    blocks.extend(said(pane, &format!("{letter}: ")));
                    blocks.extend(figure(pane, &view).map(|figure| {
                        Block::Figure(Figure { caption: format!("{letter}: {}", figure.caption), ..figure })
                    }));
                }
            }
        }
        blocks.extend(combined(Together::Less, &all).and_then(|p| figure(&p, &view)).map(Block::Figure));
    }
    blocks
}

/// What a pane that was measured says in words instead of a picture, with its warnings.
fn said(pane: &Pane, before: &str) -> Vec<Block> {
    let Shape::Card(card) = &pane.shape.shape else { return Vec::new() };
    if pane.key == "run" || pane.key.starts_with("model/") {
        return Vec::new();
    }
    let text = card.sections.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
    let told = Block::Text(sentence(&format!("{before}{}: {text}", pane.title)));
    std::iter::once(told).chain(pane.warnings.iter().map(|w| Block::Warning(w.clone()))).collect()
}

/// A pane as a figure, with what it found below it; text has none.
fn figure(pane: &Pane, opening: &View) -> Option<Figure> {
    if pane.is_text() {
        return None;
    }
    // A trace of a minute would be a block: it is shown as the dashboard opens it.
    let is_trace = pane.key.contains("trace/") && matches!(pane.shape.shape, Shape::Series(_));
    let view = if is_trace { opening.clone() } else { View::default() };
    let svg = plot::svg::figure(&pane.scene(&view), &plot::svg::Figure::default());
    let words = if pane.summary.is_empty() { String::new() } else { format!(": {}", pane.summary) };
    let part = match view.x.filter(|_| is_trace) {
        Some((from, to)) => format!(" Shown from {} to {}.", short(from), short(to)),
        None => String::new(),
    };
    let caption = sentence(&format!("{}{words}", pane.title)) + &part;
    Some(Figure { svg, caption, warnings: pane.warnings.clone() })
}

fn opening(content: &Content) -> View {
    View { x: content.opening, ..View::default() }
}

/// What a run was, in a line.
fn setting(run: &Finished) -> String {
    let mut parts = Vec::new();
    if let Some(spec) = &run.spec {
        let s = &spec.simulation;
        let axis = |t: f64| with_unit(t / s.time_base.seconds(), s.time_base.unit());
        parts.push(format!("seed {}", s.seed));
        parts.push(format!("{} in steps of {}", axis(s.steps as f64 * s.dt), axis(s.dt)));
        let units: u64 = spec.populations.iter().map(|p| p.size as u64).sum();
        parts.push(format!("{} units", count(units)));
    }
    let facts = [(run.facts.connections, "connections"), (run.facts.spikes, "spikes")];
    parts.extend(facts.iter().filter(|f| f.0 > 0).map(|f| format!("{} {}", count(f.0), f.1)));
    let text = format!("{}: {}", run.label, parts.join(", "));
    sentence(text.trim_end_matches([':', ' ']))
}

/// How it ended, where that was not its end.
fn state(run: &Finished) -> Option<Block> {
    let text = match run.status {
        Status::Complete => return None,
        Status::Interrupted => format!("{} was interrupted: the numbers are of what there is.", run.label),
        Status::Failed => {
            format!("{} failed: {}", run.label, sentence(run.failure.as_deref().unwrap_or("no reason given")))
        }
    };
    Some(Block::Warning(text))
}

fn warnings(run: &Finished) -> Vec<Block> {
    run.warnings.iter().map(|w| Block::Warning(w.clone())).collect()
}

fn expectations(checks: &[Check]) -> Vec<Block> {
    if checks.is_empty() {
        return Vec::new();
    }
    let row = |c: &Check| {
        let mark = if c.passed { "✓" } else { "✗" };
        vec![
            mark.to_owned(),
            c.name.clone(),
            c.metric.clone(),
            c.found.map_or_else(|| shown_or_missing(None), |_| c.found_in_words()),
            c.unit.clone(),
            c.range_in_words(),
            c.note.clone(),
        ]
    };
    let heads = ["", "name", "metric", "found", "unit", "expected", "source"];
    vec![Block::Grid(Grid::new(&heads, &[3], checks.iter().map(row).collect()))]
}

/// All metrics, a table an analysis, with all that they rest on.
fn numbers(run: &Finished) -> Vec<Block> {
    let shown: Vec<_> = Metric::shown().collect();
    let mut blocks = Vec::new();
    for outcome in run.outcomes.iter().filter(|o| !o.metrics.is_empty()) {
        let title = if outcome.title.is_empty() { &outcome.name } else { &outcome.title };
        blocks.push(Block::Text(sentence(&format!("{} ({}): {}", title, outcome.name, outcome.summary))));
        let used: Vec<_> =
            shown.iter().filter(|(c, _)| outcome.metrics.iter().any(|m| !c.text(m).is_empty())).collect();
        let mut heads = vec!["measure"];
        heads.extend(used.iter().map(|(_, s)| s.heading));
        let right: Vec<usize> =
            used.iter().enumerate().filter(|(_, (c, _))| c.is_right()).map(|(k, _)| k + 1).collect();
        let row = |m: &Metric| {
            let mut cells = vec![format!("{} {}", m.subject, m.metric)];
            cells.extend(used.iter().map(|(c, _)| c.text(m)));
            cells
        };
        blocks.push(Block::Grid(Grid::new(&heads, &right, outcome.metrics.iter().map(row).collect())));
        blocks.extend(outcome.warnings.iter().map(|w| Block::Warning(w.clone())));
    }
    let failed = run.outcomes.iter().filter_map(|o| Some(format!("{} has no result: {}", o.name, o.failure.as_ref()?)));
    blocks.extend(failed.map(Block::Warning));
    blocks
}

fn difference_table(compared: &run::Comparison, runs: &[Run<'_>]) -> Grid {
    let n = compared.labels.len();
    let mut heads: Vec<String> = vec!["metric".into()];
    heads.extend(runs.iter().map(|r| r.letter.to_string()));
    heads.push("unit".into());
    let mut right: Vec<usize> = (1..=n).collect();
    let has_effect = |k: usize| compared.rows.iter().any(|r| r.effects[k].is_some());
    for (k, run) in runs.iter().enumerate().skip(1) {
        right.push(heads.len());
        heads.push(format!("{} − A", run.letter));
        heads.push("95 % CI".into());
        right.push(heads.len());
        heads.push("p adj".into());
        right.push(heads.len());
        heads.push("change".into());
        if has_effect(k) {
            right.push(heads.len());
            heads.push("g_z".into());
        }
    }
    let row = |d: &run::Difference| {
        let mut cells = vec![d.metric.clone()];
        cells.extend(d.values.iter().map(|v| shown_or_missing(*v)));
        cells.push(d.unit.clone());
        for k in 1..n {
            let mark = if d.is_clear(k) { " *" } else { "" };
            cells.push(shown_or_missing(d.differences[k]));
            cells
                .push(d.difference_intervals[k].map_or_else(String::new, |(a, b)| format!("{}{mark}", interval(a, b))));
            cells.push(d.p_adjusted[k].map_or_else(String::new, p_value));
            cells.push(d.relative(k).map_or_else(String::new, |r| format!("{} %", short(100.0 * r))));
            if has_effect(k) {
                cells.push(d.effects[k].map_or_else(String::new, short));
            }
        }
        cells
    };
    let rows = compared.rows.iter().map(row).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    Grid::new(&heads, &right, rows)
}

/// The version that made a run: of one that does not say it, this one.
fn version_of(run: &Finished) -> &str {
    if run.facts.version.is_empty() { env!("CARGO_PKG_VERSION") } else { &run.facts.version }
}

/// How the numbers were come by: the simulation, and each analysis.
fn methods(run: &Finished) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(spec) = &run.spec {
        let s = &spec.simulation;
        let axis = |t: f64| with_unit(t / s.time_base.seconds(), s.time_base.unit());
        let integrators: Vec<String> = run.facts.integrators.iter().map(|(p, how)| format!("{p} by {how}")).collect();
        let by = if integrators.is_empty() { String::new() } else { format!("; {}", integrators.join("; ")) };
        blocks.push(Block::Text(sentence(&format!(
            "Simulated with spikedeck {} over {} in steps of {}, seed {}{by}",
            version_of(run),
            axis(s.steps as f64 * s.dt),
            axis(s.dt),
            s.seed
        ))));
        for analysis in &spec.analyses {
            let outcome = run.outcomes.iter().find(|o| o.name == analysis.name);
            let text =
                outcome.and_then(|o| run::methods(o, analysis, (&run.recording, true), (s.seed, version_of(run))));
            blocks.extend(text.map(Block::Text));
        }
    }
    blocks
}

fn scenario_text(run: &Finished) -> Vec<Block> {
    let Some(spec) = &run.spec else { return Vec::new() };
    // The text as it was run; what was changed is in it where that can be.
    match scenario::rewritten(&spec.source, &spec.overrides) {
        Ok(text) => vec![Block::Code(text)],
        Err(_) => {
            let changed = spec.overrides.iter().map(|(path, value)| format!("{path} = {value}"));
            vec![
                Block::Code(spec.source.to_string()),
                Block::Text(format!("Changed: {}.", changed.collect::<Vec<_>>().join(", "))),
            ]
        }
    }
}

fn references(run: &Finished) -> Vec<Block> {
    run.spec.iter().flat_map(|s| &s.references).map(|r| Block::Text(r.clone())).collect()
}

fn versions(runs: &[&Run<'_>]) -> Vec<Block> {
    let mut blocks = vec![Block::Text(format!("Report by spikedeck {}.", env!("CARGO_PKG_VERSION")))];
    for r in runs {
        let f = &r.finished.facts;
        let hash = r.finished.spec.as_ref().map_or_else(String::new, |s| format!(", scenario {}", s.hash));
        let took = if f.simulate_seconds > 0.0 {
            format!(
                ", built in {}, simulated in {}, analysed in {} on {} thread{}",
                lasted(f.build_seconds),
                lasted(f.simulate_seconds),
                lasted(f.analyse_seconds),
                f.threads,
                if f.threads == 1 { "" } else { "s" }
            )
        } else {
            String::new()
        };
        let made = format!(", by spikedeck {}", version_of(r.finished));
        blocks.push(Block::Text(format!("{}{made}{hash}{took}.", r.finished.label)));
    }
    blocks
}

/// A text that ends as a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim().trim_end_matches(':');
    if text.is_empty() || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::content;

    #[test]
    fn a_report_of_a_run_has_all_that_it_rests_on() {
        let c = content("a <b>&|", 10.0);
        let page = report(&[&c], Form::Html).unwrap();
        for part in [
            "<!doctype html>",
            "a &lt;b&gt;&amp;|",
            "<svg",
            "psd.exc.rate.peak",
            "[9.5, 10.5]",
            "8 to 12",
            "Versions",
            env!("CARGO_PKG_VERSION"),
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<b>&|"), "nothing of a name acts");
        // Nothing is fetched from anywhere.
        let outside = ["src=\"http", "href=\"http", "@import", "<script"];
        assert!(outside.iter().all(|o| !page.contains(o)));
        let ids: Vec<&str> = page.split("id=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
        let different: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert_eq!(ids.len(), different.len(), "no two figures share a clipping path: {ids:?}");
        for used in page.split("url(#").skip(1).filter_map(|s| s.split(')').next()) {
            assert!(ids.contains(&used), "{used}");
        }
    }

    /// Every figure is one block of Markdown: a blank line inside would end it.
    #[test]
    fn markdown_keeps_its_figures_and_tables_whole() {
        let c = content("a", 10.0);
        let text = report(&[&c], Form::Markdown).unwrap();
        assert!(text.starts_with("# a\n") && text.contains("## Numbers\n"));
        let mut inside = false;
        for line in text.lines() {
            inside |= line.starts_with("<svg");
            assert!(!inside || !line.trim().is_empty(), "a blank line in a figure");
            inside &= !line.ends_with("</svg>");
        }
        for table in text.split("\n\n").filter(|b| b.starts_with("| ")) {
            let widths: std::collections::BTreeSet<usize> =
                table.lines().map(|l| l.replace("\\|", "").matches('|').count()).collect();
            assert_eq!(widths.len(), 1, "{table}");
        }
    }

    #[test]
    fn runs_are_held_against_the_first() {
        let (a, b) = (content("a", 10.0), content("b", 14.0));
        for form in [Form::Html, Form::Markdown] {
            let text = report(&[&a, &b], form).unwrap();
            for part in ["B b against A a", "B − A", "psd.exc.rate.peak", "40 %", "A: what was expected", "<svg"] {
                assert!(text.contains(part), "{form:?}: {part}");
            }
        }
        // Both have their own numbers, and what was warned of in either.
        let text = report(&[&a, &b], Form::Html).unwrap();
        for part in ["A: numbers", "B: numbers", "few spikes", "Report by spikedeck"] {
            assert!(text.contains(part), "{part}");
        }
        let live = Content::default();
        assert!(report(&[&live], Form::Html).is_none(), "nothing is over");
    }
}
